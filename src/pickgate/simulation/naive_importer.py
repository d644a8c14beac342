"""The integration that many shops have: it copies each order once, and never looks at it again."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pickgate.http import HttpRequest
from pickgate.simulation.world import ACCOUNT, CLARUS_ID, CLARUS_SECRET, MAIN, NORTH, SUBDOMAIN, World, number
from pickgate.twins.shopify import Order

IMPORT_EVERY = timedelta(minutes=10)
IMPORT_AGE = timedelta(minutes=3)


@dataclass(slots=True)
class NaiveImporter:
    """Copies orders once. The sets are the planted faults: what it does not do, or does twice, for which order."""

    world: World
    skipped: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    mute: set[str] = field(default_factory=set)
    told_too_soon: set[str] = field(default_factory=set)
    copied: dict[str, list[int]] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)
    _token: str = ""
    _products: dict[str, int] = field(default_factory=dict)

    def run(self, now: datetime) -> None:
        """Copy what is new, and tell the shop what is completed."""
        for order in list(self.world.shop.orders.values()):
            if order.id in self.copied:
                self._tell(order)
            elif self._is_ready(order, now):
                self._copy(order, now)

    def _is_ready(self, order: Order, now: datetime) -> bool:
        paid = any(t.kind == "SALE" for t in order.transactions)
        old_enough = now - order.created_at >= IMPORT_AGE
        return (
            old_enough
            and paid
            and order.cancelled_at is None
            and not order.test
            and order.delivery_method == "SHIPPING"
            and "HOLD" not in order.tags
            and order.id not in self.skipped
        )

    def _copy(self, order: Order, now: datetime) -> None:
        self.copied[order.id] = [
            self._post(order, lines, warehouse, now)
            for warehouse, lines in self._by_warehouse(order).items()
            for _ in range(2 if order.id in self.doubled else 1)
        ]
        if order.id in self.told_too_soon:
            self._fulfil(order)
            for goods_out_id in self.copied[order.id]:
                self.world.warehouse.cancel_by_hand(goods_out_id)

    def _by_warehouse(self, order: Order) -> dict[str, list[tuple[str, int]]]:
        found: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for share in order.fulfillment_orders:
            site = NORTH if share.location is self.world.north else MAIN
            found[site] += [(part.sku or "", part.remaining_quantity) for part in share.line_items]
        return {site: [line for line in lines if line[1]] for site, lines in found.items() if any(n for _, n in lines)}

    def _tell(self, order: Order) -> None:
        if order.id in self._done or order.id in self.mute:
            return
        found = [self.world.warehouse.find_goods_out(number) for number in self.copied[order.id]]
        if all(goods_out is None or goods_out.status == "COMPLETED" for goods_out in found):
            self._done.add(order.id)
            self._fulfil(order)

    def _fulfil(self, order: Order) -> None:
        for share in order.fulfillment_orders:
            if share.status in ("OPEN", "IN_PROGRESS") and share.remaining:
                self.world.shop.create_fulfillment([(share.id, ())], tracking={"number": f"N{order.number}"})

    # the warehouse's API, used as plainly as can be

    def _post(self, order: Order, lines: Sequence[tuple[str, int]], warehouse: str, now: datetime) -> int:
        ids = self.ids()
        attributes = {
            "goods_out_type": "sales_order",
            "account_id": ids["account"],
            "warehouse_id": ids[warehouse],
            "reference": order.name.removeprefix("#"),
            "external_system_reference1": number(order.id),
            "expected_date_of_dispatch": f"{now:%Y-%m-%d}T12:00:00Z",
            "lines_changes": [
                {"type": "ADD", "attributes": {"product_id": self._product(sku), "order_quantity": units}}
                for sku, units in lines
            ],
        }
        address = {"name": "A customer", "address_1": "1 High Street", "country_code": "GB"}
        body = {"data": {"type": "goods_outs", "attributes": attributes, "address": address}}
        return int(self._call("/api/goods_outs", body)["data"]["id"])

    def ids(self) -> Mapping[str, int]:
        """The warehouse's numbers: of the account, and of each warehouse by its code."""
        found = {"account": 1}
        for site in self._list("warehouses", "id code"):
            found[site["code"]] = int(site["id"])
        found["account"] = next(int(a["id"]) for a in self._list("accounts", "id code") if a["code"] == ACCOUNT)
        return found

    def _product(self, sku: str) -> int:
        if sku not in self._products:
            self._products = {p["code"]: int(p["id"]) for p in self._list("products", "id code")}
        return self._products[sku]

    def _list(self, root: str, fields: str) -> list[dict[str, Any]]:
        text = f"{{ {root} {{ all(first: 100) {{ edges {{ node {{ {fields} }} }} }} }} }}"
        return [edge["node"] for edge in self._call("/graphql", {"query": text})["data"][root]["all"]["edges"]]

    def _call(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._send(path, body)
        if answer.status == 401:
            fields = {"grant_type": "client_credentials", "client_id": CLARUS_ID, "client_secret": CLARUS_SECRET}
            self._token = self._send("/oauth/token", fields).json()["access_token"]
            answer = self._send(path, body)
        if answer.status != 200:
            raise AssertionError(f"the importer was refused: {answer.body!r}")
        return dict(answer.json())

    def _send(self, path: str, body: Mapping[str, Any]) -> Any:
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self._token}",
            "X-Clarus-Subdomain": SUBDOMAIN,
        }
        url = f"https://warehouse.twin{path}"
        return self.world.warehouse.handle(
            HttpRequest(method="POST", url=url, headers=headers, body=json.dumps(body).encode())
        )
