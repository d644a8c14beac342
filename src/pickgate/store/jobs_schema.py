"""PgQueuer's own tables, in the same database and schema: schedules, notifications, exports, back-tests.

The only module that knows how they are installed. PgQueuer brings its SQL itself and works out what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
from pgqueuer.adapters.persistence.queries import Queries

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]


async def jobs_schema_is_current(connection: Connection) -> bool:
    """Say whether PgQueuer's tables are there and as this release of it wants them."""
    queries = Queries.from_asyncpg_connection(connection)
    return await queries.schema_is_installed() and not (await queries.plan_upgrade()).statements


async def ensure_jobs_schema(connection: Connection) -> bool:
    """Install or upgrade PgQueuer's tables. Returns whether anything was done. The caller holds the migration lock."""
    queries = Queries.from_asyncpg_connection(connection)
    if not await queries.schema_is_installed():
        async with connection.transaction():
            await queries.install()
        return True
    return bool((await queries.apply_upgrade()).statements)
