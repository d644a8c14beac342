"""Whether the process is alive and ready, its figures, and how it fails."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import aiohttp
import asyncpg
import pytest

from api.client import Client
from api.serving import serve
from console.desk import Desk, open_desk
from pickgate.api.app import create_app
from pickgate.api.parts import AppParts
from pickgate.store.connection import Database
from pickgate.store.reads import Reads

pytestmark = pytest.mark.postgres


async def test_a_database_that_is_gone_is_503_everywhere_but_alive(client: Client) -> None:
    await client.desk.store.aclose()
    status, found, headers = await client.ask("GET", "/orders")
    assert (status, found["code"], headers["Retry-After"]) == (503, "UNAVAILABLE", "5")
    async with client.http.get(client.desk.address + "/readyz") as answer:
        assert (
            answer.status == 503 or (await answer.json())["ready"]
        )  # migrations are asked over a connection of their own
    async with client.http.get(client.desk.address + "/healthz") as answer:
        assert answer.status == 200
    async with client.http.get(client.desk.address + "/metrics") as answer:
        assert (answer.status, "pickgate_gauges_fresh 0.0" in await answer.text()) == (200, True)


async def test_it_is_ready_when_the_database_answers_and_is_migrated(
    desk: Desk, postgres_server: str, empty_database: str
) -> None:
    async def ready(parts: AppParts) -> tuple[int, Any]:
        app = create_app(parts)
        async with serve(app) as address, aiohttp.ClientSession(address) as http, http.get("/readyz") as answer:
            return answer.status, await answer.json()

    assert await ready(desk.parts) == (200, {"ready": True, "database": "ok", "pending_migrations": []})
    other = await Database.open(empty_database)
    name = await _name_of(empty_database)
    parts = replace(desk.parts, reads=Reads(other, desk.store.sealer))
    status, found = await ready(parts)
    assert (status, found["ready"], "0001_orders" in found["pending_migrations"][0]) == (503, False, True)
    await other.aclose()
    admin = await asyncpg.connect(postgres_server)
    try:
        await admin.execute(f"ALTER DATABASE {name} RENAME TO {name}_away")
        status, found = await ready(parts)
        assert (status, found["ready"], "pending_migrations" in found) == (503, False, False)
        await admin.execute(f"ALTER DATABASE {name}_away RENAME TO {name}")
    finally:
        await admin.close()


async def _name_of(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        return str(await connection.fetchval("SELECT current_database()"))
    finally:
        await connection.close()


async def test_metrics_show_gauges_and_counters(client: Client) -> None:
    await client.desk.keep_late_edit()
    await client.get("/orders")
    async with client.http.get(client.desk.address + "/metrics") as answer:
        text = await answer.text()
    assert 'pickgate_open_exceptions{team="cx"} 1.0' in text
    assert 'pickgate_operations_total{operation="list_orders",result="done"} 1.0' in text
    assert "pickgate_gauges_fresh 1.0" in text


async def test_unknown_addresses_and_methods_are_problems(client: Client) -> None:
    status, found, _ = await client.ask("GET", "/nothing")
    assert (status, found["code"]) == (404, "NOT_FOUND")
    status, found, headers = await client.ask("DELETE", "/orders")
    assert (status, found["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in headers["Allow"]


async def test_the_rest_of_the_world_fails_without_telling_anything(database: str) -> None:
    async def replay(order: int, *, rulebook: int | None) -> Mapping[str, Any]:
        raise RuntimeError("secret detail")

    async with open_desk(database, replay=replay) as desk, aiohttp.ClientSession() as http:
        await desk.keep_waiting()
        status, found, _ = await Client(desk, http).ask("GET", "/orders/1031/replay")
        assert (status, found["code"]) == (500, "FAILED")
        assert "secret" not in json.dumps(found)
