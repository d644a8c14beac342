"""Orders that replaced others: which both left, and what each order's kin are, from the whole period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pickgate.domain.facts import Kin, KinFate
from pickgate.domain.lineage import decide_lineage, kin_of, predecessor_names, successor_names
from pickgate.domain.lookback import Accusation, Charge, Ground, PastOrder
from pickgate.domain.lookback_charges import accuse
from pickgate.domain.lookback_units import smaller, units_of
from pickgate.domain.policy import Policy
from pickgate.domain.tags import has_any_tag
from pickgate.domain.warehouse import GoodsOut, Stage

_MOST_KIN = 50


class Family:
    """The orders of one shop by customer and by name."""

    def __init__(self, orders: Sequence[PastOrder], policy: Policy) -> None:
        self._policy = policy
        self._by_customer: dict[str, list[PastOrder]] = {}
        self._by_name: dict[str, list[PastOrder]] = {}
        self.by_id = {past.order.id: past for past in orders}
        for past in orders:
            self._by_name.setdefault(past.order.name, []).append(past)
            if past.order.customer_id:
                self._by_customer.setdefault(past.order.customer_id, []).append(past)

    def kin_of(self, past: PastOrder) -> tuple[Kin, ...]:
        """Return the candidates, nearest in time first."""
        order = past.order
        names = (*predecessor_names(order.name), *successor_names(order.name))
        found = [other for name in names for other in self._by_name.get(name, ())]
        found += self._by_customer.get(order.customer_id or "", ())
        distinct = {other.order.id: other for other in found if other.order.id != order.id}
        nearest = sorted(distinct.values(), key=lambda o: (abs(o.order.created_at - order.created_at), o.order.id))
        return tuple(kin_of(other.order, _fate(other.goods_outs)) for other in nearest[:_MOST_KIN])

    def sent_with_predecessor(self, past: PastOrder) -> tuple[tuple[PastOrder, str], ...]:
        """Return the orders which this one replaces and which left as it did, each with the evidence."""
        if not any(g.despatched for g in past.goods_outs):
            return ()
        lineage = decide_lineage(past.order, self.kin_of(past), self._policy.recreate)
        links = list(lineage.predecessors)
        if has_any_tag(past.order.tags, self._policy.recreate.successor_tags):
            links += lineage.suspects
        return tuple((self.by_id[link.kin.id], link.evidence) for link in links if link.kin.fate is KinFate.DESPATCHED)

    def is_replaced(self, past: PastOrder) -> bool:
        """Say whether another order took its place, and with it its payment."""
        return past.order.cancelled_at is not None and (
            has_any_tag(past.order.tags, self._policy.recreate.cancelled_tags)
            or bool(decide_lineage(past.order, self.kin_of(past), self._policy.recreate).successors)
        )


def decide_twins(family: Family, orders: Sequence[PastOrder], ground: Ground) -> Iterator[tuple[Accusation, str]]:
    """Accuse each order that left beside the one it replaces. Yields it with the id of the one that it replaces."""
    for past in orders:
        for other, evidence in family.sent_with_predecessor(past):
            mine, theirs = units_of(past, ground.rules), units_of(other, ground.rules)
            both = smaller(mine.left, theirs.left)
            names = other.order.name
            yield (
                accuse(
                    past,
                    Charge.TWIN,
                    theirs.value(theirs.left, other.order.currency),
                    f"{past.order.name} replaces {names}, and both left."
                    + (f" Sent in both: {mine.say(both)}." if both else ""),
                    (
                        f"Why it replaces it: {evidence}.",
                        f"{names} left: {theirs.say(theirs.left)} ({_references(other.goods_outs)}).",
                        f"{past.order.name} left: {mine.say(mine.left)} ({_references(past.goods_outs)}).",
                    ),
                    f"{names} recalled first; {past.order.name} released only once the warehouse confirmed it. Had "
                    f"{names} been picked by then: DUPLICATE_SUSPECTED for ops.",
                    subject=names,
                ),
                other.order.id,
            )


def _fate(goods_outs: Sequence[GoodsOut]) -> KinFate:
    if any(g.despatched for g in goods_outs):
        return KinFate.DESPATCHED
    live = [g for g in goods_outs if g.stage is not Stage.CANCELLED]
    if not goods_outs:
        return KinFate.NEVER_SENT
    if not live:
        return KinFate.RECALLED
    return KinFate.PICKING if any(g.picked for g in live) else KinFate.LIVE


def _references(goods_outs: Sequence[GoodsOut]) -> str:
    return ", ".join(g.reference for g in goods_outs)


def group_by_shop(orders: Sequence[PastOrder]) -> Mapping[str, list[PastOrder]]:
    """Return the orders of each shop, in their order."""
    found: dict[str, list[PastOrder]] = {}
    for past in orders:
        found.setdefault(past.shop, []).append(past)
    return found
