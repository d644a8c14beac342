"""What Pickgate's own books must show, checked against the twins' state: before the last sweep, and at rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from pickgate.domain.facts import RecordState
from pickgate.simulation.docket import AtRest, SeenException, SeenGate, Violation
from pickgate.simulation.driver import Simulation
from pickgate.simulation.truth import GoodsOutTruth, OrderTruth
from pickgate.store.memory_rows import MemoryOrder
from pickgate.twins.shopify import Order, totals

# Effects whose outcome a read of the warehouse always shows.
_READABLE = ("create_goods_out", "recall_goods_out", "amend_goods_out")


def exceptions_of(simulation: Simulation) -> list[SeenException]:
    """Every exception that was ever open, in the world's time."""
    orders, skew = simulation.store.orders, simulation.skew
    return [
        SeenException(
            code=item.code,
            order_id=orders[item.order].order_id if item.order is not None else "",
            opened_at=item.opened_at - skew,
            closed_at=item.resolved_at - skew if item.resolved_at is not None else None,
            by_person=item.closed_by not in (None, "pickgate"),
        )
        for item in simulation.store.exceptions.all
    ]


def gates_of(simulation: Simulation) -> dict[str, tuple[SeenGate, ...]]:
    """The gates that the last decision about each order found closed."""
    skew = simulation.skew
    return {
        row.order_id: tuple(
            SeenGate(code=gate.code, until=gate.until - skew if gate.until is not None else None)
            for gate in row.decision.gates
        )
        for row in simulation.store.orders.values()
        if row.decision is not None
    }


def shop_at_rest(simulation: Simulation) -> dict[str, AtRest]:
    """How the shop shows every order now."""
    return {order.id.rpartition("/")[2]: _at_rest(order) for order in simulation.world.shop.orders.values()}


def _at_rest(order: Order) -> AtRest:
    return AtRest(
        tags=tuple(order.tags),
        financial_status=totals.financial_status(order),
        owed=totals.outstanding(order) > 0,
        held=any(fo.fulfillment_holds for fo in order.fulfillment_orders),
        metafields={key: metafield.value for (_, key), metafield in order.metafields.items()},
    )


# ── while the nets are still at work ─────────────────────────────────────────────────────────────────────────────────


def news_is_seen(simulation: Simulation, *, notice: timedelta) -> Iterable[Violation]:
    """I3d, I9: a change in the shop is seen in time even if its webhook never comes, and what is seen never goes back.

    To be called before the last sweep, which would hide what the nets missed.
    """
    now = simulation.clock.now()
    rows = {row.order_id: row for row in simulation.store.orders.values()}
    for order in simulation.world.shop.orders.values():
        if now - order.updated_at <= notice:
            continue
        order_id = order.id.rpartition("/")[2]
        row = rows.get(order_id)
        if row is None or row.order is None:
            yield _breaks("I3d", order.name, order_id, f"changed at {order.updated_at:%H:%M:%S}, and nobody looked")
        elif row.order.updated_at < order.updated_at:
            seen = f"{row.order.updated_at:%H:%M:%S}"
            yield _breaks("I3d", order.name, order_id, f"changed at {order.updated_at:%H:%M:%S}; seen as of {seen}")


# ── at rest ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def books_are_closed(simulation: Simulation, truth: dict[str, OrderTruth]) -> Iterable[Violation]:
    """I3, I8c, I10, I14, I26: nothing is pending, unknown, leased or doubled, and our records say what is true."""
    store = simulation.store
    for inbox in store.inbox.values():
        if inbox.verdict is None:
            yield _breaks("I3b", inbox.item.topic, str(inbox.id), "accepted, and never settled")
    open_ones = store.exceptions.open()
    for (scope, fingerprint), count in Counter((item.scope, item.fingerprint) for item in open_ones).items():
        if count > 1:
            yield _breaks("I26", scope, fingerprint, f"the same exception is open {count} times")
    for row in store.orders.values():
        codes = {item.code for item in open_ones if item.order == row.row} if row.effects else set()
        for effect in row.effects.values():
            if effect.state not in ("sent", "unknown"):
                continue
            if "EFFECT_UNKNOWN" not in codes:
                yield _breaks("I8c", row.name, row.order_id, f"{effect.key} is {effect.state}, and nobody is told")
            elif effect.kind in _READABLE:
                yield _breaks("I8c", row.name, row.order_id, f"{effect.key} is {effect.state}; a read would show it")
        if row.lease_until is not None:
            yield _breaks("I10", row.name, row.order_id, f"still leased until {row.lease_until:%H:%M:%S}")
        known = truth.get(row.order_id)
        if known is not None:
            yield from _records_are_true(row, known)


def _records_are_true(row: MemoryOrder, order: OrderTruth) -> Iterable[Violation]:
    """I14: each record's state is the goods-out's, and no live goods-out is without a record."""
    by_id = {str(goods_out.id): goods_out for goods_out in order.goods_outs}
    known = set()
    for record in row.records.values():
        goods_out = by_id.get(record.clarus_id or "")
        if goods_out is not None:
            known.add(goods_out.id)
        wrong = _disagreement(record.state, goods_out)
        if wrong:
            yield _breaks("I14", order.name, order.id, f"{record.reference} is {record.state.value} to us; {wrong}")
    for goods_out in order.goods_outs:
        if goods_out.is_live and not goods_out.made_by_hand and goods_out.id not in known:
            yield _breaks("I14", order.name, order.id, f"{goods_out.reference} ({goods_out.id}) lives, unknown to us")


def _disagreement(state: RecordState, goods_out: GoodsOutTruth | None) -> str:
    match state:
        case RecordState.CREATING | RecordState.RECALLING:
            return "" if goods_out is not None and goods_out.is_live else "at rest that is no state to stay in"
        case RecordState.RECALLED:
            return "" if goods_out is None or goods_out.ended_at is not None else "it lives on"
        case RecordState.FINISHED:
            return "" if goods_out is not None and goods_out.completed_at is not None else "it is not finished"
        case RecordState.REFUSED:
            return "" if goods_out is None else "the warehouse has it"
        case RecordState.LIVE:
            # One that was taken away by hand stays on our books until somebody decides.
            if goods_out is None:
                return "the warehouse never had it"
            return "it is finished" if goods_out.completed_at is not None else ""


def _breaks(law: str, name: str, id_: str, evidence: str) -> Violation:
    return Violation(law=law, order=f"{name} ({id_})", evidence=evidence)
