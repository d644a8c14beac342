"""Bulk reads: what a query may hold, what its lines look like, and how a result is fetched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pickgate.http import HttpRequest, HttpResponse
from twins.shopify_kit import Kit

RUN = """mutation Run($query: String!) { bulkOperationRunQuery(query: $query) {
  bulkOperation { id status } userErrors { code field message } } }"""
STATUS = """query Status($id: ID!) { bulkOperation(id: $id) {
  status errorCode objectCount rootObjectCount fileSize url completedAt } }"""
ORDERS = """{ orders { edges { node { id name
  lineItems { edges { node { id sku } } }
  fulfillmentOrders { edges { node { id lineItems { edges { node { id remainingQuantity } } } } } } } } } }"""


def run(kit: Kit, query: str) -> dict[str, Any]:
    answer: dict[str, Any] = kit.data(RUN, query=query)["bulkOperationRunQuery"]
    return answer


def finish(kit: Kit, query: str) -> dict[str, Any]:
    gid = run(kit, query)["bulkOperation"]["id"]
    kit.wait(6)
    found: dict[str, Any] = kit.data(STATUS, id=gid)["bulkOperation"]
    return found


def fetch(kit: Kit, url: str, **headers: str) -> HttpResponse:
    return kit.shop.handle(HttpRequest(method="GET", url=url, headers=headers))


def test_each_object_is_a_line_and_names_its_parent() -> None:
    kit = Kit()
    order = kit.place(2, 1)
    done = finish(kit, ORDERS)
    lines = [json.loads(line) for line in fetch(kit, done["url"]).body.splitlines()]
    assert (done["status"], done["objectCount"], done["rootObjectCount"]) == ("COMPLETED", "6", "1")
    share = order.fulfillment_orders[0]
    assert lines == [
        {"id": order.id, "name": "#1001"},
        *({"id": n.id, "sku": n.sku, "__parentId": order.id} for n in order.line_items),
        {"id": share.id, "__parentId": order.id},
        *({"id": p.id, "remainingQuantity": p.remaining_quantity, "__parentId": share.id} for p in share.line_items),
    ]


def test_it_runs_for_a_while_and_shows_the_shop_at_its_end() -> None:
    kit = Kit()
    started = run(kit, "{ orders { edges { node { id } } } }")["bulkOperation"]
    assert started["status"] == "CREATED"
    assert kit.data(STATUS, id=started["id"])["bulkOperation"]["url"] is None
    order = kit.place(1)
    kit.wait(6)
    url = kit.data(STATUS, id=started["id"])["bulkOperation"]["url"]
    assert json.loads(fetch(kit, url).body) == {"id": order.id}


def test_a_result_without_objects_has_no_file() -> None:
    done = finish(Kit(), "{ orders { edges { node { id } } } }")
    assert (done["status"], done["url"], done["objectCount"]) == ("COMPLETED", None, "0")


def test_a_range_is_answered_with_that_part() -> None:
    kit = Kit()
    kit.place(1)
    url = finish(kit, ORDERS)["url"]
    whole = fetch(kit, url).body
    part = fetch(kit, url, Range="bytes=3-9")
    assert (part.status, part.body, part.header("Content-Range")) == (206, whole[3:10], f"bytes 3-9/{len(whole)}")
    assert fetch(kit, url, Range=f"bytes={len(whole)}-").status == 416


def test_a_result_is_gone_after_a_week() -> None:
    kit = Kit()
    kit.place(1)
    url = finish(kit, ORDERS)["url"]
    kit.wait(7 * 86400 + 1)
    assert fetch(kit, url).status == 403


def test_five_run_at_once_and_no_more() -> None:
    kit = Kit()
    for _ in range(5):
        assert run(kit, ORDERS)["userErrors"] == []
    sixth = run(kit, ORDERS)
    assert sixth["bulkOperation"] is None
    assert sixth["userErrors"][0]["code"] == "OPERATION_IN_PROGRESS"


def test_it_can_be_made_to_fail() -> None:
    kit = Kit(bulk_fails_with="TIMEOUT")
    kit.place(1)
    done = finish(kit, ORDERS)
    assert (done["status"], done["errorCode"], done["url"]) == ("FAILED", "TIMEOUT", None)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("{ shop { id } }", "must contain at least one connection"),
        ("{ orders { edges { node { id nothing } } } }", "Cannot query field"),
        ("{ orders { edges { node { name lineItems { edges { node { id } } } } } } }", "must select the 'id' field"),
        (
            "{ orders { edges { node { id fulfillments { id fulfillmentLineItems { edges { node { id } } } } } } } }",
            "connection field within a list field",
        ),
        ("{ orders { edges { node { id agreements { edges { node { id } } } } } } }", "implement the Node interface"),
        (
            "{ orders { edges { node { id fulfillmentOrders { edges { node { id fulfillments { edges { node { id "
            "fulfillmentLineItems { edges { node { id } } } } } } } } } } } } }",
            "nesting depth greater than 2",
        ),
        (
            "{ locations { edges { node { id inventoryLevels { edges { node { id } } } } } } "
            "orders { edges { node { id } } } }",
            "one root field",
        ),
        ("query Q($a: Int) { orders(first: $a) { edges { node { id } } } }", "without variables"),
        ("{ orders {", "Syntax Error"),
    ],
)
def test_what_a_bulk_query_may_not_hold(query: str, sentence: str) -> None:
    refused = run(Kit(), query)
    assert refused["bulkOperation"] is None
    assert (refused["userErrors"][0]["code"], refused["userErrors"][0]["field"]) == ("INVALID", ["query"])
    assert sentence in refused["userErrors"][0]["message"]


def test_a_bulk_read_changes_nothing() -> None:
    kit = Kit()
    kit.listen()
    kit.place(1)
    kit.wait(60)
    kit.heard()
    before = len(kit.shop.history)
    finish(kit, ORDERS)
    assert len(kit.shop.history) == before
    assert kit.heard() == []
