"""The real transport against a real server on loopback: did it leave, and did the answer come whole?"""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from pickgate.connectors.transport import AiohttpTransport
from pickgate.http import HttpRequest, HttpResponse, NothingSent, OutcomeUnknown

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def speaking(talk: Talk) -> AsyncIterator[str]:
    """A server that says what the test says, byte for byte."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.close()


def says(text: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()

    return talk


async def _reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    await writer.drain()
    found: socket.socket = writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    writer.transport.abort()


async def _slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    for _ in range(200):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def send(url: str, *, timeout_seconds: float = 5.0, **options: object) -> HttpResponse:
    async with AiohttpTransport(**options) as transport:  # type: ignore[arg-type]  # given by name in each test
        return await transport.send(HttpRequest(method="GET", url=url, timeout_seconds=timeout_seconds))


@pytest.fixture
async def echo() -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        seen = f"{request.method} {request.raw_path} {request.headers.get('X-Mine')} ".encode() + body
        headers = {"X-Seen": "1", "Set-Cookie": "a=b", "X-Cookie": request.headers.get("Cookie", "none")}
        return web.Response(body=seen, status=418, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_request_goes_out_and_comes_back_as_it_is(echo: str) -> None:
    async with AiohttpTransport() as transport:
        request = HttpRequest(method="POST", url=f"{echo}/a%2Fb?q=%20", headers={"X-Mine": "yes"}, body=b"\x00body")
        first = await transport.send(request)
        assert first.status == 418
        assert first.body == b"POST /a%2Fb?q=%20 yes \x00body"
        assert first.header("x-seen") == "1"
        second = await transport.send(request)
        assert second.header("x-cookie") == "none"


async def test_a_redirect_is_an_answer() -> None:
    async with speaking(
        says(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    ) as url:
        answer = await send(url)
    assert (answer.status, answer.header("location")) == (302, "http://127.0.0.1:1/")


async def test_a_refused_connection_sent_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(NothingSent):
            await send(f"http://127.0.0.1:{taken.getsockname()[1]}/")


@pytest.mark.parametrize(
    "url", ["http://pickgate.invalid/", "not an address", "http://", "ftp://127.0.0.1/", "http://127.0.0.1:99999/"]
)
async def test_an_impossible_address_sent_nothing(url: str) -> None:
    with pytest.raises(NothingSent):
        await send(url)


async def test_a_header_that_cannot_be_sent_sent_nothing(echo: str) -> None:
    async with AiohttpTransport() as transport:
        with pytest.raises(NothingSent):
            await transport.send(HttpRequest(method="GET", url=echo, headers={"X-Mine": "a\r\nInjected: 1"}))


async def test_a_server_without_tls_sent_nothing() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        with pytest.raises(NothingSent):
            await send(url, ssl_context=ssl.create_default_context())
    finally:
        server.close()


async def test_a_connection_that_cannot_be_made_in_time_sent_nothing() -> None:
    listener = socket.socket()
    fillers: list[socket.socket] = []
    try:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # the queue of a listener that never accepts is soon full
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        with pytest.raises(NothingSent):
            await send(f"http://127.0.0.1:{listener.getsockname()[1]}/", connect_timeout_seconds=0.3)
    finally:
        for filler in fillers:
            filler.close()
        listener.close()


@pytest.mark.parametrize(
    "talk",
    [
        says(b""),
        says(b"HTTP/1.1 200 OK\r\nContent-Le"),
        says(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        says(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf"),
        says(b"SSH-2.0-OpenSSH\r\n"),
        _reset,
    ],
    ids=["closed", "cut head", "cut body", "cut chunks", "no chunk", "no gzip", "no http", "reset"],
)
async def test_an_answer_that_does_not_come_whole_leaves_the_outcome_unknown(talk: Talk) -> None:
    async with speaking(talk) as url:
        with pytest.raises(OutcomeUnknown):
            await send(url)


async def test_a_slow_answer_ends_at_the_total_time() -> None:
    async with speaking(_slow) as url:
        started = asyncio.get_running_loop().time()
        with pytest.raises(OutcomeUnknown):
            await send(url, timeout_seconds=0.3)
        assert asyncio.get_running_loop().time() - started < 3


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_body_larger_than_allowed_is_not_read_to_its_end(compressed: bool) -> None:
    body = gzip.compress(b"0" * 5_000_000) if compressed else b"0" * 5_000_000
    head = b"Content-Encoding: gzip\r\n" if compressed else b""
    text = b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    async with speaking(says(text)) as url:
        with pytest.raises(OutcomeUnknown, match="larger than 100000 bytes"):
            await send(url, max_body_bytes=100_000)


async def test_a_compressed_answer_is_unpacked() -> None:
    body = gzip.compress(b'{"a": 1}')
    text = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    async with speaking(says(text)) as url:
        assert (await send(url)).body == b'{"a": 1}'


async def test_closing_is_repeatable_and_final(echo: str) -> None:
    transport = AiohttpTransport()
    assert (await transport.send(HttpRequest(method="GET", url=echo))).status == 418
    await transport.close()
    await transport.close()
    with pytest.raises(NothingSent, match="closed"):
        await transport.send(HttpRequest(method="GET", url=echo))
