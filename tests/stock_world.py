"""A tiny world for stock: one shop, one warehouse, a few products, and events that may come between any two reads.

It keeps its own truth: what lies on the shelf, what every order still needs from it. The stock flow only sees it
through the ports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pickgate.clock import VirtualClock
from pickgate.domain.decision import ComparisonRow, Decision, OrderState
from pickgate.domain.facts import Unreadable
from pickgate.domain.rules import Found, NotListed, Place, Product
from pickgate.domain.stock import ShopLevel
from pickgate.domain.stock_policy import Balance, StockPolicy
from pickgate.flows.ports import Confirmed
from pickgate.flows.stock import StockFlows
from pickgate.flows.stock_ports import STALE, BatchOutcome, ShopLocation, SomeRefused, StockBatch
from pickgate.store.memory import MemoryStore
from pickgate.store.memory_rows import MemoryOrder
from pickgate.store.memory_stock import MemoryStock
from stock_orders import (
    HERE,
    PRODUCTS,
    ROW,
    START,
    GoodsOut,
    Sale,
    has_moved,
    record_of,
    seen_goods_out,
    shop_order,
)


class WorldRules:
    """Every SKU is what `PRODUCTS` says; every location is in Leeds."""

    version = 1

    def place(self, *, shop: str, location_id: str, location_name: str) -> Found[Place]:
        return Found(HERE, ROW)

    def products(self, *, shop: str, sku: str) -> Found[tuple[Product, ...]] | NotListed:
        return Found(PRODUCTS[sku], ROW) if sku in PRODUCTS else NotListed("skus", sku)


@dataclass(slots=True)
class Level:
    available: int = 0
    aside: int = 0


@dataclass(slots=True)
class World:
    """The truth, and the ports onto it. `between` is called around every read and write of the flow."""

    on_hand: bool = False
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(START))
    shelf: dict[str, int] = field(default_factory=lambda: {"CUP": 0, "TEA": 0})
    levels: dict[str, Level] = field(default_factory=lambda: {sku: Level() for sku in PRODUCTS})
    sales: list[Sale] = field(default_factory=list)
    store: MemoryStore = field(default_factory=MemoryStore)
    stock: MemoryStock = field(init=False)
    between: Callable[[], None] = lambda: None
    calls: list[StockBatch] = field(default_factory=list)
    answers: list[BatchOutcome] = field(default_factory=list)  # given in place of the next ones; nothing is set
    bad: dict[str, str] = field(default_factory=dict)  # SKU → why the shop never lets it be set
    odd: dict[str, Balance | Unreadable] = field(default_factory=dict)  # what the warehouse says instead
    gone: bool = False  # the warehouse can't be read
    active: bool = True
    lost: dict[str, int] = field(default_factory=lambda: {"CUP": 0, "TEA": 0})
    sold: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PRODUCTS, 0))
    restocked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PRODUCTS, 0))
    _lost_at_read: dict[str, int] = field(default_factory=dict)
    _sold_at_read: dict[str, int] = field(default_factory=dict)
    _restocked_at_read: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stock = MemoryStock(self.store)

    def flows(self, policy: StockPolicy | None = None) -> StockFlows:
        return StockFlows(
            store=self.stock,
            shops={"uk": self},
            warehouse=self,
            rules=lambda shop: WorldRules(),  # type: ignore[arg-type,return-value]  # only what stock asks
            policy=policy or StockPolicy(sets_on_hand=self.on_hand, most_changed_share=1, most_zero_share=1),
            clock=self.clock,
            holder="w1",
            freshen=self.freshen,
        )

    # truth

    def committed(self, sku: str) -> int:
        return sum(sale.committed for sale in self.sales if sale.sku == sku)

    def left_of(self, product: str) -> int:
        """Units on the shelf that nobody has spoken for. May be negative."""
        needed = sum(
            sale.to_come * part.units for sale in self.sales for part in PRODUCTS[sale.sku] if part.code == product
        )
        return self.shelf[product] - needed

    def promise(self, sku: str) -> int:
        return max(0, min(self.left_of(part.code) // part.units for part in PRODUCTS[sku]))

    # what happens

    def tick(self) -> None:
        self.clock.advance(0.25)

    def sell(self, sku: str, units: int) -> Sale | None:
        """A customer buys, as far as the shop lets them."""
        self.tick()
        if self.levels[sku].available < units:
            return None
        self.levels[sku].available -= units
        self.sold[sku] += units
        sale = Sale(number=len(self.sales) + 1, sku=sku, wanted=units, updated_at=self.clock.now())
        self.sales.append(sale)
        return sale

    def edit(self, sale: Sale, wanted: int) -> None:
        """An edit, or a cancellation. What is taken off goes back on sale at once, wherever the units are."""
        self.tick()
        change = max(wanted, sale.fulfilled) - sale.wanted
        level = self.levels[sale.sku]
        if change == 0 or change > level.available:
            return
        level.available -= change
        self.sold[sale.sku] += max(0, change)
        self.restocked[sale.sku] += max(0, -change)
        sale.wanted += change
        sale.updated_at = self.clock.now()

    def pick(self, sale: Sale) -> None:
        """Pick one unit of an order's goods-out, when the shelf has it."""
        self.tick()
        out, parts = sale.goods_out, PRODUCTS[sale.sku]
        if out is None or not out.live or out.picked >= out.units:
            return
        if all(self.shelf[part.code] >= part.units for part in parts):
            for part in parts:
                self.shelf[part.code] -= part.units
            out.picked += 1

    def despatch(self, sale: Sale) -> None:
        self.tick()
        if sale.goods_out is not None and sale.goods_out.live:
            sale.goods_out.left = sale.goods_out.picked

    def cancel_by_hand(self, sale: Sale) -> None:
        """Somebody cancels it in the warehouse; what was picked goes back on the shelf."""
        self.tick()
        out = sale.goods_out
        if out is None or not out.live or out.left:
            return
        self._put_back(sale, out)

    def _put_back(self, sale: Sale, out: GoodsOut) -> None:
        for part in PRODUCTS[sale.sku]:
            self.shelf[part.code] += out.picked * part.units
        out.live, out.picked = False, 0

    def receive(self, product: str, units: int) -> None:
        self.tick()
        self.shelf[product] += units

    def lose(self, product: str, units: int) -> None:
        self.tick()
        units = min(units, self.shelf[product])
        self.shelf[product] -= units
        self.lost[product] += units

    def look(self, sale: Sale) -> None:
        """One look at one order: learn, then create, recall or tell the shop, as the order's own flow would."""
        self.tick()
        seen = sale.goods_out
        if seen is not None and not seen.live:
            sale.goods_out = seen = None
            sale.seen_verified = sale.recalling = False
        elif seen is not None:
            sale.seen_verified = True
        self._remember(sale)
        if seen is None and sale.committed > 0:
            sale.goods_out, sale.told = GoodsOut(units=sale.committed, created_at=self.clock.now()), 0
            sale.seen_verified = False
        elif seen is not None and seen.left > sale.told:
            news = min(seen.left - sale.told, sale.committed)
            sale.fulfilled += news
            sale.told += news
            sale.updated_at = self.clock.now()
        elif seen is not None and seen.units - sale.told != sale.committed and seen.picked == 0:
            self._put_back(sale, seen)
            sale.recalling = True
        self._remember(sale)
        assert sale.row is not None
        self.tick()
        sale.row.looked_at = self.clock.now()

    def _remember(self, sale: Sale) -> None:
        row = sale.row
        if row is None:
            number = len(self.store.orders) + 1
            row = sale.row = MemoryOrder(
                row=number, shop="uk", order_id=str(sale.number), first_seen_at=self.clock.now(), next_look_at=None
            )
            self.store.orders[number] = row
        row.next_look_at = None
        row.order = shop_order(sale)
        out = sale.goods_out
        held = out.units if out is not None else 0
        row.decision = Decision(
            state=OrderState.WAITING,
            comparison=(
                ComparisonRow(
                    line_id="A", title="", sku=sale.sku, shop_units=sale.committed, decided_units=0,
                    warehouse_units=held, picked=0, despatched=0, fulfilled=sale.fulfilled,
                    differs=out is not None and held - sale.told != sale.committed,
                ),
            ),
        )  # fmt: skip
        row.records = {} if out is None else {"r": record_of(sale, out)}
        row.goods_outs_seen = (seen_goods_out(sale, out),) if out is not None and sale.seen_verified else ()

    async def freshen(self, shops: Sequence[str]) -> str | None:
        """The sweep and the poll: whatever is not as an order's last look saw it is due now."""
        self.between()
        for sale in self.sales:
            row = sale.row
            if row is not None and (row.order != shop_order(sale) or has_moved(sale, row)):
                row.next_look_at = self.clock.now()
        self.between()
        return None

    # the ports

    async def read_locations(self) -> tuple[ShopLocation, ...] | Unreadable:
        self.between()
        return (ShopLocation(id="L1", name="Leeds", active=self.active),)

    async def read_levels(self, location_id: str) -> tuple[ShopLevel, ...] | Unreadable:
        return await self.read_levels_by_id([f"level-{sku}" for sku in PRODUCTS])

    async def read_levels_by_id(self, level_ids: Sequence[str]) -> tuple[ShopLevel, ...] | Unreadable:
        self.between()
        self._sold_at_read, self._restocked_at_read = dict(self.sold), dict(self.restocked)
        found = tuple(self._level(sku) for sku in PRODUCTS if f"level-{sku}" in level_ids)
        self.between()
        return found

    def _level(self, sku: str) -> ShopLevel:
        level, committed = self.levels[sku], self.committed(sku)
        return ShopLevel(
            shop="uk", location_id="L1", item_id=f"item-{sku}", level_id=f"level-{sku}", sku=sku,
            available=level.available, committed=committed, on_hand=level.available + committed,
        )  # fmt: skip

    async def read_balances(
        self, place: Place, codes: Sequence[str] | None
    ) -> Mapping[str, Balance | Unreadable] | Unreadable:
        self.between()
        if self.gone:
            return Unreadable(why="Clarus answered 503", code=None)
        self._lost_at_read = dict(self.lost)
        found: dict[str, Balance | Unreadable] = {}
        for product, units in self.shelf.items():
            waiting = sum(
                (sale.goods_out.units - sale.goods_out.picked) * part.units
                for sale in self.sales
                for part in PRODUCTS[sale.sku]
                if part.code == product and sale.goods_out is not None and sale.goods_out.live
            )
            if codes is None or product in codes:
                found[product] = self.odd.get(product, Balance(available=units - waiting, ordered=waiting))
        self.between()
        return found

    async def set_quantities(self, batch: StockBatch) -> BatchOutcome:
        self.between()
        self.calls.append(batch)
        if self.answers:
            return self.answers.pop(0)
        stale = {}
        for index, item in enumerate(batch.items):
            level = self._level(item.sku)
            if item.sku in self.bad:
                stale[index] = self.bad[item.sku]
            elif item.change_from != (level.on_hand if batch.on_hand else level.available):
                stale[index] = STALE
        if stale:
            return SomeRefused(items=stale, problem="stale")
        for item in batch.items:
            aside = self.committed(item.sku) if batch.on_hand else 0
            self.levels[item.sku].available = item.quantity - aside
            self.check(item.sku)
        self.between()
        return Confirmed()

    def check(self, sku: str) -> None:
        """What was just published is there, but for what nobody could know: losses since the shelf was read, sales of
        another SKU with the same product, and what the shop put back on sale by itself since the levels were read."""
        for part in PRODUCTS[sku]:
            others = sum(
                (self.sold[other] - self._sold_at_read[other]) * p.units
                for other, parts in PRODUCTS.items()
                for p in parts
                if other != sku and p.code == part.code
            )
            back = sum(
                (self.restocked[other] - self._restocked_at_read[other]) * p.units
                for other, parts in PRODUCTS.items()
                for p in parts
                if p.code == part.code
            )
            lost = self.lost[part.code] - self._lost_at_read[part.code]
            excused = self.left_of(part.code) + others + back + lost
            promised = self.levels[sku].available
            assert promised <= max(0, excused // part.units), (
                f"{promised} {sku} promised, {excused} {part.code} are there"
            )
