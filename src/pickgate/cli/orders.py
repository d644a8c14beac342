"""`look` and `order`: one order, as Pickgate sees it."""

from __future__ import annotations

from typing import Any

import click

from pickgate.bootstrap import Installation
from pickgate.cli.runtime import ago, ask, json_option, print_json, print_table, with_installation


@click.command()
@click.argument("order")
@click.option("--reason", default="asked on the command line")
@json_option
@with_installation
async def look(installation: Installation, order: str, reason: str, *, as_json: bool) -> None:
    """Look at an order now: its name (#1001), shop id or Pickgate id. An order never seen is named SHOP/ID."""
    shop, slash, number = order.partition("/")
    if slash and number.isdigit():
        await installation.store.wake(shop=shop, order_id=number, at=installation.clock.now(), because=reason)
        click.echo(f"Order {number} of shop {shop} is looked at next.")
        return
    answer = await ask(installation, "look_at_order", ref=order, reason=reason)
    if as_json:
        print_json(answer)
    else:
        click.echo(f"{order} is looked at next.")


@click.group()
def order() -> None:
    """One order."""


@order.command("show")
@click.argument("ref")
@json_option
@with_installation
async def show(installation: Installation, ref: str, *, as_json: bool) -> None:
    """Show an order: state, gates, goods-outs, exceptions and history."""
    answer = await ask(installation, "get_order", ref=ref)
    if as_json:
        print_json(answer)
    else:
        _show(answer)


@order.command("replay")
@click.argument("ref")
@click.option("--rulebook", type=int, help="Decide under this version instead of the published one.")
@json_option
@with_installation
async def replay(installation: Installation, ref: str, rulebook: int | None, *, as_json: bool) -> None:
    """Decide an order again from its stored facts. Nothing is read, nothing is sent."""
    answer = await ask(installation, "replay_order", ref=ref, rulebook=rulebook)
    if as_json:
        print_json(answer)
        return
    click.echo(f"Rulebook {answer['rulebook']}: {answer['state']}")
    for command in answer["commands"]:
        click.echo(f"  would do: {command['kind']} {command['target']}")
    for gate in answer["gates"]:
        click.echo(f"  gate {gate['code']}: {gate['detail']}")
    for reason in answer["reasons"]:
        click.echo(f"  because {reason['text']}" + (f" ({reason['row']})" if reason["row"] else ""))


def _show(answer: dict[str, Any]) -> None:
    click.echo(f"{answer['name']}  {answer['state']}  shop {answer['shop']}, id {answer['shopify_id']}")
    if answer.get("next_look_at"):
        click.echo(f"Next look {ago(answer['next_look_at'])}.")
    print_table(
        ["gate", "why", "until"],
        [[g["code"], g["detail"], ago(g["until"])] for g in answer["gates"]],
        empty="No gate is closed.",
    )
    rows = [
        [g["reference"], g["stage"], n["product_code"], n["quantity"], n["picked"], n["despatched"]]
        for g in answer["goods_outs"]
        for n in g["lines"]
    ]
    click.echo("")
    print_table(
        ["goods-out", "stage", "product", "units", "picked", "despatched"], rows, empty="Nothing is in the warehouse."
    )
    click.echo("")
    print_table(
        ["exception", "owner", "what"],
        [[e["code"], e["owner"], e["summary"]] for e in answer["exceptions"]],
        empty="No exception is open.",
    )
    click.echo("")
    print_table(
        ["when", "what", "detail"],
        [[ago(j["at"]), j["kind"], _short(j["detail"])] for j in answer["journal"]],
        empty="Nothing has happened yet.",
    )


def _short(detail: Any) -> str:
    text = ", ".join(f"{k}: {v}" for k, v in detail.items()) if isinstance(detail, dict) else str(detail)
    return text if len(text) <= 110 else text[:109] + "…"
