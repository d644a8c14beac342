"""Shopify's shapes in Shopify's spelling: just what we read, refused when it is not as we read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictStr


def _instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("should be a date and time in text")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("should name its offset from UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("should be a date that exists in UTC") from None


Instant = Annotated[datetime, BeforeValidator(_instant)]
# NUL cannot be stored as text anywhere further in, and means nothing to a reader.
Text = Annotated[StrictStr, AfterValidator(lambda text: text.replace("\x00", ""))]
Gid = Annotated[StrictStr, Field(pattern=r"^gid://shopify/[A-Za-z]+/[0-9]{1,20}(\?.*)?$")]
Units = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class PageInfo(_Wire):
    hasNextPage: StrictBool
    endCursor: StrictStr | None = None


class Ref(_Wire):
    id: Gid


class Attribute(_Wire):
    key: Text
    value: Text | None


class Amount(_Wire):
    amount: StrictStr
    currencyCode: StrictStr


class Bag(_Wire):
    shopMoney: Amount


class MetafieldValue(_Wire):
    value: Text


class App(_Wire):
    name: Text


class ShippingAddress(_Wire):
    name: Text | None
    company: Text | None
    address1: Text | None
    address2: Text | None
    city: Text | None
    province: Text | None
    provinceCode: Text | None
    zip: Text | None
    countryCodeV2: Text | None
    phone: Text | None


class ShippingLine(_Wire):
    title: Text
    isRemoved: StrictBool


class LineItemGroup(_Wire):
    id: Gid
    title: Text
    quantity: Units
    variantSku: Text | None


class LineItem(_Wire):
    id: Gid
    name: Text
    sku: Text | None
    quantity: Units
    currentQuantity: Units
    requiresShipping: StrictBool
    isGiftCard: StrictBool
    customAttributes: list[Attribute]
    lineItemGroup: LineItemGroup | None
    discountedUnitPriceAfterAllDiscountsSet: Bag


class LineItems(_Wire):
    nodes: list[LineItem]
    pageInfo: PageInfo


class FulfillmentHold(_Wire):
    id: Gid
    handle: Text | None
    reason: Text
    reasonNotes: Text | None
    heldByRequestingApp: StrictBool


class FulfillmentOrderLineItem(_Wire):
    id: Gid
    totalQuantity: Units
    remainingQuantity: Units
    lineItem: Ref


class FulfillmentOrderLineItems(_Wire):
    nodes: list[FulfillmentOrderLineItem]
    pageInfo: PageInfo


class AssignedLocation(_Wire):
    name: Text
    location: Ref | None


class DeliveryMethod(_Wire):
    methodType: StrictStr


class Destination(_Wire):
    firstName: Text | None
    lastName: Text | None
    company: Text | None
    address1: Text | None
    address2: Text | None
    city: Text | None
    province: Text | None
    zip: Text | None
    countryCode: Text | None
    phone: Text | None
    email: Text | None


class FulfillmentOrder(_Wire):
    id: Gid
    status: StrictStr
    requestStatus: StrictStr
    fulfillAt: Instant | None
    assignedLocation: AssignedLocation
    deliveryMethod: DeliveryMethod | None
    destination: Destination | None
    fulfillmentHolds: list[FulfillmentHold]
    lineItems: FulfillmentOrderLineItems


class FulfillmentOrders(_Wire):
    nodes: list[FulfillmentOrder]
    pageInfo: PageInfo


class TrackingInfo(_Wire):
    number: Text | None


class FulfillmentLineItem(_Wire):
    id: Gid
    quantity: Units
    lineItem: Ref


class FulfillmentLineItems(_Wire):
    nodes: list[FulfillmentLineItem]
    pageInfo: PageInfo


class Fulfillment(_Wire):
    id: Gid
    status: StrictStr
    createdAt: Instant
    trackingInfo: list[TrackingInfo]
    fulfillmentLineItems: FulfillmentLineItems


class Order(_Wire):
    id: Gid
    name: Text
    createdAt: Instant
    processedAt: Instant | None
    updatedAt: Instant
    cancelledAt: Instant | None
    closed: StrictBool
    edited: StrictBool
    test: StrictBool
    confirmed: StrictBool
    tags: list[Text]
    note: Text | None
    email: Text | None
    sourceName: Text | None
    currencyCode: StrictStr
    presentmentCurrencyCode: StrictStr
    displayFinancialStatus: StrictStr | None
    app: App | None
    customer: Ref | None
    customAttributes: list[Attribute]
    shippingAddress: ShippingAddress | None
    shippingLine: ShippingLine | None
    currentTotalPriceSet: Bag
    totalOutstandingSet: Bag
    totalReceivedSet: Bag
    totalRefundedSet: Bag
    currentTotalTaxSet: Bag
    currentShippingPriceSet: Bag
    cutoff: MetafieldValue | None
    lock: MetafieldValue | None
    original: MetafieldValue | None
    lineItems: LineItems
    fulfillmentOrders: FulfillmentOrders
    fulfillments: list[Fulfillment]


class ChangedOrder(_Wire):
    id: Gid
    updatedAt: Instant


class ChangedOrders(_Wire):
    nodes: list[ChangedOrder]
    pageInfo: PageInfo


class NamedOrder(_Wire):
    id: Gid
    name: Text


class NamedOrders(_Wire):
    nodes: list[NamedOrder]
    pageInfo: PageInfo


class FulfillmentOrderOwner(_Wire):
    id: Gid
    orderId: Gid


class Subscription(_Wire):
    id: Gid
    topic: StrictStr
    uri: StrictStr


class Subscriptions(_Wire):
    nodes: list[Subscription]
    pageInfo: PageInfo
