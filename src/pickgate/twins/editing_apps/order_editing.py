"""Order Editing: edits in place, holds by tag, collects or reverses what an edit costs, captures after the deadline."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pickgate.twins.editing_apps.timed import TimedApp, shipping_of, specs_of
from pickgate.twins.history import HistoryEvent
from pickgate.twins.shopify import LineSpec, Order, ShippingSpec, ShopifyTwin, totals
from pickgate.twins.shopify.catalogue import Variant
from pickgate.twins.shopify.money import ZERO

HOLD_TAG = "OE-HOLD"
CUTOFF = "orderediting.editing_cutoff_date"


class EditingClosed(Exception):
    """The customer is told that the order can no longer be edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEditingSettings:
    """What the merchant configured, and what the vendor leaves open. Seconds throughout."""

    window_seconds: float = 1800.0
    holds: bool = True
    hold_tag_delay_seconds: float = 1.0
    writes_cutoff: bool = True
    reverse_unpaid: bool = True
    capture: bool = True
    settle_seconds: tuple[float, float] = (1.0, 45.0)
    """After the deadline reversal, hold release and capture each happen so much later, in any order."""
    release_hold_first: float = 0.2
    """Chance that the hold tag goes before an unpaid edit was reversed."""
    lock_tags: tuple[str, ...] = ("pickgate-locked",)
    """Tags that close editing at once."""
    restock: bool = True


class OrderEditing(TimedApp):
    """The app in one shop: what it does by itself, and what customers and clerks do with it."""

    def __init__(
        self,
        shop: ShopifyTwin,
        rng: random.Random,
        settings: OrderEditingSettings | None = None,
        **changes: Any,
    ) -> None:
        super().__init__(shop, "Order Editing", rng)
        self.settings = settings or OrderEditingSettings(**changes)
        self._before: dict[str, dict[str, int]] = {}

    # by itself

    def notice(self, event: HistoryEvent) -> None:
        if event.kind != "order_created" or event.detail["app"] == self.app.title:
            return
        order = self.shop.get_order(event.subject)
        settings = self.settings
        self.at(event.at + timedelta(seconds=settings.hold_tag_delay_seconds), lambda: self._open(order))
        self.at(self.deadline(order), lambda: self._close(order))

    def deadline(self, order: Order) -> datetime:
        """When editing ends: the cut-off metafield when there is one, else creation plus the window."""
        written = order.metafields.get(("orderediting", "editing_cutoff_date"))
        if written is not None:
            return datetime.fromisoformat(written.value)
        return order.created_at + timedelta(seconds=self.settings.window_seconds)

    def _open(self, order: Order) -> None:
        if order.cancelled_at:
            return
        if self.settings.writes_cutoff:
            until = self.deadline(order).isoformat()
            self.shop.set_metafield(order, CUTOFF, until, type="date_time", app=self.app)
        if self.settings.holds:
            self.shop.add_tags(order, [HOLD_TAG], app=self.app)

    def extend(self, order: Order, until: datetime) -> None:
        """Staff keep editing open longer (or close it earlier): the cut-off metafield moves."""
        self.shop.set_metafield(order, CUTOFF, until.isoformat(), type="date_time", app=self.app)

    def _close(self, order: Order) -> None:
        deadline = self.deadline(order)
        if deadline > self.shop.now():
            self.at(deadline, lambda: self._close(order))
            return
        low, high = self.settings.settle_seconds
        reverse, release, capture = (self.rng.uniform(low, high) for _ in range(3))
        if self.rng.random() >= self.settings.release_hold_first:
            release = max(release, reverse)
        self.after(reverse, lambda: self._reverse(order))
        self.after(release, lambda: self._release(order))
        self.after(max(capture, reverse), lambda: self._capture(order))

    def due(self, order: Order) -> bool:
        """Whether an edit left something unpaid that no authorisation covers."""
        return totals.outstanding(order) - totals.capturable(order) > ZERO

    def skips_reversal(self, order: Order) -> bool:
        """The cases that the vendor leaves alone: pending payment, open return, payment terms, manual gateway."""
        returning = any(r.status in ("OPEN", "REQUESTED") for r in order.returns)
        return order.payment_pending or returning or order.payment_terms or order.gateway == "manual"

    def _reverse(self, order: Order) -> None:
        before = self._before.pop(order.id, None)
        if before is None or not self.settings.reverse_unpaid or order.cancelled_at or not self.due(order):
            return
        if self.skips_reversal(order):
            return
        wanted = {line.id: before.get(line.id, 0) for line in order.line_items}
        changed = {
            line.id: wanted[line.id]
            for line in order.line_items
            if wanted[line.id] != line.current_quantity and line.fulfilled == 0
        }
        self.shop.edit_order(order, set_quantities=changed, app=self.app, note="Unpaid edit reversed")
        self.shop.add_tags(order, ["orderediting:reversed"], app=self.app)

    def _release(self, order: Order) -> None:
        if HOLD_TAG in order.tags:
            self.shop.remove_tags(order, [HOLD_TAG], app=self.app)

    def _capture(self, order: Order) -> None:
        if self.settings.capture and not order.cancelled_at and totals.capturable(order) > ZERO:
            self.shop.capture(order, app=self.app)

    # what customers do

    def check_open(self, order: Order) -> None:
        """Raises EditingClosed after the deadline, when cancelled, fulfilled or locked by tag."""
        if order.cancelled_at or order.closed or self.shop.now() >= self.deadline(order):
            raise EditingClosed(order.name)
        if order.fulfillments or set(self.settings.lock_tags) & set(order.tags):
            raise EditingClosed(order.name)

    def edit(
        self,
        order: Order,
        *,
        set_quantities: Mapping[str, int] | None = None,
        add_lines: Sequence[LineSpec] = (),
        change_shipping: ShippingSpec | None = None,
        tags: Sequence[str] = (),
        pay_now: bool = False,
    ) -> None:
        """The customer saves an edit. Raises EditingClosed. With `pay_now` any difference is paid at once."""
        self.shop.tick()
        self.check_open(order)
        worth = totals.current_total(order)
        self._before.setdefault(order.id, {n.id: n.current_quantity for n in order.line_items})
        marks = ["orderediting", *tags]
        for line_id, wanted in (set_quantities or {}).items():
            line = order.line(line_id)
            marks.append(
                "orderediting:quantity"
                if wanted and line is not None and line.current_quantity
                else "orderediting:product_removed"
            )
        if add_lines:
            marks.append("orderediting:product_added")
        self.shop.edit_order(
            order,
            set_quantities=set_quantities,
            add_lines=add_lines,
            change_shipping=change_shipping,
            restock=self.settings.restock,
            app=self.app,
        )
        self._settle(order, marks, worth=worth, pay_now=pay_now)

    def swap(self, order: Order, line_id: str, variant: Variant, *, pay_now: bool = False) -> None:
        """Another variant instead of a line: the old line goes to zero, a new line comes."""
        line = order.line(line_id)
        if line is None or not line.current_quantity:
            raise EditingClosed(order.name)
        spec = LineSpec(variant=variant, quantity=line.current_quantity)
        self.check_open(order)
        worth = totals.current_total(order)
        self._before.setdefault(order.id, {n.id: n.current_quantity for n in order.line_items})
        self.shop.edit_order(
            order,
            set_quantities={line_id: 0},
            add_lines=[spec],
            restock=self.settings.restock,
            app=self.app,
        )
        marks = ["orderediting", "orderediting:variant"]
        self._settle(order, marks, worth=worth, pay_now=pay_now)

    def _settle(self, order: Order, marks: list[str], *, worth: Decimal, pay_now: bool) -> None:
        """After a saved edit: the audit tags, and the difference paid now, invoiced, or none."""
        if totals.current_total(order) < worth:
            marks.append("orderediting:downsized")
        self.shop.add_tags(order, marks, app=self.app)
        if not self.due(order):
            self._before.pop(order.id, None)
        elif pay_now:
            self.shop.pay_outstanding(order)
            self._before.pop(order.id, None)
        else:
            self.shop.record("invoice_sent", order, amount=str(totals.outstanding(order)))

    def pay_invoice(self, order: Order) -> None:
        """The customer pays what an edit left open."""
        if self.due(order):
            self.shop.pay_outstanding(order)
        self._before.pop(order.id, None)

    def change_address(self, order: Order, **changes: Any) -> None:
        """A new address: an order update, not an edit."""
        self.check_open(order)
        self.shop.update_address(order, app=self.app, **changes)
        self.shop.add_tags(order, ["orderediting", "orderediting:shipping"], app=self.app)

    def cancel(self, order: Order) -> None:
        """The customer cancels within the window."""
        self.check_open(order)
        self.shop.cancel_order(order, reason="CUSTOMER", app=self.app)

    def request_cancellation(self, order: Order) -> None:
        """The customer asks for a cancellation; staff decide."""
        self.shop.add_tags(order, ["orderediting:cancellation_requested"], app=self.app)

    def decline_cancellation(self, order: Order) -> None:
        self.shop.remove_tags(order, ["orderediting:cancellation_requested"], app=self.app)

    # what staff and flows do

    def note_staff_edit(self, order: Order) -> None:
        """The warning tag after somebody edited in the admin."""
        self.shop.add_tags(order, ["oe-staff-edit"], app=self.app)

    def duplicate(self, order: Order) -> Order:
        """A flow copies the order; the original stays as it is."""
        return self.shop.create_order(
            specs_of(order),
            customer=order.customer,
            address=order.shipping_address,
            shipping=shipping_of(order),
            tags=["orderediting:duplicated"],
            financial_status="PAID",
            source_name="shopify_flow",
            app=self.app,
        )
