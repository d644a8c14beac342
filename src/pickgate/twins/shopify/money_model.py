"""Payments, refunds, returns, and the signed ledger of agreements, as the shop keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from pickgate.twins.shopify.catalogue import App, Location
from pickgate.twins.shopify.money import ZERO

if TYPE_CHECKING:
    from pickgate.twins.shopify.model import LineItem, Order, ShippingLine


@dataclass(eq=False, slots=True, kw_only=True)
class Transaction:
    """One movement of money. `kind`: AUTHORIZATION, CAPTURE, SALE, VOID or REFUND; amounts are positive."""

    TYPENAME: ClassVar[str] = "OrderTransaction"
    id: str
    order: Order
    kind: str
    amount: Decimal
    gateway: str
    created_at: datetime
    status: str = "SUCCESS"
    parent_transaction: Transaction | None = None

    @property
    def processed_at(self) -> datetime:
        return self.created_at


@dataclass(eq=False, slots=True, kw_only=True)
class Sale:
    """One signed entry: what a placement, edit, refund or return did to quantity and money."""

    TYPENAME: str
    id: str
    order: Order
    action_type: str
    line_type: str
    quantity: int | None
    total_amount: Decimal
    total_tax_amount: Decimal = ZERO
    total_discount_amount_after_taxes: Decimal = ZERO
    line_item: LineItem | None = None
    shipping_line: ShippingLine | None = None

    @property
    def total_discount_amount_before_taxes(self) -> Decimal:
        return self.total_discount_amount_after_taxes


@dataclass(eq=False, slots=True, kw_only=True)
class Agreement:
    TYPENAME: str
    id: str
    reason: str
    happened_at: datetime
    app: App | None
    sales: list[Sale] = field(default_factory=list)
    refund: Refund | None = None
    return_: Return | None = None


@dataclass(eq=False, slots=True, kw_only=True)
class RefundLineItem:
    TYPENAME: ClassVar[str] = "RefundLineItem"
    id: str
    order: Order
    line_item: LineItem
    quantity: int
    restock_type: str
    restocked: bool
    location: Location | None
    subtotal: Decimal
    total_tax: Decimal


@dataclass(eq=False, slots=True, kw_only=True)
class RefundShippingLine:
    TYPENAME: ClassVar[str] = "RefundShippingLine"
    id: str
    order: Order
    shipping_line: ShippingLine
    subtotal_amount: Decimal
    tax_amount: Decimal


@dataclass(eq=False, slots=True, kw_only=True)
class OrderAdjustment:
    """A difference between what lines were worth and what was refunded."""

    TYPENAME: ClassVar[str] = "OrderAdjustment"
    id: str
    order: Order
    amount: Decimal
    reason: str = "REFUND_DISCREPANCY"


@dataclass(eq=False, slots=True, kw_only=True)
class Refund:
    TYPENAME: ClassVar[str] = "Refund"
    id: str
    order: Order
    created_at: datetime
    updated_at: datetime
    note: str | None
    total_refunded: Decimal
    refund_line_items: list[RefundLineItem] = field(default_factory=list)
    refund_shipping_lines: list[RefundShippingLine] = field(default_factory=list)
    order_adjustments: list[OrderAdjustment] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    return_: Return | None = None

    @property
    def processed_at(self) -> datetime:
        return self.created_at


@dataclass(eq=False, slots=True, kw_only=True)
class ExchangeLineItem:
    TYPENAME: ClassVar[str] = "ExchangeLineItem"
    id: str
    quantity: int
    line_items: list[LineItem]
    processed_quantity: int = 0


@dataclass(eq=False, slots=True, kw_only=True)
class Return:
    """Units on their way back. `lines` maps line item ids to units."""

    TYPENAME: ClassVar[str] = "Return"
    id: str
    order: Order
    name: str
    status: str
    created_at: datetime
    closed_at: datetime | None = None
    lines: dict[str, int] = field(default_factory=dict)
    exchange_line_items: list[ExchangeLineItem] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)

    @property
    def total_quantity(self) -> int:
        return sum(self.lines.values())
