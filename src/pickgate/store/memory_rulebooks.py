"""The memory twin's rulebook versions, and the stored facts of its orders for replays: the rules of PostgreSQL."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pickgate.domain.facts import Records
from pickgate.store.memory import MemoryStore
from pickgate.store.memory_rows import MemoryOrder
from pickgate.store.records import StoredFacts
from pickgate.store.rulebooks import BATCH, RULE_GATES, NoSuchRulebook, batch_due


class MemoryRulebooks:
    """Same words as `RulebookRows`. `audit`: (action, by, subject, reason) of each change, oldest first."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._versions: dict[int, dict[str, Any]] = {}
        self.audit: list[tuple[str, str, str, str]] = []

    async def published_number(self) -> int:
        published = [row for row in self._versions.values() if row["published_at"] is not None]
        newest = max(published, key=lambda row: (row["published_at"], row["number"]), default=None)
        return int(newest["number"]) if newest else 0

    async def published(self) -> tuple[int, Mapping[str, Any]] | None:
        number = await self.published_number()
        return (number, self._versions[number]["tables"]) if number else None

    async def find(self, number: int) -> Mapping[str, Any] | None:
        row = self._versions.get(number)
        return None if row is None else dict(row)

    async def list_versions(self, *, limit: int = 50, offset: int = 0) -> Sequence[Mapping[str, Any]]:
        rows = [self._versions[number] for number in sorted(self._versions, reverse=True)]
        return [
            {name: value for name, value in row.items() if name != "tables"} for row in rows[offset : offset + limit]
        ]

    async def count_versions(self) -> int:
        return len(self._versions)

    async def save(self, tables: Mapping[str, Any], *, note: str, by: str, now: datetime) -> int:
        number = max(self._versions, default=0) + 1
        self._versions[number] = {
            "number": number,
            "tables": copy.deepcopy(dict(tables)),
            "note": note,
            "created_at": now,
            "created_by": by,
            "published_at": None,
            "published_by": None,
        }
        self.audit.append(("save_rulebook", by, f"rulebook {number}", note))
        return number

    async def publish(
        self, number: int, *, reason: str, by: str, now: datetime, expected: int | None = None
    ) -> int | None:
        if expected is not None and expected != await self.published_number():
            return None
        if number not in self._versions:
            raise NoSuchRulebook(f"There is no rulebook version {number}.")
        earlier = [row["published_at"] for row in self._versions.values() if row["published_at"] is not None]
        at = max([now, *(one + timedelta(microseconds=1) for one in earlier)])
        self._versions[number] |= {"published_at": at, "published_by": by}
        self.audit.append(("publish_rulebook", by, f"rulebook {number}", reason))
        return await self.wake_stopped(now=now)

    async def wake_stopped(self, *, now: datetime, sooner_than: timedelta = timedelta(0)) -> int:
        number, woken = await self.published_number(), 0
        for order in list(self._store.orders.values()):
            at = batch_due(woken // BATCH, now)
            latest = max(at, now + sooner_than)
            if _is_stopped(order, number) and (order.next_look_at is None or order.next_look_at > latest):
                await self._store.wake(
                    shop=order.shop, order_id=order.order_id, at=at, because="a rulebook was published"
                )
                woken += 1
        return woken

    # ── for replays ──────────────────────────────────────────────────────────────────────────────────────────────

    async def newest_orders(self, *, limit: int, shops: frozenset[str] | None = None) -> Sequence[int]:
        """Rows of the newest orders that have been read."""
        read = [
            (order.order.created_at, order.row)
            for order in self._store.orders.values()
            if order.order is not None and (shops is None or order.shop in shops)
        ]
        return [row for _, row in sorted(read, reverse=True)[:limit]]

    async def load_facts(self, order: int) -> StoredFacts | None:
        """The facts of the last look, as `PostgresStore.load_facts` gives them."""
        row = self._store.orders.get(order)
        if row is None:
            return None
        return StoredFacts(
            shop=row.shop,
            order_id=row.order_id,
            order=row.order,
            goods_outs=row.goods_outs_seen,
            records=Records(
                first_seen_at=row.first_seen_at,
                goods_outs=row.sorted_records(),
                hold=row.hold,
                approval=row.approval,
                cancel_request=row.cancel_request,
                lock_confirmed_at=row.lock_confirmed_at,
                gates_since=dict(row.gates_since),
                carried_from=row.carried_from,
            ),
            read_at=row.read_at,
            rulebook_version=row.rulebook_version,
        )


def _is_stopped(order: MemoryOrder, published: int) -> bool:
    gates = order.decision.gates if order.decision is not None else ()
    return not order.settled and order.rulebook_version != published and any(gate.code in RULE_GATES for gate in gates)
