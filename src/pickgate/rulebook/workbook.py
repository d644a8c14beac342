"""Tables as one workbook, a sheet for each: for people who edit in a spreadsheet."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from pickgate.rulebook.cells import CellRefused
from pickgate.rulebook.parse import parse_sheets
from pickgate.rulebook.problems import Problem, RulebookRefused
from pickgate.rulebook.sheets import Sheet, SheetRow, find_missing_and_unknown, written_cells
from pickgate.rulebook.spoiled import needs_apostrophe
from pickgate.rulebook.tables import MAX_ROWS, SHAPES, Tables

MAX_UNPACKED_BYTES = 100 * 2**20
_MAX_COLUMNS = 20  # some room for stray notes, which are then refused one by one
_EXACT_DIGITS = 15  # a spreadsheet's number keeps no more
_TOO_LONG = "is a number too long for a spreadsheet"
_AS_TEXT = "Format the column as text and type the cell again"


def parse_workbook(body: bytes) -> Tables:
    """Parse an .xlsx file whose sheets are named after the tables. Formulas and dates are refused, not guessed at.

    Raises RulebookRefused with every problem of every sheet.
    """
    book = _open(body)
    by_table = {sheet.title.strip().casefold(): sheet for sheet in book.worksheets if not _is_blank(sheet)}
    problems = find_missing_and_unknown(by_table)
    sheets = []
    for table in SHAPES:
        if table in by_table:
            sheets.append(_read_sheet(table, by_table[table], problems))
    if problems:
        raise RulebookRefused(problems)
    return parse_sheets(sheets)


def render_workbook(tables: Tables) -> bytes:
    """Write an .xlsx file. Every cell is text: nothing in it is computed when it is opened."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for table, shape in SHAPES.items():
        sheet = book.create_sheet(table)
        sheet.freeze_panes = "A2"
        rows = tables.rows(table)
        for at, column in enumerate(shape.columns, start=1):
            _write(sheet.cell(1, at), column.name, quoted=False)
            sheet.cell(1, at).font = Font(bold=True)
            widest = max([len(column.name), *(len(row[at - 1]) for row in rows)])
            sheet.column_dimensions[get_column_letter(at)].width = min(widest, 60) + 3
        for line, (row, written) in enumerate(zip(rows, written_cells(table, rows), strict=True), start=2):
            for at, (text, protected) in enumerate(zip(row, written, strict=True), start=1):
                if text:
                    _write(sheet.cell(line, at), text, quoted=protected != text)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write(cell: Any, text: str, *, quoted: bool) -> None:
    cell.value = text
    cell.data_type = "s"  # else a text that starts with = is written as a formula
    cell.number_format = "@"
    cell.quotePrefix = quoted


def _open(body: bytes) -> Any:
    refusal = Problem(file="workbook", reason="cannot be read", remedy="Save it as an Excel workbook (.xlsx)")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            too_large = Problem(file="workbook", reason="is too large", remedy="Keep the eight sheets only")
            raise RulebookRefused([too_large])
        return load_workbook(io.BytesIO(body))
    except RulebookRefused:
        raise
    except Exception as error:  # a damaged archive makes the reader fail in as many ways as there are bytes
        raise RulebookRefused([refusal]) from error


def _is_blank(sheet: Any) -> bool:
    return sheet.max_row == 1 and sheet.max_column == 1 and sheet.cell(1, 1).value is None


def _read_sheet(table: str, sheet: Any, problems: list[Problem]) -> Sheet:
    if sheet.max_row > MAX_ROWS + 1 or sheet.max_column > _MAX_COLUMNS:
        remedy = "Delete the rows below and the columns beside the table, even if they look empty"
        problems.append(Problem(file=table, reason="is larger than a table may be", remedy=remedy))
        return Sheet(table=table, source=table, headings=(), rows=())
    rows = []
    for line, cells in enumerate(sheet.iter_rows(), start=1):
        texts = []
        for cell in cells:
            try:
                texts.append(_read_cell(cell))
            except CellRefused as refused:
                problems.append(
                    Problem(
                        file=table,
                        line=line,
                        column=cell.column_letter,
                        value=str(cell.value),
                        reason=refused.reason,
                        remedy=refused.remedy,
                    )
                )
                texts.append("")
        rows.append(SheetRow(line, tuple(texts)))
    filled = [row for row in rows if any(text.strip() for text in row.cells)]
    if not filled:
        return Sheet(table=table, source=table, headings=(), rows=())
    return Sheet(table=table, source=table, headings=filled[0].cells, rows=tuple(filled[1:]))


def _read_cell(cell: Any) -> str:
    value = cell.value
    if cell.data_type == "f":
        raise CellRefused("is a formula", "Paste the value in its place")
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return _read_number(str(value), cell.number_format)
        case float() if value.is_integer() and abs(value) < 10**_EXACT_DIGITS:
            return _read_number(str(int(value)), cell.number_format)
        case float() if "e" not in repr(value):
            return repr(value)
        case float():
            raise CellRefused(_TOO_LONG, _AS_TEXT)
        case datetime() | date() | time() | timedelta():
            raise CellRefused("is a date", _AS_TEXT)
        case str() if cell.quotePrefix and needs_apostrophe(value.strip()):
            return "'" + value.strip()
        case _:
            return str(value)


def _read_number(digits: str, number_format: str) -> str:
    if len(digits.lstrip("-")) > _EXACT_DIGITS:
        raise CellRefused(_TOO_LONG, _AS_TEXT)
    if number_format and not number_format.strip("0"):  # 00000 shows 123 as 00123
        return digits.zfill(len(number_format))
    return digits
