"""The one shape in which an HTTP exchange crosses our code.

Connectors send `HttpRequest`s through a `Transport`; twins answer them. With the real transport the bytes travel
over TCP; in the simulation the same request object is handed to the twin in the same thread. Nothing vendor-specific
lives here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request. `url` is absolute; header names may be in any case; `timeout_seconds` covers the whole exchange."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout_seconds: float = 20.0

    def header(self, name: str) -> str | None:
        """Return a header's value, whatever the case of its name."""
        return _find(self.headers, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """One answer, read whole."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return a header's value, whatever the case of its name."""
        return _find(self.headers, name)

    def json(self) -> Any:
        """Decode the body. Raises ValueError when it is not JSON: a page served with status 200, for instance."""
        return json.loads(self.body)


class NothingSent(Exception):
    """The request provably never left: refused connection, unknown host, certificate error. Safe to send again."""


class OutcomeUnknown(Exception):
    """The request left, and no whole answer came back: a time-out, a reset, a cut body. It may have taken effect."""


class Transport(Protocol):
    """Carries a request and brings the answer, or raises NothingSent or OutcomeUnknown. Never follows a redirect."""

    async def send(self, request: HttpRequest) -> HttpResponse: ...


def _find(headers: Mapping[str, str], name: str) -> str | None:
    wanted = name.lower()
    for key, value in headers.items():
        if key.lower() == wanted:
            return value
    return None
