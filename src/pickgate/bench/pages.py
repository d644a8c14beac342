"""How long the console's pages take when the database is full: 50,000 orders, 2,000 open exceptions."""

from __future__ import annotations

import asyncio
import secrets
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import aiohttp
import uvicorn

from pickgate.api.app import PickgateApp, create_app
from pickgate.bench.stage import scratch, write_config
from pickgate.bootstrap import Installation, open_installation, read_settings
from pickgate.console.pages import PAGES
from pickgate.operations.passwords import hash_password
from pickgate.rulebook.tables import Tables

LIMIT_MS = 200
LOGIN = "bench"
# They ask the warehouse live, which answers nobody here, or need the facts of a real look.
_LEFT_OUT = ("preview_stock", "check_rulebook", "replay_order")
_MORE = (
    "/orders?q=%2331", "/orders?state=waiting&sort=next_look_at", "/orders?offset=40000", "/exceptions?limit=200",
    "/waiting?gate=edit_window", "/stock?only_differing=true", "/exceptions?state=resolved",
)  # fmt: skip


async def bench_pages(*, orders: int = 50_000, exceptions: int = 2_000, rounds: int = 7) -> list[tuple[str, str]]:
    """Ask for every page, as a person who is logged in. Medians, and how many are slower than 200 ms."""
    async with scratch() as folder:
        settings = read_settings(str(write_config(folder)))
        async with open_installation(settings) as installation:
            await _fill(installation, orders, exceptions)
            password = secrets.token_urlsafe(24)
            await installation.access.create_user(
                name=LOGIN,
                password_hash=hash_password(password),
                role="admin",
                shops=[],
                by=LOGIN,
                now=_now(installation),
            )
            one = await _one_of_each(installation)
            async with _serving(create_app(installation.app_parts())) as base:
                figures = await _measure(base, rounds, password, one)
    slow = [path for path, milliseconds in figures if milliseconds > LIMIT_MS]
    rows = [("orders / open exceptions", f"{orders:,} / {exceptions:,}")]
    rows += [(f"{path}, ms", f"{milliseconds:.0f}") for path, milliseconds in figures]
    return [*rows, (f"pages slower than {LIMIT_MS} ms", str(len(slow)))]


def _now(installation: Installation) -> datetime:
    return installation.clock.now()


async def _fill(installation: Installation, orders: int, exceptions: int) -> None:
    now = _now(installation)
    tables = Tables(locations=(("", "70", "", "ACME", "LEEDS", ""),))
    number = await installation.rulebooks.save(tables.to_json(), note="bench", by=LOGIN, now=now)
    await installation.rulebooks.publish(number, reason="bench", by=LOGIN, now=now)
    async with installation.store.database.session() as session:
        for statement in _FILLING:
            filled = statement.format(orders, exceptions, f"'{now}'", f"'{now - timedelta(days=30)}'")
            await session.connection.execute(filled)
        await session.connection.execute("ANALYZE")


@asynccontextmanager
async def _serving(app: PickgateApp) -> AsyncIterator[str]:
    """Serve on a free loopback port; yields the address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="on"))
    running = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if running.done():
                running.result()
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


# {0}: orders, {1}: exceptions, {2}: now, {3}: a month ago. Written for this measurement: what pages read, no more.
_FILLING = (
    """
    INSERT INTO orders (shop, order_id, name, first_seen_at, next_look_at, looked_at, settled)
    SELECT 'bench', (5000000 + n)::text, '#' || (10000 + n), {3}::timestamptz + n * interval '50 seconds',
           CASE WHEN n > {0} * 0.9 THEN {2}::timestamptz + n % 3600 * interval '1 second' END,
           {2}::timestamptz - n % 600 * interval '1 second', n <= {0} * 0.9
      FROM generate_series(1, {0}) AS n
    """,
    """
    INSERT INTO order_facts (order_row, shop, state, shopify_created_at, differs, gates, comparison, skus, tags, search,
                             digest)
    SELECT id, shop,
           CASE WHEN settled THEN 'despatched' WHEN id % 3 = 0 THEN 'waiting' WHEN id % 3 = 1 THEN 'in_warehouse'
                ELSE 'picking' END,
           first_seen_at, id % 997 = 0,
           CASE WHEN settled OR id % 3 <> 0 THEN '[]'::jsonb ELSE jsonb_build_array(jsonb_build_object(
                'code', 'edit_window', 'detail', 'The customer may still edit.', 'until', next_look_at)) END,
           (SELECT jsonb_agg(jsonb_build_object('line_id', line::text, 'title', 'Thing ' || line, 'sku', 'SKU-' || line,
                   'shop_units', 2, 'decided_units', 2, 'warehouse_units', 2, 'differs', false))
              FROM generate_series(1, 3) AS line),
           ARRAY['SKU-' || id % 5000], ARRAY['gift'], lower(name || ' ' || order_id || ' sku-' || id % 5000 || ' gift'),
           md5(id::text)
      FROM orders
    """,
    """
    INSERT INTO effects (order_row, shop, key, kind, target, state, command, epoch, at, sent_at, finished_at)
    SELECT id, shop, 'create_goods_out:' || name || '-' || n, 'create_goods_out', name || '-' || n,
           CASE WHEN id % 5000 = 0 THEN 'unknown' ELSE 'confirmed' END, '{{}}', 1, first_seen_at, first_seen_at,
           first_seen_at
      FROM orders CROSS JOIN generate_series(1, 3) AS n
    """,
    """
    INSERT INTO journal (order_row, shop, at, kind, detail)
    SELECT id, shop, first_seen_at, 'decided', '{{"state": "waiting", "reasons": [{{"text": "Paid"}}]}}'
      FROM orders CROSS JOIN generate_series(1, 6) AS n
    """,
    """
    INSERT INTO exceptions (scope, order_row, order_name, shop, code, fingerprint, owner, severity, summary, opened_at,
                            last_found_at, due_at, actions)
    SELECT 'order:' || id, id, name, shop,
           (ARRAY['LATE_EDIT', 'SKU_UNMAPPED', 'WMS_REFUSED', 'EDIT_UNPAID'])[1 + id % 4], 'f' || id,
           (ARRAY['cx', 'ecommerce', 'ops', 'cx'])[1 + id % 4], (ARRAY['urgent', 'high', 'normal'])[1 + id % 3],
           'Something about ' || name, {2}::timestamptz - interval '1 hour', {2},
           {2}::timestamptz + (id % 7200 - 3600) * interval '1 second', ARRAY['look_at_order', 'resolve_exceptions']
      FROM orders ORDER BY id DESC LIMIT {1}
    """,
    """
    INSERT INTO inbox (source, shop, topic, event_id, webhook_id, received_at, body_digest, verdict, settled_at)
    SELECT 'shopify', 'bench', 'orders/edited', 'e' || n, 'w' || n, {2}::timestamptz - n % 86000 * interval '1 second',
           decode(md5(n::text), 'hex'), 'hinted', {2}
      FROM generate_series(1, {0}) AS n
    """,
    """
    INSERT INTO audit (at, actor, action, subject, shop, reason)
    SELECT {2}::timestamptz - n * interval '1 minute', 'ann', 'hold_order', 'order ' || n, 'bench', 'Customer called'
      FROM generate_series(1, {0} / 10) AS n
    """,
    """
    INSERT INTO stock_levels (shop, location_id, item_id, account, warehouse, level_id, sku, products, available,
                              committed, on_hand, sellable, unseen, promised, buffer, target, action, why, compared_at)
    SELECT 'bench', '70', n::text, 'ACME', 'LEEDS', 'l' || n, 'SKU-' || n, ARRAY['SKU-' || n], n % 90, 1, n % 90 + 1,
           n % 90 + 1, 1, n % 90, 0, n % 90 + CASE WHEN n % 50 = 0 THEN 3 ELSE 0 END, 'same', 'As it should be.', {2}
      FROM generate_series(1, 20000) AS n
    """,
)


async def _one_of_each(installation: Installation) -> dict[str, str]:
    """Return one order and one exception, to open their pages."""
    async with installation.store.database.session() as session:
        order = await session.connection.fetchval("SELECT max(order_row) FROM exceptions")
        exception = await session.connection.fetchval("SELECT max(id) FROM exceptions")
    return {"ref": str(order), "id": str(exception), "number": "1", "code": "LATE_EDIT"}


async def _measure(base: str, rounds: int, password: str, one: dict[str, str]) -> list[tuple[str, float]]:
    own = {"Origin": base}
    figures = []
    # The session cookie must come back to an address without a name.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.post(f"{base}/login", data={"login": LOGIN, "password": password}, headers=own) as answer:
            answer.raise_for_status()
        for path in (*(page.path.format(**one) for page in PAGES if page.operation not in _LEFT_OUT), *_MORE):
            took = []
            for _ in range(rounds):
                began = time.perf_counter()
                async with http.get(base + path) as answer:
                    text = await answer.text()
                took.append((time.perf_counter() - began) * 1000)
            if answer.status != 200:
                raise RuntimeError(f"{path} answers {answer.status}: {text[:500]}")
            figures.append((path, statistics.median(took)))
    return figures
