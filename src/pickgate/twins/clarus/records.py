"""The tenant's records, as plain mutable rows. Quantities are decimals (`float`), ids are integers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

STATUS_IDS = {
    "DRAFT": 1,
    "PENDING": 2,
    "PICK": 3,
    "PART": 4,
    "ALLOCATED": 5,
    "COMPLETED": 6,
    "PART_ALLOCATED": 7,
    "CANCELLED": 8,
}
FINAL = frozenset({"COMPLETED", "CANCELLED"})


@dataclass(slots=True, kw_only=True, eq=False)
class Account:
    id: int
    code: str
    name: str
    is_short_pickable: bool = False
    external_system_reference1: str | None = None
    vat_number: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Warehouse:
    id: int
    code: str
    name: str
    address: dict[str, str] = field(default_factory=dict)
    consolidate_pick_enabled: bool = True
    loading_validation_setting: str | None = None
    opening_times_enabled: bool = False
    site_id: int | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class AccountWarehouse:
    id: int
    account_id: int
    warehouse_id: int


@dataclass(slots=True, kw_only=True, eq=False)
class Carrier:
    id: int
    code: str
    name: str
    created_at: datetime
    description: str | None = None
    active: bool = True
    carrier_type: str = "integrated"
    carrier_externally_registered: bool = False
    external_system_reference1: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class CarrierService:
    id: int
    code: str
    name: str
    carrier_id: int
    active: bool = True
    is_default: bool = False
    external_preset_id: int | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Product:
    id: int
    code: str
    description: str
    barcode: str | None = None
    product_type: str = "single"
    units_per_case: float | None = None
    stop: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class AccountProduct:
    id: int
    account_id: int
    product_id: int
    created_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class ProductMaterial:
    id: int
    parent_product_id: int
    child_product_id: int
    quantity: float


@dataclass(slots=True, kw_only=True, eq=False)
class OrderType:
    id: int
    code: str
    name: str
    created_at: datetime
    duty_payable: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class ReasonCode:
    id: int
    code: str
    name: str
    reason_type: str
    description: str | None = None
    active: bool = True
    generic: bool = True
    account_id: int | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Integration:
    id: int
    name: str
    integration_provider: str
    integration_type: str
    created_at: datetime
    status: str = "active"
    enabled: bool = True


@dataclass(slots=True, kw_only=True, eq=False)
class Stock:
    """One stock record on the shelf: `available` or `held`."""

    id: int
    product_id: int
    account_id: int
    warehouse_id: int
    quantity: float
    status: str
    fifo_date: datetime
    location_id: int = 318


@dataclass(slots=True, kw_only=True, eq=False)
class Balance:
    """One product of one account in one warehouse. `shelf` is available stock not yet picked."""

    product_id: int
    account_id: int
    warehouse_id: int
    shelf: float = 0.0
    allocated: float = 0.0
    picked: float = 0.0
    stocks: list[Stock] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Line:
    """A goods-out line. `short_quantity` will never be sent; `returned_quantity` went back to its shelf."""

    id: int
    goods_out_id: int
    product_id: int
    order_quantity: float
    created_at: datetime
    attributes: dict[str, Any] = field(default_factory=dict)
    allocated_quantity: float = 0.0
    pick_quantity: float = 0.0
    dispatch_quantity: float = 0.0
    short_quantity: float = 0.0
    returned_quantity: float = 0.0
    short_status: str = ""

    @property
    def to_allocate(self) -> float:
        return max(0.0, self.order_quantity - self.short_quantity - self.allocated_quantity)

    @property
    def to_pick(self) -> float:
        return max(0.0, self.allocated_quantity - self.pick_quantity)

    @property
    def to_dispatch(self) -> float:
        return max(0.0, self.pick_quantity - self.returned_quantity - self.dispatch_quantity)

    @property
    def is_settled(self) -> bool:
        """Nothing of this line will be sent any more."""
        return self.dispatch_quantity >= self.order_quantity - self.short_quantity


@dataclass(slots=True, kw_only=True, eq=False)
class GoodsOut:
    """A goods-out. `attributes` holds the header as it was written, nulls left out."""

    id: int
    attributes: dict[str, Any]
    address: dict[str, Any]
    status: str
    created_at: datetime
    updated_at: datetime
    visible_from: datetime
    lines: list[Line] = field(default_factory=list)
    pick_list_id: int | None = None
    actual_date_of_dispatch: datetime | None = None
    packed: bool = False

    @property
    def reference(self) -> str:
        return str(self.attributes["reference"])

    @property
    def account_id(self) -> int:
        return int(self.attributes["account_id"])

    @property
    def warehouse_id(self) -> int | None:
        return self.attributes.get("warehouse_id")

    @property
    def carrier_id(self) -> int | None:
        return self.attributes.get("carrier_id")

    @property
    def carrier_service_id(self) -> int | None:
        return self.attributes.get("carrier_service_id")

    @property
    def is_processed(self) -> bool:
        """Stock has been allocated to it, or units of it were picked."""
        return any(line.allocated_quantity or line.pick_quantity for line in self.lines)

    @property
    def is_begun(self) -> bool:
        """At least one unit was picked."""
        return any(line.pick_quantity for line in self.lines)


@dataclass(slots=True, kw_only=True, eq=False)
class PickList:
    id: int
    reference: str
    goods_out_ids: list[int]
    account_id: int
    warehouse_id: int
    status: str = "ALLOCATED"
    pick_reference: str | None = None
    pick_type: str = "standard"
    load_reference: str | None = None
    is_picked: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Task:
    id: int
    code: str
    status: str
    goods_out_id: int
    line_id: int
    product_id: int
    account_id: int
    warehouse_id: int
    start_quantity: float
    created_at: datetime
    confirmed_quantity: float | None = None
    completed_at: datetime | None = None
    subtype: str = "standard"
    location_from_id: int = 318
    location_to_id: int = 990


@dataclass(slots=True, kw_only=True, eq=False)
class ProcessingRequest:
    id: int
    process_reference: str
    goods_out_id: int
    goods_out_reference: str
    created_at: datetime
    updated_at: datetime
    status: str = "pending"
    message: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Shipment:
    """One consignment. It may carry units of several goods-outs."""

    id: int
    reference: str
    name: str
    goods_out_ids: list[int]
    warehouse_id: int
    carrier_id: int | None
    carrier_service_id: int | None
    status: str
    collection_datetime: datetime
    delivery_notes: str | None = None
    label_filename: str | None = None
    packages: list[Package] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Package:
    id: int
    shipment_id: int
    tracking_number: str | None


@dataclass(slots=True, kw_only=True, eq=False)
class Transaction:
    id: int
    subtype: str
    quantity: float
    product_id: int
    account_id: int
    warehouse_id: int
    goods_out_id: int | None
    created_at: datetime
    location_from_id: int = 318
    location_to_id: int = 990


@dataclass(slots=True, kw_only=True, eq=False)
class Automation:
    """A rule: on `event` of `resource_name`, when every condition passes, run the actions."""

    id: int
    name: str | None
    resource_name: str
    event: str
    enabled: bool
    created_at: datetime
    conditions: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    integration_id: int | None = None
