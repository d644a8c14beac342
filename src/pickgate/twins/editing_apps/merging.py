"""Order Merger: a fulfilment hold (or a tag) while editing is open, and two orders made into a new one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from pickgate.twins.editing_apps.timed import TimedApp, shipping_of, specs_of
from pickgate.twins.history import HistoryEvent
from pickgate.twins.shopify import Order, Refused, ShopifyTwin

HOLD_TAG = "om:edit-order-hold"
HANDLE = "om-edit-window"
NOTES = "Order in edit window"
Originals = Literal["cancel", "archive", "leave"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMergerSettings:
    window_seconds: float = 900.0
    fulfillment_hold: bool = True
    hold_tag: bool = False
    stuck: float = 0.0
    """Chance that a hold is never released."""
    merged_tags: tuple[str, ...] = ()
    original_tags: tuple[str, ...] = ()


class OrderMerger(TimedApp):
    """The app in one shop. `merged` maps each original's id to the new order's."""

    def __init__(
        self,
        shop: ShopifyTwin,
        rng: random.Random,
        settings: OrderMergerSettings | None = None,
        **changes: Any,
    ) -> None:
        super().__init__(shop, "Order Merger", rng)
        self.settings = settings or OrderMergerSettings(**changes)
        self.merged: dict[str, str] = {}

    def notice(self, event: HistoryEvent) -> None:
        if event.kind == "order_created" and self.settings.hold_tag:
            order = self.shop.get_order(event.subject)
            self.shop.add_tags(order, [HOLD_TAG], app=self.app)
            self._until_the_end(event, order)
        if event.kind == "routed" and self.settings.fulfillment_hold:
            order = self.shop.get_order(event.subject)
            for fo in order.fulfillment_orders:
                if fo.status == "OPEN":
                    self.shop.hold(fo, app=self.app, handle=HANDLE, notes=NOTES)
            self._until_the_end(event, order)

    def _until_the_end(self, event: HistoryEvent, order: Order) -> None:
        if self.rng.random() >= self.settings.stuck:
            self.at(event.at + timedelta(seconds=self.settings.window_seconds), lambda: self.release(order))

    def release(self, order: Order) -> None:
        """The window is over: take the app's own holds and tag away."""
        for fo in order.fulfillment_orders:
            own = [hold.id for hold in fo.fulfillment_holds if hold.app is self.app]
            if own:
                self.shop.release_hold(fo, own, app=self.app)
        if HOLD_TAG in order.tags:
            self.shop.remove_tags(order, [HOLD_TAG], app=self.app)

    def merge(self, orders: Sequence[Order], *, originals: Originals = "cancel") -> Order:
        """Make one new order of several; what becomes of the originals is the merchant's choice."""
        first = orders[0]
        made = self.shop.create_order(
            [spec for order in orders for spec in specs_of(order)],
            customer=first.customer,
            address=first.shipping_address,
            shipping=shipping_of(first),
            tags=self.settings.merged_tags,
            note="Merged from " + ", ".join(order.name for order in orders),
            source_name="order-merger",
            app=self.app,
        )
        for order in orders:
            self.merged[order.id] = made.id
            if self.settings.original_tags:
                self.shop.add_tags(order, self.settings.original_tags, app=self.app)
            if originals == "cancel":
                self._cancel(order)
            elif originals == "archive":
                self.shop.archive(order, app=self.app)
        return made

    def _cancel(self, order: Order) -> None:
        try:
            self.shop.cancel_order(order, reason="OTHER", refund=False, app=self.app)
        except Refused as refused:
            self.shop.record("merge_left_original", order, reason=refused.message)
