"""Refunds and the cancellation of whole orders."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pickgate.twins.shopify import totals
from pickgate.twins.shopify.catalogue import App, Location
from pickgate.twins.shopify.ledger import Standing, agree
from pickgate.twins.shopify.model import LineItem, Order, Refused
from pickgate.twins.shopify.money import ZERO, money
from pickgate.twins.shopify.money_model import (
    OrderAdjustment,
    Refund,
    RefundLineItem,
    RefundShippingLine,
    Return,
)
from pickgate.twins.shopify.paying import transact, void
from pickgate.twins.shopify.payloads import refund_body
from pickgate.twins.shopify.routing import (
    close,
    describe,
    take_units,
)
from pickgate.twins.shopify.state import ShopState, lines_of
from pickgate.twins.shopify.stock import put_back

RefundLines = Mapping[str, tuple[int, str]]
"""Units and restock type (CANCEL, RETURN, NO_RESTOCK) by line item id."""


def refund(
    shop: ShopState,
    order: Order | str,
    lines: RefundLines | None = None,
    *,
    shipping: Decimal | str | int = 0,
    amount: Decimal | str | int | None = None,
    note: str | None = None,
    app: App | None = None,
    location: Location | None = None,
    return_: Return | None = None,
) -> Refund:
    """
    Refund units, shipping, or money alone.

    Args:
        shipping: price of shipping to give back, before any tax on top.
        amount: money to give back; None: what the units and shipping were worth, as far as it was received.

    An amount that differs from that worth is booked as an adjustment. Raises Refused; nothing has changed then.
    """
    shop.tick()
    order = shop.get_order(order)
    wanted = dict(lines or {})
    _check(order, wanted)
    if money(shipping) > totals.current_shipping(order):
        raise Refused("Shipping refund exceeds what is left of shipping.", field=["shipping"])
    available = totals.net_payment(order)
    if amount is not None and money(amount) > available:
        raise Refused("Refund amount exceeds the amount received.", field=["transactions"])
    before, lines_before, worth_before = Standing(order), lines_of(order), totals.current_total(order)
    made = _new_refund(shop, order, note, return_)
    for line_id, (units, restock_type) in wanted.items():
        line = order.line(line_id)
        assert line is not None
        made.refund_line_items.append(_refund_line(shop, order, line, units, restock_type, location))
    _refund_shipping(shop, made, money(shipping))
    worth = worth_before - totals.current_total(order)
    given = min(worth, available) if amount is None else money(amount)
    if amount is not None and given != worth and return_ is None:
        order.adjustments += worth - given
        made.order_adjustments.append(
            OrderAdjustment(id=shop.mint.gid("OrderAdjustment"), order=order, amount=worth - given)
        )
    _pay_back(shop, made, given)
    agree(shop, order, "REFUND", before, app=app, refund=made)
    shop.record(
        "refunded",
        order,
        refund_id=made.id,
        lines_before=lines_before,
        refunded=[[r.line_item.id, r.quantity, r.restock_type] for r in made.refund_line_items],
        amount=str(given),
        total=str(totals.current_total(order)),
        fulfillment_orders=[describe(fo) for fo in order.fulfillment_orders],
        by=app.title if app else "admin",
    )
    shop.touch(order)
    shop.hooks.announce(["refunds/create"], lambda: refund_body(made))
    return made


def _check(order: Order, wanted: RefundLines) -> None:
    for line_id, (units, restock_type) in wanted.items():
        line = order.line(line_id)
        if line is None:
            raise Refused("The line item does not exist on the order.", field=["refundLineItems"])
        if units < 1 or units > line.refundable_quantity:
            raise Refused("Refund quantity exceeds the refundable quantity.", field=["refundLineItems"])
        if restock_type == "CANCEL" and units > line.unfulfilled_quantity:
            raise Refused("Only unfulfilled units can be cancelled.", field=["refundLineItems"])
        if restock_type == "RETURN" and units > line.fulfilled - line.returned:
            raise Refused("Only fulfilled units can be returned.", field=["refundLineItems"])


def _new_refund(shop: ShopState, order: Order, note: str | None, return_: Return | None) -> Refund:
    now = shop.stamp()
    made = Refund(
        id=shop.mint.gid("Refund"),
        order=order,
        created_at=now,
        updated_at=now,
        note=note,
        total_refunded=ZERO,
        return_=return_,
    )
    order.refunds.append(made)
    shop.things[made.id] = made
    return made


def _pay_back(shop: ShopState, made: Refund, given: Decimal) -> None:
    if given > ZERO:
        parent = next(t for t in made.order.transactions if t.kind in ("SALE", "CAPTURE"))
        made.transactions.append(transact(shop, made.order, "REFUND", given, parent))
        made.total_refunded = given


def _refund_line(
    shop: ShopState,
    order: Order,
    line: LineItem,
    units: int,
    restock_type: str,
    location: Location | None,
) -> RefundLineItem:
    then = line.current_quantity
    subtotal, tax = line.net(then) - line.net(then - units), line.tax(then) - line.tax(then - units)
    where = location or line.location
    if restock_type == "CANCEL":
        take_units(shop, order, line, units, restock=True)
        line.removed += units
    elif restock_type == "RETURN":
        line.returned += units
        if where is not None:
            put_back(shop, line, where, units)
    elif shop.knobs.no_restock_lowers_fulfillment_order and units <= line.unfulfilled_quantity:
        take_units(shop, order, line, units, restock=False)
        line.removed += units
    else:
        line.refunded_kept += units
    return RefundLineItem(
        id=shop.mint.gid("RefundLineItem"),
        order=order,
        line_item=line,
        quantity=units,
        restock_type=restock_type,
        restocked=restock_type != "NO_RESTOCK",
        location=where if restock_type != "NO_RESTOCK" else None,
        subtotal=subtotal,
        total_tax=tax,
    )


def _refund_shipping(shop: ShopState, made: Refund, left: Decimal) -> None:
    for line in made.order.shipping_lines:
        part = min(left, line.current)
        if part <= ZERO:
            continue
        tax = line.tax(line.current) - line.tax(line.current - part)
        line.refunded += part
        left -= part
        made.refund_shipping_lines.append(
            RefundShippingLine(
                id=shop.mint.gid("RefundShippingLine"),
                order=made.order,
                shipping_line=line,
                subtotal_amount=part,
                tax_amount=tax,
            )
        )


def cancel_order(
    shop: ShopState,
    order: Order | str,
    *,
    reason: str = "CUSTOMER",
    restock: bool = True,
    refund: bool = True,
    staff_note: str | None = None,
    app: App | None = None,
) -> Order:
    """
    Cancel an order, for good.

    All its units leave it, its fulfilment orders close, an authorisation is voided, received money goes back (with
    `refund`). Raises Refused when it is cancelled already, has fulfilments that stand, or an active return.
    """
    shop.tick()
    order = shop.get_order(order)
    check_cancellable(order)
    before, lines_before = Standing(order), lines_of(order)
    taken: list[tuple[LineItem, int, Decimal, Decimal]] = []
    for line in order.line_items:
        units = line.current_quantity
        if not units and not line.refunded_kept:
            continue
        taken.append((line, units, line.net(units), line.tax(units)))
        if line.is_tip:
            line.removed += units
            continue
        take_units(shop, order, line, line.unfulfilled_quantity, restock=restock)
        line.removed += units + line.refunded_kept
        line.refunded_kept = 0
    for fo in order.fulfillment_orders:
        if fo.active:
            for part in fo.line_items:
                part.total_quantity = part.remaining_quantity = 0
            close(shop, fo)
    for shipping in order.shipping_lines:
        shipping.refunded += shipping.current
    order.duties = None if order.duties is None else ZERO
    order.additional_fees = None if order.additional_fees is None else ZERO
    order.adjustments = ZERO
    void(shop, order)
    received = totals.net_payment(order)
    made = None
    if refund and received > ZERO:
        made = _new_refund(shop, order, staff_note, None)
        for line, units, subtotal, tax in taken:
            if not units:
                continue
            made.refund_line_items.append(
                RefundLineItem(
                    id=shop.mint.gid("RefundLineItem"),
                    order=order,
                    line_item=line,
                    quantity=units,
                    restock_type="CANCEL" if restock else "NO_RESTOCK",
                    restocked=restock,
                    location=line.location,
                    subtotal=subtotal,
                    total_tax=tax,
                )
            )
        _pay_back(shop, made, received)
    order.cancelled_at, order.cancel_reason = shop.stamp(), reason
    order.cancel_note = staff_note
    order.closed, order.closed_at = True, order.cancelled_at
    order.merchant_editable = False
    agree(shop, order, "REFUND" if made else "ORDER_EDIT", before, app=app, refund=made)
    shop.record(
        "order_cancelled",
        order,
        reason=reason,
        restock=restock,
        refunded=str(made.total_refunded) if made else "0.00",
        lines_before=lines_before,
        by=app.title if app else "admin",
    )
    shop.touch(order, "orders/cancelled")
    if made:
        shop.hooks.announce(["refunds/create"], lambda: refund_body(made))
    return order


def check_cancellable(order: Order) -> None:
    """Raises Refused (code INVALID) with the reason why an order cannot be cancelled."""
    if order.cancelled_at:
        raise Refused("Order has already been cancelled", code="INVALID", field=["orderId"])
    if any(f.status == "SUCCESS" for f in order.fulfillments):
        raise Refused(
            "Cannot cancel an order that has outstanding fulfillments",
            code="INVALID",
            field=["orderId"],
        )
    if any(r.status == "OPEN" for r in order.returns):
        raise Refused("Cannot cancel an order with active returns", code="INVALID", field=["orderId"])
