"""The report as files: exact amounts, totals that a controller can add up again, and no text that is run."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from pickgate.domain.money import Money
from pickgate.domain.money_report import Report
from pickgate.domain.money_sheets import Sheet
from pickgate.operations.money_files import ReportTooLarge, decimal_of, neutralise, render_csv, render_workbook

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
EVIL = '=HYPERLINK("http://evil.example","click")'
SHEET = Sheet(
    name="orders",
    title="Orders",
    columns=("currency", "order", "placed_on", "units", "amount", "note"),
    rows=(
        ("GBP", "#1001", "2026-11-24", 2, Money(-1250, "GBP"), EVIL),
        ("GBP", "+1", "2026-11-25", 1, Money(5, "GBP"), None),
        ("JPY", "@x", "2026-11-25", 0, Money(1100, "JPY"), "plain, with a comma"),
        ("KWD", "-", "2026-11-25", 0, Money(1234, "KWD"), "two\nlines"),
    ),
    totals=(("GBP", "all", None, None, Money(-1245, "GBP"), None),),
)
REPORT = Report(month="2026-11", zone="Europe/London", made_at=NOW, sheets=(SHEET,), ties=True)


def read_csv(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def test_csv_is_exact_and_harmless() -> None:
    assert read_csv(render_csv(SHEET)) == [
        ["currency", "order", "placed_on", "units", "amount", "note"],
        ["GBP", "#1001", "2026-11-24", "2", "-12.50", "'" + EVIL],
        ["GBP", "'+1", "2026-11-25", "1", "0.05", ""],
        ["JPY", "'@x", "2026-11-25", "0", "1100", "plain, with a comma"],
        ["KWD", "'-", "2026-11-25", "0", "1.234", "two lines"],
        ["GBP", "all", "", "", "-12.45", ""],
    ]


def test_the_workbook_has_a_cover_and_a_sheet_for_each_question() -> None:
    book = load_workbook(io.BytesIO(render_workbook(REPORT)))
    assert book.sheetnames == ["report", "orders"]
    cover = [[cell.value for cell in row] for row in book["report"].iter_rows()]
    assert cover == [
        ["month", "2026-11"], ["time zone", "Europe/London"], ["state", "open"], ["made at", "2026-12-01 09:30 UTC"],
        ["ties out", "yes"], ["orders", "Orders"],
    ]  # fmt: skip


def test_the_workbooks_amounts_are_numbers_and_its_texts_are_never_formulas() -> None:
    body = render_workbook(REPORT)
    sheet = load_workbook(io.BytesIO(body))["orders"]
    cells: list[list[Any]] = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert [row[4] for row in cells] == [-12.5, 0.05, 1100, 1.234, -12.45]
    assert [row[1] for row in cells] == ["#1001", "+1", "@x", "-", "all"]
    assert cells[0][5] == EVIL
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s", "n"}
    assert sheet.cell(2, 6).quotePrefix
    assert [sheet.cell(line, 5).number_format for line in (2, 4, 5)] == ["0.00", "0", "0.000"]
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        inside = b"".join(archive.read(name) for name in archive.namelist() if "sheets/" in name)
    assert b"<f>" not in inside
    assert b"<v>-12.5</v>" in inside


def test_a_closed_month_says_so() -> None:
    closed = Report(month="2026-11", zone="UTC", made_at=NOW, sheets=(), ties=False, closed_at=NOW, closed_by="=ann")
    rows = {row[0].value: row[1].value for row in load_workbook(io.BytesIO(render_workbook(closed)))["report"]}
    assert rows["state"] == "closed 2026-12-01 09:30 UTC by =ann"
    assert rows["ties out"] == "NO"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"), ("", ""), ("#1001", "#1001"), ("=1", "'=1"), ("+1", "'+1"), ("-1", "'-1"), ("@a", "'@a"),
        ("\t=1", "' =1"), ("\r\n=1", "'  =1"), (" =1", "' =1"), ("＝1", "'＝1"), ("a=1", "a=1"),
        ("2026-11-24", "'2026-11-24"),
        ("1.2E+11", "'1.2E+11"), ("#REF!", "'#REF!"), ("a\x00b", "a b"), ("x" * 40_000, "x" * 32_000),
    ],
)  # fmt: skip
def test_what_begins_like_a_formula_is_disarmed(text: str, shown: str) -> None:
    assert neutralise(text) == shown


@given(st.text(max_size=40))
def test_no_text_whatever_begins_a_formula(text: str) -> None:
    assert not neutralise(text).lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.integers(-(10**15), 10**15), st.sampled_from(["GBP", "JPY", "KWD"]))
def test_amounts_are_exact_whatever_their_size(minor: int, currency: str) -> None:
    places = {"GBP": 2, "JPY": 0, "KWD": 3}[currency]
    assert decimal_of(Money(minor, currency)) * 10**places == Decimal(minor)


def test_an_amount_longer_than_a_spreadsheet_keeps_is_text() -> None:
    rows = ((Money(10**15 - 1, "GBP"),), (Money(10**15, "GBP"),))
    sheet = Sheet(name="orders", title="t", columns=("amount",), rows=rows)
    report = Report(month="2026-11", zone="UTC", made_at=NOW, sheets=(sheet,), ties=True)
    found = load_workbook(io.BytesIO(render_workbook(report)))["orders"]
    assert [found.cell(line, 1).value for line in (2, 3)] == [9999999999999.99, "10000000000000.00"]


def test_a_sheet_that_no_spreadsheet_holds_is_refused() -> None:
    sheet = Sheet(name="orders", title="t", columns=("a",), rows=((1,),) * 1_000_001)
    with pytest.raises(ReportTooLarge, match="orders has 1000001 rows"):
        render_workbook(Report(month="2026-11", zone="UTC", made_at=NOW, sheets=(sheet,), ties=True))
