"""Laws of what is true when everything has come to rest: every unit has a place, every wait a true reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from pickgate.simulation.docket import MISSING, SURPLUS, TWINS, UNLOCKED, AtRest, Docket, SeenGate, Violation, breaks
from pickgate.simulation.laws_of_release import have_at
from pickgate.simulation.truth import GoodsOutTruth, OrderTruth

Orders = Mapping[str, OrderTruth]
_UNMAPPED = frozenset({"sku_unmapped", "location_unmapped", "service_unmapped", "address_unusable"})


def rest_is_explained(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I14, I4: at rest the warehouse holds, or has sent, what the order wants; every difference has its own excuse.

    ordered = removed + sent + in the warehouse + blocked by an exception + not released, by a closed gate that is true.
    """
    if docket.end is None or not order.is_shipped:
        return
    want, have = order.wanted_at(docket.end), have_at(order, docket.end)
    surplus = {sku: n - want.get(sku, 0) for sku, n in have.items() if n > want.get(sku, 0)}
    if surplus and not docket.stands(order, SURPLUS):
        yield breaks("I14", order, f"the warehouse has {surplus} more than the order wants; no exception")
    missing = {sku: n - have.get(sku, 0) for sku, n in want.items() if n > have.get(sku, 0)}
    if not missing or docket.gates is None or docket.stands(order, MISSING):
        return
    told = order.told_by(docket.end)
    missing = {sku: n for sku, n in missing.items() if want[sku] > max(have.get(sku, 0), told.get(sku, 0))}
    if not missing:
        return  # somebody sent it without us, and told the shop
    gates = docket.gates.get(order.id, ())
    if not any(_is_true(gate, order, docket, orders) for gate in gates):
        claimed = ", ".join(gate.code for gate in gates) or "none"
        yield breaks("I4", order, f"{missing} is wanted and was never sent; closed gates: {claimed}; no exception")


def _is_true(gate: SeenGate, order: OrderTruth, docket: Docket, orders: Orders) -> bool:
    """Whether the world bears a closed gate out."""
    rest = docket.rest.get(order.id)
    if rest is None or docket.end is None:
        return False
    match gate.code:
        case "hold_tag" | "stop_tag":
            return any(tag in docket.bounds.hold_tags for tag in rest.tags)
        case "shop_hold":
            return rest.held
        case "payment" | "outstanding":
            return rest.owed or rest.financial_status != "PAID"
        case "operator_hold":
            return _stopped(order, docket)
        case "predecessor" | "duplicate_suspected" | "successor":
            return _has_kin(order, docket, orders)
        case "late_addition" | "sibling" | "recall":
            return any(g.is_live for g in order.goods_outs)
        case "short_picked":
            return False  # PART_FULFILMENT_STALLED has to be open: it would have excused this already
        case code if code in _UNMAPPED:
            return False  # likewise
        case _:
            return gate.until is not None and gate.until > docket.end


def _stopped(order: OrderTruth, docket: Docket) -> bool:
    stopped = False
    for word in docket.words.get(order.id, ()):
        stopped = word.verb in ("hold", "take_back") or (stopped and word.verb != "unhold")
    return stopped


def _has_kin(order: OrderTruth, docket: Docket, orders: Orders) -> bool:
    """Another order of the same customer, which an app made or which this one replaces; a person has to be asked."""
    kin = [other for other in orders.values() if other.customer == order.customer and other.id != order.id]
    tied = any(docket.successors.get(a.id) == b.id for a in [order, *kin] for b in [order, *kin])
    return tied and docket.stands(order, TWINS | {"HOLD_STUCK"})


# ── the lock ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def lock_follows_work(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """L1: while work is in progress the order is locked for editing, soon after it began. L2: undone work unlocks."""
    if docket.end is None:
        return
    for began, ended in _work_spans(order, docket.end):
        for start, end in _unlocked(order, docket, began, ended):
            # The poll sees work begin; that somebody took the tag off again may be left to the sweep.
            due = docket.deadline(start, docket.bounds.quick if start == began else docket.bounds.notice)
            cancelled = order.cancelled_at is not None and order.cancelled_at <= due
            if end > due and not cancelled and not docket.said(order, UNLOCKED, by=due, since=start):
                yield breaks("L1", order, f"being worked on, and not locked from {start:%H:%M:%S} to {due:%H:%M:%S}")
    rest = docket.rest.get(order.id)
    if rest is None or order.cancelled_at is not None or docket.bounds.lock_tag not in rest.tags:
        return
    worked_on = any(g.completed_at is not None or g.left or (g.is_live and g.begun.last) for g in order.goods_outs)
    if not worked_on and not docket.stands(order, MISSING):
        yield breaks("L2", order, "locked, and nothing of it is being worked on or has left")


def _unlocked(order: OrderTruth, docket: Docket, start: datetime, end: datetime) -> Iterable[tuple[datetime, datetime]]:
    """The parts of a span in which the order did not carry the lock's tag."""
    since: datetime | None = None
    for at in [start, *(at for at in order.tags.times if start < at < end)]:
        locked = docket.bounds.lock_tag in (order.tags.at(at) or ())
        if not locked and since is None:
            since = at
        elif locked and since is not None:
            yield since, at
            since = None
    if since is not None:
        yield since, end


def _work_spans(order: OrderTruth, end: datetime) -> Iterable[tuple[datetime, datetime]]:
    """From when to when each goods-out was being worked on."""
    for goods_out in order.goods_outs:
        began: datetime | None = None
        for at, working in zip(goods_out.begun.times, goods_out.begun.values, strict=True):
            if working and began is None:
                began = at
            elif not working and began is not None:
                yield began, at
                began = None
        if began is not None:
            yield began, _ended(goods_out) or end


def _ended(goods_out: GoodsOutTruth) -> datetime | None:
    ends = [at for at in (goods_out.ended_at, goods_out.completed_at) if at is not None]
    return min(ends, default=None)


# ── what a recreated order carries ───────────────────────────────────────────────────────────────────────────────────


def original_time_is_carried(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I13: a recreated order carries the time of the order that it replaces."""
    successor = orders.get(docket.successors.get(order.id, ""))
    if successor is None or not successor.goods_outs or order.created_at is None or not order.is_shipped:
        return
    if successor.cancelled_at is not None or docket.released_by_person(successor, by=docket.end or order.created_at):
        return
    rest: AtRest | None = docket.rest.get(successor.id)
    if rest is None:
        return
    originals = [orders[key] for key, value in docket.successors.items() if value == successor.id and key in orders]
    text = rest.metafields.get("original")
    carried = json.loads(text) if text else {}
    times = [o.created_at.replace(microsecond=0) for o in originals if o.created_at is not None]
    when = datetime.fromisoformat(carried["created_at"]) if carried else None
    if when is None or all(abs(when - time) > timedelta(seconds=1) for time in times):
        yield breaks("I13", successor, f"it replaces {order.name} and carries {text or 'nothing'}")
