"""Runs the real flows against a world on a virtual clock, one step after another, with faults from one seed.

No coroutine here ever waits: every transport, clock and store answers at once, so a flow is driven by hand to its end, or
to a crash. People act between any two requests of a look: that is where the races are.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar

from pickgate.clock import VirtualClock
from pickgate.connectors.clarus import ClarusWarehouse
from pickgate.connectors.clarus.hints import ClarusHints
from pickgate.connectors.shopify.hints import ShopifyHints
from pickgate.connectors.shopify.port import ShopifyShop
from pickgate.connectors.shopify.webhooks import parse_headers, verify_signature
from pickgate.flows.look import Looker, Nets
from pickgate.flows.nets import NetFlows
from pickgate.flows.ports import InboxItem
from pickgate.flows.receive import Receiver
from pickgate.http import HttpRequest, HttpResponse
from pickgate.rulebook.evaluate import Rulebook
from pickgate.settings import Settings, policy_of
from pickgate.simulation.oracle import SeenException, Violation
from pickgate.simulation.stories import STORIES, Story
from pickgate.simulation.world import (
    ACCESS_TOKEN,
    CLARUS_ID,
    CLARUS_SECRET,
    CLIENT_SECRET,
    DOMAIN,
    SHOP,
    SUBDOMAIN,
    World,
    rulebook_tables,
)
from pickgate.store.memory import MemoryStore
from pickgate.twins.deliveries import Delivery
from pickgate.twins.faults import Courier, FaultPlan, FaultyTransport

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
SHOP_URL, WAREHOUSE_URL = "https://shop.twin", "https://warehouse.twin"
CALLBACK, CLARUS_CALLBACK = "https://pickgate.test/webhooks/shopify", "https://pickgate.test/webhooks/clarus/t"
T = TypeVar("T")


class Crashed(BaseException):
    """The worker died here. Nothing of ours may catch it."""


class Suspended(Exception):
    """A flow waited for something real: it cannot be simulated. A bug of ours."""


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine that never waits to its end."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    coroutine.close()
    raise Suspended("A simulated flow waited for the event loop.")


class CrashPoints:
    """Kills the worker before or after any call to the store or to the outside, with one small chance each."""

    def __init__(self, rng: random.Random, chance: float) -> None:
        self._rng = rng
        self.chance = chance
        self.count = 0

    def maybe(self) -> None:
        if self.chance and self._rng.random() < self.chance:
            self.count += 1
            raise Crashed


class CrashingStore:
    """The store with a crash point before and after each call of a look."""

    def __init__(self, store: MemoryStore, crashes: CrashPoints) -> None:
        self._store = store
        self._crashes = crashes

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._store, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            self._crashes.maybe()
            result = await method(*args, **kwargs)
            self._crashes.maybe()
            return result

        return call


class WorldTransport:
    """Carries requests to a twin. Time passes and people act before each one arrives and before its answer does."""

    def __init__(self, inner: FaultyTransport, world: World, rng: random.Random, crashes: CrashPoints) -> None:
        self._inner = inner
        self._world = world
        self._rng = rng
        self._crashes = crashes
        self.requests = 0

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests += 1
        self._pass_time()
        try:
            answer = await self._inner.send(request)
        finally:
            self._pass_time()
        self._crashes.maybe()
        return answer

    def _pass_time(self) -> None:
        clock = self._world.clock
        assert isinstance(clock, VirtualClock)
        clock.advance(self._rng.uniform(0.005, 0.06))
        due = self._world.next_due_at()
        if due is not None and due <= clock.now():
            self._world.tick()


@dataclass(slots=True, kw_only=True)
class Report:
    """What a run did and found."""

    seed: int
    orders: int = 0
    looks: int = 0
    faults: int = 0
    crashes: int = 0
    violations: list[Violation] = field(default_factory=list)
    trace: str = ""
    fault_counts: dict[str, int] = field(default_factory=dict)
    stories: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    exceptions: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    unsettled: int = 0


def simulation_settings(world: World, **sections: Any) -> Settings:
    """The settings of the simulated installation; `sections` are laid over."""
    timing = world.timing
    shop = {
        "key": SHOP,
        "domain": DOMAIN,
        "api_base": SHOP_URL,
        "access_token": ACCESS_TOKEN,
        "client_secrets": [CLIENT_SECRET],
        "window": {
            "edit_window": f"{timing.edit_window}s",
            "guard": f"{timing.guard}s",
            "min_age": f"{timing.min_age}s",
            "quiet": f"{timing.quiet}s",
        },
        **sections.pop("shop", {}),
    }
    clarus = {
        "base_url": WAREHOUSE_URL,
        "token_url": f"{WAREHOUSE_URL}/oauth/token",
        "subdomain": SUBDOMAIN,
        "client_id": CLARUS_ID,
        "client_secret": CLARUS_SECRET,
        "webhook_token": "t",
        "requests_per_second": 1000,
        **sections.pop("clarus", {}),
    }
    return Settings.model_validate(
        {"secret_key": "simulated-simulated-simulated-simulated", "shops": [shop], "clarus": clarus, **sections}
    )


class Simulation:
    """One run. `nets` and the switches let a test take a safety net away and watch something break."""

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
    ) -> None:
        self.world, self.clock = world, clock
        self.settings = settings or simulation_settings(world)
        self.plan = plan or FaultPlan(rng)
        self.crashes = CrashPoints(random.Random(rng.getrandbits(64)), crash_chance)
        self.store = MemoryStore(keep_journal=False)
        self.poll, self.sweep = poll, sweep
        self.looks = 0
        transport_rng = random.Random(rng.getrandbits(64))
        self.transports = {
            name: WorldTransport(
                FaultyTransport(handle, self.plan, clock, wait_for_timeouts=False), world, transport_rng, self.crashes
            )
            for name, handle in (("shop", world.shop.handle), ("warehouse", world.warehouse.handle))
        }
        shop_settings = self.settings.shops[0]
        shop = ShopifyShop(
            shop_settings,
            transport=self.transports["shop"],
            clock=clock,
            gather_seconds=0,
            rng=random.Random(rng.getrandbits(64)),
        )
        warehouse = ClarusWarehouse(self.settings.clarus, self.transports["warehouse"], clock, gather_seconds=0)
        self.rules = Rulebook(1, rulebook_tables(world))
        crashing: Any = CrashingStore(self.store, self.crashes)
        self.looker = Looker(
            store=crashing,
            shops={SHOP: shop},
            warehouse=warehouse,
            rules=lambda _: self.rules,
            policies={SHOP: policy_of(shop_settings, self.settings.clarus)},
            clock=clock,
            nets=nets or Nets(),
        )
        self.receiver = Receiver(
            store=self.store,
            shops={SHOP: shop},
            parsers={"shopify": ShopifyHints(), "clarus": ClarusHints()},
            clock=clock,
        )
        self.net_flows = NetFlows(store=self.store, shops={SHOP: shop}, warehouse=warehouse, clock=clock)
        self._couriers = (
            Courier(world.shop.deliveries, self.plan),
            Courier(world.warehouse.deliveries, self.plan),
        )
        self.poll_every, self.sweep_every = self.settings.clarus.poll_open_orders_every, self.settings.sweep.every
        self._next_poll = self._next_sweep = clock.now()
        self.in_flight: dict[int, int] = {}
        world.warehouse.add_automation("goods_out", "updated", f"{CLARUS_CALLBACK}?event=goods_out.updated")
        world.warehouse.add_automation("goods_out", "completed", f"{CLARUS_CALLBACK}?event=goods_out.completed")
        world.warehouse.add_automation("goods_out", "processed", f"{CLARUS_CALLBACK}?event=goods_out.processed")
        world.warehouse.add_automation("goods_out", "cancelled", f"{CLARUS_CALLBACK}?event=goods_out.cancelled")
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
        self._survive(lambda: run_now(self.receiver.receive()))
        self._run_nets()
        for _ in range(50):
            leases = run_now(self.store.claim(worker="sim", now=self.clock.now(), lease_seconds=20.0, limit=4))
            if not leases:
                return
            for lease in leases:
                self.looks += 1
                self._survive(lambda lease=lease: run_now(self.looker.look(lease)))  # type: ignore[misc]

    def settle(self, *, people: timedelta = timedelta(hours=3), patience: timedelta = timedelta(hours=6)) -> None:
        """Heal: no more faults. Let people finish (`people`), let time-outs ripen (`patience`), and sweep it all."""
        self.plan.switch_all_off()
        self.crashes.chance = 0.0
        self.run_until(self.clock.now() + people)
        self.sweep_every = self.poll_every = timedelta(hours=2)
        self.run_until(self.clock.now() + patience)
        for _ in range(3):
            self._undisturbed(lambda: run_now(self.net_flows.sweep_orders(not_looked_for=timedelta(0), sample=10**9)))
            self.run_until(self.clock.now() + timedelta(minutes=15))

    def _next_due(self) -> datetime | None:
        times = [
            self.world.next_due_at(),
            *(courier.next_due_at() for courier in self._couriers),
            run_now(self.store.next_due_at()),
            self._next_poll if self.poll and self._live() else None,
            self._next_sweep if self.sweep and self._live() else None,
        ]
        return min((at for at in times if at is not None), default=None)

    def _live(self) -> bool:
        return True

    def _run_nets(self) -> None:
        now = self.clock.now()
        if self.poll and now >= self._next_poll:
            self._next_poll = now + self.poll_every
            self._survive(lambda: run_now(self.net_flows.poll_warehouse()))
        if self.sweep and now >= self._next_sweep:
            self._next_sweep = now + self.sweep_every
            self._survive(lambda: run_now(self.net_flows.sweep_shop(SHOP)))
            every = self.settings.sweep.every
            self._survive(lambda: run_now(self.net_flows.sweep_orders(not_looked_for=every, sample=5)))

    def _survive(self, act: Callable[[], object]) -> None:
        """A crash ends what the worker was doing; another worker goes on, and leases run out."""
        try:
            act()
        except Crashed:
            pass

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
            received_at=self.clock.now(),
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
            received_at=self.clock.now(),
        )
        run_now(self.store.record_inbox([item]))

    # ── looking in ───────────────────────────────────────────────────────────────────────────────────────────────

    def exceptions(self) -> list[SeenException]:
        """Every exception that was ever open, for the oracle."""
        orders = {order.row: order.order_id for order in self.store.orders.values()}
        return [
            SeenException(
                code=item.code,
                order_id=orders.get(item.order, "") if item.order is not None else "",
                opened_at=item.opened_at,
                closed_at=item.resolved_at,
            )
            for item in self.store.exceptions.all
        ]

    def trace(self) -> str:
        """A hash of everything that truly happened: the same seed and commit, the same trace."""
        digest = sha256()
        for history in (self.world.shop.history, self.world.warehouse.history):
            for event in history:
                digest.update(f"{event.at.isoformat()}|{event.kind}|{event.subject}\n".encode())
        return digest.hexdigest()[:16]


def tell_stories(
    world: World,
    rng: random.Random,
    *,
    orders: int,
    seconds: float,
    chosen: dict[str, tuple[Story, float]] | None = None,
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
