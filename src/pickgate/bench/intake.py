"""Durable webhook intake: verify, commit, 200. Against the same database's own single-row commits, in the same run."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pickgate.bench.stage import PORT, running, scratch, write_config
from pickgate.simulation.world import CLIENT_SECRET, DOMAIN
from pickgate.store.embedded import EmbeddedPostgres, wheel_binaries

BODY_BYTES = 10_000
CONNECTIONS = 16


async def bench_intake(*, webhooks: int = 10_000, rounds: int = 3) -> list[tuple[str, str]]:
    """Post signed 10 KB orders over 16 connections; medians of several rounds."""
    rates, p50s, p99s, limits = [], [], [], []
    async with scratch() as folder:
        config = write_config(folder)
        async with running("api", config):
            for number in range(rounds):
                limits.append(await _pgbench(folder / "data"))
                rate, latencies = await _post(list(_requests(webhooks, number)))
                rates.append(rate)
                p50s.append(latencies[len(latencies) // 2] * 1000)
                p99s.append(latencies[int(len(latencies) * 0.99)] * 1000)
    rate, limit = statistics.median(rates), statistics.median(limits)
    return [
        ("webhooks stored per second, 10 KB, 16 connections", f"{rate:,.0f}"),
        ("p50 / p99, ms", f"{statistics.median(p50s):.1f} / {statistics.median(p99s):.1f}"),
        ("pgbench single-row commits per second, 16 clients", f"{limit:,.0f}"),
        ("ratio to it", f"{rate / limit:.2f}"),
    ]


def _requests(count: int, salt: int) -> Iterator[bytes]:
    padding = "x" * (BODY_BYTES - 160)
    for number in range(count):
        order = 900_000_000 + salt * count + number
        body = json.dumps(
            {"id": order, "admin_graphql_api_id": f"gid://shopify/Order/{order}", "note": padding, "line_items": []}
        ).encode()
        signature = base64.b64encode(hmac.digest(CLIENT_SECRET.encode(), body, "sha256")).decode()
        head = (
            "POST /webhooks/shopify HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nX-Shopify-Topic: orders/updated\r\nX-Shopify-Shop-Domain: {DOMAIN}\r\n"
            f"X-Shopify-Hmac-Sha256: {signature}\r\nX-Shopify-Webhook-Id: w{order}\r\n"
            f"X-Shopify-Event-Id: e{order}\r\n\r\n"
        )
        yield head.encode() + body


async def _post(requests: list[bytes]) -> tuple[float, list[float]]:
    waiting = iter(requests)
    latencies: list[float] = []
    answers: Counter[bytes] = Counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        for request in waiting:
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            answers[head[9:12]] += 1
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            if length and int(length[1]):
                await reader.readexactly(int(length[1]))
            latencies.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    seconds = time.perf_counter() - began
    if set(answers) != {b"200"}:
        raise RuntimeError(f"not every webhook was stored: {dict(answers)}")
    return len(requests) / seconds, sorted(latencies)


async def _pgbench(data_dir: Path, *, seconds: int = 3) -> float:
    """Single-row insert commits per second on the same server, over its socket."""
    server = EmbeddedPostgres(data_dir)
    dsn = server.start()
    script = data_dir / "single_row.sql"
    script.write_text("INSERT INTO pgbench_rows (filler) VALUES (repeat('x', 100));\n")
    binaries = wheel_binaries()
    sql = "CREATE TABLE IF NOT EXISTS pgbench_rows (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, filler text)"
    import asyncpg

    connection = await asyncpg.connect(dsn)
    await connection.execute(sql)
    await connection.close()
    process = await asyncio.create_subprocess_exec(
        str(binaries / "pgbench"), "-n", "-c", "16", "-j", "2", "-T", str(seconds), "-f", str(script), dsn,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    found = re.search(r"tps = ([\d.]+)", out.decode())
    if found is None:
        raise RuntimeError(f"pgbench failed: {err.decode()[-500:]}")
    return float(found[1])
