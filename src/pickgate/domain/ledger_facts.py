"""What the shop says about an order's money: agreements with their sales, payments, and its own totals. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from pickgate.domain.money import Money


@dataclass(frozen=True, slots=True)
class Amounts:
    """One amount twice: in the shop's currency and in the customer's. The two are never added to each other."""

    shop: Money
    presentment: Money

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(self.shop + other.shop, self.presentment + other.presentment)

    def __sub__(self, other: Amounts) -> Amounts:
        return Amounts(self.shop - other.shop, self.presentment - other.presentment)

    def __neg__(self) -> Amounts:
        return Amounts(-self.shop, -self.presentment)

    def __bool__(self) -> bool:
        return bool(self.shop.minor or self.presentment.minor)

    @property
    def currencies(self) -> tuple[str, str]:
        return self.shop.currency, self.presentment.currency


def no_amount(shop: str, presentment: str) -> Amounts:
    """Nothing, in the order's two currencies."""
    return Amounts(Money(0, shop), Money(0, presentment))


class LineKind(Enum):
    """What was sold. UNRECOGNISED is a kind that nobody knows: booked apart, and never explained away."""

    GOODS = "goods"
    SHIPPING = "shipping"
    TIP = "tip"
    GIFT_CARD = "gift_card"
    DUTY = "duty"
    FEE = "fee"
    ADDITIONAL_FEE = "additional_fee"
    ADJUSTMENT = "adjustment"
    UNRECOGNISED = "unrecognised"


class Why(Enum):
    """Why an agreement changed the order's value."""

    SALE = "sale"
    EDIT = "edit"
    REFUND = "refund"
    RETURN = "return"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """One signed line of an agreement. `total` is after discount and tax; `tax` and `discount` are parts of it.

    `discount` is what was taken off before tax, positive when something was taken off. `units` is signed too.
    """

    id: str
    kind: LineKind
    total: Amounts
    tax: Amounts
    discount: Amounts
    line_id: str | None = None
    units: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One change of an order's value: the placement, an edit, a refund, a return."""

    id: str
    why: Why
    at: datetime
    sales: tuple[Sale, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that has moved. `amount` is positive when it came in, negative when it went back.

    `means`: the payment method as the shop names it, such as "shopify_payments", "gift_card" or "store_credit".
    """

    id: str
    at: datetime
    amount: Amounts
    means: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyTotals:
    """The shop's own totals now. `outstanding` > 0: the customer owes. None: the shop does not say."""

    current: Amounts
    received: Amounts
    refunded: Amounts
    outstanding: Amounts
    tax: Amounts
    shipping: Amounts
    duty: Amounts | None = None
    additional_fee: Amounts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMoney:
    """Everything that one complete read said about an order's money. `currency`: the shop's; ids are numeric texts."""

    order_id: str
    name: str
    read_at: datetime
    currency: str
    presentment: str
    taxes_included: bool
    totals: MoneyTotals
    agreements: tuple[Agreement, ...]
    payments: tuple[Payment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """An answer about money that cannot be booked: which cell, what it holds, what is wrong, and the way out."""

    where: str
    value: str
    problem: str
    remedy: str
