"""What a rulebook answers, row by row."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from time import process_time

import pytest

from pickgate.domain.rules import Found, Ignored, NotListed, Place, Product, RuleRow, Rules, Service
from pickgate.rulebook.evaluate import Rulebook
from pickgate.rulebook.tables import Tables

STARTER = Path(__file__).parents[2] / "rulebook"


@pytest.fixture(scope="module")
def starter() -> Rules:
    return Rulebook.from_folder(STARTER, 12)


def because(table: str, row: int) -> RuleRow:
    return RuleRow(table=table, row=row, version=12)


MAIN = Place(account="ACME", warehouse="MAIN")
NEXT_DAY = Service(carrier="DPD", service="DPD-ND")
ABROAD = Service(carrier="DPD", service="DPD-INTL")
DEFAULT = Service(carrier=None, service=None)

PLACES = {
    "by number": ("70000000001", "anything", Found(MAIN, because("locations", 1))),
    "by an address": (
        "gid://shopify/Location/70000000001", "", Found(MAIN, because("locations", 1)),
    ),
    "ignored by number": ("70000000002", "Main warehouse", Ignored(because("locations", 2))),
    "by name": ("1", " MAIN warehouse", Found(MAIN, because("locations", 3))),
    "ignored by name": ("1", "oxford street shop", Ignored(because("locations", 4))),
    "not listed": ("9", "Annexe", NotListed("locations", "Annexe (9)")),
}  # fmt: skip


@pytest.mark.parametrize(("location", "name", "answer"), PLACES.values(), ids=PLACES)
def test_places(starter: Rules, location: str, name: str, answer: object) -> None:
    assert starter.place(shop="uk", location_id=location, location_name=name) == answer


def test_a_location_row_with_number_and_name_wants_both() -> None:
    rulebook = Rulebook(1, Tables(locations=(("", "7", "North", "A", "W", ""),)))
    asked = [("7", "North"), ("7", "South"), ("8", "North")]
    answers = [rulebook.place(shop="uk", location_id=number, location_name=name) for number, name in asked]
    assert [isinstance(answer, Found) for answer in answers] == [True, False, False]


SERVICES = {
    "a prefix": ("uk", "NEXT DAY delivery", "GB", Found(NEXT_DAY, because("services", 1))),
    "inside": ("uk", "DHL Express 12:00", "GB", Found(NEXT_DAY, because("services", 2))),
    "another country": (
        "uk", "Next Day", "ie", Found(ABROAD, because("services", 5)),
    ),
    "the warehouse's default": ("uk", "Barge", "FR", Found(DEFAULT, because("services", 6))),
    "another shop": ("fr", "Barge", "FR", NotListed("services", "Barge to FR from MAIN")),
}  # fmt: skip


@pytest.mark.parametrize(("shop", "title", "country", "answer"), SERVICES.values(), ids=SERVICES)
def test_services(starter: Rules, shop: str, title: str, country: str, answer: object) -> None:
    assert starter.service(shop=shop, shipping_title=title, country=country, warehouse="MAIN") == answer


PRODUCTS = {
    "renamed": ("MUG-BLUE", Found((Product(code="MUG-BLU"),), because("skus", 1))),
    "six units in one": (" TEA-6PACK ", Found((Product(code="TEA-BAG-80", units=6),), because("skus", 2))),
    "ignored": ("GIFT-CARD", Ignored(because("skus", 3))),
    "a bundle": (
        "GIFT-BOX",
        Found(
            (Product(code="MUG-BLU", units=2), Product(code="TEA-BAG-80", units=1), Product(code="BOX-GIFT", units=1)),
            because("bundles", 1),
        ),
    ),
    "unlisted": ("  0071-x ", Found((Product(code="0071-x"),), because("skus", 0))),
    "another case": ("mug-blue", Found((Product(code="mug-blue"),), because("skus", 0))),
    "decomposed": ("CAFE\u0301", Found((Product(code="CAF\u00c9"),), because("skus", 0))),
    "empty": ("", NotListed("skus", "a line without a SKU")),
    "blank": (" \u00a0\n", NotListed("skus", "a line without a SKU")),
}


@pytest.mark.parametrize(("sku", "answer"), PRODUCTS.values(), ids=PRODUCTS)
def test_products(starter: Rules, sku: str, answer: object) -> None:
    assert starter.products(shop="uk", sku=sku) == answer


def test_refused_characters_are_taken_out_of_skus_on_both_sides() -> None:
    tables = Tables(skus=(("", "A#1", "P-1", "", ""),), splits=(("", "B#1", "", "cold"), ("", "#", "", "all")))
    rulebook = Rulebook(2, tables, strip_characters="#/")
    assert rulebook.products(shop="uk", sku="A/1") == Found(
        (Product(code="P-1"),), RuleRow(table="skus", row=1, version=2)
    )
    assert rulebook.products(shop="uk", sku="##") == NotListed("skus", "##")
    assert rulebook.group(shop="uk", sku="B1", tags=()) == Found("cold", RuleRow(table="splits", row=1, version=2))
    assert rulebook.group(shop="uk", sku="C1", tags=()) is None


def test_the_first_row_wins_also_over_a_shop_of_its_own() -> None:
    skus = (("", "A", "ALL", "", ""), ("uk", "A", "UK", "", ""), ("uk", "B", "UK", "", ""), ("", "B", "ALL", "", ""))
    bundles = (("uk", "K", "P1", "2"), ("", "K", "P2", ""), ("uk", "K", "P3", ""))
    rulebook = Rulebook(1, Tables(skus=skus, bundles=bundles))
    answers = {
        (shop, sku): [product.code for product in found.value]
        for shop in ("uk", "de")
        for sku in ("A", "B", "K")
        if isinstance(found := rulebook.products(shop=shop, sku=sku), Found)
    }
    assert answers == {
        ("uk", "A"): ["ALL"], ("uk", "B"): ["UK"], ("uk", "K"): ["P1", "P3"],
        ("de", "A"): ["ALL"], ("de", "B"): ["ALL"], ("de", "K"): ["P2"],
    }  # fmt: skip


PRIORITIES = {
    "by tag, whatever its case": (("gift", "VIP"), "Standard", Found(10, because("priorities", 2))),
    "the first row of two": (("vip", "urgent"), "Standard", Found(1, because("priorities", 1))),
    "a part of a tag is not a tag": (("vip-later",), "Standard", Found(50, because("priorities", 5))),
    "by service": ((), "Next Day", Found(20, because("priorities", 3))),
}


@pytest.mark.parametrize(("tags", "title", "answer"), PRIORITIES.values(), ids=PRIORITIES)
def test_priorities(starter: Rules, tags: tuple[str, ...], title: str, answer: Found[int]) -> None:
    assert starter.priority(shop="uk", tags=tags, shipping_title=title, country="GB") == answer


def test_note_fields(starter: Rules) -> None:
    assert starter.note_field(shop="uk", attribute="gift MESSAGE") == Found("packing_notes", because("notes", 2))
    assert starter.note_field(shop="uk", attribute="note") == Found("order_notes", because("notes", 1))
    assert starter.note_field(shop="uk", attribute="gift") is None


HOLDS = {
    "above": ("1000.01", "GB", (), 1),
    "exactly there is not above": ("1000.00", "GB", (), 0),
    "a hair above": ("1000.0000000000000000000000001", "GB", (), 1),
    "a country": ("1", "FR", (), 2),
    "a tag": ("0", "GB", ("Fraud",), 3),
}


@pytest.mark.parametrize(("total", "country", "tags", "row"), HOLDS.values(), ids=HOLDS)
def test_holds(total: str, country: str, tags: tuple[str, ...], row: int) -> None:
    rows = (("", "", "", "1000", "large"), ("", "", "FR", "", "customs"), ("uk", "fraud", "", "", "fraud"))
    found = Rulebook(4, Tables(holds=rows)).hold(shop="uk", tags=tags, country=country, total=Decimal(total))
    expected = Found(rows[row - 1][-1], RuleRow(table="holds", row=row, version=4)) if row else None
    assert found == expected


def test_an_empty_rulebook_lists_nothing_and_takes_skus_as_they_are() -> None:
    empty = Rulebook.empty()
    assert empty.version == 0
    assert empty.place(shop="uk", location_id="1", location_name="A") == NotListed("locations", "A (1)")
    assert empty.service(shop="uk", shipping_title="S", country="GB", warehouse="W") == NotListed(
        "services", "S to GB from W"
    )
    assert empty.priority(shop="uk", tags=(), shipping_title="S", country="GB") is None
    assert empty.note_field(shop="uk", attribute="note") is None
    assert empty.group(shop="uk", sku="A", tags=()) is None
    assert empty.hold(shop="uk", tags=(), country="GB", total=Decimal(9)) is None
    assert empty.products(shop="uk", sku="A") == Found((Product(code="A"),), RuleRow(table="skus", row=0, version=0))


def test_asking_for_a_large_order_takes_less_than_a_millisecond(starter: Rules) -> None:
    """Forty lines, asked for the second time; the fastest of several, because other programs share the machine."""

    def ask() -> float:
        start = process_time()
        starter.place(shop="uk", location_id="70000000001", location_name="")
        starter.service(shop="uk", shipping_title="Next Day", country="GB", warehouse="MAIN")
        starter.priority(shop="uk", tags=("vip",), shipping_title="Next Day", country="GB")
        starter.hold(shop="uk", tags=("vip",), country="GB", total=Decimal(100))
        for number in range(40):
            starter.products(shop="uk", sku=f"SKU-{number}")
            starter.group(shop="uk", sku=f"SKU-{number}", tags=("vip",))
        return process_time() - start

    ask()
    assert min(ask() for _ in range(20)) < 0.001
