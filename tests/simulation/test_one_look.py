"""One look by hand: what may change between its first read and its release, and what it does about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pickgate.connectors.clarus import ClarusWarehouse
from pickgate.flows.look import LookResult, Nets
from pickgate.flows.ports import Lease
from pickgate.http import HttpRequest, HttpResponse
from pickgate.simulation.stepping import run_now
from pickgate.simulation.transports import Storm
from pickgate.simulation.world import SHOP, number
from pickgate.twins.shopify import Order
from simulation.stage import Stage


class _SlowReads:
    """Carries requests to the warehouse; each read takes so many seconds, and a hint comes during the first."""

    def __init__(self, stage: Stage, seconds: float, hint_for: str = "") -> None:
        self._stage, self._seconds, self._hint_for = stage, seconds, hint_for

    async def send(self, request: HttpRequest) -> HttpResponse:
        if request.url.endswith("/graphql"):
            self._stage.clock.advance(self._seconds)
            if self._hint_for:
                order_id, self._hint_for = self._hint_for, ""
                store = self._stage.simulation.store
                await store.wake(shop=SHOP, order_id=order_id, at=self._stage.now, because="a hint")
        return self._stage.world.warehouse.handle(request)


def _due(stage: Stage) -> tuple[Order, Lease]:
    """An order whose gates are all open by now, claimed by us."""
    order = stage.order({"MUG-BLU": 1})
    stage.wait(minutes=1)
    for minutes in (40, 5, 5):
        stage.clock.advance(minutes * 60.0)
        stage.world.tick()
    store = stage.simulation.store
    run_now(store.wake(shop=SHOP, order_id=number(order.id), at=stage.now, because="a hint"))
    (lease,) = run_now(store.claim(worker="we", now=stage.now, lease_seconds=600, limit=9))
    return order, lease


def _look(stage: Stage, lease: Lease, transport: _SlowReads, nets: Nets) -> LookResult:
    port = ClarusWarehouse(stage.simulation.settings.clarus, transport, stage.clock, gather_seconds=0)
    looker = replace(stage.simulation.looker, store=stage.simulation.store, warehouse=port, nets=nets)
    return run_now(looker.look(lease))


@pytest.mark.parametrize(("fresh_read", "sent"), [(True, []), (False, ["1001-1"])])
def test_a_read_that_has_grown_old_releases_nothing(fresh_read: bool, sent: list[str]) -> None:
    stage = Stage()
    order, lease = _due(stage)
    result = _look(stage, lease, _SlowReads(stage, 31.0), Nets(fresh_read=fresh_read))
    assert (result.because == "the read is too old to release from") is fresh_read
    assert [m.reference for m in stage.received(order)] == []  # the send itself looks codes up, too slowly to leave
    assert [effect.target for effect in stage.row(order).effects.values()] == sent


@pytest.mark.parametrize(("no_new_hint", "sent"), [(True, []), (False, ["1001-1"])])
def test_a_hint_during_the_look_stops_the_release(no_new_hint: bool, sent: list[str]) -> None:
    stage = Stage()
    order, lease = _due(stage)
    result = _look(stage, lease, _SlowReads(stage, 1.0, hint_for=lease.order_id), Nets(no_new_hint=no_new_hint))
    assert (result.because == "the order changed while it was looked at") is no_new_hint
    assert [m.reference for m in stage.received(order)] == sent
    assert result.next_look_at is not None
    assert result.next_look_at <= stage.now + timedelta(seconds=2)


@pytest.mark.parametrize("failures", [0, 3, 50])
def test_a_look_that_fails_is_tried_again_within_a_quarter_of_an_hour(failures: int) -> None:
    stage = Stage()
    _, lease = _due(stage)
    storm = Storm(side="shop", start=stage.now, end=stage.now + timedelta(hours=1), status=503)
    stage.simulation.weather.storms.append(storm)
    result = run_now(stage.simulation.looker.look(replace(lease, failures=failures)))
    assert result.failed
    assert result.next_look_at is not None
    assert timedelta(seconds=5) <= result.next_look_at - stage.now <= timedelta(minutes=15)
