"""HTTP to one shop's Admin GraphQL API: token, budget, time-outs, and what each kind of answer means."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pickgate.clock import Clock
from pickgate.connectors.shopify.budget import Budget, Lane, ThrottleStatus
from pickgate.connectors.shopify.documents import Document
from pickgate.connectors.shopify.errors import (
    AccessRefused,
    NotReached,
    OutcomeUnclear,
    RequestRefused,
    Throttled,
    TooCostly,
)
from pickgate.connectors.shopify.jsontext import parse_json
from pickgate.connectors.shopify.tokens import TokenSource
from pickgate.http import HttpRequest, HttpResponse, NothingSent, OutcomeUnknown, Transport

_CLOSED = {
    401: "Shopify refused the access token (HTTP 401). Install the app again or renew the token.",
    402: "The shop is frozen for an unpaid bill (HTTP 402). The merchant settles it with Shopify.",
    403: "Shopify forbids this app access (HTTP 403). Check its scopes and whether it is still installed.",
    404: "There is no such shop or API version (HTTP 404). Check api_base and api_version.",
    423: "The shop is locked (HTTP 423). The merchant contacts Shopify.",
}
_ACCESS_CODES = frozenset({"ACCESS_DENIED", "SHOP_INACTIVE", "UNAUTHORIZED", "FORBIDDEN"})
_UNCLEAR_CODES = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One top-level error of an answer. `path` leads to the field it spoiled; empty: the whole answer."""

    code: str
    message: str
    path: tuple[str | int, ...] = ()

    @property
    def is_access(self) -> bool:
        return self.code in _ACCESS_CODES

    @property
    def is_unclear(self) -> bool:
        return self.code in _UNCLEAR_CODES

    @property
    def field(self) -> str:
        return ".".join(str(step) for step in self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back with data. `problems` may stand beside good data: neither says that nothing happened."""

    data: Mapping[str, Any]
    problems: tuple[Problem, ...] = ()
    requested_cost: float | None = None


class ShopifyClient:
    """One shop. Raises the classes of `errors.py` and nothing else for the vendor's or the network's sake.

    `tries` bounds every repetition. Reads are repeated after throttling, lost connections and 5xx; changes after
    throttling only, where Shopify says that nothing was executed.
    """

    def __init__(
        self,
        *,
        transport: Transport,
        clock: Clock,
        api_base: str,
        api_version: str,
        tokens: TokenSource,
        budget: Budget,
        tries: int = 4,
        longest_wait_seconds: float = 30.0,
        timeout_seconds: float = 20.0,
        rng: random.Random | None = None,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._url = f"{api_base.rstrip('/')}/admin/api/{api_version}/graphql.json"
        self._tokens = tokens
        self._budget = budget
        self._tries = tries
        self._longest_wait_seconds = longest_wait_seconds
        self._timeout_seconds = timeout_seconds
        self._rng = rng
        self._costs: dict[str, float] = {}
        self.served_version: str | None = None
        """The API version that Shopify says it used: another one than asked for, once that is out of support."""

    async def read(
        self, document: Document, variables: Mapping[str, Any], *, lane: Lane, times: int = 1, reduced: bool = False
    ) -> Answer:
        """Ask a question. `times`: how many things it asks about, for the cost; `reduced`: with smaller pages."""
        key = f"{document.name}{'/reduced' if reduced else ''}"
        return await self._repeat(document, variables, lane=lane, times=times, key=key, repeat_unclear=True)

    async def change(self, document: Document, variables: Mapping[str, Any], *, lane: Lane) -> Answer:
        """Ask for a change, at most once: OutcomeUnclear means that it may have taken effect."""
        return await self._repeat(document, variables, lane=lane, times=1, key=document.name, repeat_unclear=False)

    async def _repeat(
        self,
        document: Document,
        variables: Mapping[str, Any],
        *,
        lane: Lane,
        times: int,
        key: str,
        repeat_unclear: bool,
    ) -> Answer:
        tried = 0
        while True:
            tried += 1
            cost = self._costs.get(key, document.cost) * times
            await self._budget.take(cost, lane)
            status: ThrottleStatus | None = None
            drained = False
            try:
                answer, status = await self._send(document, variables)
                if answer.requested_cost is not None and answer.requested_cost > 0:
                    self._costs[key] = answer.requested_cost / times
                return answer
            except _ThrottledNow as error:
                status, drained = error.status, error.status is None
                if tried >= self._tries or error.seconds > self._longest_wait_seconds:
                    raise Throttled(str(error), retry_at=self._clock.now() + timedelta(seconds=error.seconds)) from None
                wait = error.seconds
            except (NotReached, OutcomeUnclear):
                if not repeat_unclear or tried >= self._tries:
                    raise
                wait = 0.5 * 2.0 ** (tried - 1)
                if self._rng is not None:
                    wait = self._rng.uniform(0.0, wait)
            finally:
                if drained:
                    await self._budget.drained(cost)
                else:
                    await self._budget.settle(cost, status)
            await self._clock.sleep(wait)

    async def _send(self, document: Document, variables: Mapping[str, Any]) -> tuple[Answer, ThrottleStatus | None]:
        body = json.dumps({"query": document.text, "variables": variables}, separators=(",", ":")).encode()
        token = await self._tokens.get()
        response = await self._exchange(body, token)
        if response.status == 401 and self._tokens.refused(token):
            response = await self._exchange(body, await self._tokens.get())
        served = response.header("X-Shopify-API-Version")
        if served is not None:
            self.served_version = served
        self._check_status(response)
        return self._parse(response)

    async def _exchange(self, body: bytes, token: str) -> HttpResponse:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-Shopify-Access-Token": token,
        }
        request = HttpRequest(
            method="POST", url=self._url, headers=headers, body=body, timeout_seconds=self._timeout_seconds
        )
        try:
            return await self._transport.send(request)
        except NothingSent as error:
            raise NotReached(f"Shopify could not be reached: {error}") from error
        except OutcomeUnknown as error:
            raise OutcomeUnclear(f"Shopify's answer did not come whole: {error}") from error

    def _check_status(self, response: HttpResponse) -> None:
        status = response.status
        if status == 200:
            return
        if status in _CLOSED:
            raise AccessRefused(_CLOSED[status])
        if status in (429, 430):
            seconds = _parse_retry_after(response.header("Retry-After"))
            raise _ThrottledNow(f"Shopify asked us to slow down (HTTP {status}).", seconds=seconds, status=None)
        if 300 <= status < 400:
            raise AccessRefused(f"Shopify answered with a redirect (HTTP {status}), not followed. Check api_base.")
        if 400 <= status < 500 and status != 408:
            raise RequestRefused(f"Shopify refused the request (HTTP {status}).")
        raise OutcomeUnclear(f"Shopify answered with HTTP {status}.")

    def _parse(self, response: HttpResponse) -> tuple[Answer, ThrottleStatus | None]:
        try:
            body = parse_json(response.body)
        except ValueError as error:
            raise OutcomeUnclear(f"Shopify's answer is not JSON: {error}") from error
        if not isinstance(body, dict):
            raise OutcomeUnclear("Shopify's answer is not a GraphQL answer.")
        data, raw_problems = body.get("data"), body.get("errors")
        requested_cost, status = _parse_cost(body.get("extensions"))
        problems = _parse_problems(raw_problems)
        nothing_came = data is None or (isinstance(data, dict) and all(value is None for value in data.values()))
        if any(problem.code == "THROTTLED" for problem in problems) and nothing_came:
            seconds = 1.0
            if status is not None and requested_cost is not None and status.restore_rate > 0:
                seconds = max(0.05, (requested_cost - status.available) / status.restore_rate)
            raise _ThrottledNow("Shopify throttled the request.", seconds=seconds, status=status)
        if isinstance(data, dict):
            return Answer(data=data, problems=problems, requested_cost=requested_cost), status
        if data is None and problems:
            _raise_for(problems)
        raise OutcomeUnclear("Shopify's answer has neither data nor errors that can be read.")


class _ThrottledNow(Exception):
    """Throttled by this answer; ask again after `seconds`."""

    def __init__(self, why: str, *, seconds: float, status: ThrottleStatus | None) -> None:
        super().__init__(why)
        self.seconds = seconds
        self.status = status


def _raise_for(problems: tuple[Problem, ...]) -> None:
    """Raise for an answer without data: it was refused before anything was executed, unless a code says otherwise."""
    for problem in problems:
        if problem.is_unclear:
            raise OutcomeUnclear(f"Shopify failed while answering ({problem.code}).")
    first = problems[0]
    for problem in problems:
        if problem.code == "MAX_COST_EXCEEDED":
            raise TooCostly("The request asks for more at once than Shopify allows.")
        if problem.is_access:
            raise AccessRefused(f"Shopify denied access ({problem.code}): {problem.message}")
    raise RequestRefused(f"Shopify refused the request: {first.message}", code=first.code or "REQUEST_REFUSED")


def _parse_problems(raw: Any) -> tuple[Problem, ...]:
    if raw is None or raw == []:
        return ()
    if not isinstance(raw, list):
        return (Problem(code="INTERNAL_SERVER_ERROR", message="errors that are not a list"),)
    found = []
    for item in raw:
        entry = item if isinstance(item, dict) else {}
        extensions = entry.get("extensions")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        message = entry.get("message")
        path = entry.get("path")
        found.append(
            Problem(
                code=code if isinstance(code, str) else "",
                message=message[:500] if isinstance(message, str) else "no message",
                path=tuple(step for step in path if isinstance(step, str | int)) if isinstance(path, list) else (),
            )
        )
    return tuple(found)


def _parse_cost(extensions: Any) -> tuple[float | None, ThrottleStatus | None]:
    cost = extensions.get("cost") if isinstance(extensions, dict) else None
    if not isinstance(cost, dict):
        return None, None
    requested = _number(cost.get("requestedQueryCost"))
    raw = cost.get("throttleStatus")
    if not isinstance(raw, dict):
        return requested, None
    maximum, available, rate = (
        _number(raw.get(name)) for name in ("maximumAvailable", "currentlyAvailable", "restoreRate")
    )
    if maximum is None or available is None or rate is None or maximum <= 0 or rate <= 0:
        return requested, None
    return requested, ThrottleStatus(maximum=maximum, available=available, restore_rate=rate)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e12 else None


def _parse_retry_after(text: str | None) -> float:
    try:
        seconds = float(text) if text is not None else 2.0
    except ValueError:
        return 2.0
    return min(max(seconds, 0.05), 3600.0) if math.isfinite(seconds) else 2.0
