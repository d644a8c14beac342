"""`ClarusWarehouse`: the warehouse as the flows see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from pickgate.clock import Clock
from pickgate.connectors.clarus.catalogue import ClarusCatalogue
from pickgate.connectors.clarus.client import ClarusClient
from pickgate.connectors.clarus.errors import ClarusProblem, unreadable
from pickgate.connectors.clarus.gather import Gatherer
from pickgate.connectors.clarus.listing import Listing
from pickgate.connectors.clarus.pace import Pace
from pickgate.connectors.clarus.reading import GoodsOutReader, Readings, goods_outs_of, poll_rows_of
from pickgate.connectors.clarus.sending import Sender
from pickgate.domain.commands import AmendGoodsOut, CreateGoodsOut, RecallGoodsOut, WarehouseCommand
from pickgate.domain.facts import Unreadable
from pickgate.domain.warehouse import GoodsOut, Parcel
from pickgate.flows.ports import GoodsOutAsk, OpenGoodsOut, Outcome, ProductAnswer
from pickgate.http import Transport
from pickgate.settings import ClarusSettings


class ClarusWarehouse:
    """
    Satisfies `flows.ports.WarehousePort` for one Clarus tenant.

    Args:
        gather_seconds: How long a read waits for others to share its request. 0 asks at once and needs no event loop:
            with a transport and a clock that answer at once, every coroutine here runs to its end in one step.
        pace: Shared, when several objects in this process call the same tenant; else made from the settings.
    """

    def __init__(
        self,
        settings: ClarusSettings,
        transport: Transport,
        clock: Clock,
        *,
        gather_seconds: float = 0.01,
        pace: Pace | None = None,
    ) -> None:
        client = self.client = ClarusClient(settings, transport, clock, pace=pace)
        listing = Listing(client, page_size=settings.page_size)
        self._reader = GoodsOutReader(client, listing)
        self._gathered = Gatherer[GoodsOutAsk, Readings](self._reader.read, seconds=gather_seconds)
        self.catalogue = ClarusCatalogue(listing, clock, gather_seconds=gather_seconds)
        self._sender = Sender(settings, client, self._reader, self.catalogue)

    async def read_goods_outs(self, asks: Sequence[GoodsOutAsk]) -> tuple[GoodsOut, ...] | Unreadable:
        """Read goods-outs with lines and quantities; one that is not in the answer does not exist.

        A goods-out whose id is known but which was renamed in Clarus comes back with its new reference.
        """
        return goods_outs_of(await self._gathered.ask(asks), asks) if asks else ()

    async def read_parcels(self, clarus_ids: Sequence[str]) -> Mapping[str, tuple[Parcel, ...]] | Unreadable:
        """Read tracking by goods-out id; a goods-out without parcels is left out."""
        try:
            return await self._reader.read_parcels(clarus_ids)
        except ClarusProblem as problem:
            return unreadable(problem)

    async def find_products(self, codes: Sequence[str]) -> ProductAnswer:
        """Say which product codes the warehouse knows; known ones are cached for hours, denials for a minute."""
        return await self.catalogue.find_products(codes)

    async def poll(self, asks: Sequence[GoodsOutAsk]) -> tuple[OpenGoodsOut, ...] | Unreadable:
        """Read a fingerprint of status and quantities of many goods-outs; absent ones are left out."""
        return poll_rows_of(await self._reader.read(asks), asks)

    async def send(self, command: WarehouseCommand) -> Outcome:
        """Send one command, once, and say what is known of its outcome."""
        match command:
            case CreateGoodsOut():
                return await self._sender.create(command)
            case RecallGoodsOut():
                return await self._sender.recall(command)
            case AmendGoodsOut():
                return await self._sender.amend(command)
            case _:
                assert_never(command)
