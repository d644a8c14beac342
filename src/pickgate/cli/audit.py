"""`audit`: read both systems' past, without changing anything, and say what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from pickgate.audit_report import Frame, render_csv_files, render_json, render_page
from pickgate.audit_report.figures import at_stake, say_money, sums_of, wrong_orders
from pickgate.bootstrap import open_installation
from pickgate.cli.audit_notebook import FolderNotebook
from pickgate.cli.audit_parts import make_subject
from pickgate.cli.runtime import (
    AnswerIsNo,
    Refusal,
    config_option,
    json_option,
    print_json,
    print_table,
    run_async,
    settings_of,
)
from pickgate.clock import RealClock
from pickgate.connectors.transport import AiohttpTransport
from pickgate.crypto import Sealer
from pickgate.domain.lookback import Lookback
from pickgate.domain.lookback_match import ReferencePattern
from pickgate.flows.audit import Audit, AuditStopped
from pickgate.rulebook.csv_files import parse_folder
from pickgate.rulebook.evaluate import Rulebook
from pickgate.rulebook.problems import RulebookRefused
from pickgate.settings import Settings, parse_duration

_Connect = Callable[[str], AiohttpTransport]
_NOTES_KEPT = timedelta(days=6)  # a bulk result lives seven


class RichProgress:
    """Satisfies `flows.audit_ports.Progress`: one line for each thing that is read, on standard error."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._what = ""
        self._task: TaskID | None = None

    def step(self, what: str, done: int, total: int | None) -> None:
        title = what.partition(",")[0]
        if self._task is None or title != self._what:
            self.finish()
            self._what, self._task = title, self._progress.add_task(what, total=total)
        self._progress.update(self._task, description=what, completed=done, total=total)

    def finish(self) -> None:
        """What is shown is done."""
        if self._task is not None:
            self._progress.update(self._task, total=1, completed=1)


@click.command()
@click.option("--since", default="30d", show_default=True, help="Orders made since so long ago.")
@click.option("--html", "html", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to this file.")
@click.option(
    "--csv", "csv_dir", type=click.Path(file_okay=False, path_type=Path), help="Write CSV files to this folder."
)
@click.option("--reference",
              help='How the warehouse names orders: "{name}", "SH-{name}", "{name}-*", "{id}"; | between.')  # fmt: skip
@click.option("--match-by", type=click.Choice(["reference", "external_system_reference1"]),
              help="The field of a goods-out that names the order.")  # fmt: skip
@click.option("--rulebook", "rulebook", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Judge by this folder of CSV tables, not by the published rulebook; needs no database.")  # fmt: skip
@click.option("--settled-after", help="Younger orders are not accused of being late.")
@click.option("--fresh", is_flag=True, help="Forget an unfinished audit instead of going on with it.")
@config_option
@json_option
def audit(
    since: str,
    html: Path | None,
    csv_dir: Path | None,
    reference: str | None,
    match_by: str | None,
    rulebook: Path | None,
    settled_after: str | None,
    config: str | None,
    *,
    fresh: bool,
    as_json: bool,
) -> None:
    """Read both systems' past and say what went wrong, with the orders that prove it. Changes nothing anywhere.

    Can be stopped at any time: the same command goes on where it was. Exit code 0 whatever it finds, 1 when it could
    not be finished, 2 for wrong use. What is left out is taken from [audit] in the settings.
    """
    settings = settings_of(config)
    if not settings.shops:
        raise Refusal("no shop is configured; add [[shops]] to the settings")
    try:
        span = parse_duration(since)
        settled = parse_duration(settled_after) if settled_after else settings.audit.settled_after
        pattern = ReferencePattern(reference or settings.audit.reference)
    except ValueError as error:
        raise Refusal(str(error)) from error
    match_by = match_by or settings.audit.match_by
    subject = (
        f"{since}|{pattern.text}|{match_by}|{[shop.domain for shop in settings.shops]}|{settings.clarus.subdomain}"
    )
    sealer = Sealer.from_setting(settings.secret_key.get_secret_value())
    notebook = FolderNotebook(settings.data_dir, sealer, subject=subject)
    frame, lookback = run_async(_run)(
        settings, notebook, span, settled, pattern, rulebook, by_external=match_by != "reference", fresh=fresh
    )
    if html is not None:
        _write(html, render_page(lookback, frame).encode())
    for name, body in render_csv_files(lookback).items() if csv_dir is not None else ():
        _write((csv_dir or Path()) / name, body)
    notebook.discard()
    if as_json:
        print_json(render_json(lookback, frame))
    else:
        _print(lookback, [str(path) for path in (html, csv_dir) if path is not None])


async def _run(
    settings: Settings,
    notebook: FolderNotebook,
    span: timedelta,
    settled: timedelta,
    pattern: ReferencePattern,
    folder: Path | None,
    *,
    by_external: bool,
    fresh: bool,
) -> tuple[Frame, Lookback]:
    clock = RealClock()
    rules = await _rules(settings, folder)
    since, until = _period(notebook, span, clock.now(), fresh=fresh)
    frame = Frame(
        since=since,
        until=until,
        domains={shop.key: shop.domain for shop in settings.shops},
        reference=pattern.text,
        has_rulebook=rules.version > 0,
        settled_hours=settled.total_seconds() / 3600,
    )
    async with _transports() as connect:
        subject = make_subject(
            settings,
            rules,
            clock,
            connect,
            pattern=pattern,
            by_external=by_external,
            has_rulebook=frame.has_rulebook,
            settled_after=settled,
            gather_seconds=0.01,
        )
        with _progress() as bar:
            progress = RichProgress(bar)
            try:
                lookback = await Audit(subject, notebook, clock, progress).run(since=since, until=until)
            except AuditStopped as stopped:
                remedy = "What was read is kept; the same command goes on from there."
                raise AnswerIsNo(f"the audit could not be finished: {stopped} {remedy}") from stopped
            progress.finish()
    return frame, lookback


def _period(notebook: FolderNotebook, span: timedelta, now: datetime, *, fresh: bool) -> tuple[datetime, datetime]:
    """Return the period: that of an unfinished audit of the same subject, or one that ends now."""
    state = notebook.load()
    until = datetime.fromisoformat(state["until"]) if "until" in state else now
    if fresh or now - until > _NOTES_KEPT:
        notebook.discard()
        state, until = {}, now
    if "until" not in state:
        notebook.save({"until": until.isoformat()})
    else:
        click.echo(f"Going on with the audit begun at {until:%d %b %H:%M} UTC (--fresh begins anew).", err=True)
    return until - span, until


async def _rules(settings: Settings, folder: Path | None) -> Rulebook:
    """The tables of a folder, else the published rulebook; version 0 when there is none."""
    if folder is None:
        async with open_installation(settings) as installation:
            rules = installation.rules.current
            return rules if isinstance(rules, Rulebook) else Rulebook.empty()
    try:
        return Rulebook(1, await asyncio.to_thread(parse_folder, folder))
    except RulebookRefused as refused:
        listed = "\n".join(f"  {problem}" for problem in refused.problems)
        raise Refusal(f"the rulebook cannot be used:\n{listed}") from refused


@contextlib.asynccontextmanager
async def _transports() -> AsyncIterator[_Connect]:
    async with contextlib.AsyncExitStack() as stack:
        made: list[AiohttpTransport] = []

        def connect(key: str) -> AiohttpTransport:
            made.append(AiohttpTransport())
            stack.push_async_callback(made[-1].close)
            return made[-1]

        yield connect


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _write(path: Path, body: bytes) -> None:
    """Write a report beside its place and move it there. It names customers' orders: only its owner may read it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(body)
        beside.replace(path)
    except OSError as error:
        raise Refusal(f"{path} cannot be written: {error.strerror}") from error


def _print(lookback: Lookback, written: list[str]) -> None:
    rows = [[s.book.title, s.orders, say_money(s.values), s.book.code] for s in sums_of(lookback)]
    print_table(["what", "orders", "at stake", "Pickgate's exception"], rows, empty="Nothing went wrong.")
    total = f"{wrong_orders(lookback)} of {lookback.tally.orders} orders went wrong"
    stake = say_money(at_stake(lookback))
    click.echo(f"{total}, {stake} at stake." if stake else f"{total}.")
    for note in lookback.notes:
        click.echo(note, err=True)
    if written:
        click.echo(f"Written: {', '.join(written)}")
