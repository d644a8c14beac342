"""kill -9 and SIGSTOP, for real: no acknowledged webhook is lost, nothing is done twice, work goes on."""

from __future__ import annotations

import signal

import pytest

from acceptance.stage import nursery_for, stage_on, witness_of
from pickgate.proofs.crashes import Crashes, come_to_rest, crash_intake, crash_workers, shoppers, worker_points
from pickgate.proofs.truth import created_by_order
from pickgate.simulation.world import number

pytestmark = pytest.mark.postgres


async def test_workers_die_at_fifty_points(database: str) -> None:
    crashes = Crashes()
    async with stage_on(database, worker={"lease": "3s"}) as stage, witness_of(database) as witness, nursery_for(stage):
        await stage.start("api")
        async with shoppers(stage, crashes, orders_per_second=4):
            await crash_workers(stage, witness, crashes, worker_points(50), at_once=3)
        await come_to_rest(stage, witness, crashes)
    assert crashes.problems == []
    assert (crashes.kills, crashes.unreached) == (50, [])
    # The lease is 3 s here: a dead worker's orders are in other hands soon after it has run out.
    assert max(crashes.taken_over_seconds) < 10
    assert max(crashes.idle_seconds) < 10
    assert len(crashes.orders) > 20


async def test_the_intake_dies_before_and_after_it_stores(database: str) -> None:
    crashes = Crashes()
    async with stage_on(database, worker={"lease": "3s"}) as stage, witness_of(database) as witness, nursery_for(stage):
        await stage.start("worker")
        async with shoppers(stage, crashes, orders_per_second=6):
            await crash_intake(stage, crashes, 6)
            await stage.start("api")
        await come_to_rest(stage, witness, crashes)
        acknowledged = len(stage.acknowledged)
    assert crashes.problems == []
    assert (crashes.kills, crashes.unreached) == (6, [])
    assert acknowledged > 50


async def test_two_workers_share_forty_orders_and_do_nothing_twice(database: str) -> None:
    crashes = Crashes()
    async with stage_on(database) as stage, witness_of(database) as witness, nursery_for(stage):
        await stage.start("api")
        first, second = await stage.start("worker"), await stage.start("worker")
        crashes.orders += [stage.place() for _ in range(40)]
        await come_to_rest(stage, witness, crashes)
        made = created_by_order(stage)
        looks = [worker.read_log().count('"event": "look"') for worker in (first, second)]
    assert crashes.problems == []
    assert made == {number(order.id): 1 for order in crashes.orders}
    assert min(looks) > 0


async def test_a_worker_that_is_stopped_for_longer_than_its_lease_sends_nothing_afterwards(database: str) -> None:
    """Its sends wait for their turn at the warehouse; it is stopped meanwhile, and another worker does the work."""
    crashes = Crashes()
    slow = {"requests_per_second": 8, "poll_open_orders_every": "5s"}
    async with (
        stage_on(database, worker={"lease": "2s"}, clarus=slow) as stage,
        witness_of(database) as witness,
        nursery_for(stage),
    ):
        await stage.start("api")
        stopped = await stage.start("worker")
        crashes.orders += [stage.place(lines=1) for _ in range(12)]
        history = stage.world.warehouse.history
        await stage.until(
            lambda: bool(history.of_kind("goods_out_created")), seconds=20, what="the first release of many"
        )
        stopped.signal(signal.SIGSTOP)
        before = len(history.of_kind("goods_out_created"))
        await stage.start("worker")
        await stage.until(
            lambda: len(history.of_kind("goods_out_created")) >= 12, seconds=30, what="the other releases the rest"
        )
        stopped.signal(signal.SIGCONT)
        await come_to_rest(stage, witness, crashes)
        made = created_by_order(stage)
        assert stopped.read_log().count('"event": "look"') > 0
    assert before < 12
    assert crashes.problems == []
    assert made == {number(order.id): 1 for order in crashes.orders}
