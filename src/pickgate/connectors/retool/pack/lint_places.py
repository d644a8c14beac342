"""The part of the linter that knows the grid: who has a place, where, and that nobody sits on another."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from pickgate.connectors.retool.pack import grammar
from pickgate.connectors.retool.pack.elements import Element

_COLUMNS = 12
_KEYS = frozenset({"row", "col", "width", "height", "container", "subcontainer", "rowGroup"})


def lint_positions(content: str | None, trees: Mapping[str, Element]) -> Iterator[str]:
    """Yield what is wrong with `.positions.json`, beside the elements that it places."""
    if content is None:
        return
    try:
        places = json.loads(content)
    except ValueError as error:
        yield f"is no JSON: {error}"
        return
    if not isinstance(places, dict):
        yield "is not an object"
        return
    homes = {id: home for tree in trees.values() for id, home in _homes(tree, tree.id)}
    for id in sorted(homes.keys() - places.keys()):
        yield f"{id} has no place"
    for id in sorted(places.keys() - homes.keys()):
        yield f"{id} has a place and is nothing that is shown"
    usable: dict[str, tuple[float, float, float, float]] = {}
    for id, place in places.items():
        problem = _misplaced(place)
        if problem:
            yield f"{id}: {problem}"
        elif id in homes:
            usable[id] = tuple(float(place.get(key, 0)) for key in ("row", "col", "height", "width"))  # type: ignore[assignment]
            wanted = "header" if homes[id] == "$header" else None
            if place.get("subcontainer") != wanted:
                yield f"{id}: its subcontainer is {place.get('subcontainer')!r}, not {wanted!r}"
    for one, two in combinations(sorted(usable), 2):
        if homes[one] == homes[two] and _overlap(usable[one], usable[two]):
            yield f"{one} and {two} are on top of each other"


def _homes(node: Element, home: str) -> Iterator[tuple[str, str]]:
    """Yield (id, what holds it) of everything that is shown. Views, headers and bodies have no place of their own."""
    for child in node.children:
        if child.tag in grammar.SHOWN:
            yield child.id, home
        held_by = child.id if child.tag in grammar.SHOWN | {"Frame", "View"} | grammar.OVERLAYS else home
        yield from _homes(child, held_by or home)


def _misplaced(place: Any) -> str:
    if not isinstance(place, dict):
        return "is not an object"
    if set(place) - _KEYS:
        return f"{', '.join(sorted(set(place) - _KEYS))} is not known here"
    numbers = {key: place.get(key, 0) for key in ("row", "col", "width", "height")}
    for key, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            return f"{key} is not a number from 0"
    if not isinstance(numbers["col"], int) or not isinstance(numbers["width"], int):
        return "col and width are whole columns"
    if not numbers["width"] or not numbers["height"]:
        return "has no size"
    if numbers["col"] + numbers["width"] > _COLUMNS:
        return f"ends in column {numbers['col'] + numbers['width']} of {_COLUMNS}"
    return ""


def _overlap(one: tuple[float, float, float, float], two: tuple[float, float, float, float]) -> bool:
    apart = 0.001  # rows are sums of tenths
    beside = one[1] + one[3] <= two[1] or two[1] + two[3] <= one[1]
    below = one[0] + one[2] <= two[0] + apart or two[0] + two[2] <= one[0] + apart
    return not (beside or below)
