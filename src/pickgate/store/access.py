"""Users, sessions and API tokens. Secrets come in as hashes: a database that leaks lets nobody in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from pickgate.store.connection import Database, Session
from pickgate.store.operators import record_audit

SESSION_IDLE = timedelta(minutes=30)
SESSION_LONGEST = timedelta(hours=12)
_TOUCH_AFTER = timedelta(minutes=1)  # a use is written down at most this often


class NameTaken(Exception):
    """There is a user with this name already (whatever its case)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody who may come in. `shops` None: every shop. `delegating`: a program that may say for whom it acts."""

    name: str
    role: str
    shops: frozenset[str] | None = None
    delegating: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    name: str
    password_hash: str
    role: str


class Access:
    def __init__(self, database: Database) -> None:
        self._database = database

    # ── users ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def create_user(
        self, *, name: str, password_hash: str, role: str, shops: Sequence[str], by: str, now: datetime
    ) -> None:
        """Create a user; no shops means every shop. Raises NameTaken."""

        async def create(session: Session) -> None:
            made = await session.fetchval(
                "create_user", name=name, password_hash=password_hash, role=role, shops=list(shops), now=now
            )
            if made is None:
                raise NameTaken(f"There is a user {name!r} already.")
            after = {"role": role, "shops": list(shops)}
            await record_audit(session, at=now, actor=by, action="create_user", subject=f"user {name}", after=after)

        await self._database.transact(create)

    async def set_password(self, *, name: str, password_hash: str, by: str, now: datetime) -> bool:
        """Set a new password and end the user's sessions. False: no such user."""

        async def change(session: Session) -> bool:
            if not await session.execute("set_password", name=name, password_hash=password_hash):
                return False
            await session.execute("end_sessions_of", name=name, now=now)
            await record_audit(session, at=now, actor=by, action="set_password", subject=f"user {name}")
            return True

        return await self._database.transact(change)

    async def disable_user(self, *, name: str, by: str, now: datetime) -> bool:
        """Let the user in no more, at once. False: no such user, or disabled before."""

        async def change(session: Session) -> bool:
            if not await session.execute("disable_user", name=name, now=now):
                return False
            await session.execute("end_sessions_of", name=name, now=now)
            await record_audit(session, at=now, actor=by, action="disable_user", subject=f"user {name}")
            return True

        return await self._database.transact(change)

    async def find_user(self, login: str) -> UserRow | None:
        """A user by name, whatever its case; None when unknown or disabled."""
        row = await self._database.fetchrow("find_user", name=login)
        if row is None:
            return None
        return UserRow(name=row["name"], password_hash=row["password_hash"], role=row["role"])

    async def list_users(self) -> Sequence[Mapping[str, Any]]:
        """name, role, shops, created_at, disabled_at; by name."""
        return [dict(row) for row in await self._database.fetch("list_users")]

    # ── sessions ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def create_session(self, session_hash: str, *, login: str, now: datetime) -> None:
        """Begin a session of 12 hours at most. Raises LookupError when the user is unknown or disabled."""
        user = await self._database.fetchval(
            "create_session", token_hash=session_hash, name=login, now=now, expires_at=now + SESSION_LONGEST
        )
        if user is None:
            raise LookupError(f"No user {login!r} may log in.")

    async def find_session(self, session_hash: str, *, now: datetime) -> Identity | None:
        """The user of a session that is not over, not idle for 30 minutes, and not disabled; counts as activity."""
        row = await self._database.fetchrow(
            "find_session", token_hash=session_hash, now=now, idle_since=now - SESSION_IDLE
        )
        if row is None:
            return None
        if now - row["last_used_at"] >= _TOUCH_AFTER:
            await self._database.execute("touch_session", token_hash=session_hash, now=now)
        return _identity(row)

    async def end_session(self, session_hash: str, *, now: datetime) -> None:
        await self._database.execute("end_session", token_hash=session_hash, now=now)

    # ── API tokens ───────────────────────────────────────────────────────────────────────────────────────────────

    async def create_token(
        self,
        *,
        name: str,
        token_hash: str,
        role: str,
        shops: Sequence[str],
        expires_at: datetime,
        by: str,
        now: datetime,
        delegating: bool = False,
    ) -> int:
        """Store a token's hash; no shops means every shop. Returns its id."""

        async def create(session: Session) -> int:
            token: int = await session.fetchval(
                "create_token",
                name=name,
                token_hash=token_hash,
                role=role,
                shops=list(shops),
                delegating=delegating,
                by=by,
                now=now,
                expires_at=expires_at,
            )
            after = {"role": role, "shops": list(shops), "delegating": delegating, "expires_at": expires_at}
            subject = f"token {token} {name}"
            await record_audit(session, at=now, actor=by, action="create_token", subject=subject, after=after)
            return token

        return await self._database.transact(create)

    async def find_token(self, token_hash: str, *, now: datetime) -> Identity | None:
        """A live token; None when unknown, expired or revoked. Its use is noted at most once a minute."""
        row = await self._database.fetchrow("find_token", token_hash=token_hash, now=now)
        if row is None:
            return None
        if row["last_used_at"] is None or now - row["last_used_at"] >= _TOUCH_AFTER:
            await self._database.execute("touch_token", id=row["id"], now=now)
        return replace(_identity(row), delegating=row["delegating"])

    async def list_tokens(self) -> Sequence[Mapping[str, Any]]:
        """id, name, role, shops, delegating, created_by, created_at, expires_at, last_used_at, revoked_at; by id."""
        return [dict(row) for row in await self._database.fetch("list_tokens")]

    async def revoke_token(self, token: int, *, by: str, now: datetime) -> bool:
        """Let the token in no more, at once. False: no such token, or revoked before."""

        async def revoke(session: Session) -> bool:
            name = await session.fetchval("revoke_token", id=token, now=now)
            if name is None:
                return False
            subject = f"token {token} {name}"
            await record_audit(session, at=now, actor=by, action="revoke_token", subject=subject)
            return True

        return await self._database.transact(revoke)


def _identity(row: asyncpg.Record) -> Identity:
    return Identity(name=row["name"], role=row["role"], shops=frozenset(row["shops"]) or None)
