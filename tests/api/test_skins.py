"""Every operation is served by every skin, nothing exists in one skin only, and no skin has logic of its own."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from pickgate.api.rest import ROUTES
from pickgate.cli.do import do, read_values
from pickgate.cli.retool_rpc import list_functions
from pickgate.cli.runtime import Refusal
from pickgate.console.pages import PAGES
from pickgate.mcp.tools import tools_for
from pickgate.operations.registry import REGISTRY
from pickgate.operations.roles import Role

SOURCE = Path(__file__).parents[2] / "src" / "pickgate"
IDS = [operation.id for operation in REGISTRY]
SKINS = ("api", "console", "mcp")


def console_actions() -> set[str]:
    """Return the operations that a form of the console runs."""
    text = "".join(file.read_text("utf-8") for file in sorted((SOURCE / "console" / "templates").glob("*.html")))
    return set(re.findall(r'm\.action\("(\w+)"', text)) | set(re.findall(r'/do/(\w+)"', text))


def console_questions() -> set[str]:
    """Return the operations that a page, or something beside a page, asks."""
    text = "".join(file.read_text("utf-8") for file in sorted((SOURCE / "console").glob("*.py")))
    asked = re.findall(r'run_operation\(\s*[\w.]+(?:\([\w.]+\))?,\s*"(\w+)"', text)
    return {page.operation for page in PAGES} | set(asked)


def test_every_skin_serves_every_operation_and_no_other() -> None:
    assert sorted(ROUTES) == sorted(IDS)
    assert [tool["name"] for tool in tools_for(Role.ADMIN)] == IDS
    assert sorted(function.name for function in list_functions()) == sorted(IDS)
    changes = {operation.id for operation in REGISTRY if operation.changes}
    assert console_actions() == changes
    assert console_questions() == set(IDS) - changes
    listed = CliRunner().invoke(do, [])
    assert listed.exit_code == 0
    assert all(re.search(rf"^\s*{operation_id}\b", listed.output, re.MULTILINE) for operation_id in IDS)


def test_the_command_line_takes_pairs_and_refuses_the_rest() -> None:
    assert read_values(("ref=#1031", "state=a", "state=b", "reason=a=b", "until=")) == {
        "ref": "#1031", "state": ["a", "b"], "reason": "a=b", "until": "",
    }  # fmt: skip
    for wrong in ("ref", "=x"):
        with pytest.raises(Refusal):
            read_values((wrong,))
    assert CliRunner().invoke(do, ["sing"]).exit_code == 2


# What a skin may ask of the store itself: whether it is there, whether anything changed, and the gauges.
ALLOWED_READS = {"change_mark", "pending_migrations", "health"}


def find_own_logic(text: str) -> list[str]:
    """Return where a skin reads or changes something without an operation."""
    problems = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Attribute):
            continue
        inner = node.value
        if isinstance(inner, ast.Attribute) and inner.attr == "reads" and node.attr not in ALLOWED_READS:
            problems.append(f"line {node.lineno}: reads.{node.attr}")
        elif isinstance(inner, ast.Attribute) and inner.attr in ("actions", "rulebooks", "stock", "money"):
            problems.append(f"line {node.lineno}: {inner.attr}.{node.attr}")
        elif node.attr == "handler":
            problems.append(f"line {node.lineno}: handler")
    return problems


def skin_files() -> list[Path]:
    return [file for skin in SKINS for file in sorted((SOURCE / skin).glob("*.py"))]


@pytest.mark.parametrize("file", skin_files(), ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_skin_only_runs_operations(file: Path) -> None:
    assert find_own_logic(file.read_text("utf-8")) == []


def test_logic_in_a_skin_is_found() -> None:
    text = "a = parts.reads.list_orders(q)\nb = it.actions.set_hold(1)\nc = operation.handler(x)\nd = it.reads.health()"
    assert find_own_logic(text) == ["line 1: reads.list_orders", "line 2: actions.set_hold", "line 3: handler"]
