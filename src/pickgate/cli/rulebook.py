"""`rulebook`: import, export, check, try and publish the decision tables."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import click

from pickgate.bootstrap import Installation
from pickgate.cli.runtime import (
    AnswerIsNo,
    Refusal,
    ago,
    ask,
    json_option,
    me,
    print_json,
    print_table,
    with_installation,
)
from pickgate.rulebook.csv_files import parse_folder
from pickgate.rulebook.problems import RulebookRefused
from pickgate.rulebook.tables import Tables
from pickgate.rulebook.workbook import parse_workbook

_WORKBOOK = ".xlsx"
_MOST_SHOWN = 50


@click.group()
def rulebook() -> None:
    """The decision tables: locations, services, priorities, SKUs, bundles, notes, splits, holds."""


@rulebook.command("import")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--note", default="", help="Why, for the list of versions.")
@click.option("--publish", "at_once", is_flag=True, help="Publish it at once, if its check finds no error.")
@with_installation
async def import_rulebook(installation: Installation, source: Path, note: str, *, at_once: bool) -> None:
    """Save a folder of CSV files, or an .xlsx workbook, as a new draft."""
    tables = _read(source)
    number = await installation.rulebooks.save(tables.to_json(), note=note, by=me(), now=installation.clock.now())
    click.echo(f"Saved as draft {number}.")
    if at_once:
        await _publish(
            installation,
            number=number,
            reason=note if len(note.strip()) >= 3 else "imported and published",
            move_in_flight=False,
        )
    else:
        click.echo(f"Check it with `pickgate rulebook check {number}`, then `pickgate rulebook publish {number}`.")


@rulebook.command("export")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--version", "number", type=int, help="Default: the published one.")
@with_installation
async def export_rulebook(installation: Installation, target: Path, number: int | None) -> None:
    """Write a version as a folder of CSV files, or as a workbook when the name ends in .xlsx."""
    form = "xlsx" if target.suffix.lower() == _WORKBOOK else "csv"
    answer = await ask(installation, "export_rulebook", number=number, format=form)
    bodies = {file["name"]: base64.b64decode(file["content_base64"]) for file in answer["files"]}
    folder = target.parent if form == "xlsx" else target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in bodies.items():
            (target if form == "xlsx" else folder / name).write_bytes(body)
    except OSError as error:
        raise Refusal(f"{target} cannot be written: {error.strerror}") from error
    click.echo(f"Wrote version {answer['number']} to {target}.")


@rulebook.command("check")
@click.argument("number", type=int, required=False)
@json_option
@with_installation
async def check_rulebook(installation: Installation, number: int | None, *, as_json: bool) -> None:
    """Look for unreachable rows, overlaps, gaps, and codes that the warehouse, asked live, does not have."""
    answer = await ask(installation, "check_rulebook", number=number)
    if as_json:
        print_json(answer)
    else:
        _print_findings(answer)
    if not answer["ok"]:
        raise AnswerIsNo("the rulebook has errors and cannot be published")


@rulebook.command("backtest")
@click.argument("number", type=int, required=False)
@click.option("--orders", type=click.IntRange(1, 2000), default=200, show_default=True, help="How many to try.")
@click.option("--against", type=int, help="Compare with this version. Default: the published one.")
@json_option
@with_installation
async def backtest_rulebook(
    installation: Installation, number: int | None, orders: int, against: int | None, *, as_json: bool
) -> None:
    """Decide the newest orders under a version (the newest one saved) and show each that comes out differently."""
    answer = await ask(installation, "backtest_rulebook", number=number, orders=orders, against=against)
    if as_json:
        print_json(answer)
    else:
        _print_backtest(answer)


@rulebook.command("publish")
@click.argument("number", type=int)
@click.option("--reason", default="published on the command line", show_default=True, help="Why, for the audit.")
@click.option("--dry-run", is_flag=True, help="Check and try it; publish nothing.")
@click.option("--move-in-flight", is_flag=True, help="Orders in the warehouse may be recalled or amended by this.")
@with_installation
async def publish_rulebook(
    installation: Installation, number: int, reason: str, *, dry_run: bool, move_in_flight: bool
) -> None:
    """Let a version decide from now on; an older one again, to go back. Orders that it stopped are decided again."""
    await _publish(installation, number=number, reason=reason, dry_run=dry_run, move_in_flight=move_in_flight)


@rulebook.command("list")
@json_option
@with_installation
async def list_rulebooks(installation: Installation, *, as_json: bool) -> None:
    """List the versions, newest first."""
    answer = await ask(installation, "list_rulebooks")
    if as_json:
        print_json(answer)
        return
    print_table(
        ["version", "", "note", "saved", "by", "published"],
        [
            [
                row["number"],
                "decides" if row["decides"] else "",
                row["note"],
                ago(row["created_at"]),
                row["created_by"],
                ago(row["published_at"]),
            ]
            for row in answer["items"]
        ],
        empty="There is no rulebook yet. Import one: `pickgate rulebook import DIR --publish`.",
    )


def _read(source: Path) -> Tables:
    try:
        if source.is_dir():
            return parse_folder(source)
        if source.suffix.lower() == _WORKBOOK:
            return parse_workbook(source.read_bytes())
    except RulebookRefused as error:
        raise Refusal("the files cannot be used:\n" + "\n".join(f"  {p}" for p in error.problems)) from error
    except OSError as error:
        raise Refusal(f"{source} cannot be read: {error.strerror}") from error
    raise Refusal(f"{source} is neither a folder of CSV files nor an .xlsx workbook")


async def _publish(installation: Installation, **asked: Any) -> None:
    answer = await ask(installation, "publish_rulebook", **asked)
    for what in answer["not_asked"]:
        click.echo(f"Not asked of the warehouse: {what}", err=True)
    click.echo(answer["summary"])


def _print_findings(answer: dict[str, Any]) -> None:
    print_table(
        ["", "table", "row", "what", "remedy"],
        [[f["severity"], f["table"], f["row"] or "", f["message"], f["remedy"]] for f in answer["findings"]],
        empty="Nothing to complain of.",
    )
    for what in answer["not_asked"]:
        click.echo(f"Not asked of the warehouse: {what}")


def _print_backtest(answer: dict[str, Any]) -> None:
    against = f"version {answer['against']}" if answer["against"] else "an empty rulebook"
    click.echo(f"Version {answer['number']} against {against}, on the newest {answer['looked_at']} orders:")
    rows = [
        [item["name"], item["shop"], "; ".join(item["differences"]), ", ".join(item["moves"])]
        for item in answer["changed"][:_MOST_SHOWN]
    ]
    print_table(["order", "shop", "what differs", "moves in the warehouse"], rows, empty="Every order comes out alike.")
    if len(answer["changed"]) > _MOST_SHOWN:
        click.echo(f"… and {len(answer['changed']) - _MOST_SHOWN} more; --json shows all.")
    for item in answer["not_replayed"]:
        click.echo(f"Not tried: {item['name'] or item['id']}: {item['why']}.")
    click.echo(
        f"{len(answer['changed'])} differ, {answer['moved']} of them in the warehouse; {answer['unchanged']} alike; "
        f"{answer['not_concerned']} not the warehouse's; {len(answer['not_replayed'])} not tried."
    )
