"""Puts single reads that arrive within a moment into one request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from pickgate.clock import Clock

Found = TypeVar("Found")


class Gathering(Generic[Found]):
    """Collects ids for `seconds`, or until there are `at_most`, and reads them together.

    A read is never joined to one that has already left, so every caller gets an answer that is younger than its call.
    With `seconds` 0 each id is read at once and nothing here needs a running event loop.
    """

    def __init__(
        self,
        read: Callable[[Sequence[str]], Awaitable[Mapping[str, Found]]],
        *,
        clock: Clock,
        seconds: float,
        at_most: int,
    ) -> None:
        self._read = read
        self._clock = clock
        self._seconds = seconds
        self._at_most = at_most
        self._waiting: dict[str, asyncio.Future[Found]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, key: str) -> Found:
        """Read one id. Raises what the read raises."""
        if self._seconds <= 0:
            return (await self._read((key,)))[key]
        future = self._waiting.get(key)
        if future is None:
            first = not self._waiting
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            if len(self._waiting) >= self._at_most:
                self._leave()
            elif first:
                self._start(self._leave_later())
        return await asyncio.shield(future)

    async def _leave_later(self) -> None:
        await self._clock.sleep(self._seconds)
        self._leave()

    def _leave(self) -> None:
        batch, self._waiting = self._waiting, {}
        if batch:
            self._start(self._run(batch))

    async def _run(self, batch: dict[str, asyncio.Future[Found]]) -> None:
        try:
            found = await self._read(tuple(batch))
            for key, future in batch.items():
                if not future.done():
                    future.set_result(found[key])
        except Exception as error:
            for future in batch.values():
                if not future.done():
                    future.set_exception(error)
        finally:
            for future in batch.values():
                future.cancel()

    def _start(self, coroutine: Awaitable[None]) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
