"""The three endpoints that an RPC agent talks to, and the people who make calls through them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from pickgate.twins.retool.answers import Refusal, need

TYPES = frozenset({"string", "boolean", "number", "dict", "json"})
_STATUSES = frozenset({"success", "error"})


@dataclass(slots=True)
class Call:
    """One call that a person made. `responses`: every answer that agents posted, whole."""

    id: str
    method: str
    query: Any
    responses: list[dict[str, Any]] = field(default_factory=list)
    handed_out: int = 0
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def answered(self, seconds: float = 5.0) -> dict[str, Any]:
        """Wait for the first answer. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self._heard.wait()
        return self.responses[0]

    def hear(self, response: dict[str, Any]) -> None:
        self.responses.append(response)
        self._heard.set()


class RpcDesk:
    """Calls wait here until an agent asks for them. Each is handed out once, unless it is put back."""

    def __init__(self, resource_id: str, environments: frozenset[str]) -> None:
        self._resource_id = resource_id
        self._environments = environments
        self._waiting: deque[Call] = deque()
        self._asked = 0
        self.calls: dict[str, Call] = {}
        self.registered: dict[str, dict[str, Any]] = {}
        self.strangers: list[dict[str, Any]] = []

    def ask(
        self, method: str, parameters: Any = None, *, context: Mapping[str, Any] | None = None, query: Any = None
    ) -> Call:
        """Make a call, as a person in an app does. `query`: hand out exactly this in place of a proper one."""
        self._asked += 1
        number = f"query-{self._asked}"
        known = {"userName": "Ann", "userEmail": "ann@example.com", "userGroups": ["All Users"]}
        proper = {
            "queryUuid": number,
            "queryInfo": {
                "resourceId": self._resource_id,
                "environmentName": "production",
                "method": method,
                "parameters": {} if parameters is None else parameters,
                "context": dict(known if context is None else context) | {"organizationName": "Acme"},
            },
        }
        call = Call(number, method, proper if query is None else query)
        self.calls[number] = call
        self._waiting.append(call)
        return call

    def hand_out_again(self, call: Call) -> None:
        """Put a call back, as if its answer had been lost."""
        self._waiting.append(call)

    def forget(self) -> None:
        """A restart: agents must register anew. Calls are kept."""
        self.registered.clear()

    def register(self, body: dict[str, Any]) -> dict[str, Any]:
        self._check_agent(body)
        need(body, "version")
        operations = body.get("operations")
        if not isinstance(operations, dict) or not operations:
            raise Refusal(400, "operations is required")
        for operation in operations.values():
            if set(operation) != {"arguments", "permissions"}:
                raise Refusal(400, "an operation has arguments and permissions")
            for argument in operation["arguments"].values():
                if set(argument) - {"type", "description", "required", "array"} or argument.get("type") not in TYPES:
                    raise Refusal(400, "an argument has type, description, required, array")
        self.registered[body["agentUuid"]] = body
        return {"versionHash": self._hash(body)}

    def pop(self, body: dict[str, Any]) -> dict[str, Any]:
        self._check_version(body)
        if not self._waiting:
            return {"query": None}
        call = self._waiting.popleft()
        call.handed_out += 1
        return {"query": call.query}

    def respond(self, body: dict[str, Any]) -> dict[str, Any]:
        self._check_version(body)
        need(body, "queryUuid")
        if body.get("status") not in _STATUSES or {"data", "error", "metadata"} - set(body):
            raise Refusal(400, "status, data, error and metadata are required")
        if (body["status"] == "error") != isinstance(body["error"], dict):
            raise Refusal(400, "an error comes with the status error, and only then")
        call = self.calls.get(body["queryUuid"])
        if call is None:
            self.strangers.append(body)
        else:
            call.hear(body)
        return {"success": True}

    def _check_agent(self, body: dict[str, Any]) -> None:
        need(body, "resourceId", "environmentName", "agentUuid")
        if body["resourceId"] != self._resource_id or body["environmentName"] not in self._environments:
            raise Refusal(404, "there is no such resource in this environment")

    def _check_version(self, body: dict[str, Any]) -> None:
        self._check_agent(body)
        need(body, "versionHash")
        registered = self.registered.get(body["agentUuid"])
        if registered is None or self._hash(registered) != body["versionHash"]:
            raise Refusal(409, "the agent is not registered with this version")

    @staticmethod
    def _hash(registered: dict[str, Any]) -> str:
        return sha256(registered["version"].encode()).hexdigest()[:16]
