"""A look at a draft before it is published: rows that cannot do what their author hoped.

Tables that got this far can be used. What is found here is for a person to weigh; only `Severity.ERROR` should stop a
publication: such a row never decides, or leads to a code that the warehouse does not have.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from pickgate.rulebook.problems import nearest
from pickgate.rulebook.reach import find_overlap, find_unreachable
from pickgate.rulebook.tables import SHAPES, Tables
from pickgate.rulebook.text import fold, normalise_sku

MAX_OVERLAPS = 20
MAX_ROWS_FOR_OVERLAPS = 500  # each row is held against each
MAX_SUGGESTIONS = 20  # each unknown code is held against all known ones


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class FindingCode(Enum):
    UNREACHABLE = "unreachable"
    OVERLAP = "overlap"
    INCOMPLETE = "incomplete"
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_SHOP = "unknown_shop"
    COLLISION = "collision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`row` counts data rows from 1; 0: the table as a whole."""

    severity: Severity
    code: FindingCode
    table: str
    row: int = 0
    column: str = ""
    message: str
    remedy: str

    def __str__(self) -> str:
        place = (
            self.table
            + (f", row {self.row}" if self.row else "")
            + (f', column "{self.column}"' if self.column else "")
        )
        return f"{self.severity.value}: {place}: {self.message}. {self.remedy}."


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCodes:
    """What exists. None: nobody knows, so nothing is said about it.

    `services` holds pairs (carrier, service). `sold_skus` maps a shop to the SKUs of its catalogue, as they are there.
    """

    shops: Collection[str] | None = None
    accounts: Collection[str] | None = None
    warehouses: Collection[str] | None = None
    products: Collection[str] | None = None
    services: Collection[tuple[str, str]] | None = None
    sold_skus: Mapping[str, Collection[str]] = field(default_factory=dict)


def check_tables(tables: Tables, known: KnownCodes | None = None, *, strip_characters: str = "") -> tuple[Finding, ...]:
    """Return what a person should see before publishing, gravest first."""
    known = known or KnownCodes()
    found = [
        *_find_unreachable(tables, strip_characters),
        *_find_overlaps(tables, strip_characters),
        *_find_incomplete(tables, known),
        *_find_unknown_codes(tables, known),
        *_find_unknown_shops(tables, known),
        *_find_collisions(tables, known, strip_characters),
    ]
    order = list(Severity)
    return tuple(sorted(found, key=lambda finding: order.index(finding.severity)))


def _find_unreachable(tables: Tables, strip_characters: str) -> Iterator[Finding]:
    for table in SHAPES:
        for row, earlier in find_unreachable(table, tables.rows(table), strip_characters=strip_characters):
            yield Finding(
                severity=Severity.ERROR,
                code=FindingCode.UNREACHABLE,
                table=table,
                row=row,
                message=f"never decides, because row {earlier} matches all that it matches",
                remedy=f"Move it above row {earlier}, or remove it",
            )


def _find_overlaps(tables: Tables, strip_characters: str) -> Iterator[Finding]:
    for table, shape in SHAPES.items():
        rows = tables.rows(table)
        if shape.keyed or len(rows) > MAX_ROWS_FOR_OVERLAPS:
            continue
        for count, (earlier, later) in enumerate(find_overlap(table, rows, strip_characters=strip_characters)):
            if count == MAX_OVERLAPS:
                yield Finding(
                    severity=Severity.NOTE,
                    code=FindingCode.OVERLAP,
                    table=table,
                    message=f"more than {MAX_OVERLAPS} pairs of rows can both match",
                    remedy="Put the rows that matter most first",
                )
                break
            yield Finding(
                severity=Severity.NOTE,
                code=FindingCode.OVERLAP,
                table=table,
                row=later,
                message=f"can match together with row {earlier}, which then decides",
                remedy="Swap them if this row should win",
            )


def _find_incomplete(tables: Tables, known: KnownCodes) -> Iterator[Finding]:
    shops = set(known.shops or ()) | {row[0] for row in tables.services + tables.locations if row[0]}
    for shop in sorted(shops):
        served = any(
            row[0] in ("", shop) and row[1].strip("*") == "" and not row[2] and not row[3] for row in tables.services
        )
        if not served:
            yield Finding(
                severity=Severity.WARNING,
                code=FindingCode.INCOMPLETE,
                table="services",
                column="shipping_title",
                message=f"{shop} has no catch-all row, so an order with an unlisted service waits",
                remedy="Add a last row with * as the title if it should go with the warehouse's default",
            )


def _find_unknown_codes(tables: Tables, known: KnownCodes) -> Iterator[Finding]:
    columns = (
        ("locations", "account", known.accounts),
        ("locations", "warehouse", known.warehouses),
        ("skus", "product_code", known.products),
        ("bundles", "component_code", known.products),
    )
    for table, column, codes in columns:
        if codes is None:
            continue
        exact = frozenset(codes)
        at = SHAPES[table].index(column)
        unknown = (
            (n, row[at]) for n, row in enumerate(tables.rows(table), start=1) if row[at] and row[at] not in exact
        )
        for count, (number, code) in enumerate(unknown):
            near = nearest(code, exact) if count < MAX_SUGGESTIONS else None
            yield _unknown_code(table, number, column, code, near)
    if known.warehouses is not None:
        folded = {fold(code) for code in known.warehouses}
        for number, row in enumerate(tables.services, start=1):
            if row[3] and fold(row[3]) not in folded:
                yield _unknown_code("services", number, "warehouse", row[3], nearest(row[3], known.warehouses))
    if known.services is not None:
        pairs = frozenset(known.services)
        for number, (*_, carrier, service) in enumerate(tables.services, start=1):
            if carrier and (carrier, service) not in pairs:
                of_carrier = {name for owner, name in pairs if owner == carrier}
                if of_carrier:
                    yield _unknown_code("services", number, "service", service, nearest(service, of_carrier))
                else:
                    near = nearest(carrier, {owner for owner, _ in pairs})
                    yield _unknown_code("services", number, "carrier", carrier, near)


def _unknown_code(table: str, row: int, column: str, code: str, near: str | None) -> Finding:
    return Finding(
        severity=Severity.ERROR,
        code=FindingCode.UNKNOWN_CODE,
        table=table,
        row=row,
        column=column,
        message=f"the warehouse does not know {code}",
        remedy=f"Write {near}, or add {code} in the warehouse"
        if near
        else f"Add {code} in the warehouse, or correct it",
    )


def _find_unknown_shops(tables: Tables, known: KnownCodes) -> Iterator[Finding]:
    if known.shops is None:
        return
    for table in SHAPES:
        for number, row in enumerate(tables.rows(table), start=1):
            if row[0] and row[0] not in known.shops:
                near = nearest(row[0], known.shops)
                yield Finding(
                    severity=Severity.WARNING,
                    code=FindingCode.UNKNOWN_SHOP,
                    table=table,
                    row=number,
                    column="shop",
                    message=f"{row[0]} is not among the shops of the settings",
                    remedy=f"Write {near}" if near else "Write a shop's key, or leave it empty for all",
                )


def _find_collisions(tables: Tables, known: KnownCodes, strip_characters: str) -> Iterator[Finding]:
    for shop, skus in sorted(known.sold_skus.items()):
        listed = {
            normalise_sku(row[1], strip_characters) for row in (*tables.skus, *tables.bundles) if row[0] in ("", shop)
        }
        spellings: dict[str, set[str]] = {}
        for sku in skus:
            spellings.setdefault(normalise_sku(sku, strip_characters), set()).add(sku)
        for code, written in sorted(spellings.items()):
            if code and len(written) > 1 and code not in listed:
                shown = ", ".join(f'"{sku}"' for sku in sorted(written))
                yield Finding(
                    severity=Severity.WARNING,
                    code=FindingCode.COLLISION,
                    table="skus",
                    column="sku",
                    message=f"{len(written)} SKUs of {shop} become one product code, {code}: {shown}",
                    remedy="Make them differ in the shop, or add a row that says that they are one product",
                )
