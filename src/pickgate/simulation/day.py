"""A compressed trading day in real time: the same world and stories as the simulation, played over HTTP.

Whoever runs it gives the address of a Pickgate; nothing here knows how that is started.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pickgate.clock import RealClock
from pickgate.http import HttpRequest, HttpResponse, Transport
from pickgate.simulation.driver import tell_stories
from pickgate.simulation.oracle import Bounds, Oracle, SeenException, Violation, read_truth
from pickgate.simulation.stories import STORIES
from pickgate.simulation.world import Timing, World, make_world, scaled_habits
from pickgate.twins.clarus import ClarusKnobs
from pickgate.twins.deliveries import Delivery
from pickgate.twins.server import DeliveryCarrier, ServedTwin, serve_twin
from pickgate.twins.shopify import ShopifyKnobs

Handle = Callable[[HttpRequest], HttpResponse]
FACTOR = 1 / 300  # a trading minute takes a fifth of a second
TICK_SECONDS = 0.04


@dataclass(slots=True)
class Day:
    """One day that is being played. `close` ends everything that it started."""

    world: World
    shop: ServedTwin
    warehouse: ServedTwin
    carriers: list[DeliveryCarrier]
    stories: Counter[str] = field(default_factory=Counter)
    started_at: datetime | None = None
    _ticking: asyncio.Task[None] | None = None
    _frozen: bool = False

    def start(self) -> None:
        """Let time begin: people act, webhooks are carried."""
        self.started_at = self.world.clock.now()
        for carrier in self.carriers:
            carrier.start()
        self._ticking = asyncio.create_task(self._tick())

    def tell(self, rng: random.Random, *, orders: int, seconds: float) -> None:
        """Begin so many orders over so many seconds."""
        drawn = tell_stories(self.world, rng, orders=orders, seconds=seconds, chosen=dict(STORIES))
        self.stories.update(drawn)

    def freeze(self) -> None:
        """Let nobody act any more: what has happened is the day. Webhooks on their way still arrive."""
        self._frozen = True

    async def _tick(self) -> None:
        while not self._frozen:
            self.world.tick()
            await asyncio.sleep(TICK_SECONDS)

    async def close(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        for carrier in self.carriers:
            await carrier.aclose()
        await self.shop.aclose()
        await self.warehouse.aclose()


async def open_day(
    *,
    seed: int,
    transport: Transport,
    callback_base: str,
    clarus_token: str,
    factor: float = FACTOR,
    wrap: Callable[[str, Handle], Handle] = lambda name, handle: handle,
) -> Day:
    """Furnish the world, serve both twins on loopback, and aim the warehouse's webhooks at `callback_base`.

    `wrap` may stand in a twin's door ("shop", "warehouse"), to count what goes through.
    """
    clock, rng = RealClock(), random.Random(seed)
    world = make_world(
        clock,
        rng,
        timing=Timing().shrunk(factor),
        shop_knobs=ShopifyKnobs(
            routing_seconds=0.3,
            webhook_delay_seconds=(0.02, 0.2),
            bucket_size=50_000,
            restore_rate=100 / factor,
        ),
        warehouse_knobs=ClarusKnobs(),
        habits=scaled_habits(factor, short_chance=0.01, two_goes_chance=0.08),
    )
    world.aim_warehouse(f"{callback_base}/webhooks/clarus/{clarus_token}")
    shop = await serve_twin(wrap("shop", world.shop.handle))
    warehouse = await serve_twin(wrap("warehouse", world.warehouse.handle))
    carriers = [
        DeliveryCarrier(
            world.shop.deliveries,
            transport,
            clock,
            on_success=lambda delivery, _: world.shop.delivery_succeeded(delivery),
            on_failure=lambda delivery, _: _failed(world, delivery),
        ),
        DeliveryCarrier(world.warehouse.deliveries, transport, clock),
    ]
    return Day(world=world, shop=shop, warehouse=warehouse, carriers=carriers)


def _failed(world: World, delivery: Delivery) -> None:
    world.shop.delivery_failed(delivery)


def judge_day(day: Day, exceptions: list[SeenException]) -> list[Violation]:
    """Judge the whole day by the twins' histories."""
    truth = read_truth(day.world.shop.history, day.world.warehouse.history)
    bounds = Bounds(fresh=timedelta(seconds=8), notice=timedelta(seconds=15))
    return Oracle(truth, exceptions, bounds).judge()


def count_day(day: Day) -> Mapping[str, int]:
    """What truly happened, counted from the twins' histories."""
    shop = Counter(event.kind for event in day.world.shop.history)
    warehouse = Counter(event.kind for event in day.world.warehouse.history)
    return {
        "orders": shop["order_created"],
        "edits": shop["order_edited"],
        "addresses changed": shop["address_changed"],
        "cancelled": shop["order_cancelled"],
        "goods-outs released": warehouse["goods_out_created"],
        "goods-outs recalled": warehouse["goods_out_deleted"] + warehouse["goods_out_cancelled"],
        "lines picked": warehouse["line_picked"],
        "despatches": warehouse["dispatched"],
        "fulfilments told": shop["fulfillment_created"],
    }
