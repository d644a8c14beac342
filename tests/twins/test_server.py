from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from pickgate.clock import RealClock
from pickgate.http import HttpRequest, HttpResponse, NothingSent, OutcomeUnknown
from pickgate.twins.deliveries import Delivery, DeliveryQueue
from pickgate.twins.server import DeliveryCarrier, SessionTransport, serve_twin
from twins.clarus_kit import TEA, Kit, order_body


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def delivery(url: str, *, body: bytes = b"{}", method: str = "POST", wait_seconds: float = 0.0) -> Delivery:
    return Delivery(
        url=url,
        method=method,
        headers={"X-ClarusWMS-Automation-ID": "43"},
        body=body,
        due_at=RealClock().now() + timedelta(seconds=wait_seconds),
        topic="goods_out.created",
    )


class Tally:
    """Counts calls, and tells when there were enough."""

    def __init__(self, enough: int) -> None:
        self.full = asyncio.Event()
        self._left = enough

    def count(self) -> None:
        self._left -= 1
        if self._left == 0:
            self.full.set()


async def test_whole_request_reaches_the_twin_and_whole_answer_comes_back(session: aiohttp.ClientSession) -> None:
    seen: list[HttpRequest] = []

    def handle(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        headers = {"X-Answer": "yes", "Content-Type": "application/json", "Content-Length": "999"}
        return HttpResponse(status=422, headers=headers, body=b'{"errors":[]}')

    served = await serve_twin(handle)
    try:
        request = HttpRequest(
            method="PATCH", url=f"{served.url}/api/goods_outs/1?x=%20y", headers={"X-Asked": "1"}, body=b"\x00body"
        )
        response = await SessionTransport(session).send(request)
    finally:
        await served.aclose()
    assert (response.status, response.header("x-answer"), response.json()) == (422, "yes", {"errors": []})
    (asked,) = seen
    assert (asked.method, asked.body, asked.header("x-asked")) == ("PATCH", b"\x00body", "1")
    assert asked.url == f"{served.url}/api/goods_outs/1?x=%20y"


async def test_coroutine_twins_and_several_servers_at_once(session: aiohttp.ClientSession) -> None:
    async def slow(request: HttpRequest) -> HttpResponse:
        await asyncio.sleep(0)
        return HttpResponse(status=200, body=b"slow")

    servers = [await serve_twin(slow), await serve_twin(lambda request: HttpResponse(status=204))]
    try:
        send = SessionTransport(session).send
        answers = [await send(HttpRequest(method="GET", url=f"{served.url}/")) for served in servers]
    finally:
        for served in servers:
            await served.aclose()
    assert servers[0].port != servers[1].port
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"slow"), (204, b"")]


async def test_clarus_twin_over_tcp(session: aiohttp.ClientSession) -> None:
    kit = Kit()
    served = await serve_twin(kit.twin.handle)
    try:
        async with session.post(
            f"{served.url}/api/goods_outs", json=order_body((TEA, 2)), headers=kit.headers
        ) as response:
            assert (response.status, (await response.json())["data"]["id"]) == (200, 3301)
    finally:
        await served.aclose()
    assert kit.status(3301) == "PENDING"


@pytest.mark.parametrize("problem", [OutcomeUnknown("cut"), NothingSent("gone")])
async def test_twin_may_cut_the_connection(session: aiohttp.ClientSession, problem: Exception) -> None:
    def broken(request: HttpRequest) -> HttpResponse:
        raise problem

    served = await serve_twin(broken)
    try:
        with pytest.raises(OutcomeUnknown):
            await SessionTransport(session).send(HttpRequest(method="POST", url=f"{served.url}/", body=b"x"))
    finally:
        await served.aclose()


async def test_closed_server_refuses_and_its_port_can_be_had_again(session: aiohttp.ClientSession) -> None:
    served = await serve_twin(lambda request: HttpResponse(status=200))
    await served.aclose()
    with pytest.raises(NothingSent):
        await SessionTransport(session).send(HttpRequest(method="GET", url=f"{served.url}/"))
    again = await serve_twin(lambda request: HttpResponse(status=200), port=served.port)
    await again.aclose()
    assert again.port == served.port


async def test_taken_port_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError):
            await serve_twin(lambda request: HttpResponse(status=200), port=taken.getsockname()[1])


async def test_time_out_is_an_unknown_outcome(session: aiohttp.ClientSession) -> None:
    async def never(request: HttpRequest) -> HttpResponse:
        await asyncio.sleep(30)
        return HttpResponse(status=200)

    served = await serve_twin(never)
    try:
        with pytest.raises(OutcomeUnknown):
            request = HttpRequest(method="GET", url=f"{served.url}/", timeout_seconds=0.05)
            await SessionTransport(session).send(request)
    finally:
        await served.aclose()


async def test_redirects_are_not_followed(session: aiohttp.ClientSession) -> None:
    served = await serve_twin(lambda request: HttpResponse(status=302, headers={"Location": "/elsewhere"}))
    try:
        response = await SessionTransport(session).send(HttpRequest(method="GET", url=f"{served.url}/"))
    finally:
        await served.aclose()
    assert (response.status, response.header("Location")) == (302, "/elsewhere")


async def test_carrier_posts_what_is_due_and_reports_each_outcome(session: aiohttp.ClientSession) -> None:
    got: list[HttpRequest] = []

    def receive(request: HttpRequest) -> HttpResponse:
        got.append(request)
        return HttpResponse(status=503 if request.body == b"bad" else 200)

    heard: list[tuple[bytes, str]] = []
    failed: list[tuple[bytes, str]] = []
    outcomes = Tally(3)

    def on_success(carried: Delivery, outcome: str) -> None:
        heard.append((carried.body, outcome))
        outcomes.count()

    def on_failure(carried: Delivery, outcome: str) -> None:
        failed.append((carried.body, outcome.split(":")[0]))
        outcomes.count()

    queue = DeliveryQueue()
    carrier = DeliveryCarrier(
        queue,
        SessionTransport(session),
        RealClock(),
        on_success=on_success,
        on_failure=on_failure,
        poll_seconds=0.01,
    )
    served = await serve_twin(receive)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    try:
        queue.put(delivery(f"{served.url}/hook", body=b"good"))
        queue.put(delivery(f"{served.url}/hook", body=b"bad"))
        queue.put(delivery(nobody, body=b"lost"))
        queue.put(delivery(f"{served.url}/hook", body=b"tomorrow", wait_seconds=86_400))
        carrier.start()
        async with asyncio.timeout(5):
            await outcomes.full.wait()
    finally:
        await carrier.aclose()
        await served.aclose()
    assert heard == [(b"good", "200")]
    assert sorted(failed) == [(b"bad", "503"), (b"lost", "NothingSent")]
    assert sorted(request.body for request in got) == [b"bad", b"good"]
    assert got[0].header("X-ClarusWMS-Automation-ID") == "43"
    assert len(queue) == 1


async def test_twin_gets_a_failed_webhook_carried_again(session: aiohttp.ClientSession) -> None:
    kit = Kit(webhook_retries_after_seconds=(0.0, 0.0))
    answers = [500, 500, 200]
    attempts: list[bytes] = []

    def receive(request: HttpRequest) -> HttpResponse:
        attempts.append(request.body)
        return HttpResponse(status=answers[len(attempts) - 1])

    served = await serve_twin(receive)
    carrier = DeliveryCarrier(
        kit.twin.deliveries,
        SessionTransport(session),
        kit.clock,
        on_failure=lambda d, outcome: kit.twin.redeliver(d),
    )
    try:
        kit.twin.add_automation("goods_out", "created", f"{served.url}/hook")
        kit.order((TEA, 1))
        while await carrier.carry_due():
            pass
    finally:
        await served.aclose()
    assert len(attempts) == 3
    assert len(set(attempts)) == 1


async def test_closed_carrier_leaves_the_queue_alone(session: aiohttp.ClientSession) -> None:
    queue = DeliveryQueue()
    carrier = DeliveryCarrier(queue, SessionTransport(session), RealClock(), poll_seconds=0.01)
    carrier.start()
    carrier.start()
    await carrier.aclose()
    queue.put(delivery("http://127.0.0.1:9/"))
    await asyncio.sleep(0.05)
    assert len(queue) == 1
