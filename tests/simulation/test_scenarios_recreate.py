"""Rows 55-61: apps that edit by making the order anew, merge orders, or duplicate them. Never two parcels for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import pytest

from pickgate.twins.clarus import ClarusKnobs
from pickgate.twins.shopify import LineSpec, Order
from simulation.messages import FREE, KEPT, TAKEN, Message, cancelled, created
from simulation.stage import Stage

MUG, RED = {"MUG-BLU": 1}, {"MUG-RED": 1}
FIRST = created("1001-1", MUG)
SUSPECTED = [("DUPLICATE_SUSPECTED", "ops")]
NO_WINDOW = {"edit_window": "0s", "guard": "0s", "min_age": "2m", "quiet": "5s", "hold_tags": []}

NEW_FIRST = pytest.mark.parametrize("new_first", [0.0, 1.0], ids=["cancelled-first", "created-first"])


def recreate(stage: Stage, order: Order, lines: Sequence[LineSpec], *, new_first: float = 0.0) -> Order:
    """The app replaces an order; returns the successor once both steps are done."""
    app = stage.world.recreating
    app.settings = replace(app.settings, new_first=new_first)
    app.recreate(order, lines)
    stage.wait(seconds=25)
    return stage.world.shop.get_order(app.successors[order.id])


def in_order_of_arrival(stage: Stage, *orders: Order) -> list[tuple[str, str]]:
    """(kind, reference) of everything that Clarus received for these orders, by time."""
    messages: list[Message] = [message for order in orders for message in stage.received(order)]
    return [(m.kind, m.reference) for m in sorted(messages, key=lambda m: m.at)]


@NEW_FIRST
def test_row_55_recreated_original_not_sent(new_first: float) -> None:
    stage = Stage()
    order = stage.order(MUG)
    stage.wait(minutes=8)
    successor = recreate(stage, order, [stage.spec("MUG-RED")], new_first=new_first)
    assert (successor.name, successor.tags[0]) == ("#1001A", "Edit Order")
    assert "Edit Order - Cancelled" in order.tags
    stage.wait(minutes=20)
    assert stage.received(successor) == []
    stage.wait(minutes=20)
    stage.check(order, wants={}, state="superseded")
    stage.check(successor, wants=RED, received=[created("1001A-1", RED)], state="in_warehouse")
    assert stage.ever(order) == stage.ever(successor) == []
    carried = {key: m.value for (_, key), m in successor.metafields.items() if key == "original"}
    assert "#1001" in carried["original"]


@NEW_FIRST
@pytest.mark.parametrize("status", ["PENDING", "ALLOCATED"])
@pytest.mark.parametrize("window", ["as-usual", "none"])
def test_row_56_recreated_original_already_sent(new_first: float, status: str, window: str) -> None:
    if window == "none":
        stage = Stage(shop={"window": NO_WINDOW}, editing={"holds": False, "writes_cutoff": False})
    else:
        stage = Stage()
    order = stage.order(MUG)
    stage.wait_for_release()
    if status == "ALLOCATED":
        stage.allocate(order)
        stage.wait(minutes=2)
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
    successor = recreate(stage, order, [stage.spec("MUG-RED")], new_first=new_first)
    stage.wait(minutes=35)
    stage.check(order, wants={}, received=[FIRST, cancelled("1001-1")], state="superseded")
    stage.check(successor, wants=RED, received=[created("1001A-1", RED)], state="in_warehouse")
    assert in_order_of_arrival(stage, order, successor) == [
        ("created", "1001-1"),
        ("cancelled", "1001-1"),
        ("created", "1001A-1"),
    ]
    assert stage.ever(order) == stage.ever(successor) == []


def test_row_57_recreated_original_already_shipped() -> None:
    stage = Stage()
    order = stage.order(MUG)
    stage.wait_for_release()
    stage.sent(order)
    successor = recreate(stage, order, [stage.spec("MUG-RED")])
    assert order.cancelled_at is None  # the shop does not cancel what has been sent
    stage.wait(hours=2)
    stage.check(order, wants=MUG, received=[FIRST], lock=KEPT, state="despatched")
    stage.check(successor, wants=RED, exceptions=SUSPECTED, state="waiting", gates=["predecessor"])
    assert stage.exception(successor, "DUPLICATE_SUSPECTED").detail["fate"] == "despatched"
    # A person says that the customer gets both.
    stage.approve(successor)
    stage.check(successor, wants=RED, received=[created("1001A-1", RED)], state="in_warehouse")


@pytest.mark.parametrize("answer", ["cancel", "refuse"])
def test_row_57_recreated_original_being_picked(answer: Literal["cancel", "refuse"]) -> None:
    stage = Stage(warehouse_knobs=ClarusKnobs(cancel_while_picking=answer))
    order = stage.order(MUG)
    stage.wait_for_release()
    stage.picker_starts(order)
    successor = recreate(stage, order, [stage.spec("MUG-RED")])
    stage.wait(minutes=40)
    if answer == "cancel":
        put_back = [("PUT_BACK", "ops")]
        received = [FIRST, cancelled("1001-1")]
        stage.check(order, wants={}, received=received, lock=KEPT, exceptions=put_back, state="superseded")
        stage.check(successor, wants=RED, received=[created("1001A-1", RED)], state="in_warehouse")
    else:
        too_late = [("CANCEL_TOO_LATE", "cx")]
        stage.check(order, wants={}, received=[FIRST], lock=KEPT, exceptions=too_late, state="picking")
        stage.check(successor, wants=RED, exceptions=SUSPECTED, state="waiting", gates=["predecessor"])
        assert stage.exception(successor, "DUPLICATE_SUSPECTED").detail["fate"] == "picking"


@pytest.mark.parametrize("marked", [False, True], ids=["nothing-links-them", "name-and-tag"])
def test_row_58_recreated_with_cancel_off(marked: bool) -> None:
    stage = Stage()
    app = stage.world.recreating
    tags = ("Edit Order",) if marked else ()
    app.settings = replace(app.settings, cancel=False, suffix=marked, successor_tags=tags)
    order = stage.order(MUG)
    stage.wait(minutes=8)
    successor = recreate(stage, order, [stage.spec("MUG-BLU"), stage.spec("TOWEL")])
    wants = {"MUG-BLU": 1, "TOWEL": 1}
    stage.wait(minutes=40)
    gate = "predecessor" if marked else "duplicate_suspected"
    stage.check(successor, wants=wants, exceptions=SUSPECTED, state="waiting", gates=[gate])
    if marked:  # it is known which of the two counts: neither goes until somebody cancels the old one
        stage.check(order, wants=MUG, state="waiting", gates=["successor"])
        sent = []
    else:
        stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
        sent = [("created", "1001-1"), ("cancelled", "1001-1")]
    stage.world.shop.cancel_order(order)
    stage.wait(minutes=25)  # nothing links them both ways: the sweep looks at the new one again
    reference = f"{successor.name.lstrip('#')}-1"
    stage.check(successor, wants=wants, received=[created(reference, wants)], state="in_warehouse")
    assert in_order_of_arrival(stage, order, successor) == [*sent, ("created", reference)]


def test_row_58_twin_waits_for_the_confirmed_recall_of_the_cancelled_one() -> None:
    """Cancelled is not recalled: the new order waits until the warehouse shows that the old one is gone."""
    stage = Stage(warehouse_knobs=ClarusKnobs(cancel_while_picking="refuse"))
    app = stage.world.recreating
    app.settings = replace(app.settings, cancel=False, suffix=False, successor_tags=())
    order = stage.order(MUG)
    stage.wait_for_release()
    successor = recreate(stage, order, [stage.spec("MUG-BLU")])
    stage.wait_for_release()
    stage.picker_starts(order)
    stage.world.shop.cancel_order(order)
    stage.wait(minutes=40)
    assert stage.received(successor) == []
    assert stage.exceptions(order) == [("CANCEL_TOO_LATE", "cx")]
    assert stage.exceptions(successor) == SUSPECTED
    assert stage.gates(successor) == ["duplicate_suspected"]


@pytest.mark.parametrize("when", ["in-window", "after-release"])
def test_row_59_merged_originals_cancelled(when: str) -> None:
    stage = Stage()
    first = stage.order(MUG)
    second = stage.order({"TOWEL": 2}, customer=first.customer)
    stage.wait(minutes=8)
    if when == "after-release":
        stage.wait_for_release()
    merged = stage.world.merger.merge([first, second])
    stage.wait(minutes=40)
    both = {"MUG-BLU": 1, "TOWEL": 2}
    sent = [[FIRST, cancelled("1001-1")], [created("1002-1", {"TOWEL": 2}), cancelled("1002-1")]]
    for order, messages in zip((first, second), sent, strict=True):
        received = messages if when == "after-release" else []
        stage.check(order, wants={}, received=received, state="superseded")
    stage.check(merged, wants=both, received=[created("1003-1", both)], state="in_warehouse")
    assert in_order_of_arrival(stage, first, second, merged)[-1] == ("created", "1003-1")
    assert stage.ever(merged) == []


@pytest.mark.parametrize("originals", ["archive", "leave"])
def test_row_59_merged_originals_archived_or_left(originals: Literal["archive", "leave"]) -> None:
    """Archived is not cancelled: the goods of the originals go on, and the merged order waits for a person."""
    stage = Stage()
    first = stage.order(MUG)
    second = stage.order({"TOWEL": 2}, customer=first.customer)
    stage.wait(minutes=8)
    merged = stage.world.merger.merge([first, second], originals=originals)
    stage.wait(minutes=40)
    stage.check(first, wants=MUG, received=[FIRST], state="in_warehouse")
    stage.check(second, wants={"TOWEL": 2}, received=[created("1002-1", {"TOWEL": 2})], state="in_warehouse")
    stage.check(
        merged,
        wants={"MUG-BLU": 1, "TOWEL": 2},
        exceptions=SUSPECTED * 2,
        state="waiting",
        gates=["duplicate_suspected"],
    )


@pytest.mark.parametrize("fate", ["picking-recalled", "picking-refused", "despatched"])
def test_row_60_merge_after_one_source_was_picked(fate: str) -> None:
    stage = Stage(warehouse_knobs=ClarusKnobs(cancel_while_picking="cancel" if "recalled" in fate else "refuse"))
    first = stage.order(MUG)
    second = stage.order({"TOWEL": 2}, customer=first.customer)
    stage.wait_for_release()
    stage.picker_starts(first)
    if fate == "despatched":
        stage.sent(first)
    merged = stage.world.merger.merge([first, second])
    both = {"MUG-BLU": 1, "TOWEL": 2}
    stage.wait(hours=2)
    assert stage.received(second) == [created("1002-1", {"TOWEL": 2}), cancelled("1002-1")]
    if fate == "picking-recalled":
        put_back = [("PUT_BACK", "ops")]
        received = [FIRST, cancelled("1001-1")]
        stage.check(first, wants={}, received=received, lock=KEPT, exceptions=put_back, state="superseded")
        stage.check(merged, wants=both, received=[created("1003-1", both)], state="in_warehouse")
        return
    if fate == "picking-refused":
        too_late = [("CANCEL_TOO_LATE", "cx")]
        stage.check(first, wants={}, received=[FIRST], lock=KEPT, exceptions=too_late, state="picking")
        gate = "predecessor"
    else:
        assert first.cancelled_at is None
        stage.check(first, wants=MUG, received=[FIRST], lock=KEPT, state="despatched")
        gate = "duplicate_suspected"
    stage.check(merged, wants=both, exceptions=SUSPECTED, state="waiting", gates=[gate])


@pytest.mark.parametrize("original", ["released", "cancelled-before-release", "cancelled-after-release"])
def test_row_61_duplicate_made_by_a_flow(original: str) -> None:
    stage = Stage()
    order = stage.order(MUG)
    stage.wait(minutes=8)
    twin = stage.world.editing.duplicate(order)
    if original == "cancelled-before-release":
        stage.wait(minutes=10)
        stage.world.shop.cancel_order(order)
    stage.wait(minutes=40)
    if original == "cancelled-before-release":
        stage.check(order, wants={}, state="cancelled")
    else:
        stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
        gates = ["duplicate_suspected"]
        stage.check(twin, wants=MUG, exceptions=SUSPECTED, state="waiting", gates=gates)
    if original == "released":
        return
    if original == "cancelled-after-release":
        stage.world.shop.cancel_order(order)
        stage.wait(minutes=25)
        stage.check(order, wants={}, received=[FIRST, cancelled("1001-1")], state="cancelled")
    stage.check(twin, wants=MUG, received=[created("1002-1", MUG)], state="in_warehouse")
    assert in_order_of_arrival(stage, order, twin)[-1] == ("created", "1002-1")


@pytest.mark.parametrize("sent", ["nothing-sent", "original-sent", "both-sent"])
def test_chain_of_two_recreations(sent: str) -> None:
    """#1001 → #1001A → #1001B: only the last goes, after the recall of whatever was sent of the others."""
    stage = Stage()
    order = stage.order(MUG)
    stage.wait(minutes=8)
    expected = []
    if sent != "nothing-sent":
        stage.wait_for_release()
        expected += [("created", "1001-1"), ("cancelled", "1001-1")]
    first = recreate(stage, order, [stage.spec("MUG-RED")])
    if sent == "both-sent":
        stage.wait(minutes=40)
        expected += [("created", "1001A-1"), ("cancelled", "1001A-1")]
    second = recreate(stage, first, [stage.spec("TOWEL", 2)], new_first=1.0)
    assert second.name == "#1001B"
    stage.wait(minutes=40)
    stage.check(second, wants={"TOWEL": 2}, received=[created("1001B-1", {"TOWEL": 2})], state="in_warehouse")
    assert in_order_of_arrival(stage, order, first, second) == [*expected, ("created", "1001B-1")]
    assert (stage.state(order), stage.state(first)) == ("superseded", "superseded")
    assert stage.locked(second) == FREE
    stage.picker_starts(second)
    assert stage.locked(second) == TAKEN
