"""Editing apps: what they do by themselves, what customers can do in them, and what a merchant then sees."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from pickgate.twins.editing_apps import (
    EditingClosed,
    OrderEditing,
    OrderMerger,
    RecreatingApp,
    TimedApp,
    specs_of,
)
from pickgate.twins.shopify import LineSpec, ShippingSpec, totals
from twins.shopify_kit import START, Kit, fo_of, quantities


def _oe(kit: Kit, **changes: Any) -> OrderEditing:
    return OrderEditing(kit.shop, random.Random(2), **changes)


def _run(kit: Kit, app: TimedApp, seconds: float) -> None:
    """Let time pass, stopping whenever the shop or the app wants something."""
    until = kit.clock.now() + timedelta(seconds=seconds)
    while True:
        due = [at for at in (app.next_due_at(), kit.shop.next_due_at()) if at is not None]
        soonest = min(due, default=until)
        if soonest > until:
            break
        kit.clock.move_to(soonest)
        kit.shop.tick()
        app.tick(kit.clock.now())
        if not due:
            break
    kit.clock.move_to(until)
    app.tick(until)


def test_new_orders_get_the_hold_tag_and_the_cutoff_and_lose_the_tag_after_it() -> None:
    kit = Kit()
    app = _oe(kit, window_seconds=1800.0, hold_tag_delay_seconds=3.0)
    order = kit.place(1)
    app.tick(kit.clock.now())
    assert order.tags == ["OE-HOLD"]
    cutoff = order.metafields["orderediting", "editing_cutoff_date"]
    assert cutoff.value == (START + timedelta(seconds=1800)).isoformat()
    _run(kit, app, 1790)
    assert order.tags == ["OE-HOLD"]
    _run(kit, app, 120)
    assert order.tags == []
    assert fo_of(order).fulfillment_holds == []


def test_hold_tag_comes_late() -> None:
    kit = Kit()
    app = _oe(kit, hold_tag_delay_seconds=60.0)
    order = kit.place(1)
    app.tick(kit.clock.now())
    assert order.tags == []
    _run(kit, app, 60)
    assert order.tags == ["OE-HOLD"]


def test_swap_with_invoice_paid_in_time_stays() -> None:
    kit = Kit()
    app = _oe(kit)
    order = kit.place(0, 1)
    _run(kit, app, 60)
    app.swap(order, order.line_items[0].id, kit.shirt)
    assert quantities(order) == [("BELT", 1, 0), ("SHIRT", 1, 1)]
    assert {"orderediting", "orderediting:variant"} <= set(order.tags)
    (invoice,) = kit.shop.history.of_kind("invoice_sent")
    assert invoice.detail["amount"] == "5.00"
    app.pay_invoice(order)
    _run(kit, app, 3600)
    assert quantities(order) == [("BELT", 1, 0), ("SHIRT", 1, 1)]
    assert "orderediting:reversed" not in order.tags


def test_unpaid_edit_is_reversed_after_the_deadline() -> None:
    kit = Kit()
    app = _oe(kit)
    order = kit.place(1)
    _run(kit, app, 60)
    app.edit(order, add_lines=[LineSpec(variant=kit.belt)])
    assert totals.outstanding(order) == totals.current_total(order) - 20
    _run(kit, app, 1700)
    assert quantities(order) == [("SHIRT", 1, 1), ("BELT", 1, 1)]
    _run(kit, app, 200)
    assert quantities(order) == [("SHIRT", 1, 1), ("BELT", 1, 0)]
    assert totals.outstanding(order) == 0
    assert {"orderediting:product_added", "orderediting:reversed"} <= set(order.tags)


def test_reversed_swap_brings_the_old_variant_back_in_some_line() -> None:
    kit = Kit(increase_as_new_line=1.0)
    app = _oe(kit)
    order = kit.place(0, 1)
    _run(kit, app, 60)
    app.swap(order, order.line_items[0].id, kit.shirt)
    _run(kit, app, 3600)
    assert [(sku, n) for sku, _, n in quantities(order) if n] == [("BELT", 1)]
    assert len(order.line_items) == 3


@pytest.mark.parametrize("case", ["pending", "terms", "manual", "return"])
def test_reversal_is_skipped(case: str) -> None:
    kit = Kit()
    app = _oe(kit)
    by_case: dict[str, dict[str, Any]] = {"terms": {"payment_terms": True}, "manual": {"gateway": "manual"}}
    settings = by_case.get(case, {})
    order = kit.place(1, 1, **settings)
    _run(kit, app, 60)
    app.edit(order, add_lines=[LineSpec(variant=kit.sock)])
    if case == "pending":
        kit.shop.begin_pending_payment(order)
    if case == "return":
        fo = fo_of(order)
        kit.shop.create_fulfillment([(fo.id, [(fo.line_items[0].id, 1)])])
        kit.shop.request_return(order, {order.line_items[0].id: 1})
    _run(kit, app, 3600)
    assert quantities(order)[-1] == ("SOCK", 1, 1)
    assert "orderediting:reversed" not in order.tags
    assert totals.financial_status(order) == "PARTIALLY_PAID"


def test_authorised_order_is_captured_after_the_deadline() -> None:
    kit = Kit()
    app = _oe(kit)
    order = kit.place(1, financial_status="AUTHORIZED")
    _run(kit, app, 1790)
    assert totals.financial_status(order) == "AUTHORIZED"
    _run(kit, app, 200)
    assert totals.financial_status(order) == "PAID"


def test_lowered_order_is_tagged_downsized() -> None:
    kit = Kit()
    app = _oe(kit)
    order = kit.place(3)
    app.tick(kit.clock.now())
    app.edit(order, set_quantities={order.line_items[0].id: 1})
    assert {"orderediting:quantity", "orderediting:downsized"} <= set(order.tags)


def test_editing_closes_by_time_by_lock_and_by_fulfilment() -> None:
    kit = Kit()
    app = _oe(kit)
    late, locked, shipped, cancelled = (kit.place(1) for _ in range(4))
    kit.shop.add_tags(locked, ["pickgate-locked"])
    kit.shop.create_fulfillment([(fo_of(shipped).id, [])])
    app.cancel(cancelled)
    for order in (locked, shipped, cancelled):
        with pytest.raises(EditingClosed):
            app.edit(order, add_lines=[LineSpec(variant=kit.belt)])
    app.change_address(late, address1="2 Low Road")
    assert late.shipping_address is not None and late.shipping_address.address1 == "2 Low Road"
    assert "orderediting:shipping" in late.tags
    kit.wait(1800)
    with pytest.raises(EditingClosed):
        app.change_address(late, city="Leeds")


def test_window_extended_by_the_cutoff() -> None:
    kit = Kit()
    app = _oe(kit)
    order = kit.place(1)
    _run(kit, app, 60)
    app.extend(order, START + timedelta(hours=5))
    _run(kit, app, 4 * 3600)
    app.edit(order, add_lines=[LineSpec(variant=kit.sock)], pay_now=True)
    assert "OE-HOLD" in order.tags
    _run(kit, app, 2 * 3600)
    assert "OE-HOLD" not in order.tags


def test_cancellation_request_and_duplicate() -> None:
    kit = Kit()
    app = _oe(kit, holds=False)
    order = kit.place(1, 2, customer=None)
    app.request_cancellation(order)
    assert order.tags == ["orderediting:cancellation_requested"]
    copy = app.duplicate(order)
    _run(kit, app, 60)
    assert copy.tags == ["orderediting:duplicated"]
    assert [(line.sku, line.quantity) for line in copy.line_items] == [("SHIRT", 1), ("BELT", 2)]
    assert copy.app is app.app and copy.customer is order.customer


@pytest.mark.parametrize(
    ("new_first", "kinds"),
    [(1.0, ["order_created", "order_cancelled"]), (0.0, ["order_cancelled", "order_created"])],
)
def test_recreating_app_in_either_order(new_first: float, kinds: list[str]) -> None:
    kit = Kit()
    app = RecreatingApp(kit.shop, random.Random(2), new_first=new_first, gap_seconds=(5.0, 5.0))
    order = kit.place(1, name="#1031", shipping=ShippingSpec(title="Express"))
    start = len(kit.shop.history)
    app.recreate(order, [LineSpec(variant=kit.belt, quantity=2)])
    _run(kit, app, 60)
    happened = [e.kind for e in kit.shop.history.since(start) if e.kind in kinds]
    assert happened == kinds
    new = kit.shop.get_order(app.successors[order.id])
    assert (new.name, new.tags, new.app.title) == ("#1031A", ["Edit Order"], "Cleverific")
    assert new.customer is order.customer
    assert new.processed_at == order.processed_at
    assert (order.tags, order.cancelled_at is not None) == (["Edit Order - Cancelled"], True)
    assert [line.title for line in new.shipping_lines] == ["Express"]
    app.recreate(new, specs_of(new))
    _run(kit, app, 60)
    assert kit.shop.get_order(app.successors[new.id]).name == "#1031B"


def test_recreating_without_cancelling_leaves_two_live_orders() -> None:
    kit = Kit()
    settings: dict[str, Any] = {"cancel": False, "suffix": False, "successor_tags": ()}
    app = RecreatingApp(kit.shop, random.Random(2), title="Editify", **settings)
    order = kit.place(1)
    app.recreate(order, specs_of(order))
    _run(kit, app, 60)
    new = kit.shop.get_order(app.successors[order.id])
    assert (new.name, new.tags, order.cancelled_at, order.tags) == ("#1002", [], None, [])
    assert [fo_of(o).status for o in (order, new)] == ["OPEN", "OPEN"]


def test_shipped_original_cannot_be_cancelled_by_the_app() -> None:
    kit = Kit()
    app = RecreatingApp(kit.shop, random.Random(2))
    order = kit.place(1)
    kit.shop.create_fulfillment([(fo_of(order).id, [])])
    app.recreate(order, specs_of(order))
    _run(kit, app, 60)
    assert (order.cancelled_at, order.tags) == (None, [])
    assert order.id in app.successors


def test_merger_holds_during_the_window_and_releases_only_its_own() -> None:
    kit = Kit()
    app = OrderMerger(kit.shop, random.Random(2), window_seconds=900.0, hold_tag=True)
    order = kit.place(1)
    app.tick(kit.clock.now())
    (hold,) = fo_of(order).fulfillment_holds
    assert (hold.reason_notes, hold.app, order.tags) == (
        "Order in edit window", app.app, ["om:edit-order-hold"],
    )  # fmt: skip
    kit.shop.hold(fo_of(order), app=None, reason="HIGH_RISK_OF_FRAUD")
    _run(kit, app, 900)
    assert (fo_of(order).status, order.tags) == ("ON_HOLD", [])
    assert [h.reason for h in fo_of(order).fulfillment_holds] == ["HIGH_RISK_OF_FRAUD"]


def test_stuck_hold_is_never_released() -> None:
    kit = Kit()
    app = OrderMerger(kit.shop, random.Random(2), stuck=1.0)
    order = kit.place(1)
    _run(kit, app, 86_400)
    assert fo_of(order).status == "ON_HOLD"


@pytest.mark.parametrize(
    ("originals", "state"),
    [("cancel", (True, "CLOSED")), ("archive", (False, "OPEN")), ("leave", (False, "OPEN"))],
)
def test_merge_of_two_orders(originals: Any, state: tuple[bool, str]) -> None:
    kit = Kit()
    app = OrderMerger(kit.shop, random.Random(2), fulfillment_hold=False, merged_tags=("merged",))
    first, second = kit.place(1), kit.place(0, 2)
    made = app.merge([first, second], originals=originals)
    kit.wait(5)
    assert [(line.sku, line.quantity) for line in made.line_items] == [("SHIRT", 1), ("BELT", 2)]
    assert (made.note, made.tags) == ("Merged from #1001, #1002", ["merged"])
    for order in (first, second):
        assert (order.cancelled_at is not None, fo_of(order).status) == state
        assert order.closed is (originals != "leave")
        assert app.merged[order.id] == made.id
