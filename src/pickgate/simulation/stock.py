"""Stock in the simulation: scarce goods, deliveries and losses, and the publication that Pickgate runs over them.

A world is made scarce with `make_scarce`; `StockDesk` then publishes through the same faulty transports and crash
points as everything else. It never tells the judge more than when a snapshot was begun.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from pickgate.connectors.clarus.stock import ClarusStock, parse_stock_hint
from pickgate.connectors.shopify.stock import ShopifyStock
from pickgate.domain.stock_seen import skus_to_correct
from pickgate.fittings import freshening
from pickgate.flows.look import LookResult
from pickgate.flows.stock import StockFlows
from pickgate.settings import stock_policy_of
from pickgate.simulation.installation import CLARUS_CALLBACK
from pickgate.simulation.stepping import run_now
from pickgate.simulation.stories import STORIES
from pickgate.simulation.transports import CrashingStore
from pickgate.simulation.world import SHOP, World
from pickgate.store.memory_stock import MemoryStock

if TYPE_CHECKING:
    from pickgate.simulation.driver import Simulation

# Everything sells from one place, so that what is there is one figure for each SKU.
STOCK_STORIES = tuple(name for name in STORIES if name not in ("two_places", "routed_anew", "many_lines"))
SETTINGS: dict[str, dict[str, Any]] = {"stock": {"most_changed_share": 1.0, "most_zero_share": 1.0}}
_STOCK_EVENTS = (("stock_balance", "updated"), ("stock", "received"), ("stock", "negatively_adjusted"))


def make_scarce(world: World, rng: random.Random, *, orders: int, seconds: float) -> None:
    """Leave a few units of each SKU, the same in the shop and on the shelf; let some come in, and some be lost.

    From here on shoppers buy only what the shop shows as available.
    """
    world.is_scarce = True
    for variant in world.variants:
        units = rng.randint(orders // 6, orders // 4)
        world.shop.set_stock(variant, units, world.main)
        _count(world, str(variant.sku), units)
    for happens, times, fewest, most in ((_receive, max(4, orders // 6), 3, 12), (_lose, max(2, orders // 40), 1, 4)):
        for _ in range(times):
            act = partial(happens, world, str(rng.choice(world.variants).sku), rng.randint(fewest, most))
            world.after(rng.uniform(0.1, 1.2) * seconds, act)


def _count(world: World, sku: str, units: float) -> None:
    world.warehouse.set_stock(sku, units, account_id=world.account_id, warehouse_id=world.site_id)


def _receive(world: World, sku: str, units: int) -> None:
    world.warehouse.receive_stock(sku, units, account_id=world.account_id, warehouse_id=world.site_id)


def _lose(world: World, sku: str, units: int) -> None:
    """Somebody counts, and finds fewer than there should be."""
    shelf = world.warehouse.stock_figures(sku, account_id=world.account_id, warehouse_id=world.site_id)["received"]
    _count(world, sku, max(0.0, shelf - units))


class StockDesk:
    """Publishes on time, and corrects what was hinted at. A nested worker has flows of its own: another holder."""

    def __init__(self, simulation: Simulation, flows_type: type[StockFlows] = StockFlows) -> None:
        self._simulation = simulation
        self.rows = MemoryStock(simulation.store)
        self.every = simulation.settings.stock.publish_every
        self.publications = self.corrections = 0
        self._next = simulation.clock.now() + self.every
        rows: Any = self.rows
        crashing: Any = CrashingStore(rows, simulation.crashes)
        self._flows = [self._make(flows_type, crashing, f"worker-{number}") for number in (1, 2)]
        self._running = 0
        simulation.receiver.on_stock_hint = self._hear
        simulation.world.aim_warehouse(CLARUS_CALLBACK, _STOCK_EVENTS)

    def _make(self, flows_type: type[StockFlows], store: Any, holder: str) -> StockFlows:
        simulation = self._simulation
        shop, warehouse = simulation.shop, simulation.warehouse
        page_size = simulation.settings.clarus.page_size
        return flows_type(
            store=store,
            shops={SHOP: ShopifyStock(shop.client, shop=SHOP)},
            warehouse=ClarusStock(warehouse.client, warehouse.catalogue, page_size=page_size),
            rules=lambda _: simulation.rules,
            policy=stock_policy_of(simulation.settings.stock),
            clock=simulation.ours,
            holder=holder,
            freshen=freshening(simulation.net_flows),
        )

    # ── what the driver calls ────────────────────────────────────────────────────────────────────────────────────

    def next_due_at(self) -> datetime:
        """When something is to be published; at once while hints wait."""
        return self._simulation.clock.now() + timedelta(seconds=5) if self.rows.hints else self._next

    def run_due(self) -> None:
        """Publish what is due: all of it on time, what was hinted at between."""
        now = self._simulation.clock.now()
        if now >= self._next:
            # At rest the polls come seldom, and so does this.
            self._next = now + max(self.every, self._simulation.poll_every)
            self.publish()
        if self.rows.hints:
            self._hinted()

    def publish(self) -> None:
        """Compare everything. Whatever may crash or fail here is tried again the next time."""
        self.publications += 1
        self._running += 1
        try:
            run_now(self._flow.publish())
        finally:
            self._running -= 1

    def correct(self, result: LookResult) -> None:
        """After a look: an edit that put units back on sale which are in a tote is corrected now."""
        skus = skus_to_correct(result.decision) if result.decision is not None else ()
        if skus:
            run_now(self._flow.note_restock(SHOP, skus))
            self._hinted()

    def _hinted(self) -> None:
        self.corrections += 1
        self._running += 1
        try:
            run_now(self._flow.publish_hinted())
        finally:
            self._running -= 1

    @property
    def _flow(self) -> StockFlows:
        return self._flows[min(self._running, 1)]

    async def _hear(self, body: bytes) -> None:
        await self._flow.note_products(parse_stock_hint(body))
