"""`retool`: the app for Retool, its resource, a check of both sides, and the agent for closed networks."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import secrets
import signal
import uuid
from pathlib import Path
from typing import Any

import click

from pickgate import __version__
from pickgate.api.openapi import build_openapi
from pickgate.bootstrap import DEFAULT_CONFIG, Installation, open_installation
from pickgate.cli.retool_doctor import as_rows, check_retool
from pickgate.cli.retool_rpc import list_functions, runner, version_of
from pickgate.cli.runtime import (
    AnswerIsNo,
    Refusal,
    config_option,
    json_option,
    print_json,
    print_table,
    run_async,
    set_up_logging,
    settings_of,
)
from pickgate.clock import RealClock
from pickgate.connectors.retool.client import RetoolApi
from pickgate.connectors.retool.errors import RetoolProblem
from pickgate.connectors.retool.pack.build import build_app, render_zip
from pickgate.connectors.retool.pack.lint import lint_app
from pickgate.connectors.retool.pack.queries import Binding
from pickgate.connectors.retool.rpc import RpcAgent, Timing
from pickgate.connectors.retool.wire import RpcLink
from pickgate.connectors.transport import AiohttpTransport
from pickgate.settings import RetoolSettings


@click.group()
def retool() -> None:
    """Retool: an app, its resource, a check, and an agent."""


def _document() -> dict[str, Any]:
    return build_openapi(version=__version__, public_url="https://pickgate.example.com")


@retool.command("build")
@config_option
@click.option("--out", default="pickgate-retool.zip", show_default=True, type=click.Path(dir_okay=False))
@click.option("--dir", "folder", type=click.Path(file_okay=False), help="Write the files into a folder too.")
@click.option("--resource-uuid", help="Id of the REST resource in Retool. Default: retool.resource_uuid.")
@click.option(
    "--layout", type=click.Choice(["folder", "root"]), default="folder", show_default=True,
    help="Where the files are in the ZIP: in a folder, or at its root.",
)  # fmt: skip
@json_option
def build(
    config: str | None, out: str, folder: str | None, resource_uuid: str | None, layout: Any, *, as_json: bool
) -> None:
    """Write the app as a Toolscript ZIP, and lint it. Whether Retool imports it, only Retool can say."""
    has_settings = config or os.environ.get("PICKGATE_CONFIG") or Path(DEFAULT_CONFIG).exists()
    known = settings_of(config).retool if has_settings else RetoolSettings()
    try:
        bound = RetoolSettings(resource_uuid=resource_uuid or known.resource_uuid).resource_uuid
    except ValueError as error:
        raise Refusal(f"{resource_uuid!r} is not an id such as 00000000-0000-4000-8000-000000000000") from error
    document = _document()
    files = build_app(document, Binding(uuid=bound.lower(), name=known.resource_name))
    faults = lint_app(files, document)
    if faults:
        raise AnswerIsNo("the pack is not sound:\n" + "\n".join(f"  {fault}" for fault in faults))
    packed = render_zip(files, layout=layout)
    try:
        Path(out).write_bytes(packed)
        for path, content in files.items() if folder else ():
            target = Path(folder or "") / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, "utf-8")
    except OSError as error:
        raise Refusal(f"{error.filename} cannot be written ({error.strerror})") from error
    if as_json:
        print_json({"out": out, "files": sorted(files), "resource_uuid": bound or None, "bytes": len(packed)})
        return
    click.echo(f"{out}: {len(files)} files, five screens; the linter finds nothing.")
    if not bound:
        click.echo("No resource id is in it: after the import, pick the resource in each query.", err=True)
    click.echo("An import into a live Retool has not been verified. retool/README.md has the way by hand.", err=True)


@retool.command("bootstrap")
@config_option
@json_option
@run_async
async def bootstrap(config: str | None, *, as_json: bool) -> None:
    """Create the REST resource in Retool, once. One of that name is found, not changed."""
    settings = settings_of(config)
    known = settings.retool
    for name, value in (
        ("url", known.url),
        ("access_token", known.access_token.get_secret_value()),
        ("api_token", known.api_token.get_secret_value()),
    ):
        if not value:
            raise Refusal(f"retool.{name} is not set; see docs/reference/retool.md")
    async with AiohttpTransport() as transport:
        api = RetoolApi(url=known.url, token=known.access_token.get_secret_value(), transport=transport)
        try:
            resource, created = await api.ensure_resource(
                name=known.resource_name,
                base_url=settings.server.public_url,
                api_token=known.api_token.get_secret_value(),
            )
        except RetoolProblem as problem:
            raise AnswerIsNo(f"{problem}") from problem
    if as_json:
        print_json({"id": resource.id, "name": resource.name, "created": created})
        return
    click.echo(resource.id)
    done = "is created" if created else "was there already, and is left as it is"
    click.echo(f"{resource.name} {done}. Set retool.resource_uuid, then `pickgate retool build`.", err=True)


@retool.command("doctor")
@config_option
@json_option
@run_async
async def doctor(config: str | None, *, as_json: bool) -> None:
    """Check both sides: addresses, tokens, the resource, the pack. Changes nothing."""
    settings = settings_of(config)
    async with AiohttpTransport() as transport:
        checks = await check_retool(settings, transport, _document())
    if as_json:
        print_json(as_rows(checks))
    else:
        rows = [[check.name, check.verdict, check.found, check.remedy] for check in checks]
        print_table(["check", "verdict", "found", "what to do"], rows, empty="Nothing was checked.")
    failed = [check.name for check in checks if check.verdict == "failed"]
    if failed:
        raise AnswerIsNo(f"not fine: {', '.join(failed)}")


@retool.command("agent")
@config_option
@run_async
async def agent(config: str | None) -> None:
    """Answer Retool's calls from inside this network, until interrupted. It only connects outwards."""
    settings = settings_of(config)
    known = settings.retool
    for name, value in (
        ("url", known.url),
        ("rpc_token", known.rpc_token.get_secret_value()),
        ("rpc_resource_id", known.rpc_resource_id),
        ("api_token", known.api_token.get_secret_value()),
    ):
        if not value:
            raise Refusal(f"retool.{name} is not set; see docs/reference/retool.md")
    set_up_logging(level=logging.INFO)
    stopping = asyncio.Event()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(wanted, stopping.set)
    async with open_installation(settings) as installation:
        await _serve(installation, stopping)


async def _serve(installation: Installation, stopping: asyncio.Event) -> None:
    known = installation.settings.retool
    functions = list_functions()
    link = RpcLink(
        url=known.url,
        token=known.rpc_token.get_secret_value(),
        resource_id=known.rpc_resource_id,
        environment=known.rpc_environment,
        agent_id=str(uuid.uuid4()),
        version=version_of(functions),
    )
    async with AiohttpTransport() as transport:
        serving = RpcAgent(
            link=link,
            functions=functions,
            run=runner(
                token=known.api_token.get_secret_value(),
                access=installation.access,
                context=installation.context,
                clock=installation.clock,
            ),
            transport=transport,
            clock=RealClock(),
            rng=random.Random(secrets.randbits(64)),  # noqa: S311 - pauses between attempts, not a secret
            groups=known.rpc_groups,
            concurrency=known.rpc_concurrency,
            timing=Timing(poll=known.rpc_poll.total_seconds()),
            package_version=__version__,
        )
        try:
            await serving.serve(stopping)
        except RetoolProblem as problem:
            raise AnswerIsNo(f"{problem}") from problem
