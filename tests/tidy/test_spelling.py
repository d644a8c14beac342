"""British here, the vendor's spelling in its own place; and no name that says nothing."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tidy.source import DOCS, ROOT, SOURCE, all_files, name_of, python_files, without_code

SHOPIFY = ("src/pickgate/connectors/shopify", "src/pickgate/twins/shopify", "src/pickgate/twins/editing_apps")
CLARUS = ("src/pickgate/connectors/clarus", "src/pickgate/twins/clarus", "src/pickgate/twins/people.py")
# They tell what happened in the twins, in the twins' own words.
TOLD_BY_TWINS = ("src/pickgate/simulation", "src/pickgate/proofs", "src/pickgate/bench")
OTHER_VENDORS = ("src/pickgate/connectors/retool", "src/pickgate/twins/retool", "src/pickgate/console/static/vendor")
# A warehouse word that is also a programmer's word: checked only where the warehouse is meant.
WAREHOUSE_TALK = ("domain", "flows", "store", "rulebook", "operations")

_FULFIL = re.compile(r"fulfillment|\bfulfills?\b", re.IGNORECASE)
_CANCEL = re.compile(r"(?<!query)canceled|canceling|cancelation", re.IGNORECASE)  # QueryCanceledError is asyncpg's
_DESPATCH = re.compile(r"(?<!single)dispatch", re.IGNORECASE)

EMPTY_NAMES = {"manager", "managers", "helper", "helpers", "util", "utils", "service", "services", "data", "common",
               "misc", "stuff"}  # fmt: skip


def find_misspelt(where: str, text: str) -> list[str]:
    """Return the words on the wrong side of the border. `where`: the file below the root; Markdown: prose only."""
    text = without_code(text) if where.endswith(".md") else text
    rules = []
    if not where.startswith(SHOPIFY + TOLD_BY_TWINS + OTHER_VENDORS):
        rules.append((_FULFIL, "fulfilment"))
    if not where.startswith(SHOPIFY + CLARUS + OTHER_VENDORS):
        rules.append((_CANCEL, "cancelled"))
    if where.startswith((*(f"src/pickgate/{layer}" for layer in WAREHOUSE_TALK), "docs/")):
        rules.append((_DESPATCH, "despatch (dispatch is for messages)"))
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        for wrong, right in rules:
            problems += [f"line {number}: {found[0]}: write {right}" for found in wrong.finditer(line)]
    return problems


def _spelt() -> list[Path]:
    roots = (SOURCE, DOCS, ROOT / "tests" / "decisions", ROOT / "tests" / "properties", ROOT / "rulebook")
    documents = {".md"}
    kinds = {".py", ".md", ".sql", ".html", ".csv"}
    return [
        file
        for file in all_files()
        if file.suffix in kinds
        and (any(file.is_relative_to(root) for root in roots) or (file.parent == ROOT and file.suffix in documents))
    ]


@pytest.mark.parametrize("file", _spelt(), ids=name_of)
def test_words_are_spelt_where_they_belong(file: Path) -> None:
    assert find_misspelt(name_of(file), file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("where", "text", "problem"),
    [
        ("src/pickgate/domain/bad.py", "class FulfillmentOrder: ...", "line 1: Fulfillment: write fulfilment"),
        ("src/pickgate/twins/clarus/bad.py", "fulfillment = 1", "line 1: fulfillment: write fulfilment"),
        ("src/pickgate/flows/bad.py", "\nwas_canceled = True", "line 2: canceled: write cancelled"),
        ("src/pickgate/store/queries/bad.sql", "dispatched int", "line 1: dispatch: write despatch (dispatch is for messages)"),  # noqa: E501
        ("docs/bad.md", "They fulfill it.", "line 1: fulfill: write fulfilment"),
    ],
)  # fmt: skip
def test_a_misspelt_word_is_found(where: str, text: str, problem: str) -> None:
    assert find_misspelt(where, text) == [problem]


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("src/pickgate/connectors/shopify/wire.py", "fulfillmentOrders canceledAt"),
        ("src/pickgate/connectors/clarus/wire.py", "dispatch_quantity"),
        ("src/pickgate/api/app.py", "async def dispatch(request): ..."),
        ("src/pickgate/domain/good.py", "fulfilment, fulfilled, cancelled, despatched"),
        ("docs/good.md", "Shopify calls it `fulfillmentOrder`.\n```\nfulfillment\n```"),
    ],
)
def test_the_vendors_own_word_in_its_place_passes(where: str, text: str) -> None:
    assert find_misspelt(where, text) == []


def find_empty_names(where: str, text: str) -> list[str]:
    """Return the file, folder and class names that say nothing about what is inside."""
    parts = [part.removesuffix(".py") for part in where.split("/")]
    problems = [f"{part}: name it after what it does" for part in parts if part in EMPTY_NAMES]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and re.search(r"(Manager|Helper|Utils?)$", node.name):
            problems.append(f"class {node.name}: name it after what it does")
    return problems


@pytest.mark.parametrize("file", python_files(), ids=name_of)
def test_names_say_something(file: Path) -> None:
    assert find_empty_names(file.relative_to(SOURCE).as_posix(), file.read_text("utf-8")) == []


def test_an_empty_name_is_found() -> None:
    assert find_empty_names("flows/utils.py", "class OrderManager: ...") == [
        "utils: name it after what it does",
        "class OrderManager: name it after what it does",
    ]
