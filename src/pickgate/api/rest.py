"""REST over the operations: an address for each, and nothing else. GET asks, POST changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pickgate.api.parts import AppParts
from pickgate.api.problems import Problem, problem_of
from pickgate.api.tokens import find_actor
from pickgate.operations.errors import OperationRefused
from pickgate.operations.operation import Operation
from pickgate.operations.registry import REGISTRY, run_operation

PREFIX = "/api/v1"
MAX_JSON_BYTES = 1024 * 1024

# Operation id -> method and path. A test checks that every operation is here, once, and nothing else.
ROUTES: Mapping[str, tuple[str, str]] = {
    "list_orders": ("GET", "/orders"),
    "get_order": ("GET", "/orders/{ref}"),
    "look_at_order": ("POST", "/orders/{ref}/look"),
    "release_order": ("POST", "/orders/{ref}/release"),
    "hold_order": ("POST", "/orders/{ref}/hold"),
    "unhold_order": ("POST", "/orders/{ref}/unhold"),
    "cancel_in_warehouse": ("POST", "/orders/{ref}/cancel-in-warehouse"),
    "replay_order": ("GET", "/orders/{ref}/replay"),
    "list_exceptions": ("GET", "/exceptions"),
    "get_exception": ("GET", "/exceptions/{id}"),
    "assign_exception": ("POST", "/exceptions/assign"),
    "snooze_exception": ("POST", "/exceptions/snooze"),
    "resolve_exceptions": ("POST", "/exceptions/resolve"),
    "list_held_orders": ("GET", "/held-orders"),
    "list_drift": ("GET", "/drift"),
    "list_stock": ("GET", "/stock"),
    "preview_stock": ("GET", "/stock/preview"),
    "publish_stock": ("POST", "/stock/publish"),
    "money_report": ("GET", "/money/report"),
    "list_money_exceptions": ("GET", "/money/exceptions"),
    "list_rulebooks": ("GET", "/rulebooks"),
    "get_rulebook": ("GET", "/rulebook"),
    "export_rulebook": ("GET", "/rulebook/export"),
    "check_rulebook": ("GET", "/rulebook/check"),
    "backtest_rulebook": ("GET", "/rulebook/backtest"),
    "save_rulebook": ("POST", "/rulebooks"),
    "publish_rulebook": ("POST", "/rulebooks/{number}/publish"),
    "list_effects": ("GET", "/effects"),
    "get_body": ("GET", "/bodies/{id}"),
    "list_audit": ("GET", "/audit"),
    "daily_checks": ("GET", "/daily-checks"),
    "get_health": ("GET", "/health"),
    "list_runbooks": ("GET", "/handbook"),
    "get_runbook": ("GET", "/handbook/{code}"),
    "get_settings": ("GET", "/settings"),
}


def rest_routes(parts: AppParts) -> list[Route]:
    """Return one route for each operation."""
    return [_route(parts, operation) for operation in REGISTRY]


def _route(parts: AppParts, operation: Operation[Any, Any]) -> Route:
    method, path = ROUTES[operation.id]

    async def endpoint(request: Request) -> Response:
        actor = await find_actor(parts, request)
        values = await _read_json(request) if method == "POST" else _read_query(request)
        twice = sorted(set(values) & set(request.path_params))
        if twice:
            raise Problem(
                "INPUT_INVALID", f"{', '.join(twice)} is in the path already.", remedy="Leave it out of the input."
            )
        try:
            output = await run_operation(parts.context(actor), operation.id, values | request.path_params)
        except OperationRefused as refused:
            raise problem_of(refused) from refused
        return JSONResponse(output.model_dump(mode="json"))

    return Route(PREFIX + path, endpoint, methods=[method], name=operation.id)


def _read_query(request: Request) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in request.query_params:
        found = request.query_params.getlist(name)
        values[name] = found[0] if len(found) == 1 else found
    return values


async def _read_json(request: Request) -> dict[str, Any]:
    """Read a JSON object; an empty body is an empty one. Raises Problem."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise Problem("TOO_LARGE", f"The body is larger than {MAX_JSON_BYTES} bytes.", remedy="Ask for less.")
    if not body.strip():
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem("NOT_JSON", "The body is not JSON.", remedy="Send it with `Content-Type: application/json`.")
    try:
        values = json.loads(bytes(body))
    except (ValueError, RecursionError) as error:
        raise Problem("BAD_JSON", "The body is not valid JSON.", remedy="Check it with a JSON reader.") from error
    if not isinstance(values, dict):
        raise Problem("BAD_JSON", "The body is not a JSON object.", remedy='Send an object: {"reason": "…"}.')
    return values
