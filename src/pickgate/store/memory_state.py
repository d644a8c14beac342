"""The memory twin's state and its indexes: what every part of `MemoryStore` shares."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pickgate.domain.facts import GoodsOutRecord
from pickgate.domain.shop import ShopOrder
from pickgate.flows.ports import Lease, LeaseLost
from pickgate.store.memory_exceptions import MemoryExceptions
from pickgate.store.memory_rows import DueQueue, MemoryInboxRow, MemoryOrder, SortedRows


class MemoryState:
    def __init__(self, *, keep_journal: bool = True) -> None:
        self.orders: dict[int, MemoryOrder] = {}
        self.inbox: dict[int, MemoryInboxRow] = {}
        self.exceptions = MemoryExceptions()
        self._keep_journal = keep_journal
        self._by_id: dict[tuple[str, str], MemoryOrder] = {}
        self._by_name: dict[tuple[str, str], dict[int, MemoryOrder]] = {}
        self._by_customer: dict[tuple[str, str], dict[int, MemoryOrder]] = {}
        self._due = DueQueue()
        self._unsettled = SortedRows()
        self._settled: OrderedDict[int, None] = OrderedDict()  # the one looked at longest ago first
        self._events: dict[tuple[str, ...], int] = {}
        self._pending: dict[int, MemoryInboxRow] = {}
        self._goods_outs: dict[int, tuple[MemoryOrder, str]] = {}  # by goods-out row
        self._goods_out_rows: dict[tuple[str, str], int] = {}  # by shop and reference
        self._rows_of_reference: dict[str, set[int]] = {}
        self._rows_of_clarus_id: dict[str, set[int]] = {}
        self._open_goods_outs = SortedRows()
        self._polled: dict[int, str] = {}
        self._cursors: dict[str, str] = {}
        self._last_goods_out = 0

    def _held(self, lease: Lease) -> MemoryOrder:
        order = self.orders[lease.order]
        if order.epoch != lease.epoch or order.lease_until is None:
            raise LeaseLost(f"{lease.shop}/{lease.order_id}: epoch {lease.epoch} does not hold this order any more.")
        return order

    def record_person(self, order: MemoryOrder, action: str, detail: Mapping[str, Any], now: datetime) -> None:
        """Note what a person did; it counts as a hint."""
        order.people += 1
        self._wake(order.shop, order.order_id, at=now, now=now, hints=1)
        self._journal(order, now, action, detail)

    def _wake(self, shop: str, order_id: str, *, at: datetime, now: datetime, hints: int) -> MemoryOrder:
        order = self._by_id.get((shop, order_id))
        if order is None:
            order = MemoryOrder(len(self.orders) + 1, shop, order_id, first_seen_at=now, next_look_at=at)
            self.orders[order.row] = self._by_id[shop, order_id] = order
            self._unsettled.add(order.row)
            self._due.push(order)
        elif order.next_look_at is None or at < order.next_look_at:
            order.next_look_at = at
            self._due.push(order)
        order.hints += hints
        return order

    def _describe(self, row: MemoryOrder, order: ShopOrder) -> None:
        row.order = order
        if row.name != order.name:
            self._by_name.get((row.shop, row.name), {}).pop(row.row, None)
            self._by_name.setdefault((row.shop, order.name), {})[row.row] = row
            row.name = order.name
        if order.customer_id is not None:
            self._by_customer.setdefault((row.shop, order.customer_id), {})[row.row] = row

    def _settle(self, row: MemoryOrder, *, is_settled: bool) -> None:
        if is_settled == row.settled:
            return
        row.settled = is_settled
        if is_settled:
            self._unsettled.discard(row.row)
            self._settled[row.row] = None
        else:
            self._settled.pop(row.row, None)
            self._unsettled.add(row.row)

    def _put_record(self, order: MemoryOrder, record: GoodsOutRecord) -> None:
        key = (order.shop, record.reference)
        row = self._goods_out_rows.get(key)
        if row is None:
            self._last_goods_out += 1
            row = self._goods_out_rows[key] = self._last_goods_out
            self._goods_outs[row] = (order, record.reference)
            self._rows_of_reference.setdefault(record.reference, set()).add(row)
        elif self._goods_outs[row][0] is not order:
            raise ValueError(f"{record.reference} belongs to another order of {order.shop}.")
        order.records[record.reference] = record
        if record.clarus_id is not None:
            self._rows_of_clarus_id.setdefault(record.clarus_id, set()).add(row)
        if record.may_be_live:
            self._open_goods_outs.add(row)
        else:
            self._open_goods_outs.discard(row)

    def _replace_record(self, order: MemoryOrder, before: GoodsOutRecord | None, after: GoodsOutRecord | None) -> None:
        if after is not None:
            self._put_record(order, after)
        elif before is not None:
            del order.records[before.reference]
            row = self._goods_out_rows.pop((order.shop, before.reference))
            del self._goods_outs[row]
            self._rows_of_reference[before.reference].discard(row)
            if before.clarus_id is not None:
                self._rows_of_clarus_id[before.clarus_id].discard(row)
            self._open_goods_outs.discard(row)
            self._polled.pop(row, None)

    def _journal(self, order: MemoryOrder, at: datetime, kind: str, detail: Mapping[str, Any]) -> None:
        if self._keep_journal:
            order.journal.append((at, kind, detail))
