"""Despatched against charged, by order line: what the customer was charged for, what left, and what was given back.

Each line is walked through in time. Units that are charged wait in a pool with their money; a despatch takes units out
of it, with their share of the money; an edit or refund takes back what still waits first, and what has left after
that. A despatch that finds the pool empty is a despatch without revenue, until a later charge covers it. So, for every
line: net charge = value despatched − given back after despatch + value that still waits. Nothing is rounded away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pickgate.domain.ledger import Account, Transaction
from pickgate.domain.ledger_facts import LineKind
from pickgate.domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """What is known of an order line besides its money. `ships` False: nothing of it ever leaves a warehouse."""

    line_id: str
    title: str = ""
    sku: str = ""
    ships: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Despatch:
    """Units of one line that left. `source`: "fulfilment:ID" as the shop has it; "warehouse" while it lags behind."""

    line_id: str
    units: int
    at: datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A change of a line's charge: units and money, after discount and with tax, both signed."""

    line_id: str
    units: int
    minor: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCover:
    """
    How one line's charges and despatches meet, in minor units of the shop's currency.

    `net_charged`: every charge, less everything that was taken off again. `given_back`: what was taken off after the
    units had left. `waiting`: charged, and not despatched. `uncovered`: units that left without a charge, at the line's
    last known unit price, which is only an estimate.
    """

    goods: Goods
    currency: str
    net_charged: int = 0
    despatched_units: int = 0
    despatched: int = 0
    given_back: int = 0
    waiting_units: int = 0
    waiting: int = 0
    waiting_since: datetime | None = None
    uncovered_units: int = 0
    uncovered: int = 0
    uncovered_since: datetime | None = None

    @property
    def ties(self) -> bool:
        """The law of the walk."""
        return self.net_charged == self.despatched - self.given_back + self.waiting


def find_charges(transactions: Iterable[Transaction]) -> list[Charge]:
    """The charges of goods by line, from standing transactions; tips, gift cards and shipping are no goods."""
    charges = []
    for transaction in transactions:
        by_line: dict[str, list[int]] = {}
        for entry in transaction.entries:
            if entry.kind is LineKind.GOODS and entry.line_id is not None:
                sums = by_line.setdefault(entry.line_id, [0, 0])
                sums[0] += entry.units if entry.account is Account.GOODS else 0
                sums[1] -= entry.amount.shop.minor
        charges += [
            Charge(line_id=line_id, units=units, minor=minor, at=transaction.at)
            for line_id, (units, minor) in by_line.items()
            if units or minor
        ]
    return charges


def decide_despatches(
    before: Sequence[Despatch],
    fulfilments: Iterable[Despatch],
    despatched: Iterable[tuple[str, int]],
    *,
    now: datetime,
) -> tuple[Despatch, ...]:
    """
    Decide what has left, by line.

    Args:
        before: What was decided last time; a despatch that the shop did not know keeps the time it was first seen.
        fulfilments: What the shop says has left, without what was cancelled.
        despatched: (line id, units) that the warehouse says have left, in units of the shop's line.
    """
    found = list(fulfilments)
    known: dict[str, int] = {}
    for one in found:
        known[one.line_id] = known.get(one.line_id, 0) + one.units
    first_seen = {one.line_id: one.at for one in before if one.source == "warehouse"}
    for line_id, units in despatched:
        ahead = units - known.get(line_id, 0)
        if ahead > 0:
            at = first_seen.get(line_id, now)
            found.append(Despatch(line_id=line_id, units=ahead, at=at, source="warehouse"))
    return tuple(sorted(found, key=lambda one: (one.at, one.line_id, one.source)))


def cover_lines(
    goods: Sequence[Goods], charges: Sequence[Charge], despatches: Sequence[Despatch], *, currency: str
) -> tuple[LineCover, ...]:
    """Walk every line. Lines that only the money or only the despatches know of are walked too."""
    known = {one.line_id: one for one in goods}
    for line_id in dict.fromkeys([c.line_id for c in charges] + [d.line_id for d in despatches]):
        known.setdefault(line_id, Goods(line_id=line_id))
    return tuple(
        _Walk(one, currency).run(
            [c for c in charges if c.line_id == line_id], [d for d in despatches if d.line_id == line_id]
        )
        for line_id, one in known.items()
    )


class _Walk:
    def __init__(self, goods: Goods, currency: str) -> None:
        self._goods = goods
        self._currency = currency
        self._pool_units = self._pool = 0
        self._since: list[tuple[datetime, int]] = []  # how many waiting units since when
        self._gone_units = self._gone = self._given_back = self._net = 0
        self._bare: list[tuple[datetime, int]] = []  # despatched without a charge
        self._price = (0, 0)  # the last charge that added units: (minor, units)

    def run(self, charges: Sequence[Charge], despatches: Sequence[Despatch]) -> LineCover:
        # At one instant, money moves before goods: an order that is paid and picked at once is covered.
        steps: list[tuple[datetime, int, Charge | Despatch]] = [(c.at, 0 if c.units >= 0 else 2, c) for c in charges]
        steps += [(d.at, 1, d) for d in despatches]
        for _, _, step in sorted(steps, key=lambda item: item[:2]):
            if isinstance(step, Despatch):
                self._despatch(step)
            elif step.units > 0:
                self._charge(step)
            elif step.units < 0:
                self._take_back(step)
            else:
                self._reprice(step)
        bare_units = sum(units for _, units in self._bare)
        return LineCover(
            goods=self._goods,
            currency=self._currency,
            net_charged=self._net,
            despatched_units=self._gone_units,
            despatched=self._gone,
            given_back=self._given_back,
            waiting_units=self._pool_units,
            waiting=self._pool,
            waiting_since=self._since[0][0] if self._since else None,
            uncovered_units=bare_units,
            uncovered=self._estimate(bare_units),
            uncovered_since=self._bare[0][0] if self._bare else None,
        )

    def _charge(self, charge: Charge) -> None:
        self._net += charge.minor
        self._price = (charge.minor, charge.units)
        covers = min(charge.units, sum(units for _, units in self._bare))
        covered, rest = self._share(charge.minor, covers, charge.units - covers)
        _take(self._bare, covers)
        self._gone += covered
        self._pool += rest
        self._pool_units += charge.units - covers
        if charge.units > covers:
            self._since.append((charge.at, charge.units - covers))

    def _despatch(self, despatch: Despatch) -> None:
        self._gone_units += despatch.units
        covered = min(despatch.units, self._pool_units)
        value, self._pool = self._share(self._pool, covered, self._pool_units - covered)
        self._pool_units -= covered
        self._gone += value
        _take(self._since, covered)
        if despatch.units > covered:
            self._bare.append((despatch.at, despatch.units - covered))

    def _take_back(self, charge: Charge) -> None:
        """Units that still wait go first; the rest has left, and is given back."""
        self._net += charge.minor
        units = -charge.units
        waiting = min(units, self._pool_units)
        # What waits cannot give more than it holds; the newest units go first, as an edit removes what was added last.
        part, rest = self._share(charge.minor, waiting, units - waiting)
        if waiting == self._pool_units:
            rest, part = rest + part + self._pool, -self._pool
        self._pool += part
        self._pool_units -= waiting
        _take_newest(self._since, waiting)
        self._given_back -= rest

    def _reprice(self, charge: Charge) -> None:
        """A discount or correction without units: on what waits, or else on what has left."""
        self._net += charge.minor
        if self._pool_units:
            self._pool += charge.minor
        elif self._gone_units and charge.minor > 0:
            self._gone += charge.minor
        else:
            self._given_back -= charge.minor

    def _share(self, minor: int, units: int, others: int) -> tuple[int, int]:
        """Split an amount by units, by largest remainder: (for `units`, for the others)."""
        if units + others == 0:
            return 0, minor
        first, second = Money(minor, self._currency).split((units, others))
        return first.minor, second.minor

    def _estimate(self, units: int) -> int:
        minor, of_units = self._price
        if not units or not of_units:
            return 0
        return minor * units // of_units


def _take(waiting: list[tuple[datetime, int]], units: int) -> None:
    """Take units off the oldest."""
    while units and waiting:
        at, there = waiting[0]
        taken = min(units, there)
        units -= taken
        waiting[:1] = [(at, there - taken)] if there > taken else []


def _take_newest(waiting: list[tuple[datetime, int]], units: int) -> None:
    while units and waiting:
        at, there = waiting[-1]
        taken = min(units, there)
        units -= taken
        waiting[-1:] = [(at, there - taken)] if there > taken else []
