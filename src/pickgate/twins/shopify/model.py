"""Orders and what hangs on them, as the shop keeps them. Plain values; the rules live in the modules beside this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from pickgate.twins.shopify.catalogue import App, Location, Product, Variant
from pickgate.twins.shopify.fulfilment_model import Fulfillment, FulfillmentOrder
from pickgate.twins.shopify.money import ZERO, share, tax_on
from pickgate.twins.shopify.money_model import Agreement, Refund, Return, Transaction


class TopLevelError(Exception):
    """An entry of the answer's top-level `errors`; the root field's data is null."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Refused(Exception):
    """The shop says no. Over the API it becomes a userError; on the Python side it is raised.

    `field` is the userError's path, `code` its code where the payload's error type has one.
    """

    def __init__(self, message: str, *, code: str | None = None, field: list[str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field


@dataclass(eq=False, slots=True, kw_only=True)
class Address:
    """A postal address. `country_code` is ISO alpha-2."""

    TYPENAME: ClassVar[str] = "MailingAddress"
    id: str = "gid://shopify/MailingAddress/1"
    first_name: str | None = "Ada"
    last_name: str | None = "Byron"
    company: str | None = None
    address1: str | None = "1 High Street"
    address2: str | None = None
    city: str | None = "London"
    province: str | None = None
    province_code: str | None = None
    zip: str | None = "N1 9GU"
    country: str | None = "United Kingdom"
    country_code: str | None = "GB"
    phone: str | None = None

    @property
    def country_code_v2(self) -> str | None:
        return self.country_code

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


@dataclass(eq=False, slots=True, kw_only=True)
class Customer:
    TYPENAME: ClassVar[str] = "Customer"
    id: str
    first_name: str | None = "Ada"
    last_name: str | None = "Byron"
    email: str | None = "ada@example.com"

    @property
    def display_name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


@dataclass(eq=False, slots=True)
class Attribute:
    TYPENAME: ClassVar[str] = "Attribute"
    key: str
    value: str | None


@dataclass(eq=False, slots=True, kw_only=True)
class LineSpec:
    """One line to order: a variant, or (without one) a custom item with `title` and `price`."""

    variant: Variant | None = None
    quantity: int = 1
    title: str | None = None
    price: Decimal | str | int | None = None
    requires_shipping: bool | None = None
    tip: bool = False
    discount: Decimal | str | int = 0
    attributes: Mapping[str, str] = field(default_factory=dict)
    location: Location | None = None


@dataclass(eq=False, slots=True, kw_only=True)
class ShippingSpec:
    """The shipping method chosen: title, price before discount, code."""

    title: str = "Standard"
    price: Decimal | str | int = "3.95"
    code: str | None = None
    discount: Decimal | str | int = 0


@dataclass(eq=False, slots=True, kw_only=True)
class LineItemGroup:
    TYPENAME: ClassVar[str] = "LineItemGroup"
    id: str
    title: str
    quantity: int
    variant_id: str
    variant_sku: str | None


@dataclass(eq=False, slots=True, kw_only=True)
class LineItem:
    """One line. `quantity` never falls; what left the line is counted by the reason why."""

    TYPENAME: ClassVar[str] = "LineItem"
    id: str
    order: Order
    variant: Variant | None
    title: str
    variant_title: str | None
    sku: str | None
    quantity: int
    price: Decimal
    requires_shipping: bool
    taxable: bool
    is_gift_card: bool = False
    is_tip: bool = False
    custom_attributes: list[Attribute] = field(default_factory=list)
    line_item_group: LineItemGroup | None = None
    group_units: int = 1
    discount: Decimal = ZERO
    discount_quantity: int = 0
    removed: int = 0
    refunded_kept: int = 0
    returned: int = 0
    fulfilled: int = 0
    location: Location | None = None
    restockable: bool = True

    @property
    def current_quantity(self) -> int:
        return self.quantity - self.removed - self.refunded_kept - self.returned

    @property
    def unfulfilled_quantity(self) -> int:
        return 0 if self.is_tip else self.quantity - self.removed - self.fulfilled

    @property
    def refundable_quantity(self) -> int:
        return self.current_quantity

    @property
    def non_fulfillable_quantity(self) -> int:
        return self.quantity if self.is_tip else self.quantity - self.current_quantity

    @property
    def merchant_editable(self) -> bool:
        return self.unfulfilled_quantity > 0 and self.order.merchant_editable

    @property
    def name(self) -> str:
        return f"{self.title} - {self.variant_title}" if self.variant_title else self.title

    @property
    def product(self) -> Product | None:
        return self.variant.product if self.variant else None

    @property
    def vendor(self) -> str | None:
        return self.variant.product.vendor if self.variant else None

    def discount_on(self, units: int) -> Decimal:
        return share(self.discount, units, self.discount_quantity)

    def net(self, units: int) -> Decimal:
        """Price of so many units after discounts, before any tax on top."""
        return self.price * units - self.discount_on(units)

    def tax(self, units: int) -> Decimal:
        if not self.taxable:
            return ZERO
        order = self.order
        return tax_on(self.net(units), order.tax_rate, included=order.taxes_included)

    def total(self, units: int) -> Decimal:
        """What the customer pays for so many units, tax and discount included."""
        tax_on_top = ZERO if self.order.taxes_included else self.tax(units)
        return self.net(units) + tax_on_top


@dataclass(eq=False, slots=True, kw_only=True)
class ShippingLine:
    TYPENAME: ClassVar[str] = "ShippingLine"
    id: str
    order: Order
    title: str
    code: str | None
    price: Decimal
    discount: Decimal = ZERO
    refunded: Decimal = ZERO
    is_removed: bool = False
    custom: bool = False
    source: str | None = "shopify"
    carrier_identifier: str | None = None
    delivery_category: str | None = None
    phone: str | None = None

    @property
    def current(self) -> Decimal:
        """Price after discount, removal and refunds, before any tax on top."""
        return ZERO if self.is_removed else self.price - self.discount - self.refunded

    def tax(self, net: Decimal) -> Decimal:
        return tax_on(net, self.order.tax_rate, included=self.order.taxes_included)

    def total(self, net: Decimal) -> Decimal:
        return net if self.order.taxes_included else net + self.tax(net)


@dataclass(eq=False, slots=True, kw_only=True)
class Metafield:
    TYPENAME: ClassVar[str] = "Metafield"
    id: str
    namespace: str
    key: str
    type: str
    value: str
    compare_digest: str
    created_at: datetime
    updated_at: datetime
    owner_type: str = "ORDER"


@dataclass(eq=False, slots=True, kw_only=True)
class Order:
    TYPENAME: ClassVar[str] = "Order"
    id: str
    number: int
    name: str
    created_at: datetime
    processed_at: datetime
    updated_at: datetime
    currency_code: str
    presentment_currency_code: str
    presentment_rate: Decimal
    taxes_included: bool
    tax_rate: Decimal
    app: App
    source_name: str
    customer: Customer | None
    email: str | None
    shipping_address: Address | None
    billing_address: Address | None
    delivery_method: str
    fulfill_at: datetime | None
    tags: list[str]
    note: str | None
    custom_attributes: list[Attribute]
    discount_codes: list[str]
    test: bool
    phone: str | None = None
    po_number: str | None = None
    edited: bool = False
    closed: bool = False
    closed_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    cancel_note: str | None = None
    confirmed: bool = True
    gateway: str = "shopify_payments"
    payment_terms: bool = False
    payment_pending: bool = False
    merchant_editable: bool = True
    original_total: Decimal = ZERO
    original_subtotal: Decimal = ZERO
    original_tax: Decimal = ZERO
    original_shipping: Decimal = ZERO
    original_discounts: Decimal = ZERO
    duties: Decimal | None = None
    additional_fees: Decimal | None = None
    adjustments: Decimal = ZERO
    line_items: list[LineItem] = field(default_factory=list)
    shipping_lines: list[ShippingLine] = field(default_factory=list)
    fulfillment_orders: list[FulfillmentOrder] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    metafields: dict[tuple[str, str], Metafield] = field(default_factory=dict)
    routed: bool = False
    revision: int = 0
    cache: dict[str, Any] = field(default_factory=dict)
    copies: list[tuple[datetime, Order]] = field(default_factory=list)

    @property
    def order(self) -> Order:
        return self

    def line(self, line_id: str) -> LineItem | None:
        return next((line for line in self.line_items if line.id == line_id), None)
