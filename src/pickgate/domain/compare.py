"""The three-way comparison that the order page shows: the shop, what was decided, the warehouse."""

from __future__ import annotations

from collections.abc import Sequence

from pickgate.domain.decision import ComparisonRow, Wanted
from pickgate.domain.despatch import fulfilled_units
from pickgate.domain.eligibility import decide_line_eligibility
from pickgate.domain.facts import RecordState
from pickgate.domain.learn import Known, shop_units
from pickgate.domain.shop import ShopOrder


def compare(order: ShopOrder, known: Sequence[Known], wanted: Sequence[Wanted]) -> tuple[ComparisonRow, ...]:
    """Compare line by line, in shop units. `differs`: the warehouse holds, or sent, something else than the shop wants.

    A bundle counts as picked only as far as every one of its components is.
    """
    decided: dict[str, int] = {}
    for want in wanted:
        for line_id, units in shop_units(want.content).items():
            decided[line_id] = decided.get(line_id, 0) + units
    held: dict[str, int] = {}
    picked: dict[str, int] = {}
    left: dict[str, int] = {}
    any_there = False
    for one in known:
        for line_id, units in one.left.items():
            left[line_id] = left.get(line_id, 0) + units
        if not one.record.may_be_live and one.record.state is not RecordState.FINISHED:
            continue
        any_there = True
        counted = one.left if one.record.state is RecordState.FINISHED else shop_units(one.record.content)
        for line_id, units in counted.items():
            held[line_id] = held.get(line_id, 0) + units
        for line_id, units in _picked(one).items():
            picked[line_id] = picked.get(line_id, 0) + units
    fulfilled = fulfilled_units(order)
    rows = []
    for line in order.lines:
        if decide_line_eligibility(line) is not None:
            continue
        in_warehouse = held.get(line.id, 0)
        elsewhere = max(0, fulfilled.get(line.id, 0) - left.get(line.id, 0))
        live = 0 if order.cancelled_at is not None else line.current
        # What was sent and then returned or refunded is no longer current, and was rightly sent.
        rightly = 0 if order.cancelled_at is not None else max(live, fulfilled.get(line.id, 0))
        rows.append(
            ComparisonRow(
                line_id=line.id,
                title=line.title,
                sku=line.sku or "",
                shop_units=live,
                decided_units=decided.get(line.id, 0) + left.get(line.id, 0),
                warehouse_units=in_warehouse,
                picked=picked.get(line.id, 0),
                despatched=left.get(line.id, 0),
                fulfilled=fulfilled.get(line.id, 0),
                differs=any_there and in_warehouse != max(0, rightly - elsewhere),
            )
        )
    return tuple(rows)


def _picked(one: Known) -> dict[str, int]:
    pool = dict(one.record.picked)
    units: dict[str, int] = {}
    for line in one.record.content.lines:
        got = min(pool.get(line.product_code, 0), line.units)
        pool[line.product_code] = pool.get(line.product_code, 0) - got
        count = got // line.per_unit
        units[line.line_id] = min(units.get(line.line_id, count), count)
    return units
