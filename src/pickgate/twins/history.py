"""What truly happened, as the twin saw it. The oracle reads this, never what Pickgate sent or stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEvent:
    """One fact. `subject` is the twin's own id of the thing; `detail` holds plain JSON values."""

    number: int
    at: datetime
    kind: str
    subject: str
    detail: Mapping[str, Any]


class History:
    """Append-only. Numbers start at 1 and have no gaps."""

    def __init__(self) -> None:
        self._events: list[HistoryEvent] = []
        self._by_subject: dict[str, list[HistoryEvent]] = {}

    def append(self, *, at: datetime, kind: str, subject: str, **detail: Any) -> HistoryEvent:
        event = HistoryEvent(number=len(self._events) + 1, at=at, kind=kind, subject=subject, detail=detail)
        self._events.append(event)
        self._by_subject.setdefault(subject, []).append(event)
        return event

    def __iter__(self) -> Iterator[HistoryEvent]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def of_kind(self, *kinds: str) -> list[HistoryEvent]:
        return [event for event in self._events if event.kind in kinds]

    def of_subject(self, subject: str) -> list[HistoryEvent]:
        return list(self._by_subject.get(subject, ()))

    def since(self, number: int) -> list[HistoryEvent]:
        """Return the events after the one with this number; 0 for all."""
        return self._events[number:]
