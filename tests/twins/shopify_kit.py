"""A small shop and a client for the tests of the Shopify twin and of the editing apps."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pickgate.clock import VirtualClock
from pickgate.http import HttpRequest, HttpResponse
from pickgate.twins.deliveries import Delivery
from pickgate.twins.shopify import LineSpec, Order, ShopifyKnobs, ShopifyTwin
from pickgate.twins.shopify.fulfilment_model import FulfillmentOrder

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
URL = "https://example-uk.myshopify.com/admin/api/2026-07/graphql.json"
HOOK = "https://pickgate.example/webhooks/shopify"
TOPICS = [
    "orders/create",
    "orders/updated",
    "orders/edited",
    "orders/cancelled",
    "orders/paid",
    "orders/fulfilled",
    "orders/partially_fulfilled",
    "refunds/create",
    "fulfillments/create",
    "fulfillments/update",
    "fulfillment_orders/order_routing_complete",
    "fulfillment_orders/placed_on_hold",
    "fulfillment_orders/hold_released",
    "fulfillment_orders/progress_reported",
    "fulfillment_orders/manually_reported_progress_stopped",
    "fulfillment_orders/moved",
    "fulfillment_orders/split",
    "fulfillment_orders/merged",
    "fulfillment_orders/cancelled",
    "fulfillment_holds/added",
    "fulfillment_holds/released",
    "inventory_levels/update",
    "returns/request",
    "returns/approve",
]


def contract(name: str) -> Path:
    """A vendor file for tests. Skips where it is absent."""
    root = Path(os.environ.get("PICKGATE_CONTRACTS", Path(__file__).parents[2] / "../shared/contracts"))
    path = root / name
    if not path.exists():
        pytest.skip(f"the vendor's file {name} is not here (PICKGATE_CONTRACTS)")
    return path


def contract_json(name: str) -> Any:
    return json.loads(gzip.decompress(contract(name).read_bytes()))


class Kit:
    """One shop with three products, two locations, and a client with the app's token."""

    def __init__(self, seed: int = 7, **knobs: Any) -> None:
        knobs = {"added_line_joins": 0.0, "webhook_delay_seconds": (0.0, 0.0), **knobs}
        self.clock = VirtualClock(START)
        self.shop = ShopifyTwin(
            clock=self.clock,
            rng=random.Random(seed),
            domain="example-uk.myshopify.com",
            client_secret="hush",
            access_token="token",
            knobs=ShopifyKnobs(**knobs),
        )
        self.leeds = self.shop.add_location("Leeds")
        self.york = self.shop.add_location("York", fulfills_online_orders=False)
        self.shirt = self.shop.add_product("SHIRT", price="20.00", stock=100)
        self.belt = self.shop.add_product("BELT", price="15.00", stock=50)
        self.sock = self.shop.add_product("SOCK", price="3.33", stock=500)

    def place(self, *quantities: int, **settings: Any) -> Order:
        """An order of so many shirts, belts, socks; no shipping charge unless given; already routed."""
        products = (self.shirt, self.belt, self.sock)
        lines = [LineSpec(variant=v, quantity=q) for v, q in zip(products, quantities, strict=False) if q]
        order = self.shop.create_order(lines, **{"shipping": None, **settings})
        self.wait(5)
        return order

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.shop.tick()

    def listen(self) -> None:
        for topic in TOPICS:
            self.shop.subscribe(topic, HOOK)

    def heard(self) -> list[Delivery]:
        """Webhooks since the last call."""
        return self.shop.deliveries.take_due(self.clock.now())

    def topics(self) -> list[str]:
        return [delivery.topic for delivery in self.heard()]

    def post(self, query: str, variables: Mapping[str, Any] | None = None, token: str = "token") -> HttpResponse:
        body = json.dumps({"query": query, "variables": dict(variables or {})}).encode()
        headers = {"X-Shopify-Access-Token": token, "Content-Type": "application/json"}
        return self.shop.handle(HttpRequest(method="POST", url=URL, headers=headers, body=body))

    def ask(self, document: str, /, **variables: Any) -> Any:
        """The whole answer, errors and costs too."""
        return self.post(document, variables).json()

    def data(self, document: str, /, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = self.ask(document, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]


def fo_of(order: Order, index: int = 0) -> FulfillmentOrder:
    return order.fulfillment_orders[index]


def quantities(order: Order) -> list[tuple[str | None, int, int]]:
    """(sku, quantity, current quantity) of each line."""
    return [(line.sku, line.quantity, line.current_quantity) for line in order.line_items]


def parts(fo: FulfillmentOrder) -> list[tuple[str | None, int, int]]:
    """(sku, total, remaining) of each fulfilment order line."""
    return [(part.sku, part.total_quantity, part.remaining_quantity) for part in fo.line_items]
