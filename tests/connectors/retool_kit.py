"""An agent and the twin of the Retool that it serves, over HTTP on loopback."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pickgate.clock import RealClock
from pickgate.connectors.retool.rpc import FunctionRefused, RpcAgent, Timing
from pickgate.connectors.retool.wire import RpcArgument, RpcFunction, RpcLink, RpcQuery
from pickgate.connectors.transport import AiohttpTransport
from pickgate.twins.retool import RetoolTwin
from pickgate.twins.server import ServedTwin, serve_twin

TOKEN = "retool_rpc"
FAST = Timing(poll=0.01, request=0.3, run=0.5, grace=0.4)
FUNCTIONS = (
    RpcFunction(
        name="echo",
        arguments={
            "ref": RpcArgument(type="string", required=True),
            "limit": RpcArgument(type="number"),
            "ids": RpcArgument(type="number", array=True),
            "dry_run": RpcArgument(type="boolean"),
        },
    ),
    RpcFunction(name="refuse", arguments={}),
    RpcFunction(name="break", arguments={}),
    RpcFunction(name="unsayable", arguments={}),
    RpcFunction(name="wait", arguments={}),
)


def make_twin() -> RetoolTwin:
    return RetoolTwin(RealClock(), tokens={TOKEN: {"rpc"}, "retool_api": {"resources:read"}})


@dataclass(slots=True)
class Stage:
    """`ran`: every run of a function, with its values. `gate`: what `wait` waits for. `most`: the most at once."""

    twin: RetoolTwin
    served: ServedTwin
    agent: RpcAgent
    stopping: asyncio.Event
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    ran: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    running: int = 0
    most: int = 0
    task: asyncio.Task[None] | None = None

    async def run(self, query: RpcQuery, values: Mapping[str, Any]) -> Any:
        self.ran.append((query.method, values))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            match query.method:
                case "refuse":
                    raise FunctionRefused("NOT_FOUND", "There is no such order.", details={"ref": "#1"})
                case "break":
                    raise RuntimeError("customer ann@example.com, order 5540")
                case "unsayable":
                    return {"at": object()}
                case "wait":
                    await self.gate.wait()
                    return "waited"
            return {"values": dict(values), "person": query.person}
        finally:
            self.running -= 1

    def start(self) -> asyncio.Task[None]:
        self.task = asyncio.create_task(self.agent.serve(self.stopping))
        return self.task

    async def stop(self) -> None:
        self.stopping.set()
        assert self.task is not None
        await self.task

    async def until(self, what: Any, seconds: float = 5.0) -> None:
        """Wait until `what()` is true."""
        async with asyncio.timeout(seconds):
            while not what():  # noqa: ASYNC110 - what is waited for happens in the twin, which tells nobody
                await asyncio.sleep(0.005)


@asynccontextmanager
async def staging(
    *, token: str = TOKEN, concurrency: int = 4, timing: Timing = FAST, started: bool = True, resource: str = ""
) -> AsyncIterator[Stage]:
    """Serve a twin and run an agent against it; both end with the test."""
    twin = make_twin()
    served = await serve_twin(twin.handle)
    async with AiohttpTransport() as transport:
        stage = Stage.__new__(Stage)
        agent = RpcAgent(
            link=RpcLink(
                url=served.url, token=token, resource_id=resource or twin.resource_id, environment="production",
                agent_id="agent-1", version="v1",
            ),
            functions=FUNCTIONS,
            run=lambda query, values: stage.run(query, values),
            transport=transport,
            clock=RealClock(),
            rng=random.Random(1),
            concurrency=concurrency,
            timing=timing,
            groups=("Office",),
            package_version="1.2",
        )  # fmt: skip
        Stage.__init__(stage, twin, served, agent, asyncio.Event())
        try:
            if started:
                stage.start()
            yield stage
        finally:
            stage.gate.set()
            stage.stopping.set()
            if stage.task is not None:
                await asyncio.gather(stage.task, return_exceptions=True)
            await stage.served.aclose()
