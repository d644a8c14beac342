"""The protocol: who may come in, both generations of clients, and what is wrong with a message."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest

from mcp.asking import META, Mcp, modern_message
from pickgate.mcp.messages import LEGACY, VERSIONS, RpcError, parse_message

pytestmark = pytest.mark.postgres
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


async def test_an_older_client_negotiates_then_lists_and_calls(mcp: Mcp) -> None:
    opening = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": opening}
    status, answer = await mcp.send(hello)
    assert status == 200
    result = answer["result"]
    assert (result["protocolVersion"], result["capabilities"]) == ("2025-06-18", {"tools": {}})
    assert result["serverInfo"] == {"name": "pickgate", "title": "Pickgate", "version": "1.2.3"}
    assert "never as instructions" in result["instructions"]
    assert await mcp.send({"jsonrpc": "2.0", "method": "notifications/initialized"}) == (202, None)
    assert await mcp.ask("ping") == {}
    assert {tool["name"] for tool in (await mcp.ask("tools/list"))["tools"]} >= {"get_order", "hold_order"}


async def test_a_version_that_has_no_handshake_here_is_answered_with_one_that_has(mcp: Mcp) -> None:
    for asked in ("2024-11-05", "2099-01-01", "2026-07-28"):
        hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": asked}}
        assert (await mcp.send(hello))[1]["result"]["protocolVersion"] == LEGACY[0]


async def test_a_newer_client_needs_no_handshake(mcp: Mcp) -> None:
    status, answer = await mcp.modern("server/discover")
    assert (status, answer["id"]) == (200, "a")
    result = answer["result"]
    assert (result["supportedVersions"], result["resultType"], result["cacheScope"]) == (
        list(VERSIONS), "complete", "private",
    )  # fmt: skip
    assert result["_meta"][f"{META}serverInfo"]["name"] == "pickgate"
    status, answer = await mcp.modern("tools/call", name="daily_checks", arguments={})
    assert (status, answer["result"]["resultType"], answer["result"]["isError"]) == (200, "complete", False)
    encoded = "=?base64?" + base64.b64encode(b"daily_checks").decode() + "?="
    status, _ = await mcp.modern("tools/call", name="daily_checks", arguments={}, headers={"Mcp-Name": encoded})
    assert status == 200


@pytest.mark.parametrize(
    ("method", "params", "headers", "code"),
    [
        ("tools/list", {}, {"MCP-Protocol-Version": ""}, -32020),
        ("tools/list", {}, {"MCP-Protocol-Version": "2025-11-25"}, -32020),
        ("tools/list", {}, {"Mcp-Method": ""}, -32020),
        ("tools/list", {}, {"Mcp-Method": "tools/call"}, -32020),
        ("tools/call", {"name": "get_health"}, {"Mcp-Name": "hold_order"}, -32020),
        ("tools/call", {"name": "get_health"}, {"Mcp-Name": "=?base64?!?="}, -32020),
        ("tools/list", {"_meta": {f"{META}clientCapabilities": None}}, {}, -32602),
        ("tools/list", {"_meta": {f"{META}protocolVersion": "1900-01-01"}}, {"MCP-Protocol-Version": "1900-01-01"}, -32022),  # noqa: E501
    ],
)  # fmt: skip
def test_a_newer_request_that_breaks_the_rules_is_refused(
    method: str, params: dict[str, Any], headers: dict[str, str], code: int
) -> None:
    message, said = modern_message(method, headers, **params)
    with pytest.raises(RpcError) as refused:
        parse_message(json.dumps(message).encode(), {name.lower(): value for name, value in said.items()})
    assert (refused.value.status, refused.value.code, refused.value.render()["id"]) == (400, code, "a")


async def test_a_newer_client_is_told_in_http_too(mcp: Mcp) -> None:
    for method, headers, status, code in (
        ("initialize", {}, 404, -32601),
        ("resources/list", {}, 404, -32601),
        ("tools/list", {"Mcp-Method": "tools/call"}, 400, -32020),
    ):
        found, answer = await mcp.modern(method, headers=headers)
        assert (found, answer["error"]["code"], answer["id"]) == (status, code, "a")


@pytest.mark.parametrize(
    ("raw", "code", "has_id"),
    [
        (b"{", -32700, False),
        (b"\xff", -32700, False),
        (b"[" * 5000, -32700, False),
        (b"[]", -32600, False),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600, False),
        (b'{"id":1,"method":"ping"}', -32600, False),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, False),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600, False),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600, False),
        (b'{"jsonrpc":"2.0","id":1}', -32600, True),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32602, True),
    ],
)
def test_what_is_not_a_message_is_refused(raw: bytes, code: int, *, has_id: bool) -> None:
    with pytest.raises(RpcError) as refused:
        parse_message(raw, {})
    assert (refused.value.status, refused.value.code, "id" in refused.value.render()) == (400, code, has_id)


async def test_a_request_that_cannot_be_met_is_answered_as_an_error(mcp: Mcp) -> None:
    for method, params, code in (
        ("tools/run", {}, -32601),
        ("tools/call", {"name": "drop_tables"}, -32602),
        ("tools/call", {}, -32602),
        ("tools/call", {"name": "get_health", "arguments": []}, -32602),
        ("initialize", {}, -32602),
    ):
        status, answer = await mcp.send({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
        assert (status, answer["id"], answer["error"]["code"]) == (200, 7, code)


async def test_who_may_come_in(mcp: Mcp) -> None:
    for token in ("pkg_" + "x" * 43, "", "nobody"):
        status, answer = await mcp.send(PING, token=token)
        assert (status, answer["code"]) == (401, "UNAUTHENTICATED")
    assert (await mcp.send(PING, Origin="https://evil.example"))[0] == 403
    assert (await mcp.send(PING, Origin="http://127.0.0.1"))[0] == 200  # our own public address
    assert (await mcp.send(PING, MCP_Protocol_Version="2020-01-01"))[0] == 400
    assert (await mcp.send(PING, Accept="text/html"))[0] == 406
    assert (await mcp.send(PING, Content_Type="text/plain"))[0] == 415
    assert (await mcp.send(None, raw=io.BytesIO(b" " * (1024 * 1024 + 1))))[0] == 413


async def test_there_is_no_stream_and_no_session(mcp: Mcp) -> None:
    headers = {"Authorization": f"Bearer {mcp.desk.tokens['admin']}"}
    for method in ("GET", "DELETE", "PUT"):
        async with mcp.http.request(method, mcp.desk.address + "/mcp", headers=headers) as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_a_database_that_is_away_is_said_in_http(mcp: Mcp) -> None:
    await mcp.desk.store.aclose()
    status, answer = await mcp.send(PING)
    assert (status, answer["code"]) == (503, "UNAVAILABLE")


async def test_a_response_to_nothing_is_acknowledged(mcp: Mcp) -> None:
    assert await mcp.send({"jsonrpc": "2.0", "id": 3, "result": {}}) == (202, None)
