"""The tenant's memory: tables, indexes, its own clock-driven jobs, and the doors to history and automations."""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pickgate.clock import Clock
from pickgate.twins.clarus import records as r
from pickgate.twins.clarus.knobs import ClarusKnobs
from pickgate.twins.clarus.refusals import not_found
from pickgate.twins.deliveries import DeliveryQueue
from pickgate.twins.history import History

# Each table starts somewhere else, so that a mixed-up id cannot hit a record by luck.
_FIRST_IDS = {
    "accounts": 1,
    "account_warehouses": 11,
    "warehouses": 21,
    "carriers": 41,
    "automations": 43,
    "carrier_services": 61,
    "order_types": 71,
    "reason_codes": 81,
    "integrations": 723,
    "goods_out_pick_lists": 701,
    "products": 1001,
    "shipments": 1530,
    "account_products": 2001,
    "product_materials": 2501,
    "goods_outs": 3301,
    "packages": 4821,
    "stocks": 5001,
    "pick_processing_requests": 6001,
    "goods_out_lines": 60781,
    "tasks": 80001,
    "transactions": 904512,
}
Key = tuple[int, int, int]
_no_orders: dict[int, r.GoodsOut] = {}


class Tenant:
    """One tenant. Only the modules beside this one touch it; outsiders use `ClarusTwin`."""

    def __init__(self, *, clock: Clock, rng: random.Random, subdomain: str, knobs: ClarusKnobs) -> None:
        self.rng = rng
        self.subdomain = subdomain
        self.knobs = knobs
        self.history = History()
        self.deliveries = DeliveryQueue()
        self.on_event: Callable[[str, str, Callable[[], dict[str, Any]]], None] = _nobody_listens

        self.accounts: dict[int, r.Account] = {}
        self.warehouses: dict[int, r.Warehouse] = {}
        self.account_warehouses: dict[int, r.AccountWarehouse] = {}
        self.carriers: dict[int, r.Carrier] = {}
        self.carrier_services: dict[int, r.CarrierService] = {}
        self.products: dict[int, r.Product] = {}
        self.products_by_code: dict[str, r.Product] = {}
        self.account_products: dict[int, r.AccountProduct] = {}
        self.accounts_of_product: dict[int, set[int]] = defaultdict(set)
        self.product_materials: dict[int, r.ProductMaterial] = {}
        self.order_types: dict[int, r.OrderType] = {}
        self.reason_codes: dict[int, r.ReasonCode] = {}
        self.integrations: dict[int, r.Integration] = {}
        self.automations: dict[int, r.Automation] = {}

        self.balances: dict[Key, r.Balance] = {}
        self.stocks: dict[int, r.Stock] = {}
        self.goods_outs: dict[int, r.GoodsOut] = {}
        self.lines: dict[int, r.Line] = {}
        self.by_reference: dict[str, dict[int, r.GoodsOut]] = defaultdict(dict)
        self.by_status: dict[str, dict[int, r.GoodsOut]] = defaultdict(dict)
        self.pick_lists: dict[int, r.PickList] = {}
        self.tasks: dict[int, r.Task] = {}
        self.tasks_of: dict[int, list[r.Task]] = defaultdict(list)
        self.requests: dict[int, r.ProcessingRequest] = {}
        self.shipments: dict[int, r.Shipment] = {}
        self.shipments_of: dict[int, list[r.Shipment]] = defaultdict(list)
        self.packages: dict[int, r.Package] = {}
        self.transactions: dict[int, r.Transaction] = {}
        self.transactions_of: dict[int, list[r.Transaction]] = defaultdict(list)

        self._clock = clock
        self._ids = dict(_FIRST_IDS)
        self._jobs: list[tuple[datetime, int, Callable[[], None]]] = []
        self._jobs_made = 0
        self._instant: datetime | None = None
        self._changes = 0
        self._demand: tuple[int, dict[Key, float]] = (-1, {})

    # --- time -----------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The instant at which the tenant lives: the clock's, or a job's own while that job runs."""
        return self._instant or self._clock.now()

    def call_later(self, seconds: float, job: Callable[[], None]) -> None:
        """Run `job` once, `seconds` from now, when somebody next calls `run_due`."""
        self._jobs_made += 1
        heapq.heappush(self._jobs, (self.now() + timedelta(seconds=seconds), self._jobs_made, job))

    def run_due(self) -> None:
        """Run every job whose time has come, each at its own instant."""
        while self._jobs and self._instant is None and self._jobs[0][0] <= self._clock.now():
            self._instant, _, job = heapq.heappop(self._jobs)
            try:
                job()
            finally:
                self._instant = None

    def next_job_at(self) -> datetime | None:
        return self._jobs[0][0] if self._jobs else None

    # --- records --------------------------------------------------------------------------------

    def new_id(self, table: str) -> int:
        number = self._ids[table]
        self._ids[table] = number + 1
        return number

    def get_goods_out(self, goods_out_id: int) -> r.GoodsOut:
        """Return the order, or raise the 404 refusal."""
        order = self.goods_outs.get(goods_out_id)
        if order is None:
            raise not_found("goods out", goods_out_id)
        return order

    def balance(self, product_id: int, account_id: int, warehouse_id: int) -> r.Balance:
        """Return the balance, made empty when there was none."""
        key = (product_id, account_id, warehouse_id)
        found = self.balances.get(key)
        if found is None:
            found = self.balances[key] = r.Balance(
                product_id=product_id, account_id=account_id, warehouse_id=warehouse_id
            )
        return found

    def ordered(self, key: Key) -> float:
        """Units that open orders want and that are not allocated to them. Drafts do not count."""
        if self._demand[0] != self._changes:
            demand: dict[Key, float] = defaultdict(float)
            for status, orders in self.by_status.items():
                if status == "DRAFT" or status in r.FINAL:
                    continue
                for order in orders.values():
                    if order.warehouse_id is not None:
                        for line in order.lines:
                            place = (line.product_id, order.account_id, order.warehouse_id)
                            demand[place] += line.to_allocate
            self._demand = (self._changes, demand)
        return self._demand[1].get(key, 0.0)

    def add_goods_out(self, order: r.GoodsOut) -> None:
        self._changes += 1
        self.goods_outs[order.id] = order
        self.by_reference[order.reference][order.id] = order
        self.by_status[order.status][order.id] = order
        for line in order.lines:
            self.lines[line.id] = line

    def remove_goods_out(self, order: r.GoodsOut) -> None:
        self._changes += 1
        del self.goods_outs[order.id]
        del self.by_reference[order.reference][order.id]
        del self.by_status[order.status][order.id]
        for line in order.lines:
            del self.lines[line.id]

    def rename(self, order: r.GoodsOut, reference: str) -> None:
        del self.by_reference[order.reference][order.id]
        order.attributes["reference"] = reference
        self.by_reference[reference][order.id] = order

    def touch(self, order: r.GoodsOut) -> None:
        """Note that the order, or one of its lines, was changed."""
        self._changes += 1
        order.updated_at = self.now()

    def set_status(self, order: r.GoodsOut, code: str, *, because: str) -> None:
        """Move the order to a status, forwards or backwards; equal is silence."""
        if order.status == code:
            return
        before = order.status
        del self.by_status[before][order.id]
        order.status = code
        self.by_status[code][order.id] = order
        self.touch(order)
        self.note(order, "status_changed", before=before, after=code, because=because)

    def with_status(self, code: str) -> Mapping[int, r.GoodsOut]:
        return self.by_status.get(code, _no_orders)

    # --- what others see ------------------------------------------------------------------------

    def note(self, order: r.GoodsOut, kind: str, **detail: Any) -> None:
        """Append to history what happened to an order."""
        self.history.append(
            at=self.now(),
            kind=kind,
            subject=f"goods_outs/{order.id}",
            goods_out_id=order.id,
            reference=order.reference,
            **detail,
        )

    def code_of(self, product_id: int) -> str:
        return self.products[product_id].code


def _nobody_listens(resource: str, event: str, render: Callable[[], dict[str, Any]]) -> None:
    """Stands in until the automations are plugged in."""
