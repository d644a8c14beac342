"""An order as its own queue entry: claim, lease, end of a look; sweeps and cursors.

Leases compare with the `now` that the caller passes. Hosts that share a database keep their clocks together (NTP, well
within the lease's length). A clock that is ahead takes a lease over too early; that costs a repeated look and nothing
else, because the takeover raises the epoch, and every write and every effect of the former holder is refused by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pickgate.flows.ports import GoodsOutAsk, Lease, LeaseLost
from pickgate.store.rows import JournalEntry, Rows, append_journal


class OrderRows(Rows):
    async def claim(self, *, worker: str, now: datetime, lease_seconds: float, limit: int) -> Sequence[Lease]:
        """Lease due orders: soonest first, one shop's flood not starving others; expired leases are taken over."""
        rows = await self._database.fetch(
            "claim_orders", worker=worker, now=now, lease_until=now + timedelta(seconds=lease_seconds), limit=limit
        )
        return [
            Lease(
                order=row["id"],
                shop=row["shop"],
                order_id=row["order_id"],
                name=row["name"],
                epoch=row["epoch"],
                hints_seen=row["hints"],
                failures=row["failures"],
            )
            for row in sorted(rows, key=lambda row: (row["turn"], row["due_at"], row["id"]))
        ]

    async def next_due_at(self) -> datetime | None:
        """When the soonest order is due, or the soonest lease ends; None when nothing waits."""
        due: datetime | None = await self._database.fetchval("next_due_at")
        return due

    async def renew(self, lease: Lease, *, now: datetime, lease_seconds: float) -> None:
        """Hold the order until `now` + `lease_seconds`. Raises LeaseLost."""
        renewed = await self._database.execute(
            "renew_lease",
            order_row=lease.order,
            epoch=lease.epoch,
            lease_until=now + timedelta(seconds=lease_seconds),
        )
        if not renewed:
            raise LeaseLost(f"{lease.shop}/{lease.order_id}: epoch {lease.epoch} does not hold this order any more.")

    async def end_look(self, lease: Lease, *, next_look_at: datetime | None, failed: str | None, now: datetime) -> None:
        """Give the lease back. `failed` counts a failure and keeps its text; None clears the count.

        A hint that came during the look makes the order due at `now`; another wake-up is kept if it is sooner.
        Raises LeaseLost.
        """
        ended = await self._database.execute(
            "end_look",
            order_row=lease.order,
            epoch=lease.epoch,
            hints_seen=lease.hints_seen,
            next_look_at=next_look_at,
            failed=failed,
            now=now,
        )
        if not ended:
            raise LeaseLost(f"{lease.shop}/{lease.order_id}: epoch {lease.epoch} does not hold this order any more.")

    async def note(self, lease: Lease, *, kind: str, detail: Mapping[str, Any], now: datetime) -> None:
        """Append to the order's journal. Needs no lease: what happened has happened."""
        async with self._database.session() as session:
            entry = JournalEntry(order_row=lease.order, shop=lease.shop, at=now, kind=kind, detail=detail)
            await append_journal(session, [entry])

    async def find_orders_of_goods_outs(
        self, *, references: Sequence[str], clarus_ids: Sequence[str]
    ) -> Sequence[tuple[str, str]]:
        """The (shop, order id) whose goods-outs carry one of these references or warehouse ids."""
        rows = await self._database.fetch(
            "find_orders_of_goods_outs", references=list(references), clarus_ids=list(clarus_ids)
        )
        return [(row["shop"], row["order_id"]) for row in rows]

    async def seen_updates(self, *, shop: str, order_ids: Sequence[str]) -> Mapping[str, datetime]:
        """When each order had last changed in the shop, as of our last look. Unknown orders are left out."""
        rows = await self._database.fetch("seen_updates", shop=shop, order_ids=list(order_ids))
        return {row["order_id"]: row["shopify_updated_at"] for row in rows}

    async def open_goods_outs(self, *, after: int, limit: int) -> Sequence[tuple[int, str, str, GoodsOutAsk, str]]:
        """Goods-outs that may be live: (row, shop, order id, ask, fingerprint last seen), by row > after."""
        rows = await self._database.fetch("open_goods_outs", after=after, limit=limit)
        return [
            (
                row["id"],
                row["shop"],
                row["order_id"],
                GoodsOutAsk(reference=row["reference"], account=row["account"], clarus_id=row["clarus_id"]),
                row["polled"],
            )
            for row in rows
        ]

    async def set_polled(self, seen: Mapping[str, str]) -> None:
        """Remember the poll's fingerprints by reference."""
        if seen:
            await self._database.execute("set_polled", references=list(seen), fingerprints=list(seen.values()))

    async def orders_to_sweep(
        self, *, now: datetime, not_looked_since: datetime, sample: int, after: int, limit: int
    ) -> Sequence[tuple[int, str, str]]:
        """Orders that are not settled and were not looked at since, by row > after.

        The first page (`after` 0) begins with a sample of the settled ones, those that were looked at longest ago.
        Whoever goes on after the greatest row of a page misses nothing: a sampled row is greater than the page's last
        only when there is no further page.
        """
        rows = await self._database.fetch(
            "orders_to_sweep", not_looked_since=not_looked_since, after=after, limit=limit
        )
        sampled = []
        if after == 0 and sample > 0:
            upto = rows[-1]["id"] if len(rows) == limit else None
            sampled = await self._database.fetch(
                "settled_sample", not_looked_since=not_looked_since, upto=upto, limit=sample
            )
        return [(row["id"], row["shop"], row["order_id"]) for row in (*sampled, *rows)]

    async def load_cursor(self, name: str) -> str | None:
        value: str | None = await self._database.fetchval("load_cursor", name=name)
        return value

    async def save_cursor(self, name: str, value: str) -> None:
        await self._database.execute("save_cursor", name=name, value=value)
