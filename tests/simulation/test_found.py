"""Bugs that the simulation found, each as the shortest scenario that shows it."""

from __future__ import annotations

from datetime import timedelta

from pickgate.twins.shopify import ShopifyKnobs
from simulation.stage import Stage


def test_a_stale_read_after_the_despatch_sends_nothing_again() -> None:
    """The shop showed the order as it was before our fulfilment: all of it seemed to be wanted still."""
    stage = Stage(shop_knobs=ShopifyKnobs(stale_read_probability=1.0, stale_read_seconds=10.0))
    order = stage.order({"MUG-BLU": 2})
    stage.wait_for_release()
    stage.wait(minutes=10)
    stage.sent(order)
    stage.wait(minutes=10)
    assert [m.reference for m in stage.received(order)] == ["1001-1"]
    assert stage.told(order) == [({"MUG-BLU": 2}, ("PK1",))]
    assert stage.state(order) == "despatched"


def test_units_of_a_cancelled_fulfilment_are_wanted_again() -> None:
    """The other side of the same coin: a fulfilment that is shown as cancelled was not hidden by a stale read."""
    stage = Stage()
    order = stage.order({"MUG-BLU": 2})
    stage.wait_for_release()
    stage.sent(order)
    stage.world.shop.cancel_fulfillment(order.fulfillments[0])
    stage.wait(minutes=10)
    assert [m.reference for m in stage.received(order)] == ["1001-1", "1001-2"]


def test_an_order_that_an_operator_took_back_says_why_it_waits() -> None:
    stage = Stage()
    order = stage.order({"MUG-BLU": 1})
    stage.wait_for_release()
    stage.take_back(order)
    stage.wait(minutes=5)
    assert stage.state(order) == "waiting"
    assert stage.gates(order) == ["operator_hold"]
    stage.approve(order)
    assert [m.reference for m in stage.received(order)] == ["1001-1", "1001-1", "1001-2"]


def test_a_request_that_hangs_until_its_time_out_is_not_lost() -> None:
    """It took effect at the last moment, and shows up a little later: too early to send it a second time."""
    policy = Stage().simulation.looker.policies["uk"]
    longest_request, shows_up_within = timedelta(seconds=30), timedelta(seconds=30)
    assert policy.create_settle >= longest_request + shows_up_within
