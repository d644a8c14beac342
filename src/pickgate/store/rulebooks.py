"""Versions of the rulebook. A draft is saved whole and published whole; a published one never changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pickgate.store.connection import Database, Session
from pickgate.store.operators import record_audit


class NoSuchRulebook(Exception):
    """There is no version with that number."""


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

    async def load(self, number: int) -> Mapping[str, Any]:
        """Return one version's tables. Raises NoSuchRulebook."""
        row = await self._database.fetchrow("load_rulebook", number=number)
        if row is None:
            raise NoSuchRulebook(f"There is no rulebook version {number}.")
        tables: Mapping[str, Any] = row["tables"]
        return tables

    async def list_versions(self, *, limit: int = 50) -> Sequence[Mapping[str, Any]]:
        return [dict(row) for row in await self._database.fetch("list_rulebooks", limit=limit)]

    async def save(self, tables: Mapping[str, Any], *, note: str, by: str, now: datetime) -> int:
        """Save a draft; return its number."""

        async def work(session: Session) -> int:
            await session.fetchval("lock_rulebooks")
            number = int(await session.fetchval("save_rulebook", tables=tables, note=note, now=now, by=by))
            await record_audit(
                session, at=now, actor=by, action="import_rulebook", subject=f"rulebook {number}", reason=note
            )
            return number

        return await self._database.transact(work)

    async def publish(self, number: int, *, reason: str, by: str, now: datetime) -> int:
        """Let a version decide from now on, and wake every order that it may move. Returns how many were woken."""

        async def work(session: Session) -> int:
            await session.fetchval("lock_rulebooks")
            if await session.fetchval("publish_rulebook", number=number, now=now, by=by) is None:
                raise NoSuchRulebook(f"There is no rulebook version {number}.")
            await record_audit(
                session, at=now, actor=by, action="publish_rulebook", subject=f"rulebook {number}", reason=reason
            )
            return len(await session.fetch("wake_stopped_by_rules", now=now))

        return await self._database.transact(work)
