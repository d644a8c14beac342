"""The twin of Retool is strict: what Retool's own clients send passes, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pickgate.clock import RealClock
from pickgate.http import HttpRequest, HttpResponse, OutcomeUnknown
from pickgate.twins.retool import RetoolTwin
from pickgate.twins.retool.twin import Fault

WHO = {"resourceId": "rpc-resource", "environmentName": "production", "agentUuid": "a"}
ARGUMENT = {"type": "string", "description": "", "required": True, "array": False}
REGISTRATION = WHO | {"version": "1", "operations": {"f": {"arguments": {"x": ARGUMENT}, "permissions": {}}}}
ANSWER = {"queryUuid": "query-1", "status": "success", "data": 1, "metadata": {}, "error": None}


async def post(twin: RetoolTwin, endpoint: str, body: Any, *, token: str = "t") -> tuple[int, Any]:
    answered = twin.handle(
        HttpRequest(
            method="POST",
            url=f"http://retool/api/v1/retoolrpc/{endpoint}",
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            body=json.dumps(body).encode(),
        )
    )
    answer = answered if isinstance(answered, HttpResponse) else await answered
    return answer.status, answer.json() if answer.body else None


@pytest.fixture
def twin() -> RetoolTwin:
    return RetoolTwin(RealClock(), tokens={"t": {"rpc"}, "poor": set()})


async def test_a_call_goes_the_whole_way_once(twin: RetoolTwin) -> None:
    status, registered = await post(twin, "registerAgent", REGISTRATION)
    assert status == 200
    known = WHO | {"versionHash": registered["versionHash"]}
    assert await post(twin, "popQuery", known) == (200, {"query": None})
    call = twin.rpc.ask("f", {"x": "1"})
    _, popped = await post(twin, "popQuery", known)
    assert popped["query"]["queryInfo"]["parameters"] == {"x": "1"}
    assert set(popped["query"]["queryInfo"]["context"]) == {"userName", "userEmail", "userGroups", "organizationName"}
    assert await post(twin, "popQuery", known) == (200, {"query": None})
    assert (await post(twin, "postQueryResponse", known | ANSWER))[0] == 200
    assert (await call.answered())["data"] == 1
    assert twin.count("popQuery", 200) == 3


@pytest.mark.parametrize(
    ("endpoint", "body", "token", "status"),
    [
        ("registerAgent", REGISTRATION, "none", 401),
        ("registerAgent", REGISTRATION, "poor", 403),
        ("registerAgent", REGISTRATION | {"resourceId": "other"}, "t", 404),
        ("registerAgent", REGISTRATION | {"version": ""}, "t", 400),
        ("registerAgent", REGISTRATION | {"operations": {}}, "t", 400),
        ("registerAgent", REGISTRATION | {"operations": {"f": {"arguments": {}}}}, "t", 400),
        (
            "registerAgent",
            REGISTRATION | {"operations": {"f": {"arguments": {"x": ARGUMENT | {"type": "date"}}, "permissions": {}}}},
            "t",
            400,
        ),
        ("registerAgent", ["x"], "t", 400),
        ("popQuery", WHO | {"versionHash": "stale"}, "t", 409),
        ("postQueryResponse", WHO | ANSWER | {"versionHash": "stale"}, "t", 409),
        ("popQueries", WHO, "t", 404),
    ],
)
async def test_what_does_not_fit_is_refused(
    twin: RetoolTwin, endpoint: str, body: Any, token: str, status: int
) -> None:
    assert (await post(twin, endpoint, body, token=token))[0] == status
    assert twin.rpc.registered == {}


@pytest.mark.parametrize(
    "change",
    [{"status": "done"}, {"status": "error"}, {"error": {"name": "x"}}, {"queryUuid": ""}],
)
async def test_an_answer_that_contradicts_itself_is_refused(twin: RetoolTwin, change: dict[str, Any]) -> None:
    _, registered = await post(twin, "registerAgent", REGISTRATION)
    call = twin.rpc.ask("f")
    body = WHO | {"versionHash": registered["versionHash"]} | ANSWER | change
    assert (await post(twin, "postQueryResponse", body))[0] == 400
    assert call.responses == []


async def test_a_fault_happens_once_and_may_come_after_the_deed(twin: RetoolTwin) -> None:
    twin.fail("registerAgent", Fault(status=0, done=True), Fault(status=503))
    with pytest.raises(OutcomeUnknown):
        await post(twin, "registerAgent", REGISTRATION)
    assert list(twin.rpc.registered) == ["a"]
    assert (await post(twin, "registerAgent", REGISTRATION))[0] == 503
    assert (await post(twin, "registerAgent", REGISTRATION))[0] == 200
    assert twin.seen == [("registerAgent", 0), ("registerAgent", 503), ("registerAgent", 200)]
