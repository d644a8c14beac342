"""Group commit: fair, bounded, and one bad webhook does not take its neighbours with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from pickgate.api.intake_batch import InboxBatcher, IntakeFull, NotStored
from pickgate.flows.ports import InboxItem

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def item(number: int, shop: str = "uk") -> InboxItem:
    return InboxItem(
        source="shopify",
        shop=shop,
        topic="orders/updated",
        event_id=f"event-{number}",
        webhook_id="",
        body=b"{}",
        received_at=NOW,
    )


@asynccontextmanager
async def batching(
    record: Callable[[Sequence[InboxItem]], Awaitable[Sequence[bool]]], **settings: Any
) -> AsyncIterator[InboxBatcher]:
    batcher = InboxBatcher(record, **settings)
    await batcher.start()
    try:
        yield batcher
    finally:
        await batcher.stop()


class Gate:
    """A store whose commits wait until they are let through."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.batches: list[list[InboxItem]] = []

    async def record(self, items: Sequence[InboxItem]) -> Sequence[bool]:
        self.batches.append(list(items))
        await self.open.wait()
        return [True] * len(items)


async def test_a_flood_of_one_shop_does_not_stand_in_front_of_another() -> None:
    gate = Gate()
    async with batching(gate.record, max_batch=10) as batcher:
        flood = [asyncio.create_task(batcher.put(item(number))) for number in range(50)]
        await asyncio.sleep(0)
        quiet = asyncio.create_task(batcher.put(item(1000, "eu")))
        await asyncio.sleep(0.01)
        gate.open.set()
        assert await quiet is True
        assert await asyncio.gather(*flood) == [True] * 50
    where = next(number for number, batch in enumerate(gate.batches) if any(one.shop == "eu" for one in batch))
    assert where <= 1


async def test_one_sender_may_fill_half_and_the_rest_is_for_others() -> None:
    gate = Gate()
    async with batching(gate.record, max_waiting=10, max_batch=1) as batcher:
        waiting = [asyncio.create_task(batcher.put(item(0)))]
        await asyncio.sleep(0.01)  # the first is being written
        waiting += [asyncio.create_task(batcher.put(item(number))) for number in range(1, 6)]
        await asyncio.sleep(0)
        with pytest.raises(IntakeFull):
            await batcher.put(item(99))
        others = asyncio.create_task(batcher.put(item(100, "eu")))
        await asyncio.sleep(0)
        gate.open.set()
        assert await asyncio.gather(*waiting, others) == [True] * 7


async def test_a_webhook_that_cannot_be_written_fails_alone() -> None:
    async def record(items: Sequence[InboxItem]) -> Sequence[bool]:
        if any(one.event_id == "event-3" for one in items):
            raise ValueError("this one cannot be written")
        return [True] * len(items)

    async with batching(record) as batcher:
        answers = await asyncio.gather(*(batcher.put(item(number)) for number in range(6)), return_exceptions=True)
    assert [isinstance(answer, NotStored) for answer in answers] == [False, False, False, True, False, False]


async def test_when_the_store_is_gone_the_batch_fails_once() -> None:
    class Gone(Exception):
        pass

    calls = 0

    async def record(items: Sequence[InboxItem]) -> Sequence[bool]:
        nonlocal calls
        calls += 1
        raise Gone

    async with batching(record, store_gone=(Gone,)) as batcher:
        answers = await asyncio.gather(*(batcher.put(item(number)) for number in range(20)), return_exceptions=True)
    assert all(isinstance(answer, NotStored) for answer in answers)
    assert calls == 1


async def test_waiting_ends_when_it_stops() -> None:
    gate = Gate()
    batcher = InboxBatcher(gate.record, max_batch=1)
    await batcher.start()
    waiting = [asyncio.create_task(batcher.put(item(number))) for number in range(3)]
    await asyncio.sleep(0.01)
    await batcher.stop()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["stopping"] * 3


async def test_nobody_waits_longer_than_the_limit() -> None:
    gate = Gate()
    async with batching(gate.record, answer_within_seconds=0.05) as batcher:
        with pytest.raises(NotStored):
            await batcher.put(item(1))
