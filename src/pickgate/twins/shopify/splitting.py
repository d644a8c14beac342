"""Move, split, merge, cancel and progress of fulfilment orders: their ids are not stable keys for the work."""

from __future__ import annotations

from collections.abc import Sequence

from pickgate.twins.shopify.catalogue import App, Location
from pickgate.twins.shopify.fulfilment_model import (
    FulfillmentOrder,
    FulfillmentOrderLineItem,
    MerchantRequest,
)
from pickgate.twins.shopify.model import Refused
from pickgate.twins.shopify.routing import add_units, announce, close, describe, new_fulfillment_order
from pickgate.twins.shopify.state import ShopState
from pickgate.twins.shopify.stock import commit, release

Parts = Sequence[tuple[FulfillmentOrderLineItem, int]]


def _like(shop: ShopState, fo: FulfillmentOrder, location: Location) -> FulfillmentOrder:
    new = new_fulfillment_order(shop, fo.order, location, fo.delivery_method.method_type)
    new.delivery_method.presented_name = fo.delivery_method.presented_name
    new.delivery_method.service_code = fo.delivery_method.service_code
    return new


def _shift(shop: ShopState, source: FulfillmentOrder, target: FulfillmentOrder, parts: Parts) -> None:
    for part, units in parts:
        if units < 1 or units > part.remaining_quantity:
            raise Refused("Invalid fulfillment order line item quantity.", code="INVALID_LINE_ITEM_QUANTITY")
        part.total_quantity -= units
        part.remaining_quantity -= units
        add_units(shop, target, part.line_item, units)
        if source.location is not target.location:
            release(shop, part.line_item, source.location, units, restock=True)
            commit(shop, part.line_item, target.location, units)
            part.line_item.location = target.location
    source.line_items = [part for part in source.line_items if part.total_quantity]
    source.updated_at = shop.stamp()


def split_off(shop: ShopState, fo: FulfillmentOrder, kept: Parts) -> FulfillmentOrder | None:
    """Keep these units and move the rest into a new fulfilment order; None when nothing is left over."""
    wanted = {part.id: units for part, units in kept}
    rest = [
        (part, part.remaining_quantity - wanted.get(part.id, 0))
        for part in fo.line_items
        if part.remaining_quantity > wanted.get(part.id, 0)
    ]
    if any(units < 1 or units > part.remaining_quantity for part, units in kept):
        raise Refused("Invalid quantity.", code="INVALID_LINE_ITEM_QUANTITY")
    if not rest:
        return None
    remaining = _like(shop, fo, fo.location)
    _shift(shop, fo, remaining, rest)
    return remaining


def split_fulfillment_order(
    shop: ShopState, fo: FulfillmentOrder, kept: Parts, *, app: App | None = None
) -> FulfillmentOrder:
    """Split: `fo` keeps the listed units, the answer is the new fulfilment order with the rest."""
    shop.tick()
    if fo.status != "OPEN":
        raise Refused("The fulfillment order is not in a splittable state.", code="GREATER_THAN")
    if not kept:
        raise Refused("No line items provided.", code="NO_LINE_ITEMS_PROVIDED_TO_SPLIT")
    remaining = split_off(shop, fo, kept)
    if remaining is None:
        raise Refused("Nothing would remain.", code="INVALID_LINE_ITEM_QUANTITY")
    _changed(shop, "fulfillment_order_split", fo, remaining, app)
    other = {"id": remaining.id, "status": remaining.status.lower()}
    announce(shop, "fulfillment_orders/split", fo, remaining_fulfillment_order=other)
    return remaining


def move_fulfillment_order(
    shop: ShopState,
    fo: FulfillmentOrder,
    location: Location,
    parts: Parts = (),
    *,
    app: App | None = None,
) -> FulfillmentOrder:
    """
    Move units to another location; without `parts` all of them.

    Returns where they are now: the same fulfilment order when everything could move, else another one.
    """
    shop.tick()
    if not fo.active:
        raise Refused("Cannot change location.")
    if fo.progress_reported:
        raise Refused(
            "Cannot move a fulfillment order that has had progress reported.",
            code="CANNOT_MOVE_FULFILLMENT_ORDER_WITH_REPORTED_PROGRESS",
        )
    if fo.request_status in ("SUBMITTED", "ACCEPTED", "CANCELLATION_REQUESTED", "CANCELLATION_REJECTED"):
        raise Refused("Cannot move submitted fulfillment order that is at a 3PL fulfillment service.")
    everything = [(part, part.remaining_quantity) for part in fo.line_items if part.remaining_quantity]
    whole = not parts or {p.id: n for p, n in parts} == {p.id: n for p, n in everything}
    shipped = any(part.total_quantity != part.remaining_quantity for part in fo.line_items)
    occupied = any(
        other.active and other is not fo and other.location is location for other in fo.order.fulfillment_orders
    )
    before = fo.location
    if whole and not shipped and not occupied:
        for part, units in everything:
            release(shop, part.line_item, before, units, restock=True)
            commit(shop, part.line_item, location, units)
            part.line_item.location = location
        fo.location, moved = location, fo
    else:
        moved = _like(shop, fo, location)
        _shift(shop, fo, moved, everything if whole else parts)
        if fo.remaining == 0:
            close(shop, fo)
    _changed(shop, "fulfillment_order_moved", fo, moved, app)
    body = {
        "original_fulfillment_order": {"id": fo.id, "status": fo.status.lower()},
        "moved_fulfillment_order": {"id": moved.id, "status": moved.status.lower()},
        "destination_location_id": location.id,
        "source_location": {"id": before.id},
    }
    shop.hooks.announce(["fulfillment_orders/moved"], lambda: body)
    return moved


def merge_fulfillment_orders(
    shop: ShopState, fos: Sequence[FulfillmentOrder], *, app: App | None = None
) -> FulfillmentOrder:
    """Merge open fulfilment orders of one order and location into a new one; the old ones close."""
    shop.tick()
    if len({(fo.order.id, fo.location.id) for fo in fos}) != 1 or len(fos) < 2:
        raise Refused("Fulfillment orders must share order and location.", code="GREATER_THAN")
    if any(fo.status != "OPEN" for fo in fos):
        raise Refused("Only open fulfillment orders can be merged.", code="GREATER_THAN")
    merged = _like(shop, fos[0], fos[0].location) if shop.knobs.merge_closes_originals else fos[0]
    for fo in fos:
        if fo is not merged:
            everything = [(p, p.remaining_quantity) for p in fo.line_items if p.remaining_quantity]
            _shift(shop, fo, merged, everything)
            close(shop, fo)
    _changed(shop, "fulfillment_orders_merged", fos[0], merged, app)
    body = {
        "merge_intents": [
            {"fulfillment_order_id": int(fo.id.rpartition("/")[2]), "fulfillment_order_line_items": []} for fo in fos
        ],
        "fulfillment_order_merges": {"fulfillment_order": {"id": merged.id, "status": merged.status.lower()}},
    }
    shop.hooks.announce(["fulfillment_orders/merged"], lambda: body)
    return merged


def cancel_fulfillment_order(shop: ShopState, fo: FulfillmentOrder, *, app: App | None = None) -> FulfillmentOrder:
    """Cancel a fulfilment order, not its order: it closes without lines and a replacement opens."""
    shop.tick()
    if fo.progress_reported:
        raise Refused("Progress has been reported.", code="FULFILLMENT_ORDER_HAS_MANUALLY_REPORTED_PROGRESS")
    if fo.status not in ("OPEN", "ON_HOLD", "SCHEDULED"):
        raise Refused("Fulfillment order cannot be cancelled.")
    replacement = _like(shop, fo, fo.location)
    _shift(shop, fo, replacement, [(p, p.remaining_quantity) for p in fo.line_items if p.remaining_quantity])
    close(shop, fo)
    _changed(shop, "fulfillment_order_cancelled", fo, replacement, app)
    other = {"id": replacement.id, "status": replacement.status.lower()}
    announce(shop, "fulfillment_orders/cancelled", fo, replacement_fulfillment_order=other)
    return replacement


def report_progress(
    shop: ShopState, fo: FulfillmentOrder, *, notes: str | None = None, app: App | None = None
) -> FulfillmentOrder:
    """Say that the warehouse has begun. Raises Refused on hold, scheduled or closed."""
    shop.tick()
    ours = fo.location.fulfillment_service is None
    if fo.status not in (("OPEN", "IN_PROGRESS") if ours else ("IN_PROGRESS",)):
        raise Refused(
            "Cannot report progress on a fulfillment order in this state.",
            code="FULFILLMENT_ORDER_STATUS_INVALID",
            field=["id"],
        )
    initial = fo.status.lower()
    fo.status, fo.progress_reported, fo.updated_at = "IN_PROGRESS", True, shop.stamp()
    who = app.title if app else "admin"
    shop.record("progress_reported", fo.order, fulfillment_order_id=fo.id, notes=notes, by=who)
    shop.touch(fo.order)
    report = {"reason_notes": notes, "progress_reported_by_app": {"id": app.id} if app else None}
    announce(
        shop,
        "fulfillment_orders/progress_reported",
        fo,
        progress_report=report,
        initial_status=initial,
    )
    return fo


def open_fulfillment_order(shop: ShopState, fo: FulfillmentOrder, *, app: App | None = None) -> FulfillmentOrder:
    """Undo reported progress, or open a scheduled fulfilment order early."""
    shop.tick()
    if fo.status not in ("IN_PROGRESS", "SCHEDULED"):
        raise Refused(f"Expected fulfillment order status to be valid but it was {fo.status.lower()}.")
    if fo.request_status == "ACCEPTED":
        raise Refused("The fulfillment order was accepted by its fulfillment service.")
    stopped = fo.progress_reported
    fo.status, fo.progress_reported, fo.updated_at = "OPEN", False, shop.stamp()
    who = app.title if app else "admin"
    shop.record("progress_undone", fo.order, fulfillment_order_id=fo.id, by=who)
    shop.touch(fo.order)
    if stopped:
        announce(
            shop,
            "fulfillment_orders/manually_reported_progress_stopped",
            fo,
            progress_stopped_by_app={"id": app.id} if app else None,
        )
    return fo


def answer_request(
    shop: ShopState, fo: FulfillmentOrder, answer: str, *, message: str | None = None
) -> FulfillmentOrder:
    """
    The round trip with a fulfilment service.

    `answer`: submit, accept, reject, submit_cancellation, accept_cancellation, reject_cancellation, close.
    """
    shop.tick()
    needs, status, request_status, topic = _ANSWERS[answer]
    if fo.location.fulfillment_service is None or fo.request_status not in needs:
        raise Refused("The fulfillment order's request status does not allow this.")
    if answer in ("submit", "submit_cancellation"):
        kind = "FULFILLMENT_REQUEST" if answer == "submit" else "CANCELLATION_REQUEST"
        request = MerchantRequest(
            id=shop.mint.gid("FulfillmentOrderMerchantRequest"),
            kind=kind,
            message=message,
            request_options={"notify_customer": False} if answer == "submit" else {},
            sent_at=shop.stamp(),
        )
        fo.merchant_requests.append(request)
    if status in ("CLOSED", "INCOMPLETE"):
        close(shop, fo, status=status)
    elif status:
        fo.status = status
    fo.request_status, fo.updated_at = request_status, shop.stamp()
    shop.record("fulfillment_request", fo.order, fulfillment_order_id=fo.id, answer=answer)
    shop.touch(fo.order)
    announce(shop, f"fulfillment_orders/{topic}", fo)
    return fo


_ANSWERS: dict[str, tuple[tuple[str, ...], str, str, str]] = {
    "submit": (("UNSUBMITTED", "REJECTED"), "", "SUBMITTED", "fulfillment_request_submitted"),
    "accept": (("SUBMITTED",), "IN_PROGRESS", "ACCEPTED", "fulfillment_request_accepted"),
    "reject": (("SUBMITTED",), "OPEN", "REJECTED", "fulfillment_request_rejected"),
    "submit_cancellation": (
        ("ACCEPTED", "CANCELLATION_REJECTED"),
        "",
        "CANCELLATION_REQUESTED",
        "cancellation_request_submitted",
    ),
    "accept_cancellation": (
        ("CANCELLATION_REQUESTED",),
        "CLOSED",
        "CANCELLATION_ACCEPTED",
        "cancellation_request_accepted",
    ),
    "reject_cancellation": (
        ("CANCELLATION_REQUESTED",),
        "IN_PROGRESS",
        "CANCELLATION_REJECTED",
        "cancellation_request_rejected",
    ),
    "close": (
        ("ACCEPTED", "CANCELLATION_REJECTED"),
        "INCOMPLETE",
        "CLOSED",
        "fulfillment_service_failed_to_complete",
    ),
}


def _changed(shop: ShopState, kind: str, fo: FulfillmentOrder, other: FulfillmentOrder, app: App | None) -> None:
    shop.record(
        kind,
        fo.order,
        fulfillment_order_id=fo.id,
        other_fulfillment_order_id=other.id,
        fulfillment_orders=[describe(each) for each in fo.order.fulfillment_orders],
        by=app.title if app else "admin",
    )
    shop.touch(fo.order)
