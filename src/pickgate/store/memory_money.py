"""`MemoryMoney`: the ledger beside a `MemoryStore`, for simulations. Same rules as `MoneyRows`; no audit rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pickgate.domain.findings import Finding
from pickgate.domain.ledger import Transaction, check_balance, decide_postings, standing_transactions
from pickgate.domain.ledger_check import Difference
from pickgate.domain.ledger_facts import OrderMoney
from pickgate.domain.ledger_revenue import Despatch, Goods, decide_despatches
from pickgate.domain.money_books import OrderBooks
from pickgate.domain.money_report import Report
from pickgate.domain.money_sheets import BookedTransaction
from pickgate.domain.shop import ShopOrder
from pickgate.flows.money_ports import DueMoney
from pickgate.store.memory import MemoryStore
from pickgate.store.memory_rows import MemoryOrder
from pickgate.store.money_rows import fingerprint_of, first_times, money_scope


@dataclass(slots=True)
class _MemoryMoney:
    row: MemoryOrder
    observed: ShopOrder
    seen: object
    left: tuple[tuple[str, int], ...]
    due_at: datetime | None
    due_since: datetime | None
    number: int = 1  # of what was seen; goes up with each change
    tries: int = 0
    read_at: datetime | None = None
    compared_at: datetime | None = None
    differences: tuple[Difference, ...] = ()
    unusable: str = ""
    despatches: tuple[Despatch, ...] = ()
    booked: list[BookedTransaction] = field(default_factory=list)


class MemoryMoney:
    """Satisfies `flows.money_ports.MoneyStore`. Sees what changed when it is asked for what is due."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._orders: dict[int, _MemoryMoney] = {}
        self._closed: dict[tuple[str, str], Report] = {}

    async def claim_money(self, *, now: datetime, limit: int, lease_seconds: float) -> Sequence[DueMoney]:
        self._notice(now)
        due = [one for one in self._orders.values() if one.due_at is not None and one.due_at <= now]
        due.sort(key=lambda one: (one.due_at, one.row.row))
        for one in due[:limit]:
            one.due_at = now + timedelta(seconds=lease_seconds)
        return [_due(one, now) for one in sorted(due[:limit], key=lambda o: (o.due_since or now, o.row.row))]

    async def claim_money_of(self, *, order: int, now: datetime, lease_seconds: float) -> DueMoney | None:
        self._notice(now)
        one = self._orders.get(order)
        if one is None:
            return None
        one.due_at = now + timedelta(seconds=lease_seconds)
        one.due_since = one.due_since or now
        return _due(one, now)

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
        self._notice(now)
        one = self._orders[due.order]
        if one.read_at is not None and money.read_at < one.read_at:
            return ()
        recorded = [booked.transaction for booked in one.booked]
        posted = decide_postings(recorded, transactions, now=now)
        for transaction, first_at in zip(posted, first_times(recorded, posted), strict=True):
            check_balance(transaction)
            one.booked.append(
                BookedTransaction(
                    shop=one.row.shop,
                    order_name=one.row.name,
                    booked_at=now,
                    first_at=first_at,
                    transaction=transaction,
                )
            )
        fulfilled = [
            Despatch(line_id=line_id, units=units, at=sent.created_at or now, source=f"fulfilment:{sent.id}")
            for sent in one.observed.fulfilments
            if not sent.cancelled
            for line_id, units in sent.lines
            if units > 0
        ]
        one.despatches = decide_despatches(one.despatches, fulfilled, one.left, now=now)
        same = due.seen == str(one.number)
        one.due_at = compare_again_at if same else now
        one.due_since = None if same and compare_again_at is None else now
        one.tries = one.tries + 1 if same and compare_again_at is not None else 0
        one.read_at, one.compared_at, one.differences, one.unusable = money.read_at, now, tuple(differences), ""
        self._raise(one, findings, now)
        return posted

    async def put_off_money(
        self, due: DueMoney, *, why: str, again_at: datetime | None, findings: Sequence[Finding] | None, now: datetime
    ) -> None:
        self._notice(now)
        one = self._orders[due.order]
        one.due_at = again_at if due.seen == str(one.number) else now
        one.tries += 1
        one.unusable = why
        if findings is not None:
            self._raise(one, findings, now)

    async def load_transactions(self, order: int) -> Sequence[BookedTransaction]:
        one = self._orders.get(order)
        return [] if one is None else list(one.booked)

    async def load_books(
        self, *, first: datetime, after: datetime, shops: frozenset[str] | None
    ) -> Sequence[OrderBooks]:
        by_name = {(one.row.shop, one.row.name): one for one in self._orders.values()}
        wanted = [
            one
            for one in self._orders.values()
            if first <= one.observed.created_at < after and (shops is None or one.row.shop in shops)
        ]
        found = {one.row.row: one for one in wanted}
        while wanted:
            one = wanted.pop()
            for name in _kin_of(one):
                other = by_name.get((one.row.shop, name))
                if other is not None and other.row.row not in found:
                    found[other.row.row] = other
                    wanted.append(other)
        books = [_books(one) for one in found.values()]
        return sorted(books, key=lambda one: (one.created_at, one.order))

    async def load_booked(
        self, *, first: datetime, after: datetime, shops: frozenset[str] | None
    ) -> Sequence[BookedTransaction]:
        return [
            one for one in self._all(shops) if first <= one.transaction.at < after or first <= one.booked_at < after
        ]

    async def load_corrections(
        self, *, first: datetime, after: datetime, since: datetime, shop: str
    ) -> Sequence[BookedTransaction]:
        return [one for one in self._all(frozenset({shop})) if first <= one.first_at < after and one.booked_at > since]

    async def find_close(self, month: str, *, shop: str) -> Report | None:
        return self._closed.get((shop, month))

    async def list_closes(self, *, shops: frozenset[str] | None) -> Mapping[tuple[str, str], datetime]:
        return {
            key: report.closed_at
            for key, report in self._closed.items()
            if report.closed_at is not None and (shops is None or key[0] in shops)
        }

    async def record_close(self, report: Report, *, shop: str, by: str, reason: str, now: datetime) -> bool:
        if (shop, report.month) in self._closed:
            return False
        self._closed[shop, report.month] = replace(report, closed_at=now, closed_by=by)
        return True

    def _all(self, shops: frozenset[str] | None) -> Iterable[BookedTransaction]:
        found = [
            booked for one in self._orders.values() if shops is None or one.row.shop in shops for booked in one.booked
        ]
        return sorted(found, key=lambda booked: booked.booked_at)

    def _notice(self, now: datetime) -> None:
        """Do what the database's trigger does: note every order whose observed money has changed."""
        for row in self._store.orders.values():
            order = row.order
            if order is None or order.test:
                continue
            comparison = row.decision.comparison if row.decision is not None else ()
            left = tuple((part.line_id, part.despatched) for part in comparison)
            one = self._orders.get(row.row)
            if one is not None and one.observed is order and one.left == left:
                continue
            seen = fingerprint_of(order, left)
            if one is None:
                self._orders[row.row] = _MemoryMoney(row, order, seen, left, due_at=now, due_since=now)
                continue
            one.observed, one.left = order, left
            if one.seen != seen:
                one.seen = seen
                one.number += 1
                one.tries = 0
                one.due_at = now if one.due_at is None else min(one.due_at, now)
                one.due_since = one.due_since or now

    def _raise(self, one: _MemoryMoney, findings: Sequence[Finding], now: datetime) -> None:
        # The same package: what the twin's own parts share.
        exceptions = self._store.exceptions
        told = exceptions._reconcile(money_scope(one.row.row), one.row.shop, findings, now, one.row)
        for kind, code, why in told:
            self._store._journal(one.row, now, kind, {"code": code, "why": why})


def _due(one: _MemoryMoney, now: datetime) -> DueMoney:
    return DueMoney(
        order=one.row.row,
        shop=one.row.shop,
        order_id=one.row.order_id,
        name=one.row.name,
        seen=str(one.number),
        since=one.due_since or now,
        tries=one.tries,
    )


def _kin_of(one: _MemoryMoney) -> tuple[str, ...]:
    decision = one.row.decision
    if decision is None:
        return ()
    return (*decision.supersedes, *([decision.superseded_by] if decision.superseded_by else ()))


def _books(one: _MemoryMoney) -> OrderBooks:
    decision, order = one.row.decision, one.observed
    return OrderBooks(
        order=one.row.row,
        shop=one.row.shop,
        order_id=one.row.order_id,
        name=one.row.name,
        created_at=order.created_at,
        currency=order.currency,
        state=one.row.state,
        cancelled=order.cancelled_at is not None,
        supersedes=decision.supersedes if decision is not None else (),
        superseded_by=decision.superseded_by if decision is not None else None,
        transactions=standing_transactions(booked.transaction for booked in one.booked),
        goods=tuple(
            Goods(
                line_id=line.id,
                title=line.title,
                sku=line.sku or "",
                ships=line.requires_shipping and not line.is_gift_card,
            )
            for line in order.lines
        ),
        despatches=one.despatches,
        differences=one.differences,
        reconciled_at=one.compared_at,
        unusable=one.unusable,
    )
