"""Totals follow payments, edits and refunds; the agreements always add up to the order's current total."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest

from pickgate.twins.shopify import LineSpec, Order, Refused, ShippingSpec, totals
from twins.shopify_kit import Kit, fo_of, quantities


def ledger(order: Order) -> Decimal:
    return sum((sale.total_amount for a in order.agreements for sale in a.sales), Decimal("0.00"))


def state(order: Order) -> tuple[str, str, str]:
    """(financial status, current total, outstanding)."""
    return (
        totals.financial_status(order),
        str(totals.current_total(order)),
        str(totals.outstanding(order)),
    )


def test_paid_order_edited_up_is_partially_paid_until_the_invoice_is_paid() -> None:
    kit = Kit()
    order = kit.place(1)
    assert state(order) == ("PAID", "20.00", "0.00")
    kit.shop.edit_order(order, add_lines=[LineSpec(variant=kit.belt)])
    assert state(order) == ("PARTIALLY_PAID", "35.00", "15.00")
    kit.listen()
    kit.shop.pay_outstanding(order)
    assert state(order) == ("PAID", "35.00", "0.00")
    assert kit.topics() == ["orders/paid", "orders/updated"]
    with pytest.raises(Refused):
        kit.shop.pay_outstanding(order)


def test_edited_down_owes_the_customer_until_refunded() -> None:
    kit = Kit()
    order = kit.place(2)
    kit.shop.edit_order(order, set_quantities={order.line_items[0].id: 1})
    assert state(order) == ("PAID", "20.00", "-20.00")
    kit.shop.refund(order, amount="20.00")
    assert totals.financial_status(order) == "PARTIALLY_REFUNDED"


def test_authorised_then_edited_captures_no_more_than_authorised() -> None:
    kit = Kit()
    order = kit.place(1, financial_status="AUTHORIZED")
    assert state(order) == ("AUTHORIZED", "20.00", "20.00")
    kit.shop.edit_order(order, add_lines=[LineSpec(variant=kit.belt)])
    with pytest.raises(Refused):
        kit.shop.capture(order, "35.00")
    kit.shop.capture(order)
    assert state(order) == ("PARTIALLY_PAID", "35.00", "15.00")
    kit.shop.pay_outstanding(order)
    assert state(order) == ("PAID", "35.00", "0.00")


def test_authorised_and_edited_down_captures_what_it_is_worth() -> None:
    kit = Kit()
    order = kit.place(2, financial_status="AUTHORIZED")
    kit.shop.edit_order(order, set_quantities={order.line_items[0].id: 1})
    kit.shop.capture(order)
    assert state(order) == ("PAID", "20.00", "0.00")


@pytest.mark.parametrize(
    ("placed", "expected"),
    [("PAID", "REFUNDED"), ("AUTHORIZED", "VOIDED"), ("PENDING", "VOIDED")],
)
def test_cancelling_settles_the_money(placed: str, expected: str) -> None:
    kit = Kit()
    order = kit.place(1, financial_status=placed, shipping=ShippingSpec(price="3.95"))
    kit.shop.cancel_order(order)
    assert state(order) == (expected, "0.00", "0.00")
    assert ledger(order) == Decimal("0.00")


def test_pending_marked_paid() -> None:
    kit = Kit()
    order = kit.place(1, financial_status="PENDING")
    assert totals.financial_status(order) == "PENDING"
    kit.shop.mark_paid(order)
    assert totals.financial_status(order) == "PAID"


@pytest.mark.parametrize(
    ("restock_type", "lowers", "expected", "remaining"),
    [
        ("CANCEL", False, (3, 2, 2), 2),
        ("NO_RESTOCK", False, (3, 2, 3), 3),
        ("NO_RESTOCK", True, (3, 2, 2), 2),
    ],
)
def test_refund_of_unfulfilled_units(
    *, restock_type: str, lowers: bool, expected: tuple[int, int, int], remaining: int
) -> None:
    kit = Kit(no_restock_lowers_fulfillment_order=lowers)
    order = kit.place(3)
    line = order.line_items[0]
    kit.listen()
    refund = kit.shop.refund(order, {line.id: (1, restock_type)})
    assert (line.quantity, line.current_quantity, line.unfulfilled_quantity) == expected
    assert fo_of(order).remaining == remaining
    assert refund.total_refunded == Decimal("20.00")
    topics = [t for t in kit.topics() if not t.startswith("inventory")]
    assert topics == ["orders/updated", "refunds/create"]


def test_returned_units_go_back_on_the_shelf() -> None:
    kit = Kit()
    order = kit.place(2)
    kit.shop.create_fulfillment([(fo_of(order).id, [])])
    level = kit.shop.level_of(kit.shirt.inventory_item, kit.leeds)
    kit.shop.refund(order, {order.line_items[0].id: (1, "RETURN")})
    assert (level.count("available"), level.count("on_hand")) == (99, 99)
    with pytest.raises(Refused):
        kit.shop.refund(order, {order.line_items[0].id: (1, "CANCEL")})


def test_money_beyond_the_units_is_an_adjustment() -> None:
    kit = Kit()
    order = kit.place(2)
    refund = kit.shop.refund(order, {order.line_items[0].id: (1, "CANCEL")}, amount="25.00")
    assert [a.amount for a in refund.order_adjustments] == [Decimal("-5.00")]
    assert state(order) == ("PARTIALLY_REFUNDED", "15.00", "0.00")
    sales = order.agreements[-1].sales
    assert [(s.line_type, s.action_type, str(s.total_amount)) for s in sales] == [
        ("PRODUCT", "RETURN", "-20.00"),
        ("ADJUSTMENT", "RETURN", "-5.00"),
    ]
    with pytest.raises(Refused):
        kit.shop.refund(order, amount="15.01")


def test_agreements_sign_every_change() -> None:
    kit = Kit()
    order = kit.place(2, shipping=ShippingSpec(price="3.95"))
    shirt = order.line_items[0]
    kit.shop.edit_order(
        order,
        set_quantities={shirt.id: 1},
        add_lines=[LineSpec(variant=kit.belt)],
        change_shipping=ShippingSpec(title="Express", price="9.00"),
    )
    kit.shop.refund(order, {shirt.id: (1, "CANCEL")}, shipping="4.00")
    query = """query Q($id: ID!) { order(id: $id) { agreements(first: 9) { nodes { __typename reason
      ... on RefundAgreement { refund { id } }
      sales(first: 9) { nodes { __typename actionType lineType quantity totalAmount { shopMoney { amount } }
        ... on ProductSale { lineItem { sku } } } } } } } }"""
    nodes = kit.data(query, id=order.id)["order"]["agreements"]["nodes"]

    def brief(node: Any) -> Any:
        sales = [
            (s["lineType"], s["actionType"], s["quantity"], s["totalAmount"]["shopMoney"]["amount"])
            for s in node["sales"]["nodes"]
        ]
        return node["__typename"], node["reason"], sales

    assert [brief(node) for node in nodes] == [
        ("OrderAgreement", "ORDER", [("PRODUCT", "ORDER", 2, "40.0"), ("SHIPPING", "ORDER", None, "3.95")]),
        (
            "OrderEditAgreement",
            "ORDER_EDIT",
            [
                ("PRODUCT", "RETURN", -1, "-20.0"),
                ("PRODUCT", "ORDER", 1, "15.0"),
                ("SHIPPING", "RETURN", None, "-3.95"),
                ("SHIPPING", "ORDER", None, "9.0"),
            ],
        ),
        (
            "RefundAgreement",
            "REFUND",
            [("PRODUCT", "RETURN", -1, "-20.0"), ("SHIPPING", "RETURN", None, "-4.0")],
        ),
    ]
    assert nodes[2]["refund"] == {"id": order.refunds[0].id}
    assert ledger(order) == totals.current_total(order) == Decimal("20.00")


def test_two_currencies_and_tax_on_top() -> None:
    kit = Kit()
    order = kit.place(
        3,
        presentment_currency="EUR",
        presentment_rate="1.17",
        taxes_included=False,
        tax_rate="0.2",
        discount="10.00",
        discount_code="TEN",
        duties="4.00",
    )
    query = """query Q($id: ID!) { order(id: $id) { currentSubtotalPriceSet { ...M } currentTotalTaxSet { ...M }
      currentTotalDiscountsSet { ...M } currentTotalDutiesSet { ...M } currentTotalPriceSet { ...M }
      currentTotalAdditionalFeesSet { ...M } } }
      fragment M on MoneyBag { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"""
    read = kit.data(query, id=order.id)["order"]
    amounts = {k: v and (v["shopMoney"]["amount"], v["presentmentMoney"]["amount"]) for k, v in read.items()}
    assert amounts == {
        "currentSubtotalPriceSet": ("50.0", "58.5"),
        "currentTotalTaxSet": ("10.0", "11.7"),
        "currentTotalDiscountsSet": ("10.0", "11.7"),
        "currentTotalDutiesSet": ("4.0", "4.68"),
        "currentTotalPriceSet": ("64.0", "74.88"),
        "currentTotalAdditionalFeesSet": None,
    }
    assert read["currentTotalPriceSet"]["presentmentMoney"]["currencyCode"] == "EUR"


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_the_ledger_and_the_units_add_up(seed: int) -> None:
    rng = random.Random(seed)
    kit = Kit(
        seed,
        added_line_joins=0.5,
        increase_as_new_line=0.5,
        empty_line_vanishes=0.5,
        taxes_included=bool(seed % 2),
    )
    products = (kit.shirt, kit.belt, kit.sock)
    order = kit.place(3, 2, 4, shipping=ShippingSpec(price="3.95"), discount="7.77")
    for _ in range(40):
        line = rng.choice(order.line_items)
        fo = rng.choice(order.fulfillment_orders)
        act = rng.randrange(9)
        try:
            if act == 0:
                kit.shop.edit_order(order, set_quantities={line.id: rng.randrange(5)})
            elif act == 1:
                kit.shop.edit_order(order, add_lines=[LineSpec(variant=rng.choice(products))])
            elif act == 2 and line.current_quantity:
                kit.shop.refund(order, {line.id: (1, rng.choice(("CANCEL", "RETURN", "NO_RESTOCK")))})
            elif act == 3 and fo.line_items:
                kit.shop.create_fulfillment([(fo.id, [(rng.choice(fo.line_items).id, 1)])])
            elif act == 4:
                kit.shop.edit_order(order, change_shipping=ShippingSpec(title="X", price=rng.randrange(9)))
            elif act == 5 and order.fulfillments:
                kit.shop.cancel_fulfillment(rng.choice(order.fulfillments))
            elif act == 6:
                kit.shop.pay_outstanding(order)
            elif act == 7:
                kit.shop.move_fulfillment_order(fo, rng.choice((kit.leeds, kit.york)))
            else:
                kit.shop.refund(order, amount=rng.randrange(1, 5))
        except Refused:
            pass
        assert ledger(order) == totals.current_total(order)
        for each in order.line_items:
            remaining = sum(
                part.remaining_quantity
                for f in order.fulfillment_orders
                if f.active
                for part in f.line_items
                if part.line_item is each
            )
            assert remaining == each.unfulfilled_quantity
        levels = kit.shop.inventory_levels.values()
        committed = sum(level.count("committed") for level in levels)
        assert committed == sum(each.unfulfilled_quantity for each in order.line_items)
    assert quantities(order) == [
        (event["sku"], event["quantity"], event["current_quantity"])
        for event in kit.shop.history.of_subject(order.id)[-1].detail["lines"]
    ]


def test_webhook_totals_are_the_current_ones() -> None:
    kit = Kit()
    order = kit.place(2)
    kit.listen()
    kit.shop.edit_order(order, set_quantities={order.line_items[0].id: 1})
    (updated,) = [d for d in kit.heard() if d.topic == "orders/updated"]
    body = json.loads(updated.body)
    assert (body["total_price"], body["current_total_price"], body["total_outstanding"]) == (
        "40.00",
        "20.00",
        "-20.00",
    )
    assert [(line["quantity"], line["current_quantity"]) for line in body["line_items"]] == [(2, 1)]
