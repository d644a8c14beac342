"""Units of one order by warehouse product: what it wants in the end, what the warehouse had and sent, what was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pickgate.domain.despatch import fulfilled_units
from pickgate.domain.eligibility import decide_fulfilment_order_eligibility, decide_line_eligibility
from pickgate.domain.lookback import PastOrder
from pickgate.domain.money import Money
from pickgate.domain.rules import Found, Ignored, Rules
from pickgate.domain.shop import FulfilmentOrderStatus, Line, ShopOrder
from pickgate.domain.warehouse import GoodsOut, Stage

Units = dict[str, int]


@dataclass(slots=True, kw_only=True)
class UnitsOf:
    """One order's units by product code. `names`: how a person calls the product. `prices`: of one product unit."""

    wanted: Units = field(default_factory=dict)
    told: Units = field(default_factory=dict)
    asked: Units = field(default_factory=dict)
    left: Units = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    prices: dict[str, Money] = field(default_factory=dict)
    lowered: bool = False  # some line holds fewer units than were once ordered

    def value(self, units: Mapping[str, int], currency: str) -> Money:
        """What so many units cost the customer; a product that the order never held counts nothing."""
        return Money(sum(n * self.prices[code].minor for code, n in units.items() if code in self.prices), currency)

    def say(self, units: Mapping[str, int]) -> str:
        return ", ".join(f"{n} × {self.names.get(code, code)}" for code, n in sorted(units.items()))


def units_of(past: PastOrder, rules: Rules) -> UnitsOf:
    """Count one order's units. What a row says is not this warehouse's is left out on the shop's side."""
    found = UnitsOf()
    order = past.order
    told = fulfilled_units(order)
    elsewhere = _units_elsewhere(order, rules, past.shop)
    for line in order.lines:
        if decide_line_eligibility(line) is not None:
            continue
        fulfilled = told.get(line.id, 0)
        # Units that were sent and then returned or refunded are no longer current, and were rightly sent.
        wanted = 0 if order.cancelled_at is not None else max(line.current, fulfilled)
        found.lowered = found.lowered or line.current < line.ordered - fulfilled
        gone = min(elsewhere.get(line.id, 0), max(wanted, fulfilled))
        for code, per_unit, price in products_of(line, rules, past.shop):
            found.names.setdefault(code, f"{line.title} ({code})")
            found.prices.setdefault(code, price)
            _add(found.wanted, code, max(0, wanted - gone) * per_unit)
            _add(found.told, code, max(0, fulfilled - gone) * per_unit)
    for goods_out in past.goods_outs:
        if goods_out.stage is not Stage.CANCELLED:
            for row in goods_out.lines:
                _add(found.asked, row.product_code, row.ordered)
        for row in goods_out.lines:
            _add(found.left, row.product_code, row.despatched)
    return found


def products_of(line: Line, rules: Rules, shop: str) -> tuple[tuple[str, int, Money], ...]:
    """Return (product code, units of it in one shop unit, price of one of them). Unknown SKUs stand for themselves."""
    zero = Money(0, line.unit_price.currency) if line.unit_price else Money(0, "XXX")
    price = line.unit_price or zero
    if not line.sku:
        return ()
    answer = rules.products(shop=shop, sku=line.sku)
    if isinstance(answer, Ignored):
        return ()
    if not isinstance(answer, Found):
        return ((line.sku.strip(), 1, price),)
    shares = price.split([product.units for product in answer.value])
    return tuple(
        (product.code, product.units, Money(share.minor // product.units, share.currency))
        for product, share in zip(answer.value, shares, strict=True)
    )


def minus(one: Mapping[str, int], other: Mapping[str, int]) -> Units:
    """What is in one beyond the other, by product; only what is more than nothing."""
    rest = {code: units - other.get(code, 0) for code, units in one.items()}
    return {code: units for code, units in rest.items() if units > 0}


def smaller(one: Mapping[str, int], other: Mapping[str, int]) -> Units:
    """The smaller of both, by product."""
    both = {code: min(units, other.get(code, 0)) for code, units in one.items()}
    return {code: units for code, units in both.items() if units > 0}


def sent_by_several(goods_outs: tuple[GoodsOut, ...]) -> frozenset[str]:
    """Products that more than one goods-out sent."""
    senders: dict[str, set[str]] = {}
    for goods_out in goods_outs:
        for row in goods_out.lines:
            if row.despatched:
                senders.setdefault(row.product_code, set()).add(goods_out.id)
    return frozenset(code for code, ids in senders.items() if len(ids) > 1)


def _units_elsewhere(order: ShopOrder, rules: Rules, shop: str) -> Units:
    """Units by line that never were this warehouse's: another place's by a row, collected, handed over at the till."""
    units: Units = {}
    for share in order.fulfilment_orders:
        if share.status is FulfilmentOrderStatus.CANCELLED:
            continue
        place = rules.place(shop=shop, location_id=share.location_id, location_name=share.location_name)
        if isinstance(place, Ignored) or decide_fulfilment_order_eligibility(share) is not None:
            for line in share.lines:
                _add(units, line.line_id, line.total)
    return units


def _add(units: Units, key: str, count: int) -> None:
    if count:
        units[key] = units.get(key, 0) + count
