"""What the warehouse holds: goods-outs with their lines, and parcels. Many in one request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pickgate.connectors.clarus.client import ClarusClient
from pickgate.connectors.clarus.documents import get_document, render_shipments_document
from pickgate.connectors.clarus.errors import ClarusProblem, Unexpected, unreadable
from pickgate.connectors.clarus.incoming import (
    fingerprint,
    parcels_of,
    parse_goods_out,
    parse_goods_out_node,
    parse_line_node,
    parse_owner,
    parse_package_node,
    parse_shipment_node,
)
from pickgate.connectors.clarus.listing import Listing, Node
from pickgate.connectors.clarus.pages import parse_page
from pickgate.connectors.clarus.wire import GoodsOutNode, LineNode, PackageNode, ShipmentNode
from pickgate.domain.facts import Unreadable
from pickgate.domain.warehouse import GoodsOut, Parcel
from pickgate.flows.ports import GoodsOutAsk, OpenGoodsOut

_SHIPMENT_ROOTS = 25  # aliased roots in one document


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One goods-out as read. `broken`: why its lines cannot be understood."""

    head: GoodsOutNode
    lines: tuple[LineNode, ...]
    broken: str | None = None

    def goods_out(self) -> GoodsOut | Unreadable:
        if self.broken is not None:
            return Unreadable(why=f"Goods-out {self.head.reference}: {self.broken}")
        return parse_goods_out(self.head, self.lines)


Readings = Mapping[GoodsOutAsk, tuple[Reading, ...] | Unreadable]


def goods_outs_of(readings: Readings, asks: Iterable[GoodsOutAsk]) -> tuple[GoodsOut, ...] | Unreadable:
    """Pick the answer to some of the asks, each goods-out once. One that is unreadable makes the answer so."""
    found: dict[str, GoodsOut] = {}
    for ask in asks:
        answer = readings[ask]
        if isinstance(answer, Unreadable):
            return answer
        for reading in answer:
            goods_out = reading.goods_out()
            if isinstance(goods_out, Unreadable):
                return goods_out
            found[goods_out.id] = goods_out
    return tuple(found.values())


def poll_rows_of(readings: Readings, asks: Iterable[GoodsOutAsk]) -> tuple[OpenGoodsOut, ...] | Unreadable:
    """Reduce readings to fingerprints. Goods-outs of one ask share theirs, so that no order of rows matters."""
    rows: dict[str, OpenGoodsOut] = {}
    for ask in asks:
        answer = readings[ask]
        if isinstance(answer, Unreadable):
            return answer
        print_ = fingerprint([(reading.head, reading.lines) for reading in answer])
        if broken := "; ".join(sorted(reading.broken for reading in answer if reading.broken)):
            print_ = f"{print_}:{broken}"
        for reading in answer:
            rows[reading.head.id] = OpenGoodsOut(clarus_id=reading.head.id, reference=ask.reference, fingerprint=print_)
    return tuple(rows.values())


class GoodsOutReader:
    """Reads goods-outs by reference, with the lines of those whose ids are known in the same request."""

    def __init__(self, client: ClarusClient, listing: Listing) -> None:
        self._client = client
        self._listing = listing

    async def read(self, asks: Sequence[GoodsOutAsk]) -> Readings:
        """Read all asks, `page_size` in a request. A request that fails makes its own asks Unreadable, no others."""
        readings: dict[GoodsOutAsk, tuple[Reading, ...] | Unreadable] = {}
        distinct = list(dict.fromkeys(asks))
        for start in range(0, len(distinct), self._listing.page_size):
            chunk = distinct[start : start + self._listing.page_size]
            try:
                readings |= await self._read_chunk(chunk)
            except ClarusProblem as problem:
                readings |= dict.fromkeys(chunk, unreadable(problem))
        return readings

    async def find_heads(self, reference: str, account: str) -> tuple[GoodsOutNode, ...]:
        """Find the goods-outs with this reference and account, without lines. Raises ClarusProblem."""
        ask = GoodsOutAsk(reference=reference, account=account)
        nodes = await self._listing.read("goods_outs", {"reference": {"in": [reference]}})
        return tuple(head for head in map(parse_goods_out_node, nodes) if _answers(head, ask))

    async def _read_chunk(self, asks: Sequence[GoodsOutAsk]) -> dict[GoodsOutAsk, tuple[Reading, ...]]:
        known = {ask.clarus_id for ask in asks if ask.clarus_id}
        heads, lines = await self._read_heads_and_lines([ask.reference for ask in asks], sorted(known))
        wanted = {head.id: head for head in heads if any(_answers(head, ask) for ask in asks)}
        wanted |= await self._find_renamed(known, wanted, lines)
        if new := sorted(wanted.keys() - known):
            lines += await self._listing.read("goods_out_lines", {"goods_out_id": {"in": new}})
        by_id = _readings(wanted, lines)
        return {ask: tuple(by_id[head.id] for head in wanted.values() if _answers(head, ask)) for ask in asks}

    async def _read_heads_and_lines(
        self, references: Sequence[str], ids: Sequence[str]
    ) -> tuple[list[GoodsOutNode], list[Node]]:
        by_reference = {"reference": {"in": list(dict.fromkeys(references))}}
        if not ids:
            nodes: Sequence[Node] = await self._listing.read("goods_outs", by_reference)
            return [parse_goods_out_node(node) for node in nodes], []
        by_owner = {"goods_out_id": {"in": list(ids)}}
        data = await self._client.read(
            get_document("goods_outs_with_lines"),
            {"goods_outs": by_reference, "lines": by_owner, "first": self._listing.page_size},
        )
        first_lines = parse_page(data.get("goods_out_lines"))
        nodes = await self._listing.read("goods_outs", by_reference, first=parse_page(data.get("goods_outs")))
        lines = await self._listing.read("goods_out_lines", by_owner, first=first_lines)
        return [parse_goods_out_node(node) for node in nodes], list(lines)

    async def _find_renamed(
        self, known: set[str], found: Mapping[str, GoodsOutNode], lines: Sequence[Node]
    ) -> dict[str, GoodsOutNode]:
        """Find goods-outs that have lines but no longer our reference: somebody renamed them; they are not gone."""
        owners = dict(parse_owner(node) for node in lines)
        lost = {id_: name for id_, name in owners.items() if id_ in known and id_ not in found}
        if not lost:
            return {}
        names = sorted({name for name in lost.values() if name})
        nodes = await self._listing.read("goods_outs", {"reference": {"in": names}}) if names else ()
        renamed = {head.id: head for head in map(parse_goods_out_node, nodes) if head.id in lost}
        if missing := lost.keys() - renamed.keys():
            raise Unexpected(f"Clarus shows lines of goods-out {min(missing)}, but not the goods-out")
        return renamed

    async def read_parcels(self, clarus_ids: Sequence[str]) -> dict[str, tuple[Parcel, ...]]:
        """Read the parcels of goods-outs; one without parcels is left out. Raises ClarusProblem."""
        ids = list(dict.fromkeys(clarus_ids))
        shipments: dict[str, list[ShipmentNode]] = {}
        for start in range(0, len(ids), _SHIPMENT_ROOTS):
            shipments |= await self._read_shipments(ids[start : start + _SHIPMENT_ROOTS])
        packages = await self._read_packages(sorted({row.id for rows in shipments.values() for row in rows}))
        parcels = {id_: parcels_of(rows, packages) for id_, rows in shipments.items()}
        return {id_: found for id_, found in parcels.items() if found}

    async def _read_shipments(self, ids: Sequence[str]) -> dict[str, list[ShipmentNode]]:
        filters = {id_: {"goods_out_id": {"eq": id_}} for id_ in ids}
        variables: dict[str, Any] = {f"f{number}": filters[id_] for number, id_ in enumerate(ids)}
        data = await self._client.read(
            render_shipments_document(len(ids)), {"first": self._listing.page_size, **variables}
        )
        shipments: dict[str, list[ShipmentNode]] = {}
        for number, id_ in enumerate(ids):
            first = parse_page(data.get(f"g{number}"))
            nodes = await self._listing.read("shipments", filters[id_], first=first)
            shipments[id_] = [parse_shipment_node(node) for node in nodes]
        return shipments

    async def _read_packages(self, shipment_ids: Sequence[str]) -> list[PackageNode]:
        packages: list[PackageNode] = []
        for start in range(0, len(shipment_ids), self._listing.page_size):
            chunk = list(shipment_ids[start : start + self._listing.page_size])
            nodes = await self._listing.read("packages", {"shipment_id": {"in": chunk}})
            packages += [parse_package_node(node) for node in nodes]
        return packages


def _answers(head: GoodsOutNode, ask: GoodsOutAsk) -> bool:
    """Whether a goods-out is what was asked for. One whose account is not shown might be, so it counts."""
    if ask.clarus_id and head.id == ask.clarus_id:
        return True
    same_account = not ask.account or head.account is None or head.account.casefold() == ask.account.casefold()
    return head.reference == ask.reference and same_account


def _readings(heads: Mapping[str, GoodsOutNode], nodes: Sequence[Node]) -> dict[str, Reading]:
    lines: dict[str, dict[str, LineNode]] = {id_: {} for id_ in heads}
    broken: dict[str, str] = {}
    for node in nodes:
        owner, _ = parse_owner(node)
        if owner not in heads:
            continue
        try:
            line = parse_line_node(node)
            lines[owner][line.id] = line
        except Unexpected as problem:
            broken[owner] = problem.why
    return {
        id_: Reading(head=head, lines=tuple(lines[id_].values()), broken=broken.get(id_)) for id_, head in heads.items()
    }
