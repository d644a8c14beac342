"""Stock: a full comparison and publication of many levels, in a process of its own, against twins in another one.

The shop is the Shopify twin with its cost bucket; the warehouse's list of balances is answered page by page. Time at
the vendors is counted on a virtual clock, by the pace and the points that they allow; time of our own is measured.
"""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import random
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from pickgate.clock import VirtualClock
from pickgate.connectors.clarus.catalogue import ClarusCatalogue
from pickgate.connectors.clarus.client import ClarusClient
from pickgate.connectors.clarus.listing import Listing
from pickgate.connectors.clarus.stock import ClarusStock
from pickgate.connectors.shopify.port import ShopifyShop
from pickgate.connectors.shopify.stock import ShopifyStock
from pickgate.domain.rules import Found, NotListed, Place, Product, RuleRow
from pickgate.domain.stock_policy import StockPolicy
from pickgate.flows.stock import StockFlows
from pickgate.http import HttpRequest, HttpResponse
from pickgate.settings import ClarusSettings, ShopSettings
from pickgate.store.memory import MemoryStore
from pickgate.store.memory_stock import MemoryStock
from pickgate.twins.shopify import ShopifyTwin

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
_BASE = "https://bench.myshopify.com"
_PLACE = Place(account="ACME", warehouse="LDS")
_CHANGED_SHARE = 0.05
_ROW = RuleRow(table="skus", row=0, version=1)


async def bench_stock(skus: int = 100_000) -> list[tuple[str, str]]:
    """Measure in a fresh process, so that the peak memory is the flow's own; also at a tenth and a half of the size."""
    rows: list[tuple[str, str]] = []
    seconds: dict[int, float] = {}
    for size in sorted({max(100, skus // 10), max(100, skus // 2), skus}):
        figures = await asyncio.to_thread(_in_a_process, size)
        seconds[size] = figures["own_seconds"]
        if size == skus:
            rows = _told(figures)
    grown = ", ".join(f"{size:,}: {taken:.1f} s" for size, taken in seconds.items())
    return [*rows, ("own time by levels (grows in proportion)", grown)]


def _told(figures: dict[str, Any]) -> list[tuple[str, str]]:
    floor = -(-figures["changed"] // 250)
    return [
        ("levels compared", f"{figures['compared']:,}"),
        ("levels changed and set", f"{figures['published']:,} of {figures['changed']:,}"),
        ("calls that set (the floor)", f"{figures['set_calls']} ({floor})"),
        ("calls that read the shop", f"{figures['shop_reads']}"),
        ("calls that read the warehouse", f"{figures['warehouse_reads']}"),
        ("Shopify points, at most", f"{figures['points']:,.0f}"),
        ("seconds at the vendors' pace (100 points/s, 5 requests/s)", f"{figures['vendor_seconds']:.0f}"),
        ("seconds of own time, first run", f"{figures['own_seconds']:.1f}"),
        ("seconds of own time, a run without changes", f"{figures['idle_seconds']:.1f}"),
        ("peak memory, MB (limit 300)", f"{figures['peak_mb']:.0f}"),
    ]


def _in_a_process(skus: int) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - this very module, with a number
        [sys.executable, "-m", "pickgate.bench.stock", str(skus)], capture_output=True, check=True, text=True
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


# ── the measured process ─────────────────────────────────────────────────────────────────────────────────────────────


class _Rules:
    version = 1

    def place(self, *, shop: str, location_id: str, location_name: str) -> Found[Place] | NotListed:
        return Found(_PLACE, _ROW)

    def products(self, *, shop: str, sku: str) -> Found[tuple[Product, ...]]:
        return Found((Product(code=sku),), _ROW)


class _ToTwins:
    """Carries requests to the twins' process, with the time, and counts them."""

    def __init__(self, pipe: Connection, clock: VirtualClock) -> None:
        self._pipe = pipe
        self._clock = clock
        self.sent: dict[str, int] = {}
        self.points = 0.0
        self.waited = 0.0

    async def send(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        self._pipe.send((self._clock.now(), request))
        response: HttpResponse = self._pipe.recv()
        self.waited += time.perf_counter() - began
        kind = _kind_of(request)
        self.sent[kind] = self.sent.get(kind, 0) + 1
        if kind.startswith("shop"):
            cost = response.json().get("extensions", {}).get("cost", {})
            self.points += float(cost.get("requestedQueryCost") or 0)
        return response


def _kind_of(request: HttpRequest) -> str:
    if "myshopify" in request.url:
        return "shop_set" if b"mutation" in request.body else "shop_read"
    return "warehouse_read"


async def _measure(skus: int) -> dict[str, Any]:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    twins = multiprocessing.get_context("spawn").Process(target=_run_twins, args=(theirs, skus), daemon=True)
    twins.start()
    changed = ours.recv()
    clock = VirtualClock(START)
    transport = _ToTwins(ours, clock)
    shop = ShopifyShop(
        ShopSettings(key="uk", domain="bench.myshopify.com", api_base=_BASE, access_token=SecretStr("token")),
        transport=transport,
        clock=clock,
        gather_seconds=0,
        longest_wait_seconds=120,
    )
    settings = ClarusSettings(base_url="https://clarus.test", token_url="https://clarus.test/oauth/token")
    client = ClarusClient(settings, transport, clock)
    catalogue = ClarusCatalogue(Listing(client, page_size=settings.page_size), clock, gather_seconds=0)

    async def freshen(shops: Sequence[str]) -> str | None:
        return None

    flows = StockFlows(
        store=MemoryStock(MemoryStore()),
        shops={"uk": ShopifyStock(shop.client, shop="uk")},
        warehouse=ClarusStock(client, catalogue, page_size=settings.page_size),
        rules=lambda key: _Rules(),  # type: ignore[arg-type,return-value]  # only what stock asks
        policy=StockPolicy(snapshot_max_age=timedelta(hours=1)),
        clock=clock,
        holder="bench",
        freshen=freshen,
    )
    began, waited = time.perf_counter(), transport.waited
    report = await flows.publish()
    own = time.perf_counter() - began - (transport.waited - waited)
    vendor_seconds, sent, points = (clock.now() - START).total_seconds(), dict(transport.sent), transport.points
    [place] = report.places
    compared = len(place.lines)
    published = place.published
    del report, place
    began, waited = time.perf_counter(), transport.waited
    again = await flows.publish()
    idle = time.perf_counter() - began - (transport.waited - waited)
    assert again.published == 0, "nothing changed, so nothing may be set"
    ours.send(None)
    twins.join()
    return {
        "compared": compared,
        "changed": changed,
        "published": published,
        "set_calls": sent.get("shop_set", 0),
        "shop_reads": sent.get("shop_read", 0),
        "warehouse_reads": sent.get("warehouse_read", 0),
        "points": points,
        "vendor_seconds": vendor_seconds,
        "own_seconds": own,
        "idle_seconds": idle,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


# ── the twins' process ───────────────────────────────────────────────────────────────────────────────────────────────


class _Balances:
    """Answers the warehouse's lists page by page, of products that are all in one place."""

    def __init__(self, stock: Sequence[tuple[str, int]]) -> None:
        self._stock = stock

    def handle(self, request: HttpRequest) -> HttpResponse:
        if urlsplit(request.url).path == "/oauth/token":
            return _json({"access_token": "token", "token_type": "Bearer", "expires_in": 86_400})
        asked = json.loads(request.body)
        variables = asked["variables"]
        if "StockBalances" not in asked["query"]:
            root = "accounts" if "accounts" in asked["query"] else "warehouses"
            code = _PLACE.account if root == "accounts" else _PLACE.warehouse
            node = {"cursor": "MQ", "node": {"id": "1", "code": code}}
            return _json({"data": {root: {"all": {"pageInfo": {"hasNextPage": False}, "edges": [node]}}}})
        after = variables.get("after")
        start = int(base64.b64decode(after + "=" * (-len(after) % 4))) if after else 0
        rows = self._stock[start : start + variables["first"]]
        edges = [
            {
                "cursor": base64.b64encode(str(start + number).encode()).decode().rstrip("="),
                "node": {
                    "available": float(units),
                    "allocated": 0.0,
                    "ordered": 0.0,
                    "received": float(units),
                    "picked": 0.0,
                    "product": {"code": code},
                },
            }
            for number, (code, units) in enumerate(rows, 1)
        ]
        info = {
            "hasNextPage": start + len(rows) < len(self._stock),
            "endCursor": edges[-1]["cursor"] if edges else None,
        }
        return _json({"data": {"stock_balances": {"all": {"pageInfo": info, "edges": edges}}}})


def _json(body: Any) -> HttpResponse:
    return HttpResponse(status=200, headers={"Content-Type": "application/json"}, body=json.dumps(body).encode())


def _run_twins(pipe: Connection, skus: int) -> None:
    clock = VirtualClock(START)
    rng = random.Random(11)
    shop = ShopifyTwin(
        clock=clock,
        rng=rng,
        domain="bench.myshopify.com",
        client_secret="hush",
        access_token="token",
    )
    shop.add_location("Leeds")
    stock: list[tuple[str, int]] = []
    changed = 0
    for number in range(skus):
        units = rng.randint(4, 400)
        shop.add_product(f"SKU-{number:06}", price="9.99", stock=units)
        if rng.random() < _CHANGED_SHARE:
            changed += 1
            units += rng.choice((-3, -1, 2, 50))
        stock.append((f"SKU-{number:06}", units))
    balances = _Balances(stock)
    pipe.send(changed)
    while (asked := pipe.recv()) is not None:
        now, request = asked
        clock.move_to(now)
        pipe.send(shop.handle(request) if "myshopify" in request.url else balances.handle(request))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(int(sys.argv[1])))))
