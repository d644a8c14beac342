"""A table before it is understood: headings and cells as text, with the lines they came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pickgate.rulebook.problems import Problem, nearest
from pickgate.rulebook.spoiled import find_lost_zeros, protect
from pickgate.rulebook.tables import SHAPES, Kind, Row


@dataclass(frozen=True, slots=True)
class SheetRow:
    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """`source` is the name shown in refusals, such as "services.csv"."""

    table: str
    source: str
    headings: tuple[str, ...]
    rows: tuple[SheetRow, ...]


def sheet_of_records(table: str, records: Sequence[Mapping[str, str]]) -> Sheet:
    """Return the sheet behind an editor's grid: records of column → text as a person typed it."""
    headings = tuple(dict.fromkeys(name for record in records for name in record)) or SHAPES[table].names
    rows = tuple(
        SheetRow(line, tuple(record.get(name, "") for name in headings)) for line, record in enumerate(records, start=1)
    )
    return Sheet(table=table, source=table, headings=headings, rows=rows)


def written_cells(table: str, rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Return the rows as they are written to a file or an editor's grid: protected from spreadsheets."""
    suspects = [
        find_lost_zeros(row[at] for row in rows) if column.kind in (Kind.SKU, Kind.CODE) else frozenset()
        for at, column in enumerate(SHAPES[table].columns)
    ]
    return [
        tuple(protect(cell, suspects=doubtful) for cell, doubtful in zip(row, suspects, strict=True)) for row in rows
    ]


def written_records(table: str, rows: Sequence[Row]) -> list[dict[str, str]]:
    """Return the rows as an editor's grid shows them: column → text, which `sheet_of_records` reads back unchanged."""
    names = SHAPES[table].names
    return [dict(zip(names, cells, strict=True)) for cells in written_cells(table, rows)]


def find_missing_and_unknown(given: Iterable[str], *, suffix: str = "") -> list[Problem]:
    """Refuse an incomplete set of tables and tables that nobody reads. `suffix`: ".csv" where tables are files."""
    names = set(given)
    problems = [
        Problem(
            file=name + suffix,
            reason="is not a table of the rulebook",
            remedy=f"Rename it to {near}{suffix}" if (near := nearest(name, SHAPES)) else "Take it away",
        )
        for name in sorted(names - set(SHAPES))
    ]
    problems += [
        Problem(file=table + suffix, reason="is missing", remedy="Add it; an empty table has its headings only")
        for table in SHAPES
        if table not in names
    ]
    return problems
