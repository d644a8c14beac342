"""The connection pool: bounded waits, time-outs, whole-transaction retries, and one error for "not available now"."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from pickgate.store.sql import Query, load_queries

if TYPE_CHECKING:
    from collections.abc import Iterator

    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]

T = TypeVar("T")

_TRIES = 5  # for one transaction that others collide with


class StoreUnavailable(Exception):
    """The database cannot answer now: down, out of connections, out of space, or too slow. Try again later.

    After a commit that was not answered it is not known whether it took effect.
    """


_UNAVAILABLE = (
    OSError,  # covers TimeoutError and refused connections
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InternalClientError,  # how the driver answers when the server dies in the middle of a statement
)


@contextmanager
def _explaining() -> Iterator[None]:
    try:
        yield
    except _UNAVAILABLE as error:
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from error
    except asyncpg.InterfaceError as error:
        if "clos" in str(error):  # "connection is closed", "pool is closing"
            raise StoreUnavailable(str(error)) from error
        raise


class Session:
    """Named queries on one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def fetch(self, name: str, /, **values: Any) -> list[asyncpg.Record]:
        query = load_queries()[name]
        return await self.connection.fetch(query.text, *query.arguments(values))

    async def fetchrow(self, name: str, /, **values: Any) -> asyncpg.Record | None:
        query = load_queries()[name]
        return await self.connection.fetchrow(query.text, *query.arguments(values))

    async def fetchval(self, name: str, /, **values: Any) -> Any:
        query = load_queries()[name]
        return await self.connection.fetchval(query.text, *query.arguments(values))

    async def execute(self, name: str, /, **values: Any) -> int:
        """Run a statement; return how many rows it touched."""
        query = load_queries()[name]
        status = await self.connection.execute(query.text, *query.arguments(values))
        return int(status.rpartition(" ")[2]) if status[-1:].isdigit() else 0

    async def execute_many(self, name: str, /, rows: list[dict[str, Any]]) -> None:
        query = load_queries()[name]
        if rows:
            await self.connection.executemany(query.text, [query.arguments(row) for row in rows])

    async def fetch_built(self, query: Query, values: dict[str, Any]) -> list[asyncpg.Record]:
        """Run a query that was put together from known parts (lists with filters)."""
        return await self.connection.fetch(query.text, *query.arguments(values))


class Database:
    """A pool to one PostgreSQL. Make it with `open`; every method raises StoreUnavailable when there is no answer."""

    def __init__(self, pool: Pool, dsn: str, *, acquire_seconds: float) -> None:
        self.dsn = dsn
        self._pool = pool
        self._acquire_seconds = acquire_seconds

    @classmethod
    async def open(
        cls,
        dsn: str,
        *,
        max_size: int = 10,
        acquire_seconds: float = 1.0,
        statement_seconds: float = 10.0,
        lock_seconds: float = 5.0,
    ) -> Database:
        """Connect. `acquire_seconds` bounds the wait for a connection, the others one statement and one lock."""
        settings = {
            "application_name": "pickgate",
            "synchronous_commit": "on",
            "statement_timeout": str(int(statement_seconds * 1000)),
            "lock_timeout": str(int(lock_seconds * 1000)),
            "idle_in_transaction_session_timeout": str(int(statement_seconds * 3000)),
            "timezone": "UTC",
            "jit": "off",  # compiling costs more than any of these queries
        }
        with _explaining():
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=max_size,
                timeout=acquire_seconds,
                command_timeout=statement_seconds + 1,
                init=_prepare,
                server_settings=settings,
            )
        return cls(pool, dsn, acquire_seconds=acquire_seconds)

    @property
    def pool(self) -> Pool:
        """The pool itself, for what brings its own SQL (PgQueuer)."""
        return self._pool

    async def aclose(self) -> None:
        """Close; what still runs after two seconds is cut off."""
        try:
            await asyncio.wait_for(self._pool.close(), 2)
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Borrow a connection; each statement commits by itself."""
        with _explaining():
            async with self._pool.acquire(timeout=self._acquire_seconds) as connection:
                yield Session(connection)

    async def transact(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run `work` in one transaction. Run whole again, a few times, when it collides with another (40001, 40P01)."""
        for attempt in range(1, _TRIES + 1):
            try:
                async with self.session() as session, session.connection.transaction():
                    return await work(session)
            except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
                if attempt == _TRIES:
                    raise StoreUnavailable(f"Collided {_TRIES} times: {error}") from error
        raise AssertionError("unreachable")

    async def fetch(self, name: str, /, **values: Any) -> list[asyncpg.Record]:
        async with self.session() as session:
            return await session.fetch(name, **values)

    async def fetchrow(self, name: str, /, **values: Any) -> asyncpg.Record | None:
        async with self.session() as session:
            return await session.fetchrow(name, **values)

    async def fetchval(self, name: str, /, **values: Any) -> Any:
        async with self.session() as session:
            return await session.fetchval(name, **values)

    async def execute(self, name: str, /, **values: Any) -> int:
        async with self.session() as session:
            return await session.execute(name, **values)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=_dump, decoder=json.loads)
