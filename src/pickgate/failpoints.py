"""Named places where a process can be made to die, so that a test can see what a crash there costs.

Nothing here runs in ordinary use: `bootstrap` puts these wrappers in only when the environment variable
`PICKGATE_FAILPOINT` names a place, such as `after begin_effect:3` (the third time). At that moment the process kills
itself with SIGKILL: no handler runs, no buffer is flushed, no connection is closed.

A place is `before` or `after` a name: a store operation (`record_decision`), a command sent (`CreateGoodsOut`), or a
kind of request on the wire (`clarus write`, `shopify read`). `docs/reference/crash-proof.md` lists them.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from typing import Any, TypeVar, cast

from pickgate.http import HttpRequest, HttpResponse, Transport

T = TypeVar("T")
_MUTATION = re.compile(rb'\{"query":\s*"(?:#.*?\\n|\\n|\s)*mutation\b')

# Every operation that a commit belongs to, and the two reads of our own memory that a look begins with.
STORE_OPERATIONS = frozenset({
    "record_inbox", "claim_inbox", "settle_inbox", "claim", "renew", "pending_effects", "load_records",
    "record_decision", "begin_effect", "finish_effect", "settle_unknown", "end_look",
})  # fmt: skip


class Failpoint:
    """One armed place. `text`: `before|after NAME[:n]`. Raises ValueError when it is neither."""

    def __init__(self, text: str) -> None:
        place, _, times = text.partition(":")
        when, _, name = place.strip().partition(" ")
        if when not in ("before", "after") or not name or not (times or "1").isdecimal():
            raise ValueError(f"PICKGATE_FAILPOINT: {text!r} is not a place; write `before NAME:n` or `after NAME:n`")
        self._place = f"{when} {name}"
        self._left = int(times or "1")

    def hit(self, when: str, name: str) -> None:
        """Die here, if this is the place and enough has gone by."""
        if f"{when} {name}" == self._place:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


class _Armed:
    """Another object, with the failpoint before and after some of its coroutine methods."""

    def __init__(self, inner: object, point: Failpoint, name_of: Callable[[str, tuple[Any, ...]], str | None]) -> None:
        self._inner, self._point, self._name_of = inner, point, name_of

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._inner, attribute)
        if self._name_of(attribute, ()) is None:
            return found

        async def call(*args: Any, **values: Any) -> Any:
            name = self._name_of(attribute, args) or attribute
            self._point.hit("before", name)
            answer = await found(*args, **values)
            self._point.hit("after", name)
            return answer

        return call


def arm_store(store: T, point: Failpoint) -> T:
    """Put the failpoint around the store's operations."""
    return cast(T, _Armed(store, point, lambda method, _: method if method in STORE_OPERATIONS else None))


def arm_port(port: T, point: Failpoint) -> T:
    """Put the failpoint around `send` of a shop or a warehouse; its name there is the command's."""

    def name_of(method: str, args: tuple[Any, ...]) -> str | None:
        if method != "send":
            return None
        return type(args[0]).__name__ if args else method

    return cast(T, _Armed(port, point, name_of))


class ArmedTransport:
    """Puts the failpoint around each request on the wire, named by vendor and by whether it changes anything."""

    def __init__(self, inner: Transport, vendor: str, point: Failpoint) -> None:
        self._inner, self._vendor, self._point = inner, vendor, point

    async def send(self, request: HttpRequest) -> HttpResponse:
        name = f"{self._vendor} {kind_of_request(request)}"
        self._point.hit("before", name)
        answer = await self._inner.send(request)
        self._point.hit("after", name)
        return answer


def kind_of_request(request: HttpRequest) -> str:
    """Say what a request to either vendor does: `token`, `read` or `write`."""
    if request.url.endswith(("/oauth/token", "/access_token")):
        return "token"
    if "graphql" in request.url:
        return "write" if _MUTATION.match(request.body) else "read"
    return "read" if request.method in ("GET", "HEAD") else "write"
