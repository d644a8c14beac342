"""How fast we may ask: a steady pace below the tenant's limit, and a pause when it says that we are too fast."""

from __future__ import annotations

from datetime import datetime, timedelta

from pickgate.clock import Clock


class Pace:
    """Spaces requests evenly. Waits only by `clock.sleep`, so a virtual clock is moved and nothing is suspended.

    One instance may be shared by everything in a process that calls the same tenant.
    """

    def __init__(self, clock: Clock, *, requests_per_second: float) -> None:
        self._clock = clock
        self._gap = timedelta(seconds=1 / requests_per_second)
        self._next = datetime.min.replace(tzinfo=clock.now().tzinfo)
        self._paused_until = self._next

    def pause_until(self, instant: datetime) -> None:
        """Send nothing before `instant`. A pause is only ever made longer."""
        self._paused_until = max(self._paused_until, instant)

    def paused_until(self) -> datetime | None:
        """The end of the pause; None when there is none."""
        return self._paused_until if self._paused_until > self._clock.now() else None

    async def take_turn(self) -> None:
        """Wait for the next free slot, and for the end of a pause."""
        now = self._clock.now()
        slot = max(self._next, self._paused_until, now)
        self._next = slot + self._gap
        if slot > now:
            await self._clock.sleep((slot - now).total_seconds())
