"""Stages for tests: a shared PostgreSQL with an empty database, or an embedded one of the test's own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from pickgate.crypto import Sealer
from pickgate.proofs.nursery import Nursery
from pickgate.proofs.stage import Stage, open_stage
from pickgate.store.postgres import PostgresStore
from pickgate.store.witness import Witness


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own OS user may enter; pytest's is closed to others."""
    path = Path(tempfile.mkdtemp(prefix="pickgate-stage-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@asynccontextmanager
async def stage_on(database: str, *, by_commands: bool = False, **options: Any) -> AsyncIterator[Stage]:
    """A stage on this database: migrated, its rulebook published, a token made, time begun. No process runs yet."""
    with scratch_folder() as folder:
        async with open_stage(folder, database_url=database, **options) as stage:
            await (stage.prepare_by_commands() if by_commands else stage.prepare())
            stage.let_time_begin()
            yield stage


@asynccontextmanager
async def nursery_for(stage: Stage) -> AsyncIterator[None]:
    """Start this stage's commands quickly from now on."""
    stage.nursery = await Nursery.open()
    try:
        yield
    finally:
        await stage.end_all()
        await stage.nursery.close()
        stage.nursery = None


@asynccontextmanager
async def witness_of(database: str) -> AsyncIterator[Witness]:
    """Look into a database from outside."""
    store = await PostgresStore.open(database, Sealer(["k" * 32]), max_size=2)
    try:
        yield Witness(store.database)
    finally:
        await store.aclose()


async def nothing_left(witness: Witness) -> bool:
    """Whether every webhook was read and every effect has a known outcome."""
    return await witness.left_to_do() == (0, 0)
