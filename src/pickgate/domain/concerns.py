"""The exceptions that a reconciliation finds, in words that a person can act on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from pickgate.domain.addresses import fit_address
from pickgate.domain.decision import Wanted
from pickgate.domain.differences import describe_difference
from pickgate.domain.facts import GoodsOutRecord
from pickgate.domain.findings import Finding
from pickgate.domain.learn import Known
from pickgate.domain.situation import Situation

LATE_CHOICES = ("look_at_order", "cancel_in_warehouse", "resolve_exceptions")


def find_late_edit(situation: Situation, known: Known, difference: Sequence[str]) -> Finding:
    status = known.seen.status_code if known.seen else known.record.stage_code
    return Finding(
        code="LATE_EDIT",
        fingerprint=f"LATE_EDIT:{known.record.reference}:{hash_of(difference)}",
        summary=f"{situation.order.name} was edited after the warehouse began ({status}): {' '.join(difference)}",
        detail={
            "reference": known.record.reference,
            "status": status,
            "difference": list(difference),
            "choices": [
                "Leave it, and refund or charge the difference.",
                "Stop the parcel: cancel it in the warehouse, and hold the order.",
                "Put back and reissue: cancel it in the warehouse, then release the order again.",
            ],
        },
        actions=LATE_CHOICES,
    )


def find_redirect(situation: Situation, known: Known) -> Finding | None:
    """It has left, and the order now names another address: the carrier may still turn it, for a while."""
    record, address = known.record, situation.order.address
    since = situation.now - (record.finished_at or situation.now)
    if address is None or not address.line1 or since > situation.policy.redirect_within:
        return None
    held = record.content.address
    now_wanted = replace(record.content, address=replace(fit_address(address), email=held.email, phone=held.phone))
    difference = describe_difference(situation.order, record.content, now_wanted)
    if not difference:
        return None
    return Finding(
        code="LATE_EDIT",
        fingerprint=f"LATE_EDIT:{record.reference}:{hash_of(difference)}",
        summary=f"{situation.order.name} was edited after {record.reference} had left: {' '.join(difference)}",
        detail={
            "reference": record.reference,
            "status": record.stage_code,
            "difference": list(difference),
            "choices": ["Ask the carrier to redirect the parcel.", "Leave it, and tell the customer."],
        },
        actions=("look_at_order", "resolve_exceptions"),
    )


def find_late_addition(situation: Situation, wanted: Wanted) -> Finding:
    difference = describe_difference(situation.order, None, wanted.content)
    return Finding(
        code="LATE_EDIT",
        fingerprint=f"LATE_EDIT:addition:{wanted.fulfilment_order_id}:{hash_of(difference)}",
        summary=f"{situation.order.name}: added after the warehouse began: {' '.join(difference)}",
        detail={
            "fulfilment_order_id": wanted.fulfilment_order_id,
            "difference": list(difference),
            "choices": [
                "Wait: it goes out as soon as the first parcel has left.",
                "Release it now, as a parcel of its own.",
                "Stop the first parcel: cancel it in the warehouse, then release the whole order again.",
            ],
        },
        actions=("look_at_order", "release_order", "cancel_in_warehouse", "resolve_exceptions"),
    )


def find_cancel_too_late(situation: Situation, known: Known) -> Finding:
    record = known.record
    left = sum(known.left.values())
    status = known.seen.status_code if known.seen else record.stage_code
    happened = f"{left} units have left" if left else f"the warehouse is at {status}"
    return Finding(
        code="CANCEL_TOO_LATE",
        fingerprint=f"CANCEL_TOO_LATE:{record.reference}",
        summary=f"{situation.order.name}: cancelled, and {happened} ({record.reference}).",
        detail={
            "reference": record.reference,
            "status": status,
            "left": dict(known.left),
            "refusal": record.recall_refused or "",
            "choices": ["Stop the parcel at the packing bench.", "Ask the carrier to return it.", "Refund on return."],
        },
        actions=LATE_CHOICES,
    )


def find_missing(situation: Situation, known: Known, what: str) -> Finding:
    reference = known.record.reference
    return Finding(
        code="WMS_ORDER_MISSING",
        fingerprint=f"WMS_ORDER_MISSING:{reference}:{what}",
        summary=f"{situation.order.name}: {reference} {what}. It is not sent again by itself.",
        detail={"reference": reference, "clarus_id": known.record.clarus_id or ""},
        actions=("look_at_order", "release_order", "resolve_exceptions"),
    )


def find_refused(situation: Situation, record: GoodsOutRecord) -> Finding:
    refusals = [r for r in situation.records.refused if r.target == record.reference]
    newest = max(refusals, key=lambda r: r.at, default=None)
    code = newest.code if newest is not None else "WMS_REFUSED"
    problem = newest.problem if newest is not None else "no reason is recorded"
    return Finding(
        code=code,
        fingerprint=f"{code}:{record.content.fingerprint}",
        summary=f"{situation.order.name}: the warehouse refused {record.reference}: {problem}",
        detail={"reference": record.reference, "problem": problem},
        actions=("look_at_order", "release_order", "resolve_exceptions"),
    )


def find_stalled(situation: Situation, wanted: Wanted) -> Finding:
    missing = [f"{n.units} × {n.product_code}" for n in wanted.content.lines]
    return Finding(
        code="PART_FULFILMENT_STALLED",
        fingerprint=f"PART_FULFILMENT_STALLED:{wanted.fulfilment_order_id}:{wanted.content.fingerprint}",
        summary=f"{situation.order.name}: part has left, and {', '.join(missing)} has not.",
        detail={
            "missing": missing,
            "choices": ["Release the order to send the rest.", "Refund the rest in the shop."],
        },
        actions=("look_at_order", "release_order", "resolve_exceptions"),
    )


def hash_of(parts: Sequence[str]) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:12]
