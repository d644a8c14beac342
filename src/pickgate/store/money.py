"""`MoneyRows`: the ledger in PostgreSQL. It only grows; the database itself refuses a change, and an imbalance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg

from pickgate.domain.findings import Finding
from pickgate.domain.ledger import Transaction, decide_postings, standing_transactions
from pickgate.domain.ledger_check import Difference
from pickgate.domain.ledger_facts import OrderMoney
from pickgate.domain.ledger_revenue import Despatch, decide_despatches
from pickgate.domain.money_books import OrderBooks
from pickgate.domain.money_report import Report
from pickgate.domain.money_sheets import BookedTransaction
from pickgate.flows.money_ports import DueMoney
from pickgate.store.codec import clean_text, decode, encode
from pickgate.store.connection import Database, Session
from pickgate.store.exceptions import reconcile_exceptions
from pickgate.store.money_rows import (
    first_times,
    fulfilled_of,
    goods_of,
    left_of,
    money_scope,
    read_transaction,
    render_entries,
)
from pickgate.store.operators import record_audit
from pickgate.store.rows import JournalEntry, append_journal

_AT_ONCE = 1000


class MoneyRows:
    """Satisfies `flows.money_ports.MoneyStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim_money(self, *, now: datetime, limit: int, lease_seconds: float) -> Sequence[DueMoney]:
        """Take due orders, longest due first; one that is not answered is due again when the lease ends."""
        rows = await self._database.fetch(
            "claim_money", now=now, limit=limit, lease_until=now + timedelta(seconds=lease_seconds)
        )
        return [_due(row) for row in sorted(rows, key=lambda row: (row["due_since"], row["order_row"]))]

    async def claim_money_of(self, *, order: int, now: datetime, lease_seconds: float) -> DueMoney | None:
        row = await self._database.fetchrow(
            "claim_money_of", order_row=order, now=now, lease_until=now + timedelta(seconds=lease_seconds)
        )
        return None if row is None else _due(row)

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
        async def record(session: Session) -> Sequence[Transaction]:
            await session.fetchval("hold_order_for_money", order_row=due.order)
            held = await session.fetchrow("lock_money", order_row=due.order)
            if held is None or (held["read_at"] is not None and money.read_at < held["read_at"]):
                return ()
            rows = await session.fetch("load_ledger", order_rows=[due.order])
            recorded = [read_transaction(dict(row)) for row in rows]
            posted = decide_postings(recorded, transactions, now=now)
            await self._append(session, due, recorded, posted, now)
            before = decode(tuple[Despatch, ...], held["despatches"])
            await session.execute(
                "keep_money",
                order_row=due.order,
                seen=due.seen,
                compare_again_at=compare_again_at,
                read_at=money.read_at,
                currency=money.currency,
                presentment=money.presentment,
                totals=encode(money.totals),
                differences=encode(tuple(differences)),
                despatches=encode(await self._despatches(session, due.order, before, now)),
                now=now,
            )
            await self._raise(session, due, findings, now)
            return posted

        return await self._database.transact(record)

    async def put_off_money(
        self, due: DueMoney, *, why: str, again_at: datetime | None, findings: Sequence[Finding] | None, now: datetime
    ) -> None:
        async def put_off(session: Session) -> None:
            await session.fetchval("hold_order_for_money", order_row=due.order)
            await session.execute(
                "put_off_money",
                order_row=due.order,
                seen=due.seen,
                again_at=again_at,
                why=clean_text(why),
                now=now,
            )
            if findings is not None:
                await self._raise(session, due, findings, now)

        await self._database.transact(put_off)

    async def load_transactions(self, order: int) -> Sequence[BookedTransaction]:
        return [_booked(row) for row in await self._database.fetch("load_ledger", order_rows=[order])]

    async def load_books(
        self, *, first: datetime, after: datetime, shops: frozenset[str] | None
    ) -> Sequence[OrderBooks]:
        rows = await self._database.fetch("money_books", first=first, after=after, shops=_listed(shops))
        ledger: dict[int, list[Transaction]] = {}
        for start in range(0, len(rows), _AT_ONCE):
            some = [row["id"] for row in rows[start : start + _AT_ONCE]]
            for booked in await self._database.fetch("load_ledger", order_rows=some):
                ledger.setdefault(booked["order_row"], []).append(read_transaction(dict(booked)))
        return [_books(row, ledger.get(row["id"], ())) for row in rows]

    async def load_booked(
        self, *, first: datetime, after: datetime, shops: frozenset[str] | None
    ) -> Sequence[BookedTransaction]:
        rows = await self._database.fetch("load_booked", first=first, after=after, shops=_listed(shops))
        return [_booked(row) for row in rows]

    async def load_corrections(
        self, *, first: datetime, after: datetime, since: datetime, shop: str
    ) -> Sequence[BookedTransaction]:
        rows = await self._database.fetch("load_corrections", first=first, after=after, since=since, shop=shop)
        return [_booked(row) for row in rows]

    async def find_close(self, month: str, *, shop: str) -> Report | None:
        report = await self._database.fetchval("find_close", shop=shop, month=month)
        return None if report is None else decode(Report, report)

    async def list_closes(self, *, shops: frozenset[str] | None) -> Mapping[tuple[str, str], datetime]:
        rows = await self._database.fetch("list_closes", shops=_listed(shops))
        return {(row["shop"], row["month"]): row["closed_at"] for row in rows}

    async def record_close(self, report: Report, *, shop: str, by: str, reason: str, now: datetime) -> bool:
        async def close(session: Session) -> bool:
            frozen = encode(report) | {"closed_at": encode(now), "closed_by": clean_text(by)}
            made = await session.fetchval(
                "record_close", shop=shop, month=report.month, now=now, by=clean_text(by), report=frozen
            )
            if made is None:
                return False
            await record_audit(
                session,
                at=now,
                actor=by,
                action="close_month",
                subject=f"month {report.month}",
                shop=shop,
                reason=reason,
            )
            return True

        return await self._database.transact(close)

    async def _append(
        self,
        session: Session,
        due: DueMoney,
        recorded: Sequence[Transaction],
        posted: Sequence[Transaction],
        now: datetime,
    ) -> None:
        await session.execute_many(
            "append_ledger",
            [
                {
                    "order_row": due.order,
                    "shop": due.shop,
                    "source": one.source,
                    "version": one.version,
                    "kind": one.kind.value,
                    "at": one.at,
                    "first_at": first_at,
                    "booked_at": now,
                    "means": clean_text(one.means),
                    "entries": render_entries(one.entries),
                }
                for one, first_at in zip(posted, first_times(recorded, posted), strict=True)
            ],
        )

    async def _despatches(
        self, session: Session, order_row: int, before: Sequence[Despatch], now: datetime
    ) -> tuple[Despatch, ...]:
        seen = await session.fetchrow("observed_goods", order_row=order_row)
        if seen is None or seen["fulfilments"] is None:
            return tuple(before)
        return decide_despatches(
            before, fulfilled_of(seen["fulfilments"], otherwise=now), left_of(seen["comparison"]), now=now
        )

    async def _raise(self, session: Session, due: DueMoney, findings: Sequence[Finding], now: datetime) -> None:
        entries: list[JournalEntry] = await reconcile_exceptions(
            session,
            scope=money_scope(due.order),
            shop=due.shop,
            order_row=due.order,
            order_name=due.name,
            findings=findings,
            now=now,
        )
        await append_journal(session, entries)


def _due(row: asyncpg.Record) -> DueMoney:
    return DueMoney(
        order=row["order_row"],
        shop=row["shop"],
        order_id=row["order_id"],
        name=row["name"],
        seen=row["seen"],
        since=row["due_since"],
        tries=row["tries"],
    )


def _booked(row: asyncpg.Record) -> BookedTransaction:
    return BookedTransaction(
        shop=row["shop"],
        order_name=row["name"],
        booked_at=row["booked_at"],
        first_at=row["first_at"],
        transaction=read_transaction(dict(row)),
    )


def _books(row: asyncpg.Record, ledger: Sequence[Transaction]) -> OrderBooks:
    return OrderBooks(
        order=row["id"],
        shop=row["shop"],
        order_id=row["order_id"],
        name=row["name"],
        created_at=row["shopify_created_at"],
        currency=row["currency"],
        state=row["state"],
        cancelled=row["cancelled_at"] is not None,
        supersedes=tuple(row["supersedes"]),
        superseded_by=row["superseded_by"],
        transactions=standing_transactions(ledger),
        goods=goods_of(row["lines"] or ()),
        despatches=decode(tuple[Despatch, ...], row["despatches"]),
        differences=decode(tuple[Difference, ...], row["differences"]),
        reconciled_at=row["compared_at"],
        unusable=row["unusable"],
    )


def _listed(shops: frozenset[str] | None) -> list[str] | None:
    return None if shops is None else sorted(shops)
