"""Faults on the way: drawn, counted, switchable, and honest about what took effect."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest

from pickgate.http import HttpRequest, HttpResponse, NothingSent, OutcomeUnknown
from pickgate.twins.deliveries import Delivery, DeliveryQueue
from pickgate.twins.faults import REQUEST_FAULTS, WEBHOOK_FAULTS, Courier, Fault, FaultPlan, FaultyTransport
from twins.shopify_kit import START, URL, Kit

TAG = 'mutation T($id: ID!) { tagsAdd(id: $id, tags: ["x"]) { userErrors { message } } }'


def _request(order_id: str) -> HttpRequest:
    body = json.dumps({"query": TAG, "variables": {"id": order_id}}).encode()
    return HttpRequest(method="POST", url=URL, headers={"X-Shopify-Access-Token": "token"}, body=body)


def _plan(*faults: Fault) -> FaultPlan:
    return FaultPlan.of(random.Random(1), faults, 1.0)


@pytest.mark.parametrize(
    ("fault", "outcome", "effect"),
    [
        (Fault.NOTHING_SENT, NothingSent, False),
        (Fault.LOST_BEFORE, OutcomeUnknown, False),
        (Fault.LOST_AFTER, OutcomeUnknown, True),
        (Fault.TOO_MANY_REQUESTS, 429, False),
        (Fault.SERVER_ERROR_BEFORE, 500, False),
        (Fault.SERVER_ERROR_AFTER, 500, True),
        (Fault.HTML_PAGE, 200, False),
        (Fault.TRUNCATED_BODY, 200, True),
    ],
)
async def test_each_request_fault(fault: Fault, outcome: Any, *, effect: bool) -> None:
    kit = Kit()
    order = kit.place(1)
    plan = _plan(fault)
    transport = FaultyTransport(kit.shop.handle, plan, kit.clock)
    if isinstance(outcome, type):
        with pytest.raises(outcome):
            await transport.send(_request(order.id))
    else:
        answer: HttpResponse = await transport.send(_request(order.id))
        assert answer.status // 100 == outcome // 100
        with pytest.raises((ValueError, KeyError)):
            assert answer.json()["data"]
    assert order.tags == (["x"] if effect else [])
    assert plan.counts == {fault: 1}


async def test_no_fault_no_change_and_switching_off() -> None:
    kit = Kit()
    order = kit.place(1)
    plan = _plan(*REQUEST_FAULTS)
    plan.switch_all_off()
    answer = await FaultyTransport(kit.shop.handle, plan, kit.clock).send(_request(order.id))
    assert answer.json()["data"] == {"tagsAdd": {"userErrors": []}}
    assert plan.counts == {}
    plan.switch(Fault.TOO_MANY_REQUESTS, 1.0)
    refused = await FaultyTransport(kit.shop.handle, plan, kit.clock).send(_request(order.id))
    assert (refused.status, refused.header("retry-after")) == (429, "2")


async def test_time_passes_while_waiting() -> None:
    kit = Kit()
    transport = FaultyTransport(
        kit.shop.handle, _plan(Fault.LOST_BEFORE), kit.clock, latency_seconds=0.5, wait_for_timeouts=True
    )
    with pytest.raises(OutcomeUnknown):
        await transport.send(_request("x"))
    assert kit.clock.now() - START == timedelta(seconds=20.5)


def _deliveries(count: int) -> DeliveryQueue:
    queue = DeliveryQueue()
    for n in range(count):
        queue.put(
            Delivery(
                url="u",
                method="POST",
                headers={},
                body=str(n).encode(),
                due_at=START + timedelta(seconds=n),
                topic="t",
            )
        )
    return queue


@pytest.mark.parametrize(
    ("fault", "arrivals"),
    [(Fault.WEBHOOK_LOST, 0), (Fault.WEBHOOK_DOUBLED, 100), (Fault.WEBHOOK_DELAYED, 50), (Fault.WEBHOOK_REORDERED, 50)],
)
def test_each_webhook_fault(fault: Fault, arrivals: int) -> None:
    plan = _plan(fault)
    courier = Courier(_deliveries(50), plan)
    got: list[bytes] = []
    now = START
    while (due := courier.next_due_at()) is not None:
        now = max(now, due)
        got += [delivery.body for delivery in courier.take_due(now)]
    assert len(got) == arrivals
    assert plan.counts == {fault: 50}
    if arrivals:
        assert set(got) == {str(n).encode() for n in range(50)}
        assert got != sorted(got, key=int)
    if fault is Fault.WEBHOOK_REORDERED:
        assert now <= START + timedelta(seconds=60)


def test_equal_seeds_give_equal_faults() -> None:
    def run() -> list[tuple[bytes, Any]]:
        plan = FaultPlan.of(random.Random(5), WEBHOOK_FAULTS, 0.2)
        courier = Courier(_deliveries(200), plan)
        late = START + timedelta(days=1)
        return [(d.body, d.due_at) for _ in range(2) for d in courier.take_due(late)]

    assert run() == run()
    assert 100 < len(run()) < 240
