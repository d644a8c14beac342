"""Stock balances: satisfies `flows.stock_ports.StockWarehousePort`, and reads which products a webhook is about.

A balance has no id in the documented fields, and its list has offset cursors, so pages are joined by product code: each
page begins with the last row of the one before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from pickgate.connectors.clarus.catalogue import ClarusCatalogue, CodeKind
from pickgate.connectors.clarus.client import ClarusClient
from pickgate.connectors.clarus.documents import get_document
from pickgate.connectors.clarus.errors import ClarusProblem, Unexpected, unreadable
from pickgate.domain.facts import Unreadable
from pickgate.domain.rules import Place
from pickgate.domain.stock_policy import FIGURES, Balance

_ROOT = "stock_balances"
_MOST_UNITS = Decimal(1_000_000_000)
_MOST_PAGES = 20_000
_STEPS_BACK = 5
_CODES_AT_ONCE = 100

Row = tuple[str, Balance | Unreadable]


class ClarusStock:
    """One tenant's stock. Share the warehouse's client and catalogue, so that all keep one pace."""

    def __init__(self, client: ClarusClient, catalogue: ClarusCatalogue, *, page_size: int) -> None:
        self._client = client
        self._catalogue = catalogue
        self._page_size = page_size

    async def read_balances(
        self, place: Place, codes: Sequence[str] | None
    ) -> Mapping[str, Balance | Unreadable] | Unreadable:
        """Read what a place has, of all products or of these; a product without a record is left out.

        A list is read to its end or not at all.
        """
        try:
            account = await self._catalogue.find_id(CodeKind.ACCOUNT, place.account)
            warehouse = await self._catalogue.find_id(CodeKind.WAREHOUSE, place.warehouse)
            if account is None or warehouse is None:
                return Unreadable(why=f"Clarus has no account {place.account!r} or no warehouse {place.warehouse!r}.")
            where: dict[str, Mapping[str, Any]] = {"account_id": {"eq": account}, "warehouse_id": {"eq": warehouse}}
            if codes is None:
                return await self._read_all(where)
            found: dict[str, Balance | Unreadable] = {}
            for start in range(0, len(codes), _CODES_AT_ONCE):
                some = {"product_code": {"in": list(codes[start : start + _CODES_AT_ONCE])}}
                found |= await self._read_all({**where, **some})
            return found
        except ClarusProblem as problem:
            return unreadable(problem)

    async def _read_all(self, where: Mapping[str, Any]) -> dict[str, Balance | Unreadable]:
        """Read every page. Where two do not join, rows came or went: go back a page and read over the gap."""
        found: dict[str, Balance | Unreadable] = {}
        cursors: list[str | None] = [None]
        joint: list[str | None] = [None]  # the code that the page behind each cursor must begin with
        steps_back = 0
        for _ in range(_MOST_PAGES):
            rows, marks, has_next = await self._page(where, cursors[-1])
            if joint[-1] is not None and joint[-1] not in {code for code, _ in rows}:
                steps_back += 1
                if steps_back > _STEPS_BACK:
                    raise Unexpected("The list of stock balances moved each time that it was read")
                cursors.pop()
                joint.pop()
                continue
            found.update(rows)
            if not has_next:
                return found
            # One row before the end, so that the next page shows the last row again.
            after = marks[-2] if len(marks) > 1 else None
            if after is None or after == cursors[-1]:
                raise Unexpected("Clarus says that the list of stock balances goes on, but not from where")
            cursors.append(after)
            joint.append(rows[-1][0])
        raise Unexpected("The list of stock balances did not end")

    async def _page(self, where: Mapping[str, Any], after: str | None) -> tuple[list[Row], list[str | None], bool]:
        variables = {"filter": where, "first": self._page_size, "after": after}
        data = await self._client.read(get_document(_ROOT), variables)
        root = data.get(_ROOT)
        connection = root.get("all") if isinstance(root, dict) else None
        edges = connection.get("edges") if isinstance(connection, dict) else None
        info = connection.get("pageInfo") if isinstance(connection, dict) else None
        if not isinstance(edges, list) or not isinstance(info, dict) or not isinstance(info.get("hasNextPage"), bool):
            raise Unexpected("Clarus answered with a list of stock balances that is not one")
        rows: list[Row] = []
        marks: list[str | None] = []
        for edge in edges:
            node = edge.get("node") if isinstance(edge, dict) else None
            if not isinstance(node, dict):
                raise Unexpected("Clarus answered with an empty stock balance")
            rows.append(parse_balance(node))
            cursor = edge.get("cursor")
            marks.append(cursor if isinstance(cursor, str) and cursor else None)
        return rows, marks, info["hasNextPage"]


def parse_balance(node: Mapping[str, Any]) -> Row:
    """Parse one balance. Raises Unexpected without a product; odd figures make that product alone Unreadable.

    A figure that is missing or null, a fraction of a unit and an absurd number are never taken for zero.
    """
    product = node.get("product")
    code = product.get("code") if isinstance(product, dict) else None
    if not isinstance(code, str) or not code.strip():
        raise Unexpected("Clarus answered with a stock balance without a product")
    figures: dict[str, int] = {}
    for name in FIGURES:
        quantity = _quantity(node.get(name))
        if quantity is None:
            return code.strip(), Unreadable(why=f"Clarus shows {node.get(name)!r} as {name}.")
        figures[name] = quantity
    return code.strip(), Balance(**figures)


def _quantity(value: object) -> int | None:
    """Return whole units, at most a thousand million either way; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 40:
        return None
    try:
        quantity = Decimal(str(value))
    except InvalidOperation:
        return None
    if not quantity.is_finite() or abs(quantity) > _MOST_UNITS or quantity != quantity.to_integral_value():
        return None
    return int(quantity)


def parse_stock_hint(body: bytes) -> tuple[str, ...]:
    """Read which products a `stock_balance` or `stock` webhook is about: one record, or a list, bare or in `data`.

    Never raises: what cannot be read is about nothing, and the next whole comparison finds it.
    """
    try:
        record: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    if isinstance(record, dict) and isinstance(record.get("data"), dict | list):
        record = record["data"]
    codes = []
    for one in record if isinstance(record, list) else [record]:
        for place in (one, one.get("attributes")) if isinstance(one, dict) else ():
            product = place.get("product") if isinstance(place, dict) else None
            code = product.get("code") if isinstance(product, dict) else None
            if not isinstance(code, str) and isinstance(place, dict):
                code = place.get("product_code")
            if isinstance(code, str) and 0 < len(code.strip()) <= 200:
                codes.append(code.strip())
    return tuple(dict.fromkeys(codes))
