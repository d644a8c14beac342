"""What should exist in the warehouse: lines, units, places and splits, by the rulebook."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from cast import (
    NOON,
    PlainRules,
    closed,
    codes,
    content,
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
from pickgate.domain.decision import Decision, OrderState
from pickgate.domain.facts import RecordState, Unreadable
from pickgate.domain.projection import product_codes_of
from pickgate.domain.rules import Found, Ignored, NotListed, Place, Product, RuleRow
from pickgate.domain.shop import FulfilmentOrderStatus
from pickgate.domain.warehouse import Content, ContentLine, Stage

CREATE = ["create 1001-1 A1"]


def wanted(decision: Decision) -> Content:
    assert len(decision.wanted) == 1
    return decision.wanted[0].content


def texts(decision: Decision) -> list[str]:
    return [reason.text for reason in decision.reasons]


class FullRules(PlainRules):
    """A rulebook that also has priorities, and no row for the SKU "SKU-NONE"."""

    asked: tuple[object, ...] = ()

    def priority(self, *, shop: str, tags: tuple[str, ...], shipping_title: str, country: str) -> Found[int] | None:
        if (shop, tags, shipping_title, country) == ("uk", ("VIP",), "Standard", "GB"):
            return Found(7, self._row("priorities"))
        return None

    def products(self, *, shop: str, sku: str) -> Found[tuple[Product, ...]] | Ignored | NotListed:
        if sku == "SKU-NONE":
            return NotListed("skus", f"SKU {sku!r}")
        return super().products(shop=shop, sku=sku)

    def hold(self, *, shop: str, tags: tuple[str, ...], country: str, total: Decimal) -> Found[str] | None:
        self.asked = (shop, tags, country, total)
        return None


# ── SKUs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class TestSku:
    def test_a_line_is_its_product(self) -> None:
        assert wanted(decided(facts(order({"A": 3})))).lines == (
            ContentLine(line_id="A", product_code="SKU-A", units=3, sku="SKU-A"),
        )

    def test_an_ignored_sku_is_left_out_and_said(self) -> None:
        rules = PlainRules(ignored_skus=frozenset({"SKU-B"}))

        decision = decided(facts(order({"A": 1, "B": 1})), rules=rules)

        assert spoken(decision) == CREATE
        assert "Thing B (SKU-B) is not sent" in texts(decision)

    @pytest.mark.parametrize(
        ("case", "sku", "problem"),
        [
            ("no SKU", None, "Thing A has no SKU"),
            ("an empty SKU", "", "Thing A has no SKU"),
            ("no usable SKU", "SKU-NONE", "Thing A has SKU 'SKU-NONE'"),
        ],
    )
    def test_a_gap_is_a_problem_and_never_a_guess(self, case: str, sku: str | None, problem: str) -> None:
        some_line = replace(line("A", 1), sku=sku)

        decision = decided(facts(order(lines=(some_line,))), rules=FullRules())

        assert spoken(decision) == []
        assert codes(decision) == ["SKU_UNMAPPED"]
        assert decision.findings[0].summary == f"{problem}."
        assert decision.findings[0].detail["line_id"] == "A"
        assert closed(decision) == ["sku_unmapped"]
        assert decision.state is OrderState.STOPPED

    def test_one_unmapped_line_stops_the_others(self) -> None:
        decision = decided(facts(order({"A": 1, "B": 1}), unknown_products=frozenset({"SKU-B"})))

        assert spoken(decision) == []
        assert codes(decision) == ["SKU_UNMAPPED"]
        assert decision.findings[0].summary == "The warehouse has no product 'SKU-B' (Thing B)."
        assert decision.findings[0].fingerprint == "SKU_UNMAPPED:B:SKU-B:SKU-B"

    def test_a_product_that_could_not_be_asked_about_is_waited_for(self) -> None:
        some = replace(facts(known=frozenset()), products_unreadable=Unreadable(why="503"))

        decision = decided(some)

        assert (spoken(decision), codes(decision), closed(decision)) == ([], [], ["unreadable"])
        assert decision.gates[0].detail == "Whether the warehouse knows product 'SKU-A' could not be read: 503"
        assert decision.next_look_at is not None and (decision.next_look_at - NOON).total_seconds() == 30
        assert decision.state is OrderState.WAITING

    def test_a_product_that_was_not_asked_about_is_waited_for(self) -> None:
        decision = decided(facts(known=frozenset()))

        assert spoken(decision) == []
        assert decision.gates[0].detail.endswith("not asked yet")

    def test_lines_that_need_no_shipping_are_left_out(self) -> None:
        lines = (line("A"), line("G", is_gift_card=True, sku=None), line("D", requires_shipping=False, sku=None))
        mixed = order(lines=lines, fulfilment_orders=(fulfilment_order("F1", {"A": 1, "G": 1, "D": 1}),))

        decision = decided(facts(mixed))

        assert spoken(decision) == CREATE
        assert codes(decision) == []

    def test_one_sku_on_two_lines_stays_two_lines(self) -> None:
        twice = order(
            lines=(line("A", sku="X"), line("B", 2, sku="X")),
            fulfilment_orders=(fulfilment_order("F1", {"A": 1, "B": 2}),),
        )

        assert spoken(decided(facts(twice))) == ["create 1001-1 A1 B2"]
        assert wanted(decided(facts(twice))).units_by_product() == {"X": 3}

    def test_a_torn_read_is_not_sent(self) -> None:
        torn = order(lines=(line("A"),), fulfilment_orders=(fulfilment_order("F1", {"A": 1, "Z": 1}),))

        decision = decided(facts(torn))

        assert (spoken(decision), closed(decision)) == ([], ["torn_read"])

    def test_the_products_to_ask_about(self) -> None:
        rules = FullRules(
            products={"SKU-B": (Product(code="P1"), Product(code="P2")), "SKU-C": (Product(code="P1"),)},
            ignored_skus=frozenset({"SKU-I"}),
        )
        lines = (
            line("A"), line("B"), line("C"), line("I"), line("N", sku="SKU-NONE"), line("G", is_gift_card=True),
            line("E", sku=None),
        )  # fmt: skip

        assert product_codes_of(order(lines=lines), rules, shop="uk") == ("SKU-A", "P1", "P2")


class TestBundle:
    RULES = PlainRules(products={"SKU-A": (Product(code="CUP"), Product(code="SPOON", units=6))})
    KNOWN = frozenset({"CUP", "SPOON"})

    def test_its_components_are_sent(self) -> None:
        decision = decided(facts(order({"A": 2}), known=self.KNOWN), rules=self.RULES)

        assert wanted(decision).lines == (
            ContentLine(line_id="A", product_code="CUP", units=2, sku="SKU-A", per_unit=1),
            ContentLine(line_id="A", product_code="SPOON", units=12, sku="SKU-A", per_unit=6),
        )
        assert "SKU-A → 1 × CUP, 6 × SPOON" in texts(decision)

    def test_a_component_that_the_warehouse_does_not_have_stops_it(self) -> None:
        some = facts(order({"A": 2}), known=frozenset({"CUP"}), unknown_products=frozenset({"SPOON"}))

        decision = decided(some, rules=self.RULES)

        assert (spoken(decision), codes(decision)) == ([], ["SKU_UNMAPPED"])
        assert decision.findings[0].detail["product_code"] == "SPOON"

    def test_a_sku_sold_in_sixes_is_asked_for_in_ones(self) -> None:
        rules = PlainRules(products={"SKU-A": (Product(code="EGG", units=6),)})

        decision = decided(facts(order({"A": 2}), known=frozenset({"EGG"})), rules=rules)

        assert wanted(decision).units_by_product() == {"EGG": 12}

    def test_a_sku_without_a_row_needs_no_explanation(self) -> None:
        class Default(PlainRules):
            def _row(self, table: str) -> RuleRow:
                return RuleRow(table=table, row=0, version=1)

        assert not [text for text in texts(decided(facts(), rules=Default())) if text.startswith("SKU-A →")]


class TestUnits:
    @pytest.mark.parametrize(
        ("case", "ordered", "current", "remaining", "fulfilled", "asked"),
        [
            ("as ordered", 3, 3, 3, 0, 3),
            ("fewer by an edit: never `ordered`", 3, 1, 1, 0, 1),
            ("removed", 3, 0, 0, 0, 0),
            ("the fulfilment order has fewer", 3, 3, 2, 0, 2),
            ("the fulfilment order lags behind an edit", 3, 1, 3, 0, 1),
            ("the fulfilment order lags behind a fulfilment", 3, 3, 3, 2, 1),
            ("part was sent by hand", 3, 3, 2, 1, 2),
            ("part was sent, the rest removed", 3, 1, 0, 1, 0),
            ("sent, returned and refunded: not sent again", 1, 0, 0, 1, 0),
            ("one of two sent, that one returned", 2, 1, 1, 1, 1),
            ("a refund with restock", 2, 1, 1, 0, 1),
        ],
    )
    def test_only_what_is_live_and_unfulfilled_is_asked_for(
        self, case: str, ordered: int, current: int, remaining: int, fulfilled: int, asked: int
    ) -> None:
        some = order(
            lines=(line("A", current, ordered=ordered),),
            fulfilment_orders=(fulfilment_order("F1", {"A": remaining}),),
            fulfilments=(fulfilment({"A": fulfilled}),) if fulfilled else (),
        )

        assert spoken(decided(facts(some))) == ([f"create 1001-1 A{asked}"] if asked else [])

    def test_a_cancelled_fulfilment_no_longer_counts(self) -> None:
        undone = replace(fulfilment({"A": 1}), cancelled=True)

        assert spoken(decided(facts(order(fulfilments=(undone,))))) == CREATE

    def test_a_line_in_two_fulfilment_orders_is_shared_and_never_doubled(self) -> None:
        two = (fulfilment_order("F1", {"A": 2}), fulfilment_order("F2", {"A": 2}, location="L2"))

        assert spoken(decided(facts(order({"A": 3}, fulfilment_orders=two)))) == [
            "create 1001-1 A2",
            "create 1001-2 A1",
        ]

    def test_what_left_and_was_not_told_yet_is_not_asked_for_again(self) -> None:
        finished = record(1, {"A": 1}, state=RecordState.FINISHED, finished_at=NOON)
        seen = goods_out(1, {"A": 1}, stage=Stage.COMPLETED, despatched={"A": 1})

        decision = decided(facts(order({"A": 2}), records=(finished,), goods_outs=(seen,)))

        assert spoken(decision) == ["create 1001-2 A1"]

    @pytest.mark.parametrize(
        "status", [FulfilmentOrderStatus.CLOSED, FulfilmentOrderStatus.CANCELLED], ids=lambda s: s.value
    )
    def test_a_closed_fulfilment_order_wants_nothing(self, status: FulfilmentOrderStatus) -> None:
        assert decided(facts(order(fulfilment_orders=(fulfilment_order(status=status),)))).wanted == ()


class TestPlace:
    def test_the_account_and_warehouse_of_its_location(self) -> None:
        rules = PlainRules(places={"L1": Place(account="BETA", warehouse="YORK")})

        decision = decided(facts(), rules=rules)

        assert (wanted(decision).account, wanted(decision).warehouse) == ("BETA", "YORK")
        assert "Location L1 → BETA/YORK" in texts(decision)

    def test_an_unmapped_location_stops_it(self) -> None:
        decision = decided(facts(order(fulfilment_orders=(fulfilment_order(location="L9"),))))

        assert (spoken(decision), codes(decision)) == ([], ["LOCATION_UNMAPPED"])
        assert closed(decision) == ["location_unmapped"]
        assert decision.state is OrderState.STOPPED
        finding = decision.findings[0]
        assert finding.fingerprint == "LOCATION_UNMAPPED:location Location L9"
        assert finding.summary == "#1001: no row for location Location L9"
        assert finding.detail["table"] == "locations.csv"

    def test_an_unmapped_location_is_said_of_a_part_that_comes_later_too(self) -> None:
        finished = record(state=RecordState.FINISHED, told=(("A", 1),))
        seen = goods_out(stage=Stage.COMPLETED, despatched={"A": 1})
        rest = (
            fulfilment_order("F1", {"A": 0}, status=FulfilmentOrderStatus.CLOSED),
            fulfilment_order("F2", {"B": 1}, location="L9"),
        )
        added = order({"A": 1, "B": 1}, fulfilment_orders=rest, fulfilments=(fulfilment({"A": 1}),))

        decision = decided(facts(added, records=(finished,), goods_outs=(seen,)))

        assert codes(decision) == ["LOCATION_UNMAPPED"]
        assert closed(decision) == ["location_unmapped"]
        assert decision.state is OrderState.STOPPED

    def test_an_ignored_location_is_somebody_elses(self) -> None:
        decision = decided(facts(order(fulfilment_orders=(fulfilment_order(location="IGNORED"),))))

        assert (spoken(decision), codes(decision)) == ([], [])
        assert texts(decision) == ["Location IGNORED is not this warehouse's"]
        assert decision.state is OrderState.IGNORED

    def test_two_warehouses_get_a_goods_out_each(self) -> None:
        two = (fulfilment_order("F1", {"A": 1}), fulfilment_order("F2", {"B": 1}, location="L2"))

        decision = decided(facts(order({"A": 1, "B": 1}, fulfilment_orders=two)))

        assert [(w.fulfilment_order_id, w.content.warehouse) for w in decision.wanted] == [
            ("F1", "LEEDS"),
            ("F2", "HULL"),
        ]


class TestSplit:
    RULES = PlainRules(groups={"SKU-B": "cold"})

    def test_groups_become_goods_outs_of_their_own(self) -> None:
        decision = decided(facts(order({"A": 1, "B": 1, "C": 1})), rules=self.RULES)

        assert spoken(decision) == ["create 1001-1 A1 C1", "create 1001-2 B1"]
        assert [(w.fulfilment_order_id, w.group) for w in decision.wanted] == [("F1", ""), ("F1", "cold")]
        assert "SKU-B goes in group cold" in texts(decision)

    def test_each_group_is_followed_by_itself(self) -> None:
        records = (record(1, {"A": 1}), record(2, {"B": 1}, group="cold"))
        seen = (goods_out(1, {"A": 1}), goods_out(2, {"B": 1}))

        decision = decided(facts(order({"A": 1, "B": 2}), records=records, goods_outs=seen), rules=self.RULES)

        assert spoken(decision) == ["recall 1001-2"]


def test_what_is_sent_is_what_the_order_says() -> None:
    assert wanted(decided(facts())) == content()
