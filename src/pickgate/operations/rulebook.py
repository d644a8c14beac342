"""The rulebook: see it, save a draft, check it, try it on real orders, publish it; publish an older one to go back."""

from __future__ import annotations

from typing import Any

from pickgate.flows.backtest import Backtest
from pickgate.operations.context import OperationContext
from pickgate.operations.errors import Conflict, InputInvalid, NotAllowed, NotFound, Unavailable
from pickgate.operations.lookup import page_of, shops_of
from pickgate.operations.models import Page
from pickgate.operations.operation import Operation
from pickgate.operations.roles import EVERYONE, TEAMS, Role, only
from pickgate.operations.rulebook_answers import backtest_shape, column_shape, finding_shape
from pickgate.operations.rulebook_desk import Checked, RulebookDesk
from pickgate.operations.rulebook_files import read_draft, render_export
from pickgate.operations.rulebook_shapes import (
    BacktestRulebook,
    BacktestShape,
    CheckShape,
    ExportRulebook,
    FilesShape,
    GetRulebook,
    ListRulebooks,
    OneVersion,
    PublishedShape,
    PublishRulebook,
    RowChangeShape,
    RulebookShape,
    SavedShape,
    SaveRulebook,
    VersionShape,
)
from pickgate.rulebook.problems import MAX_PROBLEMS, RulebookRefused
from pickgate.rulebook.sheets import written_records
from pickgate.rulebook.tables import SHAPES, Tables
from pickgate.rulebook.versions import diff

_MOST_NAMED = 10


class _Rows:
    """One page, as `page_of` reads it."""

    def __init__(self, items: list[dict[str, Any]], total: int) -> None:
        self.items, self.total = items, total


async def _list_rulebooks(context: OperationContext, ask: ListRulebooks) -> Page[VersionShape]:
    desk = _desk(context)
    deciding = await desk.versions.published_number()
    rows = await desk.versions.list_versions(limit=ask.limit, offset=ask.offset)
    found = [dict(row) | {"decides": row["number"] == deciding} for row in rows]
    return page_of(_Rows(found, await desk.versions.count_versions()), VersionShape, ask)  # type: ignore[no-any-return]


async def _get_rulebook(context: OperationContext, ask: GetRulebook) -> RulebookShape:
    desk = _desk(context)
    deciding = await desk.versions.published_number()
    row, tables = await _find(desk, ask.number or deciding)
    against = ask.against or deciding
    older = (await _find(desk, against))[1] if against and against != row["number"] else tables
    return RulebookShape.model_validate(
        row
        | {
            "decides": row["number"] == deciding,
            "tables": {table: written_records(table, tables.rows(table)) for table in SHAPES},
            "columns": {table: [column_shape(column) for column in shape.columns] for table, shape in SHAPES.items()},
            "against": against or None,
            "changes": [
                RowChangeShape(
                    table=change.table,
                    kind=change.kind.value,
                    old_row=change.old_row,
                    new_row=change.new_row,
                    columns=list(change.columns),
                )
                for change in diff(older, tables)
            ],
        }
    )


async def _export_rulebook(context: OperationContext, ask: ExportRulebook) -> FilesShape:
    desk = _desk(context)
    row, tables = await _find(desk, ask.number or await desk.versions.published_number())
    return FilesShape(number=row["number"], files=render_export(tables, row["number"], ask.format))


async def _check_rulebook(context: OperationContext, ask: OneVersion) -> CheckShape:
    desk = _desk(context)
    row, tables = await _find(desk, ask.number or await desk.versions.published_number())
    checked = await desk.check(tables)
    return CheckShape(
        number=row["number"],
        ok=not checked.errors,
        findings=[finding_shape(finding) for finding in checked.findings],
        not_asked=list(checked.not_asked),
    )


async def _backtest_rulebook(context: OperationContext, ask: BacktestRulebook) -> BacktestShape:
    desk = _desk(context)
    number = ask.number or next((row["number"] for row in await desk.versions.list_versions(limit=1, offset=0)), 0)
    _, tables = await _find(desk, number)
    old = await _find_old(desk, ask.against)
    report = await desk.backtest(old, (number, tables), limit=ask.orders, shops=shops_of(context, ask.shop))
    return backtest_shape(report)


async def _save_rulebook(context: OperationContext, ask: SaveRulebook) -> SavedShape:
    _refuse_part_of_the_shops(context)
    desk = _desk(context)
    base, old = await _find_old(desk, ask.base)
    try:
        tables = read_draft(ask, old)
    except RulebookRefused as refused:
        shown = refused.problems[:MAX_PROBLEMS]
        raise InputInvalid(
            [{"field": problem.file, "problem": str(problem).removesuffix(".")} for problem in shown]
        ) from refused
    count = len(diff(old, tables))
    number = None
    if not ask.dry_run:
        number = await desk.versions.save(tables.to_json(), note=ask.reason, by=context.actor.name, now=context.now())
    since = f"version {base}" if base else "an empty rulebook"
    what = "Nothing is saved" if number is None else f"Saved as draft {number}"
    return SavedShape(
        operation="save_rulebook",
        dry_run=ask.dry_run,
        changed=number is not None,
        summary=f"{what}: {count} rows differ from {since}.",
        number=number,
        before={"version": base},
        after={"version": number},
    )


async def _publish_rulebook(context: OperationContext, ask: PublishRulebook) -> PublishedShape:
    _refuse_part_of_the_shops(context)
    desk = _desk(context)
    _, tables = await _find(desk, ask.number)
    before, old = await _find_old(desk, None)
    if ask.expected is not None and ask.expected != before:
        raise _was_faster(before)
    if ask.number == before:
        raise Conflict(f"Version {before} decides already.", remedy="Publish another version, or leave it.")
    checked = await desk.check(tables)
    if checked.errors:
        raise _has_errors(ask.number, checked)
    report = await desk.backtest((before, old), (ask.number, tables), limit=ask.orders, shops=None)
    if report.moved and not ask.move_in_flight:
        raise _would_move(ask.number, report)
    woken = 0
    if not ask.dry_run:
        done = await desk.versions.publish(
            ask.number, reason=ask.reason, by=context.actor.name, now=context.now(), expected=before
        )
        if done is None:
            raise _was_faster(await desk.versions.published_number())
        woken = done
    return PublishedShape(
        operation="publish_rulebook",
        dry_run=ask.dry_run,
        changed=not ask.dry_run,
        summary=_tell(ask, before, report, woken),
        number=ask.number,
        woken=woken,
        before={"version": before},
        after={"version": ask.number},
        findings=[finding_shape(finding) for finding in checked.findings],
        not_asked=list(checked.not_asked),
        backtest=backtest_shape(report),
    )


def _tell(ask: PublishRulebook, before: int, report: Backtest, woken: int) -> str:
    words = f"Version {ask.number} {'would decide' if ask.dry_run else 'decides'} from now on"
    words += f", instead of {before}." if before else "; there was none before."
    words += f" Of the newest {report.looked_at} orders, {len(report.changed)} come out differently"
    words += f", {report.moved} of them in the warehouse." if report.moved else "."
    return words if ask.dry_run else f"{words} {woken} stopped orders are decided again."


def _desk(context: OperationContext) -> RulebookDesk:
    if context.rulebooks is None:
        raise Unavailable("The rulebook is not set up in this process.", remedy="Ask the API of a running Pickgate.")
    return context.rulebooks


def _refuse_part_of_the_shops(context: OperationContext) -> None:
    if context.actor.shops is not None:
        raise NotAllowed(
            "The rulebook decides for every shop.",
            remedy="Ask somebody who may see all shops, or try a version with backtest_rulebook.",
        )


async def _find(desk: RulebookDesk, number: int) -> tuple[dict[str, Any], Tables]:
    """Find a version. Raises NotFound, in words of its own when there is none at all (number 0)."""
    row = await desk.versions.find(number) if number else None
    if row is None:
        problem = f"There is no rulebook version {number}." if number else "No rulebook is published yet."
        raise NotFound(problem, remedy="See list_rulebooks, or save a first one with save_rulebook.")
    return dict(row), Tables.from_json(row["tables"])


async def _find_old(desk: RulebookDesk, number: int | None) -> tuple[int, Tables]:
    """Find the version to compare with; where none was published, that is an empty rulebook, number 0."""
    number = number or await desk.versions.published_number()
    return (number, (await _find(desk, number))[1]) if number else (0, Tables())


def _was_faster(deciding: int) -> Conflict:
    return Conflict(
        f"Somebody has published another version meanwhile: {deciding or 'none'} decides now. Nothing was done.",
        remedy="Look at its changes, then decide again.",
        detail={"version": deciding},
    )


def _has_errors(number: int, checked: Checked) -> Conflict:
    listed = "; ".join(str(finding) for finding in checked.errors[:_MOST_NAMED])
    return Conflict(
        f"Version {number} has {len(checked.errors)} errors and is not published: {listed}",
        remedy="Correct these rows in a new draft.",
        detail={"findings": [finding_shape(finding).model_dump() for finding in checked.errors]},
    )


def _would_move(number: int, report: Backtest) -> Conflict:
    moved = [item for item in report.changed if item.moves]
    names = ", ".join(item.name for item in moved[:_MOST_NAMED]) + (", …" if len(moved) > _MOST_NAMED else "")
    return Conflict(
        f"Version {number} would recall or amend what the warehouse has of {len(moved)} orders: {names}.",
        remedy="Try it with backtest_rulebook; if that is meant, publish with move_in_flight.",
        detail={"moved": [{"id": item.order, "name": item.name, "goods_outs": list(item.moves)} for item in moved]},
    )


RULEBOOK = (
    Operation(
        id="list_rulebooks",
        title="List rulebook versions",
        about="Drafts and published versions, newest first; one of them decides now.",
        input=ListRulebooks,
        output=Page[VersionShape],
        roles=EVERYONE,
        handler=_list_rulebooks,
    ),
    Operation(
        id="get_rulebook",
        title="Show a rulebook version",
        about="A version's tables, and its changes against another version.",
        input=GetRulebook,
        output=RulebookShape,
        roles=EVERYONE,
        handler=_get_rulebook,
    ),
    Operation(
        id="export_rulebook",
        title="Export a rulebook version",
        about="A version as eight CSV files or one workbook.",
        input=ExportRulebook,
        output=FilesShape,
        roles=EVERYONE,
        handler=_export_rulebook,
    ),
    Operation(
        id="check_rulebook",
        title="Check a rulebook version",
        about="Rows that never decide, overlaps, gaps, and codes that the warehouse, asked live, does not have.",
        input=OneVersion,
        output=CheckShape,
        roles=EVERYONE,
        handler=_check_rulebook,
    ),
    Operation(
        id="backtest_rulebook",
        title="Try a rulebook version",
        about="Decides the newest orders under two versions; shows each that comes out differently. Nothing is sent.",
        input=BacktestRulebook,
        output=BacktestShape,
        roles=TEAMS,
        handler=_backtest_rulebook,
    ),
    Operation(
        id="save_rulebook",
        title="Save a rulebook draft",
        about="Saves tables, CSV files or a workbook as a new version, which decides nothing until it is published.",
        input=SaveRulebook,
        output=SavedShape,
        roles=only(Role.ECOMMERCE, Role.OPS),
        handler=_save_rulebook,
        changes=True,
        audit_words="saved",
    ),
    Operation(
        id="publish_rulebook",
        title="Publish a rulebook version",
        about="Checks and tries a version, then lets it decide. An older version may be published again.",
        input=PublishRulebook,
        output=PublishedShape,
        roles=only(Role.ECOMMERCE, Role.OPS),
        handler=_publish_rulebook,
        changes=True,
        audit_words="published",
    ),
)
