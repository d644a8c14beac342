"""Amounts: decimals with two places, shown in the shop's and in the customer's currency."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pickgate.twins.shopify.model import Order

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
Amount = Decimal | str | int


def money(amount: Amount) -> Decimal:
    """Return `amount` with two places, halves away from zero."""
    return Decimal(amount).quantize(CENT, ROUND_HALF_UP)


def share(total: Decimal, part: int, whole: int) -> Decimal:
    """Return the share of `part` units in a total for `whole` units; all units together give the total exactly."""
    if part >= whole or whole == 0:
        return total
    return (total * part / whole).quantize(CENT, ROUND_DOWN)


def tax_on(net: Decimal, rate: Decimal, *, included: bool) -> Decimal:
    """Return the tax in (or on top of) `net`, rounded to the cent."""
    if not rate:
        return ZERO
    return money(net * rate / (1 + rate) if included else net * rate)


def split(total: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """Split `total` by weight; the parts add up to the whole, odd cents go to the first parts."""
    whole = sum(weights, ZERO)
    if not whole:
        return [ZERO for _ in weights]
    parts = [(total * weight / whole).quantize(CENT, ROUND_DOWN) for weight in weights]
    odd = int((total - sum(parts, ZERO)) / CENT)
    return [part + CENT if i < odd else part for i, part in enumerate(parts)]


def wire(amount: Decimal) -> str:
    """Render as GraphQL does: at least one decimal, no idle zero ("10.0", "12.34")."""
    text = f"{amount:.2f}"
    return text[:-1] if text.endswith("0") else text


class Money:
    """One amount in one currency, as GraphQL shows it."""

    TYPENAME: ClassVar[str] = "MoneyV2"
    __slots__ = ("amount", "currency_code")

    def __init__(self, amount: Decimal, currency_code: str) -> None:
        self.amount = amount
        self.currency_code = currency_code


class MoneyBag:
    """One amount in the shop's and the customer's currency."""

    TYPENAME: ClassVar[str] = "MoneyBag"
    __slots__ = ("amount", "order")

    def __init__(self, amount: Decimal, order: Order) -> None:
        self.amount = amount
        self.order = order

    @property
    def shop_money(self) -> Money:
        return Money(self.amount, self.order.currency_code)

    @property
    def presentment_money(self) -> Money:
        order = self.order
        if order.presentment_rate == 1:
            return Money(self.amount, order.presentment_currency_code)
        return Money(money(self.amount * order.presentment_rate), order.presentment_currency_code)
