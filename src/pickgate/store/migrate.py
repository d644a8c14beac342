"""Migrations: plain SQL files in `migrations/`, each applied once, in order, in a transaction of its own.

`0007_what.pre.sql` runs before new code starts and must suit the code that still runs; `….post.sql` runs when the old
code is gone. A file that was applied never changes: its checksum is kept. See ADR 0004.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

import asyncpg

from pickgate.store.connection import StoreUnavailable
from pickgate.store.jobs_schema import ensure_jobs_schema, jobs_schema_is_current

if TYPE_CHECKING:
    from collections.abc import Sequence

    Connection = asyncpg.Connection[asyncpg.Record]

Stage = Literal["pre", "post", "all"]
JOBS = "jobs (PgQueuer)"

_FILE = re.compile(r"^\d{4}_[a-z0-9_]+\.(pre|post)\.sql$")
_LOCK = 7_425_646_083  # any number, the same in every process
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name       text        PRIMARY KEY,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class SchemaMismatch(Exception):
    """The database's schema does not belong to this release. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return sha256(self.text.encode()).hexdigest()

    @property
    def stage(self) -> str:
        return self.name.split(".")[1]


def load_migrations() -> Sequence[Migration]:
    """Read the files, in order. Raises ValueError for a name that does not follow the pattern."""
    found = []
    for path in sorted(files("pickgate.store").joinpath("migrations").iterdir(), key=lambda item: item.name):
        if path.name.endswith(".sql"):
            if not _FILE.match(path.name):
                raise ValueError(f"{path.name}: write 0001_what.pre.sql or 0001_what.post.sql.")
            found.append(Migration(path.name, path.read_text("utf-8")))
    return found


async def migrate(dsn: str, *, stage: Stage = "all", migrations: Sequence[Migration] | None = None) -> list[str]:
    """Apply what is pending; return the names. Several at once wait for each other. A failed file changes nothing.

    Raises SchemaMismatch when an applied file has changed, StoreUnavailable, or the database's own error.
    """
    connection = await _connect(dsn)
    try:
        await connection.fetchval("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(_TABLE)
        known = load_migrations() if migrations is None else migrations
        applied = []
        for migration in await _pending(connection, known):
            if stage in ("all", migration.stage):
                async with connection.transaction():
                    await connection.execute(migration.text)
                    await connection.execute(
                        "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)",
                        migration.name,
                        migration.checksum,
                    )
                applied.append(migration.name)
        if stage != "post" and await ensure_jobs_schema(connection):
            applied.append(JOBS)
        return applied
    finally:
        await connection.close(timeout=5)


async def pending(dsn: str, *, migrations: Sequence[Migration] | None = None) -> list[str]:
    """Return the names of what is not applied yet. Raises SchemaMismatch when an applied file has changed."""
    connection = await _connect(dsn)
    try:
        known = load_migrations() if migrations is None else migrations
        if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
            names = [migration.name for migration in known]
        else:
            names = [migration.name for migration in await _pending(connection, known)]
        return names if await jobs_schema_is_current(connection) else [*names, JOBS]
    finally:
        await connection.close(timeout=5)


async def check(dsn: str) -> None:
    """Raise SchemaMismatch unless everything of this release that must come before its start has been applied."""
    names = [name for name in await pending(dsn) if ".post." not in name]
    if names:
        raise SchemaMismatch(f"Not migrated yet: {', '.join(names)}. Run `pickgate migrate`.")


async def _connect(dsn: str) -> Connection:
    try:
        return await asyncpg.connect(dsn, timeout=5, server_settings={"application_name": "pickgate migrate"})
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError) as error:
        raise StoreUnavailable(f"Cannot connect to migrate: {error}") from error


async def _pending(connection: Connection, known: Sequence[Migration]) -> list[Migration]:
    """Compare with what was applied. Names applied by a newer release are left alone: its code may run beside ours."""
    rows = await connection.fetch("SELECT name, checksum FROM schema_migrations")
    applied = {row["name"]: row["checksum"] for row in rows}
    for migration in known:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise SchemaMismatch(
                f"{migration.name} was changed after it was applied. Restore the file; write a new one for the change."
            )
    return [migration for migration in known if migration.name not in applied]
