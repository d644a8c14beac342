"""Reading money: several orders in one request, every page, and no cell that is mended instead of refused."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from graphql import GraphQLSchema, NoDeprecatedCustomRule, build_client_schema, parse, specified_rules, validate

from connectors.shopify_stub import ScriptedShop, answer, load_contract, refusal, settings, step
from flows.money_kit import TwinTransport
from pickgate.clock import VirtualClock
from pickgate.connectors.shopify.errors import PayloadUnreadable
from pickgate.connectors.shopify.money import (
    ORDER_AGREEMENTS_PAGE,
    ORDER_TRANSACTIONS,
    ORDERS_MONEY,
    MoneyAnswer,
    ShopifyMoney,
)
from pickgate.connectors.shopify.money_incoming import parse_order_money
from pickgate.connectors.shopify.port import ShopifyShop
from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.ledger_facts import LineKind, OrderMoney, Unusable, Why
from pickgate.domain.money import Money
from pickgate.flows.money_ports import MoneyShopPort
from pickgate.http import HttpRequest, HttpResponse
from pickgate.twins.shopify import LineSpec, Order
from twins.shopify_kit import START, Kit

ID = "6100000000001"


def reader(transport: Any, clock: Any, **more: Any) -> ShopifyMoney:
    shop = ShopifyShop(settings(access_token="token"), transport=transport, clock=clock, gather_seconds=0)
    port = ShopifyMoney(shop.client, clock=clock, **more)
    as_flows_see_it: MoneyShopPort = port  # the type checker compares the two
    assert as_flows_see_it is port
    return port


def number(order: Order) -> str:
    return order.id.rpartition("/")[2]


def bag(amount: str = "0.0", currency: str = "GBP") -> dict[str, Any]:
    one = {"amount": amount, "currencyCode": currency}
    return {"shopMoney": one, "presentmentMoney": one}


def made(**changes: Any) -> dict[str, Any]:
    """An order of one line and one payment, with top-level fields replaced."""
    page = {"hasNextPage": False, "endCursor": None}
    sold = {
        "id": "gid://shopify/Sale/1", "lineType": "PRODUCT", "quantity": 1, "totalAmount": bag("12.0"),
        "totalTaxAmount": bag("2.0"), "totalDiscountAmountBeforeTaxes": bag(),
        "lineItem": {"id": "gid://shopify/LineItem/7"},
    }  # fmt: skip
    totals = dict.fromkeys(
        ("currentTotalPriceSet", "currentTotalTaxSet", "currentShippingPriceSet", "totalReceivedSet",
         "totalRefundedSet", "totalOutstandingSet"), bag(),
    )  # fmt: skip
    return {
        "__typename": "Order", "id": f"gid://shopify/Order/{ID}", "name": "#1001", "updatedAt": "2026-11-20T09:10:00Z",
        "currencyCode": "GBP", "presentmentCurrencyCode": "GBP", "taxesIncluded": True, **totals,
        "currentTotalDutiesSet": None, "currentTotalAdditionalFeesSet": None,
        "agreements": {
            "nodes": [
                {
                    "id": "gid://shopify/SalesAgreement/5", "happenedAt": "2026-11-20T09:00:00Z", "reason": "ORDER",
                    "sales": {"nodes": [sold], "pageInfo": page},
                }
            ],
            "pageInfo": page,
        },
        "transactions": [paid()],
        **changes,
    }  # fmt: skip


def paid(**changes: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/OrderTransaction/3", "kind": "SALE", "status": "SUCCESS", "test": False,
        "gateway": "shopify_payments", "processedAt": "2026-11-20T09:00:01Z", "createdAt": "2026-11-20T09:00:00Z",
        "amountSet": bag("12.0"), **changes,
    }  # fmt: skip


def sale_of(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["agreements"]["nodes"][0]["sales"]["nodes"][0]
    return found


# ── the documents ────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def schema(version: str) -> GraphQLSchema:
    return build_client_schema(load_contract(f"shopify-admin-{version}.json.gz")["data"])


@pytest.mark.parametrize("version", ["2026-07", "2026-10"])
@pytest.mark.parametrize("document", [ORDERS_MONEY, ORDER_AGREEMENTS_PAGE, ORDER_TRANSACTIONS], ids=lambda d: d.name)
def test_every_document_is_valid_and_uses_nothing_deprecated(version: str, document: Any) -> None:
    assert validate(schema(version), parse(document.text), [*specified_rules, NoDeprecatedCustomRule]) == []


# ── against the twin ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_several_orders_share_a_request_and_each_has_its_answer() -> None:
    kit = Kit(max_query_cost=10_000, bucket_size=10_000)
    orders = [kit.place(n) for n in (1, 2, 3)]
    transport = TwinTransport(kit)
    found = dict(await reader(transport, kit.clock).read_money([*(number(one) for one in orders), "999", "x"]))
    assert len(transport.requests) == 1
    assert found.pop("999") == Missing()
    assert found.pop("x") == Unreadable(why="This is not the number of a Shopify order.")
    amounts = {key: one.totals.current.shop for key, one in found.items() if isinstance(one, OrderMoney)}
    assert amounts == {number(one): Money(2000 * n, "GBP") for n, one in enumerate(orders, 1)}


async def test_a_long_order_is_read_agreement_by_agreement_and_page_by_page() -> None:
    kit = Kit()
    order = kit.shop.create_order(
        [LineSpec(variant=None, title=f"Thing {n}", price="1.00", quantity=1) for n in range(60)], shipping=None
    )
    for _ in range(9):
        kit.wait(5)
        kit.shop.edit_order(order, add_lines=[LineSpec(variant=kit.sock)])
    transport = TwinTransport(kit)
    money = (await reader(transport, kit.clock).read_money([number(order)]))[number(order)]
    assert isinstance(money, OrderMoney)
    assert [len(agreement.sales) for agreement in money.agreements] == [60, *([1] * 9)]
    assert len({sale.id for agreement in money.agreements for sale in agreement.sales}) == 69
    total = sum(sale.total.shop.minor for agreement in money.agreements for sale in agreement.sales)
    assert total == money.totals.current.shop.minor == 6000 + 9 * 333


async def test_many_payments_are_read_in_one_longer_list() -> None:
    kit = Kit()
    order = kit.place(1, financial_status="PENDING")
    for _ in range(30):
        kit.shop.pay_outstanding(order, "0.50")
    money = (await reader(TwinTransport(kit), kit.clock).read_money([number(order)]))[number(order)]
    assert isinstance(money, OrderMoney)
    assert len(money.payments) == 30
    assert money.totals.received.shop == Money(1500, "GBP")


async def test_too_costly_a_batch_is_halved_and_one_order_read_with_smaller_pages() -> None:
    kit = Kit(max_query_cost=200)
    orders = [kit.place(1), kit.place(2)]
    found = await reader(TwinTransport(kit), kit.clock).read_money([number(one) for one in orders])
    assert [type(one) for one in found.values()] == [OrderMoney, OrderMoney]


async def test_an_order_that_changes_between_two_pages_is_read_again() -> None:
    kit = Kit()
    order = kit.place(1)
    for _ in range(9):
        kit.wait(5)
        kit.shop.edit_order(order, add_lines=[LineSpec(variant=kit.sock)])

    class Meddling(TwinTransport):
        async def send(self, request: HttpRequest) -> HttpResponse:
            reply = await super().send(request)
            if len(self.requests) == 1:
                kit.wait(5)
                kit.shop.edit_order(order, add_lines=[LineSpec(variant=kit.belt)])
            return reply

    money = (await reader(Meddling(kit), kit.clock).read_money([number(order)]))[number(order)]
    assert isinstance(money, OrderMoney)
    assert len(money.agreements) == 11


# ── cells ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(raw: dict[str, Any]) -> OrderMoney | Unusable:
    return parse_order_money(raw, read_at=START)


def test_a_whole_order_is_parsed() -> None:
    money = read(made(transactions=[paid(), paid(id="gid://shopify/OrderTransaction/4", kind="REFUND")]))
    assert isinstance(money, OrderMoney)
    assert (money.order_id, money.name, money.read_at, money.taxes_included) == (ID, "#1001", START, True)
    (agreement,) = money.agreements
    (sale,) = agreement.sales
    assert (agreement.id, agreement.why, sale.kind, sale.line_id, sale.units) == ("5", Why.SALE, LineKind.GOODS, "7", 1)
    assert (str(sale.total.shop), str(sale.tax.presentment)) == ("12.00 GBP", "2.00 GBP")
    assert [(p.id, str(p.amount.shop), p.means) for p in money.payments] == [
        ("3", "12.00 GBP", "shopify_payments"), ("4", "-12.00 GBP", "shopify_payments"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "status"),
    [("AUTHORIZATION", "SUCCESS"), ("VOID", "SUCCESS"), ("SALE", "PENDING"), ("REFUND", "FAILURE"), ("X", "ERROR")],
)
def test_what_moved_no_money_is_no_payment(kind: str, status: str) -> None:
    money = read(made(transactions=[paid(kind=kind, status=status)]))
    assert isinstance(money, OrderMoney)
    assert money.payments == ()


@pytest.mark.parametrize(
    "amount",
    [
        "",
        "12,00",
        "1e9",
        "1E400",
        "NaN",
        "Infinity",
        "١٢",
        "1_000",
        "=1+1",
        " 1",
        "9" * 19,
        "9" * 5000,
        "9" * 17,
        "--1",
    ],
)
def test_what_is_no_amount_is_refused_with_its_cell_and_value(amount: str) -> None:
    raw = made()
    sale_of(raw)["totalTaxAmount"] = bag(amount)
    assert read(raw) == Unusable(
        where="sales.1.totalTaxAmount.shopMoney.amount",
        value=amount[:60],
        problem="This is not an amount of money.",
        remedy="Look at the order again; if it stays, book it by hand and resolve this with your reason.",
    )


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("0.0", "GBP", 0), ("-3.5", "GBP", -350), ("1100.0", "JPY", 1100), ("1.234", "KWD", 1234), ("0.005", "GBP", 1)],
)
def test_amounts_have_the_places_of_their_currency(amount: str, currency: str, minor: int) -> None:
    raw = made()
    sale_of(raw)["totalAmount"] = bag(amount, currency)
    money = read(raw)
    assert isinstance(money, OrderMoney)
    assert money.agreements[0].sales[0].total.shop == Money(minor, currency)


def test_a_currency_that_is_none_is_refused() -> None:
    found = read(made(totalReceivedSet=bag("1.0", "pounds")))
    assert isinstance(found, Unusable)
    assert (found.where, found.value) == ("totalReceivedSet.shopMoney.currencyCode", "pounds")


def test_a_payment_of_an_unknown_kind_is_refused_not_skipped() -> None:
    found = read(made(transactions=[paid(kind="BARTER")]))
    assert isinstance(found, Unusable)
    assert (found.where, found.value) == ("transactions.3.kind", "BARTER")


def test_an_unknown_line_type_is_kept_apart() -> None:
    raw = made()
    sale_of(raw)["lineType"] = "ROUNDING"
    money = read(raw)
    assert isinstance(money, OrderMoney)
    assert money.agreements[0].sales[0].kind is LineKind.UNRECOGNISED


def test_half_an_order_is_refused() -> None:
    raw = made()
    raw["agreements"]["pageInfo"] = {"hasNextPage": True, "endCursor": "c"}
    with pytest.raises(PayloadUnreadable):
        read(raw)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer({"nodes": [None]}), Missing()),
        (
            answer({"nodes": []}),
            Unreadable(why="Shopify's answer cannot be read: nodes: should list what was asked for"),
        ),
        (
            answer({"nodes": [made(id="gid://shopify/Order/2")]}),
            Unreadable(why="Shopify's answer cannot be read: order.id: is another order's"),
        ),
        (
            answer({"nodes": [made(taxesIncluded="yes")]}),
            Unreadable(why="Shopify's answer cannot be read: order.taxesIncluded: Input should be a valid boolean"),
        ),
        (
            answer({"nodes": [None]}, errors=[refusal("ACCESS_DENIED", "no", path=["nodes", 0, "agreements"])]),
            Unreadable(why="Shopify answered without nodes.0.agreements: no", code="CREDENTIALS_REFUSED"),
        ),
    ],
)
def test_an_answer_that_is_not_whole_is_a_fact_not_an_empty_ledger(reply: HttpResponse, expected: MoneyAnswer) -> None:
    transport = ScriptedShop(reply)
    assert step(reader(transport, VirtualClock(START)).read_money([ID])) == {ID: expected}
    assert [name for name, _ in transport.sent] == ["OrdersMoney"]


def test_the_order_is_read_at_the_clocks_time() -> None:
    found = step(reader(ScriptedShop(answer({"nodes": [made()]})), VirtualClock(START)).read_money([ID]))[ID]
    expected = read(made())
    assert isinstance(expected, OrderMoney)
    assert found == replace(expected, read_at=START)
