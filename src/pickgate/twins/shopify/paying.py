"""Payments: authorise, capture, pay what is due, and give money back."""

from __future__ import annotations

from decimal import Decimal

from pickgate.twins.shopify import totals
from pickgate.twins.shopify.catalogue import App
from pickgate.twins.shopify.model import Order, Refused
from pickgate.twins.shopify.money import ZERO, money
from pickgate.twins.shopify.money_model import Transaction
from pickgate.twins.shopify.state import ShopState


def transact(
    shop: ShopState,
    order: Order,
    kind: str,
    amount: Decimal,
    parent: Transaction | None = None,
) -> Transaction:
    """Book one successful transaction, without record or webhook of the order."""
    transaction = Transaction(
        id=shop.mint.gid("OrderTransaction"),
        order=order,
        kind=kind,
        amount=amount,
        gateway=order.gateway,
        created_at=shop.stamp(),
        parent_transaction=parent,
    )
    order.transactions.append(transaction)
    shop.things[transaction.id] = transaction
    return transaction


def pay_at_placement(shop: ShopState, order: Order, financial_status: str) -> None:
    total = totals.current_total(order)
    match financial_status:
        case "PAID":
            if total:
                transact(shop, order, "SALE", total)
        case "AUTHORIZED":
            transact(shop, order, "AUTHORIZATION", total)
        case "PARTIALLY_PAID":
            transact(shop, order, "SALE", money(total / 2))
        case "PENDING":
            pass
        case _:
            raise Refused(f"No order is placed as {financial_status}.")


def authorize(shop: ShopState, order: Order | str, amount: Decimal | str | int | None = None) -> Transaction:
    """Reserve money (all that is outstanding when no amount is given)."""
    shop.tick()
    order = shop.get_order(order)
    wanted = totals.outstanding(order) if amount is None else money(amount)
    transaction = transact(shop, order, "AUTHORIZATION", wanted)
    return _done(shop, order, transaction, None)


def capture(
    shop: ShopState,
    order: Order | str,
    amount: Decimal | str | int | None = None,
    *,
    app: App | None = None,
) -> Transaction:
    """Take authorised money: at most what was authorised, by default what the order is worth now."""
    shop.tick()
    order = shop.get_order(order)
    available = totals.capturable(order)
    if not available:
        raise Refused("The order has no authorization to capture.")
    wanted = min(available, totals.outstanding(order)) if amount is None else money(amount)
    if wanted <= ZERO or wanted > available:
        raise Refused("The amount exceeds the authorized amount.")
    parent = next(t for t in order.transactions if t.kind == "AUTHORIZATION")
    return _done(shop, order, transact(shop, order, "CAPTURE", wanted, parent), app)


def mark_paid(shop: ShopState, order: Order | str, *, app: App | None = None) -> Transaction:
    """Someone says it is paid: all that is outstanding, by hand."""
    return pay_outstanding(shop, order, app=app)


def pay_outstanding(
    shop: ShopState,
    order: Order | str,
    amount: Decimal | str | int | None = None,
    *,
    app: App | None = None,
) -> Transaction:
    """The customer pays an invoice: all that is due, or a part."""
    shop.tick()
    order = shop.get_order(order)
    due = totals.outstanding(order) - totals.capturable(order)
    wanted = due if amount is None else money(amount)
    if wanted <= ZERO:
        raise Refused("Nothing is outstanding.")
    order.payment_pending = False
    return _done(shop, order, transact(shop, order, "SALE", wanted), app)


def begin_pending_payment(shop: ShopState, order: Order | str) -> None:
    """A payment hangs (a pending transaction): no app reverses an unpaid edit meanwhile."""
    shop.get_order(order).payment_pending = True


def void(shop: ShopState, order: Order) -> None:
    """Let an authorisation go."""
    open_amount = totals.capturable(order)
    if open_amount:
        parent = next(t for t in order.transactions if t.kind == "AUTHORIZATION")
        transact(shop, order, "VOID", open_amount, parent)


def _done(shop: ShopState, order: Order, transaction: Transaction, app: App | None) -> Transaction:
    status = totals.financial_status(order)
    shop.record(
        "payment",
        order,
        transaction=transaction.kind,
        amount=str(transaction.amount),
        financial_status=status,
        by=app.title if app else "customer",
    )
    paid = status == "PAID" and transaction.kind in ("SALE", "CAPTURE")
    shop.touch(order, *(["orders/paid"] if paid else []))
    return transaction
