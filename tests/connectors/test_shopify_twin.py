"""The connector against the stateful twin: what it does there is what it says it did."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest

from connectors.shopify_stub import START, settings, step
from pickgate.clock import VirtualClock
from pickgate.connectors.shopify import (
    FulfilmentOrderHint,
    OrderHint,
    ShopifyShop,
    parse_headers,
    parse_hint,
    verify_signature,
)
from pickgate.connectors.shopify.subscriptions import TOPICS
from pickgate.domain.commands import (
    CarryTime,
    CreateFulfilment,
    FulfilmentLine,
    LiftLock,
    PlaceShopHold,
    ReleaseShopHold,
    TakeLock,
)
from pickgate.domain.facts import Missing
from pickgate.domain.shop import FulfilmentOrderStatus, ShopOrder
from pickgate.flows.ports import ChangedPage, Confirmed, Refused, ShopPort, SubscriptionReport
from pickgate.http import HttpRequest, HttpResponse
from pickgate.twins.shopify import LineSpec, Order, ShopifyKnobs, ShopifyTwin

HERE = "https://pickgate.example/webhooks/shopify"


class Site:
    """A twin, the connector beside it, and the clock of both."""

    def __init__(self, **knobs: Any) -> None:
        self.clock = VirtualClock(START)
        knobs = {"added_line_joins": 0.0, "webhook_delay_seconds": (0.0, 0.0), **knobs}
        self.twin = ShopifyTwin(
            clock=self.clock,
            rng=random.Random(7),
            domain="example-uk.myshopify.com",
            client_secret="hush",
            access_token="shpat_test",
            knobs=ShopifyKnobs(**knobs),
        )
        self.requests = 0
        self.port = ShopifyShop(settings(), transport=self, clock=self.clock, gather_seconds=0)
        self.as_flows_see_it: ShopPort = self.port  # the type checker proves that it is one
        self.twin.add_location("Leeds")
        self.shirt = self.twin.add_product("SHIRT", price="20.00", stock=500)
        self.belt = self.twin.add_product("BELT", price="15.00", stock=500)

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests += 1
        return self.twin.handle(request)

    def wait(self, seconds: float = 5) -> None:
        self.clock.advance(seconds)
        self.twin.tick()

    def place(self, shirts: int = 2, belts: int = 1, **options: Any) -> Order:
        lines = [LineSpec(variant=v, quantity=q) for v, q in ((self.shirt, shirts), (self.belt, belts)) if q]
        order = self.twin.create_order(lines, **options)
        self.wait()
        return order

    def read(self, order: Order) -> ShopOrder:
        found = step(self.port.read_order(number(order.id)))
        assert isinstance(found, ShopOrder), found
        return found


def number(gid: str) -> str:
    return gid.rpartition("/")[2]


def lock(order: ShopOrder, **changes: Any) -> TakeLock:
    given: dict[str, Any] = {
        "order_id": order.id,
        "tag": "pickgate-locked",
        "metafield": "$app:pickgate.lock",
        "value": "picking",
        "add_tag": True,
        "set_metafield": True,
        "report_progress_on": tuple(share.id for share in order.fulfilment_orders),
    }
    return TakeLock(**{**given, **changes})


def test_an_order_is_read_as_it_stands_after_an_edit() -> None:
    site = Site()
    order = site.place(shirts=3, belts=1, tags=["gift"], note="ring twice")
    site.wait(60)
    site.twin.edit_order(order, set_quantities={order.line_items[0].id: 1})
    site.wait()
    found = site.read(order)
    assert [(line.sku, line.ordered, line.current) for line in found.lines] == [("SHIRT", 3, 1), ("BELT", 1, 1)]
    [share] = found.fulfilment_orders
    assert [(line.line_id, line.remaining, line.total) for line in share.lines] == [
        (found.lines[0].id, 1, 1),
        (found.lines[1].id, 1, 1),
    ]
    assert (share.location_name, share.status) == ("Leeds", FulfilmentOrderStatus.OPEN)
    assert (found.name, found.tags, found.note, found.edited) == (order.name, ("gift",), "ring twice", True)
    assert found.totals.current == found.totals.received + found.totals.outstanding - found.totals.refunded


def test_an_unknown_order_is_missing() -> None:
    assert step(Site().port.read_order("404")) == Missing()


def test_large_orders_are_read_whole_over_many_pages() -> None:
    site = Site()
    lines = [LineSpec(variant=site.shirt, quantity=1 + index % 3) for index in range(130)]
    order = site.twin.create_order(lines)
    site.wait()
    found = site.read(order)
    assert len(found.lines) == 130
    [share] = found.fulfilment_orders
    assert [line.line_id for line in share.lines] == [line.id for line in found.lines]
    assert sum(line.remaining for line in share.lines) == sum(line.current for line in found.lines)
    assert site.requests == 5  # 25 at first, then pages of 100: two more for each of the two lists


def test_many_fulfilments_are_read_whole() -> None:
    site = Site()
    order = site.place(shirts=9, belts=0)
    for count in range(1, 9):
        found = site.read(order)
        [share] = found.fulfilment_orders
        line = share.lines[0]
        command = CreateFulfilment(
            reference="1-1",
            lines=(
                FulfilmentLine(
                    fulfilment_order_id=share.id, fulfilment_order_line_id=line.id, line_id=line.line_id, units=1
                ),
            ),
            tracking_numbers=(f"1Z{count}",),
            carrier="UPS",
            fulfilled_before=((line.line_id, count - 1),),
        )
        outcome = step(site.port.send(command))
        assert isinstance(outcome, Confirmed)
        assert list(outcome.ids) == ["fulfilment_id"]
    found = site.read(order)
    assert sorted(sent.tracking_numbers for sent in found.fulfilments) == [(f"1Z{count}",) for count in range(1, 9)]
    assert found.fulfilment_orders[0].lines[0].remaining == 1


def test_a_full_batch_costs_less_than_one_request_may() -> None:
    site = Site()
    orders = [site.place(shirts=2, belts=1) for _ in range(20)]
    site.requests = 0
    found = step(site.port.read_orders([number(order.id) for order in orders]))
    assert all(isinstance(order, ShopOrder) for order in found.values())
    assert site.requests == 2


def test_the_lock_is_taken_read_back_and_lifted() -> None:
    site = Site()
    order = site.place()
    before = site.read(order)
    assert (before.lock_value, before.tags) == (None, ())
    assert step(site.port.send(lock(before))) == Confirmed()
    held = site.read(order)
    assert (held.lock_value, held.tags) == ("picking", ("pickgate-locked",))
    assert [(share.status, share.progress_reported) for share in held.fulfilment_orders] == [
        (FulfilmentOrderStatus.IN_PROGRESS, True)
    ]
    assert step(site.port.send(lock(held))) == Confirmed()
    lift = LiftLock(
        order_id=held.id,
        tag="pickgate-locked",
        metafield="$app:pickgate.lock",
        value="open",
        remove_tag=True,
        set_metafield=True,
        reopen=tuple(share.id for share in held.fulfilment_orders),
    )
    assert [step(site.port.send(lift)), step(site.port.send(lift))] == [Confirmed(), Confirmed()]
    after = site.read(order)
    assert (after.lock_value, after.tags, after.fulfilment_orders[0].status) == (
        "open",
        (),
        FulfilmentOrderStatus.OPEN,
    )


def test_a_hold_is_placed_once_and_only_ours_is_released() -> None:
    site = Site()
    order = site.place()
    share = site.read(order).fulfilment_orders[0]
    hold = PlaceShopHold(fulfilment_order_id=share.id, handle="pickgate-window", notes="may still be edited")
    outcomes = [step(site.port.send(hold)), step(site.port.send(hold))]
    assert [type(outcome) for outcome in outcomes] == [Confirmed, Confirmed]
    found = site.read(order).fulfilment_orders[0]
    assert found.status is FulfilmentOrderStatus.ON_HOLD
    assert [(held.handle, held.ours) for held in found.holds] == [("pickgate-window", True)]
    progress = step(site.port.send(lock(site.read(order), add_tag=False, set_metafield=False)))
    assert isinstance(progress, Refused)
    assert (progress.code, progress.partly) == ("FULFILMENT_ORDER_NOT_OPEN", False)
    release = ReleaseShopHold(fulfilment_order_id=share.id, hold_ids=tuple(held.id for held in found.holds))
    assert step(site.port.send(release)) == Confirmed()
    assert site.read(order).fulfilment_orders[0].holds == ()


def test_the_original_time_is_carried() -> None:
    site = Site()
    order = site.place()
    command = CarryTime(order_id=number(order.id), original_name="#1000", original_created_at=START)
    assert step(site.port.send(command)) == Confirmed()
    assert site.read(order).original_order == "#1000"


def test_more_units_than_remain_are_refused_for_good() -> None:
    site = Site()
    order = site.place(shirts=2, belts=0)
    share = site.read(order).fulfilment_orders[0]
    line = FulfilmentLine(
        fulfilment_order_id=share.id,
        fulfilment_order_line_id=share.lines[0].id,
        line_id=share.lines[0].line_id,
        units=3,
    )
    command = CreateFulfilment(
        reference="1-1", lines=(line,), tracking_numbers=(), carrier="", fulfilled_before=((line.line_id, 0),)
    )
    outcome = step(site.port.send(command))
    assert isinstance(outcome, Refused)
    assert outcome.code == "QUANTITY_NOT_REMAINING"
    assert site.read(order).fulfilments == ()


def test_the_sweep_finds_what_changed_page_by_page() -> None:
    site = Site()
    orders = [site.place(belts=0, shirts=1) for _ in range(60)]
    since = site.clock.now() - timedelta(hours=1)
    seen, cursor = [], None
    for _ in range(3):
        page = step(site.port.changed_orders(since=since, cursor=cursor))
        assert page.unreadable is None
        seen += [item.order_id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == sorted(number(order.id) for order in orders)
    later = step(site.port.changed_orders(since=site.clock.now() + timedelta(hours=1), cursor=None))
    assert later == ChangedPage()


def test_orders_are_found_by_name_and_by_fulfilment_order() -> None:
    site = Site()
    order = site.place()
    found = step(site.port.find_orders_by_name(order.name))
    assert isinstance(found, tuple)
    assert [each.id for each in found] == [number(order.id)]
    assert step(site.port.find_orders_by_name("#no such order")) == ()
    share = found[0].fulfilment_orders[0].id
    assert step(site.port.order_of_fulfilment_orders([share, "404"])) == {share: number(order.id)}


def test_subscriptions_are_made_once_and_their_webhooks_are_authentic_hints() -> None:
    site = Site()
    assert step(site.port.ensure_subscriptions(HERE)) == SubscriptionReport(created=TOPICS)
    assert step(site.port.ensure_subscriptions(HERE)) == SubscriptionReport(present=TOPICS)
    order = site.place(shirts=2)
    site.wait(60)
    site.twin.edit_order(order, set_quantities={order.line_items[0].id: 1})
    site.wait()
    share = number(order.fulfillment_orders[0].id)
    hints = {}
    for delivery in site.twin.deliveries.take_due(site.clock.now()):
        headers = parse_headers(delivery.headers)
        assert headers is not None
        assert headers.shop_domain == "example-uk.myshopify.com"
        assert verify_signature(delivery.body, headers.signature, ["hush"])
        hints[headers.topic] = parse_hint(headers.topic, delivery.body)
    assert hints["orders/create"] == hints["orders/edited"] == OrderHint((number(order.id),))
    assert hints["fulfillment_orders/order_routing_complete"] == FulfilmentOrderHint((share,))


def test_no_scope_is_missing_at_the_twin() -> None:
    assert step(Site().port.find_missing_scopes()) == ()


def test_a_small_bucket_slows_reads_and_refuses_none() -> None:
    site = Site(bucket_size=300.0, restore_rate=50.0)
    orders = [site.place() for _ in range(12)]
    for _ in range(3):
        for order in orders:
            assert site.read(order).id == number(order.id)
    assert site.twin.requests["THROTTLED"] <= 1


@pytest.mark.parametrize("concurrent", [12])
async def test_concurrent_reads_share_requests(concurrent: int) -> None:
    from pickgate.clock import RealClock

    site = Site()
    orders = [site.place() for _ in range(concurrent)]
    port = ShopifyShop(settings(), transport=site, clock=RealClock())
    site.requests = 0
    found = await asyncio.gather(*(port.read_order(number(order.id)) for order in orders))
    assert [order.id for order in found if isinstance(order, ShopOrder)] == [number(order.id) for order in orders]
    assert site.requests == 2
