"""Does this concern a warehouse at all? What does not is ignored by a named rule, never by accident."""

from __future__ import annotations

from dataclasses import dataclass

from pickgate.domain.policy import Policy
from pickgate.domain.shop import DeliveryMethod, FulfilmentOrder, Line, ShopOrder


@dataclass(frozen=True, slots=True)
class NotOurs:
    """A named rule says no. `text` is for people."""

    rule: str
    text: str


_METHODS = {
    DeliveryMethod.PICK_UP: NotOurs("local_pickup", "The customer collects it."),
    DeliveryMethod.LOCAL: NotOurs("local_delivery", "The shop delivers it itself."),
    DeliveryMethod.RETAIL: NotOurs("point_of_sale", "Handed over at the till."),
    DeliveryMethod.NONE: NotOurs("no_delivery", "Nothing is delivered."),
}


def decide_order_eligibility(order: ShopOrder, policy: Policy) -> NotOurs | None:
    """Decide whether the order as a whole is none of the warehouse's business."""
    if order.test and not policy.ship_test_orders:
        return NotOurs("test_order", "A test order is never sent.")
    if order.lines and not any(decide_line_eligibility(line) is None for line in order.lines):
        return NotOurs("nothing_to_ship", "No line needs shipping (gift cards, digital goods, tips).")
    return None


def decide_line_eligibility(line: Line) -> NotOurs | None:
    """Decide whether one line is none of the warehouse's business."""
    if line.is_gift_card:
        return NotOurs("gift_card", f"{line.title} is a gift card.")
    if not line.requires_shipping:
        return NotOurs("not_shipped", f"{line.title} needs no shipping.")
    return None


def decide_fulfilment_order_eligibility(fulfilment_order: FulfilmentOrder) -> NotOurs | None:
    """Decide whether a fulfilment order is handed over without the warehouse. An unknown method is not ignored."""
    return _METHODS.get(fulfilment_order.method)
