"""Two shops with the same order names and one warehouse account: neither takes the other's goods-out for its own."""

from __future__ import annotations

from datetime import timedelta

from cast import NOON, content, goods_out, order
from pickgate.clock import VirtualClock
from pickgate.domain.commands import CreateGoodsOut
from pickgate.domain.warehouse import GoodsOut
from pickgate.flows.observe import Observer
from pickgate.flows.ports import Confirmed, GoodsOutAsk, Lease
from pickgate.store.memory import MemoryStore


class OneOrderShop:
    """A shop that answers with one order, whatever is asked."""

    async def read_order(self, order_id: str) -> object:
        return order()


class Shelf:
    """A warehouse that answers with what is on it, by reference."""

    def __init__(self, *held: GoodsOut) -> None:
        self.held = held

    async def read_goods_outs(self, asks: tuple[GoodsOutAsk, ...]) -> tuple[GoodsOut, ...]:
        wanted = {ask.reference for ask in asks}
        return tuple(g for g in self.held if g.reference in wanted)


async def lease_of(store: MemoryStore, shop: str) -> Lease:
    await store.wake(shop=shop, order_id="5001", at=NOON, because="test")
    for lease in await store.claim(worker="w", now=NOON, lease_seconds=60, limit=10):
        if lease.shop == shop:
            return lease
    raise AssertionError("nothing was claimed")


def create() -> CreateGoodsOut:
    return CreateGoodsOut(
        reference="1001-1",
        order_id="5001",
        number=1,
        fulfilment_order_id="F1",
        group="",
        generation=1,
        content=content(),
        expected_despatch_at=NOON,
        ordered_at=NOON - timedelta(hours=3),
    )


async def test_the_other_shops_goods_out_is_left_out() -> None:
    store, clock = MemoryStore(), VirtualClock(NOON)
    first = await lease_of(store, "de")
    assert await store.begin_effect(first, create(), now=NOON, needs_no_new_hint=False)
    await store.finish_effect(first, create(), Confirmed(ids={"clarus_id": "301"}), now=NOON)
    second = await lease_of(store, "uk")
    assert await store.begin_effect(second, create(), now=NOON, needs_no_new_hint=False)
    shelf = Shelf(goods_out(clarus_id="301"), goods_out(clarus_id="302"))
    observer = Observer(store=store, shop=OneOrderShop(), warehouse=shelf, clock=clock)  # type: ignore[arg-type]

    observed = await observer.read(second, await store.load_records(second), await store.pending_effects(second))

    assert [g.id for g in observed.goods_outs_or_none] == ["302"]
