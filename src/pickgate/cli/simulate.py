"""`pickgate simulate`: the real flows against the twins, under faults, judged; one seed or many."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterable, Iterator

import click

from pickgate.simulation.recipe import NETS, Recipe, names_of, parse_troubles
from pickgate.simulation.report import Report, last_line
from pickgate.simulation.run import judge, play, run
from pickgate.simulation.timeline import story_of

FIRST_STORIES = 3  # of a failed run: the story of so many orders is told at once


@click.command()
@click.option("--seed", type=int, default=1, show_default=True, help="The first seed.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="How many seeds, one by one.")
@click.option("--orders", type=click.IntRange(min=1), default=1000, show_default=True, help="Orders for each seed.")
@click.option("--faults", default="all", show_default=True, help="all (each seed draws its own), none, or NAME,…")
@click.option("--without", default="", help=f"Safety nets to switch off: {', '.join(NETS)}.")
@click.option("--stock", is_flag=True, help="Goods are scarce, and their levels are published and judged, too.")
@click.option("--story", metavar="ORDER", help="Tell the story of one order of one seed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each seed.")
def simulate(
    *, seed: int, seeds: int, orders: int, faults: str, without: str, stock: bool, story: str | None, as_json: bool
) -> None:
    """Simulate orders, edits, people and faults, and judge every order by what truly happened."""
    try:
        troubles = parse_troubles(faults)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--faults") from error
    nets = tuple(name.strip() for name in without.split(",") if name.strip())
    unknown = [name for name in nets if name not in NETS]
    if unknown:
        raise click.BadParameter(f"no net is called {unknown[0]!r}; nets: {', '.join(NETS)}", param_hint="--without")
    recipes = [
        Recipe(seed=seed + number, orders=orders, faults=troubles, without=nets, stock=stock) for number in range(seeds)
    ]
    if story is not None:
        _tell(recipes[0], story)
        return
    reports = []
    for report in _run_all(recipes):
        reports.append(report)
        click.echo(json.dumps(report.as_json(), default=str) if as_json else _line_of(report))
        if report.violations and not as_json:
            _explain(next(r for r in recipes if r.seed == report.seed), report)
    click.echo(last_line(reports))
    if any(report.violations for report in reports):
        raise SystemExit(1)


def _run_all(recipes: list[Recipe]) -> Iterator[Report]:
    """Run every recipe, in order; several at once where there are several seeds and cores."""
    workers = min(len(recipes), len(os.sched_getaffinity(0)))
    if workers < 2:
        yield from map(run, recipes)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(run, recipes)


def _line_of(report: Report) -> str:
    return f"seed {report.seed}: {report.summary}; trace {report.trace}"


def _explain(recipe: Recipe, report: Report) -> None:
    """Print what was broken, the one command that replays it, and the story of the first orders."""
    for violation in report.violations:
        click.echo(f"  {violation}")
    click.echo(f"  replay: {replay_command(recipe)}")
    for name in list(dict.fromkeys(violation.order.split(" ")[0] for violation in report.violations))[:FIRST_STORIES]:
        _tell(recipe, name, missing_ok=True)


def replay_command(recipe: Recipe) -> str:
    """The one command that plays this recipe again."""
    parts = [f"pickgate simulate --seed {recipe.seed} --orders {recipe.orders} --faults {names_of(recipe.faults)}"]
    if recipe.without:
        parts.append(f"--without {','.join(recipe.without)}")
    if recipe.stock:
        parts.append("--stock")
    return " ".join(parts)


def _tell(recipe: Recipe, order: str, *, missing_ok: bool = False) -> None:
    played = play(recipe, keep_journal=True)
    try:
        lines: Iterable[str] = story_of(played.simulation, order)
    except KeyError as error:
        if missing_ok:
            return
        raise click.BadParameter(f"seed {recipe.seed} has no order {order!r}", param_hint="--story") from error
    click.echo(f"  the story of {order}:")
    for line in lines:
        click.echo(f"    {line}")
    for violation in judge(played).violations:
        if violation.order.split(" ")[0].lstrip("#") == order.lstrip("#"):
            click.echo(f"    broken: {violation}")
