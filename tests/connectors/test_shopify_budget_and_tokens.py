"""The cost bucket and the access token: never overdrawn, never asked for twice."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.shopify_stub import API_BASE, START, ScriptedShop, answer, order_payload, settings, shop, step
from pickgate.clock import VirtualClock
from pickgate.connectors.shopify import CostBudget, Lane, ShopifyShop
from pickgate.connectors.shopify.budget import ThrottleStatus
from pickgate.connectors.shopify.errors import AccessRefused, NotReached, Throttled
from pickgate.connectors.shopify.tokens import ClientCredentials, StaticToken
from pickgate.domain.facts import Unreadable
from pickgate.domain.shop import ShopOrder
from pickgate.http import HttpRequest, HttpResponse, NothingSent


def status(available: float, maximum: float = 1000, rate: float = 50) -> ThrottleStatus:
    return ThrottleStatus(maximum=maximum, available=available, restore_rate=rate)


def test_a_request_waits_until_the_bucket_can_pay_it() -> None:
    clock = VirtualClock(START)
    budget = CostBudget(clock=clock, maximum=1000, restore_rate=100)
    step(budget.take(950, Lane.DESPATCH))
    assert clock.now() == START
    step(budget.take(250, Lane.DESPATCH))
    assert clock.now() - START == timedelta(seconds=2)
    assert budget.available == pytest.approx(0)


@pytest.mark.parametrize(("lane", "seconds"), [(Lane.DESPATCH, 0.0), (Lane.LOOK, 1.0), (Lane.BULK, 2.5)])
def test_each_lane_leaves_its_share_to_those_before_it(lane: Lane, seconds: float) -> None:
    clock = VirtualClock(START)
    budget = CostBudget(clock=clock, maximum=1000, restore_rate=100)
    step(budget.take(900, Lane.DESPATCH))
    step(budget.take(100, lane))
    assert clock.now() - START == timedelta(seconds=seconds)


def test_too_long_a_wait_is_refused_with_the_time() -> None:
    clock = VirtualClock(START)
    budget = CostBudget(clock=clock, maximum=1000, restore_rate=10, longest_wait_seconds=30)
    step(budget.take(1000, Lane.DESPATCH))
    with pytest.raises(Throttled) as refused:
        step(budget.take(400, Lane.DESPATCH))
    assert refused.value.retry_at == START + timedelta(seconds=40)
    assert clock.now() == START


def test_what_an_answer_reports_replaces_the_guess() -> None:
    clock = VirtualClock(START)
    budget = CostBudget(clock=clock)
    step(budget.take(100, Lane.LOOK))
    step(budget.settle(100, status(400)))
    assert budget.available == 400
    clock.advance(4)
    assert budget.available == 600
    clock.advance(1000)
    assert budget.available == 1000


def test_requests_still_on_their_way_are_taken_off_the_report() -> None:
    budget = CostBudget(clock=VirtualClock(START))
    step(budget.take(100, Lane.LOOK))
    step(budget.take(70, Lane.LOOK))
    step(budget.settle(100, status(900)))
    assert budget.available == 830
    step(budget.settle(70, status(880)))
    assert budget.available == 880


def test_throttled_without_figures_means_empty() -> None:
    budget = CostBudget(clock=VirtualClock(START))
    step(budget.take(100, Lane.LOOK))
    step(budget.drained(100))
    assert budget.available == 0


@given(costs=st.lists(st.tuples(st.floats(1, 900), st.sampled_from(Lane)), max_size=30))
def test_the_bucket_is_never_overdrawn(costs: list[tuple[float, Lane]]) -> None:
    clock = VirtualClock(START)
    budget = CostBudget(clock=clock, maximum=1000, restore_rate=100)
    truly_there, as_of = 1000.0, clock.now()
    for cost, lane in costs:
        step(budget.take(cost, lane))
        truly_there = min(1000.0, truly_there + (clock.now() - as_of).total_seconds() * 100) - cost
        as_of = clock.now()
        assert truly_there >= -(1000 * lane.value) - 0.01


def test_the_client_learns_the_price_of_a_read() -> None:
    clock = VirtualClock(START)
    reply = answer({"nodes": [order_payload()]}, requested=40, available=60)
    port = shop(ScriptedShop(reply, repeat=True), clock=clock)
    step(port.read_order("6100000000001"))
    assert clock.now() == START
    step(port.read_order("6100000000001"))
    # 60 points are there, 40 are needed, and a look leaves 200 of 2,000: 180 more at 100 a second.
    assert clock.now() - START == timedelta(seconds=1.8)


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def token(text: str, seconds: int = 86_400) -> HttpResponse:
    return HttpResponse(
        status=200, body=json.dumps({"access_token": text, "scope": "x", "expires_in": seconds}).encode()
    )


def credentials(transport: ScriptedShop, clock: VirtualClock) -> ClientCredentials:
    return ClientCredentials(
        transport=transport,
        clock=clock,
        token_url=f"{API_BASE}/admin/oauth/access_token",
        client_id="id",
        client_secret="sec&ret",
    )


def test_a_token_is_asked_for_once_and_renewed_before_it_ends() -> None:
    clock = VirtualClock(START)
    transport = ScriptedShop(token("t1", 3600), token("t2", 3600))
    source = credentials(transport, clock)
    assert [step(source.get()), step(source.get())] == ["t1", "t1"]
    clock.advance(3299)
    assert step(source.get()) == "t1"
    clock.advance(1)
    assert step(source.get()) == "t2"
    assert len(transport.requests) == 2
    request = transport.requests[0]
    assert (request.method, request.url) == ("POST", f"{API_BASE}/admin/oauth/access_token")
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["id"],
        "client_secret": ["sec&ret"],
    }


@pytest.mark.parametrize("trouble", [HttpResponse(status=503), NothingSent("refused"), HttpResponse(status=401)])
def test_an_old_token_is_kept_until_a_new_one_is_there(trouble: HttpResponse | Exception) -> None:
    clock = VirtualClock(START)
    source = credentials(ScriptedShop(token("t1", 3600), trouble), clock)
    step(source.get())
    clock.advance(3500)
    assert step(source.get()) == "t1"


@pytest.mark.parametrize(
    "trouble",
    [
        HttpResponse(status=503),
        HttpResponse(status=429),
        HttpResponse(status=200, body=b"<html>"),
        HttpResponse(status=200, body=b"[]"),
        HttpResponse(status=200, body=b'{"access_token": 5}'),
        HttpResponse(status=200, body=b'{"access_token": "a\\nb"}'),
        NothingSent("refused"),
    ],
)
def test_no_token_for_now(trouble: HttpResponse | Exception) -> None:
    source = credentials(ScriptedShop(trouble, token("t1")), VirtualClock(START))
    with pytest.raises(NotReached):
        step(source.get())
    assert step(source.get()) == "t1"


def test_a_refused_secret_is_not_tried_again_at_once() -> None:
    clock = VirtualClock(START)
    transport = ScriptedShop(HttpResponse(status=401), token("t1"))
    source = credentials(transport, clock)
    for _ in range(3):
        with pytest.raises(AccessRefused, match="client_id"):
            step(source.get())
    assert len(transport.requests) == 1
    clock.advance(30)
    assert step(source.get()) == "t1"


async def test_two_that_ask_at_once_share_one_request() -> None:
    class Slow:
        def __init__(self) -> None:
            self.count = 0

        async def send(self, request: HttpRequest) -> HttpResponse:
            self.count += 1
            await asyncio.sleep(0.01)
            return token(f"t{self.count}")

    transport = Slow()
    source = ClientCredentials(
        transport=transport, clock=VirtualClock(START), token_url=API_BASE, client_id="i", client_secret="s"
    )
    assert await asyncio.gather(*(source.get() for _ in range(5))) == ["t1"] * 5
    assert transport.count == 1


def test_a_401_renews_the_token_once() -> None:
    whole = answer({"nodes": [order_payload()]})
    transport = ScriptedShop(token("t1"), HttpResponse(status=401), token("t2"), whole)
    port = _shop_with_credentials(transport)
    assert isinstance(step(port.read_order("6100000000001")), ShopOrder)
    assert [request.header("X-Shopify-Access-Token") for request in transport.requests] == [None, "t1", None, "t2"]
    stubborn = ScriptedShop(token("t1"), HttpResponse(status=401), token("t2"), HttpResponse(status=401))
    found = step(_shop_with_credentials(stubborn).read_order("6100000000001"))
    assert isinstance(found, Unreadable)
    assert found.code == "CREDENTIALS_REFUSED"
    assert len(stubborn.requests) == 4


def _shop_with_credentials(transport: ScriptedShop) -> ShopifyShop:
    given = settings(access_token=None, client_id="id", client_secret=SecretStr("secret"))
    return ShopifyShop(given, transport=transport, clock=VirtualClock(START), gather_seconds=0)


def test_a_shop_without_any_credentials_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="neither access_token nor client_id"):
        ShopifyShop(settings(access_token=None), transport=ScriptedShop(), clock=VirtualClock(START))


def test_a_static_token_has_no_other_to_give() -> None:
    source = StaticToken("t")
    assert step(source.get()) == "t"
    assert source.refused("t") is False
