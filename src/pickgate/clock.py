"""Time as an argument: the real clock, and one that only moves when it is told to.

Decisions take `now` as a plain argument. Flows, connectors and twins take a `Clock`. The simulation uses
`VirtualClock`, so a month passes in seconds and the same seed gives the same run.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time (always UTC, timezone-aware) and waits."""

    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


class RealClock:
    """The computer's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class VirtualClock:
    """A clock that moves only by `advance`, `move_to` or somebody's `sleep`. Never goes backwards."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def move_to(self, instant: datetime) -> None:
        self._now = max(self._now, instant)

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
