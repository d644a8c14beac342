"""The memory twin's inbox, claims, sweeps and cursors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from pickgate.domain.findings import Finding
from pickgate.flows.ports import GoodsOutAsk, InboxItem, InboxVerdict, Lease, PendingInbox
from pickgate.store.memory_rows import MemoryInboxRow
from pickgate.store.memory_state import MemoryState

CLAIM_SECONDS = 30.0


class MemoryQueue(MemoryState):
    # ── inbox ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def record_inbox(self, items: Sequence[InboxItem]) -> Sequence[bool]:
        verdicts = []
        for item in items:
            key = (item.source, item.shop, item.topic, item.event_id, sha256(item.body).hexdigest())
            known = self._events.get(key)
            verdicts.append(known is None)
            if known is not None:
                self.inbox[known].duplicates += 1
                continue
            row = MemoryInboxRow(len(self.inbox) + 1, item)
            self.inbox[row.id] = self._pending[row.id] = row
            self._events[key] = row.id
        return verdicts

    async def claim_inbox(self, *, now: datetime, limit: int) -> Sequence[PendingInbox]:
        claimed: list[PendingInbox] = []
        for row in self._pending.values():
            if len(claimed) == limit:
                break
            if row.claimed_until is None or row.claimed_until <= now:
                row.claimed_until = now + timedelta(seconds=CLAIM_SECONDS)
                item = row.item
                claimed.append(
                    PendingInbox(
                        id=row.id,
                        source=item.source,
                        shop=item.shop,
                        topic=item.topic,
                        body=item.body,
                        received_at=item.received_at,
                    )
                )
        return claimed

    async def settle_inbox(self, verdicts: Sequence[InboxVerdict], *, now: datetime, delay_seconds: float) -> None:
        at = now + timedelta(seconds=delay_seconds)
        for verdict in verdicts:
            row = self._pending.pop(verdict.id, None)
            if row is None:
                continue
            row.verdict, row.note, row.claimed_until = verdict.verdict, verdict.note, None
            for shop, order_id in dict.fromkeys(verdict.wake):
                order = self._wake(shop, order_id, at=at, now=now, hints=1)
                self._journal(order, now, "hint", {"source": row.item.source, "topic": row.item.topic})
            if verdict.finding is not None:
                self.exceptions.open_from_inbox(row.item.shop, verdict.finding, now)

    # ── waking and claiming ──────────────────────────────────────────────────────────────────────────────────────

    async def wake(self, *, shop: str, order_id: str, at: datetime, because: str, is_hint: bool = True) -> None:
        order = self._wake(shop, order_id, at=at, now=at, hints=int(is_hint))
        if is_hint:
            self._journal(order, at, "woken", {"because": because})

    async def claim(self, *, worker: str, now: datetime, lease_seconds: float, limit: int) -> Sequence[Lease]:
        leases = []
        for order in self._due.take(now, limit):
            order.epoch += 1
            order.worker = worker
            order.next_look_at = None
            order.lease_until = now + timedelta(seconds=lease_seconds)
            self._due.push(order)
            leases.append(
                Lease(
                    order=order.row,
                    shop=order.shop,
                    order_id=order.order_id,
                    name=order.name,
                    epoch=order.epoch,
                    hints_seen=order.hints,
                    failures=order.failures,
                )
            )
        return leases

    async def next_due_at(self) -> datetime | None:
        return self._due.soonest()

    async def renew(self, lease: Lease, *, now: datetime, lease_seconds: float) -> None:
        order = self._held(lease)
        order.lease_until = now + timedelta(seconds=lease_seconds)
        self._due.push(order)

    async def end_look(self, lease: Lease, *, next_look_at: datetime | None, failed: str | None, now: datetime) -> None:
        order = self._held(lease)
        times = [next_look_at, order.next_look_at, now if order.hints > lease.hints_seen else None]
        order.next_look_at = min((time for time in times if time is not None), default=None)
        order.lease_until = order.worker = None
        order.looked_at = now
        order.failures = order.failures + 1 if failed is not None else 0
        order.last_error = failed
        if order.settled:
            self._settled.move_to_end(order.row)
        self._due.push(order)

    # ── nets ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def find_orders_of_goods_outs(
        self, *, references: Sequence[str], clarus_ids: Sequence[str]
    ) -> Sequence[tuple[str, str]]:
        rows: set[int] = set()
        for reference in references:
            rows |= self._rows_of_reference.get(reference, set())
        for clarus_id in clarus_ids:
            rows |= self._rows_of_clarus_id.get(clarus_id, set())
        orders = {order.row: order for order, _ in (self._goods_outs[row] for row in rows)}
        return [(order.shop, order.order_id) for _, order in sorted(orders.items())]

    async def seen_updates(self, *, shop: str, order_ids: Sequence[str]) -> Mapping[str, datetime]:
        found = {}
        for order_id in order_ids:
            row = self._by_id.get((shop, order_id))
            if row is not None and row.order is not None:
                found[order_id] = row.order.updated_at
        return found

    async def open_goods_outs(self, *, after: int, limit: int) -> Sequence[tuple[int, str, str, GoodsOutAsk, str]]:
        page: list[tuple[int, str, str, GoodsOutAsk, str]] = []
        for row in self._open_goods_outs.after(after):
            if len(page) == limit:
                break
            order, reference = self._goods_outs[row]
            record = order.records[reference]
            ask = GoodsOutAsk(reference=reference, account=record.content.account, clarus_id=record.clarus_id)
            page.append((row, order.shop, order.order_id, ask, self._polled.get(row, "")))
        return page

    async def set_polled(self, seen: Mapping[str, str]) -> None:
        for reference, fingerprint in seen.items():
            for row in self._rows_of_reference.get(reference, ()):
                self._polled[row] = fingerprint

    async def orders_to_sweep(
        self, *, now: datetime, not_looked_since: datetime, sample: int, after: int, limit: int
    ) -> Sequence[tuple[int, str, str]]:
        page: list[int] = []
        for row in self._unsettled.after(after):
            if len(page) == limit:
                break
            looked_at = self.orders[row].looked_at
            if looked_at is None or looked_at < not_looked_since:
                page.append(row)
        sampled: list[int] = []
        if after == 0:
            for row in self._settled:
                looked_at = self.orders[row].looked_at
                if len(sampled) == sample or (looked_at is not None and looked_at >= not_looked_since):
                    break
                if looked_at is not None and (len(page) < limit or row < page[-1]):
                    sampled.append(row)
        return [(row, self.orders[row].shop, self.orders[row].order_id) for row in (*sampled, *page)]

    async def load_cursor(self, name: str) -> str | None:
        return self._cursors.get(name)

    async def save_cursor(self, name: str, value: str) -> None:
        self._cursors[name] = value

    async def raise_shop_finding(self, *, shop: str, scope: str, findings: Sequence[Finding], now: datetime) -> None:
        self.exceptions.reconcile_shop(shop, scope, findings, now)
