"""Fulfilment orders, holds and fulfilments, as the shop keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from pickgate.twins.shopify.catalogue import App, Location, Variant

if TYPE_CHECKING:
    from pickgate.twins.shopify.model import LineItem, Order


@dataclass(eq=False, slots=True, kw_only=True)
class DeliveryMethod:
    TYPENAME: ClassVar[str] = "DeliveryMethod"
    id: str
    method_type: str
    service_code: str | None = None
    presented_name: str | None = None
    min_delivery_date_time: datetime | None = None
    max_delivery_date_time: datetime | None = None


@dataclass(eq=False, slots=True, kw_only=True)
class FulfillmentHold:
    """One app's hold. `app` is None when the shop itself holds."""

    TYPENAME: ClassVar[str] = "FulfillmentHold"
    id: str
    app: App | None
    handle: str
    reason: str
    reason_notes: str | None
    external_id: str | None = None

    @property
    def held_by_app(self) -> App | None:
        return self.app

    @property
    def display_reason(self) -> str:
        return self.reason.replace("_", " ").capitalize()


@dataclass(eq=False, slots=True, kw_only=True)
class FulfillmentOrderLineItem:
    TYPENAME: ClassVar[str] = "FulfillmentOrderLineItem"
    id: str
    line_item: LineItem
    total_quantity: int
    remaining_quantity: int

    @property
    def sku(self) -> str | None:
        return self.line_item.sku

    @property
    def variant(self) -> Variant | None:
        return self.line_item.variant

    @property
    def inventory_item_id(self) -> str | None:
        variant = self.line_item.variant
        return variant.inventory_item.id if variant else None

    @property
    def requires_shipping(self) -> bool:
        return self.line_item.requires_shipping

    @property
    def product_title(self) -> str:
        return self.line_item.title

    @property
    def variant_title(self) -> str | None:
        return self.line_item.variant_title

    @property
    def vendor(self) -> str | None:
        return self.line_item.vendor


@dataclass(eq=False, slots=True, kw_only=True)
class MerchantRequest:
    TYPENAME: ClassVar[str] = "FulfillmentOrderMerchantRequest"
    id: str
    kind: str
    message: str | None
    request_options: dict[str, Any]
    sent_at: datetime


ACTIVE_STATUSES = frozenset({"OPEN", "IN_PROGRESS", "ON_HOLD", "SCHEDULED"})


@dataclass(eq=False, slots=True, kw_only=True)
class FulfillmentOrder:
    TYPENAME: ClassVar[str] = "FulfillmentOrder"
    id: str
    order: Order
    location: Location
    delivery_method: DeliveryMethod
    created_at: datetime
    updated_at: datetime
    status: str = "OPEN"
    request_status: str = "UNSUBMITTED"
    fulfill_at: datetime | None = None
    fulfill_by: datetime | None = None
    progress_reported: bool = False
    line_items: list[FulfillmentOrderLineItem] = field(default_factory=list)
    fulfillment_holds: list[FulfillmentHold] = field(default_factory=list)
    merchant_requests: list[MerchantRequest] = field(default_factory=list)

    @property
    def active(self) -> bool:
        return self.status in ACTIVE_STATUSES

    @property
    def remaining(self) -> int:
        return sum(line.remaining_quantity for line in self.line_items)

    @property
    def order_id(self) -> str:
        return self.order.id

    @property
    def order_name(self) -> str:
        return self.order.name

    @property
    def order_processed_at(self) -> datetime:
        return self.order.processed_at

    @property
    def fulfillments(self) -> list[Fulfillment]:
        return [f for f in self.order.fulfillments if self in f.fulfillment_orders]


@dataclass(eq=False, slots=True, kw_only=True)
class FulfillmentLineItem:
    TYPENAME: ClassVar[str] = "FulfillmentLineItem"
    id: str
    line_item: LineItem
    quantity: int


@dataclass(eq=False, slots=True, kw_only=True)
class TrackingInfo:
    TYPENAME: ClassVar[str] = "FulfillmentTrackingInfo"
    company: str | None
    number: str | None
    url: str | None


@dataclass(eq=False, slots=True, kw_only=True)
class FulfillmentEvent:
    TYPENAME: ClassVar[str] = "FulfillmentEvent"
    id: str
    status: str
    happened_at: datetime
    message: str | None = None


@dataclass(eq=False, slots=True, kw_only=True)
class Fulfillment:
    TYPENAME: ClassVar[str] = "Fulfillment"
    id: str
    order: Order
    name: str
    location: Location
    created_at: datetime
    updated_at: datetime
    status: str = "SUCCESS"
    display_status: str = "FULFILLED"
    tracking_info: list[TrackingInfo] = field(default_factory=list)
    fulfillment_line_items: list[FulfillmentLineItem] = field(default_factory=list)
    fulfillment_orders: list[FulfillmentOrder] = field(default_factory=list)
    parts: list[tuple[FulfillmentOrder, FulfillmentOrderLineItem, int]] = field(default_factory=list)
    events: list[FulfillmentEvent] = field(default_factory=list)
    delivered_at: datetime | None = None
    in_transit_at: datetime | None = None

    @property
    def total_quantity(self) -> int:
        return sum(line.quantity for line in self.fulfillment_line_items)
