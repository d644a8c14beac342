"""Each process keeps its own copy of the published rulebook, and takes up another one by itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pickgate.domain.rules import Rules
from pickgate.engine.rules import REFRESH_SECONDS, RulesKeeper
from pickgate.rulebook.evaluate import Rulebook
from pickgate.rulebook.tables import Tables
from pickgate.store.rulebooks import TAKEN_UP_WITHIN


class Published:
    """`taken_up`: set when it is asked again after the version was handed over."""

    def __init__(self, number: int = 0) -> None:
        self.number, self.away, self.handed_over = number, False, False
        self.taken_up = asyncio.Event()

    async def published_number(self) -> int:
        if self.away:
            raise OSError("away")
        if self.handed_over:
            self.taken_up.set()
        return self.number

    async def published(self) -> tuple[int, Mapping[str, Any]] | None:
        self.handed_over = True
        return (self.number, Tables().to_json()) if self.number else None


def build(number: int, tables: Mapping[str, Any]) -> Rules:
    return Rulebook(number, Tables.from_json(tables))


async def test_a_version_is_taken_up_once() -> None:
    published = Published()
    keeper = RulesKeeper(versions=published, build=build, current=Rulebook.empty())
    assert await keeper.refresh() is False
    published.number = 4
    assert (await keeper.refresh(), keeper.rules("uk").version) == (True, 4)
    assert await keeper.refresh() is False
    published.number = 3  # somebody went back
    assert (await keeper.refresh(), keeper.current.version) == (True, 3)


async def test_it_keeps_up_through_a_database_that_is_away() -> None:
    published = Published(1)
    keeper = RulesKeeper(versions=published, build=build, current=Rulebook.empty())
    published.away = True
    task = asyncio.create_task(keeper.keep_up(0.001))
    await asyncio.sleep(0.02)
    assert (task.done(), keeper.current.version) == (False, 0)
    published.away = False
    await asyncio.wait_for(published.taken_up.wait(), 5)
    assert keeper.current.version == 1
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_every_process_has_the_version_before_the_orders_of_a_publication_are_looked_at() -> None:
    assert timedelta(seconds=REFRESH_SECONDS) * 2 < TAKEN_UP_WITHIN
