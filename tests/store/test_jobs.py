"""Schedules on a real database: they run, and they end when told to, whatever became of the connections."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from pickgate.engine.jobs import JobRunner

pytestmark = pytest.mark.postgres


async def end_connections(database: str) -> None:
    """As when the server is killed: every other connection to the database breaks."""
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()


@pytest.mark.parametrize("broken", [False, True], ids=["connected", "connections broken"])
async def test_they_run_and_end_when_told_to(database: str, broken: bool) -> None:
    ran = asyncio.Event()

    async def job() -> None:
        ran.set()

    async with asyncpg.create_pool(database, min_size=2, max_size=4) as pool:
        runner = JobRunner(pool=pool)
        runner.every(timedelta(seconds=1), "a_job", job)
        running = asyncio.create_task(runner.run())
        await asyncio.wait_for(ran.wait(), 20)
        if broken:
            await end_connections(database)
        runner.stop()
        running.cancel()
        done, _ = await asyncio.wait([running], timeout=20)
        assert done == {running}
