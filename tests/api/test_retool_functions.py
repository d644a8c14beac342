"""The operations as functions of the agent: all of them, with their arguments, for the person whom Retool names."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from console.desk import NOON, Desk
from pickgate.api.tokens import hash_secret, make_token
from pickgate.cli.retool_rpc import list_functions, runner, version_of
from pickgate.clock import RealClock
from pickgate.connectors.retool.arguments import ArgumentsUnusable, describe_function, read_arguments
from pickgate.connectors.retool.rpc import RpcAgent, Timing
from pickgate.connectors.retool.wire import RpcArgument, RpcLink
from pickgate.connectors.transport import AiohttpTransport
from pickgate.operations.registry import REGISTRY
from pickgate.twins.retool import RetoolTwin
from pickgate.twins.server import serve_twin

TOKEN = make_token(lambda length: b"\x5a" * length)


@asynccontextmanager
async def serving(desk: Desk, *, role: str = "ops", delegating: bool = True) -> AsyncIterator[RetoolTwin]:
    """Run the agent for a desk against a twin of Retool."""
    await desk.access.create_token(
        name="retool", token_hash=hash_secret(TOKEN), role=role, shops=[], delegating=delegating,
        expires_at=NOON + timedelta(days=30), by="test", now=NOON,
    )  # fmt: skip
    twin = RetoolTwin(RealClock(), tokens={"t": {"rpc"}})
    served = await serve_twin(twin.handle)
    functions, stopping = list_functions(), asyncio.Event()
    async with AiohttpTransport() as transport:
        agent = RpcAgent(
            link=RpcLink(url=served.url, token="t", resource_id=twin.resource_id, environment="production",
                         agent_id="a", version=version_of(functions)),
            functions=functions,
            run=runner(token=TOKEN, access=desk.access, context=desk.parts.context, clock=desk.clock),
            transport=transport,
            clock=RealClock(),
            rng=random.Random(1),
            timing=Timing(poll=0.01, grace=1),
        )  # fmt: skip
        running = asyncio.create_task(agent.serve(stopping))
        try:
            yield twin
        finally:
            stopping.set()
            await running
            await served.aclose()


async def call(twin: RetoolTwin, method: str, parameters: dict[str, Any], **context: Any) -> dict[str, Any]:
    return await twin.rpc.ask(method, parameters, context=context or None).answered(10)


@pytest.mark.postgres
async def test_a_person_in_retool_holds_an_order_and_the_audit_says_so(desk: Desk) -> None:
    order = await desk.keep_waiting()
    async with serving(desk) as twin:
        seen = await call(twin, "get_order", {"ref": "#1031", "journal_limit": ""})
        assert (seen["status"], seen["data"]["id"], seen["data"]["state"]) == ("success", order, "waiting")
        held = await call(twin, "hold_order", {"ref": "#1031", "reason": "customer rang", "dry_run": "false"})
        assert (held["data"]["changed"], held["data"]["order"]) == (True, order)
        listed = await call(twin, "list_orders", {"limit": "5", "state": ["waiting"], "shop": ["uk"]})
        assert [row["held_by"] for row in listed["data"]["items"]] == ["token:retool on behalf of ann@example.com"]
    audit = await desk.parts.reads.list_audit(
        q="hold", actor="", since=None, shops=None, limit=9, offset=0
    )  # fmt: skip
    assert [(row["actor"], row["action"], row["reason"]) for row in audit.items] == [
        ("token:retool on behalf of ann@example.com", "hold_order", "customer rang")
    ]
    assert desk.woken == [("uk", "5031")]


@pytest.mark.postgres
async def test_what_is_refused_is_told_with_code_and_remedy_and_changes_nothing(desk: Desk) -> None:
    await desk.keep_waiting()
    async with serving(desk, role="viewer") as twin:
        for method, parameters, code, says in (
            ("hold_order", {"ref": "#1031", "reason": "because"}, "NOT_ALLOWED", "Ask one of: admin, cx, ops."),
            ("get_order", {"ref": "#9999"}, "NOT_FOUND", "#9999"),
            ("list_orders", {"stat": "open"}, "INPUT_INVALID", "stat"),
            ("list_orders", {"limit": 5000}, "INPUT_INVALID", "limit"),
        ):
            error = (await call(twin, method, parameters))["error"]
            assert (error["code"], says in error["message"]) == (code, True), error
        await desk.access.revoke_token(
            next(row["id"] for row in await desk.access.list_tokens() if row["name"] == "retool"), by="t", now=NOON
        )
        assert (await call(twin, "get_order", {"ref": "#1031"}))["error"]["code"] == "UNAUTHENTICATED"
    assert desk.woken == []


@pytest.mark.postgres
async def test_a_plain_token_answers_nobody_in_particular_and_no_person(desk: Desk) -> None:
    await desk.keep_waiting()
    async with serving(desk, delegating=False) as twin:
        assert (await call(twin, "get_order", {"ref": "#1031"}))["error"]["code"] == "NOT_ALLOWED"
        assert (await call(twin, "get_order", {"ref": "#1031"}, organizationName="Acme"))["status"] == "success"


def test_every_operation_is_a_function() -> None:
    functions = {function.name: function for function in list_functions()}
    assert list(functions) == [operation.id for operation in REGISTRY]
    assert functions["hold_order"].arguments == {
        "reason": RpcArgument(type="string", description="Why, for the audit and for colleagues", required=True),
        "dry_run": RpcArgument(type="boolean", description="Only say what would change"),
        "ref": RpcArgument(type="string", description="Pickgate id, Shopify id, or order name", required=True),
        "shop": RpcArgument(type="string", description="The shop's key, when a name is in two shops"),
        "expected": RpcArgument(
            type="string", description="The order's `version` that you saw; a newer one refuses the change"
        ),
    } | {"until": functions["hold_order"].arguments["until"]}
    assert "2026-07-01T12:00:00Z" in functions["hold_order"].arguments["until"].description
    resolve = functions["resolve_exceptions"].arguments
    assert (resolve["ids"].type, resolve["ids"].array, resolve["ids"].required) == ("number", True, True)
    assert (
        functions["list_exceptions"]
        .arguments["state"]
        .description.endswith('One of: open, snoozed, resolved, all. Default: "open"')
    )


def test_the_version_changes_with_an_argument() -> None:
    functions = list_functions()
    assert version_of(functions) == version_of(list_functions())
    changed = [*functions[:-1], describe_function(functions[-1].name, {"properties": {"x": {"type": "string"}}})]
    assert version_of(changed) != version_of(functions)


@pytest.mark.parametrize(
    ("schema", "given", "read"),
    [
        ({"type": "integer"}, "7", 7),
        ({"type": "integer"}, 7.0, 7),
        ({"type": "integer"}, "90071992547409931", 90071992547409931),
        ({"type": "integer"}, 90071992547409931, 90071992547409931),
        ({"type": "number"}, "1.5", 1.5),
        ({"type": "boolean"}, "TRUE", True),
        ({"type": "string"}, 7, "7"),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({"type": "array", "items": {"type": "integer"}}, "[1, 2]", [1, 2]),
        ({"type": "array", "items": {"type": "integer"}}, 3, [3]),
        ({"type": "array", "items": {"type": "string"}}, ["a", 1], ["a", "1"]),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "7", 7),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "7", "7"),
    ],
)
def test_loose_values_become_exact_ones(schema: dict[str, Any], given: object, read: object) -> None:
    function = describe_function("f", {"properties": {"x": schema}})
    found = read_arguments(function, {"x": given})
    assert found == {"x": read} and type(found["x"]) is type(read)


@pytest.mark.parametrize(
    ("schema", "given", "says"),
    [
        ({"type": "integer"}, "seven", "x: is not a number"),
        ({"type": "integer"}, True, "x: is not a number"),
        ({"type": "integer"}, "inf", "x: is not a number"),
        ({"type": "boolean"}, "yes", "x: is not true or false"),
        ({"type": "string"}, ["a"], "x: is not a text"),
        ({"type": "object"}, "[1]", "x: is not an object"),
        ({"type": "object"}, "{", "x: is not JSON"),
        ({"type": "array", "items": {"type": "integer"}}, "[1", "x: is not JSON"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(schema: dict[str, Any], given: object, says: str) -> None:
    function = describe_function("f", {"properties": {"x": schema}, "required": ["x"]})
    with pytest.raises(ArgumentsUnusable) as caught:
        read_arguments(function, {"x": given})
    assert str(caught.value) == says
