"""The whole look back: every order of the period, every charge, in a stable order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta

from pickgate.domain.eligibility import decide_order_eligibility
from pickgate.domain.lookback import Accusation, Charge, Ground, Lookback, PastOrder, StockRow, Tally
from pickgate.domain.lookback_charges import decide_charges
from pickgate.domain.lookback_kin import Family, decide_twins, group_by_shop
from pickgate.domain.lookback_mapping import decide_mapping
from pickgate.domain.lookback_money import decide_money
from pickgate.domain.lookback_stock import StockFacts, decide_stock
from pickgate.domain.stock_policy import StockPolicy

_ORDER = {charge: number for number, charge in enumerate(Charge)}


def look_back(
    orders: Sequence[PastOrder], ground: Ground, stock: StockFacts | None, stock_policy: StockPolicy
) -> Lookback:
    """Judge a period. The same facts give the same answer, in the same order."""
    found: list[Accusation] = []
    ordered = sorted(orders, key=lambda past: (past.order.created_at, past.shop, past.order.id))
    for shop, of_shop in sorted(group_by_shop(ordered).items()):
        family = Family(of_shop, ground.policies[shop])
        twins = list(decide_twins(family, of_shop, ground))
        replaced = {order_id for _, order_id in twins}
        found += [accusation for accusation, _ in twins]
        for past in of_shop:
            found += decide_charges(past, ground, family.kin_of(past), replaced=past.order.id in replaced)
            found += decide_mapping(past, ground)
            found += decide_money(past, ground, replaced=family.is_replaced(past))
    rows: list[StockRow] = []
    if stock is not None:
        for row, accusation in decide_stock(stock, ordered, ground, stock_policy):
            rows.append(row)
            found += [accusation] if accusation is not None else []
    found.sort(key=lambda a: (_ORDER[a.charge], -(a.value.minor if a.value else 0), a.order_name, a.subject))
    return Lookback(
        accusations=tuple(found),
        tally=count(ordered, ground),
        stock=tuple(rows),
        by_week=_by_week(ordered, found),
    )


def count(orders: Sequence[PastOrder], ground: Ground) -> Tally:
    """Count what the period was made of."""
    tally = Tally(orders=len(orders))
    for past in orders:
        order = past.order
        tally.edited += order.edited
        tally.cancelled += order.cancelled_at is not None
        tally.despatched += any(g.despatched for g in past.goods_outs)
        not_ours = decide_order_eligibility(order, ground.policies[past.shop]) is not None
        tally.not_ours += not_ours
        if not not_ours and order.cancelled_at is None and not past.goods_outs and not order.fulfilments:
            tally.waiting += 1
            tally.young += not ground.is_settled(order)
    return tally


def _by_week(orders: Sequence[PastOrder], found: Sequence[Accusation]) -> tuple[tuple[str, int, int], ...]:
    accused = {(a.shop, a.order_id) for a in found if a.charge.went_wrong}
    weeks: dict[str, tuple[int, int]] = {}
    for past in orders:
        on = past.order.created_at.astimezone(UTC).date()
        monday = (on - timedelta(days=on.weekday())).isoformat()
        made, wrong = weeks.get(monday, (0, 0))
        weeks[monday] = (made + 1, wrong + ((past.shop, past.order.id) in accused))
    return tuple((monday, *weeks[monday]) for monday in sorted(weeks))
