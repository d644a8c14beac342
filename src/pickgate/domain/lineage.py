"""Is this order the successor or the predecessor of another? Editing apps recreate, merge and duplicate.

The evidence, strongest first: a name suffix (#1031 → #1031A), a configured tag, a cancellation and a creation by one
app for one customer in one minute. A weaker likeness is only a suspicion: it holds the order and asks a person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pickgate.domain.facts import Kin, KinFate
from pickgate.domain.policy import RecreatePolicy
from pickgate.domain.shop import ShopOrder
from pickgate.domain.tags import has_any_tag

_SUFFIXED = re.compile(r"^(?P<base>#?.*\d)(?P<letters>[A-Z]{1,2})$")
# Applications that are the shop's own ways of taking an order: they do not recreate.
_OWN_CHANNELS = {"", "online store", "point of sale", "draft orders", "shop", "buy button", "shopify"}


@dataclass(frozen=True, slots=True)
class Link:
    kin: Kin
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """What an order replaces, what replaces it, and what it may be a twin of."""

    predecessors: tuple[Link, ...] = ()
    successors: tuple[Link, ...] = ()
    suspects: tuple[Link, ...] = ()
    orphan: bool = False  # it says that it replaces an order, and no such order is known

    @property
    def original(self) -> Kin | None:
        """The oldest order that this one goes back to."""
        kin = [link.kin for link in self.predecessors]
        return min(kin, key=lambda k: k.created_at, default=None)


def kin_of(order: ShopOrder, fate: KinFate) -> Kin:
    """Return an order as its kin see it. `fate`: what has become of it at the warehouse."""
    return Kin(
        id=order.id,
        name=order.name,
        created_at=order.created_at,
        tags=order.tags,
        cancelled_at=order.cancelled_at,
        closed=order.closed,
        customer_id=order.customer_id,
        app_name=order.app_name,
        skus=skus_of(order),
        fate=fate,
    )


def skus_of(order: ShopOrder) -> tuple[str, ...]:
    """Return the distinct SKUs of the order's live lines, sorted; of a cancelled order, those that it held."""
    held = [line for line in order.lines if line.current > 0 or order.cancelled_at is not None]
    return tuple(sorted({line.sku for line in held if line.sku}))


def predecessor_names(name: str) -> tuple[str, ...]:
    """Return the names of which this one is a suffixed successor, nearest first: #1031B → (#1031A, #1031)."""
    match = _SUFFIXED.match(name)
    if match is None:
        return ()
    base, letters = match["base"], match["letters"]
    earlier = [f"{base}{chr(code)}" for code in range(ord(letters) - 1, ord("A") - 1, -1)] if len(letters) == 1 else []
    return (*earlier, base)


def successor_names(name: str) -> tuple[str, ...]:
    """Return the names that the next successors would have: #1031 → (#1031A … #1031H), #1031A → (#1031B …)."""
    match = _SUFFIXED.match(name)
    base, first = (match["base"], ord(match["letters"]) + 1) if match and len(match["letters"]) == 1 else (name, 65)
    return tuple(f"{base}{chr(code)}" for code in range(first, min(first + 8, 91)))


def decide_lineage(order: ShopOrder, kin: Sequence[Kin], policy: RecreatePolicy) -> Lineage:
    """Decide which of the candidates this order replaces, is replaced by, or may be a twin of."""
    predecessors: list[Link] = []
    successors: list[Link] = []
    suspects: list[Link] = []
    says_successor = has_any_tag(order.tags, policy.successor_tags)
    earlier_names = predecessor_names(order.name) if policy.name_suffix else ()
    later_names = successor_names(order.name) if policy.name_suffix else ()
    by_app = order.app_name.casefold() not in _OWN_CHANNELS
    for other in kin:
        if other.id == order.id:
            continue
        if other.name in earlier_names:
            predecessors.append(Link(other, f"the name {order.name} continues {other.name}"))
        elif other.name in later_names:
            successors.append(Link(other, f"the name {other.name} continues {order.name}"))
        elif (says_successor or by_app) and _replaced_in_one_minute(other, order.created_at, order, policy):
            predecessors.append(
                Link(other, f"{other.name} was cancelled as {order.name} was made, for the same customer")
            )
        elif order.cancelled_at is not None and _replaces_in_one_minute(other, order, policy):
            successors.append(
                Link(other, f"{other.name} was made as {order.name} was cancelled, for the same customer")
            )
        elif says_successor and other.named_in_note:
            predecessors.append(Link(other, f"the note of {order.name} names {other.name}"))
        elif (says_successor or by_app) and _looks_like_a_twin(other, order, policy):
            if other.cancelled_at is None:
                evidence = f"{other.name} holds the same goods for the same customer and is still open"
                suspects.append(Link(other, evidence))
            elif says_successor:
                predecessors.append(Link(other, f"{other.name} held the same goods for the same customer"))
            elif not other.is_out_of_the_way:
                evidence = f"{other.name}, with the same goods for the same customer, is not out of the warehouse yet"
                suspects.append(Link(other, evidence))
    return Lineage(
        predecessors=tuple(predecessors),
        successors=tuple(successors),
        suspects=tuple(suspects),
        orphan=says_successor and not predecessors and not suspects,
    )


def _replaced_in_one_minute(other: Kin, made_at: datetime, order: ShopOrder, policy: RecreatePolicy) -> bool:
    if other.cancelled_at is None or order.customer_id is None or other.customer_id != order.customer_id:
        return False
    return abs(other.cancelled_at - made_at) <= policy.same_minute and other.created_at < made_at


def _replaces_in_one_minute(other: Kin, order: ShopOrder, policy: RecreatePolicy) -> bool:
    by_app = other.app_name.casefold() not in _OWN_CHANNELS or has_any_tag(other.tags, policy.successor_tags)
    if not by_app or order.cancelled_at is None or order.customer_id is None:
        return False
    same_minute = abs(other.created_at - order.cancelled_at) <= policy.same_minute
    return same_minute and other.customer_id == order.customer_id and other.created_at > order.created_at


def _looks_like_a_twin(other: Kin, order: ShopOrder, policy: RecreatePolicy) -> bool:
    if order.customer_id is None or other.customer_id != order.customer_id:
        return False
    if not other.created_at < order.created_at <= other.created_at + policy.suspect_within:
        return False
    skus = {line.sku for line in order.lines if line.sku and line.current > 0}
    taken_back = other.fate is KinFate.RECALLED and other.cancelled_at is None
    return bool(skus & set(other.skus)) and not taken_back
