"""The eight tables: their columns, what each cell may hold, and the value that carries one whole set of rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum

MAX_ROWS = 50_000
MAX_CELL_CHARACTERS = 255
MAX_CODE_CHARACTERS = 50  # the warehouse's own limit for a product code
NOTE_FIELDS = (
    "order_notes", "pick_notes", "packing_notes", "delivery_notes",
    "string1", "string2", "string3", "string4", "string5",
)  # fmt: skip

Row = tuple[str, ...]
"""One row's cells as canonical text, in the order of its table's columns."""


class Kind(Enum):
    """What a cell may hold, and how it is compared."""

    SHOP = "a shop's key"
    ID = "digits"
    NAME = "text, compared whole and without regard to case"
    PATTERN = "text in which * stands for anything, compared whole and without regard to case"
    COUNTRY = "ISO 3166 alpha-2"
    TAG = "one tag, compared whole and without regard to case"
    SKU = "a shop's SKU, compared exactly after normalising"
    CODE = "a code of the warehouse, taken as it is"
    FLAG = "yes or nothing"
    UNITS = "a whole number from 1"
    PRIORITY = "1 to 99"
    AMOUNT = "a number, exceeded or not"
    NOTE_FIELD = "a note field of the warehouse's order"
    WORDS = "free text"


@dataclass(frozen=True, slots=True)
class Column:
    """`required`: no cell may be empty. `may_be_absent`: the whole column may be missing."""

    name: str
    kind: Kind
    is_input: bool = True
    required: bool = False
    may_be_absent: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """`keyed`: looked up by its key; `rejects_repeats`: two rows with equal inputs are a mistake, not a fallback."""

    table: str
    columns: tuple[Column, ...]
    keyed: bool = False
    rejects_repeats: bool = False

    @property
    def inputs(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.is_input)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def index(self, name: str) -> int:
        return self.names.index(name)


_SHOP = Column("shop", Kind.SHOP)
_TITLE = Column("shipping_title", Kind.PATTERN)
_COUNTRY = Column("country", Kind.COUNTRY)
_TAG = Column("tag", Kind.TAG)
_IGNORE = Column("ignore", Kind.FLAG, is_input=False, may_be_absent=True)
_UNITS = Column("units", Kind.UNITS, is_input=False, may_be_absent=True)


def _output(name: str, kind: Kind, *, required: bool = False) -> Column:
    return Column(name, kind, is_input=False, required=required)


SHAPES: Mapping[str, Shape] = {
    shape.table: shape
    for shape in (
        Shape(
            "locations",
            (
                _SHOP,
                Column("location_id", Kind.ID),
                Column("location_name", Kind.NAME),
                _output("account", Kind.CODE),
                _output("warehouse", Kind.CODE),
                _IGNORE,
            ),
            rejects_repeats=True,
        ),
        Shape(
            "services",
            (
                _SHOP,
                _TITLE,
                _COUNTRY,
                Column("warehouse", Kind.NAME),
                _output("carrier", Kind.CODE),
                _output("service", Kind.CODE),
            ),
        ),
        Shape("priorities", (_SHOP, _TAG, _TITLE, _COUNTRY, _output("priority", Kind.PRIORITY, required=True))),
        Shape(
            "skus",
            (
                _SHOP,
                Column("sku", Kind.SKU, required=True),
                _output("product_code", Kind.CODE),
                _UNITS,
                _IGNORE,
            ),
            keyed=True,
            rejects_repeats=True,
        ),
        Shape(
            "bundles",
            (
                _SHOP,
                Column("bundle_sku", Kind.SKU, required=True),
                _output("component_code", Kind.CODE, required=True),
                _UNITS,
            ),
            keyed=True,
        ),
        Shape(
            "notes",
            (_SHOP, Column("attribute", Kind.NAME, required=True), _output("field", Kind.NOTE_FIELD, required=True)),
            rejects_repeats=True,
        ),
        Shape("splits", (_SHOP, Column("sku", Kind.SKU), _TAG, _output("group", Kind.WORDS, required=True))),
        Shape(
            "holds",
            (
                _SHOP,
                _TAG,
                _COUNTRY,
                Column("total_over", Kind.AMOUNT),
                _output("reason", Kind.WORDS, required=True),
            ),
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The rows of all eight tables, already checked. Equal when every cell is equal; row 1 is the first."""

    locations: tuple[Row, ...] = ()
    services: tuple[Row, ...] = ()
    priorities: tuple[Row, ...] = ()
    skus: tuple[Row, ...] = ()
    bundles: tuple[Row, ...] = ()
    notes: tuple[Row, ...] = ()
    splits: tuple[Row, ...] = ()
    holds: tuple[Row, ...] = ()

    def rows(self, table: str) -> tuple[Row, ...]:
        """Return one table's rows. Raises KeyError for a table that does not exist."""
        SHAPES[table]
        rows: tuple[Row, ...] = getattr(self, table)
        return rows

    def records(self, table: str) -> list[dict[str, str]]:
        """Return one table's rows as column → exact text, for showing and storing."""
        names = SHAPES[table].names
        return [dict(zip(names, row, strict=True)) for row in self.rows(table)]

    def to_json(self) -> dict[str, list[dict[str, str]]]:
        """Return every table's records: the stored form."""
        return {table: self.records(table) for table in SHAPES}

    @classmethod
    def from_json(cls, stored: Mapping[str, Sequence[Mapping[str, str]]]) -> Tables:
        """Take back what `to_json` gave. It was checked before it was stored: only the shape is looked at again.

        A table or column that did not exist when it was stored is empty. Raises ValueError for an unknown one.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(stored) - known):
            raise ValueError(f"The stored rulebook has unknown tables: {', '.join(unknown)}.")
        rows: dict[str, tuple[Row, ...]] = {}
        for table, records in stored.items():
            names = SHAPES[table].names
            if strange := sorted({name for record in records for name in record} - set(names)):
                raise ValueError(f"The stored table {table} has unknown columns: {', '.join(strange)}.")
            rows[table] = tuple(tuple(record.get(name, "") for name in names) for record in records)
        return cls(**rows)

    def digest(self) -> str:
        """Return 64 hex characters that are equal for equal tables."""
        text = json.dumps(self.to_json(), ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
