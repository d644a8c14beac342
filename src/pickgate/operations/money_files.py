"""A money report as files: CSV by sheet, and one workbook with a sheet for each question.

No text in a file can become a formula: what begins like one is written as text, and says so. Amounts are written as
exact decimals with the places of their currency. A spreadsheet keeps 15 digits: a longer amount is text there.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from pickgate.domain.money import Money, minor_exponent
from pickgate.domain.money_report import Report
from pickgate.domain.money_sheets import Cell, Sheet
from pickgate.rulebook.spoiled import protect

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LONGEST_TEXT = 32_000  # a spreadsheet's cell holds 32,767 characters
_MOST_ROWS = 1_000_000  # and a sheet 1,048,576 rows
_EXACT = 10**15
_WIDE_SIGNS = "＝＋－＠"


class ReportTooLarge(Exception):
    """A sheet has more rows than a spreadsheet holds. The text says what to ask for instead."""


def neutralise(text: str) -> str:
    """Return a text as it may stand in a spreadsheet's file: one line, and an apostrophe before a formula."""
    plain = "".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text)
    plain = plain[:_LONGEST_TEXT]
    start = plain.lstrip()[:1]
    if start in ("=", "+", "-", "@") or (start and start in _WIDE_SIGNS):
        return "'" + plain
    return protect(plain)


def decimal_of(money: Money) -> Decimal:
    """The amount in whole units of its currency, exactly: 1250 pence are Decimal("12.50")."""
    return Decimal(money.minor).scaleb(-minor_exponent(money.currency))


def render_csv(sheet: Sheet) -> bytes:
    """Write one sheet: UTF-8 with a mark (spreadsheets need it), commas, headings, rows, then the totals."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(sheet.columns)
    for row in (*sheet.rows, *sheet.totals):
        writer.writerow([_csv_cell(cell, column) for cell, column in zip(row, sheet.columns, strict=True)])
    return out.getvalue().encode("utf-8-sig")


def render_workbook(report: Report) -> bytes:
    """Write the whole report, a sheet for each question, totals in bold. Raises ReportTooLarge."""
    book = Workbook()
    book.remove(book.worksheets[0])
    cover = book.create_sheet("report")
    for line, (name, value) in enumerate(_cover(report), start=1):
        _write_text(cover.cell(line, 1), name)
        _write_text(cover.cell(line, 2), value)
        cover.cell(line, 1).font = Font(bold=True)
    cover.column_dimensions["A"].width, cover.column_dimensions["B"].width = 16, 90
    for sheet in report.sheets:
        _write_sheet(book.create_sheet(sheet.name[:31]), sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cover(report: Report) -> list[tuple[str, str]]:
    state = f"closed {report.closed_at:%Y-%m-%d %H:%M} UTC by {report.closed_by}" if report.closed_at else "open"
    lines = [
        ("month", report.month),
        ("time zone", report.zone),
        ("state", state),
        ("made at", f"{report.made_at:%Y-%m-%d %H:%M} UTC"),
        ("ties out", "yes" if report.ties else "NO"),
    ]
    return lines + [(sheet.name, sheet.title) for sheet in report.sheets]


def _write_sheet(target: Any, sheet: Sheet) -> None:
    if len(sheet.rows) > _MOST_ROWS:
        raise ReportTooLarge(f"{sheet.name} has {len(sheet.rows)} rows. Ask for one shop, or for CSV.")
    target.freeze_panes = "A2"
    for at, column in enumerate(sheet.columns, start=1):
        _write_text(target.cell(1, at), column)
        target.cell(1, at).font = Font(bold=True)
        target.column_dimensions[get_column_letter(at)].width = max(len(column), 10) + 3
    for line, row in enumerate((*sheet.rows, *sheet.totals), start=2):
        for at, cell in enumerate(row, start=1):
            _write(target.cell(line, at), cell)
            if line > len(sheet.rows) + 1:
                target.cell(line, at).font = Font(bold=True)


def _write(target: Any, cell: Cell) -> None:
    match cell:
        case None:
            return
        case Money() if abs(cell.minor) >= _EXACT:
            _write_text(target, _amount(cell))
        case Money():
            places = minor_exponent(cell.currency)
            target.value = decimal_of(cell)
            target.number_format = "0" + ("." + "0" * places if places else "")
        case int():
            target.value = cell
        case str():
            _write_text(target, cell)


def _write_text(target: Any, text: str) -> None:
    shown = neutralise(text)
    quoted = shown.startswith("'") and shown[1:].strip() == text.strip() and shown != text
    target.value = shown[1:] if quoted else shown
    target.data_type = "s"  # else a text that starts with = is written as a formula
    target.number_format = "@"
    target.quotePrefix = quoted


def _amount(money: Money) -> str:
    return f"{decimal_of(money):.{minor_exponent(money.currency)}f}"


def _csv_cell(cell: Cell, column: str) -> str:
    match cell:
        case None:
            return ""
        case Money():
            return _amount(cell)
        case int():
            return str(cell)
        case str():
            # Our own instants and days are what they look like.
            return cell if column in _OUR_OWN else neutralise(cell)


_OUR_OWN = frozenset({"placed_on", "day", "happened", "booked", "charged", "despatched", "compared"})
