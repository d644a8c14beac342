"""Everything that runs later and is not a look is PgQueuer's: the schedules of the nets, and one-off jobs.

Kept in this one module, so that another queue could take its place.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg
import structlog
from pgqueuer import PgQueuer
from pgqueuer.models import Schedule

log = structlog.get_logger("pickgate.jobs")

Job = Callable[[], Awaitable[object]]


def cron_of(every: timedelta) -> str:
    """Return the cron expression nearest to an interval, never rarer; under a minute it has a field for seconds.

    Cron knows only divisors of a minute, an hour or a day: 50 s becomes 30 s, 7 minutes become 6.
    """
    seconds = max(1, int(every.total_seconds()))
    if seconds < 60:
        return f"* * * * * */{_divisor(60, seconds)}"
    minutes = seconds // 60
    if minutes < 60:
        return "* * * * *" if minutes == 1 else f"*/{_divisor(60, minutes)} * * * *"
    hours = min(24, minutes // 60)
    return "0 * * * *" if hours == 1 else ("0 0 * * *" if hours == 24 else f"0 */{_divisor(24, hours)} * * *")


def _divisor(whole: int, most: int) -> int:
    return max(n for n in range(1, most + 1) if whole % n == 0)


@dataclass(slots=True, kw_only=True)
class JobRunner:
    """Runs schedules on one of however many workers there are: PgQueuer's rows decide which."""

    pool: asyncpg.Pool
    schedules: list[tuple[str, timedelta, Job]] = field(default_factory=list)
    _queue: PgQueuer | None = None
    _is_stopping: bool = False

    def every(self, interval: timedelta, name: str, job: Job) -> None:
        """Run `job` about every `interval`. A run that fails is logged, and the next one comes as planned."""
        self.schedules.append((name, interval, job))

    async def run(self) -> None:
        """Run until `stop`. A database that is away is waited for.

        PgQueuer's clean-up may raise in the place of the cancellation that began it, when a connection broke before:
        so it is `stop`, not the exception, that says whether to begin again.
        """
        while not self._is_stopping:
            self._queue = self._make()
            try:
                await self._queue.run(dequeue_timeout=timedelta(seconds=5))
                return
            except asyncio.CancelledError:
                raise
            except Exception as error:  # the database is away: wait for it
                log.warning("jobs_trouble", error=type(error).__name__, problem=str(error)[:200])
                await asyncio.sleep(1)

    def stop(self) -> None:
        """Let `run` end, as soon as what runs now has ended."""
        self._is_stopping = True
        if self._queue is not None:
            self._queue.shutdown.set()

    def _make(self) -> PgQueuer:
        queue = PgQueuer.from_asyncpg_pool(self.pool)
        for name, interval, job in self.schedules:
            queue.schedule(name, cron_of(interval), clean_old=True)(_named(name, job))
        return queue


def _named(name: str, job: Job) -> Callable[[Schedule], Awaitable[None]]:
    async def run(_: Schedule) -> None:
        try:
            report = await job()
            log.info("job", name=name, report=str(report)[:300])
        except Exception as error:  # one run's failure is not the schedule's end
            with contextlib.suppress(Exception):
                log.warning("job_failed", name=name, error=type(error).__name__, problem=str(error)[:200])

    return run
