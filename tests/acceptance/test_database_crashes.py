"""PostgreSQL stopped and killed under a running Pickgate: nothing acknowledged is missing, and it goes on by itself."""

from __future__ import annotations

import asyncio

import pytest

from acceptance.stage import nursery_for, scratch_folder, witness_of
from pickgate.proofs.crashes import Crashes, come_to_rest, crash_database, shoppers
from pickgate.proofs.stage import Stage, open_stage
from pickgate.proofs.truth import find_doubled
from pickgate.simulation.world import CLIENT_SECRET, DOMAIN
from pickgate.store.embedded import EmbeddedPostgres, find_postmaster
from pickgate.twins.shopify.hooks import sign

pytestmark = pytest.mark.postgres


async def post(stage: Stage, number: int) -> int:
    body = b'{"id": %d}' % (5_000_000 + number)
    headers = {
        "X-Shopify-Topic": "orders/updated",
        "X-Shopify-Shop-Domain": DOMAIN,
        "X-Shopify-Hmac-Sha256": sign(body, CLIENT_SECRET),
        "X-Shopify-Webhook-Id": f"webhook-{number}",
        "X-Shopify-Event-Id": f"event-{number}",
    }
    return (await stage.post("/webhooks/shopify", body, headers)).status


async def test_a_database_that_is_down_is_answered_503_and_nothing_acknowledged_is_missing() -> None:
    with scratch_folder() as folder:
        server = EmbeddedPostgres(folder / "server")
        dsn = await asyncio.to_thread(server.start)
        try:
            async with open_stage(folder, database_url=dsn) as stage, nursery_for(stage):
                await stage.prepare()
                await stage.start("api")
                loop = asyncio.get_running_loop()
                acknowledged, refused, slowest = set(), 0, 0.0
                stopping: asyncio.Future[None] | None = None
                for number in range(60):
                    if number == 20:
                        stopping = loop.run_in_executor(None, server.stop)
                    if number == 40:
                        assert stopping is not None
                        await stopping
                        began = loop.time()
                        assert await post(stage, 1000) == 503
                        assert loop.time() - began < 1.2  # a second, and what this machine needs besides
                        assert await asyncio.to_thread(server.start) == dsn
                    began = loop.time()
                    status = await post(stage, number)
                    slowest = max(slowest, loop.time() - began)
                    assert status in (200, 503)
                    if status == 200:
                        acknowledged.add(f"webhook-{number}")
                    else:
                        refused += 1
                assert refused > 0 and len(acknowledged) >= 20
                assert slowest < 1.2
                assert await post(stage, 2000) == 200
                async with witness_of(dsn) as witness:
                    stored = {row.webhook_id for row in await witness.stored_webhooks()}
                assert acknowledged - stored == set()
        finally:
            await asyncio.to_thread(server.stop)


async def test_the_embedded_database_is_killed_and_all_goes_on_by_itself() -> None:
    crashes = Crashes()
    with scratch_folder() as folder:
        async with open_stage(folder, worker={"lease": "3s"}) as stage, nursery_for(stage):
            await stage.prepare()
            await stage.start("serve")
            await stage.start("worker")
            stage.let_time_begin()
            cluster = (folder / "data" / "postgres").resolve() / "cluster"
            async with shoppers(stage, crashes, orders_per_second=3):
                await asyncio.sleep(2)
                await crash_database(stage, crashes, cluster, 2)
            async with witness_of(stage.dsn) as witness:
                await come_to_rest(stage, witness, crashes)
            assert find_doubled(stage) == []
            await stage.end_all()
            await asyncio.sleep(0.2)
            assert find_postmaster(cluster) is None, "the last to go stops it"
    assert crashes.problems == []
    assert crashes.kills == 2
    assert max(crashes.idle_seconds) < 30
