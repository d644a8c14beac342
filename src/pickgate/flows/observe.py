"""Gather one look's facts: our records, the shop, the warehouse, products, parcels, and kin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pickgate.clock import Clock
from pickgate.domain.commands import CreateGoodsOut
from pickgate.domain.facts import Facts, Kin, KinFate, Records, Unreadable
from pickgate.domain.lineage import kin_of, predecessor_names, successor_names
from pickgate.domain.policy import Policy
from pickgate.domain.projection import product_codes_of
from pickgate.domain.rules import Rules
from pickgate.domain.shop import ShopOrder
from pickgate.domain.warehouse import GoodsOut, Parcel
from pickgate.flows.ports import EffectRow, GoodsOutAsk, Lease, ShopPort, Store, WarehousePort


class ObservedFacts(Facts):
    """Facts as first read, before products, parcels and kin are added."""

    __slots__ = ()

    @property
    def order_or_none(self) -> ShopOrder | None:
        return self.order if isinstance(self.order, ShopOrder) else None

    @property
    def goods_outs_or_none(self) -> tuple[GoodsOut, ...]:
        return () if isinstance(self.goods_outs, Unreadable) else self.goods_outs


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    store: Store
    shop: ShopPort
    warehouse: WarehousePort
    clock: Clock

    async def read(self, lease: Lease, records: Records, effects: Sequence[EffectRow]) -> ObservedFacts:
        """Read the order and its goods-outs. `read_at` is the moment before the first byte was asked for."""
        read_at = self.clock.now()
        order = await self.shop.read_order(lease.order_id)
        asks = {
            record.reference: GoodsOutAsk(
                reference=record.reference, account=record.content.account, clarus_id=record.clarus_id
            )
            for record in records.goods_outs
        }
        for effect in effects:
            if isinstance(effect.command, CreateGoodsOut):
                content = effect.command.content
                asks.setdefault(
                    effect.command.reference,
                    GoodsOutAsk(reference=effect.command.reference, account=content.account),
                )
        goods_outs = await self.warehouse.read_goods_outs(tuple(asks.values())) if asks else ()
        if not isinstance(goods_outs, Unreadable):
            goods_outs = await self._ours(lease, records, goods_outs)
        return ObservedFacts(
            shop=lease.shop,
            order_id=lease.order_id,
            order=order,
            goods_outs=goods_outs,
            records=records,
            read_at=read_at,
        )

    async def complete(
        self, lease: Lease, observed: ObservedFacts, records: Records, rules: Rules, policy: Policy
    ) -> Facts:
        """Add what a decision needs beyond the two reads: which products exist, tracking, related orders."""
        order = observed.order
        if not isinstance(order, ShopOrder) or isinstance(observed.goods_outs, Unreadable):
            return replace(observed, records=records)
        products = await self.warehouse.find_products(product_codes_of(order, rules, shop=lease.shop))
        parcels = await self._parcels(observed.goods_outs, records)
        if isinstance(parcels, Unreadable):
            return replace(observed, records=records, goods_outs=parcels)
        return replace(
            observed,
            records=records,
            known_products=products.known,
            unknown_products=products.unknown,
            products_unreadable=products.unreadable,
            kin=await self._kin(lease, order, policy),
            parcels=parcels,
        )

    async def _ours(self, lease: Lease, records: Records, goods_outs: tuple[GoodsOut, ...]) -> tuple[GoodsOut, ...]:
        """Leave out what answers to our reference and belongs to another order: two shops may use the same names."""
        own = {record.clarus_id for record in records.goods_outs}
        kept = []
        for goods_out in goods_outs:
            if goods_out.id not in own:
                owners = await self.store.find_orders_of_goods_outs(references=(), clarus_ids=(goods_out.id,))
                if owners and (lease.shop, lease.order_id) not in owners:
                    continue
            kept.append(goods_out)
        return tuple(kept)

    async def _parcels(
        self, goods_outs: tuple[GoodsOut, ...], records: Records
    ) -> dict[str, tuple[Parcel, ...]] | Unreadable:
        # Tracking is read only where something has left that the shop may not have been told of.
        told = {record.reference: sum(units for _, units in record.told) for record in records.goods_outs}
        asked = [g.id for g in goods_outs if g.despatched and told.get(g.reference, 0) < g.despatched]
        if not asked:
            return {}
        parcels = await self.warehouse.read_parcels(asked)
        return parcels if isinstance(parcels, Unreadable) else dict(parcels)

    async def _kin(self, lease: Lease, order: ShopOrder, policy: Policy) -> tuple[Kin, ...]:
        earlier = predecessor_names(order.name) if policy.recreate.name_suffix else ()
        later = successor_names(order.name) if policy.recreate.name_suffix else ()
        span = policy.recreate.suspect_within
        around = order.cancelled_at or order.created_at
        kin = list(
            await self.store.find_kin(
                lease,
                names=[*earlier, *later],
                customer_id=order.customer_id,
                created_between=(order.created_at - span, around + timedelta(minutes=5)),
            )
        )
        known = {other.name for other in kin}
        for name in earlier:
            if name not in known:
                kin += await self._unseen(lease, name)
        note = " ".join([order.note, *(value for _, value in order.attributes)])
        return tuple(replace(other, named_in_note=_names(note, other.name)) for other in kin)

    async def _unseen(self, lease: Lease, name: str) -> list[Kin]:
        """A predecessor that we have never looked at: wake it, and treat its fate as unknown until it has been."""
        found = await self.shop.find_orders_by_name(name)
        if isinstance(found, Unreadable):
            unknown = Kin(id=f"unread:{name}", name=name, created_at=self.clock.now(), fate=KinFate.UNKNOWN)
            return [unknown]
        kin = []
        for order in found:
            await self.store.wake(
                shop=lease.shop, order_id=order.id, at=self.clock.now(), because="a successor names it"
            )
            kin.append(kin_of(order, KinFate.UNKNOWN))
        return kin


def _names(note: str, name: str) -> bool:
    words = note.replace(",", " ").replace(".", " ").split()
    return name in words or name.lstrip("#") in words
