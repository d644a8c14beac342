"""kill -9 at every place, of workers, of the intake and of PostgreSQL, while customers buy and pickers pick.

Each `crash_…` function works on a stage whose time has begun, and returns figures. `prove_crashes` runs them all on
stages of its own. What they are judged by is in `truth.py`.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pickgate.proofs.stage import Stage
from pickgate.proofs.truth import find_doubled, find_lost, is_done, unfinished
from pickgate.store.connection import StoreUnavailable
from pickgate.store.embedded import find_postmaster
from pickgate.store.witness import Witness
from pickgate.twins.shopify import LineSpec, Order

_STORE = (
    "claim", "claim_inbox", "settle_inbox", "pending_effects", "load_records", "record_decision", "begin_effect",
    "finish_effect", "end_look",
)  # fmt: skip
_COMMANDS = ("CreateGoodsOut", "CreateFulfilment", "TakeLock", "RecallGoodsOut")
_WIRE = ("clarus read", "clarus write", "shopify read", "shopify write")
# Each on both sides; the ones that happen rarely come last.
WORKER_PLACES = [
    f"{when} {name}" for name in (*_STORE, *_COMMANDS, *_WIRE, "settle_unknown") for when in ("before", "after")
]
INTAKE_PLACES = ["before record_inbox", "after record_inbox"]
_PATIENCE_SECONDS = 12.0


@dataclass(slots=True)
class Crashes:
    """What was killed, and what that cost. `idle_seconds`: after each kill, until somebody changed something again."""

    kills: int = 0
    unreached: list[str] = field(default_factory=list)
    idle_seconds: list[float] = field(default_factory=list)
    taken_over_seconds: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)


def worker_points(count: int) -> list[str]:
    """The first `count` points: every place at its first time, then at its second, …"""
    return [f"{WORKER_PLACES[n % len(WORKER_PLACES)]}:{n // len(WORKER_PLACES) + 1}" for n in range(count)]


@asynccontextmanager
async def shoppers(stage: Stage, crashes: Crashes, *, orders_per_second: float) -> AsyncIterator[None]:
    """Customers buy for as long as this is open; some edit in time, some too late, some cancel."""
    rng = random.Random(7)  # noqa: S311 - a story, not a secret

    async def buy() -> None:
        while True:
            crashes.orders.append(_one_order(stage, rng))
            await asyncio.sleep(1 / orders_per_second)

    buying = asyncio.create_task(buy())
    try:
        yield
    finally:
        buying.cancel()
        with suppress(asyncio.CancelledError):
            await buying


def _one_order(stage: Stage, rng: random.Random) -> Order:
    world, order = stage.world, stage.place(lines=rng.choice((1, 2)))
    window = world.timing.edit_window
    spec = LineSpec(variant=rng.choice(world.variants), quantity=1)
    story = rng.choice(("plain", "plain", "plain", "edited", "edited late", "cancelled late"))
    if story == "edited":
        world.after(window * rng.uniform(0.1, 0.9), lambda: _edit(stage, order, spec))
    elif story == "edited late":
        # Right after the release, mostly before a picker has begun: the first goods-out is recalled.
        world.after(window * rng.uniform(1.7, 2.4), lambda: _edit_late(stage, order, spec))
    elif story == "cancelled late":
        world.after(window * rng.uniform(1.7, 2.4), lambda: _cancel(stage, order))
    return order


def _cancel(stage: Stage, order: Order) -> None:
    stage.world.shop.cancel_order(order, reason="CUSTOMER")


def _edit(stage: Stage, order: Order, spec: LineSpec) -> None:
    stage.world.editing.edit(order, add_lines=[spec], pay_now=True)


def _edit_late(stage: Stage, order: Order, spec: LineSpec) -> None:
    stage.world.shop.edit_order(order, add_lines=[spec], staff="Sam")
    stage.world.shop.pay_outstanding(order)


async def crash_workers(
    stage: Stage, witness: Witness, crashes: Crashes, points: Sequence[str], *, at_once: int = 2
) -> None:
    """Let a worker die at each point, `at_once` of them side by side; each is followed by the next."""
    waiting = iter(points)
    watchers: list[asyncio.Task[None]] = []

    async def one_after_another() -> None:
        for point in waiting:
            victim = await stage.start("worker", failpoint=point, wait=False)
            code = await victim.wait(_PATIENCE_SECONDS)
            if code is None:
                crashes.unreached.append(point)
                await victim.kill()
            elif code != -signal.SIGKILL:
                crashes.problems.append(f"{point}: the worker ended with {code}: {victim.read_log()[-800:]}")
                return
            crashes.kills += 1
            held = await witness.held_by(victim.pid)
            watchers.append(asyncio.create_task(_watch(stage, witness, crashes, held)))

    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    successor = await stage.start("worker")
    await asyncio.gather(*watchers)
    assert not successor.is_over


async def _watch(stage: Stage, witness: Witness, crashes: Crashes, held: Any) -> None:
    """Measure how long nobody changed anything, and how long until each order that the dead one held was claimed."""
    loop = asyncio.get_running_loop()
    died = loop.time()
    await _until_something_changes(stage, crashes)
    left = dict(held)
    while left and loop.time() - died < 60:
        with suppress(StoreUnavailable):
            now = await witness.claims_of(left)
            left = {order: claim for order, claim in left.items() if now.get(order, claim) == claim}
        await asyncio.sleep(0.1)
    if left:
        crashes.problems.append(f"{len(left)} orders of a dead worker were not taken over within a minute")
    elif held:
        crashes.taken_over_seconds.append(loop.time() - died)


async def crash_intake(stage: Stage, crashes: Crashes, count: int) -> None:
    """Let the API die before and after it stores webhooks, and start it again each time."""
    for n in range(count):
        point = f"{INTAKE_PLACES[n % 2]}:{n // 2 % 5 + 1}"
        victim = await stage.start("api", failpoint=point)
        if await victim.wait(_PATIENCE_SECONDS) is None:
            crashes.unreached.append(point)
            await victim.kill()
        crashes.kills += 1


async def crash_database(
    stage: Stage, crashes: Crashes, cluster: Path, count: int, *, apart_seconds: tuple[float, float] = (0.5, 2.5)
) -> None:
    """Kill PostgreSQL and all its children, again and again; whoever runs it here must start it again."""
    rng = random.Random(count)  # noqa: S311
    loop = asyncio.get_running_loop()
    for _ in range(count):
        await asyncio.sleep(rng.uniform(*apart_seconds))
        waited, postmaster = loop.time(), find_postmaster(cluster)
        while postmaster is None:
            if loop.time() - waited > 30:
                crashes.problems.append("nobody started PostgreSQL again within half a minute")
                return
            await asyncio.sleep(0.05)
            postmaster = find_postmaster(cluster)
        for pid in (postmaster, *_children(postmaster)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        crashes.kills += 1
        await _until_something_changes(stage, crashes)


async def _until_something_changes(stage: Stage, crashes: Crashes) -> None:
    """Wait for the next write at either vendor, and put down how long that took."""
    began = asyncio.get_running_loop().time()
    try:
        idle = await stage.until(lambda: stage.last_write_at >= began, seconds=60, what="somebody does something")
    except AssertionError as never:
        crashes.problems.append(f"after a kill: {never}")
    else:
        crashes.idle_seconds.append(idle)


def _children(pid: int) -> Iterator[int]:
    with suppress(OSError):
        yield from map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split())


async def come_to_rest(stage: Stage, witness: Witness, crashes: Crashes, *, seconds: float = 60.0) -> None:
    """Wait until every order is done and nothing is left to do; then judge. Problems are put down, not raised."""
    orders, quiet = crashes.orders, 0

    async def is_over() -> bool:
        nonlocal quiet
        with suppress(StoreUnavailable):
            rests = not unfinished(orders) and not stage.undelivered and await witness.left_to_do() == (0, 0)
            quiet = quiet + 1 if rests else 0
        return quiet >= 10  # a webhook may be on its way from one to the other

    try:
        await stage.until(is_over, seconds=seconds, what="everything comes to rest")
    except AssertionError as late:
        left = await witness.left_to_do()
        crashes.problems.append(f"{late}; left: {left}, {stage.undelivered} undelivered, {unfinished(orders)[:10]}")
    crashes.problems += find_doubled(stage)
    crashes.problems += find_lost(stage, await witness.stored_webhooks())


def finished(orders: Sequence[Order]) -> int:
    """How many orders are done."""
    return sum(is_done(order) for order in orders)
