"""Webhooks on their way: a twin puts them here, whoever runs the twin carries them.

The outbox decides nothing about loss, delay or order: `faults.py` does, when the delivery is taken out.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook to be POSTed (or GETed) to `url` not before `due_at`."""

    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes
    due_at: datetime
    topic: str
    attempt: int = 1
    source: str = ""
    """The sending twin's id of the subscription, when it wants to hear how the delivery went."""


class DeliveryQueue:
    """Deliveries waiting to be carried, soonest first; equal times keep the order in which they were put."""

    def __init__(self) -> None:
        self._waiting: list[tuple[datetime, int, Delivery]] = []
        self._count = 0

    def put(self, delivery: Delivery) -> None:
        self._count += 1
        heapq.heappush(self._waiting, (delivery.due_at, self._count, delivery))

    def take_due(self, now: datetime) -> list[Delivery]:
        """Remove and return what is due, in order of `due_at`."""
        due = []
        while self._waiting and self._waiting[0][0] <= now:
            due.append(heapq.heappop(self._waiting)[2])
        return due

    def next_due_at(self) -> datetime | None:
        return self._waiting[0][0] if self._waiting else None

    def __len__(self) -> int:
        return len(self._waiting)
