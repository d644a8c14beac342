"""Retool's API (`/api/v2`): find and create the REST resource, and let Retool look at our Toolscript."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pickgate.connectors.retool.errors import (
    RetoolProblem,
    RetoolRejected,
    RetoolUnexpected,
    RetoolUnreached,
    check_status,
)
from pickgate.http import HttpRequest, NothingSent, OutcomeUnknown, Transport

ACTOR_HEADER = "X-Pickgate-Actor"
# Retool fills this in for each query, in its own backend.
ACTOR_VALUE = "{{ current_user.email }}"
_MOST_PAGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource of a Retool. What is in it (address, token) cannot be read back."""

    id: str
    type: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """What Retool's validator says about a file."""

    file: str
    severity: str
    message: str


class RetoolApi:
    """
    One Retool, by its API token.

    Args:
        url: Retool's own address, without a slash at the end.
    """

    def __init__(self, *, url: str, token: str, transport: Transport, timeout_seconds: float = 20.0) -> None:
        self._url = url
        self._token = token
        self._transport = transport
        self._timeout_seconds = timeout_seconds

    async def list_resources(self) -> Sequence[Resource]:
        """List the REST resources. Raises RetoolProblem."""
        found: list[Resource] = []
        token = ""
        for _ in range(_MOST_PAGES):
            path = "resources?resource_type=restapi" + (f"&next_token={quote(token, safe='')}" if token else "")
            page = await self._call("GET", path, scope="Resources > Read")
            rows = page.get("data")
            if not isinstance(rows, list):
                raise _unexpected("a list of resources")
            found += [_resource(row) for row in rows]
            token = str(page.get("next_token") or "")
            if not token or not page.get("has_more", True):
                return found
        raise _unexpected(f"an end of the list within {_MOST_PAGES} pages")

    async def ensure_resource(self, *, name: str, base_url: str, api_token: str) -> tuple[Resource, bool]:
        """
        Return the REST resource of this name, and whether it was created now.

        One that is there is left as it is: Retool tells nobody what is in it. Several of one name are refused.
        Raises RetoolProblem.
        """
        known = [resource for resource in await self.list_resources() if resource.name == name]
        if len(known) > 1:
            raise RetoolRejected(
                f"Retool has {len(known)} REST resources called {name!r}.",
                remedy="Delete or rename all but one, or set `retool.resource_name`.",
            )
        if known:
            return known[0], False
        actor = [ACTOR_HEADER, ACTOR_VALUE]
        try:
            way = {"authentication_type": "bearer", "bearer_token": api_token}
            return await self._create(name, base_url, [actor], way), True
        except RetoolRejected:
            # Older Retools know no bearer token here, and have created nothing; a header says the same.
            header = ["Authorization", f"Bearer {api_token}"]
            return await self._create(name, base_url, [header, actor], {"authentication_type": "none"}), True

    async def validate_toolscript(self, files: Mapping[str, str]) -> Sequence[Diagnostic] | None:
        """
        Let Retool look at an app's files; None: this Retool has no such validator.

        It reads them and imports nothing. Raises RetoolProblem.
        """
        body = {"toolscript": [{"path": path, "contents": text} for path, text in sorted(files.items())]}
        try:
            answer = await self._call("POST", "apps/toolscript/validate", body, scope="Apps > Read")
        except RetoolProblem as problem:
            if problem.status in (404, 405):
                return None
            raise
        found = answer.get("data")
        if not isinstance(found, dict) or not isinstance(found.get("valid"), bool):
            raise _unexpected("a verdict")
        diagnostics = [
            Diagnostic(
                file=str(item.get("filename", "")),
                severity=str(item.get("severity", "")),
                message=str(item.get("message", "")),
            )
            for item in found.get("diagnostics", ())
            if isinstance(item, dict)
        ]
        if not found["valid"] and not diagnostics:
            diagnostics.append(Diagnostic(file="", severity="error", message=str(found.get("error", "not valid"))))
        return diagnostics

    async def _create(self, name: str, base_url: str, headers: list[list[str]], way: Mapping[str, str]) -> Resource:
        options = {"base_url": base_url, "headers": headers, "authentication_options": way}
        body = {"type": "restapi", "display_name": name, "options": options}
        answer = await self._call("POST", "resources", body, scope="Resources > Write")
        return _resource(answer.get("data"))

    async def _call(self, method: str, path: str, body: Any = None, *, scope: str) -> dict[str, Any]:
        what = f"{method} {path.partition('?')[0]}"
        request = HttpRequest(
            method=method,
            url=f"{self._url}/api/v2/{path}",
            headers={
                "Authorization": f"Bearer {self._token}",
                "Accept": "application/json",
                **({"Content-Type": "application/json"} if body is not None else {}),
            },
            body=b"" if body is None else json.dumps(body).encode(),
            timeout_seconds=self._timeout_seconds,
        )
        try:
            answer = await self._transport.send(request)
        except NothingSent as error:
            raise RetoolUnreached(
                f"Retool cannot be reached for {what}.", remedy="Check `retool.url`, the network and its proxies."
            ) from error
        except OutcomeUnknown as error:
            raise RetoolUnreached(
                f"Retool gave no whole answer to {what}.",
                remedy="Look in Retool whether it was done, then run this again.",
            ) from error
        check_status(answer, what, scope=f'"{scope}"')
        try:
            found = answer.json()
        except ValueError as error:
            raise _unexpected("JSON") from error
        if not isinstance(found, dict):
            raise _unexpected("an object")
        return found


def _resource(row: Any) -> Resource:
    if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not row["id"]:
        raise _unexpected("a resource with an id")
    return Resource(id=row["id"], type=str(row.get("type", "")), name=str(row.get("display_name", "")))


def _unexpected(wanted: str) -> RetoolUnexpected:
    return RetoolUnexpected(
        f"Retool did not answer with {wanted}.", remedy="Check `retool.url`: it is your Retool's own address."
    )
