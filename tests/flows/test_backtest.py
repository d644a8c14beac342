"""The back-test: each order whose goods-outs a new rulebook would change, and no other; pure, quick, and impersonal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

import cast
from pickgate.domain.facts import Records
from pickgate.domain.policy import Policy
from pickgate.domain.shop import FulfilmentOrderStatus, ShopOrder
from pickgate.flows.backtest import Backtest, ChangedOrder, NotReplayed, Planned, as_placed, backtest
from pickgate.rulebook.evaluate import Rulebook
from pickgate.rulebook.tables import Tables
from pickgate.store.codec import CodecError
from pickgate.store.records import StoredFacts

BASE = Tables(
    locations=(("", "L1", "", "ACME", "LEEDS", ""), ("", "L2", "", "ACME", "HULL", "")),
    services=(("", "Standard", "", "", "DPD", "ND"),),
    notes=(("", "note", "order_notes"),),
)
OLD = Rulebook(1, BASE)


@dataclass
class Kept:
    """What the store keeps: facts by row, newest first; an exception stands for facts that cannot be read."""

    rows: dict[int, StoredFacts | Exception | None] = field(default_factory=dict)
    asked: list[frozenset[str] | None] = field(default_factory=list)

    async def newest_orders(self, *, limit: int, shops: frozenset[str] | None = None) -> Sequence[int]:
        self.asked.append(shops)
        return list(self.rows)[:limit]

    async def load_facts(self, order: int) -> StoredFacts | None:
        found = self.rows[order]
        if isinstance(found, Exception):
            raise found
        return found


def kept(order: ShopOrder | None = None, *, shop: str = "uk", **more: Any) -> StoredFacts:
    records = {name: more.pop(name) for name in ("goods_outs_known",) if name in more}
    return StoredFacts(
        shop=shop,
        order_id=order.id if order else "0",
        order=order,
        goods_outs=more.pop("goods_outs", ()),
        records=Records(first_seen_at=cast.LONG_AGO, goods_outs=records.get("goods_outs_known", ())),
        read_at=more.pop("read_at", cast.NOON),
        rulebook_version=1,
    )


async def tried(new: Rulebook, *orders: StoredFacts | Exception | None, **more: Any) -> Backtest:
    store = Kept(dict(enumerate(orders, start=1)))
    return await backtest(store, OLD, new, {"uk": Policy()}, **more)


def changed(tables: Tables, **more: Any) -> Rulebook:
    return Rulebook(2, replace(tables, **more))


async def only_change(new: Rulebook, order: ShopOrder) -> ChangedOrder:
    report = await tried(new, kept(order))
    (found,) = report.changed
    return found


@pytest.mark.parametrize(
    ("tables", "differences"),
    [
        ({"services": (("", "Standard", "", "", "RM", "48"),)}, ("service: DPD/ND → RM/48",)),
        ({"services": (("", "*", "", "", "", ""),)}, ("service: DPD/ND → the warehouse's default",)),
        ({"services": ()}, ("would stop: No row for Standard to GB from LEEDS. Add one to services.csv, check and publish; the order then goes on by itself.", "service: DPD/ND → the warehouse's default")),  # noqa: E501
        ({"locations": (("", "L1", "", "ACME", "HULL", ""),)}, ("place: ACME/LEEDS → ACME/HULL",)),
        ({"locations": (("", "L1", "", "", "", "yes"),)}, ("would not be sent", "units of SKU-A: 2 → 0")),
        ({"priorities": (("", "", "", "", "7"),)}, ("priority: none → 7",)),
        ({"skus": (("", "SKU-A", "MUG", "6", ""),)}, ("units of SKU-A: 2 → 0", "units of MUG: 0 → 12")),
        ({"notes": (("", "note", "pick_notes"),)}, ("notes: other text in order_notes, pick_notes",)),
        ({"holds": (("", "", "GB", "", "look at it"),)}, ("would stop: look at it",)),
        ({"splits": (("", "SKU-A", "", "cold"),)}, ()),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
async def test_what_a_table_changes(tables: dict[str, Any], differences: tuple[str, ...]) -> None:
    report = await tried(changed(BASE, **tables), kept(cast.order({"A": 2}, note="Ring twice")))
    assert [item.differences for item in report.changed] == ([differences] if differences else [])
    assert report.unchanged == (0 if differences else 1)


async def test_both_sides_are_shown_with_the_rows_that_decided_and_without_a_person() -> None:
    order = cast.order({"A": 2}, note="For Ada's birthday")
    found = await only_change(
        changed(BASE, services=(("", "X", "", "", "A", "B"), ("", "*", "", "", "RM", "48"))), order
    )
    planned = Planned(
        account="ACME", warehouse="LEEDS", group="", carrier="DPD", service="ND", priority=None,
        lines=(("SKU-A", 2),), notes=("order_notes",),
    )  # fmt: skip
    assert (found.order, found.shop, found.name, found.shopify_id) == (1, "uk", "#1001", "5001")
    assert found.before.goods_outs == (planned,)
    assert found.after.goods_outs == (replace(planned, carrier="RM", service="48"),)
    assert [(reason.text, str(reason.row)) for reason in found.after.reasons] == [
        ("Location L1 → ACME/LEEDS", "locations, row 1, version 2"),
        ("Standard → RM/48", "services, row 2, version 2"),
    ]
    assert not any(word in repr(found) for word in ("Ada", "Byron", "Mill Lane", "LS1", "ada@example.com", "birthday"))


async def test_a_new_row_lets_a_stopped_order_go() -> None:
    order = cast.order(fulfilment_orders=(cast.fulfilment_order(location="L9"),))
    found = await only_change(changed(BASE, locations=(*BASE.locations, ("", "L9", "", "ACME", "LEEDS", ""))), order)
    assert found.before.stopped_by == (
        "No row for Location L9 (L9). Add one to locations.csv, check and publish; the order then goes on by itself.",
    )
    assert (found.before.goods_outs, found.after.stopped_by) == ((), ())
    assert found.differences[0].startswith("would no longer stop: No row for Location L9")
    assert found.differences[1:] == ("would be sent from ACME/LEEDS with DPD/ND", "units of SKU-A: 0 → 1")


async def test_lines_that_are_only_shared_out_otherwise_are_a_change() -> None:
    split = changed(BASE, splits=(("", "SKU-A", "", "cold"),))
    found = await only_change(split, cast.order({"A": 1, "B": 1}))
    assert found.differences == ("goods-outs: 1 → 2",)
    assert [planned.lines for planned in found.after.goods_outs] == [(("SKU-A", 1),), (("SKU-B", 1),)]


async def test_an_order_that_has_left_is_tried_as_it_was_placed() -> None:
    left = cast.order(
        {"A": 2},
        fulfilment_orders=(
            replace(
                cast.fulfilment_order("F1", {"A": 2}, status=FulfilmentOrderStatus.CLOSED),
                lines=(replace(cast.fulfilment_order("F1", {"A": 2}).lines[0], remaining=0),),
            ),
        ),
        fulfilments=(cast.fulfilment({"A": 2}),),
    )
    found = await only_change(changed(BASE, priorities=(("", "", "", "", "7"),)), left)
    assert found.differences == ("priority: none → 7",)
    assert found.before.goods_outs[0].lines == (("SKU-A", 2),)


def test_a_line_that_was_moved_counts_where_it_is_and_once() -> None:
    moved_away = cast.fulfilment_order("F1", {"A": 2}, status=FulfilmentOrderStatus.CLOSED)
    here = cast.fulfilment_order("F2", {"A": 2}, location="L2")
    gone = cast.fulfilment_order("F3", {"A": 2}, status=FulfilmentOrderStatus.CANCELLED)
    placed = as_placed(cast.order({"A": 2}, fulfilment_orders=(moved_away, here, gone)))
    assert [(one.id, one.status.value) for one in placed.fulfilment_orders] == [
        ("F2", "open"), ("F1", "open"), ("F3", "cancelled"),
    ]  # fmt: skip


async def test_what_is_in_the_warehouse_and_would_be_moved_is_named() -> None:
    live = kept(cast.order(), goods_outs=(cast.goods_out(1),), goods_outs_known=(cast.record(1),))
    waiting = kept(cast.order(id="5002", name="#1002"))
    report = await tried(changed(BASE, services=(("", "*", "", "", "RM", "48"),)), live, waiting)
    assert [(item.name, item.moves) for item in report.changed] == [("#1001", ("1001-1",)), ("#1002", ())]
    assert report.moved == 1


async def test_every_order_is_accounted_for() -> None:
    orders = [
        kept(cast.order()),
        kept(cast.order(cancelled_at=cast.NOON)),
        kept(cast.order(test=True)),
        kept(None),
        None,
        CodecError("'Ada Byron' is none of …"),
        kept(cast.order(name="#9"), shop="us"),
        kept(cast.order(id="2", name="#2"), read_at=None),
    ]
    report = await tried(changed(BASE, priorities=(("", "", "", "", "7"),)), *orders, unreadable=(CodecError,))
    assert (report.old_version, report.new_version, report.looked_at) == (1, 2, 8)
    assert (report.unchanged, report.not_concerned) == (0, 2)
    assert [item.name for item in report.changed] == ["#1001", "#2"]
    assert report.not_replayed == (
        NotReplayed(order=4, name="", why="its content was never read, or has been removed"),
        NotReplayed(order=5, name="", why="its content was never read, or has been removed"),
        NotReplayed(order=6, name="", why="its stored facts cannot be read (CodecError)"),
        NotReplayed(order=7, name="#9", why="the settings have no shop us"),
    )


async def test_an_error_of_the_store_itself_ends_it() -> None:
    with pytest.raises(OSError, match="away"):
        await tried(OLD, OSError("away"), unreadable=(CodecError,))


async def test_the_same_rulebook_changes_nothing_and_only_the_shops_asked_for_are_read() -> None:
    store = Kept({1: kept(cast.order()), 2: kept(cast.order({"A": 1, "B": 3}))})
    report = await backtest(store, OLD, Rulebook(2, BASE), {"uk": Policy()}, limit=1, shops=frozenset({"uk"}))
    assert (report.looked_at, report.unchanged, report.changed) == (1, 1, ())
    assert store.asked == [frozenset({"uk"})]


async def test_a_thousand_orders_take_less_than_ten_seconds() -> None:
    orders = [
        kept(
            cast.order(
                dict.fromkeys("ABCDEF"[: 1 + number % 6], 1 + number % 3),
                id=str(number),
                name=f"#{number}",
                created_at=cast.LONG_AGO - timedelta(minutes=number),
            )
        )
        for number in range(1_000)
    ]
    new = changed(BASE, services=(("", "Standard", "", "", "RM", "48"),))
    began = time.perf_counter()
    report = await tried(new, *orders, limit=1_000)
    assert (report.looked_at, len(report.changed)) == (1_000, 1_000)
    assert time.perf_counter() - began < 10
