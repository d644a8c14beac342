"""Stock in both systems now, and how much of each difference the orders of the period explain.

The shop lowers what it can sell when an order is made, the warehouse when it gets the goods-out. So an order that the
two hold differently leaves exactly that difference behind. What no order explains was counted, or set, by somebody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pickgate.domain.despatch import fulfilled_units
from pickgate.domain.facts import Unreadable
from pickgate.domain.lookback import Accusation, Charge, Ground, PastOrder, StockRow
from pickgate.domain.rules import Found, Place
from pickgate.domain.shop import FulfilmentOrderStatus, ShopOrder
from pickgate.domain.stock import ShopLevel
from pickgate.domain.stock_policy import Balance, StockPolicy
from pickgate.domain.warehouse import GoodsOut, Stage

Key = tuple[str, str]  # place, product code


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFacts:
    """Levels by shop, and balances by place. A place that could not be read is left out."""

    levels: Sequence[ShopLevel]
    balances: Mapping[Place, Mapping[str, Balance | Unreadable]]


def decide_stock(
    stock: StockFacts, orders: Sequence[PastOrder], ground: Ground, policy: StockPolicy
) -> Iterator[tuple[StockRow, Accusation | None]]:
    """Compare each SKU that stands for exactly one warehouse unit; bundles and multiples follow from those."""
    taken_by_warehouse = _taken_by_warehouse(orders)
    taken_by_shop = _taken_by_shop(orders, ground)
    for level in sorted(stock.levels, key=lambda one: (one.shop, one.location_id, one.sku, one.item_id)):
        found = ground.rules.place(shop=level.shop, location_id=level.location_id, location_name="")
        products = ground.rules.products(shop=level.shop, sku=level.sku) if level.sku else None
        if not level.tracked or not isinstance(found, Found) or not isinstance(products, Found):
            continue
        if len(products.value) != 1 or products.value[0].units != 1:
            continue
        place, code = found.value, products.value[0].code
        balance = stock.balances.get(place, {}).get(code)
        if not isinstance(balance, Balance):
            continue
        sellable = policy.formula.sellable(balance)
        key = (_name(place), code)
        variance = level.available - sellable
        explained = taken_by_warehouse.get(key, 0) - taken_by_shop.get((level.shop, level.location_id, code), 0)
        rest = variance - explained
        # With a stock feed in between the levels agree whatever the orders did; then there is nothing to explain.
        accused = variance != 0 and rest != 0
        row = StockRow(
            shop=level.shop,
            sku=level.sku,
            product_code=code,
            place=key[0],
            shop_units=level.available,
            warehouse_units=sellable,
            variance=variance,
            explained=explained if abs(rest) < abs(variance) else 0,
            accused=accused,
        )
        yield row, _accusation(row) if accused else None


def _accusation(row: StockRow) -> Accusation:
    rest = row.variance - row.explained
    word = "more" if rest > 0 else "fewer"
    evidence = [f"{row.place}: the shop can sell {row.shop_units}, the warehouse {row.warehouse_units}."]
    if row.explained:
        evidence.append(f"{row.explained:+d} of the difference of {row.variance:+d} come from orders of the period.")
    return Accusation(
        charge=Charge.STOCK,
        shop=row.shop,
        order_id="",
        order_name="",
        at=None,
        value=None,
        summary=f"{row.sku}: the shop has {abs(rest)} {word} than the warehouse, and no order explains it.",
        evidence=tuple(evidence),
        decided="Set to what the warehouse has, less what it has not seen yet and the buffer, at the next publication; "
        "a jump that is not plausible waits for ops.",
        subject=row.sku,
    )


def _taken_by_warehouse(orders: Sequence[PastOrder]) -> dict[Key, int]:
    """Units that goods-outs of the period took out of what the warehouse can sell."""
    taken: dict[Key, int] = {}
    for goods_out in {g.id: g for past in orders for g in past.goods_outs}.values():
        place = f"{goods_out.account}/{goods_out.warehouse}"
        for code, units in _held(goods_out):
            taken[place, code] = taken.get((place, code), 0) + units
    return taken


def _held(goods_out: GoodsOut) -> Iterator[tuple[str, int]]:
    for line in goods_out.lines:
        if goods_out.stage in (Stage.COMPLETED, Stage.CANCELLED):
            yield line.product_code, line.despatched
        else:
            yield line.product_code, max(line.picked, line.despatched) if line.short else line.ordered


def _taken_by_shop(orders: Sequence[PastOrder], ground: Ground) -> dict[tuple[str, str, str], int]:
    """Units that orders of the period took out of what the shop can sell, at the location that holds the line."""
    taken: dict[tuple[str, str, str], int] = {}
    for past in orders:
        locations = _locations(past.order)
        told = fulfilled_units(past.order)
        for line in past.order.lines:
            fulfilled = told.get(line.id, 0)
            units = fulfilled if past.order.cancelled_at is not None else max(line.current, fulfilled)
            location = locations.get(line.id)
            if not units or not line.sku or location is None:
                continue
            answer = ground.rules.products(shop=past.shop, sku=line.sku)
            for product in answer.value if isinstance(answer, Found) else ():
                key = (past.shop, location, product.code)
                taken[key] = taken.get(key, 0) + units * product.units
    return taken


def _locations(order: ShopOrder) -> dict[str, str]:
    """The location of each line: of the share that holds most of it."""
    most: dict[str, tuple[int, str]] = {}
    for share in order.fulfilment_orders:
        if share.status is not FulfilmentOrderStatus.CANCELLED:
            for line in share.lines:
                if line.total > most.get(line.line_id, (-1, ""))[0]:
                    most[line.line_id] = (line.total, share.location_id)
    return {line_id: location for line_id, (_, location) in most.items()}


def _name(place: Place) -> str:
    return f"{place.account}/{place.warehouse}"
