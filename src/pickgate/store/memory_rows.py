"""The memory twin's rows: plain objects, and the small indexes that make claiming and paging quick."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pickgate.domain.commands import Command
from pickgate.domain.decision import Decision
from pickgate.domain.facts import Approval, CancelRequest, GoodsOutRecord, OperatorHold
from pickgate.domain.shop import ShopOrder
from pickgate.domain.warehouse import GoodsOut
from pickgate.flows.ports import InboxItem


@dataclass(slots=True)
class MemoryEffect:
    key: str
    kind: str
    target: str
    command: Command
    at: datetime
    sent_at: datetime
    epoch: int
    state: str = "sent"
    attempts: int = 1
    code: str = ""
    problem: str = ""
    note: str = ""
    finished_at: datetime | None = None


@dataclass(slots=True)
class MemoryException:
    """An exception as kept in memory. Open: `resolved_at` is None."""

    id: int
    scope: str
    shop: str
    code: str
    fingerprint: str
    summary: str
    detail: Any
    actions: tuple[str, ...]
    owner: str
    severity: str
    opened_at: datetime
    last_found_at: datetime
    due_at: datetime
    order: int | None = None
    order_name: str = ""
    count: int = 1
    cause_holds: bool = True
    assignee: str | None = None
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    resolution: str | None = None
    closed_by: str | None = None

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None


@dataclass(slots=True)
class MemoryInboxRow:
    id: int
    item: InboxItem
    duplicates: int = 0
    claimed_until: datetime | None = None
    verdict: str | None = None
    note: str = ""


@dataclass(slots=True, eq=False)
class MemoryOrder:
    """One order: its schedule and lease, what was last seen and decided, its records, its timeline."""

    row: int
    shop: str
    order_id: str
    first_seen_at: datetime
    next_look_at: datetime | None
    name: str = ""
    lease_until: datetime | None = None
    worker: str | None = None
    epoch: int = 0
    hints: int = 0
    failures: int = 0
    last_error: str | None = None
    looked_at: datetime | None = None
    settled: bool = False
    order: ShopOrder | None = None
    goods_outs_seen: tuple[GoodsOut, ...] = ()
    decision: Decision | None = None
    read_at: datetime | None = None
    rulebook_version: int = 0
    gates_since: dict[str, datetime] = field(default_factory=dict)
    lock_confirmed_at: datetime | None = None
    carried_from: str | None = None
    digest: str = ""
    kin_digest: str = ""
    records: dict[str, GoodsOutRecord] = field(default_factory=dict)
    effects: dict[str, MemoryEffect] = field(default_factory=dict)
    hold: OperatorHold | None = None
    approval: Approval | None = None
    cancel_request: CancelRequest | None = None
    people: int = 0  # how often people have changed something
    journal: list[tuple[datetime, str, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def due_at(self) -> datetime | None:
        """When it may be claimed: at the end of its lease, or at its next look."""
        return self.lease_until if self.lease_until is not None else self.next_look_at

    @property
    def state(self) -> str:
        return self.decision.state.value if self.decision is not None else "waiting"

    def sorted_records(self) -> tuple[GoodsOutRecord, ...]:
        return tuple(sorted(self.records.values(), key=lambda record: record.number))


class DueQueue:
    """Due times by shop, in heaps. Old entries stay until they come up, and are then thrown away."""

    def __init__(self) -> None:
        self._heaps: dict[str, list[tuple[datetime, int, MemoryOrder]]] = {}

    def push(self, order: MemoryOrder) -> None:
        """Note the order's due time, after every change of it."""
        due = order.due_at
        if due is not None:
            heapq.heappush(self._heaps.setdefault(order.shop, []), (due, order.row, order))

    def take(self, now: datetime, limit: int) -> list[MemoryOrder]:
        """Take up to `limit` due orders: each shop's soonest, then each shop's second, …"""
        turns: list[tuple[int, datetime, int, MemoryOrder]] = []
        for heap in self._heaps.values():
            for turn in range(limit):
                order = self._pop(heap, now)
                if order is None:
                    break
                due = order.due_at
                assert due is not None
                turns.append((turn, due, order.row, order))
        turns.sort(key=lambda item: item[:3])
        for _, _, _, order in turns[limit:]:
            self.push(order)
        return [order for _, _, _, order in turns[:limit]]

    def soonest(self) -> datetime | None:
        found = [due for due in (self._top(heap) for heap in self._heaps.values()) if due is not None]
        return min(found, default=None)

    def _top(self, heap: list[tuple[datetime, int, MemoryOrder]]) -> datetime | None:
        while heap and heap[0][2].due_at != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def _pop(self, heap: list[tuple[datetime, int, MemoryOrder]], now: datetime) -> MemoryOrder | None:
        due = self._top(heap)
        if due is None or due > now:
            return None
        order = heapq.heappop(heap)[2]
        while heap and heap[0][2] is order and heap[0][0] == due:  # the same time was noted twice
            heapq.heappop(heap)
        return order


class SortedRows:
    """A set of row numbers that is read in order, from any place on."""

    def __init__(self) -> None:
        self._rows: list[int] = []

    def add(self, row: int) -> None:
        at = bisect.bisect_left(self._rows, row)
        if at == len(self._rows) or self._rows[at] != row:
            self._rows.insert(at, row)

    def discard(self, row: int) -> None:
        at = bisect.bisect_left(self._rows, row)
        if at < len(self._rows) and self._rows[at] == row:
            del self._rows[at]

    def after(self, row: int) -> Iterator[int]:
        """Rows greater than `row`, in order. Not to be changed meanwhile."""
        for at in range(bisect.bisect_right(self._rows, row), len(self._rows)):
            yield self._rows[at]
