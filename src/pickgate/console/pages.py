"""The pages: which operations each one asks, and what it shows of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from starlette.requests import Request

from pickgate.operations.context import OperationContext
from pickgate.operations.registry import run_operation

Loader = Callable[[OperationContext, Mapping[str, Any]], Awaitable[dict[str, Any]]]


async def _nothing_more(context: OperationContext, values: Mapping[str, Any]) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page. `operation` is what its JSON twin answers; `more` loads what the page shows beside it.

    `topic`: what must change for an open page to be fetched again.
    """

    path: str
    template: str
    title: str
    operation: str
    topic: str = "all"
    more: Loader = _nothing_more
    fixed: Mapping[str, Any] | None = None

    def values(self, request: Request) -> dict[str, Any]:
        """Read the operation's input from the address. Empty filters mean no filter."""
        values: dict[str, Any] = {}
        for name in request.query_params:
            found = [item for item in request.query_params.getlist(name) if item != ""]
            if found:
                values[name] = found[0] if len(found) == 1 else found
        return values | request.path_params | dict(self.fixed or {})


def hold_choices(now: datetime) -> list[tuple[str, str]]:
    """Offer ends for a hold or a snooze: value and words. Times are UTC."""
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time(7), now.tzinfo)
    choices = [
        (now + timedelta(hours=1), "for 1 hour"),
        (now + timedelta(hours=4), "for 4 hours"),
        (tomorrow, "until tomorrow, 07:00 UTC"),
        (now + timedelta(days=3), "for 3 days"),
        (now + timedelta(days=7), "for 7 days"),
    ]
    return [(instant.isoformat(timespec="seconds"), words) for instant, words in choices]


async def _today(context: OperationContext, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "checks": await run_operation(context, "daily_checks", {}),
        "urgent": await run_operation(context, "list_exceptions", {"limit": 8, "sort": "due_at"}),
        "waiting": await run_operation(context, "list_held_orders", {"limit": 8}),
    }


async def _health(context: OperationContext, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "checks": await run_operation(context, "daily_checks", {}),
        "unknown": await run_operation(context, "list_effects", {"state": "unknown", "limit": 20}),
    }


PAGES = (
    Page(path="/", template="today.html", title="Today", operation="get_health", more=_today),
    Page(path="/orders", template="orders.html", title="Orders", operation="list_orders"),
    Page(path="/orders/{ref}", template="order.html", title="Order", operation="get_order"),
    Page(path="/orders/{ref}/replay", template="replay.html", title="Decide again", operation="replay_order"),
    Page(path="/exceptions", template="exceptions.html", title="Exceptions", operation="list_exceptions"),
    Page(path="/exceptions/{id}", template="exception.html", title="Exception", operation="get_exception"),
    Page(path="/waiting", template="waiting.html", title="Waiting", operation="list_held_orders"),
    Page(path="/drift", template="drift.html", title="Drift", operation="list_drift"),
    Page(path="/effects", template="effects.html", title="Effects", operation="list_effects"),
    Page(path="/audit", template="audit.html", title="Audit", operation="list_audit"),
    Page(path="/health", template="health.html", title="Health", operation="get_health", more=_health),
)
