"""The tools: every operation is one, each role sees its own, and nothing is changed that was not previewed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import cast
from console.desk import Desk
from mcp.asking import Mcp
from pickgate.mcp.tools import tools_for
from pickgate.operations.registry import REGISTRY
from pickgate.operations.roles import Role

pytestmark = pytest.mark.postgres


async def test_each_role_sees_the_operations_that_it_may_run(mcp: Mcp) -> None:
    for role in Role:
        tools = (await mcp.ask("tools/list", token=role.value))["tools"]
        assert [tool["name"] for tool in tools] == [item.id for item in REGISTRY if role in item.roles]


@pytest.mark.parametrize("operation", list(REGISTRY), ids=lambda operation: operation.id)
def test_a_tool_takes_what_its_operation_takes(operation: Any) -> None:
    (tool,) = (tool for tool in tools_for(Role.ADMIN) if tool["name"] == operation.id)
    Draft202012Validator.check_schema(tool["inputSchema"])
    fields = set(operation.input.model_fields) - {"dry_run"}
    assert set(tool["inputSchema"]["properties"]) == (fields | {"preview_token"} if operation.changes else fields)
    assert tool["annotations"]["readOnlyHint"] is not operation.changes
    assert ("only previews it" in tool["description"]) == operation.changes


async def test_a_question_is_answered_as_text_and_as_json(mcp: Mcp) -> None:
    number = await mcp.desk.keep_waiting()
    result = await mcp.ask("tools/call", token="viewer", name="get_order", arguments={"ref": "1031"})
    assert result["structuredContent"]["id"] == number
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]


async def test_a_refusal_says_the_way_out(mcp: Mcp) -> None:
    failed, told = await mcp.call("get_order", ref="9999")
    assert (failed, told["code"]) == (True, "NOT_FOUND")
    assert told["remedy"]
    failed, told = await mcp.call("list_orders", sort="sideways")
    assert (failed, told["code"], told["fields"][0]["field"]) == (True, "INPUT_INVALID", "sort")
    failed, told = await mcp.call("hold_order", token="viewer", ref="1031", reason="because")
    assert (failed, told["code"]) == (True, "NOT_ALLOWED")


async def hold(mcp: Mcp, number: int, **more: object) -> tuple[bool, dict[str, object]]:
    return await mcp.call("hold_order", token="cx", **{"ref": str(number), "reason": "Customer called"} | more)


async def state_of(desk: Desk, number: int) -> object:
    (order,) = await desk.parts.reads.find_orders(str(number), shops=None)
    return order["held_by"]


async def test_a_change_is_previewed_then_made_with_the_previews_token(mcp: Mcp) -> None:
    number = await mcp.desk.keep_waiting()
    failed, told = await hold(mcp, number)
    assert (failed, told["dry_run"], told["changed"], await state_of(mcp.desk, number)) == (False, True, False, None)
    token = told["preview_token"]
    failed, told = await hold(mcp, number, preview_token=token)
    assert (failed, told["changed"], await state_of(mcp.desk, number)) == (False, True, "token:cx")
    assert mcp.desk.woken == [("uk", "5031")]
    failed, told = await hold(mcp, number, preview_token=token)  # it was good for one hold, not for another
    assert (failed, told["code"]) == (True, "CONFLICT")


OTHERWISE: list[dict[str, object]] = [
    {"reason": "Something else"},
    {"until": "2026-12-01T00:00:00Z"},
    {"preview_token": "x"},
    {"preview_token": ""},
    {"preview_token": "ffffffff.a.b"},
    {"preview_token": 7},
    {"dry_run": False},
]


async def test_another_change_than_the_previewed_one_is_not_made(mcp: Mcp) -> None:
    number = await mcp.desk.keep_waiting()
    _, previewed = await hold(mcp, number)
    for more in OTHERWISE:
        failed, told = await hold(mcp, number, **{"preview_token": previewed["preview_token"]} | more)
        assert (failed, await state_of(mcp.desk, number), mcp.desk.woken) == (True, None, []), more
        assert told["code"] in ("CONFLICT", "INPUT_INVALID")


async def test_a_token_is_of_the_one_who_previewed(mcp: Mcp) -> None:
    number = await mcp.desk.keep_waiting()
    _, told = await hold(mcp, number)
    asked = {"ref": str(number), "reason": "Customer called", "preview_token": told["preview_token"]}
    failed, told = await mcp.call("hold_order", token="admin", **asked)
    assert (failed, await state_of(mcp.desk, number)) == (True, None)
    failed, told = await mcp.call("release_order", token="cx", **asked)
    assert (failed, told["code"]) == (True, "CONFLICT")


async def test_a_token_grows_old(mcp: Mcp) -> None:
    number = await mcp.desk.keep_waiting()
    _, told = await hold(mcp, number)
    mcp.desk.clock.advance(600)
    failed, told = await hold(mcp, number, preview_token=told["preview_token"])
    assert (failed, told["problem"], await state_of(mcp.desk, number)) == (True, "The preview is too old.", None)


async def test_what_has_changed_since_the_preview_must_be_previewed_again(mcp: Mcp) -> None:
    number = await mcp.desk.keep_waiting()
    asked = {"ref": str(number), "reason": "Customer called"}
    _, told = await mcp.call("release_order", token="cx", **asked)
    order = cast.order({"A": 5}, name="#1031", id="5031", created_at=mcp.desk.clock.now())  # the customer changes it
    await mcp.desk.keep(order, cast.decided(cast.facts(order), now=mcp.desk.clock.now()))
    failed, again = await mcp.call("release_order", token="cx", **asked, preview_token=told["preview_token"])
    assert (failed, again["problem"]) == (
        True, "What it would do has changed since the preview. Nothing was done.",
    )  # fmt: skip
    _, told = await mcp.call("release_order", token="cx", **asked)
    failed, done = await mcp.call("release_order", token="cx", **asked, preview_token=told["preview_token"])
    assert (failed, done["changed"]) == (False, True)


async def test_stock_moves_all_the_time_and_is_published_all_the_same(mcp: Mcp) -> None:
    mcp.desk.world.receive("CUP", 8)
    _, told = await mcp.call("publish_stock", token="ops", reason="stocktake over")
    assert (told["places"][0]["to_set"], mcp.desk.world.calls) == (1, [])
    mcp.desk.world.receive("CUP", 1)
    failed, done = await mcp.call(
        "publish_stock", token="ops", reason="stocktake over", preview_token=told["preview_token"]
    )
    assert (failed, done["dry_run"], mcp.desk.world.levels["CUP"].available) == (False, False, 9)
