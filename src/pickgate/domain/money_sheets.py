"""The sheets of a money report: one question each, rows first, then totals by currency. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from pickgate.domain.ledger import Transaction
from pickgate.domain.money import Money
from pickgate.domain.money_books import Family, FamilySums

Cell = str | int | Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One question's answer. `totals`: the last rows, which add up what stands above them, by currency."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: tuple[tuple[Cell, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedTransaction:
    """A transaction with its order, when it was written down, and when what it books first happened."""

    shop: str
    order_name: str
    booked_at: datetime
    first_at: datetime
    transaction: Transaction


NOT_COMPARED = "not compared yet"
SheetName = Literal[
    "summary",
    "movements",
    "transactions",
    "orders",
    "days",
    "despatch_without_revenue",
    "revenue_without_despatch",
    "unexplained",
    "corrections",
]
SHEETS: tuple[SheetName, ...] = get_args(SheetName)
_SUMS = (
    "placed", "edits", "refunds", "current", "received", "refunded", "outstanding", "goods", "despatched", "given_back",
    "waiting", "not_shipped", "uncovered", "set_aside", "unexplained",
)  # fmt: skip


_TRANSACTION_COLUMNS = (
    "currency", "shop", "order", "kind", "happened", "booked", "source", "version", "account", "what", "line", "units",
    "amount", "customer_amount", "customer_currency", "means",
)  # fmt: skip

Summed = Sequence[tuple[Family, FamilySums]]


def summary_sheet(summed: Summed) -> Sheet:
    """Each shop and currency in one row."""
    groups: dict[tuple[str, str], list[FamilySums]] = {}
    for family, sums in summed:
        groups.setdefault((family.root.shop, family.root.currency), []).append(sums)
    rows = [
        (shop, currency, len(several), *_added(several, currency), "yes" if all(s.ties for s in several) else "NO")
        for (shop, currency), several in sorted(groups.items())
    ]
    columns = ("shop", "currency", "orders", *_SUMS, "ties")
    return Sheet(name="summary", title="The month in figures", columns=columns, rows=tuple(rows))


def movements_sheet(booked: Sequence[BookedTransaction]) -> Sheet:
    """Debits and credits by account; their balance over all accounts is nothing."""
    sums: dict[tuple[str, str, str], list[int]] = {}
    for one in booked:
        for entry in one.transaction.entries:
            money = entry.amount.shop
            both = sums.setdefault((money.currency, one.shop, entry.account.value), [0, 0])
            both[money.minor < 0] += abs(money.minor)
    rows = [
        (currency, shop, account, Money(debit, currency), Money(credit, currency), Money(debit - credit, currency))
        for (currency, shop, account), (debit, credit) in sorted(sums.items())
    ]
    return Sheet(
        name="movements",
        title="The ledger's accounts: debits and credits of the month",
        columns=("currency", "shop", "account", "debit", "credit", "balance"),
        rows=tuple(rows),
        totals=_totals(rows, label="all accounts", columns=6),
    )


def transactions_sheet(name: str, title: str, booked: Sequence[BookedTransaction], zone: ZoneInfo) -> Sheet:
    """Every entry, one a row, by the time at which it happened."""
    rows: list[tuple[Cell, ...]] = []
    for one in sorted(booked, key=lambda b: (b.transaction.at, b.shop, b.order_name, b.transaction.version)):
        transaction = one.transaction
        for entry in transaction.entries:
            shop, presentment = entry.amount.shop, entry.amount.presentment
            rows.append(
                (
                    shop.currency,
                    one.shop,
                    one.order_name,
                    transaction.kind.value,
                    _instant(transaction.at, zone),
                    _instant(one.booked_at, zone),
                    transaction.source,
                    transaction.version,
                    entry.account.value,
                    entry.kind.value if entry.kind else "",
                    entry.line_id or "",
                    entry.units,
                    shop,
                    presentment,
                    presentment.currency,
                    transaction.means,
                )
            )
    return Sheet(
        name=name,
        title=title,
        columns=_TRANSACTION_COLUMNS,
        rows=tuple(rows),
    )


def orders_sheet(summed: Summed, zone: ZoneInfo) -> Sheet:
    """One row for each family."""
    rows: list[tuple[Cell, ...]] = [
        (
            family.root.currency,
            family.root.shop,
            family.names,
            _day(family.root.created_at, zone),
            family.members[-1].state,
            *_added([sums], family.root.currency),
            "yes" if sums.ties else "NO",
        )
        for family, sums in summed
    ]
    columns = ("currency", "shop", "order", "placed_on", "state", *_SUMS, "ties")
    return Sheet(
        name="orders",
        title="Charged, refunded and despatched by order; a recreated or merged order once, at its original's time",
        columns=columns,
        rows=tuple(rows),
        totals=_totals(rows, label="all orders", columns=len(columns)),
    )


def days_sheet(summed: Summed, zone: ZoneInfo) -> Sheet:
    """The same by day."""
    days: dict[tuple[str, str, str], list[FamilySums]] = {}
    for family, sums in summed:
        day = _day(family.root.created_at, zone)
        days.setdefault((family.root.currency, family.root.shop, day), []).append(sums)
    rows: list[tuple[Cell, ...]] = [
        (currency, shop, day, len(several), *_added(several, currency))
        for (currency, shop, day), several in sorted(days.items())
    ]
    columns = ("currency", "shop", "day", "orders", *_SUMS)
    return Sheet(
        name="days",
        title="The same by the day on which the order was placed",
        columns=columns,
        rows=tuple(rows),
        totals=_totals(rows, label="all days", columns=len(columns)),
    )


def bare_sheet(summed: Summed, zone: ZoneInfo, now: datetime) -> Sheet:
    """Despatches without revenue, with their age in whole days."""
    rows: list[tuple[Cell, ...]] = [
        (
            cover.currency, books.shop, books.name, cover.goods.sku, cover.goods.title, cover.uncovered_units,
            Money(cover.uncovered, cover.currency), _instant(cover.uncovered_since, zone),
            _age(cover.uncovered_since, now),
        )
        for _, sums in summed
        for books, cover in sums.lines
        if cover.uncovered_units
    ]  # fmt: skip
    columns = ("currency", "shop", "order", "sku", "title", "units", "estimated_value", "despatched", "age_days")
    return Sheet(
        name="despatch_without_revenue",
        title="Left the building without a charge; the value is the line's last unit price, an estimate",
        columns=columns,
        rows=tuple(rows),
        totals=_totals(rows, label="all", columns=len(columns)),
    )


def waiting_sheet(summed: Summed, zone: ZoneInfo, now: datetime) -> Sheet:
    """Revenue without despatch, with its age in whole days."""
    rows: list[tuple[Cell, ...]] = [
        (
            cover.currency, books.shop, books.name, cover.goods.sku, cover.goods.title, cover.waiting_units,
            Money(cover.waiting, cover.currency), _instant(cover.waiting_since, zone), _age(cover.waiting_since, now),
        )
        for _, sums in summed
        for books, cover in sums.lines
        if cover.goods.ships and (cover.waiting_units or cover.waiting)
    ]  # fmt: skip
    columns = ("currency", "shop", "order", "sku", "title", "units", "value", "charged", "age_days")
    return Sheet(
        name="revenue_without_despatch",
        title="Charged, and not despatched yet",
        columns=columns,
        rows=tuple(rows),
        totals=_totals(rows, label="all", columns=len(columns)),
    )


def unexplained_sheet(summed: Summed, zone: ZoneInfo) -> Sheet:
    """Every difference, and every order that could not be booked or has not been compared."""
    rows: list[tuple[Cell, ...]] = []
    for family, _ in summed:
        for books in family.members:
            for one in books.differences:
                rows.append(
                    (
                        one.amount.currency, books.shop, books.name, one.part.value, one.shop, one.ledger, one.amount,
                        _instant(books.reconciled_at, zone), "",
                    )
                )  # fmt: skip
            problem = books.unusable or ("" if books.reconciled_at else NOT_COMPARED)
            if problem:
                rows.append((books.currency, books.shop, books.name, "not booked", None, None, None, "", problem))
    columns = ("currency", "shop", "order", "part", "shop_says", "ledger_says", "difference", "compared", "problem")
    return Sheet(
        name="unexplained", title="What the ledger does not explain, exactly", columns=columns, rows=tuple(rows)
    )


# ── cells ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _added(several: Sequence[FamilySums], currency: str) -> tuple[Money, ...]:
    return tuple(Money(sum(getattr(one, name) for one in several), currency) for name in _SUMS)


def _totals(rows: Sequence[tuple[Cell, ...]], *, label: str, columns: int) -> tuple[tuple[Cell, ...], ...]:
    """One row for each currency (the first column), adding up every column of amounts."""
    by_currency: dict[str, list[tuple[Cell, ...]]] = {}
    for row in rows:
        by_currency.setdefault(str(row[0]), []).append(row)
    found: list[tuple[Cell, ...]] = []
    for currency, several in sorted(by_currency.items()):
        total: list[Cell] = [currency, label]
        for at in range(2, columns):
            cells = [cell for cell in (row[at] for row in several) if isinstance(cell, Money)]
            total.append(Money(sum(cell.minor for cell in cells), currency) if cells else None)
        found.append(tuple(total))
    return tuple(found)


def _instant(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _day(at: datetime, zone: ZoneInfo) -> str:
    day: date = at.astimezone(zone).date()
    return day.isoformat()


def _age(since: datetime | None, now: datetime) -> int | None:
    return None if since is None else max(0, (now - since).days)
