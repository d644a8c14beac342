"""The flow around the ledger: what cannot be read, what cannot be booked, what differs and heals, and month ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from contracts.keeping import Kept
from flows.money_kit import Desk
from pickgate.connectors.shopify.money import ShopifyMoney
from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.ledger_facts import OrderMoney, Unusable
from pickgate.domain.money import Money
from pickgate.domain.money_report import MonthRefused
from pickgate.flows.money import MoneyOutcome
from pickgate.flows.money_ports import MoneyAnswer
from pickgate.flows.money_reports import CloseRefused
from pickgate.twins.shopify import LineSpec
from twins.shopify_kit import Kit

DAY = 86_400


@dataclass
class Bent:
    """A shop that answers truly, until `bend` makes something else of an answer."""

    truth: ShopifyMoney
    bend: Callable[[str, MoneyAnswer], MoneyAnswer]

    async def read_money(self, order_ids: Sequence[str]) -> Mapping[str, MoneyAnswer]:
        found = await self.truth.read_money(order_ids)
        return {key: self.bend(key, one) for key, one in found.items()}


@pytest.fixture
def desk(kept: Kept) -> Desk:
    return Desk(kept, Kit())


def bent(desk: Desk, bend: Callable[[str, MoneyAnswer], MoneyAnswer]) -> None:
    desk.flow = desk.flow_with(Bent(ShopifyMoney(desk.shop.client, clock=desk.kit.clock), bend))


def straight(desk: Desk) -> None:
    desk.flow = desk.flow_with(ShopifyMoney(desk.shop.client, clock=desk.kit.clock))


def penny_short(_: str, answer: MoneyAnswer) -> MoneyAnswer:
    assert isinstance(answer, OrderMoney)
    current = answer.totals.current
    less = replace(current, shop=current.shop - Money(1, "GBP"))
    return replace(answer, totals=replace(answer.totals, current=less))


async def test_nothing_due_asks_for_nothing(desk: Desk) -> None:
    assert await desk.flow.reconcile_due() == MoneyOutcome()
    assert desk.transport.requests == []


async def test_many_orders_are_read_a_few_at_a_time_up_to_the_limit(desk: Desk) -> None:
    orders = [desk.kit.place(1) for _ in range(7)]
    for order in orders:
        await desk.look(order)
    asked = len(desk.transport.requests)
    assert await desk.flow.reconcile_due(limit=5) == MoneyOutcome(compared=5, booked=10)
    assert await desk.flow.reconcile_due() == MoneyOutcome(compared=2, booked=4)
    assert len(desk.transport.requests) - asked < 7


async def test_a_difference_of_a_penny_is_an_exception_with_that_penny_and_heals(desk: Desk) -> None:
    order = desk.kit.place(1)
    await desk.look(order)
    bent(desk, penny_short)
    assert await desk.flow.reconcile_due() == MoneyOutcome(compared=1, booked=2, unexplained=1)
    assert await desk.open_exceptions() == [
        (
            "MONEY_UNEXPLAINED",
            f"{order.name}: current total: the shop says 19.99 GBP, the ledger 20.00 GBP (-0.01 GBP).",
        )
    ]
    (row,) = await desk.sheet("unexplained")
    assert (row["part"], row["shop_says"], row["ledger_says"], row["difference"]) == ("current total", 1999, 2000, -1)
    (summary,) = await desk.sheet("summary")
    assert (summary["current"], summary["unexplained"]) == (2000, -1)
    straight(desk)
    desk.kit.wait(59)
    assert await desk.flow.reconcile_due() == MoneyOutcome()
    desk.kit.wait(1)
    assert await desk.flow.reconcile_due() == MoneyOutcome(compared=1)
    assert await desk.open_exceptions() == []
    assert await desk.sheet("unexplained") == []


async def test_a_difference_that_stays_is_looked_at_ever_more_rarely(desk: Desk) -> None:
    await desk.look(desk.kit.place(1))
    bent(desk, penny_short)
    await desk.flow.reconcile_due()
    for pause in (60, 600, 3600, 6 * 3600, 6 * 3600):
        desk.kit.wait(pause - 1)
        assert (await desk.flow.reconcile_due()).compared == 0
        desk.kit.wait(1)
        assert (await desk.flow.reconcile_due()).compared == 1
    (row,) = await desk.kept.exceptions()
    assert (row["count"], row["resolved_at"]) == (6, None)


async def test_a_correction_of_the_shop_is_booked_as_one(desk: Desk) -> None:
    order = desk.kit.place(1)
    await desk.settle(order)
    desk.kit.wait(60)
    agreement = order.agreements[0]
    agreement.sales[0].total_tax_amount += 1  # the shop works out the tax of the same sale again
    await desk.flow.reconcile_order(desk.rows[order.id])
    booked = await desk.store.load_transactions(desk.rows[order.id])
    number = agreement.id.rpartition("/")[2]
    assert [(b.transaction.source, b.transaction.kind.value) for b in booked[2:]] == [
        (f"agreement:{number}", "correction"), (f"agreement:{number}", "correction"),
    ]  # fmt: skip
    assert [row[1] for row in await desk.open_exceptions()] == [
        f"{order.name}: tax: the shop says 3.33 GBP, the ledger 4.33 GBP (-1.00 GBP)."
    ]


async def test_what_cannot_be_read_is_tried_again_and_becomes_an_exception_in_time(desk: Desk) -> None:
    order = desk.kit.place(1)
    await desk.look(order)
    bent(desk, lambda key, _: Unreadable(why="The shop is down."))
    assert await desk.flow.reconcile_due() == MoneyOutcome(compared=1, unreadable="The shop is down.")
    assert await desk.open_exceptions() == []
    for pause in (60, 600, 3600, 3600):
        desk.kit.wait(pause)
        await desk.flow.reconcile_due()
    ((code, summary),) = await desk.open_exceptions()
    assert code == "MONEY_UNEXPLAINED"
    assert summary == f"{order.name}: its money has not been read since 02 Nov 09:00 UTC: The shop is down."
    straight(desk)
    desk.kit.wait(3600)
    assert await desk.flow.reconcile_due() == MoneyOutcome(compared=1, booked=2)
    assert await desk.open_exceptions() == []


async def test_one_bad_cell_stops_its_own_order_and_no_other(desk: Desk) -> None:
    bad, good = desk.kit.place(1), desk.kit.place(2)
    spoiled = Unusable(where="sales.1.totalAmount", value="=1+1", problem="This is not an amount.", remedy="Ask.")
    number = bad.id.rpartition("/")[2]
    bent(desk, lambda key, answer: spoiled if key == number else answer)
    await desk.look(bad)
    await desk.look(good)
    assert await desk.flow.reconcile_due() == MoneyOutcome(compared=2, booked=2, unexplained=1)
    (row,) = await desk.kept.exceptions()
    assert (row["code"], row["order_name"], row["detail"]) == (
        "MONEY_UNEXPLAINED",
        bad.name,
        {"cell": "sales.1.totalAmount", "value": "=1+1", "problem": "This is not an amount.", "remedy": "Ask."},
    )
    assert await desk.store.load_transactions(desk.rows[bad.id]) == []
    (listed,) = await desk.sheet("unexplained")
    assert (listed["order"], listed["problem"]) == (bad.name, "sales.1.totalAmount: This is not an amount.")
    straight(desk)
    desk.kit.wait(600)
    await desk.flow.reconcile_due()
    assert await desk.open_exceptions() == []


async def test_an_order_that_is_gone_keeps_its_books(desk: Desk) -> None:
    order = desk.kit.place(1)
    await desk.settle(order)
    bent(desk, lambda key, _: Missing())
    assert await desk.flow.reconcile_order(desk.rows[order.id]) == MoneyOutcome(compared=1)
    assert len(await desk.store.load_transactions(desk.rows[order.id])) == 2
    desk.kit.wait(DAY)
    assert await desk.flow.reconcile_due() == MoneyOutcome()


async def test_a_shop_that_left_the_settings_is_said_not_skipped(desk: Desk) -> None:
    await desk.look(desk.kit.place(1))
    desk.flow.shops = {}
    assert (await desk.flow.reconcile_due()).unreadable == "The shop 'uk' is not in the settings any more."


async def test_an_order_that_nobody_knows_has_no_money(desk: Desk) -> None:
    assert await desk.flow.reconcile_order(999_999) == MoneyOutcome()


# ── months ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_closed_month_is_frozen_and_what_comes_later_is_a_correction(desk: Desk) -> None:
    order = desk.kit.place(2)
    await desk.settle(order)
    with pytest.raises(CloseRefused, match="2026-11 is not over in UTC"):
        await desk.reports.close("2026-11", shop="uk", by="ann")
    desk.kit.wait(29 * DAY)
    frozen = await desk.reports.close("2026-11", shop="uk", by="ann", reason="month end")
    assert (frozen.closed_by, frozen.ties) == ("ann", True)
    with pytest.raises(CloseRefused, match="closed already"):
        await desk.reports.close("2026-11", shop="uk", by="bo")
    desk.kit.wait(60)
    desk.kit.shop.edit_order(order, set_quantities={order.line_items[0].id: 1})
    order.agreements[0].sales[0].total_tax_amount += 1
    await desk.settle(order)
    for name in ("summary", "orders", "days", "movements", "transactions"):
        now = await desk.reports.report("2026-11", shop="uk")
        assert now.sheet(name) == frozen.sheet(name)
    corrections = await desk.sheet("corrections")
    assert {row["kind"] for row in corrections} == {"correction"}  # of November's sale; the edit is December's own
    assert {row["happened"][:7] for row in corrections} == {"2026-12"}
    december = {row["kind"] for row in await desk.sheet("transactions", month="2026-12")}
    assert december == {"edit", "correction"}
    open_again = await desk.reports.report("2026-11")  # of all shops: never frozen
    assert open_again.closed_at is None


async def test_what_comes_too_late_for_a_closed_month_belongs_to_the_month_it_was_booked_in(desk: Desk) -> None:
    known, late = desk.kit.place(1), desk.kit.place(0, 1)
    await desk.settle(known)
    desk.kit.wait(29 * DAY)
    await desk.reports.close("2026-11", shop="uk", by="ann")
    desk.kit.wait(60)
    await desk.settle(late)
    (november,) = await desk.sheet("summary")
    assert (november["orders"], november["current"]) == (1, 2000)
    assert {row["order"] for row in await desk.sheet("corrections")} == {late.name}
    assert {row["order"] for row in await desk.sheet("transactions", month="2026-12")} == {late.name}
    movements = {row["account"]: row["balance"] for row in await desk.sheet("movements", month="2026-12")}
    assert movements == {"goods": -1250, "tax": -250, "received": 1500, "receivable": 0}


async def test_a_month_with_orders_that_were_never_compared_is_not_closed(desk: Desk) -> None:
    order = desk.kit.place(1)
    await desk.look(order)
    await desk.store.claim_money(now=desk.kit.clock.now(), limit=1, lease_seconds=1)
    desk.kit.wait(30 * DAY)
    with pytest.raises(CloseRefused, match=f"1 orders of 2026-11 have not been compared yet: {order.name}"):
        await desk.reports.close("2026-11", shop="uk", by="ann")
    await desk.flow.reconcile_due()
    assert (await desk.reports.close("2026-11", shop="uk", by="ann")).closed_by == "ann"


@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-00", "26-01", "2026-1", "2026-11-01", "٢٠٢٦-11", "9999-12"])
async def test_what_is_no_month_is_refused(month: str, kept_in_memory: Kept) -> None:
    with pytest.raises(MonthRefused):
        await Desk(kept_in_memory, Kit()).reports.report(month)


async def test_the_reports_zone_parts_days(desk: Desk) -> None:
    desk.kit.wait(14.5 * 3600)  # 23:30 UTC on 2 November
    await desk.settle(desk.kit.place(1))
    assert [row["day"] for row in await desk.sheet("days")] == ["2026-11-02"]
    desk.reports.zone = "Europe/Berlin"
    assert [row["day"] for row in await desk.sheet("days")] == ["2026-11-03"]
    desk.reports.zone = "Mars/Olympus"
    with pytest.raises(MonthRefused, match="is not a time zone"):
        await desk.reports.report("2026-11")


async def test_a_days_trade_ties_out(desk: Desk) -> None:
    shop, kit = desk.kit.shop, desk.kit
    orders = [kit.place(1 + n % 3, n % 2, n % 5, discount="1.00" if n % 4 == 0 else 0) for n in range(12)]
    await desk.settle(*orders)
    kit.wait(60)
    for n, order in enumerate(orders):
        line: Any = order.line_items[0]
        if n % 3 == 0:
            shop.edit_order(order, set_quantities={line.id: 0}, add_lines=[LineSpec(variant=kit.sock, quantity=2)])
        if n % 3 == 1:
            shop.refund(order, {line.id: (1, "CANCEL")})
        if n % 5 == 0:
            shop.create_fulfillment([(order.fulfillment_orders[-1].id, [])])
    await desk.settle(*orders)
    report = await desk.reports.report("2026-11", shop="uk")
    assert report.ties
    summary, orders_sheet, days = (report.sheet(name) for name in ("summary", "orders", "days"))
    assert summary and orders_sheet and days
    for name in ("placed", "edits", "refunds", "current", "received", "despatched", "waiting"):
        sums = {
            summary.rows[0][summary.columns.index(name)],
            orders_sheet.totals[0][orders_sheet.columns.index(name)],
            days.totals[0][days.columns.index(name)],
        }
        assert len(sums) == 1, name
    movements = report.sheet("movements")
    assert movements is not None
    assert movements.totals[0][-1] == Money(0, "GBP")
