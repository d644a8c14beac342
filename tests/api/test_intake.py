"""The doors for webhooks, over HTTP, into a real database."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import asyncpg
import pytest
from starlette.applications import Starlette

from api.serving import serve
from pickgate.api.app import PickgateApp
from pickgate.api.intake import MAX_BODY_BYTES, ClarusDoor, Intake, ShopifyDoor
from pickgate.api.intake_batch import InboxBatcher
from pickgate.clock import VirtualClock
from pickgate.connectors.shopify.webhooks import parse_headers, verify_signature
from pickgate.crypto import Sealer
from pickgate.metrics import Metrics
from pickgate.store.connection import StoreUnavailable
from pickgate.store.postgres import PostgresStore

pytestmark = pytest.mark.postgres

NOW = datetime(2026, 11, 24, 12, 0, 10, tzinfo=UTC)
OLD, NEW, OTHER = "the-old-secret", "the-new-secret", "the-other-shops-secret"
BODY = b'{"id": 5550001, "name": "#1031"}'


class Bench:
    """An intake on a real server and a real database."""

    def __init__(self, address: str, store: PostgresStore, metrics: Metrics, http: aiohttp.ClientSession) -> None:
        self.address, self.store, self.metrics, self.http = address, store, metrics, http

    async def post(self, path: str, body: Any = BODY, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        data = io.BytesIO(body) if isinstance(body, bytes) else body
        async with self.http.post(self.address + path, data=data, headers=headers) as answer:
            return answer.status, await answer.text()

    async def shopify(self, body: bytes = BODY, /, **headers: str) -> int:
        return (await self.post("/webhooks/shopify", body, headers=envelope(body, **headers)))[0]

    async def stored(self) -> list[tuple[str, str, str, bytes]]:
        rows = await self.store.claim_inbox(now=NOW, limit=100)
        return [(row.source, row.shop, row.topic, row.body) for row in rows]

    def counted(self, source: str, result: str) -> float:
        found = self.metrics.registry.get_sample_value(
            "pickgate_intake_webhooks_total", {"source": source, "result": result}
        )
        return found or 0.0


def sign(body: bytes, secret: str = NEW) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def envelope(body: bytes, **headers: str) -> dict[str, str]:
    """Headers of an authentic webhook; `x_shopify_topic="…"` replaces one, an empty text leaves it out."""
    found = {
        "X-Shopify-Topic": "orders/updated",
        "X-Shopify-Hmac-Sha256": sign(body),
        "X-Shopify-Shop-Domain": "uk.myshopify.com",
        "X-Shopify-API-Version": "2026-07",
        "X-Shopify-Webhook-Id": "delivery-1",
        "X-Shopify-Event-Id": "event-1",
        "X-Shopify-Triggered-At": "2026-11-24T12:00:00.123456789Z",
        "Content-Type": "application/json",
    }
    for name, value in headers.items():
        wanted = name.replace("_", "-").lower()
        found = {key: old for key, old in found.items() if key.lower() != wanted}
        if value:
            found[wanted] = value
    return found


@asynccontextmanager
async def open_bench(database: str, **batching: Any) -> AsyncIterator[Bench]:
    store = await PostgresStore.open(database, Sealer(["k" * 32]))
    metrics, clock = Metrics(), VirtualClock(NOW)
    batcher = InboxBatcher(store.record_inbox, store_gone=(StoreUnavailable,), **batching)
    intake = Intake(
        shopify=ShopifyDoor(
            parse_headers=parse_headers,
            verify_signature=verify_signature,
            shops={"uk.myshopify.com": ("uk", (NEW, OLD)), "eu.myshopify.com": ("eu", (OTHER,))},
        ),
        clarus=ClarusDoor(token="unguessable-token"),
        batcher=batcher,
        metrics=metrics,
        clock=clock,
    )
    await batcher.start()
    try:
        async with serve(PickgateApp(intake, Starlette())) as address, aiohttp.ClientSession() as http:
            yield Bench(address, store, metrics, http)
    finally:
        await batcher.stop()
        await store.aclose()


@pytest.fixture
async def bench(database: str) -> AsyncIterator[Bench]:
    async with open_bench(database) as opened:
        yield opened


async def test_an_authentic_webhook_is_stored_as_it_came(bench: Bench) -> None:
    assert await bench.shopify() == 200
    assert await bench.stored() == [("shopify", "uk", "orders/updated", BODY)]
    assert bench.counted("shopify", "stored") == 1


async def test_an_exact_duplicate_is_answered_and_stored_once(bench: Bench) -> None:
    assert [await bench.shopify(), await bench.shopify(x_shopify_webhook_id="delivery-2")] == [200, 200]
    assert len(await bench.stored()) == 1
    assert (bench.counted("shopify", "stored"), bench.counted("shopify", "duplicate")) == (1, 1)


async def test_the_same_event_id_with_another_body_is_not_a_duplicate(bench: Bench) -> None:
    assert [await bench.shopify(), await bench.shopify(b'{"id": 5550002}')] == [200, 200]
    assert len(await bench.stored()) == 2


async def test_without_ids_the_body_names_the_delivery(bench: Bench) -> None:
    nameless = {"x_shopify_event_id": "", "x_shopify_webhook_id": ""}
    assert [await bench.shopify(**nameless), await bench.shopify(**nameless)] == [200, 200]
    assert len(await bench.stored()) == 1


async def test_both_secrets_of_a_rotation_are_accepted(bench: Bench) -> None:
    assert await bench.shopify(x_shopify_hmac_sha256=sign(BODY, OLD)) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"x_shopify_hmac_sha256": sign(BODY, "wrong")},
        {"x_shopify_hmac_sha256": sign(BODY, OTHER)},
        {"x_shopify_hmac_sha256": sign(b"another body")},
        {"x_shopify_hmac_sha256": ""},
        {"x_shopify_hmac_sha256": "not base64 ***"},
        {"x_shopify_hmac_sha256": f"{sign(BODY)}, {sign(BODY)}"},
        {"x_shopify_hmac_sha256": "ÿþ"},
        {"x_shopify_shop_domain": "nobody.myshopify.com"},
        {"x_shopify_shop_domain": "eu.myshopify.com"},
        {"x_shopify_topic": ""},
    ],
    ids=["wrong", "other-shops", "other-body", "none", "not-base64", "doubled", "not-ascii", "unknown-shop",
         "other-shop-named", "no-topic"],
)  # fmt: skip
async def test_a_forged_webhook_is_refused_and_nothing_is_stored(bench: Bench, headers: dict[str, str]) -> None:
    assert await bench.shopify(**headers) == 401
    assert await bench.stored() == []
    assert bench.counted("shopify", "forged") + bench.counted("shopify", "unknown") == 1


async def test_the_next_generation_of_headers_is_accepted(bench: Bench) -> None:
    headers = {
        "shopify-topic": "Order",
        "shopify-hmac-sha256": sign(BODY),
        "shopify-event-id": "event-9",
        "shopify-resource-id": "gid://shopify/Order/5550001",
        "shopify-triggered-at": "2026-11-24T12:00:00Z",
    }
    assert (await bench.post("/webhooks/shopify", headers=headers))[0] == 200
    assert [row[1] for row in await bench.stored()] == ["uk"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff\xfe{\x00", b"\xef\xbb\xbf{}", b"[" * 10_000, b'{"id": 1e9999999999999999999}', 
        b'{"a":"\\ud800"}', b"\x00\x01\x02", gzip.compress(b"{}"),
    ],
    ids=["empty", "cut", "utf-16", "bom", "deep", "huge-number", "lone-surrogate", "nul", "gzip"],
)  # fmt: skip
async def test_any_authentic_body_is_stored_readable_or_not(bench: Bench, body: bytes) -> None:
    assert await bench.shopify(body) == 200
    assert [row[3] for row in await bench.stored()] == [body]


async def test_a_body_over_two_mebibytes_is_refused(bench: Bench) -> None:
    at_the_limit = b"x" * MAX_BODY_BYTES
    assert await bench.shopify(at_the_limit) == 200
    assert await bench.shopify(at_the_limit + b"x") == 413
    assert [len(row[3]) for row in await bench.stored()] == [MAX_BODY_BYTES]


async def test_an_endless_body_is_refused_while_it_comes(bench: Bench) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * MAX_BODY_BYTES:
            sent += 65536
            yield b"x" * 65536

    try:
        status, _ = await bench.post("/webhooks/shopify", endless(), headers=envelope(b""))
        assert status == 413
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        pass  # the server hung up on us in the middle, which is as good
    assert sent < 20 * MAX_BODY_BYTES
    assert bench.counted("shopify", "too_large") == 1
    assert await bench.stored() == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
async def test_an_encoded_body_is_refused(bench: Bench, encoding: str) -> None:
    assert await bench.shopify(content_encoding=encoding) == 415
    assert await bench.stored() == []


async def test_other_methods_are_refused(bench: Bench) -> None:
    for path in ("/webhooks/shopify", "/webhooks/clarus/unguessable-token"):
        async with bench.http.get(bench.address + path) as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_the_warehouses_door_takes_any_body_under_its_token(bench: Bench) -> None:
    status, _ = await bench.post("/webhooks/clarus/unguessable-token?event=goods_out.completed", b"\x00not json")
    assert status == 200
    assert await bench.stored() == [("clarus", "", "goods_out.completed", b"\x00not json")]


@pytest.mark.parametrize("token", ["", "wrong", "unguessable-toke", "unguessable-token2", "%ff", "../shopify"])
async def test_another_address_finds_nothing(bench: Bench, token: str) -> None:
    status, _ = await bench.post(f"/webhooks/clarus/{token}")
    assert status in (404, 401)
    assert await bench.stored() == []


async def test_an_equal_warehouse_hint_is_a_duplicate_only_within_its_minute_event_and_automation(
    database: str,
) -> None:
    async with open_bench(database) as bench:
        path = "/webhooks/clarus/unguessable-token?event="
        for event, automation in [("a", "43"), ("a", "43"), ("b", "43"), ("a", "44")]:
            assert (await bench.post(path + event, headers={"X-ClarusWMS-Automation-ID": automation}))[0] == 200
        assert bench.counted("clarus", "stored") == 3
        assert bench.counted("clarus", "duplicate") == 1


async def test_a_database_that_hangs_is_answered_503_within_a_second_and_heals(bench: Bench, database: str) -> None:
    blocker = await asyncpg.connect(database)
    blocking = blocker.transaction()
    await blocking.start()
    await blocker.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with bench.http.post(bench.address + "/webhooks/shopify", data=BODY, headers=envelope(BODY)) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert loop.time() - started < 1.2
    await blocking.rollback()
    await blocker.close()
    assert await bench.shopify() == 200
    assert len(await bench.stored()) == 1


async def test_a_database_that_is_gone_is_answered_503(bench: Bench) -> None:
    await bench.store.aclose()
    assert await bench.shopify() == 503
    assert bench.counted("shopify", "unstored") == 1


async def test_concurrent_webhooks_share_commits_and_lose_nothing(database: str) -> None:
    sizes: list[int] = []
    async with open_bench(database, on_batch=sizes.append) as bench:
        bodies = [json.dumps({"id": number}).encode() for number in range(300)]
        statuses = await asyncio.gather(
            *(bench.shopify(body, x_shopify_event_id=f"event-{number}") for number, body in enumerate(bodies))
        )
        assert statuses == [200] * 300
        assert sum(sizes) == 300
        assert len(sizes) < 150
        stored = {row.body for _ in range(3) for row in await bench.store.claim_inbox(now=NOW, limit=100)}
        assert stored == set(bodies)
