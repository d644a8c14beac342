"""Twins over TCP: any `handle` behind an HTTP port on loopback, and the carrier of their webhooks, in real time."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web

from pickgate.clock import Clock
from pickgate.http import HttpRequest, HttpResponse, NothingSent, OutcomeUnknown, Transport
from pickgate.twins.deliveries import Delivery, DeliveryQueue

Handle = Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]
Outcome = Callable[[Delivery, str], Any]

_BODY_LIMIT = 16 * 1024 * 1024
# Set by the server for the body it really sends; a twin's own value would contradict it.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


class ServedTwin:
    """A running server. Close it with `aclose`."""

    def __init__(self, runner: web.AppRunner, host: str, port: int) -> None:
        self._runner = runner
        self.host = host
        self.port = port

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    async def aclose(self) -> None:
        """Stop listening and drop what is open."""
        await self._runner.cleanup()


async def serve_twin(handle: Handle, host: str = "127.0.0.1", port: int = 0) -> ServedTwin:
    """
    Serve one twin: every method, every path. Port 0 takes a free one.

    Args:
        handle: Answers one request, at once or as a coroutine. NothingSent and OutcomeUnknown drop the connection
            without an answer, as a broken network would.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = HttpRequest(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            body=await request.read(),
        )
        try:
            given = handle(asked)
            response = await given if inspect.isawaitable(given) else given
        except (NothingSent, OutcomeUnknown):
            if request.transport is not None:
                request.transport.close()
            return web.Response(status=500)
        headers = {k: v for k, v in response.headers.items() if k.lower() not in _FRAMING}
        return web.Response(status=response.status, headers=headers, body=response.body)

    app = web.Application(client_max_size=_BODY_LIMIT)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
    except OSError:
        await runner.cleanup()
        raise
    bound: int = runner.addresses[0][1]
    return ServedTwin(runner, host, bound)


class SessionTransport:
    """A plain `Transport` on an aiohttp session that somebody else owns. Follows no redirect."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request. Raises NothingSent or OutcomeUnknown."""
        try:
            async with self._session.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                data=request.body or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=request.timeout_seconds),
            ) as response:
                body = await response.read()
                return HttpResponse(status=response.status, headers=dict(response.headers), body=body)
        except aiohttp.ClientConnectorError as problem:
            raise NothingSent(str(problem)) from problem
        except (aiohttp.ClientError, TimeoutError) as problem:
            raise OutcomeUnknown(str(problem) or type(problem).__name__) from problem


class DeliveryCarrier:
    """
    Carries a twin's webhooks while it runs: whatever is due is sent, a few at a time.

    Args:
        on_success: Called with the delivery and the status, `"200"`, for every 2xx.
        on_failure: Called with the delivery and the status or the network's complaint, for everything else. To try
            again is the twin's decision: put the delivery back into the queue.
    """

    def __init__(
        self,
        queue: DeliveryQueue,
        transport: Transport,
        clock: Clock,
        *,
        on_success: Outcome | None = None,
        on_failure: Outcome | None = None,
        poll_seconds: float = 0.05,
        at_once: int = 8,
        timeout_seconds: float = 10.0,
    ) -> None:
        self._queue = queue
        self._transport = transport
        self._clock = clock
        self._on_success = on_success
        self._on_failure = on_failure
        self._poll_seconds = poll_seconds
        self._places = asyncio.Semaphore(at_once)
        self._timeout_seconds = timeout_seconds
        self._task: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin carrying, in the running event loop."""
        if self._task is None:
            self._task = asyncio.create_task(self._carry())

    async def aclose(self) -> None:
        """Stop; deliveries under way are given up, those in the queue stay there."""
        tasks = [*self._under_way, *([self._task] if self._task else [])]
        self._task = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def carry_due(self) -> int:
        """Send what is due now and wait for all of it. Returns how many were sent."""
        due = self._queue.take_due(self._clock.now())
        await asyncio.gather(*(self._send(delivery) for delivery in due))
        return len(due)

    async def _carry(self) -> None:
        while True:
            for delivery in self._queue.take_due(self._clock.now()):
                task = asyncio.create_task(self._send(delivery))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            await self._clock.sleep(self._poll_seconds)

    async def _send(self, delivery: Delivery) -> None:
        request = HttpRequest(
            method=delivery.method,
            url=delivery.url,
            headers=delivery.headers,
            body=delivery.body,
            timeout_seconds=self._timeout_seconds,
        )
        async with self._places:
            try:
                response = await self._transport.send(request)
            except (NothingSent, OutcomeUnknown) as problem:
                _tell(self._on_failure, delivery, f"{type(problem).__name__}: {problem}")
                return
        heard = 200 <= response.status < 300
        _tell(self._on_success if heard else self._on_failure, delivery, str(response.status))


def _tell(listener: Outcome | None, delivery: Delivery, outcome: str) -> None:
    if listener is not None:
        listener(delivery, outcome)
