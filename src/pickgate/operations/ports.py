"""What operations need from the outside, as Protocols. The store satisfies `Reads`, `OperatorActions` and `Access`.

Rows are mappings, or objects with attributes, in the shapes of `models.py`. `shops` None: every shop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

Row = Any


class Rows(Protocol):
    """One page of rows, and how many there are on all pages."""

    @property
    def items(self) -> Sequence[Row]: ...
    @property
    def total(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """Which orders. Empty: no filter. `sort`: a column name, `-` before it for descending."""

    q: str = ""
    shops: frozenset[str] | None = None
    states: tuple[str, ...] = ()
    gate: str = ""
    held: bool = False
    differs: bool = False
    sort: str = "-created_at"
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionQuery:
    """Which exceptions. `state`: open, snoozed, resolved or all."""

    q: str = ""
    shops: frozenset[str] | None = None
    state: str = "open"
    codes: tuple[str, ...] = ()
    owner: str = ""
    assignee: str = ""
    order: int | None = None
    sort: str = "due_at"
    limit: int = 50
    offset: int = 0


class Reads(Protocol):
    """Read models. No row holds a customer's name or address."""

    async def list_orders(self, query: OrderQuery) -> Rows: ...

    async def find_orders(self, ref: str, *, shops: frozenset[str] | None) -> Sequence[Row]:
        """Whole orders (without journal and effects) whose Pickgate id, shop id or name is `ref`, `#` or not."""
        ...

    async def list_journal(self, order: int, *, limit: int, offset: int) -> Rows:
        """Newest first."""
        ...

    async def list_effects(
        self, *, shops: frozenset[str] | None, order: int | None, states: Sequence[str], limit: int, offset: int
    ) -> Rows: ...

    async def list_exceptions(self, query: ExceptionQuery) -> Rows: ...

    async def find_exceptions(self, ids: Sequence[int], *, shops: frozenset[str] | None) -> Sequence[Row]:
        """Exceptions by id; one that does not exist, or is of another shop, is left out."""
        ...

    async def list_audit(
        self,
        *,
        q: str,
        actor: str,
        since: datetime | None,
        shops: frozenset[str] | None,
        limit: int,
        offset: int,
    ) -> Rows: ...

    async def health(self, *, now: datetime, shops: frozenset[str] | None) -> Mapping[str, Any]:
        """Counts and ages for the health page and the gauges."""
        ...

    async def read_body(self, body_id: int, *, shops: frozenset[str] | None) -> bytes | None:
        """A raw webhook body, decrypted; None when there is none, or retention removed it."""
        ...

    async def change_mark(self) -> str:
        """A text that differs whenever an order, an exception or an effect has changed. Cheap: asked every 2 s."""
        ...

    async def pending_migrations(self) -> Sequence[str]:
        """Names of migrations that have not run; raises when the database cannot be reached."""
        ...


class OperatorActions(Protocol):
    """What people record. Each writes its audit row in the same transaction.

    `expected` is the version the person saw; None: whatever it is now. A stale one changes nothing and answers False.
    """

    async def set_hold(
        self, order: int, *, actor: str, reason: str, until: datetime | None, expected: str | None, now: datetime
    ) -> bool: ...

    async def unset_hold(self, order: int, *, actor: str, reason: str, expected: str | None, now: datetime) -> bool: ...

    async def approve_release(
        self, order: int, *, actor: str, reason: str, expected: str | None, now: datetime
    ) -> bool: ...

    async def request_cancel(
        self, order: int, *, actor: str, reason: str, expected: str | None, now: datetime
    ) -> bool: ...

    async def assign_exceptions(
        self, ids: Sequence[int], *, actor: str, reason: str, assignee: str | None, now: datetime
    ) -> Sequence[int]: ...

    async def snooze_exceptions(
        self, ids: Sequence[int], *, actor: str, reason: str, until: datetime, now: datetime
    ) -> Sequence[int]: ...

    async def resolve_exceptions(
        self, ids: Sequence[int], *, actor: str, reason: str, now: datetime
    ) -> Sequence[int]: ...


class Wake(Protocol):
    """Makes an order due for a look now."""

    async def __call__(self, shop: str, order_id: str) -> None: ...


class Replay(Protocol):
    """Decides an order again from its stored facts, purely: nothing is read from a vendor, nothing is sent."""

    async def __call__(self, order: int, *, rulebook: int | None) -> Mapping[str, Any]: ...


class Audit(Protocol):
    """Appends to the audit what changes no row of ours: an order looked at again, a raw body opened."""

    async def __call__(
        self, *, actor: str, action: str, subject: str, shop: str, reason: str, now: datetime
    ) -> None: ...


class Connection(Protocol):
    """One connection to a vendor as the last calls found it. `state`: ok, failing or unknown."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def detail(self) -> str: ...
    @property
    def last_ok_at(self) -> datetime | None: ...
    @property
    def last_failed_at(self) -> datetime | None: ...


class Identity(Protocol):
    """Somebody who may come in. `shops` None: every shop."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def shops(self) -> frozenset[str] | None: ...


class TokenIdentity(Identity, Protocol):
    """A program that may come in. `delegating`: it may say for whom it acts."""

    @property
    def delegating(self) -> bool: ...


class UserRow(Protocol):
    """A user who may log in. `password_hash` is argon2id's own text."""

    @property
    def name(self) -> str: ...
    @property
    def password_hash(self) -> str: ...
    @property
    def role(self) -> str: ...


class Access(Protocol):
    """Users, sessions and API tokens. Secrets come in as hashes: a database that leaks lets nobody in."""

    async def find_token(self, token_hash: str, *, now: datetime) -> TokenIdentity | None:
        """A live token; None when unknown, expired or revoked."""
        ...

    async def find_user(self, login: str) -> UserRow | None:
        """A user by name, whatever its case; None when unknown or disabled."""
        ...

    async def create_session(self, session_hash: str, *, login: str, now: datetime) -> None: ...

    async def find_session(self, session_hash: str, *, now: datetime) -> Identity | None:
        """The user of a session within its idle and absolute limits, if not disabled; counts as activity."""
        ...

    async def end_session(self, session_hash: str, *, now: datetime) -> None: ...
