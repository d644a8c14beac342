"""Sheets → tables, or every reason why not at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pickgate.rulebook.agreement import find_disagreements
from pickgate.rulebook.cells import CellRefused, parse_cell
from pickgate.rulebook.problems import Problem, RulebookRefused, nearest
from pickgate.rulebook.sheets import Sheet, SheetRow, find_missing_and_unknown, sheet_of_records
from pickgate.rulebook.spoiled import find_lost_zeros, unprotect
from pickgate.rulebook.tables import MAX_ROWS, SHAPES, Kind, Row, Shape, Tables


def parse_records(drafts: Mapping[str, Sequence[Mapping[str, str]]]) -> Tables:
    """Parse what people typed into a grid or sent as JSON: table → records of column → text. Raises RulebookRefused."""
    problems = find_missing_and_unknown(drafts)
    if problems:
        raise RulebookRefused(problems)
    return parse_sheets([sheet_of_records(table, drafts[table]) for table in SHAPES])


def parse_sheets(sheets: Iterable[Sheet]) -> Tables:
    """Parse one sheet for each table. Raises RulebookRefused with every problem of every sheet."""
    problems: list[Problem] = []
    rows: dict[str, tuple[Row, ...]] = {}
    lines: dict[str, tuple[int, ...]] = {}
    sources: dict[str, str] = {}
    for sheet in sheets:
        kept = [row for row in sheet.rows if any(cell.strip() for cell in row.cells)]
        rows[sheet.table] = _parse_rows(sheet, kept, problems)
        lines[sheet.table] = tuple(row.line for row in kept)
        sources[sheet.table] = sheet.source
    if not problems:
        problems = [
            Problem(
                file=sources[found.table],
                row=found.row,
                line=lines[found.table][found.row - 1],
                column=found.column,
                value=found.value,
                reason=found.reason,
                remedy=found.remedy,
            )
            for found in find_disagreements(Tables(**rows))
        ]
    if problems:
        raise RulebookRefused(problems)
    return Tables(**rows)


def _parse_rows(sheet: Sheet, kept: Sequence[SheetRow], problems: list[Problem]) -> tuple[Row, ...]:
    shape = SHAPES[sheet.table]
    if len(kept) > MAX_ROWS:
        problems.append(
            Problem(file=sheet.source, reason=f"has {len(kept)} rows", remedy=f"A table holds at most {MAX_ROWS}")
        )
        return ()
    before = len(problems)
    places = _place_columns(sheet, kept, problems)
    if len(problems) > before:
        return ()
    suspects = [_find_suspects(shape, at, place, kept) for at, place in enumerate(places)]
    parsed = []
    for number, row in enumerate(kept, start=1):
        cells = []
        for column, place, doubtful in zip(shape.columns, places, suspects, strict=True):
            raw = row.cells[place] if place is not None and place < len(row.cells) else ""
            text, vouched = unprotect(raw.strip())
            try:
                cell = parse_cell(column, text, vouched=vouched)
                if not cell and column.required:
                    raise CellRefused("is empty", f"Write {column.kind.value}")
                if cell in doubtful and not vouched:
                    raise CellRefused(
                        "looks as if a spreadsheet had cut its leading zeros",
                        "Type the zeros again; if it is right, put an apostrophe before it",
                    )
            except CellRefused as refused:
                problems.append(
                    Problem(
                        file=sheet.source,
                        row=number,
                        line=row.line,
                        column=column.name,
                        value=raw.strip(),
                        reason=refused.reason,
                        remedy=refused.remedy,
                    )
                )
                cell = ""
            cells.append(cell)
        parsed.append(tuple(cells))
    return tuple(parsed)


def _place_columns(sheet: Sheet, kept: Sequence[SheetRow], problems: list[Problem]) -> list[int | None]:
    """Return where each of the table's columns stands in the sheet; None: absent, and allowed to be."""
    shape = SHAPES[sheet.table]
    headings = [heading_name(heading) for heading in sheet.headings]
    for at, name in enumerate(headings):
        if name and name not in shape.names:
            near = nearest(name, shape.names)
            remedy = f"Rename it to {near}" if near else f"The columns are {', '.join(shape.names)}"
            problems.append(
                Problem(file=sheet.source, column=sheet.headings[at].strip(), reason="is unknown", remedy=remedy)
            )
        elif name and name in headings[:at]:
            problems.append(Problem(file=sheet.source, column=name, reason="stands twice", remedy="Keep one of them"))
    for number, row in enumerate(kept, start=1):
        for at, cell in enumerate(row.cells):
            if cell.strip() and (at >= len(headings) or not headings[at]):
                problems.append(
                    Problem(
                        file=sheet.source,
                        row=number,
                        line=row.line,
                        value=cell.strip(),
                        reason="stands outside the columns",
                        remedy="Quote a text that holds the separator, or remove the cell",
                    )
                )
                break
    problems += [
        Problem(
            file=sheet.source, column=column.name, reason="is missing", remedy="Add the column; its cells may be empty"
        )
        for column in shape.columns
        if column.name not in headings and not column.may_be_absent
    ]
    return [headings.index(name) if name in headings else None for name in shape.names]


def _find_suspects(shape: Shape, at: int, place: int | None, kept: Sequence[SheetRow]) -> frozenset[str]:
    if shape.columns[at].kind not in (Kind.SKU, Kind.CODE) or place is None:
        return frozenset()
    return find_lost_zeros(unprotect(row.cells[place].strip())[0] for row in kept if place < len(row.cells))


def heading_name(heading: str) -> str:
    """Return a heading as its column is called: "Shipping Title " is shipping_title."""
    return "_".join(heading.strip().casefold().replace("-", " ").replace("_", " ").split())
