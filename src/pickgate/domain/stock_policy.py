"""How much of what the warehouse has may be promised: the formula, the buffers, and what looks too odd to believe."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

FIGURES = ("available", "allocated", "ordered", "received", "picked")
_TERM = re.compile(r"\s*([+-]?)\s*([a-z_]+)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What the warehouse says of one product in one place, in whole units. Any figure may be negative."""

    available: int
    allocated: int = 0
    ordered: int = 0
    received: int = 0
    picked: int = 0


@dataclass(frozen=True, slots=True)
class Formula:
    """What can be sold, as a sum of the five figures: (+1 or -1, name). See `parse_formula`."""

    terms: tuple[tuple[int, str], ...]

    def sellable(self, balance: Balance) -> int:
        """Units that the warehouse has and has not put aside. May be negative."""
        return sum(sign * int(getattr(balance, name)) for sign, name in self.terms)


def parse_formula(text: str) -> Formula:
    """Parse "available" or "available - allocated - ordered". Raises ValueError with the remedy."""
    terms: list[tuple[int, str]] = []
    at = 0
    while at < len(text):
        match = _TERM.match(text, at)
        if match is None or match[2] not in FIGURES or (terms and not match[1]):
            raise ValueError(f"{text!r} is not a sum of {', '.join(FIGURES)}; write it like 'available - ordered'")
        terms.append((-1 if match[1] == "-" else 1, match[2]))
        at = match.end()
    if not terms:
        raise ValueError("an empty formula; write 'available'")
    return Formula(tuple(terms))


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffer:
    """What the shop never sees: the larger of so many units and so many percent of what could be promised."""

    units: int = 0
    percent: int = 0

    def of(self, promised: int) -> int:
        """Units to keep back of `promised`; a part of a unit counts as one."""
        return max(self.units, -(-promised * self.percent // 100)) if promised > 0 else self.units


def parse_buffer(value: int | str) -> Buffer:
    """Parse 3, "3" or "10%". Raises ValueError with the remedy."""
    text = str(value).strip()
    match = re.fullmatch(r"(\d{1,9})(%?)", text)
    if match is None or (match[2] and int(match[1]) > 100):
        raise ValueError(f'{value!r} is not a buffer; write units as 3, or a share as "10%"')
    return Buffer(percent=int(match[1])) if match[2] else Buffer(units=int(match[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class StockPolicy:
    """How stock is promised.

    Args:
        formula: Units that can be sold: net of everything that the warehouse has allocated, or knows to be ordered.
        counts_allocated_only: The formula takes nothing off for a goods-out until it is allocated, so until then the
            shop's own figures have to.
        buffers: By SKU, or a pattern with `*`; an exact SKU first, then patterns as they stand.
        hysteresis_units: A rise of at most so many units waits until it has lasted for `hysteresis_for`. A fall, and
            the return of something that was sold out, never wait.
        most_changed_share, most_zero_share: Above these shares of a place's levels, a person must confirm.
        shared: Several items that sell one product each see the whole of it, or an equal part.
    """

    formula: Formula = Formula(((1, "available"),))
    counts_allocated_only: bool = False
    buffer: Buffer = Buffer()
    buffers: Mapping[str, Buffer] = field(default_factory=dict)
    hysteresis_units: int = 0
    hysteresis_for: timedelta = timedelta(minutes=15)
    most_changed_share: float = 0.5
    most_zero_share: float = 0.2
    snapshot_max_age: timedelta = timedelta(minutes=10)
    sets_on_hand: bool = False
    splits_shared: bool = False

    def buffer_of(self, sku: str) -> Buffer:
        """Return the buffer for a SKU: its own, else the first pattern that fits, else everybody's."""
        if not self.buffers:
            return self.buffer
        own = self.buffers.get(sku)
        if own is not None:
            return own
        for pattern, buffer in self.buffers.items():
            if "*" in pattern and _fits(pattern, sku):
                return buffer
        return self.buffer


def _fits(pattern: str, sku: str) -> bool:
    """`*` stands for any characters, or none."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), sku, re.DOTALL) is not None


def make_stock_policy(
    *,
    formula: str,
    counts_from: str,
    shared: str,
    quantity_name: str,
    buffer_units: int,
    buffer_percent: int,
    buffers: Mapping[str, int | str],
    hysteresis_units: int,
    hysteresis_for: timedelta,
    most_changed_share: float,
    most_zero_share: float,
    snapshot_max_age: timedelta,
) -> StockPolicy:
    """Make a policy of the values as settings spell them. Raises ValueError for a formula or buffer that is none."""
    return StockPolicy(
        formula=parse_formula(formula),
        counts_allocated_only=counts_from == "allocated",
        buffer=Buffer(units=buffer_units, percent=buffer_percent),
        buffers={sku: parse_buffer(buffer) for sku, buffer in buffers.items()},
        hysteresis_units=hysteresis_units,
        hysteresis_for=hysteresis_for,
        most_changed_share=most_changed_share,
        most_zero_share=most_zero_share,
        snapshot_max_age=snapshot_max_age,
        sets_on_hand=quantity_name == "on_hand",
        splits_shared=shared == "split",
    )
