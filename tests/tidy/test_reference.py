"""The reference names every setting with its default, every operation, and every command that is shipped."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any, get_args

import click
import pytest
from pydantic import BaseModel, SecretStr

from pickgate.cli import cli
from pickgate.operations.registry import REGISTRY
from pickgate.settings import Settings
from tidy.source import DOCS

REFERENCE = DOCS / "reference"
# Frozen: REST, the command line, the console, Retool and MCP share these ids.
OPERATIONS = [
    "list_orders", "get_order", "look_at_order", "release_order", "hold_order", "unhold_order", "cancel_in_warehouse",
    "replay_order", "list_exceptions", "get_exception", "assign_exception", "snooze_exception", "resolve_exceptions",
    "list_held_orders", "list_stock", "preview_stock", "publish_stock", "list_drift", "money_report",
    "list_money_exceptions", "list_rulebooks", "get_rulebook", "export_rulebook", "check_rulebook",
    "backtest_rulebook", "save_rulebook", "publish_rulebook",
    "list_effects", "get_body", "list_audit", "daily_checks", "get_health", "list_runbooks", "get_runbook",
    "get_settings",
]  # fmt: skip


def settings_keys(model: type[BaseModel], where: str = "") -> Iterator[tuple[str, str]]:
    """Yield (key, default as TOML, or "required") of each setting. Keys of a list of tables are named by the list."""
    for name, field in model.model_fields.items():
        key = f"{where}{name}"
        inner = _section(field.annotation)
        if inner is not None:
            yield from settings_keys(inner, f"{key}.")
        else:
            yield key, "required" if field.is_required() else as_toml(field.default)


def _section(annotation: Any) -> type[BaseModel] | None:
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def as_toml(value: object) -> str:
    """Return a default as a person would write it in the file."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case timedelta():
            return f'"{_duration(value)}"'
        case SecretStr():
            return f'"{value.get_secret_value()}"'
        case tuple():
            return "[" + ", ".join(as_toml(item) for item in value) + "]"
        case str() | Path():
            return f'"{value}"'
        case _:
            return str(value)


def _duration(span: timedelta) -> str:
    seconds = span.total_seconds()
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def rows() -> dict[str, tuple[str, str, str]]:
    """Return (meaning, default, example) by key, as the page has them."""
    text = (REFERENCE / "settings.md").read_text("utf-8")
    found = re.findall(r"^\| `([\w.]+)` \| (.+?) \| `?(.+?)`? \| `(.+?)` \|$", text, re.MULTILINE)
    return {key: (meaning, default, example) for key, meaning, default, example in found}


def test_every_setting_is_listed_with_its_default() -> None:
    wanted = dict(settings_keys(Settings))
    assert {key: default for key, (_, default, _) in rows().items()} == wanted


def test_the_examples_together_are_a_file_that_is_accepted() -> None:
    tree: dict[str, Any] = {}
    for key, (_, _, example) in rows().items():
        *sections, last = key.split(".")
        node = tree
        for section in sections:
            node = node.setdefault(section, {})
        node[last] = tomllib.loads(f"value = {example}")["value"]
    tree["shops"] = [tree["shops"]]
    Settings.model_validate(tree)


def test_the_whole_file_on_the_page_is_accepted() -> None:
    text = (REFERENCE / "settings.md").read_text("utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        Settings.model_validate(tomllib.loads(block))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_described(operation: str) -> None:
    text = (REFERENCE / "api.md").read_text("utf-8")
    assert re.search(rf"^\| `{operation}` \| .+ \|$", text, re.MULTILINE)


def test_no_operation_is_described_that_does_not_exist() -> None:
    text = (REFERENCE / "api.md").read_text("utf-8")
    table = text.partition("## Operations")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == sorted(OPERATIONS)


def test_the_operations_are_the_registrys_own() -> None:
    assert sorted(operation.id for operation in REGISTRY) == sorted(OPERATIONS)


def commands(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield each shipped command by its words; a group is only the way to its commands."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*before, name))
        elif command is not None:
            yield (*before, name)


def described_commands() -> set[tuple[str, ...]]:
    """Return the commands of the page's tables; `a|b` in the last word stands for several."""
    text = (REFERENCE / "cli.md").read_text("utf-8")
    found = set()
    for row in re.findall(r"^\| `pickgate ([a-z][^`]*)` \|", text, re.MULTILINE):
        words = list(takewhile(re.compile(r"[a-z]+(?:\\\|[a-z]+)*").fullmatch, row.split()))
        found |= {(*words[:-1], last) for last in words[-1].split("\\|")}
    return found


def test_exactly_the_shipped_commands_are_described() -> None:
    assert described_commands() == set(commands(cli))
