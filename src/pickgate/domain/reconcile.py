"""Compare what should exist in the warehouse with what does, and say what follows.

Nothing there → create; equal → silence; different and not begun → amend, or recall, await the confirmation and reissue;
different and begun → a person decides. A creation never goes together with a recall that is not confirmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pickgate.domain.commands import AmendGoodsOut, RecallGoodsOut
from pickgate.domain.concerns import (
    LATE_CHOICES,
    find_cancel_too_late,
    find_late_edit,
    find_missing,
    find_redirect,
    find_refused,
)
from pickgate.domain.decision import Gate, Reason, Wanted
from pickgate.domain.differences import describe_difference
from pickgate.domain.facts import GoodsOutRecord, RecordState
from pickgate.domain.findings import Finding
from pickgate.domain.gates import STOPPING
from pickgate.domain.learn import Known
from pickgate.domain.pairing import holds_within, open_content, pair_goods_outs
from pickgate.domain.policy import Policy
from pickgate.domain.release import decide_release
from pickgate.domain.situation import Reconciliation, Situation
from pickgate.domain.warehouse import Part, Stage

_BEFORE_ALLOCATION = frozenset({Stage.DRAFT, Stage.PENDING})
_BEFORE_PICKING = _BEFORE_ALLOCATION | {Stage.ALLOCATED, Stage.PART_ALLOCATED}


def decide_reconciliation(situation: Situation) -> Reconciliation:
    """Decide the commands that bring the warehouse to what is wanted, and what stops them."""
    result = Reconciliation()
    live = [k for k in situation.known if k.record.may_be_live]
    live.sort(key=lambda k: (not k.begun, -k.record.number))  # of two for one fulfilment order, the begun one counts
    pairs, free_wanted = pair_goods_outs(live, situation.wanted)
    for known, wanted in pairs:
        _judge(result, situation, known, wanted)
    for known in situation.known:
        _look_after(result, situation, known)
    recalling = any(k.record.state is RecordState.RECALLING for k in live)
    recalling = recalling or any(isinstance(c, RecallGoodsOut) for c in result.commands)
    within = {known.record.reference for known, wanted in pairs if wanted is not None and holds_within(known, wanted)}
    result.uncovered = bool(free_wanted)
    for wanted in free_wanted:
        decide_release(result, situation, wanted, within=within, recalling=recalling)
    return result


# ── a goods-out that may be live ─────────────────────────────────────────────────────────────────────────────────────


def _judge(result: Reconciliation, situation: Situation, known: Known, wanted: Wanted | None) -> None:
    record = known.record
    if any(effect.target == record.reference for effect in situation.records.unknown):
        result.reasons.append(Reason(text=f"{record.reference}: an outcome is unknown; nothing is done until it is."))
        return
    if known.seen is None:
        if record.state is RecordState.LIVE:
            _gone_by_hand(result, situation, known, wanted, "is gone from the warehouse")
        return
    if known.seen.stage is Stage.CANCELLED and record.state is RecordState.LIVE:
        _gone_by_hand(result, situation, known, wanted, "was cancelled in the warehouse by hand")
        return
    if record.state is RecordState.RECALLING:
        _await_recall(result, situation, known)
        return
    asked = situation.records.cancel_request
    if asked is not None:
        _recall(result, situation, known, f"{asked.by}: {asked.reason}")
        return
    if wanted is None or situation.order.cancelled_at is not None:
        _not_wanted(result, situation, known)
        return
    stop = _find_stop(situation)
    if stop is not None and not known.begun:
        _recall(result, situation, known, stop.detail)
        return
    if not known.lines_as_recorded and not _settle_lines(result, situation, known, wanted):
        return
    held = open_content(replace(known, record=result.adopted.get(record.reference, record)))
    changed = held.changed_parts(wanted.content)
    if known.begun and (changed or stop is not None):
        asked_to_stop = (stop.detail,) if stop is not None else ()
        difference = (*asked_to_stop, *describe_difference(situation.order, held, wanted.content))
        result.findings.append(find_late_edit(situation, known, difference))
    elif not changed:
        return
    elif _can_amend(situation.policy, known, changed):
        line_ids = tuple((n.product_code, n.id) for n in known.seen.lines)
        result.commands.append(
            AmendGoodsOut(
                reference=record.reference,
                clarus_id=known.seen.id,
                content=wanted.content,
                previous=record.content,
                line_ids=line_ids,
            )
        )
    else:
        edited = " ".join(describe_difference(situation.order, held, wanted.content))
        _recall(result, situation, known, f"The order was edited. {edited}")


def _find_stop(situation: Situation) -> Gate | None:
    """A gate that closed again after the release. What an operator released in spite of it is not stopped by it."""
    approved = situation.records.approval is not None
    stops = (g for g in situation.gates if g.code in STOPPING and g.fulfilment_order_id is None)
    return next((gate for gate in stops if not (gate.by_person and approved)), None)


def _not_wanted(result: Reconciliation, situation: Situation, known: Known) -> None:
    cancelled = situation.order.cancelled_at is not None
    if not open_content(known).lines and known.begun:
        return  # all of it has left: see _look_after, and despatch
    why = "The order was cancelled." if cancelled else "Nothing of it is wanted any more."
    if not known.begun:
        _recall(result, situation, known, why)
    elif not cancelled:
        difference = describe_difference(situation.order, open_content(known), None)
        result.findings.append(find_late_edit(situation, known, difference))
    elif known.record.recall_refused is None and situation.policy.cancel_while_picking:
        _recall(result, situation, known, why)
    else:
        result.findings.append(find_cancel_too_late(situation, known))


def _recall(result: Reconciliation, situation: Situation, known: Known, why: str) -> None:
    record = known.record
    if record.recall_refused is not None:
        if situation.order.cancelled_at is not None or situation.records.cancel_request is not None:
            result.findings.append(find_cancel_too_late(situation, known))
        else:
            result.findings.append(find_late_edit(situation, known, (why, record.recall_refused)))
        return
    clarus_id = known.seen.id if known.seen else record.clarus_id or ""
    result.commands.append(
        RecallGoodsOut(reference=record.reference, account=record.content.account, clarus_id=clarus_id, because=why)
    )
    result.reasons.append(Reason(text=f"Recall {record.reference}: {why}"))


def _await_recall(result: Reconciliation, situation: Situation, known: Known) -> None:
    record = known.record
    asked = record.recall_asked_at or situation.now
    text = f"The recall of {record.reference} is not confirmed yet."
    result.gates.append(
        Gate(code="recall", detail=text, opens_when="the warehouse shows it cancelled or gone", by_person=False)
    )
    if situation.now - asked <= situation.policy.recall_patience:
        return
    if known.begun and (situation.order.cancelled_at is not None or situation.records.cancel_request is not None):
        result.findings.append(find_cancel_too_late(situation, known))
    elif known.begun:
        result.findings.append(find_late_edit(situation, known, ("Its recall was asked for, and work has begun.",)))
    clarus_id = known.seen.id if known.seen else record.clarus_id or ""
    result.commands.append(
        RecallGoodsOut(
            reference=record.reference,
            account=record.content.account,
            clarus_id=clarus_id,
            because="The recall was accepted, and the warehouse still holds it.",
        )
    )


def _gone_by_hand(result: Reconciliation, situation: Situation, known: Known, wanted: Wanted | None, what: str) -> None:
    """Somebody took it away in the warehouse. It is not sent again by itself; a person may say so."""
    record = known.record
    created_at = record.created_at or situation.now
    if known.seen is None and situation.now - created_at < situation.policy.create_settle:
        result.reasons.append(Reason(text=f"{record.reference} was accepted, and is not shown yet."))
    elif wanted is None or situation.order.cancelled_at is not None:
        result.adopted[record.reference] = replace(record, state=RecordState.RECALLED)
    elif situation.approval is not None and situation.approval.at > created_at:
        result.adopted[record.reference] = replace(record, state=RecordState.RECALLED)
        result.reasons.append(Reason(text=f"{situation.approval.by}: send it again. {situation.approval.reason}"))
    else:
        result.findings.append(find_missing(situation, known, what))


def _settle_lines(result: Reconciliation, situation: Situation, known: Known, wanted: Wanted) -> bool:
    """The warehouse's lines are not the ones it accepted. True when that is settled and the rest may be compared."""
    assert known.seen is not None
    holds = {n.product_code: n.ordered for n in known.seen.lines if n.ordered}
    if len(known.seen.lines) == len(holds) and holds == wanted.content.units_by_product():
        put_right = replace(known.record, content=replace(known.record.content, lines=wanted.content.lines))
        result.adopted[known.record.reference] = put_right
        text = f"{known.record.reference} was changed in the warehouse to what the order wants."
        result.reasons.append(Reason(text=text))
        return True
    code = "WMS_CHANGED_BY_HAND" if known.record.verified else "SYNC_ILLUSION"
    expected = known.record.content.units_by_product()
    side_by_side = {
        product: {"accepted": expected.get(product, 0), "holds": holds.get(product, 0)}
        for product in sorted({*expected, *holds})
    }
    what = "was changed by hand" if known.record.verified else "holds something else than it accepted"
    result.findings.append(
        Finding(
            code=code,
            fingerprint=f"{code}:{known.record.reference}:{sorted(holds.items())}",
            summary=f"{situation.order.name}: {known.record.reference} {what} in the warehouse.",
            detail={"reference": known.record.reference, "side_by_side": side_by_side},
            actions=LATE_CHOICES,
        )
    )
    return False


def _can_amend(policy: Policy, known: Known, changed: Sequence[Part]) -> bool:
    if known.record.amend_refused or known.seen is None or not set(changed) <= policy.amend:
        return False
    if Part.LINES in changed:
        codes = [n.product_code for n in known.seen.lines]
        return known.seen.stage in _BEFORE_ALLOCATION and len(set(codes)) == len(codes)
    return known.seen.stage in _BEFORE_PICKING


# ── what any goods-out may need ──────────────────────────────────────────────────────────────────────────────────────


def _look_after(result: Reconciliation, situation: Situation, known: Known) -> None:
    record = known.record
    for twin in known.twins:
        result.findings.append(
            Finding(
                code="DUPLICATE_SUSPECTED",
                fingerprint=f"DUPLICATE_SUSPECTED:twin:{record.reference}:{twin.id}",
                summary=f"{situation.order.name}: the warehouse holds {record.reference} twice.",
                detail={"reference": record.reference, "clarus_id": twin.id, "status": twin.status_code},
                actions=("look_at_order", "resolve_exceptions"),
            )
        )
        begun = twin.stage in situation.policy.work_begins_at or twin.stage is Stage.UNRECOGNISED or twin.picked > 0
        reference = f"{record.reference}@{twin.id}"
        unknown = any(e.target in (record.reference, reference) for e in situation.records.unknown)
        if not begun and not unknown and known.seen is not None:
            result.commands.append(
                RecallGoodsOut(
                    reference=reference,
                    account=record.content.account,
                    clarus_id=twin.id,
                    because=f"The warehouse holds {record.reference} twice.",
                )
            )
    if record.put_back:
        units = ", ".join(f"{count} × {code}" for code, count in record.put_back)
        result.findings.append(
            Finding(
                code="PUT_BACK",
                fingerprint=f"PUT_BACK:{record.reference}",
                summary=f"{situation.order.name}: put {units} back; {record.reference} was recalled while picked.",
                detail={"reference": record.reference, "units": dict(record.put_back)},
                actions=("resolve_exceptions",),
            )
        )
    over = record.state in (RecordState.FINISHED, RecordState.RECALLED) or not open_content(known).lines
    if over and known.left and situation.order.cancelled_at is not None:
        result.findings.append(find_cancel_too_late(situation, known))
    if record.state is RecordState.FINISHED and situation.order.cancelled_at is None and known.left:
        redirect = find_redirect(situation, known)
        result.findings += [redirect] if redirect is not None else []
    if record.state is RecordState.REFUSED and _still_refused(situation, record):
        result.findings.append(find_refused(situation, record))


def _still_refused(situation: Situation, record: GoodsOutRecord) -> bool:
    newest = max(situation.known, key=lambda k: k.record.number).record
    return newest is record and any(w.content.fingerprint == record.content.fingerprint for w in situation.wanted)
