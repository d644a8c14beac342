"""`stock`: what the shop shows beside what it should show, and its publication."""

from __future__ import annotations

from typing import Any

import click

from pickgate.bootstrap import Installation
from pickgate.cli.runtime import AnswerIsNo, ask, json_option, print_json, print_table, with_installation

_COLUMNS = ["shop", "SKU", "shop shows", "warehouse", "promised", "buffer", "should be", "last set", "why"]


@click.group()
def stock() -> None:
    """Stock levels: the shop's beside the warehouse's."""


@stock.command("diff")
@click.argument("skus", nargs=-1)
@click.option("--limit", type=int, default=200, show_default=True, help="Rows at most.")
@json_option
@with_installation
async def diff(installation: Installation, skus: tuple[str, ...], limit: int, *, as_json: bool) -> None:
    """Compare both systems now: every level that differs, or these SKUs. Changes nothing."""
    answer = await ask(installation, "preview_stock", skus=list(skus), limit=limit)
    _print(answer, as_json=as_json)
    if answer["problem"] or any(place["problem"] for place in answer["places"]):
        raise AnswerIsNo("not everything could be compared")


@stock.command("publish")
@click.option("--dry-run", is_flag=True, help="Only show what would be set.")
@click.option("--confirm", is_flag=True, help="A mass change is true: publish what was held back as implausible.")
@click.option("--reason", default="asked on the command line")
@json_option
@with_installation
async def publish(installation: Installation, reason: str, *, dry_run: bool, confirm: bool, as_json: bool) -> None:
    """Set every level that differs from what can be promised."""
    answer = await ask(installation, "publish_stock", dry_run=dry_run, confirm_implausible=confirm, reason=reason)
    _print(answer, as_json=as_json)
    if answer["problem"] or any(place["problem"] or place["held"] for place in answer["places"]):
        raise AnswerIsNo("not everything is published")


def _print(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    rows = [
        [
            row["shop"], row["sku"], row["available"], row["sellable"], row["promised"], row["buffer"], row["target"],
            row["published"], row["why"],
        ]
        for row in answer["items"]
    ]  # fmt: skip
    print_table(_COLUMNS, rows, empty="Every level is what it should be.")
    if answer["total"] > len(rows):
        click.echo(f"… and {answer['total'] - len(rows)} more.")
    for place in answer["places"]:
        text = f"{place['account']}/{place['warehouse']}: {place['compared']} compared, {place['to_set']} to set"
        if not answer["dry_run"]:
            text += f", {place['published']} set in {place['calls']} calls"
        for word in (place["held"], place["problem"]):
            text += f". {word}" if word else ""
        click.echo(text)
    if answer["problem"]:
        click.echo(answer["problem"])
