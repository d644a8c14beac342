"""Live pages: one watcher per process asks the store what changed; every open page is told by server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.responses import Response, StreamingResponse

MOST_LISTENERS = 200
HEARTBEAT_SECONDS = 20.0


class ChangeFeed:
    """Tells listeners when the store's change mark moves. Asks only while somebody listens.

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

    def stream(self) -> Response:
        """Answer one listener. Too many at once are asked to come later."""
        if len(self._listeners) >= MOST_LISTENERS:
            return Response(status_code=503, headers={"Retry-After": "30"})
        return StreamingResponse(self._messages(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def stop(self) -> None:
        """End every stream."""
        for queue in self._listeners:
            queue.put_nowait("")
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _messages(self) -> AsyncIterator[str]:
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=8)
        self._listeners.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch(), name="change-feed")
        try:
            yield "retry: 5000\n\n"
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        mark = await queue.get()
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if not mark:
                    return
                yield f"event: changed\ndata: {mark}\n\n"
        finally:
            self._listeners.discard(queue)

    async def _watch(self) -> None:
        self._mark = ""
        while self._listeners:
            try:
                mark = await self._read_mark()
            except Exception:  # the database is away: pages keep what they have, and are told when it is back
                mark = self._mark
            if mark != self._mark and self._mark:
                for queue in self._listeners:
                    if not queue.full():
                        queue.put_nowait(mark)
            self._mark = mark
            await asyncio.sleep(self._every)
