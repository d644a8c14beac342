"""API tokens: `pkg_` and 43 URL-safe characters (256 bits), shown once, stored as their SHA-256."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

from starlette.requests import Request

from pickgate.api.parts import AppParts
from pickgate.api.problems import Problem
from pickgate.operations.roles import Actor, Role

_TOKEN = re.compile(r"pkg_[A-Za-z0-9_-]{43}")


def make_token(random_bytes: Callable[[int], bytes]) -> str:
    """Make a new token. `random_bytes` must be a cryptographic source, such as `secrets.token_bytes`."""
    return "pkg_" + urlsafe_b64encode(random_bytes(32)).decode().rstrip("=")


def hash_secret(secret: str) -> str:
    """Return the form in which tokens and session ids are stored: hexadecimal SHA-256."""
    return sha256(secret.encode()).hexdigest()


async def find_actor(parts: AppParts, request: Request) -> Actor:
    """Return who asks, by the bearer token. Raises Problem (401)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    row = None
    if scheme.lower() == "bearer" and _TOKEN.fullmatch(token):
        row = await parts.access.find_token(hash_secret(token), now=parts.clock.now())
    if row is None:
        raise Problem(
            "UNAUTHENTICATED",
            "No valid API token came with the request.",
            remedy="Send `Authorization: Bearer pkg_…`; make a token with `pickgate token create`.",
            headers={"WWW-Authenticate": 'Bearer realm="pickgate"'},
        )
    return Actor(name=f"token:{row.name}", role=Role(row.role), shops=row.shops)
