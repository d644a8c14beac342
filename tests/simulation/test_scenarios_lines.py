"""Rows 1-17: line edits inside the edit window. Nothing reaches the warehouse before the gate; one document after."""

from __future__ import annotations

import pytest

from pickgate.twins.shopify import LineSpec, Order, ShopifyKnobs
from simulation.messages import created
from simulation.stage import Stage
from simulation.variants import ADDED_LINES, EMPTY_LINES, RAISED_LINES

IN_WINDOW = ["cutoff", "edit_window", "hold_tag"]


def test_knobs_differ() -> None:
    """The variants below are different worlds: an added line is in the open fulfilment order, or in one of its own."""
    counts = []
    for joins in (0.0, 1.0):
        stage = Stage(shop_knobs=ShopifyKnobs(added_line_joins=joins))
        order = stage.order({"MUG-BLU": 1})
        stage.wait(minutes=1)
        stage.world.editing.edit(order, add_lines=[stage.spec("TOWEL")], pay_now=True)
        counts.append(len(stage.open_fulfilment_orders(order)))
    assert counts == [2, 1]


@ADDED_LINES
def test_row_01_add_product_invoice_paid_in_time(joins: float) -> None:
    stage = Stage(shop_knobs=ShopifyKnobs(added_line_joins=joins))
    order = stage.order({"MUG-BLU": 1}, financial_status="AUTHORIZED")
    stage.wait(minutes=5)
    stage.world.editing.edit(order, add_lines=[stage.spec("TOWEL")])
    stage.wait(minutes=5)
    both = {"MUG-BLU": 1, "TOWEL": 1}
    stage.check(order, wants=both, state="waiting", gates=[*IN_WINDOW, "payment"])
    stage.world.editing.pay_invoice(order)
    stage.wait(minutes=23)
    assert stage.payment(order) == "PAID"
    one = [created("1001-1", both)]
    two = [created("1001-1", {"MUG-BLU": 1}), created("1001-2", {"TOWEL": 1})]
    stage.check(order, wants=both, received=one if joins else two, state="in_warehouse")
    assert "orderediting:product_added" in order.tags


@ADDED_LINES
@EMPTY_LINES
def test_row_02_add_product_unpaid_and_reversed(joins: float, vanishes: float) -> None:
    stage = Stage(
        shop_knobs=ShopifyKnobs(added_line_joins=joins, empty_line_vanishes=vanishes),
        editing={"release_hold_first": 1.0},  # the hold goes before the edit is taken back
    )
    order = stage.order({"MUG-BLU": 1})
    stage.wait(minutes=8)
    stage.world.editing.edit(order, add_lines=[stage.spec("TOWEL")])
    stage.wait(minutes=20)
    stage.check(order, wants={"MUG-BLU": 1, "TOWEL": 1}, state="waiting", gates=[*IN_WINDOW, "payment"])
    stage.wait(minutes=5)
    assert "orderediting:reversed" in order.tags
    towel = next(line for line in order.line_items if line.sku == "TOWEL")
    assert (towel.quantity, towel.current_quantity) == (1, 0)
    stage.check(order, wants={"MUG-BLU": 1}, received=[created("1001-1", {"MUG-BLU": 1})], state="in_warehouse")
    stage.wait(hours=1)
    assert stage.received(order) == [created("1001-1", {"MUG-BLU": 1})]
    assert stage.ever(order) == []


@pytest.mark.parametrize("why", ["pending-transaction", "return-open", "payment-terms", "manual-gateway"])
def test_row_03_add_product_unpaid_reversal_skipped(why: str) -> None:
    stage = Stage(shop_knobs=ShopifyKnobs(added_line_joins=0.0))
    order = stage.order({"MUG-BLU": 1}, gateway="manual" if why == "manual-gateway" else "shopify_payments")
    stage.wait(minutes=8)
    stage.world.editing.edit(order, add_lines=[stage.spec("TOWEL")])
    if why == "pending-transaction":
        stage.world.shop.begin_pending_payment(order)
    elif why == "payment-terms":
        order.payment_terms = True
    elif why == "return-open":
        stage.world.shop.request_return(order, {})
    both = {"MUG-BLU": 1, "TOWEL": 1}
    stage.wait(minutes=25)
    assert "orderediting:reversed" not in order.tags
    stage.check(order, wants=both, state="waiting", gates=["payment"])
    stage.wait(minutes=20)
    stage.check(order, wants=both, exceptions=[("EDIT_UNPAID", "cx")], state="waiting", gates=["payment"])
    stage.wait(hours=6)
    assert stage.received(order) == []
    # A person decides.
    stage.approve(order)
    sent = [created("1001-1", {"MUG-BLU": 1}), created("1001-2", {"TOWEL": 1})]
    stage.check(order, wants=both, received=sent, state="in_warehouse")
    assert stage.ever(order) == ["EDIT_UNPAID"]


def test_row_04_add_on_authorised_order_then_capture() -> None:
    stage = Stage(shop_knobs=ShopifyKnobs(added_line_joins=1.0), editing={"reverse_unpaid": False})
    order = stage.order({"MUG-BLU": 1}, financial_status="AUTHORIZED")
    stage.wait(minutes=8)
    stage.world.editing.edit(order, add_lines=[stage.spec("TOWEL")])
    stage.wait(minutes=27)
    both = {"MUG-BLU": 1, "TOWEL": 1}
    assert stage.payment(order) == "PARTIALLY_PAID"
    stage.check(order, wants=both, state="waiting", gates=["payment"])
    stage.wait(hours=2)
    stage.check(order, wants=both, exceptions=[("EDIT_UNPAID", "cx")], state="waiting", gates=["payment"])
    stage.world.editing.pay_invoice(order)
    stage.wait(minutes=1)
    assert stage.payment(order) == "PAID"
    stage.check(order, wants=both, received=[created("1001-1", both)], state="in_warehouse")


@EMPTY_LINES
def test_row_05_remove_one_of_two_lines(vanishes: float) -> None:
    stage = Stage(shop_knobs=ShopifyKnobs(empty_line_vanishes=vanishes))
    order = stage.order({"MUG-BLU": 1, "TOWEL": 1})
    stage.wait(minutes=8)
    stage.world.editing.edit(order, set_quantities={stage.line(order, "TOWEL").id: 0})
    stage.wait(minutes=1)
    stage.check(order, wants={"MUG-BLU": 1}, state="waiting", gates=IN_WINDOW)
    stage.wait(minutes=25)
    assert {"orderediting:product_removed", "orderediting:downsized"} <= set(order.tags)
    stage.check(order, wants={"MUG-BLU": 1}, received=[created("1001-1", {"MUG-BLU": 1})], state="in_warehouse")


@pytest.mark.parametrize("how", ["edited", "cancelled"])
@pytest.mark.parametrize("when", ["in-window", "after-release"])
def test_row_06_remove_every_line(how: str, when: str) -> None:
    stage = Stage()
    order = stage.order({"MUG-BLU": 1, "TOWEL": 2})
    stage.wait(minutes=8)
    first = []
    if when == "after-release":
        stage.wait_for_release()
        first = [created("1001-1", {"MUG-BLU": 1, "TOWEL": 2})]
        assert stage.received(order) == first
    if how == "cancelled":
        stage.world.shop.cancel_order(order)
    else:
        stage.world.shop.edit_order(order, set_quantities={line.id: 0 for line in order.line_items})
    stage.wait(minutes=2)
    assert [(m.kind, m.reference) for m in stage.received(order)[len(first) :]] == (
        [("cancelled", "1001-1")] if first else []
    )
    stage.wait(hours=2)
    assert len(stage.received(order)) == 2 * len(first)
    assert stage.state(order) == "cancelled"
    assert stage.exceptions(order) == []


@EMPTY_LINES
def test_row_07_quantity_three_to_one(vanishes: float) -> None:
    stage = Stage(shop_knobs=ShopifyKnobs(empty_line_vanishes=vanishes))
    order = stage.order({"MUG-BLU": 3})
    stage.wait(minutes=8)
    line = stage.line(order, "MUG-BLU")
    stage.world.editing.edit(order, set_quantities={line.id: 1})
    assert (line.quantity, line.current_quantity) == (3, 1)
    stage.wait(minutes=25)
    assert "orderediting:quantity" in order.tags
    stage.check(order, wants={"MUG-BLU": 1}, received=[created("1001-1", {"MUG-BLU": 1})], state="in_warehouse")


@ADDED_LINES
@RAISED_LINES
def test_row_08_quantity_one_to_three(joins: float, as_new_line: float) -> None:
    stage = Stage(shop_knobs=ShopifyKnobs(added_line_joins=joins, increase_as_new_line=as_new_line))
    order = stage.order({"MUG-BLU": 1})
    stage.wait(minutes=8)
    stage.world.editing.edit(order, set_quantities={stage.line(order, "MUG-BLU").id: 3}, pay_now=True)
    assert len(order.line_items) == (2 if as_new_line else 1)
    stage.wait(minutes=25)
    one = [created("1001-1", {"MUG-BLU": 3})]
    two = [created("1001-1", {"MUG-BLU": 1}), created("1001-2", {"MUG-BLU": 2})]
    stage.check(order, wants={"MUG-BLU": 3}, received=one if joins else two, state="in_warehouse")


@ADDED_LINES
def test_row_09_swap_variant_same_price(joins: float) -> None:
    stage = Stage(shop_knobs=ShopifyKnobs(added_line_joins=joins))
    order = stage.order({"MUG-BLU": 1})
    stage.wait(minutes=8)
    old = stage.line(order, "MUG-BLU")
    stage.world.editing.swap(order, old.id, stage.variants["MUG-RED"])
    assert (old.quantity, old.current_quantity) == (1, 0)
    stage.wait(minutes=1)
    stage.check(order, wants={"MUG-RED": 1}, state="waiting", gates=IN_WINDOW)
    stage.wait(minutes=25)
    assert "orderediting:variant" in order.tags
    stage.check(order, wants={"MUG-RED": 1}, received=[created("1001-1", {"MUG-RED": 1})], state="in_warehouse")


@ADDED_LINES
@RAISED_LINES
def test_row_10_swap_to_dearer_variant_unpaid(joins: float, as_new_line: float) -> None:
    stage = Stage(shop_knobs=ShopifyKnobs(added_line_joins=joins, increase_as_new_line=as_new_line))
    order = stage.order({"POT-S": 1})
    stage.wait(minutes=8)
    stage.world.editing.swap(order, stage.line(order, "POT-S").id, stage.variants["POT-L"])
    stage.wait(minutes=20)
    stage.check(order, wants={"POT-L": 1}, state="waiting", gates=[*IN_WINDOW, "payment"])
    stage.wait(minutes=5)
    assert "orderediting:reversed" in order.tags
    stage.check(order, wants={"POT-S": 1}, received=[created("1001-1", {"POT-S": 1})], state="in_warehouse")


@pytest.mark.parametrize("refund", ["at-once", "later", "store-credit"])
def test_row_11_swap_to_cheaper_variant(refund: str) -> None:
    stage = Stage()
    order = stage.order({"POT-L": 1})
    stage.wait(minutes=8)
    stage.world.editing.swap(order, stage.line(order, "POT-L").id, stage.variants["POT-S"])
    if refund == "at-once":
        stage.world.shop.refund(order, amount="12.00")
    stage.wait(minutes=25)
    assert "orderediting:downsized" in order.tags
    once = [created("1001-1", {"POT-S": 1})]
    stage.check(order, wants={"POT-S": 1}, received=once, state="in_warehouse")
    if refund == "later":
        stage.world.shop.refund(order, amount="12.00")
    stage.wait(hours=1)
    stage.check(order, wants={"POT-S": 1}, received=once, state="in_warehouse")  # money alone is no message


def test_row_12_replace_with_a_different_product() -> None:
    stage = Stage()
    order = stage.order({"TEA-80": 2})
    stage.wait(minutes=8)
    stage.world.editing.edit(
        order,
        set_quantities={stage.line(order, "TEA-80").id: 0},
        add_lines=[stage.spec("BISCUIT", 1)],
        pay_now=True,
    )
    stage.wait(minutes=1)
    stage.check(order, wants={"BISCUIT": 1}, state="waiting", gates=IN_WINDOW)
    stage.wait(minutes=25)
    stage.check(order, wants={"BISCUIT": 1}, received=[created("1001-1", {"BISCUIT": 1})], state="in_warehouse")


def test_row_13_same_sku_on_two_lines() -> None:
    stage = Stage()
    gift = stage.spec("MUG-BLU", 1, price="0.00", attributes={"Gift message": "For you"})
    order = stage.order(specs=[gift, stage.spec("MUG-BLU", 2)])
    stage.wait(minutes=8)
    free, paid = order.line_items
    stage.world.editing.edit(order, set_quantities={paid.id: 1})
    stage.wait(minutes=25)
    sent = [created("1001-1", {"MUG-BLU": 2})]
    stage.check(order, wants={"MUG-BLU": 2}, received=sent, state="in_warehouse")
    (message,) = stage.received(order)
    numbers = sorted(line.id.rpartition("/")[2] for line in (free, paid))
    assert message.by_line == [(number, "MUG-BLU", 1) for number in numbers]


@pytest.mark.parametrize("kind", ["gift-card", "digital"])
def test_row_14_gift_card_or_digital_item_added(kind: str) -> None:
    stage = Stage()
    extra = stage.add_product("EXTRA", requires_shipping=False, is_gift_card=kind == "gift-card", in_warehouse=False)
    order = stage.order({"MUG-BLU": 1})
    stage.wait(minutes=8)
    stage.world.editing.edit(order, add_lines=[LineSpec(variant=extra)], pay_now=True)
    stage.wait(minutes=25)
    sent = [created("1001-1", {"MUG-BLU": 1})]
    stage.check(order, wants={"MUG-BLU": 1, "EXTRA": 1}, received=sent, state="in_warehouse")


@pytest.mark.parametrize("kind", ["tip", "fee", "shipping-protection"])
def test_row_15_tip_fee_or_protection_added(kind: str) -> None:
    stage = Stage()
    order = stage.order({"MUG-BLU": 1})
    stage.wait(minutes=8)
    spec = LineSpec(title=kind, price="2.50", tip=kind == "tip", requires_shipping=False)
    stage.world.editing.edit(order, add_lines=[spec], pay_now=True)
    stage.wait(minutes=25)
    sent = [created("1001-1", {"MUG-BLU": 1})]
    stage.check(order, wants={"MUG-BLU": 1, kind: 1}, received=sent, state="in_warehouse")


@ADDED_LINES
def test_row_16_free_gift_added_by_another_app(joins: float) -> None:
    stage = Stage(shop_knobs=ShopifyKnobs(added_line_joins=joins))
    gifts = stage.world.shop.add_app("Free Gifts")
    order = stage.order({"MUG-BLU": 2})
    stage.wait(minutes=29)
    stage.world.editing.edit(order, set_quantities={stage.line(order, "MUG-BLU").id: 3}, pay_now=True)
    stage.wait(minutes=2.05)  # just past window and guard: the other app reacts to the edit late
    stage.world.shop.edit_order(order, add_lines=[stage.spec("BISCUIT", 1, price="0.00")], app=gifts)
    stage.wait(minutes=3)
    wants = {"MUG-BLU": 3, "BISCUIT": 1}
    assert stage.wanted(order) == wants
    assert goods_in(stage, order) == wants
    assert stage.exceptions(order) == []
    assert stage.state(order) == "in_warehouse"


def test_row_17_several_quick_edits() -> None:
    stage = Stage()
    order = stage.order({"MUG-BLU": 1, "TOWEL": 1})
    stage.wait(minutes=20)
    for sku, other in [("MUG-BLU", "MUG-RED"), ("MUG-RED", "MUG-BLU"), ("MUG-BLU", "MUG-RED")]:
        stage.world.editing.swap(order, stage.line(order, sku).id, stage.variants[other])
        stage.wait(seconds=30)
    for units in (3, 2):
        stage.world.editing.edit(order, set_quantities={stage.line(order, "TOWEL").id: units}, pay_now=units == 3)
        stage.wait(seconds=30)
    assert stage.received(order) == []
    stage.wait(minutes=12)
    wants = {"MUG-RED": 1, "TOWEL": 2}
    assert stage.wanted(order) == wants
    assert goods_in(stage, order) == wants
    assert {message.kind for message in stage.received(order)} == {"created"}
    assert stage.ever(order) == []
    assert stage.state(order) == "in_warehouse"


def goods_in(stage: Stage, order: Order) -> dict[str, int]:
    """What the warehouse would send for an order now, over all its live goods-outs."""
    units: dict[str, int] = {}
    for goods_out in stage.goods_outs(order):
        if goods_out.status not in ("CANCELLED", "COMPLETED"):
            for line in stage.world.warehouse.content(goods_out.id)["lines"]:
                units[line["product_code"]] = units.get(line["product_code"], 0) + int(line["quantity"])
    return units
