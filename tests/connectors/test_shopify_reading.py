"""Reading orders: whole or not at all, several at once, and no failure that looks like an empty answer."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.shopify_stub import ScriptedShop, answer, order_payload, refusal, shop, step
from pickgate.clock import RealClock
from pickgate.connectors.shopify.incoming import parse_order
from pickgate.connectors.shopify.port import ShopifyShop
from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.shop import ShopOrder
from pickgate.flows.ports import ChangedPage, OrderChanged
from pickgate.http import HttpRequest, HttpResponse, NothingSent, OutcomeUnknown

ID = "6100000000001"
UPDATED = "2026-11-20T09:10:00Z"
LATER = "2026-11-20T09:10:01Z"
WHOLE = parse_order(order_payload())


def one(**changes: Any) -> HttpResponse:
    return answer({"nodes": [order_payload(**changes)]})


def first_page(field: str, **changes: Any) -> dict[str, Any]:
    """The made order with the given connection cut to its first node."""
    order = order_payload(**changes)
    order[field] = {
        "nodes": order[field]["nodes"][:1],
        "pageInfo": {"hasNextPage": True, "endCursor": "c1"},
    }
    return order


def page(root: str, field: str, nodes: list[Any], *, updated: str = UPDATED, more: str | None = None) -> HttpResponse:
    connection = {"nodes": nodes, "pageInfo": {"hasNextPage": more is not None, "endCursor": more}}
    owner: dict[str, Any] = {field: connection}
    owner |= {"updatedAt": updated} if root == "order" else {"order": {"updatedAt": updated}}
    return answer({root: owner})


def test_one_order_is_read_in_one_request_without_an_event_loop() -> None:
    transport = ScriptedShop(one())
    assert step(shop(transport).read_order(ID)) == WHOLE
    [(name, variables)] = transport.sent
    assert name == "ReadOrders"
    assert variables == {
        "ids": [f"gid://shopify/Order/{ID}"],
        "cutoffNamespace": "orderediting",
        "cutoffKey": "editing_cutoff_date",
        "lockNamespace": "$app:pickgate",
        "lockKey": "lock",
        "originalNamespace": "$app:pickgate",
        "originalKey": "original",
    }
    [request] = transport.requests
    assert request.method == "POST"
    assert request.url == "https://example-uk.myshopify.com/admin/api/2026-07/graphql.json"
    assert request.header("X-Shopify-Access-Token") == "shpat_test"


def test_an_unknown_id_in_a_complete_answer_is_missing() -> None:
    assert step(shop(ScriptedShop(answer({"nodes": [None]}))).read_order(ID)) == Missing()


@pytest.mark.parametrize("order_id", ["", "gid://shopify/Order/1", "12a", "-1", "1" * 21, "١٢"])
def test_what_is_no_number_is_not_asked_for(order_id: str) -> None:
    transport = ScriptedShop()
    assert step(shop(transport).read_order(order_id)) == Unreadable(why="This is not the number of a Shopify order.")
    assert transport.requests == []


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            answer({"nodes": [None]}, errors=[refusal("INTERNAL_SERVER_ERROR", "oops", path=["nodes", 0])]),
            Unreadable(why="Shopify answered without nodes.0: oops"),
        ),
        (
            answer({"nodes": [None]}, errors=[refusal("ACCESS_DENIED", "no", path=["nodes", 0, "customer"])]),
            Unreadable(why="Shopify answered without nodes.0.customer: no", code="CREDENTIALS_REFUSED"),
        ),
        (
            answer({"nodes": [None]}, errors=[{"message": "whole"}]),
            Unreadable(why="Shopify answered without the whole answer: whole"),
        ),
        (
            answer(None, errors=[refusal("ACCESS_DENIED", "scopes")]),
            Unreadable(why="Shopify denied access (ACCESS_DENIED): scopes", code="CREDENTIALS_REFUSED"),
        ),
        (
            answer(None, errors=[refusal("undefinedField", "Field 'x' doesn't exist")]),
            Unreadable(why="Shopify refused the request: Field 'x' doesn't exist"),
        ),
        (answer({}), Unreadable(why="Shopify's answer cannot be read: nodes: should list what was asked for")),
        (
            answer({"nodes": []}),
            Unreadable(why="Shopify's answer cannot be read: nodes: should list what was asked for"),
        ),
        (
            answer({"nodes": [{"__typename": "Customer"}]}),
            Unreadable(why="Shopify's answer cannot be read: nodes: should be an order"),
        ),
        (
            answer({"nodes": [order_payload(id="gid://shopify/Order/2")]}),
            Unreadable(why="Shopify's answer cannot be read: order.id: is another order's"),
        ),
    ],
)
def test_an_incomplete_answer_is_unreadable_never_missing(reply: HttpResponse, expected: Unreadable) -> None:
    transport = ScriptedShop(reply)
    assert step(shop(transport).read_order(ID)) == expected
    assert len(transport.requests) == 1


@pytest.mark.parametrize("status", [401, 402, 403, 404, 423, 301])
def test_a_closed_door_needs_a_person_and_is_not_knocked_at_twice(status: int) -> None:
    transport = ScriptedShop(HttpResponse(status=status, headers={"Location": "https://elsewhere.example"}))
    found = step(shop(transport).read_order(ID))
    assert isinstance(found, Unreadable)
    assert found.code == "CREDENTIALS_REFUSED"
    assert f"HTTP {status}" in found.why
    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        HttpResponse(status=502),
        HttpResponse(status=500, body=b"<html>"),
        HttpResponse(status=200, body=b"<html>maintenance</html>"),
        HttpResponse(status=200, body=b""),
        HttpResponse(status=200, body=b"[" * 100_000),
        HttpResponse(status=200, body=b'{"data": {"nodes": [' + b"9" * 5000),
        HttpResponse(status=200, body=b"[]"),
        HttpResponse(status=200, body=b'{"errors": "what"}'),
        answer(None, errors=[refusal("INTERNAL_SERVER_ERROR")]),
        NothingSent("refused"),
        OutcomeUnknown("cut"),
    ],
)
def test_a_read_is_repeated_a_few_times_then_unreadable(trouble: HttpResponse | Exception) -> None:
    recovered = ScriptedShop(trouble, trouble, one())
    assert step(shop(recovered).read_order(ID)) == WHOLE
    assert len(recovered.requests) == 3
    lasting = ScriptedShop(trouble, repeat=True)
    found = step(shop(lasting).read_order(ID))
    assert isinstance(found, Unreadable)
    assert found.code is None
    assert len(lasting.requests) == 4


def test_a_batch_answers_for_each_order_alone() -> None:
    other = order_payload(id="gid://shopify/Order/2")
    errors = [refusal("ACCESS_DENIED", "no", path=["nodes", 2, "app"])]
    transport = ScriptedShop(answer({"nodes": [order_payload(), None, other]}, errors=errors))
    found = step(shop(transport).read_orders([ID, "1", "2"]))
    assert found == {
        ID: WHOLE,
        "1": Missing(),
        "2": Unreadable(why="Shopify answered without nodes.2.app: no", code="CREDENTIALS_REFUSED"),
    }


def _echo_orders(request: HttpRequest) -> HttpResponse:
    ids = json.loads(request.body)["variables"]["ids"]
    return answer({"nodes": [order_payload(id=gid) for gid in ids]}, requested=100.0 * len(ids))


def test_a_batch_is_split_by_count_and_by_learned_cost() -> None:
    transport = ScriptedShop(_echo_orders, repeat=True)
    port = shop(transport)
    found = step(port.read_orders([str(number) for number in range(1, 21)]))
    assert [order.id for order in found.values() if isinstance(order, ShopOrder)] == [str(n) for n in range(1, 21)]
    assert [len(variables["ids"]) for _, variables in transport.sent] == [10, 9, 1]
    dear = ScriptedShop(
        lambda request: answer(json.loads(_echo_orders(request).body)["data"], requested=300.0), repeat=True
    )
    step(shop(dear, max_ids=2).read_orders(["1", "2", "3", "4"]))
    assert [len(variables["ids"]) for _, variables in dear.sent] == [2, 2]


def test_too_costly_a_batch_is_halved_and_a_single_order_asks_for_less() -> None:
    def strict(request: HttpRequest) -> HttpResponse:
        variables = json.loads(request.body)["variables"]
        if len(variables["ids"]) > 2 or "lines" not in variables:
            return answer(None, errors=[refusal("MAX_COST_EXCEEDED")])
        return _echo_orders(request)

    transport = ScriptedShop(strict, repeat=True)
    found = step(shop(transport).read_orders(["1", "2", "3", "4"]))
    assert [type(order) for order in found.values()] == [ShopOrder] * 4
    assert [(len(v["ids"]), v.get("lines")) for _, v in transport.sent] == [
        (4, None),
        (2, None),
        *[(1, None), (1, 10)] * 4,
    ]
    never = ScriptedShop(answer(None, errors=[refusal("MAX_COST_EXCEEDED")]), repeat=True)
    found = step(shop(never).read_orders(["1", "2"]))
    why = "The request asks for more at once than Shopify allows."
    assert found == {"1": Unreadable(why=why), "2": Unreadable(why=why)}


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_further_lines_and_fulfilment_orders_are_fetched() -> None:
    full = order_payload()
    order = first_page("lineItems")
    order["fulfillmentOrders"] = first_page("fulfillmentOrders")["fulfillmentOrders"]
    transport = ScriptedShop(
        answer({"nodes": [order]}),
        page("order", "lineItems", full["lineItems"]["nodes"][1:]),
        page("order", "fulfillmentOrders", full["fulfillmentOrders"]["nodes"][1:]),
    )
    assert step(shop(transport).read_order(ID)) == WHOLE
    gid = f"gid://shopify/Order/{ID}"
    assert transport.sent[1:] == [
        ("OrderLinesPage", {"id": gid, "after": "c1"}),
        ("OrderFulfillmentOrdersPage", {"id": gid, "after": "c1"}),
    ]


def test_further_lines_of_a_fulfilment_order_and_of_a_fulfilment_are_fetched() -> None:
    order = order_payload()
    share, sent = order["fulfillmentOrders"]["nodes"][0]["lineItems"], order["fulfillments"][0]["fulfillmentLineItems"]
    more_share = {**share["nodes"][0], "id": "gid://shopify/FulfillmentOrderLineItem/903", "remainingQuantity": 0}
    share["pageInfo"] = {"hasNextPage": True, "endCursor": "s"}
    sent["nodes"], rest = sent["nodes"][:1], sent["nodes"][1:]
    sent["pageInfo"] = {"hasNextPage": True, "endCursor": "t"}
    transport = ScriptedShop(
        answer({"nodes": [order]}),
        page("fulfillmentOrder", "lineItems", [more_share]),
        page("fulfillment", "fulfillmentLineItems", rest),
    )
    found = step(shop(transport).read_order(ID))
    assert isinstance(found, ShopOrder)
    assert [line.id for line in found.fulfilment_orders[0].lines] == ["901", "903"]
    assert found.fulfilments == WHOLE.fulfilments


@pytest.mark.parametrize(
    "second",
    [
        page("order", "lineItems", order_payload()["lineItems"]["nodes"][1:], updated=LATER),
        page("order", "lineItems", order_payload()["lineItems"]["nodes"][:1]),
        answer({"order": None}),
    ],
    ids=["updatedAt differs", "a row comes twice", "gone"],
)
def test_an_order_that_moves_while_it_is_read_is_read_again(second: HttpResponse) -> None:
    cut = answer({"nodes": [first_page("lineItems")]})
    settled = ScriptedShop(cut, second, one(updatedAt=LATER))
    found = step(shop(settled).read_order(ID))
    assert isinstance(found, ShopOrder)
    assert found.updated_at == datetime(2026, 11, 20, 9, 10, 1, tzinfo=UTC)
    restless = ScriptedShop(cut, second, cut, second, cut, second, cut)
    why = "The order kept changing while its pages were read."
    assert step(shop(restless).read_order(ID)) == Unreadable(why=why)


def test_a_fulfilment_order_line_of_an_unseen_order_line_is_read_again() -> None:
    order = order_payload()
    order["lineItems"]["nodes"].pop()
    transport = ScriptedShop(answer({"nodes": [order]}), one())
    assert step(shop(transport).read_order(ID)) == WHOLE
    assert len(transport.requests) == 2


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (HttpResponse(status=403), "Shopify forbids this app access (HTTP 403)"),
        (answer(None, errors=[refusal("INVALID_CURSOR", "expired")]), "Shopify refused the request: expired"),
        (page("order", "lineItems", [], more="c1"), "lineItems: has pages without end"),
        (answer({"order": {"updatedAt": UPDATED}}), "lineItems: should be an object"),
    ],
    ids=["403", "cursor expired", "the same cursor", "no connection"],
)
def test_a_page_that_fails_spoils_the_whole_order(second: HttpResponse, why: str) -> None:
    transport = ScriptedShop(answer({"nodes": [first_page("lineItems")]}), second)
    found = step(shop(transport).read_order(ID))
    assert isinstance(found, Unreadable)
    assert why in found.why


def _fulfilment(number: int) -> dict[str, Any]:
    lines = {
        "nodes": [
            {
                "id": f"gid://shopify/FulfillmentLineItem/{number}",
                "quantity": number,
                "lineItem": {"id": "gid://shopify/LineItem/9007199254740995"},
            }
        ],
        "pageInfo": {"hasNextPage": False, "endCursor": None},
    }
    return {
        "__typename": "Fulfillment",
        "id": f"gid://shopify/Fulfillment/{number}",
        "status": "SUCCESS",
        "createdAt": UPDATED,
        "order": {"updatedAt": UPDATED},
        "trackingInfo": [],
        "fulfillmentLineItems": lines,
    }


def test_more_fulfilments_than_asked_for_are_listed_and_fetched() -> None:
    first = [_fulfilment(number) for number in range(1, 6)]
    listed = [{"id": f"gid://shopify/Fulfillment/{number}"} for number in range(1, 8)]
    transport = ScriptedShop(
        one(fulfillments=first),
        answer({"order": {"updatedAt": UPDATED, "fulfillments": listed}}),
        answer({"nodes": [_fulfilment(6), _fulfilment(7)]}),
    )
    found = step(shop(transport).read_order(ID))
    assert isinstance(found, ShopOrder)
    assert [(sent.id, dict(sent.lines)) for sent in found.fulfilments] == [
        (str(number), {"9007199254740995": number}) for number in range(1, 8)
    ]


def test_more_fulfilments_than_can_be_listed_is_unreadable() -> None:
    first = [_fulfilment(number) for number in range(1, 6)]
    listed = [{"id": f"gid://shopify/Fulfillment/{number}"} for number in range(1, 251)]
    transport = ScriptedShop(one(fulfillments=first), answer({"order": {"updatedAt": UPDATED, "fulfillments": listed}}))
    found = step(shop(transport).read_order(ID))
    assert isinstance(found, Unreadable)
    assert "250 entries or more" in found.why


# ── gathering ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_reads_at_the_same_moment_share_a_request() -> None:
    transport = ScriptedShop(_echo_orders, repeat=True)
    port = _real_shop(transport)
    found = await asyncio.gather(*(port.read_order(str(number)) for number in (1, 2, 3, 2)))
    assert [order.id for order in found if isinstance(order, ShopOrder)] == ["1", "2", "3", "2"]
    assert [len(variables["ids"]) for _, variables in transport.sent] == [3]


async def test_a_full_batch_leaves_at_once() -> None:
    transport = ScriptedShop(_echo_orders, repeat=True)
    port = _real_shop(transport, gather_seconds=30.0, max_ids=2)
    async with asyncio.timeout(5):
        await asyncio.gather(port.read_order("1"), port.read_order("2"))
    assert [len(variables["ids"]) for _, variables in transport.sent] == [2]
    pending = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in pending:
        task.cancel()


async def test_one_impatient_caller_does_not_spoil_the_others() -> None:
    port = _real_shop(ScriptedShop(_echo_orders, repeat=True))
    impatient, patient = asyncio.create_task(port.read_order("1")), asyncio.create_task(port.read_order("1"))
    await asyncio.sleep(0)
    impatient.cancel()
    found = await patient
    assert isinstance(found, ShopOrder)
    assert impatient.cancelled()


async def test_a_failure_of_the_read_itself_reaches_every_caller() -> None:
    def broken(request: HttpRequest) -> HttpResponse:
        raise AssertionError("a bug")

    port = _real_shop(ScriptedShop(broken, repeat=True))
    found = await asyncio.gather(port.read_order("1"), port.read_order("2"), return_exceptions=True)
    assert [repr(error) for error in found] == ["AssertionError('a bug')"] * 2


def _real_shop(transport: ScriptedShop, **options: Any) -> ShopifyShop:
    from connectors.shopify_stub import settings

    return ShopifyShop(settings(), transport=transport, clock=RealClock(), **options)


# ── the other questions ──────────────────────────────────────────────────────────────────────────────────────────────


def _changed(*numbers: int, more: str | None = None) -> HttpResponse:
    nodes = [{"id": f"gid://shopify/Order/{number}", "updatedAt": UPDATED} for number in numbers]
    return answer({"orders": {"nodes": nodes, "pageInfo": {"hasNextPage": more is not None, "endCursor": more}}})


def test_the_sweep_asks_by_instant_and_pages() -> None:
    transport = ScriptedShop(_changed(1, 2, more="next"), _changed(3))
    port = shop(transport)
    since = datetime(2026, 11, 20, 9, 0, 0, 999_000, tzinfo=UTC)
    at = datetime(2026, 11, 20, 9, 10, tzinfo=UTC)
    assert step(port.changed_orders(since=since, cursor=None)) == ChangedPage(
        items=(OrderChanged(order_id="1", updated_at=at), OrderChanged(order_id="2", updated_at=at)), next_cursor="next"
    )
    assert step(port.changed_orders(since=since, cursor="next")) == ChangedPage(
        items=(OrderChanged(order_id="3", updated_at=at),)
    )
    assert transport.sent == [
        ("ChangedOrders", {"query": "updated_at:>='2026-11-20T09:00:00Z'", "after": None}),
        ("ChangedOrders", {"query": "updated_at:>='2026-11-20T09:00:00Z'", "after": "next"}),
    ]


@pytest.mark.parametrize(
    "reply",
    [
        HttpResponse(status=403),
        answer({"orders": None}),
        answer({"orders": {"nodes": [{"id": "1", "updatedAt": UPDATED}], "pageInfo": {"hasNextPage": False}}}),
        answer({"orders": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}}),
        answer({"orders": None}, errors=[refusal("ACCESS_DENIED", path=["orders"])]),
    ],
)
def test_a_failed_sweep_concludes_nothing(reply: HttpResponse) -> None:
    found = step(shop(ScriptedShop(reply)).changed_orders(since=datetime(2026, 1, 1, tzinfo=UTC), cursor=None))
    assert found.items == ()
    assert found.next_cursor is None
    assert isinstance(found.unreadable, Unreadable)


def _named(*names: str, more: bool = False) -> HttpResponse:
    nodes = [{"id": f"gid://shopify/Order/{number}", "name": name} for number, name in enumerate(names, 1)]
    return answer({"orders": {"nodes": nodes, "pageInfo": {"hasNextPage": more, "endCursor": "c"}}})


@pytest.mark.parametrize("asked", ["#1031", "1031", " #1031 "])
def test_an_order_is_found_by_exactly_its_name(asked: str) -> None:
    transport = ScriptedShop(_named("#10311", "#1031", "#1031A"), _echo_orders)
    found = step(shop(transport).find_orders_by_name(asked))
    assert isinstance(found, tuple)
    assert [order.id for order in found] == ["2"]
    assert transport.sent[0] == ("OrdersByName", {"query": 'name:"#1031"'})
    assert transport.sent[1][1]["ids"] == ["gid://shopify/Order/2"]


def test_a_name_is_quoted_and_an_empty_one_is_not_asked_for() -> None:
    transport = ScriptedShop(_named())
    assert step(shop(transport).find_orders_by_name('#10" OR name:*\\')) == ()
    assert transport.sent == [("OrdersByName", {"query": 'name:"#10\\" OR name:*\\\\"'})]
    assert step(shop(ScriptedShop()).find_orders_by_name(" # ")) == ()


@pytest.mark.parametrize(
    "replies",
    [
        [HttpResponse(status=403)],
        [_named("#7", more=True)],
        [_named("#1031"), answer({"nodes": [None]}, errors=[refusal("X", path=["nodes", 0])])],
    ],
)
def test_a_name_that_cannot_be_looked_up_is_unreadable_not_absent(replies: list[HttpResponse]) -> None:
    assert isinstance(step(shop(ScriptedShop(*replies)).find_orders_by_name("#1031")), Unreadable)


def _owners(request: HttpRequest) -> HttpResponse:
    gids = json.loads(request.body)["variables"]["ids"]
    nodes = [
        None
        if gid.endswith("/404")
        else {"__typename": "FulfillmentOrder", "id": gid, "orderId": f"gid://shopify/Order/1{gid.rpartition('/')[2]}"}
        for gid in gids
    ]
    return answer({"nodes": nodes})


def test_fulfilment_orders_lead_to_their_orders() -> None:
    transport = ScriptedShop(_owners, repeat=True)
    found = step(shop(transport).order_of_fulfilment_orders(["7", "404", "8", "7", "no"]))
    assert found == {"7": "17", "8": "18"}
    many = step(shop(transport).order_of_fulfilment_orders([str(number) for number in range(1000, 1120)]))
    assert isinstance(many, dict)
    assert len(many) == 120
    assert [len(v["ids"]) for _, v in transport.sent] == [3, 50, 50, 20]
    assert step(shop(ScriptedShop()).order_of_fulfilment_orders([])) == {}


@pytest.mark.parametrize(
    "reply",
    [HttpResponse(status=401), answer({"nodes": None}), answer({"nodes": [{"__typename": "Order"}]})],
)
def test_owners_that_cannot_be_read(reply: HttpResponse) -> None:
    assert isinstance(step(shop(ScriptedShop(reply)).order_of_fulfilment_orders(["7"])), Unreadable)


def test_missing_scopes_are_named() -> None:
    granted = ["write_orders", "write_merchant_managed_fulfillment_orders", "read_locations", "read_inventory"]
    scopes = {"currentAppInstallation": {"accessScopes": [{"handle": handle} for handle in granted]}}
    assert step(shop(ScriptedShop(answer(scopes))).find_missing_scopes()) == ("read_customers", "write_inventory")
