"""The shop's state and its inner clockwork: ids, due tasks, history, and what every change of an order entails."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from pickgate.clock import Clock
from pickgate.twins.deliveries import DeliveryQueue
from pickgate.twins.history import History
from pickgate.twins.shopify.catalogue import (
    App,
    FulfillmentService,
    InventoryItem,
    InventoryLevel,
    Location,
    LocationAddress,
    Product,
    Variant,
)
from pickgate.twins.shopify.fulfilment_model import Fulfillment, FulfillmentOrder
from pickgate.twins.shopify.hooks import Hooks
from pickgate.twins.shopify.ids import IdMint
from pickgate.twins.shopify.knobs import ShopifyKnobs
from pickgate.twins.shopify.model import LineItem, Order, Refused
from pickgate.twins.shopify.money import money
from pickgate.twins.shopify.payloads import order_body


class Replay(NamedTuple):
    """What an idempotency key was used for, and the answer that its repetition gets."""

    at: datetime
    asked: str
    answer: Any


OPEN_TO_ALL = ("Online Store", "Draft Orders", "Point of Sale")


class ShopState:
    """What the shop knows. `history` is what truly happened; `deliveries` are the webhooks on their way."""

    def __init__(
        self, *, clock: Clock, rng: random.Random, domain: str, client_secret: str, knobs: ShopifyKnobs
    ) -> None:
        self.clock = clock
        self.domain = domain
        self.client_secret = client_secret
        self.knobs = knobs
        self.rng = random.Random(rng.getrandbits(64))
        self.mint = IdMint(knobs.large_ids)
        self.history = History()
        self.deliveries = DeliveryQueue()
        self.hooks = Hooks(self, random.Random(rng.getrandbits(64)))
        self.apps: dict[str, App] = {}
        self.locations: dict[str, Location] = {}
        self.variants: dict[str, Variant] = {}
        self.inventory_items: dict[str, InventoryItem] = {}
        self.inventory_levels: dict[str, InventoryLevel] = {}
        self.orders: dict[str, Order] = {}
        self.fulfillment_orders: dict[str, FulfillmentOrder] = {}
        self.fulfillments: dict[str, Fulfillment] = {}
        self.things: dict[str, Any] = {}
        """Every other node by its id: refunds, returns, holds, jobs, customers."""
        self.replays: dict[tuple[str, str], Replay] = {}
        self.seen_at = ""
        """Scheme and host under which clients reach this shop: where links to its files lead."""
        self.metafield_definitions: set[tuple[str, str, str]] = set()
        self._tasks: list[tuple[datetime, int, Callable[[], None]]] = []
        self._task_count = 0
        self._now: datetime | None = None
        self.shop_id = self.mint.gid("Shop")
        self.online_store = self.add_app("Online Store")
        self.draft_orders = self.add_app("Draft Orders")

    # time

    def now(self) -> datetime:
        """The moment of what is being done: the clock's, or the due time of a task that ran late."""
        return self._now or self.clock.now()

    def stamp(self) -> datetime:
        """Now in whole seconds, as Shopify's timestamps are."""
        return self.now().replace(microsecond=0)

    def later(self, seconds: float, task: Callable[[], None]) -> None:
        """Run `task` so many seconds from now, when the shop is next looked at."""
        self._task_count += 1
        due = self.now() + timedelta(seconds=seconds)
        heapq.heappush(self._tasks, (due, self._task_count, task))

    def tick(self, now: datetime | None = None) -> None:
        """Do what is due. Every public method and request does this first."""
        until = now or self.clock.now()
        while self._tasks and self._tasks[0][0] <= until and self._now is None:
            self._now, _, task = heapq.heappop(self._tasks)
            try:
                task()
            finally:
                self._now = None

    def next_due_at(self) -> datetime | None:
        """When the shop next does something by itself; None when nothing is planned."""
        return self._tasks[0][0] if self._tasks else None

    # catalogue

    def add_app(self, title: str, handle: str | None = None) -> App:
        handle = handle or title.lower().replace(" ", "-")
        app = App(id=self.mint.gid("App"), title=title, handle=handle)
        self.apps[app.id] = app
        return app

    def add_location(
        self,
        name: str,
        *,
        fulfills_online_orders: bool = True,
        fulfillment_service: str | None = None,
        is_active: bool = True,
        country_code: str = "GB",
    ) -> Location:
        """Add a location; with `fulfillment_service` (a name) it belongs to that service."""
        now = self.stamp()
        location = Location(
            id=self.mint.gid("Location"),
            name=name,
            created_at=now,
            updated_at=now,
            is_active=is_active,
            fulfills_online_orders=fulfills_online_orders,
            address=LocationAddress(address1="1 Dock Road", city="Leeds", country_code=country_code),
        )
        if fulfillment_service:
            location.fulfillment_service = FulfillmentService(
                id=self.mint.gid("FulfillmentService"),
                handle=fulfillment_service.lower().replace(" ", "-"),
                service_name=fulfillment_service,
                location=location,
            )
        self.locations[location.id] = location
        return location

    def add_product(
        self,
        sku: str | None,
        *,
        title: str | None = None,
        variant_title: str = "Default Title",
        price: Decimal | str | int = "10.00",
        requires_shipping: bool = True,
        grams: int = 100,
        tracked: bool = True,
        taxable: bool = True,
        is_gift_card: bool = False,
        bundle_of: tuple[tuple[Variant, int], ...] = (),
        product: Product | None = None,
        stock: int | None = None,
        location: Location | None = None,
    ) -> Variant:
        """Add a variant (and its product). `stock` sets what is available at `location` or the first one."""
        now = self.stamp()
        name = title or f"Product {sku}"
        product = product or Product(
            id=self.mint.gid("Product"),
            title=name,
            handle=name.lower().replace(" ", "-"),
            vendor="Acme",
        )
        item = InventoryItem(
            id=self.mint.gid("InventoryItem"),
            sku=sku,
            tracked=tracked and not bundle_of,
            requires_shipping=requires_shipping,
            created_at=now,
            updated_at=now,
        )
        variant = Variant(
            id=self.mint.gid("ProductVariant"),
            sku=sku,
            title=variant_title,
            price=money(price),
            product=product,
            inventory_item=item,
            grams=grams,
            requires_shipping=requires_shipping and not is_gift_card,
            is_gift_card=is_gift_card,
            taxable=taxable and not is_gift_card,
            components=bundle_of,
        )
        item.variants.append(variant)
        self.variants[variant.id] = variant
        self.inventory_items[item.id] = item
        if stock is not None:
            where = location or next(iter(self.locations.values()))
            self.level_of(item, where).counts["available"] = stock
        return variant

    def level_of(self, item: InventoryItem, location: Location) -> InventoryLevel:
        """The level of an item at a location; made with zero units when there is none."""
        gid = f"gid://shopify/InventoryLevel/{location.id.rpartition('/')[2]}"
        gid += f"?inventory_item_id={item.id.rpartition('/')[2]}"
        level = self.inventory_levels.get(gid)
        if level is None:
            now = self.stamp()
            level = InventoryLevel(id=gid, item=item, location=location, created_at=now, updated_at=now)
            self.inventory_levels[gid] = level
            item.inventory_levels.append(level)
            location.inventory_levels.append(level)
        return level

    # orders

    def get_order(self, order: Order | str) -> Order:
        """The order by itself, its id or its name. Raises Refused when there is none."""
        if isinstance(order, Order):
            return order
        found = self.orders.get(order) or next((o for o in self.orders.values() if o.name == order), None)
        if found is None:
            raise Refused("Order does not exist.", code="NOT_FOUND")
        return found

    def touch(self, order: Order, *topics: str, updated: bool = True) -> None:
        """Note that `order` changed: updatedAt, the copies for stale reads, and the webhooks of its topics."""
        order.updated_at = self.stamp()
        order.revision += 1
        order.cache = {}
        if self.knobs.stale_read_probability:
            order.copies, copies = [], order.copies
            fresh = deepcopy(order)
            order.copies = [*copies[-4:], (self.now(), fresh)]
        names = [*topics, "orders/updated"] if updated else list(topics)
        self.hooks.announce(names, lambda: order_body(order, full=self.knobs.full_bodies))

    def record(self, kind: str, order: Order, **detail: Any) -> None:
        """Write what truly happened to an order into the history, with its lines as they are now."""
        self.history.append(
            at=self.now(),
            kind=kind,
            subject=order.id,
            name=order.name,
            lines=lines_of(order),
            **detail,
        )

    def editable_by(self, order: Order, app: App | None) -> bool:
        """Whether this app (None: a person in the admin) may edit the order's lines."""
        if order.cancelled_at or order.closed:
            return False
        if not self.knobs.app_orders_closed_to_others or order.app.title in OPEN_TO_ALL:
            return True
        return app is order.app


def lines_of(order: Order) -> list[dict[str, Any]]:
    """The lines of an order as plain values for the history."""
    return [line_of(line) for line in order.line_items]


def line_of(line: LineItem) -> dict[str, Any]:
    return {
        "id": line.id,
        "sku": line.sku,
        "variant_id": line.variant.id if line.variant else None,
        "quantity": line.quantity,
        "current_quantity": line.current_quantity,
        "unfulfilled_quantity": line.unfulfilled_quantity,
        "fulfilled_quantity": line.fulfilled,
        "requires_shipping": line.requires_shipping,
    }
