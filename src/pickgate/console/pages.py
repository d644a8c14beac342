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

    Args:
        own: Names in the address that only the page reads, not the operation.
        start: Values that are taken when the address says nothing.
        lists: Whether it has a CSV twin.
    """

    path: str
    template: str
    title: str
    operation: str
    more: Loader = _nothing_more
    own: tuple[str, ...] = ()
    start: Callable[[datetime], Mapping[str, Any]] = lambda today: {}
    lists: bool = False

    def values(self, request: Request, today: datetime) -> dict[str, Any]:
        """Read the operation's input from the address. Empty filters mean no filter. `today`: in the console's zone."""
        values: dict[str, Any] = dict(self.start(today))
        for name in request.query_params:
            if name in self.own:
                continue
            found = [item for item in request.query_params.getlist(name) if item != ""]
            if found:
                values[name] = found[0] if len(found) == 1 else found
        return values | request.path_params


def hold_choices(today: datetime) -> list[tuple[str, str]]:
    """Offer ends for a hold or a snooze: value and words. `today`: now, in the console's zone."""
    now, tomorrow = today, datetime.combine(today.date() + timedelta(days=1), time(7), today.tzinfo)
    choices = [
        (now + timedelta(hours=1), "for 1 hour"),
        (now + timedelta(hours=4), "for 4 hours"),
        (tomorrow, f"until tomorrow, 07:00 {tomorrow:%Z}"),
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


def _this_month(today: datetime) -> Mapping[str, Any]:
    return {"month": f"{today:%Y-%m}", "sheet": "days"}


async def _money(context: OperationContext, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"unexplained": await run_operation(context, "list_money_exceptions", {"limit": 5})}


async def _rulebook(context: OperationContext, values: Mapping[str, Any]) -> dict[str, Any]:
    """Which version decides, to compare with and to publish against."""
    found: Any = await run_operation(context, "list_rulebooks", {"limit": 200})
    deciding = next((version.number for version in found.items if version.decides), 0)
    return {"versions": found.items, "deciding": deciding}


async def _runbook(context: OperationContext, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"open": await run_operation(context, "list_exceptions", {"code": values["code"].upper(), "limit": 5})}


PAGES = (
    Page(path="/", template="today.html", title="Today", operation="get_health", more=_today),
    Page(path="/orders", template="orders.html", title="Orders", operation="list_orders", lists=True),
    Page(path="/orders/{ref}", template="order.html", title="Order", operation="get_order"),
    Page(path="/orders/{ref}/replay", template="replay.html", title="Decide again", operation="replay_order"),
    Page(path="/exceptions", template="exceptions.html", title="Exceptions", operation="list_exceptions", lists=True),
    Page(path="/exceptions/{id}", template="exception.html", title="Exception", operation="get_exception"),
    Page(path="/waiting", template="waiting.html", title="Waiting", operation="list_held_orders", lists=True),
    Page(path="/drift", template="drift.html", title="Drift", operation="list_drift", lists=True),
    Page(path="/stock", template="stock.html", title="Stock", operation="list_stock", lists=True),
    Page(path="/stock/now", template="stock_now.html", title="Stock now", operation="preview_stock", lists=True),
    Page(path="/money", template="money.html", title="Money", operation="money_report", more=_money, start=_this_month),
    Page(path="/rulebook", template="rulebook.html", title="Rulebook", operation="list_rulebooks", lists=True),
    Page(
        path="/rulebook/{number}",
        template="rulebook_version.html",
        title="Rulebook version",
        operation="get_rulebook",
        more=_rulebook,
        own=("table",),
    ),
    Page(
        path="/rulebook/{number}/edit",
        template="rulebook_edit.html",
        title="Edit the rulebook",
        operation="get_rulebook",
        own=("table", "as"),
    ),
    Page(
        path="/rulebook/{number}/check",
        template="rulebook_check.html",
        title="Check the rulebook",
        operation="check_rulebook",
    ),
    Page(
        path="/rulebook/{number}/backtest",
        template="rulebook_backtest.html",
        title="Try the rulebook",
        operation="backtest_rulebook",
    ),
    Page(path="/effects", template="effects.html", title="Effects", operation="list_effects", lists=True),
    Page(path="/audit", template="audit.html", title="Audit", operation="list_audit", lists=True),
    Page(path="/health", template="health.html", title="Health", operation="get_health", more=_health),
    Page(path="/handbook", template="handbook.html", title="Handbook", operation="list_runbooks", lists=True),
    Page(path="/handbook/{code}", template="runbook.html", title="Handbook", operation="get_runbook", more=_runbook),
    Page(path="/settings", template="settings.html", title="Settings", operation="get_settings", lists=True),
)
