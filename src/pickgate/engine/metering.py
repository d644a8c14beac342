"""Counts what leaves for each vendor, and remembers how the last calls went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pickgate.clock import Clock
from pickgate.flows.ports import STILL_HELD
from pickgate.http import HttpRequest, HttpResponse, NothingSent, OutcomeUnknown, Transport
from pickgate.metrics import Metrics


@dataclass(slots=True)
class ConnectionState:
    """How the last calls to one vendor went, for the health page."""

    name: str
    kind: str
    detail: str = "Nothing has been asked yet."
    last_ok_at: datetime | None = None
    last_failed_at: datetime | None = None

    @property
    def state(self) -> str:
        if self.last_ok_at is None and self.last_failed_at is None:
            return "unknown"
        failed_last = self.last_failed_at is not None and (
            self.last_ok_at is None or self.last_failed_at > self.last_ok_at
        )
        return "failing" if failed_last else "ok"

    def went(self, *, well: bool, detail: str, now: datetime) -> None:
        self.detail = detail
        if well:
            self.last_ok_at = now
        else:
            self.last_failed_at = now


@dataclass(frozen=True, slots=True)
class MeteredTransport:
    """Counts what leaves, by vendor and outcome; never what it says. The last door: nothing leaves for a lost lease."""

    inner: Transport
    vendor: str
    metrics: Metrics
    connection: ConnectionState
    clock: Clock

    async def send(self, request: HttpRequest) -> HttpResponse:
        still_held = STILL_HELD.get()
        if still_held is not None and not still_held(self.clock.now()):
            raise NothingSent("The lease of the order has run out: another worker may be looking at it.")
        operation = "graphql" if "graphql" in request.url else request.method.lower()
        count = self.metrics.vendor_calls.labels
        with self.metrics.vendor_seconds.labels(self.vendor).time():
            try:
                answer = await self.inner.send(request)
            except (NothingSent, OutcomeUnknown) as error:
                word = "not_sent" if isinstance(error, NothingSent) else "unknown"
                count(self.vendor, operation, word).inc()
                self.connection.went(well=False, detail=str(error)[:200], now=self.clock.now())
                raise
        count(self.vendor, operation, str(answer.status)).inc()
        well = answer.status < 400 or answer.status in (404, 422)
        self.connection.went(well=well, detail=f"answered {answer.status}", now=self.clock.now())
        return answer
