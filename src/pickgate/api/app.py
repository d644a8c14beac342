"""The whole HTTP application: webhooks first and bare, everything else behind security headers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pickgate.api.intake import Intake
from pickgate.api.intake_batch import InboxBatcher
from pickgate.api.openapi import build_openapi, to_openapi_3_0
from pickgate.api.parts import AppParts
from pickgate.api.problems import Problem, render_problem, unavailable
from pickgate.api.process import process_routes
from pickgate.api.rest import rest_routes
from pickgate.api.security import SecurityHeaders
from pickgate.console.live import ChangeFeed
from pickgate.console.site import Console

_log = structlog.get_logger("pickgate.api")


class PickgateApp:
    """The ASGI application. Webhook paths skip the framework; `metrics` counts what it answers."""

    def __init__(self, intake: Intake, rest: ASGIApp) -> None:
        self._intake = intake
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._intake.handles(scope["path"]):
            await self._intake(scope, receive, send)
        else:
            await self._rest(scope, receive, send)


def create_app(parts: AppParts) -> PickgateApp:
    """Put the application together. Its lifespan starts and stops the batcher and the live feed."""

    def on_batch(size: int) -> None:
        parts.metrics.intake_batch_size.observe(size)
        parts.on_stored()

    batcher = InboxBatcher(parts.record_inbox, store_gone=parts.store_gone, on_batch=on_batch)
    intake = Intake(
        shopify=parts.shopify, clarus=parts.clarus, batcher=batcher, metrics=parts.metrics, clock=parts.clock
    )
    feed = ChangeFeed(parts.reads.change_mark)
    document = build_openapi(version=parts.version, public_url=parts.public_url)
    older = to_openapi_3_0(document)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await batcher.start()
        try:
            yield
        finally:
            await feed.stop()
            await batcher.stop()

    async def openapi(_: Request) -> Response:
        return JSONResponse(document)

    async def openapi_3_0(_: Request) -> Response:
        return JSONResponse(older)

    routes = [
        *process_routes(parts),
        Route("/openapi.json", openapi, methods=["GET"]),
        Route("/openapi-3.0.json", openapi_3_0, methods=["GET"]),
        *rest_routes(parts),
        *(Mount(path, app) for path, app in parts.extra_mounts),
        *Console(parts, feed).routes(),
    ]
    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        Problem: _problem,
        HTTPException: _http_problem,
        Exception: _failed,
    }
    for error in parts.store_gone:
        handlers[error] = _store_gone
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    return PickgateApp(intake, SecurityHeaders(app, is_secure=parts.public_url.startswith("https://")))


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return render_problem(error)


async def _http_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        problem = Problem("METHOD_NOT_ALLOWED", "This address does not take that method.", remedy="See /openapi.json.")
        problem.headers = dict(error.headers or {})
    elif error.status_code == 404:
        problem = Problem("NOT_FOUND", "There is nothing at this address.", remedy="See /openapi.json.")
    else:
        problem = Problem("BAD_JSON", str(error.detail), remedy="Correct the request.")
    return render_problem(problem)


async def _store_gone(_: Request, error: Exception) -> Response:
    return render_problem(unavailable())


async def _failed(request: Request, error: Exception) -> Response:
    """The last resort: say little, log the kind of error and where it was."""
    _log.error("request_failed", route=request.url.path, error=type(error).__name__)
    return render_problem(
        Problem("FAILED", "Pickgate could not do this.", remedy="Try again; if it stays, see the log of this process.")
    )
