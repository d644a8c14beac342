"""The figures that the page, the files and the command line share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pickgate.domain.lookback import CHARGES, Accusation, Charge, ChargeBook, Lookback
from pickgate.domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What was audited. `domains`: the shop's domain by key, for links into its admin."""

    since: datetime
    until: datetime
    domains: Mapping[str, str] = field(default_factory=dict)
    reference: str = "{name}"
    has_rulebook: bool = True
    settled_hours: float = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSum:
    """One charge over the whole period. `orders`: distinct ones (of stock: SKUs); `values`: one for each currency."""

    charge: Charge
    book: ChargeBook
    found: tuple[Accusation, ...]
    orders: int
    values: tuple[Money, ...]


def sums_of(lookback: Lookback) -> tuple[ChargeSum, ...]:
    """Add up each charge that was found, in the order of `Charge`."""
    sums = []
    for charge in Charge:
        found = tuple(a for a in lookback.accusations if a.charge is charge)
        if found:
            orders = len({(a.shop, a.order_id or a.subject) for a in found})
            values = add_up(a.value for a in found)
            sums.append(ChargeSum(charge=charge, book=CHARGES[charge], found=found, orders=orders, values=values))
    return tuple(sums)


def wrong_orders(lookback: Lookback) -> int:
    """Count the orders with which something went wrong, each once."""
    return len({(a.shop, a.order_id) for a in lookback.accusations if a.charge.went_wrong})


def at_stake(lookback: Lookback) -> tuple[Money, ...]:
    """Add up what was at stake, each order once: with its dearest charge."""
    dearest: dict[tuple[str, str], Money] = {}
    for accusation in lookback.accusations:
        value = accusation.value
        if accusation.charge.went_wrong and value is not None:
            key = (accusation.shop, accusation.order_id)
            if key not in dearest or value.minor > dearest[key].minor:
                dearest[key] = value
    return add_up(dearest.values())


def add_up(values: Iterable[Money | None]) -> tuple[Money, ...]:
    """Sum by currency, in the order of the currencies' names."""
    sums: dict[str, int] = {}
    for value in values:
        if value is not None:
            sums[value.currency] = sums.get(value.currency, 0) + value.minor
    return tuple(Money(sums[currency], currency) for currency in sorted(sums))


def say_money(values: Sequence[Money]) -> str:
    return " + ".join(str(value) for value in values)
