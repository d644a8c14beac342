"""Every reason "not yet". Each gate says until when, or what would open it. Time alone opens only the timed ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pickgate.domain.decision import Gate
from pickgate.domain.facts import KinFate, Records
from pickgate.domain.lineage import Lineage
from pickgate.domain.policy import Policy, WindowPolicy
from pickgate.domain.shop import FulfilmentOrderStatus, ShopOrder
from pickgate.domain.tags import find_tags, has_any_tag

# Holds that concern only the goods they are on; every other hold means "this order may still change".
_LOCAL_HOLDS = {"AWAITING_RETURN_ITEMS", "INVENTORY_OUT_OF_STOCK", "UNKNOWN_DELIVERY_DATE"}
# Closed after the release, these say "stop": somebody asked for it, or the order may change after all.
STOPPING = frozenset({"hold_tag", "stop_tag", "shop_hold", "requested_edit"})


def decide_gates(
    order: ShopOrder, records: Records, lineage: Lineage, policy: Policy, *, now: datetime
) -> tuple[Gate, ...]:
    """Decide which gates are closed for this order now, as the shop, the policy and our operators have it.

    What the rulebook and the warehouse add (an unmapped SKU, a sibling being picked) is decided where it is found.
    """
    gates = [
        *_timed(order, policy.window, now),
        *_by_tag(order, policy.window),
        *_by_hold(order),
        *_by_payment(order, policy.window),
        *_by_request(order),
        *_by_operator(records, now),
        *_by_kin(order, lineage, policy, now),
    ]
    return tuple(gates)


def _timed(order: ShopOrder, window: WindowPolicy, now: datetime) -> Iterator[Gate]:
    if window.edit_window:
        until = order.created_at + window.edit_window + window.guard
        if now < until:
            yield Gate(code="edit_window", detail="The customer may still edit the order.", until=until)
    if order.cutoff_unreadable is not None:
        yield Gate(
            code="cutoff",
            detail=f"The editing cut-off cannot be read: {order.cutoff_unreadable}",
            opens_when="the metafield holds a date, or an operator releases the order",
        )
    elif order.cutoff_at is not None and now < order.cutoff_at + window.guard:
        until = order.cutoff_at + window.guard
        yield Gate(code="cutoff", detail="The editing app keeps the order open.", until=until)
    if now < order.created_at + window.min_age:
        until = order.created_at + window.min_age
        yield Gate(code="min_age", detail="Too young: other apps may still mark it.", until=until)
    if now < order.updated_at + window.quiet:
        yield Gate(code="quiet", detail="It changed a moment ago.", until=order.updated_at + window.quiet)


def _by_tag(order: ShopOrder, window: WindowPolicy) -> Iterator[Gate]:
    for tag in find_tags(order.tags, window.hold_tags):
        yield Gate(code="hold_tag", detail=f"Tagged {tag!r}.", opens_when=f"the tag {tag!r} is removed")
    for tag in find_tags(order.tags, window.stop_tags):
        yield Gate(
            code="stop_tag",
            detail=f"Tagged {tag!r}: somebody asked to stop it.",
            opens_when=f"the tag {tag!r} is removed, or the order is cancelled",
        )
    if window.release_tags and not has_any_tag(order.tags, window.release_tags):
        names = " or ".join(repr(tag) for tag in window.release_tags)
        yield Gate(code="release_tag", detail=f"Not tagged {names} yet.", opens_when=f"it is tagged {names}")


def _by_hold(order: ShopOrder) -> Iterator[Gate]:
    unsent = any(line.current > 0 and line.requires_shipping for line in order.lines)
    if unsent and not order.fulfilment_orders and order.cancelled_at is None:
        yield Gate(
            code="routing",
            detail="The shop has not made its fulfilment orders yet.",
            opens_when="the shop has routed the order",
            by_person=False,
        )
    for fulfilment_order in order.fulfilment_orders:
        if not fulfilment_order.is_open:
            continue
        foreign = [hold for hold in fulfilment_order.holds if not hold.ours]
        for hold in foreign:
            why = f"{hold.reason}{f' ({hold.notes})' if hold.notes else ''}"
            yield Gate(
                code="shop_hold",
                detail=f"Held in the shop: {why}.",
                opens_when="whoever placed the hold releases it",
                by_person=False,
                fulfilment_order_id=fulfilment_order.id if hold.reason in _LOCAL_HOLDS else None,
            )
        if fulfilment_order.status is FulfilmentOrderStatus.ON_HOLD and not fulfilment_order.holds:
            yield Gate(
                code="shop_hold",
                detail="On hold in the shop, by nobody we can see.",
                opens_when="the hold is released",
                by_person=False,
            )
        if fulfilment_order.status is FulfilmentOrderStatus.SCHEDULED:
            yield Gate(
                code="scheduled",
                detail="Scheduled for later.",
                until=fulfilment_order.fulfil_at,
                opens_when="the shop opens the fulfilment order",
                by_person=False,
                fulfilment_order_id=fulfilment_order.id,
            )
        if fulfilment_order.status in (FulfilmentOrderStatus.INCOMPLETE, FulfilmentOrderStatus.UNRECOGNISED):
            yield Gate(
                code="shop_status",
                detail=f"The fulfilment order's status is {fulfilment_order.status.value}.",
                opens_when="the shop opens the fulfilment order",
                by_person=False,
                fulfilment_order_id=fulfilment_order.id,
            )


def _by_payment(order: ShopOrder, window: WindowPolicy) -> Iterator[Gate]:
    # Part of the money went back: what is left of the order was paid for, unless a balance says otherwise.
    state = "PAID" if order.financial_status == "PARTIALLY_REFUNDED" else order.financial_status
    if order.financial_status not in window.payment_states and state not in window.payment_states:
        yield Gate(
            code="payment",
            detail=f"The payment state is {order.financial_status or 'unknown'}.",
            opens_when="it becomes " + " or ".join(window.payment_states),
        )
    elif order.totals.outstanding.minor > 0 and (order.edited or state == "PAID"):
        # A state that the shop chose to release unpaid (terms) is not held for its balance, unless an edit raised it.
        yield Gate(
            code="outstanding",
            detail=f"{order.totals.outstanding} is outstanding.",
            opens_when="the balance is paid, or the edit is reversed",
        )
    if not order.confirmed:
        yield Gate(
            code="unconfirmed",
            detail="The shop has not reserved the stock yet.",
            opens_when="the shop confirms the order",
            by_person=False,
        )


def _by_request(order: ShopOrder) -> Iterator[Gate]:
    if order.requested_edit is not None:
        yield Gate(
            code="requested_edit",
            detail="The customer has asked for a change that nobody has answered.",
            opens_when="the request is resolved or declined",
        )


def _by_operator(records: Records, now: datetime) -> Iterator[Gate]:
    hold = records.hold
    if hold is not None and (hold.until is None or now < hold.until):
        yield Gate(
            code="operator_hold",
            detail=f"Held by {hold.by}: {hold.reason}",
            until=hold.until,
            opens_when="an operator takes the hold off",
            by_person=False,
        )
    asked = records.cancel_request
    if asked is not None:
        yield Gate(
            code="operator_hold",
            detail=f"Taken back by {asked.by}: {asked.reason}",
            opens_when="an operator takes the hold off, or releases the order again",
            by_person=False,
        )


def _by_kin(order: ShopOrder, lineage: Lineage, policy: Policy, now: datetime) -> Iterator[Gate]:
    for link in lineage.predecessors:
        kin = link.kin
        if kin.is_out_of_the_way:
            continue
        waiting = {
            KinFate.DESPATCHED: f"{kin.name}, which it replaces, has already been despatched.",
            KinFate.PICKING: f"{kin.name}, which it replaces, is being picked.",
            KinFate.LIVE: f"{kin.name}, which it replaces, is still in the warehouse.",
            KinFate.UNKNOWN: f"What became of {kin.name}, which it replaces, is not known yet.",
        }.get(kin.fate, f"{kin.name}, which it replaces, is not cancelled.")
        yield Gate(code="predecessor", detail=waiting, opens_when=f"{kin.name} is cancelled and recalled")
    for link in lineage.suspects:
        yield Gate(
            code="duplicate_suspected",
            detail=f"It may be a twin: {link.evidence}.",
            opens_when=f"{link.kin.name} is cancelled and recalled, or an operator releases the order",
        )
    if lineage.orphan:
        yield Gate(
            code="duplicate_suspected",
            detail="Its tags say that it replaces another order, and none is found.",
            opens_when="the original is found, or an operator releases the order",
        )
    if lineage.successors and order.cancelled_at is None:
        names = ", ".join(link.kin.name for link in lineage.successors)
        yield Gate(
            code="successor",
            detail=f"{names} replaces it.",
            opens_when="an operator releases it all the same",
        )
    elif order.cancelled_at is None and has_any_tag(order.tags, policy.recreate.cancelled_tags):
        yield Gate(
            code="successor",
            detail="Its tags say that another order replaces it.",
            opens_when="it is cancelled, or an operator releases it all the same",
        )
