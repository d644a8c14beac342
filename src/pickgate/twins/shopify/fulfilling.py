"""Fulfilments: what left the building, by line; never more than remains, and no idempotency to lean on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pickgate.twins.shopify import totals
from pickgate.twins.shopify.catalogue import App
from pickgate.twins.shopify.fulfilment_model import (
    Fulfillment,
    FulfillmentEvent,
    FulfillmentLineItem,
    FulfillmentOrder,
    FulfillmentOrderLineItem,
    TrackingInfo,
)
from pickgate.twins.shopify.ids import number_of
from pickgate.twins.shopify.model import LineItem, Refused
from pickgate.twins.shopify.payloads import fulfillment_body
from pickgate.twins.shopify.routing import announce, close, new_fulfillment_order
from pickgate.twins.shopify.state import ShopState
from pickgate.twins.shopify.stock import ship

Group = tuple[str, Sequence[tuple[str, int]]]
"""A fulfilment order id and (fulfilment order line id, units); no lines at all means everything that remains."""


def create_fulfillment(
    shop: ShopState,
    groups: Sequence[Group],
    *,
    tracking: Mapping[str, Any] | None = None,
    app: App | None = None,
    by: str | None = None,
) -> Fulfillment:
    """Fulfil units of one order at one location. Raises Refused with Shopify's sentences; nothing has changed then."""
    shop.tick()
    parts = _wanted(shop, groups)
    first = parts[0][0]
    order, now = first.order, shop.stamp()
    fulfillment = Fulfillment(
        id=shop.mint.gid("Fulfillment"),
        order=order,
        name=f"{order.name}-F{len(order.fulfillments) + 1}",
        location=first.location,
        created_at=now,
        updated_at=now,
        tracking_info=tracking_of(tracking),
        parts=parts,
    )
    sums: dict[str, tuple[LineItem, int]] = {}
    for fo, part, units in parts:
        line = part.line_item
        part.remaining_quantity -= units
        line.fulfilled += units
        ship(shop, line, fo.location, units)
        sums[line.id] = (line, sums.get(line.id, (line, 0))[1] + units)
        fo.updated_at = now
        if fo not in fulfillment.fulfillment_orders:
            fulfillment.fulfillment_orders.append(fo)
    for line, units in sums.values():
        fulfillment.fulfillment_line_items.append(
            FulfillmentLineItem(id=shop.mint.gid("FulfillmentLineItem"), line_item=line, quantity=units)
        )
    for fo in fulfillment.fulfillment_orders:
        if fo.remaining == 0:
            close(shop, fo)
            if fo.request_status == "ACCEPTED":
                fo.request_status = "CLOSED"
        elif shop.knobs.partial_fulfillment_status:
            fo.status = shop.knobs.partial_fulfillment_status
    order.fulfillments.append(fulfillment)
    shop.fulfillments[fulfillment.id] = fulfillment
    shop.record(
        "fulfillment_created",
        order,
        fulfillment_id=fulfillment.id,
        fulfilled=[[part.line_item.id, units] for _, part, units in parts],
        fulfillment_order_ids=[fo.id for fo in fulfillment.fulfillment_orders],
        tracking=[info.number for info in fulfillment.tracking_info],
        by=by or (app.title if app else "admin"),
    )
    status = totals.fulfillment_status(order)
    topic = "orders/fulfilled" if status == "FULFILLED" else "orders/partially_fulfilled"
    shop.touch(order, topic)
    shop.hooks.announce(["fulfillments/create"], lambda: fulfillment_body(fulfillment))
    return fulfillment


def _wanted(shop: ShopState, groups: Sequence[Group]) -> list[tuple[FulfillmentOrder, FulfillmentOrderLineItem, int]]:
    """Check every group before anything changes."""
    where = ["fulfillment"]
    parts: list[tuple[FulfillmentOrder, FulfillmentOrderLineItem, int]] = []
    seen: set[str] = set()
    for index, (fo_id, lines) in enumerate(groups):
        fo = shop.fulfillment_orders.get(fo_id)
        if fo is None:
            raise Refused("Fulfillment order does not exist.", field=where)
        if fo_id in seen:
            raise Refused("Fulfillment order ids must be unique.", field=where)
        seen.add(fo_id)
        if fo.status not in ("OPEN", "IN_PROGRESS"):
            raise Refused(
                f"Fulfillment order {number_of(fo.id)} has an unfulfillable status= {fo.status.lower()}.",
                field=where,
            )
        if parts and parts[0][0].order is not fo.order:
            raise Refused("All fulfillment orders must belong to the same order.", field=where)
        if parts and parts[0][0].location is not fo.location:
            raise Refused("All fulfillment orders must be assigned to the same location.", field=where)
        if not lines:
            parts += [(fo, p, p.remaining_quantity) for p in fo.line_items if p.remaining_quantity]
        for line_index, (part_id, units) in enumerate(lines):
            if units < 1:
                path = f"lineItemsByFulfillmentOrder.{index}.fulfillmentOrderLineItems.{line_index}.quantity"
                raise Refused("Quantity must be greater than 0", field=[*where, *path.split(".")])
            part = next((p for p in fo.line_items if p.id == part_id), None)
            if part is None:
                raise Refused("Fulfillment order line item does not exist.", field=where)
            asked = sum(n for p, n in lines if p == part_id)
            if asked > part.remaining_quantity:
                raise Refused("Invalid fulfillment order line item quantity requested.", field=where)
            parts.append((fo, part, units))
    if not parts:
        raise Refused("Fulfillment order does not exist.", field=where)
    return parts


def tracking_of(tracking: Mapping[str, Any] | None) -> list[TrackingInfo]:
    """Tracking infos from `company`, and `number`+`url` or `numbers`+`urls`."""
    if not tracking:
        return []
    numbers = list(tracking.get("numbers") or ()) or [tracking.get("number")]
    urls = list(tracking.get("urls") or ()) or [tracking.get("url")]
    urls += [None] * (len(numbers) - len(urls))
    company = tracking.get("company")
    return [TrackingInfo(company=company, number=number, url=url) for number, url in zip(numbers, urls, strict=False)]


def update_tracking(
    shop: ShopState, fulfillment: Fulfillment, tracking: Mapping[str, Any], *, app: App | None = None
) -> Fulfillment:
    shop.tick()
    fulfillment.tracking_info = tracking_of(tracking)
    _updated(shop, fulfillment, "tracking_updated", app)
    return fulfillment


def add_event(
    shop: ShopState,
    fulfillment: Fulfillment,
    status: str,
    *,
    message: str | None = None,
    happened_at: datetime | None = None,
    app: App | None = None,
) -> FulfillmentEvent:
    """Report what became of a parcel: IN_TRANSIT, DELIVERED and so on."""
    shop.tick()
    at = happened_at or shop.stamp()
    event = FulfillmentEvent(id=shop.mint.gid("FulfillmentEvent"), status=status, happened_at=at, message=message)
    fulfillment.events.append(event)
    if status not in ("LABEL_PURCHASED", "LABEL_PRINTED"):
        fulfillment.display_status = status
    if status == "DELIVERED":
        fulfillment.delivered_at = at
    if status == "IN_TRANSIT":
        fulfillment.in_transit_at = at
    _updated(shop, fulfillment, "fulfillment_event", app)
    return event


def cancel_fulfillment(shop: ShopState, fulfillment: Fulfillment, *, app: App | None = None) -> Fulfillment:
    """Undo a fulfilment: the units remain again, in their fulfilment order or (when it closed) in a new one."""
    shop.tick()
    if fulfillment.status == "CANCELLED":
        raise Refused("Fulfillment has already been cancelled.", field=["id"])
    order = fulfillment.order
    replacements: dict[str, FulfillmentOrder] = {}
    for fo, part, units in fulfillment.parts:
        part.line_item.fulfilled -= units
        ship(shop, part.line_item, fo.location, -units)
        if fo.active:
            part.remaining_quantity += units
            continue
        new = replacements.get(fo.id)
        if new is None:
            method = fo.delivery_method.method_type
            new = replacements[fo.id] = new_fulfillment_order(shop, order, fo.location, method)
        new.line_items.append(
            FulfillmentOrderLineItem(
                id=shop.mint.gid("FulfillmentOrderLineItem"),
                line_item=part.line_item,
                total_quantity=units,
                remaining_quantity=units,
            )
        )
    fulfillment.status = fulfillment.display_status = "CANCELLED"
    fulfillment.display_status = "CANCELED"
    _updated(shop, fulfillment, "fulfillment_cancelled", app)
    for new in replacements.values():
        announce(shop, "fulfillment_orders/order_routing_complete", new)
    return fulfillment


def _updated(shop: ShopState, fulfillment: Fulfillment, kind: str, app: App | None) -> None:
    fulfillment.updated_at = shop.stamp()
    shop.record(
        kind,
        fulfillment.order,
        fulfillment_id=fulfillment.id,
        tracking=[info.number for info in fulfillment.tracking_info],
        status=fulfillment.display_status,
        by=app.title if app else "admin",
    )
    shop.touch(fulfillment.order)
    shop.hooks.announce(["fulfillments/update"], lambda: fulfillment_body(fulfillment))
