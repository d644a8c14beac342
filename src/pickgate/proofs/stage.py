"""A stage: the twins over HTTP in this process, a database, a configuration, and Pickgate's commands as processes.

Time is compressed: an order's whole life takes a few seconds. What is acknowledged is remembered here, by whoever
carried it; what truly happened is in the twins' histories.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pickgate.api.tokens import hash_secret, make_token
from pickgate.bootstrap import open_installation, read_settings
from pickgate.clock import RealClock
from pickgate.connectors.transport import AiohttpTransport
from pickgate.failpoints import kind_of_request
from pickgate.http import HttpRequest, HttpResponse, NothingSent, OutcomeUnknown
from pickgate.proofs.nursery import Nursery
from pickgate.simulation.installation import clarus_section, shop_section, write_installation
from pickgate.simulation.processes import NotStarted, Running, free_port, run_command, start_command
from pickgate.simulation.world import Timing, World, make_world, rulebook_tables, scaled_habits
from pickgate.twins.deliveries import Delivery
from pickgate.twins.server import DeliveryCarrier, ServedTwin, serve_twin
from pickgate.twins.shopify import LineSpec, Order, ShopifyKnobs

CLARUS_TOKEN = "proof-clarus-webhooks"  # noqa: S105 - an address on loopback
QUICK = Timing(edit_window=1.0, guard=0.3, min_age=0.3, quiet=0.2, scale=1 / 900)
_TICK_SECONDS = 0.03
_RETRIES = (0.3, 0.6, *(1.0,) * 6)


@dataclass(slots=True)
class Stage:
    """One installation and the world around it. Made by `open_stage`."""

    folder: Path
    config: Path
    base: str
    world: World
    transport: AiohttpTransport
    rng: random.Random
    requests: Counter[str] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)  # ids of the shop's webhooks
    acknowledged_hints: set[str] = field(default_factory=set)  # digests of the warehouse's
    last_write_at: float = 0.0
    token: str = ""
    nursery: Nursery | None = None
    _started: int = 0
    _served: list[ServedTwin] = field(default_factory=list)
    _carriers: list[DeliveryCarrier] = field(default_factory=list)
    _processes: list[Running] = field(default_factory=list)
    _ticking: asyncio.Task[None] | None = None

    @property
    def dsn(self) -> str:
        """Where the database is: the named one, or the embedded one that runs now."""
        named = read_settings(str(self.config)).database_url
        socket = (self.folder / "data" / "postgres").resolve() / "socket"
        return named or f"postgresql://pickgate@/pickgate?host={quote(str(socket), safe='')}"

    # ── processes ────────────────────────────────────────────────────────────────────────────────────────────────

    async def start(self, command: str, *, failpoint: str = "", wait: bool = True) -> Running:
        """Start `serve`, `api` or `worker`; wait until it is ready. `failpoint`: where it shall die."""
        added = {"PICKGATE_FAILPOINT": failpoint} if failpoint else {}
        self._started += 1
        if self.nursery is None:
            whole = {**os.environ, **added}
            running = await start_command(command, self.config, number=self._started, environment=whole)
        else:
            running = await self.nursery.start(command, self.config, number=self._started, environment=added)
        self._processes.append(running)
        if wait:
            await running.until_logged('"ready"')
        return running

    async def end_all(self) -> None:
        """End every command that still runs, by its number."""
        await asyncio.gather(*(running.stop() for running in self._processes))

    async def run(self, *arguments: str) -> str:
        """Run another command of this installation; return what it printed. Raises NotStarted when it says no."""
        code, out, err = await run_command(self.config, *arguments)
        if code:
            raise NotStarted(f"`pickgate {' '.join(arguments)}` ended with {code}: {err.strip()[-1500:]}")
        return out

    async def prepare(self) -> None:
        """Migrate, publish the world's rulebook, and make a token: in this process, which is quicker."""
        async with open_installation(read_settings(str(self.config))) as installation:
            now = self.world.clock.now()
            tables = rulebook_tables(self.world).to_json()
            version = await installation.rulebooks.save(tables, note="proof", by="proof", now=now)
            await installation.rulebooks.publish(version, reason="proof", by="proof", now=now)
            self.token = make_token(secrets.token_bytes)
            await installation.access.create_token(
                name="proof",
                token_hash=hash_secret(self.token),
                role="viewer",
                shops=[],
                expires_at=now + timedelta(days=1),
                by="proof",
                now=now,
            )

    async def prepare_by_commands(self) -> None:
        """The same by the commands that everybody uses."""
        await self.run("migrate")
        out = (
            await asyncio.gather(
                self.run("rulebook", "import", str(self.folder / "rulebook"), "--publish"),
                self.run("token", "create", "proof", "--role", "viewer", "--json"),
            )
        )[1]
        self.token = json.loads(out)["token"]

    # ── the API, as any client uses it ───────────────────────────────────────────────────────────────────────────

    async def get(self, path: str) -> Any:
        """Ask the API. Raises AssertionError for anything but 200."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = await self.transport.send(HttpRequest(method="GET", url=self.base + path, headers=headers))
        assert answer.status == 200, f"{path}: {answer.status} {answer.body[:300]!r}"
        return answer.json()

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> HttpResponse:
        request = HttpRequest(method="POST", url=self.base + path, headers=headers, body=body, timeout_seconds=10)
        return await self.transport.send(request)

    # ── the world ────────────────────────────────────────────────────────────────────────────────────────────────

    def let_time_begin(self) -> None:
        """People act and webhooks are carried from now on."""
        for carrier in self._carriers:
            carrier.start()
        self._ticking = asyncio.create_task(self._tick())

    def place(self, *, lines: int = 2, **more: Any) -> Order:
        """A customer buys."""
        chosen = self.rng.sample(self.world.variants, lines)
        specs = [LineSpec(variant=variant, quantity=self.rng.choice((1, 2))) for variant in chosen]
        return self.world.shop.create_order(specs, **more)

    async def until(self, holds: Callable[[], bool | Awaitable[bool]], *, seconds: float, what: str) -> float:
        """Wait until something holds. Returns the seconds it took; raises AssertionError when it takes longer."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not (await answer if isinstance(answer := holds(), Awaitable) else answer):
            assert loop.time() - began < seconds, f"not within {seconds:.0f} s: {what}"
            await asyncio.sleep(0.05)
        return loop.time() - began

    @property
    def undelivered(self) -> int:
        """Webhooks still on their way."""
        return len(self.world.shop.deliveries) + len(self.world.warehouse.deliveries)

    async def _tick(self) -> None:
        while True:
            self.world.tick()
            await asyncio.sleep(_TICK_SECONDS)

    def _counting(self, vendor: str, handle: Callable[[HttpRequest], HttpResponse]) -> Any:
        def answer(request: HttpRequest) -> HttpResponse:
            kind = kind_of_request(request)
            self.requests[f"{vendor} {kind}"] += 1
            if kind == "write":
                self.last_write_at = asyncio.get_running_loop().time()
            return handle(request)

        return answer

    def _taken(self, delivery: Delivery, status: str) -> None:
        self.acknowledged.add(delivery.headers["X-Shopify-Webhook-Id"])
        self.world.shop.delivery_succeeded(delivery)

    def _hint_taken(self, delivery: Delivery, status: str) -> None:
        automation = delivery.headers.get("X-ClarusWMS-Automation-ID", "")
        event = delivery.url.rpartition("event=")[2]
        self.acknowledged_hints.add(hint_digest(automation, event, delivery.body))

    async def _open_twins(self) -> None:
        shop, warehouse, clock = self.world.shop, self.world.warehouse, self.world.clock
        self.world.aim_warehouse(f"{self.base}/webhooks/clarus/{CLARUS_TOKEN}")
        self._served.append(await serve_twin(self._counting("shopify", shop.handle)))
        self._served.append(await serve_twin(self._counting("clarus", warehouse.handle)))
        self._carriers = [
            DeliveryCarrier(
                shop.deliveries,
                self.transport,
                clock,
                on_success=self._taken,
                on_failure=lambda delivery, _: shop.delivery_failed(delivery),
                timeout_seconds=5,
            ),
            DeliveryCarrier(warehouse.deliveries, self.transport, clock, on_success=self._hint_taken),
        ]

    async def aclose(self) -> None:
        """End everything that was started here, by its number."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        for carrier in self._carriers:
            await carrier.aclose()
        await self.end_all()
        for twin in self._served:
            await twin.aclose()


def hint_digest(automation: str, event: str, body: bytes) -> str:
    """The name under which a warehouse's webhook is stored, without its minute."""
    return sha256(b"\0".join((automation.encode(), event.encode(), body))).hexdigest()


@asynccontextmanager
async def open_stage(
    folder: Path,
    *,
    database_url: str = "",
    seed: int = 1,
    timing: Timing = QUICK,
    mode: str = "act",
    **sections: dict[str, Any],
) -> AsyncIterator[Stage]:
    """Furnish a world, serve its twins, and write a configuration. Nothing of Pickgate runs yet.

    Args:
        database_url: Empty: an embedded server below `folder`, which its own OS user must be able to enter.
        sections: Laid over the sections of the settings: `worker={"lease": "3s"}`.
    """
    clock, rng = RealClock(), random.Random(seed)  # noqa: S311 - a story, not a secret
    port = free_port()
    async with AiohttpTransport(connections_per_host=50) as transport:
        world = make_world(
            clock,
            rng,
            timing=timing,
            shop_knobs=ShopifyKnobs(
                routing_seconds=0.05,
                webhook_delay_seconds=(0.01, 0.1),
                bucket_size=100_000,
                restore_rate=50_000,
                retry_seconds=_RETRIES,
                failures_until_deleted=100_000,
            ),
            habits=scaled_habits(timing.scale),
        )
        base = f"http://127.0.0.1:{port}"
        stage = Stage(
            folder=folder,
            config=folder / "pickgate.toml",
            base=base,
            world=world,
            transport=transport,
            rng=random.Random(rng.getrandbits(64)),  # noqa: S311
        )
        try:
            await stage._open_twins()
            shop, warehouse = stage._served
            base_sections: dict[str, Any] = {
                "database_url": database_url,
                "server": {"hint_delay": "100ms"},
                "worker": {},
                "shops": [{**shop_section(timing, shop.url), "mode": mode}],
                "clarus": {
                    **clarus_section(warehouse.url, webhook_token=CLARUS_TOKEN),
                    "requests_per_second": 500,
                    "poll_open_orders_every": "1s",
                    "create_settle": "1s",
                },
                "sweep": {"every": "3s"},
            }
            for name, values in sections.items():
                base_sections[name] = {**base_sections.get(name, {}), **values}
            write_installation(
                folder, data_dir=folder / "data", port=port, sections=base_sections, tables=rulebook_tables(world)
            )
            yield stage
        finally:
            with contextlib.suppress(NothingSent, OutcomeUnknown):
                await stage.aclose()
