"""Passwords: argon2id, equal work for unknown users, and rules that stop only the bad ones."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 128
_COMMON = frozenset(
    [
        "123456789012",
        "password1234",
        "passwordpassword",
        "qwertyuiop12",
        "qwertyuiopas",
        "letmeinletme",
        "adminadminadmin",
        "administrator",
        "changeme1234",
        "welcome12345",
        "iloveyou1234",
        "pickgate1234",
        "warehouse123",
        "111111111111",
    ]
)
_HASHER = PasswordHasher()
# The hash of a password that nobody has: unknown users cost the same time as known ones.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$2ngbJNWo1+RddnqciY9M8Q$nABm0vyeNpJpOuI9xrkOOt1IiCN/rFqG4PeGFujyFK4"


class PasswordRefused(Exception):
    """The password is too easy to guess, or too long. The text says which, and the way out."""


def hash_password(password: str, *, login: str = "") -> str:
    """Hash a new password. Raises PasswordRefused."""
    if len(password) < SHORTEST:
        raise PasswordRefused(f"A password needs at least {SHORTEST} characters; three or four words are best.")
    if len(password) > LONGEST:
        raise PasswordRefused(f"A password has at most {LONGEST} characters.")
    plain = password.casefold()
    if plain in _COMMON or len(set(plain)) < 5 or (login and login.casefold() in plain):
        raise PasswordRefused("This password is among the first to be guessed; take three or four words instead.")
    return _HASHER.hash(password)


class PasswordCheck:
    """Checks passwords off the event loop, a few at a time, so that log-ins never starve webhooks."""

    def __init__(self, *, at_once: int = 2) -> None:
        self._turns = asyncio.Semaphore(at_once)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Compare. `stored` None (no such user) takes as long as a wrong password does."""
        async with self._turns:
            return await asyncio.to_thread(_verify, stored, password[: LONGEST + 1])


def _verify(stored: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
