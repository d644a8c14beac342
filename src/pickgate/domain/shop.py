"""The shop's side of an order, as it stands now. Values only; the connector fills them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from pickgate.domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the parcel goes. Every field may be missing; `country` is ISO 3166-1 alpha-2. Personal data."""

    name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    province: str = ""
    postcode: str = ""
    country: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundlePart:
    """The bundle that a line is a component of, as the shop groups it."""

    group_id: str
    title: str
    quantity: int
    sku: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One order line. `current` counts the units after removals and refunds; `ordered` never goes down."""

    id: str
    title: str
    sku: str | None
    ordered: int
    current: int
    requires_shipping: bool = True
    is_gift_card: bool = False
    bundle: BundlePart | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    unit_price: Money | None = None


class FulfilmentOrderStatus(Enum):
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    SCHEDULED = "scheduled"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"
    UNRECOGNISED = "unrecognised"


class DeliveryMethod(Enum):
    SHIPPING = "shipping"
    PICK_UP = "pick_up"
    PICKUP_POINT = "pickup_point"
    LOCAL = "local"
    RETAIL = "retail"
    NONE = "none"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopHold:
    """A fulfilment hold in the shop. `ours`: placed by this app, so that we may release it, by id."""

    id: str
    reason: str
    handle: str = ""
    notes: str = ""
    ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentOrderLine:
    """A share of an order line. `remaining` is what is still to be sent; it falls with edits and with fulfilments."""

    id: str
    line_id: str
    remaining: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentOrder:
    """One location's share of an order. Its id is not a stable key: moves, splits and merges replace it."""

    id: str
    status: FulfilmentOrderStatus
    location_id: str
    location_name: str
    lines: tuple[FulfilmentOrderLine, ...]
    method: DeliveryMethod = DeliveryMethod.SHIPPING
    holds: tuple[ShopHold, ...] = ()
    destination: Address | None = None
    fulfil_at: datetime | None = None
    progress_reported: bool = False

    @property
    def is_open(self) -> bool:
        """Anything left to send that has not been closed or taken back."""
        return self.status not in (
            FulfilmentOrderStatus.CLOSED,
            FulfilmentOrderStatus.CANCELLED,
        ) and any(line.remaining > 0 for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfilment:
    """What the shop believes has left: units by order line. `cancelled` ones no longer count."""

    id: str
    lines: tuple[tuple[str, int], ...]
    tracking_numbers: tuple[str, ...] = ()
    created_at: datetime | None = None
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The shop's own totals now, in the shop's currency. `outstanding` > 0: the customer owes; < 0: is owed."""

    current: Money
    outstanding: Money
    received: Money
    refunded: Money
    tax: Money
    shipping: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopOrder:
    """An order as one complete read showed it. Ids are the shop's numeric ids, as strings."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    financial_status: str
    lines: tuple[Line, ...]
    fulfilment_orders: tuple[FulfilmentOrder, ...]
    totals: Totals
    currency: str
    presentment_currency: str = ""
    fulfilments: tuple[Fulfilment, ...] = ()
    address: Address | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    shipping_title: str | None = None
    cancelled_at: datetime | None = None
    processed_at: datetime | None = None
    closed: bool = False
    edited: bool = False
    test: bool = False
    confirmed: bool = True
    customer_id: str | None = None
    source_name: str = ""
    app_name: str = ""
    cutoff_at: datetime | None = None
    cutoff_unreadable: str | None = None
    lock_value: str | None = None
    original_order: str | None = None
    requested_edit: str | None = None

    def line(self, line_id: str) -> Line | None:
        return next((line for line in self.lines if line.id == line_id), None)
