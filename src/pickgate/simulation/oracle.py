"""The judge. Its truth is the twins' histories; from Pickgate it takes only the exceptions that were open, and when.

Each violation names the law, the order, and the evidence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pickgate.simulation.world import number
from pickgate.twins.history import HistoryEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenException:
    """An exception that Pickgate had open: for which shop order id, from when to when (None: still)."""

    code: str
    order_id: str
    opened_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    law: str
    order: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.law} {self.order}: {self.evidence}"


@dataclass(slots=True)
class OrderTruth:
    """One shop order as its history has it: versions of its lines, and what the warehouse did for it."""

    id: str
    name: str
    times: list[datetime] = field(default_factory=list)
    versions: list[dict[str, int]] = field(default_factory=list)
    cancelled_at: datetime | None = None
    fulfilled: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    goods_outs: list[GoodsOutTruth] = field(default_factory=list)

    def version_at(self, at: datetime) -> dict[str, int]:
        index = bisect_right(self.times, at) - 1
        return self.versions[index] if index >= 0 else {}

    def versions_between(self, start: datetime, end: datetime) -> list[dict[str, int]]:
        """Every version that was current at some instant of the span."""
        first = max(0, bisect_right(self.times, start) - 1)
        return self.versions[first : bisect_right(self.times, end)]

    def most_ever(self, line_id: str) -> int:
        return max((version.get(line_id, 0) for version in self.versions), default=0)


@dataclass(slots=True)
class GoodsOutTruth:
    """One goods-out as the warehouse's history has it. Units by Shopify line id."""

    id: int
    reference: str
    fulfilment_order: str
    created_at: datetime
    contents: list[tuple[datetime, dict[str, int]]]
    by_hand: bool = False
    ended_at: datetime | None = None
    completed_at: datetime | None = None
    picked: list[tuple[datetime, str, int]] = field(default_factory=list)
    left: list[tuple[datetime, str, int]] = field(default_factory=list)
    line_of: dict[int, str] = field(default_factory=dict)


def read_truth(shop: Iterable[HistoryEvent], warehouse: Iterable[HistoryEvent]) -> dict[str, OrderTruth]:
    """Rebuild every order from the two histories. Keys are the shop's numeric order ids."""
    orders: dict[str, OrderTruth] = {}
    for event in shop:
        lines = event.detail.get("lines")
        if lines is None or "name" not in event.detail:
            continue
        order_id = number(event.subject)
        truth = orders.setdefault(order_id, OrderTruth(id=order_id, name=event.detail["name"]))
        version = {number(line["id"]): int(line["current_quantity"]) for line in lines}
        if not truth.versions or truth.versions[-1] != version:
            truth.times.append(event.at)
            truth.versions.append(version)
        if event.kind == "order_cancelled":
            truth.cancelled_at = event.at
        if event.kind == "fulfillment_created":
            for line_id, units in _fulfilled(event):
                truth.fulfilled[line_id] += units
    by_id: dict[int, tuple[OrderTruth, GoodsOutTruth]] = {}
    for event in warehouse:
        _read_warehouse(event, orders, by_id)
    return orders


def _fulfilled(event: HistoryEvent) -> Iterable[tuple[str, int]]:
    for line_id, units in event.detail["fulfilled"]:
        yield number(line_id), int(units)


def _read_warehouse(
    event: HistoryEvent, orders: Mapping[str, OrderTruth], by_id: dict[int, tuple[OrderTruth, GoodsOutTruth]]
) -> None:
    detail = event.detail
    if event.kind == "goods_out_created":
        content = detail["content"]
        order = orders.get(str(content["attributes"].get("external_system_reference1", "")))
        if order is None:
            return
        made = GoodsOutTruth(
            id=detail["goods_out_id"],
            reference=detail["reference"],
            fulfilment_order=str(content["attributes"].get("external_system_reference2", "")),
            created_at=event.at,
            contents=[(event.at, _units(content["lines"]))],
            line_of=_lines(content["lines"]),
        )
        order.goods_outs.append(made)
        by_id[made.id] = (order, made)
        return
    pair = by_id.get(detail.get("goods_out_id", -1))
    if pair is None:
        return
    goods_out = pair[1]
    if event.kind == "goods_out_amended":
        goods_out.line_of.update(_lines(detail["after"]["lines"]))
        if detail.get("by") not in ("api", "rest", None):
            goods_out.by_hand = True
        goods_out.contents.append((event.at, _units(detail["after"]["lines"])))
    elif event.kind in ("goods_out_deleted", "goods_out_cancelled"):
        goods_out.ended_at = event.at
        if detail.get("by") == "hand":
            goods_out.by_hand = True
    elif event.kind == "line_picked":
        line_id = goods_out.line_of.get(detail["line_id"], "?")
        goods_out.picked.append((event.at, line_id, int(detail["units"])))
    elif event.kind == "dispatched":
        for entry in detail["lines"]:
            line_id = goods_out.line_of.get(entry["line_id"], "?")
            goods_out.left.append((event.at, line_id, int(entry["units"])))
    elif event.kind == "dispatch_unconfirmed":
        for entry in detail["lines"]:
            line_id = goods_out.line_of.get(entry["line_id"], "?")
            goods_out.left.append((event.at, line_id, -int(entry["units"])))
        goods_out.by_hand = True
    elif event.kind == "status_changed":
        if detail["after"] == "COMPLETED":
            goods_out.completed_at = event.at
        elif detail["before"] == "COMPLETED":
            goods_out.completed_at = None


def _lines(lines: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    return {line["line_id"]: str(line["attributes"].get("external_system_reference1") or "?") for line in lines}


def _units(lines: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    units: dict[str, int] = defaultdict(int)
    for line in lines:
        units[str(line["attributes"].get("external_system_reference1") or "?")] += int(line["quantity"])
    return dict(units)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the laws allow. `fresh`: how old a read may be at a release. `notice`: how long a late edit may go unseen."""

    fresh: timedelta = timedelta(seconds=45)
    notice: timedelta = timedelta(minutes=15)


class Oracle:
    """Checks the laws over whole histories. Call `judge` at rest."""

    def __init__(
        self, orders: Mapping[str, OrderTruth], exceptions: Sequence[SeenException], bounds: Bounds | None = None
    ) -> None:
        self._orders = orders
        self._bounds = bounds or Bounds()
        self._exceptions: dict[str, list[SeenException]] = defaultdict(list)
        for seen in exceptions:
            self._exceptions[seen.order_id].append(seen)

    def judge(self) -> list[Violation]:
        """Return every violation found, in order of the orders' ids."""
        found: list[Violation] = []
        for order in self._orders.values():
            found += self._release_gate(order)
            found += self._one_live(order)
            found += self._no_double_despatch(order)
            found += self._late_edits_are_said(order)
            found += self._told_what_left(order)
            found += self._cancelled_is_recalled_or_said(order)
            found += self._at_rest(order)
        return found

    def _release_gate(self, order: OrderTruth) -> Iterable[Violation]:
        """I1: what was released is what the order held at a read at most `fresh` old."""
        for goods_out in order.goods_outs:
            for at, units in goods_out.contents:
                if goods_out.by_hand:
                    continue
                versions = order.versions_between(at - self._bounds.fresh, at)
                if not any(all(n <= version.get(line, 0) for line, n in units.items()) for version in versions):
                    yield self._violation(
                        "I1", order, f"{goods_out.reference} was released with {units}; the order held {versions[-1:]}"
                    )

    def _one_live(self, order: OrderTruth) -> Iterable[Violation]:
        """I2: never two live goods-outs for one fulfilment order; a successor only after the recall was confirmed."""
        changes: list[tuple[datetime, int, str, str]] = []
        for goods_out in order.goods_outs:
            changes.append((goods_out.created_at, 1, goods_out.fulfilment_order, goods_out.reference))
            ended = goods_out.ended_at or goods_out.completed_at
            if ended is not None:
                changes.append((ended, -1, goods_out.fulfilment_order, goods_out.reference))
        live: dict[str, int] = defaultdict(int)
        for _, change, fulfilment_order, reference in sorted(changes, key=lambda c: (c[0], c[1])):
            live[fulfilment_order] += change
            if live[fulfilment_order] > 1:
                yield self._violation("I2", order, f"{reference} made two live goods-outs for {fulfilment_order}")

    def _no_double_despatch(self, order: OrderTruth) -> Iterable[Violation]:
        """I2p: no more of a line leaves than the order ever held of it."""
        left = _sum((line, n) for g in order.goods_outs if not g.by_hand for _, line, n in g.left)
        for line, units in left.items():
            if line != "?" and units > order.most_ever(line):
                yield self._violation(
                    "I2p", order, f"{units} of line {line} left; it never held more than {order.most_ever(line)}"
                )

    def _late_edits_are_said(self, order: OrderTruth) -> Iterable[Violation]:
        """I1c: goods that the order no longer wants do not leave in silence."""
        for goods_out in order.goods_outs:
            if goods_out.by_hand:
                continue
            for at, line, units in goods_out.left:
                if units <= 0 or line == "?":
                    continue
                before = order.version_at(at - self._bounds.notice)
                now = order.version_at(at)
                surplus = units - max(before.get(line, 0), now.get(line, 0))
                if surplus > 0 and not self._said(order, by=at):
                    yield self._violation(
                        "I1c", order, f"{goods_out.reference}: {surplus} of line {line} left at {at:%H:%M:%S}, unsaid"
                    )

    def _told_what_left(self, order: OrderTruth) -> Iterable[Violation]:
        """I8: the shop is told of every unit that left, once; what it cannot be told of is an exception."""
        left = _sum((line, n) for g in order.goods_outs for _, line, n in g.left if line != "?")
        for line in {*left, *order.fulfilled}:
            told, gone = order.fulfilled.get(line, 0), left.get(line, 0)
            if told > gone:
                yield self._violation("I8", order, f"the shop was told of {told} of line {line}; {gone} left")
            elif told < gone and not self._open(order):
                yield self._violation(
                    "I8d", order, f"{gone} of line {line} left, the shop knows of {told}; no exception"
                )

    def _cancelled_is_recalled_or_said(self, order: OrderTruth) -> Iterable[Violation]:
        """I12: a cancelled order has no live goods-out, or somebody owns the problem."""
        if order.cancelled_at is None:
            return
        for goods_out in order.goods_outs:
            if goods_out.ended_at is None and not self._ever(order, after=order.cancelled_at):
                yield self._violation("I12", order, f"cancelled, and {goods_out.reference} lives on; no exception")

    def _at_rest(self, order: OrderTruth) -> Iterable[Violation]:
        """I14: at rest the warehouse holds, or has sent, what the order wants; every difference has an owner."""
        if self._open(order):
            return
        want = {} if order.cancelled_at else {k: n for k, n in order.versions[-1].items() if n}
        have: dict[str, int] = defaultdict(int)
        for goods_out in order.goods_outs:
            if goods_out.ended_at is None and goods_out.completed_at is None:
                for line, units in goods_out.contents[-1][1].items():
                    have[line] += units
            else:
                for _, line, units in goods_out.left:
                    have[line] += units
        for line, units in have.items():
            if units and units > want.get(line, 0) and line != "?":
                yield self._violation(
                    "I14",
                    order,
                    f"the warehouse has {units} of line {line}, the order wants {want.get(line, 0)}; no exception",
                )

    def _said(self, order: OrderTruth, *, by: datetime) -> bool:
        return any(seen.opened_at <= by for seen in self._exceptions[order.id])

    def _ever(self, order: OrderTruth, *, after: datetime) -> bool:
        return any(seen.closed_at is None or seen.closed_at >= after for seen in self._exceptions[order.id])

    def _open(self, order: OrderTruth) -> bool:
        return any(seen.closed_at is None for seen in self._exceptions[order.id])

    def _violation(self, law: str, order: OrderTruth, evidence: str) -> Violation:
        return Violation(law=law, order=f"{order.name} ({order.id})", evidence=evidence)


def _sum(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    for line, units in pairs:
        total[line] += units
    return dict(total)
