"""Operations on exceptions: what is open, whose it is, and what a person may say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from pickgate.domain.findings import CODES
from pickgate.operations.context import OperationContext
from pickgate.operations.errors import Conflict, InputInvalid, NotFound
from pickgate.operations.inputs import (
    Ask,
    ExceptionsChange,
    ExceptionSort,
    Instant,
    Paged,
    RowId,
    Several,
    TeamName,
    Words,
)
from pickgate.operations.lookup import page_of, shops_of
from pickgate.operations.models import ChangeShape, ExceptionShape, Page
from pickgate.operations.operation import Operation
from pickgate.operations.ports import ExceptionQuery
from pickgate.operations.roles import EVERYONE, TEAMS


class ListExceptions(Paged):
    q: str = Field(default="", max_length=200, description="Part of a summary or an order name")
    state: Literal["open", "snoozed", "resolved", "all"] = "open"
    code: Several = Field(default_factory=list)
    owner: TeamName | None = None
    assignee: str = Field(default="", max_length=100)
    shop: Several = Field(default_factory=list)
    sort: ExceptionSort = "due_at"


class GetException(Ask):
    id: RowId


class AssignException(ExceptionsChange):
    assignee: str | None = Field(
        default=None, max_length=100, description="Login of a colleague; `me`; none: back to the team"
    )


class SnoozeException(ExceptionsChange):
    reason: Words
    until: Instant


class ResolveExceptions(ExceptionsChange):
    reason: Words


async def _list_exceptions(context: OperationContext, ask: ListExceptions) -> Page[ExceptionShape]:
    unknown = sorted(set(ask.code) - set(CODES))
    if unknown:
        raise InputInvalid([{"field": "code", "problem": f"there is no code {', '.join(unknown)}"}])
    query = ExceptionQuery(
        q=ask.q,
        shops=shops_of(context, ask.shop),
        state=ask.state,
        codes=tuple(ask.code),
        owner=ask.owner or "",
        assignee=context.actor.name if ask.assignee == "me" else ask.assignee,
        sort=ask.sort,
        limit=ask.limit,
        offset=ask.offset,
    )
    return page_of(await context.reads.list_exceptions(query), ExceptionShape, ask)  # type: ignore[no-any-return]


async def _get_exception(context: OperationContext, ask: GetException) -> ExceptionShape:
    return (await _find_all(context, [ask.id]))[0]


async def _assign_exception(context: OperationContext, ask: AssignException) -> ChangeShape:
    found, missed = await _find_open(context, ask), list[ExceptionShape]()
    assignee = context.actor.name if ask.assignee == "me" else ask.assignee
    if not ask.dry_run:
        done = await context.actions.assign_exceptions(
            ask.ids, actor=context.actor.name, reason=ask.reason, assignee=assignee, now=context.now()
        )
        found, missed = _split(found, done)
    whose = f"assigned to {assignee}" if assignee else "given back to the team"
    return _changed(ask, "assign_exception", found, missed, whose, lambda item: item.assignee, assignee)


async def _snooze_exception(context: OperationContext, ask: SnoozeException) -> ChangeShape:
    found, missed, now = await _find_open(context, ask), list[ExceptionShape](), context.now()
    if ask.until <= now:
        raise Conflict("The snooze would end in the past.", remedy="Give a later time.")
    if not ask.dry_run:
        done = await context.actions.snooze_exceptions(
            ask.ids, actor=context.actor.name, reason=ask.reason, until=ask.until, now=now
        )
        found, missed = _split(found, done)
    words = f"snoozed until {ask.until:%Y-%m-%d %H:%M} UTC"
    return _changed(ask, "snooze_exception", found, missed, words, lambda item: item.snoozed_until, ask.until)


async def _resolve_exceptions(context: OperationContext, ask: ResolveExceptions) -> ChangeShape:
    found, missed = await _find_open(context, ask), list[ExceptionShape]()
    if not ask.dry_run:
        done = await context.actions.resolve_exceptions(
            ask.ids, actor=context.actor.name, reason=ask.reason, now=context.now()
        )
        found, missed = _split(found, done)
    return _changed(ask, "resolve_exceptions", found, missed, "resolved", lambda item: item.state, "resolved")


async def _find_all(context: OperationContext, ids: Sequence[int]) -> list[ExceptionShape]:
    rows = await context.reads.find_exceptions(ids, shops=context.actor.shops)
    by_id = {item.id: item for item in (ExceptionShape.model_validate(row) for row in rows)}
    missing = [str(number) for number in ids if number not in by_id]
    if missing:
        raise NotFound(f"There is no exception {', '.join(missing)}.", remedy="List the open ones first.")
    return [by_id[number] for number in ids]


async def _find_open(context: OperationContext, ask: ExceptionsChange) -> list[ExceptionShape]:
    """Find the exceptions to change; refuse when any is closed, or is not the version that was seen."""
    found = await _find_all(context, ask.ids)
    late = [item for item in found if item.state == "resolved"]
    if ask.expected:
        late += [item for item, seen in zip(found, ask.expected, strict=True) if item.version != seen]
    if late:
        raise _was_faster(late)
    return found


def _split(found: list[ExceptionShape], done: Sequence[int]) -> tuple[list[ExceptionShape], list[ExceptionShape]]:
    """Part what was changed from what somebody else closed in the last moment. Raises Conflict when nothing was."""
    changed = [item for item in found if item.id in set(done)]
    missed = [item for item in found if item.id not in set(done)]
    if not changed:
        raise _was_faster(missed)
    return changed, missed


def _was_faster(late: list[ExceptionShape]) -> Conflict:
    return Conflict(
        "Something changed since you saw it: " + "; ".join(_what_happened(item) for item in late) + ".",
        remedy="Look at the exceptions again, then decide again.",
        detail={"exceptions": [{"id": item.id, "state": item.state, "version": item.version} for item in late]},
    )


def _what_happened(item: ExceptionShape) -> str:
    name = f"{item.code} {item.id}"
    if item.state == "resolved":
        return f"{name} was resolved by {item.closed_by or 'somebody'}" + (
            f" ({item.resolution})" if item.resolution else ""
        )
    if item.state == "snoozed":
        return f"{name} is snoozed until {item.snoozed_until:%Y-%m-%d %H:%M} UTC"
    return f"{name} is open" + (f", assigned to {item.assignee}" if item.assignee else ", not assigned")


def _changed(
    ask: ExceptionsChange,
    operation: str,
    found: list[ExceptionShape],
    missed: list[ExceptionShape],
    words: str,
    was: Callable[[ExceptionShape], Any],
    becomes: Any,
) -> ChangeShape:
    summary = ", ".join(f"{item.code} {item.order_name or item.shop}".strip() for item in found) + f": {words}."
    if missed:
        summary += " Closed by somebody else meanwhile: " + ", ".join(f"{item.code} {item.id}" for item in missed) + "."
    return ChangeShape(
        operation=operation,
        dry_run=ask.dry_run,
        changed=not ask.dry_run,
        summary=summary,
        exceptions=[item.id for item in found],
        version=" ".join(item.version for item in found),
        before={str(item.id): _plain(was(item)) for item in found},
        after={str(item.id): _plain(becomes) for item in found},
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


EXCEPTIONS = (
    Operation(
        id="list_exceptions",
        title="List exceptions",
        about="What needs a person, by owner and due time.",
        input=ListExceptions,
        output=Page[ExceptionShape],
        roles=EVERYONE,
        handler=_list_exceptions,
    ),
    Operation(
        id="get_exception",
        title="Show an exception",
        about="One exception with its evidence and the actions that fit.",
        input=GetException,
        output=ExceptionShape,
        roles=EVERYONE,
        handler=_get_exception,
    ),
    Operation(
        id="assign_exception",
        title="Assign",
        about="Give exceptions to a colleague, or back to the team.",
        input=AssignException,
        output=ChangeShape,
        roles=TEAMS,
        handler=_assign_exception,
        changes=True,
        audit_words="assigned",
    ),
    Operation(
        id="snooze_exception",
        title="Snooze",
        about="Put exceptions aside until a time.",
        input=SnoozeException,
        output=ChangeShape,
        roles=TEAMS,
        handler=_snooze_exception,
        changes=True,
        audit_words="snoozed",
    ),
    Operation(
        id="resolve_exceptions",
        title="Resolve",
        about="Close exceptions by hand. The same cause does not open them again until it has gone and come back.",
        input=ResolveExceptions,
        output=ChangeShape,
        roles=TEAMS,
        handler=_resolve_exceptions,
        changes=True,
        audit_words="resolved",
    ),
)
