"""What the commands share: settings, an open installation, and how answers and refusals are printed."""

from __future__ import annotations

import asyncio
import functools
import getpass
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

import click
import structlog
import uvloop
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from pickgate.bootstrap import Installation, open_installation, read_settings
from pickgate.clock import RealClock
from pickgate.operations.errors import OperationRefused
from pickgate.operations.registry import run_operation
from pickgate.operations.roles import Actor, Role
from pickgate.settings import Settings, SettingsRefused
from pickgate.store.connection import StoreUnavailable
from pickgate.store.embedded import EmbeddedPostgresFailed

P = ParamSpec("P")
T = TypeVar("T")

config_option = click.option(
    "--config",
    "config",
    type=click.Path(dir_okay=False),
    help="Settings file. Default: pickgate.toml, then PICKGATE_CONFIG.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
console = Console(highlight=False)


class Refusal(click.ClickException):
    """Wrong use or settings: exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"pickgate: {self.message}", err=True)


class AnswerIsNo(click.ClickException):
    """A check failed: exit code 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(f"pickgate: {self.message}", err=True)


def settings_of(config: str | None) -> Settings:
    """Read the settings, or refuse with every problem."""
    try:
        return read_settings(config)
    except SettingsRefused as error:
        listed = "\n".join(f"  {problem}" for problem in error.problems)
        raise Refusal(f"the settings cannot be used:\n{listed}") from error


def set_up_logging(*, level: int = logging.INFO) -> None:
    """One JSON line for each event, on standard error: machines read it, `jq` shows it."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")


def run_async(function: Callable[P, Awaitable[T]]) -> Callable[P, T]:
    """Run an async command, and say in one line what cannot be had."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        async def main() -> T:
            return await function(*args, **kwargs)

        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(main())
        except EmbeddedPostgresFailed as error:
            raise Refusal(f"the embedded database cannot be started: {error}") from error
        except StoreUnavailable as error:
            raise Refusal(f"the database does not answer: {error}. Check database_url and the server.") from error

    return run


def with_installation(
    function: Callable[..., Awaitable[T]],
) -> Callable[..., T]:
    """Give a command an open installation, read from `--config`."""

    @config_option
    @functools.wraps(function)
    def run(*args: Any, config: str | None, **kwargs: Any) -> T:
        settings = settings_of(config)
        set_up_logging(level=logging.WARNING)

        async def main() -> T:
            async with open_installation(settings) as installation:
                return await function(installation, *args, **kwargs)

        return run_async(main)()

    return run


def me() -> str:
    """The person at this terminal, as the audit names them."""
    return f"cli:{getpass.getuser()}"


async def ask(installation: Installation, operation: str, /, **values: Any) -> Any:
    """Run one operation as the person at this terminal, who may do everything. Refusals end the command."""
    actor = Actor(name=me(), role=Role.ADMIN)
    try:
        answer = await run_operation(installation.context(actor), operation, values)
    except OperationRefused as error:
        raise AnswerIsNo(f"{error}") from error
    return answer.model_dump(mode="json") if isinstance(answer, BaseModel) else answer


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(columns: list[str], rows: list[list[Any]], *, empty: str, title: str | None = None) -> None:
    """Print rows as a table, or a sentence that says what an empty one means."""
    if not rows:
        click.echo(empty)
        return
    table = Table(*columns, title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    (console if sys.stdout.isatty() else Console(highlight=False, width=200)).print(table)


def ago(instant: str | datetime | None) -> str:
    """Say how long ago something was, or how far ahead: "5 min", "in 2 h"."""
    if not instant:
        return ""
    then = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    seconds = (RealClock().now() - then).total_seconds()
    text = _span(abs(seconds))
    return text if seconds >= 0 else f"in {text}"


def _span(seconds: float) -> str:
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"
