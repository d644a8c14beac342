"""Bugs that the simulation found, each as the shortest scenario that shows it."""

from __future__ import annotations

from datetime import timedelta

from pickgate.clock import VirtualClock
from pickgate.connectors.clarus import ClarusWarehouse
from pickgate.domain.commands import CreateGoodsOut
from pickgate.domain.shop import Address
from pickgate.domain.warehouse import Content, ContentLine
from pickgate.flows.ports import NotSent
from pickgate.http import HttpRequest, HttpResponse
from pickgate.simulation.stepping import run_now
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


def test_an_approval_is_not_taken_for_a_later_edit_that_leaves_the_same_to_send() -> None:
    """Approved as it stood; then one more was added and not paid, and one left: what remained looked the same."""
    stage = Stage()
    order = stage.order({"MUG-BLU": 1})
    stage.wait_for_release()
    stage.picker_finishes(order)
    stage.approve(order)
    stage.world.shop.edit_order(order, set_quantities={stage.line(order, "MUG-BLU").id: 2}, staff="Sam")
    stage.wait(minutes=2)
    stage.sent(order)
    stage.wait(minutes=20)
    assert stage.payment(order) == "PARTIALLY_PAID"
    assert [m.reference for m in stage.received(order)] == ["1001-1"]
    assert "payment" in stage.gates(order)


class _SlowReads:
    """Carries requests to the warehouse; each read takes 15 seconds."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def send(self, request: HttpRequest) -> HttpResponse:
        if request.url.endswith("/graphql"):
            self._stage.clock.advance(15.0)
        return self._stage.world.warehouse.handle(request)


def test_a_creation_that_took_long_to_prepare_does_not_leave() -> None:
    """Its lease had run out, another worker had judged it lost and sent it: the late one made a twin."""
    stage = Stage()
    assert isinstance(stage.clock, VirtualClock)
    port = ClarusWarehouse(stage.simulation.settings.clarus, _SlowReads(stage), stage.clock, gather_seconds=0)
    address = Address(name="Ada Byron", line1="1 High Street", city="London", postcode="N1 9GU", country="GB")
    lines = (ContentLine(line_id="1", product_code="MUG-BLU", units=1),)
    command = CreateGoodsOut(
        reference="1001-1",
        order_id="1",
        number=1,
        fulfilment_order_id="1",
        group="",
        generation=1,
        content=Content(account="ACME", warehouse="MAIN", lines=lines, address=address),
        expected_despatch_at=stage.now,
        ordered_at=stage.now,
    )
    outcome = run_now(port.send(command))
    assert isinstance(outcome, NotSent)
    assert outcome.why == "Getting ready to send took too long; nothing was sent"
    assert stage.world.warehouse.find_by_reference("1001-1") == []
