"""How the twin reads requests and words its answers."""

from __future__ import annotations

import json
from typing import Any

from pickgate.http import HttpRequest, HttpResponse


class Refusal(Exception):
    """Ends a request with a status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def answer(status: int, value: Any) -> HttpResponse:
    return HttpResponse(
        status=status, headers={"Content-Type": "application/json"}, body=json.dumps(value).encode() if value else b""
    )


def read_object(request: HttpRequest) -> dict[str, Any]:
    """Read a JSON object. Raises Refusal (400)."""
    if (request.header("Content-Type") or "").partition(";")[0] != "application/json":
        raise Refusal(400, "not JSON")
    try:
        found = json.loads(request.body)
    except ValueError as error:
        raise Refusal(400, "not JSON") from error
    if not isinstance(found, dict):
        raise Refusal(400, "not an object")
    return found


def need(values: dict[str, Any], *names: str) -> None:
    """Every one of these, and not empty. Raises Refusal (400)."""
    for name in names:
        if not isinstance(values.get(name), str) or not values[name]:
            raise Refusal(400, f"{name} is required")
