"""Cells that are right one by one and wrong together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pickgate.rulebook.tables import SHAPES, Row, Tables
from pickgate.rulebook.text import comparable, normalise_sku


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    table: str
    row: int
    column: str = ""
    value: str = ""
    reason: str
    remedy: str


def find_disagreements(tables: Tables) -> list[Disagreement]:
    """Return what makes rows of these tables unusable, table by table, in the order of the rows."""
    return [
        *_find_half_locations(tables),
        *_find_half_services(tables),
        *_find_half_skus(tables),
        *_find_repeats(tables),
        *_find_bundle_faults(tables),
    ]


def _find_half_locations(tables: Tables) -> Iterator[Disagreement]:
    for number, (_, _, _, account, warehouse, ignore) in enumerate(tables.locations, start=1):
        if ignore and (account or warehouse):
            yield Disagreement(
                table="locations",
                row=number,
                column="ignore",
                reason="is yes while an account or a warehouse is given",
                remedy="Keep one of the two",
            )
        elif not ignore and not (account and warehouse):
            yield Disagreement(
                table="locations",
                row=number,
                column="warehouse" if account else "account",
                reason="is empty",
                remedy="Give account and warehouse, or write yes under ignore",
            )


def _find_half_services(tables: Tables) -> Iterator[Disagreement]:
    for number, (*_, carrier, service) in enumerate(tables.services, start=1):
        if bool(carrier) != bool(service):
            yield Disagreement(
                table="services",
                row=number,
                column="service" if carrier else "carrier",
                reason="is empty",
                remedy="Give carrier and service, or neither to take the warehouse's default",
            )


def _find_half_skus(tables: Tables) -> Iterator[Disagreement]:
    for number, (_, _, code, units, ignore) in enumerate(tables.skus, start=1):
        if ignore and (code or units):
            yield Disagreement(
                table="skus",
                row=number,
                column="ignore",
                reason="is yes while a product code or units are given",
                remedy="Keep one of the two",
            )
        elif not ignore and not code:
            yield Disagreement(
                table="skus",
                row=number,
                column="product_code",
                reason="is empty",
                remedy="Give the product code, or write yes under ignore",
            )


def _find_repeats(tables: Tables) -> Iterator[Disagreement]:
    for table, shape in SHAPES.items():
        if not shape.rejects_repeats:
            continue
        seen: dict[Row, int] = {}
        for number, row in enumerate(tables.rows(table), start=1):
            key = tuple(
                comparable(column.kind, cell)
                for column, cell in zip(shape.columns, row, strict=True)
                if column.is_input
            )
            first = seen.setdefault(key, number)
            if first != number:
                yield Disagreement(
                    table=table,
                    row=number,
                    column=shape.inputs[1].name,
                    value=row[1],
                    reason=f"stands in row {first} for the same shop already",
                    remedy="Keep one of the two rows",
                )


def _find_bundle_faults(tables: Tables) -> Iterator[Disagreement]:
    shops_of_bundle: dict[str, dict[str, int]] = {}
    for number, (shop, bundle, _, _) in enumerate(tables.bundles, start=1):
        shops_of_bundle.setdefault(normalise_sku(bundle), {}).setdefault(shop, number)
    seen: dict[Row, int] = {}
    for number, (shop, bundle, component, _) in enumerate(tables.bundles, start=1):
        first = seen.setdefault((shop, normalise_sku(bundle), component), number)
        if first != number:
            yield Disagreement(
                table="bundles",
                row=number,
                column="component_code",
                value=component,
                reason=f"is a component of this bundle in row {first} already",
                remedy="Keep one row and add up the units",
            )
        if (inner := _first_meeting(shop, shops_of_bundle.get(component, {}))) is not None:
            yield Disagreement(
                table="bundles",
                row=number,
                column="component_code",
                value=component,
                reason=f"is a bundle itself (row {inner})",
                remedy="List the warehouse products of the inner bundle instead; bundles are opened once",
            )
    for number, (shop, sku, *_) in enumerate(tables.skus, start=1):
        if (bundle_row := _first_meeting(shop, shops_of_bundle.get(normalise_sku(sku), {}))) is not None:
            yield Disagreement(
                table="skus",
                row=number,
                column="sku",
                value=sku,
                reason=f"is a bundle as well (bundles, row {bundle_row})",
                remedy="Keep it in one of the two tables, or name different shops",
            )


def _first_meeting(shop: str, rows_by_shop: dict[str, int]) -> int | None:
    """Return the first row that can concern the same shop; an empty shop concerns all."""
    return min((row for other, row in rows_by_shop.items() if not shop or not other or shop == other), default=None)
