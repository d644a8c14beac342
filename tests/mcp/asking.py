"""An MCP client, as tests use it: a message, its HTTP status, the answer."""

from __future__ import annotations

from typing import Any

import aiohttp

from console.desk import Desk

META = "io.modelcontextprotocol/"


class Mcp:
    def __init__(self, desk: Desk, http: aiohttp.ClientSession) -> None:
        self.desk, self.http = desk, http

    async def send(self, message: Any, *, token: str = "admin", raw: Any = None, **headers: str) -> tuple[int, Any]:
        """Send a message. `headers`: with underscores for dashes."""
        asked = {
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.desk.tokens.get(token, token)}",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        body: dict[str, Any] = {"data": raw} if raw is not None else {"json": message}
        async with self.http.post(self.desk.address + "/mcp", headers=asked, allow_redirects=False, **body) as answer:
            text = await answer.text()
            return answer.status, await answer.json(content_type=None) if text else None

    async def ask(self, method: str, *, token: str = "admin", **params: Any) -> Any:
        """Ask as an older client that has negotiated; return the result."""
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        status, answer = await self.send(message, token=token, MCP_Protocol_Version="2025-11-25")
        assert (status, answer["jsonrpc"], answer["id"]) == (200, "2.0", 1), answer
        return answer["result"]

    async def call(self, tool: str, *, token: str = "admin", **arguments: Any) -> tuple[bool, dict[str, Any]]:
        """Call a tool; return whether it failed, and what it answered."""
        result = await self.ask("tools/call", token=token, name=tool, arguments=arguments)
        return result["isError"], result["structuredContent"]

    async def modern(self, method: str, *, headers: dict[str, str] | None = None, **params: Any) -> tuple[int, Any]:
        """Ask as a newer client. `headers` replace its own; "" leaves one out."""
        message, said = modern_message(method, headers or {}, **params)
        return await self.send(message, **said)


def modern_message(method: str, headers: dict[str, str], **params: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Make a request that says everything with itself, and the headers that repeat it."""
    meta = {f"{META}protocolVersion": "2026-07-28", f"{META}clientCapabilities": {}} | params.pop("_meta", {})
    said = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method}
    said |= {"Mcp-Name": params["name"]} if method == "tools/call" else {}
    said = {name: value for name, value in (said | headers).items() if value}
    return {"jsonrpc": "2.0", "id": "a", "method": method, "params": params | {"_meta": meta}}, said
