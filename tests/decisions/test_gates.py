"""When an order may not be released yet. Each row: a case, the order, the gates that are closed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from cast import LONG_AGO, NOON, closed, codes, decided, facts, fulfilment_order, order, spoken, totals
from pickgate.domain.facts import Approval, OperatorHold
from pickgate.domain.policy import Policy, WindowPolicy
from pickgate.domain.shop import FulfilmentOrderStatus, ShopHold

MINUTES = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
WINDOW = WindowPolicy(
    hold_tags=("OE-HOLD", "ON-HOLD"), stop_tags=("orderediting:cancellation_requested",), payment_states=("PAID",)
)
RELEASE_TAG = WindowPolicy(release_tags=("Released",))
TERMS = WindowPolicy(payment_states=("PAID", "PENDING"))
NO_WINDOW = WindowPolicy(edit_window=timedelta(0))


def aged(age: timedelta) -> dict[str, Any]:
    return {"created_at": NOON - age, "updated_at": NOON - age}


def held(reason: str = "OTHER", *, ours: bool = False) -> tuple[ShopHold, ...]:
    return (ShopHold(id="H1", reason=reason, ours=ours, handle="pickgate-window" if ours else ""),)


@pytest.mark.parametrize(
    ("case", "more", "window", "gates"),
    [
        ("open: old, paid, untagged", {}, WINDOW, []),
        ("a second before window and guard end", aged(31 * MINUTES - SECOND), WINDOW, ["edit_window"]),
        ("the second they end", aged(31 * MINUTES), WINDOW, []),
        ("no window, too young", aged(119 * SECOND), NO_WINDOW, ["min_age"]),
        ("no window, old enough", aged(120 * SECOND), NO_WINDOW, []),
        ("changed a moment ago", {"updated_at": NOON - 19 * SECOND}, WINDOW, ["quiet"]),
        ("quiet for long enough", {"updated_at": NOON - 20 * SECOND}, WINDOW, []),
        ("cut-off ahead", {"cutoff_at": NOON + MINUTES}, WINDOW, ["cutoff"]),
        ("cut-off passed, its guard not", {"cutoff_at": NOON - 59 * SECOND}, WINDOW, ["cutoff"]),
        ("cut-off and guard passed", {"cutoff_at": NOON - MINUTES}, WINDOW, []),
        ("cut-off unreadable", {"cutoff_unreadable": "'soon' is not a date"}, WINDOW, ["cutoff"]),
        ("hold tag", {"tags": ("vip", "OE-HOLD")}, WINDOW, ["hold_tag"]),
        ("hold tag, other case and spaces", {"tags": (" oe-hold ",)}, WINDOW, ["hold_tag"]),
        ("a longer tag is another tag", {"tags": ("OE-HOLD-LATER", "NO-OE-HOLD")}, WINDOW, []),
        ("two hold tags close two gates", {"tags": ("OE-HOLD", "ON-HOLD")}, WINDOW, ["hold_tag"]),
        ("cancellation asked for", {"tags": ("orderediting:cancellation_requested",)}, WINDOW, ["stop_tag"]),
        ("release tag missing", {}, RELEASE_TAG, ["release_tag"]),
        ("release tag there", {"tags": ("released",)}, RELEASE_TAG, []),
        ("authorised only", {"financial_status": "AUTHORIZED"}, WINDOW, ["payment"]),
        ("partly paid", {"financial_status": "PARTIALLY_PAID"}, WINDOW, ["payment"]),
        ("paid, an edit left a balance", {"edited": True, "totals": totals(500)}, WINDOW, ["outstanding"]),
        ("paid, and a balance without an edit", {"totals": totals(500)}, WINDOW, ["outstanding"]),
        ("the shop owes the customer", {"edited": True, "totals": totals(-500)}, WINDOW, []),
        ("on terms, unpaid", {"financial_status": "PENDING", "totals": totals(2000)}, TERMS, []),
        (
            "on terms, an edit raised it",
            {"financial_status": "PENDING", "totals": totals(2500), "edited": True},
            TERMS,
            ["outstanding"],
        ),
        ("stock not reserved", {"confirmed": False}, WINDOW, ["unconfirmed"]),
        ("customer asked for an edit", {"requested_edit": "REQUESTED"}, WINDOW, ["requested_edit"]),
        ("not routed yet", {"fulfilment_orders": ()}, WINDOW, ["routing"]),
        (
            "another app's hold",
            {"fulfilment_orders": (fulfilment_order(holds=held(), status=FulfilmentOrderStatus.ON_HOLD),)},
            WINDOW,
            ["shop_hold"],
        ),
        (
            "our own hold does not stop us",
            {"fulfilment_orders": (fulfilment_order(holds=held(ours=True), status=FulfilmentOrderStatus.ON_HOLD),)},
            WindowPolicy(place_shop_hold=True),
            [],
        ),
        (
            "held by nobody we can see",
            {"fulfilment_orders": (fulfilment_order(status=FulfilmentOrderStatus.ON_HOLD),)},
            WINDOW,
            ["shop_hold"],
        ),
        (
            "scheduled for later",
            {"fulfilment_orders": (fulfilment_order(status=FulfilmentOrderStatus.SCHEDULED),)},
            WINDOW,
            ["scheduled"],
        ),
        (
            "a status nobody knows",
            {"fulfilment_orders": (fulfilment_order(status=FulfilmentOrderStatus.UNRECOGNISED),)},
            WINDOW,
            ["shop_status"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_gate(case: str, more: Mapping[str, Any], window: WindowPolicy, gates: list[str]) -> None:
    decision = decided(facts(order(**more)), policy=Policy(window=window))

    assert closed(decision) == gates
    assert spoken(decision) == ([] if gates else ["create 1001-1 A1"])


def test_a_hold_on_one_fulfilment_order_holds_the_one_that_an_edit_made() -> None:
    both = (
        fulfilment_order("F1", {"A": 1}, holds=held(), status=FulfilmentOrderStatus.ON_HOLD),
        fulfilment_order("F2", {"B": 1}),
    )

    assert spoken(decided(facts(order({"A": 1, "B": 1}, fulfilment_orders=both)))) == []


def test_goods_that_wait_for_a_return_do_not_hold_the_others() -> None:
    both = (
        fulfilment_order("F1", {"A": 1}),
        fulfilment_order("F2", {"B": 1}, holds=held("AWAITING_RETURN_ITEMS"), status=FulfilmentOrderStatus.ON_HOLD),
    )

    assert spoken(decided(facts(order({"A": 1, "B": 1}, fulfilment_orders=both)))) == ["create 1001-1 A1"]


def test_the_next_look_is_when_the_last_timed_gate_opens() -> None:
    young = order(created_at=NOON - 10 * MINUTES, updated_at=NOON - SECOND, cutoff_at=NOON + 40 * MINUTES)

    assert decided(facts(young)).next_look_at == NOON + 41 * MINUTES


def test_a_gate_that_time_does_not_open_plans_no_look() -> None:
    assert decided(facts(order(tags=("OE-HOLD",))), policy=Policy(window=WINDOW)).next_look_at is None


@pytest.mark.parametrize(("hours", "found"), [(23, []), (24, ["HOLD_STUCK"])], ids=["not yet", "a day"])
def test_a_hold_that_nobody_lifts_becomes_somebodys(hours: int, found: list[str]) -> None:
    since = {"hold_tag": NOON - timedelta(hours=hours)}

    decision = decided(facts(order(tags=("OE-HOLD",)), gates_since=since), policy=Policy(window=WINDOW))

    assert codes(decision) == found
    assert spoken(decision) == []


@pytest.mark.parametrize(
    ("minutes_after_window", "found"), [(14, []), (15, ["EDIT_UNPAID"])], ids=["in time", "too long"]
)
def test_an_edit_that_nobody_pays_becomes_somebodys(minutes_after_window: int, found: list[str]) -> None:
    created = NOON - (31 + minutes_after_window) * MINUTES
    unpaid = order(edited=True, totals=totals(500), created_at=created, updated_at=created)

    assert codes(decided(facts(unpaid))) == found


class TestPeople:
    def test_a_hold_closes_the_gate_until_it_ends(self) -> None:
        hold = OperatorHold(by="olga", reason="customer called", at=LONG_AGO, until=NOON + MINUTES)

        decision = decided(facts(hold=hold))

        assert closed(decision) == ["operator_hold"]
        assert decision.next_look_at == NOON + MINUTES

    def test_release_now_opens_what_a_person_may_open(self) -> None:
        young = order(tags=("OE-HOLD",), financial_status="AUTHORIZED", **aged(5 * MINUTES))
        waiting = decided(facts(young), policy=Policy(window=WINDOW))
        yes = Approval(by="olga", reason="VIP", at=NOON, fingerprint=waiting.fingerprint)

        decision = decided(facts(young, approval=yes), policy=Policy(window=WINDOW))

        assert spoken(waiting) == []
        assert spoken(decision) == ["create 1001-1 A1"]

    def test_release_now_does_not_open_a_hold_in_the_shop(self) -> None:
        on_hold = order(fulfilment_orders=(fulfilment_order(holds=held(), status=FulfilmentOrderStatus.ON_HOLD),))
        yes = Approval(by="olga", reason="VIP", at=NOON, fingerprint=decided(facts(on_hold)).fingerprint)

        assert spoken(decided(facts(on_hold, approval=yes))) == []

    def test_release_now_is_for_the_contents_that_were_seen(self) -> None:
        before = order({"A": 1}, **aged(5 * MINUTES))
        yes = Approval(by="olga", reason="VIP", at=NOON, fingerprint=decided(facts(before)).fingerprint)

        decision = decided(facts(order({"A": 2}, **aged(5 * MINUTES)), approval=yes))

        assert spoken(decision) == []
