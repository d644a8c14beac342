"""One small tenant for the tests of the Clarus twin, and the client's side of its HTTP."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

from pickgate.clock import VirtualClock
from pickgate.http import HttpRequest, HttpResponse
from pickgate.twins.clarus import ClarusKnobs, ClarusTwin

START = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
ACCOUNT, WAREHOUSE, CARRIER, SERVICE = 1, 21, 41, 61
TEA, MUG, JAM = 1001, 1002, 1003
ADDRESS = {"name": "Ada", "address_1": "1 High Street", "postcode": "AB1 2CD", "country_code": "GB"}


class Kit:
    """A tenant with one account, one warehouse, ten TEA, ten MUG, no JAM, and a token."""

    def __init__(self, **knobs: Any) -> None:
        self.clock = VirtualClock(START)
        self.twin = ClarusTwin(
            clock=self.clock,
            rng=random.Random(7),
            subdomain="acme",
            client_id="id",
            client_secret="secret",
            knobs=ClarusKnobs(**knobs),
        )
        assert self.twin.add_account("ACME", is_short_pickable=True) == ACCOUNT
        assert self.twin.add_warehouse("WH1") == WAREHOUSE
        self.twin.link(ACCOUNT, WAREHOUSE)
        assert self.twin.add_carrier("DPD") == CARRIER
        assert self.twin.add_service(CARRIER, "NEXT") == SERVICE
        for code in ("TEA", "MUG", "JAM"):
            self.twin.add_product(code)
        for code in ("TEA", "MUG"):
            self.stock(code, 10)
        self.headers: dict[str, str] = {}
        self.sign_in()

    def stock(self, code: str, units: float) -> None:
        self.twin.set_stock(code, units, account_id=ACCOUNT, warehouse_id=WAREHOUSE)

    def figures(self, code: str) -> dict[str, float]:
        return self.twin.stock_figures(code, account_id=ACCOUNT, warehouse_id=WAREHOUSE)

    def ask_token(self, secret: str = "secret") -> HttpResponse:
        form = f"grant_type=client_credentials&client_id=id&client_secret={secret}"
        return self.twin.handle(HttpRequest(method="POST", url="https://clarus.test/oauth/token", body=form.encode()))

    def sign_in(self) -> None:
        token = self.ask_token().json()["access_token"]
        self.headers = {
            "Authorization": f"Bearer {token}",
            "X-Clarus-Subdomain": "acme",
            "Content-Type": "application/json",
        }

    def call(self, method: str, path: str, body: Any = None) -> HttpResponse:
        raw = b"" if body is None else json.dumps(body).encode()
        url = f"https://clarus.test{path}"
        return self.twin.handle(HttpRequest(method=method, url=url, headers=self.headers, body=raw))

    def create(self, *lines: tuple[int, float], **header: Any) -> HttpResponse:
        return self.call("POST", "/api/goods_outs", order_body(*lines, **header))

    def order(self, *lines: tuple[int, float], **header: Any) -> int:
        """Create an order that must succeed. Returns its id."""
        response = self.create(*lines, **header)
        assert response.status == 200, response.body
        return int(response.json()["data"]["id"])

    def patch(self, goods_out_id: int, address: dict[str, Any] | None = None, **header: Any) -> HttpResponse:
        data: dict[str, Any] = {"type": "goods_outs", "attributes": header}
        if address is not None:
            data["relationships"] = {"address": {"data": {"type": "addresses", "attributes": address}}}
        return self.call("PATCH", f"/api/goods_outs/{goods_out_id}", {"data": data})

    def cancel(self, goods_out_id: int) -> HttpResponse:
        return self.call("POST", f"/api/goods_outs/{goods_out_id}/cancel")

    def read(self, query: str, **variables: Any) -> Any:
        """Run a GraphQL query that must succeed. Returns `data`."""
        answer = self.ask(query, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    def ask(self, query: str, **variables: Any) -> Any:
        response = self.call("POST", "/graphql", {"query": query, "variables": variables})
        assert response.status == 200
        return response.json()

    def status(self, goods_out_id: int) -> str | None:
        order = self.twin.find_goods_out(goods_out_id)
        return None if order is None else order.status

    def lines(self, goods_out_id: int) -> list[int]:
        """The ids of the order's lines."""
        order = self.twin.find_goods_out(goods_out_id)
        assert order is not None
        return [line.id for line in order.lines]

    def quantities(self, goods_out_id: int) -> list[tuple[float, float, float, float]]:
        """Per line: ordered, allocated, picked, dispatched."""
        order = self.twin.find_goods_out(goods_out_id)
        assert order is not None
        return [(x.order_quantity, x.allocated_quantity, x.pick_quantity, x.dispatch_quantity) for x in order.lines]

    def kinds(self, goods_out_id: int, after: int = 0) -> list[str]:
        """What history says of the order, from event number `after` on."""
        events = self.twin.history.of_subject(f"goods_outs/{goods_out_id}")
        return [event.kind for event in events if event.number > after]

    def picked_order(self, *lines: tuple[int, float]) -> int:
        """An order in PICK with everything picked."""
        number = self.order(*lines)
        self.twin.process_picks(number)
        self.twin.finish_picking(number)
        return number


def order_body(*lines: tuple[int, float], **header: Any) -> dict[str, Any]:
    attributes = {
        "goods_out_type": "sales_order",
        "account_id": ACCOUNT,
        "warehouse_id": WAREHOUSE,
        "reference": "1031-1",
        "expected_date_of_dispatch": "2026-07-02T10:00:00Z",
        "lines_changes": [add(product_id, units) for product_id, units in lines],
    } | header
    return {
        "data": {
            "type": "goods_outs",
            "attributes": {name: value for name, value in attributes.items() if value != "-"},
            "relationships": {"address": {"data": {"type": "addresses", "attributes": ADDRESS}}},
        }
    }


def add(product_id: int, units: float, **more: Any) -> dict[str, Any]:
    return {"type": "ADD", "attributes": {"product_id": product_id, "order_quantity": units} | more}


def symbols(response: HttpResponse) -> list[tuple[str, str | None]]:
    """The refusal's symbols and sources."""
    return [(error["symbol"], error["source"]) for error in response.json()["errors"]]
