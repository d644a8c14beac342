"""`rulebook`: import, export, check and publish the decision tables."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from pathlib import Path

import click

from pickgate.bootstrap import Installation
from pickgate.cli.runtime import AnswerIsNo, Refusal, ago, json_option, print_json, print_table, with_installation
from pickgate.rulebook.check import KnownCodes, Severity, check_tables
from pickgate.rulebook.csv_files import parse_folder, render_files
from pickgate.rulebook.problems import RulebookRefused
from pickgate.rulebook.tables import Tables
from pickgate.store.rulebooks import NoSuchRulebook


def _me() -> str:
    return f"cli:{getpass.getuser()}"


@click.group()
def rulebook() -> None:
    """The decision tables: locations, services, priorities, SKUs, bundles, notes, splits, holds."""


@rulebook.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--note", default="", help="Why, for the list of versions.")
@click.option("--publish", "at_once", is_flag=True, help="Publish it at once, if its check finds no error.")
@with_installation
async def import_rulebook(installation: Installation, folder: Path, note: str, *, at_once: bool) -> None:
    """Save a folder of CSV files as a new draft."""
    try:
        tables = parse_folder(folder)
    except RulebookRefused as error:
        raise Refusal("the files cannot be used:\n" + "\n".join(f"  {p}" for p in error.problems)) from error
    number = await installation.rulebooks.save(tables.to_json(), note=note, by=_me(), now=installation.clock.now())
    click.echo(f"Saved as draft {number}.")
    if at_once:
        _refuse_errors(tables, installation)
        await _publish(installation, number, note or "imported and published")
    else:
        click.echo(f"Check it with `pickgate rulebook check {number}`, then `pickgate rulebook publish {number}`.")


@rulebook.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--version", "number", type=int, help="Default: the published one.")
@with_installation
async def export_rulebook(installation: Installation, folder: Path, number: int | None) -> None:
    """Write a version as a folder of CSV files."""
    tables = await _load(installation, number)
    files = render_files(tables)
    _write(folder, files)
    click.echo(f"Wrote {len(files)} files to {folder}.")


@rulebook.command("check")
@click.argument("number", type=int, required=False)
@json_option
@with_installation
async def check_rulebook(installation: Installation, number: int | None, *, as_json: bool) -> None:
    """Look for unreachable rows, overlaps, gaps, and codes that cannot be."""
    tables = await _load(installation, number)
    findings = check_tables(tables, _known(installation))
    if as_json:
        print_json(
            [
                {k: str(getattr(f, k)) for k in ("severity", "code", "table", "row", "message", "remedy")}
                for f in findings
            ]
        )
    else:
        print_table(
            ["", "table", "row", "what", "remedy"],
            [[f.severity.value, f.table, f.row, f.message, f.remedy] for f in findings],
            empty="Nothing to complain of.",
        )
    if any(f.severity is Severity.ERROR for f in findings):
        raise AnswerIsNo("the rulebook has errors and cannot be published")


@rulebook.command("publish")
@click.argument("number", type=int)
@click.option("--reason", default="", help="Why, for the audit.")
@with_installation
async def publish_rulebook(installation: Installation, number: int, reason: str) -> None:
    """Let a version decide from now on. Orders that wait or stopped are decided again."""
    _refuse_errors(await _load(installation, number), installation)
    await _publish(installation, number, reason)


@rulebook.command("list")
@json_option
@with_installation
async def list_rulebooks(installation: Installation, *, as_json: bool) -> None:
    """List the versions."""
    rows = await installation.rulebooks.list_versions()
    if as_json:
        print_json(rows)
        return
    print_table(
        ["version", "note", "saved", "by", "published"],
        [[r["number"], r["note"], ago(r["created_at"]), r["created_by"], ago(r["published_at"])] for r in rows],
        empty="There is no rulebook yet. Import one: `pickgate rulebook import DIR --publish`.",
    )


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


async def _load(installation: Installation, number: int | None) -> Tables:
    if number is None:
        number = await installation.rulebooks.published_number()
        if number == 0:
            raise AnswerIsNo("no rulebook is published; import one with `pickgate rulebook import DIR`")
    try:
        return Tables.from_json(dict(await installation.rulebooks.load(number)))
    except NoSuchRulebook as error:
        raise AnswerIsNo(f"{error} See `pickgate rulebook list`.") from error


def _known(installation: Installation) -> KnownCodes:
    return KnownCodes(shops=frozenset(shop.key for shop in installation.settings.shops))


def _refuse_errors(tables: Tables, installation: Installation) -> None:
    errors = [f for f in check_tables(tables, _known(installation)) if f.severity is Severity.ERROR]
    if errors:
        listed = "\n".join(f"  {f.table}, row {f.row}: {f.message} {f.remedy}" for f in errors)
        raise AnswerIsNo(f"it is not published, because it has errors:\n{listed}")


async def _publish(installation: Installation, number: int, reason: str) -> None:
    woken = await installation.rulebooks.publish(number, reason=reason, by=_me(), now=installation.clock.now())
    click.echo(f"Version {number} decides from now on. {woken} orders are decided again.")
