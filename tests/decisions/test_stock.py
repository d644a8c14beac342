"""Each stock level, decided: given what the warehouse has and the shop has sold, what should be shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pickgate.domain.decision import ComparisonRow, Decision, OrderState
from pickgate.domain.facts import Unreadable
from pickgate.domain.rules import Place, Product
from pickgate.domain.stock import (
    Action,
    LastLevel,
    SeenUnits,
    ShopLevel,
    StockDecision,
    StockSnapshot,
    decide_stock,
)
from pickgate.domain.stock_policy import Balance, Buffer, StockPolicy, parse_buffer, parse_formula
from pickgate.domain.stock_seen import skus_to_correct

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HERE = Place(account="ACME", warehouse="LDS")
OPEN = StockPolicy(most_changed_share=1, most_zero_share=1)


def level(sku: str = "CUP", available: int = 0, committed: int = 0, **more: Any) -> ShopLevel:
    values: dict[str, Any] = {
        "shop": "uk", "location_id": "L1", "item_id": f"i-{sku}", "level_id": f"l-{sku}", "sku": sku,
        "available": available, "committed": committed, "on_hand": available + committed,
        "products": (Product(code=sku),),
    }  # fmt: skip
    return ShopLevel(**(values | more))


def decide(
    *levels: ShopLevel,
    stock: dict[str, int | Balance | Unreadable] | None = None,
    seen: dict[str, SeenUnits] | None = None,
    taken: dict[str, int] | None = None,
    last: LastLevel | None = None,
    policy: StockPolicy = OPEN,
    age: timedelta = timedelta(0),
    **more: Any,
) -> StockDecision:
    balances = {
        code: Balance(available=figure) if isinstance(figure, int) else figure for code, figure in (stock or {}).items()
    }
    return decide_stock(
        StockSnapshot(place=HERE, begun_at=NOW - age, balances=balances),
        levels,
        {("uk", "L1", sku): units for sku, units in (seen or {}).items()},
        taken or {},
        {one.key: last for one in levels} if last else {},
        policy,
        now=NOW,
        **more,
    )


@pytest.mark.parametrize(
    ("case", "shown", "committed", "stock", "seen", "target", "action"),
    [
        ("nothing has happened", 9, 0, 9, None, 9, Action.SAME),
        ("sold, and nobody has looked yet", 8, 1, 9, None, 8, Action.SAME),
        ("sold and in the warehouse", 8, 1, 8, SeenUnits(proven=1), 8, Action.SAME),
        ("one of two is in the warehouse", 7, 2, 8, SeenUnits(proven=1), 7, Action.SAME),
        ("counted up", 9, 0, 12, None, 12, Action.RAISE),
        ("counted down", 9, 0, 5, None, 5, Action.LOWER),
        ("the last one broke", 1, 0, 0, None, 0, Action.TO_ZERO),
        ("back in stock", 0, 0, 4, None, 4, Action.RETURN),
        ("below zero in the shop, and nothing there", -3, 3, 0, None, 0, Action.SAME),
        ("below zero in the shop, and some arrived", -3, 3, 10, None, 7, Action.RETURN),
        ("more sold than there is", 2, 5, 3, None, 0, Action.TO_ZERO),
        ("the warehouse is oversold", 2, 0, -4, None, 0, Action.TO_ZERO),
        ("an edit put picked units back on sale", 9, 0, 8, None, 8, Action.LOWER),
        ("more seen than committed is no credit", 9, 0, 9, SeenUnits(proven=5), 9, Action.SAME),
        ("not proven: left alone for now", 8, 1, 8, SeenUnits(likely=1), 7, Action.UNPROVEN),
        ("not proven, and too high even so", 9, 1, 8, SeenUnits(likely=1), 7, Action.LOWER),
    ],
)  # fmt: skip
def test_levels(
    case: str, shown: int, committed: int, stock: int, seen: SeenUnits | None, target: int, action: Action
) -> None:
    decision = decide(level(available=shown, committed=committed), stock={"CUP": stock},
                      seen={"CUP": seen} if seen else None)  # fmt: skip
    [line] = decision.lines
    assert (line.target, line.action) == (target, action), case
    expected = [(target, shown)] if action.sets else []
    assert [(change.quantity, change.change_from) for change in decision.changes] == expected


def test_strict_takes_what_is_not_proven_for_demand() -> None:
    decision = decide(level(available=8, committed=1), stock={"CUP": 8}, seen={"CUP": SeenUnits(likely=1)}, strict=True)
    assert [(line.action, line.target) for line in decision.lines] == [(Action.LOWER, 7)]


def test_on_hand_keeps_what_is_put_aside() -> None:
    policy = StockPolicy(most_changed_share=1, most_zero_share=1, sets_on_hand=True)
    one = level(available=4, committed=2, on_hand=9)  # two committed, three damaged
    decision = decide(one, stock={"CUP": 10}, policy=policy)
    assert [(c.quantity, c.change_from) for c in decision.changes] == [(8 + 5, 9)]
    oversold = decide(level(available=1, committed=5, on_hand=6), stock={"CUP": 3}, policy=policy)
    assert [(c.quantity, c.change_from) for c in oversold.changes] == [(3, 6)], "two more are sold than there are"


def test_a_bundle_is_as_many_as_its_scarcest_part_and_its_sales_are_demand_for_every_part() -> None:
    bundle = level("SET", 0, 1, products=(Product(code="CUP"), Product(code="TEA", units=2)))
    decision = decide(level("CUP"), bundle, level("TEA"), stock={"CUP": 9, "TEA": 7})
    assert {line.level.sku: line.target for line in decision.lines} == {"CUP": 8, "SET": 2, "TEA": 5}
    empty = decide(bundle, stock={"CUP": 9, "TEA": 0})
    assert [line.target for line in empty.lines] == [0]


def test_two_items_with_one_sku_share_the_credit() -> None:
    twin = level("CUP", 3, 2, item_id="i-2")
    decision = decide(level("CUP", 3, 2), twin, stock={"CUP": 5}, seen={"CUP": SeenUnits(proven=3)})
    assert [(line.unseen, line.target) for line in decision.lines] == [(1, 4), (1, 4)]


def test_split_gives_every_seller_an_equal_part() -> None:
    policy = StockPolicy(most_changed_share=1, most_zero_share=1, splits_shared=True)
    decision = decide(level("CUP"), level("CUP", item_id="i-2", location_id="L2"), stock={"CUP": 5}, policy=policy)
    assert [line.target for line in decision.lines] == [3, 2]


def test_draft_orders_and_safety_stock_of_the_shop_are_respected() -> None:
    [line] = decide(level(reserved=2, safety_stock=3), stock={"CUP": 10}).lines
    assert (line.unseen, line.buffer, line.target) == (2, 3, 5)


def test_units_taken_since_the_snapshot_are_demand() -> None:
    [line] = decide(level(), stock={"CUP": 10}, taken={"CUP": 4}).lines
    assert (line.unseen, line.target) == (4, 6)


@pytest.mark.parametrize(
    ("buffer", "promised", "kept"),
    [
        (Buffer(units=2), 10, 2), (Buffer(percent=10), 10, 1), (Buffer(percent=10), 11, 2),
        (Buffer(units=2, percent=10), 30, 3), (Buffer(units=2, percent=10), 3, 2), (Buffer(percent=50), 0, 0),
    ],
)  # fmt: skip
def test_buffers(buffer: Buffer, promised: int, kept: int) -> None:
    assert buffer.of(promised) == kept


def test_a_sku_has_its_own_buffer_then_a_pattern_then_everybodys() -> None:
    policy = StockPolicy(
        buffer=Buffer(units=1), buffers={"G*": Buffer(units=4), "GLASS": Buffer(units=9)}, most_changed_share=1
    )
    levels = [level(sku) for sku in ("GLASS", "GIN", "CUP")]
    decision = decide(*levels, stock=dict.fromkeys(("GLASS", "GIN", "CUP"), 10), policy=policy)
    assert [line.target for line in decision.lines] == [1, 6, 9]


@pytest.mark.parametrize(
    ("text", "units"),
    [("available", 10), ("available - ordered", 7), ("received - allocated - ordered", 15), ("-picked+received", 19)],
)
def test_formulas(text: str, units: int) -> None:
    balance = Balance(available=10, allocated=2, ordered=3, received=20, picked=1)
    assert parse_formula(text).sellable(balance) == units


@pytest.mark.parametrize("text", ["", "availible", "available ordered", "available * 2", "2", "available -"])
def test_a_formula_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        parse_formula(text)


@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", "101%", "%"])
def test_a_buffer_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="write units"):
        parse_buffer(value)


@pytest.mark.parametrize(
    ("more", "stock", "last", "problem"),
    [
        ({"tracked": False}, {"CUP": 1}, None, "The shop does not track this item's stock."),
        ({"products": ()}, {"CUP": 1}, None, "The rulebook sends this SKU nowhere."),
        ({}, {}, None, "The warehouse has no stock record of CUP."),
        ({}, {"CUP": Unreadable(why="1.5 units")}, None, "CUP: 1.5 units"),
        ({}, {"CUP": 1}, LastLevel(refused="NON_MUTABLE"), "The shop does not let this item be set (NON_MUTABLE)."),
        ({}, {"CUP": 1}, LastLevel(snapshot_at=NOW + timedelta(seconds=1)),
         "A newer snapshot was published meanwhile."),
    ],
)  # fmt: skip
def test_what_is_left_alone(more: dict[str, Any], stock: dict[str, Any], last: LastLevel | None, problem: str) -> None:
    decision = decide(level(available=5, **more), stock=stock, last=last)
    assert [(line.action, line.why) for line in decision.lines] == [(Action.NOT_SENT, problem)]
    assert decision.changes == ()


def test_what_we_published_and_has_no_record_any_more_is_zero() -> None:
    [line] = decide(level(available=5), last=LastLevel(published=5)).lines
    assert (line.action, line.target) == (Action.TO_ZERO, 0)


def test_the_most_urgent_come_first() -> None:
    decision = decide(
        level("RAISE", 5), level("LOW", 9), level("ZERO", 1), level("BACK", 0), level("LOWER", 9),
        stock={"RAISE": 9, "LOW": 8, "ZERO": 0, "BACK": 5, "LOWER": 2},
    )  # fmt: skip
    assert [change.line.level.sku for change in decision.changes] == ["ZERO", "LOWER", "LOW", "BACK", "RAISE"]


def test_a_small_rise_waits_and_a_fall_does_not() -> None:
    policy = StockPolicy(hysteresis_units=2, most_changed_share=1, most_zero_share=1)
    [first] = decide(level(available=5), stock={"CUP": 7}, policy=policy).lines
    assert (first.action, first.rises_since) == (Action.WAITS, NOW)
    since = LastLevel(rises_since=NOW - timedelta(minutes=14, seconds=59))
    assert decide(level(available=5), stock={"CUP": 6}, policy=policy, last=since).changes == ()
    lasted = LastLevel(rises_since=NOW - timedelta(minutes=15))
    [change] = decide(level(available=5), stock={"CUP": 6}, policy=policy, last=lasted).changes
    assert change.quantity == 6
    [fall] = decide(level(available=5), stock={"CUP": 4}, policy=policy, last=lasted).lines
    assert (fall.action, fall.rises_since) == (Action.LOWER, None)
    assert decide(level(available=5), stock={"CUP": 8}, policy=policy).lines[0].action is Action.RAISE
    assert decide(level(available=0), stock={"CUP": 1}, policy=policy).lines[0].action is Action.RETURN


def test_an_old_or_older_snapshot_is_refused() -> None:
    assert decide(level(), stock={"CUP": 1}, age=timedelta(minutes=10)).refused == ""
    assert "10 minutes old" in decide(level(), stock={"CUP": 1}, age=timedelta(minutes=10, seconds=1)).refused
    newer = NOW - timedelta(minutes=1)
    older = decide(level(), stock={"CUP": 1}, age=timedelta(minutes=2), newest_published_at=newer)
    assert "older than the one published last" in older.refused
    assert (older.lines, older.changes) == ((), ())


@pytest.mark.parametrize(
    ("shown", "stock", "held"),
    [
        ([5] * 10, [0] * 3 + [5] * 7, "3 of 10 levels with stock would become zero."),
        ([5] * 10, [0] * 2 + [5] * 8, None),
        ([5, 5], [0, 0], "2 of 2 levels with stock would become zero."),
        ([5], [0], None),
        ([5] * 20, [6] * 11 + [5] * 9, "11 of 20 levels would change."),
        ([5] * 20, [6] * 10 + [5] * 10, None),
        ([0] * 9 + [5], [6] * 9 + [5], None),
    ],
)
def test_what_is_too_odd_to_believe_waits_for_a_person(shown: list[int], stock: list[int], held: str | None) -> None:
    levels = [level(f"S{number}", units) for number, units in enumerate(shown)]
    figures: dict[str, int | Balance | Unreadable] = {f"S{number}": units for number, units in enumerate(stock)}
    policy = StockPolicy()
    decision = decide(*levels, stock=figures, policy=policy)
    assert (decision.held.text if decision.held else None) == held
    assert [finding.code for finding in decision.findings] == (["STOCK_IMPLAUSIBLE"] if held else [])
    assert bool(decision.changes) is (held is None)
    assert decide(*levels, stock=figures, policy=policy, confirmed=True).held is None


def test_odd_figures_are_one_exception_and_others_go_on() -> None:
    decision = decide(
        level("A", 1), level("B", 1), level("C", 1),
        stock={"A": Unreadable(why="1.5 units"), "B": Unreadable(why="no number"), "C": 3},
    )  # fmt: skip
    assert [change.line.level.sku for change in decision.changes] == ["C"]
    [finding] = decision.findings
    assert (finding.code, finding.detail["products"]) == ("STOCK_IMPLAUSIBLE", ["A", "B"])


def test_an_order_names_the_skus_whose_level_its_edit_made_untrue() -> None:
    def row(sku: str, shop: int, there: int, picked: int) -> ComparisonRow:
        return ComparisonRow(
            line_id=sku, title="", sku=sku, shop_units=shop, decided_units=shop, warehouse_units=there, picked=picked,
            despatched=0, fulfilled=0, differs=shop != there,
        )  # fmt: skip

    decision = Decision(
        state=OrderState.PICKING,
        comparison=(row("A", 1, 2, 2), row("B", 2, 2, 2), row("C", 0, 1, 0), row("D", 3, 2, 1)),
    )
    assert skus_to_correct(decision) == ("A",)
