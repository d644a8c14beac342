"""One order from the checkout to the doorstep, over HTTP, by the shipped commands; and a shop that only watches."""

from __future__ import annotations

import pytest

from acceptance.stage import nothing_left, stage_on, witness_of
from pickgate.proofs.truth import created_by_order, find_doubled, find_lost, is_done
from pickgate.simulation.world import number
from pickgate.twins.shopify import LineSpec

pytestmark = pytest.mark.postgres


async def test_an_order_goes_from_the_checkout_to_the_doorstep(database: str) -> None:
    async with stage_on(database, by_commands=True) as stage:
        await stage.start("serve")
        shop, warehouse = stage.world.shop, stage.world.warehouse
        await stage.until(lambda: bool(shop.hooks.subscriptions), seconds=5, what="webhooks are subscribed")
        order = stage.place(lines=2)
        first, second = order.line_items
        mug = next(v for v in stage.world.variants if v not in (first.variant, second.variant))
        stage.world.editing.edit(
            order, set_quantities={first.id: 0}, add_lines=[LineSpec(variant=mug, quantity=3)], pay_now=True
        )
        await stage.until(lambda: is_done(order), seconds=25, what="the shop knows that it is on its way")

        (created,) = warehouse.history.of_kind("goods_out_created")
        content = created.detail["content"]
        final = {line.id: line.current_quantity for line in order.line_items if line.current_quantity}
        assert {line["attributes"]["external_system_reference1"]: line["quantity"] for line in content["lines"]} == {
            number(line_id): units for line_id, units in final.items()
        }
        assert created.detail["reference"] == f"{order.name.lstrip('#')}-1"
        assert content["attributes"]["external_system_reference1"] == number(order.id)
        assert warehouse.history.of_kind("goods_out_amended", "goods_out_cancelled", "goods_out_deleted") == []
        assert len(warehouse.history.of_kind("dispatched")) == 1
        assert "pickgate-locked" in order.tags
        (told,) = shop.history.of_kind("fulfillment_created")
        assert dict(told.detail["fulfilled"]) == final
        assert [number for number in told.detail["tracking"] if number] != []

        seen = await stage.get(f"/api/v1/orders/{number(order.id)}")
        await stage.until(lambda: stage.undelivered == 0, seconds=10, what="every webhook is delivered")
        assert (seen["name"], seen["exceptions"]) == (order.name, [])
        assert [goods_out["reference"] for goods_out in seen["goods_outs"]] == [created.detail["reference"]]
        assert find_doubled(stage) == []
        async with witness_of(database) as witness:
            await stage.until(lambda: nothing_left(witness), seconds=10, what="everything is settled")
            assert find_lost(stage, await witness.stored_webhooks()) == []


async def test_a_shop_that_only_watches_sends_nothing(database: str) -> None:
    async with stage_on(database, mode="observe") as stage:
        await stage.start("serve")
        for topic in ("orders/create", "orders/updated", "orders/cancelled"):
            stage.world.shop.subscribe(topic, f"{stage.base}/webhooks/shopify")
        orders = [stage.place(lines=1 + count % 3) for count in range(6)]
        stage.world.shop.cancel_order(orders[0], reason="CUSTOMER")

        wanted = sorted([(orders[0].name, "cancelled"), *((order.name, "releasing") for order in orders[1:])])

        async def decided() -> bool:
            page = await stage.get("/api/v1/orders?limit=100")
            return sorted((item["name"], item["state"]) for item in page["items"]) == wanted

        await stage.until(decided, seconds=20, what="each order is decided on")
        shown = await stage.get(f"/api/v1/orders/{number(orders[1].id)}")
        assert shown["gates"] == []
        kept = {name: count for name, count in stage.requests.items() if not name.endswith("token")}
        assert set(kept) == {"shopify read", "clarus read"}
        assert min(kept.values()) > 0
        assert created_by_order(stage) == {}
        assert {event.kind for event in stage.world.warehouse.history} == {"stock_changed"}
