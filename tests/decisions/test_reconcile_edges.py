"""What the warehouse holds is not what was asked for: changed by hand, part left, left short, not to be found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cast import (
    ADDRESS,
    LONG_AGO,
    NOON,
    closed,
    codes,
    content,
    decided,
    facts,
    fulfilment,
    fulfilment_order,
    goods_out,
    order,
    record,
    spoken,
)
from pickgate.domain.decision import Decision, OrderState
from pickgate.domain.facts import Approval, Facts, GoodsOutRecord, Missing, RecordState, RefusedEffect
from pickgate.domain.shop import FulfilmentOrderStatus, ShopOrder
from pickgate.domain.warehouse import GoodsOut, GoodsOutLine, Stage

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
MOVED = replace(ADDRESS, line1="1 New Street", city="York")
CLOSED = FulfilmentOrderStatus.CLOSED


def refused(kind: str, target: str = "1001-1", *, ago: timedelta = MINUTE, code: str = "WMS_REFUSED") -> RefusedEffect:
    return RefusedEffect(
        key=f"{kind}:{target}", kind=kind, target=target, code=code, problem="picking has begun", at=NOON - ago
    )


def approved(some: Facts, **more: Any) -> Decision:
    yes = Approval(by="olga", reason="go on", at=NOON, fingerprint=decided(some).fingerprint)
    return decided(replace(some, records=replace(some.records, approval=yes)))


class TestChangedByHand:
    def test_side_by_side(self) -> None:
        held = record(1, {"A": 2, "B": 1})
        seen = goods_out(1, {"A": 1, "C": 4})

        decision = decided(facts(order({"A": 2, "B": 1}), records=(held,), goods_outs=(seen,)))

        assert codes(decision) == ["WMS_CHANGED_BY_HAND"]
        finding = decision.findings[0]
        assert finding.detail["side_by_side"] == {
            "SKU-A": {"accepted": 2, "holds": 1},
            "SKU-B": {"accepted": 1, "holds": 0},
            "SKU-C": {"accepted": 0, "holds": 4},
        }
        assert finding.fingerprint == "WMS_CHANGED_BY_HAND:1001-1:[('SKU-A', 1), ('SKU-C', 4)]"
        assert finding.summary == "#1001: 1001-1 was changed by hand in the warehouse."

    def test_the_same_units_on_two_rows_are_not_what_is_wanted_line_by_line(self) -> None:
        rows = (
            GoodsOutLine(id="1", product_code="SKU-A", ordered=1), GoodsOutLine(id="2", product_code="SKU-A", ordered=2)
        )  # fmt: skip
        seen = replace(goods_out(), lines=rows)

        assert codes(decided(facts(order({"A": 3}), records=(record(),), goods_outs=(seen,)))) == [
            "WMS_CHANGED_BY_HAND"
        ]

    def test_an_edit_on_top_of_it_waits_for_a_person(self) -> None:
        seen = goods_out(1, {"A": 5})

        decision = decided(facts(order({"A": 2}), records=(record(),), goods_outs=(seen,)))

        assert (spoken(decision), codes(decision)) == ([], ["WMS_CHANGED_BY_HAND"])

    def test_the_rest_is_still_compared(self) -> None:
        seen = goods_out(1, {"A": 2})

        decision = decided(facts(order({"A": 2}, address=MOVED), records=(record(1, {"A": 1}),), goods_outs=(seen,)))

        assert spoken(decision) == ["recall 1001-1"]

    def test_a_cancellation_is_followed_all_the_same(self) -> None:
        seen = goods_out(1, {"A": 2})

        assert spoken(decided(facts(order(cancelled_at=NOON), records=(record(),), goods_outs=(seen,)))) == [
            "recall 1001-1"
        ]


class TestPartLeft:
    PART = goods_out(1, {"A": 3}, stage=Stage.PART, picked={"A": 3}, despatched={"A": 1})
    TOLD = record(1, {"A": 3}, told=(("A", 1),))

    def rest(self, current: int, remaining: int, **more: Any) -> Decision:
        some = order(
            {"A": current}, fulfilment_orders=(fulfilment_order("F1", {"A": remaining}),) if remaining else (),
            fulfilments=(fulfilment({"A": 1}),), tags=("pickgate-locked",), lock_value="locked", **more,
        )  # fmt: skip
        return decided(facts(some, records=(self.TOLD,), goods_outs=(self.PART,), lock_confirmed_at=LONG_AGO))

    def test_the_rest_as_ordered_is_silence(self) -> None:
        decision = self.rest(3, 2)

        assert (spoken(decision), codes(decision), decision.state) == ([], [], OrderState.PART_DESPATCHED)

    def test_an_edit_of_the_rest_is_late(self) -> None:
        decision = self.rest(2, 1)

        assert (spoken(decision), codes(decision)) == ([], ["LATE_EDIT"])
        assert decision.findings[0].detail["difference"] == [
            "Thing A (SKU-A): the warehouse has 2, the order now wants 1."
        ]

    def test_the_rest_taken_off_is_late(self) -> None:
        decision = self.rest(1, 0)

        assert codes(decision) == ["LATE_EDIT"]
        assert decision.findings[0].detail["difference"] == ["2 × Thing A (SKU-A): no longer wanted."]

    def test_the_rest_of_a_cancelled_order_is_recalled(self) -> None:
        assert spoken(self.rest(3, 0, cancelled_at=NOON)) == ["recall 1001-1"]

    ALL_LEFT = goods_out(1, {"A": 1}, stage=Stage.PART, picked={"A": 1}, despatched={"A": 1})

    def test_nothing_is_said_when_all_of_it_has_left(self) -> None:
        shut = order(fulfilment_orders=(), fulfilments=(fulfilment({"A": 1}),))
        locked = replace(shut, tags=("pickgate-locked",), lock_value="locked")

        decision = decided(facts(locked, records=(record(told=(("A", 1),)),), goods_outs=(self.ALL_LEFT,)))

        assert (spoken(decision), codes(decision)) == ([], [])

    def test_a_cancellation_after_all_of_it_has_left_is_too_late_though_nobody_closed_it(self) -> None:
        cancelled = order(cancelled_at=NOON, fulfilment_orders=())

        decision = decided(facts(cancelled, records=(record(),), goods_outs=(self.ALL_LEFT,)))

        assert (spoken(decision), codes(decision)) == ([], ["CANCEL_TOO_LATE"])
        assert decision.findings[0].summary == "#1001: cancelled, and 1 units have left (1001-1)."

    def test_a_cancellation_that_could_only_recall_the_rest_is_too_late(self) -> None:
        cancelled = order({"A": 3}, cancelled_at=NOON, fulfilment_orders=())
        recalled = record(1, {"A": 3}, state=RecordState.RECALLED)
        seen = goods_out(1, {"A": 3}, stage=Stage.CANCELLED, picked={"A": 1}, despatched={"A": 1})

        decision = decided(facts(cancelled, records=(recalled,), goods_outs=(seen,)))

        assert (spoken(decision), codes(decision)) == ([], ["CANCEL_TOO_LATE"])


class TestShort:
    """The warehouse finished with less than was asked for."""

    FINISHED = record(1, {"A": 3}, state=RecordState.FINISHED, told=(("A", 1),))
    SEEN = goods_out(1, {"A": 3}, stage=Stage.COMPLETED, picked={"A": 1}, despatched={"A": 1})

    def short(self, remaining: int = 2, current: int = 3, **more: Any) -> Facts:
        some = order(
            {"A": current}, fulfilment_orders=(fulfilment_order("F1", {"A": remaining}),),
            fulfilments=(fulfilment({"A": 1}),),
        )  # fmt: skip
        return facts(some, records=(self.FINISHED,), goods_outs=(self.SEEN,), **more)

    def test_the_rest_waits_for_a_person(self) -> None:
        decision = decided(self.short())

        assert (spoken(decision), codes(decision)) == ([], ["PART_FULFILMENT_STALLED"])
        assert closed(decision) == ["short_picked"]
        assert decision.findings[0].detail["missing"] == ["2 × SKU-A"]
        assert decision.state is OrderState.PART_DESPATCHED

    def test_an_operator_sends_the_rest(self) -> None:
        assert spoken(approved(self.short())) == ["create 1001-2 A2"]

    def test_the_rest_refunded_is_done(self) -> None:
        decision = decided(self.short(0, 1))

        assert (spoken(decision), codes(decision), decision.state) == ([], [], OrderState.DESPATCHED)

    def test_other_lines_do_not_wait_for_it(self) -> None:
        some = order(
            {"A": 3, "B": 1},
            fulfilment_orders=(fulfilment_order("F1", {"A": 2}, holds=()), fulfilment_order("F2", {"B": 1})),
            fulfilments=(fulfilment({"A": 1}),),
        )

        decision = decided(facts(some, records=(self.FINISHED,), goods_outs=(self.SEEN,)))

        assert spoken(decision) == ["create 1001-2 B1"]


class TestMissingOrder:
    def missing(self, *records: GoodsOutRecord, goods_outs: tuple[GoodsOut, ...] = ()) -> Decision:
        return decided(replace(facts(records=records, goods_outs=goods_outs), order=Missing()))

    def test_nothing_was_sent(self) -> None:
        decision = self.missing()

        assert (decision.state, decision.commands, decision.findings) == (OrderState.IGNORED, (), ())
        assert [reason.text for reason in decision.reasons] == ["The shop answers that there is no such order."]

    def test_the_warehouse_still_holds_it(self) -> None:
        decision = self.missing(record(), goods_outs=(goods_out(),))

        assert (decision.state, decision.commands, codes(decision)) == (OrderState.STOPPED, (), ["SYNC_ILLUSION"])
        assert decision.findings[0].fingerprint == "SYNC_ILLUSION:missing:1001-1"
        assert decision.findings[0].detail["references"] == ["1001-1"]
        assert decision.records[0].reference == "1001-1"

    def test_what_was_sent_long_ago_is_over(self) -> None:
        finished = record(state=RecordState.FINISHED)

        assert self.missing(finished).findings == ()


class TestDifference:
    def late(self, some: ShopOrder, **held: Any) -> list[str]:
        kept = record(content=content(**held))
        decision = decided(facts(some, records=(kept,), goods_outs=(goods_out(stage=Stage.PICKING),)))
        difference = decision.findings[0].detail["difference"]
        assert isinstance(difference, list)
        return difference

    @pytest.mark.parametrize(
        ("held", "sentence"),
        [
            ({"warehouse": "HULL"}, "It should leave LEEDS, not HULL."),
            ({"account": "OTHER"}, "It belongs to account ACME, not OTHER."),
            ({"carrier": "UPS", "service": "X"}, "The service is now DPD/ND; the warehouse has UPS/X."),
            (
                {"carrier": None, "service": None},
                "The service is now DPD/ND; the warehouse has the warehouse's default.",
            ),
            ({"priority": 3}, "The service is now DPD/ND; the warehouse has DPD/ND, priority 3."),
            ({"required_on": LONG_AGO.date()}, "The service is now DPD/ND; the warehouse has DPD/ND, for 2026-11-24."),
            ({"notes": (("pick_notes", "x"),)}, "The notes changed: pick_notes."),
            ({"address": MOVED}, "The address changed: line1, city."),
        ],
        ids=str,
    )
    def test_each_part_has_its_sentence(self, held: dict[str, Any], sentence: str) -> None:
        assert self.late(order(), **held) == [sentence]

    def test_a_line_that_the_order_no_longer_lists_is_named_by_its_product(self) -> None:
        difference = self.late(order({"B": 1}))

        assert difference == [
            "1 × SKU-A: no longer wanted.",
            "1 × Thing B (SKU-B): added, and not in the warehouse's order.",
        ]
