"""What the money flow needs from the outside: the shop's money, and a store whose ledger only grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.findings import Finding
from pickgate.domain.ledger import Transaction
from pickgate.domain.ledger_check import Difference
from pickgate.domain.ledger_facts import OrderMoney, Unusable
from pickgate.domain.money_books import OrderBooks
from pickgate.domain.money_report import Report
from pickgate.domain.money_sheets import BookedTransaction

MoneyAnswer = OrderMoney | Unusable | Missing | Unreadable


class MoneyShopPort(Protocol):
    """One shop's money. Never raises for the vendor's sake."""

    async def read_money(self, order_ids: Sequence[str]) -> Mapping[str, MoneyAnswer]:
        """Read totals, agreements and payments of many orders, several in one request. Every id has an answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DueMoney:
    """An order whose money is to be compared. `seen`: the fingerprint of what the last look saw of its money.

    `since`: since when it has been due; `tries`: how often it was tried since it was last read.
    """

    order: int
    shop: str
    order_id: str
    name: str
    seen: str
    since: datetime
    tries: int = 0


class MoneyStore(Protocol):
    async def claim_money(self, *, now: datetime, limit: int, lease_seconds: float) -> Sequence[DueMoney]:
        """Take orders whose observed money changed since it was last compared, or whose next comparison has come."""
        ...

    async def claim_money_of(self, *, order: int, now: datetime, lease_seconds: float) -> DueMoney | None:
        """Take one order, due or not. None: it is not known, or has not been observed yet."""
        ...

    async def record_money(
        self,
        due: DueMoney,
        *,
        money: OrderMoney,
        transactions: Sequence[Transaction],
        differences: Sequence[Difference],
        findings: Sequence[Finding],
        compare_again_at: datetime | None,
        now: datetime,
    ) -> Sequence[Transaction]:
        """
        In one transaction: append what the ledger lacks, keep the comparison, make exactly these exceptions hold.

        Returns what was appended. An answer that is older than the one recorded last changes nothing.
        """
        ...

    async def put_off_money(
        self, due: DueMoney, *, why: str, again_at: datetime | None, findings: Sequence[Finding] | None, now: datetime
    ) -> None:
        """Keep that the money could not be read or booked. `findings` None: leave the exceptions as they are."""
        ...

    async def load_transactions(self, order: int) -> Sequence[BookedTransaction]:
        """The order's ledger as it was booked, oldest booking first."""
        ...

    async def load_books(
        self, *, first: datetime, after: datetime, shops: frozenset[str] | None
    ) -> Sequence[OrderBooks]:
        """Orders placed in [first, after), and the orders that they replaced or that replaced them, whenever placed."""
        ...

    async def load_booked(
        self, *, first: datetime, after: datetime, shops: frozenset[str] | None
    ) -> Sequence[BookedTransaction]:
        """Transactions that happened or were booked in [first, after), oldest booking first."""
        ...

    async def load_corrections(
        self, *, first: datetime, after: datetime, since: datetime, shop: str
    ) -> Sequence[BookedTransaction]:
        """Transactions booked after `since` of what first happened in [first, after), oldest booking first."""
        ...

    async def find_close(self, month: str, *, shop: str) -> Report | None:
        """The frozen report of a closed month; None: it is open."""
        ...

    async def list_closes(self, *, shops: frozenset[str] | None) -> Mapping[tuple[str, str], datetime]:
        """When each closed (shop, month) was closed."""
        ...

    async def record_close(self, report: Report, *, shop: str, by: str, reason: str, now: datetime) -> bool:
        """Freeze a month for good, with its audit row. False: it is closed already."""
        ...
