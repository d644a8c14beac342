"""What Clarus received, and what the shop shows of the lock: plain values, read from the twins, to compare with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pickgate.simulation.driver import START
from pickgate.twins.history import HistoryEvent

Units = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something that Clarus received and took: compared by what was said and about which goods, in order of arrival.

    `lines`: (product code, units) as the order stood afterwards, sorted; empty for a cancellation.
    """

    kind: str
    reference: str
    lines: tuple[tuple[str, int], ...] = ()
    by: str = "api"
    at: datetime = field(default=START, compare=False)
    content: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def address(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.content["address"]
        return found

    @property
    def service(self) -> str:
        return f"{self.content['carrier']}/{self.content['service']}"

    @property
    def warehouse(self) -> str:
        return str(self.content["warehouse"])

    @property
    def attributes(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.content["attributes"]
        return found

    @property
    def by_line(self) -> list[tuple[str, str, int]]:
        """(the shop's line item number, product code, units), sorted."""
        return sorted(
            (
                str(line["attributes"].get("external_system_reference1", "")),
                str(line["product_code"]),
                int(line["quantity"]),
            )
            for line in self.content["lines"]
        )


def created(reference: str, units: Units) -> Message:
    return Message(kind="created", reference=reference, lines=tuple(sorted(units.items())))


def amended(reference: str, units: Units, *, by: str = "api") -> Message:
    return Message(kind="amended", reference=reference, lines=tuple(sorted(units.items())), by=by)


def cancelled(reference: str) -> Message:
    return Message(kind="cancelled", reference=reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """How the shop shows the lock: the tag, the app's metafield, progress on any fulfilment order."""

    tag: bool
    metafield: str | None
    progress: bool


FREE = Lock(tag=False, metafield=None, progress=False)
TAKEN = Lock(tag=True, metafield="locked", progress=True)
LIFTED = Lock(tag=False, metafield="open", progress=False)
# Everything has left: the fulfilment order is closed, and what remains of the lock is its tag and metafield.
KEPT = Lock(tag=True, metafield="locked", progress=False)


def messages_of(event: HistoryEvent, reference: str) -> list[Message]:
    """What an event of the warehouse's history says that it received; nothing for what happens on its floor."""
    detail = event.detail
    if event.kind == "goods_out_created":
        return [_with_lines("created", reference, event, detail["content"], detail["by"])]
    if event.kind == "goods_out_amended":
        return [_with_lines("amended", reference, event, detail["after"], detail["by"])]
    if event.kind == "goods_out_deleted":
        by = "hand" if detail["by"] == "hand" else "api"
        return [Message(kind="cancelled", reference=reference, by=by, at=event.at)]
    if event.kind == "goods_out_cancelled":
        return [Message(kind="cancelled", reference=reference, at=event.at)]
    return []


def _with_lines(kind: str, reference: str, event: HistoryEvent, content: Mapping[str, Any], by: str) -> Message:
    units: Counter[str] = Counter()
    for line in content["lines"]:
        units[str(line["product_code"])] += int(line["quantity"])
    lines = tuple(sorted(units.items()))
    return Message(kind=kind, reference=reference, lines=lines, by=by, at=event.at, content=content)
