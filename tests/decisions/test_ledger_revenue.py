"""Despatched against charged: each line's walk through time, and the law that nothing is rounded away."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.ledger_cast import agreed, at, money, sale
from pickgate.domain.ledger import build_ledger
from pickgate.domain.ledger_facts import LineKind, Unusable, Why
from pickgate.domain.ledger_revenue import (
    Charge,
    Despatch,
    Goods,
    LineCover,
    cover_lines,
    decide_despatches,
    find_charges,
)

A = Goods(line_id="A", title="Mug", sku="MUG")


def charge(hours: float, units: int, minor: int) -> Charge:
    return Charge(line_id="A", units=units, minor=minor, at=at(hours))


def left(hours: float, units: int, source: str = "fulfilment:1") -> Despatch:
    return Despatch(line_id="A", units=units, at=at(hours), source=source)


def cover(*steps: Charge | Despatch) -> LineCover:
    charges = [step for step in steps if isinstance(step, Charge)]
    despatches = [step for step in steps if isinstance(step, Despatch)]
    (found,) = cover_lines([A], charges, despatches, currency="GBP")
    assert found.ties
    return found


def figures(found: LineCover) -> dict[str, Any]:
    names = (
        "net_charged", "despatched_units", "despatched", "given_back", "waiting_units", "waiting", "waiting_since",
        "uncovered_units", "uncovered", "uncovered_since",
    )  # fmt: skip
    return {name: getattr(found, name) for name in names if getattr(found, name)}


CASES: dict[str, tuple[list[Charge | Despatch], dict[str, Any]]] = {
    "charged, nothing has left": (
        [charge(0, 3, 1000)],
        {"net_charged": 1000, "waiting_units": 3, "waiting": 1000, "waiting_since": at(0)},
    ),
    "a part has left: the odd penny goes with the smaller share's larger remainder": (
        [charge(0, 3, 1000), left(1, 2)],
        {"net_charged": 1000, "despatched_units": 2, "despatched": 667, "waiting_units": 1, "waiting": 333,
         "waiting_since": at(0)},
    ),
    "everything has left, in two parcels": (
        [charge(0, 3, 1000), left(1, 1), left(2, 2)],
        {"net_charged": 1000, "despatched_units": 3, "despatched": 1000},
    ),
    "an edit takes off what waits": (
        [charge(0, 3, 1000), left(1, 1), charge(2, -2, -667)],
        {"net_charged": 333, "despatched_units": 1, "despatched": 333},
    ),
    "a refund after despatch is given back": (
        [charge(0, 2, 1000), left(1, 2), charge(2, -1, -500)],
        {"net_charged": 500, "despatched_units": 2, "despatched": 1000, "given_back": 500},
    ),
    "a fee kept on a return": (
        [charge(0, 1, 1000), left(1, 1), charge(2, -1, -900)],
        {"net_charged": 100, "despatched_units": 1, "despatched": 1000, "given_back": 900},
    ),
    "refunded first, and sent all the same": (
        [charge(0, 2, 1000), charge(1, -2, -1000), left(2, 2)],
        {"despatched_units": 2, "uncovered_units": 2, "uncovered": 1000, "uncovered_since": at(2)},
    ),
    "sent first, and charged later": (
        [left(0, 1), charge(1, 2, 1000)],
        {"net_charged": 1000, "despatched_units": 1, "despatched": 500, "waiting_units": 1, "waiting": 500,
         "waiting_since": at(1)},
    ),
    "never charged at all": (
        [left(0, 2)],
        {"despatched_units": 2, "uncovered_units": 2, "uncovered_since": at(0)},
    ),
    "a later discount on what waits": (
        [charge(0, 2, 1000), charge(1, 0, -100), left(2, 1)],
        {"net_charged": 900, "despatched_units": 1, "despatched": 450, "waiting_units": 1, "waiting": 450,
         "waiting_since": at(0)},
    ),
    "a later discount on what has left": (
        [charge(0, 1, 1000), left(1, 1), charge(2, 0, -100)],
        {"net_charged": 900, "despatched_units": 1, "despatched": 1000, "given_back": 100},
    ),
    "added later: the age is the oldest unit's": (
        [charge(0, 1, 500), charge(5, 1, 500), left(6, 1)],
        {"net_charged": 1000, "despatched_units": 1, "despatched": 500, "waiting_units": 1, "waiting": 500,
         "waiting_since": at(5)},
    ),
    "free of charge": (
        [charge(0, 2, 0), left(1, 2)],
        {"despatched_units": 2},
    ),
    "charged and sent in one second": (
        [left(0, 1), charge(0, 1, 700)],
        {"net_charged": 700, "despatched_units": 1, "despatched": 700},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_walk(case: str) -> None:
    steps, expected = CASES[case]
    assert figures(cover(*steps)) == expected


STEPS = st.lists(
    st.one_of(
        st.builds(charge, st.integers(0, 50), st.integers(-9, 9), st.integers(-99_999, 99_999)),
        st.builds(left, st.integers(0, 50), st.integers(1, 9)),
    ),
    max_size=12,
)


@given(STEPS)
def test_for_any_history_the_charge_is_despatched_given_back_or_waiting(steps: list[Charge | Despatch]) -> None:
    found = cover(*steps)
    assert found.net_charged == sum(step.minor for step in steps if isinstance(step, Charge))
    assert found.despatched_units == sum(step.units for step in steps if isinstance(step, Despatch))
    assert found.waiting_units >= 0
    assert found.uncovered_units >= 0
    assert not (found.waiting_units and found.uncovered_units)


def test_only_goods_are_charges_of_goods() -> None:
    found = build_ledger(
        money(
            agreed("1", sale("1", 2400, tax=400, discount=100, units=2), sale("2", 395, kind=LineKind.SHIPPING)),
            agreed("2", sale("3", -1200, tax=-200, units=-1), why=Why.EDIT, hours=1),
        )
    )
    assert not isinstance(found, Unusable)
    assert find_charges(found) == [charge(0, 2, 2400), charge(1, -1, -1200)]


def test_the_warehouse_counts_until_the_shop_catches_up() -> None:
    first = decide_despatches((), [], [("A", 2), ("B", 0)], now=at(1))
    assert first == (left(1, 2, "warehouse"),)
    later = decide_despatches(first, [], [("A", 3)], now=at(2))
    assert later == (left(1, 3, "warehouse"),)
    known = decide_despatches(later, [left(3, 2)], [("A", 3)], now=at(4))
    assert known == (left(1, 1, "warehouse"), left(3, 2))
    assert decide_despatches(known, [left(3, 3)], [("A", 3)], now=at(5)) == (left(3, 3),)


def test_lines_that_nobody_described_are_walked_too() -> None:
    found = cover_lines([], [charge(0, 1, 100)], [Despatch(line_id="B", units=1, at=at(0), source="x")], currency="GBP")
    assert [(one.goods.line_id, one.waiting, one.uncovered_units) for one in found] == [("A", 100, 0), ("B", 0, 1)]
