"""The long crash proof: every place, real leases, PostgreSQL killed again and again, two workers all the time."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click

from pickgate.proofs.crashes import Crashes, come_to_rest, crash_database, crash_intake, crash_workers, shoppers
from pickgate.proofs.crashes import worker_points as points_of
from pickgate.proofs.nursery import Nursery
from pickgate.proofs.stage import Stage, open_stage
from pickgate.store.connection import Database
from pickgate.store.witness import Witness

LONGEST_IDLE_SECONDS = 30.0


class CrashProofFailed(Exception):
    """A webhook was lost, something was done twice, or nothing was done for too long. The text lists all of it."""


async def prove_crashes(points: int = 150, database_kills: int = 30) -> list[tuple[str, str]]:
    """Run the whole proof; print and return its figures. Raises CrashProofFailed.

    Args:
        points: How many places a worker dies at, of `worker_points`; a tenth as many kills of the intake besides.
        database_kills: How often PostgreSQL and all its processes are killed.
    """
    workers, intake, databases = Crashes(), Crashes(), Crashes()
    async with _scratch_stage() as (stage, witness):
        await stage.start("api")
        async with shoppers(stage, workers, orders_per_second=3):
            await crash_workers(stage, witness, workers, points_of(points))
        await come_to_rest(stage, witness, workers, seconds=120)
        acknowledged = len(stage.acknowledged) + len(stage.acknowledged_hints)
    async with _scratch_stage() as (stage, witness):
        await stage.start("worker")
        await stage.start("worker")
        async with shoppers(stage, intake, orders_per_second=5):
            await crash_intake(stage, intake, max(2, points // 10))
            await stage.start("api")
        await come_to_rest(stage, witness, intake, seconds=120)
        acknowledged += len(stage.acknowledged) + len(stage.acknowledged_hints)
    async with _scratch_stage() as (stage, witness):
        await stage.start("serve")
        await stage.start("worker")
        cluster = (stage.folder / "data" / "postgres").resolve() / "cluster"
        async with shoppers(stage, databases, orders_per_second=3):
            await asyncio.sleep(2)
            await crash_database(stage, databases, cluster, database_kills)
        await come_to_rest(stage, witness, databases, seconds=120)
        acknowledged += len(stage.acknowledged) + len(stage.acknowledged_hints)
    return _conclude(workers, intake, databases, acknowledged)


def _conclude(workers: Crashes, intake: Crashes, databases: Crashes, acknowledged: int) -> list[tuple[str, str]]:
    runs = (workers, intake, databases)
    problems = [problem for run in runs for problem in run.problems]
    idle = max(second for run in runs for second in (*run.idle_seconds, 0.0))
    if idle > LONGEST_IDLE_SECONDS:
        problems.append(f"nothing useful was done for {idle:.1f} s after a kill")
    figures = [
        ("workers killed", f"{workers.kills} ({len(workers.unreached)} at no place of their own)"),
        ("intake killed", str(intake.kills)),
        ("PostgreSQL killed", str(databases.kills)),
        ("orders", str(sum(len(run.orders) for run in runs))),
        ("webhooks acknowledged", str(acknowledged)),
        ("webhooks lost, effects doubled, orders stuck", str(len(problems))),
        ("longest time without useful work", f"{idle:.1f} s"),
        ("longest time until a dead worker's order was taken over", f"{max([*workers.taken_over_seconds, 0]):.1f} s"),
    ]
    for name, value in figures:
        click.echo(f"  {name:<58}{value}")
    if problems:
        raise CrashProofFailed("\n".join(problems))
    return figures


@asynccontextmanager
async def _scratch_stage(**options: Any) -> AsyncIterator[tuple[Stage, Witness]]:
    """A stage on an embedded database of its own, below a folder that PostgreSQL's OS user may enter."""
    with tempfile.TemporaryDirectory(prefix="pickgate-proof-", ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)  # noqa: S103 - others may enter, and read nothing but a log
        folder = Path(name)
        async with open_stage(folder, **options) as stage:
            keeper = await stage.start("worker")  # starts the database, and holds it until the stage is over
            await stage.prepare()
            stage.nursery = await Nursery.open()
            database = await Database.open(stage.dsn, max_size=2)
            try:
                stage.let_time_begin()
                yield stage, Witness(database)
            finally:
                await database.aclose()
                await stage.end_all()
                assert keeper.is_over
                await stage.nursery.close()
                stage.nursery = None
