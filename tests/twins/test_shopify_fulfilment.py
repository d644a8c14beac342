"""Holds, progress, fulfilments, moves, cancellation: the run-time rules of fulfilment orders."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pickgate.twins.shopify import LineSpec, Refused
from pickgate.twins.shopify.ids import number_of
from twins.shopify_kit import START, Kit, fo_of, parts, quantities

HOLD = """mutation H($id: ID!, $hold: FulfillmentOrderHoldInput!) {
  fulfillmentOrderHold(id: $id, fulfillmentHold: $hold) {
  fulfillmentHold { id handle heldByRequestingApp } fulfillmentOrder { status }
  remainingFulfillmentOrder { id status } userErrors { code field message } } }"""
RELEASE = """mutation R($id: ID!, $ids: [ID!]) { fulfillmentOrderReleaseHold(id: $id, holdIds: $ids) {
  fulfillmentOrder { status fulfillmentHolds { id } } userErrors { code message } } }"""
PROGRESS = """mutation P($id: ID!) { fulfillmentOrderReportProgress(id: $id, progressReport: {reasonNotes: "x"}) {
  fulfillmentOrder { status requestStatus } userErrors { code message } } }"""
OPEN = """mutation O($id: ID!) { fulfillmentOrderOpen(id: $id) { fulfillmentOrder { status }
  userErrors { message } } }"""
SHIP = """mutation F($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) {
  fulfillment { id status displayStatus totalQuantity trackingInfo { company number url } }
  userErrors { field message } } }"""
MOVE = """mutation M($id: ID!, $to: ID!) { fulfillmentOrderMove(id: $id, newLocationId: $to) {
  movedFulfillmentOrder { id assignedLocation { name } } userErrors { code message } } }"""


def _hold(kit: Kit, gid: str, handle: str, **more: Any) -> Any:
    return kit.data(HOLD, id=gid, hold={"reason": "OTHER", "handle": handle, **more})["fulfillmentOrderHold"]


def test_several_apps_hold_and_each_releases_its_own() -> None:
    kit = Kit()
    fo = fo_of(kit.place(1))
    kit.listen()
    other, _ = kit.shop.hold(fo, app=kit.shop.add_app("Recheck"), handle="window")
    ours = _hold(kit, fo.id, "pickgate-1")["fulfillmentHold"]
    assert ours["heldByRequestingApp"] is True
    topics = [topic for topic in kit.topics() if topic != "orders/updated"]
    assert topics == ["fulfillment_orders/placed_on_hold", "fulfillment_holds/added", "fulfillment_holds/added"]
    released = kit.data(RELEASE, id=fo.id, ids=[ours["id"]])["fulfillmentOrderReleaseHold"]
    assert released["fulfillmentOrder"] == {"status": "ON_HOLD", "fulfillmentHolds": [{"id": other.id}]}
    assert "fulfillment_orders/hold_released" not in kit.topics()
    kit.shop.release_hold(fo, [other.id])
    assert fo.status == "OPEN"
    assert kit.topics() == ["orders/updated", "fulfillment_holds/released", "fulfillment_orders/hold_released"]


def test_release_without_ids_releases_everybodys() -> None:
    kit = Kit()
    fo = fo_of(kit.place(1))
    kit.shop.hold(fo, app=kit.shop.add_app("Recheck"))
    kit.shop.hold(fo, app=None, reason="HIGH_RISK_OF_FRAUD")
    kit.data(RELEASE, id=fo.id, ids=None)
    assert (fo.status, fo.fulfillment_holds) == ("OPEN", [])


def test_the_same_handle_again_is_refused_and_changes_nothing() -> None:
    kit = Kit()
    fo = fo_of(kit.place(1))
    _hold(kit, fo.id, "pickgate-1")
    kit.listen()
    again = _hold(kit, fo.id, "pickgate-1")
    assert again["fulfillmentHold"] is None
    assert [e["code"] for e in again["userErrors"]] == ["DUPLICATE_FULFILLMENT_HOLD_HANDLE"]
    assert (len(fo.fulfillment_holds), kit.topics()) == (1, [])


def test_ten_holds_per_app() -> None:
    kit = Kit()
    fo = fo_of(kit.place(1))
    kit.shop.hold(fo, app=None)
    for n in range(10):
        assert _hold(kit, fo.id, f"pickgate-{n}")["userErrors"] == []
    refused = _hold(kit, fo.id, "pickgate-10")
    assert [e["code"] for e in refused["userErrors"]] == ["FULFILLMENT_ORDER_HOLD_LIMIT_REACHED"]
    assert len(fo.fulfillment_holds) == 11


def test_hold_on_a_part_splits_and_not_twice() -> None:
    kit = Kit()
    order = kit.place(3)
    fo = fo_of(order)
    some = [{"id": fo.line_items[0].id, "quantity": 1}]
    held = _hold(kit, fo.id, "a", fulfillmentOrderLineItems=some)
    assert (parts(fo), held["remainingFulfillmentOrder"]["status"]) == ([("SHIRT", 1, 1)], "OPEN")
    assert parts(fo_of(order, 1)) == [("SHIRT", 2, 2)]
    again = _hold(kit, fo.id, "b", fulfillmentOrderLineItems=some)
    assert [e["code"] for e in again["userErrors"]] == ["FULFILLMENT_ORDER_NOT_SPLITTABLE"]


def test_denied_field_comes_with_good_data() -> None:
    kit = Kit()
    fo = fo_of(kit.place(1))
    kit.shop.hold(fo, app=kit.shop.app)
    answer = kit.ask(
        "query Q($id: ID!) { fulfillmentOrder(id: $id) { fulfillmentHolds { reason heldByApp { id } } } }",
        id=fo.id,
    )
    assert answer["data"]["fulfillmentOrder"]["fulfillmentHolds"] == [{"reason": "OTHER", "heldByApp": None}]
    assert [e["extensions"]["code"] for e in answer["errors"]] == ["ACCESS_DENIED"]


def test_on_hold_refuses_progress_open_and_fulfilment() -> None:
    kit = Kit()
    fo = fo_of(kit.place(1))
    kit.shop.hold(fo, app=None)
    progress = kit.data(PROGRESS, id=fo.id)["fulfillmentOrderReportProgress"]
    assert [e["message"] for e in progress["userErrors"]] == [
        "Cannot report progress on a fulfillment order in this state."
    ]
    opened = kit.data(OPEN, id=fo.id)["fulfillmentOrderOpen"]
    assert [e["message"] for e in opened["userErrors"]] == [
        "Expected fulfillment order status to be valid but it was on_hold."
    ]
    shipped = kit.data(SHIP, f=_input((fo.id, [])))["fulfillmentCreate"]
    assert shipped["userErrors"] == [
        {
            "field": ["fulfillment"],
            "message": f"Fulfillment order {number_of(fo.id)} has an unfulfillable status= on_hold.",
        }
    ]
    assert (fo.status, fo.order.fulfillments) == ("ON_HOLD", [])


def test_progress_and_its_undoing() -> None:
    kit = Kit()
    fo = fo_of(kit.place(1))
    kit.listen()
    done = kit.data(PROGRESS, id=fo.id)["fulfillmentOrderReportProgress"]
    assert done["fulfillmentOrder"] == {"status": "IN_PROGRESS", "requestStatus": "UNSUBMITTED"}
    moved = kit.data(MOVE, id=fo.id, to=kit.york.id)["fulfillmentOrderMove"]
    assert [e["code"] for e in moved["userErrors"]] == ["CANNOT_MOVE_FULFILLMENT_ORDER_WITH_REPORTED_PROGRESS"]
    with pytest.raises(Refused) as refused:
        kit.shop.cancel_fulfillment_order(fo)
    assert refused.value.code == "FULFILLMENT_ORDER_HAS_MANUALLY_REPORTED_PROGRESS"
    assert kit.data(OPEN, id=fo.id)["fulfillmentOrderOpen"]["fulfillmentOrder"] == {"status": "OPEN"}
    assert [t for t in kit.topics() if t != "orders/updated"] == [
        "fulfillment_orders/progress_reported",
        "fulfillment_orders/manually_reported_progress_stopped",
    ]
    assert [e.kind for e in kit.shop.history][-2:] == ["progress_reported", "progress_undone"]


def _input(*groups: tuple[str, list[tuple[str, int]]], **tracking: Any) -> dict[str, Any]:
    made: list[dict[str, Any]] = []
    for fo_id, lines in groups:
        group: dict[str, Any] = {"fulfillmentOrderId": fo_id}
        if lines:
            group["fulfillmentOrderLineItems"] = [{"id": i, "quantity": n} for i, n in lines]
        made.append(group)
    given: dict[str, Any] = {"lineItemsByFulfillmentOrder": made}
    return {**given, "trackingInfo": tracking} if tracking else given


def test_part_then_rest_then_nothing() -> None:
    kit = Kit()
    order = kit.place(3)
    fo = fo_of(order)
    part = fo.line_items[0].id
    kit.listen()
    first = kit.data(SHIP, f=_input((fo.id, [(part, 2)]), number="1Z", company="UPS"))["fulfillmentCreate"]
    assert first["fulfillment"]["trackingInfo"] == [{"company": "UPS", "number": "1Z", "url": None}]
    assert (first["fulfillment"]["status"], first["fulfillment"]["displayStatus"]) == ("SUCCESS", "FULFILLED")
    assert (fo.status, parts(fo)) == ("OPEN", [("SHIRT", 3, 1)])
    assert kit.topics() == ["orders/partially_fulfilled", "orders/updated", "fulfillments/create"]
    too_many = kit.data(SHIP, f=_input((fo.id, [(part, 2)])))["fulfillmentCreate"]
    assert too_many["userErrors"] == [
        {"field": ["fulfillment"], "message": "Invalid fulfillment order line item quantity requested."}
    ]
    kit.data(SHIP, f=_input((fo.id, [(part, 1)])))
    assert (fo.status, fo.remaining) == ("CLOSED", 0)
    assert kit.topics() == ["orders/fulfilled", "orders/updated", "fulfillments/create"]
    repeat = kit.data(SHIP, f=_input((fo.id, [(part, 1)])))["fulfillmentCreate"]
    assert repeat["userErrors"][0]["message"] == (
        f"Fulfillment order {number_of(fo.id)} has an unfulfillable status= closed."
    )
    assert [f.total_quantity for f in order.fulfillments] == [2, 1]


def test_without_lines_everything_that_remains_is_fulfilled() -> None:
    kit = Kit()
    order = kit.place(3, 2)
    made = kit.data(SHIP, f=_input((fo_of(order).id, [])))["fulfillmentCreate"]["fulfillment"]
    assert made["totalQuantity"] == 5


def test_refusals_of_fulfilments() -> None:
    kit = Kit()
    one, two = kit.place(1), kit.place(1)
    a, b = fo_of(one), fo_of(two)
    line = a.line_items[0].id

    def message(given: dict[str, Any]) -> Any:
        (error,) = kit.data(SHIP, f=given)["fulfillmentCreate"]["userErrors"]
        return error["message"], error["field"]

    where = ["fulfillment"]
    gone = "gid://shopify/FulfillmentOrder/1"
    assert message(_input((gone, []))) == ("Fulfillment order does not exist.", where)
    other = "gid://shopify/FulfillmentOrderLineItem/1"
    assert message(_input((a.id, [(other, 1)]))) == ("Fulfillment order line item does not exist.", where)
    text, path = message(_input((a.id, [(line, 0)])))
    assert text == "Quantity must be greater than 0"
    assert path == [*where, "lineItemsByFulfillmentOrder", "0", "fulfillmentOrderLineItems", "0", "quantity"]
    assert message(_input((a.id, []), (b.id, [])))[0] == ("All fulfillment orders must belong to the same order.")
    assert message(_input((a.id, []), (a.id, [])))[0] == "Fulfillment order ids must be unique."
    malformed = kit.ask(SHIP, f=_input(("42", [])))
    assert malformed["data"] == {"fulfillmentCreate": None}
    assert malformed["errors"][0]["extensions"]["code"] == "RESOURCE_NOT_FOUND"
    assert malformed["errors"][0]["message"] == "invalid id"
    assert one.fulfillments == two.fulfillments == []


def test_two_fulfilment_orders_of_one_line_are_added_up() -> None:
    kit = Kit()
    order = kit.place(1)
    kit.shop.edit_order(order, set_quantities={order.line_items[0].id: 3})
    first, second = order.fulfillment_orders
    made = kit.shop.create_fulfillment([(first.id, []), (second.id, [])])
    assert [(x.line_item.sku, x.quantity) for x in made.fulfillment_line_items] == [("SHIRT", 3)]


def test_cancelled_fulfilment_gives_new_work_and_the_stock_back() -> None:
    kit = Kit()
    order = kit.place(2)
    level = kit.shop.level_of(kit.shirt.inventory_item, kit.leeds)
    made = kit.shop.create_fulfillment([(fo_of(order).id, [])])
    assert (level.count("committed"), level.count("on_hand")) == (0, 98)
    kit.shop.cancel_fulfillment(made)
    assert [(fo.status, fo.remaining) for fo in order.fulfillment_orders] == [("CLOSED", 0), ("OPEN", 2)]
    assert (level.count("committed"), level.count("on_hand")) == (2, 100)


def test_cancelled_order_closes_everything_and_empties_the_lines() -> None:
    kit = Kit()
    order = kit.place(2, 1)
    kit.listen()
    kit.shop.cancel_order(order)
    assert (fo_of(order).status, fo_of(order).remaining) == ("CLOSED", 0)
    assert quantities(order) == [("SHIRT", 2, 0), ("BELT", 1, 0)]
    topics = [t for t in kit.topics() if not t.startswith("inventory")]
    assert topics == ["orders/cancelled", "orders/updated", "refunds/create"]


CANCEL = """mutation C($id: ID!) { orderCancel(orderId: $id, reason: CUSTOMER, restock: true,
  refundMethod: {originalPaymentMethodsRefund: true}) { job { id done }
  orderCancelUserErrors { code field message } } }"""


def test_cancel_over_the_api_is_a_job() -> None:
    kit = Kit(cancel_job_seconds=3.0)
    order = kit.place(1)
    job = kit.data(CANCEL, id=order.id)["orderCancel"]["job"]
    assert (job["done"], order.cancelled_at) == (False, None)
    kit.wait(3)
    query = "query J($id: ID!) { job(id: $id) { done } }"
    assert kit.data(query, id=job["id"]) == {"job": {"done": True}}
    assert (order.cancelled_at is not None, fo_of(order).status) == (True, "CLOSED")


def test_cancel_is_refused_with_outstanding_fulfilments() -> None:
    kit = Kit()
    order = kit.place(2)
    fo = fo_of(order)
    kit.shop.create_fulfillment([(fo.id, [(fo.line_items[0].id, 1)])])
    refused = kit.data(CANCEL, id=order.id)["orderCancel"]
    assert refused == {
        "job": None,
        "orderCancelUserErrors": [
            {
                "code": "INVALID",
                "field": ["orderId"],
                "message": "Cannot cancel an order that has outstanding fulfillments",
            }
        ],
    }
    assert order.cancelled_at is None


def test_move_split_merge_cancel_change_ids_not_units() -> None:
    kit = Kit()
    order = kit.place(4)
    fo = fo_of(order)
    kit.listen()
    rest = kit.shop.split_fulfillment_order(fo, [(fo.line_items[0], 1)])
    assert (parts(fo), parts(rest)) == ([("SHIRT", 1, 1)], [("SHIRT", 3, 3)])
    moved = kit.shop.move_fulfillment_order(rest, kit.york)
    assert (moved is rest, rest.location.name) == (True, "York")
    york = kit.shop.level_of(kit.shirt.inventory_item, kit.york)
    assert (york.count("committed"), york.count("available")) == (3, -3)
    back = kit.shop.move_fulfillment_order(rest, kit.leeds)
    assert (back is rest, rest.status, parts(back)) == (False, "CLOSED", [("SHIRT", 3, 3)])
    merged = kit.shop.merge_fulfillment_orders([fo, back])
    assert (fo.status, back.status, parts(merged)) == ("CLOSED", "CLOSED", [("SHIRT", 4, 4)])
    new = kit.shop.cancel_fulfillment_order(merged)
    assert (merged.status, merged.line_items, parts(new)) == ("CLOSED", [], [("SHIRT", 4, 4)])
    assert sum(f.remaining for f in order.fulfillment_orders) == 4
    ours = [t for t in kit.topics() if t.startswith("fulfillment_orders/")]
    assert ours == [f"fulfillment_orders/{t}" for t in ("split", "moved", "moved", "merged", "cancelled")]


def test_move_refusals() -> None:
    kit = Kit()
    fo = fo_of(kit.place(1))
    gone = "gid://shopify/Location/1"
    assert kit.data(MOVE, id=fo.id, to=gone)["fulfillmentOrderMove"]["userErrors"] == [
        {"code": None, "message": "Location not found."}
    ]
    kit.shop.create_fulfillment([(fo.id, [])])
    assert kit.data(MOVE, id=fo.id, to=kit.york.id)["fulfillmentOrderMove"]["userErrors"] == [
        {"code": None, "message": "Cannot change location."}
    ]


def test_scheduled_until_its_day() -> None:
    kit = Kit()
    order = kit.place(1, fulfill_at=START + timedelta(days=3))
    assert fo_of(order).status == "SCHEDULED"
    kit.wait(3 * 86_400)
    assert fo_of(order).status == "OPEN"


def test_kinds_of_lines_and_where_they_go() -> None:
    kit = Kit()
    gift = kit.shop.add_product("GIFT", price="25", is_gift_card=True, tracked=False)
    bundle = kit.shop.add_product("SET", price="30.00", bundle_of=((kit.shirt, 1), (kit.sock, 2)))
    order = kit.shop.create_order(
        [
            LineSpec(variant=bundle, quantity=2),
            LineSpec(variant=gift),
            LineSpec(title="Engraving", price="5", requires_shipping=True),
            LineSpec(tip=True, price="2.50"),
        ]
    )
    kit.wait(5)
    methods = [(fo.delivery_method.method_type, parts(fo)) for fo in order.fulfillment_orders]
    assert methods == [
        ("SHIPPING", [("SHIRT", 2, 2), ("SOCK", 4, 4), (None, 1, 1)]),
        ("NONE", [("GIFT", 1, 1)]),
    ]
    group = order.line_items[0].line_item_group
    assert group is not None and group is order.line_items[1].line_item_group
    assert (group.variant_sku, group.quantity) == ("SET", 2)
    tip = order.line_items[-1]
    assert (tip.requires_shipping, tip.non_fulfillable_quantity, tip.unfulfilled_quantity) == (False, 1, 0)


def test_exchange_adds_lines_on_hold_and_a_plain_return_is_silent() -> None:
    kit = Kit()
    order = kit.place(2)
    kit.shop.create_fulfillment([(fo_of(order).id, [])])
    kit.listen()
    kit.shop.start_return(order, {order.line_items[0].id: 1})
    assert kit.topics() == ["returns/approve"]
    kit.shop.start_return(order, {order.line_items[0].id: 1}, exchange=[LineSpec(variant=kit.belt)])
    fo = fo_of(order, 1)
    assert (fo.status, parts(fo)) == ("ON_HOLD", [("BELT", 1, 1)])
    assert [h.reason for h in fo.fulfillment_holds] == ["AWAITING_RETURN_ITEMS"]


def test_fulfilment_service_round_trip() -> None:
    kit = Kit()
    service = kit.shop.add_location("3PL", fulfillment_service="Three PL")
    fo = fo_of(kit.place(1, location=service))
    states = []
    for answer in ("submit", "accept", "submit_cancellation", "reject_cancellation"):
        kit.shop.answer_request(fo, answer)
        states.append((fo.status, fo.request_status))
    assert states == [
        ("OPEN", "SUBMITTED"),
        ("IN_PROGRESS", "ACCEPTED"),
        ("IN_PROGRESS", "CANCELLATION_REQUESTED"),
        ("IN_PROGRESS", "CANCELLATION_REJECTED"),
    ]
    assert [r.kind for r in fo.merchant_requests] == ["FULFILLMENT_REQUEST", "CANCELLATION_REQUEST"]
    with pytest.raises(Refused):
        kit.shop.answer_request(fo, "accept")
