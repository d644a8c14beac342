"""The sums of an order, derived from its lines, shipping, payments and refunds each time they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pickgate.twins.shopify.model import Order
from pickgate.twins.shopify.money import ZERO


def total_of(order: Order, name: str) -> Any:
    """One of the sums below by name, remembered until the order's next change."""
    value = order.cache.get(name)
    if value is None:
        value = order.cache[name] = SUMS[name](order)
    return value


def current_subtotal(order: Order) -> Decimal:
    return sum((line.net(line.current_quantity) for line in order.line_items if not line.is_tip), ZERO)


def current_tax(order: Order) -> Decimal:
    lines = sum((line.tax(line.current_quantity) for line in order.line_items), ZERO)
    return lines + sum((line.tax(line.current) for line in order.shipping_lines), ZERO)


def current_shipping(order: Order) -> Decimal:
    return sum((line.current for line in order.shipping_lines), ZERO)


def current_discounts(order: Order) -> Decimal:
    lines = sum((line.discount_on(line.current_quantity) for line in order.line_items), ZERO)
    shipping = (line.discount for line in order.shipping_lines if not line.is_removed)
    return lines + sum(shipping, ZERO)


def tips(order: Order) -> Decimal:
    return sum((line.net(line.quantity) for line in order.line_items if line.is_tip), ZERO)


def current_total(order: Order) -> Decimal:
    """What the order is worth now. Equals the sum of all sales of all agreements."""
    lines = sum((line.total(line.current_quantity) for line in order.line_items), ZERO)
    shipping = sum((line.total(line.current) for line in order.shipping_lines), ZERO)
    extras = (order.duties or ZERO) + (order.additional_fees or ZERO)
    return lines + shipping + extras + order.adjustments


def received(order: Order) -> Decimal:
    return _sum(order, "SALE", "CAPTURE")


def refunded(order: Order) -> Decimal:
    return _sum(order, "REFUND")


def net_payment(order: Order) -> Decimal:
    return received(order) - refunded(order)


def outstanding(order: Order) -> Decimal:
    """Positive: the customer owes. Negative: owed to the customer."""
    return current_total(order) - net_payment(order)


def capturable(order: Order) -> Decimal:
    """What is authorised and neither captured nor voided."""
    if any(t.kind == "VOID" for t in order.transactions):
        return ZERO
    return max(_sum(order, "AUTHORIZATION") - _sum(order, "CAPTURE"), ZERO)


def units(order: Order) -> int:
    return sum(line.current_quantity for line in order.line_items if not line.is_tip)


def financial_status(order: Order) -> str:
    """displayFinancialStatus, from the payments alone."""
    paid, back = received(order), refunded(order)
    if paid:
        if back >= paid:
            return "REFUNDED"
        if back:
            return "PARTIALLY_REFUNDED"
        return "PARTIALLY_PAID" if current_total(order) > paid else "PAID"
    if any(t.kind == "VOID" for t in order.transactions):
        return "VOIDED"
    if capturable(order):
        return "AUTHORIZED"
    if order.cancelled_at:
        return "VOIDED"
    return "PAID" if current_total(order) <= 0 else "PENDING"


def fulfillment_status(order: Order) -> str:
    """displayFulfillmentStatus: for people to read, not to decide by."""
    lines = [line for line in order.line_items if not line.is_tip]
    shipped = any(line.fulfilled for line in lines)
    open_units = any(line.unfulfilled_quantity for line in lines)
    if shipped:
        return "PARTIALLY_FULFILLED" if open_units else "FULFILLED"
    statuses = {fo.status for fo in order.fulfillment_orders if fo.active}
    for status in ("IN_PROGRESS", "ON_HOLD", "SCHEDULED"):
        if status in statuses:
            return status
    return "UNFULFILLED"


def return_status(order: Order) -> str:
    statuses = {r.status for r in order.returns}
    if "REQUESTED" in statuses:
        return "RETURN_REQUESTED"
    if "OPEN" in statuses:
        return "IN_PROGRESS"
    return "RETURNED" if "CLOSED" in statuses else "NO_RETURN"


def _sum(order: Order, *kinds: str) -> Decimal:
    return sum((t.amount for t in order.transactions if t.kind in kinds and t.status == "SUCCESS"), ZERO)


SUMS: dict[str, Callable[[Order], Any]] = {
    f.__name__: f
    for f in (
        current_subtotal,
        current_tax,
        current_shipping,
        current_discounts,
        tips,
        current_total,
        received,
        refunded,
        net_payment,
        outstanding,
        capturable,
        units,
        financial_status,
        fulfillment_status,
        return_status,
    )
}
