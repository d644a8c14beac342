"""One Retool: who may call it, what goes wrong on the way, and where each request goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pickgate.clock import Clock
from pickgate.http import HttpRequest, HttpResponse, OutcomeUnknown
from pickgate.twins.retool.answers import Refusal, answer, read_object
from pickgate.twins.retool.resources import ResourceKnobs, ResourceShelf
from pickgate.twins.retool.rpc import RpcDesk

RPC = "/api/v1/retoolrpc/"
API = "/api/v2/"


@dataclass(slots=True)
class Fault:
    """What happens to the next request of an endpoint. `done`: the twin does its part all the same.

    `status` 0: the connection is dropped. `hangs_seconds`: nothing happens for so long first.
    """

    status: int = 0
    hangs_seconds: float = 0.0
    done: bool = False
    retry_after: str = ""
    body: bytes = b""


@dataclass(slots=True)
class RetoolTwin:
    """`tokens`: scopes by token. `faults`: by endpoint, next first. `seen`: each request and status; 0: dropped."""

    clock: Clock
    resource_id: str = "rpc-resource"
    environments: frozenset[str] = frozenset({"production", "staging"})
    tokens: dict[str, set[str]] = field(default_factory=dict)
    knobs: ResourceKnobs = field(default_factory=ResourceKnobs)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    seen: list[tuple[str, int]] = field(default_factory=list)
    rpc: RpcDesk = field(init=False)
    shelf: ResourceShelf = field(init=False)

    def __post_init__(self) -> None:
        self.rpc = RpcDesk(self.resource_id, self.environments)
        self.shelf = ResourceShelf(self.clock, self.knobs)

    def fail(self, endpoint: str, *faults: Fault) -> None:
        """Let the next requests of an endpoint, such as "popQuery" or "GET resources", go wrong."""
        self.faults.setdefault(endpoint, deque()).extend(faults)

    def count(self, endpoint: str, status: int | None = None) -> int:
        """Count the requests of an endpoint so far, with this status if one is given."""
        return sum(1 for name, found in self.seen if name == endpoint and status in (None, found))

    def handle(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        """Answer one request. Raises OutcomeUnknown, now or when awaited, for a dropped connection."""
        return self._handle(request)

    async def _handle(self, request: HttpRequest) -> HttpResponse:
        endpoint = _endpoint(request)
        waiting = self.faults.get(endpoint)
        fault = waiting.popleft() if waiting else None
        if fault is not None:
            self.seen.append((endpoint, fault.status))
            if fault.hangs_seconds:
                await self.clock.sleep(fault.hangs_seconds)
            if fault.done:
                self._respond(request, endpoint)
            if not fault.status:
                raise OutcomeUnknown("dropped")
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            return HttpResponse(status=fault.status, headers=headers, body=fault.body)
        found = self._respond(request, endpoint)
        self.seen.append((endpoint, found.status))
        return found

    def _respond(self, request: HttpRequest, endpoint: str) -> HttpResponse:
        try:
            self._check_token(request, endpoint)
            match endpoint:
                case "registerAgent":
                    return answer(200, self.rpc.register(read_object(request)))
                case "popQuery":
                    return answer(200, self.rpc.pop(read_object(request)))
                case "postQueryResponse":
                    return answer(200, self.rpc.respond(read_object(request)))
                case "GET resources":
                    return answer(200, self.shelf.list(request.url))
                case "POST resources":
                    return answer(200, self.shelf.create(read_object(request)))
                case "POST apps/toolscript/validate":
                    return answer(200, self.shelf.validate(read_object(request)))
                case _:
                    raise Refusal(404, "not found")
        except Refusal as refusal:
            return answer(refusal.status, {"success": False, "message": refusal.message})

    def _check_token(self, request: HttpRequest, endpoint: str) -> None:
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        scopes = self.tokens.get(token) if scheme == "Bearer" else None
        if scopes is None:
            raise Refusal(401, "unauthorized")
        kind, _, path = endpoint.rpartition(" ")
        wanted = "rpc" if not kind else f"{path.partition('/')[0]}:{'read' if kind == 'GET' else 'write'}"
        if path.startswith("apps/"):
            wanted = "apps:read"
        if wanted not in scopes:
            raise Refusal(403, "the token has not the scope")


def _endpoint(request: HttpRequest) -> str:
    path = urlsplit(request.url).path
    if path.startswith(RPC) and request.method == "POST":
        return path.removeprefix(RPC)
    if path.startswith(API):
        return f"{request.method} {path.removeprefix(API)}"
    return f"{request.method} {path}"
