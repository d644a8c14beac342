"""Rows 48-54: kinds of orders. Pre-orders, bundles, terms, exchanges, the till, marketplaces."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pickgate.twins.shopify import ShopifyKnobs
from simulation.messages import FREE, KEPT, created
from simulation.stage import Stage
from simulation.variants import ADDED_LINES

MUG = {"MUG-BLU": 1}
FIRST = created("1001-1", MUG)


@ADDED_LINES
def test_row_48_pre_order_editable_for_weeks(joins: float) -> None:
    stage = Stage(clarus={"poll_open_orders_every": "6h"}, shop_knobs=ShopifyKnobs(added_line_joins=joins))
    opens_at = stage.now + timedelta(days=8)
    order = stage.order({"MUG-BLU": 2, "TOWEL": 1}, fulfill_at=opens_at)
    stage.wait(minutes=1)
    stage.world.editing.extend(order, opens_at - timedelta(hours=1))
    stage.wait(hours=60)
    gates = ["cutoff", "hold_tag", "scheduled"]
    stage.check(order, wants={"MUG-BLU": 2, "TOWEL": 1}, state="waiting", gates=gates)
    stage.world.editing.edit(order, set_quantities={stage.line(order, "TOWEL").id: 0})
    stage.wait(hours=60)
    stage.world.editing.swap(order, stage.line(order, "MUG-BLU").id, stage.variants["MUG-RED"])
    stage.wait(hours=60)
    wants = {"MUG-RED": 2}
    stage.check(order, wants=wants, state="waiting", gates=gates)
    stage.wait(hours=12.1)
    stage.check(order, wants=wants, received=[created("1001-1", wants)], state="in_warehouse")
    assert stage.ever(order) == []  # no hold is stuck before the date that everybody waits for


def test_row_49_native_bundle() -> None:
    """The shop sells the bundle as its components; only the whole bundle's quantity can be edited."""
    stage = Stage()
    parts = ((stage.variants["MUG-BLU"], 1), (stage.variants["TEA-80"], 2))
    stage.add_product("BOX", bundle_of=parts, price="20.00", in_warehouse=False)
    order = stage.order({"BOX": 2})
    stage.wait(minutes=8)
    assert stage.wanted(order) == {"MUG-BLU": 2, "TEA-80": 4}
    fewer = {stage.line(order, "MUG-BLU").id: 1, stage.line(order, "TEA-80").id: 2}
    stage.world.editing.edit(order, set_quantities=fewer)
    stage.wait(minutes=25)
    wants = {"MUG-BLU": 1, "TEA-80": 2}
    stage.check(order, wants=wants, received=[created("1001-1", wants)], state="in_warehouse")


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1)], ids=["raised", "lowered"])
def test_row_49_bundle_by_the_rulebook(before: int, after: int) -> None:
    """One line in the shop, components in the warehouse: components × the new quantity, and told back in bundles."""
    bundles = [("", "BOX", "MUG-BLU", "1"), ("", "BOX", "TEA-80", "2")]
    stage = Stage(tables={"bundles": bundles}, shop_knobs=ShopifyKnobs(added_line_joins=1.0))
    stage.add_product("BOX", price="20.00", in_warehouse=False)
    order = stage.order({"BOX": before})
    stage.wait(minutes=8)
    stage.world.editing.edit(order, set_quantities={stage.line(order, "BOX").id: after}, pay_now=after > before)
    stage.wait(minutes=25)
    sent = [created("1001-1", {"MUG-BLU": after, "TEA-80": 2 * after})]
    stage.check(order, wants={"BOX": after}, received=sent, state="in_warehouse")
    stage.sent(order)
    assert stage.told(order) == [({"BOX": after}, ("PK1",))]
    stage.check(order, wants={"BOX": after}, received=sent, lock=KEPT, state="despatched")


IGNORE_BOX = {"skus": [("", "BOX", "", "", "yes")]}


@pytest.mark.parametrize("parent", ["kept", "removed"])
@ADDED_LINES
def test_row_50_bundle_expanded_by_an_order_edit(parent: str, joins: float) -> None:
    stage = Stage(tables=IGNORE_BOX, shop_knobs=ShopifyKnobs(added_line_joins=joins))
    stage.add_product("BOX", price="20.00", in_warehouse=False)
    bundler = stage.world.shop.add_app("Bundle Kit")
    order = stage.order({"BOX": 1, "TOWEL": 1})
    components = [stage.spec("MUG-BLU", 1, price="0.00"), stage.spec("TEA-80", 2, price="0.00")]
    taken_off = {stage.line(order, "BOX").id: 0} if parent == "removed" else {}
    stage.wait(seconds=10)
    stage.world.shop.edit_order(order, add_lines=components, set_quantities=taken_off, app=bundler)
    stage.wait(minutes=33)
    goods: dict[str, int] = {}
    for message in stage.received(order):
        assert message.kind == "created"
        for code, units in message.lines:
            goods[code] = goods.get(code, 0) + units
    assert goods == {"MUG-BLU": 1, "TEA-80": 2, "TOWEL": 1}
    assert stage.ever(order) == []
    assert stage.state(order) == "in_warehouse"


def test_row_50_bundle_expanded_by_an_associated_order() -> None:
    stage = Stage(tables=IGNORE_BOX)
    stage.add_product("BOX", price="20.00", in_warehouse=False)
    bundler = stage.world.shop.add_app("Bundle Kit")
    parent = stage.order({"BOX": 1})
    stage.wait(seconds=10)
    components = stage.order(
        {"MUG-BLU": 1, "TEA-80": 2}, customer=parent.customer, app=bundler, note=f"Components of {parent.name}"
    )
    stage.wait(minutes=33)
    stage.check(parent, wants={"BOX": 1}, state="ignored")
    wants = {"MUG-BLU": 1, "TEA-80": 2}
    stage.check(components, wants=wants, received=[created("1002-1", wants)], state="in_warehouse")
    assert stage.ever(parent) == stage.ever(components) == []


@pytest.mark.parametrize("edited", [False, True], ids=["as-placed", "edited"])
def test_row_51_draft_order_on_terms(edited: bool) -> None:
    """`payment_states` names PENDING for a shop that sells on terms. An edit that is owed still waits for somebody."""
    stage = Stage(
        shop={"window": {"payment_states": ["PAID", "PENDING"]}}, shop_knobs=ShopifyKnobs(added_line_joins=1.0)
    )
    drafts = stage.world.shop.add_app("Draft Orders")
    order = stage.order(MUG, financial_status="PENDING", payment_terms=True, app=drafts, source_name="draft")
    stage.wait(minutes=8)
    both = {"MUG-BLU": 1, "TOWEL": 1}
    if not edited:
        stage.wait(minutes=25)
        stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
        return
    stage.world.shop.edit_order(order, add_lines=[stage.spec("TOWEL")], staff="Sam")
    stage.wait(minutes=60)
    unpaid = [("EDIT_UNPAID", "cx")]
    stage.check(order, wants=both, exceptions=unpaid, state="waiting", gates=["outstanding"])
    stage.approve(order)
    stage.check(order, wants=both, received=[created("1001-1", both)], state="in_warehouse")


@pytest.mark.parametrize("dearer", [False, True], ids=["even-exchange", "dearer-exchange"])
def test_row_52_native_exchange(dearer: bool) -> None:
    stage = Stage()
    order = stage.order({"MUG-BLU": 1, "TOWEL": 1})
    stage.wait_for_release()
    first = created("1001-1", {"MUG-BLU": 1, "TOWEL": 1})
    stage.sent(order)
    stage.check(order, wants={"MUG-BLU": 1, "TOWEL": 1}, received=[first], lock=KEPT, state="despatched")
    new = "POT-S" if dearer else "MUG-RED"
    back = stage.world.shop.start_return(order, {stage.line(order, "MUG-BLU").id: 1}, exchange=[stage.spec(new)])
    wants = {"TOWEL": 1, new: 1}
    stage.wait(hours=2)
    gates = ["payment", "shop_hold"] if dearer else ["shop_hold"]
    stage.check(order, wants=wants, received=[first], lock=KEPT, state="part_despatched", gates=gates)
    stage.world.shop.close_return(back)
    (share,) = stage.open_fulfilment_orders(order)
    stage.world.shop.release_hold(share)
    stage.wait(minutes=2)
    if dearer:
        stage.check(order, wants=wants, received=[first], lock=KEPT, state="part_despatched", gates=["payment"])
        stage.world.shop.pay_outstanding(order)
        stage.wait(minutes=2)
    received = [first, created("1001-2", {new: 1})]
    assert stage.received(order) == received
    stage.sent(order, tracking="PK2")
    assert stage.told(order) == [({"MUG-BLU": 1, "TOWEL": 1}, ("PK1",)), ({new: 1}, ("PK2",))]
    stage.check(order, wants=wants, received=received, lock=KEPT, state="despatched")
    assert stage.ever(order) == []


@pytest.mark.parametrize("method", ["RETAIL", "PICK_UP", "LOCAL"])
def test_row_53_till_pickup_and_local_delivery(method: str) -> None:
    stage = Stage()
    order = stage.order({"MUG-BLU": 2}, delivery_method=method)
    stage.wait(minutes=8)
    stage.world.shop.edit_order(order, set_quantities={stage.line(order, "MUG-BLU").id: 1}, staff="Sam")
    stage.world.shop.move_fulfillment_order(order.fulfillment_orders[0], stage.world.north)
    stage.wait(hours=2)
    stage.check(order, wants=MUG, lock=FREE, state="ignored")
    assert stage.ever(order) == []


def test_row_54_marketplace_order_authorised() -> None:
    """It cannot be edited until it is captured, and goes through the same gate as any other."""
    stage = Stage(editing={"capture": False})
    channel = stage.world.shop.add_app("Marketplace Connect")
    order = stage.order(MUG, financial_status="AUTHORIZED", app=channel, source_name="marketplace")
    stage.wait(hours=3)
    stage.check(order, wants=MUG, state="waiting", gates=["payment"])
    stage.world.shop.capture(order)
    stage.wait(minutes=1)
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
