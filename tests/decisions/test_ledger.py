"""The ledger: what each change of an order's value is booked as, in which accounts, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.ledger_cast import agreed, at, both, money, paid, sale
from pickgate.domain.ledger import (
    Account,
    Entry,
    Kind,
    Transaction,
    Unbalanced,
    build_ledger,
    check_balance,
    decide_postings,
    standing_transactions,
    sum_entries,
)
from pickgate.domain.ledger_check import Difference, Part, find_unexplained, find_unusable, reconcile
from pickgate.domain.ledger_facts import Agreement, LineKind, OrderMoney, Payment, Unusable, Why
from pickgate.domain.money import Money

PLACED = agreed("1", sale("1", 2400, tax=400, units=2), sale("2", 395, tax=66, kind=LineKind.SHIPPING))
REMOVED = agreed("2", sale("3", -1200, tax=-200, units=-1), why=Why.EDIT, hours=1)


def ledger(order: OrderMoney) -> tuple[Transaction, ...]:
    found = build_ledger(order)
    assert not isinstance(found, Unusable), found
    return found


def balances(transactions: tuple[Transaction, ...]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for transaction in transactions:
        for entry in transaction.entries:
            sums[entry.account.value] = sums.get(entry.account.value, 0) + entry.amount.shop.minor
    return {account: minor for account, minor in sums.items() if minor}


def test_a_sale_is_goods_tax_and_shipping_against_what_is_owed() -> None:
    (transaction,) = ledger(money(PLACED))
    assert transaction == Transaction(
        source="agreement:1",
        kind=Kind.SALE,
        at=at(0),
        entries=(
            Entry(account=Account.GOODS, amount=both(-2000), kind=LineKind.GOODS, line_id="A", units=2),
            Entry(account=Account.TAX, amount=both(-400), kind=LineKind.GOODS, line_id="A"),
            Entry(account=Account.SHIPPING, amount=both(-329), kind=LineKind.SHIPPING),
            Entry(account=Account.TAX, amount=both(-66), kind=LineKind.SHIPPING),
            Entry(account=Account.RECEIVABLE, amount=both(2795)),
        ),
    )


CASES = {
    "a removal, not refunded yet": (
        money(PLACED, paid("1", 2795), REMOVED),
        {"goods": -1000, "tax": -266, "shipping": -329, "received": 2795, "receivable": -1200},
    ),
    "a removal, refunded": (
        money(PLACED, paid("1", 2795), REMOVED, paid("2", -1200, hours=2)),
        {"goods": -1000, "tax": -266, "shipping": -329, "received": 2795, "refunded": -1200},
    ),
    "an upgrade, paid by an invoice": (
        money(PLACED, paid("1", 2795), agreed("2", sale("3", 1500, tax=250, units=1, line="B"), why=Why.EDIT),
              paid("2", 1500)),
        {"goods": -3250, "tax": -716, "shipping": -329, "received": 4295},
    ),
    "a downgrade, given back as store credit": (
        money(PLACED, paid("1", 2795),
              agreed("2", sale("3", -2400, tax=-400, units=-2), sale("4", 900, tax=150, units=1, line="B"),
                     why=Why.EDIT),
              paid("2", -1500, means="store_credit")),
        {"goods": -750, "tax": -216, "shipping": -329, "received": 2795, "refunded": -1500},
    ),
    "an unpaid edit, reversed": (
        money(PLACED, paid("1", 2795), agreed("2", sale("3", 1500, tax=250, units=1, line="B"), why=Why.EDIT),
              agreed("3", sale("4", -1500, tax=-250, units=-1, line="B"), why=Why.EDIT)),
        {"goods": -2000, "tax": -466, "shipping": -329, "received": 2795},
    ),
    "a partial refund": (
        money(PLACED, paid("1", 2795), agreed("2", sale("3", -1200, tax=-200, units=-1), why=Why.REFUND),
              paid("2", -1200)),
        {"goods": -1000, "tax": -266, "shipping": -329, "received": 2795, "refunded": -1200},
    ),
    "money given back for nothing in particular": (
        money(PLACED, paid("1", 2795), agreed("2", sale("3", -500, kind=LineKind.ADJUSTMENT), why=Why.REFUND),
              paid("2", -500)),
        {"goods": -2000, "tax": -466, "shipping": -329, "adjustment": 500, "received": 2795, "refunded": -500},
    ),
    "an exchange": (
        money(PLACED, paid("1", 2795),
              agreed("2", sale("3", -1200, tax=-200, units=-1), sale("4", 1200, tax=200, units=1, line="B"),
                     why=Why.RETURN)),
        {"goods": -2000, "tax": -466, "shipping": -329, "received": 2795},
    ),
    "a discount of everything": (
        money(agreed("1", sale("1", 0, discount=2000, units=2))),
        {"goods": -2000, "discount": 2000},
    ),
    "duties, fees, a tip and a gift card": (
        money(agreed("1", sale("1", 410, kind=LineKind.DUTY), sale("2", 105, kind=LineKind.ADDITIONAL_FEE),
                     sale("3", 50, kind=LineKind.FEE), sale("4", 200, kind=LineKind.TIP),
                     sale("5", 2500, kind=LineKind.GIFT_CARD))),
        {"duty": -410, "additional_fee": -105, "fee": -50, "tip": -200, "gift_card": -2500, "receivable": 3265},
    ),
    "tax on top": (
        money(agreed("1", sale("1", 2400, tax=400, units=2)), included=False),
        {"goods": -2000, "tax": -400, "receivable": 2400},
    ),
    "yen, without decimals": (
        money(agreed("1", sale("1", 1100, tax=100, units=1, currency="JPY")), paid("1", 1100, currency="JPY"),
              currency="JPY"),
        {"goods": -1000, "tax": -100, "received": 1100},
    ),
    "dinars, with three": (
        money(agreed("1", sale("1", 12345, units=1, currency="KWD")), paid("1", 12345, currency="KWD"), currency="KWD"),
        {"goods": -12345, "received": 12345},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_each_change_comes_to(case: str) -> None:
    order, expected = CASES[case]
    found = ledger(order)
    assert balances(found) == expected
    assert reconcile(found, order) == ()


def test_an_empty_agreement_and_a_payment_of_nothing_are_not_booked() -> None:
    assert ledger(money(agreed("1"), paid("1", 0))) == ()


def test_a_swap_at_the_same_price_is_booked_by_line() -> None:
    order = money(
        agreed("1", sale("1", -900, units=-1), sale("2", 900, units=1, line="B"), why=Why.EDIT),
    )
    (transaction,) = ledger(order)
    assert [(e.line_id, e.units, e.amount.shop.minor) for e in transaction.entries] == [("A", -1, 900), ("B", 1, -900)]


def test_the_two_currencies_balance_each_by_itself() -> None:
    part = replace(
        sale("1", 2000, tax=333, units=1), total=both(2000, "GBP", 2341, "EUR"), tax=both(333, "GBP", 390, "EUR"),
        discount=both(0, "GBP", 0, "EUR"),
    )  # fmt: skip
    totals = {name: both(0, "GBP", 0, "EUR") for name in ("received", "refunded", "shipping")} | {
        "current": both(2000, "GBP", 2341, "EUR"), "outstanding": both(2000, "GBP", 2340, "EUR"),
        "tax": both(333, "GBP", 390, "EUR"),
    }  # fmt: skip
    order = money(agreed("1", part))
    order = replace(order, presentment="EUR", totals=replace(order.totals, **totals))
    assert reconcile(ledger(order), order) == (
        Difference(part=Part.OUTSTANDING, ledger=Money(2341, "EUR"), shop=Money(2340, "EUR"), presentment=True),
    )


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_amount_in_another_currency_is_refused_by_name() -> None:
    order = money(PLACED, paid("7", 2795, currency="USD"), received=2795)
    assert build_ledger(order) == Unusable(
        where="transactions.7.amount",
        value="27.95 USD / 27.95 USD",
        problem="The order is in GBP, shown to the customer in GBP; this amount is not.",
        remedy="Look at the order again; if it stays, book it by hand and resolve this with your reason.",
    )


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        ((PLACED, PLACED), "agreements.1"),
        ((agreed("1", sale("9", 1), sale("9", 2)),), "sales.9"),
        ((paid("4", 1), paid("4", 1)), "transactions.4"),
    ],
)
def test_what_comes_twice_is_refused(parts: tuple[Agreement | Payment, ...], where: str) -> None:
    found = build_ledger(money(*parts))  # agreements and payments
    assert isinstance(found, Unusable)
    assert (found.where, found.value) == (where, "2 times")


def test_an_unusable_cell_becomes_its_exception() -> None:
    unusable = Unusable(where="totals.tax", value="=1+1", problem="Not an amount.", remedy="Look again.")
    (finding,) = find_unusable("#1001", unusable)
    assert finding.code == "MONEY_UNEXPLAINED"
    assert finding.detail == {
        "cell": "totals.tax", "value": "=1+1", "problem": "Not an amount.", "remedy": "Look again.",
    }  # fmt: skip


@pytest.mark.parametrize(
    "entries",
    [
        (Entry(account=Account.GOODS, amount=both(-1)), Entry(account=Account.RECEIVABLE, amount=both(2))),
        (Entry(account=Account.GOODS, amount=both(-1)), Entry(account=Account.RECEIVABLE, amount=both(1, "EUR"))),
        (
            Entry(account=Account.GOODS, amount=both(-1, "GBP", -2, "EUR")),
            Entry(account=Account.RECEIVABLE, amount=both(1, "GBP", 1, "EUR")),
        ),
    ],
)
def test_an_unbalanced_transaction_is_refused(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(Unbalanced):
        check_balance(Transaction(source="x", kind=Kind.SALE, at=at(0), entries=entries))


# ── what is not explained ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "difference"),
    [
        ({"current": 2794}, (Part.CURRENT, 2795, 2794)),
        ({"tax": 465}, (Part.TAX, 466, 465)),
        ({"shipping": 394}, (Part.SHIPPING, 395, 394)),
        ({"received": 2800}, (Part.RECEIVED, 2795, 2800)),
        ({"refunded": 1}, (Part.REFUNDED, 0, 1)),
        ({"outstanding": -5}, (Part.OUTSTANDING, 0, -5)),
        ({"duty": 410}, (Part.DUTY, 0, 410)),
        ({"additional_fee": 1}, (Part.ADDITIONAL_FEE, 0, 1)),
    ],
)
def test_each_total_is_compared_and_the_difference_is_exact(
    said: dict[str, Any], difference: tuple[Part, int, int]
) -> None:
    order = money(PLACED, paid("1", 2795), **said)
    part, booked, shop = difference
    (found,) = reconcile(ledger(order), order)
    assert found == Difference(part=part, ledger=Money(booked, "GBP"), shop=Money(shop, "GBP"))
    (finding,) = find_unexplained("#1001", [found], ledger(order))
    amount = shop - booked
    assert finding.fingerprint == f"MONEY_UNEXPLAINED:{part.name}={amount}GBP"
    assert finding.detail["differences"] == [
        {
            "part": part.value, "shop": str(found.shop), "ledger": str(found.ledger), "amount_minor": amount,
            "currency": "GBP", "customers_currency": False,
        }
    ]  # fmt: skip


def test_a_kind_that_nobody_knows_is_booked_apart_and_said_so() -> None:
    order = money(agreed("1", sale("1", 700, tax=100, kind=LineKind.UNRECOGNISED)))
    found = ledger(order)
    assert balances(found) == {"unclassified": -600, "tax": -100, "receivable": 700}
    assert reconcile(found, order) == (
        Difference(part=Part.UNCLASSIFIED, ledger=Money(700, "GBP"), shop=Money(0, "GBP")),
    )


def test_a_part_that_a_shop_is_known_to_get_wrong_can_be_left_out() -> None:
    order = money(PLACED, tax=1)
    assert reconcile(ledger(order), order, parts=frozenset(Part) - {Part.TAX}) == ()


# ── the ledger only grows ────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_known_is_not_booked_again() -> None:
    before = ledger(money(PLACED))
    now = ledger(money(PLACED, REMOVED))
    assert decide_postings(before, now, now=at(9)) == (now[1],)
    assert decide_postings(now, now, now=at(9)) == ()


def test_what_the_shop_tells_differently_is_reversed_and_booked_again() -> None:
    before = ledger(money(agreed("1", sale("1", 2400, tax=400, units=2))))
    after = ledger(money(agreed("1", sale("1", 2400, tax=401, units=2))))
    reversal, again = decide_postings(before, after, now=at(9))
    assert (reversal.kind, reversal.version, reversal.at) == (Kind.CORRECTION, 2, at(9))
    assert (again.kind, again.version, again.entries) == (Kind.CORRECTION, 3, after[0].entries)
    assert sum_entries([*before[0].entries, *reversal.entries]) == ()
    recorded = (*before, reversal, again)
    (stands,) = standing_transactions(recorded)
    assert (stands.kind, stands.at, stands.entries) == (Kind.SALE, at(0), sum_entries(after[0].entries))
    assert decide_postings(recorded, after, now=at(10)) == ()


def test_what_the_shop_does_not_tell_any_more_is_reversed_once() -> None:
    before = ledger(money(PLACED, paid("1", 2795)))
    after = ledger(money(PLACED))
    (reversal,) = decide_postings(before, after, now=at(9))
    assert (reversal.source, reversal.kind, reversal.version) == ("payment:1", Kind.CORRECTION, 2)
    recorded = (*before, reversal)
    assert standing_transactions(recorded) == (replace(before[0], entries=sum_entries(before[0].entries)),)
    assert decide_postings(recorded, after, now=at(10)) == ()


SALES = st.builds(
    sale,
    st.uuids().map(str),
    st.integers(-(10**9), 10**9),
    tax=st.integers(-(10**6), 10**6),
    discount=st.integers(-(10**6), 10**6),
    units=st.integers(-99, 99),
    line=st.sampled_from("ABC"),
    kind=st.sampled_from([kind for kind in LineKind if kind is not LineKind.UNRECOGNISED]),
)
AGREEMENTS = st.lists(
    st.builds(
        lambda key, sales, why, hours: agreed(key, *sales, why=why, hours=hours),
        st.uuids().map(str), st.lists(SALES, max_size=4), st.sampled_from(Why), st.integers(0, 500),
    ),
    max_size=4,
)  # fmt: skip
PAYMENTS = st.lists(st.builds(paid, st.uuids().map(str), st.integers(-(10**9), 10**9)), max_size=3)


@given(AGREEMENTS, PAYMENTS, st.booleans())
def test_any_ledger_balances_and_explains_the_sums(
    agreements: list[Agreement], payments: list[Payment], included: bool
) -> None:
    order = money(*agreements, *payments, included=included)
    found = ledger(order)
    for transaction in found:
        check_balance(transaction)
    differences = [d for d in reconcile(found, order) if d.part not in (Part.DUTY, Part.ADDITIONAL_FEE)]
    assert differences == []


# The same few ids again and again, each time with other contents.
VERSIONS = st.dictionaries(
    st.sampled_from("1234"),
    st.lists(st.tuples(st.integers(-999, 999), st.integers(-99, 99), st.integers(-9, 9)), max_size=3),
)


@given(st.lists(VERSIONS, min_size=2, max_size=4))
def test_whatever_the_shop_says_next_the_ledger_follows_by_growing(
    histories: list[dict[str, list[tuple[int, int, int]]]],
) -> None:
    recorded: tuple[Transaction, ...] = ()
    for hours, said in enumerate(histories):
        agreements = [
            agreed(
                key, *(sale(f"{key}.{n}", total, tax=tax, units=units) for n, (total, tax, units) in enumerate(parts))
            )
            for key, parts in said.items()
        ]
        wanted = ledger(money(*agreements))
        recorded += decide_postings(recorded, wanted, now=at(hours))
        keys = [(one.source, one.version) for one in recorded]
        assert len(set(keys)) == len(keys)
        stands = {one.source: one.entries for one in standing_transactions(recorded)}
        says = {one.source: sum_entries(one.entries) for one in wanted}
        assert stands == {source: entries for source, entries in says.items() if entries}
        assert decide_postings(recorded, wanted, now=at(99)) == ()
