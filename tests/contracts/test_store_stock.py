"""The stock store's rules, on both stores: claims, what is proven to be in the warehouse, batches, levels and hints."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

import cast
from contracts.keeping import NOON, Kept, after
from pickgate.domain.decision import Decision, OrderState
from pickgate.domain.facts import RecordState
from pickgate.domain.rules import Place, Product
from pickgate.domain.shop import Address
from pickgate.domain.stock import Action, LastLevel, SeenUnits, ShopLevel, StockLine
from pickgate.domain.warehouse import Content, ContentLine, GoodsOut, GoodsOutLine, Stage
from pickgate.flows.ports import Lease
from pickgate.flows.stock_ports import BatchItem, KnownLevel, LevelNote, StockBatch, StockHint, StockStore
from pickgate.store.memory import MemoryStore
from pickgate.store.memory_stock import MemoryStock
from pickgate.store.postgres import PostgresStore
from pickgate.store.stock import PostgresStock

HERE = Place(account="ACME", warehouse="LDS")
THERE = Place(account="ACME", warehouse="YRK")
KEY = ("uk", "L1", "9001")


@pytest.fixture
def stock(kept: Kept) -> StockStore:
    if isinstance(kept.store, MemoryStore):
        return MemoryStock(kept.store)
    assert isinstance(kept.store, PostgresStore)
    return PostgresStock(kept.store.database, kept.store)


def content(units: int = 3, *, place: Place = HERE) -> Content:
    lines = (
        ContentLine(line_id="A", product_code="CUP", units=units, sku="SET"),
        ContentLine(line_id="A", product_code="TEA", units=2 * units, sku="SET", per_unit=2),
    )
    return Content(account=place.account, warehouse=place.warehouse, lines=lines, address=Address())


def shown(units: int = 3, *, stage: Stage = Stage.PENDING, short: bool = False) -> GoodsOut:
    lines = (
        GoodsOutLine(id="1", product_code="CUP", ordered=units),
        GoodsOutLine(id="2", product_code="TEA", ordered=2 * units, short=short),
    )
    return GoodsOut(id="3301", reference="1001-1", stage=stage, status_code=stage.value.upper(), lines=lines)


async def looked(
    kept: Kept,
    *,
    remaining: int = 3,
    goods_out: GoodsOut | None = None,
    state: RecordState = RecordState.LIVE,
    told: int = 0,
    stage_code: str = "PENDING",
    created_at: datetime = NOON,
    place: Place = HERE,
    next_look_at: datetime | None = None,
    end: bool = True,
) -> Lease:
    """One look at an order of three SETs that has a goods-out, over at noon."""
    lease = await kept.lease()
    record = replace(
        cast.record(), fulfilment_order_id="F1", state=state, clarus_id="3301", stage_code=stage_code,
        created_at=created_at, told=(("A", told),) if told else (), content=content(place=place),
    )  # fmt: skip
    order = cast.order({"A": remaining}, fulfilment_orders=(cast.fulfilment_order("F1", {"A": remaining}),))
    await kept.store.record_decision(
        lease,
        decision=Decision(state=OrderState.IN_WAREHOUSE, records=(record,)),
        order=order,
        goods_outs=(goods_out or shown(),),
        read_at=NOON,
        now=NOON,
        rulebook_version=1,
    )
    if end:
        await kept.store.end_look(lease, next_look_at=next_look_at, failed=None, now=NOON)
    return lease


LATER, STILL_LATER = after(1), after(2)


async def seen(
    stock: StockStore, *, before: datetime = LATER, now: datetime = STILL_LATER, allocated_only: bool = False
) -> dict[tuple[str, str, str], SeenUnits]:
    return dict(await stock.units_in_warehouse(HERE, ["uk"], before=before, now=now, allocated_only=allocated_only))


def proven(units: int) -> dict[tuple[str, str, str], SeenUnits]:
    return {("uk", "L1", "SET"): SeenUnits(proven=units)}


def likely(units: int) -> dict[tuple[str, str, str], SeenUnits]:
    return {("uk", "L1", "SET"): SeenUnits(likely=units)}


async def test_a_goods_out_that_was_seen_before_counts(kept: Kept, stock: StockStore) -> None:
    await looked(kept)
    assert await seen(stock) == proven(3)
    assert await stock.units_in_warehouse(THERE, ["uk"], before=after(1), now=after(2), allocated_only=False) == {}
    assert await stock.units_in_warehouse(HERE, ["de"], before=after(1), now=after(2), allocated_only=False) == {}


async def test_an_order_looked_at_since_is_only_likely(kept: Kept, stock: StockStore) -> None:
    await looked(kept)
    assert await seen(stock, before=NOON) == likely(3)


async def test_an_order_that_is_due_or_being_looked_at_is_only_likely(kept: Kept, stock: StockStore) -> None:
    await looked(kept, next_look_at=after(2))
    assert await seen(stock, now=after(1)) == proven(3)
    assert await seen(stock, now=after(2)) == likely(3)
    await kept.store.claim(worker="w2", now=after(3), lease_seconds=30, limit=10)
    assert await seen(stock, now=after(1)) == likely(3)


async def test_what_left_and_what_the_shop_no_longer_asks_for_does_not_count(kept: Kept, stock: StockStore) -> None:
    await looked(kept, told=1)
    assert await seen(stock) == proven(2)


async def test_no_more_than_the_shop_commits(kept: Kept, stock: StockStore) -> None:
    await looked(kept, remaining=1)
    assert await seen(stock) == proven(1)


@pytest.mark.parametrize("state", [RecordState.CREATING, RecordState.RECALLING, RecordState.FINISHED])
async def test_only_live_records_count(kept: Kept, stock: StockStore, state: RecordState) -> None:
    await looked(kept, state=state)
    assert await seen(stock) == {}


@pytest.mark.parametrize(
    "goods_out", [shown(2), shown(short=True), shown(stage=Stage.CANCELLED), replace(shown(), id="3302")]
)
async def test_only_what_the_last_read_showed_whole_counts(kept: Kept, stock: StockStore, goods_out: GoodsOut) -> None:
    await looked(kept, goods_out=goods_out)
    assert await seen(stock) == {}


async def test_drafts_and_where_asked_pending_ones_do_not_count(kept: Kept, stock: StockStore) -> None:
    await looked(kept, stage_code="Pending")
    assert await seen(stock, allocated_only=True) == {}
    assert await seen(stock) == proven(3)


async def test_drafts_do_not_count(kept: Kept, stock: StockStore) -> None:
    await looked(kept, stage_code="DRAFT")
    assert await seen(stock) == {}


async def test_what_was_taken_since_the_snapshot_beyond_the_shops_orders(kept: Kept, stock: StockStore) -> None:
    await looked(kept, remaining=1)
    assert await stock.units_since_snapshot(HERE, begun_at=after(-5), now=after(1)) == {"CUP": 2, "TEA": 4}
    assert await stock.units_since_snapshot(HERE, begun_at=after(1), now=after(1)) == {}
    assert await stock.units_since_snapshot(THERE, begun_at=after(-5), now=after(1)) == {}


async def test_of_an_order_that_is_due_only_a_new_goods_out_counts_whole(kept: Kept, stock: StockStore) -> None:
    await looked(kept, next_look_at=NOON)
    assert await stock.units_since_snapshot(HERE, begun_at=after(-5), now=after(1)) == {"CUP": 3, "TEA": 6}
    lease = await kept.lease(at=after(1))
    assert await stock.units_since_snapshot(HERE, begun_at=after(5), now=after(1)) == {}
    assert lease.order_id == "5001"


async def test_one_publication_at_a_time(stock: StockStore) -> None:
    async def claim(holder: str, seconds: float) -> int | None:
        state = await stock.claim_place(HERE, holder=holder, now=after(seconds), lease_seconds=60)
        return state.epoch if state else None

    first = await claim("w1", 0)
    assert first is not None
    assert await claim("w2", 1) is None
    assert await claim("w1", 2) == first + 1
    assert await claim("w2", 62) == first + 2
    await stock.release_place(HERE, epoch=first, published_snapshot_at=NOON, held="", now=after(63))
    assert await claim("w1", 64) is None
    await stock.release_place(HERE, epoch=first + 2, published_snapshot_at=NOON, held="", now=after(65))
    state = await stock.claim_place(HERE, holder="w3", now=after(66), lease_seconds=60)
    assert state is not None
    assert state.published_snapshot_at == NOON


def level(item: str = "9001", sku: str = "SET") -> ShopLevel:
    parts = (Product(code="CUP"), Product(code="TEA", units=2)) if sku == "SET" else (Product(code=sku),)
    return ShopLevel(
        shop="uk", location_id="L1", item_id=item, level_id=f"{item}?x", sku=sku, available=7, committed=2, on_hand=9,
        products=parts,
    )  # fmt: skip


def line(
    item: str = "9001", sku: str = "SET", action: Action = Action.LOWER, rises_since: datetime | None = None
) -> StockLine:
    return StockLine(
        level=level(item, sku), action=action, sellable=5, unseen=1, promised=4, target=4, rises_since=rises_since
    )


async def remember(stock: StockStore, *lines: StockLine, whole: bool = True, place: Place = HERE) -> None:
    await stock.record_lines(place, lines, snapshot_at=NOON, now=NOON, whole=whole)


async def test_levels_are_found_by_product_and_by_sku(stock: StockStore) -> None:
    await remember(stock, line(), line("9002", "CUP"), line("9003", "JAM"))
    a, b, c = (KnownLevel(key=("uk", "L1", i), level_id=f"{i}?x", sku=s) for i, s in
               (("9001", "SET"), ("9002", "CUP"), ("9003", "JAM")))  # fmt: skip
    assert list(await stock.find_levels(HERE, codes=["CUP"])) == [a, b]
    assert list(await stock.find_levels(HERE, codes=[], skus=[("uk", "JAM"), ("de", "SET")])) == [c]
    assert list(await stock.find_levels(THERE, codes=["CUP"])) == []
    await remember(stock, line("9002", "CUP"), whole=False)
    assert len(await stock.find_levels(HERE, codes=["CUP"])) == 2
    await remember(stock, line("9002", "CUP"))
    assert list(await stock.find_levels(HERE, codes=["CUP", "JAM"])) == [b]


def batch(*, place: Place = HERE, key: str = "stock-1") -> StockBatch:
    item = BatchItem(item_id="9001", level_id="9001?x", sku="SET", quantity=4, change_from=7)
    return StockBatch(
        key=key, shop="uk", place=place, location_id="L1", on_hand=False, items=(item,), snapshot_at=NOON,
        reference="gid://pickgate/StockSnapshot/1",
    )  # fmt: skip


async def test_a_batch_is_open_until_its_outcome_is_known(stock: StockStore) -> None:
    state = await stock.claim_place(HERE, holder="w1", now=NOON, lease_seconds=60)
    assert state is not None
    await remember(stock, line())
    assert await stock.begin_batch(batch(), epoch=state.epoch, now=NOON)
    assert list(await stock.open_batches(HERE)) == [batch()]
    assert list(await stock.open_batches(THERE)) == []
    await stock.finish_batch("stock-1", state="unknown", note="no answer", levels=(), now=NOON)
    assert list(await stock.open_batches(HERE)) == [batch()]
    notes = [LevelNote(key=KEY, published=4)]
    await stock.finish_batch("stock-1", state="confirmed", note="", levels=notes, now=NOON)
    assert list(await stock.open_batches(HERE)) == []
    assert await stock.load_levels(HERE, None) == {KEY: LastLevel(published=4, snapshot_at=NOON)}
    assert await stock.load_levels(HERE, [KEY]) == {KEY: LastLevel(published=4, snapshot_at=NOON)}
    assert await stock.load_levels(THERE, [KEY]) == {}


async def test_a_place_that_was_taken_over_begins_no_batch(stock: StockStore) -> None:
    state = await stock.claim_place(HERE, holder="w1", now=NOON, lease_seconds=60)
    assert state is not None
    await stock.claim_place(HERE, holder="w1", now=NOON, lease_seconds=60)
    assert not await stock.begin_batch(batch(), epoch=state.epoch, now=NOON)
    assert list(await stock.open_batches(HERE)) == []
    assert await stock.begin_batch(batch(), epoch=None, now=NOON)


async def test_what_is_remembered_of_a_level(stock: StockStore) -> None:
    await remember(stock, line(action=Action.WAITS, rises_since=NOON))
    await stock.note_conflicts(HERE, [KEY])
    await stock.note_conflicts(HERE, [KEY])
    assert await stock.load_levels(HERE, [KEY]) == {KEY: LastLevel(rises_since=NOON, conflicts=2)}
    await remember(stock, line())
    assert await stock.load_levels(HERE, [KEY]) == {KEY: LastLevel(conflicts=2)}
    await remember(stock, line(action=Action.SAME))
    assert await stock.load_levels(HERE, [KEY]) == {KEY: LastLevel()}
    await stock.begin_batch(batch(), epoch=None, now=NOON)
    refused = [LevelNote(key=KEY, refused="NON_MUTABLE_INVENTORY_ITEM")]
    await stock.finish_batch("stock-1", state="refused", note="no", levels=refused, now=NOON)
    assert await stock.load_levels(HERE, [KEY]) == {KEY: LastLevel(refused="NON_MUTABLE_INVENTORY_ITEM")}


async def test_hints_are_taken_once_urgent_ones_first(stock: StockStore) -> None:
    await stock.record_hints([StockHint(code="CUP"), StockHint(code="TEA")], now=NOON)
    await stock.record_hints([StockHint(code="SET", shop="uk", urgent=True), StockHint(code="CUP")], now=after(1))
    assert list(await stock.take_hints(limit=1)) == [StockHint(code="SET", shop="uk", urgent=True)]
    assert {hint.code for hint in await stock.take_hints(limit=5)} == {"CUP", "TEA"}
    assert list(await stock.take_hints(limit=5)) == []


async def test_a_list_for_people(postgres_store: PostgresStore) -> None:
    stock = PostgresStock(postgres_store.database, postgres_store)
    await remember(stock, line(), line("9002", "CUP", Action.SAME))
    rows, total = await stock.list_levels(q="", shops=None, only_differing=False, limit=1, offset=0)
    assert (total, [row["sku"] for row in rows]) == (2, ["CUP"])
    rows, total = await stock.list_levels(q="set", shops=frozenset({"uk"}), only_differing=True, limit=9, offset=0)
    assert (total, rows[0]["sku"], rows[0]["products"], rows[0]["target"]) == (1, "SET", ["CUP", "TEA"], 4)
    assert await stock.list_levels(q="", shops=frozenset({"de"}), only_differing=False, limit=9, offset=0) == ([], 0)
    state = await stock.claim_place(HERE, holder="w1", now=NOON, lease_seconds=60)
    assert state is not None
    await stock.release_place(HERE, epoch=state.epoch, published_snapshot_at=None, held="odd", now=NOON + timedelta(1))
    [place] = await stock.list_places()
    assert (place["held"], place["held_since"]) == ("odd", NOON + timedelta(1))
