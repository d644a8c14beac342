"""Clarus' shapes in Clarus' own spelling, and the documented limits of what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypedDict

WireId = int | str
"""REST wants integers; a tenant whose ids are not numeric gets them back as they came."""

REQUIRED_ON_WRITE = ("goods_out_type", "account_id", "reference", "expected_date_of_dispatch")
NOTE_FIELDS = (
    "order_notes",
    "pick_notes",
    "packing_notes",
    "delivery_notes",
    *(f"string{number}" for number in range(1, 6)),
)
REFERENCE_LIMIT = 50
NOTE_LIMITS: Mapping[str, int] = {"packing_notes": 255}
ADDRESS_LIMITS: Mapping[str, int] = {
    "address_1": 80,
    "address_2": 80,
    "address_3": 80,
    "address_4": 80,
    "postcode": 10,
    "country_code": 6,
    "email_address": 254,
    "phone_number": 50,
}


class LineAttributes(TypedDict, total=False):
    product_id: WireId
    order_quantity: int
    external_system_reference1: str
    alt_product_code: str


class LineChange(TypedDict, total=False):
    """`id` for UPDATE and the delete verb; `attributes` for ADD and UPDATE."""

    type: Literal["ADD", "UPDATE", "DESTROY", "REMOVE"]
    id: WireId
    attributes: LineAttributes


Attributes = dict[str, Any]
"""Header attributes by name; `lines_changes` holds `LineChange`s. None clears a field and is sent by PATCH only."""


class Body(TypedDict):
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsOutNode:
    """One node of `goods_outs.all`, names kept, ids as text."""

    id: str
    reference: str
    status_code: str
    account: str | None
    warehouse: str | None
    carrier: str | None
    priority: int | None
    expected_date_of_dispatch: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineNode:
    """One node of `goods_out_lines.all`. Quantities are decimals, not negative, not checked to be whole."""

    id: str
    goods_out_id: str
    goods_out_reference: str | None
    product_code: str
    order_quantity: Decimal
    allocated_quantity: Decimal
    pick_quantity: Decimal
    dispatch_quantity: Decimal
    short_status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentNode:
    """One node of `shipments.all`."""

    id: str
    status: str
    carrier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageNode:
    """One node of `packages.all`."""

    id: str
    shipment_id: str
    tracking_number: str
