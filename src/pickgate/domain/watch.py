"""Exceptions that time or kinship brings: a hold nobody lifts, an edit nobody pays, a twin, a lost outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pickgate.domain.decision import Gate
from pickgate.domain.despatch import fulfilled_units
from pickgate.domain.facts import Facts, Records, RecordState
from pickgate.domain.findings import Finding
from pickgate.domain.learn import Known
from pickgate.domain.lineage import Lineage
from pickgate.domain.pairing import open_content
from pickgate.domain.policy import Policy
from pickgate.domain.shop import ShopOrder

# Gates that age into HOLD_STUCK. The others have an exception of their own, or open by themselves.
_MAY_STICK = {
    "hold_tag", "stop_tag", "release_tag", "shop_hold", "payment", "outstanding", "requested_edit", "cutoff", "routing",
    "unconfirmed", "rule_hold", "shop_status", "successor",
}  # fmt: skip
# Gates that may last for days, with an end that is known.
_LONG_WAITS = {"edit_window", "cutoff", "scheduled", "operator_hold"}


def find_stuck_holds(
    order: ShopOrder, gates: Sequence[Gate], records: Records, policy: Policy, *, now: datetime
) -> Iterator[Finding]:
    """An untimed gate that has been closed for too long. Nothing is ever released because a timer lost patience."""
    if _waits_for_a_time(order, gates, now):
        return
    for code in dict.fromkeys(g.code for g in gates if g.until is None and g.code in _MAY_STICK):
        since = records.gates_since.get(code)
        if since is not None and now - since >= policy.window.stuck_after:
            gate = next(g for g in gates if g.code == code)
            yield Finding(
                code="HOLD_STUCK",
                fingerprint=f"HOLD_STUCK:{code}",
                summary=f"{order.name} has waited since {since:%d %b %H:%M} UTC: {gate.detail}",
                detail={"gate": code, "since": since.isoformat(), "opens_when": gate.opens_when},
                actions=("release_order", "hold_order", "resolve_exceptions") if gate.by_person else ("look_at_order",),
            )


def _waits_for_a_time(order: ShopOrder, gates: Sequence[Gate], now: datetime) -> bool:
    """The whole order waits for a known moment anyway, such as a pre-order's date: no hold beside it is stuck yet."""
    timed = [g for g in gates if g.code in _LONG_WAITS and g.until is not None and g.until > now]
    waiting = {g.fulfilment_order_id for g in timed}
    still_open = {f.id for f in order.fulfilment_orders if f.is_open}
    return None in waiting or (bool(still_open) and still_open <= waiting)


def unpaid_at(order: ShopOrder, policy: Policy) -> datetime:
    """From when on an edit that nobody has paid is somebody's business: the window is over, and then some."""
    window = policy.window
    ends = [order.created_at + window.edit_window + window.guard, order.updated_at]
    if order.cutoff_at is not None:
        ends.append(order.cutoff_at + window.guard)
    return max(ends) + window.unpaid_after


def find_unpaid_edit(order: ShopOrder, gates: Sequence[Gate], policy: Policy, *, now: datetime) -> Finding | None:
    owed = order.totals.outstanding
    if not order.edited or owed.minor <= 0 or not any(g.code in ("outstanding", "payment") for g in gates):
        return None
    if now < unpaid_at(order, policy):
        return None
    return Finding(
        code="EDIT_UNPAID",
        fingerprint=f"EDIT_UNPAID:{owed}",
        summary=f"{order.name} was edited, and {owed} is not paid. It waits.",
        detail={"outstanding": str(owed), "choices": ["Ask the customer to pay.", "Reverse the edit.", "Release it."]},
        actions=("look_at_order", "release_order", "resolve_exceptions"),
    )


def find_lineage_findings(order: ShopOrder, lineage: Lineage, policy: Policy, *, now: datetime) -> Iterator[Finding]:
    """A successor whose predecessor is not safely out of the way, or whose predecessor nobody can name.

    Apps do one thing after the other: what may only be unfinished is given some time. The gate is closed meanwhile.
    """
    patience_over = now - order.created_at >= policy.recreate_patience
    for link in lineage.predecessors:
        if not link.kin.is_out_of_the_way and (patience_over or link.kin.is_too_late):
            yield _duplicate(order, link.kin.name, link.kin.fate.value, link.evidence)
    for link in lineage.suspects:
        if patience_over or link.kin.is_too_late:
            yield _duplicate(order, link.kin.name, link.kin.fate.value, link.evidence)
    if lineage.orphan and patience_over:
        yield _duplicate(order, "", "", "its tags say that it replaces another order, and none is found")


def find_unknown_effects(order_name: str, records: Records, policy: Policy, *, now: datetime) -> Iterator[Finding]:
    for effect in records.unknown:
        if now - effect.since >= policy.unknown_after:
            yield Finding(
                code="EFFECT_UNKNOWN",
                fingerprint=f"EFFECT_UNKNOWN:{effect.key}",
                summary=f"{order_name}: did {effect.kind.replace('_', ' ')} ({effect.target}) take effect? Unknown.",
                detail={"key": effect.key, "since": effect.since.isoformat()},
                actions=("look_at_order", "resolve_exceptions"),
            )


def find_refund_over_capture(order: ShopOrder) -> Finding | None:
    received, refunded = order.totals.received, order.totals.refunded
    if refunded.minor <= received.minor:
        return None
    return Finding(
        code="REFUND_OVER_CAPTURE",
        fingerprint=f"REFUND_OVER_CAPTURE:{refunded.minor - received.minor}",
        summary=f"{order.name}: {refunded} refunded, and only {received} received.",
        detail={"received": str(received), "refunded": str(refunded)},
        actions=("resolve_exceptions",),
    )


def find_stalled(facts: Facts, order: ShopOrder, known: Sequence[Known], policy: Policy) -> Iterator[Finding]:
    """Part of a goods-out has left, and the rest has not moved for the set time."""
    for one in known:
        record = one.record
        changed_at = order.updated_at
        if record.state is not RecordState.LIVE or not one.left or facts.read_at - changed_at < policy.stalled_after:
            continue
        rest = open_content(one).lines
        if rest:
            missing = [f"{n.units} × {n.product_code}" for n in rest]
            yield Finding(
                code="PART_FULFILMENT_STALLED",
                fingerprint=f"PART_FULFILMENT_STALLED:{record.reference}:{missing}",
                summary=f"{order.name}: part of {record.reference} has left; {', '.join(missing)} has not moved since.",
                detail={"reference": record.reference, "missing": missing},
                actions=("look_at_order", "cancel_in_warehouse", "resolve_exceptions"),
            )


def find_told_without_leaving(order: ShopOrder, known: Sequence[Known]) -> Iterator[Finding]:
    """The shop shows units as sent that the warehouse finished without sending: both say fine, and one is wrong."""
    fulfilled = fulfilled_units(order)
    told = dict.fromkeys(fulfilled, 0)
    for one in known:
        for line, units in one.record.told:
            told[line] = told.get(line, 0) + units
    for one in known:
        if one.record.state is not RecordState.FINISHED:
            continue
        wrong = {
            line: min(short, fulfilled.get(line, 0) - told.get(line, 0))
            for line, short in one.short_units.items()
            if fulfilled.get(line, 0) > told.get(line, 0)
        }
        if wrong:
            side_by_side = {
                line: {"shop shows sent": fulfilled.get(line, 0), "left the warehouse": one.left.get(line, 0)}
                for line in wrong
            }
            yield Finding(
                code="SYNC_ILLUSION",
                fingerprint=f"SYNC_ILLUSION:told:{one.record.reference}:{sorted(wrong.items())}",
                summary=f"{order.name}: the shop shows units as sent that never left ({one.record.reference}).",
                detail={"reference": one.record.reference, "side_by_side": side_by_side},
                actions=("look_at_order", "resolve_exceptions"),
            )


def _duplicate(order: ShopOrder, other: str, fate: str, evidence: str) -> Finding:
    named = f" of {other}" if other else ""
    return Finding(
        code="DUPLICATE_SUSPECTED",
        fingerprint=f"DUPLICATE_SUSPECTED:{other}:{fate}",
        summary=f"{order.name} may be a twin{named}: {evidence}.",
        detail={"other": other, "fate": fate, "evidence": evidence},
        actions=("look_at_order", "release_order", "hold_order", "resolve_exceptions"),
    )
