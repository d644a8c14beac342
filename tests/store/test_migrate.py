"""Migrations: applied once, in order, each whole or not at all; an applied file never changes."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from pickgate.store.migrate import JOBS, Migration, SchemaMismatch, check, load_migrations, migrate, pending

pytestmark = pytest.mark.postgres

NAMES = [migration.name for migration in load_migrations()]
ONE = Migration("0001_one.pre.sql", "CREATE TABLE one (id int)")
BAD = Migration("0002_bad.pre.sql", "CREATE TABLE two (id int); SELECT * FROM nothing_here")
LATE = Migration("0003_late.post.sql", "CREATE TABLE three (id int)")


async def tables(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT relname FROM pg_class WHERE relname IN ('one', 'two', 'three')")
        return {row[0] for row in rows}
    finally:
        await connection.close()


async def test_everything_is_applied_once_by_however_many(empty_database: str) -> None:
    assert await pending(empty_database) == [*NAMES, JOBS]
    with pytest.raises(SchemaMismatch, match=r"Not migrated yet: 0001_orders.*Run `pickgate migrate`"):
        await check(empty_database)
    done = await asyncio.gather(*(migrate(empty_database) for _ in range(3)))
    assert sorted(map(len, done)) == [0, 0, len(NAMES) + 1]
    assert await pending(empty_database) == []
    await check(empty_database)


async def test_a_file_that_fails_leaves_nothing(empty_database: str) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await migrate(empty_database, migrations=[ONE, BAD])
    assert await tables(empty_database) == {"one"}
    mended = Migration(BAD.name, "CREATE TABLE two (id int)")
    assert await migrate(empty_database, migrations=[ONE, mended]) == [BAD.name, JOBS]
    changed = Migration(ONE.name, ONE.text + " -- changed")
    with pytest.raises(SchemaMismatch, match=r"0001_one.pre.sql was changed after it was applied"):
        await migrate(empty_database, migrations=[changed, mended])
    assert await migrate(empty_database, stage="pre", migrations=[ONE, mended, LATE]) == []
    assert await pending(empty_database, migrations=[ONE, mended, LATE]) == [LATE.name]
    assert await migrate(empty_database, stage="post", migrations=[ONE, mended, LATE]) == [LATE.name]
    # A release that does not know the newest file yet starts beside it.
    assert await pending(empty_database, migrations=[ONE]) == []


@pytest.mark.parametrize("migration", load_migrations(), ids=lambda migration: str(migration.name))
def test_each_file_bounds_its_wait_for_locks(migration: Migration) -> None:
    assert migration.text.startswith("SET LOCAL lock_timeout = '3s';\n")


@pytest.mark.parametrize("table", ["journal", "audit"])
@pytest.mark.parametrize("what", ["UPDATE {} SET at = now()", "DELETE FROM {}", "TRUNCATE {}"])
async def test_history_only_grows(database: str, table: str, what: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(
            "INSERT INTO journal (shop, at, kind) VALUES ('uk', now(), 'x');"
            "INSERT INTO audit (at, actor, action, subject) VALUES (now(), 'a', 'b', 'c')"
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"{table} only grows"):
            await connection.execute(what.format(table))
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 1
    finally:
        await connection.close()
