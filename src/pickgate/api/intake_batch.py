"""Group commit for webhooks: many requests, one durable write, and nobody's flood in front of everybody."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence

from pickgate.flows.ports import InboxItem

Record = Callable[[Sequence[InboxItem]], Awaitable[Sequence[bool]]]
Lane = tuple[str, str]
Waiter = tuple[InboxItem, asyncio.Future[bool]]


class IntakeFull(Exception):
    """Too much is waiting already, for everybody or for this sender. The sender shall come again."""


class NotStored(Exception):
    """It could not be stored in time, or at all. Whether it was is not known: a redelivery is a duplicate at worst."""


class InboxBatcher:
    """Puts concurrent webhooks into one `record` call at a time, taking turns between senders.

    Args:
        record: Stores items durably in one commit; False for each duplicate. Any error means "not stored".
        max_waiting: Bound on everything waiting; one sender may have at most half of it.
        max_batch: Items per commit.
        answer_within_seconds: A webhook that waited longer is answered with NotStored.
        store_gone: Errors that mean the whole store is out of reach. Any other error is tried again item by item,
            so that one webhook that cannot be written does not take its neighbours with it.
        on_batch: Told the size of each committed batch.
    """

    def __init__(
        self,
        record: Record,
        *,
        max_waiting: int = 2000,
        max_batch: int = 200,
        answer_within_seconds: float = 0.9,
        store_gone: tuple[type[Exception], ...] = (),
        on_batch: Callable[[int], None] = lambda size: None,
    ) -> None:
        self._record = record
        self._max_waiting = max_waiting
        self._max_batch = max_batch
        self._answer_within = answer_within_seconds
        self._store_gone: tuple[type[Exception], ...] = (TimeoutError, OSError, *store_gone)
        self._on_batch = on_batch
        self._lanes: OrderedDict[Lane, deque[Waiter]] = OrderedDict()
        self._waiting = 0
        self._wake: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the one task that writes. Belongs to the running event loop."""
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="inbox-batcher")

    async def stop(self) -> None:
        """Stop writing; whatever still waits is answered with NotStored."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for lane in self._lanes.values():
            for _, future in lane:
                if not future.done():
                    future.set_exception(NotStored("stopping"))
        self._lanes.clear()
        self._waiting = 0

    async def put(self, item: InboxItem) -> bool:
        """Store one webhook; return after the commit. False: a duplicate. Raises IntakeFull or NotStored."""
        if self._wake is None:
            raise NotStored("not started")
        lane = self._lanes.setdefault((item.source, item.shop), deque())
        if self._waiting >= self._max_waiting or len(lane) * 2 >= self._max_waiting:
            raise IntakeFull
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        lane.append((item, future))
        self._waiting += 1
        self._wake.set()
        try:
            async with asyncio.timeout(self._answer_within):
                return await future
        except TimeoutError as error:
            raise NotStored("took too long") from error

    async def _run(self) -> None:
        wake = self._wake
        assert wake is not None
        while True:
            await wake.wait()
            batch = self._take()
            if not batch:
                wake.clear()
                continue
            await self._store(batch)

    def _take(self) -> list[Waiter]:
        """Take up to a batch, one from each lane in turn; skip whoever has given up waiting."""
        batch: list[Waiter] = []
        while self._lanes and len(batch) < self._max_batch:
            lane, waiting = self._lanes.popitem(last=False)
            if waiting:
                item, future = waiting.popleft()
                self._waiting -= 1
                if not future.done():
                    batch.append((item, future))
            if waiting:
                self._lanes[lane] = waiting
        return batch

    async def _store(self, batch: list[Waiter]) -> None:
        try:
            async with asyncio.timeout(self._answer_within):
                fresh = await self._record([item for item, _ in batch])
        except asyncio.CancelledError:
            _fail(batch, NotStored("stopping"))
            raise
        except self._store_gone as error:
            _fail(batch, NotStored(type(error).__name__))
            return
        except Exception as error:
            if len(batch) == 1:
                _fail(batch, NotStored(type(error).__name__))
                return
            for waiter in batch:
                await self._store([waiter])
            return
        self._on_batch(len(batch))
        for (_, future), is_new in zip(batch, fresh, strict=True):
            if not future.done():
                future.set_result(is_new)


def _fail(batch: list[Waiter], problem: NotStored) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(problem)
