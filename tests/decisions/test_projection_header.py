"""How a parcel goes: service, priority, address, notes, delivery date, and rules that hold it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from cast import (
    ADDRESS,
    PlainRules,
    closed,
    codes,
    decided,
    facts,
    fulfilment_order,
    gbp,
    line,
    order,
    spoken,
    totals,
)
from pickgate.domain.addresses import decide_address
from pickgate.domain.decision import Decision, OrderState
from pickgate.domain.facts import Facts
from pickgate.domain.policy import Policy
from pickgate.domain.rules import Found, Ignored, NotListed, Product
from pickgate.domain.warehouse import Content

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


class TestService:
    def test_the_row_is_said(self) -> None:
        decision = decided(facts())

        assert (wanted(decision).carrier, wanted(decision).service) == ("DPD", "ND")
        assert "Standard → DPD/ND" in texts(decision)

    @pytest.mark.parametrize(("title", "what"), [("Rocket", "'Rocket'"), (None, "''")], ids=["no row", "no method"])
    def test_an_unmapped_service_stops_it(self, title: str | None, what: str) -> None:
        decision = decided(facts(order(shipping_title=title)))

        assert (spoken(decision), codes(decision)) == ([], ["SERVICE_UNMAPPED"])
        assert closed(decision) == ["service_unmapped"]
        assert decision.findings[0].detail["what"] == f"shipping method {what}"
        assert decision.state is OrderState.STOPPED

    def test_a_service_that_the_warehouse_does_not_have_stops_it(self) -> None:
        decision = decided(replace(facts(), unknown_services=frozenset({("DPD", "ND")})))

        assert (spoken(decision), codes(decision)) == ([], ["SERVICE_UNMAPPED"])
        assert decision.findings[0].summary == "#1001: the warehouse has no service DPD/ND"

    def test_an_order_without_a_shipping_method_may_have_a_row(self) -> None:
        decision = decided(facts(order(shipping_title=None)), rules=PlainRules(services={"": ("DPD", "ND")}))

        assert spoken(decision) == CREATE
        assert "No shipping method → DPD/ND" in texts(decision)

    def test_the_warehouse_may_choose(self) -> None:
        decision = decided(facts(), rules=PlainRules(services={"Standard": ("", "")}))

        assert "Standard → the warehouse's own default" in texts(decision)

    def test_a_service_matters_only_where_something_is_sent(self) -> None:
        empty = order({"A": 0}, shipping_title="Rocket", fulfilment_orders=(fulfilment_order("F1", {"A": 0}),))

        assert codes(decided(facts(empty))) == []

    def test_a_priority(self) -> None:
        decision = decided(facts(order(tags=("VIP",))), rules=FullRules())

        assert wanted(decision).priority == 7
        assert "Priority 7" in texts(decision)

    def test_no_priority(self) -> None:
        decision = decided(facts(), rules=FullRules())

        assert wanted(decision).priority is None
        assert not [text for text in texts(decision) if text.startswith("Priority")]


def test_a_rule_hold_waits_for_an_operator() -> None:
    decision = decided(facts(), rules=PlainRules(hold_reason="over 500"))

    assert (spoken(decision), codes(decision), closed(decision)) == ([], [], ["rule_hold"])
    gate = decision.gates[0]
    assert (gate.detail, gate.by_person, gate.opens_when) == ("over 500", True, "an operator releases the order")
    assert "Held: over 500" in texts(decision)


def test_a_problem_that_a_person_must_mend_is_not_opened_by_release_now() -> None:
    gate = decided(facts(order(shipping_title="Rocket"))).gates[0]

    assert (gate.by_person, gate.opens_when) == (False, "the cause is mended")


def test_a_rule_hold_is_asked_with_the_total_in_whole_units() -> None:
    rules = FullRules()
    some = order(tags=("VIP",), totals=replace(totals(), current=gbp(12345)), address=replace(ADDRESS, country="gb"))

    decided(facts(some), rules=rules)

    assert rules.asked == ("uk", ("VIP",), "GB", Decimal("123.45"))


class TestAddress:
    @pytest.mark.parametrize(
        ("changes", "field", "problem"),
        [
            ({}, None, ""),
            ({"name": "", "company": "Byron Ltd"}, None, ""),
            ({"name": ""}, "name", "The address has no name."),
            ({"name": "  "}, "name", "The address has no name."),
            ({"line1": ""}, "line1", "The address has no first address line."),
            ({"city": " "}, "city", "The address has no town."),
            ({"country": ""}, "country", "The address has no country."),
            ({"country": "GBR"}, "country", "The country is not a code of two letters."),
            ({"country": "G1"}, "country", "The country is not a code of two letters."),
            ({"postcode": ""}, None, ""),
            ({"line1": "x" * 80}, None, ""),
            ({"line1": "x" * 81}, "line1", "The first address line has 81 characters; the warehouse takes 80."),
            ({"line2": "x" * 81}, "line2", "The second address line has 81 characters; the warehouse takes 80."),
            ({"city": "x" * 81}, "city", "The town has 81 characters; the warehouse takes 80."),
            ({"province": "x" * 81}, "province", "The county or region has 81 characters; the warehouse takes 80."),
            ({"postcode": "x" * 10}, None, ""),
            ({"postcode": "x" * 11}, "postcode", "The postcode has 11 characters; the warehouse takes 10."),
            ({"email": "x" * 255}, "email", "The e-mail address has 255 characters; the warehouse takes 254."),
            ({"phone": "x" * 51}, "phone", "The phone number has 51 characters; the warehouse takes 50."),
        ],
        ids=str,
    )
    def test_a_field(self, changes: dict[str, str], field: str | None, problem: str) -> None:
        assert decide_address(replace(ADDRESS, **changes)) == ((field, problem) if field else None)

    def test_an_unusable_address_stops_it(self) -> None:
        decision = decided(facts(order(address=replace(ADDRESS, city=""))))

        assert (spoken(decision), codes(decision)) == ([], ["ADDRESS_UNUSABLE"])
        assert closed(decision) == ["address_unusable"]
        finding = decision.findings[0]
        assert finding.fingerprint == "ADDRESS_UNUSABLE:city"
        assert finding.summary == "#1001: The address has no town."
        assert finding.detail == {"field": "city", "problem": "The address has no town."}
        assert decision.state is OrderState.STOPPED

    def test_the_orders_address_comes_first_then_the_fulfilment_orders(self) -> None:
        other = replace(ADDRESS, name="Charles")
        f = fulfilment_order(destination=other)

        assert wanted(decided(facts(order(fulfilment_orders=(f,))))).address == ADDRESS
        assert wanted(decided(facts(order(fulfilment_orders=(f,), address=None)))).address == other
        assert codes(decided(facts(order(address=None)))) == ["ADDRESS_UNUSABLE"]


class TestNotes:
    RULES = PlainRules(
        notes={"note": "order_notes", "gift": "packing_notes", "engraving": "packing_notes", "door": "delivery_notes"}
    )

    def notes(self, some: Facts) -> dict[str, str]:
        return dict(wanted(decided(some, rules=self.RULES)).notes)

    def test_each_attribute_goes_to_its_field(self) -> None:
        some = order(note=" Ring twice ", attributes=(("gift", "yes"), ("door", "blue"), ("utm_source", "x")))

        assert self.notes(facts(some)) == {
            "order_notes": "Ring twice",
            "packing_notes": "yes",
            "delivery_notes": "blue",
        }

    def test_several_in_one_field_are_put_below_each_other(self) -> None:
        lines = (line("A", attributes=(("engraving", "Ada"),)),)
        some = order(lines=lines, attributes=(("gift", "yes"),))

        assert self.notes(facts(some)) == {"packing_notes": "yes\nThing A: Ada"}

    def test_only_the_lines_that_are_sent_speak(self) -> None:
        lines = (line("A", attributes=(("engraving", "Ada"),)), line("B", 0, attributes=(("engraving", "Bob"),)))
        some = order(lines=lines, fulfilment_orders=(fulfilment_order("F1", {"A": 1}),))

        assert self.notes(facts(some)) == {"packing_notes": "Thing A: Ada"}

    def test_blank_notes_are_no_notes(self) -> None:
        assert self.notes(facts(order(note="  ", attributes=(("gift", " "),)))) == {}

    @pytest.mark.parametrize("length", [254, 255])
    def test_packing_notes_that_fit_are_whole(self, length: int) -> None:
        decision = decided(facts(order(attributes=(("gift", "x" * length),))), rules=self.RULES)

        assert dict(wanted(decision).notes) == {"packing_notes": "x" * length}
        assert not [text for text in texts(decision) if "cut" in text]

    def test_packing_notes_that_are_too_long_are_cut_visibly(self) -> None:
        decision = decided(facts(order(attributes=(("gift", "x" * 256),))), rules=self.RULES)

        cut = dict(wanted(decision).notes)["packing_notes"]
        assert len(cut) == 255
        assert cut == "x" * (255 - 23) + " … (cut: see the order)"
        assert "Packing notes of 256 characters were cut to fit." in texts(decision)

    def test_other_notes_are_not_cut(self) -> None:
        assert self.notes(facts(order(note="x" * 300))) == {"order_notes": "x" * 300}


class TestDeliveryDate:
    POLICY = Policy(delivery_date_attribute="Delivery-Date")

    @pytest.mark.parametrize(
        ("value", "day"),
        [
            ("2026-12-01", date(2026, 12, 1)),
            (" 2026-12-01 ", date(2026, 12, 1)),
            ("2026-12-01T09:00:00Z", date(2026, 12, 1)),
            ("", None),
            ("  ", None),
            ("1 December", None),
        ],
    )
    def test_it_comes_from_the_attribute(self, value: str, day: date | None) -> None:
        some = order(attributes=(("Delivery-Date", value),))

        assert wanted(decided(facts(some), policy=self.POLICY)).required_on == day

    def test_one_that_is_no_date_is_left_out_and_said_without_quoting_it(self) -> None:
        decision = decided(facts(order(attributes=(("Delivery-Date", "when Ada is in"),))), policy=self.POLICY)

        assert spoken(decision) == CREATE
        assert "The delivery date is not a date (YYYY-MM-DD) and was left out." in texts(decision)
        assert "Ada" not in repr(decision.reasons)

    def test_nobody_looks_where_it_is_not_set(self) -> None:
        assert wanted(decided(facts(order(attributes=(("", "2026-12-01"),))))).required_on is None
        assert wanted(decided(facts(), policy=self.POLICY)).required_on is None
