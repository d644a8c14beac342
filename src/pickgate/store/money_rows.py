"""How money is written down and read back: ledger entries as flat JSON, goods and despatches from what was observed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pickgate.domain.ledger import Account, Entry, Kind, Transaction
from pickgate.domain.ledger_facts import Amounts, LineKind
from pickgate.domain.ledger_revenue import Despatch, Goods
from pickgate.domain.money import Money
from pickgate.domain.shop import ShopOrder


def money_scope(order_row: int) -> str:
    return f"money:{order_row}"


def render_entries(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """One flat object for each entry, for the table and its view."""
    return [
        {
            "account": entry.account.value,
            "what": entry.kind.value if entry.kind else None,
            "line": entry.line_id,
            "units": entry.units,
            "minor": entry.amount.shop.minor,
            "currency": entry.amount.shop.currency,
            "customer_minor": entry.amount.presentment.minor,
            "customer_currency": entry.amount.presentment.currency,
        }
        for entry in entries
    ]


def read_transaction(row: Mapping[str, Any]) -> Transaction:
    """Read one row of the ledger."""
    return Transaction(
        source=row["source"],
        kind=Kind(row["kind"]),
        at=row["at"],
        version=row["version"],
        means=row["means"],
        entries=tuple(
            Entry(
                account=Account(entry["account"]),
                amount=Amounts(
                    Money(entry["minor"], entry["currency"]),
                    Money(entry["customer_minor"], entry["customer_currency"]),
                ),
                kind=LineKind(entry["what"]) if entry["what"] else None,
                line_id=entry["line"],
                units=entry["units"],
            )
            for entry in row["entries"]
        ),
    )


def first_times(recorded: Iterable[Transaction], posted: Iterable[Transaction]) -> list[datetime]:
    """When what each posting books first happened: a correction keeps the time of what it corrects."""
    first: dict[str, datetime] = {}
    versions: dict[str, int] = {}
    for one in recorded:
        if one.version < versions.get(one.source, one.version + 1):
            versions[one.source], first[one.source] = one.version, one.at
    return [first.setdefault(one.source, one.at) for one in posted]


def goods_of(lines: Sequence[Mapping[str, Any]]) -> tuple[Goods, ...]:
    """What is known of an order's lines, from an observed order as it is stored."""
    return tuple(
        Goods(
            line_id=line["id"],
            title=line["title"],
            sku=line.get("sku") or "",
            ships=bool(line.get("requires_shipping", True)) and not line.get("is_gift_card", False),
        )
        for line in lines
    )


def fulfilled_of(fulfilments: Iterable[Mapping[str, Any]], *, otherwise: datetime) -> list[Despatch]:
    """What the shop says has left, from an observed order as it is stored; `otherwise`: when no time is known."""
    return [
        Despatch(
            line_id=line_id,
            units=units,
            at=datetime.fromisoformat(sent["created_at"]) if sent.get("created_at") else otherwise,
            source=f"fulfilment:{sent['id']}",
        )
        for sent in fulfilments
        if not sent.get("cancelled", False)
        for line_id, units in sent["lines"]
        if units > 0
    ]


def left_of(comparison: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """(line id, units) that the warehouse says have left, from the last look's comparison as it is stored."""
    return [(part["line_id"], part["despatched"]) for part in comparison]


def fingerprint_of(order: ShopOrder, left: Iterable[tuple[str, int]]) -> object:
    """What the memory twin compares: the same things as the database's `money_fingerprint`."""
    return (
        order.totals,
        order.cancelled_at,
        tuple((line.id, line.current, line.unit_price) for line in order.lines),
        tuple((sent.id, sent.cancelled, sent.lines) for sent in order.fulfilments),
        tuple(left),
    )
