"""What `retool doctor` looks at: each check says what it found, and what to do when it is not fine."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from pickgate.api.tokens import ACTOR_HEADER
from pickgate.connectors.retool.client import Resource, RetoolApi
from pickgate.connectors.retool.errors import RetoolProblem
from pickgate.connectors.retool.pack.build import build_app
from pickgate.connectors.retool.pack.lint import lint_app
from pickgate.connectors.retool.pack.queries import Binding
from pickgate.http import HttpRequest, HttpResponse, NothingSent, OutcomeUnknown, Transport
from pickgate.settings import Settings

Verdict = Literal["ok", "failed", "not checked"]


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    verdict: Verdict
    found: str
    remedy: str = ""


async def check_retool(settings: Settings, transport: Transport, document: Mapping[str, Any]) -> list[Check]:
    """Look at both sides, from here. Creates and changes nothing."""
    found: list[Check] = [_reachable(settings)]
    found.append(await _own_api(settings, transport))
    found.append(await _own_token(settings, transport))
    retool = settings.retool
    token = retool.access_token.get_secret_value()
    if not retool.url or not token:
        found.append(
            Check("Retool", "failed", "retool.url or retool.access_token is not set", "Set both; see retool.md.")
        )
    else:
        api = RetoolApi(url=retool.url, token=token, transport=transport)
        try:
            resources = await api.list_resources()
            found.append(Check("Retool", "ok", f"answers; {len(resources)} REST resources"))
            found.append(_resource(settings, resources))
            found.append(await _toolscript(api, settings, document))
        except RetoolProblem as problem:
            found.append(Check("Retool", "failed", problem.problem, problem.remedy))
    faults = lint_app(build_app(document, _binding(settings)), document)
    found.append(
        Check("pack", "failed", f"{len(faults)} faults, first: {faults[0]}", "Report it; do not import the pack.")
        if faults
        else Check("pack", "ok", "passes its linter; an import is for Retool to say")
    )
    has_agent = bool(retool.rpc_token.get_secret_value() and retool.rpc_resource_id)
    found.append(
        Check("agent", "ok", f"set up for {retool.rpc_environment}; it says itself whether Retool takes it")
        if has_agent
        else Check("agent", "not checked", "not set up: retool.rpc_token and retool.rpc_resource_id")
    )
    return found


def _reachable(settings: Settings) -> Check:
    url = settings.server.public_url
    host = urlsplit(url).hostname or ""
    if _is_inside(host) and not _is_inside(urlsplit(settings.retool.url).hostname or ""):
        return Check(
            "address", "failed", f"{url} cannot be reached from outside this network",
            "Set server.public_url to an address that Retool reaches, or use `pickgate retool agent`.",
        )  # fmt: skip
    if not url.startswith("https://") and not _is_inside(host):
        return Check("address", "failed", f"{url} is not encrypted", "Put TLS before Pickgate; tokens travel here.")
    return Check("address", "ok", url)


def _is_inside(host: str) -> bool:
    if host == "localhost" or host.endswith((".internal", ".local")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


async def _own_api(settings: Settings, transport: Transport) -> Check:
    answer = await _get(transport, settings.server.public_url + "/openapi.json")
    if isinstance(answer, str):
        return Check("Pickgate", "failed", answer, "Start `pickgate serve`, and check server.public_url.")
    try:
        version = answer.json().get("openapi") if answer.status == 200 else None
    except (ValueError, AttributeError):
        version = None
    if version != "3.1.0":
        return Check("Pickgate", "failed", f"/openapi.json answers {answer.status}", "Check server.public_url.")
    return Check("Pickgate", "ok", "answers with OpenAPI 3.1.0")


async def _own_token(settings: Settings, transport: Transport) -> Check:
    token = settings.retool.api_token.get_secret_value()
    make = "Make one with `pickgate token create retool --role ops --delegating`, and set retool.api_token."
    if not token:
        return Check("token", "failed", "retool.api_token is not set", make)
    headers = {"Authorization": f"Bearer {token}", ACTOR_HEADER: "retool doctor"}
    answer = await _get(transport, settings.server.public_url + "/api/v1/health", headers)
    if isinstance(answer, str):
        return Check("token", "not checked", "Pickgate does not answer")
    if answer.status == 200:
        return Check("token", "ok", "valid, and believed about who acts")
    words = {401: "is not valid, or has ended", 403: "is not a delegating one"}.get(answer.status)
    return Check("token", "failed", f"retool.api_token {words or f'is answered with {answer.status}'}", make)


def _resource(settings: Settings, resources: Sequence[Resource]) -> Check:
    retool = settings.retool
    named = [one for one in resources if one.name == retool.resource_name]
    if len(named) != 1:
        return Check(
            "resource", "failed", f"Retool has {len(named)} REST resources called {retool.resource_name!r}",
            "Run `pickgate retool bootstrap`." if not named else "Keep one, or set retool.resource_name.",
        )  # fmt: skip
    if retool.resource_uuid.lower() != named[0].id.lower():
        return Check(
            "resource", "failed", f"its id is {named[0].id}, and retool.resource_uuid is another",
            "Set retool.resource_uuid, build the pack again, and replace the app.",
        )  # fmt: skip
    return Check("resource", "ok", f"{named[0].name}, {named[0].id}")


async def _toolscript(api: RetoolApi, settings: Settings, document: Mapping[str, Any]) -> Check:
    try:
        told = await api.validate_toolscript(build_app(document, _binding(settings)))
    except RetoolProblem as problem:
        return Check("Toolscript", "not checked", f"{problem.problem} {problem.remedy}")
    if told is None:
        return Check("Toolscript", "not checked", "this Retool has no validator for it")
    wrong = [one for one in told if one.severity == "error"]
    if wrong:
        first = f"{wrong[0].file}: {wrong[0].message}"
        return Check("Toolscript", "failed", f"Retool finds {len(wrong)} errors, first: {first}", "Report it, please.")
    return Check("Toolscript", "ok", "Retool's own validator finds no error")


def _binding(settings: Settings) -> Binding:
    return Binding(uuid=settings.retool.resource_uuid, name=settings.retool.resource_name)


async def _get(transport: Transport, url: str, headers: Mapping[str, str] | None = None) -> HttpResponse | str:
    try:
        return await transport.send(HttpRequest(method="GET", url=url, headers=headers or {}, timeout_seconds=10))
    except (NothingSent, OutcomeUnknown) as error:
        return f"{urlsplit(url).netloc} does not answer ({type(error).__name__})"


def as_rows(checks: list[Check]) -> list[dict[str, str]]:
    """Return the checks for JSON."""
    return [{"name": c.name, "verdict": c.verdict, "found": c.found, "remedy": c.remedy} for c in checks]
