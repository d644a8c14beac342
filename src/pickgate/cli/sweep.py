"""`sweep`: compare the contents of every live order in both systems now, and print what differs."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import click

from pickgate.bootstrap import Installation
from pickgate.cli.runtime import AnswerIsNo, ask, json_option, print_json, print_table, with_installation

_PATIENCE_SECONDS = 600


@click.command()
@click.option("--full", is_flag=True, help="All orders, settled ones too, not only what changed and a sample.")
@json_option
@with_installation
async def sweep(installation: Installation, *, full: bool, as_json: bool) -> None:
    """Look at everything that may have drifted, here and now; differences become exceptions, and are printed.

    Exit code 1 when a difference was found.
    """
    began = installation.clock.now()
    rows: list[list[object]] = []
    for shop in installation.settings.shops:
        report = await installation.nets.sweep_shop(shop.key)
        rows.append([f"shop {shop.key}: changed orders", report.compared, report.woken, report.unreadable])
    polled = await installation.nets.poll_warehouse()
    rows.append(["warehouse: goods-outs that may be live", polled.compared, polled.woken, polled.unreadable])
    sample = 10**9 if full else installation.settings.sweep.sample
    age = timedelta(0) if full else installation.settings.sweep.every
    orders = await installation.nets.sweep_orders(not_looked_for=age, sample=sample)
    rows.append(["orders: live ones, and settled ones", orders.compared, orders.woken, None])
    waiting = await _look_now(installation, began)
    found = (await ask(installation, "list_drift", limit=200))["items"]
    drift = [await ask(installation, "get_order", ref=str(row["id"])) for row in found]
    if as_json:
        keys = ["what", "compared", "woken", "unreadable"]
        print_json({"compared": [dict(zip(keys, row, strict=True)) for row in rows], "differences": drift})
    else:
        print_table(["what", "compared", "looked at", "could not be read"], rows, empty="")
        click.echo("")
        _print_differences(drift)
    if waiting:
        click.echo(f"{waiting} orders could not be looked at in time; they stay due.", err=True)
    if drift:
        raise AnswerIsNo(f"{len(drift)} orders differ")


async def _look_now(installation: Installation, began: datetime) -> int:
    """Let this process help with the looks until none that was woken is due. Returns how many are left."""
    worker = installation.worker()
    task = asyncio.create_task(worker.run())
    try:
        for _ in range(_PATIENCE_SECONDS * 2):
            await asyncio.sleep(0.5)
            health = await installation.reads.health(now=installation.clock.now(), shops=None)
            due = int(health["looks_due"])
            if due == 0:
                return 0
        return due
    finally:
        worker.stop()
        await task


def _print_differences(drift: list[dict[str, object]]) -> None:
    rows = []
    for order in drift:
        for line in order.get("comparison") or []:  # type: ignore[attr-defined]
            if line["differs"]:
                rows.append(
                    [
                        order["name"],
                        line["sku"],
                        line["title"],
                        line["shop_units"],
                        line["warehouse_units"],
                        line["despatched"],
                    ]
                )
    print_table(
        ["order", "SKU", "line", "shop wants", "warehouse has", "left"],
        rows,
        empty="Both systems hold the same contents.",
    )
