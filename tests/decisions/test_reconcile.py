"""What follows when the warehouse's goods-outs are compared with what the order wants."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cast import (
    ADDRESS,
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
from pickgate.domain.commands import AmendGoodsOut, CreateGoodsOut
from pickgate.domain.decision import OrderState
from pickgate.domain.facts import Approval, CancelRequest, GoodsOutRecord, RecordState, RefusedEffect, UnknownEffect
from pickgate.domain.policy import Policy
from pickgate.domain.shop import FulfilmentOrderStatus
from pickgate.domain.warehouse import GoodsOut, Part, Stage

LATER = NOON + timedelta(minutes=10)
AMEND = Policy(amend=frozenset(Part))
MOVED = replace(ADDRESS, line1="1 New Street")


@pytest.mark.parametrize(
    ("stage", "picked", "says", "found"),
    [
        (Stage.DRAFT, 0, ["recall 1001-1"], []),
        (Stage.PENDING, 0, ["recall 1001-1"], []),
        (Stage.ALLOCATED, 0, ["recall 1001-1"], []),
        (Stage.PART_ALLOCATED, 0, ["recall 1001-1"], []),
        (Stage.ALLOCATED, 1, ["take_lock"], ["LATE_EDIT"]),
        (Stage.PICKING, 0, ["take_lock"], ["LATE_EDIT"]),
        (Stage.PART, 0, ["take_lock"], ["LATE_EDIT"]),
        (Stage.UNRECOGNISED, 0, ["take_lock"], ["LATE_EDIT"]),
    ],
    ids=lambda v: v.value if isinstance(v, Stage) else "",
)
def test_an_edit_follows_or_is_refused_by_what_the_pickers_did(
    stage: Stage, picked: int, says: list[str], found: list[str]
) -> None:
    seen = goods_out(1, {"A": 1}, stage=stage, picked={"A": picked})

    decision = decided(facts(order({"A": 2}), records=(record(1, {"A": 1}),), goods_outs=(seen,)))

    assert spoken(decision) == says
    assert codes(decision) == found


@pytest.mark.parametrize(
    "stage", [s for s in Stage if s not in (Stage.CANCELLED, Stage.COMPLETED)], ids=lambda stage: stage.value
)
def test_equal_contents_need_no_message(stage: Stage) -> None:
    decision = decided(facts(records=(record(),), goods_outs=(goods_out(stage=stage),)))

    assert [word for word in spoken(decision) if word != "take_lock"] == []
    assert codes(decision) == []


class TestRecallAndReissue:
    RECALLING = record(state=RecordState.RECALLING, recall_asked_at=NOON - timedelta(seconds=30))

    def test_nothing_is_created_while_the_recall_is_not_confirmed(self) -> None:
        decision = decided(facts(order({"A": 2}), records=(self.RECALLING,), goods_outs=(goods_out(),)))

        assert spoken(decision) == []
        assert closed(decision) == ["recall"]

    @pytest.mark.parametrize("shown", [(), (goods_out(stage=Stage.CANCELLED),)], ids=["gone", "cancelled"])
    def test_the_next_generation_goes_when_the_warehouse_confirms(self, shown: tuple[GoodsOut, ...]) -> None:
        decision = decided(facts(order({"A": 2}), records=(self.RECALLING,), goods_outs=shown))

        assert spoken(decision) == ["create 1001-2 A2"]
        create = decision.commands[0]
        assert isinstance(create, CreateGoodsOut)
        assert (create.generation, create.number, create.fulfilment_order_id) == (2, 2, "F1")
        assert decision.records[0].state is RecordState.RECALLED

    def test_a_recall_that_was_accepted_and_not_done_is_asked_again(self) -> None:
        stuck = replace(self.RECALLING, recall_asked_at=NOON - timedelta(minutes=3))

        decision = decided(facts(order({"A": 2}), records=(stuck,), goods_outs=(goods_out(),)))

        assert spoken(decision) == ["recall 1001-1"]

    def test_a_recall_that_came_too_late_is_said(self) -> None:
        stuck = replace(self.RECALLING, recall_asked_at=NOON - timedelta(minutes=3))
        seen = goods_out(stage=Stage.PICKING)

        decision = decided(facts(order(cancelled_at=NOON), records=(stuck,), goods_outs=(seen,)))

        assert codes(decision) == ["CANCEL_TOO_LATE"]

    def test_absence_does_not_confirm_the_recall_of_one_that_was_never_shown(self) -> None:
        unseen = replace(self.RECALLING, stage_code="", created_at=NOON - timedelta(seconds=29))

        decision = decided(facts(order({"A": 2}), records=(unseen,), goods_outs=()))

        assert spoken(decision) == []

    def test_a_refused_recall_is_not_repeated_and_has_an_owner(self) -> None:
        refused = record(recall_refused="picking has begun")

        decision = decided(facts(order(cancelled_at=NOON), records=(refused,), goods_outs=(goods_out(),)))

        assert spoken(decision) == []
        assert codes(decision) == ["CANCEL_TOO_LATE"]

    def test_a_refused_recall_is_tried_again_when_the_status_goes_back(self) -> None:
        refused = record(recall_refused="picking has begun", stage_code="PICK")

        decision = decided(facts(order(cancelled_at=NOON), records=(refused,), goods_outs=(goods_out(),)))

        assert spoken(decision) == ["recall 1001-1"]


class TestAmend:
    def test_lines_are_amended_where_the_shop_says_so(self) -> None:
        decision = decided(facts(order({"A": 2}), records=(record(),), goods_outs=(goods_out(),)), policy=AMEND)

        assert spoken(decision) == ["amend 1001-1 A2"]
        amend = decision.commands[0]
        assert isinstance(amend, AmendGoodsOut)
        assert amend.line_ids == (("SKU-A", "1A"),)

    def test_lines_of_an_allocated_goods_out_are_recalled(self) -> None:
        seen = goods_out(stage=Stage.ALLOCATED)

        decision = decided(facts(order({"A": 2}), records=(record(),), goods_outs=(seen,)), policy=AMEND)

        assert spoken(decision) == ["recall 1001-1"]

    def test_an_address_of_an_allocated_goods_out_is_amended(self) -> None:
        seen = goods_out(stage=Stage.ALLOCATED)

        decision = decided(facts(order(address=MOVED), records=(record(),), goods_outs=(seen,)), policy=AMEND)

        assert spoken(decision) == ["amend 1001-1 A1"]

    def test_only_the_kinds_that_are_set_are_amended(self) -> None:
        only_address = Policy(amend=frozenset({Part.ADDRESS}))
        both = order({"A": 2}, address=MOVED)

        decision = decided(facts(both, records=(record(),), goods_outs=(goods_out(),)), policy=only_address)

        assert spoken(decision) == ["recall 1001-1"]

    def test_what_the_warehouse_would_not_amend_is_recalled(self) -> None:
        refused = record(amend_refused=True)

        decision = decided(facts(order({"A": 2}), records=(refused,), goods_outs=(goods_out(),)), policy=AMEND)

        assert spoken(decision) == ["recall 1001-1"]


class TestCancel:
    def test_not_begun_is_recalled(self) -> None:
        decision = decided(facts(order(cancelled_at=NOON), records=(record(),), goods_outs=(goods_out(),)))

        assert spoken(decision) == ["recall 1001-1"]

    def test_while_picking_it_is_tried(self) -> None:
        seen = goods_out(stage=Stage.PICKING, picked={"A": 1})

        decision = decided(facts(order(cancelled_at=NOON), records=(record(),), goods_outs=(seen,)))

        assert spoken(decision) == ["recall 1001-1"]

    def test_what_was_picked_goes_back_to_its_shelf(self) -> None:
        recalling = record(state=RecordState.RECALLING, recall_asked_at=NOON)
        seen = goods_out(stage=Stage.CANCELLED, picked={"A": 1})

        decision = decided(facts(order(cancelled_at=NOON), records=(recalling,), goods_outs=(seen,)))

        assert codes(decision) == ["PUT_BACK"]
        assert decision.findings[0].detail["units"] == {"SKU-A": 1}
        assert decision.state is OrderState.CANCELLED

    def test_a_shop_that_does_not_cancel_pickers_work_asks(self) -> None:
        policy = Policy(cancel_while_picking=False)
        seen = goods_out(stage=Stage.PICKING)

        decision = decided(facts(order(cancelled_at=NOON), records=(record(),), goods_outs=(seen,)), policy=policy)

        assert spoken(decision) == []
        assert codes(decision) == ["CANCEL_TOO_LATE"]

    def test_after_it_left(self) -> None:
        finished = record(state=RecordState.FINISHED)
        seen = goods_out(stage=Stage.COMPLETED, picked={"A": 1}, despatched={"A": 1})
        gone = order(cancelled_at=NOON, fulfilment_orders=())

        decision = decided(facts(gone, records=(finished,), goods_outs=(seen,)))

        assert spoken(decision) == []
        assert codes(decision) == ["CANCEL_TOO_LATE"]

    def test_never_sent_is_silence(self) -> None:
        decision = decided(facts(order(cancelled_at=NOON, fulfilment_orders=())))

        assert spoken(decision) == []
        assert decision.state is OrderState.CANCELLED

    def test_every_line_removed_is_recalled_like_a_cancellation(self) -> None:
        emptied = order({"A": 0}, fulfilment_orders=())

        decision = decided(facts(emptied, records=(record(),), goods_outs=(goods_out(),)))

        assert spoken(decision) == ["recall 1001-1"]


class TestByHand:
    def test_a_change_in_the_warehouse_is_not_corrected_behind_their_back(self) -> None:
        seen = goods_out(1, {"A": 1})

        decision = decided(facts(order({"A": 2}), records=(record(1, {"A": 2}),), goods_outs=(seen,)))

        assert spoken(decision) == []
        assert codes(decision) == ["WMS_CHANGED_BY_HAND"]

    def test_a_change_to_what_is_wanted_is_welcome(self) -> None:
        seen = goods_out(1, {"A": 2})

        decision = decided(facts(order({"A": 2}), records=(record(1, {"A": 1}),), goods_outs=(seen,)))

        assert spoken(decision) == []
        assert codes(decision) == []
        assert decision.records[0].content.units_by_product() == {"SKU-A": 2}

    def test_contents_that_were_never_as_accepted_are_an_illusion(self) -> None:
        never = record(1, {"A": 2}, verified=False)
        seen = goods_out(1, {"A": 1})

        decision = decided(facts(order({"A": 2}), records=(never,), goods_outs=(seen,)))

        assert codes(decision) == ["SYNC_ILLUSION"]
        assert decision.findings[0].detail["side_by_side"] == {"SKU-A": {"accepted": 2, "holds": 1}}

    @pytest.mark.parametrize("shown", [(), (goods_out(stage=Stage.CANCELLED),)], ids=["deleted", "cancelled"])
    def test_taken_away_by_hand_is_not_sent_again_by_itself(self, shown: tuple[GoodsOut, ...]) -> None:
        decision = decided(facts(records=(record(),), goods_outs=shown))

        assert spoken(decision) == []
        assert codes(decision) == ["WMS_ORDER_MISSING"]

    def test_taken_away_by_hand_is_sent_again_when_a_person_says_so(self) -> None:
        yes = Approval(by="olga", reason="our mistake", at=NOON, fingerprint=decided(facts()).fingerprint)

        decision = decided(facts(records=(record(),), goods_outs=(), approval=yes))

        assert decision.records[0].state is RecordState.RECALLED
        again = decided(facts(records=decision.records, goods_outs=(), approval=yes))
        assert spoken(again) == ["create 1001-2 A1"]

    def test_accepted_a_moment_ago_and_not_shown_yet_is_not_missing(self) -> None:
        young = record(created_at=NOON - timedelta(seconds=29), stage_code="")

        decision = decided(facts(records=(young,), goods_outs=()))

        assert codes(decision) == []
        assert decision.next_look_at == NOON + timedelta(seconds=1)

    def test_one_reference_twice_recalls_the_younger(self) -> None:
        twin = goods_out(clarus_id="999")

        decision = decided(facts(records=(record(),), goods_outs=(goods_out(), twin)))

        assert spoken(decision) == ["recall 1001-1@999"]
        assert codes(decision) == ["DUPLICATE_SUSPECTED"]


class TestSeveralFulfilmentOrders:
    TWO = (fulfilment_order("F1", {"A": 1}), fulfilment_order("F2", {"B": 1}))

    def test_each_is_released(self) -> None:
        decision = decided(facts(order({"A": 1, "B": 1}, fulfilment_orders=self.TWO)))

        assert spoken(decision) == ["create 1001-1 A1", "create 1001-2 B1"]

    def test_an_addition_made_after_picking_began_waits_and_is_said(self) -> None:
        seen = goods_out(stage=Stage.PICKING)
        added = order({"A": 1, "B": 1}, fulfilment_orders=self.TWO)

        decision = decided(facts(added, records=(record(),), goods_outs=(seen,)))

        assert spoken(decision) == ["take_lock"]
        assert codes(decision) == ["LATE_EDIT"]
        assert closed(decision) == ["late_addition"]

    def test_an_addition_at_another_warehouse_goes_its_own_way(self) -> None:
        other = (fulfilment_order("F1", {"A": 1}), fulfilment_order("F2", {"B": 1}, location="L2"))
        seen = goods_out(stage=Stage.PICKING)

        decision = decided(
            facts(order({"A": 1, "B": 1}, fulfilment_orders=other), records=(record(),), goods_outs=(seen,))
        )

        assert spoken(decision) == ["take_lock", "create 1001-2 B1"]
        assert codes(decision) == []

    def test_an_addition_goes_when_the_first_parcel_has_left(self) -> None:
        finished = record(state=RecordState.FINISHED, told=(("A", 1),))
        seen = goods_out(stage=Stage.COMPLETED, picked={"A": 1}, despatched={"A": 1})
        rest = (
            fulfilment_order("F1", {"A": 0}, status=FulfilmentOrderStatus.CLOSED),
            fulfilment_order("F2", {"B": 1}),
        )
        added = order({"A": 1, "B": 1}, fulfilment_orders=rest, fulfilments=(fulfilment({"A": 1}),))

        decision = decided(facts(added, records=(finished,), goods_outs=(seen,)))

        assert spoken(decision) == ["create 1001-2 B1"]

    def test_a_split_in_the_shop_moves_no_goods(self) -> None:
        split = (fulfilment_order("F8", {"A": 1}), fulfilment_order("F9", {"B": 1}))
        seen = goods_out(1, {"A": 1, "B": 1})

        decision = decided(
            facts(
                order({"A": 1, "B": 1}, fulfilment_orders=split),
                records=(record(1, {"A": 1, "B": 1}),),
                goods_outs=(seen,),
            )
        )

        assert spoken(decision) == []
        assert codes(decision) == []

    def test_a_merge_in_the_shop_moves_no_goods(self) -> None:
        merged = (fulfilment_order("F9", {"A": 1, "B": 1}),)
        records = (record(1, {"A": 1}), record(2, {"B": 1}, fo="F2"))
        seen = (goods_out(1, {"A": 1}), goods_out(2, {"B": 1}))

        decision = decided(facts(order({"A": 1, "B": 1}, fulfilment_orders=merged), records=records, goods_outs=seen))

        assert spoken(decision) == []

    def test_a_move_to_another_warehouse_recalls_first(self) -> None:
        moved = order(fulfilment_orders=(fulfilment_order("F9", {"A": 1}, location="L2"),))

        first = decided(facts(moved, records=(record(),), goods_outs=(goods_out(),)))
        assert spoken(first) == ["recall 1001-1"]

        recalled = record(state=RecordState.RECALLED)
        assert spoken(decided(facts(moved, records=(recalled,), goods_outs=()))) == ["create 1001-2 A1"]


class TestUnknownAndRefused:
    def test_nothing_is_done_about_a_goods_out_whose_outcome_is_unknown(self) -> None:
        creating = record(state=RecordState.CREATING, clarus_id=None)
        unknown = UnknownEffect(key="create_goods_out:1001-1", kind="create_goods_out", target="1001-1", since=NOON)

        decision = decided(facts(order({"A": 2}), records=(creating,), unknown=(unknown,)))

        assert spoken(decision) == []
        assert codes(decision) == []
        assert decision.state is OrderState.RELEASING

    @pytest.mark.parametrize(("minutes", "found"), [(14, []), (15, ["EFFECT_UNKNOWN"])], ids=["not yet", "too long"])
    def test_an_unknown_outcome_has_an_owner_after_a_quarter_of_an_hour(self, minutes: int, found: list[str]) -> None:
        creating = record(state=RecordState.CREATING, clarus_id=None)
        since = NOON - timedelta(minutes=minutes)
        unknown = UnknownEffect(key="create_goods_out:1001-1", kind="create_goods_out", target="1001-1", since=since)

        assert codes(decided(facts(records=(creating,), unknown=(unknown,)))) == found

    REFUSED = record(state=RecordState.REFUSED, clarus_id=None, stage_code="")

    def refusal(self, minutes_ago: int) -> RefusedEffect:
        return RefusedEffect(
            key="create_goods_out:1001-1",
            kind="create_goods_out",
            target="1001-1",
            code="WMS_REFUSED",
            problem="postcode is invalid",
            at=NOON - timedelta(minutes=minutes_ago),
        )

    def test_what_was_refused_is_not_sent_again_as_it_was(self) -> None:
        decision = decided(facts(records=(self.REFUSED,), refused=(self.refusal(5),)))

        assert spoken(decision) == []
        assert codes(decision) == ["WMS_REFUSED"]
        assert decision.state is OrderState.STOPPED

    def test_a_changed_order_is_sent(self) -> None:
        decision = decided(facts(order({"A": 2}), records=(self.REFUSED,), refused=(self.refusal(5),)))

        assert spoken(decision) == ["create 1001-2 A2"]
        assert codes(decision) == []

    def test_a_person_may_try_again(self) -> None:
        yes = Approval(by="olga", reason="mended", at=NOON, fingerprint=decided(facts()).fingerprint)

        decision = decided(facts(records=(self.REFUSED,), refused=(self.refusal(5),), approval=yes))

        assert spoken(decision) == ["create 1001-2 A1"]


class TestCancelRequest:
    ASKED = CancelRequest(by="olga", reason="wrong address on the phone", at=NOON)

    @pytest.mark.parametrize("stage", [Stage.PENDING, Stage.PICKING], ids=lambda stage: stage.value)
    def test_it_is_taken_back_from_the_warehouse(self, stage: Stage) -> None:
        decision = decided(facts(records=(record(),), goods_outs=(goods_out(stage=stage),), cancel_request=self.ASKED))

        assert "recall 1001-1" in spoken(decision)

    def test_it_does_not_go_out_again_by_itself(self) -> None:
        recalled: tuple[GoodsOutRecord, ...] = (record(state=RecordState.RECALLED),)

        assert spoken(decided(facts(records=recalled, goods_outs=(), cancel_request=self.ASKED))) == []


def test_the_difference_is_said_in_words() -> None:
    edited = order(
        {"A": 3, "B": 0, "C": 1}, address=MOVED, fulfilment_orders=(fulfilment_order("F1", {"A": 3, "C": 1}),)
    )
    held = record(1, {"A": 1, "B": 2})
    seen = goods_out(1, {"A": 1, "B": 2}, stage=Stage.PICKING)

    decision = decided(facts(edited, records=(held,), goods_outs=(seen,)))

    assert decision.findings[0].detail["difference"] == [
        "Thing A (SKU-A): the warehouse has 1, the order now wants 3.",
        "2 × Thing B (SKU-B): no longer wanted.",
        "1 × Thing C (SKU-C): added, and not in the warehouse's order.",
        "The address changed: line1.",
    ]


def test_no_personal_data_is_in_a_finding() -> None:
    seen = goods_out(stage=Stage.PICKING)

    decision = decided(facts(order(address=MOVED), records=(record(),), goods_outs=(seen,)))

    assert codes(decision) == ["LATE_EDIT"]
    assert "New Street" not in repr(decision.findings)
    assert "Mill Lane" not in repr(decision.findings)


def test_content_fingerprints_tell_contents_apart() -> None:
    assert content({"A": 1}).fingerprint != content({"A": 2}).fingerprint
    assert content({"A": 1, "B": 1}).fingerprint == content({"B": 1, "A": 1}).fingerprint


def test_units_shown_as_sent_that_never_left_are_an_illusion() -> None:
    short = record(1, {"A": 2}, state=RecordState.FINISHED, told=(("A", 1),))
    seen = goods_out(1, {"A": 2}, stage=Stage.COMPLETED, picked={"A": 1}, despatched={"A": 1})
    closed_order = order(
        {"A": 2},
        fulfilment_orders=(fulfilment_order("F1", {"A": 0}, status=FulfilmentOrderStatus.CLOSED),),
        fulfilments=(fulfilment({"A": 2}),),
    )

    decision = decided(facts(closed_order, records=(short,), goods_outs=(seen,)))

    assert codes(decision) == ["SYNC_ILLUSION"]
    assert decision.findings[0].detail["side_by_side"] == {"A": {"shop shows sent": 2, "left the warehouse": 1}}
