"""The ledger of an order: every change of its value as a balanced transaction in minor units.

Built from the shop's agreements and payments, never from tax lines or from differences between two reads. A positive
entry is a debit. What is sold is a credit of its own account and a debit of `receivable`; money that comes in turns
the receivable into `received`. So, at any time and in each currency by itself, all entries add up to nothing, and the
balance of `receivable` is what the customer still owes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from pickgate.domain.ledger_facts import (
    Agreement,
    Amounts,
    LineKind,
    OrderMoney,
    Payment,
    Sale,
    Unusable,
    Why,
    no_amount,
)


class Account(Enum):
    GOODS = "goods"
    SHIPPING = "shipping"
    TIP = "tip"
    GIFT_CARD = "gift_card"
    DUTY = "duty"
    FEE = "fee"
    ADDITIONAL_FEE = "additional_fee"
    ADJUSTMENT = "adjustment"
    UNCLASSIFIED = "unclassified"
    DISCOUNT = "discount"
    TAX = "tax"
    RECEIVABLE = "receivable"
    RECEIVED = "received"
    REFUNDED = "refunded"


ACCOUNT_OF = {
    LineKind.GOODS: Account.GOODS,
    LineKind.SHIPPING: Account.SHIPPING,
    LineKind.TIP: Account.TIP,
    LineKind.GIFT_CARD: Account.GIFT_CARD,
    LineKind.DUTY: Account.DUTY,
    LineKind.FEE: Account.FEE,
    LineKind.ADDITIONAL_FEE: Account.ADDITIONAL_FEE,
    LineKind.ADJUSTMENT: Account.ADJUSTMENT,
    LineKind.UNRECOGNISED: Account.UNCLASSIFIED,
}
REVENUE = frozenset(ACCOUNT_OF.values())
"""What is sold, before discount and tax."""


class Kind(Enum):
    """What a transaction is. CORRECTION: the shop changed its mind about something that was booked before."""

    SALE = "sale"
    EDIT = "edit"
    REFUND = "refund"
    RETURN = "return"
    OTHER = "other"
    PAYMENT = "payment"
    PAYOUT = "payout"
    CORRECTION = "correction"


_KIND_OF = {
    Why.SALE: Kind.SALE,
    Why.EDIT: Kind.EDIT,
    Why.REFUND: Kind.REFUND,
    Why.RETURN: Kind.RETURN,
    Why.UNRECOGNISED: Kind.OTHER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One side of a transaction. `kind` and `line_id` say what was sold; `units` counts only on the revenue account."""

    account: Account
    amount: Amounts
    kind: LineKind | None = None
    line_id: str | None = None
    units: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One balanced set of entries. `source` is what it books, such as "agreement:77"; `version` counts its bookings."""

    source: str
    kind: Kind
    at: datetime
    entries: tuple[Entry, ...]
    version: int = 1
    means: str = ""


class Unbalanced(ValueError):
    """A transaction whose entries do not add up to nothing, or are in more than two currencies."""


def check_balance(transaction: Transaction) -> None:
    """Raises Unbalanced."""
    sums: dict[tuple[int, str], int] = {}
    for entry in transaction.entries:
        for place, money in enumerate((entry.amount.shop, entry.amount.presentment)):
            sums[place, money.currency] = sums.get((place, money.currency), 0) + money.minor
    if len(sums) > 2 or any(sums.values()):
        raise Unbalanced(f"{transaction.source}: the entries add up to {sums}.")


def build_ledger(money: OrderMoney) -> tuple[Transaction, ...] | Unusable:
    """
    Book everything that was read, oldest first.

    Returns Unusable, naming the first cell, for an amount in another currency than the order's, or an id that comes
    twice: nothing of such an order is booked.
    """
    refused = _find_unusable(money)
    if refused is not None:
        return refused
    booked = [_book_agreement(agreement, money) for agreement in money.agreements]
    booked += [_book_payment(payment) for payment in money.payments]
    found = tuple(sorted((one for one in booked if one.entries), key=lambda one: (one.at, one.source)))
    for transaction in found:
        check_balance(transaction)
    return found


def _book_agreement(agreement: Agreement, money: OrderMoney) -> Transaction:
    entries: list[Entry] = []
    owed = no_amount(money.currency, money.presentment)
    for sale in agreement.sales:
        entries += _book_sale(sale)
        owed += sale.total
    if owed:
        entries.append(Entry(account=Account.RECEIVABLE, amount=owed))
    return Transaction(
        source=f"agreement:{agreement.id}", kind=_KIND_OF[agreement.why], at=agreement.at, entries=tuple(entries)
    )


def _book_sale(sale: Sale) -> list[Entry]:
    """The part of one sale: revenue before discount and tax, and these two by themselves."""
    parts = (
        (ACCOUNT_OF[sale.kind], -(sale.total - sale.tax + sale.discount), sale.units),
        (Account.DISCOUNT, sale.discount, 0),
        (Account.TAX, -sale.tax, 0),
    )
    return [
        Entry(account=account, amount=amount, kind=sale.kind, line_id=sale.line_id, units=units)
        for account, amount, units in parts
        if amount or units
    ]


def _book_payment(payment: Payment) -> Transaction:
    incoming = payment.amount.shop.minor > 0 or (
        payment.amount.shop.minor == 0 and payment.amount.presentment.minor > 0
    )
    account = Account.RECEIVED if incoming else Account.REFUNDED
    entries = (
        (Entry(account=account, amount=payment.amount), Entry(account=Account.RECEIVABLE, amount=-payment.amount))
        if payment.amount
        else ()
    )
    return Transaction(
        source=f"payment:{payment.id}",
        kind=Kind.PAYMENT if incoming else Kind.PAYOUT,
        at=payment.at,
        entries=entries,
        means=payment.means,
    )


def _find_unusable(money: OrderMoney) -> Unusable | None:
    ids = Counter(f"agreements.{agreement.id}" for agreement in money.agreements)
    ids += Counter(f"sales.{sale.id}" for agreement in money.agreements for sale in agreement.sales)
    ids += Counter(f"transactions.{payment.id}" for payment in money.payments)
    for where, count in ids.items():
        if count > 1:
            return Unusable(
                where=where,
                value=f"{count} times",
                problem="The shop names one thing twice.",
                remedy="Look at the order again; if it stays, give its number to Shopify's support.",
            )
    wanted = (money.currency, money.presentment)
    for where, amounts in _all_amounts(money):
        if amounts.currencies != wanted:
            return Unusable(
                where=where,
                value=f"{amounts.shop} / {amounts.presentment}",
                problem=f"The order is in {wanted[0]}, shown to the customer in {wanted[1]}; this amount is not.",
                remedy="Look at the order again; if it stays, book it by hand and resolve this with your reason.",
            )
    return None


def _all_amounts(money: OrderMoney) -> Iterable[tuple[str, Amounts]]:
    totals = money.totals
    for name in ("current", "received", "refunded", "outstanding", "tax", "shipping", "duty", "additional_fee"):
        amounts = getattr(totals, name)
        if amounts is not None:
            yield f"totals.{name}", amounts
    for agreement in money.agreements:
        for sale in agreement.sales:
            for name in ("total", "tax", "discount"):
                yield f"sales.{sale.id}.{name}", getattr(sale, name)
    for payment in money.payments:
        yield f"transactions.{payment.id}.amount", payment.amount


# ── posting: the ledger only grows ───────────────────────────────────────────────────────────────────────────────────

_Key = tuple[Account, LineKind | None, str | None, str, str]


def decide_postings(
    recorded: Sequence[Transaction], wanted: Sequence[Transaction], *, now: datetime
) -> tuple[Transaction, ...]:
    """
    Decide what to append so that the ledger says what was read. Nothing that is recorded ever changes.

    A source that is new is booked as it is. One that the shop now tells differently is reversed and booked again, both
    as corrections of `now`; one that it does not tell any more is reversed.
    """
    versions: dict[str, int] = {}
    standing: dict[str, list[Entry]] = {}
    for transaction in recorded:
        versions[transaction.source] = max(transaction.version, versions.get(transaction.source, 0))
        standing.setdefault(transaction.source, []).extend(transaction.entries)
    postings: list[Transaction] = []
    for transaction in wanted:
        before = versions.get(transaction.source, 0)
        if not before:
            postings.append(transaction)
            continue
        stands, says = sum_entries(standing.pop(transaction.source)), sum_entries(transaction.entries)
        if stands == says:
            continue
        reversal = tuple(_negated(entry) for entry in stands)
        for entries in (reversal, transaction.entries):
            if entries:
                before += 1
                postings.append(_correction(transaction.source, entries, before, now, transaction.means))
    for source, entries_left in standing.items():
        left = sum_entries(entries_left)
        if left:
            postings.append(_correction(source, tuple(map(_negated, left)), versions[source] + 1, now, ""))
    for posting in postings:
        check_balance(posting)
    return tuple(postings)


def standing_transactions(recorded: Iterable[Transaction]) -> tuple[Transaction, ...]:
    """What the ledger says now: each source once, at the time of its first booking; what was reversed is left out."""
    by_source: dict[str, list[Transaction]] = {}
    for transaction in recorded:
        by_source.setdefault(transaction.source, []).append(transaction)
    found = []
    for source, versions in by_source.items():
        first = min(versions, key=lambda one: one.version)
        entries = sum_entries([entry for one in versions for entry in one.entries])
        if entries:
            found.append(Transaction(source=source, kind=first.kind, at=first.at, entries=entries, means=first.means))
    return tuple(sorted(found, key=lambda one: (one.at, one.source)))


def sum_entries(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Add up entries of the same account, kind, line and currencies, in a fixed order; what is nothing is left out."""
    sums: dict[_Key, Entry] = {}
    for entry in entries:
        key = (entry.account, entry.kind, entry.line_id, *entry.amount.currencies)
        known = sums.get(key)
        sums[key] = entry if known is None else _added(known, entry)
    kept = [(key, entry) for key, entry in sums.items() if entry.amount or entry.units]
    return tuple(entry for _, entry in sorted(kept, key=lambda item: _order(item[0])))


def _added(one: Entry, other: Entry) -> Entry:
    return Entry(
        account=one.account,
        amount=one.amount + other.amount,
        kind=one.kind,
        line_id=one.line_id,
        units=one.units + other.units,
    )


def _negated(entry: Entry) -> Entry:
    return Entry(
        account=entry.account, amount=-entry.amount, kind=entry.kind, line_id=entry.line_id, units=-entry.units
    )


def _order(key: _Key) -> tuple[str, str, str, str, str]:
    account, kind, line_id, shop, presentment = key
    return account.value, kind.value if kind else "", line_id or "", shop, presentment


def _correction(source: str, entries: tuple[Entry, ...], version: int, now: datetime, means: str) -> Transaction:
    return Transaction(source=source, kind=Kind.CORRECTION, at=now, entries=entries, version=version, means=means)
