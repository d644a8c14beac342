"""The real network: carries one `HttpRequest` over TCP and says truly whether it may have arrived."""

from __future__ import annotations

import ssl
from types import TracebackType

import aiohttp
from yarl import URL

from pickgate.http import HttpRequest, HttpResponse, NothingSent, OutcomeUnknown

# Failures that happen before the first byte of a request is written: no address, no connection, no trusted certificate,
# no free connection in time. Everything else may have reached the other side.
_BEFORE_SENDING = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
    aiohttp.ServerFingerprintMismatch,
)


class AiohttpTransport:
    """Satisfies `pickgate.http.Transport`. One pool of connections; share one instance per process.

    Redirects are answers, never followed. An answer larger than `max_body_bytes` (after decompression) is refused.
    Cookies and proxy settings of the environment are ignored. `close` it, or use it as a context.
    """

    def __init__(
        self,
        *,
        max_body_bytes: int = 32 * 1024 * 1024,
        connect_timeout_seconds: float = 10.0,
        connections_per_host: int = 20,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._max_body_bytes = max_body_bytes
        self._connect_timeout_seconds = connect_timeout_seconds
        self._connections_per_host = connections_per_host
        self._ssl_context = ssl_context
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def __aenter__(self) -> AiohttpTransport:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection. Repeatable; sending afterwards raises NothingSent."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send once and read the whole answer.

        Raises NothingSent when the request provably never left, OutcomeUnknown when it may have arrived.
        """
        session = self._open()
        timeout = aiohttp.ClientTimeout(
            total=request.timeout_seconds,
            sock_connect=min(self._connect_timeout_seconds, request.timeout_seconds),
        )
        try:
            async with session.request(
                request.method,
                URL(request.url, encoded=True),
                headers=dict(request.headers),
                data=request.body or None,
                allow_redirects=False,
                timeout=timeout,
            ) as answer:
                body = await self._read(answer)
                headers: dict[str, str] = {}
                for name, value in answer.headers.items():
                    headers.setdefault(name, value)
                return HttpResponse(status=answer.status, headers=headers, body=body)
        except _BEFORE_SENDING as error:
            raise NothingSent(_explain(error)) from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise OutcomeUnknown(_explain(error)) from error
        except ValueError as error:  # an address or a header that cannot be put on the wire
            raise NothingSent(_explain(error)) from error

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in answer.content.iter_chunked(64 * 1024):
            size += len(part)
            if size > self._max_body_bytes:
                answer.close()
                raise OutcomeUnknown(f"The answer is larger than {self._max_body_bytes} bytes; the rest was not read.")
            parts.append(part)
        return b"".join(parts)

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise NothingSent("The transport is closed.")
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0, limit_per_host=self._connections_per_host, ssl=self._ssl_context or True
            )
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, raise_for_status=False
            )
        return self._session


def _explain(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
