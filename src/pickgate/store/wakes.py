"""Waking sleeping workers: a notification outside of the transaction that causes it, and at most one in 5 ms.

A NOTIFY inside every intake transaction would make all commits wait for one lock. Lost ones do no harm: workers poll.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import asyncpg

from pickgate.store.connection import Database, StoreUnavailable

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

CHANNEL = "pickgate_wake"
_APART_SECONDS = 0.005
_RETRY_SECONDS = 1.0


class WakeBell:
    """Tells all workers that something is due. `ring` returns at once; rings close together become one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._task: asyncio.Task[None] | None = None
        self._again = False

    def ring(self) -> None:
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while self._again:
            await asyncio.sleep(_APART_SECONDS)
            self._again = False
            with contextlib.suppress(StoreUnavailable):
                await self._database.fetchval("notify_wake")


class WakeListener:
    """Holds a connection of its own that listens, and connects again when it is cut."""

    def __init__(self, dsn: str, callback: Callable[[], None]) -> None:
        self._dsn = dsn
        self._callback = callback
        self._connection: Connection | None = None
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen. Raises StoreUnavailable when the database cannot be reached now."""
        try:
            await self._connect()
        except (OSError, asyncpg.PostgresError) as error:
            raise StoreUnavailable(f"Cannot listen: {error}") from error
        self._task = asyncio.get_running_loop().create_task(self._stay())

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close(timeout=1)

    async def _connect(self) -> None:
        self._lost.clear()
        connection = await asyncpg.connect(self._dsn, timeout=1)
        connection.add_termination_listener(lambda _: self._lost.set())
        await connection.add_listener(CHANNEL, self._heard)
        self._connection = connection

    async def _stay(self) -> None:
        while True:
            await self._lost.wait()
            try:
                await self._connect()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                self._lost.set()
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                self._callback()  # whatever was missed meanwhile

    def _heard(self, *_: Any) -> None:
        self._callback()
