"""What one order is accused of: its final contents against what the warehouse had and sent, and what was told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pickgate.domain.commands import CreateGoodsOut
from pickgate.domain.decide import decide
from pickgate.domain.decision import Decision
from pickgate.domain.eligibility import decide_order_eligibility
from pickgate.domain.facts import Facts, Kin, Records
from pickgate.domain.lookback import Accusation, Charge, Ground, PastOrder
from pickgate.domain.lookback_units import UnitsOf, minus, sent_by_several, smaller, units_of
from pickgate.domain.lookback_words import MOMENT, release_at, say_followed, say_place, say_references
from pickgate.domain.money import Money
from pickgate.domain.rules import Found
from pickgate.domain.warehouse import GoodsOut, Stage

_MAPPING_GATES = {"location_unmapped", "service_unmapped", "sku_unmapped", "unreadable"}
_FINISHED = (Stage.COMPLETED, Stage.CANCELLED)


def decide_charges(past: PastOrder, ground: Ground, kin: Sequence[Kin], *, replaced: bool) -> Iterator[Accusation]:
    """
    Accuse one order of what its contents prove.

    Args:
        kin: Other orders that it may replace or be replaced by.
        replaced: The order that replaces it was sent as well: that is accused there, and not here again.
    """
    order = past.order
    policy = ground.policies[past.shop]
    if decide_order_eligibility(order, policy) is not None and not past.goods_outs:
        return
    units = units_of(past, ground.rules)
    live = [g for g in past.goods_outs if g.stage is not Stage.CANCELLED]
    if order.cancelled_at is not None:
        if units.left and not replaced:
            yield _cancelled(past, units, ground)
        return
    if units.left:
        yield from _despatched(past, units, ground)
    elif live:
        yield from _not_despatched(past, units, live, ground)
    elif ground.is_settled(order) and units.wanted:
        yield from _nothing_there(past, units, ground, kin)


def decide_at_the_end(past: PastOrder, ground: Ground, kin: Sequence[Kin]) -> Decision:
    """Decide the order as Pickgate would now, had it never been sent anywhere."""
    order = past.order
    facts = Facts(
        shop=past.shop,
        order_id=order.id,
        order=order,
        goods_outs=(),
        records=Records(first_seen_at=order.created_at),
        read_at=ground.until,
        known_products=ground.known_products,
        unknown_products=ground.unknown_products,
        kin=tuple(kin),
    )
    return decide(facts, ground.rules, ground.policies[past.shop], now=ground.until)


def _despatched(past: PastOrder, units: UnitsOf, ground: Ground) -> Iterator[Accusation]:
    order = past.order
    policy = ground.policies[past.shop]
    extra = minus(units.left, units.wanted)
    missing = minus(units.wanted, units.left)
    never_asked = minus(missing, minus(units.asked, units.left))
    twice = {code: n for code, n in extra.items() if code in sent_by_several(past.goods_outs)}
    extra = minus(extra, twice)
    if twice:
        yield accuse(
            past, Charge.TWIN, units.value(twice, order.currency),
            f"{units.say(twice)} left more often than ordered, in {len(past.goods_outs)} goods-outs.",
            _side_by_side(past, units),
            decided="One live goods-out for each fulfilment order: an answer that was lost is looked up by its "
            "reference before anything is created again.",
        )  # fmt: skip
    if extra or never_asked:
        changed = order.edited or units.lowered
        charge = Charge.SUPERSEDED if changed else Charge.OTHER_CONTENTS
        parts = [f"sent and not wanted: {units.say(extra)}"] if extra else []
        parts += [f"wanted and not sent: {units.say(never_asked)}"] if never_asked else []
        value = units.value(extra, order.currency) + units.value(never_asked, order.currency)
        decided = say_followed(past, policy) if changed else "Stopped at the despatch: OVER_DESPATCH for ops."
        yield accuse(past, charge, value, _sentence(parts), _side_by_side(past, units), decided)
    still_owed = minus(missing, never_asked)
    if still_owed and ground.is_settled(order) and ground.until - order.updated_at >= policy.stalled_after:
        closed = all(g.stage in _FINISHED for g in past.goods_outs)
        how = "was finished short" if closed else "has not moved since"
        yield accuse(
            past, Charge.STALLED, units.value(still_owed, order.currency),
            f"Part has left; {units.say(still_owed)} {how}.", _side_by_side(past, units),
            decided=f"PART_FULFILMENT_STALLED for ops, {_hours(policy.stalled_after.total_seconds())} after the last "
            "move; what left is told to the shop at once, by line.",
        )  # fmt: skip
    yield from _told(past, units, ground)


def _told(past: PastOrder, units: UnitsOf, ground: Ground) -> Iterator[Accusation]:
    """Compare what left with what the shop was told of; units that nobody wants are accused elsewhere."""
    if not ground.is_settled(past.order):
        return
    order = past.order
    untold = minus(smaller(units.left, units.wanted), units.told)
    if untold:
        yield accuse(
            past, Charge.NEVER_CAME_BACK, units.value(untold, order.currency),
            f"{units.say(untold)} left; the shop was not told.", _side_by_side(past, units),
            decided="Fulfilled by line, with tracking, as soon as the warehouse showed it: by its webhook, else by the "
            "next poll.",
        )  # fmt: skip
    never = minus(units.told, units.left)
    # Lines that were never asked for are the superseded ones: said already.
    never = smaller(never, minus(units.asked, units.left))
    if never:
        yield accuse(
            past, Charge.TOLD_NOT_SENT, units.value(never, order.currency),
            f"The shop shows {units.say(never)} as sent; the warehouse did not send it.", _side_by_side(past, units),
            decided="The shop is told only of what left, by line: nothing would have been said. SYNC_ILLUSION for ops "
            "if somebody else says it.",
        )  # fmt: skip


def _not_despatched(past: PastOrder, units: UnitsOf, live: Sequence[GoodsOut], ground: Ground) -> Iterator[Accusation]:
    order = past.order
    extra, missing = minus(units.asked, units.wanted), minus(units.wanted, units.asked)
    if (extra or missing) and ground.until >= release_at(order, ground.policies[past.shop]):
        parts = [f"no longer wanted: {units.say(extra)}"] if extra else []
        parts += [f"not in the goods-out: {units.say(missing)}"] if missing else []
        value = units.value(extra, order.currency) + units.value(missing, order.currency)
        decided = say_followed(past, ground.policies[past.shop])
        yield accuse(past, Charge.WAITING, value, _sentence(parts), _side_by_side(past, units), decided)
    yield from _told(past, units, ground)


def _nothing_there(past: PastOrder, units: UnitsOf, ground: Ground, kin: Sequence[Kin]) -> Iterator[Accusation]:
    order = past.order
    cancelled = [g.reference for g in past.goods_outs]
    where = f"The warehouse cancelled {say_references(cancelled)}." if cancelled else "The warehouse has no goods-out."
    if units.told:
        places = [
            ground.rules.place(shop=past.shop, location_id=f.location_id, location_name=f.location_name)
            for f in order.fulfilment_orders
        ]
        ours = any(isinstance(place, Found) for place in places)
        if cancelled or ours or not ground.has_rulebook:
            yield accuse(
                past, Charge.TOLD_NOT_SENT, units.value(units.told, order.currency),
                f"The shop shows {units.say(units.told)} as sent. {where}", _side_by_side(past, units),
                decided="The shop is told only of what left, by line: nothing would have been said.",
            )  # fmt: skip
        return
    decision = decide_at_the_end(past, ground, kin)
    if any(gate.code not in _MAPPING_GATES for gate in decision.gates):
        return  # Pickgate would wait for something, too
    if not any(share.is_open for share in order.fulfilment_orders):
        return
    creates = [c for c in decision.commands if isinstance(c, CreateGoodsOut)]
    place = say_place(order, ground.rules, past.shop)
    released = f"Released at {release_at(order, ground.policies[past.shop]):{MOMENT}}"
    released += f" to {place}" if place else ""
    unmapped = "; ".join(dict.fromkeys(gate.code.upper() for gate in decision.gates))
    yield accuse(
        past, Charge.NEVER_REACHED, units.value(units.wanted, order.currency),
        f"{units.say(units.wanted)} wait to be sent. {where}", _side_by_side(past, units),
        decided=f"{released}; one that goes missing there is WMS_ORDER_MISSING for ops." if creates or not unmapped
        else f"Stopped with {unmapped}, owned and due, until a row is published.",
    )  # fmt: skip


def _cancelled(past: PastOrder, units: UnitsOf, ground: Ground) -> Accusation:
    order = past.order
    assert order.cancelled_at is not None
    release = release_at(order, ground.policies[past.shop])
    decided = (
        f"Cancelled before the release of {release:{MOMENT}}: never sent to the warehouse."
        if order.cancelled_at <= release
        else "Recalled; had picking begun, recalled where the warehouse allows it, else CANCEL_TOO_LATE for cx."
    )
    return accuse(
        past, Charge.CANCELLED, units.value(units.left, order.currency),
        f"Cancelled {order.cancelled_at:{MOMENT}}; {units.say(units.left)} left.", _side_by_side(past, units), decided,
    )  # fmt: skip


def accuse(
    past: PastOrder,
    charge: Charge,
    value: Money | None,
    summary: str,
    evidence: tuple[str, ...] = (),
    decided: str = "",
    subject: str = "",
) -> Accusation:
    """Put an accusation together."""
    return Accusation(
        charge=charge,
        shop=past.shop,
        order_id=past.order.id,
        order_name=past.order.name,
        at=past.order.created_at,
        value=value,
        summary=summary,
        evidence=evidence,
        decided=decided,
        subject=subject,
        links=tuple(g.reference for g in past.goods_outs),
    )


def _side_by_side(past: PastOrder, units: UnitsOf) -> tuple[str, ...]:
    """One sentence for each product, and one for each goods-out."""
    codes = dict.fromkeys([*units.wanted, *units.asked, *units.left, *units.told])
    rows = [
        f"{units.names.get(code, code)}: final {units.wanted.get(code, 0)}, asked for {units.asked.get(code, 0)}, "
        f"left {units.left.get(code, 0)}, shop shows sent {units.told.get(code, 0)}"
        for code in sorted(codes)
    ]
    rows += [f"Goods-out {g.reference} (id {g.id}): {g.status_code}" for g in past.goods_outs]
    return tuple(rows)


def _sentence(parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:g} h"
