"""Shopify's money -> the ledger's facts, pure. A cell that cannot be booked is refused by name, never mended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictBool, StrictInt, StrictStr

from pickgate.connectors.shopify.errors import PayloadUnreadable
from pickgate.connectors.shopify.incoming import parse_gid, parse_shape
from pickgate.connectors.shopify.wire import Amount, Gid, Instant, PageInfo, Ref, Text
from pickgate.domain.ledger_facts import (
    Agreement,
    Amounts,
    LineKind,
    MoneyTotals,
    OrderMoney,
    Payment,
    Sale,
    Unusable,
    Why,
)
from pickgate.domain.money import Money, parse_money

_AMOUNT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MOST_MINOR = 10**15
"""Ten thousand milliards: beyond it a figure is a mistake, and a spreadsheet rounds it."""

_KIND = {
    "PRODUCT": LineKind.GOODS,
    "SHIPPING": LineKind.SHIPPING,
    "TIP": LineKind.TIP,
    "GIFT_CARD": LineKind.GIFT_CARD,
    "DUTY": LineKind.DUTY,
    "FEE": LineKind.FEE,
    "ADDITIONAL_FEE": LineKind.ADDITIONAL_FEE,
    "ADJUSTMENT": LineKind.ADJUSTMENT,
}
_WHY = {"ORDER": Why.SALE, "ORDER_EDIT": Why.EDIT, "REFUND": Why.REFUND, "RETURN": Why.RETURN}
# What moves money, with its sign; the rest only reserves it, frees it, or was never carried out.
_MOVES = {"SALE": 1, "CAPTURE": 1, "REFUND": -1, "CHANGE": -1}
_MOVES_NOT = frozenset({"AUTHORIZATION", "EMV_AUTHORIZATION", "VOID", "SUGGESTED_REFUND"})
_ASK = "Look at the order again; if it stays, book it by hand and resolve this with your reason."


class Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Bag(Wire):
    shopMoney: Amount
    presentmentMoney: Amount


class SaleShape(Wire):
    id: Gid
    lineType: StrictStr
    quantity: StrictInt | None
    totalAmount: Bag
    totalTaxAmount: Bag
    totalDiscountAmountBeforeTaxes: Bag
    lineItem: Ref | None = None


class Sales(Wire):
    nodes: list[SaleShape]
    pageInfo: PageInfo


class AgreementShape(Wire):
    id: Gid
    happenedAt: Instant
    reason: StrictStr
    sales: Sales


class Agreements(Wire):
    nodes: list[AgreementShape]
    pageInfo: PageInfo


class Transaction(Wire):
    id: Gid
    kind: StrictStr
    status: StrictStr
    test: StrictBool
    gateway: Text | None
    processedAt: Instant | None
    createdAt: Instant
    amountSet: Bag


class MoneyShape(Wire):
    id: Gid
    name: Text
    updatedAt: Instant
    currencyCode: StrictStr
    presentmentCurrencyCode: StrictStr
    taxesIncluded: StrictBool
    currentTotalPriceSet: Bag
    currentTotalTaxSet: Bag
    currentShippingPriceSet: Bag
    currentTotalDutiesSet: Bag | None
    currentTotalAdditionalFeesSet: Bag | None
    totalReceivedSet: Bag
    totalRefundedSet: Bag
    totalOutstandingSet: Bag
    agreements: Agreements
    transactions: list[Transaction]


class _CellRefused(Exception):
    def __init__(self, unusable: Unusable) -> None:
        super().__init__(unusable.problem)
        self.unusable = unusable


def parse_order_money(raw: Mapping[str, Any], *, read_at: datetime) -> OrderMoney | Unusable:
    """
    Turn one completely read order into the ledger's facts.

    Returns Unusable for a cell whose value cannot be booked. Raises PayloadUnreadable for an answer of another shape,
    or one that is not complete: half an order's money must never look like the whole.
    """
    shape = parse_shape(MoneyShape, raw, what="order")
    if shape.agreements.pageInfo.hasNextPage or any(a.sales.pageInfo.hasNextPage for a in shape.agreements.nodes):
        raise PayloadUnreadable("order.agreements", "is not complete")
    try:
        return _order(shape, read_at)
    except _CellRefused as refused:
        return refused.unusable


def _order(shape: MoneyShape, read_at: datetime) -> OrderMoney:
    fees, duties = shape.currentTotalAdditionalFeesSet, shape.currentTotalDutiesSet
    return OrderMoney(
        order_id=parse_gid(shape.id, "Order"),
        name=shape.name,
        read_at=read_at,
        currency=shape.currencyCode,
        presentment=shape.presentmentCurrencyCode,
        taxes_included=shape.taxesIncluded,
        totals=MoneyTotals(
            current=_both(shape.currentTotalPriceSet, "currentTotalPriceSet"),
            received=_both(shape.totalReceivedSet, "totalReceivedSet"),
            refunded=_both(shape.totalRefundedSet, "totalRefundedSet"),
            outstanding=_both(shape.totalOutstandingSet, "totalOutstandingSet"),
            tax=_both(shape.currentTotalTaxSet, "currentTotalTaxSet"),
            shipping=_both(shape.currentShippingPriceSet, "currentShippingPriceSet"),
            duty=None if duties is None else _both(duties, "currentTotalDutiesSet"),
            additional_fee=None if fees is None else _both(fees, "currentTotalAdditionalFeesSet"),
        ),
        agreements=tuple(_agreement(one) for one in shape.agreements.nodes),
        payments=tuple(p for p in (_payment(one) for one in shape.transactions) if p is not None),
    )


def _agreement(shape: AgreementShape) -> Agreement:
    return Agreement(
        id=shape.id.rpartition("/")[2],
        why=_WHY.get(shape.reason, Why.UNRECOGNISED),
        at=shape.happenedAt,
        sales=tuple(_sale(one) for one in shape.sales.nodes),
    )


def _sale(shape: SaleShape) -> Sale:
    number = shape.id.rpartition("/")[2]
    where = f"sales.{number}"
    return Sale(
        id=number,
        kind=_KIND.get(shape.lineType, LineKind.UNRECOGNISED),
        total=_both(shape.totalAmount, f"{where}.totalAmount"),
        tax=_both(shape.totalTaxAmount, f"{where}.totalTaxAmount"),
        discount=_both(shape.totalDiscountAmountBeforeTaxes, f"{where}.totalDiscountAmountBeforeTaxes"),
        line_id=None if shape.lineItem is None else parse_gid(shape.lineItem.id, "LineItem"),
        units=_units(shape.quantity, f"{where}.quantity"),
    )


def _payment(shape: Transaction) -> Payment | None:
    """A transaction that moved money; None for one that did not."""
    number = shape.id.rpartition("/")[2]
    if shape.status != "SUCCESS" or shape.kind in _MOVES_NOT:
        return None
    sign = _MOVES.get(shape.kind)
    if sign is None:
        problem = "A payment of this kind is not known, and may have moved money."
        raise _CellRefused(
            Unusable(where=f"transactions.{number}.kind", value=shape.kind[:60], problem=problem, remedy=_ASK)
        )
    amount = _both(shape.amountSet, f"transactions.{number}.amountSet")
    return Payment(
        id=number,
        at=shape.processedAt or shape.createdAt,
        amount=amount if sign > 0 else -amount,
        means=shape.gateway or "",
    )


def _units(quantity: int | None, where: str) -> int:
    if quantity is not None and abs(quantity) >= 2**31:
        raise _CellRefused(
            Unusable(where=where, value=str(quantity)[:60], problem="No order has so many units.", remedy=_ASK)
        )
    return quantity or 0


def _both(bag: Bag, where: str) -> Amounts:
    return Amounts(
        _money(bag.shopMoney, f"{where}.shopMoney"), _money(bag.presentmentMoney, f"{where}.presentmentMoney")
    )


def _money(amount: Amount, where: str) -> Money:
    if not _CURRENCY.fullmatch(amount.currencyCode):
        problem = "This is not a currency code of three capitals."
        raise _CellRefused(
            Unusable(where=f"{where}.currencyCode", value=amount.currencyCode[:60], problem=problem, remedy=_ASK)
        )
    if _AMOUNT.fullmatch(amount.amount):
        money = parse_money(amount.amount, amount.currencyCode)
        if abs(money.minor) < _MOST_MINOR:
            return money
    problem = "This is not an amount of money."
    raise _CellRefused(Unusable(where=f"{where}.amount", value=amount.amount[:60], problem=problem, remedy=_ASK))
