"""What another rulebook would have done: the newest orders decided under both, and each that comes out differently.

Nothing is read from a vendor, recorded or sent, and no answer holds personal data. Each order is projected as it was
placed, so that orders which have left say something too. For what is in the warehouse now, the whole decision is made
under both rulebooks: a recall or an amendment that only the new one asks for is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pickgate.domain.commands import AmendGoodsOut, RecallGoodsOut
from pickgate.domain.decide import CannotDecide, decide
from pickgate.domain.decision import Reason, Wanted
from pickgate.domain.eligibility import decide_order_eligibility
from pickgate.domain.facts import Facts, Records
from pickgate.domain.policy import Policy
from pickgate.domain.projection import Projection, project
from pickgate.domain.rules import Rules
from pickgate.domain.shop import FulfilmentOrder, FulfilmentOrderStatus, ShopOrder
from pickgate.flows.backtest_words import describe_projections, stops_of
from pickgate.flows.replay import StoredLook, facts_of

MOST_ORDERS = 2_000


class StoredOrders(Protocol):
    """The store's share of a back-test."""

    async def newest_orders(self, *, limit: int, shops: frozenset[str] | None = None) -> Sequence[int]:
        """Pickgate ids of the newest orders that have been read, newest first."""
        ...

    async def load_facts(self, order: int) -> StoredLook | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One goods-out as a rulebook would have it. `notes` are the fields that would be filled, never their texts."""

    account: str
    warehouse: str
    group: str
    carrier: str | None
    service: str | None
    priority: int | None
    lines: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One order under one rulebook. `stopped_by`: why it would wait. `reasons`: in words, with the row that said so."""

    goods_outs: tuple[Planned, ...] = ()
    stopped_by: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedOrder:
    """An order whose outcome differs. `moves`: its goods-outs in the warehouse that would be recalled or amended."""

    order: int
    shop: str
    name: str
    shopify_id: str
    before: Outcome
    after: Outcome
    differences: tuple[str, ...]
    moves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReplayed:
    order: int
    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """`looked_at` = `unchanged` + `not_concerned` (cancelled, or no warehouse's business) + changed + not replayed."""

    old_version: int
    new_version: int
    looked_at: int
    unchanged: int
    not_concerned: int
    changed: tuple[ChangedOrder, ...] = ()
    not_replayed: tuple[NotReplayed, ...] = ()

    @property
    def moved(self) -> int:
        """Orders in the warehouse that would be recalled or amended."""
        return sum(1 for item in self.changed if item.moves)


async def backtest(
    orders: StoredOrders,
    old: Rules,
    new: Rules,
    policies: Mapping[str, Policy],
    *,
    limit: int = 200,
    shops: frozenset[str] | None = None,
    unreadable: tuple[type[Exception], ...] = (ValueError,),
) -> Backtest:
    """Decide the newest `limit` orders of the shops under both rulebooks.

    Args:
        unreadable: What the store raises when one order's stored facts cannot be read any more. That order is then
            reported as not replayed; anything else ends the test.
    """
    rows = await orders.newest_orders(limit=min(limit, MOST_ORDERS), shops=shops)
    unchanged = not_concerned = 0
    changed: list[ChangedOrder] = []
    missed: list[NotReplayed] = []
    for row in rows:
        try:
            stored = await orders.load_facts(row)
        except unreadable as error:
            why = f"its stored facts cannot be read ({type(error).__name__})"
            missed.append(NotReplayed(order=row, name="", why=why))
            continue
        if stored is None or stored.order is None:
            missed.append(NotReplayed(order=row, name="", why="its content was never read, or has been removed"))
            continue
        policy = policies.get(stored.shop)
        if policy is None:
            why = f"the settings have no shop {stored.shop}"
            missed.append(NotReplayed(order=row, name=stored.order.name, why=why))
            continue
        found = compare_rulebooks(row, stored, old, new, policy)
        match found:
            case ChangedOrder():
                changed.append(found)
            case None:
                not_concerned += 1
            case _:
                unchanged += 1
    return Backtest(
        old_version=old.version,
        new_version=new.version,
        looked_at=len(rows),
        unchanged=unchanged,
        not_concerned=not_concerned,
        changed=tuple(changed),
        not_replayed=tuple(missed),
    )


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Both rulebooks want the same."""


def compare_rulebooks(
    row: int, stored: StoredLook, old: Rules, new: Rules, policy: Policy
) -> ChangedOrder | Unchanged | None:
    """Decide one order under both. None: cancelled, or none of the warehouse's business whatever the rulebook says."""
    order = stored.order
    if order is None or order.cancelled_at is not None or decide_order_eligibility(order, policy) is not None:
        return None
    before, after = (_project_as_placed(stored, order, rules, policy) for rules in (old, new))
    differences = describe_projections(before, after)
    if not differences:
        return Unchanged()
    return ChangedOrder(
        order=row,
        shop=stored.shop,
        name=order.name,
        shopify_id=stored.order_id,
        before=_outcome(before),
        after=_outcome(after),
        differences=tuple(differences),
        moves=_find_moves(stored, old, new, policy),
    )


def as_placed(order: ShopOrder) -> ShopOrder:
    """Return the order as if nothing of it had left yet: what was fulfilled is still to be sent, where it was sent."""
    # The open ones first: a line that was moved belongs to the place where it is now.
    ordered = sorted(order.fulfilment_orders, key=lambda one: not one.is_open)
    return replace(order, fulfilments=(), fulfilment_orders=tuple(_reopened(one) for one in ordered))


def _reopened(one: FulfilmentOrder) -> FulfilmentOrder:
    if one.status is FulfilmentOrderStatus.CANCELLED:
        return one
    status = FulfilmentOrderStatus.OPEN if one.status is FulfilmentOrderStatus.CLOSED else one.status
    return replace(one, status=status, lines=tuple(replace(line, remaining=line.total) for line in one.lines))


def _project_as_placed(stored: StoredLook, order: ShopOrder, rules: Rules, policy: Policy) -> Projection:
    placed = as_placed(order)
    facts = facts_of(stored, rules)
    if facts is None:  # recorded without the time of the read: the order itself is all that a projection asks
        facts = Facts(
            shop=stored.shop,
            order_id=stored.order_id,
            order=order,
            goods_outs=(),
            records=Records(first_seen_at=order.created_at),
            read_at=order.updated_at,
        )
    return project(replace(facts, order=placed), placed, rules, policy, {})


def _find_moves(stored: StoredLook, old: Rules, new: Rules, policy: Policy) -> tuple[str, ...]:
    """Name the goods-outs that the new rulebook would have recalled or amended, and the old one would leave alone."""
    references: list[dict[str, str]] = []
    for rules in (old, new):
        facts = facts_of(stored, rules)
        if facts is None:
            return ()
        try:
            decision = decide(facts, rules, policy, now=facts.read_at)
        except CannotDecide:
            return ()
        references.append(
            {c.key: c.reference for c in decision.commands if isinstance(c, RecallGoodsOut | AmendGoodsOut)}
        )
    before, after = references
    return tuple(sorted({reference for key, reference in after.items() if key not in before}))


def _outcome(projection: Projection) -> Outcome:
    return Outcome(
        goods_outs=tuple(_planned(wanted) for wanted in projection.wanted),
        stopped_by=stops_of(projection),
        reasons=tuple(dict.fromkeys(projection.reasons)),
    )


def _planned(wanted: Wanted) -> Planned:
    content = wanted.content
    return Planned(
        account=content.account,
        warehouse=content.warehouse,
        group=wanted.group,
        carrier=content.carrier,
        service=content.service,
        priority=content.priority,
        lines=tuple(content.units_by_product().items()),
        notes=tuple(name for name, _ in content.notes),
    )
