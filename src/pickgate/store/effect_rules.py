"""What an effect's fate means for our records: pure rules, the same for PostgreSQL and the memory twin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from pickgate.domain.commands import (
    AmendGoodsOut,
    CarryTime,
    Command,
    CreateFulfilment,
    CreateGoodsOut,
    LiftLock,
    PlaceShopHold,
    RecallGoodsOut,
    ReleaseShopHold,
    TakeLock,
)
from pickgate.domain.facts import GoodsOutRecord, KinFate, RecordState
from pickgate.domain.outcomes import record_after, record_when_sent
from pickgate.flows.ports import Confirmed, NotSent, Outcome, OutcomeNotKnown, Refused


class TwinRefused(AssertionError):
    """A goods-out was about to be created a second time under its reference. The store's last line against twins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectChange:
    """How the journal row ends: its state and why."""

    state: str
    code: str = ""
    problem: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMark:
    """What a confirmed effect changes about the order itself. `lock`: True taken, False lifted, None untouched."""

    lock: bool | None = None
    carried_from: str | None = None


def kind_of(command: Command) -> str:
    """Return the command's kind in snake case, such as "create_goods_out"."""
    return command.key.partition(":")[0]


def target_of(command: Command) -> str:
    """Return what the command acts on: a goods-out's reference, a fulfilment order id, or an order id."""
    match command:
        case CreateGoodsOut() | RecallGoodsOut() | AmendGoodsOut() | CreateFulfilment():
            return command.reference
        case PlaceShopHold() | ReleaseShopHold():
            return command.fulfilment_order_id
        case TakeLock() | LiftLock() | CarryTime():
            return command.order_id
        case _:
            assert_never(command)


def reference_of(command: Command) -> str | None:
    """Return the reference of the goods-out record that the command concerns, if it concerns one."""
    if isinstance(command, CreateGoodsOut | RecallGoodsOut | AmendGoodsOut | CreateFulfilment):
        return command.reference
    return None


def record_at_begin(records: Iterable[GoodsOutRecord], command: Command, *, now: datetime) -> GoodsOutRecord | None:
    """Return the record that must be written before the command leaves; None for all but creations.

    Raises TwinRefused when the reference belongs to a goods-out that the warehouse has had.
    """
    if not isinstance(command, CreateGoodsOut):
        return None
    before = next((record for record in records if record.reference == command.reference), None)
    if before is not None and before.state not in (RecordState.CREATING, RecordState.REFUSED):
        raise TwinRefused(f"{command.reference} is {before.state.value} already; it is not created again.")
    return record_when_sent(command, now=now)


def effect_after(command: Command, outcome: Outcome) -> EffectChange:
    """Return the journal row's end for an outcome. What was not sent had no effect: `lost`.

    A creation of which only some took effect is `unknown`: a probe finds what is there.
    """
    match outcome:
        case Confirmed():
            return EffectChange(state="confirmed", note=_note_of(outcome))
        case Refused(partly=True) if isinstance(command, CreateGoodsOut):
            return EffectChange(state="unknown", note=f"Refused in part: {outcome.code}: {outcome.problem}")
        case Refused():
            return EffectChange(state="refused", code=outcome.code, problem=outcome.problem, note=outcome.remedy)
        case OutcomeNotKnown():
            return EffectChange(state="unknown", note=outcome.why)
        case NotSent():
            return EffectChange(state="lost", code=outcome.exception_code or "", note=outcome.why)
        case _:
            assert_never(outcome)


def record_after_outcome(
    record: GoodsOutRecord | None, command: Command, outcome: Outcome, *, now: datetime
) -> GoodsOutRecord | None:
    """Return the goods-out record after the outcome; None: there is no such goods-out, forget the record."""
    if record is None:
        return None
    change = effect_after(command, outcome)
    return record_after(
        record,
        command,
        outcome="not_sent" if isinstance(outcome, NotSent) else change.state,
        ids=outcome.ids if isinstance(outcome, Confirmed) else {},
        problem=change.problem,
        now=now,
    )


def record_after_probe(
    record: GoodsOutRecord | None, command: Command, *, verdict: str, clarus_id: str | None, now: datetime
) -> GoodsOutRecord | None:
    """Return the goods-out record after a probe: `confirmed`, `lost` or `unknown`. None: forget the record."""
    if record is None:
        return None
    ids = {"clarus_id": clarus_id} if clarus_id else {}
    return record_after(record, command, outcome=verdict, ids=ids, problem="", now=now)


def mark_after(command: Command, state: str) -> OrderMark:
    """Return what the effect's new state changes about the order itself."""
    if state != "confirmed":
        return OrderMark()
    match command:
        case TakeLock():
            return OrderMark(lock=True)
        case LiftLock():
            return OrderMark(lock=False)
        case CarryTime():
            return OrderMark(carried_from=command.original_name)
        case _:
            return OrderMark()


def fate_of(state: str, records: Sequence[GoodsOutRecord]) -> KinFate:
    """Say what has become of an order at the warehouse, for its kin."""
    states = {record.state for record in records}
    if RecordState.FINISHED in states or state in ("part_despatched", "despatched"):
        return KinFate.DESPATCHED
    if RecordState.CREATING in states:
        return KinFate.UNKNOWN
    if states & {RecordState.LIVE, RecordState.RECALLING}:
        begun = state == "picking" or any(
            units for record in records if record.may_be_live for _, units in record.picked
        )
        return KinFate.PICKING if begun else KinFate.LIVE
    return KinFate.RECALLED if RecordState.RECALLED in states else KinFate.NEVER_SENT


def _note_of(outcome: Confirmed) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(outcome.ids.items()))
