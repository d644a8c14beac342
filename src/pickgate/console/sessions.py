"""Sessions: an opaque 256-bit id in a cookie, its hash in the database, and a token in every form."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from pickgate.api.parts import AppParts
from pickgate.operations.roles import Actor, Role

ABSOLUTE_SECONDS = 12 * 3600


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in. `csrf` must come back with every change."""

    actor: Actor
    csrf: str


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(self, parts: AppParts) -> None:
        self._parts = parts
        origin = urlsplit(parts.public_url)
        self.is_secure = origin.scheme == "https"
        self.origin = f"{origin.scheme}://{origin.netloc}"
        self.cookie = "__Host-pickgate" if self.is_secure else "pickgate"

    async def find(self, request: Request) -> Visitor | None:
        """Return who this is; None when there is no live session."""
        secret = request.cookies.get(self.cookie, "")
        if len(secret) != 43:
            return None
        row = await self._parts.access.find_session(_hash(secret), now=self._parts.clock.now())
        if row is None:
            return None
        return Visitor(Actor(name=row.name, role=Role(row.role), shops=row.shops), _csrf(secret))

    async def open(self, request: Request, response: Response, *, login: str) -> None:
        """Start a session under a new id, ending whatever session the browser had."""
        await self.end(request, response)
        secret = urlsafe_b64encode(self._parts.random_bytes(32)).decode().rstrip("=")
        await self._parts.access.create_session(_hash(secret), login=login, now=self._parts.clock.now())
        response.set_cookie(
            self.cookie,
            secret,
            max_age=ABSOLUTE_SECONDS,
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite="lax",
        )

    async def end(self, request: Request, response: Response) -> None:
        """End the browser's session, here and there."""
        secret = request.cookies.get(self.cookie, "")
        if len(secret) == 43:
            await self._parts.access.end_session(_hash(secret), now=self._parts.clock.now())
        response.delete_cookie(self.cookie, path="/", secure=self.is_secure, httponly=True, samesite="lax")

    def is_from_here(self, request: Request) -> bool:
        """Say whether a change comes from our own pages, by what browsers say of it. Silence is not enough."""
        site = request.headers.get("sec-fetch-site")
        if site is not None and site not in ("same-origin", "none"):
            return False
        origin = request.headers.get("origin")
        if origin is not None:
            host = request.headers.get("host", "")
            return origin == self.origin or (not self.is_secure and origin == f"http://{host}")
        return site is not None

    @staticmethod
    def is_right_token(visitor: Visitor, sent: object) -> bool:
        """Compare a form's token with the session's, in constant time."""
        return isinstance(sent, str) and hmac.compare_digest(sent.encode("utf-8", "replace"), visitor.csrf.encode())


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _csrf(secret: str) -> str:
    """The form token follows from the session's secret, so that it dies with it and needs no place of its own."""
    return sha256(b"form token\0" + secret.encode()).hexdigest()
