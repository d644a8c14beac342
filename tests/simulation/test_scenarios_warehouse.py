"""Rows 44-47: parts that have left, other warehouses, replaced fulfilment orders, and a warehouse that says no."""

from __future__ import annotations

import pytest

from pickgate.simulation.world import number
from pickgate.twins.clarus import ClarusKnobs
from simulation.messages import FREE, KEPT, LIFTED, TAKEN, cancelled, created
from simulation.stage import Stage
from simulation.variants import STRATEGIES

MUG, BOTH = {"MUG-BLU": 1}, {"MUG-BLU": 1, "TOWEL": 1}


@pytest.mark.parametrize("edit", ["remove-the-rest", "lower-the-rest"])
def test_row_44_edit_of_the_open_rest_after_a_part_left(edit: str) -> None:
    stage = Stage()
    units = {"MUG-BLU": 1, "TOWEL": 3}
    order = stage.order(units)
    stage.wait_for_release()
    stage.sent(order, units=MUG)
    first = created("1001-1", units)
    assert stage.told(order) == [(MUG, ("PK1",))]
    stage.check(order, wants=units, received=[first], lock=TAKEN, state="part_despatched")
    left = 0 if edit == "remove-the-rest" else 1
    stage.world.shop.edit_order(order, set_quantities={stage.line(order, "TOWEL").id: left}, staff="Sam")
    stage.wait(minutes=2)
    wants = MUG if edit == "remove-the-rest" else BOTH
    # The rest lies picked in the warehouse: a person takes it out, or lets it go.
    late = [("LATE_EDIT", "cx")]
    assert stage.wanted(order) == wants
    assert stage.received(order) == [first]
    assert stage.exceptions(order) == late
    assert stage.told(order) == [(MUG, ("PK1",))]


def test_row_44_edit_of_a_rest_that_has_not_begun() -> None:
    """One fulfilment order has left; the other has not begun, and follows like any other."""
    stage = Stage()
    order = stage.order(
        specs=[
            stage.spec("MUG-BLU", 1, location=stage.world.main),
            stage.spec("TOWEL", 2, location=stage.world.north),
        ]
    )
    stage.wait_for_release()
    first = [created("1001-1", MUG), created("1001-2", {"TOWEL": 2})]
    assert stage.received(order) == first
    (mug, _) = stage.goods_outs(order)
    stage.world.warehouse.process_picks(mug.id)
    stage.world.warehouse.finish_picking(mug.id)
    stage.world.warehouse.pack(mug.id)
    stage.world.warehouse.dispatch(mug.id, tracking=["PK1"])
    stage.wait(minutes=3)
    stage.world.shop.edit_order(order, set_quantities={stage.line(order, "TOWEL").id: 1}, staff="Sam")
    stage.wait(minutes=2)
    received = [*first, cancelled("1001-2"), created("1001-3", {"TOWEL": 1})]
    assert stage.received(order) == received
    assert stage.told(order) == [(MUG, ("PK1",))]
    assert stage.state(order) == "part_despatched"
    assert stage.ever(order) == []


@pytest.mark.parametrize("picking", [False, True], ids=["not-begun", "picking"])
def test_row_45_added_item_is_stocked_elsewhere(picking: bool) -> None:
    stage = Stage()
    order = stage.order(MUG)
    stage.wait_for_release()
    first = created("1001-1", MUG)
    if picking:
        stage.picker_starts(order)
    elsewhere = stage.spec("TOWEL", location=stage.world.north)
    stage.world.shop.edit_order(order, add_lines=[elsewhere], staff="Sam")
    stage.world.shop.pay_outstanding(order)
    stage.wait(minutes=2)
    second = created("1001-2", {"TOWEL": 1})
    stage.check(
        order,
        wants=BOTH,
        received=[first, second],
        lock=TAKEN if picking else FREE,
        state="picking" if picking else "in_warehouse",
    )
    assert [message.warehouse for message in stage.received(order)] == ["MAIN", "NORTH"]


@pytest.mark.parametrize("when", ["not-begun", "picking"])
@pytest.mark.parametrize("change", ["split", "split-and-merged"])
def test_row_46_fulfilment_order_split_or_merged(when: str, change: str) -> None:
    stage = Stage(shop={"lock": {"report_progress": False}})  # progress would forbid the split
    order = stage.order(BOTH)
    stage.wait_for_release()
    if when == "picking":
        stage.picker_starts(order)
    (share,) = order.fulfillment_orders
    rest = stage.world.shop.split_fulfillment_order(share, [(share.line_items[0], 1)])
    stage.wait(minutes=2)
    if change == "split-and-merged":
        merged = stage.world.shop.merge_fulfillment_orders([share, rest])
        assert merged.id not in (share.id, rest.id)
        stage.wait(minutes=2)
    same = [created("1001-1", BOTH)]
    stage.wait(hours=1)
    assert stage.received(order) == same
    assert stage.ever(order) == []
    stage.sent(order)
    assert stage.received(order) == same
    units = [units for units, _ in stage.told(order)]
    assert {sku: count for part in units for sku, count in part.items()} == BOTH
    assert stage.state(order) == "despatched"


@STRATEGIES
def test_row_47_warehouse_cannot_amend(strategy: str) -> None:
    """A tenant that takes no change at all once stock is allocated: the document is replaced, or a person decides."""
    knobs = ClarusKnobs(amendable={"DRAFT": frozenset(), "PENDING": frozenset()})
    stage = Stage(clarus={"edit_strategy": strategy}, warehouse_knobs=knobs)
    order = stage.order({"MUG-BLU": 2})
    stage.wait_for_release()
    first = created("1001-1", {"MUG-BLU": 2})
    stage.world.shop.edit_order(order, set_quantities={stage.line(order, "MUG-BLU").id: 1}, staff="Sam")
    stage.wait(minutes=3)
    replaced = [first, cancelled("1001-1"), created("1001-2", MUG)]
    stage.check(order, wants=MUG, received=replaced, state="in_warehouse")


def test_row_47_warehouse_is_in_a_status_nobody_knows() -> None:
    """Batched, locked, something new: a code that is not known counts as work that has begun."""
    stage = Stage()
    order = stage.order({"MUG-BLU": 2})
    stage.wait_for_release()
    stage.world.warehouse.set_status(stage.goods_out(order).id, "BATCHED")
    stage.wait(minutes=2)
    first = created("1001-1", {"MUG-BLU": 2})
    stage.check(order, wants={"MUG-BLU": 2}, received=[first], lock=TAKEN, state="picking")
    stage.world.shop.edit_order(order, set_quantities={stage.line(order, "MUG-BLU").id: 1}, staff="Sam")
    stage.wait(minutes=2)
    late = [("LATE_EDIT", "cx")]
    stage.check(order, wants=MUG, received=[first], lock=TAKEN, exceptions=late, state="picking")
    # It comes back to a status in which it may be taken back: then it follows by itself.
    stage.world.warehouse.set_status(stage.goods_out(order).id, "PENDING")
    stage.wait(minutes=2)
    received = [first, cancelled("1001-1"), created("1001-2", MUG)]
    stage.check(order, wants=MUG, received=received, lock=LIFTED, state="in_warehouse")


def test_row_47_recall_refused_because_picking_began_a_moment_ago() -> None:
    """The edit and the first pick meet: the warehouse refuses the recall, and the order has an owner."""
    stage = Stage(warehouse_knobs=ClarusKnobs(cancel_while_picking="refuse"))
    order = stage.order({"MUG-BLU": 2})
    stage.wait_for_release()
    goods_out = stage.allocate(order)
    stage.wait(minutes=2)
    stage.world.shop.edit_order(order, set_quantities={stage.line(order, "MUG-BLU").id: 1}, staff="Sam")
    stage.world.warehouse.start_pick(goods_out.id)
    stage.world.warehouse.pick(goods_out.lines[0].id, 1)
    stage.wait(minutes=2)
    first = created("1001-1", {"MUG-BLU": 2})
    late = [("LATE_EDIT", "cx")]
    stage.check(order, wants=MUG, received=[first], lock=TAKEN, exceptions=late, state="picking")


@pytest.mark.parametrize("how", ["cancelled-and-replaced", "moved"])
def test_external_id_mapping_broken_and_found_by_line(how: str) -> None:
    """The fulfilment order that the goods-out names is gone; its goods are found by their lines, and told once."""
    stage = Stage(shop={"lock": {"report_progress": False}})
    order = stage.order(BOTH)
    stage.wait_for_release()
    (share,) = order.fulfillment_orders
    (message,) = stage.received(order)
    assert message.attributes["external_system_reference2"] == number(share.id)
    stage.picker_starts(order)
    if how == "cancelled-and-replaced":
        stage.world.shop.cancel_fulfillment_order(share)
    else:  # there and back again
        part = share.line_items[0]
        moved = stage.world.shop.move_fulfillment_order(share, stage.world.north, [(part, 1)])
        stage.world.shop.move_fulfillment_order(moved, stage.world.main)
    stage.sent(order)
    assert share.status == ("CLOSED" if how == "cancelled-and-replaced" else share.status)
    assert stage.received(order) == [message]
    told: dict[str, int] = {}
    for units, _ in stage.told(order):
        for sku, count in units.items():
            told[sku] = told.get(sku, 0) + count
    assert told == BOTH
    assert stage.exceptions(order) == []
    assert stage.state(order) == "despatched"
    assert stage.locked(order) == KEPT
