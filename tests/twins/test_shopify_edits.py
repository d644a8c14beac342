"""What an order edit does to lines, fulfilment orders, stock, money and webhooks."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from pickgate.twins.shopify import LineSpec, Refused, ShippingSpec, totals
from twins.shopify_kit import Kit, fo_of, parts, quantities


def test_no_fulfilment_order_until_routing_is_done() -> None:
    kit = Kit(routing_seconds=2.0)
    kit.listen()
    order = kit.shop.create_order([LineSpec(variant=kit.shirt)])
    assert order.fulfillment_orders == []
    assert kit.topics() == ["inventory_levels/update", "orders/create", "orders/paid", "orders/updated"]
    kit.wait(1.9)
    assert order.fulfillment_orders == []
    kit.wait(0.2)
    assert [parts(fo) for fo in order.fulfillment_orders] == [[("SHIRT", 1, 1)]]
    assert kit.topics() == ["orders/updated", "fulfillment_orders/order_routing_complete"]


def test_removed_line_stays_with_zero_and_its_old_quantity() -> None:
    kit = Kit()
    order = kit.place(3, 1)
    belt = order.line_items[1]
    kit.shop.edit_order(order, set_quantities={belt.id: 0})
    assert quantities(order) == [("SHIRT", 3, 3), ("BELT", 1, 0)]
    assert (belt.unfulfilled_quantity, belt.non_fulfillable_quantity) == (0, 1)
    assert parts(fo_of(order)) == [("SHIRT", 3, 3), ("BELT", 0, 0)]


def test_empty_fulfilment_order_line_may_vanish() -> None:
    kit = Kit(empty_line_vanishes=1.0)
    order = kit.place(3, 1)
    kit.shop.edit_order(order, set_quantities={order.line_items[1].id: 0})
    assert parts(fo_of(order)) == [("SHIRT", 3, 3)]


def test_lower_quantity_lowers_total_and_remaining_in_place() -> None:
    kit = Kit()
    order = kit.place(3)
    before = fo_of(order).id
    kit.listen()
    kit.shop.edit_order(order, set_quantities={order.line_items[0].id: 1})
    assert quantities(order) == [("SHIRT", 3, 1)]
    assert [(fo.id, fo.status, parts(fo)) for fo in order.fulfillment_orders] == [(before, "OPEN", [("SHIRT", 1, 1)])]
    assert kit.topics() == ["inventory_levels/update", "orders/edited", "orders/updated"]


def test_removing_everything_closes_the_fulfilment_order() -> None:
    kit = Kit()
    order = kit.place(2)
    kit.shop.edit_order(order, set_quantities={order.line_items[0].id: 0})
    assert (fo_of(order).status, order.cancelled_at) == ("CLOSED", None)


@pytest.mark.parametrize(
    ("joins", "expected"),
    [
        (0.0, [[("SHIRT", 1, 1)], [("BELT", 2, 2)]]),
        (1.0, [[("SHIRT", 1, 1), ("BELT", 2, 2)]]),
    ],
)
def test_added_line_in_a_new_or_in_the_open_fulfilment_order(joins: float, expected: Any) -> None:
    kit = Kit(added_line_joins=joins)
    order = kit.place(1)
    added = kit.shop.edit_order(order, add_lines=[LineSpec(variant=kit.belt, quantity=2)])
    assert [line.sku for line in added] == ["BELT"]
    assert [parts(fo) for fo in order.fulfillment_orders] == expected


def test_added_line_never_joins_a_held_fulfilment_order_and_the_hold_does_not_spread() -> None:
    kit = Kit(added_line_joins=1.0)
    order = kit.place(1)
    kit.shop.hold(fo_of(order), app=None)
    kit.shop.edit_order(order, add_lines=[LineSpec(variant=kit.belt)])
    assert [(fo.status, parts(fo)) for fo in order.fulfillment_orders] == [
        ("ON_HOLD", [("SHIRT", 1, 1)]),
        ("OPEN", [("BELT", 1, 1)]),
    ]


@pytest.mark.parametrize(
    ("new_line", "lines"),
    [(0.0, [("SHIRT", 3, 3)]), (1.0, [("SHIRT", 1, 1), ("SHIRT", 2, 2)])],
)
def test_higher_quantity_on_the_line_or_as_another_line(new_line: float, lines: Any) -> None:
    kit = Kit(increase_as_new_line=new_line, added_line_joins=1.0)
    order = kit.place(1)
    kit.shop.edit_order(order, set_quantities={order.line_items[0].id: 3})
    assert quantities(order) == lines
    assert sum(part.remaining_quantity for part in fo_of(order).line_items) == 3


def test_swap_is_a_removal_and_a_new_line_id() -> None:
    kit = Kit()
    order = kit.place(1)
    old = order.line_items[0]
    (new,) = kit.shop.edit_order(order, set_quantities={old.id: 0}, add_lines=[LineSpec(variant=kit.belt)])
    assert quantities(order) == [("SHIRT", 1, 0), ("BELT", 1, 1)]
    assert new.id != old.id


def test_webhook_of_an_edit_has_only_deltas() -> None:
    kit = Kit()
    order = kit.place(3)
    kit.listen()
    shirt = order.line_items[0]
    (belt,) = kit.shop.edit_order(
        order,
        set_quantities={shirt.id: 1},
        add_lines=[LineSpec(variant=kit.belt, quantity=2)],
        change_shipping=ShippingSpec(title="Express", price="9.00"),
        note="called",
    )
    (edited,) = [d for d in kit.heard() if d.topic == "orders/edited"]
    body = json.loads(edited.body)["order_edit"]

    def number(gid: str) -> int:
        return int(gid.rpartition("/")[2])

    assert set(body) == {
        "id", "app_id", "created_at", "committed_at", "notify_customer", "order_id", "staff_note", "user_id",
        "line_items", "discounts", "shipping_lines",
    }  # fmt: skip
    assert body["order_id"] == number(order.id)
    assert body["staff_note"] == "called"
    assert body["line_items"] == {
        "additions": [{"id": number(belt.id), "delta": 2}],
        "removals": [{"id": number(shirt.id), "delta": 2}],
    }
    assert body["shipping_lines"] == {
        "additions": [{"id": number(order.shipping_lines[0].id)}],
        "removals": [],
    }


def test_changed_shipping_keeps_the_old_line_as_removed() -> None:
    kit = Kit()
    order = kit.place(1, shipping=ShippingSpec(title="Standard", price="3.95"))
    kit.shop.edit_order(order, change_shipping=ShippingSpec(title="Express", price="9.00"))
    assert [(line.title, line.is_removed) for line in order.shipping_lines] == [
        ("Standard", True),
        ("Express", False),
    ]
    query = """query Q($id: ID!) { order(id: $id) {
      shippingLine { title } active: shippingLines(first: 5) { nodes { title isRemoved } }
      all: shippingLines(first: 5, includeRemovals: true) { nodes { title isRemoved } } } }"""
    read = kit.data(query, id=order.id)["order"]
    assert read["shippingLine"] == {"title": "Express"}
    assert read["active"]["nodes"] == [{"title": "Express", "isRemoved": False}]
    assert [line["title"] for line in read["all"]["nodes"]] == ["Standard", "Express"]
    assert totals.current_total(order) == Decimal("29.00")


def test_restock_is_the_editors_choice() -> None:
    kit = Kit()
    order = kit.place(4)
    level = kit.shop.level_of(kit.shirt.inventory_item, kit.leeds)

    def state() -> tuple[int, int, int]:
        return level.count("available"), level.count("committed"), level.count("on_hand")

    assert state() == (96, 4, 100)
    line = order.line_items[0].id
    kit.shop.edit_order(order, set_quantities={line: 3}, restock=True)
    assert state() == (97, 3, 100)
    kit.shop.edit_order(order, set_quantities={line: 2}, restock=False)
    assert state() == (97, 2, 99)
    kit.shop.edit_order(order, set_quantities={line: 5})
    assert state() == (94, 5, 99)


def test_fulfilled_units_cannot_be_edited_but_the_rest_can() -> None:
    kit = Kit()
    order = kit.place(3)
    fo = fo_of(order)
    kit.shop.create_fulfillment([(fo.id, [(fo.line_items[0].id, 2)])])
    line = order.line_items[0]
    events = len(kit.shop.history)
    with pytest.raises(Refused, match="Fulfilled units cannot be edited"):
        kit.shop.edit_order(order, set_quantities={line.id: 1})
    assert len(kit.shop.history) == events
    kit.shop.edit_order(order, set_quantities={line.id: 2})
    assert (line.current_quantity, line.unfulfilled_quantity, fo.status) == (2, 0, "CLOSED")


@pytest.mark.parametrize(("allowed", "left"), [(True, 0), (False, 2)])
def test_units_in_progress_are_editable_or_not_by_the_knob(*, allowed: bool, left: int) -> None:
    kit = Kit(edit_in_progress=allowed)
    order = kit.place(2)
    kit.shop.report_progress(fo_of(order))
    line = order.line_items[0]
    if allowed:
        kit.shop.edit_order(order, set_quantities={line.id: 0})
    else:
        with pytest.raises(Refused):
            kit.shop.edit_order(order, set_quantities={line.id: 0})
    assert line.current_quantity == left


def test_edit_before_routing_is_seen_by_routing() -> None:
    kit = Kit()
    order = kit.shop.create_order([LineSpec(variant=kit.shirt, quantity=3)])
    kit.shop.edit_order(order, set_quantities={order.line_items[0].id: 1}, add_lines=[LineSpec(variant=kit.belt)])
    kit.wait(5)
    assert [parts(fo) for fo in order.fulfillment_orders] == [[("SHIRT", 1, 1), ("BELT", 1, 1)]]


def test_an_edit_keeps_a_hold_in_place() -> None:
    kit = Kit()
    order = kit.place(3)
    kit.shop.hold(fo_of(order), app=kit.shop.app, handle="pickgate-1")
    kit.shop.edit_order(order, set_quantities={order.line_items[0].id: 2})
    assert (fo_of(order).status, len(fo_of(order).fulfillment_holds)) == ("ON_HOLD", 1)


def test_who_may_edit() -> None:
    kit = Kit()
    other = kit.shop.add_app("Cleverific")
    made_by_app = kit.place(1, app=other)
    drafted = kit.place(1, app=kit.shop.draft_orders)
    with pytest.raises(Refused, match="The order cannot be edited"):
        kit.shop.edit_order(made_by_app, set_quantities={})
    kit.shop.edit_order(made_by_app, set_quantities={}, app=other)
    kit.shop.edit_order(drafted, set_quantities={}, app=other)
    query = "query Q($id: ID!) { order(id: $id) { merchantEditable merchantEditableErrors app { id name } } }"
    assert kit.data(query, id=made_by_app.id)["order"] == {
        "merchantEditable": False,
        "merchantEditableErrors": ["Made by another app."],
        "app": {"id": other.id, "name": "Cleverific"},
    }
    archived = kit.shop.archive(kit.place(1))
    with pytest.raises(Refused, match="The order cannot be edited"):
        kit.shop.edit_order(archived, set_quantities={})


BEGIN = """mutation B($id: ID!) { orderEditBegin(id: $id) { orderEditSession { id } calculatedOrder { id
  lineItems(first: 9) { nodes { id quantity editableQuantity editableQuantityBeforeChanges } } }
  userErrors { field message } } }"""
SET = """mutation S($id: ID!, $line: ID!, $n: Int!) { orderEditSetQuantity(id: $id, lineItemId: $line, quantity: $n,
  restock: true) { calculatedLineItem { quantity editableQuantity restocking } userErrors { field message } } }"""
ADD = """mutation A($id: ID!, $v: ID!, $n: Int!) { orderEditAddVariant(id: $id, variantId: $v, quantity: $n) {
  calculatedLineItem { sku quantity } calculatedOrder { totalPriceSet { shopMoney { amount } } }
  userErrors { field message } } }"""
COMMIT = """mutation C($id: ID!) { orderEditCommit(id: $id, staffNote: "n") {
  order { edited } userErrors { field message } } }"""


def test_edit_session_over_the_api_changes_nothing_until_commit() -> None:
    kit = Kit()
    order = kit.place(3)
    begun = kit.data(BEGIN, id=order.id)["orderEditBegin"]
    session = begun["calculatedOrder"]["id"]
    assert begun["orderEditSession"]["id"].rpartition("/")[2] == session.rpartition("/")[2]
    (line,) = begun["calculatedOrder"]["lineItems"]["nodes"]
    assert (line["quantity"], line["editableQuantityBeforeChanges"]) == (3, 3)
    changed = kit.data(SET, id=session, line=line["id"], n=1)["orderEditSetQuantity"]
    assert changed["calculatedLineItem"] == {"quantity": 1, "editableQuantity": 1, "restocking": True}
    added = kit.data(ADD, id=session, v=kit.belt.id, n=2)["orderEditAddVariant"]
    assert added["calculatedOrder"]["totalPriceSet"]["shopMoney"]["amount"] == "50.0"
    assert quantities(order) == [("SHIRT", 3, 3)]
    assert kit.data(COMMIT, id=session)["orderEditCommit"] == {"order": {"edited": True}, "userErrors": []}
    assert quantities(order) == [("SHIRT", 3, 1), ("BELT", 2, 2)]
    again = kit.data(COMMIT, id=session)["orderEditCommit"]
    assert again["userErrors"] == [{"field": ["id"], "message": "The calculated order does not exist."}]


def test_refusals_of_edit_sessions() -> None:
    kit = Kit()
    order = kit.place(3)
    session = kit.data(BEGIN, id=order.id)["orderEditBegin"]["calculatedOrder"]["id"]

    def message(answer: Any) -> list[str]:
        (payload,) = answer.values()
        return [error["message"] for error in payload["userErrors"]]

    line = order.line_items[0].id
    assert message(kit.data(SET, id=session, line=line, n=-1)) == ["must be greater than or equal to 0"]
    assert message(kit.data(ADD, id=session, v=kit.belt.id, n=0)) == ["must be greater than 0"]
    unknown = "gid://shopify/LineItem/1"
    assert message(kit.data(SET, id=session, line=unknown, n=1)) == ["The line item does not exist on the order."]
    kit.shop.cancel_order(order)
    assert kit.data(BEGIN, id=order.id)["orderEditBegin"]["userErrors"] == [
        {"field": None, "message": "The order cannot be edited."}
    ]
