"""Tables as CSV files, read as spreadsheets really write them and written so that they read back the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from pickgate.rulebook.parse import heading_name, parse_sheets
from pickgate.rulebook.problems import Problem, RulebookRefused
from pickgate.rulebook.sheets import Sheet, SheetRow, find_missing_and_unknown, written_cells
from pickgate.rulebook.tables import SHAPES, Row, Tables

MAX_FILE_BYTES = 20 * 2**20
_SEPARATORS = (",", ";", "\t")
_SUFFIX = ".csv"


def parse_folder(folder: Path) -> Tables:
    """Read the eight files of a folder; files that are not CSV are left alone. Raises RulebookRefused, OSError."""
    return parse_files({path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))})


def parse_files(bodies: Mapping[str, bytes]) -> Tables:
    """Parse the eight files, given as file name → content. Raises RulebookRefused with every problem of every file."""
    by_table = {Path(name).name.lower().removesuffix(_SUFFIX): body for name, body in bodies.items()}
    problems = find_missing_and_unknown(by_table, suffix=_SUFFIX)
    sheets = []
    for table in SHAPES:
        if table not in by_table:
            continue
        try:
            sheets.append(parse_csv(table, by_table[table]))
        except RulebookRefused as refused:
            problems += refused.problems
    if problems:
        raise RulebookRefused(problems)
    return parse_sheets(sheets)


def parse_csv(table: str, body: bytes) -> Sheet:
    """Split one file into headings and cells: UTF-8 or UTF-16 with a mark, commas, semicolons or tabs, any line end.

    Raises RulebookRefused when the bytes are not such a file.
    """
    source = table + _SUFFIX
    text = _decode(source, body)
    lines_before = 0
    if text[:4].lower() == "sep=":  # a first line that some spreadsheets write and read
        text = text.partition("\n")[2]
        lines_before = 1
    separator = _find_separator(table, text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    records: list[SheetRow] = []
    try:
        line = 1
        for cells in reader:
            records.append(SheetRow(line + lines_before, tuple(cells)))
            line = reader.line_num + 1
    except csv.Error as error:
        problem = Problem(
            file=source,
            line=line + lines_before,
            reason=f"cannot be read ({error})",
            remedy="Check the quotes of this line",
        )
        raise RulebookRefused([problem]) from error
    filled = [row for row in records if any(cell.strip() for cell in row.cells)]
    if not filled:
        raise RulebookRefused(
            [Problem(file=source, reason="is empty", remedy=f"Write the headings {','.join(SHAPES[table].names)}")]
        )
    return Sheet(table=table, source=source, headings=filled[0].cells, rows=tuple(filled[1:]))


def render_csv(table: str, rows: Sequence[Row]) -> bytes:
    """Write one table: UTF-8, commas, one line feed after each row. Reading it back gives the same rows."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(SHAPES[table].names)
    writer.writerows(written_cells(table, rows))
    return out.getvalue().encode()


def render_files(tables: Tables) -> dict[str, bytes]:
    """Write all tables, as file name → content."""
    return {table + _SUFFIX: render_csv(table, tables.rows(table)) for table in SHAPES}


def _decode(source: str, body: bytes) -> str:
    if len(body) > MAX_FILE_BYTES:
        raise RulebookRefused(
            [Problem(file=source, reason=f"is larger than {MAX_FILE_BYTES // 2**20} MiB", remedy="Split or shorten it")]
        )
    marked_utf_16 = body[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return body.decode("utf-16" if marked_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        problem = Problem(file=source, line=line, reason="is not UTF-8", remedy='Save it as "CSV UTF-8"')
        raise RulebookRefused([problem]) from error


def _find_separator(table: str, text: str) -> str:
    """Return the separator under which the first line holds the most known headings; a comma when in doubt."""
    first = next((line for line in text.splitlines() if line.strip(" \t,;")), "")

    def known(separator: str) -> int:
        return sum(heading_name(cell.strip('" ')) in SHAPES[table].names for cell in first.split(separator))

    return max(_SEPARATORS, key=known)
