"""The shapes of Retool's RPC protocol, in Retool's spelling. Pure: values in, JSON texts out, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pickgate.connectors.retool.errors import RetoolUnexpected

TEST_CONNECTION = "__testConnection__"
ArgumentType = Literal["string", "boolean", "number", "dict", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcArgument:
    """One argument as Retool's query form shows it. There are no choices, defaults or nested shapes in the protocol."""

    type: ArgumentType
    description: str = ""
    required: bool = False
    array: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcFunction:
    name: str
    arguments: Mapping[str, RpcArgument]


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcLink:
    """Which agent this is, for which resource of which Retool.

    Args:
        url: Retool's own address, without a slash at the end.
        agent_id: New for each process. `version`: changes whenever a function or an argument does.
    """

    url: str
    token: str = field(repr=False)
    resource_id: str
    environment: str
    agent_id: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcQuery:
    """One call, as Retool hands it out. `id` empty: it cannot even be answered. `fault`: why it cannot be run."""

    id: str
    method: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    context: Mapping[str, Any] = field(default_factory=dict, repr=False)
    fault: str = ""

    @property
    def person(self) -> str:
        """Who asks, as Retool knows them; empty when it does not say."""
        return str(self.context.get("userEmail") or self.context.get("userName") or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcAnswer:
    """What became of a call: `value`, or an error with a stable code."""

    value: Any = field(default=None, repr=False)
    code: str = ""
    message: str = field(default="", repr=False)
    details: Mapping[str, Any] | None = field(default=None, repr=False)


def render_registration(link: RpcLink, functions: Sequence[RpcFunction], groups: Sequence[str]) -> bytes:
    """`groups`: who may call the functions; none: whom the app lets in."""
    permissions = {"groupNames": list(groups)} if groups else {}
    operations = {
        function.name: {
            "arguments": {
                name: {
                    "type": argument.type,
                    "description": argument.description,
                    "required": argument.required,
                    "array": argument.array,
                }
                for name, argument in function.arguments.items()
            },
            "permissions": permissions,
        }
        for function in functions
    }
    return _json(_who(link) | {"version": link.version, "operations": operations})


def parse_registration(body: bytes) -> str:
    """Return the version's hash. Raises RetoolUnexpected."""
    found = _object(body).get("versionHash")
    if not isinstance(found, str) or not found:
        raise _unexpected("no versionHash")
    return found


def render_pop(link: RpcLink, version_hash: str) -> bytes:
    return _json(_who(link) | {"versionHash": version_hash})


def parse_pop(body: bytes) -> RpcQuery | None:
    """Return the call that Retool handed out, None when there was none.

    A call that cannot be read is still returned, with `fault`, so that whoever waits for it gets an answer.
    Raises RetoolUnexpected when the body is no answer at all.
    """
    answer = _object(body)
    if "query" not in answer:
        raise _unexpected("no query")
    query = answer["query"]
    if query is None:
        return None
    found = query.get("queryUuid") if isinstance(query, dict) else None
    number = found if isinstance(found, str) else ""
    info = query.get("queryInfo") if isinstance(query, dict) else None
    if not isinstance(info, dict):
        return RpcQuery(id=number, fault="the call has no queryInfo")
    method, parameters = info.get("method"), info.get("parameters", {})
    context = info.get("context")
    known = dict(context) if isinstance(context, dict) else {}
    if not isinstance(method, str) or not method:
        return RpcQuery(id=number, context=known, fault="the call names no method")
    if not isinstance(parameters, dict | None):
        return RpcQuery(id=number, method=method, context=known, fault="the parameters are not an object")
    return RpcQuery(id=number, method=method, parameters=parameters or {}, context=known)


def render_answer(
    link: RpcLink,
    version_hash: str,
    query: RpcQuery,
    answer: RpcAnswer,
    *,
    received_at: datetime,
    finished_at: datetime,
    package_version: str,
) -> bytes:
    """Raises TypeError or ValueError when the value is no JSON."""
    error = None
    if answer.code:
        # `stack` stays empty: file names and lines of ours are nobody's business there.
        error = {
            "name": answer.code,
            "message": answer.message,
            "stack": None,
            "code": answer.code,
            "details": answer.details,
        }
    return _json(
        _who(link)
        | {
            "versionHash": version_hash,
            "queryUuid": query.id,
            "status": "error" if error else "success",
            "data": None if error else answer.value,
            "metadata": {
                "packageLanguage": "python",
                "packageVersion": package_version,
                "agentReceivedQueryAt": received_at.isoformat(),
                "agentFinishedQueryAt": finished_at.isoformat(),
                "parameters": query.parameters,
            },
            "error": error,
        }
    )


def _who(link: RpcLink) -> dict[str, Any]:
    return {"resourceId": link.resource_id, "environmentName": link.environment, "agentUuid": link.agent_id}


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _unexpected("no JSON") from error
    if not isinstance(found, dict):
        raise _unexpected("no object")
    return found


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _unexpected(what: str) -> RetoolUnexpected:
    return RetoolUnexpected(
        f"Retool's answer cannot be used: {what}.",
        remedy="Check `retool.url`, and whether a proxy stands between.",
    )
