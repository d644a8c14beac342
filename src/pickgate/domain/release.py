"""Something is wanted that is not in the warehouse: may it be created now, or what keeps it?"""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime

from pickgate.domain.commands import CreateGoodsOut
from pickgate.domain.concerns import find_late_addition, find_stalled
from pickgate.domain.decision import Gate, Wanted
from pickgate.domain.facts import GoodsOutRecord, RecordState
from pickgate.domain.pairing import open_content
from pickgate.domain.situation import Reconciliation, Situation
from pickgate.domain.warehouse import Stage


def decide_release(
    result: Reconciliation, situation: Situation, wanted: Wanted, *, within: Set[str], recalling: bool
) -> None:
    """Decide whether this may be created now. `within`: goods-outs that hold no more than their own share of a line."""
    if situation.order.cancelled_at is not None:
        return
    blockers = _blockers(situation, wanted, within=within, recalling=recalling)
    result.gates.extend(gate for gate in blockers if gate not in result.gates)
    for gate in blockers:
        if gate.code == "late_addition":
            result.findings.append(find_late_addition(situation, wanted))
        if gate.code == "short_picked":
            result.findings.append(find_stalled(situation, wanted))
    closed = [
        gate
        for gate in (*situation.gates, *blockers)
        if gate.fulfilment_order_id in (None, wanted.fulfilment_order_id)
        and not (gate.by_person and situation.approval is not None)
    ]
    if closed or situation.records.cancel_request is not None:
        return
    number = _next_number(situation, result)
    earlier = [k for k in situation.known if k.record.fulfilment_order_id == wanted.fulfilment_order_id]
    result.commands.append(
        CreateGoodsOut(
            reference=_reference(situation, number),
            order_id=situation.order.id,
            number=number,
            fulfilment_order_id=wanted.fulfilment_order_id,
            group=wanted.group,
            generation=1 + len([k for k in earlier if k.record.group == wanted.group]),
            content=wanted.content,
            expected_despatch_at=situation.now,
            ordered_at=situation.ordered_at,
        )
    )


def _reference(situation: Situation, number: int) -> str:
    """The order's name without its sign, and which of its goods-outs this is; at most 50 characters."""
    name = situation.policy.reference_prefix + situation.order.name.lstrip("#")
    ending = f"-{number}"
    return name[: 50 - len(ending)] + ending


def _next_number(situation: Situation, result: Reconciliation) -> int:
    used = [k.record.number for k in situation.known]
    used += [c.number for c in result.commands if isinstance(c, CreateGoodsOut)]
    return max(used, default=0) + 1


def _blockers(situation: Situation, wanted: Wanted, *, within: Set[str], recalling: bool) -> list[Gate]:
    gates: list[Gate] = []
    if recalling:
        text = "A predecessor in the warehouse is being recalled."
        gates.append(
            Gate(code="recall", detail=text, opens_when="the warehouse shows it cancelled or gone", by_person=False)
        )
    lines = {line.line_id for line in wanted.content.lines}
    for known in situation.known:
        record = known.record
        shares = record.reference not in within and any(line.line_id in lines for line in open_content(known).lines)
        twin = known.seen is None and any(g.stage is not Stage.COMPLETED for g in known.twins)
        if twin or (record.may_be_live and shares and record.state is not RecordState.RECALLING):
            text = f"{record.reference} may still send the same goods."
            gates.append(Gate(code="sibling", detail=text, opens_when="it is recalled or finished", by_person=False))
        elif record.state is RecordState.LIVE and known.begun and record.content.warehouse == wanted.content.warehouse:
            text = f"{record.reference} is already being worked on; this was added after it."
            gates.append(
                Gate(
                    code="late_addition",
                    detail=text,
                    opens_when="it has left, or an operator releases the addition as a parcel of its own",
                    fulfilment_order_id=wanted.fulfilment_order_id,
                )
            )
        short = set(known.short_units) & lines if known.is_short else set()
        if short:
            text = f"{record.reference} left without all of it; the rest may be out of stock."
            gates.append(
                Gate(
                    code="short_picked",
                    detail=text,
                    opens_when="an operator sends the rest, or the order is edited",
                    fulfilment_order_id=wanted.fulfilment_order_id,
                )
            )
        if record.state is RecordState.REFUSED and record.content.fingerprint == wanted.content.fingerprint:
            refused_at = _refused_at(situation, record)
            if refused_at is not None and situation.now < refused_at + situation.policy.retry_refused_after:
                gates.append(
                    Gate(
                        code="refused",
                        detail="The warehouse refused exactly this.",
                        until=refused_at + situation.policy.retry_refused_after,
                        opens_when="the cause is mended, or an operator tries again",
                    )
                )
    return gates


def _refused_at(situation: Situation, record: GoodsOutRecord) -> datetime | None:
    times = [r.at for r in situation.records.refused if r.target == record.reference]
    refused_at = max(times, default=record.created_at)
    approval = situation.approval
    return None if approval is not None and refused_at is not None and approval.at > refused_at else refused_at
