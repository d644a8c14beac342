"""The signed ledger: placements, edits, refunds and returns as agreements whose sales add up to the order's total."""

from __future__ import annotations

from decimal import Decimal

from pickgate.twins.shopify.catalogue import App
from pickgate.twins.shopify.model import LineItem, Order, ShippingLine
from pickgate.twins.shopify.money import ZERO
from pickgate.twins.shopify.money_model import Agreement, Refund, Return, Sale
from pickgate.twins.shopify.state import ShopState

_TYPES = {
    "ORDER": "OrderAgreement",
    "ORDER_EDIT": "OrderEditAgreement",
    "REFUND": "RefundAgreement",
    "RETURN": "ReturnAgreement",
}


class Standing:
    """What an order was worth at one moment, part by part. Empty for an order that is being placed."""

    def __init__(self, order: Order | None = None) -> None:
        self.lines: dict[str, tuple[int, Decimal, Decimal, Decimal]] = {}
        self.shipping: dict[str, tuple[Decimal, Decimal]] = {}
        self.adjustments = ZERO
        self.extras: tuple[Decimal, Decimal] = (ZERO, ZERO)
        if order is None:
            return
        for line in order.line_items:
            self.lines[line.id] = _worth(line)
        for shipping in order.shipping_lines:
            self.shipping[shipping.id] = _shipping_worth(shipping)
        self.adjustments = order.adjustments
        self.extras = (order.duties or ZERO, order.additional_fees or ZERO)


def agree(
    shop: ShopState,
    order: Order,
    reason: str,
    before: Standing,
    *,
    app: App | None,
    refund: Refund | None = None,
    return_: Return | None = None,
) -> Agreement:
    """Book the difference between `before` and now. `reason`: ORDER, ORDER_EDIT, REFUND or RETURN."""
    agreement = Agreement(
        TYPENAME=_TYPES[reason],
        id=shop.mint.gid("SalesAgreement"),
        reason=reason,
        happened_at=shop.stamp(),
        app=app,
        refund=refund,
        return_=return_,
    )
    for line in order.line_items:
        then = before.lines.get(line.id, (0, ZERO, ZERO, ZERO))
        now = _worth(line)
        if now != then:
            agreement.sales.append(_line_sale(shop, line, then, now))
    for shipping in order.shipping_lines:
        was = before.shipping.get(shipping.id, (ZERO, ZERO))
        is_ = _shipping_worth(shipping)
        if is_ != was:
            agreement.sales.append(_shipping_sale(shop, shipping, was, is_))
    extras = (order.duties or ZERO, order.additional_fees or ZERO)
    for kind, line_type, now_, then_ in (
        ("DutySale", "DUTY", extras[0], before.extras[0]),
        ("AdditionalFeeSale", "ADDITIONAL_FEE", extras[1], before.extras[1]),
        ("AdjustmentSale", "ADJUSTMENT", order.adjustments, before.adjustments),
    ):
        if now_ != then_:
            agreement.sales.append(_other_sale(shop, order, kind, line_type, now_ - then_))
    order.agreements.append(agreement)
    return agreement


def _worth(line: LineItem) -> tuple[int, Decimal, Decimal, Decimal]:
    units = line.current_quantity
    return units, line.total(units), line.tax(units), line.discount_on(units)


def _shipping_worth(line: ShippingLine) -> tuple[Decimal, Decimal]:
    return line.total(line.current), line.tax(line.current)


def _line_sale(
    shop: ShopState,
    line: LineItem,
    then: tuple[int, Decimal, Decimal, Decimal],
    now: tuple[int, Decimal, Decimal, Decimal],
) -> Sale:
    units = now[0] - then[0]
    typename, line_type = "ProductSale", "PRODUCT"
    if line.is_tip:
        typename, line_type = "TipSale", "TIP"
    elif line.is_gift_card:
        typename, line_type = "GiftCardSale", "GIFT_CARD"
    return Sale(
        TYPENAME=typename,
        id=shop.mint.gid("Sale"),
        order=line.order,
        action_type="ORDER" if units > 0 else "RETURN" if units < 0 else "UPDATE",
        line_type=line_type,
        quantity=units,
        total_amount=now[1] - then[1],
        total_tax_amount=now[2] - then[2],
        total_discount_amount_after_taxes=now[3] - then[3],
        line_item=line,
    )


def _shipping_sale(
    shop: ShopState, line: ShippingLine, was: tuple[Decimal, Decimal], is_: tuple[Decimal, Decimal]
) -> Sale:
    amount = is_[0] - was[0]
    return Sale(
        TYPENAME="ShippingLineSale",
        id=shop.mint.gid("Sale"),
        order=line.order,
        action_type="ORDER" if amount > 0 else "RETURN",
        line_type="SHIPPING",
        quantity=None,
        total_amount=amount,
        total_tax_amount=is_[1] - was[1],
        shipping_line=line,
    )


def _other_sale(shop: ShopState, order: Order, typename: str, line_type: str, amount: Decimal) -> Sale:
    return Sale(
        TYPENAME=typename,
        id=shop.mint.gid("Sale"),
        order=order,
        action_type="ORDER" if amount > 0 else "RETURN",
        line_type=line_type,
        quantity=None,
        total_amount=amount,
    )
