"""Each exception code has a runbook that a tired person can follow, and the list of codes is the code's own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from pickgate.domain.findings import CODES
from tidy.source import DOCS, python_files

RUNBOOKS = DOCS / "runbooks"
HEADINGS = ["What it means", "What to check", "What each action does", "When it closes by itself", "Who owns it"]
ACTIONS = {
    "look_at_order", "release_order", "hold_order", "unhold_order", "cancel_in_warehouse", "resolve_exceptions",
    "assign_exception", "snooze_exception", "preview_stock", "publish_stock", "money_report", "publish_rulebook",
}  # fmt: skip
COMMANDS = {
    "serve", "api", "worker", "migrate", "look", "order", "exceptions", "stock", "money", "rulebook",
    "simulate", "twins", "audit", "retool", "token", "user", "bench",
}  # fmt: skip


def in_words(span: timedelta) -> str:
    """Return "15 minutes", "1 hour", "24 hours"."""
    minutes = int(span.total_seconds()) // 60
    count, unit = (minutes // 60, "hour") if minutes % 60 == 0 else (minutes, "minute")
    return f"{count} {unit}" + ("" if count == 1 else "s")


def sections(markdown: str) -> dict[str, str]:
    """Return the text below each second-level heading, in order."""
    parts = re.split(r"^## +(.+)$", markdown, flags=re.MULTILINE)
    return {name.strip(): body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_a_runbook(code: str) -> None:
    page = RUNBOOKS / f"{code}.md"
    assert page.is_file(), f"write {page.name}: {', '.join(HEADINGS)}"
    text = page.read_text("utf-8")
    book = CODES[code]
    assert text.startswith(f"# {code}: {book.title[0].lower()}{book.title[1:]}\n")
    parts = sections(text)
    assert list(parts) == HEADINGS
    assert 20 <= len(text.splitlines()) <= 45
    assert parts["Who owns it"].startswith(
        f"Team `{book.team.value}`, {book.severity.value}, due in {in_words(book.due_in)}."
    )
    assert "For example" in parts["What it means"], "give one concrete example"
    assert len(re.findall(r"^\d+\. ", parts["What to check"], re.MULTILINE)) >= 2


@pytest.mark.parametrize("code", CODES)
def test_a_runbook_names_actions_and_commands_that_exist(code: str) -> None:
    text = (RUNBOOKS / f"{code}.md").read_text("utf-8")
    named = re.findall(r"^- `(\w+)`", sections(text)["What each action does"], re.MULTILINE)
    assert len(named) >= 3
    assert set(named) <= ACTIONS
    assert {"resolve_exceptions", "assign_exception", "snooze_exception"} <= set(named)
    assert set(re.findall(r"`pickgate (\w+)", text)) <= COMMANDS
    assert set(re.findall(r"\b[A-Z]{3,}_[A-Z_]+\b", text)) <= set(CODES) | {"PART_ALLOCATED"}


def offered_actions() -> Iterator[tuple[str, str]]:
    """Yield (code, action) wherever a finding is made with both written out, or with a module's constant tuple."""
    for file in python_files():
        tree = ast.parse(file.read_text("utf-8"))
        constants = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding":
                given = {word.arg: word.value for word in node.keywords}
                code, actions = given.get("code"), given.get("actions")
                if isinstance(actions, ast.Name):
                    actions = constants.get(actions.id)
                if isinstance(code, ast.Constant) and actions is not None:
                    names = (part.value for part in ast.walk(actions) if isinstance(part, ast.Constant))
                    yield from ((str(code.value), name) for name in names if isinstance(name, str))


def test_every_action_that_is_offered_is_explained() -> None:
    offered = set(offered_actions())
    assert ("LATE_EDIT", "cancel_in_warehouse") in offered
    unexplained = {
        (code, action)
        for code, action in offered
        if f"- `{action}`:" not in (RUNBOOKS / f"{code}.md").read_text("utf-8")
    }
    assert unexplained == set()


def test_no_runbook_is_left_over() -> None:
    assert {page.stem for page in RUNBOOKS.glob("[A-Z]*.md")} - {"README"} == set(CODES)


def test_the_exceptions_table_is_the_codes_own() -> None:
    rows = [
        f"| [`{code}`](../runbooks/{code}.md) | {book.title} | {book.team.value} | {book.severity.value} | "
        f"{in_words(book.due_in)} |"
        for code, book in CODES.items()
    ]
    text = (DOCS / "reference" / "exceptions.md").read_text("utf-8")
    assert [line for line in text.splitlines() if line.startswith("| [`")] == rows
