"""JSON-RPC messages as MCP sends them over HTTP: read strictly, by the rules of the revision that a client speaks.

Two kinds of client are served at the same address. Older ones open with `initialize` and then name the negotiated
revision in a header. Newer ones say everything with each request, in `_meta` and again in headers, which must agree.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LEGACY = ("2025-11-25", "2025-06-18")
MODERN = ("2026-07-28",)
VERSIONS = (*MODERN, *LEGACY)
_META = "io.modelcontextprotocol/"
NAMED = {"tools/call": "name"}  # methods whose subject is repeated in the header Mcp-Name

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022


class RpcError(Exception):
    """Ends a request with a JSON-RPC error. `status`: the HTTP status that goes with it."""

    def __init__(self, code: int, message: str, *, status: int = 400, data: Any = None, id: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.data, self.id = code, message, status, data, id

    def render(self) -> dict[str, Any]:
        """Return the error message; without an id where none could be read."""
        error = {"code": self.code, "message": self.message} | ({} if self.data is None else {"data": self.data})
        return {"jsonrpc": "2.0"} | ({} if self.id is None else {"id": self.id}) | {"error": error}


@dataclass(frozen=True, slots=True)
class Message:
    """One request; `id` None: a notification or a response, which is only acknowledged."""

    id: int | str | None
    method: str
    params: Mapping[str, Any]
    is_modern: bool = False


def parse_message(body: bytes, headers: Mapping[str, str]) -> Message:
    """Read one message. Raises RpcError."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RpcError(PARSE_ERROR, "The body is not valid JSON.") from error
    if not isinstance(found, dict) or found.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, "The body is not one JSON-RPC 2.0 message.")
    if "method" not in found and ("result" in found or "error" in found):
        return Message(None, "", {})
    method, params, id = found.get("method"), found.get("params", {}), found.get("id")
    if "id" in found and (isinstance(id, bool) or not isinstance(id, int | str)):
        raise RpcError(INVALID_REQUEST, "`id` must be a string or a whole number.")
    if not isinstance(method, str):
        raise RpcError(INVALID_REQUEST, "`method` must be a string.", id=id)
    if not isinstance(params, dict):
        raise RpcError(INVALID_PARAMS, "`params` must be an object.", id=id)
    return Message(id, method, params, is_modern=_check_version(id, method, params, headers))


def _check_version(id: Any, method: str, params: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """Say whether the message follows the newer rules. Raises RpcError when it follows none."""
    said = headers.get("mcp-protocol-version")
    meta = params.get("_meta")
    meta = meta if isinstance(meta, dict) else {}
    meant = meta.get(f"{_META}protocolVersion")
    if meant is None and said not in MODERN:
        # An `initialize` may carry any version: the answer says which one is spoken from there on.
        if said is not None and said not in LEGACY and method != "initialize":
            raise _unsupported(id, said)
        return False
    if id is None:
        return True
    if meant is None or not isinstance(meta.get(f"{_META}clientCapabilities"), dict):
        raise RpcError(INVALID_PARAMS, f"`_meta` needs {_META}protocolVersion and {_META}clientCapabilities.", id=id)
    if said != meant:
        raise _mismatch(id, "MCP-Protocol-Version", said, meant)
    if meant not in MODERN:
        raise _unsupported(id, meant)
    if headers.get("mcp-method") != method:
        raise _mismatch(id, "Mcp-Method", headers.get("mcp-method"), method)
    if method in NAMED:
        name = _decoded(headers.get("mcp-name"))
        if name != params.get(NAMED[method]):
            raise _mismatch(id, "Mcp-Name", name, params.get(NAMED[method]))
    return True


def _unsupported(id: Any, version: object) -> RpcError:
    data = {"supported": list(VERSIONS), "requested": version}
    return RpcError(UNSUPPORTED_VERSION, "Unsupported protocol version", data=data, id=id)


def _mismatch(id: Any, header: str, said: object, meant: object) -> RpcError:
    return RpcError(HEADER_MISMATCH, f"Header mismatch: {header} is {said!r}, the body says {meant!r}", id=id)


def _decoded(value: str | None) -> str | None:
    """Read a header that may be in the Base64 form for what headers cannot carry."""
    if value is None or not (value.startswith("=?base64?") and value.endswith("?=")):
        return value
    try:
        return base64.b64decode(value[9:-2], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
