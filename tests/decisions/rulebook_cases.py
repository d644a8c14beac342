"""Rows and questions for the rulebook's laws, and a second reading of the tables in plain Python."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from hypothesis import strategies as st

from pickgate.rulebook.tables import NOTE_FIELDS, SHAPES, Column, Kind, Row, Tables

# Few letters, so that cells and questions meet; among them those that end a literal, start a formula or change case.
LETTERS = "abAB*ßéİ\u0301\"'\\.$#=+-(1 "
WORDS = st.text(LETTERS, max_size=6)
SHOPS = ("uk", "de")
COUNTRIES = ("GB", "DE", "IE")
TAGS = ("vip", "VIP", "gift", "giftwrap", 'a"b', "Straße", "STRASSE")
SKUS = ("A-1", "a-1", "007", "e\u0301", "é", 'x"y', "#9", "9")
AMOUNTS = ("0", "100", "100.10", "999999999999.9999")


Question = Mapping[str, str | tuple[str, ...] | Decimal]


def cell_for(column: Column) -> st.SearchStrategy[str]:
    """Draw a canonical cell: one that parsing leaves as it is."""
    match column.kind:
        case Kind.SHOP:
            return st.sampled_from(SHOPS)
        case Kind.COUNTRY:
            return st.sampled_from(COUNTRIES)
        case Kind.ID:
            return st.sampled_from(("1", "70000000001"))
        case Kind.TAG:
            return st.sampled_from([unicodedata.normalize("NFC", tag) for tag in TAGS])
        case Kind.SKU:
            return st.sampled_from([unicodedata.normalize("NFC", sku) for sku in SKUS]) | texts
        case Kind.AMOUNT:
            return st.sampled_from(AMOUNTS)
        case Kind.PRIORITY:
            return st.integers(1, 99).map(str)
        case Kind.UNITS:
            return st.integers(1, 12).map(str)
        case Kind.NOTE_FIELD:
            return st.sampled_from(NOTE_FIELDS)
        case Kind.FLAG:
            return st.just("yes")
        case _:
            return texts


texts = WORDS.map(lambda text: unicodedata.normalize("NFC", text).strip()).filter(bool)


@st.composite
def rows_of(draw: st.DrawFn, table: str) -> tuple[Row, ...]:
    """Draw rows for a table that is asked of the engine: any inputs, outputs that can be told apart."""
    shape = SHAPES[table]
    rows = []
    for _ in range(draw(st.integers(1, 5))):
        cells = {}
        for column in shape.inputs:
            cells[column.name] = draw(st.just("") | cell_for(column)) if not column.required else draw(cell_for(column))
        for column in shape.columns:
            if not column.is_input:
                cells[column.name] = draw(cell_for(column))
        if table == "locations":
            cells["ignore"] = ""
        rows.append(tuple(cells[name] for name in shape.names))
    return tuple(rows)


def reference_row(tables: Tables, table: str, question: Question) -> int:
    """Return the first row that allows the question, or 0: the rule of the tables said once more, slowly."""
    for number, record in enumerate(tables.records(table), start=1):
        if all(_allows(column, record[column.name], question[column.name]) for column in SHAPES[table].inputs):
            return number
    return 0


def _allows(column: Column, cell: str, value: str | tuple[str, ...] | Decimal) -> bool:
    if cell == "":
        return True
    if isinstance(value, Decimal):
        return value > Decimal(cell)
    if isinstance(value, tuple):
        return any(_caseless(cell) == _caseless(tag) for tag in value)
    if column.kind is Kind.SKU:
        return unicodedata.normalize("NFC", cell).strip() == unicodedata.normalize("NFC", value).strip()
    if column.kind is Kind.PATTERN:
        return matches_slowly(_caseless(cell), _caseless(value))
    return _caseless(cell) == _caseless(value)


def matches_slowly(pattern: str, text: str) -> bool:
    """Match a pattern with * by trying everything."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return matches_slowly(pattern[1:], text) or (bool(text) and matches_slowly(pattern, text[1:]))
    return bool(text) and pattern[0] == text[0] and matches_slowly(pattern[1:], text[1:])


def _caseless(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).strip().casefold())
