"""Read models for the console and the API: lists with filters, whole orders, raw bodies. Nothing here decides.

Rows are plain mappings with the key names that operations answer with. No row holds a customer's name or address.
`shops` None means every shop. `state` "snoozed" and "open" compare with the database's clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from pickgate.crypto import Sealer
from pickgate.store.codec import clean_text
from pickgate.store.connection import Database
from pickgate.store.inbox import open_body
from pickgate.store.migrate import pending
from pickgate.store.read_shapes import exception_row, order_row, whole_order
from pickgate.store.sql import build_query

_ORDER_SORTS = {
    "created_at": "facts.shopify_created_at",
    "next_look_at": "orders.next_look_at",
    "looked_at": "orders.looked_at",
    "name": "orders.name",
    "state": "facts.state",
}
_EXCEPTION_SORTS = {
    "due_at": "due_at",
    "opened_at": "opened_at",
    "severity": "array_position(ARRAY['urgent', 'high', 'normal'], severity)",
    "code": "code",
}
_DAY = timedelta(days=1)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_SNOOZED = "(snoozed_until IS NOT NULL AND snoozed_until > now())"


class OrderFilter(Protocol):
    """Which orders. Empty: no filter. `sort`: a column name, `-` before it for descending."""

    @property
    def q(self) -> str: ...
    @property
    def shops(self) -> frozenset[str] | None: ...
    @property
    def states(self) -> tuple[str, ...]: ...
    @property
    def gate(self) -> str: ...
    @property
    def held(self) -> bool: ...
    @property
    def differs(self) -> bool: ...
    @property
    def sort(self) -> str: ...
    @property
    def limit(self) -> int: ...
    @property
    def offset(self) -> int: ...


class ExceptionFilter(Protocol):
    """Which exceptions. `state`: open, snoozed, resolved or all."""

    @property
    def q(self) -> str: ...
    @property
    def shops(self) -> frozenset[str] | None: ...
    @property
    def state(self) -> str: ...
    @property
    def codes(self) -> tuple[str, ...]: ...
    @property
    def owner(self) -> str: ...
    @property
    def assignee(self) -> str: ...
    @property
    def order(self) -> int | None: ...
    @property
    def sort(self) -> str: ...
    @property
    def limit(self) -> int: ...
    @property
    def offset(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One page of rows, and how many there are on all pages."""

    items: Sequence[Mapping[str, Any]]
    total: int


class Reads:
    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def list_orders(self, query: OrderFilter) -> Rows:
        where, values = _shops("orders.shop", query.shops)
        if query.q.strip():
            where.append("facts.search LIKE :q")
            values["q"] = f"%{_like(query.q)}%"
        if query.states:
            where.append("facts.state = ANY (:states::text[])")
            values["states"] = list(query.states)
        if query.gate:
            where.append("facts.gates @> jsonb_build_array(jsonb_build_object('code', :gate::text))")
            values["gate"] = clean_text(query.gate)
        if query.held:
            where.append("facts.gates <> '[]' AND facts.state IN ('waiting', 'releasing', 'stopped')")
        if query.differs:
            where.append("facts.differs")
        order = _order(query.sort, _ORDER_SORTS, "orders.id")
        page = await self._page("list_orders", "count_orders", where, values, order, query.limit, query.offset)
        return Rows(items=[order_row(row) for row in page.items], total=page.total)

    async def find_orders(self, ref: str, *, shops: frozenset[str] | None) -> Sequence[Mapping[str, Any]]:
        """Whole orders (without journal and effects) whose Pickgate id, shop id or name is `ref`, `#` or not."""
        ref = clean_text(ref.strip())
        plain = ref.removeprefix("#")
        number = int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 18 else None
        async with self._database.session() as session:
            rows = await session.fetch(
                "find_orders", id=number, ref=plain, names=[ref, plain, f"#{plain}"], shops=_listed(shops)
            )
            ids = [row["id"] for row in rows]
            found = await session.fetch("exceptions_of_orders", order_rows=ids, resolved_since=_LONG_AGO)
            people = {order: await session.fetch("open_operator_records", order_row=order) for order in ids}
        return [
            whole_order(row, [item for item in found if item["order_row"] == row["id"]], people[row["id"]])
            for row in rows
        ]

    async def list_journal(self, order: int, *, limit: int, offset: int) -> Rows:
        """Newest first: at, kind, detail, body_id (while the raw body is kept)."""
        async with self._database.session() as session:
            rows = await session.fetch("list_journal", order_row=order, limit=limit, offset=offset)
            total = await session.fetchval("count_journal", order_row=order)
        return Rows(items=[dict(row) for row in rows], total=total)

    async def list_effects(
        self, *, shops: frozenset[str] | None, order: int | None, states: Sequence[str], limit: int, offset: int
    ) -> Rows:
        """Newest first. A refused one has `code` and `problem`."""
        where, values = _shops("effects.shop", shops)
        if order is not None:
            where.append("effects.order_row = :order_row")
            values["order_row"] = order
        if states:
            where.append("effects.state = ANY (:states::text[])")
            values["states"] = list(states)
        return await self._page("list_effects", "count_effects", where, values, "", limit, offset)

    async def list_exceptions(self, query: ExceptionFilter) -> Rows:
        where, values = _shops("shop", query.shops)
        where += {
            "open": [f"resolved_at IS NULL AND NOT {_SNOOZED}"],
            "snoozed": [f"resolved_at IS NULL AND {_SNOOZED}"],
            "resolved": ["resolved_at IS NOT NULL"],
            "all": [],
        }[query.state]
        if query.q.strip():
            where.append("lower(concat_ws(' ', code, order_name, summary)) LIKE :q")
            values["q"] = f"%{_like(query.q)}%"
        for column, value in (("owner", query.owner), ("assignee", query.assignee)):
            if value:
                where.append(f"{column} = :{column}")
                values[column] = clean_text(value)
        if query.codes:
            where.append("code = ANY (:codes::text[])")
            values["codes"] = list(query.codes)
        if query.order is not None:
            where.append("order_row = :order_row")
            values["order_row"] = query.order
        order = _order(query.sort, _EXCEPTION_SORTS, "id")
        page = await self._page("list_exceptions", "count_exceptions", where, values, order, query.limit, query.offset)
        return Rows(items=[exception_row(row) for row in page.items], total=page.total)

    async def find_exceptions(self, ids: Sequence[int], *, shops: frozenset[str] | None) -> Sequence[Mapping[str, Any]]:
        """Exceptions by id, in order of id; one that does not exist, or is of another shop, is left out."""
        rows = await self._database.fetch("find_exceptions", ids=list(ids), shops=_listed(shops))
        return [exception_row(row) for row in rows]

    async def exceptions_by_code(self, *, shops: frozenset[str] | None, now: datetime) -> Sequence[Mapping[str, Any]]:
        """Open ones by code, most first: code, owner, severity, open, overdue, oldest_at."""
        rows = await self._database.fetch("exceptions_by_code", shops=_listed(shops), now=now)
        return [dict(row) for row in rows]

    async def list_audit(
        self,
        *,
        q: str,
        actor: str,
        since: datetime | None,
        shops: frozenset[str] | None,
        limit: int,
        offset: int,
    ) -> Rows:
        """Newest first. Rows of no shop (users, tokens) are shown to those who may see every shop."""
        where, values = _shops("shop", shops)
        if q.strip():
            where.append("lower(concat_ws(' ', action, subject, reason)) LIKE :q")
            values["q"] = f"%{_like(q)}%"
        if actor:
            where.append("actor = :actor")
            values["actor"] = clean_text(actor)
        if since is not None:
            where.append("at >= :since::timestamptz")
            values["since"] = since
        return await self._page("list_audit", "count_audit", where, values, "", limit, offset)

    async def health(self, *, now: datetime, shops: frozenset[str] | None) -> Mapping[str, Any]:
        """Counts and ages for the health page and the gauges. The inbox's numbers are of the last 24 hours."""
        listed = _listed(shops)
        async with self._database.session() as session:
            inbox = await session.fetchrow("health_inbox", since=now - _DAY, shops=listed)
            looks = await session.fetchrow("health_looks", now=now, shops=listed)
            orders = await session.fetch("health_orders", shops=listed)
            effects = await session.fetchrow("health_effects", shops=listed)
            codes = await session.fetch("exceptions_by_code", now=now, shops=listed)
            forecast = await session.fetch("health_forecast", now=now, shops=listed)
        assert inbox is not None and looks is not None and effects is not None
        verdicts = {name: inbox[name] for name in ("hinted", "ignored", "duplicate", "exception")}
        return {
            "inbox_accepted": inbox["accepted"],
            "inbox_duplicates": inbox["duplicates"],
            "inbox_pending": inbox["pending"],
            "inbox_oldest_at": inbox["oldest_pending_at"],
            "inbox_unaccounted": inbox["accepted"] - inbox["pending"] - sum(verdicts.values()),
            "inbox_verdicts": verdicts,
            "looks_due": looks["due"],
            "looks_oldest_due_at": looks["oldest_due_at"],
            "orders_by_state": {row["state"]: row["orders"] for row in orders},
            "open_exceptions": _sums(codes, "owner", "open"),
            "overdue_exceptions": _sums(codes, "owner", "overdue"),
            "exceptions_by_code": _sums(codes, "code", "open"),
            "effects_unknown": effects["unknown"],
            "effects_oldest_unknown_at": effects["oldest_unknown_at"],
            "forecast": [dict(row) for row in forecast],
        }

    async def read_body(self, body_id: int, *, shops: frozenset[str] | None) -> bytes | None:
        """A raw webhook body, decrypted; None when there is none, or retention removed it. Raises SealBroken."""
        row = await self._database.fetchrow("read_body", id=body_id, shops=_listed(shops))
        if row is None or row["body"] is None:
            return None
        return open_body(self._sealer, row)

    async def change_mark(self) -> str:
        """A text that differs whenever an order, an exception or an effect has changed."""
        row = await self._database.fetchrow("change_mark")
        assert row is not None
        return f"{row['journal']}.{row['audit']}.{row['exceptions']}"

    async def pending_migrations(self) -> Sequence[str]:
        """Names of migrations that have not run. Raises StoreUnavailable."""
        return await pending(self._database.dsn)

    async def _page(
        self,
        listing: str,
        counting: str,
        where: Sequence[str],
        values: dict[str, Any],
        order: str,
        limit: int,
        offset: int,
    ) -> Rows:
        async with self._database.session() as session:
            query = build_query(listing, tuple(where), order)
            rows = await session.fetch_built(query, values | {"limit": limit, "offset": offset})
            counted = await session.fetch_built(build_query(counting, tuple(where)), values)
        return Rows(items=[dict(row) for row in rows], total=counted[0]["total"])


def _shops(column: str, shops: frozenset[str] | None) -> tuple[list[str], dict[str, Any]]:
    if shops is None:
        return [], {}
    return [f"{column} = ANY (:shops::text[])"], {"shops": sorted(shops)}


def _listed(shops: frozenset[str] | None) -> list[str] | None:
    return None if shops is None else sorted(shops)


def _order(sort: str, columns: Mapping[str, str], tie: str) -> str:
    """Return an ORDER BY from a known name. Raises KeyError for an unknown one."""
    way = "DESC" if sort.startswith("-") else "ASC"
    return f"{columns[sort.removeprefix('-')]} {way} NULLS LAST, {tie} {way}"


def _like(text: str) -> str:
    """Return the text as typed, for LIKE: its own % and _ are plain signs. Order names may come with `#`."""
    text = clean_text(text.strip().lower())
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _sums(rows: Sequence[Any], key: str, value: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in rows:
        sums[row[key]] = sums.get(row[key], 0) + row[value]
    return sums
