"""HTTP only: headers, token, pace, time-outs, and the class of what went wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from pickgate.clock import Clock
from pickgate.connectors.clarus.errors import (
    AccessRefused,
    NoAnswer,
    SaidNo,
    Throttled,
    Unexpected,
    Unreached,
    parse_errors,
)
from pickgate.connectors.clarus.pace import Pace
from pickgate.connectors.clarus.tokens import Tokens
from pickgate.http import HttpRequest, HttpResponse, NothingSent, OutcomeUnknown, Transport
from pickgate.settings import ClarusSettings

READ_ATTEMPTS = 3
LONGEST_WAIT_SECONDS = 10.0  # a read that would have to wait longer is given up: the next look asks again
_RETRY_AFTER_429 = timedelta(seconds=5)
_LONGEST_RETRY_AFTER = timedelta(hours=1)
_READ_TIMEOUT_SECONDS = 20.0
_WRITE_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteAnswer:
    """A 2xx to a write. `body` is the decoded JSON; None when the answer was empty."""

    status: int
    body: Any


class ClarusClient:
    """One tenant over one transport."""

    def __init__(
        self, settings: ClarusSettings, transport: Transport, clock: Clock, *, pace: Pace | None = None
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._pace = pace or Pace(clock, requests_per_second=settings.requests_per_second)
        self._tokens = Tokens(settings, transport, clock)

    async def read(self, document: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run a GraphQL query and return its `data`. Tried up to `READ_ATTEMPTS` times while nobody is to blame.

        Raises ClarusProblem: any `errors` in the answer is one, even beside data.
        """
        body = json.dumps({"query": document, "variables": variables}, ensure_ascii=False).encode()
        url = self._settings.base_url + self._settings.graphql_path
        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                self._refuse_long_pause(longest_seconds=LONGEST_WAIT_SECONDS)
                return _graphql_data(await self._exchange("POST", url, body, _READ_TIMEOUT_SECONDS))
            except AccessRefused:
                raise
            except (Unreached, NoAnswer) as problem:
                wait = 0.5 * 2 ** (attempt - 1)
                if problem.retry_at is not None:
                    wait = max(wait, (problem.retry_at - self._clock.now()).total_seconds())
                if attempt == READ_ATTEMPTS or wait > LONGEST_WAIT_SECONDS:
                    raise
            await self._clock.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def now(self) -> datetime:
        return self._clock.now()

    async def write(
        self, method: str, path: str, payload: Mapping[str, Any] | None, *, not_after: datetime | None = None
    ) -> WriteAnswer:
        """Send one REST write, once; `path` begins after the API prefix. `payload` None sends no body.

        After `not_after` it is not begun any more (Unreached): by then somebody else may act for the same order.

        Raises Unreached (and Throttled, AccessRefused) when it took no effect, SaidNo when it was refused, NoAnswer
        when nobody knows.
        """
        self._refuse_long_pause(longest_seconds=0)
        body = b"" if payload is None else json.dumps(payload, ensure_ascii=False).encode()
        url = self._settings.base_url + self._settings.api_prefix.rstrip("/") + path
        response = await self._exchange(method, url, body, _WRITE_TIMEOUT_SECONDS, not_after=not_after)
        if not response.body.strip():
            return WriteAnswer(status=response.status, body=None)
        return WriteAnswer(status=response.status, body=_decoded(response))

    def _refuse_long_pause(self, *, longest_seconds: float) -> None:
        until = self._pace.paused_until()
        if until is not None and (until - self._clock.now()).total_seconds() > longest_seconds:
            raise Throttled("Clarus asked for a pause that is not over", retry_at=until)

    async def _exchange(
        self, method: str, url: str, body: bytes, timeout_seconds: float, *, not_after: datetime | None = None
    ) -> HttpResponse:
        token = await self._tokens.get()
        response = await self._send_once(method, url, body, timeout_seconds, token, not_after=not_after)
        if response.status == 401:  # refused before anything was done, so sending again is safe
            token = await self._tokens.get(instead_of=token)
            response = await self._send_once(method, url, body, timeout_seconds, token, not_after=not_after)
        self._raise_for_status(response)
        return response

    async def _send_once(
        self,
        method: str,
        url: str,
        body: bytes,
        timeout_seconds: float,
        token: str,
        *,
        not_after: datetime | None = None,
    ) -> HttpResponse:
        await self._pace.take_turn()
        if not_after is not None and self._clock.now() > not_after:
            raise Unreached("Getting ready to send took too long; nothing was sent")
        request = HttpRequest(
            method=method,
            url=url,
            headers={
                "Authorization": f"Bearer {token}",
                "X-Clarus-Subdomain": self._settings.subdomain,
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
            body=body,
            timeout_seconds=timeout_seconds,
        )
        try:
            return await self._transport.send(request)
        except NothingSent as error:
            raise Unreached(f"Clarus could not be reached: {error}") from error
        except OutcomeUnknown as error:
            raise NoAnswer(f"Clarus gave no whole answer: {error}") from error

    def _raise_for_status(self, response: HttpResponse) -> None:
        status = response.status
        if 200 <= status < 300:
            return
        entries = parse_errors(_decoded_or_none(response))
        if status in (401, 403):
            said = "; ".join(str(entry) for entry in entries)
            raise AccessRefused(f"Clarus refused access ({status}{': ' + said if said else ''})")
        if status == 429:
            retry_at = self._retry_at(response) or self._clock.now() + _RETRY_AFTER_429
            self._pace.pause_until(retry_at)
            raise Throttled("Clarus answered 429: too many requests", retry_at=retry_at)
        if status == 408 or status >= 500 or status < 400:
            raise NoAnswer(f"Clarus answered {status}", retry_at=self._retry_at(response))
        raise SaidNo(status, entries)

    def _retry_at(self, response: HttpResponse) -> datetime | None:
        """Read Retry-After, in seconds or as a date; at most an hour from now."""
        text = (response.header("Retry-After") or "").strip()
        now = self._clock.now()
        if text.isdecimal() and len(text) < 10:
            return now + min(timedelta(seconds=int(text)), _LONGEST_RETRY_AFTER)
        try:
            instant = parsedate_to_datetime(text)
        except ValueError:
            return None
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        return min(max(instant.astimezone(UTC), now), now + _LONGEST_RETRY_AFTER)


def _graphql_data(response: HttpResponse) -> Mapping[str, Any]:
    body = _decoded(response)
    if not isinstance(body, dict):
        raise Unexpected("Clarus answered a query with something that is not an object")
    if body.get("errors"):
        said = "; ".join(str(entry) for entry in parse_errors(body)) or "errors without a text"
        raise Unexpected(f"Clarus answered a query with errors: {said[:500]}")
    data = body.get("data")
    if not isinstance(data, dict):
        raise Unexpected("Clarus answered a query without data")
    return data


def _decoded(response: HttpResponse) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        kind = response.header("Content-Type") or "no content type"
        raise NoAnswer(f"Clarus answered {response.status} with something that is not JSON ({kind})") from error


def _decoded_or_none(response: HttpResponse) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None
