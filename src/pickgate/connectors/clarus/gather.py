"""Many callers, one request: questions asked at about the same time are put together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Gatherer(Generic[Item, Answer]):
    """Collects items for `seconds`, asks for all of them at once, and gives everyone the whole answer.

    With `seconds` 0 it asks at once, in the caller's own coroutine, and needs no event loop. How many items fit into
    one request is the business of `ask_all`.
    """

    def __init__(self, ask_all: Callable[[Sequence[Item]], Awaitable[Answer]], *, seconds: float) -> None:
        self._ask_all = ask_all
        self._seconds = seconds
        self._open: tuple[list[Item], asyncio.Task[Answer]] | None = None

    async def ask(self, items: Sequence[Item]) -> Answer:
        """Ask for these items, together with whatever else is asked now. Raises what the request raises."""
        if self._seconds <= 0:
            return await self._ask_all(items)
        if self._open is None or self._open[1].done():  # done and still open: cancelled before it began
            batch: list[Item] = []
            # A task of its own, so that a caller who is cancelled takes nobody's answer along.
            self._open = (batch, asyncio.create_task(self._run(batch)))
        batch, task = self._open
        batch.extend(items)
        return await asyncio.shield(task)

    async def _run(self, batch: list[Item]) -> Answer:
        # Real milliseconds between real callers, whatever the business clock says.
        await asyncio.sleep(self._seconds)
        self._open = None
        return await self._ask_all(batch)
