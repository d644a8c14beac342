"""The API's manners: tokens, versions, errors, costs, paging, searching, tags, metafields, stale reads."""

from __future__ import annotations

import json
import random
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from pickgate.clock import VirtualClock
from pickgate.http import HttpRequest
from pickgate.twins.shopify import LineSpec, ShopifyTwin
from pickgate.twins.shopify.graph.documents import operations_of
from twins.shopify_kit import START, URL, Kit, contract, fo_of

NAME = "query Q($id: ID!) { order(id: $id) { name updatedAt } }"


def test_wrong_or_missing_token_is_401() -> None:
    kit = Kit()
    assert kit.post("{ shop { name } }", token="wrong").status == 401
    request = HttpRequest(method="POST", url=URL, body=b"{}")
    assert kit.shop.handle(request).status == 401
    kit.shop.revoke_token("token")
    assert kit.post("{ shop { name } }").status == 401
    assert kit.shop.requests["401"] == 3


def test_unknown_path_method_and_body() -> None:
    kit = Kit()
    headers = {"X-Shopify-Access-Token": "token"}
    root = "https://example-uk.myshopify.com"
    elsewhere = HttpRequest(method="POST", url=f"{root}/admin/api/2026-07/orders.json", headers=headers)
    assert kit.shop.handle(elsewhere).status == 404
    assert kit.shop.handle(HttpRequest(method="GET", url=URL, headers=headers)).status == 405
    assert kit.shop.handle(HttpRequest(method="POST", url=URL, headers=headers, body=b"{")).status == 400


def test_client_credentials_grant_lasts_a_day() -> None:
    kit = Kit()
    form = {"grant_type": "client_credentials", "client_id": "pickgate", "client_secret": "hush"}

    def grant(**changes: str) -> Any:
        return kit.shop.handle(
            HttpRequest(
                method="POST",
                url="https://example-uk.myshopify.com/admin/oauth/access_token",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                body=urlencode({**form, **changes}).encode(),
            )
        )

    assert grant(client_secret="wrong").status == 400
    answer = grant().json()
    assert set(answer) == {"access_token", "scope", "expires_in"}
    assert answer["expires_in"] == 86_399
    assert kit.post("{ shop { name } }", token=answer["access_token"]).status == 200
    kit.wait(86_400)
    assert kit.post("{ shop { name } }", token=answer["access_token"]).status == 401


def test_dead_version_is_served_by_the_oldest_live_one() -> None:
    kit = Kit()
    for asked, served in (("2026-10", "2026-10"), ("2024-01", "2026-01")):
        request = HttpRequest(
            method="POST",
            url=URL.replace("2026-07", asked),
            headers={"x-shopify-access-token": "token"},
            body=b'{"query": "{ shop { name } }"}',
        )
        assert kit.shop.handle(request).header("X-Shopify-API-Version") == served


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ shop { nam } }", "Cannot query field 'nam' on type 'Shop'"),
        ("{ shop { name }", "Syntax Error"),
        ("{ order(id: 1.5) { id } }", "ID cannot represent"),
        ('{ order(id: "gid://shopify/Order/1") { lineItems(first: 1) { nodes { fulfillableQuantity } } } }', "Cannot"),
    ],
)
def test_invalid_document_answers_200_without_data(query: str, words: str) -> None:
    answer = Kit().post(query)
    assert answer.status == 200
    assert words in answer.json()["errors"][0]["message"]
    assert "data" not in answer.json()


def test_missing_variable_and_unknown_ids() -> None:
    kit = Kit()
    assert kit.ask(NAME)["errors"][0]["extensions"]["code"] == "INVALID_VARIABLE"
    assert kit.data(NAME, id="gid://shopify/Order/1") == {"order": None}
    assert kit.ask(NAME, id="1001")["errors"][0]["extensions"]["code"] == "RESOURCE_NOT_FOUND"


def test_connections_need_a_size_of_at_most_250() -> None:
    kit = Kit()
    assert "one of first or last" in kit.ask("{ orders { nodes { id } } }")["errors"][0]["message"]
    too_many = kit.ask("{ orders(first: 251) { nodes { id } } }")
    assert too_many["errors"][0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"


def test_cost_of_a_wide_order_is_near_what_was_recorded() -> None:
    query = """query Q($id: ID!) { order(id: $id) { id lineItems(first: 10) { nodes { id variant { id } } }
      totalPriceSet { shopMoney { amount } } shippingAddress { city }
      fulfillmentOrders(first: 10) { nodes { id assignedLocation { name } deliveryMethod { id }
        lineItems(first: 10) { nodes { id lineItem { id } } } } } } }"""
    kit = Kit()
    cost = kit.ask(query, id=kit.place(1).id)["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 62
    assert cost["actualQueryCost"] < 30
    assert cost["throttleStatus"]["currentlyAvailable"] == 2000 - cost["actualQueryCost"]


def test_mutation_costs_ten() -> None:
    kit = Kit()
    order = kit.place(1)
    answer = kit.ask('mutation T($id: ID!) { tagsAdd(id: $id, tags: ["a"]) { node { id } } }', id=order.id)
    assert answer["extensions"]["cost"]["actualQueryCost"] == 10


def test_empty_bucket_throttles_with_200_and_refills() -> None:
    kit = Kit(bucket_size=25.0, restore_rate=5.0)
    order = kit.place(1)
    query = 'mutation T($id: ID!) { tagsAdd(id: $id, tags: ["a"]) { node { id } } }'
    assert [("data" in kit.ask(query, id=order.id)) for _ in range(3)] == [True, True, False]
    throttled = kit.post(query, {"id": order.id})
    assert throttled.status == 200
    assert throttled.json()["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert throttled.json()["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 5
    kit.wait(1)
    assert "data" in kit.ask(query, id=order.id)
    assert kit.shop.requests["THROTTLED"] == 2


def test_too_dear_a_query_is_refused_before_it_runs() -> None:
    kit = Kit()
    ids = [f"gid://shopify/Order/{n}" for n in range(250)]
    answer = kit.ask(
        "query N($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { id shippingAddress { city } customer { id }"
        " shippingLine { id } } } }",
        ids=[*ids, *ids],
    )
    assert answer["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert "data" not in answer


def test_nodes_reads_many_at_once_in_the_order_asked() -> None:
    kit = Kit()
    first, second = kit.place(1), kit.place(2)
    ids = [second.id, "gid://shopify/Order/1", fo_of(first).id]
    query = """query N($ids: [ID!]!) { nodes(ids: $ids) { __typename id
      ... on Order { name } ... on FulfillmentOrder { orderName } } }"""
    assert kit.data(query, ids=ids)["nodes"] == [
        {"__typename": "Order", "id": second.id, "name": "#1002"},
        None,
        {"__typename": "FulfillmentOrder", "id": fo_of(first).id, "orderName": "#1001"},
    ]


PAGE = """query P($q: String, $after: String, $n: Int!) { orders(first: $n, after: $after, query: $q,
  sortKey: UPDATED_AT) { nodes { name } pageInfo { hasNextPage endCursor } } }"""


def test_pages_sorted_by_update_survive_a_change_in_between() -> None:
    kit = Kit()
    orders = [kit.place(1) for _ in range(5)]
    first = kit.data(PAGE, n=2)["orders"]
    assert [n["name"] for n in first["nodes"]] == ["#1001", "#1002"]
    kit.shop.add_tags(orders[1], ["x"])
    second = kit.data(PAGE, n=10, after=first["pageInfo"]["endCursor"])["orders"]
    assert [n["name"] for n in second["nodes"]] == ["#1003", "#1004", "#1005", "#1002"]
    assert second["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("updated_at:>='2026-11-02T09:00:10Z'", ["#1003"]),
        ("updated_at:>=2026-11-02T09:00:02Z AND updated_at:<'2026-11-02T09:00:10Z'", ["#1001", "#1002"]),
        ("name:#1002", ["#1002"]),
        ("name:1002 OR name:1003", ["#1002", "#1003"]),
        ("tag:GIFT", ["#1003"]),
        ("-tag:gift", ["#1001", "#1002"]),
        ("metafields.unknown.key:nothing", ["#1001", "#1002", "#1003"]),
    ],
)
def test_search(query: str, names: list[str]) -> None:
    kit = Kit()
    kit.place(1)
    kit.place(1)
    kit.place(1, tags=["gift"])
    assert [n["name"] for n in kit.data(PAGE, q=query, n=9)["orders"]["nodes"]] == names


def test_closed_fulfilment_orders_only_when_asked() -> None:
    kit = Kit()
    order = kit.place(1)
    kit.shop.create_fulfillment([(fo_of(order).id, [])])
    query = "query F($c: Boolean) { fulfillmentOrders(first: 9, includeClosed: $c) { nodes { id } } }"
    assert kit.data(query)["fulfillmentOrders"]["nodes"] == []
    assert kit.data(query, c=True)["fulfillmentOrders"]["nodes"] == [{"id": fo_of(order).id}]
    own = "query O($id: ID!) { order(id: $id) { fulfillmentOrders(first: 9) { nodes { status } } } }"
    assert kit.data(own, id=order.id)["order"]["fulfillmentOrders"]["nodes"] == [{"status": "CLOSED"}]


def test_skip_include_aliases_and_merged_fields() -> None:
    kit = Kit()
    order = kit.place(1)
    query = """query S($id: ID!, $more: Boolean!) { order(id: $id) { number: name shippingAddress { city }
      shippingAddress { zip } note @include(if: $more) tags @skip(if: $more) } }"""
    place = {"city": "London", "zip": "N1 9GU"}
    assert kit.data(query, id=order.id, more=True)["order"] == {
        "number": "#1001", "shippingAddress": place, "note": None,
    }  # fmt: skip
    assert kit.data(query, id=order.id, more=False)["order"] == {
        "number": "#1001", "shippingAddress": place, "tags": [],
    }  # fmt: skip


TAGS = """mutation T($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags) { userErrors { message } } }"""


def test_tags_are_a_set_and_every_write_is_an_update() -> None:
    kit = Kit()
    order = kit.place(1, tags=["Gift"])
    kit.listen()
    kit.wait(10)
    kit.data(TAGS, id=order.id, tags=["gift", "pickgate-locked", "pickgate-locked"])
    assert order.tags == ["Gift", "pickgate-locked"]
    kit.data(TAGS, id=order.id, tags=["gift"])
    assert kit.topics() == ["orders/updated", "orders/updated"]
    kit.data(TAGS.replace("tagsAdd", "tagsRemove"), id=order.id, tags=["GIFT", "unknown"])
    assert order.tags == ["pickgate-locked"]
    assert order.updated_at == kit.clock.now().replace(microsecond=0)
    changes = kit.shop.history.of_kind("tags_changed")
    assert [(e.detail["added"], e.detail["removed"]) for e in changes] == [
        (["pickgate-locked"], []),
        ([], []),
        ([], ["Gift"]),
    ]


SET = """mutation M($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) {
  metafields { namespace key value compareDigest } userErrors { code elementIndex } } }"""
GET = """query G($id: ID!, $n: String, $k: String!) { order(id: $id) {
  own: metafield(namespace: $n, key: $k) { value compareDigest } } }"""


def test_metafields_in_the_apps_own_namespace_with_compare_and_set() -> None:
    kit = Kit()
    order = kit.place(1)

    def put(value: str, **more: Any) -> Any:
        entry = {"ownerId": order.id, "namespace": "$app:pickgate", "key": "lock", "value": value, **more}
        return kit.data(SET, m=[entry])["metafieldsSet"]

    first = put("1", compareDigest=None)["metafields"][0]
    assert first["namespace"].startswith("app--") and first["namespace"].endswith("--pickgate")
    assert put("2", compareDigest=None)["userErrors"] == [{"code": "STALE_OBJECT", "elementIndex": 0}]
    assert put("2", compareDigest="wrong")["userErrors"] == [{"code": "STALE_OBJECT", "elementIndex": 0}]
    second = put("2", compareDigest=first["compareDigest"])["metafields"][0]
    assert second["compareDigest"] != first["compareDigest"]
    read = kit.data(GET, id=order.id, n="$app:pickgate", k="lock")["order"]["own"]
    assert read == {"value": "2", "compareDigest": second["compareDigest"]}
    assert put("3")["userErrors"] == []
    assert kit.data(GET, id=order.id, n=None, k="lock")["order"]["own"] is None


def test_metafields_are_all_or_nothing_and_guarded() -> None:
    kit = Kit()
    order = kit.place(1)
    other = kit.shop.add_app("Other")
    kit.shop.add_token(other, "other")
    good = {"ownerId": order.id, "namespace": "a", "key": "b", "value": "c"}
    stale = {**good, "key": "d", "compareDigest": "x"}
    assert kit.data(SET, m=[good, stale])["metafieldsSet"]["metafields"] is None
    assert order.metafields == {}
    many = kit.data(SET, m=[good] * 26)["metafieldsSet"]
    assert many["userErrors"] == [{"code": "LESS_THAN_OR_EQUAL_TO", "elementIndex": None}]
    kit.data(SET, m=[{**good, "namespace": "$app"}])
    (reserved, _) = next(iter(order.metafields))
    theirs = kit.post(SET, {"m": [{**good, "namespace": reserved}]}, token="other").json()
    assert theirs["data"]["metafieldsSet"]["userErrors"][0]["code"] == "APP_NOT_AUTHORIZED"


def test_stale_reads_show_the_order_as_it_was() -> None:
    kit = Kit(stale_read_probability=1.0, stale_read_seconds=5.0)
    order = kit.place(3)
    kit.wait(60)
    kit.shop.edit_order(order, set_quantities={order.line_items[0].id: 1})
    query = "query Q($id: ID!) { order(id: $id) { lineItems(first: 9) { nodes { currentQuantity } } } }"

    def units() -> int:
        nodes = kit.data(query, id=order.id)["order"]["lineItems"]["nodes"]
        return int(nodes[0]["currentQuantity"])

    assert (order.line_items[0].current_quantity, units()) == (1, 3)
    kit.wait(6)
    assert units() == 1


def test_what_missing_scopes_hide() -> None:
    kit = Kit(read_all_orders=False, fulfillment_orders_visible=False)
    order = kit.place(1)
    query = "query Q($id: ID!) { order(id: $id) { fulfillmentOrders(first: 9) { nodes { id } } } }"
    assert kit.data(query, id=order.id)["order"]["fulfillmentOrders"]["nodes"] == []
    kit.wait(61 * 86_400)
    assert kit.data(query, id=order.id) == {"order": None}
    assert kit.data(PAGE, n=9)["orders"]["nodes"] == []


def test_equal_seeds_and_calls_give_equal_histories() -> None:
    def run(seed: int) -> list[Any]:
        kit = Kit(seed, added_line_joins=0.5, webhook_delay_seconds=(0.1, 9.0))
        kit.listen()
        for n in range(5):
            order = kit.place(1 + n)
            kit.shop.edit_order(order, add_lines=[LineSpec(variant=kit.belt)])
        kit.wait(100)
        hooks = [(d.topic, d.due_at, dict(d.headers), d.body) for d in kit.heard()]
        return [[(e.at, e.kind, e.subject, e.detail) for e in kit.shop.history], hooks]

    assert run(3) == run(3)
    assert run(3)[1] != run(4)[1]


def test_some_ids_exceed_what_a_float_can_hold() -> None:
    order = Kit().place(1)
    number = int(order.line_items[0].id.rpartition("/")[2])
    assert number > 2**53
    assert number != int(float(number))


def test_documents_are_compiled_once() -> None:
    kit = Kit()
    order = kit.place(1)
    text = "query Once($id: ID!) { order(id: $id) { id } }"
    kit.data(text, id=order.id)
    before = operations_of.cache_info()
    kit.data(text, id=order.id)
    assert operations_of.cache_info().hits == before.hits + 1
    assert operations_of.cache_info().misses == before.misses


def test_a_snapshot_is_read_quickly() -> None:
    """Ten lines, the order and its fulfilment orders: well under 1.5 ms when nothing else runs; 10 ms allowed here."""
    from graphql import parse, print_ast, separate_operations

    document = parse(contract("shopify-operations.graphql").read_text())
    texts = {name: print_ast(part) for name, part in separate_operations(document).items()}
    shop = ShopifyTwin(
        clock=VirtualClock(START),
        rng=random.Random(1),
        domain="x.myshopify.com",
        client_secret="s",
        access_token="token",
    )
    shop.add_location("Leeds")
    lines = [LineSpec(variant=shop.add_product(f"SKU-{n}"), quantity=2) for n in range(10)]
    order = shop.create_order(lines)
    shop.tick(START.replace(minute=5))
    headers = {"X-Shopify-Access-Token": "token"}
    best = 1.0
    for _ in range(5):
        started = time.perf_counter()
        for name in ("OrderSnapshot", "OrderFulfillmentOrders"):
            body = json.dumps({"query": texts[name], "variables": {"id": order.id}}).encode()
            answer = shop.handle(HttpRequest(method="POST", url=URL, headers=headers, body=body)).json()
            assert answer["data"]["order"]["id"] == order.id
        best = min(best, time.perf_counter() - started)
    assert best < 0.010
