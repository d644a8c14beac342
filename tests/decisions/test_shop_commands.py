"""Holds in the shop, and what the shop refused: only our own, only once, and never in silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cast import LONG_AGO, NOON, codes, decided, facts, fulfilment_order, goods_out, order, record, spoken
from pickgate.domain.commands import CarryTime, PlaceShopHold, ReleaseShopHold
from pickgate.domain.decision import Decision
from pickgate.domain.facts import Kin, KinFate, RecordState, RefusedEffect
from pickgate.domain.policy import Policy, WindowPolicy
from pickgate.domain.shop import DeliveryMethod, FulfilmentOrder, FulfilmentOrderStatus, ShopHold

PLACES = Policy(window=WindowPolicy(place_shop_hold=True))
OURS = ShopHold(id="H1", reason="OTHER", handle="pickgate-window", ours=True)
THEIRS = ShopHold(id="H2", reason="OTHER", handle="fraud-check")
ON_HOLD = FulfilmentOrderStatus.ON_HOLD
HELD = fulfilment_order("F1", holds=(OURS,), status=ON_HOLD)


def young(*fos: FulfilmentOrder, policy: Policy = PLACES, **more: Any) -> Decision:
    """An order of five minutes: its edit window is open."""
    at = NOON - timedelta(minutes=5)
    some = order(created_at=at, updated_at=at, fulfilment_orders=fos or (fulfilment_order(),), **more)
    return decided(facts(some), policy=policy)


class TestPlace:
    def test_while_it_may_still_change(self) -> None:
        assert young().commands == (
            PlaceShopHold(
                fulfilment_order_id="F1", handle="pickgate-window", notes="Waits until the order may no longer change."
            ),
        )

    def test_once(self) -> None:
        assert young(HELD).commands == ()

    def test_only_where_the_shop_wants_it(self) -> None:
        assert young(policy=Policy()).commands == ()

    def test_not_when_nothing_is_closed(self) -> None:
        assert spoken(decided(facts(), policy=PLACES)) == ["create 1001-1 A1"]

    def test_beside_anothers_hold(self) -> None:
        assert spoken(young(fulfilment_order("F1", holds=(THEIRS,), status=ON_HOLD))) == ["place_shop_hold F1"]

    @pytest.mark.parametrize(
        ("case", "f"),
        [
            ("closed", fulfilment_order("F1", {"A": 0}, status=FulfilmentOrderStatus.CLOSED)),
            ("in progress", fulfilment_order("F1", status=FulfilmentOrderStatus.IN_PROGRESS)),
            ("scheduled", fulfilment_order("F1", status=FulfilmentOrderStatus.SCHEDULED)),
            ("another service's", fulfilment_order("F1", location="IGNORED")),
            ("collected", fulfilment_order("F1", method=DeliveryMethod.PICK_UP)),
        ],
        ids=lambda v: v if isinstance(v, str) else "",
    )
    def test_only_on_what_is_open_and_ours(self, case: str, f: FulfilmentOrder) -> None:
        assert young(f).commands == ()

    def test_on_each(self) -> None:
        both = (fulfilment_order("F1", {"A": 1}), fulfilment_order("F2", {"B": 1}))

        assert spoken(young(*both, lines=order({"A": 1, "B": 1}).lines)) == ["place_shop_hold F1", "place_shop_hold F2"]

    def test_not_on_what_is_in_the_warehouse(self) -> None:
        seen = goods_out(stage=goods_out().stage)
        some = facts(order({"A": 2}, financial_status="PENDING"), records=(record(),), goods_outs=(seen,))

        assert spoken(decided(some, policy=PLACES)) == ["recall 1001-1"]


class TestRelease:
    def test_when_it_is_in_the_warehouse(self) -> None:
        some = facts(order(fulfilment_orders=(HELD,)), records=(record(),), goods_outs=(goods_out(),))

        assert decided(some, policy=PLACES).commands == (ReleaseShopHold(fulfilment_order_id="F1", hold_ids=("H1",)),)

    def test_when_the_shop_no_longer_wants_holds(self) -> None:
        assert spoken(young(HELD, policy=Policy())) == ["release_shop_hold F1"]

    def test_not_before_it_is_there(self) -> None:
        some = facts(order(fulfilment_orders=(HELD,)))

        assert spoken(decided(some, policy=PLACES)) == ["create 1001-1 A1"]

    def test_never_anybody_elses(self) -> None:
        both = replace(HELD, holds=(THEIRS, OURS))

        commands = young(both, policy=Policy()).commands

        assert commands == (ReleaseShopHold(fulfilment_order_id="F1", hold_ids=("H1",)),)

    @pytest.mark.parametrize(
        "hold",
        [THEIRS, replace(OURS, ours=False), replace(OURS, handle="other")],
        ids=["another app's", "our handle, another app", "ours, by another handle"],
    )
    def test_not_one_that_only_looks_like_ours(self, hold: ShopHold) -> None:
        assert young(replace(HELD, holds=(hold,)), policy=Policy()).commands == ()

    def test_after_a_recall_it_is_placed_again(self) -> None:
        some = facts(order({"A": 2}, financial_status="PENDING"), records=(record(state=RecordState.RECALLED),))

        assert spoken(decided(some, policy=PLACES)) == ["place_shop_hold F1"]


class TestRefused:
    KIN = Kin(
        id="4001", name="#1001", created_at=LONG_AGO - timedelta(hours=1), cancelled_at=LONG_AGO, customer_id="C1",
        fate=KinFate.RECALLED,
    )  # fmt: skip
    CARRY = CarryTime(order_id="5001", original_name="#1001", original_created_at=KIN.created_at)

    def look(self, *refused: RefusedEffect) -> Decision:
        some = order(name="#1001A", financial_status="PENDING")
        return decided(facts(some, kin=(self.KIN,), refused=refused))

    def refusal(self, ago: timedelta) -> RefusedEffect:
        return RefusedEffect(
            key=self.CARRY.key, kind="carry_time", target="5001", code="X", problem="no scope", at=NOON - ago
        )

    def test_what_the_shop_refused_is_not_repeated_and_is_said(self) -> None:
        decision = self.look(self.refusal(timedelta(minutes=59)))

        assert (decision.commands, codes(decision)) == ((), ["SHOP_REFUSED"])
        finding = decision.findings[0]
        assert finding.fingerprint == "SHOP_REFUSED:carry_time:5001:#1001"
        assert finding.summary == "#1001A: the shop refused carry time: no scope"
        assert finding.detail == {"kind": "carry_time", "target": "5001", "problem": "no scope"}

    def test_after_an_hour_it_is_tried_again(self) -> None:
        decision = self.look(self.refusal(timedelta(hours=1)))

        assert (decision.commands, codes(decision)) == ((self.CARRY,), [])

    def test_another_refusal_does_not_stop_it(self) -> None:
        decision = self.look(replace(self.refusal(timedelta(0)), key="carry_time:5001:#77"))

        assert (decision.commands, codes(decision)) == ((self.CARRY,), [])

    def test_keys(self) -> None:
        assert self.CARRY.key == "carry_time:5001:#1001"
        place = PlaceShopHold(fulfilment_order_id="F1", handle="h", notes="n")
        assert place.key == "place_shop_hold:F1:h"
        assert ReleaseShopHold(fulfilment_order_id="F1", hold_ids=("1", "2")).key == "release_shop_hold:F1:1+2"
