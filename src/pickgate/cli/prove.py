"""`prove`: the long proofs, one after the other, and one table of figures at the end."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import click

from pickgate.bench.intake import bench_intake
from pickgate.bench.orders import bench_orders
from pickgate.bench.start import bench_start
from pickgate.cli.runtime import AnswerIsNo, print_table, run_async

ROOT = Path(__file__).parents[3]


@click.command()
@click.option("--seeds", type=int, default=20, show_default=True, help="Simulation seeds.")
@click.option("--orders", type=int, default=1000, show_default=True, help="Orders for each seed.")
@click.option("--only", help="Only the proofs whose name contains this.")
@run_async
async def prove(seeds: int, orders: int, only: str | None) -> None:
    """Run the simulation on many seeds, every slow test (crashes, seeded bugs), and the measurements.

    Needs a checkout: the slow tests are run from it. Exit code 1 when a proof fails.
    """
    rows: list[list[str]] = []
    failed: list[str] = []
    simulate = ["-m", "pickgate.cli", "simulate", "--seeds", str(seeds), "--orders", str(orders)]
    programs = {
        f"simulation, {seeds} seeds × {orders} orders": simulate,
        "slow tests: crash points, seeded bugs, races": [
            "-m",
            "pytest",
            "-q",
            "-m",
            "slow",
            "--timeout",
            "3600",
            "tests",
        ],
    }
    for name, arguments in programs.items():
        if only is None or only in name:
            click.echo(f"— {name}")
            began = time.perf_counter()
            code, last = await _run(arguments)
            rows.append([name, last, f"{time.perf_counter() - began:.0f} s", "holds" if code == 0 else "BROKEN"])
            if code:
                failed.append(name)
    for name, bench in (("start", bench_start), ("intake", bench_intake), ("orders", bench_orders)):
        if only is None or only in name:
            click.echo(f"— measuring {name}")
            rows += [[figure, value, "", ""] for figure, value in await bench()]
    print_table(["proof", "figure", "took", ""], rows, empty="No proof is called that.")
    if failed:
        raise AnswerIsNo(f"broken: {', '.join(failed)}")


async def _run(arguments: list[str]) -> tuple[int, str]:
    """Run a program of this environment from the checkout, showing what it prints; return its last line too."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    last = ""
    async for raw in process.stdout:
        line = raw.decode("utf-8", "replace").rstrip()
        if line:
            last = line
            click.echo(f"  {line}")
    return await process.wait(), last.strip("= ")
