"""What happens after a release: a hold that closes again, an address that changes when the parcel has left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cast import (
    ADDRESS,
    LONG_AGO,
    NOON,
    codes,
    decided,
    facts,
    fulfilment,
    fulfilment_order,
    goods_out,
    order,
    record,
    spoken,
)
from pickgate.domain.commands import RecallGoodsOut
from pickgate.domain.decision import Decision
from pickgate.domain.facts import Approval, RecordState
from pickgate.domain.findings import Finding
from pickgate.domain.policy import Policy, WindowPolicy
from pickgate.domain.shop import Address, FulfilmentOrderStatus, ShopHold, ShopOrder
from pickgate.domain.warehouse import Stage

POLICY = Policy(window=WindowPolicy(hold_tags=("HOLD",)))
HELD = order(tags=("HOLD",))
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
MOVED = replace(ADDRESS, line1="1 New Street", city="York")
STATUS = FulfilmentOrderStatus


class TestStoppedAgain:
    def look(self, some: ShopOrder = HELD, stage: Stage = Stage.PENDING, **memory: Any) -> Decision:
        seen = goods_out(stage=stage)
        return decided(facts(some, records=(record(),), goods_outs=(seen,), **memory), policy=POLICY)

    def test_what_nobody_has_begun_is_taken_back(self) -> None:
        assert self.look().commands == (
            RecallGoodsOut(reference="1001-1", account="ACME", clarus_id="301", because="Tagged 'HOLD'."),
        )

    def test_what_is_being_picked_is_somebodys(self) -> None:
        decision = self.look(stage=Stage.PICKING)

        assert (spoken(decision), codes(decision)) == (["take_lock"], ["LATE_EDIT"])
        assert decision.findings[0].detail["difference"] == ["Tagged 'HOLD'."]

    def test_an_edit_beside_it_is_said_too(self) -> None:
        decision = self.look(order({"A": 2}, tags=("HOLD",)), Stage.PICKING)

        assert decision.findings[0].detail["difference"] == [
            "Tagged 'HOLD'.",
            "Thing A (SKU-A): the warehouse has 1, the order now wants 2.",
        ]

    def test_what_an_operator_released_in_spite_of_it_stays(self) -> None:
        yes = Approval(by="olga", reason="VIP", at=LONG_AGO, fingerprint="of another content")

        assert self.look(approval=yes).commands == ()

    def test_no_operator_releases_in_spite_of_a_hold_in_the_shop(self) -> None:
        yes = Approval(by="olga", reason="VIP", at=LONG_AGO, fingerprint="of another content")
        hold = (ShopHold(id="H", reason="OTHER"),)
        held = order(fulfilment_orders=(fulfilment_order(holds=hold, status=STATUS.ON_HOLD),))

        assert spoken(self.look(held, approval=yes)) == ["recall 1001-1"]

    def test_a_hold_on_other_goods_does_not_stop_it(self) -> None:
        hold = (ShopHold(id="H", reason="AWAITING_RETURN_ITEMS"),)
        fos = (fulfilment_order("F1", {"A": 1}), fulfilment_order("F2", {"B": 1}, holds=hold, status=STATUS.ON_HOLD))

        assert self.look(order({"A": 1, "B": 1}, fulfilment_orders=fos)).commands == ()

    @pytest.mark.parametrize("some", [order(financial_status="PENDING"), order(confirmed=False)], ids=["pay", "stock"])
    def test_other_gates_do_not_stop_it(self, some: ShopOrder) -> None:
        assert self.look(some).commands == ()


class TestRedirect:
    SHUT = (fulfilment_order("F1", {"A": 0}, status=STATUS.CLOSED),)
    LEFT = goods_out(stage=Stage.COMPLETED, despatched={"A": 1})

    def look(self, address: Address | None, *, ago: timedelta = DAY, **more: Any) -> Decision:
        values = {"address": address, "fulfilment_orders": self.SHUT, "fulfilments": (fulfilment({"A": 1}),), **more}
        kept = record(state=RecordState.FINISHED, told=(("A", 1),), finished_at=NOON - ago)
        return decided(facts(order(**values), records=(kept,), goods_outs=(self.LEFT,)))

    def test_a_new_address_is_said_whole(self) -> None:
        (finding,) = self.look(MOVED).findings

        assert finding == Finding(
            code="LATE_EDIT",
            fingerprint=finding.fingerprint,
            summary="#1001 was edited after 1001-1 had left: The address changed: line1, city.",
            detail={
                "reference": "1001-1",
                "status": "COMPLETED",
                "difference": ["The address changed: line1, city."],
                "choices": ["Ask the carrier to redirect the parcel.", "Leave it, and tell the customer."],
            },
            actions=("look_at_order", "resolve_exceptions"),
        )
        assert finding.fingerprint.startswith("LATE_EDIT:1001-1:")

    def test_two_changes_are_two_exceptions(self) -> None:
        (first,) = self.look(MOVED).findings
        (other,) = self.look(replace(ADDRESS, city="York")).findings

        assert first.fingerprint != other.fingerprint

    @pytest.mark.parametrize(
        ("case", "address"),
        [
            ("the same address", ADDRESS),
            ("another e-mail address", replace(ADDRESS, email="b@example.com")),
            ("another phone number", replace(ADDRESS, phone="123")),
            ("no address", None),
            ("an address that was taken off", Address()),
        ],
        ids=lambda v: v if isinstance(v, str) else "",
    )
    def test_what_no_carrier_needs_to_know(self, case: str, address: Address | None) -> None:
        assert self.look(address).findings == ()

    @pytest.mark.parametrize(("ago", "found"), [(7 * DAY, ["LATE_EDIT"]), (7 * DAY + SECOND, [])], ids=str)
    def test_a_parcel_of_last_week_is_turned_no_more(self, ago: timedelta, found: list[str]) -> None:
        assert codes(self.look(MOVED, ago=ago)) == found

    def test_a_cancelled_order_has_its_own_exception(self) -> None:
        assert codes(self.look(MOVED, cancelled_at=NOON)) == ["CANCEL_TOO_LATE"]

    def test_what_has_not_left_is_edited(self) -> None:
        some = facts(order(address=MOVED), records=(record(),), goods_outs=(goods_out(),))

        assert codes(decided(some)) == []


class TestWaitsForAMoment:
    """A hold beside a known moment far off, such as a pre-order's date, is not stuck."""

    def stuck(self, *fos: tuple[str, bool]) -> list[str]:
        shown = tuple(
            fulfilment_order(fo_id, {line_id: 1}, status=STATUS.SCHEDULED, fulfil_at=NOON + 9 * DAY)
            if later
            else fulfilment_order(fo_id, {line_id: 1})
            for (fo_id, later), line_id in zip(fos, "AB", strict=False)
        )
        units = {line_id: 1 for _, line_id in zip(fos, "AB", strict=False)}
        some = order(units, tags=("HOLD",), fulfilment_orders=shown)
        return codes(decided(facts(some, gates_since={"hold_tag": NOON - 2 * DAY}), policy=POLICY))

    def test_all_of_it_is_scheduled(self) -> None:
        assert self.stuck(("F1", True)) == []
        assert self.stuck(("F1", True), ("F2", True)) == []

    def test_only_a_part_of_it_is_scheduled(self) -> None:
        assert self.stuck(("F1", True), ("F2", False)) == ["HOLD_STUCK"]

    def test_none_of_it_is_scheduled(self) -> None:
        assert self.stuck(("F1", False)) == ["HOLD_STUCK"]

    def test_a_cut_off_far_off(self) -> None:
        waiting = order(tags=("HOLD",), cutoff_at=NOON + 9 * DAY)

        assert codes(decided(facts(waiting, gates_since={"hold_tag": NOON - 2 * DAY}), policy=POLICY)) == []

    def test_an_hour_that_has_come_is_no_wait(self) -> None:
        past = fulfilment_order(status=STATUS.SCHEDULED, fulfil_at=NOON)
        some = order(tags=("HOLD",), fulfilment_orders=(past,))

        assert codes(decided(facts(some, gates_since={"hold_tag": NOON - 2 * DAY}), policy=POLICY)) == ["HOLD_STUCK"]
