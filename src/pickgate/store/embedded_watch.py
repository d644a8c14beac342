"""Watches over the bundled PostgreSQL: no supervisor does, so every process that uses it starts it again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from pickgate.store.embedded import EmbeddedPostgres, EmbeddedPostgresFailed

log = structlog.get_logger("pickgate.store")


@asynccontextmanager
async def kept_running(embedded: EmbeddedPostgres, *, look_every_seconds: float = 1.0) -> AsyncIterator[None]:
    """Start the embedded server again when it has died, for as long as this is open.

    Any process of the installation may do it: the server's own lock lets one start it and the others find it. One of
    them becomes its owner when the process that was has died.
    """
    closing = asyncio.Event()

    async def keep() -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(closing.wait(), look_every_seconds)
            if closing.is_set():
                return
            try:
                await asyncio.to_thread(embedded.start)
            except (EmbeddedPostgresFailed, OSError) as error:
                log.error("embedded_database", problem=str(error)[:500])

    task = asyncio.create_task(keep())
    try:
        yield
    finally:
        closing.set()
        await task  # a start that is under way must be over before the server is stopped
