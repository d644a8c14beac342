"""Where units are fulfilled: routing of new orders, and what an edit or an exchange does to fulfilment orders."""

from __future__ import annotations

from pickgate.twins.shopify.catalogue import Location
from pickgate.twins.shopify.fulfilment_model import (
    DeliveryMethod,
    FulfillmentOrder,
    FulfillmentOrderLineItem,
)
from pickgate.twins.shopify.model import LineItem, Order, Refused
from pickgate.twins.shopify.state import ShopState
from pickgate.twins.shopify.stock import release

_LOWERED_FIRST = {"OPEN": 0, "SCHEDULED": 1, "ON_HOLD": 2, "IN_PROGRESS": 3}


def choose_location(shop: ShopState, line: LineItem) -> Location:
    """The first online location with enough units, else the first online one. Raises Refused without any."""
    candidates = [
        location for location in shop.locations.values() if location.is_active and location.fulfills_online_orders
    ]
    if not candidates:
        raise Refused("The shop has no active location.")
    if line.variant is not None and line.variant.inventory_item.tracked and len(candidates) > 1:
        for location in candidates:
            for level in line.variant.inventory_item.inventory_levels:
                if level.location is location and level.counts["available"] >= line.quantity:
                    return location
    return candidates[0]


def method_of(order: Order, line: LineItem) -> str:
    return order.delivery_method if line.requires_shipping else "NONE"


def route(shop: ShopState, order: Order) -> None:
    """Make the order's fulfilment orders, one per location and delivery method; nothing for a cancelled order."""
    order.routed = True
    if order.cancelled_at:
        return
    groups: dict[tuple[str, str], list[LineItem]] = {}
    for line in order.line_items:
        if line.unfulfilled_quantity > 0 and line.location is not None:
            groups.setdefault((line.location.id, method_of(order, line)), []).append(line)
    made = []
    for (location_id, method), lines in groups.items():
        fo = new_fulfillment_order(shop, order, shop.locations[location_id], method)
        for line in lines:
            add_units(shop, fo, line, line.unfulfilled_quantity)
        made.append(fo)
    if not made:
        return
    shop.record("routed", order, fulfillment_orders=[describe(fo) for fo in made])
    shop.touch(order)
    for fo in made:
        announce(shop, "fulfillment_orders/order_routing_complete", fo)


def new_fulfillment_order(shop: ShopState, order: Order, location: Location, method: str) -> FulfillmentOrder:
    now = shop.stamp()
    scheduled = order.fulfill_at is not None and order.fulfill_at > shop.now()
    shipping = next((line for line in order.shipping_lines if not line.is_removed), None)
    fo = FulfillmentOrder(
        id=shop.mint.gid("FulfillmentOrder"),
        order=order,
        location=location,
        delivery_method=DeliveryMethod(
            id=shop.mint.gid("DeliveryMethod"),
            method_type=method,
            presented_name=shipping.title if shipping and method == "SHIPPING" else None,
            service_code=shipping.code if shipping and method == "SHIPPING" else None,
        ),
        created_at=now,
        updated_at=now,
        status="SCHEDULED" if scheduled else "OPEN",
        fulfill_at=order.fulfill_at or now,
    )
    order.fulfillment_orders.append(fo)
    shop.fulfillment_orders[fo.id] = fo
    if scheduled and order.fulfill_at is not None:
        shop.later((order.fulfill_at - shop.now()).total_seconds(), lambda: _ready(shop, fo))
    return fo


def _ready(shop: ShopState, fo: FulfillmentOrder) -> None:
    if fo.status == "SCHEDULED":
        fo.status = "OPEN"
        shop.touch(fo.order)
        announce(shop, "fulfillment_orders/scheduled_fulfillment_order_ready", fo)


def add_units(shop: ShopState, fo: FulfillmentOrder, line: LineItem, units: int) -> None:
    part = next((part for part in fo.line_items if part.line_item is line), None)
    if part is None:
        part = FulfillmentOrderLineItem(
            id=shop.mint.gid("FulfillmentOrderLineItem"),
            line_item=line,
            total_quantity=0,
            remaining_quantity=0,
        )
        fo.line_items.append(part)
    part.total_quantity += units
    part.remaining_quantity += units
    fo.updated_at = shop.stamp()


def place_units(shop: ShopState, order: Order, line: LineItem, units: int) -> FulfillmentOrder | None:
    """Units added by an edit: into an open fulfilment order or a new one, by the knob. None before routing."""
    if not order.routed or line.location is None:
        return None
    method = method_of(order, line)
    target = None
    if shop.rng.random() < shop.knobs.added_line_joins:
        target = next(
            (
                fo
                for fo in order.fulfillment_orders
                if fo.status == "OPEN" and fo.location is line.location and fo.delivery_method.method_type == method
            ),
            None,
        )
    fo = target or new_fulfillment_order(shop, order, line.location, method)
    add_units(shop, fo, line, units)
    return fo


def take_units(shop: ShopState, order: Order, line: LineItem, units: int, *, restock: bool) -> None:
    """Units taken off by an edit, refund or cancel: lowers total and remaining in place, gives the stock back."""
    if not order.routed:
        if line.location is not None:
            release(shop, line, line.location, units, restock=restock)
        return
    left = units
    newest_first = order.fulfillment_orders[::-1]
    parts = [
        (fo, part)
        for fo in sorted(newest_first, key=lambda fo: _LOWERED_FIRST.get(fo.status, 9))
        if fo.active
        for part in fo.line_items
        if part.line_item is line
    ]
    for fo, part in parts:
        taken = min(left, part.remaining_quantity)
        if not taken:
            continue
        part.total_quantity -= taken
        part.remaining_quantity -= taken
        fo.updated_at = shop.stamp()
        left -= taken
        release(shop, line, fo.location, taken, restock=restock)
        if part.total_quantity == 0 and shop.rng.random() < shop.knobs.empty_line_vanishes:
            fo.line_items.remove(part)
        if fo.remaining == 0:
            close(shop, fo)
    if left and line.location is not None:
        release(shop, line, line.location, left, restock=restock)


def close(shop: ShopState, fo: FulfillmentOrder, *, status: str = "CLOSED") -> None:
    """Close a fulfilment order; its holds go with it."""
    fo.status = status
    fo.progress_reported = False
    fo.fulfillment_holds.clear()
    fo.updated_at = shop.stamp()


def describe(fo: FulfillmentOrder) -> dict[str, object]:
    """A fulfilment order as plain values for the history."""
    return {
        "id": fo.id,
        "status": fo.status,
        "location_id": fo.location.id,
        "method": fo.delivery_method.method_type,
        "lines": [
            {
                "id": part.id,
                "line_item_id": part.line_item.id,
                "total": part.total_quantity,
                "remaining": part.remaining_quantity,
            }
            for part in fo.line_items
        ],
    }


def announce(shop: ShopState, topic: str, fo: FulfillmentOrder, **more: object) -> None:
    """Send a fulfilment order webhook: the id and status, and no order id."""
    body = {"fulfillment_order": {"id": fo.id, "status": fo.status.lower()}, **more}
    shop.hooks.announce([topic], lambda: body)
