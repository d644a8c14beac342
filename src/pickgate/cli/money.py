"""`money`: the month's report as files, and the month-end close."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from pickgate.bootstrap import Installation
from pickgate.cli.runtime import AnswerIsNo, Refusal, json_option, print_json, print_table, with_installation
from pickgate.domain.money import Money
from pickgate.domain.money_report import MonthRefused, Report
from pickgate.domain.money_sheets import SHEETS, Sheet
from pickgate.flows.money_reports import CloseRefused, MoneyReports
from pickgate.operations.money_files import ReportTooLarge, decimal_of, render_csv, render_workbook
from pickgate.store.money import MoneyRows

zone_option = click.option("--zone", default="UTC", show_default=True, help="Whose midnight parts days and months.")
month_option = click.option("--month", required=True, help="Such as 2026-11.")


@click.group()
def money() -> None:
    """The ledger: the month's report, and closing a month."""


@money.command("report")
@month_option
@click.option("--format", "kind", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="File; for csv also a folder, which gets every sheet.")
@click.option("--sheet", type=click.Choice(SHEETS), default="orders", show_default=True, help="Which sheet, for csv.")
@click.option("--shop", default="", help="One shop; only so a closed month is shown as it was frozen.")
@zone_option
@with_installation
async def report_month(
    installation: Installation, month: str, kind: str, out: Path | None, sheet: str, shop: str, zone: str
) -> None:
    """Write a month's money: charged, refunded, despatched, and what is not explained."""
    try:
        report = await _reports(installation, zone).report(month, shop=_known(installation, shop))
    except MonthRefused as refused:
        raise Refusal(str(refused)) from refused
    if kind == "xlsx":
        _write_workbook(report, out)
    else:
        _write_csv(report, sheet, out)
    if not report.ties:
        raise AnswerIsNo("the report does not tie out: see the rows that say NO.")


@money.command("close")
@month_option
@click.option("--shop", default="", help="Default: the only shop there is.")
@click.option("--reason", default="", help="For the audit.")
@zone_option
@json_option
@with_installation
async def close_month(
    installation: Installation, month: str, shop: str, reason: str, zone: str, *, as_json: bool
) -> None:
    """Freeze a month for good. What comes later is shown as a correction of it, and belongs to a later month."""
    shops = [one.key for one in installation.settings.shops]
    if not shop and len(shops) > 1:
        raise Refusal(f"there are several shops: name one with --shop ({', '.join(shops)}).")
    chosen = _known(installation, shop) or (shops[0] if shops else "")
    if not chosen:
        raise Refusal("there is no shop in the settings.")
    try:
        report = await _reports(installation, zone).close(
            month, shop=chosen, by=f"cli:{getpass.getuser()}", reason=reason
        )
    except MonthRefused as refused:
        raise Refusal(str(refused)) from refused
    except CloseRefused as refused:
        raise AnswerIsNo(f"{refused.problem} {refused.remedy}") from refused
    if as_json:
        print_json(
            {"month": report.month, "shop": chosen, "closed_at": report.closed_at, "closed_by": report.closed_by}
        )
        return
    summary = _sheet(report, "summary")
    click.echo(f"{month} of {chosen} is closed.")
    rows = [[_shown(cell) for cell in row] for row in summary.rows]
    print_table(list(summary.columns), rows, empty="It has no orders.")


def _shown(cell: object) -> str:
    return str(decimal_of(cell)) if isinstance(cell, Money) else str(cell)


def _reports(installation: Installation, zone: str) -> MoneyReports:
    return MoneyReports(store=MoneyRows(installation.store.database), clock=installation.clock, zone=zone)


def _sheet(report: Report, name: str) -> Sheet:
    found = report.sheet(name)
    assert found is not None
    return found


def _known(installation: Installation, shop: str) -> str:
    shops = [one.key for one in installation.settings.shops]
    if shop and shop not in shops:
        raise Refusal(f"there is no shop {shop!r}; the settings have {', '.join(shops)}.")
    return shop


def _write_workbook(report: Report, out: Path | None) -> None:
    try:
        body = render_workbook(report)
    except ReportTooLarge as refused:
        raise AnswerIsNo(str(refused)) from refused
    _write(out or Path(f"money-{report.month}.xlsx"), body)


def _write_csv(report: Report, sheet: str, out: Path | None) -> None:
    if out is None:
        click.echo(render_csv(_sheet(report, sheet)).decode("utf-8-sig"), nl=False)
    elif out.is_dir() or not out.suffix:
        out.mkdir(parents=True, exist_ok=True)
        for one in report.sheets:
            _write(out / f"money-{report.month}-{one.name}.csv", render_csv(one))
    else:
        _write(out, render_csv(_sheet(report, sheet)))


def _write(path: Path, body: bytes) -> None:
    try:
        path.write_bytes(body)
    except OSError as error:
        raise Refusal(f"{path} cannot be written: {error.strerror}.") from error
    click.echo(f"Wrote {path}.", err=True)
