"""Does the ledger explain the shop's totals? Each difference is exact, in its own currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from pickgate.domain.findings import Finding
from pickgate.domain.ledger import REVENUE, Account, Entry, Transaction
from pickgate.domain.ledger_facts import Amounts, LineKind, OrderMoney, Unusable, no_amount
from pickgate.domain.money import Money

CODE = "MONEY_UNEXPLAINED"


class Part(Enum):
    """What is compared. UNCLASSIFIED: sold as a kind that nobody knows; the total is right, its place is not."""

    CURRENT = "current total"
    TAX = "tax"
    SHIPPING = "shipping"
    DUTY = "duty"
    ADDITIONAL_FEE = "additional fee"
    RECEIVED = "received"
    REFUNDED = "refunded"
    OUTSTANDING = "outstanding"
    UNCLASSIFIED = "unclassified"


EVERY_PART = frozenset(Part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The ledger and the shop do not say the same. `presentment`: seen in the customer's currency."""

    part: Part
    ledger: Money
    shop: Money
    presentment: bool = False

    @property
    def amount(self) -> Money:
        """What the shop says beyond the ledger."""
        return self.shop - self.ledger

    def __str__(self) -> str:
        seen = ", in the customer's currency" if self.presentment else ""
        return f"{self.part.value}: the shop says {self.shop}, the ledger {self.ledger} ({self.amount}{seen})"


def ledger_amounts(transactions: Iterable[Transaction], money: OrderMoney) -> Mapping[Part, Amounts]:
    """Work out from the ledger what the shop's totals should be."""
    nothing = no_amount(money.currency, money.presentment)
    entries = [entry for transaction in transactions for entry in transaction.entries]

    def total(*accounts: Account, kind: LineKind | None = None) -> Amounts:
        chosen = [e for e in entries if e.account in accounts and (kind is None or e.kind is kind)]
        return sum((e.amount for e in chosen), nothing)

    def sold(kind: LineKind, account: Account, *, with_tax: bool) -> Amounts:
        accounts = (account, Account.DISCOUNT, Account.TAX) if with_tax else (account, Account.DISCOUNT)
        return -total(*accounts, kind=kind)

    return {
        Part.CURRENT: -total(*REVENUE, Account.DISCOUNT, Account.TAX),
        Part.TAX: -total(Account.TAX),
        Part.SHIPPING: sold(LineKind.SHIPPING, Account.SHIPPING, with_tax=money.taxes_included),
        Part.DUTY: sold(LineKind.DUTY, Account.DUTY, with_tax=money.taxes_included),
        Part.ADDITIONAL_FEE: sold(LineKind.ADDITIONAL_FEE, Account.ADDITIONAL_FEE, with_tax=money.taxes_included),
        Part.RECEIVED: total(Account.RECEIVED),
        Part.REFUNDED: -total(Account.REFUNDED),
        Part.OUTSTANDING: total(Account.RECEIVABLE),
        Part.UNCLASSIFIED: sold(LineKind.UNRECOGNISED, Account.UNCLASSIFIED, with_tax=True),
    }


def reconcile(
    transactions: Iterable[Transaction], money: OrderMoney, *, parts: frozenset[Part] = EVERY_PART
) -> tuple[Difference, ...]:
    """
    Compare the ledger with the shop's own totals, in both currencies; the customer's only where it is another.

    Args:
        parts: What to compare. Shops whose totals of one part are known to lag behind can leave that part out.
    """
    explained, totals = ledger_amounts(transactions, money), money.totals
    said: dict[Part, Amounts | None] = {
        Part.CURRENT: totals.current,
        Part.TAX: totals.tax,
        Part.SHIPPING: totals.shipping,
        Part.DUTY: totals.duty,
        Part.ADDITIONAL_FEE: totals.additional_fee,
        Part.RECEIVED: totals.received,
        Part.REFUNDED: totals.refunded,
        Part.OUTSTANDING: totals.outstanding,
        Part.UNCLASSIFIED: no_amount(money.currency, money.presentment),
    }
    found = []
    for part in Part:
        shop, ledger = said[part], explained[part]
        if part not in parts or shop is None:
            continue
        if shop.shop != ledger.shop:
            found.append(Difference(part=part, ledger=ledger.shop, shop=shop.shop))
        if money.presentment != money.currency and shop.presentment != ledger.presentment:
            found.append(Difference(part=part, ledger=ledger.presentment, shop=shop.presentment, presentment=True))
    return tuple(found)


def find_unexplained(
    name: str, differences: Sequence[Difference], transactions: Sequence[Transaction]
) -> tuple[Finding, ...]:
    """The exception that a difference is: the exact amounts, and the entries that were booked last."""
    if not differences:
        return ()
    exact = "+".join(
        f"{d.part.name}{'*' if d.presentment else ''}={d.amount.minor}{d.amount.currency}" for d in differences
    )
    return (
        Finding(
            code="MONEY_UNEXPLAINED",
            fingerprint=f"{CODE}:{exact}",
            summary=f"{name}: {differences[0]}" + (f", and {len(differences) - 1} more." if differences[1:] else "."),
            detail={
                "differences": [
                    {
                        "part": d.part.value,
                        "shop": str(d.shop),
                        "ledger": str(d.ledger),
                        "amount_minor": d.amount.minor,
                        "currency": d.amount.currency,
                        "customers_currency": d.presentment,
                    }
                    for d in differences
                ],
                "last_entries": [_words(one) for one in transactions[-5:]],
                "remedy": "Find the change in the shop's timeline; then look again, or resolve with your reason.",
            },
            actions=("look_at_order", "money_report", "resolve_exceptions"),
        ),
    )


def find_unusable(name: str, unusable: Unusable) -> tuple[Finding, ...]:
    """The exception that an answer about money is which cannot be booked."""
    return (
        Finding(
            code="MONEY_UNEXPLAINED",
            fingerprint=f"{CODE}:unusable:{unusable.where}:{unusable.value}",
            summary=f"{name}: {unusable.where} holds {unusable.value!r}. {unusable.problem}",
            detail={
                "cell": unusable.where,
                "value": unusable.value,
                "problem": unusable.problem,
                "remedy": unusable.remedy,
            },
            actions=("look_at_order", "resolve_exceptions"),
        ),
    )


def find_unread(name: str, why: str, since: datetime) -> tuple[Finding, ...]:
    """The exception that an order is whose money could not be read for too long."""
    return (
        Finding(
            code="MONEY_UNEXPLAINED",
            fingerprint=f"{CODE}:unread",
            summary=f"{name}: its money has not been read since {since:%d %b %H:%M} UTC: {why}",
            detail={
                "since": since.isoformat(),
                "why": why,
                "remedy": "Check the shop's connection and the app's scopes.",
            },
            actions=("look_at_order", "resolve_exceptions"),
        ),
    )


def _words(transaction: Transaction) -> dict[str, object]:
    value = next((e.amount.shop for e in transaction.entries if e.account is Account.RECEIVABLE), None)
    return {
        "source": transaction.source,
        "kind": transaction.kind.value,
        "at": transaction.at.isoformat(),
        "amount": str(value) if value is not None else "0",
    }


def account_totals(entries: Iterable[Entry]) -> dict[tuple[Account, str], int]:
    """Add up entries by account, in minor units of the shop's currency."""
    sums: dict[tuple[Account, str], int] = {}
    for entry in entries:
        key = (entry.account, entry.amount.shop.currency)
        sums[key] = sums.get(key, 0) + entry.amount.shop.minor
    return sums
