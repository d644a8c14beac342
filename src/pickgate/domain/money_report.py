"""The month's money report: a sheet for each question, with totals that tie out. Pure: books in, sheets out.

An order belongs to the month in which it (or its original) was placed, in the report's time zone. A ledger
transaction belongs to the month in which it happened, unless that month was closed before it was booked: then it
belongs to the month in which it was booked, and the closed month shows it as a later correction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pickgate.domain.money import Money
from pickgate.domain.money_books import OrderBooks, find_families, sum_family
from pickgate.domain.money_sheets import (
    BookedTransaction,
    Sheet,
    bare_sheet,
    days_sheet,
    movements_sheet,
    orders_sheet,
    summary_sheet,
    transactions_sheet,
    unexplained_sheet,
    waiting_sheet,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A month as it is now, or frozen as it was when it was closed."""

    month: str
    zone: str
    made_at: datetime
    sheets: tuple[Sheet, ...]
    ties: bool
    closed_at: datetime | None = None
    closed_by: str = ""

    def sheet(self, name: str) -> Sheet | None:
        return next((sheet for sheet in self.sheets if sheet.name == name), None)


class MonthRefused(ValueError):
    """The month or the time zone cannot be used. The text says what to write."""


def month_bounds(month: str, zone: str = "UTC") -> tuple[datetime, datetime]:
    """Return the first instant of a month ("2026-11") and of the next, in UTC. Raises MonthRefused."""
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise MonthRefused(f"{zone!r} is not a time zone. Write one such as Europe/London.") from error
    year, _, number = month.partition("-")
    if not (len(year) == 4 and len(number) == 2 and (year + number).isascii() and (year + number).isdigit()):
        raise MonthRefused(f"{month!r} is not a month. Write it as 2026-11.")
    try:
        first = datetime(int(year), int(number), 1, tzinfo=place)
        after = datetime(int(year) + int(number) // 12, int(number) % 12 + 1, 1, tzinfo=place)
    except ValueError as error:
        raise MonthRefused(f"{month!r} is not a month. Write it as 2026-11.") from error
    return first.astimezone(UTC), after.astimezone(UTC)


def belongs(
    one: BookedTransaction, first: datetime, after: datetime, closes: Mapping[tuple[str, str], datetime], zone: str
) -> bool:
    """
    Say whether a transaction belongs to an open month: it happened in it, or came too late for one that was closed.

    Args:
        closes: When each (shop, month) was closed.
    """
    if first <= one.transaction.at < after:
        return True
    month = one.transaction.at.astimezone(ZoneInfo(zone)).strftime("%Y-%m")
    closed_at = closes.get((one.shop, month))
    return closed_at is not None and one.booked_at > closed_at and first <= one.booked_at < after


def build_report(
    month: str,
    *,
    zone: str,
    books: Iterable[OrderBooks],
    booked: Sequence[BookedTransaction],
    corrections: Sequence[BookedTransaction] = (),
    now: datetime,
) -> Report:
    """
    Build a month's report.

    Args:
        books: Every order that belongs to the month, with its whole family; others of the family's kin are left out.
        booked: The transactions that belong to the month.
        corrections: What was booked after the month was closed and happened in it.
    """
    first, after = month_bounds(month, zone)
    families = [f for f in find_families(books) if first <= f.root.created_at < after]
    summed = [(family, sum_family(family)) for family in families]
    local = ZoneInfo(zone)
    movements = movements_sheet(booked)
    sheets = (
        summary_sheet(summed),
        movements,
        transactions_sheet("transactions", "Every transaction of the month", booked, local),
        orders_sheet(summed, local),
        days_sheet(summed, local),
        bare_sheet(summed, local, now),
        waiting_sheet(summed, local, now),
        unexplained_sheet(summed, local),
        transactions_sheet("corrections", "Booked after the month was closed", corrections, local),
    )
    ties = all(sums.ties for _, sums in summed) and all(row[-1] == Money(0, str(row[0])) for row in movements.totals)
    return Report(month=month, zone=zone, made_at=now, sheets=sheets, ties=ties)


def with_corrections(frozen: Report, corrections: Sequence[BookedTransaction]) -> Report:
    """Return a closed month as it was frozen; only the sheet of later corrections is of today."""
    sheet = transactions_sheet("corrections", "Booked after the month was closed", corrections, ZoneInfo(frozen.zone))
    others = tuple(one for one in frozen.sheets if one.name != "corrections")
    return replace(frozen, sheets=(*others, sheet))
