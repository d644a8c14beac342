"""Rows 41-43: edits after the release. Before work begins the warehouse follows; afterwards a person decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pickgate.twins.clarus import ClarusKnobs
from pickgate.twins.shopify import Order, ShopifyKnobs
from simulation.messages import TAKEN, amended, cancelled, created
from simulation.stage import Stage
from simulation.variants import ADDED_LINES, RAISED_LINES, STRATEGIES

MUG, BOTH = {"MUG-BLU": 1}, {"MUG-BLU": 1, "TOWEL": 1}


@STRATEGIES
@pytest.mark.parametrize("status", ["PENDING", "ALLOCATED"])
@pytest.mark.parametrize("kind", ["remove", "lower"])
def test_row_41_staff_edit_not_picked(strategy: str, status: str, kind: str) -> None:
    stage = Stage(clarus={"edit_strategy": strategy})
    units = {"MUG-BLU": 1, "TOWEL": 2}
    order = stage.order(units)
    stage.wait_for_release()
    if status == "ALLOCATED":
        stage.allocate(order)
        stage.wait(minutes=2)
    first = created("1001-1", units)
    stage.check(order, wants=units, received=[first], state="in_warehouse")
    after = MUG if kind == "remove" else BOTH
    left = after.get("TOWEL", 0)
    stage.world.shop.edit_order(order, set_quantities={stage.line(order, "TOWEL").id: left}, staff="Sam")
    stage.world.editing.note_staff_edit(order)
    stage.wait(minutes=2)
    if strategy == "amend" and status == "PENDING":
        received = [first, amended("1001-1", after)]
    else:  # lines are not amended any more once stock is allocated
        received = [first, cancelled("1001-1"), created("1001-2", after)]
    stage.check(order, wants=after, received=received, state="in_warehouse")
    assert stage.ever(order) == []
    stage.sent(order)
    assert stage.told(order) == [(after, ("PK1",))]
    assert stage.state(order) == "despatched"


@STRATEGIES
@ADDED_LINES
def test_row_41_staff_addition_not_picked(strategy: str, joins: float) -> None:
    stage = Stage(clarus={"edit_strategy": strategy}, shop_knobs=ShopifyKnobs(added_line_joins=joins))
    order = stage.order(MUG)
    stage.wait_for_release()
    first = created("1001-1", MUG)
    stage.world.shop.edit_order(order, add_lines=[stage.spec("TOWEL")], staff="Sam")
    stage.wait(minutes=2)
    # Nobody has paid for it yet. An amendment waits for nothing; a recall and a new document wait for the money.
    stage.world.shop.pay_outstanding(order)
    stage.wait(minutes=2)
    if not joins:
        received = [first, created("1001-2", {"TOWEL": 1})]
    elif strategy == "amend":
        received = [first, amended("1001-1", BOTH)]
    else:
        received = [first, cancelled("1001-1"), created("1001-2", BOTH)]
    stage.check(order, wants=BOTH, received=received, state="in_warehouse")
    assert stage.ever(order) == []


@STRATEGIES
@ADDED_LINES
def test_row_41_staff_swap_not_picked(strategy: str, joins: float) -> None:
    """The new variant is in a fulfilment order of its own, or in the old one: never both variants in the warehouse."""
    stage = Stage(clarus={"edit_strategy": strategy}, shop_knobs=ShopifyKnobs(added_line_joins=joins))
    order = stage.order({"MUG-BLU": 1, "TOWEL": 1})
    stage.wait_for_release()
    old = stage.line(order, "MUG-BLU").id
    stage.world.shop.edit_order(order, set_quantities={old: 0}, add_lines=[stage.spec("MUG-RED")], staff="Sam")
    stage.wait(minutes=3)
    first, swapped = created("1001-1", BOTH), {"MUG-RED": 1, "TOWEL": 1}
    if joins and strategy == "amend":
        received = [first, amended("1001-1", swapped)]
    elif joins:
        received = [first, cancelled("1001-1"), created("1001-2", swapped)]
    elif strategy == "amend":
        received = [first, amended("1001-1", {"TOWEL": 1}), created("1001-2", {"MUG-RED": 1})]
    else:
        both = [created("1001-2", {"TOWEL": 1}), created("1001-3", {"MUG-RED": 1})]
        received = [first, cancelled("1001-1"), *both]
    stage.check(order, wants=swapped, received=received, state="in_warehouse")
    assert live_units(stage, order) == swapped
    assert stage.ever(order) == []


@pytest.mark.parametrize("begins_at", ["first_unit_picked", "first_task_started"])
@pytest.mark.parametrize("kind", ["remove", "lower", "swap"])
def test_row_42_staff_edit_while_picking(begins_at: str, kind: str) -> None:
    knobs = ClarusKnobs(
        pick_begins_at="first_unit_picked" if begins_at == "first_unit_picked" else "first_task_started"
    )
    stage = Stage(warehouse_knobs=knobs, shop_knobs=ShopifyKnobs(added_line_joins=0.0))
    units = {"MUG-BLU": 1, "TOWEL": 2}
    order = stage.order(units)
    stage.wait_for_release()
    first = created("1001-1", units)
    stage.picker_starts(order)
    stage.check(order, wants=units, received=[first], lock=TAKEN, state="picking")
    add = [stage.spec("TEA-80", 2)] if kind == "swap" else []
    left = {stage.line(order, "TOWEL").id: 1 if kind == "lower" else 0}
    stage.world.shop.edit_order(order, set_quantities=left, add_lines=add, staff="Sam")
    stage.wait(minutes=2)
    wants = {"remove": MUG, "lower": BOTH, "swap": {"MUG-BLU": 1, "TEA-80": 2}}[kind]
    late = [("LATE_EDIT", "cx")] * (2 if kind == "swap" else 1)  # one for what is off, one for what is new
    gates = ["late_addition"] if kind == "swap" else []
    stage.check(order, wants=wants, received=[first], lock=TAKEN, exceptions=late, state="picking", gates=gates)
    item = next(i for i in stage.items(order) if i.code == "LATE_EDIT" and "reference" in i.detail)
    said = {
        "remove": "2 × Linen tea towel (TOWEL): no longer wanted.",
        "lower": "Linen tea towel (TOWEL): the warehouse has 2, the order now wants 1.",
        "swap": "2 × Linen tea towel (TOWEL): no longer wanted.",
    }[kind]
    assert said in item.detail["difference"]
    assert item.detail["status"] == "PICK"
    stage.wait(hours=2)
    assert stage.received(order) == [first]  # never a silent second order


@ADDED_LINES
@RAISED_LINES
@pytest.mark.parametrize("what", ["added", "raised"])
def test_row_42_addition_while_picking(joins: float, as_new_line: float, what: str) -> None:
    """What is added while the rest is being picked waits, owned; it goes when the first parcel has left."""
    stage = Stage(shop_knobs=ShopifyKnobs(added_line_joins=joins, increase_as_new_line=as_new_line))
    order = stage.order(MUG)
    stage.wait_for_release()
    stage.picker_starts(order)
    if what == "added":
        stage.world.shop.edit_order(order, add_lines=[stage.spec("TOWEL")], staff="Sam")
    else:
        stage.world.shop.edit_order(order, set_quantities={stage.line(order, "MUG-BLU").id: 2}, staff="Sam")
    stage.world.shop.pay_outstanding(order)
    stage.wait(minutes=2)
    wants, rest = (BOTH, {"TOWEL": 1}) if what == "added" else ({"MUG-BLU": 2}, MUG)
    first = created("1001-1", MUG)
    assert stage.wanted(order) == wants
    assert stage.received(order) == [first]
    assert set(stage.exceptions(order)) == {("LATE_EDIT", "cx")}
    stage.sent(order)
    assert stage.told(order) == [(MUG, ("PK1",))]
    stage.wait(minutes=5)
    assert stage.received(order) == [first, created("1001-2", rest)]
    assert stage.exceptions(order) == []
    stage.sent(order, tracking="PK2")
    assert stage.told(order) == [(MUG, ("PK1",)), (rest, ("PK2",))]
    assert stage.state(order) == "despatched"


def test_row_42_addition_released_by_an_operator_as_a_parcel_of_its_own() -> None:
    stage = Stage(shop_knobs=ShopifyKnobs(added_line_joins=0.0))
    order = stage.order(MUG)
    stage.wait_for_release()
    stage.picker_starts(order)
    stage.world.shop.edit_order(order, add_lines=[stage.spec("TOWEL", price="0.00")], staff="Sam")
    stage.wait(minutes=2)
    first = created("1001-1", MUG)
    late = [("LATE_EDIT", "cx")]
    gates = ["late_addition"]
    stage.check(order, wants=BOTH, received=[first], lock=TAKEN, exceptions=late, state="picking", gates=gates)
    stage.approve(order)
    received = [first, created("1001-2", {"TOWEL": 1})]
    stage.check(order, wants=BOTH, received=received, lock=TAKEN, state="picking")


def test_row_43_edit_between_our_read_and_our_send() -> None:
    """The edit commits at each moment of the look that releases; at rest the warehouse holds the last version alone."""
    sequences = set()
    for step in range(14):
        stage = Stage()
        order = stage.order({"MUG-BLU": 3})
        line_id = order.line_items[0].id
        stage.wait(minutes=30)

        def edit(stage: Stage = stage, order: Order = order, line_id: str = line_id) -> None:
            stage.world.shop.edit_order(order, set_quantities={line_id: 1}, staff="Sam")

        stage.world.at(order.created_at + timedelta(seconds=31 * 60 - 0.2 + 0.05 * step), edit)
        stage.wait(minutes=6)
        messages = stage.received(order)
        stage.check(order, wants=MUG, received=messages, state="in_warehouse")
        assert messages[-1].lines == (("MUG-BLU", 1),)
        assert live_units(stage, order) == MUG
        assert stage.ever(order) == []
        sequences.add(tuple(message.kind for message in messages))
    # Both sides of the race were played: in time, and a moment too late for the document that was being sent.
    assert sequences == {("created",), ("created", "cancelled", "created")}


def live_units(stage: Stage, order: Order) -> dict[str, int]:
    """What the warehouse would still send, over all its goods-outs of the order."""
    units: dict[str, int] = {}
    for goods_out in stage.goods_outs(order):
        if goods_out.status not in ("CANCELLED", "COMPLETED"):
            for line in stage.world.warehouse.content(goods_out.id)["lines"]:
                code = line["product_code"]
                units[code] = units.get(code, 0) + int(line["quantity"] - line["dispatched"])
    return units
