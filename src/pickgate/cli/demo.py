"""`demo`: a compressed trading day against the twins, with Pickgate running beside it over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pickgate.cli.runtime import AnswerIsNo, console, print_table, run_async
from pickgate.connectors.transport import AiohttpTransport
from pickgate.http import HttpRequest
from pickgate.simulation.day import FACTOR, Day, count_day, judge_day, open_day
from pickgate.simulation.installation import clarus_section, shop_section, write_installation
from pickgate.simulation.oracle import SeenException
from pickgate.simulation.processes import NotStarted, run_command, start_command, until_ready
from pickgate.simulation.world import rulebook_tables

CLARUS_TOKEN = "demo-clarus-webhooks"  # noqa: S105 - the demo's own address on loopback
LOGIN, PASSWORD = "demo", "teapot-towel-biscuit"
ORDERS_PER_SECOND = 4.0
SETTLE_SECONDS = 25
STATES_AT_REST = {"ignored", "despatched", "cancelled", "superseded"}


@click.command()
@click.option("--seconds", type=float, default=0, help="Play for so long, check the day, and stop. 0: until Ctrl-C.")
@click.option("--port", type=int, default=8080, show_default=True)
@click.option("--seed", type=int, default=20261124, show_default=True)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("pickgate-data/demo"),
    show_default=True,
)
@run_async
async def demo(seconds: float, port: int, seed: int, data_dir: Path) -> None:
    """Play orders, edits, cancellations and pickers in fast motion, and watch what Pickgate does."""
    base = f"http://127.0.0.1:{port}"
    transport = AiohttpTransport()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(transport.close)
        day = await open_day(seed=seed, transport=transport, callback_base=base, clarus_token=CLARUS_TOKEN)
        stack.push_async_callback(day.close)
        config = _write_config(data_dir, day, port)
        token = await stack.enter_async_context(_pickgate(config, base, transport))
        api = Api(base, token, transport)
        click.echo(f"Pickgate is at {base}   log in as {LOGIN} / {PASSWORD}")
        day.start()
        if seconds:
            await _play(day, api, seconds, seed)
            violations = await _scoreboard(day, api)
            if violations:
                raise AnswerIsNo("a promise was broken; see above")
        else:
            await _play_on(day, api, seed)


async def _play(day: Day, api: Api, seconds: float, seed: int) -> None:
    """Most of the time is for the day itself; the rest lets what has begun come to rest."""
    selling = seconds * 0.45
    rng = random.Random(seed)  # noqa: S311 - a story, not a secret
    day.tell(rng, orders=max(20, int(selling * ORDERS_PER_SECOND)), seconds=selling)
    end = asyncio.get_running_loop().time() + seconds
    while (left := end - asyncio.get_running_loop().time()) > 0:
        await _line(day, api, f"{left:3.0f} s left")
        await asyncio.sleep(min(5.0, max(0.1, left)))


async def _play_on(day: Day, api: Api, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    while True:
        day.tell(rng, orders=10, seconds=9.0)
        await _line(day, api, "")
        await asyncio.sleep(10.0)


async def _line(day: Day, api: Api, note: str) -> None:
    counts = count_day(day)
    open_now = await api.total("/api/v1/exceptions?state=open&limit=1")
    click.echo(
        f"  orders {counts['orders']:4}  edits {counts['edits']:4}  released {counts['goods-outs released']:4}"
        f"  recalled {counts['goods-outs recalled']:3}  despatches {counts['despatches']:4}"
        f"  exceptions open {open_now:3}  {note}"
    )


async def _scoreboard(day: Day, api: Api) -> int:
    """Print the day's table, checked against the twins' own histories. Returns the number of broken promises.

    The day is over: nobody acts any more. Pickgate gets a moment to finish what it has begun.
    """
    day.freeze()
    for _ in range(SETTLE_SECONDS):
        seen, orders = await api.exceptions(), await api.items("/api/v1/orders")
        violations = judge_day(day, seen)
        unowned = _unowned(orders, seen)
        if not violations and not unowned:
            break
        await asyncio.sleep(1)
    laws = Counter(violation.law for violation in violations)
    rows: list[list[Any]] = [[name, count] for name, count in count_day(day).items()]
    rows += [
        ["exceptions raised", len(seen)],
        ["exceptions open, each with an owner", sum(1 for item in seen if item.closed_at is None)],
        ["superseded units picked", laws["I1"] + laws["I1c"]],
        ["doubled goods-outs", laws["I2"] + laws["I2p"]],
        ["unsettled without an owner", len(unowned)],
        ["other broken laws", sum(laws.values()) - sum(laws[law] for law in ("I1", "I1c", "I2", "I2p"))],
    ]
    click.echo("")
    print_table(["the day, by the twins' own histories", ""], rows, empty="")
    for violation in violations[:20]:
        console.print(f"  broken: {violation}", style="red")
    for name in unowned[:20]:
        console.print(f"  unsettled, and nobody owns it: {name}", style="red")
    return len(violations) + len(unowned)


def _unowned(orders: list[dict[str, Any]], seen: list[SeenException]) -> list[str]:
    """Orders that wait for something, and neither a gate, an exception, nor the warehouse says what for."""
    with_exception = {item.order_id for item in seen if item.closed_at is None}
    at_work = {"in_warehouse", "picking", "part_despatched"}  # the pickers went home before they finished it
    return [
        row["name"]
        for row in orders
        if row["state"] not in STATES_AT_REST | at_work and row["shopify_id"] not in with_exception and not row["gates"]
    ]


class Api:
    """Pickgate's own API, as any client would use it."""

    def __init__(self, base: str, token: str, transport: AiohttpTransport) -> None:
        self._base, self._token, self._transport = base, token, transport

    async def get(self, path: str) -> Any:
        answer = await self._transport.send(
            HttpRequest(method="GET", url=self._base + path, headers={"Authorization": f"Bearer {self._token}"})
        )
        if answer.status != 200:
            raise AnswerIsNo(f"the API answered {answer.status} to {path}: {answer.body[:200]!r}")
        return answer.json()

    async def total(self, path: str) -> int:
        return int((await self.get(path))["total"])

    async def items(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        mark = "&" if "?" in path else "?"
        while True:
            page = await self.get(f"{path}{mark}limit=200&offset={len(found)}")
            found += page["items"]
            if len(found) >= page["total"] or not page["items"]:
                return found

    async def exceptions(self) -> list[SeenException]:
        orders = {row["name"]: row["shopify_id"] for row in await self.items("/api/v1/orders")}
        return [
            SeenException(
                code=item["code"],
                order_id=orders.get(item["order_name"] or "", ""),
                opened_at=datetime.fromisoformat(item["opened_at"]),
                closed_at=datetime.fromisoformat(item["resolved_at"]) if item.get("resolved_at") else None,
            )
            for item in await self.items("/api/v1/exceptions?state=all")
        ]


def _write_config(data_dir: Path, day: Day, port: int) -> Path:
    """Write the demo's settings and rulebook into a fresh folder."""
    if data_dir.exists():
        shutil.rmtree(data_dir)
    data_dir.mkdir(parents=True)
    sections = {
        "server": {"hint_delay": "300ms"},
        "shops": [shop_section(day.world.timing, day.shop.url)],
        "clarus": {
            **clarus_section(day.warehouse.url, webhook_token=CLARUS_TOKEN),
            "requests_per_second": 5 / FACTOR,
            "poll_open_orders_every": "2s",
            "create_settle": "2s",
        },
        "sweep": {"every": "5s"},
    }
    return write_installation(
        data_dir, data_dir=data_dir.absolute(), port=port, sections=sections, tables=rulebook_tables(day.world)
    )


@asynccontextmanager
async def _pickgate(config: Path, base: str, transport: AiohttpTransport) -> AsyncIterator[str]:
    """Start `pickgate serve` as a process of its own, with a rulebook, a user and a token; yields the token."""
    # A session of its own: Ctrl-C is for this process, which then ends that one.
    running = await start_command("serve", config)
    try:
        await until_ready(running, base, transport)
        await _run(config, "rulebook", "import", str(config.parent / "rulebook"), "--publish")
        await _run(config, "user", "create", LOGIN, "--role", "admin", "--password-stdin", stdin=f"{PASSWORD}\n")
        made = await _run(config, "token", "create", "demo", "--role", "viewer", "--json")
        yield json.loads(made)["token"]
    except NotStarted as error:
        raise AnswerIsNo(str(error)) from error
    finally:
        await running.stop()


async def _run(config: Path, *arguments: str, stdin: str = "") -> str:
    code, out, err = await run_command(config, *arguments, stdin=stdin)
    if code:
        raise AnswerIsNo(f"`pickgate {' '.join(arguments[:2])}` failed: {err.strip()}")
    return out
