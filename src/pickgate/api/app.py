"""The whole HTTP application: webhooks first and bare, everything else behind security headers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pickgate.api.intake import Intake
from pickgate.api.intake_batch import InboxBatcher
from pickgate.api.openapi import build_openapi, to_openapi_3_0
from pickgate.api.parts import AppParts
from pickgate.api.problems import Problem, unavailable
from pickgate.api.process import process_routes
from pickgate.api.rest import rest_routes
from pickgate.api.security import SecurityHeaders
from pickgate.console.live import ChangeFeed
from pickgate.console.site import Console

Handler = Callable[[Request, Exception], Awaitable[Response]]
_log = structlog.get_logger("pickgate.api")


class PickgateApp:
    """The ASGI application. Webhook paths skip the framework.

    A server that shuts down waits for open answers: call `close_streams` first, or open pages hold it up for a minute.
    """

    def __init__(self, intake: Intake, rest: ASGIApp, feed: ChangeFeed | None = None) -> None:
        self._intake = intake
        self._rest = rest
        self._feed = feed

    async def close_streams(self) -> None:
        """End the live updates of open pages; their browsers come again by themselves."""
        if self._feed is not None:
            await self._feed.stop()

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
    feed = ChangeFeed(parts.reads.change_mark, every_seconds=parts.live_seconds)
    console = Console(parts, feed)
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
        *(Route(path, app) for path, app in parts.extra_mounts),
        *console.routes(),
    ]
    handlers = _handlers(parts, console)
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    return PickgateApp(intake, SecurityHeaders(app, is_secure=parts.public_url.startswith("https://")), feed)


def _handlers(parts: AppParts, console: Console) -> dict[type[Exception], Handler]:
    """Every error ends as problem details, or as a page for people; the last resort says little and logs the kind."""

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return console.problem_page(request, error)

    async def http_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return console.problem_page(request, _problem_of_http(error))

    async def store_gone(request: Request, error: Exception) -> Response:
        return console.problem_page(request, unavailable())

    async def failed(request: Request, error: Exception) -> Response:
        _log.error("request_failed", route=request.url.path, error=type(error).__name__)
        found = Problem(
            "FAILED", "Pickgate could not do this.", remedy="Try again; if it stays, see the log of this process."
        )
        return console.problem_page(request, found)

    handlers: dict[type[Exception], Handler] = {
        Problem: problem,
        HTTPException: http_problem,
        Exception: failed,
    }
    return handlers | dict.fromkeys(parts.store_gone, store_gone)


def _problem_of_http(error: HTTPException) -> Problem:
    headers = dict(error.headers or {})
    if error.status_code == 405:
        words = "This address does not take that method."
        return Problem("METHOD_NOT_ALLOWED", words, remedy="See /openapi.json.", headers=headers)
    if error.status_code == 404:
        return Problem("NOT_FOUND", "There is nothing at this address.", remedy="See /openapi.json.")
    return Problem("BAD_JSON", str(error.detail), remedy="Correct the request.", headers=headers)
