"""One cell: what a person wrote, made canonical, or refused with the way out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

from pickgate.rulebook.countries import COUNTRIES, MEANT
from pickgate.rulebook.problems import nearest
from pickgate.rulebook.spoiled import describe_spoiled, is_spreadsheet_error
from pickgate.rulebook.tables import MAX_CELL_CHARACTERS, MAX_CODE_CHARACTERS, NOTE_FIELDS, Column, Kind
from pickgate.rulebook.text import clean, fold

MAX_UNITS = 100_000
_SHOP = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_AMOUNT = re.compile(r"\d{1,12}(?:\.\d{1,4})?", re.ASCII)
_FLAGS = {"yes": "yes", "y": "yes", "true": "yes", "1": "yes", "x": "yes", "no": "", "n": "", "false": "", "0": ""}


class CellRefused(Exception):
    """A cell cannot be used: why, and what to write instead."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}. {remedy}.")
        self.reason = reason
        self.remedy = remedy


def parse_cell(column: Column, text: str, *, vouched: bool = False) -> str:
    """Return the cell's canonical text; "" for an empty one. Parsing a canonical text returns it unchanged.

    Args:
        vouched: An apostrophe before the text says that no spreadsheet has changed it.

    Raises CellRefused.
    """
    text = clean(text.replace("\r\n", "\n").replace("\r", "\n"))
    if not text:
        return ""
    _refuse_unwritable(text)
    if not vouched:
        _refuse_computed(text, is_code=column.kind in (Kind.SKU, Kind.CODE, Kind.ID))
    parse = _PARSERS.get(column.kind)
    return parse(text) if parse else text


def _refuse_unwritable(text: str) -> None:
    if len(text) > MAX_CELL_CHARACTERS:
        raise CellRefused(f"has {len(text)} characters", f"Shorten it to {MAX_CELL_CHARACTERS}")
    for letter in text:
        if letter in "\n\t":
            continue
        if unicodedata.category(letter) in ("Cc", "Cs") or ord(letter) & 0xFFFE == 0xFFFE:
            raise CellRefused(f"holds the control character U+{ord(letter):04X}", "Remove it, or type the cell again")


def _refuse_computed(text: str, *, is_code: bool) -> None:
    if text.startswith("="):
        raise CellRefused("is a formula", "Write the value itself; if it is text, put an apostrophe before it")
    if is_spreadsheet_error(text):
        raise CellRefused(
            "is a spreadsheet's error", "Write the value itself; if it is text, put an apostrophe before it"
        )
    if is_code and (spoiled := describe_spoiled(text)):
        raise CellRefused(
            spoiled, "Format the column as text and type the code again; if it is right, put an apostrophe before it"
        )


def _parse_shop(text: str) -> str:
    key = text.lower()
    if not _SHOP.fullmatch(key):
        raise CellRefused("is not a shop's key", "Write the key from the settings, such as uk; leave it empty for all")
    return key


def _parse_id(text: str) -> str:
    digits = text.rpartition("/")[2]
    if not (digits.isascii() and digits.isdigit()):
        raise CellRefused("is not a location's number", "Write the digits at the end of the location's address")
    return digits


def _parse_country(text: str) -> str:
    code = text.upper()
    if code in COUNTRIES:
        return code
    meant = MEANT.get(code)
    raise CellRefused(
        "is not a country of ISO 3166 alpha-2", f"Write {meant}" if meant else "Write its two letters, such as GB"
    )


def _parse_tag(text: str) -> str:
    if "," in text:
        raise CellRefused("holds a comma, which no tag can", "Write one tag in a cell, and one row for each tag")
    return text


def _parse_code(text: str) -> str:
    if len(text) > MAX_CODE_CHARACTERS:
        raise CellRefused(f"has {len(text)} characters", f"The warehouse's codes have at most {MAX_CODE_CHARACTERS}")
    return text


def _parse_flag(text: str) -> str:
    flag = _FLAGS.get(text.lower())
    if flag is None:
        raise CellRefused("is neither yes nor no", "Write yes, or leave it empty")
    return flag


def _parse_units(text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise CellRefused("is not a whole number", "Write how many warehouse units one shop unit is, such as 6")
    if not 1 <= int(text) <= MAX_UNITS:
        raise CellRefused(f"is outside 1 to {MAX_UNITS}", "Write at least 1; to drop the line, use ignore")
    return str(int(text))


def _parse_priority(text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise CellRefused("is not a whole number", "Write 1 (highest) to 99")
    if not 1 <= int(text) <= 99:
        raise CellRefused("is outside 1 to 99", "Write 1 (highest) to 99")
    return str(int(text))


def _parse_amount(text: str) -> str:
    if not _AMOUNT.fullmatch(text):
        raise CellRefused("is not an amount", "Write digits with a full stop for decimals, such as 1000.50")
    return text


def _parse_note_field(text: str) -> str:
    field = fold(text)
    if field not in NOTE_FIELDS:
        near = nearest(field, NOTE_FIELDS)
        raise CellRefused(
            "is not a field of the warehouse's order",
            f"Write {near}" if near else f"Write one of {', '.join(NOTE_FIELDS)}",
        )
    return field


_PARSERS: Mapping[Kind, Callable[[str], str]] = {
    Kind.SHOP: _parse_shop,
    Kind.ID: _parse_id,
    Kind.COUNTRY: _parse_country,
    Kind.TAG: _parse_tag,
    Kind.CODE: _parse_code,
    Kind.FLAG: _parse_flag,
    Kind.UNITS: _parse_units,
    Kind.PRIORITY: _parse_priority,
    Kind.AMOUNT: _parse_amount,
    Kind.NOTE_FIELD: _parse_note_field,
}
