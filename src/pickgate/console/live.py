"""Live pages: one watcher per process asks the store what changed; every open page is told by server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.responses import Response, StreamingResponse

MOST_LISTENERS = 200
HEARTBEAT_SECONDS = 20.0
LONGEST_SECONDS = 60.0  # then the browser comes again, and its session is checked again


class ChangeFeed:
    """Tells listeners when the store's change mark moves. Asks only while somebody listens.

    A listener that comes again says which mark it saw last, so that nothing is missed in between.

    Args:
        read_mark: Returns a text that differs whenever an order, an exception or an effect changed.
        every_seconds: How often to ask.
    """

    def __init__(self, read_mark: Callable[[], Awaitable[str]], *, every_seconds: float = 2.0) -> None:
        self._read_mark = read_mark
        self._every = every_seconds
        self._listeners: set[asyncio.Queue[str]] = set()
        self._task: asyncio.Task[None] | None = None
        self._mark = ""

    async def stream(self, last_seen: str) -> Response:
        """Answer one listener. Too many at once are asked to come later."""
        if len(self._listeners) >= MOST_LISTENERS:
            return Response(status_code=503, headers={"Retry-After": "30"})
        mark = await self._read_mark()
        if self._task is None or self._task.done():
            self._mark = mark
        first = _changed(mark) if last_seen not in ("", mark) else f"id: {mark}\n\n"
        return StreamingResponse(
            self._messages(first), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )

    async def stop(self) -> None:
        """End every stream, and the watcher."""
        for queue in self._listeners:
            if not queue.full():
                queue.put_nowait("")
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _messages(self, first: str) -> AsyncIterator[str]:
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=8)
        self._listeners.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch(), name="change-feed")
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + LONGEST_SECONDS
        try:
            yield f"retry: 1000\n{first}"
            while loop.time() < ends_at:
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        mark = await queue.get()
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if not mark:
                    return
                yield _changed(mark)
        finally:
            self._listeners.discard(queue)

    async def _watch(self) -> None:
        while self._listeners:
            try:
                mark = await self._read_mark()
            except Exception:  # the database is away: pages keep what they have, and are told when it is back
                mark = self._mark
            if mark != self._mark:
                self._mark = mark
                for queue in self._listeners:
                    if not queue.full():
                        queue.put_nowait(mark)
            await asyncio.sleep(self._every)


def _changed(mark: str) -> str:
    return f"event: changed\nid: {mark}\ndata: {mark}\n\n"
