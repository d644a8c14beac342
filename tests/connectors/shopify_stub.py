"""A shop that answers from a script, and the pieces that the Shopify connector's tests share."""

from __future__ import annotations

import asyncio
import copy
import gzip
import json
import os
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import SecretStr

from pickgate.clock import VirtualClock
from pickgate.connectors.shopify import ShopifyShop
from pickgate.http import HttpRequest, HttpResponse
from pickgate.settings import ShopSettings

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = Path(os.environ.get("PICKGATE_CONTRACTS", ROOT / ".." / "shared" / "contracts"))
PAYLOADS = ROOT / "src" / "pickgate" / "connectors" / "shopify" / "payloads"
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
API_BASE = "https://example-uk.myshopify.com"

Result = TypeVar("Result")
Reply = HttpResponse | Exception
Script = Callable[[HttpRequest], Reply]


def load_contract(name: str) -> Any:
    """Read a vendor file, or skip the test where it is absent."""
    path = CONTRACTS / name
    if not path.exists():
        pytest.skip(f"{name} is not here; set PICKGATE_CONTRACTS to the folder that has it")
    return json.loads(gzip.decompress(path.read_bytes()))


def order_payload(**changes: Any) -> dict[str, Any]:
    """The made order of two lines, with top-level fields replaced."""
    order: dict[str, Any] = json.loads((PAYLOADS / "order__two_lines.made.json").read_text("utf-8"))
    return copy.deepcopy({**order, **changes})


def answer(
    data: Any, *, errors: list[Any] | None = None, requested: float = 50, available: float = 1900
) -> HttpResponse:
    """A GraphQL answer with the cost that Shopify reports."""
    body: dict[str, Any] = {
        "data": data,
        "extensions": {
            "cost": {
                "requestedQueryCost": requested,
                "actualQueryCost": requested,
                "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": 100.0},
            }
        },
    }
    if errors is not None:
        body["errors"] = errors
    return HttpResponse(status=200, headers={"Content-Type": "application/json"}, body=json.dumps(body).encode())


def refusal(code: str, message: str = "no", *, path: list[str | int] | None = None) -> dict[str, Any]:
    """One entry of top-level `errors`."""
    entry: dict[str, Any] = {"message": message, "extensions": {"code": code}}
    return entry if path is None else {**entry, "path": path}


class ScriptedShop:
    """A Transport: each request takes the next reply; the last one repeats only when `repeat` says so."""

    def __init__(self, *replies: Reply | Script, repeat: bool = False) -> None:
        self.replies = list(replies)
        self.repeat = repeat
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        if not self.replies:
            raise AssertionError(f"unexpected request {len(self.requests)}: {request.body[:200]!r}")
        reply = self.replies[0] if self.repeat and len(self.replies) == 1 else self.replies.pop(0)
        found = reply if isinstance(reply, HttpResponse | Exception) else reply(request)
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def sent(self) -> list[tuple[str, dict[str, Any]]]:
        """(operation name, variables) of every GraphQL request."""
        found = []
        for request in self.requests:
            body = json.loads(request.body)
            lines = [line for line in body["query"].splitlines() if line.startswith(("query ", "mutation "))]
            found.append((lines[0].split()[1].partition("(")[0], body["variables"]))
        return found


def settings(**changes: Any) -> ShopSettings:
    base: dict[str, Any] = {
        "key": "uk",
        "domain": "example-uk.myshopify.com",
        "api_base": API_BASE,
        "access_token": SecretStr("shpat_test"),
    }
    return ShopSettings.model_validate({**base, **changes})


def shop(
    transport: Any, *, clock: VirtualClock | None = None, gather_seconds: float = 0, **options: Any
) -> ShopifyShop:
    clock = clock or VirtualClock(START)
    return ShopifyShop(settings(), transport=transport, clock=clock, gather_seconds=gather_seconds, **options)


def step(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine by hand, with no event loop anywhere. Fails when it suspends."""
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: Result = stop.value
        return result
    coroutine.close()
    raise AssertionError("the coroutine suspended")
