"""Webhooks: stored before they are acknowledged, claimed, settled; and the orders they wake."""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from pickgate.crypto import SealBroken, Sealer
from pickgate.flows.ports import InboxItem, InboxVerdict, PendingInbox
from pickgate.store.codec import clean_text
from pickgate.store.connection import Database, Session, StoreUnavailable
from pickgate.store.exceptions import open_inbox_finding
from pickgate.store.rows import JournalEntry, Rows, append_journal, body_place

CLAIM_SECONDS = 30.0  # a claim that was not settled by then is offered again


class InboxRows(Rows):
    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        *,
        woken: Callable[[], None],
        intake_seconds: float = 3.0,
        claim_seconds: float = CLAIM_SECONDS,
    ) -> None:
        super().__init__(database, sealer)
        self._woken = woken
        self._intake_seconds = intake_seconds
        self._claim_seconds = claim_seconds
        self._intakes: set[asyncio.Task[Any]] = set()

    async def record_inbox(self, items: Sequence[InboxItem]) -> Sequence[bool]:
        """Store webhooks durably, in one commit. Returns False for each that was a duplicate.

        A duplicate has the same source, shop, topic, event id and body. The same event with another body is stored.
        Raises StoreUnavailable, within `intake_seconds`, when that cannot be done.
        """
        keyed = [(_key(item), self._sealer.digest(item.body), item) for item in items]
        firsts: dict[tuple[str, ...], tuple[bytes, InboxItem]] = {}
        copies: Counter[tuple[str, ...]] = Counter()
        for key, digest, item in keyed:
            full = (*key, digest.hex())
            if full in firsts:
                copies[full] += 1
            else:
                firsts[full] = (digest, item)
        if not firsts:
            return []
        rows = [(key, *found) for key, found in firsts.items()]
        answers = await self._within(
            self._intake_seconds,
            self._database.fetch(
                "record_inbox",
                sources=[key[0] for key, _, _ in rows],
                shops=[key[1] for key, _, _ in rows],
                topics=[key[2] for key, _, _ in rows],
                event_ids=[key[3] for key, _, _ in rows],
                webhook_ids=[clean_text(item.webhook_id) for _, _, item in rows],
                api_versions=[clean_text(item.api_version) for _, _, item in rows],
                triggered_ats=[item.triggered_at for _, _, item in rows],
                received_ats=[item.received_at for _, _, item in rows],
                bodies=[self._seal_body(key, item.body) for key, _, item in rows],
                digests=[digest for _, digest, _ in rows],
                duplicates=[copies[key] for key, _, _ in rows],
            ),
        )
        new = {
            (row["source"], row["shop"], row["topic"], row["event_id"], row["body_digest"].hex())
            for row in answers
            if row["is_new"]
        }
        if new:
            self._woken()
        verdicts = []
        for key, digest, _ in keyed:
            full = (*key, digest.hex())
            verdicts.append(full in new)
            new.discard(full)
        return verdicts

    async def claim_inbox(self, *, now: datetime, limit: int) -> Sequence[PendingInbox]:
        """Lease pending rows, oldest first, for `claim_seconds`.

        One that no key opens comes with an empty body: it must become an exception, not keep the others waiting.
        """
        rows = await self._database.fetch(
            "claim_inbox", now=now, limit=limit, claimed_until=now + timedelta(seconds=self._claim_seconds)
        )
        return [
            PendingInbox(
                id=row["id"],
                source=row["source"],
                shop=row["shop"],
                topic=row["topic"],
                body=self._body(row),
                received_at=row["received_at"],
            )
            for row in sorted(rows, key=lambda row: row["id"])
        ]

    async def settle_inbox(self, verdicts: Sequence[InboxVerdict], *, now: datetime, delay_seconds: float) -> None:
        """Record verdicts and wake the orders they name (created if new), all in one transaction.

        A woken order is looked at `delay_seconds` after `now`, or earlier if it was due earlier. A row that was
        settled before is left alone.
        """
        if not verdicts:
            return
        by_id = {verdict.id: verdict for verdict in verdicts}
        wakes = False

        async def settle(session: Session) -> None:
            nonlocal wakes
            settled = await session.fetch(
                "settle_inbox",
                ids=list(by_id),
                verdicts=[verdict.verdict for verdict in by_id.values()],
                notes=[clean_text(verdict.note) for verdict in by_id.values()],
                now=now,
            )
            hints: Counter[tuple[str, str]] = Counter()
            because: dict[tuple[str, str], str] = {}
            for row in settled:
                for target in dict.fromkeys(by_id[row["id"]].wake):
                    hints[target] += 1
                    because[target] = f"{row['source']} {row['topic']}"
            order_rows = await wake_orders(session, hints, because, at=now + timedelta(seconds=delay_seconds), now=now)
            wakes = bool(order_rows)
            await append_journal(
                session,
                [
                    JournalEntry(
                        order_row=order_rows[target],
                        shop=target[0],
                        at=now,
                        kind="hint",
                        detail={"source": row["source"], "topic": row["topic"]},
                        inbox_id=row["id"],
                    )
                    for row in settled
                    for target in dict.fromkeys(by_id[row["id"]].wake)
                ],
            )
            for row in settled:
                finding = by_id[row["id"]].finding
                if finding is not None:
                    await open_inbox_finding(session, shop=row["shop"], finding=finding, now=now)

        await self._database.transact(settle)
        if wakes:
            self._woken()

    async def wake(self, *, shop: str, order_id: str, at: datetime, because: str, is_hint: bool = True) -> None:
        """Move the order's next look forward to `at` (never later than it was). Creates the order if new."""
        target = (shop, order_id)

        async def move(session: Session) -> None:
            rows = await wake_orders(session, Counter({target: int(is_hint)}), {target: because}, at=at, now=at)
            if is_hint:
                entry = JournalEntry(
                    order_row=rows[target], shop=shop, at=at, kind="woken", detail={"because": because}
                )
                await append_journal(session, [entry])

        await self._database.transact(move)
        self._woken()

    async def _within(self, seconds: float, work: Coroutine[Any, Any, list[asyncpg.Record]]) -> list[asyncpg.Record]:
        """Wait so long and no longer. What is given up is cancelled, and that is not waited for: it needs an answer."""
        task = asyncio.create_task(work)
        self._intakes.add(task)
        task.add_done_callback(self._forget)
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if done:
            return task.result()
        task.cancel()
        raise StoreUnavailable(f"Not stored within {seconds} s.")

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._intakes.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that one that nobody waits for any more makes no noise

    def _body(self, row: asyncpg.Record) -> bytes:
        try:
            return b"" if row["body"] is None else open_body(self._sealer, row)
        except SealBroken:
            return b""

    def _seal_body(self, key: tuple[str, ...], body: bytes) -> bytes:
        source, shop, topic, event_id = key[:4]
        return self._sealer.seal(zlib.compress(body, 1), body_place(source, shop, topic, event_id))


async def wake_orders(
    session: Session,
    hints: Counter[tuple[str, str]],
    because: dict[tuple[str, str], str],
    *,
    at: datetime,
    now: datetime,
) -> dict[tuple[str, str], int]:
    """Wake orders by (shop, order id) in one statement. Returns their rows."""
    if not hints:
        return {}
    targets = list(hints)
    rows = await session.fetch(
        "wake_orders",
        shops=[shop for shop, _ in targets],
        order_ids=[order_id for _, order_id in targets],
        ats=[at] * len(targets),
        hints=[hints[target] for target in targets],
        becauses=[clean_text(because[target]) for target in targets],
        now=now,
    )
    return {(row["shop"], row["order_id"]): row["id"] for row in rows}


def open_body(sealer: Sealer, row: asyncpg.Record) -> bytes:
    """Return the raw body of an inbox row that still has it. Raises SealBroken."""
    where = body_place(row["source"], row["shop"], row["topic"], row["event_id"])
    return zlib.decompress(sealer.open(row["body"], where))


def _key(item: InboxItem) -> tuple[str, ...]:
    return tuple(clean_text(part) for part in (item.source, item.shop, item.topic, item.event_id))
