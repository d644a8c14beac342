"""The stage for scenarios: one shop, one warehouse, the real flows between them, and verbs to act and to look.

What is asserted comes from the twins (their state and their histories), never from what Pickgate believes; only
exceptions, gates and the order's state are Pickgate's own words. Pickers do nothing unless a test lets them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pickgate.clock import VirtualClock
from pickgate.rulebook.evaluate import Rulebook
from pickgate.simulation.driver import START, Simulation, run_now, simulation_settings
from pickgate.simulation.world import make_world, number, rulebook_tables
from pickgate.store.memory_exceptions import MemoryOperators
from pickgate.store.memory_rows import MemoryException, MemoryOrder
from pickgate.twins.clarus import ClarusKnobs
from pickgate.twins.clarus.records import FINAL, GoodsOut
from pickgate.twins.history import HistoryEvent
from pickgate.twins.people import PickerHabits
from pickgate.twins.shopify import LineSpec, Order, ShopifyKnobs, totals
from pickgate.twins.shopify.catalogue import Variant
from pickgate.twins.shopify.fulfilment_model import FulfillmentOrder
from pickgate.twins.shopify.model import LineItem
from simulation.messages import FREE, Lock, Message, Units, messages_of

_NEVER = (1e9, 1e9)
IDLE = PickerHabits(wave_after_seconds=_NEVER, start_after_seconds=_NEVER)


class Stage:
    """One world with Pickgate in it. Sections as in `pickgate.toml`; `editing`: settings of the editing app."""

    def __init__(
        self,
        *,
        shop: Mapping[str, Any] | None = None,
        clarus: Mapping[str, Any] | None = None,
        shop_knobs: ShopifyKnobs | None = None,
        warehouse_knobs: ClarusKnobs | None = None,
        editing: Mapping[str, Any] | None = None,
        tables: Mapping[str, Sequence[tuple[str, ...]]] | None = None,
        habits: PickerHabits = IDLE,
        seed: int = 2026,
    ) -> None:
        rng = random.Random(seed)
        self.clock = VirtualClock(START)
        self.world = make_world(self.clock, rng, shop_knobs=shop_knobs, warehouse_knobs=warehouse_knobs, habits=habits)
        self.world.editing.settings = replace(
            self.world.editing.settings, **{"settle_seconds": (1.0, 20.0), **(editing or {})}
        )
        self.variants: dict[str, Variant] = {str(v.sku): v for v in self.world.variants}
        settings = simulation_settings(self.world, shop=dict(shop or {}), clarus=dict(clarus or {}))
        self.simulation = Simulation(self.world, self.clock, rng, settings=settings)
        if tables:
            rows = {name: tuple(rows) for name, rows in tables.items()}
            self.simulation.rules = Rulebook(2, replace(rulebook_tables(self.world), **rows))
        self.people = MemoryOperators(self.simulation.store)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def wait(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        """Let everything happen that is due in this time."""
        self.simulation.run_until(self.now + timedelta(seconds=seconds, minutes=minutes, hours=hours))

    def wait_for_release(self) -> None:
        """From the checkout until the window, its guard and the app's own doings are over."""
        self.wait(minutes=33)

    # ── what customers and staff do ──────────────────────────────────────────────────────────────────────────────

    def spec(self, sku: str, units: int = 1, **more: Any) -> LineSpec:
        return LineSpec(variant=self.variants[sku], quantity=units, **more)

    def order(self, units: Units | None = None, *, specs: Sequence[LineSpec] = (), **more: Any) -> Order:
        """A customer orders; paid unless told otherwise."""
        lines = [self.spec(sku, count) for sku, count in (units or {}).items()]
        return self.world.shop.create_order([*lines, *specs], **more)

    def line(self, order: Order, sku: str) -> LineItem:
        """The live line of a SKU, the newest if there are several."""
        return [line for line in order.line_items if line.sku == sku and line.current_quantity][-1]

    def add_product(self, sku: str, *, in_warehouse: bool = True, **more: Any) -> Variant:
        """Another product in the shop, and (unless told otherwise) in the warehouse."""
        stock = None if more.get("bundle_of") or more.get("requires_shipping") is False else 1000
        variant = self.world.shop.add_product(sku, stock=stock, location=more.pop("location", None), **more)
        self.variants[sku] = variant
        if in_warehouse:
            self.world.warehouse.add_product(sku)
            for site in (21, 22):
                self.world.warehouse.set_stock(sku, 1000, account_id=1, warehouse_id=site)
        return variant

    # ── what the warehouse does ──────────────────────────────────────────────────────────────────────────────────

    def goods_outs(self, order: Order) -> list[GoodsOut]:
        """What the warehouse shows for an order, whatever its status, oldest first."""
        mine = [event.detail["goods_out_id"] for event in self._created(order)]
        found = [self.world.warehouse.find_goods_out(goods_out_id) for goods_out_id in mine]
        return [goods_out for goods_out in found if goods_out is not None]

    def goods_out(self, order: Order) -> GoodsOut:
        """The one live goods-out of an order."""
        (live,) = [goods_out for goods_out in self.goods_outs(order) if goods_out.status not in FINAL]
        return live

    def allocate(self, order: Order) -> GoodsOut:
        goods_out = self.goods_out(order)
        self.world.warehouse.process_picks(goods_out.id)
        return goods_out

    def picker_starts(self, order: Order) -> GoodsOut:
        """A picker takes the order and the first unit of its first line; Pickgate hears of it."""
        goods_out = self.goods_out(order)
        if goods_out.status == "PENDING":
            self.allocate(order)
        self.world.warehouse.start_pick(goods_out.id)
        self.world.warehouse.pick(goods_out.lines[0].id, 1)
        self.wait(minutes=2)
        return goods_out

    def picker_finishes(self, order: Order) -> GoodsOut:
        goods_out = self.goods_out(order)
        if not goods_out.is_begun:
            self.picker_starts(order)
        self.world.warehouse.finish_picking(goods_out.id)
        self.world.warehouse.pack(goods_out.id)
        return goods_out

    def sent(self, order: Order, *, units: Units | None = None, tracking: str = "PK1") -> GoodsOut:
        """The whole order is picked, packed and sent, or only `units` (by product code) of it; the shop is told."""
        goods_out = self.picker_finishes(order)
        by_line = None
        if units is not None:
            codes = {
                line["line_id"]: line["product_code"] for line in self.world.warehouse.content(goods_out.id)["lines"]
            }
            by_line = {line_id: float(units[code]) for line_id, code in codes.items() if code in units}
        self.world.warehouse.dispatch(goods_out.id, tracking=[tracking], units=by_line)
        self.wait(minutes=3)
        return goods_out

    # ── what came of it: the twins ───────────────────────────────────────────────────────────────────────────────

    def received(self, order: Order) -> list[Message]:
        """Everything that Clarus took for an order, in order of arrival; `by` says who, when not Pickgate."""
        mine = {event.detail["goods_out_id"]: event.detail["reference"] for event in self._created(order)}
        messages = []
        for event in self.world.warehouse.history:
            goods_out_id = event.detail.get("goods_out_id")
            if goods_out_id in mine:
                messages += messages_of(event, mine[goods_out_id])
        return messages

    def _created(self, order: Order) -> list[HistoryEvent]:
        return [
            event
            for event in self.world.warehouse.history.of_kind("goods_out_created")
            if event.detail["content"]["attributes"].get("external_system_reference1") == number(order.id)
        ]

    def wanted(self, order: Order) -> dict[str, int]:
        """What the order holds in the shop now: current units by SKU, without zero lines."""
        units: Counter[str] = Counter()
        for line in order.line_items:
            if line.current_quantity:
                units[line.sku or line.title] += line.current_quantity
        return dict(units)

    def told(self, order: Order) -> list[tuple[dict[str, int], tuple[str, ...]]]:
        """Standing fulfilments in the shop: units by SKU, tracking numbers."""
        return [
            (
                {str(part.line_item.sku): part.quantity for part in made.fulfillment_line_items},
                tuple(str(info.number) for info in made.tracking_info),
            )
            for made in order.fulfillments
            if made.status == "SUCCESS"
        ]

    def payment(self, order: Order) -> str:
        """The financial status that the shop displays."""
        return str(totals.financial_status(order))

    def locked(self, order: Order) -> Lock:
        values = [m.value for (namespace, key), m in order.metafields.items() if key == "lock"]
        return Lock(
            tag="pickgate-locked" in order.tags,
            metafield=values[0] if values else None,
            progress=any(f.status == "IN_PROGRESS" for f in order.fulfillment_orders),
        )

    def open_fulfilment_orders(self, order: Order) -> list[FulfillmentOrder]:
        return [f for f in order.fulfillment_orders if f.active]

    # ── what Pickgate says ───────────────────────────────────────────────────────────────────────────────────────

    def row(self, order: Order) -> MemoryOrder:
        (row,) = [row for row in self.simulation.store.orders.values() if row.order_id == number(order.id)]
        return row

    def state(self, order: Order) -> str:
        decision = self.row(order).decision
        return decision.state.value if decision is not None else "unseen"

    def gates(self, order: Order) -> list[str]:
        """The codes of the gates that are closed now, sorted, each once. Timed ones open without a look."""
        decision = self.row(order).decision
        gates = decision.gates if decision is not None else ()
        return sorted({gate.code for gate in gates if gate.until is None or gate.until > self.now})

    def exceptions(self, order: Order) -> list[tuple[str, str]]:
        """(code, team that owns it) of each open exception, sorted."""
        return sorted((item.code, item.owner) for item in self.items(order) if item.is_open)

    def ever(self, order: Order) -> list[str]:
        """The codes of every exception that was ever open, in the order of opening."""
        return [item.code for item in self.items(order)]

    def exception(self, order: Order, code: str) -> MemoryException:
        (found,) = [item for item in self.items(order) if item.code == code and item.is_open]
        return found

    def items(self, order: Order) -> list[MemoryException]:
        row = self.row(order).row
        return [item for item in self.simulation.store.exceptions.all if item.order == row]

    def check(
        self,
        order: Order,
        *,
        wants: Units,
        received: Sequence[Message] = (),
        lock: Lock = FREE,
        exceptions: Sequence[tuple[str, str]] = (),
        state: str,
        gates: Sequence[str] = (),
    ) -> None:
        """Check everything about an order at once: what it holds, what Clarus got, lock, exceptions, state, gates."""
        expected = {
            "wants": dict(wants),
            "received": list(received),
            "lock": lock,
            "exceptions": list(exceptions),
            "state": state,
            "gates": list(gates),
        }
        found = {
            "wants": self.wanted(order),
            "received": self.received(order),
            "lock": self.locked(order),
            "exceptions": self.exceptions(order),
            "state": self.state(order),
            "gates": self.gates(order),
        }
        wrong = {key: f"{found[key]} instead of {value}" for key, value in expected.items() if found[key] != value}
        assert not wrong, "\n".join(f"{key}: {text}" for key, text in wrong.items())

    # ── what operators do ────────────────────────────────────────────────────────────────────────────────────────

    def approve(self, order: Order) -> None:
        """An operator says: release it now, as it stands."""
        row = self.row(order).row
        assert run_now(self.people.approve_release(row, actor="Olu", reason="Go", expected=None, now=self.now))
        self.wait(minutes=1)

    def take_back(self, order: Order) -> None:
        """An operator says: cancel it in the warehouse, and hold it."""
        row = self.row(order).row
        assert run_now(self.people.request_cancel(row, actor="Olu", reason="Stop", expected=None, now=self.now))
        self.wait(minutes=1)

    def resolve(self, order: Order, code: str) -> None:
        """Somebody says that an exception has been dealt with."""
        item = self.exception(order, code)
        assert run_now(self.people.resolve_exceptions([item.id], actor="Olu", reason="Done", now=self.now)) == [item.id]
