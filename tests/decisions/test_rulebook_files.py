"""Files as spreadsheets write them are read; what cannot be used is refused with its place and the way out."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from decisions.rulebook_cases import cell_for
from pickgate.rulebook.csv_files import parse_files, parse_folder, render_csv, render_files
from pickgate.rulebook.parse import parse_records
from pickgate.rulebook.problems import RulebookRefused
from pickgate.rulebook.tables import SHAPES, Row, Tables
from pickgate.rulebook.workbook import parse_workbook, render_workbook

STARTER = Path(__file__).parents[2] / "rulebook"
EMPTY = render_files(Tables())


def parse_one(table: str, body: str | bytes) -> Tables:
    return parse_files({**EMPTY, f"{table}.csv": body if isinstance(body, bytes) else body.encode()})


def refused(table: str, body: str | bytes) -> list[str]:
    with pytest.raises(RulebookRefused) as refusal:
        parse_one(table, body)
    assert str(refusal.value).splitlines() == [str(problem) for problem in refusal.value.problems]
    return [str(problem) for problem in refusal.value.problems]


NOTES = (("uk", "Gift", "pick_notes"), ("", "note", "string1"))
TOLERATED = {
    "plain": "shop,attribute,field\nuk,Gift,pick_notes\n,note,string1\n",
    "no last line end": "shop,attribute,field\nuk,Gift,pick_notes\n,note,string1",
    "byte order mark": "\ufeffshop,attribute,field\nuk,Gift,pick_notes\n,note,string1\n",
    "utf-16": "shop\tattribute\tfield\r\nuk\tGift\tpick_notes\r\n\tnote\tstring1\r\n".encode("utf-16"),
    "semicolons": "shop;attribute;field\nuk;Gift;pick_notes\n;note;string1\n",
    "a line that names the separator": "sep=;\r\nshop;attribute;field\r\nuk;Gift;pick_notes\r\n;note;string1\r\n",
    "tabs": "shop\tattribute\tfield\nuk\tGift\tpick_notes\n\tnote\tstring1\n",
    "windows line ends": "shop,attribute,field\r\nuk,Gift,pick_notes\r\n,note,string1\r\n",
    "old mac line ends": "shop,attribute,field\ruk,Gift,pick_notes\r,note,string1\r",
    "quoted": '"shop","attribute","field"\n"uk","Gift","pick_notes"\n"","note","string1"\n',
    "empty rows": "\n,,\nshop,attribute,field\n,,\nuk,Gift,pick_notes\n\n ,note,string1\n,,\n,,\n",
    "empty columns": "shop,attribute,field,,\nuk,Gift,pick_notes,,\n,note,string1,\n",
    "headings as people write them": " Shop , ATTRIBUTE,Field \n UK, Gift ,PICK_NOTES\n,note,string1\n",
    "columns in another order": "field,shop,attribute\npick_notes,uk,Gift\nstring1,,note\n",
}


@pytest.mark.parametrize("body", TOLERATED.values(), ids=TOLERATED)
def test_tolerant_reading(body: str | bytes) -> None:
    assert parse_one("notes", body) == Tables(notes=NOTES)


def test_a_line_break_in_a_quoted_cell_is_part_of_it() -> None:
    tables = parse_one("holds", 'shop,tag,country,total_over,reason\n,,,,"call\r\nfirst"\n,vip,,5,"a ""b"", c"\n')
    assert tables.holds == (("", "", "", "", "call\nfirst"), ("", "vip", "", "5", 'a "b", c'))


def test_columns_with_a_default_may_be_absent() -> None:
    assert parse_one("skus", "shop,sku,product_code\n,A,B\n").skus == (("", "A", "B", "", ""),)


S = "shop,sku,product_code,units,ignore\n"
B = "shop,bundle_sku,component_code,units\n"
L = "shop,location_id,location_name,account,warehouse,ignore\n"
V = "shop,shipping_title,country,warehouse,carrier,service\n"
P = "shop,tag,shipping_title,country,priority\n"
H = "shop,tag,country,total_over,reason\n"
TEXT = "Format the column as text and type the code again; if it is right, put an apostrophe before it."
REFUSED = {
    "unknown column": (
        "notes", "shop,atribute,field\n",
        ['notes.csv, column "atribute": is unknown. Rename it to attribute.',
         'notes.csv, column "attribute": is missing. Add the column; its cells may be empty.'],
    ),
    "column twice": ("notes", "shop,attribute,field,Shop\n", [
        'notes.csv, column "shop": stands twice. Keep one of them.']),
    "cell outside": (
        "notes", "shop,attribute,field\nuk,Hello, you,pick_notes\n",
        ['notes.csv, row 1 (line 2): "pick_notes" stands outside the columns. '
         "Quote a text that holds the separator, or remove the cell."],
    ),
    "empty file": ("notes", "\n,,\n", ["notes.csv: is empty. Write the headings shop,attribute,field."]),
    "not UTF-8": ("notes", b"shop,attribute,field\nuk,caf\xe9,pick_notes\n",
                  ['notes.csv, line 2: is not UTF-8. Save it as "CSV UTF-8".']),
    "open quote": (
        "notes", 'shop,attribute,field\nuk,"a,b\n',
        ["notes.csv, line 2: cannot be read (unexpected end of data). Check the quotes of this line."],
    ),
    "note field": (
        "notes", "shop,attribute,field\n\nuk,Gift,packing_note\n",
        ['notes.csv, row 1 (line 3), column "field": "packing_note" is not a field of the warehouse\'s order. '
         "Write packing_notes."],
    ),
    "bad units": (
        "skus", S + ",A,B,two,\n,C,D,0,\n,E,F,1.5,\n",
        ['skus.csv, row 1 (line 2), column "units": "two" is not a whole number. '
         "Write how many warehouse units one shop unit is, such as 6.",
         'skus.csv, row 2 (line 3), column "units": "0" is outside 1 to 100000. '
         "Write at least 1; to drop the line, use ignore.",
         'skus.csv, row 3 (line 4), column "units": "1.5" is not a whole number. '
         "Write how many warehouse units one shop unit is, such as 6."],
    ),
    "a date": ("skus", S + ",Mar-01,B,,\n", [
        'skus.csv, row 1 (line 2), column "sku": "Mar-01" is a code that a spreadsheet has turned into a date. '
        + TEXT]),
    "a rounded number": ("skus", S + ",A,1.23E+11,,\n", [
        'skus.csv, row 1 (line 2), column "product_code": "1.23E+11" is a long number that a spreadsheet has rounded. '
        + TEXT]),
    "lost zeros": ("skus", S + ",00123,A,,\n,00456,B,,\n,789,C,,\n", [
        'skus.csv, row 3 (line 4), column "sku": "789" looks as if a spreadsheet had cut its leading zeros. '
        "Type the zeros again; if it is right, put an apostrophe before it."]),
    "a formula": ("skus", S + ',"=""00123""",A,,\n', [
        'skus.csv, row 1 (line 2), column "sku": "=""00123""" is a formula. '.replace('""', '"')
        + "Write the value itself; if it is text, put an apostrophe before it."]),
    "a spreadsheet's error": ("skus", S + ",A,#N/A,,\n", [
        'skus.csv, row 1 (line 2), column "product_code": "#N/A" is a spreadsheet\'s error. '
        "Write the value itself; if it is text, put an apostrophe before it."]),
    "a control character": ("skus", S + ",A\x00B,C,,\n", [
        'skus.csv, row 1 (line 2), column "sku": "A\x00B" holds the control character U+0000. '
        "Remove it, or type the cell again."]),
    "a long code": ("skus", S + f",A,{'B' * 51},,\n", [
        f'skus.csv, row 1 (line 2), column "product_code": "{"B" * 51}" has 51 characters. '
        "The warehouse's codes have at most 50."]),
    "no SKU": ("skus", S + "uk,,B,,\n", [
        'skus.csv, row 1 (line 2), column "sku": is empty. Write a shop\'s SKU, compared exactly after normalising.']),
    "neither code nor ignore": ("skus", S + ",A,,,no\n", [
        'skus.csv, row 1 (line 2), column "product_code": is empty. '
        "Give the product code, or write yes under ignore."]),
    "code and ignore": ("skus", S + ",A,B,,x\n", [
        'skus.csv, row 1 (line 2), column "ignore": is yes while a product code or units are given. '
        "Keep one of the two."]),
    "a SKU twice": ("skus", S + "uk,A,B,,\nuk, A,C,,\n", [
        'skus.csv, row 2 (line 3), column "sku": "A" stands in row 1 for the same shop already. '
        "Keep one of the two rows."]),
    "bundle in a bundle": ("bundles", B + ",K,P,1\nuk,K2,K,1\n", [
        'bundles.csv, row 2 (line 3), column "component_code": "K" is a bundle itself (row 1). '
        "List the warehouse products of the inner bundle instead; bundles are opened once."]),
    "bundle of itself": ("bundles", B + "uk,K,K,1\n", [
        'bundles.csv, row 1 (line 2), column "component_code": "K" is a bundle itself (row 1). '
        "List the warehouse products of the inner bundle instead; bundles are opened once."]),
    "component twice": ("bundles", B + "uk,K,P,1\nuk,K,P,2\n", [
        'bundles.csv, row 2 (line 3), column "component_code": "P" is a component of this bundle in row 1 already. '
        "Keep one row and add up the units."]),
    "half a location": ("locations", L + "uk,1,,A,,\n", [
        'locations.csv, row 1 (line 2), column "warehouse": is empty. '
        "Give account and warehouse, or write yes under ignore."]),
    "ignored and placed": ("locations", L + "uk,1,,A,,yes\n", [
        'locations.csv, row 1 (line 2), column "ignore": is yes while an account or a warehouse is given. '
        "Keep one of the two."]),
    "a rounded location": ("locations", L + "uk,6.87E+10,,A,B,\n", [
        'locations.csv, row 1 (line 2), column "location_id": "6.87E+10" '
        'is a long number that a spreadsheet has rounded. ' + TEXT]),
    "carrier alone": ("services", V + ",*,,,DPD,\n", [
        'services.csv, row 1 (line 2), column "service": is empty. '
        "Give carrier and service, or neither to take the warehouse's default."]),
    "service alone": ("services", V + ",*,,,,ND\n", [
        'services.csv, row 1 (line 2), column "carrier": is empty. '
        "Give carrier and service, or neither to take the warehouse's default."]),
    "UK": ("services", V + ",*,UK,,,\n", [
        'services.csv, row 1 (line 2), column "country": "UK" is not a country of ISO 3166 alpha-2. Write GB.']),
    "no such country": ("services", V + ",*,QQ,,,\n", [
        'services.csv, row 1 (line 2), column "country": "QQ" is not a country of ISO 3166 alpha-2. '
        "Write its two letters, such as GB."]),
    "priority 0 and 100": ("priorities", P + ",,,,0\n,,,,100\n,,,,\n", [
        'priorities.csv, row 1 (line 2), column "priority": "0" is outside 1 to 99. Write 1 (highest) to 99.',
        'priorities.csv, row 2 (line 3), column "priority": "100" is outside 1 to 99. Write 1 (highest) to 99.']),
    "two tags": ("priorities", P + ',"vip,gift",,,5\n', [
        'priorities.csv, row 1 (line 2), column "tag": "vip,gift" holds a comma, which no tag can. '
        "Write one tag in a cell, and one row for each tag."]),
    "a decimal comma": ("holds", H + ',,,"1.000,50",large\n', [
        'holds.csv, row 1 (line 2), column "total_over": "1.000,50" is not an amount. '
        "Write digits with a full stop for decimals, such as 1000.50."]),
    "a shop's name": ("holds", H + "Example UK,,,,large\n", [
        'holds.csv, row 1 (line 2), column "shop": "Example UK" is not a shop\'s key. '
        "Write the key from the settings, such as uk; leave it empty for all."]),
}  # fmt: skip


@pytest.mark.parametrize(("table", "body", "problems"), REFUSED.values(), ids=REFUSED)
def test_refusals(table: str, body: str | bytes, problems: list[str]) -> None:
    assert refused(table, body) == problems


def test_a_sku_that_is_also_a_bundle_is_refused_where_their_shops_meet() -> None:
    bundles = (B + "uk,K,P,1\n").encode()
    with pytest.raises(RulebookRefused) as refusal:
        parse_files({**EMPTY, "bundles.csv": bundles, "skus.csv": (S + ",K,Q,,\n").encode()})
    assert [(found.file, found.row, found.column) for found in refusal.value.problems] == [("skus.csv", 1, "sku")]
    assert parse_files({**EMPTY, "bundles.csv": bundles, "skus.csv": (S + "de,K,Q,,\n").encode()}).skus == (
        ("de", "K", "Q", "", ""),
    )


def test_the_set_of_files_must_be_complete_and_known() -> None:
    with pytest.raises(RulebookRefused) as refusal:
        parse_files({("service.csv" if name == "services.csv" else name): body for name, body in EMPTY.items()})
    assert [str(problem) for problem in refusal.value.problems] == [
        "service.csv: is not a table of the rulebook. Rename it to services.csv.",
        "services.csv: is missing. Add it; an empty table has its headings only.",
    ]


def test_an_apostrophe_vouches_for_a_code_and_stays_out_of_it() -> None:
    tables = parse_one("skus", S + ",'Mar-01,'1.2E+05,,\n,001,X,,\n,002,Y,,\n,'7,'=Z,,\n,'s-Hertogenbosch,Q,,\n")
    assert [row[1:3] for row in tables.skus] == [
        ("Mar-01", "1.2E+05"), ("001", "X"), ("002", "Y"), ("7", "=Z"), ("'s-Hertogenbosch", "Q"),
    ]  # fmt: skip
    assert [line.split(b",")[1] for line in render_csv("skus", tables.skus).splitlines()[1:]] == [
        b"'Mar-01", b"001", b"002", b"'7", b"'s-Hertogenbosch",
    ]  # fmt: skip


def test_no_exported_cell_starts_as_a_formula() -> None:
    rows: tuple[Row, ...] = (("", "@vip", "", "", "=cmd|' /C calc'!A0"), ("", "-5%", "", "", "+1"))
    lines = render_csv("holds", rows).decode().splitlines()
    assert lines[1:] == [",'@vip,,,'=cmd|' /C calc'!A0", ",'-5%,,,'+1"]


def test_the_starter_set_reads_and_writes_back_byte_for_byte() -> None:
    assert render_files(parse_folder(STARTER)) == {path.name: path.read_bytes() for path in STARTER.glob("*.csv")}


@st.composite
def whole_tables(draw: st.DrawFn) -> Tables:
    """Draw tables that agree with themselves: optional pairs whole, keys once, bundles apart from SKUs."""
    drawn: dict[str, tuple[Row, ...]] = {}
    for table, shape in SHAPES.items():
        rows: dict[Row, Row] = {}
        for number in range(draw(st.integers(0, 4))):
            record = {
                column.name: draw(cell_for(column) if column.required else st.just("") | cell_for(column))
                for column in shape.columns
            }
            for one, other in (("carrier", "service"), ("account", "warehouse"), ("product_code", "product_code")):
                if one in record and other in record:
                    record[other] = record[other] if record[one] else ""
                    record[one] = record[one] if record[other] else ""
            if "ignore" in record:
                record["ignore"] = "" if record.get("account") or record.get("product_code") else "yes"
                if record["ignore"] and "units" in record:
                    record["units"] = ""
            for key in ("bundle_sku", "component_code"):
                if key in record:
                    record[key] = f"{key[0]}{number}{record[key]}"[:40]
            row = tuple(record[name] for name in shape.names)
            if not any(row):  # an empty line is no row: "anything" is written as *
                continue
            rows.setdefault(tuple(cell.casefold() for cell in row[: len(shape.inputs)]), row)
        drawn[table] = tuple(rows.values())
    return Tables(**drawn)


@given(tables=whole_tables())
@settings(max_examples=60, deadline=None)
def test_csv_files_read_back_as_they_were_written(tables: Tables) -> None:
    files = render_files(tables)
    assert parse_files(files) == tables
    assert render_files(parse_files(files)) == files


@given(tables=whole_tables())
@settings(max_examples=15, deadline=None)
def test_workbooks_read_back_as_they_were_written(tables: Tables) -> None:
    assert parse_workbook(render_workbook(tables)) == tables


@given(tables=whole_tables())
@settings(max_examples=40, deadline=None)
def test_stored_tables_read_back_as_they_were(tables: Tables) -> None:
    again = Tables.from_json(tables.to_json())
    assert (again, again.digest()) == (tables, tables.digest())


def test_records_from_a_grid_are_read_like_files() -> None:
    drafts: dict[str, list[dict[str, str]]] = {table: [] for table in SHAPES}
    drafts["notes"] = [{"shop": "UK", "attribute": " Gift", "field": "pick_notes"}, {"shop": " "}]
    assert parse_records(drafts) == Tables(notes=(("uk", "Gift", "pick_notes"),))
    drafts["notes"] = [{"attribute": "Gift", "feild": "pick_notes"}]
    with pytest.raises(RulebookRefused, match='notes, column "feild": is unknown'):
        parse_records(drafts)


def test_stored_tables_of_a_later_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown tables: returns"):
        Tables.from_json({"returns": []})
    with pytest.raises(ValueError, match="notes has unknown columns: colour"):
        Tables.from_json({"notes": [{"colour": "red"}]})


def book_with(table: str, cells: list[list[object]], *, formats: dict[str, str] | None = None) -> bytes:
    book = load_workbook(io.BytesIO(render_workbook(Tables())))
    for row in cells:
        book[table].append(row)
    for place, number_format in (formats or {}).items():
        book[table][place].number_format = number_format
    return written(book)


def written(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_numbers_in_a_workbook_are_read_as_they_are_shown() -> None:
    body = book_with("skus", [["", 123, "A", 6, None], ["", "B", 4711.0, None, None]], formats={"B2": "00000"})
    assert parse_workbook(body).skus == (("", "00123", "A", "6", ""), ("", "B", "4711", "", ""))


WORKBOOK_REFUSALS = {
    "formula": (
        ["", "=1+1", "A", "", ""],
        'skus, line 2, column "B": "=1+1" is a formula. Paste the value in its place.',
    ),
    "too long a number": (
        ["", 12345678901234567, "A", "", ""],
        'skus, line 2, column "B": "1.234567890123457e+16" is a number too long for a spreadsheet. '
        "Format the column as text and type the cell again.",
    ),
    "text that looks like a date": (
        ["", "01-Mar", "A", "", ""],
        'skus, row 1 (line 2), column "sku": "01-Mar" is a code that a spreadsheet has turned into a date. ' + TEXT,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("cells", "problem"), WORKBOOK_REFUSALS.values(), ids=WORKBOOK_REFUSALS)
def test_workbook_refusals(cells: list[object], problem: str) -> None:
    with pytest.raises(RulebookRefused) as refusal:
        parse_workbook(book_with("skus", [cells]))
    assert [str(found) for found in refusal.value.problems] == [problem]


def test_what_is_not_a_workbook_is_refused() -> None:
    with pytest.raises(RulebookRefused, match="workbook: cannot be read"):
        parse_workbook(b"shop,attribute,field\n")


def test_a_sheet_that_nobody_reads_is_refused() -> None:
    book = load_workbook(io.BytesIO(render_workbook(Tables())))
    book["skus"].title = "SKU"
    with pytest.raises(RulebookRefused) as refusal:
        parse_workbook(written(book))
    assert [(found.file, found.remedy) for found in refusal.value.problems] == [
        ("sku", "Rename it to skus"),
        ("skus", "Add it; an empty table has its headings only"),
    ]


def test_nothing_in_an_exported_workbook_is_computed() -> None:
    body = render_workbook(Tables(holds=(("", "vip", "", "", "=1+1"),)))
    cell = load_workbook(io.BytesIO(body))["holds"]["E2"]
    assert (cell.data_type, cell.value, cell.quotePrefix) == ("s", "=1+1", True)
