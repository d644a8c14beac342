"""Which rows of a first-match table stand in the way of which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import product

from pickgate.rulebook.patterns import covers, intersect
from pickgate.rulebook.tables import SHAPES, Column, Kind, Row
from pickgate.rulebook.text import comparable

_LOOSE = (Kind.PATTERN, Kind.AMOUNT)  # two different cells may allow the same value
_NOTHING = "\0"


def find_unreachable(table: str, rows: Sequence[Row], *, strip_characters: str = "") -> Iterator[tuple[int, int]]:
    """Yield (row, the first earlier row that matches everything it matches), numbered from 1.

    A row that only several earlier rows together leave nothing for is not found.
    """
    if table == "bundles":
        yield from _find_unreachable_components(rows, strip_characters)
        return
    inputs = SHAPES[table].inputs
    firm = [at for at, column in enumerate(inputs) if column.kind not in _LOOSE]
    loose = [at for at, column in enumerate(inputs) if column.kind in _LOOSE]
    earlier: dict[Row, list[tuple[int, Row]]] = {}  # by the firm cells: equal or empty ones cover
    for number, cells in enumerate(_comparable_rows(inputs, rows, strip_characters), start=1):
        candidates = (
            candidate
            for key in product(*({"", cells[at]} for at in firm))
            for candidate in earlier.get(key, ())
            if all(_cell_covers(inputs[at], candidate[1][at], cells[at]) for at in loose)
        )
        if first := min(candidates, default=None):
            yield number, first[0]
        earlier.setdefault(tuple(cells[at] for at in firm), []).append((number, cells))


def find_overlap(table: str, rows: Sequence[Row], *, strip_characters: str = "") -> Iterator[tuple[int, int]]:
    """Yield (earlier, later) for rows that can match one order, answer differently, and neither contains the other.

    A wide row after a narrow one is how such tables are written, and is not an overlap.
    """
    shape = SHAPES[table]
    inputs = shape.inputs
    compared = _comparable_rows(inputs, rows, strip_characters)
    for later in range(len(rows)):
        for earlier in range(later):
            if rows[earlier][len(inputs) :] == rows[later][len(inputs) :]:
                continue
            one, other = compared[earlier], compared[later]
            columns = list(zip(inputs, one, other, strict=True))
            if (
                all(_cells_meet(column, a, b) for column, a, b in columns)
                and not all(_cell_covers(column, a, b) for column, a, b in columns)
                and not all(_cell_covers(column, b, a) for column, a, b in columns)
            ):
                yield earlier + 1, later + 1


def _find_unreachable_components(rows: Sequence[Row], strip_characters: str) -> Iterator[tuple[int, int]]:
    """A bundle's rows belong together: only those of another shop cell can stand before them."""
    first_rows: dict[str, dict[str, int]] = {}
    for number, row in enumerate(rows, start=1):
        shops = first_rows.setdefault(comparable(Kind.SKU, row[1], strip_characters), {})
        shops.setdefault(row[0], number)
        if row[0] and shops.get("", number) < shops[row[0]]:
            yield number, shops[""]


def _comparable_rows(inputs: Sequence[Column], rows: Sequence[Row], strip_characters: str) -> list[Row]:
    """Return the input cells as they are compared; a filled cell of which nothing is left is not an empty one."""
    return [
        tuple(
            comparable(column.kind, cell, strip_characters) or (_NOTHING if cell else "")
            for column, cell in zip(inputs, row, strict=False)
        )
        for row in rows
    ]


def _cell_covers(column: Column, wide: str, narrow: str) -> bool:
    match column.kind:
        case Kind.PATTERN:
            return covers(wide or "*", narrow or "*")
        case Kind.AMOUNT:
            return not wide or (bool(narrow) and Decimal(wide) <= Decimal(narrow))
        case _:
            return not wide or wide == narrow


def _cells_meet(column: Column, one: str, other: str) -> bool:
    match column.kind:
        case Kind.PATTERN:
            return intersect(one or "*", other or "*")
        case Kind.AMOUNT | Kind.TAG:
            return True  # an order has many tags, and one total above two amounts
        case _:
            return not one or not other or one == other
