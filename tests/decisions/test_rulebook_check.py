"""What a person is told about a draft before it is published."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.rulebook_cases import Question, reference_row, rows_of
from pickgate.rulebook.check import MAX_OVERLAPS, Finding, KnownCodes, Severity, check_tables
from pickgate.rulebook.csv_files import parse_folder
from pickgate.rulebook.reach import find_unreachable
from pickgate.rulebook.tables import Row, Tables

STARTER = Path(__file__).parents[2] / "rulebook"
ALL = ("", "*", "", "", "", "")


def said(findings: tuple[Finding, ...]) -> list[str]:
    return [str(finding) for finding in findings]


UNREACHABLE: dict[str, tuple[str, tuple[Row, ...], list[tuple[int, int]]]] = {
    "a catch-all first": ("services", (ALL, ("uk", "Next", "", "", "A", "B")), [(2, 1)]),
    "a catch-all last": ("services", (("uk", "Next", "", "", "A", "B"), ALL), []),
    "a wider pattern": (
        "services",
        (("", "next*", "", "", "A", "B"), ("", "Next Day *", "GB", "", "C", "D"), ("", "nex*", "", "", "E", "F")),
        [(2, 1)],
    ),
    "another country": ("services", (("", "*", "GB", "", "A", "B"), ("", "*", "IE", "", "A", "B")), []),
    "two rows, the first is named": ("notes", (("", "a", "string1"), ("", "A", "string2"), ("uk", "a", "string3")),
                                     [(2, 1), (3, 1)]),
    "a higher amount after a lower": (
        "holds",
        (("", "", "", "100", "x"), ("", "", "", "100.00", "y"), ("", "", "", "50", "z"), ("", "", "", "", "w")),
        [(2, 1)],
    ),
    "any amount before an amount": ("holds", (("", "", "", "", "x"), ("", "", "", "5", "y")), [(2, 1)]),
    "another tag": ("priorities", (("", "a", "", "", "1"), ("", "b", "", "", "2"), ("", "A", "x", "", "3")), [(3, 1)]),
    "a SKU of one shop after all shops": (
        "skus", (("", "A", "P", "", ""), ("uk", "A", "Q", "", ""), ("uk", "B", "Q", "", "")), [(2, 1)],
    ),
    "a bundle's own rows": (
        "bundles", (("", "K", "P", ""), ("", "K", "Q", ""), ("uk", "K", "R", ""), ("uk", "L", "R", "")), [(3, 1)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("table", "rows", "expected"), UNREACHABLE.values(), ids=UNREACHABLE)
def test_unreachable_rows(table: str, rows: tuple[Row, ...], expected: list[tuple[int, int]]) -> None:
    assert list(find_unreachable(table, rows)) == expected


def test_skus_that_become_equal_when_stripped_are_unreachable() -> None:
    rows: tuple[Row, ...] = (("", "#", "0", "", ""), ("", "A#", "P", "", ""), ("", "A", "Q", "", ""))
    assert list(find_unreachable("skus", rows, strip_characters="#")) == [(3, 2)]
    assert list(find_unreachable("skus", rows)) == []


@given(
    rows=rows_of("services"),
    shop=st.sampled_from(("uk", "de")),
    title=st.text('abAB*ß"(1 ', max_size=6),
    country=st.sampled_from(("GB", "DE", "IE")),
    warehouse=st.text("abAB", max_size=3),
)
@settings(max_examples=150, deadline=None)
def test_a_row_that_is_called_unreachable_never_decides(
    rows: tuple[Row, ...], shop: str, title: str, country: str, warehouse: str
) -> None:
    question: Question = {"shop": shop, "shipping_title": title, "country": country, "warehouse": warehouse}
    assert reference_row(Tables(services=rows), "services", question) not in dict(find_unreachable("services", rows))


def test_the_starter_set_has_no_errors_and_no_warnings() -> None:
    known = KnownCodes(
        shops={"uk"}, accounts={"ACME"}, warehouses={"MAIN"}, products={"MUG-BLU", "TEA-BAG-80", "BOX-GIFT"},
        services={("DPD", "DPD-ND"), ("DPD", "DPD-INTL"), ("RM", "RM-48")},
    )  # fmt: skip
    graver = [finding for finding in check_tables(parse_folder(STARTER), known) if finding.severity != Severity.NOTE]
    assert graver == []


def test_codes_that_the_warehouse_does_not_have() -> None:
    tables = Tables(
        locations=(("", "1", "", "ACNE", "MAIN", ""), ("", "2", "", "", "", "yes")),
        services=(("", "a", "", "mian", "DPD", "DPD-DN"), ("", "*", "", "main", "UPS", "X"), ALL),
        skus=(("", "A", "MUG-BLEU", "", ""),),
        bundles=(("", "K", "ZZZ", ""),),
    )
    known = KnownCodes(
        shops=(), accounts={"ACME"}, warehouses={"MAIN"}, products={"MUG-BLU"}, services={("DPD", "DPD-ND")}
    )
    found = said(tuple(finding for finding in check_tables(tables, known) if finding.severity is Severity.ERROR))
    assert found == [
        'error: locations, row 1, column "account": the warehouse does not know ACNE. '
        "Write ACME, or add ACNE in the warehouse.",
        'error: skus, row 1, column "product_code": the warehouse does not know MUG-BLEU. '
        "Write MUG-BLU, or add MUG-BLEU in the warehouse.",
        'error: bundles, row 1, column "component_code": the warehouse does not know ZZZ. '
        "Add ZZZ in the warehouse, or correct it.",
        'error: services, row 1, column "warehouse": the warehouse does not know mian. '
        "Add mian in the warehouse, or correct it.",
        'error: services, row 1, column "service": the warehouse does not know DPD-DN. '
        "Write DPD-ND, or add DPD-DN in the warehouse.",
        'error: services, row 2, column "carrier": the warehouse does not know UPS. '
        "Add UPS in the warehouse, or correct it.",
    ]
    assert check_tables(Tables(services=(ALL,))) == ()


def test_services_without_a_catch_all() -> None:
    tables = Tables(services=(("uk", "*", "", "", "", ""), ("", "*", "GB", "", "A", "B")))
    found = check_tables(tables, KnownCodes(shops={"uk", "de"}))
    assert said(tuple(finding for finding in found if finding.severity is not Severity.NOTE)) == [
        'warning: services, column "shipping_title": de has no catch-all row, so an order with an unlisted service '
        "waits. Add a last row with * as the title if it should go with the warehouse's default."
    ]


def test_shops_that_do_not_exist() -> None:
    tables = Tables(services=(ALL,), notes=(("shop-ku", "a", "string1"), ("other", "b", "string1")))
    assert said(check_tables(tables, KnownCodes(shops={"shop-uk"}))) == [
        'warning: notes, row 1, column "shop": shop-ku is not among the shops of the settings. Write shop-uk.',
        'warning: notes, row 2, column "shop": other is not among the shops of the settings. '
        "Write a shop's key, or leave it empty for all.",
    ]


def test_skus_that_collide() -> None:
    tables = Tables(services=(ALL,), skus=(("", "B", "P", "", ""),))
    sold = {"uk": ["A#1", "A1", "B", " B", "C"], "de": ["A1"]}
    assert said(check_tables(tables, KnownCodes(sold_skus=sold), strip_characters="#")) == [
        'warning: skus, column "sku": 2 SKUs of uk become one product code, A1: "A#1", "A1". '
        "Make them differ in the shop, or add a row that says that they are one product."
    ]
    assert check_tables(tables, KnownCodes(sold_skus=sold)) == ()


def test_rows_that_overlap() -> None:
    rows: tuple[Row, ...] = (
        ("", "vip", "", "", "1"),
        ("", "gift", "", "", "2"),
        ("", "vip", "a*", "", "1"),
        ("", "", "*b", "", "3"),
        ("uk", "", "", "", "9"),
    )
    found = check_tables(Tables(services=(ALL,), priorities=rows[:2] + rows[3:]))
    assert said(found) == [
        "note: priorities, row 2: can match together with row 1, which then decides. Swap them if this row should win.",
        "note: priorities, row 3: can match together with row 1, which then decides. Swap them if this row should win.",
        "note: priorities, row 3: can match together with row 2, which then decides. Swap them if this row should win.",
        "note: priorities, row 4: can match together with row 1, which then decides. Swap them if this row should win.",
        "note: priorities, row 4: can match together with row 2, which then decides. Swap them if this row should win.",
        "note: priorities, row 4: can match together with row 3, which then decides. Swap them if this row should win.",
    ]


def test_a_wide_row_after_narrow_ones_is_no_overlap() -> None:
    rows: tuple[Row, ...] = (("", "a*", "GB", "", "A", "1"), ("", "b*", "GB", "", "A", "2"), ALL)
    assert check_tables(Tables(services=rows)) == ()


def test_overlaps_are_named_up_to_a_limit() -> None:
    rows = tuple(("", f"tag{number}", "", "", str(number)) for number in range(1, 20))
    found = check_tables(Tables(services=(ALL,), priorities=rows))
    assert len(found) == MAX_OVERLAPS + 1
    assert str(found[-1]) == (
        "note: priorities: more than 20 pairs of rows can both match. Put the rows that matter most first."
    )


def test_thousands_of_unknown_products_are_each_named_and_the_first_ones_get_a_suggestion() -> None:
    codes = [f"MUG-{number:05d}" for number in range(3_000)]
    skus = tuple(("", f"S{number}", code + "X", "", "") for number, code in enumerate(codes))
    found = check_tables(Tables(skus=skus), KnownCodes(products=frozenset(codes)))
    assert [finding.row for finding in found] == list(range(1, 3_001))
    assert found[0].remedy == "Write MUG-00000, or add MUG-00000X in the warehouse"
    assert found[-1].remedy == "Add MUG-02999X in the warehouse, or correct it"
