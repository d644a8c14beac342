"""One version of the rulebook, ready to answer: the `Rules` that decisions ask.

Six tables are asked of the ZEN engine, first hit; `skus` and `bundles` are looked up by key. (ADR 0005)
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import zen

from pickgate.domain.rules import Found, Ignored, NotListed, Place, Product, RuleRow, Service
from pickgate.domain.shop import Address
from pickgate.rulebook.addresses import find_address_problem
from pickgate.rulebook.csv_files import parse_folder
from pickgate.rulebook.tables import SHAPES, Kind, Row, Tables
from pickgate.rulebook.text import clean, comparable, fold, normalise_sku
from pickgate.rulebook.zen_model import Value, render_decision, render_question

REMEMBERED_ANSWERS = 20_000
_ENGINE_TABLES = tuple(table for table, shape in SHAPES.items() if not shape.keyed)


class Rulebook:
    """Satisfies `pickgate.domain.rules.Rules`. Immutable; safe to share between threads.

    Args:
        strip_characters: Characters removed from every SKU, because the warehouse's product codes cannot hold them.
    """

    def __init__(self, version: int, tables: Tables, *, strip_characters: str = "") -> None:
        self._version = version
        self._tables = tables
        self._strip = strip_characters
        self._decisions = {
            table: zen.ZenEngine().create_decision(render_decision(table, rows, strip_characters=strip_characters))
            for table in _ENGINE_TABLES
            if (rows := tables.rows(table))
        }
        self._named = {table: _texts_named_in(table, tables, strip_characters) for table in self._decisions}
        self._asked = lru_cache(maxsize=REMEMBERED_ANSWERS)(self._evaluate)
        self._skus = _index(tables.skus, strip_characters)
        self._bundles = _index(tables.bundles, strip_characters)

    @classmethod
    def from_folder(cls, path: Path, version: int, *, strip_characters: str = "") -> Rulebook:
        """Read eight CSV files. Raises RulebookRefused with every problem, OSError when they cannot be read."""
        return cls(version, parse_folder(path), strip_characters=strip_characters)

    @classmethod
    def empty(cls, version: int = 0) -> Rulebook:
        """Return a rulebook without rows: SKUs are used as they are, locations and services are not listed."""
        return cls(version, Tables())

    @property
    def version(self) -> int:
        return self._version

    @property
    def tables(self) -> Tables:
        return self._tables

    def place(self, *, shop: str, location_id: str, location_name: str) -> Found[Place] | Ignored | NotListed:
        row = self._ask("locations", shop, location_id, location_name)
        if not row:
            return NotListed("locations", f"{location_name} ({location_id})")
        _, _, _, account, warehouse, ignore = self._tables.locations[row - 1]
        why = self._row("locations", row)
        return Ignored(why) if ignore else Found(Place(account=account, warehouse=warehouse), why)

    def service(self, *, shop: str, shipping_title: str, country: str, warehouse: str) -> Found[Service] | NotListed:
        row = self._ask("services", shop, shipping_title, country, warehouse)
        if not row:
            return NotListed("services", f"{shipping_title} to {country} from {warehouse}")
        *_, carrier, service = self._tables.services[row - 1]
        return Found(Service(carrier=carrier or None, service=service or None), self._row("services", row))

    def priority(self, *, shop: str, tags: tuple[str, ...], shipping_title: str, country: str) -> Found[int] | None:
        row = self._ask("priorities", shop, tags, shipping_title, country)
        return Found(int(self._tables.priorities[row - 1][-1]), self._row("priorities", row)) if row else None

    def products(self, *, shop: str, sku: str) -> Found[tuple[Product, ...]] | Ignored | NotListed:
        """Return the warehouse products behind one shop unit of a SKU: one, or a bundle's components in their order.

        A SKU without a row is returned as itself after normalising, with row 0 of `skus`.
        """
        code = normalise_sku(sku, self._strip)
        if not code:
            return NotListed("skus", clean(sku) or "a line without a SKU")
        shop = fold(shop)
        if bundle := _first_for(shop, self._bundles.get(code, ())):
            number, first = bundle
            components = tuple(
                Product(code=row[2], units=int(row[3] or 1)) for _, row in self._bundles[code] if row[0] == first[0]
            )
            return Found(components, self._row("bundles", number))
        if not (listed := _first_for(shop, self._skus.get(code, ()))):
            return Found((Product(code=code),), self._row("skus", 0))
        number, (_, _, product_code, units, ignore) = listed
        why = self._row("skus", number)
        return Ignored(why) if ignore else Found((Product(code=product_code, units=int(units or 1)),), why)

    def note_field(self, *, shop: str, attribute: str) -> Found[str] | None:
        row = self._ask("notes", shop, attribute)
        return Found(self._tables.notes[row - 1][-1], self._row("notes", row)) if row else None

    def group(self, *, shop: str, sku: str, tags: tuple[str, ...]) -> Found[str] | None:
        row = self._ask("splits", shop, sku, tags)
        return Found(self._tables.splits[row - 1][-1], self._row("splits", row)) if row else None

    def hold(self, *, shop: str, tags: tuple[str, ...], country: str, total: Decimal) -> Found[str] | None:
        row = self._ask("holds", shop, tags, country, total)
        return Found(self._tables.holds[row - 1][-1], self._row("holds", row)) if row else None

    def address_problem(self, address: Address) -> tuple[str, str] | None:
        return find_address_problem(address)

    def _row(self, table: str, row: int) -> RuleRow:
        return RuleRow(table=table, row=row, version=self._version)

    def _ask(self, table: str, *values: Value) -> int:
        """Return the number of the first row that allows these values, or 0. Values in the order of the inputs."""
        if table not in self._decisions:
            return 0
        # A text that no row names cannot change the answer and would only crowd the memory of answers: it is left out.
        asked: list[Value] = []
        for column, named, value in zip(SHAPES[table].inputs, self._named[table], values, strict=True):
            if isinstance(value, tuple):
                asked.append(tuple(sorted((named or frozenset()).intersection(map(fold, value)))))
            elif isinstance(value, str):
                text = comparable(column.kind, value, self._strip)
                asked.append(text if named is None or text in named else "")
            else:
                asked.append(value)
        return self._asked(table, *asked)

    def _evaluate(self, table: str, *values: Value) -> int:
        answer = self._decisions[table].evaluate(render_question(table, values))
        return int(answer["result"].get("row", 0))


def _texts_named_in(table: str, tables: Tables, strip_characters: str) -> tuple[frozenset[str] | None, ...]:
    """Return, for each input column, the texts that its cells name; None where cells are patterns or amounts."""
    return tuple(
        frozenset(comparable(column.kind, row[at], strip_characters) for row in tables.rows(table) if row[at])
        if column.kind not in (Kind.PATTERN, Kind.AMOUNT)
        else None
        for at, column in enumerate(SHAPES[table].columns)
        if column.is_input
    )


def _index(rows: Iterable[Row], strip_characters: str) -> dict[str, tuple[tuple[int, Row], ...]]:
    """Return normalised SKU → numbered rows in the table's order. Column 0 is the shop, column 1 the SKU."""
    index: dict[str, tuple[tuple[int, Row], ...]] = {}
    for number, row in enumerate(rows, start=1):
        code = normalise_sku(row[1], strip_characters)
        index[code] = (*index.get(code, ()), (number, row))
    return index


def _first_for(shop: str, rows: Iterable[tuple[int, Row]]) -> tuple[int, Row] | None:
    return next(((number, row) for number, row in rows if not row[0] or row[0] == shop), None)
