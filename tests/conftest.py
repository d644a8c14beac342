"""Fixtures that every folder may use: a PostgreSQL for the whole run, and a fresh database for each test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from contracts.keeping import Kept, keep_in_memory, keep_in_postgres
from pickgate.crypto import Sealer
from pickgate.store.embedded import EmbeddedPostgres
from pickgate.store.migrate import migrate
from pickgate.store.operators import OperatorActions
from pickgate.store.postgres import PostgresStore

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The DSN of a server for this run. Started when the first test asks for it."""
    # Not below pytest's own folder: that is closed to the user that PostgreSQL runs as when root runs the tests.
    folder = Path(tempfile.mkdtemp(prefix="pickgate-tests-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder)
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def empty_database(postgres_server: str) -> AsyncIterator[str]:
    """The DSN of a database without tables."""
    async for dsn in _database(postgres_server, "template0"):
        yield dsn


@pytest.fixture
async def database(postgres_server: str, template_database: str) -> AsyncIterator[str]:
    """The DSN of a migrated database that belongs to this test alone."""
    async for dsn in _database(postgres_server, template_database):
        yield dsn


@pytest.fixture
async def template_database(postgres_server: str) -> str:
    """The name of a migrated database to copy. Made by the first test that asks for it."""
    name = "pickgate_template"
    admin = await asyncpg.connect(postgres_server)
    try:
        if not await admin.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", name):
            await admin.execute(f"CREATE DATABASE {name}_new TEMPLATE template0")
            await migrate(_dsn_of(postgres_server, f"{name}_new"))
            await admin.execute(f"ALTER DATABASE {name}_new RENAME TO {name}")
    finally:
        await admin.close()
    return name


async def _database(server: str, template: str) -> AsyncIterator[str]:
    name = f"test_{next(_numbers)}"
    admin = await asyncpg.connect(server)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield _dsn_of(server, name)
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


def _dsn_of(server: str, name: str) -> str:
    head, _, query = server.partition("?")
    return f"{head.rpartition('/')[0]}/{name}?{query}"


@pytest.fixture
async def postgres_store(database: str) -> AsyncIterator[PostgresStore]:
    """A `PostgresStore` on a database of this test's own."""
    store = await PostgresStore.open(database, Sealer(["k" * 32]), max_size=4)
    yield store
    await store.aclose()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def kept(request: pytest.FixtureRequest) -> Kept:
    """Each store in turn, for what holds for both."""
    found: Kept = request.getfixturevalue(f"kept_in_{request.param}")
    return found


@pytest.fixture
def kept_in_memory() -> Kept:
    return keep_in_memory()


@pytest.fixture
async def kept_in_postgres(postgres_store: PostgresStore) -> AsyncIterator[Kept]:
    async with postgres_store.database.session() as session:
        yield keep_in_postgres(postgres_store, OperatorActions(postgres_store.database), session.connection)
