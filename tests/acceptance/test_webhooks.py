"""Webhooks through the shipped command: every published sample, every hostile body, and a database that goes away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from acceptance.stage import nothing_left, stage_on, witness_of
from connectors.shopify_stub import load_contract
from pickgate.http import HttpResponse
from pickgate.proofs.stage import CLARUS_TOKEN, Stage
from pickgate.simulation.world import CLIENT_SECRET, DOMAIN
from pickgate.store.witness import StoredWebhook
from pickgate.twins.shopify.hooks import sign

pytestmark = pytest.mark.postgres

LARGEST = 2 * 1024 * 1024


@pytest.fixture
async def stage(database: str) -> AsyncIterator[Stage]:
    async with stage_on(database) as opened:
        yield opened


async def send(stage: Stage, number: int, body: bytes, topic: str = "orders/updated", **headers: str) -> HttpResponse:
    """Post as Shopify would; `headers` are laid over."""
    envelope = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": DOMAIN,
        "X-Shopify-Hmac-Sha256": sign(body, CLIENT_SECRET),
        "X-Shopify-Webhook-Id": f"webhook-{number}",
        "X-Shopify-Event-Id": f"event-{number}",
        "X-Shopify-API-Version": "2026-07",
    }
    return await stage.post("/webhooks/shopify", body, envelope | headers)


async def settled(stage: Stage, database: str) -> Mapping[str, StoredWebhook]:
    """Wait until everything is read; return it by webhook id."""
    async with witness_of(database) as witness:
        await stage.until(lambda: nothing_left(witness), seconds=20, what="every webhook is read")
        return {row.webhook_id: row for row in await witness.stored_webhooks()}


async def test_every_published_sample_is_taken_and_none_harms_the_worker(stage: Stage, database: str) -> None:
    topics: dict[str, Any] = load_contract("shopify-webhook-samples-2026-07.json.gz")["topics"]
    serve = await stage.start("serve")
    bodies = {topic: json.dumps(entry["sample"]).encode() for topic, entry in topics.items()}
    edit = topics["orders/edited"]["sample"]["order_edit"]
    bodies["orders/edited"] = json.dumps({"order_edit": edit | {"order_id": 77}}).encode()
    answers = await asyncio.gather(
        *(send(stage, n, body, topic) for n, (topic, body) in enumerate([*bodies.items(), ("novelties/create", b"{}")]))
    )
    assert [answer.status for answer in answers] == [200] * 61
    stored = await settled(stage, database)
    assert len(stored) == 61
    verdicts = {row.topic: row.verdict for row in stored.values()}
    assert set(verdicts.values()) == {"hinted", "ignored"}
    assert {topic for topic, verdict in verdicts.items() if topic.startswith("orders/") and verdict == "ignored"} == {
        "orders/risk_assessment_changed"
    }
    for topic in ("novelties/create", "customers/redact", "app/uninstalled", "returns/process"):
        assert verdicts[topic] == "ignored"
    assert [row["name"] for row in await found(stage, "77")] != []
    assert await found(stage, str(edit["id"])) == []
    assert not serve.is_over
    assert (await stage.get("/api/v1/exceptions?code=ORDER_FROZEN&state=open"))["items"] == []


async def found(stage: Stage, order_id: str) -> list[Any]:
    items: list[Any] = (await stage.get("/api/v1/orders?limit=100"))["items"]
    return [item for item in items if item["shopify_id"] == order_id]


HOSTILE = {
    "empty": b"",
    "cut": b'{"id": 5',
    "not-utf-8": b'{"id": 5, "note": "\xff\xfe"}',
    "utf-16": '{"id": 5}'.encode("utf-16"),
    "nul": b"\x00\x01\x02",
    "trailing": b'{"id": 5} and more',
    "deep": b"[" * 100_000,
    "deep-object": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "huge-exponent": b'{"id": 1e9999999999999999999}',
    "many-digits": b'{"id": ' + b"9" * 5_000 + b"}",
    "not-a-number": b'{"id": NaN}',
    "a-list": b"[1, 2]",
    "a-word": b'"orders"',
    "id-is-an-object": b'{"id": {"a": 1}}',
}


async def test_hostile_bodies_get_their_status_and_become_an_exception_each(stage: Stage, database: str) -> None:
    serve = await stage.start("serve")
    good = b'{"id": 5550001}'
    refused = {
        "unsigned": await send(stage, 1, good, **{"X-Shopify-Hmac-Sha256": ""}),
        "other-key": await send(stage, 2, good, **{"X-Shopify-Hmac-Sha256": sign(good, "another-key")}),
        "other-shop": await send(stage, 3, good, **{"X-Shopify-Shop-Domain": "other.myshopify.com"}),
        "too-large": await send(stage, 4, good, **{"Content-Length": str(LARGEST + 1)}),
        "encoded": await send(stage, 5, good, **{"Content-Encoding": "gzip"}),
        "wrong-address": await stage.post(f"/webhooks/clarus/{CLARUS_TOKEN}x", good, {}),
    }
    assert {name: answer.status for name, answer in refused.items()} == {
        "unsigned": 401,
        "other-key": 401,
        "other-shop": 401,
        "too-large": 413,
        "encoded": 415,
        "wrong-address": 404,
    }
    assert all(b"Traceback" not in answer.body for answer in refused.values())
    numbers = {name: 100 + n for n, name in enumerate(HOSTILE)}
    answers = await asyncio.gather(*(send(stage, numbers[name], body) for name, body in HOSTILE.items()))
    assert [answer.status for answer in answers] == [200] * len(HOSTILE)
    hints = [await stage.post(f"/webhooks/clarus/{CLARUS_TOKEN}", body, {}) for body in HOSTILE.values()]
    assert [answer.status for answer in hints] == [200] * len(HOSTILE)

    stored = await settled(stage, database)
    verdicts = {name: stored[f"webhook-{number}"].verdict for name, number in numbers.items()}
    assert verdicts == dict.fromkeys(HOSTILE, "exception")
    page = await stage.get("/api/v1/exceptions?state=open&limit=200")
    codes = {item["code"] for item in page["items"]}
    assert codes == {"UNREADABLE_PAYLOAD"}
    assert all(item["owner"] == "ecommerce" and item["due_at"] for item in page["items"])
    assert not serve.is_over
    assert (await send(stage, 999, good, "orders/paid")).status == 200
