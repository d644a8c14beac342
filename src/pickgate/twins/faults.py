"""What goes wrong on the way, drawn from one seeded generator and counted: requests and webhooks of every twin.

The twins themselves stay honest. A `FaultPlan` says how often; `FaultyTransport` stands between a client and a twin's
`handle`; `Courier` stands between a twin's delivery queue and whoever receives its webhooks.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from pickgate.clock import Clock
from pickgate.http import HttpRequest, HttpResponse, NothingSent, OutcomeUnknown
from pickgate.twins.deliveries import Delivery, DeliveryQueue


class Fault(StrEnum):
    """A kind of fault. The first group meets requests, the second webhooks."""

    NOTHING_SENT = "nothing_sent"
    LOST_BEFORE = "lost_before"
    """The request was lost: no effect, and the caller cannot know."""
    LOST_AFTER = "lost_after"
    """The answer was lost: it took effect, and the caller cannot know."""
    TOO_MANY_REQUESTS = "too_many_requests"
    SERVER_ERROR_BEFORE = "server_error_before"
    SERVER_ERROR_AFTER = "server_error_after"
    HTML_PAGE = "html_page"
    TRUNCATED_BODY = "truncated_body"

    WEBHOOK_LOST = "webhook_lost"
    WEBHOOK_DOUBLED = "webhook_doubled"
    WEBHOOK_DELAYED = "webhook_delayed"
    WEBHOOK_REORDERED = "webhook_reordered"


REQUEST_FAULTS = tuple(fault for fault in Fault if not fault.startswith("webhook"))
WEBHOOK_FAULTS = tuple(fault for fault in Fault if fault.startswith("webhook"))

_PAGE = b"<!DOCTYPE html><html><head><title>One moment</title></head><body>Please wait</body></html>"


class FaultPlan:
    """
    How often each kind happens, 0 to 1 per request or webhook; kinds that are not listed never happen.

    `counts` says what was injected, by kind.
    """

    def __init__(
        self,
        rng: random.Random,
        chances: Mapping[Fault, float] | None = None,
        *,
        retry_after_seconds: int = 2,
        longest_delay_seconds: float = 3600.0,
        reorder_seconds: float = 10.0,
    ) -> None:
        self._rng = random.Random(rng.getrandbits(64))
        self.chances: dict[Fault, float] = dict(chances or {})
        self.counts: Counter[Fault] = Counter()
        self.retry_after_seconds = retry_after_seconds
        self.longest_delay_seconds = longest_delay_seconds
        self.reorder_seconds = reorder_seconds

    @classmethod
    def of(cls, rng: random.Random, kinds: Iterable[Fault], chance: float) -> FaultPlan:
        """Every one of these kinds with the same chance."""
        return cls(rng, dict.fromkeys(kinds, chance))

    def switch(self, fault: Fault, chance: float) -> None:
        """Set the chance of one kind; 0 switches it off."""
        self.chances[fault] = chance

    def switch_all_off(self) -> None:
        self.chances.clear()

    def draw(self, kinds: Iterable[Fault]) -> Fault | None:
        """Draw at most one of these kinds and count it."""
        for fault in kinds:
            chance = self.chances.get(fault, 0.0)
            if chance and self._rng.random() < chance:
                self.counts[fault] += 1
                return fault
        return None

    def meddle(self, request: HttpRequest, handle: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
        """Hand `request` to `handle`, or let one fault happen. Raises NothingSent or OutcomeUnknown."""
        match self.draw(REQUEST_FAULTS):
            case None:
                return handle(request)
            case Fault.NOTHING_SENT:
                raise NothingSent("connection refused (injected)")
            case Fault.LOST_BEFORE:
                raise OutcomeUnknown("timed out (injected)")
            case Fault.LOST_AFTER:
                handle(request)
                raise OutcomeUnknown("connection reset (injected)")
            case Fault.TOO_MANY_REQUESTS:
                headers = {"Retry-After": str(self.retry_after_seconds)}
                return HttpResponse(status=429, headers=headers, body=b'{"errors":"Too many requests"}')
            case Fault.SERVER_ERROR_BEFORE:
                return self._server_error()
            case Fault.SERVER_ERROR_AFTER:
                handle(request)
                return self._server_error()
            case Fault.HTML_PAGE:
                return HttpResponse(status=200, headers={"Content-Type": "text/html"}, body=_PAGE)
            case _:
                answer = handle(request)
                cut = self._rng.randrange(max(len(answer.body), 1))
                return replace(answer, body=answer.body[:cut])

    def _server_error(self) -> HttpResponse:
        status = self._rng.choice((500, 502, 503, 504))
        return HttpResponse(status=status, headers={"Content-Type": "text/html"}, body=_PAGE)

    def carry(self, delivery: Delivery) -> list[Delivery]:
        """What arrives of one webhook: nothing, one, or two, each with its own time. Call it once per delivery."""
        match self.draw(WEBHOOK_FAULTS):
            case None:
                return [delivery]
            case Fault.WEBHOOK_LOST:
                return []
            case Fault.WEBHOOK_DOUBLED:
                return [delivery, self._later(delivery, self.reorder_seconds)]
            case Fault.WEBHOOK_DELAYED:
                return [self._later(delivery, self.longest_delay_seconds)]
            case _:
                return [self._later(delivery, self.reorder_seconds)]

    def _later(self, delivery: Delivery, most_seconds: float) -> Delivery:
        wait = timedelta(seconds=self._rng.uniform(0.0, most_seconds))
        return replace(delivery, due_at=delivery.due_at + wait)


class FaultyTransport:
    """A Transport to a twin in the same process, through a plan of faults."""

    def __init__(
        self,
        handle: Callable[[HttpRequest], HttpResponse],
        plan: FaultPlan,
        clock: Clock,
        *,
        latency_seconds: float = 0.0,
        wait_for_timeouts: bool = False,
    ) -> None:
        self._handle = handle
        self._plan = plan
        self._clock = clock
        self._latency_seconds = latency_seconds
        self._wait_for_timeouts = wait_for_timeouts

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send through the plan. With `wait_for_timeouts` an unknown outcome costs the request's whole time-out."""
        if self._latency_seconds:
            await self._clock.sleep(self._latency_seconds)
        try:
            return self._plan.meddle(request, self._handle)
        except OutcomeUnknown:
            if self._wait_for_timeouts:
                await self._clock.sleep(request.timeout_seconds)
            raise


class Courier:
    """Takes webhooks out of a twin's queue, passes each once through the plan, and hands out what has arrived."""

    def __init__(self, queue: DeliveryQueue, plan: FaultPlan) -> None:
        self._queue = queue
        self._plan = plan
        self._on_the_way = DeliveryQueue()

    def take_due(self, now: datetime) -> list[Delivery]:
        """Remove and return what arrives by `now`, in order of arrival."""
        for delivery in self._queue.take_due(now):
            for carried in self._plan.carry(delivery):
                self._on_the_way.put(carried)
        return self._on_the_way.take_due(now)

    def next_due_at(self) -> datetime | None:
        """When the next webhook may arrive; None when nothing is under way."""
        times = [self._queue.next_due_at(), self._on_the_way.next_due_at()]
        return min((at for at in times if at is not None), default=None)
