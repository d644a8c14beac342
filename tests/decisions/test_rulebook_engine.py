"""The engine answers as a person reading the table from top to bottom would."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.rulebook_cases import (
    AMOUNTS,
    COUNTRIES,
    SHOPS,
    SKUS,
    TAGS,
    WORDS,
    Question,
    matches_slowly,
    reference_row,
    rows_of,
)
from pickgate.domain.rules import Found
from pickgate.rulebook.evaluate import Rulebook
from pickgate.rulebook.patterns import covers, intersect
from pickgate.rulebook.tables import SHAPES, Kind, Row, Tables
from pickgate.rulebook.zen_model import render_condition

shops = st.sampled_from((*SHOPS, "UK", "fr"))
countries = st.sampled_from((*COUNTRIES, "gb", "FR", ""))
tags = st.lists(st.sampled_from((*TAGS, "none")), max_size=3).map(tuple)
titles = st.text("abAB*ßéİ\u0301\"'\\.$#=+-(1 \n", max_size=8)
totals = st.sampled_from([Decimal(amount) for amount in AMOUNTS]) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-1000, max_value=10**16
)


@given(rows=rows_of("services"), shop=shops, title=titles, country=countries, warehouse=WORDS)
@settings(max_examples=150, deadline=None)
def test_services_are_found_as_by_reading(
    rows: tuple[Row, ...], shop: str, title: str, country: str, warehouse: str
) -> None:
    tables = Tables(services=rows)
    found = Rulebook(3, tables).service(shop=shop, shipping_title=title, country=country, warehouse=warehouse)
    question: Question = {"shop": shop, "shipping_title": title, "country": country, "warehouse": warehouse}
    assert getattr(getattr(found, "row", None), "row", 0) == reference_row(tables, "services", question)


@given(rows=rows_of("priorities"), shop=shops, tagged=tags, title=titles, country=countries)
@settings(max_examples=100, deadline=None)
def test_priorities_are_found_as_by_reading(
    rows: tuple[Row, ...], shop: str, tagged: tuple[str, ...], title: str, country: str
) -> None:
    tables = Tables(priorities=rows)
    found = Rulebook(3, tables).priority(shop=shop, tags=tagged, shipping_title=title, country=country)
    question: Question = {"shop": shop, "tag": tagged, "shipping_title": title, "country": country}
    expected = reference_row(tables, "priorities", question)
    assert (found.row.row if found else 0) == expected
    assert found is None or found.value == int(rows[expected - 1][-1])


@given(rows=rows_of("splits"), shop=shops, sku=st.sampled_from(SKUS), tagged=tags)
@settings(max_examples=100, deadline=None)
def test_splits_are_found_as_by_reading(rows: tuple[Row, ...], shop: str, sku: str, tagged: tuple[str, ...]) -> None:
    tables = Tables(splits=rows)
    found = Rulebook(3, tables).group(shop=shop, sku=sku, tags=tagged)
    assert (found.row.row if found else 0) == reference_row(tables, "splits", {"shop": shop, "sku": sku, "tag": tagged})


@given(rows=rows_of("holds"), shop=shops, tagged=tags, country=countries, total=totals)
@settings(max_examples=150, deadline=None)
def test_holds_are_found_as_by_reading(
    rows: tuple[Row, ...], shop: str, tagged: tuple[str, ...], country: str, total: Decimal
) -> None:
    tables = Tables(holds=rows)
    found = Rulebook(3, tables).hold(shop=shop, tags=tagged, country=country, total=total)
    question: Question = {"shop": shop, "tag": tagged, "country": country, "total_over": total}
    assert (found.row.row if found else 0) == reference_row(tables, "holds", question)


@given(rows=rows_of("locations"), shop=shops, location=st.sampled_from(("1", "2", "70000000001")), name=WORDS)
@settings(max_examples=60, deadline=None)
def test_locations_are_found_as_by_reading(rows: tuple[Row, ...], shop: str, location: str, name: str) -> None:
    tables = Tables(locations=rows)
    found = Rulebook(3, tables).place(shop=shop, location_id=location, location_name=name)
    question: Question = {"shop": shop, "location_id": location, "location_name": name}
    assert getattr(getattr(found, "row", None), "row", 0) == reference_row(tables, "locations", question)


@given(rows=rows_of("notes"), shop=shops, attribute=WORDS)
@settings(max_examples=60, deadline=None)
def test_note_fields_are_found_as_by_reading(rows: tuple[Row, ...], shop: str, attribute: str) -> None:
    tables = Tables(notes=rows)
    found = Rulebook(3, tables).note_field(shop=shop, attribute=attribute)
    assert (found.row.row if found else 0) == reference_row(tables, "notes", {"shop": shop, "attribute": attribute})


NASTY = (
    '" or true or "', "' or 1 == 1 or '", '") or contains($, "', "$", "-", "*'*", "[1..99]", "null", "true", "1", "> 0",
    '"', "'", "\"'\"", "\\", "\\E.*", "(?i)x", "(", "a|b", "^", "{{x}}", "`${1}`", "not 1", "a, b",
    "😀", "a\u2028b", "a\nb",
)  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
def test_a_cell_is_text_and_never_code(text: str) -> None:
    rulebook = Rulebook(1, Tables(services=(("", text, "", "", "C", "S"),), notes=(("", text, "string1"),)))
    others = [other for other in NASTY if other != text and "*" not in text]
    assert rulebook.note_field(shop="uk", attribute=text) is not None
    assert [other for other in others if rulebook.note_field(shop="uk", attribute=other)] == []
    matched = [
        other
        for other in (text, *others)
        if getattr(rulebook.service(shop="uk", shipping_title=other, country="GB", warehouse="W"), "row", None)
    ]
    assert matched == [text]


def test_half_a_surrogate_pair_in_an_order_is_a_character_like_any_other() -> None:
    rulebook = Rulebook(1, Tables(services=(("", "a*", "", "", "C", "S"),)))
    found = rulebook.service(shop="uk", shipping_title="a\ud83d", country="GB", warehouse="W")
    assert getattr(found, "row", None) is not None


WILDCARDS = {
    "a*": ("a", "ab", "a\nb"),
    "*a": ("a", "ba"),
    "*a*": ("a", "ab", "ba", "bab"),
    "ab*ba": ("abba", "abxba"),
    "aa*aa": ("aaaa", "aaaaa"),
    "*ab*ba*": ("abba", "xabxbax"),
    "a*b*c": ("abc", "axbxc"),
    "a**c": ("ac", "abc"),
    "a.c": ("a.c",),
    "*.*": ("a.c", "."),
    "*(a|b)*": ("(a|b)",),
}


@pytest.mark.parametrize("pattern", WILDCARDS)
def test_wildcards(pattern: str) -> None:
    texts = {text for several in WILDCARDS.values() for text in several} | {"aba", "aaa", "b", "", "aab", "a.", "ABBA"}
    rulebook = Rulebook(1, Tables(services=(("", pattern, "", "", "C", "S"),)))
    matched = {
        text
        for text in texts
        if isinstance(rulebook.service(shop="uk", shipping_title=text, country="GB", warehouse="W"), Found)
    }
    assert matched == {text for text in texts if matches_slowly(pattern, text.lower())}
    assert matched >= set(WILDCARDS[pattern])


@given(pattern=st.text("ab*", max_size=7), text=st.text("ab\n", max_size=9))
@settings(max_examples=150, deadline=None)
def test_wildcards_match_as_by_trying_everything(pattern: str, text: str) -> None:
    rows = (("", pattern, "", "", "C", "S"),)
    found = Rulebook(1, Tables(services=rows)).service(shop="uk", shipping_title=text, country="GB", warehouse="W")
    expected = not pattern or matches_slowly(pattern, text.strip())
    assert (getattr(found, "row", None) is not None) == expected


@given(wide=st.text("ab*", max_size=6), narrow=st.text("ab*", max_size=6), texts=st.lists(st.text("abc", max_size=6)))
def test_a_pattern_that_covers_another_matches_all_that_it_matches(wide: str, narrow: str, texts: list[str]) -> None:
    samples = [*texts, narrow.replace("*", ""), narrow.replace("*", "c"), narrow.replace("*", "ab")]
    both = [text for text in samples if matches_slowly(narrow, text) and matches_slowly(wide, text)]
    if covers(wide, narrow):
        assert both == [text for text in samples if matches_slowly(narrow, text)]
    else:
        # A letter of no pattern in every place of a * shows the difference.
        assert not matches_slowly(wide, narrow.replace("*", "c"))
    assert intersect(wide, narrow) == intersect(narrow, wide)
    assert intersect(wide, narrow) or not both


def test_a_condition_reads_as_the_cell_does() -> None:
    columns = {column.kind: column for shape in SHAPES.values() for column in shape.columns}
    cases = {
        (Kind.PATTERN, "Standard"): '$ == "standard"',
        (Kind.PATTERN, "Next Day*"): 'startsWith($, "next day")',
        (Kind.PATTERN, "*Express*"): 'contains($, "express")',
        (Kind.PATTERN, "DPD*Next"): 'startsWith($, "dpd") and endsWith($, "next")',
        (Kind.PATTERN, "*"): "",
        (Kind.TAG, "VIP"): 'contains($, "vip")',
        (Kind.AMOUNT, "100.50"): "$ > 100.50",
        (Kind.NAME, 'a"b'): '$ == ("a" + \'"\' + "b")',
        (Kind.COUNTRY, ""): "",
    }
    assert {case: render_condition(columns[case[0]], case[1]) for case in cases} == cases
