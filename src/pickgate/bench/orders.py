"""What an order costs: calls to Shopify and Clarus from checkout to doorstep, and the memory of `serve` afterwards."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from pathlib import Path

from pickgate.bench.stage import PORT, cli, resident_megabytes, running, scratch, write_config
from pickgate.connectors.transport import AiohttpTransport
from pickgate.http import HttpRequest, HttpResponse
from pickgate.simulation.day import Day, Handle, open_day
from pickgate.simulation.stories import plain
from pickgate.simulation.world import rulebook_tables


class Counted:
    """A twin's door that counts the requests that go through."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self.counts: Counter[str] = Counter()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "oauth" not in request.url:
            kind = "read" if b"query" in request.body[:40] and b"mutation" not in request.body[:200] else "write"
            self.counts[kind] += 1
        return self._handle(request)


async def bench_orders(*, orders: int = 1000, per_second: float = 25.0) -> list[tuple[str, str]]:
    """Play plain orders through `serve` against the twins over HTTP, until all have been sent and told."""
    async with scratch() as folder, AiohttpTransport() as transport:
        base = f"http://127.0.0.1:{PORT}"
        doors: dict[str, Counted] = {}

        def count(name: str, handle: Handle) -> Handle:
            return doors.setdefault(name, Counted(handle))

        day = await open_day(
            seed=1,
            transport=transport,
            callback_base=base,
            clarus_token="bench",
            wrap=count,
        )
        try:
            return await _play(folder, day, doors["shop"], doors["warehouse"], orders, per_second)
        finally:
            await day.close()


async def _play(
    folder: Path, day: Day, shop: Counted, warehouse: Counted, orders: int, per_second: float
) -> list[tuple[str, str]]:
    config = write_config(
        folder,
        shop_url=day.shop.url,
        warehouse_url=day.warehouse.url,
        window_seconds=8.0,
        tables=rulebook_tables(day.world),
        sweep={"every": "10m"},
    )
    async with running("serve", config) as (process, _):
        await cli(config, "rulebook", "import", str(folder / "rulebook"), "--publish")
        await asyncio.sleep(6)  # the rulebook is taken up, the subscriptions are made
        shop.counts.clear()
        warehouse.counts.clear()
        day.start()
        began = time.perf_counter()
        rng = random.Random(1)
        for number in range(orders):
            own = random.Random(rng.getrandbits(64))
            day.world.after(number / per_second, lambda own=own: plain(day.world, own))  # type: ignore[misc]
        released = await _until(day, "goods_out_created", orders, began)
        at_release = (dict(shop.counts), dict(warehouse.counts))
        settled = await _until(day, "fulfillment_created", orders, began)
        await asyncio.sleep(5)
        memory = resident_megabytes(process.pid)
        looks = await _looks()
    return [
        ("orders", f"{orders:,}"),
        ("all released after, seconds", f"{released:.0f}"),
        ("all settled after, seconds", f"{settled:.0f}"),
        ("Shopify reads per order when the last was released", f"{at_release[0].get('read', 0) / orders:.2f}"),
        ("Clarus writes per order when the last was released", f"{at_release[1].get('write', 0) / orders:.2f}"),
        ("Shopify calls per settled order", f"{sum(shop.counts.values()) / orders:.2f}"),
        ("  of them writes", f"{shop.counts['write'] / orders:.2f}"),
        ("Clarus calls per settled order", f"{sum(warehouse.counts.values()) / orders:.2f}"),
        ("  of them writes", f"{warehouse.counts['write'] / orders:.2f}"),
        ("looks per settled order", f"{looks / orders:.1f}"),
        ("memory of `serve` afterwards, MB", f"{memory:.0f}"),
    ]


async def _looks() -> float:
    """How many looks `serve` has counted, as /metrics shows it."""
    async with AiohttpTransport() as transport:
        answer = await transport.send(HttpRequest(method="GET", url=f"http://127.0.0.1:{PORT}/metrics"))
    lines = answer.body.decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("pickgate_looks_total{"))


async def _until(day: Day, kind: str, count: int, began: float) -> float:
    history = {"goods_out_created": day.world.warehouse.history, "fulfillment_created": day.world.shop.history}[kind]
    seen = 0
    position = 0
    while seen < count:
        fresh = history.since(position)
        if fresh:
            position = fresh[-1].number
            seen += sum(1 for event in fresh if event.kind == kind)
        if time.perf_counter() - began > 3600:
            raise RuntimeError(f"only {seen} of {count} {kind} after an hour")
        await asyncio.sleep(0.1)
    return time.perf_counter() - began
