"""Money that an edit, a cancellation or a refund moved, and that was not settled, or that nothing explains."""

from __future__ import annotations

from collections.abc import Iterator

from pickgate.domain.ledger import build_ledger
from pickgate.domain.ledger_check import reconcile
from pickgate.domain.ledger_facts import OrderMoney, Unusable
from pickgate.domain.lookback import Accusation, Charge, Ground, PastOrder
from pickgate.domain.lookback_charges import accuse
from pickgate.domain.lookback_words import MOMENT, edits_of
from pickgate.domain.money import Money
from pickgate.domain.shop import ShopOrder

# An order that waits for its first payment, or was never to be paid up front, has not drifted.
_PAID_ONCE = frozenset({"PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "REFUNDED"})


def has_moved(order: ShopOrder) -> bool:
    """Say whether an order's money may have moved after the checkout: only then its agreements are worth reading."""
    totals = order.totals
    return order.edited or order.cancelled_at is not None or totals.refunded.minor != 0 or totals.outstanding.minor != 0


def decide_money(past: PastOrder, ground: Ground, *, replaced: bool) -> Iterator[Accusation]:
    """Accuse an order of what it still owes, what is still owed to the customer, and what no agreement explains.

    `replaced`: another order took its place, so what was paid went there.
    """
    order = past.order
    if order.test or not ground.is_settled(order):
        return
    totals = order.totals
    owed = totals.outstanding
    left = any(g.despatched for g in past.goods_outs) or any(not f.cancelled for f in order.fulfilments)
    told = tuple(f"Edited {at:{MOMENT}}." for at in edits_of(past))
    figures = (f"Total now {totals.current}, received {totals.received}, refunded {totals.refunded}.", *told)
    moved = order.edited or order.cancelled_at is not None
    if totals.refunded.minor > totals.received.minor:
        over = totals.refunded - totals.received
        yield accuse(
            past, Charge.MONEY, over, f"{over} more was refunded than received.", figures,
            "REFUND_OVER_CAPTURE for finance.", "refunded over received",
        )  # fmt: skip
    elif moved and owed.minor > 0 and left and order.financial_status in _PAID_ONCE:
        yield accuse(
            past, Charge.MONEY, owed, f"It was sent, and {owed} of the edited order is not paid.", figures,
            "Not released while the edit is unpaid: EDIT_UNPAID for cx.", "unpaid edit",
        )  # fmt: skip
    elif moved and owed.minor < 0 and not replaced:
        yield accuse(
            past, Charge.MONEY, -owed, f"{-owed} is owed to the customer.", figures,
            "Shown in the ledger as owed until it is given back; the month's report lists it.", "owed to the customer",
        )  # fmt: skip
    yield from _unexplained(past, figures)


def _unexplained(past: PastOrder, figures: tuple[str, ...]) -> Iterator[Accusation]:
    money = past.money
    if isinstance(money, OrderMoney):
        ledger = build_ledger(money)
        if not isinstance(ledger, Unusable):
            differences = reconcile(ledger, money)
            if differences:
                value = Money(abs(differences[0].amount.minor), differences[0].amount.currency)
                yield accuse(
                    past, Charge.MONEY, value, f"{differences[0]}.", (*map(str, differences), *figures),
                    "MONEY_UNEXPLAINED for finance, with the exact difference.", "not explained",
                )  # fmt: skip
            return
        money = ledger
    if isinstance(money, Unusable):
        yield accuse(
            past, Charge.MONEY, None, f"{money.where} holds {money.value!r}: {money.problem}", figures,
            "MONEY_UNEXPLAINED for finance.", "not explained",
        )  # fmt: skip
