"""Questions about money: the month's report, and what is not explained."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from pickgate.domain.money import Money
from pickgate.domain.money_report import MonthRefused, Report
from pickgate.domain.money_sheets import SHEETS, Cell, Sheet, SheetName
from pickgate.operations.context import OperationContext
from pickgate.operations.errors import Conflict, InputInvalid, NotFound, Unavailable
from pickgate.operations.inputs import Paged, Several
from pickgate.operations.lookup import page_of, shops_of
from pickgate.operations.models import ExceptionShape, Page, Shape
from pickgate.operations.money_files import (
    CSV_TYPE,
    XLSX_TYPE,
    ReportTooLarge,
    render_csv,
    render_workbook,
)
from pickgate.operations.operation import Operation
from pickgate.operations.ports import ExceptionQuery
from pickgate.operations.roles import EVERYONE, Role, only

MONEY_CODES = ("MONEY_UNEXPLAINED", "REFUND_OVER_CAPTURE")


class MoneyReport(Paged):
    month: str = Field(pattern=r"^\d{4}-\d{2}$", description="Such as 2026-11")
    shop: str = Field(default="", max_length=31, description="One shop; a closed month is answered as it was frozen")
    sheet: SheetName = "summary"
    format: Literal["json", "csv", "xlsx"] = Field(
        default="json", description="csv: the sheet as a file; xlsx: all sheets as one workbook"
    )


class MoneyFile(Shape):
    """A file, for saving."""

    name: str
    media_type: str
    content_base64: str


class MoneyReportShape(Shape):
    """One sheet of a month's report. Amounts are {"minor", "currency"}; other cells are text, whole numbers or null."""

    month: str
    zone: str
    state: Literal["open", "closed"]
    made_at: datetime
    closed_at: datetime | None = None
    closed_by: str = ""
    ties: bool = Field(description="Every row and every account adds up")
    sheets: list[str]
    sheet: str
    title: str
    columns: list[str]
    rows: list[list[Any]] = Field(description="One page of rows; `total` counts all of them")
    totals: list[list[Any]]
    total: int
    next_cursor: str | None = None
    file: MoneyFile | None = None


class ListMoneyExceptions(Paged):
    q: str = Field(default="", max_length=200, description="Part of a summary or an order name")
    state: Literal["open", "snoozed", "resolved", "all"] = "open"
    shop: Several = Field(default_factory=list)


async def _money_report(context: OperationContext, ask: MoneyReport) -> MoneyReportShape:
    if context.money is None:
        raise Unavailable("There is no ledger in this process.", remedy="Ask the API or the command line of a server.")
    if ask.shop and not context.actor.may_see(ask.shop):
        raise NotFound(f"There is no shop {ask.shop!r}.", remedy="Leave `shop` out for all that you may see.")
    try:
        report = await context.money.report(ask.month, shop=ask.shop, shops=context.actor.shops)
    except MonthRefused as refused:
        raise InputInvalid([{"field": "month", "problem": str(refused)}]) from refused
    sheet = report.sheet(ask.sheet)
    assert sheet is not None
    rows = sheet.rows[ask.offset : ask.offset + ask.limit]
    end = ask.offset + len(rows)
    return MoneyReportShape(
        month=report.month,
        zone=report.zone,
        state="open" if report.closed_at is None else "closed",
        made_at=report.made_at,
        closed_at=report.closed_at,
        closed_by=report.closed_by,
        ties=report.ties,
        sheets=list(SHEETS),
        sheet=sheet.name,
        title=sheet.title,
        columns=list(sheet.columns),
        rows=[[_plain(cell) for cell in row] for row in rows],
        totals=[[_plain(cell) for cell in row] for row in sheet.totals],
        total=len(sheet.rows),
        next_cursor=f"o{end}" if rows and end < len(sheet.rows) else None,
        file=_file(report, sheet, ask),
    )


def _file(report: Report, sheet: Sheet, ask: MoneyReport) -> MoneyFile | None:
    name = f"money-{report.month}" + (f"-{ask.shop}" if ask.shop else "")
    match ask.format:
        case "json":
            return None
        case "csv":
            name, kind, body = f"{name}-{sheet.name}.csv", CSV_TYPE, render_csv(sheet)
        case "xlsx":
            try:
                name, kind, body = f"{name}.xlsx", XLSX_TYPE, render_workbook(report)
            except ReportTooLarge as refused:
                raise Conflict(str(refused), remedy="Ask for one shop, or for csv.") from refused
    return MoneyFile(name=name, media_type=kind, content_base64=base64.b64encode(body).decode())


def _plain(cell: Cell) -> Any:
    return {"minor": cell.minor, "currency": cell.currency} if isinstance(cell, Money) else cell


async def _list_money_exceptions(context: OperationContext, ask: ListMoneyExceptions) -> Page[ExceptionShape]:
    query = ExceptionQuery(
        q=ask.q,
        shops=shops_of(context, ask.shop),
        state=ask.state,
        codes=MONEY_CODES,
        limit=ask.limit,
        offset=ask.offset,
    )
    return page_of(await context.reads.list_exceptions(query), ExceptionShape, ask)  # type: ignore[no-any-return]


MONEY = (
    Operation(
        id="money_report",
        title="Report a month's money",
        about="A month's ledger, despatched against revenue, and what is not explained; as pages, CSV or a workbook.",
        input=MoneyReport,
        output=MoneyReportShape,
        roles=only(Role.FINANCE, Role.OPS, Role.CX, Role.ECOMMERCE),
        handler=_money_report,
    ),
    Operation(
        id="list_money_exceptions",
        title="List amounts that are not explained",
        about="Open exceptions about money: differences between ledger and shop, and refunds beyond what was received.",
        input=ListMoneyExceptions,
        output=Page[ExceptionShape],
        roles=EVERYONE,
        handler=_list_money_exceptions,
    ),
)
