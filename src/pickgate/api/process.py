"""Whether the process is alive, whether it is ready, and its figures."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pickgate.api.parts import AppParts
from pickgate.metrics import CONTENT_TYPE
from pickgate.operations.overview import HealthShape

_WITHIN_SECONDS = 1.0


def process_routes(parts: AppParts) -> list[Route]:
    """Return `/healthz`, `/readyz` and `/metrics`."""

    async def healthz(_: Request) -> Response:
        """Alive: the event loop turns. Nothing else, so that a database outage restarts nobody."""
        return PlainTextResponse("alive\n")

    async def readyz(_: Request) -> Response:
        """Ready: the database answers within a second and is migrated. Not the vendors: their outages pass."""
        try:
            async with asyncio.timeout(_WITHIN_SECONDS):
                pending = list(await parts.reads.pending_migrations())
        except Exception as error:
            return JSONResponse({"ready": False, "database": type(error).__name__}, 503, headers={"Retry-After": "5"})
        if pending:
            return JSONResponse({"ready": False, "database": "ok", "pending_migrations": pending}, 503)
        return JSONResponse({"ready": True, "database": "ok", "pending_migrations": []})

    async def metrics(_: Request) -> Response:
        await _read_gauges(parts)
        return Response(parts.metrics.render(), media_type=CONTENT_TYPE)

    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]


async def _read_gauges(parts: AppParts) -> None:
    """Set the gauges from one reading; when the database is away they keep their last value."""
    now, metrics = parts.clock.now(), parts.metrics
    try:
        async with asyncio.timeout(_WITHIN_SECONDS):
            found = HealthShape.model_validate(dict(await parts.reads.health(now=now, shops=None)) | {"at": now})
    except Exception:
        metrics.gauges_fresh.set(0)
        return
    metrics.gauges_fresh.set(1)
    for team in ("ops", "cx", "finance", "ecommerce"):
        metrics.open_exceptions.labels(team).set(found.open_exceptions.get(team, 0))
    metrics.inbox_pending.set(found.inbox_pending)
    metrics.inbox_unaccounted.set(found.inbox_unaccounted)
    metrics.looks_due.set(found.looks_due)
    metrics.effects_unknown.set(found.effects_unknown)
    for gauge, since in (
        (metrics.inbox_oldest_seconds, found.inbox_oldest_at),
        (metrics.looks_oldest_seconds, found.looks_oldest_due_at),
    ):
        gauge.set(max(0.0, (now - since).total_seconds()) if since else 0.0)
    for state, count in found.orders_by_state.items():
        metrics.orders.labels(state).set(count)
