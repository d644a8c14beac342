"""The worker: claim due orders, look at them side by side, keep their leases alive, give them back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from pickgate.clock import Clock
from pickgate.flows.look import Looker, LookResult
from pickgate.flows.ports import STILL_HELD, Lease, LeaseLost, Store
from pickgate.flows.receive import Receiver

log = structlog.get_logger("pickgate.worker")


class Alarm(Protocol):
    """Rings when another process has stored something that may be due now. Only a hint: the poll finds it anyway."""

    async def wait(self, timeout_seconds: float) -> None: ...


class NoAlarm:
    """Nobody rings: wait the time out."""

    async def wait(self, timeout_seconds: float) -> None:
        await asyncio.sleep(timeout_seconds)


@dataclass(slots=True, kw_only=True)
class Worker:
    """One process's share of the looks. `name` tells workers apart in the database.

    A worker that dies stops renewing: its orders are taken over when their lease of `lease_seconds` has run out.
    """

    name: str
    store: Store
    looker: Looker
    receiver: Receiver
    clock: Clock
    alarm: Alarm = field(default_factory=NoAlarm)
    concurrency: int = 64
    lease_seconds: float = 20.0
    poll_seconds: float = 0.5
    # Orders that come due within so long are claimed together: their reads then share requests to the vendors.
    together_seconds: float = 0.25
    on_look: Callable[[Lease, LookResult, float], None] = lambda lease, result, seconds: None
    _leases: dict[int, Lease] = field(default_factory=dict)
    _held_until: dict[int, datetime] = field(default_factory=dict)
    _looks: set[asyncio.Task[None]] = field(default_factory=set)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Work until `stop`; then finish the looks that have begun. A database that is away is waited for."""
        loops = [self._claim_loop(), self._inbox_loop(), self._renew_loop()]
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            await self._stopping.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._looks:
                await asyncio.wait(self._looks, timeout=self.lease_seconds)

    def stop(self) -> None:
        """Take no new orders. Returns at once; `run` returns when the looks in hand are done."""
        self._stopping.set()

    async def _claim_loop(self) -> None:
        while True:
            free = self.concurrency - len(self._looks)
            claimed = 0
            if free > 0:
                with self._patience("claim"):
                    claimed = await self._claim(free)
            if claimed == 0 or claimed == free:
                await self._pause(self.poll_seconds)
            await asyncio.sleep(self.together_seconds)

    async def _claim(self, free: int) -> int:
        now = self.clock.now()
        leases = await self.store.claim(worker=self.name, now=now, lease_seconds=self.lease_seconds, limit=free)
        for lease in leases:
            self._leases[lease.order] = lease
            self._hold(lease, since=now)
            task = asyncio.create_task(self._look(lease))
            self._looks.add(task)
            task.add_done_callback(self._looks.discard)
        return len(leases)

    async def _look(self, lease: Lease) -> None:
        began = asyncio.get_running_loop().time()
        STILL_HELD.set(lambda now: self._still_holds(lease, now))  # for this task, and whatever it starts
        try:
            with self._patience("look"):
                result = await self.looker.look(lease)
                seconds = asyncio.get_running_loop().time() - began
                self.on_look(lease, result, seconds)
                log.info(
                    "look",
                    shop=lease.shop,
                    order=lease.order_id,
                    state=result.decision.state.value if result.decision else None,
                    sent=result.sent,
                    because=result.because if result.failed else None,
                    ms=round(seconds * 1000),
                )
        finally:
            self._leases.pop(lease.order, None)
            self._held_until.pop(lease.order, None)

    async def _inbox_loop(self) -> None:
        while True:
            settled = 0
            with self._patience("inbox"):
                settled = await self.receiver.receive()
            if settled == 0:
                await self.alarm.wait(self.poll_seconds)

    async def _renew_loop(self) -> None:
        while True:
            await asyncio.sleep(self.lease_seconds / 4)
            for lease in list(self._leases.values()):
                now = self.clock.now()
                with self._patience("renew"), contextlib.suppress(LeaseLost):
                    await self.store.renew(lease, now=now, lease_seconds=self.lease_seconds)
                    self._hold(lease, since=now)

    def _hold(self, lease: Lease, *, since: datetime) -> None:
        """Remember until when nobody else can have the order, less a quarter: what leaves must also arrive."""
        if self._leases.get(lease.order) is lease:
            self._held_until[lease.order] = since + timedelta(seconds=self.lease_seconds * 0.75)

    def _still_holds(self, lease: Lease, now: datetime) -> bool:
        """Whether the order is surely ours at this instant. A look that has ended stands in nobody's way."""
        until = self._held_until.get(lease.order)
        return until is None or now < until

    async def _pause(self, seconds: float) -> None:
        if self._looks:
            await asyncio.wait(self._looks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        else:
            await self.alarm.wait(seconds)

    @contextlib.contextmanager
    def _patience(self, doing: str) -> Iterator[None]:
        """A failure outside any one order (the database is away) is logged and waited out, never fatal."""
        try:
            yield
        except Exception as error:
            log.warning("worker_trouble", doing=doing, error=type(error).__name__, problem=str(error)[:200])
