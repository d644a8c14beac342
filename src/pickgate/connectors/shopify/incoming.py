"""Shopify -> domain, pure. Ids lose their `gid://…` here; nothing further in knows it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pickgate.connectors.shopify import wire
from pickgate.connectors.shopify.errors import PayloadUnreadable
from pickgate.domain.money import Money, parse_money
from pickgate.domain.shop import (
    Address,
    BundlePart,
    DeliveryMethod,
    Fulfilment,
    FulfilmentOrder,
    FulfilmentOrderLine,
    FulfilmentOrderStatus,
    Line,
    ShopHold,
    ShopOrder,
    Totals,
)

_GID = re.compile(r"gid://shopify/([A-Za-z]+)/([0-9]{1,20})(?:\?.*)?")
_FO_STATUS = {
    "OPEN": FulfilmentOrderStatus.OPEN,
    "IN_PROGRESS": FulfilmentOrderStatus.IN_PROGRESS,
    "ON_HOLD": FulfilmentOrderStatus.ON_HOLD,
    "SCHEDULED": FulfilmentOrderStatus.SCHEDULED,
    "CLOSED": FulfilmentOrderStatus.CLOSED,
    "CANCELLED": FulfilmentOrderStatus.CANCELLED,
    "INCOMPLETE": FulfilmentOrderStatus.INCOMPLETE,
}
_METHOD = {
    "SHIPPING": DeliveryMethod.SHIPPING,
    "PICK_UP": DeliveryMethod.PICK_UP,
    "PICKUP_POINT": DeliveryMethod.PICKUP_POINT,
    "LOCAL": DeliveryMethod.LOCAL,
    "RETAIL": DeliveryMethod.RETAIL,
    "NONE": DeliveryMethod.NONE,
}
# A fulfilment that failed or was taken back: its units have not left.
_NOT_SENT = frozenset({"CANCELLED", "ERROR", "FAILURE"})

Shape = TypeVar("Shape", bound=BaseModel)


def parse_shape(shape: type[Shape], raw: Any, *, what: str) -> Shape:
    """Check `raw` against a shape of `wire.py`. Raises PayloadUnreadable with the path of the first wrong field."""
    try:
        return shape.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join([what, *(str(step) for step in first["loc"])])
        raise PayloadUnreadable(where, first["msg"].removeprefix("Value error, ")) from None
    except RecursionError:
        raise PayloadUnreadable(what, "nested too deeply") from None


def parse_gid(gid: str, kind: str) -> str:
    """Return the numeric part. Raises PayloadUnreadable when it is not a global id of this kind."""
    match = _GID.fullmatch(gid)
    if match is None or match[1] != kind:
        raise PayloadUnreadable("id", f"is not the id of a {kind}")
    return match[2]


def parse_order(raw: Mapping[str, Any]) -> ShopOrder:
    """Turn one completely read order into the domain's. Raises PayloadUnreadable.

    A connection that still has a next page is refused: half an order must never look like a whole one.
    """
    order = parse_shape(wire.Order, raw, what="order")
    _complete("order.lineItems", order.lineItems.pageInfo)
    _complete("order.fulfillmentOrders", order.fulfillmentOrders.pageInfo)
    cutoff_at, cutoff_unreadable = _cutoff(order.cutoff)
    shipping = order.shippingLine
    return ShopOrder(
        id=parse_gid(order.id, "Order"),
        name=order.name,
        created_at=order.createdAt,
        updated_at=order.updatedAt,
        financial_status=order.displayFinancialStatus or "",
        lines=tuple(_line(line) for line in order.lineItems.nodes),
        fulfilment_orders=tuple(_fulfilment_order(share) for share in order.fulfillmentOrders.nodes),
        totals=Totals(
            current=_money(order.currentTotalPriceSet, "currentTotalPriceSet"),
            outstanding=_money(order.totalOutstandingSet, "totalOutstandingSet"),
            received=_money(order.totalReceivedSet, "totalReceivedSet"),
            refunded=_money(order.totalRefundedSet, "totalRefundedSet"),
            tax=_money(order.currentTotalTaxSet, "currentTotalTaxSet"),
            shipping=_money(order.currentShippingPriceSet, "currentShippingPriceSet"),
        ),
        currency=order.currencyCode,
        presentment_currency=order.presentmentCurrencyCode,
        fulfilments=tuple(_fulfilment(sent) for sent in order.fulfillments),
        address=_address(order.shippingAddress, order.email),
        tags=tuple(order.tags),
        note=order.note or "",
        attributes=_attributes(order.customAttributes),
        shipping_title=None if shipping is None or shipping.isRemoved else shipping.title,
        cancelled_at=order.cancelledAt,
        processed_at=order.processedAt,
        closed=order.closed,
        edited=order.edited,
        test=order.test,
        confirmed=order.confirmed,
        customer_id=None if order.customer is None else parse_gid(order.customer.id, "Customer"),
        source_name=order.sourceName or "",
        app_name="" if order.app is None else order.app.name,
        cutoff_at=cutoff_at,
        cutoff_unreadable=cutoff_unreadable,
        lock_value=None if order.lock is None else order.lock.value,
        original_order=_original_name(order.original),
    )


def parse_cutoff(text: str) -> datetime:
    """Read a cut-off as the editing apps write it. Raises ValueError with the problem.

    Takes an ISO 8601 date and time (without an offset: UTC, as Shopify reads its own metafields), seconds or
    milliseconds since 1970, or a date alone. A date alone ends with that day in UTC: the later reading, because
    waiting harms less than picking an order that may still change.
    """
    text = text.strip().strip('"').strip()
    if not text:
        raise ValueError("is empty")
    if re.fullmatch(r"[0-9]{10}|[0-9]{13}", text):
        return datetime.fromtimestamp(int(text[:10]), UTC) + timedelta(milliseconds=int(text[10:] or "0"))
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            on = date.fromisoformat(text)
            moment = datetime(on.year, on.month, on.day, tzinfo=UTC) + timedelta(days=1)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:60]!r} is not a date and time") from None
    if not 2000 <= moment.year < 2200:
        raise ValueError(f"{text[:60]!r} is not a date of our time")
    return moment


def _cutoff(found: wire.MetafieldValue | None) -> tuple[datetime | None, str | None]:
    if found is None:
        return None, None
    try:
        return parse_cutoff(found.value), None
    except ValueError as error:
        return None, f"The cut-off metafield {error}."


def _original_name(found: wire.MetafieldValue | None) -> str | None:
    """Read our own note of the original order; a damaged one is none (our records keep the link as well)."""
    if found is None:
        return None
    try:
        value = json.loads(found.value)
    except (ValueError, RecursionError):
        return None
    name = value.get("name") if isinstance(value, dict) else None
    return name if isinstance(name, str) and name else None


def _complete(where: str, page: wire.PageInfo) -> None:
    if page.hasNextPage:
        raise PayloadUnreadable(where, "is not complete")


def _money(bag: wire.Bag, where: str) -> Money:
    try:
        return parse_money(bag.shopMoney.amount, bag.shopMoney.currencyCode)
    except ValueError as error:
        raise PayloadUnreadable(f"order.{where}", str(error)) from None


def _attributes(found: list[wire.Attribute]) -> tuple[tuple[str, str], ...]:
    return tuple((attribute.key, attribute.value or "") for attribute in found)


def _line(line: wire.LineItem) -> Line:
    group = line.lineItemGroup
    return Line(
        id=parse_gid(line.id, "LineItem"),
        title=line.name,
        sku=line.sku or None,
        ordered=line.quantity,
        current=line.currentQuantity,
        requires_shipping=line.requiresShipping,
        is_gift_card=line.isGiftCard,
        bundle=None
        if group is None
        else BundlePart(
            group_id=group.id.rpartition("/")[2],
            title=group.title,
            quantity=group.quantity,
            sku=group.variantSku or None,
        ),
        attributes=_attributes(line.customAttributes),
        unit_price=_money(line.discountedUnitPriceAfterAllDiscountsSet, "lineItems.discountedUnitPrice"),
    )


def _fulfilment_order(share: wire.FulfillmentOrder) -> FulfilmentOrder:
    _complete("order.fulfillmentOrders.lineItems", share.lineItems.pageInfo)
    status = _FO_STATUS.get(share.status, FulfilmentOrderStatus.UNRECOGNISED)
    location = share.assignedLocation.location
    method = DeliveryMethod.SHIPPING
    if share.deliveryMethod is not None:
        method = _METHOD.get(share.deliveryMethod.methodType, DeliveryMethod.UNRECOGNISED)
    return FulfilmentOrder(
        id=parse_gid(share.id, "FulfillmentOrder"),
        status=status,
        location_id="" if location is None else parse_gid(location.id, "Location"),
        location_name=share.assignedLocation.name,
        lines=tuple(
            FulfilmentOrderLine(
                id=parse_gid(line.id, "FulfillmentOrderLineItem"),
                line_id=parse_gid(line.lineItem.id, "LineItem"),
                remaining=line.remainingQuantity,
                total=line.totalQuantity,
            )
            for line in share.lineItems.nodes
        ),
        method=method,
        holds=tuple(
            ShopHold(
                id=parse_gid(hold.id, "FulfillmentHold"),
                reason=hold.reason,
                handle=hold.handle or "",
                notes=hold.reasonNotes or "",
                ours=hold.heldByRequestingApp,
            )
            for hold in share.fulfillmentHolds
        ),
        destination=_destination(share.destination),
        fulfil_at=share.fulfillAt,
        # In progress without a request to a fulfilment service: somebody reported that work has begun.
        progress_reported=status is FulfilmentOrderStatus.IN_PROGRESS and share.requestStatus == "UNSUBMITTED",
    )


def _fulfilment(sent: wire.Fulfillment) -> Fulfilment:
    _complete("order.fulfillments.fulfillmentLineItems", sent.fulfillmentLineItems.pageInfo)
    units: dict[str, int] = {}
    for line in sent.fulfillmentLineItems.nodes:
        line_id = parse_gid(line.lineItem.id, "LineItem")
        units[line_id] = units.get(line_id, 0) + line.quantity
    return Fulfilment(
        id=parse_gid(sent.id, "Fulfillment"),
        lines=tuple(units.items()),
        tracking_numbers=tuple(info.number for info in sent.trackingInfo if info.number),
        created_at=sent.createdAt,
        cancelled=sent.status in _NOT_SENT,
    )


def _address(found: wire.ShippingAddress | None, email: str | None) -> Address | None:
    if found is None:
        return None
    return Address(
        name=found.name or "",
        company=found.company or "",
        line1=found.address1 or "",
        line2=found.address2 or "",
        city=found.city or "",
        province=found.province or found.provinceCode or "",
        postcode=found.zip or "",
        country=found.countryCodeV2 or "",
        phone=found.phone or "",
        email=email or "",
    )


def _destination(found: wire.Destination | None) -> Address | None:
    if found is None:
        return None
    return Address(
        name=" ".join(part for part in (found.firstName, found.lastName) if part),
        company=found.company or "",
        line1=found.address1 or "",
        line2=found.address2 or "",
        city=found.city or "",
        province=found.province or "",
        postcode=found.zip or "",
        country=found.countryCode or "",
        phone=found.phone or "",
        email=found.email or "",
    )
