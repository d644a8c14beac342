"""Money: exact, in minor units, of one currency at a time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pickgate.domain.money import Money, minor_exponent, parse_money

QUICK = settings(max_examples=60, derandomize=True, database=None, deadline=None)


@pytest.mark.parametrize(
    ("currency", "exponent"),
    [
        *[
            (c, 0)
            for c in [
                "BIF",
                "CLP",
                "DJF",
                "GNF",
                "ISK",
                "JPY",
                "KMF",
                "KRW",
                "PYG",
                "RWF",
                "UGX",
                "UYI",
                "VND",
                "VUV",
                "XAF",
                "XOF",
                "XPF",
            ]
        ],
        *[(c, 3) for c in ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]],
        ("GBP", 2),
        ("EUR", 2),
        ("USD", 2),
        ("HUF", 2),
        ("XXX", 2),
    ],
)
def test_minor_units(currency: str, exponent: int) -> None:
    assert minor_exponent(currency) == exponent


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "GBP", 1250),
        ("12.5", "GBP", 1250),
        ("12", "GBP", 1200),
        ("0", "GBP", 0),
        ("-3.01", "GBP", -301),
        ("0.004", "GBP", 0),
        ("0.005", "GBP", 1),
        ("-0.005", "GBP", -1),
        ("1.999", "GBP", 200),
        ("1500", "JPY", 1500),
        ("1500.0", "JPY", 1500),
        ("1500.5", "JPY", 1501),
        ("1.234", "KWD", 1234),
        ("999999999999999999", "JPY", 999999999999999999),
        ("1e2", "GBP", 10000),
        ("1e18", "JPY", 10**18),
        ("0.000000000000000001", "GBP", 0),
    ],
)
def test_parsing(text: str, currency: str, minor: int) -> None:
    assert parse_money(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text", ["", "twelve", "12,50", "NaN", "sNaN", "Infinity", "-Infinity", "1e19", "1e-19", "£5", "1.2.3"]
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an amount of money\.$"):
        parse_money(text, "GBP")


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(1250, "GBP"), "12.50 GBP"),
        (Money(-5, "GBP"), "-0.05 GBP"),
        (Money(0, "EUR"), "0.00 EUR"),
        (Money(1500, "JPY"), "1500 JPY"),
        (Money(1234, "KWD"), "1.234 KWD"),
        (Money(10**18, "GBP"), f"{10**16}.00 GBP"),
    ],
)
def test_writing(money: Money, text: str) -> None:
    assert str(money) == text


def test_sums() -> None:
    assert Money(3, "GBP") + Money(4, "GBP") == Money(7, "GBP")
    assert Money(3, "GBP") - Money(4, "GBP") == Money(-1, "GBP")
    assert -Money(3, "GBP") == Money(-3, "GBP")


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match=r"^0\.03 GBP and 0\.04 EUR are in different currencies\.$"):
        Money(3, "GBP") + Money(4, "EUR")
    with pytest.raises(ValueError, match="different currencies"):
        Money(3, "GBP") - Money(4, "EUR")


@pytest.mark.parametrize(
    ("minor", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (100, [1], [100]),
        (5, [0, 1], [0, 5]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (1, [1, 1], [1, 0]),
        (10, [1, 2], [3, 7]),
        (0, [1, 1], [0, 0]),
        (7, [3, 1, 3], [3, 1, 3]),
        (3, [5, 5, 1], [2, 1, 0]),
        (2, [1, 2, 3], [0, 1, 1]),
    ],
)
def test_splitting(minor: int, weights: list[int], parts: list[int]) -> None:
    assert Money(minor, "GBP").split(weights) == tuple(Money(part, "GBP") for part in parts)


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [-1], [2, -1]])
def test_weights_that_cannot_share(weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"^Money can be split only by weights that add up to more than nothing\.$"):
        Money(1, "GBP").split(weights)


@QUICK
@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 1000), min_size=1, max_size=8).filter(any))
def test_parts_add_up_and_none_is_a_unit_from_its_share(minor: int, weights: list[int]) -> None:
    parts = Money(minor, "GBP").split(weights)

    assert sum(part.minor for part in parts) == minor
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor * sum(weights) - minor * weight) < sum(weights)


@QUICK
@given(st.integers(-(10**15), 10**15), st.sampled_from(["GBP", "JPY", "KWD"]))
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)

    assert parse_money(str(money).partition(" ")[0], currency) == money
