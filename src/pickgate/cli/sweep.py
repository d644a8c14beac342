"""`sweep`: compare every live order in both systems now, and say what was compared."""

from __future__ import annotations

from datetime import timedelta

import click

from pickgate.bootstrap import Installation
from pickgate.cli.runtime import json_option, print_json, print_table, with_installation


@click.command()
@click.option("--full", is_flag=True, help="All orders, settled ones too, not only what changed.")
@json_option
@with_installation
async def sweep(installation: Installation, *, full: bool, as_json: bool) -> None:
    """Wake what may have drifted. The workers look, and differences become exceptions."""
    rows: list[list[object]] = []
    for shop in installation.settings.shops:
        report = await installation.nets.sweep_shop(shop.key)
        rows.append([f"shop {shop.key}: changed orders", report.compared, report.woken, report.unreadable])
    polled = await installation.nets.poll_warehouse()
    rows.append(["warehouse: goods-outs that may be live", polled.compared, polled.woken, polled.unreadable])
    sample = 10**9 if full else installation.settings.sweep.sample
    age = timedelta(0) if full else installation.settings.sweep.every
    orders = await installation.nets.sweep_orders(not_looked_for=age, sample=sample)
    rows.append(["orders: live ones, and a sample of settled ones", orders.compared, orders.woken, None])
    if as_json:
        print_json([dict(zip(["what", "compared", "woken", "unreadable"], row, strict=True)) for row in rows])
        return
    print_table(["what", "compared", "woken", "could not be read"], rows, empty="")
