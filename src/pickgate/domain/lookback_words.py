"""What Pickgate would have decided, in one sentence that a person of the team can check."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pickgate.domain.findings import CODES
from pickgate.domain.ledger_facts import OrderMoney, Why
from pickgate.domain.lookback import PastOrder
from pickgate.domain.policy import Policy
from pickgate.domain.rules import Found, Place, Rules
from pickgate.domain.shop import ShopOrder

MOMENT = "%d %b %H:%M"


def release_at(order: ShopOrder, policy: Policy) -> datetime:
    """When the edit window of this order was over: the earliest moment of its release."""
    window = policy.window
    ends = [order.created_at + window.edit_window + window.guard, order.created_at + window.min_age]
    if order.cutoff_at is not None:
        ends.append(order.cutoff_at + window.guard)
    return max(ends)


def edits_of(past: PastOrder) -> tuple[datetime, ...]:
    """When the order's value was agreed anew by an edit, oldest first; nothing when its money was not read."""
    if not isinstance(past.money, OrderMoney):
        return ()
    return tuple(sorted(one.at for one in past.money.agreements if one.why is Why.EDIT))


def say_followed(past: PastOrder, policy: Policy) -> str:
    """What would have become of the edits: one release of the final lines, or a recall and a reissue."""
    release = release_at(past.order, policy)
    edits = edits_of(past)
    late = [at for at in edits if at > release]
    if not edits:
        return f"Released once, with the final lines, not before {release:{MOMENT}}; a later change followed."
    if not late:
        return (
            f"Held until {release:{MOMENT}}, when the edit of {edits[-1]:{MOMENT}} was already made: "
            "released once, with the final lines."
        )
    due = CODES["LATE_EDIT"].due_in
    return (
        f"The edit of {late[0]:{MOMENT}} came after the release of {release:{MOMENT}}: recalled and reissued with the "
        f"final lines; had picking begun, LATE_EDIT for cx, due within {int(due.total_seconds() // 60)} minutes."
    )


def say_place(order: ShopOrder, rules: Rules, shop: str) -> str:
    """Where the order would have gone: "ACME/MAIN"; empty when no row says."""
    places: list[str] = []
    for share in order.fulfilment_orders:
        answer = rules.place(shop=shop, location_id=share.location_id, location_name=share.location_name)
        if isinstance(answer, Found) and isinstance(answer.value, Place):
            places.append(f"{answer.value.account}/{answer.value.warehouse}")
    return " and ".join(dict.fromkeys(places))


def say_references(references: Sequence[str]) -> str:
    return ", ".join(references) if references else "no goods-out"
