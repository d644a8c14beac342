"""Exceptions in PostgreSQL: made to hold exactly as a decision lists them, within its transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pickgate.domain.findings import Finding
from pickgate.store.codec import clean_text, without_personal
from pickgate.store.connection import Session
from pickgate.store.decision_rules import FoundAgain, HeldException, book_of, decide_exceptions
from pickgate.store.rows import JournalEntry, Rows, append_journal


def order_scope(order_row: int) -> str:
    return f"order:{order_row}"


def shop_scope(shop: str, scope: str) -> str:
    return f"shop:{shop}:{scope}"


def inbox_scope(shop: str) -> str:
    return f"inbox:{shop}"


async def reconcile_exceptions(
    session: Session,
    *,
    scope: str,
    shop: str,
    order_row: int | None,
    order_name: str,
    findings: Sequence[Finding],
    now: datetime,
) -> list[JournalEntry]:
    """Open, keep and close the exceptions of one scope. Returns what the order's timeline should say about it.

    The caller holds the order's row, or the scope's lock: two at once would open one twice.
    """
    rows = await session.fetch("held_exceptions", scope=scope)
    codes = {row["id"]: row["code"] for row in rows}
    held = [
        HeldException(
            id=row["id"],
            fingerprint=row["fingerprint"],
            is_open=row["is_open"],
            summary=row["summary"],
            detail=row["detail"],
            actions=tuple(row["actions"]),
            last_found_at=row["last_found_at"],
        )
        for row in rows
    ]
    changes = decide_exceptions(held, [_storable(finding) for finding in findings], now)
    for finding in changes.opened:
        await _open(
            session, finding, scope=scope, shop=shop, order_row=order_row, order_name=clean_text(order_name), now=now
        )
    for again in changes.kept:
        await _keep(session, again, now=now)
    if changes.gone:
        await session.execute("release_exceptions", ids=[item.id for item in changes.gone], now=now)
    told = [("exception_opened", finding.code, finding.summary) for finding in changes.opened]
    told += [("exception_closed", codes[item.id], "cause gone") for item in changes.gone if item.is_open]
    return [
        JournalEntry(order_row=order_row, shop=shop, at=now, kind=kind, detail={"code": code, "why": why})
        for kind, code, why in told
    ]


async def open_inbox_finding(session: Session, *, shop: str, finding: Finding, now: datetime) -> None:
    """Open (or count again) an exception about one webhook. Nothing closes it but a person."""
    scope = inbox_scope(shop)
    await session.fetchval("lock_scope", scope=scope)
    rows = await session.fetch("held_exceptions", scope=scope)
    finding = _storable(finding)
    known = next((row for row in rows if row["fingerprint"] == finding.fingerprint), None)
    if known is None:
        await _open(session, finding, scope=scope, shop=shop, order_row=None, order_name="", now=now)
        return
    again = FoundAgain(
        id=known["id"], summary=finding.summary, detail=finding.detail, actions=finding.actions, counts=True
    )
    await _keep(session, again, now=now)


def _storable(finding: Finding) -> Finding:
    """As the database can hold it, and without personal data: so it is also what a stored one is compared with."""
    return replace(
        finding,
        fingerprint=clean_text(finding.fingerprint),
        summary=clean_text(finding.summary),
        detail=without_personal(finding.detail),
    )


async def _open(
    session: Session,
    finding: Finding,
    *,
    scope: str,
    shop: str,
    order_row: int | None,
    order_name: str,
    now: datetime,
) -> None:
    book = book_of(finding.code)
    await session.execute(
        "open_exception",
        scope=scope,
        order_row=order_row,
        order_name=order_name,
        shop=shop,
        code=finding.code,
        fingerprint=finding.fingerprint,
        owner=book.team.value,
        severity=book.severity.value,
        summary=finding.summary,
        detail=finding.detail,
        actions=list(finding.actions),
        now=now,
        due_at=now + book.due_in,
    )


async def _keep(session: Session, again: FoundAgain, *, now: datetime) -> None:
    await session.execute(
        "keep_exception",
        id=again.id,
        summary=again.summary,
        detail=again.detail,
        actions=list(again.actions),
        counts=int(again.counts),
        now=now,
    )


class ExceptionRows(Rows):
    async def raise_shop_finding(self, *, shop: str, scope: str, findings: Sequence[Finding], now: datetime) -> None:
        """Make exactly these exceptions of one scope ("webhooks", …) hold for a shop: open, keep, close."""
        full_scope = shop_scope(shop, scope)

        async def reconcile(session: Session) -> None:
            await session.fetchval("lock_scope", scope=full_scope)
            entries = await reconcile_exceptions(
                session, scope=full_scope, shop=shop, order_row=None, order_name="", findings=findings, now=now
            )
            await append_journal(session, entries)

        await self._database.transact(reconcile)
