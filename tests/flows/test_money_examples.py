"""Worked examples: the whole way from the shop's edits and refunds to a ledger that ties out, on both stores."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.keeping import Kept, decision
from flows.money_kit import Desk
from pickgate.domain.decision import ComparisonRow, OrderState
from pickgate.twins.shopify import LineSpec, Order, ShippingSpec, totals
from twins.shopify_kit import Kit, fo_of


@pytest.fixture
def desk(kept: Kept) -> Desk:
    return Desk(kept, Kit(tax_rate=0.0))


def taxed(kept: Kept, **knobs: Any) -> Desk:
    return Desk(kept, Kit(**knobs))


def ship(desk: Desk, order: Order, *lines: tuple[int, int]) -> None:
    """Fulfil (line index, units) of the first fulfilment order; none: all of it."""
    fo = fo_of(order)
    parts = [(fo.line_items[index].id, units) for index, units in lines]
    desk.kit.shop.create_fulfillment([(fo.id, parts)])


async def only_order(desk: Desk) -> dict[str, Any]:
    (row,) = await desk.sheet("orders")
    return row


def figures(row: dict[str, Any]) -> dict[str, int]:
    """The amounts of an order's row that are not zero."""
    names = (
        "placed", "edits", "refunds", "current", "received", "refunded", "outstanding", "goods", "despatched",
        "given_back", "waiting", "not_shipped", "uncovered", "set_aside", "unexplained",
    )  # fmt: skip
    assert row["ties"] == "yes"
    return {name: row[name] for name in names if row[name]}


async def test_a_sale_is_booked_once_however_often_it_is_looked_at(kept: Kept) -> None:
    desk = taxed(kept)
    order = desk.kit.place(2, 1, shipping=ShippingSpec(price="3.95"))
    await desk.settle(order)
    assert await desk.kinds(order) == [("sale", 5895), ("payment", -5895)]
    assert await desk.balances(order) == {"goods": -4583, "received": 5895, "shipping": -329, "tax": -983}
    asked = len(desk.transport.requests)
    await desk.look(order)
    await desk.flow.reconcile_due()
    assert len(desk.transport.requests) == asked + 1  # the look's own read: no money was asked for again
    assert await desk.kinds(order) == [("sale", 5895), ("payment", -5895)]
    assert await desk.open_exceptions() == []


async def test_a_removal_owes_the_customer_until_it_is_refunded(desk: Desk) -> None:
    order = desk.kit.place(2, 1)
    await desk.settle(order)
    desk.kit.wait(60)
    desk.kit.shop.edit_order(order, set_quantities={order.line_items[1].id: 0})
    await desk.settle(order)
    assert await desk.kinds(order) == [("sale", 5500), ("payment", -5500), ("edit", -1500)]
    assert figures(await only_order(desk)) == {
        "placed": 5500, "edits": -1500, "current": 4000, "received": 5500, "outstanding": -1500, "goods": 4000,
        "waiting": 4000,
    }  # fmt: skip
    desk.kit.wait(60)
    desk.kit.shop.refund(order, amount="15.00")
    await desk.settle(order)
    assert figures(await only_order(desk))["refunded"] == 1500
    assert await desk.open_exceptions() == []


async def test_an_upgrade_waits_for_its_money_and_is_paid(desk: Desk) -> None:
    order = desk.kit.place(1)
    desk.kit.wait(60)
    desk.kit.shop.edit_order(order, add_lines=[LineSpec(variant=desk.kit.belt)])
    await desk.settle(order)
    assert (await only_order(desk))["outstanding"] == 1500
    desk.kit.wait(60)
    desk.kit.shop.pay_outstanding(order)
    await desk.settle(order)
    assert await desk.kinds(order) == [("sale", 2000), ("payment", -2000), ("edit", 1500), ("payment", -1500)]
    assert figures(await only_order(desk)) == {
        "placed": 2000, "edits": 1500, "current": 3500, "received": 3500, "goods": 3500, "waiting": 3500,
    }  # fmt: skip


async def test_a_downgrade_with_store_credit_names_how_it_was_given_back(desk: Desk) -> None:
    order = desk.kit.place(1, 1)
    desk.kit.wait(60)
    line = order.line_items[0]
    desk.kit.shop.edit_order(order, set_quantities={line.id: 0}, add_lines=[LineSpec(variant=desk.kit.sock)])
    order.gateway = "shopify_store_credit"
    desk.kit.wait(60)
    owed = -totals.outstanding(order)
    desk.kit.shop.refund(order, amount=owed)
    await desk.settle(order)
    kinds = await desk.kinds(order)
    assert kinds[:3] == [("sale", 3500), ("payment", -3500), ("edit", -1667)]
    assert kinds[-1] == ("payout", 1667)
    booked = await desk.store.load_transactions(desk.rows[order.id])
    assert [one.transaction.means for one in booked if one.transaction.kind.value in ("payment", "payout")] == [
        "shopify_payments", "shopify_store_credit",
    ]  # fmt: skip
    assert await desk.open_exceptions() == []


async def test_a_reversed_unpaid_edit_leaves_no_trace_in_the_balance(desk: Desk) -> None:
    order = desk.kit.place(1)
    desk.kit.wait(60)
    (belt,) = desk.kit.shop.edit_order(order, add_lines=[LineSpec(variant=desk.kit.belt)])
    await desk.settle(order)
    desk.kit.wait(1800)
    desk.kit.shop.edit_order(order, set_quantities={belt.id: 0})
    await desk.settle(order)
    assert await desk.kinds(order) == [("sale", 2000), ("payment", -2000), ("edit", 1500), ("edit", -1500)]
    assert figures(await only_order(desk)) == {
        "placed": 2000, "current": 2000, "received": 2000, "goods": 2000, "waiting": 2000,
    }  # fmt: skip


async def test_a_partial_refund_with_restock_after_despatch_is_given_back(desk: Desk) -> None:
    order = desk.kit.place(3)
    desk.kit.wait(60)
    ship(desk, order)
    desk.kit.wait(60)
    desk.kit.shop.refund(order, {order.line_items[0].id: (1, "RETURN")})
    await desk.settle(order)
    assert await desk.kinds(order) == [("sale", 6000), ("payment", -6000), ("refund", -2000), ("payout", 2000)]
    assert figures(await only_order(desk)) == {
        "placed": 6000, "refunds": 2000, "current": 4000, "received": 6000, "refunded": 2000, "goods": 4000,
        "despatched": 6000, "given_back": 2000,
    }  # fmt: skip
    assert await desk.sheet("despatch_without_revenue") == []
    assert await desk.sheet("revenue_without_despatch") == []


async def test_an_exchange_adds_a_line_that_waits(desk: Desk) -> None:
    order = desk.kit.place(1)
    desk.kit.wait(60)
    ship(desk, order)
    desk.kit.wait(60)
    line = order.line_items[0]
    made = desk.kit.shop.start_return(order, {line.id: 1}, exchange=[LineSpec(variant=desk.kit.belt)])
    desk.kit.wait(60)
    desk.kit.shop.close_return(made)
    await desk.settle(order)
    assert await desk.kinds(order) == [("sale", 2000), ("payment", -2000), ("return", -500), ("payout", 500)]
    (row,) = await desk.sheet("orders")
    assert figures(row) == {
        "placed": 2000, "refunds": 500, "current": 1500, "received": 2000, "refunded": 500, "goods": 1500,
        "despatched": 2000, "given_back": 2000, "waiting": 1500,
    }  # fmt: skip
    (waiting,) = await desk.sheet("revenue_without_despatch")
    assert (waiting["sku"], waiting["units"], waiting["value"]) == ("BELT", 1, 1500)


async def test_a_recreated_order_is_counted_once_at_its_originals_time(desk: Desk) -> None:
    original = desk.kit.place(2)
    await desk.settle(original)
    desk.kit.wait(3600 * 24 * 40)  # into another month
    desk.kit.shop.cancel_order(original)
    successor = desk.kit.place(2, 1, name=f"{original.name}A")
    await desk.settle(
        original,
        successor,
        **{
            original.name.strip("#"): decision(OrderState.SUPERSEDED, superseded_by=successor.name),
            successor.name.strip("#"): decision(supersedes=(original.name,)),
        },
    )
    row = await only_order(desk)
    assert row["order"] == f"{original.name}, {successor.name}"
    assert row["placed_on"] == "2026-11-02"
    assert figures(row) == {
        "placed": 4000, "edits": 1500, "current": 5500, "received": 9500, "refunded": 4000, "goods": 5500,
        "waiting": 5500,
    }  # fmt: skip
    (summary,) = await desk.sheet("summary")
    assert (summary["orders"], summary["current"], summary["ties"]) == (1, 5500, "yes")
    assert await desk.sheet("orders", month="2026-12") == []


async def test_a_merged_order_left_uncancelled_is_not_counted_twice(desk: Desk) -> None:
    first, second = desk.kit.place(1), desk.kit.place(0, 1)
    merged = desk.kit.place(1, 1)
    names = (first.name, second.name)
    await desk.settle(
        first,
        second,
        merged,
        **{
            first.name.strip("#"): decision(OrderState.SUPERSEDED, superseded_by=merged.name),
            second.name.strip("#"): decision(OrderState.SUPERSEDED, superseded_by=merged.name),
            merged.name.strip("#"): decision(supersedes=names),
        },
    )
    row = await only_order(desk)
    assert row["order"] == f"{first.name}, {second.name}, {merged.name}"
    assert figures(row) == {
        "placed": 3500, "current": 3500, "received": 3500, "goods": 3500, "waiting": 3500, "set_aside": 3500,
    }  # fmt: skip


async def test_a_discount_of_everything_is_a_balanced_nothing(kept: Kept) -> None:
    desk = taxed(kept)
    order = desk.kit.place(1, discount="20.00")
    await desk.settle(order)
    assert await desk.balances(order) == {"discount": 2000, "goods": -2000}
    assert figures(await only_order(desk)) == {}
    (waiting,) = await desk.sheet("revenue_without_despatch")
    assert (waiting["units"], waiting["value"]) == (1, 0)
    assert await desk.open_exceptions() == []


async def test_duties_fees_and_tips_have_their_own_accounts(kept: Kept) -> None:
    desk = taxed(kept, taxes_included=False)
    order = desk.kit.place(1, duties="4.10", additional_fees="1.05", shipping=ShippingSpec(price="5.00"))
    await desk.settle(order)
    assert await desk.balances(order) == {
        "additional_fee": -105, "duty": -410, "goods": -2000, "received": 3515, "shipping": -500, "tax": -500,
    }  # fmt: skip
    assert await desk.open_exceptions() == []


async def test_both_currencies_are_kept_and_never_mixed(kept: Kept) -> None:
    desk = taxed(kept)
    order = desk.kit.place(1, presentment_currency="EUR", presentment_rate="1.17")
    await desk.settle(order)
    booked = await desk.store.load_transactions(desk.rows[order.id])
    found = [
        (e.account.value, str(e.amount.shop), str(e.amount.presentment))
        for one in booked
        for e in one.transaction.entries
    ]
    assert found == [
        ("goods", "-16.67 GBP", "-19.50 EUR"), ("tax", "-3.33 GBP", "-3.90 EUR"),
        ("receivable", "20.00 GBP", "23.40 EUR"), ("received", "20.00 GBP", "23.40 EUR"),
        ("receivable", "-20.00 GBP", "-23.40 EUR"),
    ]  # fmt: skip
    assert await desk.open_exceptions() == []


async def test_a_cancelled_order_comes_to_nothing(kept: Kept) -> None:
    desk = taxed(kept)
    order = desk.kit.place(1, shipping=ShippingSpec(price="3.95"))
    desk.kit.wait(60)
    desk.kit.shop.cancel_order(order)
    await desk.settle(order)
    assert await desk.balances(order) == {"received": 2395, "refunded": -2395}
    assert figures(await only_order(desk)) == {"placed": 2395, "refunds": 2395, "received": 2395, "refunded": 2395}


async def test_units_that_leave_after_they_were_refunded_are_a_despatch_without_revenue(desk: Desk) -> None:
    order = desk.kit.place(2)
    desk.kit.wait(60)
    desk.kit.shop.refund(order, {order.line_items[0].id: (2, "NO_RESTOCK")})
    desk.kit.wait(60)
    ship(desk, order)
    await desk.settle(order)
    desk.kit.wait(3600 * 24 * 3)
    (row,) = await desk.sheet("despatch_without_revenue")
    assert (row["sku"], row["units"], row["estimated_value"], row["age_days"]) == ("SHIRT", 2, 4000, 3)
    assert (await only_order(desk))["uncovered"] == 4000


async def test_what_the_warehouse_sent_counts_before_the_shop_knows(desk: Desk) -> None:
    order = desk.kit.place(2)
    line = order.line_items[0].id.rpartition("/")[2]
    row = ComparisonRow(
        line_id=line, title="Shirt", sku="SHIRT", shop_units=2, decided_units=2, warehouse_units=2, picked=1,
        despatched=1, fulfilled=0, differs=False,
    )  # fmt: skip
    await desk.settle(order, **{order.name.strip("#"): decision(comparison=(row,))})
    assert figures(await only_order(desk)) == {
        "placed": 4000, "current": 4000, "received": 4000, "goods": 4000, "despatched": 2000, "waiting": 2000,
    }  # fmt: skip
