"""Exceptions that time, money or a lost outcome brings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cast import LONG_AGO, NOON, codes, decided, facts, fulfilment, fulfilment_order, goods_out, order, record, totals
from pickgate.domain.decision import Decision
from pickgate.domain.facts import Approval, UnknownEffect
from pickgate.domain.policy import Policy, WindowPolicy
from pickgate.domain.shop import FulfilmentOrderStatus, ShopOrder
from pickgate.domain.warehouse import Stage
from pickgate.domain.watch import unpaid_at

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
HELD = Policy(window=WindowPolicy(hold_tags=("HOLD",), release_tags=("GO",)))


class TestStuck:
    def stuck(self, some: ShopOrder, policy: Policy = HELD, hours: int = 24, **gates: int) -> Decision:
        since = {code: NOON - timedelta(hours=n) for code, n in gates.items()}
        return decided(facts(some, gates_since=since), policy=policy)

    def test_what_is_said(self) -> None:
        decision = self.stuck(order(tags=("HOLD", "GO")), hold_tag=30)

        finding = decision.findings[0]
        assert (finding.code, finding.fingerprint) == ("HOLD_STUCK", "HOLD_STUCK:hold_tag")
        assert finding.summary == "#1001 has waited since 23 Nov 06:00 UTC: Tagged 'HOLD'."
        assert finding.detail == {
            "gate": "hold_tag",
            "since": "2026-11-23T06:00:00+00:00",
            "opens_when": "the tag 'HOLD' is removed",
        }
        assert "release_order" in finding.actions

    def test_what_no_operator_can_open_offers_no_release(self) -> None:
        on_hold = order(fulfilment_orders=(fulfilment_order(status=FulfilmentOrderStatus.ON_HOLD),), tags=("GO",))

        finding = self.stuck(on_hold, shop_hold=24).findings[0]

        assert finding.actions == ("look_at_order",)

    def test_each_gate_once(self) -> None:
        decision = self.stuck(order(tags=("HOLD",)), hold_tag=24, release_tag=25)

        assert [f.fingerprint for f in decision.findings] == ["HOLD_STUCK:hold_tag", "HOLD_STUCK:release_tag"]

    def test_a_gate_that_was_not_closed_before_is_not_stuck(self) -> None:
        assert codes(self.stuck(order(tags=("HOLD", "GO")))) == []

    def test_a_timed_gate_is_not_stuck(self) -> None:
        late = order(cutoff_at=NOON + HOUR, tags=("GO",))

        assert codes(self.stuck(late, cutoff=48)) == []

    def test_a_gate_that_has_its_own_exception_is_not_stuck(self) -> None:
        assert codes(self.stuck(order(shipping_title="Rocket", tags=("GO",)), service_unmapped=48)) == [
            "SERVICE_UNMAPPED"
        ]

    def test_a_cancelled_order_is_not_stuck(self) -> None:
        assert codes(self.stuck(order(tags=("HOLD",), cancelled_at=NOON), hold_tag=48)) == []

    def test_an_order_in_the_warehouse_is_not_stuck(self) -> None:
        some = facts(
            order(tags=("HOLD",)),
            records=(record(),),
            goods_outs=(goods_out(),),
            gates_since={"hold_tag": LONG_AGO - 48 * HOUR},
        )

        decision = decided(some, policy=HELD)

        assert (codes(decision), decision.gates) == ([], ())


class TestUnpaid:
    UNPAID = order(edited=True, totals=totals(500), created_at=NOON - HOUR, updated_at=NOON - HOUR)

    def test_what_is_said(self) -> None:
        finding = decided(facts(self.UNPAID)).findings[0]

        assert (finding.code, finding.fingerprint) == ("EDIT_UNPAID", "EDIT_UNPAID:5.00 GBP")
        assert finding.summary == "#1001 was edited, and 5.00 GBP is not paid. It waits."
        assert finding.detail["outstanding"] == "5.00 GBP"

    @pytest.mark.parametrize(
        ("case", "changes", "found"),
        [
            ("unpaid", {}, ["EDIT_UNPAID"]),
            ("the payment state says so", {"financial_status": "PARTIALLY_PAID"}, ["EDIT_UNPAID"]),
            ("not edited", {"edited": False}, []),
            ("paid", {"totals": totals(0)}, []),
            ("cancelled", {"cancelled_at": NOON}, []),
            ("edited a moment ago", {"updated_at": NOON - 14 * MINUTE}, []),
            ("edited a while ago", {"updated_at": NOON - 15 * MINUTE}, ["EDIT_UNPAID"]),
            ("its cut-off has not passed", {"cutoff_at": NOON - 15 * MINUTE}, []),
            ("its cut-off has passed", {"cutoff_at": NOON - 16 * MINUTE}, ["EDIT_UNPAID"]),
        ],
        ids=lambda v: v if isinstance(v, str) else "",
    )
    def test_when(self, case: str, changes: dict[str, Any], found: list[str]) -> None:
        assert codes(decided(facts(replace(self.UNPAID, **changes)))) == found

    def test_it_takes_the_place_of_a_stuck_payment(self) -> None:
        unpaid = replace(self.UNPAID, financial_status="PARTIALLY_PAID")

        assert codes(decided(facts(unpaid, gates_since={"payment": NOON - 48 * HOUR}))) == ["EDIT_UNPAID"]

    def test_terms_that_the_shop_releases_unpaid_are_not_chased_when_nothing_is_closed(self) -> None:
        terms = Policy(window=WindowPolicy(payment_states=("PENDING",)))
        pending = replace(self.UNPAID, financial_status="PENDING", edited=False)

        assert codes(decided(facts(pending), policy=terms)) == []

    def test_the_hour_is_the_latest_of_window_change_and_cut_off(self) -> None:
        policy = Policy()
        quarter = 15 * MINUTE

        assert unpaid_at(order(created_at=NOON, updated_at=NOON), policy) == NOON + 31 * MINUTE + quarter
        assert unpaid_at(order(created_at=NOON, updated_at=NOON + HOUR), policy) == NOON + HOUR + quarter
        late = order(created_at=NOON, updated_at=NOON, cutoff_at=NOON + 2 * HOUR)
        assert unpaid_at(late, policy) == NOON + 2 * HOUR + MINUTE + quarter

    def test_the_next_look_is_then(self) -> None:
        fresh = replace(self.UNPAID, updated_at=NOON - MINUTE)

        assert decided(facts(fresh)).next_look_at == NOON + 14 * MINUTE


class TestUnknown:
    def test_what_is_said(self) -> None:
        since = NOON - 15 * MINUTE
        effect = UnknownEffect(key="recall_goods_out:1001-1", kind="recall_goods_out", target="1001-1", since=since)

        finding = decided(facts(records=(record(),), goods_outs=(goods_out(),), unknown=(effect,))).findings[0]

        assert (finding.code, finding.fingerprint) == ("EFFECT_UNKNOWN", "EFFECT_UNKNOWN:recall_goods_out:1001-1")
        assert finding.summary == "#1001: did recall goods out (1001-1) take effect? Unknown."
        assert finding.detail == {"key": "recall_goods_out:1001-1", "since": since.isoformat()}


@pytest.mark.parametrize(
    ("received", "refunded", "found"),
    [(2000, 0, []), (2000, 2000, []), (2000, 2001, ["REFUND_OVER_CAPTURE"]), (0, 1, ["REFUND_OVER_CAPTURE"])],
)
def test_more_refunded_than_received(received: int, refunded: int, found: list[str]) -> None:
    decision = decided(facts(order(totals=totals(received=received, refunded=refunded))))

    assert codes(decision) == found


def test_what_is_said_of_a_refund() -> None:
    finding = decided(facts(order(totals=totals(received=2000, refunded=2450)))).findings[0]

    assert finding.fingerprint == "REFUND_OVER_CAPTURE:450"
    assert finding.summary == "#1001: 24.50 GBP refunded, and only 20.00 GBP received."
    assert finding.detail == {"received": "20.00 GBP", "refunded": "24.50 GBP"}


class TestStalled:
    PART = goods_out(1, {"A": 2, "B": 1}, stage=Stage.PART, picked={"A": 2}, despatched={"A": 2})

    def stalled(self, ago: timedelta, **more: Any) -> Decision:
        some = order(
            {"A": 2, "B": 1}, fulfilment_orders=(fulfilment_order("F1", {"B": 1}),),
            fulfilments=(fulfilment({"A": 2}),), updated_at=NOON - ago, created_at=NOON - 10 * HOUR,
            tags=("pickgate-locked",), lock_value="locked",
        )  # fmt: skip
        kept = record(1, {"A": 2, "B": 1}, told=(("A", 2),), **more)
        return decided(facts(some, records=(kept,), goods_outs=(self.PART,), lock_confirmed_at=LONG_AGO))

    @pytest.mark.parametrize(
        ("ago", "found"), [(4 * HOUR - SECOND, []), (4 * HOUR, ["PART_FULFILMENT_STALLED"])], ids=str
    )
    def test_a_rest_that_does_not_move(self, ago: timedelta, found: list[str]) -> None:
        assert codes(self.stalled(ago)) == found

    def test_what_is_said(self) -> None:
        finding = self.stalled(5 * HOUR).findings[0]

        assert finding.detail == {"reference": "1001-1", "missing": ["1 × SKU-B"]}
        assert finding.summary == "#1001: part of 1001-1 has left; 1 × SKU-B has not moved since."
        assert finding.fingerprint == "PART_FULFILMENT_STALLED:1001-1:['1 × SKU-B']"

    def test_nothing_has_left(self) -> None:
        some = order(updated_at=NOON - 5 * HOUR)

        assert codes(decided(facts(some, records=(record(),), goods_outs=(goods_out(),)))) == []

    def test_everything_has_left(self) -> None:
        seen = goods_out(stage=Stage.PART, picked={"A": 1}, despatched={"A": 1})
        some = order(updated_at=NOON - 5 * HOUR, fulfilment_orders=(), fulfilments=(fulfilment({"A": 1}),))

        decision = decided(facts(some, records=(record(told=(("A", 1),)),), goods_outs=(seen,)))

        assert codes(decision) == []


def test_a_released_order_is_nobodys_suspect() -> None:
    some = order(tags=("Edit Order",))
    waiting = decided(facts(some))
    yes = Approval(by="olga", reason="fine", at=NOON, fingerprint=waiting.fingerprint)

    assert codes(waiting) == ["DUPLICATE_SUSPECTED"]
    assert codes(decided(facts(some, approval=yes))) == []
