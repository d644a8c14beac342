"""Reading what a stock decision needs, in the one order that makes it safe.

First the warehouse, then the shop's levels, then what has happened to orders meanwhile, and our own records last. An
order that is proven to be in the warehouse was looked at before the first of these reads and untouched until the last,
so the shop's committed units and the warehouse's figures both contain it. (ADR 0010)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pickgate.clock import Clock
from pickgate.domain.facts import Unreadable
from pickgate.domain.rules import Found, Ignored, NotListed, Place, Product, Rules
from pickgate.domain.stock import SeenUnits, ShopLevel, StockSnapshot
from pickgate.domain.stock_policy import StockPolicy
from pickgate.flows.stock_ports import KnownLevel, StockShopPort, StockStore, StockWarehousePort

Freshen = Callable[[Sequence[str]], Awaitable[str | None]]
"""Wakes every order that the given shops or the warehouse show as changed; says why when it could not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    snapshot: StockSnapshot
    levels: tuple[ShopLevel, ...]
    seen: Mapping[tuple[str, str, str], SeenUnits]
    taken: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which locations sell from which place, and which places can't be judged now.

    `inactive`: locations that the rulebook maps and the shop has switched off.
    """

    locations: Mapping[Place, tuple[tuple[str, str], ...]]
    blocked: Mapping[Place, Unreadable]
    inactive: tuple[tuple[str, str, str], ...] = ()


@dataclass(slots=True, kw_only=True)
class StockLooker:
    store: StockStore
    shops: Mapping[str, StockShopPort]
    warehouse: StockWarehousePort
    rules: Callable[[str], Rules]  # by shop
    policy: StockPolicy
    clock: Clock
    freshen: Freshen
    _last: dict[str, tuple[tuple[str, Place], ...]] = field(default_factory=dict)  # each shop's locations, last read

    async def plan(self) -> Plan | Unreadable:
        """Map locations to places. A shop that can't be read blocks the places where it is known to sell."""
        inactive: list[tuple[str, str, str]] = []
        blocked: dict[Place, Unreadable] = {}
        for shop, port in self.shops.items():
            found = await port.read_locations()
            if isinstance(found, Unreadable):
                if shop not in self._last:
                    return Unreadable(why=f"{shop}: {found.why}", code=found.code)
                blocked.update((place, found) for _, place in self._last[shop])
                continue
            mapped: list[tuple[str, Place]] = []
            for location in found:
                match self.rules(shop).place(shop=shop, location_id=location.id, location_name=location.name):
                    case Found(place, _) if location.active:
                        mapped.append((location.id, place))
                    case Found():
                        inactive.append((shop, location.id, location.name))
                    case Ignored() | NotListed():
                        pass
            self._last[shop] = tuple(mapped)
        locations: dict[Place, tuple[tuple[str, str], ...]] = {}
        for shop in self.shops:
            for location_id, place in self._last.get(shop, ()):
                locations[place] = (*locations.get(place, ()), (shop, location_id))
        return Plan(locations=locations, blocked=blocked, inactive=tuple(inactive))

    async def look_at_all(self, place: Place, locations: Sequence[tuple[str, str]]) -> Looked | Unreadable:
        """Read a place and every level that sells from it."""
        begun_at = self.clock.now()
        balances = await self.warehouse.read_balances(place, None)
        if isinstance(balances, Unreadable):
            return balances
        levels: list[ShopLevel] = []
        for shop, location_id in locations:
            found = await self.shops[shop].read_levels(location_id)
            if isinstance(found, Unreadable):
                return found
            levels += self.with_products(found)
        return await self._complete(StockSnapshot(place=place, begun_at=begun_at, balances=balances), levels)

    async def look_again(self, place: Place, sellers: Sequence[KnownLevel]) -> Looked | Unreadable:
        """Read these levels and the products that they sell again. `sellers` are all that sell any of them."""
        begun_at = self.clock.now()
        codes = self.codes_of(sellers)
        balances = await self.warehouse.read_balances(place, sorted(codes))
        if isinstance(balances, Unreadable):
            return balances
        levels: list[ShopLevel] = []
        for shop in dict.fromkeys(level.key[0] for level in sellers):
            ids = [level.level_id for level in sellers if level.key[0] == shop]
            found = await self.shops[shop].read_levels_by_id(ids)
            if isinstance(found, Unreadable):
                return found
            levels += self.with_products(found)
        snapshot = StockSnapshot(place=place, begun_at=begun_at, balances=balances, asked=frozenset(codes))
        return await self._complete(snapshot, levels)

    def with_products(self, levels: Sequence[ShopLevel]) -> list[ShopLevel]:
        """Say of each level which warehouse products sell there."""
        rules = {shop: self.rules(shop) for shop in {level.shop for level in levels}}
        return [replace(one, products=products_of(rules[one.shop], shop=one.shop, sku=one.sku)) for one in levels]

    def codes_of(self, levels: Sequence[KnownLevel]) -> set[str]:
        """Return the warehouse products that these levels sell."""
        rules = {shop: self.rules(shop) for shop in {level.key[0] for level in levels}}
        return {
            product.code
            for level in levels
            for product in products_of(rules[level.key[0]], shop=level.key[0], sku=level.sku)
        }

    async def _complete(self, snapshot: StockSnapshot, levels: list[ShopLevel]) -> Looked | Unreadable:
        shops = tuple(dict.fromkeys(level.shop for level in levels))
        problem = await self.freshen(shops)
        if problem is not None:
            return Unreadable(why=problem)
        now = self.clock.now()
        seen = await self.store.units_in_warehouse(
            snapshot.place,
            shops,
            before=snapshot.begun_at,
            now=now,
            allocated_only=self.policy.counts_allocated_only,
        )
        taken = await self.store.units_since_snapshot(snapshot.place, begun_at=snapshot.begun_at, now=now)
        return Looked(snapshot=snapshot, levels=tuple(levels), seen=seen, taken=taken)


def products_of(rules: Rules, *, shop: str, sku: str) -> tuple[Product, ...]:
    """Return the warehouse products behind one unit of a SKU; none when it is not the warehouse's business."""
    if not sku:
        return ()
    match rules.products(shop=shop, sku=sku):
        case Found(products, _):
            return products
        case _:
            return ()
