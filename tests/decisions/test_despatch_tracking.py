"""When what left is told: tracking numbers, bundles, holds in the shop, and outcomes that nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cast import (
    NOON,
    PlainRules,
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
from pickgate.domain.commands import CreateFulfilment
from pickgate.domain.decision import Decision
from pickgate.domain.facts import GoodsOutRecord, RecordState, UnknownEffect
from pickgate.domain.rules import Product
from pickgate.domain.shop import FulfilmentOrderStatus, ShopHold, ShopOrder
from pickgate.domain.warehouse import ContentLine, GoodsOut, GoodsOutLine, Parcel, Stage

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


class TestUnknownOutcome:
    UNKNOWN = UnknownEffect(key="create_fulfilment:1001-1:x", kind="create_fulfilment", target="1001-1", since=NOON)

    def test_it_is_not_told_again(self) -> None:
        decision = after(order({"A": 2}), sent({"A": 2}, {"A": 1}), record(1, {"A": 2}), unknown=(self.UNKNOWN,))

        assert "create_fulfilment 1001-1 A1" not in spoken(decision)
        assert spoken(decision) == []
        assert decision.next_look_at == NOON + timedelta(seconds=15)

    def test_what_it_may_have_told_is_not_taken_for_somebody_elses(self) -> None:
        counted = order(
            fulfilment_orders=(fulfilment_order("F1", {"A": 0}, status=CLOSED),), fulfilments=(fulfilment({"A": 1}),)
        )

        decision = after(counted, sent(), unknown=(self.UNKNOWN,))

        assert decision.records[0].told == ()
        assert (spoken(decision), codes(decision)) == ([], [])


class TestHeld:
    HOLD = (ShopHold(id="H1", reason="OTHER"),)
    ON_HOLD = FulfilmentOrderStatus.ON_HOLD

    def test_a_hold_in_the_shop_keeps_it_from_being_told_and_is_said(self) -> None:
        held = order(fulfilment_orders=(fulfilment_order("F1", {"A": 1}, holds=self.HOLD, status=self.ON_HOLD),))

        decision = after(held, sent())

        assert (spoken(decision), codes(decision)) == ([], ["SHOP_REFUSED"])
        assert decision.findings[0].fingerprint == "SHOP_REFUSED:held:1001-1"
        assert decision.findings[0].detail["finished"] is True
        assert decision.wanted == ()

    def test_what_is_not_held_is_told(self) -> None:
        two = (
            fulfilment_order("F1", {"A": 1}, holds=self.HOLD, status=self.ON_HOLD),
            fulfilment_order("F2", {"B": 1}),
        )

        decision = after(order({"A": 1, "B": 1}, fulfilment_orders=two), sent({"A": 1, "B": 1}))

        assert spoken(decision) == ["create_fulfilment 1001-1 B1"]
        assert codes(decision) == ["SHOP_REFUSED"]

    def test_while_the_warehouse_is_still_at_it(self) -> None:
        held = order(
            {"A": 2}, fulfilment_orders=(fulfilment_order("F1", {"A": 2}, holds=self.HOLD, status=self.ON_HOLD),)
        )
        part = goods_out(1, {"A": 2}, stage=Stage.PART, picked={"A": 2}, despatched={"A": 1})

        decision = after(held, part)

        assert [f.detail["finished"] for f in decision.findings if f.code == "SHOP_REFUSED"] == [False]


class TestTracking:
    def without(
        self, kept: GoodsOutRecord, seen: GoodsOut, parcels: Mapping[str, tuple[Parcel, ...]] | None = None
    ) -> Decision:
        return decided(facts(order({"A": 2}), records=(kept,), goods_outs=(seen,), parcels=parcels or {}))

    @pytest.mark.parametrize(
        ("age", "says"),
        [(timedelta(0), []), (5 * MINUTES - timedelta(seconds=1), []), (5 * MINUTES, ["create_fulfilment 1001-1 A2"])],
        ids=str,
    )
    def test_it_is_waited_for_and_not_for_ever(self, age: timedelta, says: list[str]) -> None:
        finished = record(1, {"A": 2}, state=RecordState.FINISHED, finished_at=NOON - age, left_at=NOON - age)

        assert spoken(self.without(finished, sent({"A": 2}))) == says

    def test_the_wait_begins_when_it_is_first_seen_to_have_left(self) -> None:
        decision = self.without(record(1, {"A": 2}), sent({"A": 2}))

        assert spoken(decision) == []
        assert decision.records[0].left_at == NOON
        assert decision.next_look_at == NOON + MINUTES
        assert "1001-1 has left; its tracking number is awaited." in [reason.text for reason in decision.reasons]

    def test_the_last_look_is_when_patience_ends(self) -> None:
        finished = record(1, {"A": 2}, state=RecordState.FINISHED, left_at=NOON - 4.5 * MINUTES)

        assert self.without(finished, sent({"A": 2})).next_look_at == NOON + MINUTES / 2

    def test_a_part_without_a_tracking_number_is_told_too(self) -> None:
        part = goods_out(1, {"A": 2}, stage=Stage.PART, picked={"A": 2}, despatched={"A": 1})
        first = self.without(record(1, {"A": 2}), part)
        assert spoken(first) == ["take_lock"]
        assert first.records[0].left_at == NOON

        later = replace(first.records[0], left_at=NOON - 5 * MINUTES)
        assert "create_fulfilment 1001-1 A1" in spoken(self.without(later, part))

    def test_a_second_part_is_waited_for_anew(self) -> None:
        told = record(1, {"A": 2}, told=(("A", 1),), left_at=NOON - 5 * MINUTES)
        part_told = order(
            {"A": 2}, fulfilment_orders=(fulfilment_order("F1", {"A": 1}),), fulfilments=(fulfilment({"A": 1}),)
        )
        part = goods_out(1, {"A": 2}, stage=Stage.PART, picked={"A": 2}, despatched={"A": 1})

        at_rest = decided(facts(part_told, records=(told,), goods_outs=(part,)))
        assert at_rest.records[0].left_at is None

        decision = decided(facts(part_told, records=at_rest.records, goods_outs=(sent({"A": 2}),)))
        assert "create_fulfilment 1001-1 A1" not in spoken(decision)
        assert decision.records[0].left_at == NOON

    def test_a_number_is_told_once(self) -> None:
        told = record(1, {"A": 2}, told=(("A", 1),), parcels_told=("T1",), left_at=NOON - 5 * MINUTES)
        part_told = order(
            {"A": 2}, fulfilment_orders=(fulfilment_order("F1", {"A": 1}),), fulfilments=(fulfilment({"A": 1}),)
        )

        decision = decided(facts(part_told, records=(told,), goods_outs=(sent({"A": 2}),), parcels=T1))

        assert told_of(decision).tracking_numbers == ()

    def test_doubles_and_blanks_are_dropped_and_the_first_carrier_counts(self) -> None:
        parcels = {"301": (
            Parcel(tracking_number=""), Parcel(tracking_number="T1"), Parcel(tracking_number="T1", carrier="DPD"),
            Parcel(tracking_number="T2", carrier="UPS"),
        )}  # fmt: skip

        command = told_of(self.without(record(1, {"A": 2}), sent({"A": 2}), parcels))

        assert (command.tracking_numbers, command.carrier) == (("T1", "T2"), "DPD")

    def test_another_goods_outs_parcels_are_not_its_own(self) -> None:
        assert spoken(self.without(record(1, {"A": 2}), sent({"A": 2}), {"999": T1["301"]})) == []


class TestBundle:
    RULES = PlainRules(products={"SKU-A": (Product(code="CUP"), Product(code="SPOON", units=6))})
    LINES = (
        ContentLine(line_id="A", product_code="CUP", units=2, sku="SKU-A", per_unit=1),
        ContentLine(line_id="A", product_code="SPOON", units=12, sku="SKU-A", per_unit=6),
    )

    @pytest.mark.parametrize(
        ("cups", "spoons", "told"),
        [(2, 12, 2), (2, 11, 1), (1, 12, 1), (2, 5, 0), (0, 12, 0)],
    )
    def test_a_bundle_has_left_as_far_as_every_component_has(self, cups: int, spoons: int, told: int) -> None:
        kept = record(content=content(lines=self.LINES), left_at=NOON - 5 * MINUTES)
        seen = replace(
            goods_out(stage=Stage.PART),
            lines=(
                GoodsOutLine(id="1", product_code="CUP", ordered=2, despatched=cups),
                GoodsOutLine(id="2", product_code="SPOON", ordered=12, despatched=spoons),
            ),
        )
        some = facts(
            order({"A": 2}), records=(kept,), goods_outs=(seen,), known=frozenset({"CUP", "SPOON"}), parcels=T1
        )

        decision = decided(some, rules=self.RULES)

        assert [word for word in spoken(decision) if word != "take_lock"] == (
            [f"create_fulfilment 1001-1 A{told}"] if told else []
        )
