"""Versions of the rulebook, in memory and in PostgreSQL: drafts, publication, going back, and who is woken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest

import cast
from contracts.keeping import NOON, after, decision
from pickgate.domain.decision import Decision, Gate, OrderState
from pickgate.flows.ports import Store
from pickgate.store.memory import MemoryStore
from pickgate.store.memory_rulebooks import MemoryRulebooks
from pickgate.store.postgres import PostgresStore
from pickgate.store.rulebooks import BATCH, BATCH_EVERY, SPREAD_OVER, TAKEN_UP_WITHIN, RulebookRows, batch_due
from pickgate.store.rulebooks import NoSuchRulebook as NoSuch

TABLES = {"locations": [{"shop": "uk", "location_id": "1", "account": "ACME", "warehouse": "MAIN"}]}
UNMAPPED = Gate(code="location_unmapped", detail="No row for it")
TIMED = Gate(code="edit_window", detail="may be edited", until=after(hours=1))


class Due(Protocol):
    async def __call__(self, order: int) -> tuple[datetime | None, int]: ...


@dataclass(frozen=True)
class Shelf:
    """A store, its rulebooks, and a look at one order's next look and hints."""

    store: Store
    books: Any
    due: Due

    async def publish(self, number: int, *, now: datetime = NOON, expected: int | None = None) -> int | None:
        answer: int | None = await self.books.publish(number, reason="Go", by="olu", now=now, expected=expected)
        return answer

    async def save(self, *, now: datetime = NOON) -> int:
        number: int = await self.books.save(TABLES, note="first", by="ada", now=now)
        return number

    async def keep(
        self, order_id: str, decided: Decision, *, version: int, next_look_at: datetime | None = None
    ) -> int:
        await self.store.wake(shop="uk", order_id=order_id, at=NOON, because="test")
        leases = await self.store.claim(worker="w", now=NOON, lease_seconds=30, limit=100)
        (lease,) = [lease for lease in leases if lease.order_id == order_id]
        await self.store.record_decision(
            lease, decision=decided, order=cast.order(id=order_id, name=f"#{order_id}"), goods_outs=(), read_at=NOON,
            now=NOON, rulebook_version=version,
        )  # fmt: skip
        await self.store.end_look(lease, next_look_at=next_look_at, failed=None, now=NOON)
        return lease.order


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    if request.param == "memory":
        memory = MemoryStore()

        async def due_in_memory(order: int) -> tuple[datetime | None, int]:
            return memory.orders[order].next_look_at, memory.orders[order].hints

        return Shelf(memory, MemoryRulebooks(memory), due_in_memory)
    store: PostgresStore = request.getfixturevalue("postgres_store")

    async def due_in_postgres(order: int) -> tuple[datetime | None, int]:
        async with store.database.session() as session:
            row = await session.connection.fetchrow("SELECT next_look_at, hints FROM orders WHERE id = $1", order)
        assert row is not None
        return row["next_look_at"], row["hints"]

    return Shelf(store, RulebookRows(store.database), due_in_postgres)


async def test_a_draft_decides_nothing_until_it_is_published(shelf: Shelf) -> None:
    assert (await shelf.books.published_number(), await shelf.books.published()) == (0, None)
    assert await shelf.save() == 1
    assert (await shelf.books.published_number(), await shelf.books.find(2)) == (0, None)
    assert await shelf.books.find(1) == {
        "number": 1, "tables": TABLES, "note": "first", "created_at": NOON, "created_by": "ada", "published_at": None,
        "published_by": None,
    }  # fmt: skip
    assert await shelf.publish(1, now=after(60)) == 0
    assert await shelf.books.published() == (1, TABLES)
    row = await shelf.books.find(1)
    assert (row["published_at"], row["published_by"]) == (after(60), "olu")


async def test_an_older_version_published_again_decides_again(shelf: Shelf) -> None:
    for number in (1, 2, 3):
        assert await shelf.save() == number
    await shelf.publish(1)
    await shelf.publish(2, now=after(60))
    await shelf.publish(1, now=after(30))  # by a host whose clock is behind
    assert await shelf.books.published_number() == 1
    listed = await shelf.books.list_versions(limit=2, offset=0)
    assert [row["number"] for row in listed] == [3, 2]
    assert "tables" not in listed[0]
    assert [row["number"] for row in await shelf.books.list_versions(limit=2, offset=2)] == [1]
    assert await shelf.books.count_versions() == 3


async def test_two_people_publish_and_the_second_is_told(shelf: Shelf) -> None:
    await shelf.save()
    await shelf.save()
    assert await shelf.publish(1, expected=0) == 0
    assert await shelf.publish(2, expected=0) is None
    assert await shelf.books.published_number() == 1
    with pytest.raises(NoSuch, match="There is no rulebook version 9"):
        await shelf.publish(9)
    assert await shelf.books.published_number() == 1


async def test_a_publication_wakes_what_a_missing_row_keeps_and_nothing_else(shelf: Shelf) -> None:
    stopped = await shelf.keep("1", decision(OrderState.STOPPED, gates=(UNMAPPED,)), version=1)
    held = await shelf.keep(
        "2", decision(gates=(TIMED, Gate(code="rule_hold", detail="large"))), version=1, next_look_at=after(hours=1)
    )
    timed = await shelf.keep("3", decision(gates=(TIMED,)), version=1, next_look_at=after(hours=1))
    inside = await shelf.keep("4", decision(OrderState.IN_WAREHOUSE), version=1)
    address = await shelf.keep(
        "5", decision(OrderState.STOPPED, gates=(Gate(code="address_unusable", detail="no town"),)), version=1
    )
    current = await shelf.keep("6", decision(OrderState.STOPPED, gates=(UNMAPPED,)), version=2)
    soon = await shelf.keep("7", decision(OrderState.STOPPED, gates=(UNMAPPED,)), version=1, next_look_at=after(1))
    over = await shelf.keep("8", decision(OrderState.CANCELLED, gates=(UNMAPPED,)), version=1)
    await shelf.save()
    await shelf.save()
    assert await shelf.publish(2) == 2
    taken_up = NOON + TAKEN_UP_WITHIN
    assert [await shelf.due(order) for order in (stopped, held)] == [(taken_up, 2), (taken_up, 2)]
    assert [await shelf.due(order) for order in (timed, inside, address, current, soon, over)] == [
        (after(hours=1), 1), (None, 1), (None, 1), (None, 1), (after(1), 1), (None, 1),
    ]  # fmt: skip


async def test_the_net_finds_what_was_decided_by_an_old_version_after_the_publication(shelf: Shelf) -> None:
    await shelf.save()
    await shelf.save()
    await shelf.publish(2)
    assert await shelf.books.wake_stopped(now=NOON) == 0
    late = await shelf.keep("1", decision(OrderState.STOPPED, gates=(UNMAPPED,)), version=1)
    soon = await shelf.keep("2", decision(gates=(UNMAPPED,)), version=1, next_look_at=after(minutes=5))
    assert await shelf.books.wake_stopped(now=NOON, sooner_than=timedelta(minutes=10)) == 1
    assert await shelf.due(late) == (NOON + TAKEN_UP_WITHIN, 2)
    assert await shelf.due(soon) == (after(minutes=5), 1)
    assert await shelf.books.wake_stopped(now=NOON, sooner_than=timedelta(minutes=10)) == 0


def test_batches_are_spread_so_that_new_orders_are_not_kept_waiting() -> None:
    assert BATCH == 1_000
    assert [batch_due(batch, NOON) - NOON - TAKEN_UP_WITHIN for batch in (0, 1, 49, 1_000)] == [
        timedelta(0), BATCH_EVERY, 49 * BATCH_EVERY, SPREAD_OVER,
    ]  # fmt: skip


@pytest.mark.postgres
async def test_a_large_publication_goes_in_batches_past_an_order_that_is_being_written(
    postgres_store: PostgresStore,
) -> None:
    books = RulebookRows(postgres_store.database)
    async with postgres_store.database.session() as session:
        await session.connection.execute(
            """
            WITH made AS (
                INSERT INTO orders (shop, order_id, first_seen_at)
                SELECT 'uk', n::text, $1::timestamptz FROM generate_series(1, 2500) AS n RETURNING id
            )
            INSERT INTO order_facts (order_row, shop, search, state, gates, rulebook_version)
            SELECT id, 'uk', '', 'stopped', '[{"code": "sku_unmapped"}]', 1 FROM made
            """,
            NOON,
        )
    for _ in range(2):
        await books.save(TABLES, note="", by="ada", now=NOON)
    async with postgres_store.database.session() as other, other.connection.transaction():
        await other.connection.fetch("SELECT id FROM orders WHERE order_id = '7' FOR UPDATE")
        assert await books.publish(2, reason="Go", by="olu", now=NOON) == 2499
    async with postgres_store.database.session() as session:
        rows = await session.connection.fetch(
            "SELECT next_look_at, count(*) AS orders FROM orders GROUP BY 1 ORDER BY 1 NULLS LAST"
        )
    assert [tuple(row) for row in rows] == [
        (batch_due(0, NOON), 1000), (batch_due(1, NOON), 1000), (batch_due(2, NOON), 499), (None, 1),
    ]  # fmt: skip
    assert await books.wake_stopped(now=NOON, sooner_than=timedelta(minutes=10)) == 1


@pytest.mark.postgres
async def test_each_change_is_in_the_audit(postgres_store: PostgresStore) -> None:
    books = RulebookRows(postgres_store.database)
    for _ in range(2):
        await books.save(TABLES, note="new shop", by="ada", now=NOON)
    await books.publish(1, reason="Go", by="olu", now=NOON)
    await books.publish(2, reason="Next", by="olu", now=after(60))
    async with postgres_store.database.session() as session:
        rows = await session.connection.fetch(
            "SELECT actor, action, subject, reason, before, after FROM audit ORDER BY id"
        )
    assert [tuple(row) for row in rows] == [
        ("ada", "save_rulebook", "rulebook 1", "new shop", {}, {}),
        ("ada", "save_rulebook", "rulebook 2", "new shop", {}, {}),
        ("olu", "publish_rulebook", "rulebook 1", "Go", {"version": 0}, {"version": 1}),
        ("olu", "publish_rulebook", "rulebook 2", "Next", {"version": 1}, {"version": 2}),
    ]
