"""Shopify's search syntax, as far as it is used: `field:value`, `field:>=value`, quoted values, AND and OR of terms."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

_TERM = re.compile(r"(-?)([\w.]+):\s*(>=|<=|>|<)?\s*('[^']*'|\"[^\"]*\"|[^\s()]+)|\b(AND|OR)\b|(\S+)")
Field = Callable[[Any], Any]


def matcher(query: str | None, fields: Mapping[str, Field]) -> Callable[[Any], bool]:
    """
    A test for one object.

    A field that is not known matches everything, silently, as Shopify's does with an undefined metafield filter.
    """
    if not query:
        return lambda value: True
    groups: list[list[Callable[[Any], bool]]] = [[]]
    for negated, name, operator, raw, word, free in _TERM.findall(query):
        if word == "OR":
            groups.append([])
        elif word == "AND":
            continue
        elif name and name in fields:
            test = _test(fields[name], operator, raw.strip("'\""))
            groups[-1].append(_negated(test) if negated else test)
        elif free and "name" in fields:
            groups[-1].append(_test(fields["name"], "", free.strip("'\"")))
    return lambda value: any(all(test(value) for test in group) for group in groups)


def _negated(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: not test(value)


def _test(field: Field, operator: str, text: str) -> Callable[[Any], bool]:
    def test(value: Any) -> bool:
        actual = field(value)
        if isinstance(actual, list):
            return text.lower() in (str(item).lower() for item in actual)
        if actual is None:
            return False
        if isinstance(actual, datetime):
            return _compare(actual, operator, _instant(text))
        if isinstance(actual, bool):
            return actual is (text.lower() == "true")
        if isinstance(actual, int) and text.lstrip("-").isdigit():
            return _compare(actual, operator, int(text))
        wanted, have = text.lower(), str(actual).lower()
        if wanted.endswith("*"):
            return have.startswith(wanted[:-1])
        return have == wanted or have.lstrip("#") == wanted.lstrip("#")

    return test


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _compare(actual: Any, operator: str, wanted: Any) -> bool:
    match operator:
        case ">=":
            return bool(actual >= wanted)
        case "<=":
            return bool(actual <= wanted)
        case ">":
            return bool(actual > wanted)
        case "<":
            return bool(actual < wanted)
        case _:
            return bool(actual == wanted)
