"""`serve`, `api`, `worker`, `migrate`, `secret`: run an installation."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import click
import structlog
import uvicorn

from pickgate.api.app import create_app
from pickgate.bootstrap import Installation, open_installation
from pickgate.cli.runtime import AnswerIsNo, config_option, run_async, set_up_logging, settings_of
from pickgate.engine.worker import Worker
from pickgate.settings import Settings
from pickgate.store import migrate as migrations

log = structlog.get_logger("pickgate")


class Bell:
    """Rings inside one process, and when another process notifies through the database."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, timeout_seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), timeout_seconds)
        self._rung.clear()


class _Server(uvicorn.Server):
    """Leaves signals to us: the worker must finish its looks as well."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@asynccontextmanager
async def _http(installation: Installation, bell: Bell) -> AsyncIterator[_Server]:
    server_settings = installation.settings.server
    app = create_app(installation.app_parts(on_stored=bell.ring))
    config = uvicorn.Config(
        app,
        host=server_settings.host,
        port=server_settings.port,
        loop="none",
        http="httptools",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            await task  # shows why it could not listen
            raise AnswerIsNo(f"cannot listen on {server_settings.host}:{server_settings.port}; is it in use?")
        await asyncio.sleep(0.01)
    try:
        yield server
    finally:
        await app.close_streams()
        server.should_exit = True
        await task


@asynccontextmanager
async def _work(installation: Installation, bell: Bell) -> AsyncIterator[Worker]:
    worker = installation.worker()
    worker.alarm = bell
    jobs = installation.jobs()
    stop_listening = await installation.store.listen(bell.ring)
    tasks = [asyncio.create_task(worker.run()), asyncio.create_task(jobs.run())]
    tasks += [asyncio.create_task(_subscribe(installation))]
    try:
        yield worker
    finally:
        worker.stop()
        jobs.stop()
        await asyncio.wait(tasks[:1], timeout=25)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await stop_listening()


async def _subscribe(installation: Installation) -> None:
    for shop in installation.settings.shops:
        try:
            report = await installation.mend_subscriptions(shop)
            log.info("subscriptions", shop=shop.key, report=str(report))
        except Exception as error:
            log.warning("subscriptions_failed", shop=shop.key, problem=str(error)[:200])


async def _run(settings: Settings, *, http: bool, work: bool, migrate: bool) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    bell = Bell()
    async with contextlib.AsyncExitStack() as stack:
        installation = await stack.enter_async_context(open_installation(settings, migrate=migrate))
        if work:
            await stack.enter_async_context(_work(installation, bell))
        if http:
            await stack.enter_async_context(_http(installation, bell))
            click.echo(f"Pickgate is at {settings.server.public_url}", err=True)
        gc.freeze()  # what was loaded at start is not looked through again
        log.info("ready", http=http, work=work, shops=[shop.key for shop in settings.shops])
        await stopping.wait()
        log.info("stopping")


@click.command()
@config_option
@run_async
async def serve(config: str | None) -> None:
    """Run everything in one process: webhooks, API, console, and a worker."""
    set_up_logging()
    await _run(settings_of(config), http=True, work=True, migrate=True)


@click.command()
@config_option
@run_async
async def api(config: str | None) -> None:
    """Run webhooks, API and console; workers run elsewhere."""
    set_up_logging()
    await _run(settings_of(config), http=True, work=False, migrate=False)


@click.command()
@config_option
@run_async
async def worker(config: str | None) -> None:
    """Run one worker; any number may share the database."""
    set_up_logging()
    await _run(settings_of(config), http=False, work=True, migrate=False)


@click.command()
@click.option("--check", is_flag=True, help="Only say whether something is to do (exit code 1).")
@config_option
@run_async
async def migrate(config: str | None, *, check: bool) -> None:
    """Bring the database's schema up to date."""
    settings = settings_of(config)
    if not settings.database_url:
        async with open_installation(settings):
            click.echo("The embedded database is up to date.")
        return
    waiting = await migrations.pending(settings.database_url)
    if check:
        if waiting:
            raise AnswerIsNo(f"{len(waiting)} migrations are to run: {', '.join(waiting)}")
        click.echo("The schema is up to date.")
        return
    done = await migrations.migrate(settings.database_url)
    click.echo(f"Ran {len(done)} migrations." if done else "The schema is up to date.")


@click.command()
def secret() -> None:
    """Print a new key for `secret_key`."""
    click.echo(secrets.token_urlsafe(48))
