"""What stands between the flows and the world: time that passes, people who act meanwhile, storms, and crashes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pickgate.clock import Clock, VirtualClock
from pickgate.http import HttpRequest, HttpResponse, OutcomeUnknown
from pickgate.simulation.world import World
from pickgate.store.memory import MemoryStore
from pickgate.twins.faults import FaultyTransport


class Crashed(BaseException):
    """The worker died here. Nothing of ours may catch it."""


class OffsetClock:
    """Our own clock, which is ahead of the world's (or behind it) by a fixed time."""

    def __init__(self, clock: Clock, offset: timedelta) -> None:
        self._clock = clock
        self.offset = offset

    def now(self) -> datetime:
        return self._clock.now() + self.offset

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


class CrashPoints:
    """Kills the worker before or after any call to the store or to the outside, with one small chance each.

    `scale` makes it rarer for a while: a net makes hundreds of calls, and would never come to its end.
    """

    def __init__(self, rng: random.Random, chance: float) -> None:
        self._rng = rng
        self.chance = chance
        self.scale = 1.0
        self.count = 0

    def maybe(self) -> None:
        if self.chance and self._rng.random() < self.chance * self.scale:
            self.count += 1
            raise Crashed


class CrashingStore:
    """The store with a crash point before and after each call of a look."""

    def __init__(self, store: MemoryStore, crashes: CrashPoints) -> None:
        self._store = store
        self._crashes = crashes
        self._calls: dict[str, Callable[..., Any]] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        known = self._calls.get(name)
        if known is not None:
            return known
        method, crashes = getattr(self._store, name), self._crashes

        async def call(*args: Any, **kwargs: Any) -> Any:
            crashes.maybe()
            result = await method(*args, **kwargs)
            crashes.maybe()
            return result

        self._calls[name] = call
        return call


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """For a while one side answers every request with an error; nothing takes effect."""

    side: str  # "shop" or "warehouse"
    start: datetime
    end: datetime
    status: int  # 429 or 503


@dataclass(slots=True)
class Weather:
    """The storms of a run. `counts`: requests that each kind swallowed. `hanging`: one request hangs just now."""

    storms: list[Storm] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    hanging: bool = False

    def answer(self, side: str, now: datetime) -> HttpResponse | None:
        """What a storm answers at this instant; None: fine weather."""
        for storm in self.storms:
            if storm.side == side and storm.start <= now < storm.end:
                self.counts[f"storm_{storm.status}"] += 1
                headers = {"Content-Type": "text/html"} | ({"Retry-After": "2"} if storm.status == 429 else {})
                return HttpResponse(status=storm.status, headers=headers, body=b"<html>Please wait</html>")
        return None


class WorldTransport:
    """Carries requests to a twin. Time passes and people act before each one arrives and before its answer does."""

    def __init__(
        self,
        inner: FaultyTransport,
        world: World,
        rng: random.Random,
        crashes: CrashPoints,
        *,
        side: str = "",
        weather: Weather | None = None,
        meanwhile: Callable[..., None] | None = None,
    ) -> None:
        self._inner = inner
        self._world = world
        self._rng = rng
        self._crashes = crashes
        self._side = side
        self._weather = weather or Weather()
        self._meanwhile = meanwhile
        self.slow_chance = 0.0
        self.requests = 0

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests += 1
        if self.slow_chance and not self._weather.hanging and self._rng.random() < self.slow_chance:
            await self._dawdle(request)
        self._pass_time()
        try:
            storm = self._weather.answer(self._side, self._world.clock.now()) if self._weather.storms else None
            answer = storm or await self._inner.send(request)
        finally:
            self._pass_time()
        self._crashes.maybe()
        return answer

    async def _dawdle(self, request: HttpRequest) -> None:
        """The request hangs, and other workers go on. Past its time-out nobody knows whether it took effect."""
        self._weather.counts["slow_answers"] += 1
        self._weather.hanging = True
        clock, longest = self._world.clock, timedelta(seconds=request.timeout_seconds)
        assert isinstance(clock, VirtualClock)
        start, wait = clock.now(), timedelta(seconds=self._rng.uniform(5.0, 1.3 * request.timeout_seconds))
        arrives = self._rng.random() < 0.5
        paused = self._rng.random() < 0.3
        while clock.now() - start < min(wait, longest):
            clock.advance(1.0)
            if self._meanwhile is not None:
                self._meanwhile(paused=paused)
        self._weather.hanging = False
        if clock.now() - start >= longest:
            if arrives and clock.now() - start < longest + timedelta(seconds=2):
                await self._inner.send(request)
            raise OutcomeUnknown("timed out (injected)")

    def _pass_time(self) -> None:
        clock = self._world.clock
        assert isinstance(clock, VirtualClock)
        clock.advance(self._rng.uniform(0.005, 0.06))
        due = self._world.next_due_at()
        if due is not None and due <= clock.now():
            self._world.tick()
