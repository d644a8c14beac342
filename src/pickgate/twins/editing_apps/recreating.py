"""Apps that edit by making the order anew: #1031 is cancelled (or not) and #1031A appears (perhaps first)."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pickgate.twins.editing_apps.timed import TimedApp, shipping_of
from pickgate.twins.shopify import LineSpec, Order, Refused, ShopifyTwin


@dataclass(frozen=True, slots=True, kw_only=True)
class RecreatingSettings:
    """The variants known: Cleverific Advanced as it stands; Editify and Lion with `cancel` as the merchant chose."""

    cancel: bool = True
    suffix: bool = True
    cancelled_tags: tuple[str, ...] = ("Edit Order - Cancelled",)
    successor_tags: tuple[str, ...] = ("Edit Order",)
    new_first: float = 0.5
    """Chance that the successor appears before the predecessor is cancelled."""
    gap_seconds: tuple[float, float] = (0.5, 20.0)
    """Between the two steps."""
    tag_late_seconds: float = 0.0
    """The predecessor's tag follows its cancellation so much later."""


class RecreatingApp(TimedApp):
    """One such app. `successors` maps an order's id to the one that replaced it."""

    def __init__(
        self,
        shop: ShopifyTwin,
        rng: random.Random,
        settings: RecreatingSettings | None = None,
        *,
        title: str = "Cleverific",
        **changes: Any,
    ) -> None:
        super().__init__(shop, title, rng)
        self.settings = settings or RecreatingSettings(**changes)
        self.successors: dict[str, str] = {}

    def recreate(self, order: Order, lines: Sequence[LineSpec]) -> None:
        """Replace `order` by one with these lines. The first step happens now, the second at a later tick."""
        steps: list[Callable[[], None]] = [lambda: self._create(order, lines)]
        if self.settings.cancel:
            cancelling: Callable[[], None] = lambda: self._cancel(order)  # noqa: E731
            new_first = self.rng.random() < self.settings.new_first
            steps = [*steps, cancelling] if new_first else [cancelling, *steps]
        steps[0]()
        for step in steps[1:]:
            self.after(self.rng.uniform(*self.settings.gap_seconds), step)

    def _create(self, order: Order, lines: Sequence[LineSpec]) -> None:
        made = self.shop.create_order(
            lines,
            customer=order.customer,
            address=order.shipping_address,
            shipping=shipping_of(order),
            tags=self.settings.successor_tags,
            note=order.note,
            attributes={a.key: a.value or "" for a in order.custom_attributes},
            financial_status="PAID",
            source_name=self.app.handle,
            app=self.app,
            name=self.next_name(order.name) if self.settings.suffix else None,
            processed_at=order.processed_at,
            test=order.test,
            delivery_method=order.delivery_method,
        )
        self.successors[order.id] = made.id

    def _cancel(self, order: Order) -> None:
        try:
            self.shop.cancel_order(order, reason="OTHER", refund=False, app=self.app)
        except Refused:
            return
        if not self.settings.cancelled_tags:
            return
        self.after(
            self.settings.tag_late_seconds,
            lambda: self._tag(order),
        )
        if not self.settings.tag_late_seconds:
            self.tick(self.shop.now())

    def _tag(self, order: Order) -> None:
        self.shop.add_tags(order, self.settings.cancelled_tags, app=self.app)

    @staticmethod
    def next_name(name: str) -> str:
        """`#1031` -> `#1031A` -> `#1031B`."""
        match = re.fullmatch(r"(.*\d)([A-Z])?", name)
        if match is None:
            return f"{name}A"
        base, letter = match.groups()
        return f"{base}{chr(ord(letter) + 1) if letter else 'A'}"
