"""Once work has begun, the order is closed to editing; the lock is read back, and lifted if the work is undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pickgate.domain.commands import Command, LiftLock, TakeLock
from pickgate.domain.facts import Records, RecordState
from pickgate.domain.findings import Finding
from pickgate.domain.learn import Known
from pickgate.domain.policy import LockPolicy
from pickgate.domain.shop import FulfilmentOrderStatus, ShopOrder
from pickgate.domain.tags import has_any_tag

LOCKED = "locked"
OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockDecision:
    command: Command | None = None
    finding: Finding | None = None
    locked: bool = False


def decide_lock(order: ShopOrder, known: Sequence[Known], records: Records, policy: LockPolicy) -> LockDecision:
    """Decide whether to take, keep or lift the lock. Written only on change, so that our own echo is silent.

    A lock that was taken, and that somebody undid, is reported and not fought over.
    """
    at_work = [k for k in known if k.begun and k.record.state in (RecordState.LIVE, RecordState.RECALLING)]
    finished = any(k.record.state is RecordState.FINISHED for k in known)
    tagged = bool(policy.tag) and has_any_tag(order.tags, [policy.tag])
    marked = bool(policy.metafield) and order.lock_value == LOCKED
    if order.cancelled_at is not None:
        return LockDecision(locked=tagged or marked)
    if at_work:
        return _take(order, at_work, records, policy, tagged=tagged, marked=marked)
    if finished or not (tagged or marked):
        return LockDecision(locked=tagged or marked)
    return LockDecision(command=_lift(order, known, policy, tagged=tagged))


def _take(
    order: ShopOrder, at_work: Sequence[Known], records: Records, policy: LockPolicy, *, tagged: bool, marked: bool
) -> LockDecision:
    add_tag = bool(policy.tag) and not tagged
    set_metafield = bool(policy.metafield) and not marked
    undone = [name for name, missing in (("tag", add_tag), ("metafield", set_metafield)) if missing]
    if records.lock_confirmed_at is not None and undone:
        return LockDecision(finding=_not_taken(order, f"its {' and '.join(undone)} were taken off again"))
    refused = next((r for r in records.refused if r.kind == "take_lock"), None)
    if refused is not None and undone:
        return LockDecision(finding=_not_taken(order, refused.problem))
    at = {k.record.fulfilment_order_id for k in at_work}
    report = tuple(
        f.id
        for f in order.fulfilment_orders
        if policy.report_progress and f.id in at and f.status is FulfilmentOrderStatus.OPEN and f.is_open
    )
    if refused is not None or records.lock_confirmed_at is not None:
        report = ()  # progress is reported once, with the lock; a refusal is not repeated
    if not (add_tag or set_metafield or report):
        return LockDecision(locked=True)
    command = TakeLock(
        order_id=order.id,
        tag=policy.tag,
        metafield=policy.metafield,
        value=LOCKED,
        add_tag=add_tag,
        set_metafield=set_metafield,
        report_progress_on=report,
    )
    return LockDecision(command=command, locked=True)


def _lift(order: ShopOrder, known: Sequence[Known], policy: LockPolicy, *, tagged: bool) -> LiftLock:
    ours = {k.record.fulfilment_order_id for k in known}
    reopen = tuple(
        f.id
        for f in order.fulfilment_orders
        if policy.report_progress and f.id in ours and f.status is FulfilmentOrderStatus.IN_PROGRESS
    )
    return LiftLock(
        order_id=order.id,
        tag=policy.tag,
        metafield=policy.metafield,
        value=OPEN,
        remove_tag=tagged,
        set_metafield=bool(policy.metafield) and order.lock_value == LOCKED,
        reopen=reopen,
    )


def _not_taken(order: ShopOrder, why: str) -> Finding:
    return Finding(
        code="LOCK_NOT_TAKEN",
        fingerprint="LOCK_NOT_TAKEN",
        summary=f"{order.name}: the warehouse has begun, and the shop does not keep the order locked: {why}.",
        detail={"why": why, "remedy": "Find the app that removes the lock, and tell it to leave the tag alone."},
        actions=("look_at_order", "resolve_exceptions"),
    )
