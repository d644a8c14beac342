"""What is none of the warehouse's business, and by which named rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cast import decided, facts, fulfilment_order, line, order, record, spoken
from pickgate.domain.decision import OrderState
from pickgate.domain.eligibility import (
    NotOurs,
    decide_fulfilment_order_eligibility,
    decide_line_eligibility,
    decide_order_eligibility,
)
from pickgate.domain.policy import Policy
from pickgate.domain.shop import DeliveryMethod, Line, ShopOrder

GIFT_CARD = line("G", is_gift_card=True)
DIGITAL = line("D", requires_shipping=False)
THING = line("A")
TEST = Policy(ship_test_orders=True)


@pytest.mark.parametrize(
    ("case", "some_order", "policy", "rule"),
    [
        ("an ordinary order", order(), Policy(), None),
        ("a test order", order(test=True), Policy(), "test_order"),
        ("a test order where they are wanted", order(test=True), TEST, None),
        ("only a gift card", order(lines=(GIFT_CARD,)), Policy(), "nothing_to_ship"),
        ("only a digital line", order(lines=(DIGITAL,)), Policy(), "nothing_to_ship"),
        ("a gift card and a thing", order(lines=(GIFT_CARD, THING)), Policy(), None),
        ("no lines at all", order(lines=()), Policy(), None),
    ],
)
def test_an_order(case: str, some_order: ShopOrder, policy: Policy, rule: str | None) -> None:
    answer = decide_order_eligibility(some_order, policy)

    assert (answer.rule if answer else None) == rule


@pytest.mark.parametrize(
    ("some_line", "answer"),
    [
        (THING, None),
        (GIFT_CARD, NotOurs("gift_card", "Thing G is a gift card.")),
        (DIGITAL, NotOurs("not_shipped", "Thing D needs no shipping.")),
        (replace(GIFT_CARD, requires_shipping=False), NotOurs("gift_card", "Thing G is a gift card.")),
    ],
)
def test_a_line(some_line: Line, answer: NotOurs | None) -> None:
    assert decide_line_eligibility(some_line) == answer


@pytest.mark.parametrize(
    ("method", "rule"),
    [
        (DeliveryMethod.SHIPPING, None),
        (DeliveryMethod.PICKUP_POINT, None),
        (DeliveryMethod.UNRECOGNISED, None),
        (DeliveryMethod.PICK_UP, "local_pickup"),
        (DeliveryMethod.LOCAL, "local_delivery"),
        (DeliveryMethod.RETAIL, "point_of_sale"),
        (DeliveryMethod.NONE, "no_delivery"),
    ],
    ids=lambda v: v.value if isinstance(v, DeliveryMethod) else "",
)
def test_a_fulfilment_order(method: DeliveryMethod, rule: str | None) -> None:
    answer = decide_fulfilment_order_eligibility(fulfilment_order(method=method))
    assert (answer.rule if answer else None) == rule

    decision = decided(facts(order(fulfilment_orders=(fulfilment_order(method=method),))))
    assert spoken(decision) == (["create 1001-1 A1"] if rule is None else [])
    if answer is not None:
        assert f"Location L1: {answer.text}" in [reason.text for reason in decision.reasons]
        assert decision.state is OrderState.IGNORED


def test_an_ignored_order_says_why_and_nothing_else() -> None:
    decision = decided(facts(order(test=True)))

    assert decision.state is OrderState.IGNORED
    assert [reason.text for reason in decision.reasons] == ["A test order is never sent."]
    assert (decision.commands, decision.gates, decision.findings, decision.next_look_at) == ((), (), (), None)
    assert [row.line_id for row in decision.comparison] == ["A"]


def test_an_order_that_was_sent_is_never_ignored() -> None:
    decision = decided(facts(order(test=True), records=(record(),), goods_outs=()))

    assert decision.state is not OrderState.IGNORED
    assert [finding.code for finding in decision.findings] == ["WMS_ORDER_MISSING"]


def test_what_another_way_of_delivery_waits_for_is_nobodys_exception() -> None:
    unpaid = order(fulfilment_orders=(fulfilment_order(method=DeliveryMethod.PICK_UP),), financial_status="PENDING")

    decision = decided(facts(unpaid, gates_since={"payment": unpaid.created_at.replace(year=2025)}))

    assert decision.state is OrderState.IGNORED
    assert (decision.gates, decision.findings) == ((), ())
