"""API tokens: `pkg_` and 43 URL-safe characters (256 bits), shown once, stored as their SHA-256.

A delegating token belongs to a program that people use, such as Retool: its requests may name the person in
`X-Pickgate-Actor`, and the audit then names both. The person is what the program says, so only an admin's decision
(`pickgate token create --delegating`) makes a token believed. What may be done is decided by the token's role alone.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

from starlette.requests import Request

from pickgate.api.parts import AppParts
from pickgate.api.problems import Problem
from pickgate.operations.ports import TokenIdentity
from pickgate.operations.roles import Actor, Role

ACTOR_HEADER = "X-Pickgate-Actor"
_TOKEN = re.compile(r"pkg_[A-Za-z0-9_-]{43}")
_LONGEST_PERSON = 100


def make_token(random_bytes: Callable[[int], bytes]) -> str:
    """Make a new token. `random_bytes` must be a cryptographic source, such as `secrets.token_bytes`."""
    return "pkg_" + urlsafe_b64encode(random_bytes(32)).decode().rstrip("=")


def hash_secret(secret: str) -> str:
    """Return the form in which tokens and session ids are stored: hexadecimal SHA-256."""
    return sha256(secret.encode()).hexdigest()


def act_for(token: TokenIdentity, person: str) -> Actor:
    """Return the actor of a request by a token for a person, as its program names them; empty: for nobody.

    Raises Problem: 403 when the token may not speak for people, 422 when the name cannot be used.
    """
    person = person.strip(" ")
    name = f"token:{token.name}"
    if person:
        if not token.delegating:
            raise Problem(
                "NOT_ALLOWED",
                f"This token may not act for other people, and {ACTOR_HEADER} names one.",
                remedy=f"Leave {ACTOR_HEADER} out, or make a token with `pickgate token create --delegating`.",
            )
        # Control and formatting characters could make one name look like another in the audit.
        if len(person) > _LONGEST_PERSON or not person.isprintable():
            raise Problem(
                "INPUT_INVALID",
                f"{ACTOR_HEADER} is not a name: up to {_LONGEST_PERSON} printable characters.",
                remedy="Send the person's e-mail address or login.",
            )
        name += f" on behalf of {person}"
    return Actor(name=name, role=Role(token.role), shops=token.shops)


async def find_actor(parts: AppParts, request: Request) -> Actor:
    """Return who asks, by the bearer token, and for whom. Raises Problem (401, 403, 422)."""
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
    people = request.headers.getlist(ACTOR_HEADER)
    if len(people) > 1:
        raise Problem(
            "INPUT_INVALID", f"{ACTOR_HEADER} came {len(people)} times.", remedy="Send it once, for one person."
        )
    return act_for(row, _decode("".join(people)))


def _decode(header: str) -> str:
    """Headers arrive as Latin-1; programs send names as UTF-8 or as Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeDecodeError:
        return header
