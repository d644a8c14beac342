"""The agent against the twin of Retool: every call is answered, none is run twice, and nothing is said in the log."""

from __future__ import annotations

import asyncio

import pytest
import structlog
from structlog.testing import capture_logs

from connectors.retool_kit import TOKEN, staging
from pickgate.connectors.retool.errors import RetoolRefused, RetoolRejected
from pickgate.connectors.retool.rpc import Timing
from pickgate.twins.retool.twin import Fault
from pickgate.twins.server import serve_twin


@pytest.fixture(autouse=True)
def plain_logging() -> None:
    structlog.reset_defaults()


async def test_it_registers_its_functions_and_answers_a_call() -> None:
    async with staging() as stage:
        call = stage.twin.rpc.ask("echo", {"ref": "#1031", "limit": "7", "ids": ["1", 2.0], "dry_run": "TRUE"})
        answer = await call.answered()
        assert answer["data"] == {
            "values": {"ref": "#1031", "limit": 7, "ids": [1, 2], "dry_run": True},
            "person": "ann@example.com",
        }
        assert (answer["status"], answer["error"]) == ("success", None)
        assert answer["metadata"]["packageVersion"] == "1.2"
        assert answer["metadata"]["agentReceivedQueryAt"] <= answer["metadata"]["agentFinishedQueryAt"]
        registered = stage.twin.rpc.registered["agent-1"]
        assert registered["version"] == "v1"
        assert registered["operations"]["echo"] == {
            "arguments": {
                "ref": {"type": "string", "description": "", "required": True, "array": False},
                "limit": {"type": "number", "description": "", "required": False, "array": False},
                "ids": {"type": "number", "description": "", "required": False, "array": True},
                "dry_run": {"type": "boolean", "description": "", "required": False, "array": False},
            },
            "permissions": {"groupNames": ["Office"]},
        }
        assert (call.handed_out, len(call.responses), len(stage.ran)) == (1, 1, 1)


async def test_retools_connection_test_is_answered_without_running_anything() -> None:
    async with staging() as stage:
        answer = await stage.twin.rpc.ask("__testConnection__").answered()
        assert (answer["data"]["success"], answer["data"]["agentUuid"], answer["data"]["version"]) == (
            True, "agent-1", "v1",
        )  # fmt: skip
        assert answer["data"]["context"]["userEmail"] == "ann@example.com"
        assert stage.ran == []


@pytest.mark.parametrize(
    ("method", "parameters", "code", "says", "ran"),
    [
        ("echo", {"limit": 7}, "INPUT_INVALID", "ref: is required", 0),
        ("echo", {"ref": "", "limit": None}, "INPUT_INVALID", "ref: is required", 0),
        ("echo", {"ref": "#1", "limit": "seven"}, "INPUT_INVALID", "limit: is not a number", 0),
        ("echo", {"ref": "#1", "dry_run": "maybe"}, "INPUT_INVALID", "dry_run: is not true or false", 0),
        ("drop_tables", {}, "NOT_FOUND", "no such function", 0),
        ("refuse", {}, "NOT_FOUND", "There is no such order.", 1),
        ("break", {}, "FAILED", "could not do this", 1),
        ("unsayable", {}, "FAILED", "could not do this", 1),
        ("wait", {}, "TIMED_OUT", "longer than 0.5 s", 1),
    ],
)
async def test_what_cannot_be_done_is_answered_with_a_code(
    method: str, parameters: dict[str, object], code: str, says: str, ran: int
) -> None:
    async with staging() as stage:
        answer = await stage.twin.rpc.ask(method, parameters).answered()
        assert (answer["status"], answer["data"]) == ("error", None)
        assert (answer["error"]["code"], answer["error"]["name"], answer["error"]["stack"]) == (code, code, None)
        assert says in answer["error"]["message"]
        assert "ann@example.com" not in answer["error"]["message"]
        assert len(stage.ran) == ran
        assert stage.task is not None and not stage.task.done()


async def test_an_argument_that_nobody_declared_reaches_the_operation_which_refuses_it() -> None:
    async with staging() as stage:
        answer = await stage.twin.rpc.ask("echo", {"ref": "#1", "stat": "open"}).answered()
        assert answer["data"]["values"] == {"ref": "#1", "stat": "open"}


async def test_nothing_of_a_call_is_logged() -> None:
    with capture_logs() as logs:
        async with staging() as stage:
            for method in ("echo", "refuse", "break", "unsayable", "secret-method", "__testConnection__"):
                await stage.twin.rpc.ask(method, {"ref": "tell-nobody", "stat": "tell-nobody"}).answered()
            await stage.until(lambda: sum(log["event"] == "retool_call_answered" for log in logs) == 6)
    text = repr(logs)
    assert [word for word in ("tell-nobody", "ann@", "Ann", "customer", "secret-method", TOKEN) if word in text] == []
    assert [log["result"] for log in logs if log["event"] == "retool_call_answered"] == [
        "done", "NOT_FOUND", "FAILED", "done", "NOT_FOUND", "done",
    ]  # fmt: skip


@pytest.mark.parametrize("status", [401, 403])
async def test_a_token_that_is_refused_ends_it(status: int) -> None:
    token = "stale" if status == 401 else "retool_api"
    async with staging(token=token, started=False) as stage:
        with pytest.raises(RetoolRefused, match=f"Retool refused registerAgent \\({status}\\)"):
            await stage.agent.serve(stage.stopping)
        assert stage.twin.seen == [("registerAgent", status)]


async def test_a_token_that_is_revoked_ends_it_when_it_next_asks() -> None:
    async with staging() as stage:
        await stage.twin.rpc.ask("echo", {"ref": "#1"}).answered()
        stage.twin.tokens.clear()
        assert stage.task is not None
        with pytest.raises(RetoolRefused, match="popQuery"):
            await asyncio.wait_for(stage.task, 5)
        assert stage.twin.count("popQuery", 401) == 1


async def test_a_token_that_is_revoked_meanwhile_ends_it_when_it_answers() -> None:
    async with staging(concurrency=1) as stage:
        stage.twin.rpc.ask("wait")
        await stage.until(lambda: stage.running == 1)
        stage.twin.tokens.clear()
        stage.gate.set()
        assert stage.task is not None
        with pytest.raises(RetoolRefused, match="postQueryResponse"):
            await asyncio.wait_for(stage.task, 5)


async def test_a_registration_that_is_not_taken_ends_it() -> None:
    async with staging(resource="unknown", started=False) as stage:
        with pytest.raises(RetoolRejected, match="did not take registerAgent"):
            await stage.agent.serve(stage.stopping)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=503, retry_after="0"),
        Fault(status=429),
        Fault(status=0),
        Fault(status=0, hangs_seconds=0.5),
        Fault(status=200, body=b"<html>Welcome</html>"),
        Fault(status=200, body=b"[]"),
        Fault(status=200, body=b'{"query": NaN}'),
        Fault(status=200, body=b"{}"),
    ],
    ids=["500", "503", "429", "dropped", "time-out", "a page", "a list", "no JSON", "an empty object"],
)
@pytest.mark.parametrize("endpoint", ["registerAgent", "popQuery"])
async def test_it_comes_back_after_a_failure(endpoint: str, fault: Fault) -> None:
    async with staging(started=False) as stage:
        stage.twin.fail(endpoint, fault, fault)
        call = stage.twin.rpc.ask("echo", {"ref": "#1"})
        stage.start()
        assert (await call.answered())["status"] == "success"
        assert stage.twin.faults[endpoint] == type(stage.twin.faults[endpoint])()
        assert (call.handed_out, len(stage.ran)) == (1, 1)


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=0), Fault(status=0, hangs_seconds=0.5)])
async def test_an_answer_that_did_not_arrive_is_posted_again_and_nothing_is_run_again(fault: Fault) -> None:
    async with staging(started=False) as stage:
        stage.twin.fail("postQueryResponse", fault, fault)
        call = stage.twin.rpc.ask("echo", {"ref": "#1"})
        stage.start()
        assert (await call.answered())["status"] == "success"
        assert (stage.twin.count("postQueryResponse"), len(stage.ran)) == (3, 1)


async def test_an_answer_that_retool_never_takes_is_given_up() -> None:
    async with staging(started=False) as stage:
        stage.twin.fail("postQueryResponse", *[Fault(status=500)] * 5, Fault(status=400))
        first, second = stage.twin.rpc.ask("echo", {"ref": "#1"}), stage.twin.rpc.ask("echo", {"ref": "#2"})
        stage.start()
        await stage.until(lambda: stage.twin.count("postQueryResponse") == 6)
        third = stage.twin.rpc.ask("echo", {"ref": "#3"})
        await third.answered()
        assert sorted(len(call.responses) for call in (first, second)) == [0, 0]
        assert len(stage.ran) == 3


async def test_a_call_that_is_handed_out_again_is_not_run_again() -> None:
    async with staging() as stage:
        call = stage.twin.rpc.ask("echo", {"ref": "#1"})
        await call.answered()
        stage.twin.rpc.hand_out_again(call)
        await stage.until(lambda: len(call.responses) == 2)
        assert call.responses[0]["data"] == call.responses[1]["data"]
        assert (call.handed_out, len(stage.ran)) == (2, 1)


async def test_a_call_that_is_handed_out_again_while_it_runs_is_answered_once() -> None:
    async with staging() as stage:
        call = stage.twin.rpc.ask("wait")
        await stage.until(lambda: stage.running == 1)
        stage.twin.rpc.hand_out_again(call)
        await stage.until(lambda: call.handed_out == 2)
        stage.gate.set()
        await call.answered()
        await stage.twin.rpc.ask("echo", {"ref": "#2"}).answered()
        assert (len(call.responses), [name for name, _ in stage.ran]) == (1, ["wait", "echo"])


async def test_after_a_restart_of_retool_it_registers_anew() -> None:
    async with staging() as stage:
        await stage.twin.rpc.ask("echo", {"ref": "#1"}).answered()
        await stage.served.aclose()
        stage.twin.rpc.forget()
        stage.served = await serve_twin(stage.twin.handle, port=stage.served.port)
        answer = await stage.twin.rpc.ask("echo", {"ref": "#2"}).answered(10)
        assert answer["data"]["values"] == {"ref": "#2"}
        assert (stage.twin.count("popQuery", 409), stage.twin.count("registerAgent", 200)) == (1, 2)


async def test_a_call_under_way_during_a_restart_is_answered_after_it() -> None:
    async with staging(timing=Timing(poll=0.01, request=0.3, run=5, grace=0.4)) as stage:
        call = stage.twin.rpc.ask("wait")
        await stage.until(lambda: stage.running == 1)
        stage.twin.rpc.forget()
        await stage.until(lambda: stage.twin.count("registerAgent", 200) == 2)
        stage.gate.set()
        assert (await call.answered())["data"] == "waited"
        assert len(stage.ran) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"queryUuid": "query-1"},
        {"queryUuid": "query-1", "queryInfo": None},
        {"queryUuid": "query-1", "queryInfo": {"parameters": {}}},
        {"queryUuid": "query-1", "queryInfo": {"method": "echo", "parameters": ["x"]}},
        {"queryUuid": "query-1", "queryInfo": {"method": 5, "parameters": {}}},
    ],
)
async def test_a_call_that_cannot_be_read_is_answered_and_the_next_one_runs(query: object) -> None:
    async with staging() as stage:
        poison = stage.twin.rpc.ask("", query=query)
        fine = stage.twin.rpc.ask("echo", {"ref": "#1"})
        assert (await poison.answered())["error"]["code"] == "INPUT_INVALID"
        assert (await fine.answered())["status"] == "success"
        assert [name for name, _ in stage.ran] == ["echo"]


@pytest.mark.parametrize("query", ["poison", {}, {"queryUuid": 7}, ["x"]])
async def test_a_call_without_an_id_is_passed_over(query: object) -> None:
    async with staging() as stage:
        poison = stage.twin.rpc.ask("", query=query)
        assert (await stage.twin.rpc.ask("echo", {"ref": "#1"}).answered())["status"] == "success"
        assert (poison.responses, stage.twin.rpc.strangers) == ([], [])


async def test_no_more_calls_run_side_by_side_than_allowed_and_none_is_taken_early() -> None:
    async with staging(concurrency=2, timing=Timing(poll=0.01, request=0.3, run=5, grace=0.4)) as stage:
        calls = [stage.twin.rpc.ask("wait") for _ in range(5)]
        await stage.until(lambda: stage.running == 2)
        await asyncio.sleep(0.1)
        assert [call.handed_out for call in calls] == [1, 1, 0, 0, 0]
        stage.gate.set()
        for call in calls:
            assert (await call.answered())["data"] == "waited"
        assert (stage.most, len(stage.ran)) == (2, 5)


async def test_a_stop_lets_running_calls_end_and_takes_no_more() -> None:
    async with staging(concurrency=1) as stage:
        running, waiting = stage.twin.rpc.ask("wait"), stage.twin.rpc.ask("echo", {"ref": "#1"})
        await stage.until(lambda: stage.running == 1)
        stage.stopping.set()
        await asyncio.sleep(0.05)
        stage.gate.set()
        await stage.stop()
        assert running.responses[0]["data"] == "waited"
        assert (waiting.handed_out, waiting.responses) == (0, [])


async def test_a_stop_tells_who_waits_when_a_call_does_not_end() -> None:
    async with staging(timing=Timing(poll=0.01, request=0.3, run=60, grace=0.1)) as stage:
        call = stage.twin.rpc.ask("wait")
        await stage.until(lambda: stage.running == 1)
        await asyncio.wait_for(stage.stop(), 5)
        assert [response["error"]["code"] for response in call.responses] == ["STOPPING"]
        assert stage.running == 0


async def test_a_stop_while_retool_is_away_is_quick() -> None:
    async with staging(started=False) as stage:
        stage.twin.fail("registerAgent", *[Fault(status=503, retry_after="300")] * 3)
        stage.start()
        await stage.until(lambda: stage.twin.count("registerAgent") == 1)
        await asyncio.wait_for(stage.stop(), 1)
        assert stage.twin.count("registerAgent") == 1
