"""Both stores: what a look remembers, decides and does; kin; exceptions; people; the nets' lists."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import cast
from contracts.keeping import NOON, Kept, after, decision, finding
from pickgate.domain.commands import (
    AmendGoodsOut,
    CarryTime,
    Command,
    CreateFulfilment,
    CreateGoodsOut,
    FulfilmentLine,
    LiftLock,
    RecallGoodsOut,
    TakeLock,
)
from pickgate.domain.decision import Gate, OrderState
from pickgate.domain.facts import KinFate, Records, RecordState
from pickgate.flows.ports import (
    Confirmed,
    EffectRow,
    Lease,
    LeaseLost,
    NotSent,
    Outcome,
    OutcomeNotKnown,
    Refused,
)
from pickgate.store.effect_rules import TwinRefused

WIDE = (after(days=-30), after(days=30))


def create(number: int = 1, **more: Any) -> CreateGoodsOut:
    values: dict[str, Any] = {
        "reference": f"1001-{number}", "order_id": "5001", "number": number, "fulfilment_order_id": "F1", "group": "",
        "generation": number, "content": cast.content({"A": 2}, notes=(("packing_notes", "Happy birthday"),)),
        "expected_despatch_at": NOON, "ordered_at": cast.LONG_AGO,
    }  # fmt: skip
    return CreateGoodsOut(**(values | more))


RECALL = RecallGoodsOut(reference="1001-1", account="ACME", clarus_id="301", because="edited")
AMEND = AmendGoodsOut(
    reference="1001-1", clarus_id="301", content=cast.content({"A": 5}), previous=cast.content(), line_ids=(("A", "9"),)
)
FULFIL = CreateFulfilment(
    reference="1001-1",
    lines=(FulfilmentLine(fulfilment_order_id="F1", fulfilment_order_line_id="F1.A", line_id="A", units=2),),
    tracking_numbers=("T1", "T2"),
    carrier="DPD",
    fulfilled_before=(),
)
LOCK = TakeLock(
    order_id="5001", tag="t", metafield="m", value="locked", add_tag=True, set_metafield=True, report_progress_on=()
)
LIFT = LiftLock(order_id="5001", tag="t", metafield="m", value="open", remove_tag=True, set_metafield=True, reopen=())


async def act(kept: Kept, lease: Lease, command: Command, outcome: Outcome) -> Records:
    assert await kept.store.begin_effect(lease, command, now=after(1), needs_no_new_hint=False)
    await kept.store.finish_effect(lease, command, outcome, now=after(2))
    return await kept.store.load_records(lease)


async def with_record(kept: Kept) -> Lease:
    lease = await kept.lease()
    known = cast.record(units={"A": 2})
    await kept.decide(lease, decision(records=(known,)), order=cast.order({"A": 2}))
    return lease


async def taken_over(kept: Kept, lease: Lease, seconds: float = 60) -> Lease:
    (taken,) = await kept.store.claim(worker="w2", now=after(seconds), lease_seconds=30, limit=1)
    assert taken.order == lease.order
    return taken


# ── effects ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_new_order_has_no_records(kept: Kept) -> None:
    lease = await kept.lease()
    assert await kept.store.load_records(lease) == Records(first_seen_at=NOON)
    assert await kept.store.pending_effects(lease) == []


async def test_a_creation_is_written_before_it_leaves(kept: Kept) -> None:
    lease = await kept.lease()
    assert await kept.store.begin_effect(lease, create(), now=after(1), needs_no_new_hint=True)
    (known,) = (await kept.store.load_records(lease)).goods_outs
    assert (known.reference, known.state, known.created_at) == ("1001-1", RecordState.CREATING, after(1))
    assert known.content == create().content
    # Its own effect is on its way; for whoever takes over, nobody knows what became of it.
    assert await kept.store.pending_effects(lease) == []
    taken = await taken_over(kept, lease)
    row = EffectRow(
        key="create_goods_out:1001-1", kind="create_goods_out", target="1001-1", state="sent", command=create(),
        at=after(1), sent_at=after(1), attempts=1,
    )  # fmt: skip
    assert await kept.store.pending_effects(taken) == [row]
    (unknown,) = (await kept.store.load_records(taken)).unknown
    assert (unknown.key, unknown.since) == ("create_goods_out:1001-1", after(1))


async def test_a_confirmed_creation_is_live(kept: Kept) -> None:
    lease = await kept.lease()
    records = await act(kept, lease, create(), Confirmed(ids={"clarus_id": "301"}))
    assert [(r.state, r.clarus_id) for r in records.goods_outs] == [(RecordState.LIVE, "301")]
    assert (records.unknown, records.refused) == ((), ())
    assert [kind for kind, _ in await kept.journal(lease.order)][-2:] == ["effect_sent", "effect_confirmed"]


async def test_a_refused_creation_says_why(kept: Kept) -> None:
    lease = await kept.lease()
    records = await act(kept, lease, create(), Refused(code="WMS_REFUSED", problem="no such product"))
    assert [r.state for r in records.goods_outs] == [RecordState.REFUSED]
    (refused,) = records.refused
    assert (refused.key, refused.code, refused.problem, refused.at) == (
        "create_goods_out:1001-1", "WMS_REFUSED", "no such product", after(2),
    )  # fmt: skip
    # The newest answer counts: tried again and accepted, it is refused no more.
    records = await act(kept, lease, create(), Confirmed(ids={"clarus_id": "301"}))
    assert (records.refused, [r.state for r in records.goods_outs]) == ((), [RecordState.LIVE])


async def test_a_creation_refused_in_part_is_unknown(kept: Kept) -> None:
    lease = await kept.lease()
    records = await act(kept, lease, create(), Refused(code="WMS_REFUSED", problem="one line", partly=True))
    assert [r.state for r in records.goods_outs] == [RecordState.CREATING]
    assert (len(records.unknown), records.refused) == (1, ())


async def test_what_was_not_sent_leaves_no_record(kept: Kept) -> None:
    lease = await kept.lease()
    records = await act(kept, lease, create(), NotSent(why="throttled"))
    assert (records.goods_outs, records.unknown, records.refused) == ((), (), ())
    assert await kept.store.open_goods_outs(after=0, limit=9) == []
    records = await act(kept, lease, create(), Confirmed(ids={"clarus_id": "301"}))
    assert [r.state for r in records.goods_outs] == [RecordState.LIVE]


@pytest.mark.parametrize(
    ("verdict", "clarus_id", "state"),
    [("confirmed", "301", RecordState.LIVE), ("unknown", None, RecordState.CREATING), ("lost", None, None)],
)
async def test_only_a_probe_leads_out_of_unknown(
    kept: Kept, verdict: str, clarus_id: str | None, state: RecordState | None
) -> None:
    lease = await kept.lease()
    await act(kept, lease, create(), OutcomeNotKnown(why="timed out"))
    (row,) = await kept.store.pending_effects(lease)
    assert (row.state, row.note, row.attempts) == ("unknown", "timed out", 1)
    await kept.store.settle_unknown(lease, row, verdict=verdict, note="probed", now=after(9), clarus_id=clarus_id)
    records = await kept.store.load_records(lease)
    assert [(r.state, r.clarus_id) for r in records.goods_outs] == ([(state, clarus_id)] if state else [])
    assert len(records.unknown) == (verdict == "unknown")
    assert len(await kept.store.pending_effects(lease)) == (verdict == "unknown")


async def test_a_probe_cannot_answer_anything_else(kept: Kept) -> None:
    lease = await kept.lease()
    await act(kept, lease, create(), OutcomeNotKnown(why="timed out"))
    (row,) = await kept.store.pending_effects(lease)
    with pytest.raises(ValueError, match="refused"):
        await kept.store.settle_unknown(lease, row, verdict="refused", note="", now=after(9))


async def test_attempts_are_counted_under_one_key(kept: Kept) -> None:
    lease = await kept.lease()
    await act(kept, lease, create(), NotSent(why="throttled"))
    await act(kept, lease, create(), NotSent(why="throttled"))
    assert await kept.store.begin_effect(lease, create(), now=after(20), needs_no_new_hint=False)
    taken = await taken_over(kept, lease)
    (row,) = await kept.store.pending_effects(taken)
    assert (row.attempts, row.at, row.sent_at) == (3, after(1), after(20))


async def test_a_live_goods_out_is_not_created_again(kept: Kept) -> None:
    lease = await kept.lease()
    await act(kept, lease, create(), Confirmed(ids={"clarus_id": "301"}))
    with pytest.raises(TwinRefused, match="1001-1 is live already"):
        await kept.store.begin_effect(lease, create(), now=after(3), needs_no_new_hint=False)
    records = await kept.store.load_records(lease)
    assert [(r.state, r.clarus_id) for r in records.goods_outs] == [(RecordState.LIVE, "301")]


async def test_a_release_is_called_off_by_a_new_hint(kept: Kept) -> None:
    lease = await kept.lease()
    await kept.store.wake(shop="uk", order_id="5001", at=after(1), because="edited")
    assert not await kept.store.begin_effect(lease, create(), now=after(1), needs_no_new_hint=True)
    assert await kept.store.load_records(lease) == Records(first_seen_at=NOON)
    assert await kept.store.begin_effect(lease, create(), now=after(1), needs_no_new_hint=False)


@pytest.mark.parametrize(
    ("command", "outcome", "changes"),
    [
        (RECALL, Confirmed(), {"state": RecordState.RECALLING, "recall_asked_at": after(2)}),
        (RECALL, OutcomeNotKnown(why="?"), {"state": RecordState.RECALLING, "recall_asked_at": after(2)}),
        (RECALL, Refused(code="X", problem="picked"), {"recall_refused": "picked"}),
        (RECALL, NotSent(why="throttled"), {}),
        (AMEND, Confirmed(), {"content": AMEND.content, "verified": False}),
        (AMEND, Refused(code="X", problem="no"), {"amend_refused": True}),
        (AMEND, OutcomeNotKnown(why="?"), {}),
        (FULFIL, Confirmed(), {"told": (("A", 2),), "parcels_told": ("T1", "T2")}),
        (FULFIL, Refused(code="X", problem="no"), {}),
    ],
)
async def test_an_outcome_changes_the_record(
    kept: Kept, command: Command, outcome: Outcome, changes: dict[str, Any]
) -> None:
    lease = await with_record(kept)
    (before,) = (await kept.store.load_records(lease)).goods_outs
    (now,) = (await act(kept, lease, command, outcome)).goods_outs
    assert now == replace(before, **changes)


async def test_units_told_add_up(kept: Kept) -> None:
    lease = await with_record(kept)
    await act(kept, lease, FULFIL, Confirmed())
    second = replace(FULFIL, fulfilled_before=(("A", 2),), tracking_numbers=("T2", "T3"))
    (known,) = (await act(kept, lease, second, Confirmed())).goods_outs
    assert (known.told, known.parcels_told) == ((("A", 4),), ("T1", "T2", "T3"))


async def test_the_lock_and_the_carried_time_are_remembered(kept: Kept) -> None:
    lease = await with_record(kept)
    assert (await act(kept, lease, LOCK, OutcomeNotKnown(why="?"))).lock_confirmed_at is None
    assert (await act(kept, lease, LOCK, Confirmed())).lock_confirmed_at == after(2)
    carry = CarryTime(order_id="5001", original_name="#1000", original_created_at=cast.LONG_AGO)
    records = await act(kept, lease, carry, Confirmed())
    assert (records.lock_confirmed_at, records.carried_from) == (after(2), "#1000")
    records = await act(kept, lease, LIFT, Confirmed())
    assert (records.lock_confirmed_at, records.carried_from) == (None, "#1000")


async def test_a_lost_lease_stops_every_write(kept: Kept) -> None:
    lease = await with_record(kept)
    taken = await taken_over(kept, lease)
    before = await kept.store.load_records(taken)
    journal = await kept.journal(lease.order)
    row = EffectRow(key=RECALL.key, kind="", target="", state="sent", command=RECALL, at=NOON)
    with pytest.raises(LeaseLost):
        await kept.store.begin_effect(lease, create(2), now=after(61), needs_no_new_hint=False)
    with pytest.raises(LeaseLost):
        await kept.store.finish_effect(lease, RECALL, Confirmed(), now=after(61))
    with pytest.raises(LeaseLost):
        await kept.store.settle_unknown(lease, row, verdict="lost", note="", now=after(61))
    with pytest.raises(LeaseLost):
        await kept.decide(lease, decision(OrderState.STOPPED, findings=(finding(),)), now=after(61))
    assert await kept.store.load_records(taken) == before
    assert (await kept.journal(lease.order), await kept.exceptions()) == (journal, [])


# ── decisions ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_records_come_back_as_decided(kept: Kept) -> None:
    lease = await kept.lease()
    known = (
        cast.record(
            1, state=RecordState.RECALLED, told=(("A", 1),), picked=(("SKU-A", 2),), put_back=(("SKU-A", 2),),
            parcels_told=("T",), recall_asked_at=after(-5), finished_at=after(-4), recall_refused="no", verified=False,
        ),
        cast.record(2, {"A": 3}, clarus_id=None, generation=2, amend_refused=True),
    )  # fmt: skip
    await kept.decide(lease, decision(records=known), order=cast.order())
    assert (await kept.store.load_records(lease)).goods_outs == known
    await kept.decide(lease, decision(records=known[1:]), order=None)
    assert (await kept.store.load_records(lease)).goods_outs == known


async def test_the_name_is_known_after_the_first_look(kept: Kept) -> None:
    lease = await kept.lease()
    await kept.decide(lease, decision(), order=cast.order(name="#1001"))
    await kept.store.end_look(lease, next_look_at=after(5), failed=None, now=after(1))
    (again,) = await kept.store.claim(worker="w", now=after(5), lease_seconds=30, limit=1)
    assert again.name == "#1001"
    assert await kept.store.seen_updates(shop="uk", order_ids=["5001", "5002"]) == {"5001": cast.LONG_AGO}
    assert await kept.store.seen_updates(shop="us", order_ids=["5001"]) == {}


async def test_a_gate_keeps_the_time_it_was_first_seen_closed(kept: Kept) -> None:
    lease = await kept.lease()
    window, paid = Gate(code="edit_window", detail="open"), Gate(code="unpaid", detail="owes 3")
    await kept.decide(lease, decision(gates=(window,)), now=NOON)
    await kept.decide(lease, decision(gates=(window, paid)), now=after(60))
    assert (await kept.store.load_records(lease)).gates_since == {"edit_window": NOON, "unpaid": after(60)}
    await kept.decide(lease, decision(gates=(paid,)), now=after(70))
    await kept.decide(lease, decision(gates=(window, paid)), now=after(80))
    assert (await kept.store.load_records(lease)).gates_since == {"edit_window": after(80), "unpaid": after(60)}


async def test_the_same_decision_again_adds_no_line(kept: Kept) -> None:
    lease = await kept.lease()
    for _ in range(3):
        await kept.decide(lease, decision(OrderState.WAITING))
    await kept.decide(lease, decision(OrderState.STOPPED))
    await kept.decide(lease, decision(OrderState.WAITING))
    decided = [detail["state"] for kind, detail in await kept.journal(lease.order) if kind == "decided"]
    assert decided == ["waiting", "stopped", "waiting"]


# ── kin ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def kin_order(
    kept: Kept, order_id: str, name: str, state: OrderState, *records: RecordState, **more: Any
) -> None:
    lease = await kept.lease(order_id)
    known = tuple(
        cast.record(number, reference=f"{name}-{number}", state=record, fo=f"F{number}", **more.pop("record", {}))
        for number, record in enumerate(records, 1)
    )
    values = {"customer_id": f"C-{order_id}"} | more
    order = cast.order(name=name, id=order_id, **values)
    await kept.decide(lease, decision(state, records=known), order=order)
    await kept.store.end_look(lease, next_look_at=None, failed=None, now=NOON)


async def test_kin_are_found_by_name_and_by_customer(kept: Kept) -> None:
    await kin_order(kept, "1", "#1031", OrderState.CANCELLED, tags=("Edit Order - Cancelled",), cancelled_at=NOON)
    await kin_order(kept, "2", "#1032", OrderState.WAITING, customer_id="C9", created_at=after(-30))
    await kin_order(kept, "3", "#1033", OrderState.WAITING, customer_id="C9", created_at=after(days=-2))
    await kin_order(kept, "4", "#1034", OrderState.WAITING)
    lease = await kept.lease("9")
    found = await kept.store.find_kin(
        lease, names=["#1031", "#9999"], customer_id="C9", created_between=(after(hours=-24), after(60))
    )
    assert [(kin.id, kin.name, kin.tags, kin.cancelled_at, kin.customer_id) for kin in found] == [
        ("1", "#1031", ("Edit Order - Cancelled",), NOON, "C-1"),
        ("2", "#1032", (), None, "C9"),
    ]
    assert (found[1].skus, found[1].app_name, found[1].created_at) == (("SKU-A",), "Online Store", after(-30))
    assert await kept.store.find_kin(lease, names=[], customer_id=None, created_between=WIDE) == []


async def test_kin_are_of_the_same_shop_and_never_oneself(kept: Kept) -> None:
    other = await kept.lease("8", shop="us")
    await kept.decide(other, decision(), order=cast.order(name="#1031", id="8"))
    own = await kept.lease("5001")
    await kept.decide(own, decision(), order=cast.order(name="#1031"))
    assert await kept.store.find_kin(own, names=["#1031"], customer_id="C1", created_between=WIDE) == []


@pytest.mark.parametrize(
    ("state", "records", "more", "fate"),
    [
        (OrderState.WAITING, (), {}, KinFate.NEVER_SENT),
        (OrderState.STOPPED, (RecordState.REFUSED,), {}, KinFate.NEVER_SENT),
        (OrderState.RELEASING, (RecordState.CREATING,), {}, KinFate.UNKNOWN),
        (OrderState.IN_WAREHOUSE, (RecordState.LIVE, RecordState.RECALLED), {}, KinFate.LIVE),
        (OrderState.IN_WAREHOUSE, (RecordState.RECALLING,), {}, KinFate.LIVE),
        (OrderState.PICKING, (RecordState.LIVE,), {}, KinFate.PICKING),
        (OrderState.STOPPED, (RecordState.LIVE,), {"record": {"picked": (("A", 1),)}}, KinFate.PICKING),
        (OrderState.CANCELLED, (RecordState.RECALLED, RecordState.RECALLED), {}, KinFate.RECALLED),
        (OrderState.DESPATCHED, (RecordState.FINISHED,), {}, KinFate.DESPATCHED),
        (OrderState.STOPPED, (RecordState.FINISHED, RecordState.LIVE), {}, KinFate.DESPATCHED),
    ],
)
async def test_the_fate_of_kin(
    kept: Kept, state: OrderState, records: tuple[RecordState, ...], more: dict[str, Any], fate: KinFate
) -> None:
    await kin_order(kept, "1", "#1031", state, *records, **more)
    lease = await kept.lease("9")
    (kin,) = await kept.store.find_kin(lease, names=["#1031"], customer_id=None, created_between=WIDE)
    assert kin.fate is fate


async def test_a_decision_wakes_the_kin_it_names_once(kept: Kept) -> None:
    await kin_order(kept, "1", "#1031", OrderState.IN_WAREHOUSE)
    lease = await kept.lease("2")
    successor = decision(supersedes=("#1031",))
    await kept.decide(lease, successor, order=cast.order(name="#1031A", id="2"), now=after(5))
    (kin,) = await kept.store.claim(worker="w", now=after(5), lease_seconds=600, limit=9)
    assert (kin.order_id, kin.hints_seen) == ("1", 2)
    # The predecessor names its successor in turn; two orders must not wake each other for ever.
    predecessor = decision(OrderState.SUPERSEDED, superseded_by="#1031A")
    await kept.decide(kin, predecessor, order=cast.order(name="#1031", id="1"), now=after(6))
    await kept.store.end_look(kin, next_look_at=None, failed=None, now=after(6))
    await kept.store.end_look(lease, next_look_at=None, failed=None, now=after(7))
    (again,) = await kept.store.claim(worker="w", now=after(7), lease_seconds=600, limit=9)
    assert again.order_id == "2"
    await kept.decide(again, successor, order=cast.order(name="#1031A", id="2"), now=after(8))
    await kept.store.end_look(again, next_look_at=None, failed=None, now=after(8))
    assert await kept.store.next_due_at() is None
