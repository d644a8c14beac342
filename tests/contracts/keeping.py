"""Both stores behind one face, for the suite that holds for either."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import cast
from pickgate.domain.decision import Decision, OrderState
from pickgate.domain.findings import Finding
from pickgate.domain.shop import ShopOrder
from pickgate.flows.ports import InboxItem, Lease, Store
from pickgate.store.memory import MemoryStore
from pickgate.store.memory_exceptions import MemoryOperators
from pickgate.store.postgres import PostgresStore

if TYPE_CHECKING:
    from pickgate.store.connection import Connection

NOON = cast.NOON


class Operators(Protocol):
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


@dataclass(frozen=True, slots=True)
class Kept:
    """A store, what people do to it, and a way to look inside."""

    store: Store
    operators: Operators
    exceptions: Callable[[], Awaitable[list[dict[str, Any]]]]
    journal: Callable[[int], Awaitable[list[tuple[str, Mapping[str, Any]]]]]

    async def lease(self, order_id: str = "5001", *, at: datetime = NOON, shop: str = "uk") -> Lease:
        """Wake an order and claim it."""
        await self.store.wake(shop=shop, order_id=order_id, at=at, because="test")
        leases = await self.store.claim(worker="w1", now=at, lease_seconds=30, limit=100)
        return next(lease for lease in leases if (lease.shop, lease.order_id) == (shop, order_id))

    async def decide(
        self,
        lease: Lease,
        decision: Decision,
        *,
        order: ShopOrder | None = None,
        now: datetime = NOON,
    ) -> None:
        await self.store.record_decision(
            lease, decision=decision, order=order, goods_outs=(), read_at=now, now=now, rulebook_version=3
        )


EXCEPTION_FIELDS = (
    "code", "fingerprint", "owner", "severity", "count", "summary", "opened_at", "due_at", "assignee",
    "snoozed_until", "resolved_at", "resolution", "closed_by", "cause_holds", "order_name", "shop",
)  # fmt: skip


def keep_in_memory() -> Kept:
    store = MemoryStore()

    async def exceptions() -> list[dict[str, Any]]:
        return [
            {"id": item.id, "detail": item.detail} | {name: getattr(item, name) for name in EXCEPTION_FIELDS}
            for item in store.exceptions.all
        ]

    async def journal(order: int) -> list[tuple[str, Mapping[str, Any]]]:
        return [(kind, detail) for _, kind, detail in store.orders[order].journal]

    return Kept(store, MemoryOperators(store), exceptions, journal)


def keep_in_postgres(store: PostgresStore, operators: Operators, connection: Connection) -> Kept:
    async def exceptions() -> list[dict[str, Any]]:
        columns = ", ".join(("id", "detail", *EXCEPTION_FIELDS))
        return [dict(row) for row in await connection.fetch(f"SELECT {columns} FROM exceptions ORDER BY id")]

    async def journal(order: int) -> list[tuple[str, Mapping[str, Any]]]:
        rows = await connection.fetch("SELECT kind, detail FROM journal WHERE order_row = $1 ORDER BY id", order)
        return [(row["kind"], row["detail"]) for row in rows]

    return Kept(store, operators, exceptions, journal)


def webhook(
    event: str = "e1", *, body: bytes = b'{"id": 5001}', shop: str = "uk", topic: str = "orders/edited"
) -> InboxItem:
    return InboxItem(
        source="shopify", shop=shop, topic=topic, event_id=event, webhook_id=f"w-{event}", body=body, received_at=NOON
    )


def finding(
    code: str = "LATE_EDIT", *, fingerprint: str = "f1", summary: str = "It is late.", **detail: object
) -> Finding:
    return Finding(code=code, fingerprint=fingerprint, summary=summary, detail=detail, actions=("look_at_order",))


def decision(state: OrderState = OrderState.WAITING, **more: Any) -> Decision:
    return Decision(state=state, **more)


def after(seconds: float = 0, **more: float) -> datetime:
    return NOON + timedelta(seconds=seconds, **more)
