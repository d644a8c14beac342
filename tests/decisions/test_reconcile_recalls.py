"""Recalls that are refused, late or asked twice; twins; and what was taken away by hand."""

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
    decided,
    facts,
    goods_out,
    order,
    record,
    spoken,
)
from pickgate.domain.commands import RecallGoodsOut
from pickgate.domain.decision import Decision
from pickgate.domain.facts import Approval, CancelRequest, Facts, RecordState, RefusedEffect, UnknownEffect
from pickgate.domain.shop import FulfilmentOrderStatus
from pickgate.domain.warehouse import GoodsOut, Stage

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


class TestRecallRefused:
    REFUSED = record(recall_refused="picking has begun", stage_code="PICK")

    def test_a_refusal_of_a_moment_ago_does_not_stop_a_recall_that_has_become_possible(self) -> None:
        cancelled = facts(
            order(cancelled_at=NOON),
            records=(self.REFUSED,),
            goods_outs=(goods_out(),),
            refused=(refused("recall_goods_out"),),
        )

        assert spoken(decided(cancelled)) == ["recall 1001-1"]

    def test_a_twin_that_cannot_be_recalled_is_not_asked_for_again_and_again(self) -> None:
        twin = goods_out(clarus_id="999")
        some = facts(
            records=(record(),), goods_outs=(goods_out(), twin), refused=(refused("recall_goods_out", "1001-1@999"),)
        )

        decision = decided(some)

        assert (spoken(decision), codes(decision)) == ([], ["DUPLICATE_SUSPECTED"])

    def test_of_an_edit_it_is_a_late_edit(self) -> None:
        same_stage = replace(self.REFUSED, stage_code="PENDING")

        decision = decided(facts(order({"A": 2}), records=(same_stage,), goods_outs=(goods_out(),)))

        assert (spoken(decision), codes(decision)) == ([], ["LATE_EDIT"])
        assert "picking has begun" in decision.findings[0].summary

    def test_on_an_operators_request_it_is_too_late(self) -> None:
        same_stage = replace(self.REFUSED, stage_code="PENDING")
        asked = CancelRequest(by="olga", reason="wrong parcel", at=NOON)

        decision = decided(facts(records=(same_stage,), goods_outs=(goods_out(),), cancel_request=asked))

        assert (spoken(decision), codes(decision)) == ([], ["CANCEL_TOO_LATE"])


class TestRecallAsked:
    STUCK = record(state=RecordState.RECALLING, recall_asked_at=NOON - 3 * MINUTE)

    def test_the_pickers_were_faster_than_an_edit(self) -> None:
        seen = goods_out(stage=Stage.PICKING)

        decision = decided(facts(order({"A": 2}), records=(self.STUCK,), goods_outs=(seen,)))

        assert codes(decision) == ["LATE_EDIT"]
        assert spoken(decision) == ["take_lock", "recall 1001-1"]

    def test_the_pickers_were_faster_than_an_operator(self) -> None:
        asked = CancelRequest(by="olga", reason="stop", at=NOON)
        seen = goods_out(stage=Stage.PICKING)

        assert codes(decided(facts(records=(self.STUCK,), goods_outs=(seen,), cancel_request=asked))) == [
            "CANCEL_TOO_LATE"
        ]

    @pytest.mark.parametrize(("ago", "says"), [(2 * MINUTE, []), (2 * MINUTE + SECOND, ["recall 1001-1"])], ids=str)
    def test_it_is_asked_again_after_two_minutes(self, ago: timedelta, says: list[str]) -> None:
        stuck = replace(self.STUCK, recall_asked_at=NOON - ago)

        decision = decided(facts(order({"A": 2}), records=(stuck,), goods_outs=(goods_out(),)))

        assert (spoken(decision), codes(decision)) == (says, [])
        assert decision.next_look_at == NOON + 15 * SECOND
        if says:
            assert decision.commands[0] == RecallGoodsOut(
                reference="1001-1", account="ACME", clarus_id="301",
                because="The recall was accepted, and the warehouse still holds it.",
            )  # fmt: skip

    def test_its_gate_says_what_opens_it(self) -> None:
        gate = decided(facts(order({"A": 2}), records=(self.STUCK,), goods_outs=(goods_out(),))).gates[0]

        assert gate.detail == "The recall of 1001-1 is not confirmed yet."
        assert (gate.by_person, gate.until) == (False, None)

    def test_it_is_not_opened_by_an_operator(self) -> None:
        assert "create 1001-2 A2" not in spoken(
            approved(facts(order({"A": 2}), records=(self.STUCK,), goods_outs=(goods_out(),)))
        )

    def test_it_left_before_it_could_be_recalled(self) -> None:
        seen = goods_out(stage=Stage.COMPLETED, despatched={"A": 1})

        decision = decided(facts(order({"A": 2}), records=(self.STUCK,), goods_outs=(seen,)))

        assert decision.records[0].state is RecordState.FINISHED
        assert spoken(decision) == ["create 1001-2 A1"]


class TestTwins:
    TWIN = goods_out(clarus_id="999")

    def test_the_finding_names_it(self) -> None:
        decision = decided(facts(records=(record(),), goods_outs=(goods_out(), self.TWIN)))

        assert decision.findings[0].fingerprint == "DUPLICATE_SUSPECTED:twin:1001-1:999"
        assert decision.findings[0].detail == {"reference": "1001-1", "clarus_id": "999", "status": "PENDING"}
        recall = decision.commands[0]
        assert isinstance(recall, RecallGoodsOut)
        assert (recall.clarus_id, recall.account) == ("999", "ACME")

    @pytest.mark.parametrize(
        "twin",
        [goods_out(clarus_id="999", stage=Stage.PICKING), goods_out(clarus_id="999", stage=Stage.UNRECOGNISED),
         goods_out(clarus_id="999", picked={"A": 1})],
        ids=["picking", "unrecognised", "picked"],
    )  # fmt: skip
    def test_one_that_was_begun_is_left_to_a_person(self, twin: GoodsOut) -> None:
        decision = decided(facts(records=(record(),), goods_outs=(goods_out(), twin)))

        assert (spoken(decision), codes(decision)) == ([], ["DUPLICATE_SUSPECTED"])

    def test_a_cancelled_twin_is_no_twin(self) -> None:
        twin = goods_out(clarus_id="999", stage=Stage.CANCELLED)

        decision = decided(facts(records=(record(),), goods_outs=(goods_out(), twin)))

        assert (spoken(decision), codes(decision)) == ([], [])

    @pytest.mark.parametrize("target", ["1001-1", "1001-1@999"])
    def test_nothing_is_done_while_an_outcome_is_unknown(self, target: str) -> None:
        unknown = UnknownEffect(key=f"recall_goods_out:{target}", kind="recall_goods_out", target=target, since=NOON)

        decision = decided(facts(records=(record(),), goods_outs=(goods_out(), self.TWIN), unknown=(unknown,)))

        assert (spoken(decision), codes(decision)) == ([], ["DUPLICATE_SUSPECTED"])

    def test_nothing_is_sent_beside_a_twin_whose_original_was_taken_away(self) -> None:
        decision = approved(facts(records=(record(state=RecordState.RECALLED),), goods_outs=(self.TWIN,)))

        assert spoken(decision) == []
        assert codes(decision) == ["DUPLICATE_SUSPECTED"]
        assert closed(decision) == ["sibling"]


class TestGone:
    GONE = facts(records=(record(),), goods_outs=())

    def test_what_is_said(self) -> None:
        finding = decided(self.GONE).findings[0]

        assert finding.fingerprint == "WMS_ORDER_MISSING:1001-1:is gone from the warehouse"
        assert finding.summary == "#1001: 1001-1 is gone from the warehouse. It is not sent again by itself."
        assert finding.detail == {"reference": "1001-1", "clarus_id": "301"}

    def test_cancelled_by_hand_is_said_in_other_words(self) -> None:
        finding = decided(facts(records=(record(),), goods_outs=(goods_out(stage=Stage.CANCELLED),))).findings[0]

        assert finding.fingerprint == "WMS_ORDER_MISSING:1001-1:was cancelled in the warehouse by hand"

    def test_sending_it_again_is_looked_at_at_once(self) -> None:
        decision = approved(self.GONE)

        assert decision.records[0].state is RecordState.RECALLED
        assert decision.next_look_at == NOON + SECOND
        assert "olga: send it again. go on" in [reason.text for reason in decision.reasons]

    def test_an_approval_from_before_it_was_sent_is_not_for_sending_it_again(self) -> None:
        old = Approval(by="olga", reason="go", at=LONG_AGO, fingerprint=decided(self.GONE).fingerprint)

        decision = decided(facts(records=(record(),), goods_outs=(), approval=old))

        assert codes(decision) == ["WMS_ORDER_MISSING"]

    def test_what_nobody_wants_any_more_may_be_gone(self) -> None:
        decision = decided(facts(order(cancelled_at=NOON, fulfilment_orders=()), records=(record(),), goods_outs=()))

        assert (spoken(decision), codes(decision)) == ([], [])
        assert decision.records[0].state is RecordState.RECALLED

    @pytest.mark.parametrize(("ago", "found"), [(29 * SECOND, []), (30 * SECOND, ["WMS_ORDER_MISSING"])], ids=str)
    def test_a_young_one_may_only_not_be_shown_yet(self, ago: timedelta, found: list[str]) -> None:
        decision = decided(facts(records=(record(created_at=NOON - ago),), goods_outs=()))

        assert (spoken(decision), codes(decision)) == ([], found)

    def test_what_an_edit_took_off_may_be_gone(self) -> None:
        emptied = order({"A": 0}, fulfilment_orders=())

        decision = decided(facts(emptied, records=(record(),), goods_outs=()))

        assert (spoken(decision), codes(decision)) == ([], [])

    def test_an_approval_of_the_moment_it_was_sent_is_not_for_sending_it_again(self) -> None:
        yes = Approval(by="olga", reason="go", at=NOON - HOUR, fingerprint=decided(self.GONE).fingerprint)

        decision = decided(facts(records=(record(),), goods_outs=(), approval=yes))

        assert codes(decision) == ["WMS_ORDER_MISSING"]
