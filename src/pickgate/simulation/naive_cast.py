"""Who does what in a month without Pickgate: ordinary orders, odd ones that are right, and each kind of fault."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pickgate.clock import VirtualClock
from pickgate.simulation.naive_importer import NaiveImporter
from pickgate.simulation.world import MAIN, World
from pickgate.twins.shopify import LineSpec, Order, ShippingSpec
from pickgate.twins.shopify.catalogue import Location, Variant

_COPIED_SECONDS = 15 * 60.0  # so long after an order was made its copy is in the warehouse


@dataclass(slots=True)
class Month:
    """A month that was played. `planted`: (order name, charge) of every fault; `stock`: unexplained units by SKU."""

    world: World
    clock: VirtualClock
    importer: NaiveImporter
    planted: set[tuple[str, str]] = field(default_factory=set)
    subjects: dict[tuple[str, str], str] = field(default_factory=dict)
    stock: dict[str, int] = field(default_factory=dict)
    innocent: dict[str, str] = field(default_factory=dict)
    """Orders that look odd and are not: why, by name."""

    def plant(self, order: Order, *charges: str) -> None:
        self.planted |= {(order.name, charge) for charge in charges}


class Cast:
    """Everybody who does something in that month."""

    def __init__(self, month: Month, rng: random.Random) -> None:
        self.month, self.rng = month, rng
        world = self.world = month.world
        self.by_sku: dict[str, Variant] = {str(v.inventory_item.sku): v for v in world.variants}
        self.by_sku["RARE"] = world.shop.add_product("RARE", title="Hand-thrown bowl", price="48.00", stock=100)
        world.warehouse.add_product("RARE")
        month.stock["RARE"] = 100  # the shop sells a hundred; the warehouse never had one
        # Not online: an order gets there only by name, as a market stall's do.
        self.stall: Location = world.shop.add_location("Market stall", fulfills_online_orders=False)

    # the ordinary

    def ordinary(self) -> None:
        """A customer orders; a few change their mind before the copy is made."""
        order = self._place({sku: self.rng.choice((1, 1, 2)) for sku in self.rng.sample(self._common, 2)})
        kind = self.rng.random()
        soon = self.rng.uniform(20.0, 90.0)
        if kind < 0.15:
            self.world.after(soon, lambda: self._swap(order))
            self.month.innocent[order.name] = "edited before the copy"
        elif kind < 0.2:
            self.world.after(soon, lambda: self.world.shop.cancel_order(order))
            self.month.innocent[order.name] = "cancelled before the copy"
        elif kind < 0.25:
            self.world.after(soon, lambda: self._refund(order, "CANCEL"))
            self.month.innocent[order.name] = "part refunded before the copy"
        elif kind < 0.3:
            self.world.after(soon, lambda: self.world.shop.update_address(order, address1="2 New Road"))

    @property
    def _common(self) -> list[str]:
        return [sku for sku in self.by_sku if sku not in ("RARE", "POT-L")]

    def oddities(self) -> list[Callable[[], None]]:
        """What looks like a fault and is none."""
        return [self._returned, self._test_order, self._collected, self._on_hold, self._unpaid, self._same_again]

    def _returned(self) -> None:
        """Sent, and one unit came back: refunded, and on both shelves again."""
        order = self._odd({"TEA-80": 2}, "returned after it was sent")

        def take_back() -> None:
            self._refund(order, "RETURN")
            site = self._site(MAIN)
            self.world.warehouse.receive_stock("TEA-80", 1, account_id=site[0], warehouse_id=site[1])

        self.world.after(3 * 86400.0, take_back)

    def _test_order(self) -> None:
        self._odd({"TEA-80": 1}, "a test order", test=True)

    def _collected(self) -> None:
        self._odd({"TEA-80": 1}, "collected in the shop", delivery_method="PICK_UP")

    def _on_hold(self) -> None:
        self._odd({"TEA-EG": 1}, "on hold by a tag", tags=["HOLD"])

    def _unpaid(self) -> None:
        self._odd({"TEA-EG": 1}, "not paid yet", financial_status="PENDING")

    def _same_again(self) -> None:
        """One customer orders the same twice within the hour, and means it."""
        first = self._odd({"TOWEL": 1}, "ordered twice on purpose")
        self.world.after(1800.0, lambda: self._odd({"TOWEL": 1}, "ordered twice on purpose", customer=first.customer))

    # the faults

    def faults(self) -> list[Callable[[], None]]:
        """Each kind of fault, once."""
        return [
            self._swapped_late, self._added_late, self._cancelled_late, self._copied_twice, self._recreated,
            self._stalled, self._never_copied, self._never_told, self._told_not_sent, self._at_the_stall,
            self._by_bicycle, self._owing, self._owed,
        ]  # fmt: skip

    def _swapped_late(self) -> None:
        order = self._faulty({"MUG-BLU": 1, "TEA-80": 1}, "superseded_despatched")
        self.world.after(_COPIED_SECONDS, lambda: self._swap(order))

    def _added_late(self) -> None:
        order = self._faulty({"TEA-80": 1}, "superseded_despatched")

        def add() -> None:
            self.world.shop.edit_order(order, add_lines=[LineSpec(variant=self.by_sku["TOWEL"])], staff="Sam")
            self.world.shop.pay_outstanding(order)

        self.world.after(_COPIED_SECONDS, add)

    def _cancelled_late(self) -> None:
        order = self._faulty({"POT-S": 1}, "cancelled_despatched")
        self.world.after(_COPIED_SECONDS, lambda: self.world.shop.cancel_order(order))

    def _copied_twice(self) -> None:
        order = self._faulty({"TEA-EG": 1, "TOWEL": 1}, "twin_despatched")
        self.month.importer.doubled.add(order.id)

    def _recreated(self) -> None:
        order = self._place({"MUG-RED": 1})
        spec = [LineSpec(variant=self.by_sku["POT-S"])]
        successor = self.world.recreating.next_name(order.name)
        self.month.planted.add((successor, "twin_despatched"))
        self.month.subjects[successor, "twin_despatched"] = order.name
        self.world.after(_COPIED_SECONDS, lambda: self.world.recreating.recreate(order, spec))

    def _stalled(self) -> None:
        """The bowl is not on the shelf; the mug goes, and of a part the importer tells nothing."""
        self._faulty({"MUG-BLU": 1, "RARE": 1}, "part_fulfilment_stalled", "despatch_never_came_back")

    def _never_copied(self) -> None:
        order = self._faulty({"BISCUIT": 2}, "never_reached_warehouse")
        self.month.importer.skipped.add(order.id)

    def _never_told(self) -> None:
        order = self._faulty({"BISCUIT": 1}, "despatch_never_came_back")
        self.month.importer.mute.add(order.id)

    def _told_not_sent(self) -> None:
        order = self._faulty({"BISCUIT": 1}, "told_but_never_sent")
        self.month.importer.told_too_soon.add(order.id)

    def _at_the_stall(self) -> None:
        order = self._faulty({"TOWEL": 1}, "location_unmapped", location=self.stall)
        self.month.subjects[order.name, "location_unmapped"] = "Market stall"

    def _by_bicycle(self) -> None:
        order = self._faulty({"TOWEL": 1}, "service_unmapped", shipping=ShippingSpec(title="Bicycle courier"))
        self.month.subjects[order.name, "service_unmapped"] = "Bicycle courier"

    def _owing(self) -> None:
        """Edited upwards before the copy, and never paid."""
        order = self._faulty({"TEA-80": 1}, "money_drift")
        self.month.subjects[order.name, "money_drift"] = "unpaid edit"
        spec = LineSpec(variant=self.by_sku["TOWEL"])
        self.world.after(60.0, lambda: self.world.shop.edit_order(order, add_lines=[spec], staff="Sam"))

    def _owed(self) -> None:
        """Edited downwards before the copy; nobody gave the difference back."""
        order = self._faulty({"TEA-80": 1, "MUG-RED": 1}, "money_drift")
        self.month.subjects[order.name, "money_drift"] = "owed to the customer"
        mug = next(line.id for line in order.line_items if line.sku == "MUG-RED")
        self.world.after(60.0, lambda: self.world.shop.edit_order(order, set_quantities={mug: 0}, staff="Sam"))

    def shelf_count(self) -> None:
        """Somebody counts the large teapots, finds seven fewer, and tells only the warehouse's system."""
        account, site = self._site(MAIN)
        figures = self.world.warehouse.stock_figures("POT-L", account_id=account, warehouse_id=site)
        left = figures["received"] - 7
        self.world.warehouse.set_stock("POT-L", left, account_id=account, warehouse_id=site)
        self.month.stock["POT-L"] = 7

    # what they do it with

    def _faulty(self, units: Mapping[str, int], *charges: str, **more: Any) -> Order:
        order = self._place(units, **more)
        self.month.plant(order, *charges)
        return order

    def _odd(self, units: Mapping[str, int], why: str, **more: Any) -> Order:
        order = self._place(units, **more)
        self.month.innocent[order.name] = why
        return order

    def _place(self, units: Mapping[str, int], **more: Any) -> Order:
        shipping = self.rng.choice((ShippingSpec(), ShippingSpec(title="Next day delivery", price="5.95")))
        place = more.pop("location", self.world.main)
        specs = [LineSpec(variant=self.by_sku[sku], quantity=n, location=place) for sku, n in units.items()]
        values: dict[str, Any] = {"shipping": shipping, "financial_status": "PAID", **more}
        return self.world.shop.create_order(specs, **values)

    def _swap(self, order: Order) -> None:
        """One unit becomes another article at the same price, so that no money moves."""
        line = next(one for one in order.line_items if one.current_quantity)
        other = {"MUG-BLU": "MUG-RED", "MUG-RED": "MUG-BLU"}.get(str(line.sku), str(line.sku))
        self.world.shop.edit_order(
            order,
            set_quantities={line.id: line.current_quantity - 1},
            add_lines=[LineSpec(variant=self.by_sku[other])],
            staff="Sam",
        )

    def _refund(self, order: Order, how: str) -> None:
        line = next(one for one in order.line_items if one.current_quantity)
        self.world.shop.refund(order, {line.id: (1, how)})

    def _site(self, code: str) -> tuple[int, int]:
        ids = self.month.importer.ids()
        return ids["account"], ids[code]
