"""Folders say what lives in them, files stay short, money has no float, and SQL has one home."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tidy.source import ROOT, SOURCE, all_files, name_of, python_files

LONGEST = 400
LONGEST_TABLE = 600  # a test file is often one long table
PACKAGES = sorted({file.parent for file in python_files()})
_MONEY = [
    file for file in python_files() if file.is_relative_to(SOURCE / "domain") and re.search("money|ledger", file.stem)
]
_SQL = re.compile(
    r"\s*(select\s[\s\S]+\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|with\s+\w+\s+as\s*\(|"
    r"(create|alter|drop|truncate)\s+(table|index|database|schema|type|view)\s)",
    re.IGNORECASE,
)


@pytest.mark.parametrize("folder", PACKAGES, ids=name_of)
def test_a_folder_says_what_lives_in_it(folder: Path) -> None:
    opening = folder / "__init__.py"
    assert opening.is_file(), f"{name_of(folder)} needs an __init__.py that says what lives here and what does not"
    assert ast.get_docstring(ast.parse(opening.read_text("utf-8"))), f"{name_of(opening)} needs a docstring"


@pytest.mark.parametrize("file", python_files(), ids=name_of)
def test_a_module_says_what_it_is(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text("utf-8"))), f"{name_of(file)} needs a docstring"


@pytest.mark.parametrize("file", [f for f in all_files() if f.suffix == ".py"], ids=name_of)
def test_a_file_is_short(file: Path) -> None:
    lines = len(file.read_text("utf-8").splitlines())
    most = LONGEST_TABLE if file.is_relative_to(ROOT / "tests") else LONGEST
    assert lines <= most, f"{name_of(file)} has {lines} lines; split it by purpose (at most {most})"


def find_inexact(text: str) -> list[str]:
    """Return whatever could make an amount of money inexact."""
    problems = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            problems.append(f"line {node.lineno}: {node.value}")
        elif isinstance(node, ast.Name) and node.id in {"float", "round"}:
            problems.append(f"line {node.lineno}: {node.id}")
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            problems.append(f"line {node.lineno}: /")
    return sorted(problems)


@pytest.mark.parametrize("file", _MONEY, ids=name_of)
def test_money_is_exact(file: Path) -> None:
    assert find_inexact(file.read_text("utf-8")) == []


def test_inexact_money_is_found() -> None:
    text = "a = 0.1\nb = float(a)\nc = round(b)\nd = c / 2\nd /= 3\ne = c // 2"
    assert find_inexact(text) == ["line 1: 0.1", "line 2: float", "line 3: round", "line 4: /", "line 5: /"]


def find_sql(text: str) -> list[int]:
    """Return the lines of string literals that are SQL. Docstrings are prose, and pass."""
    tree = ast.parse(text)
    prose = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            prose.add(node.value)
    strings = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in prose
    )
    return [node.lineno for node in strings if _SQL.match(str(node.value))]


# A measurement compares with the bare database.
_HAS_SQL = {"store", "bench"}


@pytest.mark.parametrize(
    "file", [f for f in python_files() if f.relative_to(SOURCE).parts[0] not in _HAS_SQL], ids=name_of
)
def test_sql_lives_in_the_store(file: Path) -> None:
    assert find_sql(file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "x = 'SELECT a FROM b WHERE c'",
        "x = f'update orders set a = {1}'",
        "x = '''\n  WITH due AS (SELECT 1)'''",
        "x = 'insert into t values (1)'",
    ],
)
def test_sql_elsewhere_is_found(text: str) -> None:
    assert find_sql(text) == [1]


def test_prose_is_not_sql() -> None:
    assert find_sql('"""Select the orders from the page."""\nx = "Update the order, then set a hold"') == []


def test_sql_files_live_in_the_store() -> None:
    strays = [name_of(f) for f in all_files() if f.suffix == ".sql" and not f.is_relative_to(SOURCE / "store")]
    assert [name for name in strays if name.startswith("src/")] == [], f"move them to store/ below {ROOT.name}"
