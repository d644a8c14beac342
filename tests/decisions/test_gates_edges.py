"""The edges of gates: a penny, a second, two tags, money that went back, and what the shop refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cast import (
    LONG_AGO,
    NOON,
    closed,
    codes,
    decided,
    facts,
    fulfilment_order,
    goods_out,
    line,
    order,
    record,
    spoken,
    totals,
)
from pickgate.domain.facts import OperatorHold, RecordState, RefusedEffect
from pickgate.domain.policy import Policy, WindowPolicy
from pickgate.domain.shop import FulfilmentOrderStatus, ShopHold, ShopOrder
from pickgate.domain.warehouse import Stage

SECOND = timedelta(seconds=1)
CLOSED = FulfilmentOrderStatus.CLOSED
HOLD = (ShopHold(id="H", reason="OTHER"),)


@pytest.mark.parametrize(
    ("case", "changes", "accepted", "gates"),
    [
        ("part of the money went back", {"financial_status": "PARTIALLY_REFUNDED"}, ("PAID",), []),
        ("and the shop says so itself", {"financial_status": "PARTIALLY_REFUNDED"}, ("PARTIALLY_REFUNDED",), []),
        ("and only terms are accepted", {"financial_status": "PARTIALLY_REFUNDED"}, ("PENDING",), ["payment"]),
        ("all of it went back", {"financial_status": "REFUNDED"}, ("PAID",), ["payment"]),
        ("part went back, and a balance is left",
         {"financial_status": "PARTIALLY_REFUNDED", "totals": totals(500)}, ("PAID",), ["outstanding"]),
        ("a penny is outstanding", {"totals": totals(1)}, ("PAID",), ["outstanding"]),
        ("nothing is", {"totals": totals(0)}, ("PAID",), []),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
def test_payment(case: str, changes: dict[str, object], accepted: tuple[str, ...], gates: list[str]) -> None:
    policy = Policy(window=WindowPolicy(payment_states=accepted))

    assert closed(decided(facts(replace(order(), **changes)), policy=policy)) == gates  # type: ignore[arg-type]


@pytest.mark.parametrize(("until", "gates"), [(NOON + SECOND, ["operator_hold"]), (NOON, [])], ids=str)
def test_an_operators_hold_ends_on_the_second(until: object, gates: list[str]) -> None:
    hold = OperatorHold(by="o", reason="r", at=LONG_AGO, until=until)  # type: ignore[arg-type]

    assert closed(decided(facts(hold=hold))) == gates


def test_one_of_several_release_tags_is_enough_and_all_are_named() -> None:
    policy = Policy(window=WindowPolicy(release_tags=("Released", "GO")))

    (gate,) = decided(facts(), policy=policy).gates
    assert (gate.detail, gate.opens_when) == ("Not tagged 'Released' or 'GO' yet.", "it is tagged 'Released' or 'GO'")
    assert spoken(decided(facts(order(tags=("go",))), policy=policy)) == ["create 1001-1 A1"]


@pytest.mark.parametrize(
    ("case", "some", "gates"),
    [
        ("something is to be shipped", order(fulfilment_orders=()), ["routing"]),
        ("it was taken off", order({"A": 0}, fulfilment_orders=()), []),
        ("it needs no shipping", order(lines=(line("A", 0), line("D", requires_shipping=False)), fulfilment_orders=()),
         []),
        ("cancelled", order(fulfilment_orders=(), cancelled_at=NOON), []),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
def test_routing_is_waited_for_only_where_something_is_to_be_shipped(
    case: str, some: ShopOrder, gates: list[str]
) -> None:
    assert closed(decided(facts(some))) == gates


def test_a_hold_behind_a_closed_fulfilment_order_is_seen() -> None:
    both = (
        fulfilment_order("F1", {"A": 0}, status=CLOSED),
        fulfilment_order("F2", {"A": 1}, holds=HOLD, status=FulfilmentOrderStatus.ON_HOLD),
    )

    assert closed(decided(facts(order(fulfilment_orders=both)))) == ["shop_hold"]


def test_a_hold_on_a_closed_fulfilment_order_is_over() -> None:
    both = (fulfilment_order("F1", {"A": 0}, holds=HOLD, status=CLOSED), fulfilment_order("F2", {"A": 1}))

    assert closed(decided(facts(order(fulfilment_orders=both)))) == []


class TestRefusedBefore:
    LOCKED = order(tags=("pickgate-locked",), lock_value="locked")

    def refused(self, key: str) -> RefusedEffect:
        kind = key.partition(":")[0]
        return RefusedEffect(key=key, kind=kind, target="5001", code="X", problem="no", at=NOON)

    def test_a_lock_that_could_not_be_lifted_is_left_alone(self) -> None:
        some = facts(
            self.LOCKED, records=(record(),), goods_outs=(goods_out(),), refused=(self.refused("lift_lock:5001:open:"),)
        )

        assert (spoken(decided(some)), codes(decided(some))) == ([], [])

    def test_progress_that_could_not_be_reported_is_left_alone(self) -> None:
        picking = goods_out(stage=Stage.PICKING)
        some = facts(
            self.LOCKED, records=(record(),), goods_outs=(picking,), refused=(self.refused("take_lock:5001:locked:F1"),)
        )

        assert (spoken(decided(some)), codes(decided(some))) == ([], [])


@pytest.mark.parametrize(
    ("tags", "value", "locked"),
    [
        (("pickgate-locked",), "locked", True),
        (("pickgate-locked",), None, True),
        ((), "locked", True),
        ((), None, False),
    ],
)
def test_either_mark_is_a_lock(tags: tuple[str, ...], value: str | None, locked: bool) -> None:
    finished = record(state=RecordState.FINISHED, told=(("A", 1),))
    left = goods_out(stage=Stage.COMPLETED, despatched={"A": 1})

    assert decided(facts(order(tags=tags, lock_value=value), records=(finished,), goods_outs=(left,))).locked is locked


def test_the_fingerprint_is_of_all_that_is_wanted() -> None:
    one = decided(facts()).fingerprint
    more = decided(facts(order({"A": 2}))).fingerprint
    elsewhere = decided(facts(order(fulfilment_orders=(fulfilment_order("F2"),)))).fingerprint

    assert len({one, more, elsewhere}) == 3
    assert {len(one), len(more), len(elsewhere)} == {16}
    assert one == decided(facts(order(tags=("vip",)))).fingerprint
