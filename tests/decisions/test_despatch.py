"""What left the building becomes fulfilments in the shop: as it happened, once, and never more than remains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from cast import (
    NOON,
    codes,
    decided,
    facts,
    fulfilment,
    fulfilment_order,
    goods_out,
    line,
    order,
    record,
    spoken,
)
from pickgate.domain.commands import CreateFulfilment, FulfilmentLine
from pickgate.domain.decision import Decision, OrderState
from pickgate.domain.facts import GoodsOutRecord, RecordState
from pickgate.domain.policy import Policy
from pickgate.domain.shop import FulfilmentOrderStatus, ShopOrder
from pickgate.domain.warehouse import GoodsOut, GoodsOutLine, Parcel, Stage

MINUTES = timedelta(minutes=1)
T1 = {"301": (Parcel(tracking_number="T1", carrier="DPD"),)}
CLOSED = FulfilmentOrderStatus.CLOSED


def sent(units: Mapping[str, int] | None = None, left: Mapping[str, int] | None = None, **more: Any) -> GoodsOut:
    units = units or {"A": 1}
    return goods_out(1, units, stage=Stage.COMPLETED, despatched=left if left is not None else units, **more)


def told_of(decision: Decision) -> CreateFulfilment:
    commands = [command for command in decision.commands if isinstance(command, CreateFulfilment)]
    assert len(commands) == 1
    return commands[0]


def after(some_order: ShopOrder, seen: GoodsOut, kept: GoodsOutRecord | None = None, **more: Any) -> Decision:
    kept = kept or record(1, {n.product_code.removeprefix("SKU-"): n.ordered for n in seen.lines})
    return decided(facts(some_order, records=(kept,), goods_outs=(seen,), parcels=T1, **more))


def test_what_left_is_told_by_line_with_its_tracking_number() -> None:
    decision = after(order({"A": 2, "B": 1}), sent({"A": 2, "B": 1}))

    assert spoken(decision) == ["create_fulfilment 1001-1 A2 B1"]
    command = told_of(decision)
    assert command.lines == (
        FulfilmentLine(fulfilment_order_id="F1", fulfilment_order_line_id="F1.A", line_id="A", units=2),
        FulfilmentLine(fulfilment_order_id="F1", fulfilment_order_line_id="F1.B", line_id="B", units=1),
    )
    assert (command.tracking_numbers, command.carrier, command.fulfilled_before) == (("T1",), "DPD", ())
    assert codes(decision) == []


def test_what_was_told_is_not_told_again() -> None:
    told = record(state=RecordState.FINISHED, told=(("A", 1),), parcels_told=("T1",), finished_at=NOON)
    shut = order(
        fulfilment_orders=(fulfilment_order("F1", {"A": 0}, status=CLOSED),), fulfilments=(fulfilment({"A": 1}),)
    )

    decision = after(shut, sent(), told)

    assert (spoken(decision), codes(decision), decision.state) == ([], [], OrderState.DESPATCHED)


def test_a_part_is_told_as_it_happened_and_the_rest_later() -> None:
    whole = order({"A": 3})
    first = goods_out(1, {"A": 3}, stage=Stage.PART, picked={"A": 3}, despatched={"A": 1})

    decision = after(whole, first)

    assert spoken(decision) == ["take_lock", "create_fulfilment 1001-1 A1"]

    told = replace(decision.records[0], told=(("A", 1),), parcels_told=("T1",))
    part_told = order(
        {"A": 3}, fulfilment_orders=(fulfilment_order("F1", {"A": 2}),), fulfilments=(fulfilment({"A": 1}),)
    )
    two_parcels = {"301": (Parcel(tracking_number="T1"), Parcel(tracking_number="T2", carrier="DPD"))}
    second = decided(facts(part_told, records=(told,), goods_outs=(sent({"A": 3}),), parcels=two_parcels))

    assert spoken(second) == ["create_fulfilment 1001-1 A2"]
    assert told_of(second).tracking_numbers == ("T2",)
    assert told_of(second).fulfilled_before == (("A", 1),)


def test_a_line_in_several_fulfilment_orders_is_told_in_each_its_own_first() -> None:
    two = (fulfilment_order("F0", {"A": 2}), fulfilment_order("F1", {"A": 1}))

    decision = after(order({"A": 3}, fulfilment_orders=two), sent({"A": 3}))

    assert [(n.fulfilment_order_id, n.units) for n in told_of(decision).lines] == [("F1", 1), ("F0", 2)]


def test_two_goods_outs_never_tell_the_same_unit() -> None:
    records = (record(1, {"A": 1}), record(2, {"A": 1}, fo="F2"))
    seen = (sent(), replace(goods_out(2, {"A": 1}, stage=Stage.COMPLETED, despatched={"A": 1})))
    two = (fulfilment_order("F1", {"A": 1}), fulfilment_order("F2", {"A": 1}))
    parcels = {**T1, "302": (Parcel(tracking_number="T2"),)}

    decision = decided(facts(order({"A": 2}, fulfilment_orders=two), records=records, goods_outs=seen, parcels=parcels))

    assert [
        (c.reference, c.lines[0].fulfilment_order_id) for c in decision.commands if isinstance(c, CreateFulfilment)
    ] == [
        ("1001-1", "F1"),
        ("1001-2", "F2"),
    ]


def test_a_replaced_fulfilment_order_is_found_by_its_lines() -> None:
    replaced = (
        fulfilment_order("F1", {"A": 0}, status=FulfilmentOrderStatus.CANCELLED),
        fulfilment_order("F9", {"A": 1}),
    )

    assert told_of(after(order(fulfilment_orders=replaced), sent())).lines[0].fulfilment_order_id == "F9"


class TestExcess:
    def test_more_than_the_order_still_holds(self) -> None:
        edited = order(
            {"A": 2}, lines=(line("A", 1, ordered=2),), fulfilment_orders=(fulfilment_order("F1", {"A": 1}),)
        )

        decision = after(edited, sent({"A": 2}))

        assert spoken(decision) == ["create_fulfilment 1001-1 A1"]
        assert codes(decision) == ["OVER_DESPATCH"]
        finding = decision.findings[0]
        assert finding.detail == {"reference": "1001-1", "units": {"A": 1}}
        assert finding.summary == "#1001: left, and not on the order any more: 1 × Thing A (SKU-A) (1001-1)."

    def test_a_line_that_is_gone_altogether(self) -> None:
        gone = order(lines=(line("B"),), fulfilment_orders=(fulfilment_order("F1", {"B": 1}),))

        decision = after(gone, sent())

        assert "OVER_DESPATCH" in codes(decision)
        assert "1 × line A" in decision.findings[-1].summary or "1 × line A" in decision.findings[0].summary

    def test_a_replaced_fulfilment_order_does_not_hide_it(self) -> None:
        closed = order(
            lines=(line("A", 0, ordered=1),),
            fulfilment_orders=(fulfilment_order("F1", {"A": 1}, status=FulfilmentOrderStatus.CANCELLED),),
        )

        assert codes(after(closed, sent())) == ["OVER_DESPATCH"]

    def test_of_a_cancelled_order_is_said_once(self) -> None:
        cancelled = order(cancelled_at=NOON, fulfilment_orders=(fulfilment_order("F1", {"A": 0}, status=CLOSED),))

        assert codes(after(cancelled, sent())) == ["CANCEL_TOO_LATE"]

    def test_a_stranger_is_not_told_and_has_an_owner(self) -> None:
        seen = replace(
            sent(), lines=(*sent().lines, GoodsOutLine(id="9", product_code="SUBST", ordered=0, despatched=2))
        )

        decision = after(order(), seen, record())

        assert spoken(decision) == ["create_fulfilment 1001-1 A1"]
        assert codes(decision) == ["UNKNOWN_DESPATCH"]
        assert decision.findings[0].detail == {"reference": "1001-1", "units": {"SUBST": 2}}
        assert decision.findings[0].summary == "#1001: left without being asked for: 2 × SUBST (1001-1)."

    def test_more_than_was_asked_for_is_a_stranger(self) -> None:
        decision = after(order({"A": 3}), sent({"A": 3}), record(1, {"A": 2}))

        assert "create_fulfilment 1001-1 A2" in spoken(decision)
        assert "UNKNOWN_DESPATCH" in codes(decision)


class TestSomebodyElse:
    def test_what_somebody_told_by_hand_is_adopted(self) -> None:
        by_hand = order(
            fulfilment_orders=(fulfilment_order("F1", {"A": 0}, status=CLOSED),), fulfilments=(fulfilment({"A": 1}),)
        )

        decision = after(by_hand, sent())

        assert (spoken(decision), codes(decision)) == ([], [])
        assert decision.records[0].told == (("A", 1),)
        assert "1001-1: somebody else has told the shop of it already." in [r.text for r in decision.reasons]

    def test_only_what_remains_is_told_beside_it(self) -> None:
        by_hand = order(
            {"A": 2}, fulfilment_orders=(fulfilment_order("F1", {"A": 1}),), fulfilments=(fulfilment({"A": 1}),)
        )

        decision = after(by_hand, sent({"A": 2}))

        assert spoken(decision) == ["create_fulfilment 1001-1 A1"]
        assert told_of(decision).fulfilled_before == (("A", 1),)
        assert decision.records[0].told == (("A", 1),)

    def test_what_we_told_ourselves_is_not_somebody_elses(self) -> None:
        records = (
            record(1, {"A": 1}, state=RecordState.FINISHED, told=(("A", 1),)),
            record(2, {"A": 1}, fo="F2", state=RecordState.FINISHED),
        )
        seen = (sent(), goods_out(2, {"A": 1}, stage=Stage.COMPLETED, despatched={"A": 1}))
        shut = order(
            {"A": 1}, fulfilment_orders=(fulfilment_order("F1", {"A": 0}, status=CLOSED),),
            fulfilments=(fulfilment({"A": 1}),),
        )  # fmt: skip

        decision = decided(facts(shut, records=records, goods_outs=seen, parcels=T1))

        assert codes(decision) == ["OVER_DESPATCH"]
        assert decision.records[1].told == ()

    def test_a_fulfilment_that_was_cancelled_counts_for_nobody(self) -> None:
        undone = order(fulfilments=(replace(fulfilment({"A": 1}), cancelled=True),))

        assert spoken(after(undone, sent())) == ["create_fulfilment 1001-1 A1"]


def test_what_was_recalled_after_a_part_had_left_is_told() -> None:
    recalled = record(1, {"A": 2}, state=RecordState.RECALLED)
    seen = goods_out(1, {"A": 2}, stage=Stage.CANCELLED, picked={"A": 1}, despatched={"A": 1})

    decision = decided(facts(order({"A": 2}), records=(recalled,), goods_outs=(seen,), parcels=T1))

    assert "create_fulfilment 1001-1 A1" in spoken(decision)


def test_the_key_tells_one_telling_from_another() -> None:
    first = told_of(after(order({"A": 2}), sent({"A": 2}, {"A": 1}), record(1, {"A": 2})))
    told_before = replace(first, fulfilled_before=(("A", 1),))
    more = replace(first, lines=(replace(first.lines[0], units=2),))

    assert len({first.key, told_before.key, more.key}) == 3
    assert first.key == replace(first, tracking_numbers=("T9",)).key
    assert first.key.startswith("create_fulfilment:1001-1:")


def test_an_approval_is_not_needed_to_tell() -> None:
    assert spoken(decided(facts(records=(record(),), goods_outs=(sent(),), parcels=T1), policy=Policy())) == [
        "create_fulfilment 1001-1 A1"
    ]


class TestTwoOfOneLine:
    """Two goods-outs that both sent units of one line, and the shop was told of neither."""

    RECORDS = (record(1, {"A": 1}), record(2, {"A": 1}, fo="F2"))
    SEEN = (sent(), goods_out(2, {"A": 1}, stage=Stage.COMPLETED, despatched={"A": 1}))
    PARCELS = MappingProxyType({**T1, "302": (Parcel(tracking_number="T2"),)})

    def test_no_more_is_told_than_remains(self) -> None:
        some = facts(order(), records=self.RECORDS, goods_outs=self.SEEN, parcels=self.PARCELS)

        decision = decided(some)

        assert [word for word in spoken(decision) if word.startswith("create_fulfilment")] == [
            "create_fulfilment 1001-1 A1"
        ]
        assert codes(decision) == ["OVER_DESPATCH"]

    def test_neither_is_asked_for_again(self) -> None:
        some = facts(order({"A": 3}), records=self.RECORDS, goods_outs=self.SEEN, parcels=self.PARCELS)

        assert spoken(decided(some))[-1] == "create 1001-3 A1"


def test_without_a_parcel_there_is_no_carrier() -> None:
    kept = record(left_at=NOON - 5 * MINUTES)

    command = told_of(decided(facts(records=(kept,), goods_outs=(sent(),))))

    assert (command.carrier, command.tracking_numbers) == ("", ())
