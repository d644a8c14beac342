"""Beyond the catalogue: the lock, hands in the warehouse, short picks, and a shop that only watches."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from pickgate.domain.commands import CreateGoodsOut
from pickgate.simulation.driver import tell_stories
from pickgate.twins.clarus import ClarusKnobs
from pickgate.twins.clarus.records import GoodsOut
from pickgate.twins.people import PickerHabits
from pickgate.twins.shopify.graph.mutations import MUTATIONS
from simulation.messages import FREE, KEPT, LIFTED, TAKEN, Lock, amended, cancelled, created
from simulation.stage import Stage

MUG = {"MUG-BLU": 1}
FIRST = created("1001-1", MUG)


# ── the lock ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_lock_closes_the_editing_app() -> None:
    """An app that keeps editing open until the fulfilment: the first pick ends it, for the customer too."""
    stage = Stage(editing={"window_seconds": 1e6, "writes_cutoff": False, "holds": False})
    order = stage.order({"MUG-BLU": 2})
    stage.wait_for_release()
    stage.world.editing.check_open(order)
    stage.picker_starts(order)
    assert stage.locked(order) == TAKEN
    with pytest.raises(Exception, match="#1001") as refusal:
        stage.world.editing.edit(order, set_quantities={stage.line(order, "MUG-BLU").id: 1})
    assert type(refusal.value).__name__ == "EditingClosed"
    first = created("1001-1", {"MUG-BLU": 2})
    stage.check(order, wants={"MUG-BLU": 2}, received=[first], lock=TAKEN, state="picking")


def test_lock_is_lifted_when_the_pick_list_is_cancelled() -> None:
    stage = Stage()
    order = stage.order({"MUG-BLU": 2})
    stage.wait_for_release()
    goods_out = stage.picker_starts(order)
    first = created("1001-1", {"MUG-BLU": 2})
    stage.check(order, wants={"MUG-BLU": 2}, received=[first], lock=TAKEN, state="picking")
    stage.world.warehouse.cancel_pick_list(goods_out.id)
    stage.wait(minutes=2)
    stage.check(order, wants={"MUG-BLU": 2}, received=[first], lock=LIFTED, state="in_warehouse")
    # Open again: an edit follows as if nobody had begun.
    stage.world.shop.edit_order(order, set_quantities={stage.line(order, "MUG-BLU").id: 1}, staff="Sam")
    stage.wait(minutes=2)
    received = [first, cancelled("1001-1"), created("1001-2", MUG)]
    stage.check(order, wants=MUG, received=received, lock=LIFTED, state="in_warehouse")
    stage.picker_starts(order)
    stage.check(order, wants=MUG, received=received, lock=TAKEN, state="picking")


def test_lock_taken_off_by_another_app_is_said_and_not_fought_over() -> None:
    stage = Stage()
    order = stage.order(MUG)
    stage.wait_for_release()
    stage.picker_starts(order)
    tidy = stage.world.shop.add_app("Tag Tidy")
    stage.world.shop.remove_tags(order, ["pickgate-locked"], app=tidy)
    stage.wait(hours=2)
    undone = Lock(tag=False, metafield="locked", progress=True)
    said = [("LOCK_NOT_TAKEN", "ecommerce")]
    stage.check(order, wants=MUG, received=[FIRST], lock=undone, exceptions=said, state="picking")
    written = [e for e in stage.world.shop.history.of_kind("tags_changed") if "pickgate-locked" in e.detail["added"]]
    assert len(written) == 1
    stage.world.shop.add_tags(order, ["pickgate-locked"], app=tidy)
    stage.wait(minutes=2)
    stage.check(order, wants=MUG, received=[FIRST], lock=TAKEN, state="picking")


# ── hands in the warehouse ───────────────────────────────────────────────────────────────────────────────────────────


def set_by_hand(stage: Stage, goods_out: GoodsOut, units: int) -> None:
    """Somebody types another quantity into the first line, on the warehouse's screen."""
    change = {"type": "UPDATE", "id": goods_out.lines[0].id, "attributes": {"order_quantity": units}}
    stage.world.warehouse.edit_by_hand(goods_out.id, {"lines_changes": [change]})


def test_sync_illusion_stored_otherwise_than_accepted() -> None:
    """Both systems say "fine", and the contents differ before we ever read them back."""
    stage = Stage(warehouse_knobs=ClarusKnobs(visible_after_seconds=20.0))
    order = stage.order({"MUG-BLU": 2})
    stage.wait(minutes=31)
    while not stage.received(order):
        stage.wait(seconds=1)
    set_by_hand(stage, stage.goods_out(order), 1)
    stage.wait(minutes=5)
    received = [created("1001-1", {"MUG-BLU": 2}), amended("1001-1", MUG, by="hand")]
    illusion = [("SYNC_ILLUSION", "ops")]
    stage.check(order, wants={"MUG-BLU": 2}, received=received, exceptions=illusion, state="in_warehouse")
    side_by_side = stage.exception(order, "SYNC_ILLUSION").detail["side_by_side"]
    assert side_by_side == {"MUG-BLU": {"accepted": 2, "holds": 1}}
    set_by_hand(stage, stage.goods_out(order), 2)
    stage.wait(minutes=2)
    assert stage.exceptions(order) == []
    assert stage.locked(order) == FREE


@pytest.mark.parametrize("then", ["put-right", "taken-back-by-an-operator", "the-order-follows"])
def test_changed_by_hand_in_the_warehouse(then: str) -> None:
    stage = Stage()
    order = stage.order({"MUG-BLU": 2})
    stage.wait_for_release()
    set_by_hand(stage, stage.goods_out(order), 1)
    stage.wait(minutes=2)
    received = [created("1001-1", {"MUG-BLU": 2}), amended("1001-1", MUG, by="hand")]
    changed = [("WMS_CHANGED_BY_HAND", "ops")]
    stage.check(order, wants={"MUG-BLU": 2}, received=received, exceptions=changed, state="in_warehouse")
    stage.wait(hours=2)
    assert stage.received(order) == received  # nobody is overruled
    if then == "put-right":
        set_by_hand(stage, stage.goods_out(order), 2)
        stage.wait(minutes=2)
        received += [amended("1001-1", {"MUG-BLU": 2}, by="hand")]
        stage.check(order, wants={"MUG-BLU": 2}, received=received, state="in_warehouse")
    elif then == "the-order-follows":
        stage.world.shop.edit_order(order, set_quantities={stage.line(order, "MUG-BLU").id: 1}, staff="Sam")
        stage.wait(minutes=2)
        stage.check(order, wants=MUG, received=received, state="in_warehouse")
    else:
        stage.take_back(order)
        received += [cancelled("1001-1")]
        assert stage.received(order) == received
        stage.approve(order)
        received += [created("1001-2", {"MUG-BLU": 2})]
        stage.check(order, wants={"MUG-BLU": 2}, received=received, state="in_warehouse")


@pytest.mark.parametrize("how", ["deleted", "cancelled"])
def test_taken_away_by_hand_is_not_sent_again_by_itself(how: str) -> None:
    stage = Stage()
    order = stage.order(MUG)
    stage.wait_for_release()
    goods_out = stage.allocate(order)
    if how == "deleted":
        stage.world.warehouse.delete_by_hand(goods_out.id)
    else:
        stage.world.warehouse.cancel_by_hand(goods_out.id)
    stage.wait(hours=2)
    assert [(m.kind, m.reference) for m in stage.received(order)] == [("created", "1001-1"), ("cancelled", "1001-1")]
    assert stage.exceptions(order) == [("WMS_ORDER_MISSING", "ops")]
    stage.approve(order)
    assert stage.received(order)[2:] == [created("1001-2", MUG)]
    assert stage.exceptions(order) == []
    assert stage.state(order) == "in_warehouse"


# ── short picks ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("then", ["released-by-an-operator", "refunded"])
def test_short_pick_stalls_and_a_person_decides(then: str) -> None:
    stage = Stage()
    order = stage.order({"MUG-BLU": 3, "TOWEL": 1})
    stage.wait_for_release()
    goods_out = stage.picker_starts(order)
    mug, towel = goods_out.lines
    stage.world.warehouse.pick(mug.id, 1)
    stage.world.warehouse.short(mug.id)
    stage.world.warehouse.pick(towel.id)
    stage.world.warehouse.pack(goods_out.id)
    stage.world.warehouse.dispatch(goods_out.id, tracking=["PK1"])
    stage.wait(minutes=5)
    first = created("1001-1", {"MUG-BLU": 3, "TOWEL": 1})
    left = {"MUG-BLU": 2, "TOWEL": 1}
    assert stage.told(order) == [(left, ("PK1",))]
    stalled = [("PART_FULFILMENT_STALLED", "ops")]
    wants = {"MUG-BLU": 3, "TOWEL": 1}
    gates = ["short_picked"]
    assert stage.locked(order).tag
    assert (stage.exceptions(order), stage.gates(order)) == (stalled, gates)
    stage.wait(hours=3)
    assert stage.received(order) == [first]
    assert stage.exceptions(order) == stalled
    assert stage.state(order) == "part_despatched"
    if then == "released-by-an-operator":
        stage.approve(order)
        assert stage.received(order) == [first, created("1001-2", MUG)]
        assert stage.exceptions(order) == []
        stage.sent(order, tracking="PK2")
        assert stage.told(order) == [(left, ("PK1",)), (MUG, ("PK2",))]
        stage.check(order, wants=wants, received=[first, created("1001-2", MUG)], lock=KEPT, state="despatched")
    else:
        stage.world.shop.refund(order, {stage.line(order, "MUG-BLU").id: (1, "CANCEL")})
        stage.wait(minutes=2)
        stage.check(order, wants=left, received=[first], lock=KEPT, state="despatched")


def test_put_back_is_done_when_somebody_says_so() -> None:
    stage = Stage()
    order = stage.order({"MUG-BLU": 2})
    stage.wait_for_release()
    stage.picker_starts(order)
    stage.take_back(order)
    stage.wait(minutes=2)
    received = [created("1001-1", {"MUG-BLU": 2}), cancelled("1001-1")]
    assert stage.received(order) == received
    assert stage.exceptions(order) == [("PUT_BACK", "ops")]
    assert stage.exception(order, "PUT_BACK").detail["units"] == {"MUG-BLU": 1}
    assert stage.locked(order) == LIFTED
    stage.resolve(order, "PUT_BACK")
    stage.wait(hours=3)
    assert stage.exceptions(order) == []
    assert stage.received(order) == received


# ── a shop that only watches ─────────────────────────────────────────────────────────────────────────────────────────


def test_observe_mode_writes_nothing_anywhere() -> None:
    stage = Stage(shop={"mode": "observe"}, habits=PickerHabits())
    shop, warehouse, store = stage.world.shop, stage.world.warehouse, stage.simulation.store
    mutations = {name.removeprefix("Mutation.") for name in MUTATIONS}
    assert {"tagsAdd", "fulfillmentCreate", "metafieldsSet"} <= mutations
    before = Counter(shop.requests)  # the webhook subscriptions are made at the start
    sent: list[object] = []
    stage.simulation.looker.on_effect = lambda command, outcome: sent.append(command)
    counts = tell_stories(stage.world, random.Random(30), orders=30, seconds=1800)
    stage.wait(hours=6)

    assert len(counts) > 8
    assert len(store.orders) >= 30
    assert {name: shop.requests[name] - before[name] for name in mutations if shop.requests[name] != before[name]} == {}
    assert [event.kind for event in shop.history if event.detail.get("by") == "Pickgate"] == []
    assert [event.kind for event in warehouse.history if event.subject.startswith("goods_outs/")] == []
    assert sent == []
    assert [row.effects for row in store.orders.values() if row.effects] == []
    assert all(row.decision is not None for row in store.orders.values())
    releases = [
        command
        for row in store.orders.values()
        for command in (row.decision.commands if row.decision else ())
        if isinstance(command, CreateGoodsOut)
    ]
    assert len(releases) >= 15  # what it would have done is there to see
    assert shop.requests["orders"] + shop.requests["nodes"] + shop.requests["order"] > 0
