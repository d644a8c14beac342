"""What a shop has before any order: apps, locations, products, stock levels. Shared by reference, never copied."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Self


class Shared:
    """Mix-in: a deep copy of an order keeps pointing at the same catalogue."""

    __slots__ = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


@dataclass(eq=False, slots=True, kw_only=True)
class App(Shared):
    TYPENAME: ClassVar[str] = "App"
    id: str
    title: str
    handle: str

    @property
    def name(self) -> str:
        return self.title


@dataclass(eq=False, slots=True, kw_only=True)
class FulfillmentService(Shared):
    TYPENAME: ClassVar[str] = "FulfillmentService"
    id: str
    handle: str
    service_name: str
    callback_url: str | None = None
    inventory_management: bool = False
    tracking_support: bool = False
    location: Location | None = None


@dataclass(eq=False, slots=True, kw_only=True)
class LocationAddress(Shared):
    TYPENAME: ClassVar[str] = "LocationAddress"
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    zip: str | None = None
    province: str | None = None
    country_code: str = "GB"
    phone: str | None = None

    @property
    def formatted(self) -> list[str]:
        return [part for part in (self.address1, self.city, self.zip, self.country_code) if part]


@dataclass(eq=False, slots=True, kw_only=True)
class Location(Shared):
    TYPENAME: ClassVar[str] = "Location"
    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    is_active: bool = True
    fulfills_online_orders: bool = True
    ships_inventory: bool = True
    address: LocationAddress = field(default_factory=LocationAddress)
    fulfillment_service: FulfillmentService | None = None
    inventory_levels: list[InventoryLevel] = field(default_factory=list)

    @property
    def is_fulfillment_service(self) -> bool:
        return self.fulfillment_service is not None


@dataclass(eq=False, slots=True, kw_only=True)
class Product(Shared):
    TYPENAME: ClassVar[str] = "Product"
    id: str
    title: str
    handle: str
    vendor: str
    status: str = "ACTIVE"


@dataclass(eq=False, slots=True, kw_only=True)
class InventoryItem(Shared):
    TYPENAME: ClassVar[str] = "InventoryItem"
    id: str
    sku: str | None
    tracked: bool
    requires_shipping: bool
    created_at: datetime
    updated_at: datetime
    variants: list[Variant] = field(default_factory=list)
    inventory_levels: list[InventoryLevel] = field(default_factory=list)


@dataclass(eq=False, slots=True, kw_only=True)
class Variant(Shared):
    TYPENAME: ClassVar[str] = "ProductVariant"
    id: str
    sku: str | None
    title: str
    price: Decimal
    product: Product
    inventory_item: InventoryItem
    grams: int = 0
    requires_shipping: bool = True
    is_gift_card: bool = False
    taxable: bool = True
    barcode: str | None = None
    components: tuple[tuple[Variant, int], ...] = ()
    """A native bundle: (component, units of it in one bundle)."""

    @property
    def display_name(self) -> str:
        return f"{self.product.title} - {self.title}"

    @property
    def requires_components(self) -> bool:
        return bool(self.components)

    @property
    def inventory_quantity(self) -> int:
        return sum(level.counts["available"] for level in self.inventory_item.inventory_levels)


QUANTITY_NAMES = (
    "available",
    "committed",
    "reserved",
    "damaged",
    "safety_stock",
    "quality_control",
    "incoming",
)


@dataclass(eq=False, slots=True, kw_only=True)
class InventoryQuantity(Shared):
    TYPENAME: ClassVar[str] = "InventoryQuantity"
    id: str
    name: str
    quantity: int
    updated_at: datetime


@dataclass(eq=False, slots=True, kw_only=True)
class InventoryLevel(Shared):
    """Units of one item at one location. `on_hand` is the sum of all but `incoming`."""

    TYPENAME: ClassVar[str] = "InventoryLevel"
    id: str
    item: InventoryItem
    location: Location
    created_at: datetime
    updated_at: datetime
    is_active: bool = True
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(QUANTITY_NAMES, 0))

    def count(self, name: str) -> int:
        if name == "on_hand":
            return sum(self.counts.values()) - self.counts["incoming"]
        return self.counts[name]
