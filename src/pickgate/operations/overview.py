"""Operations that look at the whole: effects, audit, health, and the checks of the day."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from pickgate.operations.context import OperationContext
from pickgate.operations.errors import NotFound
from pickgate.operations.inputs import Ask, Instant, Nothing, Paged, RowId, Several, Words
from pickgate.operations.lookup import page_of, shops_of
from pickgate.operations.models import AuditShape, BodyShape, EffectShape, Page, Shape
from pickgate.operations.operation import Operation
from pickgate.operations.ports import OrderQuery
from pickgate.operations.roles import EVERYONE, TEAMS, Role, only


class ListEffects(Paged):
    order: RowId | None = Field(default=None, description="Pickgate id of an order")
    state: Several = Field(default_factory=list)
    shop: Several = Field(default_factory=list)


class ListAudit(Paged):
    q: str = Field(default="", max_length=200, description="Part of a subject or a reason")
    actor: str = Field(default="", max_length=100)
    since: Instant | None = None


class GetBody(Ask):
    id: RowId = Field(description="`body_id` of a journal entry")
    reason: Words


class ConnectionShape(Shape):
    """One connection as the last calls found it: ok, failing, or unknown when nothing was tried yet."""

    name: str
    kind: str
    state: Literal["ok", "failing", "unknown"] = "unknown"
    detail: str = ""
    last_ok_at: datetime | None = None
    last_failed_at: datetime | None = None


class ForecastShape(Shape):
    hour: datetime
    orders: int


class HealthShape(Shape):
    """`inbox_unaccounted` is webhooks received minus every verdict and the pending ones: 0, or something was lost."""

    at: datetime
    inbox_pending: int = 0
    inbox_oldest_at: datetime | None = None
    inbox_unaccounted: int = 0
    inbox_verdicts: dict[str, int] = Field(default_factory=dict)
    looks_due: int = 0
    looks_oldest_due_at: datetime | None = None
    orders_by_state: dict[str, int] = Field(default_factory=dict)
    open_exceptions: dict[str, int] = Field(default_factory=dict, description="Open exceptions by owning team")
    overdue_exceptions: dict[str, int] = Field(default_factory=dict)
    exceptions_by_code: dict[str, int] = Field(default_factory=dict)
    effects_unknown: int = 0
    effects_oldest_unknown_at: datetime | None = None
    connections: list[ConnectionShape] = Field(default_factory=list)
    forecast: list[ForecastShape] = Field(
        default_factory=list, description="Orders whose last timed gate opens, by hour"
    )


class CheckShape(Shape):
    """One check of the day. `link`: where to look in the console."""

    name: str
    ok: bool
    found: int
    words: str
    link: str


class DailyChecks(Shape):
    at: datetime
    ok: bool
    checks: list[CheckShape]


async def _list_effects(context: OperationContext, ask: ListEffects) -> Page[EffectShape]:
    rows = await context.reads.list_effects(
        shops=shops_of(context, ask.shop),
        order=ask.order,
        states=tuple(ask.state),
        limit=ask.limit,
        offset=ask.offset,
    )
    return page_of(rows, EffectShape, ask)  # type: ignore[no-any-return]


async def _list_audit(context: OperationContext, ask: ListAudit) -> Page[AuditShape]:
    rows = await context.reads.list_audit(
        q=ask.q, actor=ask.actor, since=ask.since, shops=context.actor.shops, limit=ask.limit, offset=ask.offset
    )
    return page_of(rows, AuditShape, ask)  # type: ignore[no-any-return]


async def _get_body(context: OperationContext, ask: GetBody) -> BodyShape:
    body = await context.reads.read_body(ask.id, shops=context.actor.shops)
    if body is None:
        raise NotFound(f"There is no raw body {ask.id}.", remedy="Bodies are removed after their retention time.")
    await context.audit(
        actor=context.actor.name,
        action="get_body",
        subject=f"body {ask.id}",
        shop="",
        reason=ask.reason,
        now=context.now(),
    )
    return BodyShape(id=ask.id, size=len(body), text=body.decode("utf-8", "replace"))


async def _get_health(context: OperationContext, _: Nothing) -> HealthShape:
    now = context.now()
    found = await context.reads.health(now=now, shops=context.actor.shops)
    return HealthShape.model_validate(dict(found) | {"at": now, "connections": list(context.connections())})


async def _daily_checks(context: OperationContext, _: Nothing) -> DailyChecks:
    """What a team lead wants to know at seven in the morning, as yes or no."""
    health = await _get_health(context, Nothing())
    drift = await context.reads.list_orders(OrderQuery(shops=context.actor.shops, differs=True, limit=1))
    open_count = sum(health.open_exceptions.values())
    overdue = sum(health.overdue_exceptions.values())
    late = (health.at - health.looks_oldest_due_at).total_seconds() if health.looks_oldest_due_at else 0.0
    failing = [item.name for item in health.connections if item.state == "failing"]
    checks = [
        CheckShape(
            name="exceptions_in_time",
            ok=overdue == 0,
            found=overdue,
            words=f"{overdue} of {_count(open_count, 'open exception')} past the due time",
            link="/exceptions?sort=due_at",
        ),
        CheckShape(
            name="contents_agree",
            ok=drift.total == 0,
            found=drift.total,
            words=f"{_count(drift.total, 'order')} with different units in shop, decision and warehouse",
            link="/drift",
        ),
        CheckShape(
            name="effects_known",
            ok=health.effects_unknown == 0,
            found=health.effects_unknown,
            words=f"{_count(health.effects_unknown, 'effect')} with an outcome that nobody knows yet",
            link="/exceptions?code=EFFECT_UNKNOWN",
        ),
        CheckShape(
            name="webhooks_accounted",
            ok=health.inbox_unaccounted == 0,
            found=health.inbox_unaccounted,
            words=f"{_count(health.inbox_unaccounted, 'webhook')} not accounted for",
            link="/health",
        ),
        CheckShape(
            name="looks_in_time",
            ok=late <= 300,
            found=health.looks_due,
            words=f"{_count(health.looks_due, 'look')} due now, the oldest for {late:.0f} s",
            link="/health",
        ),
        CheckShape(
            name="connections",
            ok=not failing,
            found=len(failing),
            words=f"Failing: {', '.join(failing)}" if failing else "No connection fails",
            link="/health",
        ),
    ]
    return DailyChecks(at=health.at, ok=all(check.ok for check in checks), checks=checks)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


OVERVIEW = (
    Operation(
        id="list_effects",
        title="List effects",
        about="Everything that was sent to the shop or the warehouse, with its outcome.",
        input=ListEffects,
        output=Page[EffectShape],
        roles=EVERYONE,
        handler=_list_effects,
    ),
    Operation(
        id="get_body",
        title="Open a raw body",
        about="A webhook as it came, personal data and all. Opening one is audited with its reason.",
        input=GetBody,
        output=BodyShape,
        roles=only(Role.OPS),
        handler=_get_body,
    ),
    Operation(
        id="list_audit",
        title="List the audit",
        about="What people and programs changed, with their reasons.",
        input=ListAudit,
        output=Page[AuditShape],
        roles=TEAMS,
        handler=_list_audit,
    ),
    Operation(
        id="daily_checks",
        title="Checks of the day",
        about="The questions of every morning, each answered yes or no.",
        input=Nothing,
        output=DailyChecks,
        roles=EVERYONE,
        handler=_daily_checks,
    ),
    Operation(
        id="get_health",
        title="Health",
        about="Inbox, looks, effects, exceptions and connections in figures.",
        input=Nothing,
        output=HealthShape,
        roles=EVERYONE,
        handler=_get_health,
    ),
)
