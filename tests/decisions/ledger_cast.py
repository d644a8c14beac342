"""Short builders of what the shop says about money, so that a test shows only what matters to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cast import NOON
from pickgate.domain.ledger_facts import (
    Agreement,
    Amounts,
    LineKind,
    MoneyTotals,
    OrderMoney,
    Payment,
    Sale,
    Why,
)
from pickgate.domain.money import Money


def both(minor: int, currency: str = "GBP", presentment: int | None = None, customers: str | None = None) -> Amounts:
    return Amounts(Money(minor, currency), Money(minor if presentment is None else presentment, customers or currency))


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def sale(
    sale_id: str,
    total: int,
    *,
    tax: int = 0,
    discount: int = 0,
    units: int = 0,
    line: str | None = "A",
    kind: LineKind = LineKind.GOODS,
    currency: str = "GBP",
) -> Sale:
    return Sale(
        id=sale_id,
        kind=kind,
        total=both(total, currency),
        tax=both(tax, currency),
        discount=both(discount, currency),
        line_id=line if kind is LineKind.GOODS else None,
        units=units,
    )


def agreed(agreement_id: str, *sales: Sale, why: Why = Why.SALE, hours: float = 0) -> Agreement:
    return Agreement(id=agreement_id, why=why, at=at(hours), sales=sales)


def paid(payment_id: str, minor: int, *, hours: float = 0, currency: str = "GBP", means: str = "card") -> Payment:
    return Payment(id=payment_id, at=at(hours), amount=both(minor, currency), means=means)


def money(*parts: Agreement | Payment, currency: str = "GBP", included: bool = True, **said: Any) -> OrderMoney:
    """An order whose totals are what its parts add up to, unless told otherwise (`current=…` in minor units)."""
    agreements = tuple(part for part in parts if isinstance(part, Agreement))
    payments = tuple(part for part in parts if isinstance(part, Payment))
    sales = [one for agreement in agreements for one in agreement.sales]
    received = sum(p.amount.shop.minor for p in payments if p.amount.shop.minor > 0)
    refunded = -sum(p.amount.shop.minor for p in payments if p.amount.shop.minor < 0)
    shipping = [one for one in sales if one.kind is LineKind.SHIPPING]
    sums = {
        "current": sum(one.total.shop.minor for one in sales),
        "received": received,
        "refunded": refunded,
        "outstanding": sum(one.total.shop.minor for one in sales) - received + refunded,
        "tax": sum(one.tax.shop.minor for one in sales),
        "shipping": sum(one.total.shop.minor - (0 if included else one.tax.shop.minor) for one in shipping),
    } | said
    return OrderMoney(
        order_id="5001",
        name="#1001",
        read_at=at(24),
        currency=currency,
        presentment=currency,
        taxes_included=included,
        totals=MoneyTotals(**{name: both(minor, currency) for name, minor in sums.items()}),
        agreements=agreements,
        payments=payments,
    )
