"""One order's books, and families of orders: an order that was recreated or merged is counted once, at its original."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pickgate.domain.ledger import REVENUE, Account, Kind, Transaction
from pickgate.domain.ledger_check import Difference
from pickgate.domain.ledger_revenue import Despatch, Goods, LineCover, cover_lines, find_charges

VALUE = REVENUE | {Account.DISCOUNT, Account.TAX}
"""The accounts that together, with their sign turned, are what an order is worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBooks:
    """One order as its ledger and its despatches tell it. `supersedes`, `superseded_by`: names in the same shop."""

    order: int
    shop: str
    order_id: str
    name: str
    created_at: datetime
    currency: str
    state: str = ""
    cancelled: bool = False
    supersedes: tuple[str, ...] = ()
    superseded_by: str | None = None
    transactions: tuple[Transaction, ...] = ()
    goods: tuple[Goods, ...] = ()
    despatches: tuple[Despatch, ...] = ()
    differences: tuple[Difference, ...] = ()
    reconciled_at: datetime | None = None
    unusable: str = ""

    def value(self, *kinds: Kind) -> int:
        """What transactions of these kinds (none: of all) made the order worth, in minor units."""
        return -self.balance(*VALUE, kinds=kinds)

    def balance(self, *accounts: Account, kinds: Sequence[Kind] = ()) -> int:
        """The balance of accounts, in minor units of the shop's currency."""
        return sum(
            entry.amount.shop.minor
            for transaction in self.transactions
            if not kinds or transaction.kind in kinds
            for entry in transaction.entries
            if entry.account in accounts
        )

    def cover(self) -> tuple[LineCover, ...]:
        return cover_lines(self.goods, find_charges(self.transactions), self.despatches, currency=self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Orders that are one order to the customer. `root` is the oldest; its time is the family's time."""

    root: OrderBooks
    members: tuple[OrderBooks, ...]
    counted: tuple[OrderBooks, ...]
    set_aside: tuple[OrderBooks, ...] = field(default=())

    @property
    def names(self) -> str:
        return ", ".join(one.name for one in self.members)


def find_families(books: Iterable[OrderBooks]) -> tuple[Family, ...]:
    """
    Put orders together that replaced each other, oldest family first.

    A member that was replaced and never cancelled, and of which nothing has left, still shows its charge in the shop
    although the successor holds the same goods: it is set aside, so that nothing is counted twice.
    """
    found = list(books)
    by_name = {(one.shop, one.name): index for index, one in enumerate(found)}
    parent = list(range(len(found)))

    def root_of(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for index, one in enumerate(found):
        for name in (*one.supersedes, *([one.superseded_by] if one.superseded_by else ())):
            other = by_name.get((one.shop, name))
            # Two currencies are never added: such an order stays by itself.
            if other is not None and found[other].currency == one.currency:
                parent[root_of(other)] = root_of(index)
    groups: dict[int, list[OrderBooks]] = {}
    for index, one in enumerate(found):
        groups.setdefault(root_of(index), []).append(one)
    return tuple(sorted((_family(group) for group in groups.values()), key=lambda f: (f.root.created_at, f.root.order)))


def _family(group: list[OrderBooks]) -> Family:
    members = sorted(group, key=lambda one: (one.created_at, one.order))
    replaced = {name for one in members for name in one.supersedes}
    aside = [
        one
        for one in members
        if (one.name in replaced or one.superseded_by) and not one.cancelled and not one.despatches and len(members) > 1
    ]
    return Family(
        root=members[0],
        members=tuple(members),
        counted=tuple(one for one in members if one not in aside),
        set_aside=tuple(aside),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilySums:
    """One family in figures, in minor units. `placed + edits − refunds = current`, always."""

    placed: int
    edits: int
    refunds: int
    current: int
    received: int
    refunded: int
    outstanding: int
    goods: int
    despatched: int
    given_back: int
    waiting: int
    not_shipped: int
    uncovered: int
    set_aside: int
    unexplained: int
    lines: tuple[tuple[OrderBooks, LineCover], ...]

    @property
    def ties(self) -> bool:
        """Charges of goods are despatched, given back, waiting, or never ship; and money in and out leaves the rest."""
        goods = self.despatched - self.given_back + self.waiting + self.not_shipped
        return self.goods == goods and self.outstanding == self.current - self.received + self.refunded


def sum_family(family: Family) -> FamilySums:
    """Add up a family. What replaced orders took back is a part of the edit that replacing them was."""
    counted = family.counted
    replaced = {name for one in family.members for name in one.supersedes}
    firsts = [one for one in family.members if not one.supersedes or one is family.root]
    placed = sum(one.value(Kind.SALE) for one in firsts)
    refunds = -sum(
        one.value(Kind.REFUND, Kind.RETURN) for one in counted if not (one.name in replaced or one.superseded_by)
    )
    current = sum(one.value() for one in counted)
    lines = [(one, cover) for one in counted for cover in one.cover()]
    ships = [cover for _, cover in lines if cover.goods.ships]
    received = sum(one.balance(Account.RECEIVED) for one in counted)
    refunded = -sum(one.balance(Account.REFUNDED) for one in counted)
    return FamilySums(
        placed=placed,
        edits=current - placed + refunds,
        refunds=refunds,
        current=current,
        received=received,
        refunded=refunded,
        outstanding=sum(one.balance(Account.RECEIVABLE) for one in counted),
        goods=sum(cover.net_charged for _, cover in lines),
        despatched=sum(cover.despatched for cover in ships),
        given_back=sum(cover.given_back for cover in ships),
        waiting=sum(cover.waiting for cover in ships),
        not_shipped=sum(cover.net_charged for _, cover in lines if not cover.goods.ships),
        uncovered=sum(cover.uncovered for cover in ships),
        set_aside=sum(one.value() for one in family.set_aside),
        unexplained=sum(
            d.amount.minor
            for one in family.members
            for d in one.differences
            if d.part.name == "CURRENT" and not d.presentment
        ),
        lines=tuple(lines),
    )
