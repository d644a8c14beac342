"""`bench`: measure this machine, and print tables."""

from __future__ import annotations

import click

from pickgate.bench.intake import bench_intake
from pickgate.bench.orders import bench_orders
from pickgate.bench.start import bench_start
from pickgate.bench.stock import bench_stock
from pickgate.cli.runtime import json_option, print_json, print_table, run_async


def _print(title: str, rows: list[tuple[str, str]], *, as_json: bool) -> None:
    if as_json:
        print_json({title: dict(rows)})
    else:
        print_table([title, ""], [list(row) for row in rows], empty="")
        click.echo("")


@click.group()
def bench() -> None:
    """Measurements. Each prints a table; the figures hold for one run on one machine."""


@bench.command()
@click.option("--webhooks", type=int, default=10_000, show_default=True)
@json_option
@run_async
async def intake(webhooks: int, *, as_json: bool) -> None:
    """Durable webhook intake against single-row commits."""
    _print("intake", await bench_intake(webhooks=webhooks), as_json=as_json)


@bench.command()
@json_option
@run_async
async def start(*, as_json: bool) -> None:
    """Start to ready, cold and warm."""
    _print("start", await bench_start(), as_json=as_json)


@bench.command()
@click.option("--orders", "count", type=int, default=1000, show_default=True)
@json_option
@run_async
async def orders(count: int, *, as_json: bool) -> None:
    """Calls per order, and memory afterwards."""
    _print("orders", await bench_orders(orders=count), as_json=as_json)


@bench.command()
@click.option("--skus", type=int, default=100_000, show_default=True)
@json_option
@run_async
async def stock(skus: int, *, as_json: bool) -> None:
    """Compare and publish stock, 5 % of it changed."""
    _print("stock", await bench_stock(skus), as_json=as_json)


@bench.command(name="all")
@json_option
@run_async
async def everything(*, as_json: bool) -> None:
    """All of them."""
    _print("start", await bench_start(), as_json=as_json)
    _print("intake", await bench_intake(), as_json=as_json)
    _print("orders", await bench_orders(), as_json=as_json)
