"""The warehouse's past: satisfies `flows.audit_ports.PastWarehousePort`. Only queries are sent.

The documented lists do not say when a goods-out was made or left. They can be asked by the day on which it was expected
to leave, so a period is read day by day, and that is also how far an audit that was killed has come.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from pickgate.connectors.clarus.client import ClarusClient
from pickgate.connectors.clarus.documents import get_document
from pickgate.connectors.clarus.errors import ClarusProblem, Unexpected, unreadable
from pickgate.connectors.clarus.incoming import parse_goods_out, parse_goods_out_node, parse_line_node, parse_owner
from pickgate.connectors.clarus.listing import Listing, Node
from pickgate.connectors.clarus.pages import Page, parse_page, read_all
from pickgate.connectors.clarus.port import ClarusWarehouse
from pickgate.connectors.clarus.stock import ClarusStock
from pickgate.domain.facts import Unreadable
from pickgate.domain.rules import Place
from pickgate.domain.stock_policy import Balance
from pickgate.domain.warehouse import GoodsOut
from pickgate.flows.audit_ports import ParsedGoodsOuts
from pickgate.flows.ports import ProductAnswer
from pickgate.settings import ClarusSettings

Filter = Mapping[str, Mapping[str, Any]]


class ClarusPast:
    """
    Reads what was.

    Args:
        by_external: Ask for `external_system_reference1`, too, and match by it. Clarus does not document the field for
            lists; a tenant that lacks it refuses the query.
    """

    def __init__(
        self, settings: ClarusSettings, warehouse: ClarusWarehouse, stock: ClarusStock, *, by_external: bool = False
    ) -> None:
        self._client: ClarusClient = warehouse.client
        self._listing = Listing(warehouse.client, page_size=settings.page_size)
        self._page_size = settings.page_size
        self._catalogue = warehouse.catalogue
        self._stock = stock
        self._document = "goods_outs_external" if by_external else "goods_outs"

    async def read_day(self, day: date, *, and_after: bool) -> bytes | Unreadable:
        """Read one day's goods-outs whole, with their lines. Days may overlap; ids tell."""
        span = {"from": f"{day.isoformat()}T00:00:00Z"}
        if not and_after:
            span["to"] = f"{(day + timedelta(days=1)).isoformat()}T00:00:00Z"
        return await self._read([{"expected_date_of_dispatch": span}])

    async def read_references(self, references: Sequence[str]) -> bytes | Unreadable:
        """Read the goods-outs with exactly these references, whenever they were expected."""
        chunks = [references[at : at + self._page_size] for at in range(0, len(references), self._page_size)]
        return await self._read([{"reference": {"in": list(chunk)}} for chunk in chunks])

    async def _read(self, filters: Sequence[Filter]) -> bytes | Unreadable:
        try:
            heads = {str(head["id"]): head for each in filters for head in await self._heads(each)}
            lines: list[Node] = []
            ids = list(heads)
            for at in range(0, len(ids), self._page_size):
                owners = {"goods_out_id": {"in": ids[at : at + self._page_size]}}
                lines += await self._listing.read("goods_out_lines", owners)
        except ClarusProblem as problem:
            return unreadable(problem)
        rows = [{"head": head} for head in heads.values()] + [{"line": line} for line in lines]
        return "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows).encode()

    async def _heads(self, where: Filter) -> tuple[Node, ...]:
        document = get_document(self._document)

        async def get_page(after: str | None) -> Page:
            data = await self._client.read(document, {"filter": where, "first": self._page_size, "after": after})
            return parse_page(data.get("goods_outs"))

        return await read_all(get_page)

    def parse(self, pieces: Iterable[bytes]) -> ParsedGoodsOuts | Unreadable:
        """Put heads and lines together. The last word on a goods-out counts; one not understood is named."""
        try:
            return parse_goods_outs(pieces)
        except ClarusProblem as problem:
            return unreadable(problem)

    async def find_products(self, codes: Sequence[str]) -> ProductAnswer:
        """Say which product codes the warehouse knows."""
        return await self._catalogue.find_products(codes)

    async def read_balances(
        self, place: Place, codes: Sequence[str] | None
    ) -> Mapping[str, Balance | Unreadable] | Unreadable:
        """Read what a place has now."""
        return await self._stock.read_balances(place, codes)


def parse_goods_outs(pieces: Iterable[bytes]) -> ParsedGoodsOuts:
    """Parse what `ClarusPast` read. Each piece is whole: a goods-out's lines are in the piece that has its head."""
    found: dict[str, GoodsOut] = {}
    external: dict[str, str] = {}
    broken: dict[str, str] = {}
    for piece in pieces:
        rows = [json.loads(line) for line in piece.splitlines() if line.strip()]
        lines: dict[str, list[Node]] = {}
        for row in rows:
            if "line" in row:
                owner, _ = parse_owner(row["line"])
                lines.setdefault(owner, []).append(row["line"])
        for row in rows:
            if "head" in row:
                head = parse_goods_out_node(row["head"])
                other = row["head"].get("external_system_reference1")
                if isinstance(other, str) and other:
                    external[head.id] = other
                try:
                    whole = parse_goods_out(head, [parse_line_node(line) for line in lines.get(head.id, ())])
                except Unexpected as problem:
                    whole = Unreadable(why=problem.why)
                found.pop(head.id, None)
                broken.pop(head.id, None)
                if isinstance(whole, Unreadable):
                    broken[head.id] = f"{head.reference}: {whole.why}"
                else:
                    found[head.id] = whole
    return ParsedGoodsOuts(
        goods_outs=tuple(found.values()), external=external, broken=tuple(broken[key] for key in sorted(broken))
    )
