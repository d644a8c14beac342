"""Dependencies point inwards: domain ← flows ← operations ← api, console, cli, mcp. Only bootstrap knows everything."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tidy.source import SOURCE, imported_modules, name_of, python_files

EVERYTHING = frozenset({"*"})
# Our own modules that a layer may import, below `pickgate.`; a dotted name allows that module alone.
MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "domain": frozenset({"domain"}),
    "rulebook": frozenset({"rulebook", "domain", "clock"}),
    "flows": frozenset({"domain", "flows", "clock"}),
    "engine": frozenset({"engine", "domain", "flows", "clock", "settings", "metrics", "http"}),
    "store": frozenset({
        "store", "domain", "flows.ports", "flows.money_ports", "flows.stock_ports", "crypto", "clock", "settings",
    }),
    "connectors": frozenset({
        "connectors", "domain", "flows.ports",
        "flows.hints", "flows.money_ports", "flows.stock_ports", "flows.audit_ports",
        "http", "clock", "settings",
    }),
    "twins": frozenset({"twins", "http", "clock"}),
    "operations": frozenset({"operations", "domain", "flows", "rulebook", "clock", "metrics"}),
    # The console is served by api, which hands it its parts; of api it knows these two leaves alone.
    "console": frozenset({
        "console", "operations", "domain", "flows", "clock", "settings", "api.parts", "api.problems",
    }),
    "api": frozenset({
        "api", "console", "operations", "domain", "flows", "clock", "settings", "metrics", "http",
        "connectors.shopify.webhooks", "connectors.clarus.webhooks",
    }),
    "mcp": frozenset({"mcp", "operations", "domain", "flows", "clock", "settings"}),
    "settings": frozenset({"domain", "settings_sources"}),
    "settings_sources": frozenset(),
    "clock": frozenset(),
    "crypto": frozenset(),
    "http": frozenset(),
    "metrics": frozenset(),
    "bootstrap": EVERYTHING,
    "fittings": EVERYTHING,
    "audit_report": frozenset({"audit_report", "domain", "flows.audit_ports", "flows.audit", "rulebook", "clock"}),
    "cli": EVERYTHING,
    "simulation": EVERYTHING,
    "proofs": EVERYTHING,
    "bench": EVERYTHING,
    "failpoints": frozenset({"http"}),
    "__init__": frozenset(),
    "__main__": frozenset({"cli"}),
}  # fmt: skip

# The rule book computes with values; whoever needs more than these is reading, sending or waiting.
DOMAIN_MAY_IMPORT = frozenset({
    "__future__", "abc", "bisect", "collections", "dataclasses", "datetime", "decimal", "enum", "fractions",
    "functools", "hashlib", "heapq", "itertools", "math", "operator", "re", "string", "types", "typing", "unicodedata",
    "zoneinfo",
})  # fmt: skip
# Where only flows and the rule book live, nothing speaks HTTP, SQL or HTML.
OUTSIDE = frozenset({
    "aiohttp", "asyncpg", "click", "fastapi", "jinja2", "pgqueuer", "socket", "sqlite3", "starlette", "urllib",
    "uvicorn",
})  # fmt: skip


def find_breaches(where: str, text: str) -> list[str]:
    """Return what a file imports and must not. `where`: the file below `src/`, such as `pickgate/domain/gates.py`."""
    layer = where.split("/")[1].removesuffix(".py")
    allowed = MAY_IMPORT.get(layer)
    if allowed is None:
        return [f"{layer} is a new layer: say in MAY_IMPORT what it may import"]
    problems = []
    for module in imported_modules(ast.parse(text), where):
        first, _, rest = module.partition(".")
        if first == "pickgate":
            if "*" not in allowed and not any(rest == name or rest.startswith(f"{name}.") for name in allowed):
                problems.append(f"{layer} must not import pickgate.{rest}")
        elif layer == "domain" and first not in DOMAIN_MAY_IMPORT:
            problems.append(f"domain must not import {module}: it reads, sends, waits, or is not needed to decide")
        elif layer in {"flows", "rulebook"} and first in OUTSIDE:
            problems.append(f"{layer} must not import {module}: that belongs to store, connectors or api")
    return problems


@pytest.mark.parametrize("file", python_files(), ids=name_of)
def test_imports_point_inwards(file: Path) -> None:
    where = file.relative_to(SOURCE.parent).as_posix()
    assert find_breaches(where, file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("where", "text", "problem"),
    [
        ("pickgate/domain/bad.py", "from pickgate.store import pool", "domain must not import pickgate.store"),
        ("pickgate/domain/bad.py", "from pickgate import clock", "domain must not import pickgate.clock"),
        ("pickgate/domain/bad.py", "from ..flows import ports", "domain must not import pickgate.flows"),
        ("pickgate/domain/bad.py", "import json", "domain must not import json: it reads, sends, waits, or is not needed to decide"),  # noqa: E501
        ("pickgate/flows/bad.py", "def f():\n    import pickgate.store.postgres", "flows must not import pickgate.store.postgres"),  # noqa: E501
        ("pickgate/flows/bad.py", "import aiohttp", "flows must not import aiohttp: that belongs to store, connectors or api"),  # noqa: E501
        ("pickgate/connectors/shopify/bad.py", "from pickgate.flows.look import look", "connectors must not import pickgate.flows.look"),  # noqa: E501
        ("pickgate/twins/clarus/bad.py", "from pickgate.domain.shop import Line", "twins must not import pickgate.domain.shop"),  # noqa: E501
        ("pickgate/novelty/bad.py", "", "novelty is a new layer: say in MAY_IMPORT what it may import"),
    ],
)  # fmt: skip
def test_a_wrong_import_is_found(where: str, text: str, problem: str) -> None:
    assert find_breaches(where, text) == [problem]


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("pickgate/connectors/clarus/good.py", "from pickgate.flows.ports import Outcome"),
        ("pickgate/store/good.py", "from pickgate.flows.ports import Store\nimport asyncpg"),
        ("pickgate/domain/good.py", "from .money import Money\nfrom dataclasses import dataclass"),
        ("pickgate/bootstrap.py", "from pickgate.store.postgres import PostgresStore"),
    ],
)
def test_a_right_import_passes(where: str, text: str) -> None:
    assert find_breaches(where, text) == []


def test_the_domain_allows_only_the_standard_library() -> None:
    assert {name for name in DOMAIN_MAY_IMPORT if name not in sys.stdlib_module_names} == set()
