"""What may be created beside what is there already, and what follows a refusal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cast import (
    ADDRESS,
    LONG_AGO,
    NOON,
    PlainRules,
    closed,
    codes,
    content,
    decided,
    facts,
    fulfilment_order,
    goods_out,
    order,
    record,
    spoken,
)
from pickgate.domain.commands import AmendGoodsOut, CreateGoodsOut
from pickgate.domain.decision import Decision, OrderState
from pickgate.domain.facts import Approval, Facts, GoodsOutRecord, RecordState, RefusedEffect, UnknownEffect
from pickgate.domain.policy import Policy
from pickgate.domain.shop import FulfilmentOrderStatus
from pickgate.domain.warehouse import GoodsOutLine, Part, Stage

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


class TestSharedLines:
    """One line whose units two fulfilment orders share."""

    BOTH = (fulfilment_order("F1", {"A": 2}), fulfilment_order("F2", {"A": 1}, location="L2"))

    def test_the_second_goes_although_the_first_is_in_the_warehouse_already(self) -> None:
        decision = decided(
            facts(
                order({"A": 3}, fulfilment_orders=self.BOTH),
                records=(record(1, {"A": 2}),),
                goods_outs=(goods_out(1, {"A": 2}),),
            )
        )

        assert spoken(decision) == ["create 1001-2 A1"]
        assert closed(decision) == []

    def test_its_gates_are_shown_while_it_waits(self) -> None:
        waiting = order({"A": 3}, fulfilment_orders=self.BOTH, confirmed=False)

        decision = decided(facts(waiting, records=(record(1, {"A": 2}),), goods_outs=(goods_out(1, {"A": 2}),)))

        assert spoken(decision) == []
        assert closed(decision) == ["unconfirmed"]

    def test_it_waits_while_the_first_still_holds_more_than_its_own_share(self) -> None:
        held = record(1, {"A": 3})

        decision = decided(
            facts(
                order({"A": 3}, fulfilment_orders=self.BOTH),
                records=(held,),
                goods_outs=(goods_out(1, {"A": 3}, stage=Stage.PICKING),),
            )
        )

        assert spoken(decision) == ["take_lock"]
        assert "sibling" in closed(decision)

    def test_it_waits_while_an_outcome_about_the_first_is_unknown(self) -> None:
        creating = record(1, {"A": 3}, state=RecordState.CREATING, clarus_id=None)
        unknown = UnknownEffect(key="create_goods_out:1001-1", kind="create_goods_out", target="1001-1", since=NOON)

        decision = decided(facts(order({"A": 3}, fulfilment_orders=self.BOTH), records=(creating,), unknown=(unknown,)))

        assert spoken(decision) == []
        assert "sibling" in closed(decision)


class TestTwoGoodsOuts:
    RECORDS = (record(1, {"A": 1}), record(2, {"B": 1}, fo="F2"))
    SEEN = (goods_out(1, {"A": 1}), goods_out(2, {"B": 1}))
    BOTH = (fulfilment_order("F1", {"A": 1}), fulfilment_order("F2", {"B": 1}))

    def test_a_note_is_followed_in_both(self) -> None:
        noted = order({"A": 1, "B": 1}, fulfilment_orders=self.BOTH, note="Ring twice")

        decision = decided(
            facts(noted, records=self.RECORDS, goods_outs=self.SEEN), rules=PlainRules(notes={"note": "order_notes"})
        )

        assert sorted(spoken(decision)) == ["recall 1001-1", "recall 1001-2"]

    def test_an_address_is_followed_in_both(self) -> None:
        moved = order({"A": 1, "B": 1}, fulfilment_orders=self.BOTH, address=MOVED)

        assert sorted(spoken(decided(facts(moved, records=self.RECORDS, goods_outs=self.SEEN)))) == [
            "recall 1001-1",
            "recall 1001-2",
        ]

    def test_an_edit_of_one_leaves_the_other(self) -> None:
        more = (fulfilment_order("F1", {"A": 1}), fulfilment_order("F2", {"B": 2}))

        decision = decided(
            facts(order({"A": 1, "B": 2}, fulfilment_orders=more), records=self.RECORDS, goods_outs=self.SEEN)
        )

        assert spoken(decision) == ["recall 1001-2"]

    def test_a_merge_that_also_changes_units_keeps_one_and_recalls_the_other(self) -> None:
        merged = (fulfilment_order("F9", {"A": 1, "B": 2}),)

        decision = decided(
            facts(order({"A": 1, "B": 2}, fulfilment_orders=merged), records=self.RECORDS, goods_outs=self.SEEN)
        )

        assert sorted(spoken(decision)) == ["recall 1001-1", "recall 1001-2"]

    def test_two_for_one_fulfilment_order_leave_the_begun_one(self) -> None:
        records = (record(1, {"A": 1}), record(2, {"A": 1}, generation=2))
        seen = (goods_out(1, {"A": 1}, stage=Stage.PICKING), goods_out(2, {"A": 1}))

        decision = decided(facts(records=records, goods_outs=seen))

        assert spoken(decision) == ["take_lock", "recall 1001-2"]
        assert codes(decision) == []

    def test_two_for_one_fulfilment_order_that_nobody_began_leave_the_newer(self) -> None:
        records = (record(1, {"A": 1}), record(2, {"A": 1}, generation=2))

        assert spoken(decided(facts(records=records, goods_outs=(goods_out(1), goods_out(2))))) == ["recall 1001-1"]


class TestRefused:
    REFUSED = record(state=RecordState.REFUSED, clarus_id=None, stage_code="")

    @pytest.mark.parametrize(("ago", "says"), [(HOUR - SECOND, []), (HOUR, ["create 1001-2 A1"])], ids=str)
    def test_the_same_is_tried_again_after_an_hour(self, ago: timedelta, says: list[str]) -> None:
        decision = decided(facts(records=(self.REFUSED,), refused=(refused("create_goods_out", ago=ago),)))

        assert spoken(decision) == says
        assert closed(decision) == ([] if says else ["refused"])
        if not says:
            assert decision.next_look_at == NOON + SECOND

    def test_without_a_memory_of_the_refusal_its_record_counts(self) -> None:
        young = replace(self.REFUSED, created_at=NOON - 59 * MINUTE)

        assert closed(decided(facts(records=(young,)))) == ["refused"]
        assert "no reason is recorded" in decided(facts(records=(young,))).findings[0].summary

    def test_the_newest_refusal_gives_the_code(self) -> None:
        both = (
            refused("create_goods_out", ago=2 * MINUTE),
            replace(refused("create_goods_out", code="ADDRESS_UNUSABLE"), problem="postcode"),
        )

        decision = decided(facts(records=(self.REFUSED,), refused=both))

        assert codes(decision) == ["ADDRESS_UNUSABLE"]
        assert decision.findings[0].summary == "#1001: the warehouse refused 1001-1: postcode"
        assert decision.state is OrderState.STOPPED

    def test_an_older_refusal_is_history(self) -> None:
        records = (self.REFUSED, record(2, {"A": 2}, state=RecordState.RECALLED))

        decision = decided(facts(records=records, refused=(refused("create_goods_out", ago=2 * HOUR),)))

        assert (spoken(decision), codes(decision)) == (["create 1001-3 A1"], [])

    def test_an_amendment_that_is_refused_becomes_a_recall(self) -> None:
        key = AmendGoodsOut(
            reference="1001-1", clarus_id="301", content=content({"A": 2}), previous=content(), line_ids=()
        ).key
        no = RefusedEffect(key=key, kind="amend_goods_out", target="1001-1", code="WMS_REFUSED", problem="no", at=NOON)
        kept = record(amend_refused=True)

        decision = decided(
            facts(order({"A": 2}), records=(kept,), goods_outs=(goods_out(),), refused=(no,)),
            policy=Policy(amend=frozenset(Part)),
        )

        assert spoken(decision) == ["recall 1001-1"]


class TestAmend:
    ALL = Policy(amend=frozenset(Part))

    @pytest.mark.parametrize(
        ("stage", "kind", "says"),
        [
            (Stage.DRAFT, "lines", "amend 1001-1 A2"),
            (Stage.PENDING, "lines", "amend 1001-1 A2"),
            (Stage.PART_ALLOCATED, "lines", "recall 1001-1"),
            (Stage.PART_ALLOCATED, "address", "amend 1001-1 A1"),
            (Stage.DRAFT, "address", "amend 1001-1 A1"),
        ],
        ids=lambda v: v.value if isinstance(v, Stage) else "",
    )
    def test_by_stage(self, stage: Stage, kind: str, says: str) -> None:
        some = order({"A": 2}) if kind == "lines" else order(address=MOVED)

        decision = decided(facts(some, records=(record(),), goods_outs=(goods_out(stage=stage),)), policy=self.ALL)

        assert spoken(decision) == [says]

    def test_a_kind_that_is_set_is_amended(self) -> None:
        some = facts(order(address=MOVED), records=(record(),), goods_outs=(goods_out(),))

        assert spoken(decided(some, policy=Policy(amend=frozenset({Part.ADDRESS})))) == ["amend 1001-1 A1"]

    def test_a_product_on_two_rows_is_not_amended_line_by_line(self) -> None:
        rows = (
            GoodsOutLine(id="1", product_code="SKU-A", ordered=1), GoodsOutLine(id="2", product_code="SKU-A", ordered=1)
        )  # fmt: skip
        some = facts(order({"A": 3}), records=(record(1, {"A": 2}),), goods_outs=(replace(goods_out(), lines=rows),))

        assert spoken(decided(some, policy=self.ALL)) == ["recall 1001-1"]

    def test_what_is_asked(self) -> None:
        decision = decided(facts(order({"A": 2}), records=(record(),), goods_outs=(goods_out(),)), policy=self.ALL)

        assert decision.commands == (
            AmendGoodsOut(
                reference="1001-1", clarus_id="301", content=content({"A": 2}), previous=content(),
                line_ids=(("SKU-A", "1A"),),
            ),
        )  # fmt: skip


class TestRelease:
    def test_what_is_asked(self) -> None:
        decision = decided(facts())

        assert decision.commands == (
            CreateGoodsOut(
                reference="1001-1", order_id="5001", number=1, fulfilment_order_id="F1", group="", generation=1,
                content=content(), expected_despatch_at=NOON, ordered_at=LONG_AGO,
            ),
        )  # fmt: skip

    def test_a_long_name_is_cut_to_what_the_warehouse_takes(self) -> None:
        decision = decided(facts(order(name="#" + "9" * 60)))

        assert getattr(decision.commands[0], "reference") == "9" * 48 + "-1"  # noqa: B009

    def test_generations_are_counted_for_each_fulfilment_order_and_group(self) -> None:
        records = (
            record(1, state=RecordState.RECALLED),
            record(2, state=RecordState.RECALLED, group="cold"),
            record(3, state=RecordState.RECALLED, fo="F7"),
        )

        command = decided(facts(records=records)).commands[0]

        assert isinstance(command, CreateGoodsOut)
        assert (command.number, command.generation, command.reference) == (4, 2, "1001-4")

    def test_an_addition_released_by_an_operator_is_a_parcel_of_its_own(self) -> None:
        added = order(
            {"A": 1, "B": 1}, fulfilment_orders=(fulfilment_order("F1", {"A": 1}), fulfilment_order("F2", {"B": 1}))
        )

        decision = approved(facts(added, records=(record(),), goods_outs=(goods_out(stage=Stage.PICKING),)))

        assert spoken(decision) == ["take_lock", "create 1001-2 B1"]

    def test_a_late_addition_says_what_to_do(self) -> None:
        added = order(
            {"A": 1, "B": 1}, fulfilment_orders=(fulfilment_order("F1", {"A": 1}), fulfilment_order("F2", {"B": 1}))
        )

        decision = decided(facts(added, records=(record(),), goods_outs=(goods_out(stage=Stage.PICKING),)))

        assert [g.detail for g in decision.gates] == ["1001-1 is already being worked on; this was added after it."]
        assert decision.findings[0].summary == (
            "#1001: added after the warehouse began: 1 × Thing B (SKU-B): added, and not in the warehouse's order."
        )
        assert decision.findings[0].fingerprint.startswith("LATE_EDIT:addition:F2:")
        assert "release_order" in decision.findings[0].actions


class TestPairing:
    """Fulfilment orders get new ids; goods do not move for it."""

    def replaced(self, some: dict[str, int], *kept: GoodsOutRecord, **more: Any) -> Decision:
        new = (fulfilment_order("F9", some),)
        seen = tuple(goods_out(r.number, {n.line_id: n.units for n in r.content.lines}) for r in kept)
        return decided(facts(order(some, fulfilment_orders=new, **more), records=kept, goods_outs=seen))

    def test_a_new_id_alone_is_silence(self) -> None:
        assert spoken(self.replaced({"A": 1}, record())) == []

    def test_a_new_id_and_other_units_is_an_edit(self) -> None:
        assert spoken(self.replaced({"A": 2}, record())) == ["recall 1001-1"]

    def test_a_new_id_and_another_address_is_an_edit(self) -> None:
        assert spoken(self.replaced({"A": 1}, record(), address=MOVED)) == ["recall 1001-1"]

    def test_a_new_id_and_another_service_is_an_edit(self) -> None:
        kept = record(content=content(priority=3))

        assert spoken(self.replaced({"A": 1}, kept)) == ["recall 1001-1"]

    def test_of_several_the_one_that_shares_most_is_its_own(self) -> None:
        new = (fulfilment_order("F8", {"A": 1}), fulfilment_order("F9", {"B": 5}))
        kept = record(1, {"A": 1, "B": 4})
        seen = goods_out(1, {"A": 1, "B": 4}, stage=Stage.PICKING)

        decision = decided(facts(order({"A": 1, "B": 5}, fulfilment_orders=new), records=(kept,), goods_outs=(seen,)))

        assert decision.findings[0].detail["difference"] == [
            "1 × Thing A (SKU-A): no longer wanted.",
            "Thing B (SKU-B): the warehouse has 4, the order now wants 5.",
        ]

    def test_another_warehouses_share_is_never_its_own(self) -> None:
        new = (fulfilment_order("F9", {"A": 1}, location="L2"),)
        seen = goods_out(stage=Stage.PICKING)

        decision = decided(facts(order(fulfilment_orders=new), records=(record(),), goods_outs=(seen,)))

        assert decision.findings[0].detail["difference"] == ["1 × Thing A (SKU-A): no longer wanted."]

    def test_goods_that_it_does_not_hold_are_never_its_own(self) -> None:
        new = (fulfilment_order("F9", {"B": 1}),)
        seen = goods_out(stage=Stage.PICKING)

        decision = decided(
            facts(order({"A": 0, "B": 1}, fulfilment_orders=new), records=(record(),), goods_outs=(seen,))
        )

        assert decision.findings[0].detail["difference"] == ["1 × Thing A (SKU-A): no longer wanted."]
        assert codes(decision) == ["LATE_EDIT", "LATE_EDIT"]


class TestApprovalOfWhatWasRefused:
    REFUSED = record(state=RecordState.REFUSED, clarus_id=None, stage_code="")

    def closed_gates(self, at: timedelta) -> list[str]:
        some = facts(records=(self.REFUSED,), refused=(refused("create_goods_out"),))
        yes = Approval(by="olga", reason="mended", at=NOON + at, fingerprint=decided(some).fingerprint)
        return closed(decided(replace(some, records=replace(some.records, approval=yes))))

    def test_one_given_since_opens_it(self) -> None:
        assert self.closed_gates(-MINUTE + SECOND) == []

    def test_one_given_before_does_not_forget_the_refusal(self) -> None:
        assert self.closed_gates(-MINUTE) == ["refused"]
