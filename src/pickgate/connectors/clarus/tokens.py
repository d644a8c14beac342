"""The access token: OAuth 2.0 client credentials, kept until shortly before it ends."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from urllib.parse import urlencode

from pickgate.clock import Clock
from pickgate.connectors.clarus.errors import AccessRefused, Unreached, parse_errors
from pickgate.http import HttpRequest, NothingSent, OutcomeUnknown, Transport
from pickgate.settings import ClarusSettings

_WHEN_NOT_TOLD = timedelta(minutes=50)
_LONGEST_LIFE = timedelta(days=1)
_TIMEOUT_SECONDS = 15.0


class Tokens:
    """Fetches one token at a time: a tenant may end the older session when a newer one begins."""

    def __init__(self, settings: ClarusSettings, transport: Transport, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._token: str | None = None
        self._good_until: datetime | None = None
        # Never contended without a running loop, and an uncontended lock does not suspend.
        self._one_at_a_time = asyncio.Lock()

    async def get(self, *, instead_of: str | None = None) -> str:
        """Return a token that should be good; a new one when the current one is `instead_of`, which was refused.

        Raises AccessRefused when the client is refused, Unreached when no token could be had.
        """
        async with self._one_at_a_time:
            token = self._token
            if token is None or token == instead_of or self._has_ended():
                token = await self._fetch()
            return token

    def _has_ended(self) -> bool:
        return self._good_until is None or self._clock.now() >= self._good_until

    async def _fetch(self) -> str:
        settings = self._settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value(),
        }
        if settings.scopes:
            form["scope"] = settings.scopes
        request = HttpRequest(
            method="POST",
            url=settings.token_url,
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
                "X-Clarus-Subdomain": settings.subdomain,
            },
            body=urlencode(form).encode(),
            timeout_seconds=_TIMEOUT_SECONDS,
        )
        try:
            response = await self._transport.send(request)
        except (NothingSent, OutcomeUnknown) as error:
            raise Unreached(f"The token endpoint of Clarus gave no answer: {error}") from error
        try:
            body = response.json()
        except ValueError:
            body = None
        if response.status in (400, 401, 403):
            said = "; ".join(str(entry) for entry in parse_errors(body))
            raise AccessRefused(
                f"Clarus refused the client credentials ({response.status}{': ' + said if said else ''})"
            )
        token = body.get("access_token") if isinstance(body, dict) else None
        if response.status // 100 != 2 or not isinstance(token, str) or not token:
            raise Unreached(f"The token endpoint of Clarus answered {response.status} without a token")
        self._token = token
        self._good_until = self._clock.now() + _use_for(body.get("expires_in"))
        return token


def _use_for(expires_in: object) -> timedelta:
    """How long to use a token that lives `expires_in` seconds: until a minute, or a tenth, before its end."""
    if isinstance(expires_in, str) and expires_in.isdecimal() and len(expires_in) < 12:
        expires_in = int(expires_in)
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float) or not expires_in > 0:
        return _WHEN_NOT_TOLD
    seconds = min(float(expires_in), _LONGEST_LIFE.total_seconds())
    return timedelta(seconds=seconds - min(60.0, seconds / 10))
