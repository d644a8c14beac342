"""A small world: one shop with its apps, one warehouse with its pickers, and an agenda of what people do."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pickgate.clock import Clock
from pickgate.rulebook.tables import Tables
from pickgate.twins.clarus import ClarusKnobs, ClarusTwin
from pickgate.twins.editing_apps import OrderEditing, OrderMerger, RecreatingApp
from pickgate.twins.people import PickerHabits, Pickers
from pickgate.twins.shopify import LineSpec, Order, ShopifyKnobs, ShopifyTwin
from pickgate.twins.shopify.catalogue import Location, Variant
from pickgate.twins.shopify.model import Refused

SHOP = "uk"
DOMAIN = "demo-uk.myshopify.com"
SUBDOMAIN = "demo-warehouse"
CLIENT_SECRET = "shopify-twin-client-secret"  # noqa: S105 - the twin's own, known to nobody else
ACCESS_TOKEN = "shpat_twin"  # noqa: S105
CLARUS_ID, CLARUS_SECRET = "pickgate", "clarus-twin-secret"
ACCOUNT, MAIN, NORTH = "ACME", "MAIN", "NORTH"

GOODS_OUT_EVENTS = tuple(("goods_out", event) for event in ("updated", "completed", "processed", "cancelled"))
PRODUCTS = (
    ("MUG-BLU", "Blue mug", "12.00"),
    ("MUG-RED", "Red mug", "12.00"),
    ("TEA-80", "Breakfast tea, 80 bags", "4.50"),
    ("TEA-EG", "Earl Grey, loose", "7.25"),
    ("POT-S", "Small teapot", "24.00"),
    ("POT-L", "Large teapot", "36.00"),
    ("TOWEL", "Linen tea towel", "9.00"),
    ("BISCUIT", "Shortbread tin", "11.00"),
)


@dataclass(slots=True, kw_only=True)
class Timing:
    """How long things take, in seconds. The demo shrinks them all by one factor."""

    edit_window: float = 1800.0
    guard: float = 60.0
    min_age: float = 120.0
    quiet: float = 20.0
    scale: float = 1.0  # of everything that people and other systems do

    def shrunk(self, factor: float) -> Timing:
        return Timing(
            edit_window=self.edit_window * factor,
            guard=max(1.0, self.guard * factor),
            min_age=max(1.0, self.min_age * factor),
            quiet=max(0.5, self.quiet * factor),
            scale=factor,
        )


@dataclass(slots=True)
class World:
    """Everything outside Pickgate. `tick` lets all of it do what is due; nothing here ever calls Pickgate."""

    clock: Clock
    rng: random.Random
    timing: Timing
    shop: ShopifyTwin
    warehouse: ClarusTwin
    editing: OrderEditing
    recreating: RecreatingApp
    merger: OrderMerger
    pickers: Pickers
    variants: list[Variant]
    main: Location
    north: Location
    _agenda: list[tuple[datetime, int, Callable[[], object]]] = field(default_factory=list)
    _count: int = 0
    mishaps: list[str] = field(default_factory=list)
    account_id: int = 0
    site_id: int = 0  # the warehouse that sells as `main`
    is_scarce: bool = False

    def buy(self, lines: Sequence[LineSpec], **more: Any) -> Order:
        """Check out. Where goods are scarce the shop sells what it shows as available. Raises Refused."""
        if self.is_scarce:
            wanted: Counter[str] = Counter()
            for line in lines:
                if line.variant is not None:
                    wanted[line.variant.id] += line.quantity
                    if wanted[line.variant.id] > line.variant.inventory_quantity:
                        raise Refused(f"{line.variant.sku} is sold out")
        return self.shop.create_order(lines, **more)

    def aim_warehouse(self, url: str, events: Sequence[tuple[str, str]] = GOODS_OUT_EVENTS) -> None:
        """Let the warehouse tell `url` of these (resource, event); each automation names its own in the query."""
        for resource, event in events:
            self.warehouse.add_automation(resource, event, f"{url}?event={resource}.{event}")

    def at(self, when: datetime, act: Callable[[], object]) -> None:
        """Let somebody do something at an instant."""
        self._count += 1
        heapq.heappush(self._agenda, (when, self._count, act))

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        self.at(self.clock.now() + timedelta(seconds=seconds), act)

    def tick(self) -> None:
        """Let everything happen that is due now."""
        now = self.clock.now()
        while self._agenda and self._agenda[0][0] <= now:
            _, _, act = heapq.heappop(self._agenda)
            self.do(act)
        self.shop.tick()
        for app in (self.editing, self.recreating, self.merger):
            self.do(lambda app=app: app.tick(now))  # type: ignore[misc]
        self.warehouse.tick()
        self.do(lambda: self.pickers.tick(now))

    def do(self, act: Callable[[], object]) -> None:
        """Do something that the world may refuse (an edit after the window): people live with a "no"."""
        try:
            act()
        except Exception as refusal:  # a twin's own refusal, of any of its classes
            if type(refusal).__module__.startswith("pickgate.twins"):
                self.mishaps.append(f"{type(refusal).__name__}: {refusal}")
            else:
                raise

    def next_due_at(self) -> datetime | None:
        times: list[datetime | None] = [
            self._agenda[0][0] if self._agenda else None,
            self.shop.next_due_at(),
            self.editing.next_due_at(),
            self.recreating.next_due_at(),
            self.merger.next_due_at(),
            self.warehouse.next_due_at(),
            self.pickers.next_due_at(),
        ]
        return min((at for at in times if at is not None), default=None)


def make_world(
    clock: Clock,
    rng: random.Random,
    *,
    timing: Timing | None = None,
    shop_knobs: ShopifyKnobs | None = None,
    warehouse_knobs: ClarusKnobs | None = None,
    habits: PickerHabits | None = None,
) -> World:
    """Furnish a world: locations, products with plenty of stock, carriers, apps, and pickers at work."""
    timing = timing or Timing()
    shop = ShopifyTwin(
        clock=clock,
        rng=rng,
        domain=DOMAIN,
        client_secret=CLIENT_SECRET,
        access_token=ACCESS_TOKEN,
        knobs=shop_knobs or ShopifyKnobs(),
    )
    warehouse = ClarusTwin(
        clock=clock,
        rng=rng,
        subdomain=SUBDOMAIN,
        client_id=CLARUS_ID,
        client_secret=CLARUS_SECRET,
        knobs=warehouse_knobs or ClarusKnobs(),
    )
    main = shop.add_location("Main warehouse")
    north = shop.add_location("North warehouse")
    account = warehouse.add_account(ACCOUNT)
    sites = [warehouse.add_warehouse(MAIN), warehouse.add_warehouse(NORTH)]
    for site in sites:
        warehouse.link(account, site)
    for carrier, services in (("DPD", ("ND", "STD")), ("RM", ("48",))):
        carrier_id = warehouse.add_carrier(carrier)
        for service in services:
            warehouse.add_service(carrier_id, service)
    variants = []
    for sku, title, price in PRODUCTS:
        variants.append(shop.add_product(sku, title=title, price=price, stock=10_000_000, location=main))
        warehouse.add_product(sku)
        for site in sites:
            warehouse.set_stock(sku, 10_000_000, account_id=account, warehouse_id=site)
    apps_window = timing.edit_window
    editing = OrderEditing(
        shop,
        rng,
        window_seconds=apps_window,
        hold_tag_delay_seconds=1.0 * timing.scale,
        settle_seconds=(1.0 * timing.scale, 45.0 * timing.scale),
    )
    recreating = RecreatingApp(shop, rng, gap_seconds=(0.5 * timing.scale, 20.0 * timing.scale))
    merger = OrderMerger(shop, rng, fulfillment_hold=False)
    return World(
        clock=clock,
        rng=random.Random(rng.getrandbits(64)),
        timing=timing,
        shop=shop,
        warehouse=warehouse,
        editing=editing,
        recreating=recreating,
        merger=merger,
        pickers=Pickers(warehouse, rng, clock, habits or scaled_habits(timing.scale)),
        variants=variants,
        main=main,
        north=north,
        account_id=account,
        site_id=sites[0],
    )


def scaled_habits(scale: float, **chances: float) -> PickerHabits:
    """Pickers who work at the world's pace."""
    normal = PickerHabits()

    def pair(values: tuple[float, float]) -> tuple[float, float]:
        return (values[0] * scale, values[1] * scale)

    return PickerHabits(
        wave_after_seconds=pair(normal.wave_after_seconds),
        start_after_seconds=pair(normal.start_after_seconds),
        line_seconds=pair(normal.line_seconds),
        pack_seconds=pair(normal.pack_seconds),
        dispatch_after_seconds=pair(normal.dispatch_after_seconds),
        retry_seconds=normal.retry_seconds * scale,
        put_back_after_seconds=normal.put_back_after_seconds * scale,
        late_label_seconds=normal.late_label_seconds * scale,
        **chances,
    )


def rulebook_tables(world: World) -> Tables:
    """The rulebook that fits this world: two locations, three services, every SKU as it is."""
    return Tables(
        locations=(
            (SHOP, number(world.main.id), "", ACCOUNT, MAIN, ""),
            (SHOP, number(world.north.id), "", ACCOUNT, NORTH, ""),
        ),
        services=(
            (SHOP, "Next day*", "", "", "DPD", "ND"),
            (SHOP, "Express*", "", "", "DPD", "ND"),
            ("", "*", "", "", "DPD", "STD"),
        ),
        notes=(("", "note", "order_notes"), ("", "Gift message", "packing_notes")),
    )


def number(gid: str) -> str:
    """The numeric part of a gid."""
    return gid.rpartition("/")[2]


def numbers(gids: Iterable[str]) -> list[str]:
    return [number(gid) for gid in gids]
