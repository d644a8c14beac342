"""Laws of what may be released, picked and changed, and when somebody must have been told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from pickgate.simulation.docket import SURPLUS, Docket, Violation, breaks
from pickgate.simulation.truth import GoodsOutTruth, OrderTruth

Orders = Mapping[str, OrderTruth]


def released_from_a_fresh_read(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I1a: what was released, or amended, is what the order held at a read at most `fresh` old."""
    for goods_out in order.goods_outs:
        if goods_out.by_hand or goods_out.made_by_hand:
            continue
        for at, units in goods_out.contents:
            versions = order.versions_between(at - docket.bounds.fresh, at)
            if not any(all(n <= version.get(line, 0) for line, n in units.items()) for version in versions):
                yield breaks(
                    "I1a", order, f"{goods_out.reference} was released with {units}; the order held {versions[-1:]}"
                )


def released_through_open_gates(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I1a: at some instant of the read that led to a release, every gate that the shop shows was open."""
    for goods_out in order.goods_outs:
        at = goods_out.created_at
        if goods_out.made_by_hand:
            continue
        if not order.is_shipped:
            yield breaks("I1a", order, f"{goods_out.reference} was released; the order is none of the warehouse's")
            continue
        start = at - docket.bounds.fresh
        instants = [start, at]
        for timeline in (order.tags, order.held, order.paid):
            instants += [when for when in timeline.times if start <= when <= at]
        by_person = docket.released_by_person(order, by=at)
        reasons = [_closed_gates(order, docket, when, at, by_person=by_person) for when in sorted(instants)]
        if all(reasons):
            yield breaks("I1a", order, f"{goods_out.reference} was released at {at:%H:%M:%S} though {reasons[-1]}")


def _closed_gates(order: OrderTruth, docket: Docket, when: datetime, at: datetime, *, by_person: bool) -> str:
    """Name the first gate that is closed at an instant; empty: none. A person's word opens all but the shop's hold."""
    if order.cancelled_at is not None and order.cancelled_at <= when:
        return "it is cancelled"
    if order.held.at(when):
        return "it is on hold in the shop"
    if by_person:
        return ""
    bounds = docket.bounds
    if order.created_at is not None and at < order.created_at + bounds.window - bounds.skew - timedelta(seconds=1):
        return "its edit window is open"
    tags = [tag for tag in order.tags.at(when) or () if tag in bounds.hold_tags]
    if tags:
        return f"it is tagged {tags[0]}"
    return "" if order.paid.at(when) is not False else "it is not paid"


def superseded_never_picked(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I1b: no more is picked of a product than the order held at the read that led to the pick."""
    for goods_out in order.goods_outs:
        if goods_out.by_hand or goods_out.made_by_hand or not goods_out.picked:
            continue
        allowed: dict[str, int] = defaultdict(int)
        for at, _ in goods_out.contents:
            for version in order.versions_between(at - docket.bounds.fresh, at):
                for sku, units in order.by_sku(version).items():
                    allowed[sku] = max(allowed[sku], units)
        asked = {sku: max(order.by_sku(u).get(sku, 0) for _, u in goods_out.contents) for sku in order.sku_of.values()}
        picked: dict[str, int] = defaultdict(int)
        for _, line_id, units in goods_out.picked:
            picked[order.sku_of.get(line_id, "?")] += units
        for sku in picked:
            if sku != "?" and asked.get(sku, 0) > allowed[sku]:
                yield breaks("I1b", order, f"{goods_out.reference}: {asked[sku]} × {sku} picked, {allowed[sku]} held")


def one_live(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I2: never two live goods-outs for one fulfilment order; a successor only after the recall was confirmed.

    A person may release an addition as a parcel of its own; even then no line is in two live goods-outs at once, beyond
    what the order holds of it.
    """
    for younger in order.goods_outs:
        for older in order.goods_outs:
            if older is younger or (older.created_at, older.id) >= (younger.created_at, younger.id):
                continue
            if older.over_at(younger.created_at) or younger.made_by_hand:
                continue
            shared = set(_content_at(older, younger.created_at)) & set(younger.contents[0][1]) - {"?"}
            same = older.fulfilment_order == younger.fulfilment_order
            if same and not (docket.released_by_person(order, by=younger.created_at) and not shared):
                yield breaks("I2", order, f"{younger.reference} was made while {older.reference} was live")
            elif shared and any(
                _content_at(older, younger.created_at)[line] + younger.contents[0][1][line]
                > max(version.get(line, 0) for version in order.versions)
                for line in shared
            ):
                yield breaks("I2", order, f"{younger.reference} and {older.reference} hold the same units")


def predecessor_is_gone(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I2: what replaces an order is not released while the replaced one is live or has left; a person may say so."""
    successor = orders.get(docket.successors.get(order.id, ""))
    if successor is None:
        return
    for younger in successor.goods_outs:
        at = younger.created_at
        if docket.released_by_person(successor, by=at):
            continue
        for older in order.goods_outs:
            left = sum(units for when, _, units in older.left if when <= at)
            if older.created_at <= at and (left > 0 or not older.over_at(at)):
                yield breaks("I2", successor, f"{younger.reference} was made, and {order.name} had {older.reference}")


def operators_are_obeyed(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I28: nothing is released while an operator's hold or cancellation stands."""
    stopped_at: datetime | None = None
    spans: list[tuple[datetime, datetime]] = []
    for word in docket.words.get(order.id, ()):
        if word.verb in ("hold", "take_back"):
            stopped_at = stopped_at or word.at
        elif stopped_at is not None and word.verb == "unhold":
            spans.append((stopped_at, word.at))
            stopped_at = None
    if stopped_at is not None and docket.end is not None:
        spans.append((stopped_at, docket.end))
    for goods_out in order.goods_outs:
        for start, end in spans:
            if start + timedelta(seconds=10) < goods_out.created_at < end and not goods_out.made_by_hand:
                yield breaks("I28", order, f"{goods_out.reference} was released while an operator had stopped it")
    yield from _taken_back(order, docket)


def _taken_back(order: OrderTruth, docket: Docket) -> Iterator[Violation]:
    """What an operator takes back is recalled in time, or somebody is told that it is too late."""
    words = docket.words.get(order.id, ())
    for number, word in enumerate(words):
        due = docket.deadline(word.at, docket.bounds.notice)
        overruled = any(later.at <= due for later in words[number + 1 :])
        if word.verb != "take_back" or overruled or docket.end is None or due > docket.end:
            continue
        for goods_out in order.goods_outs:
            live = goods_out.created_at <= word.at and not goods_out.over_at(due)
            if live and not goods_out.by_hand and not docket.said(order, SURPLUS, by=due, since=word.at):
                yield breaks("I28", order, f"{goods_out.reference} was taken back at {word.at:%H:%M:%S}, and lives on")


# ── late changes ─────────────────────────────────────────────────────────────────────────────────────────────────────


def late_changes_are_said(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I1c, I12: what the warehouse holds and the order no longer wants is undone, or said, in time."""
    for start, end, surplus in _surplus_spans(order, docket):
        due = docket.deadline(start, docket.bounds.notice)
        law = "I12" if order.cancelled_at is not None and order.cancelled_at <= start else "I1c"
        if end > due and not docket.said(order, SURPLUS, by=due, since=start):
            yield breaks(law, order, f"{surplus} too much since {start:%H:%M:%S}, unsaid by {due:%H:%M:%S}")
    for goods_out in order.goods_outs:
        if goods_out.by_hand or goods_out.made_by_hand:
            continue
        for at, line_id, units in goods_out.left:
            if units <= 0 or line_id not in order.sku_of:
                continue
            since = docket.deadline(at, docket.bounds.notice) - at
            before, now = order.version_at(at - since), order.version_at(at)
            cancelled = order.cancelled_at is not None and order.cancelled_at < at - since
            wanted = 0 if cancelled else max(before.get(line_id, 0), now.get(line_id, 0))
            if units > wanted and not docket.said(order, SURPLUS, by=at):
                yield breaks(
                    "I12" if cancelled else "I1c",
                    order,
                    f"{goods_out.reference}: {units - wanted} of line {line_id} left at {at:%H:%M:%S}, unsaid",
                )


def _surplus_spans(order: OrderTruth, docket: Docket) -> Iterator[tuple[datetime, datetime, dict[str, int]]]:
    """Spans in which the warehouse held, or had sent, more than the order wanted: start, end, and what at its start."""
    instants = set(order.times)
    if order.cancelled_at is not None:
        instants.add(order.cancelled_at)
    for goods_out in order.goods_outs:
        instants |= {at for at, _ in goods_out.contents} | {at for at, _, _ in goods_out.left}
        instants |= {at for at in (goods_out.ended_at, goods_out.completed_at) if at is not None}
    began: datetime | None = None
    what: dict[str, int] = {}
    for at in sorted(instants):
        have, want = have_at(order, at), order.wanted_at(at)
        surplus = {sku: n - want.get(sku, 0) for sku, n in have.items() if n > want.get(sku, 0)}
        if surplus and began is None:
            began, what = at, surplus
        elif not surplus and began is not None:
            yield began, at, what
            began = None
    if began is not None and docket.end is not None:
        yield began, docket.end, what


def have_at(order: OrderTruth, at: datetime) -> dict[str, int]:
    """Units by SKU that the warehouse holds for the order, or has sent, at an instant."""
    total: dict[str, int] = defaultdict(int)
    for goods_out in order.goods_outs:
        if goods_out.created_at > at:
            continue
        if goods_out.over_at(at):
            for when, line_id, units in goods_out.left:
                if when <= at:
                    total[line_id] += units
        else:
            for line_id, units in _content_at(goods_out, at).items():
                total[line_id] += units
    return order.by_sku(total)


def _content_at(goods_out: GoodsOutTruth, at: datetime) -> dict[str, int]:
    return [units for when, units in goods_out.contents if when <= at][-1]
