"""Shopify's cost bucket, as its own answers report it: nothing is sent that would overdraw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Protocol

from pickgate.clock import Clock
from pickgate.connectors.shopify.errors import Throttled

_SHORTEST_WAIT_SECONDS = 0.001


class Lane(Enum):
    """Who asks, and how much of the bucket (as a share) it must leave to those before it."""

    DESPATCH = 0.0  # fulfilments, locks, holds: may use everything
    LOOK = 0.1  # reads that a decision waits for
    BULK = 0.25  # sweeps, subscriptions: can wait


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleStatus:
    """`extensions.cost.throttleStatus`: points, and points per second."""

    maximum: float
    available: float
    restore_rate: float


class Budget(Protocol):
    """The bucket of one app in one shop. An implementation may be shared by many workers."""

    async def take(self, cost: float, lane: Lane) -> None:
        """Wait until `cost` points are there for this lane, and take them. Raises Throttled when that is too long."""
        ...

    async def settle(self, cost: float, status: ThrottleStatus | None) -> None:
        """Say that the request which took `cost` has been answered; `status` None: the answer did not tell."""
        ...

    async def drained(self, cost: float) -> None:
        """Say that the request which took `cost` was throttled without figures: take the bucket for empty."""
        ...


class CostBudget:
    """The budget within one process. Starts at the standard plan's figures and learns from every answer."""

    def __init__(
        self,
        *,
        clock: Clock,
        maximum: float = 2000.0,
        restore_rate: float = 100.0,
        longest_wait_seconds: float = 30.0,
    ) -> None:
        self._clock = clock
        self._maximum = maximum
        self._restore_rate = restore_rate
        self._available = maximum
        self._in_flight = 0.0
        self._as_of = clock.now()
        self._longest_wait_seconds = longest_wait_seconds

    @property
    def available(self) -> float:
        """Points there now, as far as we know."""
        self._restore()
        return self._available

    async def take(self, cost: float, lane: Lane) -> None:
        waited = 0.0
        while True:
            self._restore()
            reserve = self._maximum * lane.value
            # A request dearer than the lane's whole share could never be sent; it waits for a full share instead.
            needed = min(cost, self._maximum - reserve) + reserve
            missing = needed - self._available
            if missing <= 1e-6:
                self._available -= cost
                self._in_flight += cost
                return
            # Never shorter than a clock can show, or the loop would not get anywhere.
            wait = max(missing / self._restore_rate, _SHORTEST_WAIT_SECONDS)
            if waited + wait > self._longest_wait_seconds:
                retry_at = self._clock.now() + timedelta(seconds=wait)
                raise Throttled("This shop's query budget is used up.", retry_at=retry_at)
            waited += wait
            await self._clock.sleep(wait)

    async def settle(self, cost: float, status: ThrottleStatus | None) -> None:
        self._in_flight = max(0.0, self._in_flight - cost)
        if status is not None:
            self._maximum, self._restore_rate = status.maximum, status.restore_rate
            # What is still on its way may not have been subtracted yet.
            self._available = status.available - self._in_flight
            self._as_of = self._clock.now()

    async def drained(self, cost: float) -> None:
        self._in_flight = max(0.0, self._in_flight - cost)
        self._restore()
        self._available = min(self._available, 0.0)

    def _restore(self) -> None:
        now = self._clock.now()
        seconds = max(0.0, (now - self._as_of).total_seconds())
        self._available = min(self._maximum, self._available + seconds * self._restore_rate)
        self._as_of = max(now, self._as_of)
