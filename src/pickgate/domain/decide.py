"""One look's decision, put together from its modules. Pure: same facts, rules, policy and time, same decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from pickgate.domain.commands import (
    CarryTime,
    Command,
    CreateGoodsOut,
    PlaceShopHold,
    RecallGoodsOut,
    ReleaseShopHold,
)
from pickgate.domain.compare import compare
from pickgate.domain.decision import Decision, Gate, OrderState, Reason, Wanted
from pickgate.domain.despatch import DespatchDecision, decide_despatch
from pickgate.domain.eligibility import decide_fulfilment_order_eligibility, decide_order_eligibility
from pickgate.domain.facts import Facts, GoodsOutRecord, Missing, Records, RecordState, Unreadable
from pickgate.domain.findings import Finding
from pickgate.domain.gates import decide_gates
from pickgate.domain.learn import Known, learn
from pickgate.domain.lineage import Lineage, decide_lineage
from pickgate.domain.lock import decide_lock
from pickgate.domain.policy import Policy
from pickgate.domain.projection import Projection, project
from pickgate.domain.reconcile import decide_reconciliation
from pickgate.domain.rules import Rules
from pickgate.domain.shop import FulfilmentOrderStatus, ShopOrder
from pickgate.domain.situation import Reconciliation, Situation
from pickgate.domain.watch import (
    find_lineage_findings,
    find_refund_over_capture,
    find_stalled,
    find_stuck_holds,
    find_told_without_leaving,
    find_unknown_effects,
    find_unpaid_edit,
    unpaid_at,
)

HOLD_HANDLE = "pickgate-window"
_STOPPING = {"SKU_UNMAPPED", "LOCATION_UNMAPPED", "SERVICE_UNMAPPED", "ADDRESS_UNUSABLE", "WMS_REFUSED"}


class CannotDecide(Exception):
    """What must be read could not be: nothing may be concluded, and nothing is done. Look again later."""

    def __init__(self, unreadable: Unreadable) -> None:
        super().__init__(unreadable.why)
        self.unreadable = unreadable


def decide(facts: Facts, rules: Rules, policy: Policy, *, now: datetime) -> Decision:
    """Decide everything about one order.

    Raises CannotDecide when the order or the warehouse could not be read: then no gate may open and no exception may be
    closed, so there is no decision at all.
    """
    if isinstance(facts.order, Unreadable):
        raise CannotDecide(facts.order)
    if isinstance(facts.goods_outs, Unreadable):
        raise CannotDecide(facts.goods_outs)
    known = learn(facts.records.goods_outs, facts.goods_outs, policy, now=now)
    if isinstance(facts.order, Missing):
        return _missing_order(facts, known)
    order = facts.order
    not_ours = decide_order_eligibility(order, policy)
    if not_ours is not None and not known:
        return Decision(
            state=OrderState.IGNORED,
            reasons=(Reason(text=not_ours.text),),
            comparison=compare(order, known, ()),
        )
    lineage = decide_lineage(order, facts.kin, policy.recreate)
    despatch = decide_despatch(order, known, facts.records, facts.parcels, policy, now=now)
    projection = project(facts, order, rules, policy, despatch.unreported)
    if order.cancelled_at is not None:
        projection = Projection(reasons=projection.reasons)
    fingerprint = _fingerprint(order, projection.wanted)
    gates = [*decide_gates(order, facts.records, lineage, policy, now=now), *_problem_gates(projection)]
    reconciliation = decide_reconciliation(
        Situation(
            order=order,
            known=known,
            wanted=projection.wanted,
            records=facts.records,
            policy=policy,
            gates=gates,
            fingerprint=fingerprint,
            ordered_at=min([order.created_at, *(link.kin.created_at for link in lineage.predecessors)]),
            now=now,
        )
    )
    lock = decide_lock(order, known, facts.records, policy.lock)
    gates += reconciliation.gates
    commands: list[Command] = [lock.command] if lock.command is not None else []
    commands += [*despatch.commands, *reconciliation.commands]
    commands += _shop_holds(order, projection, known, gates, policy)
    commands += _carried_time(order, lineage)
    commands, refusals = _without_refused(order, commands, facts.records, policy, now)
    waiting = _is_waiting(projection, known, gates, reconciliation)
    findings = [
        *(p.finding for p in projection.problems if p.finding is not None and waiting),
        *reconciliation.findings,
        *despatch.findings,
        *refusals,
        *_watched(facts, order, known, lineage, gates, policy, waiting=waiting, now=now),
    ]
    if lock.finding is not None:
        findings.append(lock.finding)
    records = tuple(_settled_record(k, despatch, reconciliation) for k in known)
    decision = Decision(
        state=OrderState.WAITING,
        commands=tuple(commands),
        gates=tuple(gates) if waiting else tuple(g for g in gates if g.code == "recall"),
        findings=_distinct(findings),
        reasons=tuple(dict.fromkeys([*projection.reasons, *despatch.reasons, *reconciliation.reasons])),
        wanted=tuple(projection.wanted),
        records=records,
        comparison=compare(order, known, projection.wanted),
        locked=lock.locked,
        fingerprint=fingerprint,
        superseded_by=lineage.successors[0].kin.name if lineage.successors else None,
        supersedes=tuple(link.kin.name for link in lineage.predecessors),
    )
    state = _state(order, known, projection, decision, lineage, now=now)
    return replace(
        decision, state=state, next_look_at=_next_look(facts, order, decision, known, despatch, policy, now=now)
    )


def _missing_order(facts: Facts, known: Sequence[Known]) -> Decision:
    """The shop has no such order: deleted, or out of our sight. The warehouse's part is never thrown away unseen."""
    live = [k.record.reference for k in known if k.record.may_be_live]
    findings: tuple[Finding, ...] = ()
    if live:
        findings = (
            Finding(
                code="SYNC_ILLUSION",
                fingerprint=f"SYNC_ILLUSION:missing:{'+'.join(live)}",
                summary=f"The shop shows no such order any more; the warehouse holds {', '.join(live)}.",
                detail={
                    "references": live,
                    "remedy": "Deleted, or older than the app may read: find out, then cancel it.",
                },
                actions=("look_at_order", "cancel_in_warehouse", "resolve_exceptions"),
            ),
        )
    return Decision(
        state=OrderState.STOPPED if live else OrderState.IGNORED,
        findings=findings,
        reasons=(Reason(text="The shop answers that there is no such order."),),
        records=tuple(k.record for k in known),
    )


def _fingerprint(order: ShopOrder, wanted: Sequence[Wanted]) -> str:
    """Hash what an approval is bound to: what is to be sent, and what the order holds altogether.

    After a part has left, the rest of an edited order may look just like something that was approved before.
    """
    held = ",".join(f"{line.id}={line.current}" for line in order.lines if line.current)
    text = "|".join(sorted(f"{w.fulfilment_order_id}/{w.group}/{w.content.fingerprint}" for w in wanted)) + f"#{held}"
    return sha256(text.encode()).hexdigest()[:16]


def _problem_gates(projection: Projection) -> list[Gate]:
    by_person = {"rule_hold"}
    return [
        Gate(
            code=p.gate,
            detail=p.text,
            opens_when="an operator releases the order" if p.gate in by_person else "the cause is mended",
            by_person=p.gate in by_person,
            fulfilment_order_id=p.fulfilment_order_id,
        )
        for p in projection.problems
    ]


def _is_waiting(
    projection: Projection, known: Sequence[Known], gates: Sequence[Gate], reconciliation: Reconciliation
) -> bool:
    """Something is wanted that no live goods-out covers, or what is wanted cannot be said yet."""
    wanted = projection.wanted
    if not wanted:
        return bool(projection.problems) or (not known and any(gate.code == "routing" for gate in gates))
    covered = {line.line_id for k in known if k.record.may_be_live for line in k.record.content.lines}
    recalling = any(k.record.state is RecordState.RECALLING for k in known)
    added = any(line.line_id not in covered for w in wanted for line in w.content.lines)
    return recalling or reconciliation.uncovered or added


def _shop_holds(
    order: ShopOrder, projection: Projection, known: Sequence[Known], gates: Sequence[Gate], policy: Policy
) -> list[Command]:
    sent = {k.record.fulfilment_order_id for k in known if k.record.state in (RecordState.LIVE, RecordState.FINISHED)}
    commands: list[Command] = []
    for f in order.fulfilment_orders:
        ours = tuple(h.id for h in f.holds if h.ours and h.handle.startswith("pickgate-"))
        if ours and (f.id in sent or not policy.window.place_shop_hold):
            commands.append(ReleaseShopHold(fulfilment_order_id=f.id, hold_ids=ours))
        elif (
            policy.window.place_shop_hold
            and not ours
            and gates
            and f.is_open
            and f.id in projection.places
            and f.id not in sent
            and f.status in (FulfilmentOrderStatus.OPEN, FulfilmentOrderStatus.ON_HOLD)
            and decide_fulfilment_order_eligibility(f) is None
        ):
            notes = "Waits until the order may no longer change."
            commands.append(PlaceShopHold(fulfilment_order_id=f.id, handle=HOLD_HANDLE, notes=notes))
    return commands


def _carried_time(order: ShopOrder, lineage: Lineage) -> list[Command]:
    original = lineage.original
    if original is None or order.cancelled_at is not None or order.original_order == original.name:
        return []
    return [
        CarryTime(order_id=order.id, original_name=original.name, original_created_at=original.created_at),
    ]


def _without_refused(
    order: ShopOrder, commands: Sequence[Command], records: Records, policy: Policy, now: datetime
) -> tuple[list[Command], list[Finding]]:
    """Leave out what was refused a short while ago: the same request would get the same answer."""
    refused = {r.key: r for r in records.refused if now - r.at < policy.retry_refused_after}
    kept: list[Command] = []
    findings: list[Finding] = []
    for command in commands:
        refusal = refused.get(command.key)
        own_recall = isinstance(command, RecallGoodsOut) and "@" not in command.reference
        if refusal is None or isinstance(command, CreateGoodsOut) or own_recall:
            # Creations and recalls are not repeated by what their record says; a status that moves opens a recall anew.
            kept.append(command)
        elif refusal.kind not in ("take_lock", "lift_lock", "recall_goods_out", "amend_goods_out"):
            findings.append(
                Finding(
                    code="SHOP_REFUSED",
                    fingerprint=f"SHOP_REFUSED:{command.key}",
                    summary=f"{order.name}: the shop refused {refusal.kind.replace('_', ' ')}: {refusal.problem}",
                    detail={"kind": refusal.kind, "target": refusal.target, "problem": refusal.problem},
                    actions=("look_at_order", "resolve_exceptions"),
                )
            )
    return kept, findings


def _watched(
    facts: Facts,
    order: ShopOrder,
    known: Sequence[Known],
    lineage: Lineage,
    gates: Sequence[Gate],
    policy: Policy,
    *,
    waiting: bool,
    now: datetime,
) -> list[Finding]:
    findings = list(find_unknown_effects(order.name, facts.records, policy, now=now))
    findings += find_stalled(facts, order, known, policy)
    findings += find_told_without_leaving(order, known)
    over = find_refund_over_capture(order)
    if over is not None:
        findings.append(over)
    if not waiting or order.cancelled_at is not None:
        return findings
    unpaid = find_unpaid_edit(order, gates, policy, now=now)
    findings += [unpaid] if unpaid is not None else find_stuck_holds(order, gates, facts.records, policy, now=now)
    if facts.records.approval is None:
        findings += find_lineage_findings(order, lineage, policy, now=now)
    return findings


def _settled_record(known: Known, despatch: DespatchDecision, reconciliation: Reconciliation) -> GoodsOutRecord:
    record = reconciliation.adopted.get(known.record.reference, known.record)
    told = despatch.records.get(known.record.reference)
    return replace(record, told=told.told) if told is not None else record


def _distinct(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple({finding.fingerprint: finding for finding in findings}.values())


def _state(
    order: ShopOrder,
    known: Sequence[Known],
    projection: Projection,
    decision: Decision,
    lineage: Lineage,
    *,
    now: datetime,
) -> OrderState:
    live = [k for k in known if k.record.may_be_live]
    left = any(k.left for k in known) or any(not f.cancelled for f in order.fulfilments)
    if any(k.begun for k in live):
        return OrderState.PART_DESPATCHED if left else OrderState.PICKING
    if any(k.record.state is RecordState.CREATING for k in live):
        return OrderState.RELEASING
    if live:
        return OrderState.PART_DESPATCHED if left else OrderState.IN_WAREHOUSE
    if order.cancelled_at is not None:
        if left:
            return OrderState.DESPATCHED
        return OrderState.SUPERSEDED if lineage.successors else OrderState.CANCELLED
    if any(isinstance(command, CreateGoodsOut) for command in decision.commands):
        return OrderState.RELEASING
    if not projection.wanted and not projection.problems:
        if left:
            return OrderState.DESPATCHED
        return _nothing_wanted(order)
    if any(finding.code in _STOPPING for finding in decision.findings):
        return OrderState.STOPPED
    return OrderState.PART_DESPATCHED if left else OrderState.WAITING


def _nothing_wanted(order: ShopOrder) -> OrderState:
    if not order.fulfilment_orders and any(line.current > 0 and line.requires_shipping for line in order.lines):
        return OrderState.WAITING  # not routed yet
    if any(line.current > 0 and line.requires_shipping for line in order.lines):
        return OrderState.IGNORED  # other services' locations, pickup, the till
    return OrderState.CANCELLED  # every line was taken off


def _next_look(
    facts: Facts,
    order: ShopOrder,
    decision: Decision,
    known: Sequence[Known],
    despatch: DespatchDecision,
    policy: Policy,
    *,
    now: datetime,
) -> datetime | None:
    """When time alone may change the decision. None: only a hint, the poll or the sweep can."""
    times: list[datetime] = []
    soon = timedelta(seconds=15)
    if facts.records.unknown or any(k.record.state is RecordState.RECALLING for k in known):
        times.append(now + soon)
    if any(k.record.state is not r.state for k, r in zip(known, decision.records, strict=True)):
        times.append(now + timedelta(seconds=1))  # what was taken away by hand: what follows is decided at once
    times += [
        k.record.created_at + policy.create_settle
        for k in known
        if k.record.state is RecordState.LIVE and k.seen is None and k.record.created_at is not None
    ]
    if despatch.wait_until is not None:
        times.append(min(despatch.wait_until, now + timedelta(seconds=60)))
    if any(g.code == "routing" for g in decision.gates):
        times.append(now + (timedelta(seconds=5) if now - order.created_at < timedelta(minutes=1) else 4 * soon))
    blocking = [g for g in decision.gates if g.fulfilment_order_id is None]
    if blocking and all(g.until is not None for g in blocking):
        times.append(max(g.until for g in blocking if g.until is not None))
    times += [g.until for g in decision.gates if g.fulfilment_order_id is not None and g.until is not None]
    if order.edited and order.totals.outstanding.minor > 0 and decision.gates:
        times.append(unpaid_at(order, policy))
    if any(g.code == "unreadable" for g in decision.gates):
        times.append(now + 2 * soon)
    future = [at for at in times if at > now]
    return min(future, default=now + soon if any(at <= now for at in times) and decision.commands else None)
