"""Laws of what leaves the building, what the shop is told of it, and what can never be undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from pickgate.simulation.docket import TWINS, UNTOLD, Docket, Violation, breaks
from pickgate.simulation.truth import PICKGATE, OrderTruth

Orders = Mapping[str, OrderTruth]


def no_double_despatch(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I2p: no more of a product leaves than the order ever held of it, but for what people changed in the warehouse."""
    if any(goods_out.by_hand or goods_out.made_by_hand for goods_out in order.goods_outs):
        return
    most = order.most_ever()
    for sku, units in order.left_by().items():
        if units > most.get(sku, 0):
            yield breaks("I2p", order, f"{units} × {sku} left; the order never held more than {most.get(sku, 0)}")


def told_what_left(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I8: the shop is told of every unit that left, once, and in time; what it cannot be told of is an exception."""
    left, told = order.left_by(), order.told_by()
    ours = order.told_by(who=PICKGATE)
    for sku, units in ours.items():
        if units > left.get(sku, 0) and not any(g.unconfirmed for g in order.goods_outs):
            yield breaks("I8a", order, f"the shop was told of {units} × {sku} by us; {left.get(sku, 0)} left")
    for sku, units in left.items():
        if told.get(sku, 0) < units and not docket.stands(order, UNTOLD):
            yield breaks("I8d", order, f"{units} × {sku} left, the shop knows of {told.get(sku, 0)}; no exception")
    bound = docket.bounds.notice + docket.bounds.label_patience
    for at in sorted({at for g in order.goods_outs for at, _, units in g.left if units > 0}):
        due = docket.deadline(at, bound)
        if docket.end is None or due > docket.end or docket.said(order, UNTOLD, by=due):
            continue
        # What was told at any time until then, against what stays gone.
        gone = {sku: min(n, left.get(sku, 0)) for sku, n in order.left_by(at).items()}
        known = order.told_by(due)
        late = {sku: n for sku, n in gone.items() if known.get(sku, 0) < n}
        if late and all(told.get(sku, 0) >= n for sku, n in late.items()):
            yield breaks("I8t", order, f"{late} left at {at:%H:%M:%S}, and the shop was not told by {due:%H:%M:%S}")


def reference_used_once(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I8a: a reference is created once, unless the twin is reported, or the first one was taken away by hand."""
    for younger in order.goods_outs:
        for older in order.goods_outs:
            if older.reference != younger.reference or older.id >= younger.id or younger.made_by_hand:
                continue
            if not docket.said(order, TWINS, by=docket.deadline(younger.created_at, docket.bounds.notice)):
                yield breaks("I8a", order, f"{younger.reference} was created twice, and nobody was told")


def tracking_comes_back(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """Every tracking number that a label got in time is on a fulfilment in the shop."""
    if docket.stands(order, UNTOLD) or any(told.by != PICKGATE for told in order.told):
        return
    known = {tracking for told in order.told for tracking in told.tracking}
    for goods_out in order.goods_outs:
        sent = [at for at, _, units in goods_out.left if units > 0]
        if not sent or goods_out.unconfirmed:
            continue
        for at, numbers in goods_out.labels:
            prompt = min(abs(at - when) for when in sent) < timedelta(seconds=5)
            lost = [tracking for tracking in numbers if tracking not in known]
            if prompt and lost:
                yield breaks("T1", order, f"{goods_out.reference}: the shop never got {', '.join(lost)}")


def terminal_stays(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I11: what was sent stays sent: we never undo a fulfilment, nor touch a goods-out that is over."""
    for at, by in order.fulfilments_undone:
        if by == PICKGATE:
            yield breaks("I11", order, f"we undid a fulfilment at {at:%H:%M:%S}")
    for goods_out in order.goods_outs:
        for at, what in goods_out.touched_after_end:
            yield breaks("I11", order, f"{goods_out.reference} was {what} at {at:%H:%M:%S}, after it was over")
        if goods_out.completed_at and goods_out.ended_at and goods_out.ended_at > goods_out.completed_at:
            yield breaks("I11", order, f"{goods_out.reference} was cancelled after it had been completed")
