"""The clockwork that the apps share: they notice what happens in the shop and act when something is due."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from pickgate.twins.history import HistoryEvent
from pickgate.twins.shopify import LineSpec, Order, ShippingSpec, ShopifyTwin


class TimedApp:
    """One app in one shop. Subclasses say what they notice; equal seeds give equal behaviour."""

    def __init__(self, shop: ShopifyTwin, title: str, rng: random.Random) -> None:
        self.shop = shop
        self.app = shop.add_app(title)
        self.rng = random.Random(rng.getrandbits(64))
        self._seen = len(shop.history)
        self._count = 0
        self._schedule: list[tuple[datetime, int, Callable[[], None]]] = []

    def tick(self, now: datetime) -> None:
        """Notice what happened in the shop and do what is due by `now`."""
        self.shop.tick()
        self._notice_all()
        while self._schedule and self._schedule[0][0] <= now:
            _, _, act = heapq.heappop(self._schedule)
            act()
            self._notice_all()

    def next_due_at(self) -> datetime | None:
        """When the app next wants a tick: at once when something happened that it has not noticed."""
        unseen = self.shop.history.since(self._seen)
        times = [event.at for event in unseen[:1]]
        times += [self._schedule[0][0]] if self._schedule else []
        return min(times, default=None)

    def notice(self, event: HistoryEvent) -> None:
        """React to one thing that happened in the shop; nothing by default."""

    def at(self, when: datetime, act: Callable[[], None]) -> None:
        """Do `act` at the first tick after `when`."""
        self._count += 1
        heapq.heappush(self._schedule, (when, self._count, act))

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self.at(self.shop.now() + timedelta(seconds=seconds), act)

    def _notice_all(self) -> None:
        for event in self.shop.history.since(self._seen):
            self._seen = event.number
            self.notice(event)


def specs_of(order: Order) -> list[LineSpec]:
    """The live lines of an order, to order them again."""
    return [
        LineSpec(
            variant=line.variant,
            quantity=line.current_quantity,
            title=line.title,
            price=line.price,
            requires_shipping=line.requires_shipping,
            tip=line.is_tip,
            attributes={a.key: a.value or "" for a in line.custom_attributes},
            location=line.location,
        )
        for line in order.line_items
        if line.current_quantity > 0
    ]


def shipping_of(order: Order) -> ShippingSpec | None:
    """The active shipping line of an order, to order it again."""
    for line in order.shipping_lines:
        if not line.is_removed:
            return ShippingSpec(title=line.title, price=line.price, code=line.code, discount=line.discount)
    return None
