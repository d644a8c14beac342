"""Rows 27-40: cancellation, payment and holds. Every "not yet" is a gate, and none opens because time lost patience."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cast import NOON, closed, decided, facts, spoken
from cast import order as an_order
from pickgate.domain.policy import Policy
from pickgate.twins.clarus import ClarusKnobs
from pickgate.twins.shopify import ShopifyKnobs
from simulation.messages import FREE, KEPT, TAKEN, cancelled, created
from simulation.stage import Stage
from simulation.variants import CANCELS, STRATEGIES

IN_WINDOW = ["cutoff", "edit_window", "hold_tag"]
MUG = {"MUG-BLU": 1}
FIRST = created("1001-1", MUG)


def cancelled_in_window(status: str, restock: bool) -> None:
    stage = Stage()
    order = stage.order({"MUG-BLU": 2}, financial_status=status)
    stage.wait(minutes=8)
    waiting = [*IN_WINDOW, *(["payment"] if status == "AUTHORIZED" else [])]
    stage.check(order, wants={"MUG-BLU": 2}, state="waiting", gates=waiting)
    stage.world.shop.cancel_order(order, restock=restock, app=stage.world.editing.app)
    stage.wait(minutes=2)
    stage.check(order, wants={}, state="cancelled")
    stage.wait(hours=2)
    stage.check(order, wants={}, state="cancelled")
    assert stage.payment(order) == ("VOIDED" if status == "AUTHORIZED" else "REFUNDED")
    assert stage.ever(order) == []


@pytest.mark.parametrize("restock", [True, False], ids=["restocked", "not-restocked"])
def test_row_27_cancelled_in_window_authorised(restock: bool) -> None:
    cancelled_in_window("AUTHORIZED", restock)


@pytest.mark.parametrize("restock", [True, False], ids=["restocked", "not-restocked"])
def test_row_28_cancelled_in_window_captured(restock: bool) -> None:
    cancelled_in_window("PAID", restock)


@pytest.mark.parametrize("answer", ["declined", "cancelled"])
def test_row_29_cancellation_requested_in_window(answer: str) -> None:
    stage = Stage()
    order = stage.order(MUG)
    stage.wait(minutes=29)
    stage.world.editing.request_cancellation(order)
    stage.wait(hours=3)
    stage.check(order, wants=MUG, state="waiting", gates=["stop_tag"])
    if answer == "declined":
        stage.world.editing.decline_cancellation(order)
        stage.wait(minutes=1)
        stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
    else:
        stage.world.shop.cancel_order(order)
        stage.wait(minutes=1)
        stage.check(order, wants={}, state="cancelled")


@pytest.mark.parametrize("answer", ["declined", "cancelled"])
def test_row_29_cancellation_requested_after_send(answer: str) -> None:
    """Asked for while the warehouse has it and has not begun: it is taken back at once, and waits for the answer."""
    stage = Stage()
    order = stage.order(MUG)
    stage.wait_for_release()
    stage.world.editing.request_cancellation(order)
    stage.wait(minutes=2)
    recalled = [FIRST, cancelled("1001-1")]
    stage.check(order, wants=MUG, received=recalled, state="waiting", gates=["stop_tag"])
    if answer == "declined":
        stage.world.editing.decline_cancellation(order)
        stage.wait(minutes=1)
        again = [*recalled, created("1001-2", MUG)]
        stage.check(order, wants=MUG, received=again, state="in_warehouse")
    else:
        stage.world.shop.cancel_order(order)
        stage.wait(minutes=1)
        stage.check(order, wants={}, received=recalled, state="cancelled")


@pytest.mark.parametrize("status", ["PENDING", "ALLOCATED"])
def test_row_30_cancelled_after_send_not_picked(status: str) -> None:
    stage = Stage()
    order = stage.order(MUG)
    stage.wait_for_release()
    if status == "ALLOCATED":
        stage.allocate(order)
        stage.wait(minutes=2)
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
    stage.world.shop.cancel_order(order)
    stage.wait(minutes=2)
    stage.check(order, wants={}, received=[FIRST, cancelled("1001-1")], state="cancelled")
    assert stage.ever(order) == []


@CANCELS
@pytest.mark.parametrize("asks", [True, False], ids=["we-ask", "we-do-not-ask"])
def test_row_31_cancelled_after_pick(answer: str, asks: bool) -> None:
    stage = Stage(
        shop={"edits": {"cancel_while_picking": asks}},
        warehouse_knobs=ClarusKnobs(cancel_while_picking="cancel" if answer == "cancel" else "refuse"),
    )
    order = stage.order({"MUG-BLU": 2})
    stage.wait_for_release()
    first = created("1001-1", {"MUG-BLU": 2})
    stage.picker_starts(order)
    stage.check(order, wants={"MUG-BLU": 2}, received=[first], lock=TAKEN, state="picking")
    stage.world.shop.cancel_order(order)
    stage.wait(minutes=3)
    if asks and answer == "cancel":
        put_back = [("PUT_BACK", "ops")]
        received = [first, cancelled("1001-1")]
        stage.check(order, wants={}, received=received, lock=KEPT, exceptions=put_back, state="cancelled")
        assert stage.exception(order, "PUT_BACK").detail["units"] == {"MUG-BLU": 1}
    else:
        too_late = [("CANCEL_TOO_LATE", "cx")]
        stage.check(order, wants={}, received=[first], lock=KEPT, exceptions=too_late, state="picking")


@pytest.mark.parametrize("when", ["in-window", "after-send"])
@STRATEGIES
def test_row_32_refund_with_restock_without_an_edit(strategy: str, when: str) -> None:
    stage = Stage(clarus={"edit_strategy": strategy})
    order = stage.order({"MUG-BLU": 2, "TOWEL": 1})
    stage.wait(minutes=8)
    if when == "after-send":
        stage.wait_for_release()
    edits = len(stage.world.shop.history.of_kind("order_edited"))
    stage.world.shop.refund(order, {stage.line(order, "MUG-BLU").id: (1, "CANCEL")})
    assert len(stage.world.shop.history.of_kind("order_edited")) == edits
    stage.wait_for_release()
    less = {"MUG-BLU": 1, "TOWEL": 1}
    messages = stage.received(order)
    assert messages[-1].lines == tuple(less.items())
    kinds = [message.kind for message in messages]
    if when == "in-window":
        assert kinds == ["created"]
    else:
        assert kinds == (["created", "amended"] if strategy == "amend" else ["created", "cancelled", "created"])
    stage.check(order, wants=less, received=messages, state="in_warehouse")


def test_row_33_capture_fails() -> None:
    stage = Stage(editing={"capture": False})
    order = stage.order(MUG, financial_status="AUTHORIZED")
    stage.wait(hours=23)
    stage.check(order, wants=MUG, state="waiting", gates=["payment"])
    stage.wait(hours=2)
    # An authorisation lasts seven days: somebody hears of it on the second.
    stage.check(order, wants=MUG, exceptions=[("HOLD_STUCK", "ops")], state="waiting", gates=["payment"])
    stage.world.shop.capture(order)
    stage.wait(minutes=1)
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hold_first", [0.0, 1.0], ids=["reversed-first", "hold-goes-first"])
@pytest.mark.parametrize("cutoff", [True, False], ids=["with-cutoff", "without-cutoff"])
def test_row_34_reversal_release_and_capture_race(seed: int, hold_first: float, cutoff: bool) -> None:
    stage = Stage(
        seed=seed,
        shop_knobs=ShopifyKnobs(added_line_joins=1.0),
        editing={"settle_seconds": (0.0, 58.0), "release_hold_first": hold_first, "writes_cutoff": cutoff},
    )
    order = stage.order(MUG, financial_status="AUTHORIZED")
    stage.wait(minutes=20)
    stage.world.editing.edit(order, add_lines=[stage.spec("TOWEL")])
    stage.wait(minutes=14)
    assert "orderediting:reversed" in order.tags
    assert stage.payment(order) == "PAID"
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
    assert stage.received(order)[0].at - order.created_at >= timedelta(minutes=31)


@pytest.mark.parametrize("late_by", [30, 110])
def test_row_35_hold_tag_added_late(late_by: int) -> None:
    """A shop without a window of ours: only the tag says that the order is open, and it comes late."""
    window = {"edit_window": "0s", "guard": "0s", "min_age": "2m", "quiet": "5s"}
    stage = Stage(shop={"window": window}, editing={"hold_tag_delay_seconds": late_by, "writes_cutoff": False})
    order = stage.order(MUG)
    stage.wait(seconds=late_by - 2)
    stage.check(order, wants=MUG, state="waiting", gates=["min_age"])
    stage.wait(minutes=25)
    stage.check(order, wants=MUG, state="waiting", gates=["hold_tag"])
    stage.wait(minutes=8)
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
    assert stage.received(order)[0].at - order.created_at >= timedelta(minutes=30)


def test_row_35_hold_tag_added_after_the_release() -> None:
    """Later than any minimum age: it was released, nothing has begun, and it is taken back."""
    window = {"edit_window": "0s", "guard": "0s", "min_age": "2m", "quiet": "5s"}
    stage = Stage(shop={"window": window}, editing={"hold_tag_delay_seconds": 300, "writes_cutoff": False})
    order = stage.order(MUG)
    stage.wait(minutes=4)
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
    stage.wait(minutes=3)
    recalled = [FIRST, cancelled("1001-1")]
    stage.check(order, wants=MUG, received=recalled, state="waiting", gates=["hold_tag"])
    stage.wait(minutes=25)
    stage.check(order, wants=MUG, received=[*recalled, created("1001-2", MUG)], state="in_warehouse")


def test_row_36_hold_missed_because_there_is_no_fulfilment_order_yet() -> None:
    window = {"edit_window": "0s", "guard": "0s", "min_age": "2m", "quiet": "5s", "hold_tags": ["ON-HOLD"]}
    stage = Stage(
        shop={"window": window},
        shop_knobs=ShopifyKnobs(routing_seconds=240.0),
        editing={"writes_cutoff": False, "holds": False},
    )
    order = stage.order(MUG)
    stage.wait(minutes=3)
    assert order.fulfillment_orders == []
    stage.check(order, wants=MUG, state="waiting", gates=["routing"])
    # The flow tries again once there is something to hold, a second after the routing.
    stage.wait(seconds=61)
    (fulfilment_order,) = order.fulfillment_orders
    stage.world.shop.hold(fulfilment_order, app=stage.world.merger.app, handle="window")
    stage.wait(minutes=5)
    stage.check(order, wants=MUG, state="waiting", gates=["shop_hold"])
    stage.world.shop.release_hold(fulfilment_order)
    stage.wait(minutes=1)
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")


@pytest.mark.parametrize("kind", ["tag", "fulfilment-hold"])
def test_row_37_hold_never_released(kind: str) -> None:
    stage = Stage(shop={"window": {"hold_tags": ["STUCK", "OE-HOLD"]}})
    order = stage.order(MUG)
    stage.wait(minutes=8)
    if kind == "tag":
        stage.world.shop.add_tags(order, ["STUCK"])
    else:
        stage.world.shop.hold(order.fulfillment_orders[0], app=stage.world.merger.app, handle="window")
    gate = "hold_tag" if kind == "tag" else "shop_hold"
    stage.wait(hours=23)
    stage.check(order, wants=MUG, state="waiting", gates=[gate])
    stage.wait(hours=2)
    stuck = [("HOLD_STUCK", "ops")]
    stage.check(order, wants=MUG, exceptions=stuck, state="waiting", gates=[gate])
    stage.wait(hours=48)
    stage.check(order, wants=MUG, exceptions=stuck, state="waiting", gates=[gate])
    if kind == "tag":
        stage.world.shop.remove_tags(order, ["STUCK"])
    else:
        stage.world.shop.release_hold(order.fulfillment_orders[0])
    stage.wait(minutes=1)
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")


def test_row_38_fraud_review_in_parallel() -> None:
    stage = Stage()
    order = stage.order(MUG)
    stage.wait(minutes=8)
    shop, (share,) = stage.world.shop, order.fulfillment_orders
    fraud = shop.add_app("Fraud Review")
    (risk, _) = shop.hold(share, app=fraud, reason="HIGH_RISK_OF_FRAUD", handle="risk")
    (other, _) = shop.hold(share, app=stage.world.merger.app, handle="window")
    stage.wait(minutes=25)
    stage.check(order, wants=MUG, state="waiting", gates=["shop_hold"])
    shop.release_hold(share, [other.id])
    stage.wait(minutes=30)
    stage.check(order, wants=MUG, state="waiting", gates=["shop_hold"])
    assert [hold.id for hold in share.fulfillment_holds] == [risk.id]
    shop.release_hold(share, [risk.id])
    stage.wait(minutes=1)
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")


@pytest.mark.parametrize("requested", ["REQUESTED", None], ids=["requested", "resolved-or-declined"])
def test_row_39_buyer_requested_removal(requested: str | None) -> None:
    """The 2026-07 schema cannot show such a request, so no twin can make one: the gate itself is what can be tested."""
    decision = decided(facts(an_order(requested_edit=requested)), policy=Policy(), now=NOON)
    assert closed(decision) == (["requested_edit"] if requested else [])
    assert spoken(decision) == ([] if requested else ["create 1001-1 A1"])


@pytest.mark.parametrize("approved_at", [25, 40])
def test_row_40_approval_queue(approved_at: int) -> None:
    """A request that waits in an app shows nowhere: the window covers it; approved later, it is a staff edit."""
    stage = Stage()
    order = stage.order({"MUG-BLU": 2})
    approver = stage.world.editing.app
    stage.wait(minutes=approved_at)
    first = created("1001-1", {"MUG-BLU": 2})
    before = [first] if approved_at > 31 else []
    assert stage.received(order) == before
    stage.world.shop.edit_order(order, set_quantities={stage.line(order, "MUG-BLU").id: 1}, app=approver)
    stage.wait(minutes=10)
    after = [first, cancelled("1001-1"), created("1001-2", MUG)] if before else [FIRST]
    stage.check(order, wants=MUG, received=after, lock=FREE, state="in_warehouse")


def test_row_29_cancellation_requested_while_picking() -> None:
    """Too late to hold it back by ourselves: somebody is told at once, and nothing else is sent."""
    stage = Stage()
    order = stage.order(MUG)
    stage.wait_for_release()
    stage.picker_starts(order)
    stage.world.editing.request_cancellation(order)
    stage.wait(minutes=2)
    late = [("LATE_EDIT", "cx")]
    stage.check(order, wants=MUG, received=[FIRST], lock=TAKEN, exceptions=late, state="picking")
    stage.world.editing.decline_cancellation(order)
    stage.wait(minutes=2)
    stage.check(order, wants=MUG, received=[FIRST], lock=TAKEN, state="picking")
