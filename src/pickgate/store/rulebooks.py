"""Versions of the rulebook. A draft is saved whole and published whole; a published one never changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pickgate.store.connection import Database, Session
from pickgate.store.operators import record_audit

# The gates that a row can open. Every other order is decided under the new version when its own time comes.
RULE_GATES = ("location_unmapped", "service_unmapped", "sku_unmapped", "rule_hold")
BATCH = 1_000
TAKEN_UP_WITHIN = timedelta(seconds=8)  # after a publication; every worker asks for the version more often than that
BATCH_EVERY = timedelta(seconds=10)  # batches are spread, so that a flood of old orders does not keep new ones waiting
SPREAD_OVER = timedelta(minutes=10)


class NoSuchRulebook(Exception):
    """There is no version with that number."""


def batch_due(batch: int, now: datetime) -> datetime:
    """When the orders of a batch are looked at. Batches count from 0."""
    return now + TAKEN_UP_WITHIN + min(batch * BATCH_EVERY, SPREAD_OVER)


class RulebookRows:
    """`tables` are in their stored JSON form; whoever asks turns them into a rulebook."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def published_number(self) -> int:
        """The number of the version that decides now; 0 when none was ever published."""
        return int(await self._database.fetchval("published_rulebook_number") or 0)

    async def published(self) -> tuple[int, Mapping[str, Any]] | None:
        row = await self._database.fetchrow("published_rulebook")
        return (row["number"], row["tables"]) if row is not None else None

    async def find(self, number: int) -> Mapping[str, Any] | None:
        """One version whole: number, tables, note, created_at, created_by, published_at, published_by."""
        row = await self._database.fetchrow("load_rulebook", number=number)
        return None if row is None else dict(row)

    async def list_versions(self, *, limit: int = 50, offset: int = 0) -> Sequence[Mapping[str, Any]]:
        """Newest first, as `find` gives them but without tables."""
        return [dict(row) for row in await self._database.fetch("list_rulebooks", limit=limit, offset=offset)]

    async def count_versions(self) -> int:
        return int(await self._database.fetchval("count_rulebooks"))

    async def save(self, tables: Mapping[str, Any], *, note: str, by: str, now: datetime) -> int:
        """Save a draft; return its number."""

        async def work(session: Session) -> int:
            await session.fetchval("lock_rulebooks")
            number = int(await session.fetchval("save_rulebook", tables=tables, note=note, now=now, by=by))
            await record_audit(
                session, at=now, actor=by, action="save_rulebook", subject=f"rulebook {number}", reason=note
            )
            return number

        return await self._database.transact(work)

    async def publish(
        self, number: int, *, reason: str, by: str, now: datetime, expected: int | None = None
    ) -> int | None:
        """Let a version decide from now on, and wake every order that a missing row keeps. Returns how many.

        `expected`: the version that the person saw deciding; when another one does, nothing is done and None returned.
        Publishing an older version again is how one goes back. Raises NoSuchRulebook.
        """

        async def work(session: Session) -> bool:
            await session.fetchval("lock_rulebooks")
            before = int(await session.fetchval("published_rulebook_number") or 0)
            if expected is not None and expected != before:
                return False
            if await session.fetchval("publish_rulebook", number=number, now=now, by=by) is None:
                raise NoSuchRulebook(f"There is no rulebook version {number}.")
            await record_audit(
                session,
                at=now,
                actor=by,
                action="publish_rulebook",
                subject=f"rulebook {number}",
                reason=reason,
                before={"version": before},
                after={"version": number},
            )
            return True

        if not await self._database.transact(work):
            return None
        return await self.wake_stopped(now=now)

    async def wake_stopped(self, *, now: datetime, sooner_than: timedelta = timedelta(0)) -> int:
        """Wake the orders that the rulebook stopped under another version than the published one. Returns how many.

        In batches, each a statement of its own: nothing is locked for long, and what a crash leaves over is woken by
        the next call. Orders in the warehouse are not woken: their next look decides. `sooner_than`: leave those alone
        that are looked at by then anyway.
        """
        number, after, woken = await self.published_number(), 0, 0
        for batch in range(10_000):
            rows = await self._database.fetch(
                "wake_stopped_by_rules",
                number=number,
                codes=list(RULE_GATES),
                at=batch_due(batch, now),
                latest=max(batch_due(batch, now), now + sooner_than),
                after=after,
                limit=BATCH,
            )
            woken += len(rows)
            if len(rows) < BATCH:
                break
            after = max(row["id"] for row in rows)
        return woken
