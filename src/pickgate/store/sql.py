"""Named queries: `queries/*.sql`, each begun by `-- name: …`, with `:name` parameters.

asyncpg wants `$1`; numbering by hand goes wrong unseen, so it is done here, once, at import.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_NAME = re.compile(r"^-- name: ([a-z0-9_]+)\s*$", re.MULTILINE)
_COMMENT = re.compile(r"--[^\n]*")
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Query:
    """One statement. `parameters`: names in the order of `$1`, `$2`, …"""

    name: str
    text: str
    parameters: tuple[str, ...]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the values in order. Raises TypeError when one is missing or not asked for."""
        if len(values) != len(self.parameters) or any(name not in values for name in self.parameters):
            wanted, given = set(self.parameters), set(values)
            raise TypeError(f"{self.name}: missing {sorted(wanted - given)}, not asked for {sorted(given - wanted)}")
        return [values[name] for name in self.parameters]


def parse_query(name: str, text: str) -> Query:
    """Turn `:name` into `$n`; the same name is the same parameter. Comments are dropped, casts (`::`) are left."""
    order: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in order:
            order.append(match[1])
        return f"${order.index(match[1]) + 1}"

    numbered = _PARAMETER.sub(number, _COMMENT.sub("", text))
    return Query(name, numbered.strip().rstrip(";"), tuple(order))


@cache
def build_query(name: str, where: tuple[str, ...], order: str = "") -> Query:
    """Put conditions and an order into a query with `{where}` and `{order}`. Both are texts of ours, never input."""
    text = load_texts()[name].replace("{where}", " AND ".join(where) or "true").replace("{order}", order)
    return parse_query(name, text)


@cache
def load_queries() -> Mapping[str, Query]:
    """Every named query that has no open places, parsed."""
    return {name: parse_query(name, text) for name, text in load_texts().items() if "{where}" not in text}


@cache
def load_texts() -> Mapping[str, str]:
    """Read every named query as it is written. Raises ValueError when two have the same name."""
    found: dict[str, str] = {}
    for path in sorted(files("pickgate.store").joinpath("queries").iterdir(), key=lambda item: item.name):
        if not path.name.endswith(".sql"):
            continue
        parts = _NAME.split(path.read_text("utf-8"))
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            if name in found:
                raise ValueError(f"Two queries are called {name}.")
            found[name] = text
    return found
