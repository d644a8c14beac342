"""Month reports and the month-end close. A closed month is frozen; what comes later is shown as a correction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pickgate.clock import Clock
from pickgate.domain.money_report import Report, belongs, build_report, month_bounds, with_corrections
from pickgate.domain.money_sheets import NOT_COMPARED, Cell
from pickgate.flows.money_ports import MoneyStore


class CloseRefused(Exception):
    """The month cannot be closed. `problem` and `remedy` are sentences for people."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


@dataclass(slots=True, kw_only=True)
class MoneyReports:
    """Reports of one installation. `zone`: whose midnight parts days and months; a closed month keeps its own."""

    store: MoneyStore
    clock: Clock
    zone: str = "UTC"

    async def report(self, month: str, *, shop: str = "", shops: frozenset[str] | None = None) -> Report:
        """
        Return a month's report.

        Args:
            shop: One shop. Only a report of one shop can be a closed one; of several it is always of today.
            shops: The shops that the asker may see; None: all.

        Raises MonthRefused.
        """
        now = self.clock.now()
        if shop:
            frozen = await self.store.find_close(month, shop=shop)
            if frozen is not None and frozen.closed_at is not None:
                first, after = month_bounds(frozen.month, frozen.zone)
                later = await self.store.load_corrections(first=first, after=after, since=frozen.closed_at, shop=shop)
                return with_corrections(frozen, later)
            shops = frozenset({shop})
        return await self._open_report(month, shops, now)

    async def close(self, month: str, *, shop: str, by: str, reason: str = "") -> Report:
        """
        Freeze a month of one shop for good.

        Raises MonthRefused; CloseRefused when the month is not over, is closed already, or does not tie out. Amounts
        that are not explained are frozen as such: they do not stop a close.
        """
        now = self.clock.now()
        if now < month_bounds(month, self.zone)[1]:
            raise CloseRefused(f"{month} is not over in {self.zone}.", "Close it when it is.")
        report = await self._open_report(month, frozenset({shop}), now)
        pending = [str(row[2]) for row in _rows(report, "unexplained") if row[-1] == NOT_COMPARED]
        if pending:
            raise CloseRefused(
                f"{len(pending)} orders of {month} have not been compared yet: {', '.join(pending[:10])}.",
                "Wait a minute and try again, or look at these orders.",
            )
        if not report.ties:
            raise CloseRefused(
                f"{month} of {shop} does not tie out.", "See the rows that say NO in the report, and report them."
            )
        if not await self.store.record_close(report, shop=shop, by=by, reason=reason, now=now):
            raise CloseRefused(
                f"{month} of {shop} is closed already.", "Later changes are corrections of later months."
            )
        frozen = await self.store.find_close(month, shop=shop)
        assert frozen is not None
        return frozen

    async def _open_report(self, month: str, shops: frozenset[str] | None, now: datetime) -> Report:
        first, after = month_bounds(month, self.zone)
        closes = await self.store.list_closes(shops=shops)
        booked = await self.store.load_booked(first=first, after=after, shops=shops)
        return build_report(
            month,
            zone=self.zone,
            books=await self.store.load_books(first=first, after=after, shops=shops),
            booked=[one for one in booked if belongs(one, first, after, closes, self.zone)],
            now=now,
        )


def _rows(report: Report, name: str) -> tuple[tuple[Cell, ...], ...]:
    sheet = report.sheet(name)
    return () if sheet is None else sheet.rows
