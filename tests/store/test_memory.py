"""The memory store never waits, and stays quick with many orders."""

from __future__ import annotations

import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import cast
from contracts.keeping import NOON, after, decision, finding, webhook
from contracts.test_store_looks import create
from pickgate.flows.ports import Confirmed, InboxVerdict
from pickgate.store.memory import MemoryStore

if TYPE_CHECKING:
    from pickgate.flows.ports import Store
    from pickgate.store.postgres import PostgresStore

    def both_are_stores(memory: MemoryStore, postgres: PostgresStore) -> tuple[Store, Store]:
        """Checked by the type checker alone."""
        return memory, postgres


T = TypeVar("T")


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that must not wait for anything."""
    try:
        work.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    raise AssertionError("it waited")


def look_at(store: MemoryStore, order_id: str, seconds: float) -> None:
    (lease,) = at_once(store.claim(worker="w", now=after(seconds), lease_seconds=30, limit=1))
    at_once(store.load_records(lease))
    at_once(store.pending_effects(lease))
    at_once(
        store.find_kin(lease, names=["#0"], customer_id=lease.order_id, created_between=(after(days=-1), after(days=1)))
    )
    order = cast.order(id=lease.order_id, name=f"#{lease.order_id}", customer_id=f"C{lease.order}")
    at_once(
        store.record_decision(
            lease, decision=decision(findings=(finding(),)), order=order, goods_outs=(), read_at=NOON, now=NOON,
            rulebook_version=1,
        )
    )  # fmt: skip
    command = create(reference=f"{lease.order_id}-1", number=1)
    assert at_once(store.begin_effect(lease, command, now=NOON, needs_no_new_hint=True))
    at_once(store.finish_effect(lease, command, Confirmed(ids={"clarus_id": f"3{lease.order}"}), now=NOON))
    at_once(store.renew(lease, now=after(seconds), lease_seconds=30))
    at_once(store.end_look(lease, next_look_at=after(days=2), failed=None, now=after(seconds)))


def test_nothing_waits() -> None:
    store = MemoryStore()
    assert at_once(store.record_inbox([webhook()])) == [True]
    (item,) = at_once(store.claim_inbox(now=NOON, limit=5))
    wake = InboxVerdict(id=item.id, verdict="hinted", wake=(("uk", "1"),))
    at_once(store.settle_inbox([wake], now=NOON, delay_seconds=0))
    at_once(store.raise_shop_finding(shop="uk", scope="x", findings=[finding()], now=NOON))
    look_at(store, "1", 0)
    assert len(at_once(store.open_goods_outs(after=0, limit=9))) == 1
    at_once(store.set_polled({"1-1": "fp"}))
    assert at_once(store.next_due_at()) == after(days=2)
    assert [item.code for item in store.exceptions.open()] == ["LATE_EDIT", "LATE_EDIT"]


def test_many_orders_take_little_longer_than_few() -> None:
    def seconds_each(count: int) -> float:
        store = MemoryStore(keep_journal=False)
        for number in range(count):
            at_once(store.wake(shop=f"s{number % 3}", order_id=str(number), at=after(number % 977), because="x"))
        began = time.perf_counter()
        for _ in range(500):
            look_at(store, "", 1000)
        return (time.perf_counter() - began) / 500

    few, many = seconds_each(600), seconds_each(12_000)
    assert many < 0.005
    assert many < 8 * few
