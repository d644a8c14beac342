"""Where the access token comes from: written in the settings, or asked for with the client-credentials grant."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlencode

from pickgate.clock import Clock
from pickgate.connectors.shopify.errors import AccessRefused, CallFailed, NotReached
from pickgate.connectors.shopify.jsontext import parse_json
from pickgate.http import HttpRequest, NothingSent, OutcomeUnknown, Transport


class TokenSource(Protocol):
    async def get(self) -> str:
        """Return a token that should work. Raises AccessRefused (a person must act) or NotReached (for now)."""
        ...

    def refused(self, token: str) -> bool:
        """Say that the shop answered 401 to `token`. True: `get` may give another one, so asking again makes sense."""
        ...


class StaticToken:
    """A token written in the settings."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get(self) -> str:
        return self._token

    def refused(self, token: str) -> bool:
        return token != self._token


class ClientCredentials:
    """Tokens of the client-credentials grant. One request at a time; renewed before the end, and after a 401.

    A token that is still good is kept until a new one is there. After a refusal nothing is asked for
    `rest_seconds`, so that a revoked secret does not become a storm.
    """

    def __init__(
        self,
        *,
        transport: Transport,
        clock: Clock,
        token_url: str,
        client_id: str,
        client_secret: str,
        margin_seconds: float = 300.0,
        rest_seconds: float = 30.0,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._token_url = token_url
        self._body = urlencode(
            {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        ).encode()
        self._margin = timedelta(seconds=margin_seconds)
        self._rest = timedelta(seconds=rest_seconds)
        self._lock = asyncio.Lock()  # waits, and so needs a running loop, only when two ask at once
        self._token: str | None = None
        self._renew_at = self._ends_at = clock.now()
        self._resting: tuple[datetime, str] | None = None

    async def get(self) -> str:
        if self._token is not None and self._clock.now() < self._renew_at:
            return self._token
        async with self._lock:
            now = self._clock.now()
            if self._token is not None and now < self._renew_at:
                return self._token
            try:
                return await self._ask(now)
            except CallFailed:
                if self._token is not None and now < self._ends_at:
                    return self._token
                raise

    def refused(self, token: str) -> bool:
        if token == self._token:
            self._token = None
        return True

    async def _ask(self, now: datetime) -> str:
        if self._resting is not None:
            until, why = self._resting
            if now < until:
                raise AccessRefused(why)
            self._resting = None
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        request = HttpRequest(method="POST", url=self._token_url, headers=headers, body=self._body)
        try:
            answer = await self._transport.send(request)
        except (NothingSent, OutcomeUnknown) as error:
            raise NotReached(f"No access token: {error}") from error
        if 400 <= answer.status < 500 and answer.status not in (408, 429):
            why = f"Shopify refused an access token (HTTP {answer.status}). Check client_id and client_secret."
            self._resting = (now + self._rest, why)
            raise AccessRefused(why)
        token, seconds = _parse_token(answer.body) if answer.status == 200 else (None, 0.0)
        if token is None:
            raise NotReached(f"The request for an access token brought no token (HTTP {answer.status}).")
        self._token = token
        self._ends_at = now + timedelta(seconds=seconds)
        self._renew_at = max(self._ends_at - self._margin, now + timedelta(seconds=seconds / 2))
        return token


def _parse_token(body: bytes) -> tuple[str | None, float]:
    try:
        found = parse_json(body)
    except ValueError:
        return None, 0.0
    if not isinstance(found, dict):
        return None, 0.0
    token, seconds = found.get("access_token"), found.get("expires_in")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        return None, 0.0
    lasts = float(seconds) if isinstance(seconds, int | float) and 0 < seconds <= 10**7 else 3600.0
    return token, lasts
