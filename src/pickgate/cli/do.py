"""`do`: any operation by its id, with its input as names and values. What the other commands do, and all the rest."""

from __future__ import annotations

import json
from typing import Any

import click

from pickgate.bootstrap import Installation
from pickgate.cli.runtime import Refusal, ask, config_option, print_json, print_table, with_installation
from pickgate.operations.registry import REGISTRY


@click.command()
@click.argument("operation", required=False)
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]…")
@click.option("--input", "file", type=click.File("r", encoding="utf-8"), help="The input as a JSON object; - reads it.")
@config_option
def do(config: str | None, operation: str | None, values: tuple[str, ...], file: Any) -> None:
    """Run an operation, and print its answer as JSON. Without one: list them.

    A name may come several times: `pickgate do list_orders state=waiting state=stopped`. Changes take dry_run=true.
    """
    if operation is None:
        print_table(
            ["operation", "takes", "does"],
            [[one.id, ", ".join(_takes(one.input)), one.about] for one in REGISTRY],
            empty="",
        )
        return
    if operation not in REGISTRY:
        raise Refusal(f"there is no operation {operation!r}; `pickgate do` lists them")
    _run(operation, read_values(values) | _read_file(file), config=config)


@with_installation
async def _run(installation: Installation, operation: str, values: dict[str, Any]) -> None:
    print_json(await ask(installation, operation, **values))


def read_values(values: tuple[str, ...]) -> dict[str, Any]:
    """Turn NAME=VALUE pairs into an operation's input. Raises Refusal for what is not a pair."""
    found: dict[str, Any] = {}
    for pair in values:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise Refusal(f"{pair!r} is not NAME=VALUE")
        found[name] = value if name not in found else [*_listed(found[name]), value]
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _read_file(file: Any) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        found = json.load(file)
    except ValueError as error:
        raise Refusal(f"the input is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise Refusal("the input is not a JSON object")
    return found


def _takes(model: Any) -> list[str]:
    return [name if field.is_required() else f"[{name}]" for name, field in model.model_fields.items()]
