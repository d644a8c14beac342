"""Runs the real flows against a world on a virtual clock, one step after another, with faults from one seed.

No coroutine here ever waits: every transport, clock and store answers at once, so a flow is driven by hand to its
end, or to a crash. People act between any two requests of a look: that is where the races are.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from pickgate.clock import Clock, VirtualClock
from pickgate.connectors.clarus import ClarusWarehouse
from pickgate.connectors.clarus.hints import ClarusHints
from pickgate.connectors.shopify.hints import ShopifyHints
from pickgate.connectors.shopify.port import ShopifyShop
from pickgate.connectors.shopify.webhooks import parse_headers, verify_signature
from pickgate.flows.look import Looker, LookResult, Nets
from pickgate.flows.nets import NetFlows
from pickgate.flows.ports import InboxItem, Lease, LeaseLost
from pickgate.flows.receive import Receiver
from pickgate.rulebook.evaluate import Rulebook
from pickgate.settings import Settings, policy_of
from pickgate.simulation.installation import CALLBACK, CLARUS_CALLBACK, simulation_settings
from pickgate.simulation.operators import Operators
from pickgate.simulation.stepping import Suspended, run_now
from pickgate.simulation.stock import StockDesk
from pickgate.simulation.stories import STORIES, Story
from pickgate.simulation.transports import Crashed, CrashingStore, CrashPoints, OffsetClock, Weather, WorldTransport
from pickgate.simulation.world import SHOP, World, rulebook_tables
from pickgate.store.memory import MemoryStore
from pickgate.twins.deliveries import Delivery
from pickgate.twins.faults import Courier, FaultPlan, FaultyTransport

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
MEND_EVERY = timedelta(hours=1)
LEASE_SECONDS = 20.0
NET_CRASHES = 0.1
__all__ = ["START", "Crashed", "Simulation", "Suspended", "run_now", "simulation_settings", "tell_stories"]


class Simulation:
    """One run. `nets` and the switches let a test take a safety net away and watch something break.

    `poll`, `sweep`, `mend`: the nets under the webhooks. `hints`: whether webhooks are heard at all. `skew`: how far
    our clock is ahead of the world's.
    """

    def __init__(
        self,
        world: World,
        clock: VirtualClock,
        rng: random.Random,
        *,
        settings: Settings | None = None,
        plan: FaultPlan | None = None,
        crash_chance: float = 0.0,
        nets: Nets | None = None,
        poll: bool = True,
        sweep: bool = True,
        mend: bool = True,
        hints: bool = True,
        skew: timedelta = timedelta(0),
        store: MemoryStore | None = None,
    ) -> None:
        self.world, self.clock = world, clock
        self.ours: Clock = OffsetClock(clock, skew) if skew else clock
        self.skew = skew
        self.settings = settings or simulation_settings(world)
        self.plan = plan or FaultPlan(rng)
        self.crashes = CrashPoints(random.Random(rng.getrandbits(64)), crash_chance)
        self.store = store or MemoryStore(keep_journal=False)
        self.poll, self.sweep, self.mend, self.hints = poll, sweep, mend, hints
        self.looks = 0
        self.stock: StockDesk | None = None
        self._workers = 1
        self._in_hand: list[Lease] = []
        self.weather = Weather()
        self.operators = Operators(world, self.store, self.ours, random.Random(rng.getrandbits(64)))
        transport_rng = random.Random(rng.getrandbits(64))
        self.transports = {
            name: WorldTransport(
                FaultyTransport(handle, self.plan, clock, wait_for_timeouts=False),
                world,
                transport_rng,
                self.crashes,
                side=name,
                weather=self.weather,
                meanwhile=self._other_worker,
            )
            for name, handle in (("shop", world.shop.handle), ("warehouse", world.warehouse.handle))
        }
        shop_settings = self.settings.shops[0]
        self.shop = shop = ShopifyShop(
            shop_settings,
            transport=self.transports["shop"],
            clock=self.ours,
            gather_seconds=0,
            rng=random.Random(rng.getrandbits(64)),
        )
        self.warehouse = warehouse = ClarusWarehouse(
            self.settings.clarus, self.transports["warehouse"], self.ours, gather_seconds=0
        )
        self.rules = Rulebook(1, rulebook_tables(world))
        crashing: Any = CrashingStore(self.store, self.crashes)
        self.looker = Looker(
            store=crashing,
            shops={SHOP: shop},
            warehouse=warehouse,
            rules=lambda _: self.rules,
            policies={SHOP: policy_of(shop_settings, self.settings.clarus)},
            clock=self.ours,
            nets=nets or Nets(),
        )
        self.receiver = Receiver(
            store=crashing,
            shops={SHOP: shop},
            parsers={"shopify": ShopifyHints(), "clarus": ClarusHints()},
            clock=self.ours,
        )
        self.net_flows = NetFlows(store=crashing, shops={SHOP: shop}, warehouse=warehouse, clock=self.ours)
        self._couriers = (
            Courier(world.shop.deliveries, self.plan),
            Courier(world.warehouse.deliveries, self.plan),
        )
        self.poll_every, self.sweep_every = self.settings.clarus.poll_open_orders_every, self.settings.sweep.every
        self._next_poll = self._next_sweep = clock.now()
        self._next_mend = clock.now() + MEND_EVERY
        world.aim_warehouse(CLARUS_CALLBACK)
        self._undisturbed(lambda: run_now(self.net_flows.mend_subscriptions(SHOP, CALLBACK)))

    # ── running ──────────────────────────────────────────────────────────────────────────────────────────────────

    def run_until(self, end: datetime) -> None:
        """Let everything happen that is due until `end`."""
        while True:
            due = self._next_due()
            if due is None or due > end:
                self.clock.move_to(end)
                return
            self.clock.move_to(due)
            self.step()

    def step(self) -> None:
        """Do everything that is due now."""
        self.world.tick()
        for courier, deliver in zip(self._couriers, (self._deliver_shop, self._deliver_warehouse), strict=True):
            for delivery in courier.take_due(self.clock.now()):
                deliver(delivery)
        if self.hints:
            self._survive(lambda: run_now(self.receiver.receive()))
        self._run_nets()
        for _ in range(50):
            leases = run_now(self.store.claim(worker="sim", now=self.ours.now(), lease_seconds=LEASE_SECONDS, limit=4))
            if not leases:
                return
            for lease in leases:
                self._look(lease)

    def _other_worker(self, *, paused: bool) -> None:
        """While a request hangs, the world goes on, and so does another worker; a third would find nothing new.

        `paused`: the whole process stands still, so that its lease is not renewed either.
        """
        if self._in_hand and not paused:
            with suppress(LeaseLost):
                run_now(self.store.renew(self._in_hand[-1], now=self.ours.now(), lease_seconds=LEASE_SECONDS))
        if self._workers > 1:
            self.world.tick()
            return
        self._workers += 1
        self.step()
        self._workers -= 1

    def _look(self, lease: Lease) -> None:
        self.looks += 1
        self._in_hand.append(lease)
        self._survive(lambda: self._looked(run_now(self.looker.look(lease))))
        self._in_hand.pop()

    def _looked(self, result: LookResult) -> None:
        if self.stock is not None:
            self.stock.correct(result)

    def settle(self, *, people: timedelta = timedelta(hours=3), patience: timedelta = timedelta(hours=6)) -> None:
        """Heal: no more faults. Let people finish (`people`), let time-outs ripen (`patience`), and sweep it all."""
        self.heal(people=people)
        self.rest(patience=patience)

    def heal(self, *, people: timedelta = timedelta(hours=3)) -> None:
        """No more faults; people finish what they have begun."""
        self.plan.switch_all_off()
        self.crashes.chance = 0.0
        for transport in self.transports.values():
            transport.slow_chance = 0.0
        self.run_until(self.clock.now() + people)

    def rest(self, *, patience: timedelta = timedelta(hours=6)) -> None:
        """Nobody does anything any more. Time-outs ripen; at the end everything is looked at again."""
        self.poll_every = self.sweep_every = timedelta(hours=2)
        self.run_until(self.clock.now() + patience)
        for _ in range(2):
            self._undisturbed(lambda: run_now(self.net_flows.sweep_orders(not_looked_for=timedelta(0), sample=10**9)))
            self.run_until(self.clock.now() + timedelta(minutes=15))
            if self.stock is not None:
                self._undisturbed(self.stock.publish)

    def _next_due(self) -> datetime | None:
        looking = run_now(self.store.next_due_at())
        times = [
            self.world.next_due_at(),
            *(courier.next_due_at() for courier in self._couriers),
            looking - self.skew if looking is not None else None,
            self._next_poll if self.poll else None,
            self._next_sweep if self.sweep else None,
            self._next_mend if self.mend else None,
            self.stock.next_due_at() if self.stock is not None else None,
        ]
        return min((at for at in times if at is not None), default=None)

    def _run_nets(self) -> None:
        self.crashes.scale, scale = NET_CRASHES, self.crashes.scale
        self._run_due_nets()
        self.crashes.scale = scale

    def _run_due_nets(self) -> None:
        now = self.clock.now()
        if self.poll and now >= self._next_poll:
            self._next_poll = now + self.poll_every
            self._survive(lambda: run_now(self.net_flows.poll_warehouse()))
        if self.sweep and now >= self._next_sweep:
            self._next_sweep = now + self.sweep_every
            self._survive(lambda: run_now(self.net_flows.sweep_shop(SHOP)))
            every = self.settings.sweep.every
            self._survive(lambda: run_now(self.net_flows.sweep_orders(not_looked_for=every, sample=5)))
        if self.mend and now >= self._next_mend:
            self._next_mend = now + MEND_EVERY
            self._survive(lambda: run_now(self.net_flows.mend_subscriptions(SHOP, CALLBACK)))
        if self.stock is not None:
            self._survive(self.stock.run_due)

    def _survive(self, act: Callable[[], object]) -> None:
        """A crash ends what the worker was doing; another worker goes on, and leases run out."""
        with suppress(Crashed):
            act()

    def _undisturbed(self, act: Callable[[], object]) -> None:
        chances, chance = dict(self.plan.chances), self.crashes.chance
        self.plan.switch_all_off()
        self.crashes.chance = 0.0
        act()
        self.plan.chances.update(chances)
        self.crashes.chance = chance

    # ── webhooks ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _deliver_shop(self, delivery: Delivery) -> None:
        envelope = parse_headers(delivery.headers)
        secrets = self.settings.shops[0].webhook_secrets
        if envelope is None or not verify_signature(delivery.body, envelope.signature, secrets):
            self.world.shop.delivery_failed(delivery)
            return
        item = InboxItem(
            source="shopify",
            shop=SHOP,
            topic=envelope.topic,
            event_id=envelope.event_id,
            webhook_id=envelope.webhook_id,
            body=delivery.body,
            received_at=self.ours.now(),
        )
        run_now(self.store.record_inbox([item]))
        self.world.shop.delivery_succeeded(delivery)

    def _deliver_warehouse(self, delivery: Delivery) -> None:
        event_id = sha256(delivery.body + delivery.url.encode() + self.clock.now().isoformat().encode()).hexdigest()
        item = InboxItem(
            source="clarus",
            shop="",
            topic=delivery.topic,
            event_id=event_id,
            webhook_id="",
            body=delivery.body,
            received_at=self.ours.now(),
        )
        run_now(self.store.record_inbox([item]))


def tell_stories(
    world: World,
    rng: random.Random,
    *,
    orders: int,
    seconds: float,
    chosen: Mapping[str, tuple[Story, float]] | None = None,
) -> dict[str, int]:
    """Put `orders` beginnings on the agenda, spread over `seconds`. Returns how often each story was drawn."""
    stories = chosen or dict(STORIES)
    names = list(stories)
    weights = [stories[name][1] for name in names]
    counts: dict[str, int] = {}
    for name in rng.choices(names, weights, k=orders):
        counts[name] = counts.get(name, 0) + 1
        story = stories[name][0]
        own = random.Random(rng.getrandbits(64))
        world.after(rng.uniform(0, seconds), lambda story=story, own=own: story(world, own))  # type: ignore[misc]
    return counts
