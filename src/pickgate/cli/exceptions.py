"""`exceptions`: what needs a person."""

from __future__ import annotations

import click

from pickgate.bootstrap import Installation
from pickgate.cli.runtime import ago, ask, json_option, print_json, print_table, with_installation


@click.group()
def exceptions() -> None:
    """Exceptions: what needs a person, and whose it is."""


@exceptions.command("list")
@click.option("--state", type=click.Choice(["open", "snoozed", "resolved", "all"]), default="open", show_default=True)
@click.option("--code", help="Only this code.")
@click.option("--owner", help="Only this team.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
@with_installation
async def list_exceptions(
    installation: Installation, state: str, code: str | None, owner: str | None, limit: int, *, as_json: bool
) -> None:
    """List exceptions, the soonest due first."""
    values: dict[str, object] = {"state": state, "limit": limit}
    if code:
        values["code"] = [code.upper()]
    if owner:
        values["owner"] = owner
    answer = await ask(installation, "list_exceptions", **values)
    if as_json:
        print_json(answer)
        return
    print_table(
        ["id", "code", "order", "owner", "due", "what"],
        [[e["id"], e["code"], e["order_name"], e["owner"], ago(e["due_at"]), e["summary"]] for e in answer["items"]],
        empty=f"No exception is {state}." if state != "all" else "There has never been an exception.",
    )
    if answer["total"] > len(answer["items"]):
        click.echo(f"{answer['total']} in all; --limit shows more.")


@exceptions.command("show")
@click.argument("number", type=int)
@json_option
@with_installation
async def show_exception(installation: Installation, number: int, *, as_json: bool) -> None:
    """Show one exception with its detail."""
    answer = await ask(installation, "get_exception", id=number)
    if as_json:
        print_json(answer)
        return
    click.echo(f"{answer['code']}  {answer['order_name']}  owner {answer['owner']}, due {ago(answer['due_at'])}")
    click.echo(answer["summary"])
    for key, value in (answer.get("detail") or {}).items():
        click.echo(f"  {key}: {value}")


@exceptions.command("resolve")
@click.argument("numbers", type=int, nargs=-1, required=True)
@click.option("--reason", required=True, help="What was done about it.")
@click.option("--dry-run", is_flag=True)
@with_installation
async def resolve(installation: Installation, numbers: tuple[int, ...], reason: str, *, dry_run: bool) -> None:
    """Close exceptions by hand; they stay closed while their cause lasts."""
    answer = await ask(installation, "resolve_exceptions", ids=list(numbers), reason=reason, dry_run=dry_run)
    print_json(answer)
