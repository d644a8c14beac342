"""Operations as tools: how each is described to a model, and how one is called."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from pickgate.mcp.previews import PreviewTokens
from pickgate.operations.context import OperationContext
from pickgate.operations.errors import InputInvalid, OperationRefused
from pickgate.operations.models import ChangeShape
from pickgate.operations.operation import Operation, check_input
from pickgate.operations.registry import REGISTRY, run_operation
from pickgate.operations.roles import Role

TOKEN = "preview_token"  # noqa: S105 - a field's name
_ABOUT_CHANGES = (
    " This changes something: the first call only previews it and answers with a preview_token. Show the preview to the"
    " person you act for; when they agree, call again with the same arguments and the token."
)


def tools_for(role: Role) -> list[dict[str, Any]]:
    """Describe the tools that a role may call, in the registry's order."""
    return [_describe(operation.id) for operation in REGISTRY if role in operation.roles]


@cache
def _describe(operation_id: str) -> dict[str, Any]:
    """Describe one tool. No output schema: the results are JSON that says what it is, and the list stays short."""
    operation = REGISTRY.get(operation_id)
    schema = operation.input.model_json_schema()
    for key in ("title", "description"):
        schema.pop(key, None)
    if operation.changes:
        schema["properties"].pop("dry_run")
        schema["properties"][TOKEN] = {
            "type": "string",
            "description": "From the preview of this very change. Left out: preview only",
        }
    return {
        "name": operation.id,
        "title": operation.title,
        "description": operation.about + (_ABOUT_CHANGES if operation.changes else ""),
        "inputSchema": schema,
        "annotations": {
            "title": operation.title,
            "readOnlyHint": not operation.changes,
            "destructiveHint": operation.changes,
            "openWorldHint": operation.changes,
        },
    }


async def call_tool(
    context: OperationContext, operation: Operation[Any, Any], values: Mapping[str, Any], tokens: PreviewTokens
) -> dict[str, Any]:
    """Run a tool; a refusal is a result too, with the way out, so that a model can correct itself."""
    try:
        found = await (_change if operation.changes else _ask)(context, operation, values, tokens)
    except OperationRefused as refused:
        told = {"code": refused.code, "problem": refused.problem, "remedy": refused.remedy} | refused.detail
        return _result(told, is_error=True)
    return _result(found, is_error=False)


async def _ask(
    context: OperationContext, operation: Operation[Any, Any], values: Mapping[str, Any], _: PreviewTokens
) -> dict[str, Any]:
    return _plain(await run_operation(context, operation.id, values))


async def _change(
    context: OperationContext, operation: Operation[Any, Any], values: Mapping[str, Any], tokens: PreviewTokens
) -> dict[str, Any]:
    asked = {name: value for name, value in values.items() if name != TOKEN}
    if "dry_run" in asked:
        problem = f"a call without {TOKEN} is the preview; leave dry_run out"
        raise InputInvalid([{"field": "dry_run", "problem": problem}])
    token = values.get(TOKEN)
    if token is not None and not isinstance(token, str):
        raise InputInvalid([{"field": TOKEN, "problem": "is not a text"}])
    # A level of stock moves all the time, so its preview need not still hold; an order, once previewed, must.
    must_hold = issubclass(operation.output, ChangeShape)
    preview = None
    if token is None or must_hold:
        preview = await run_operation(context, operation.id, asked | {"dry_run": True})
    checked = check_input(operation, asked)
    state = preview if must_hold else None
    if token is None:
        assert preview is not None
        made = tokens.make(context.actor, operation.id, checked, state, context.now())
        return _plain(preview) | {TOKEN: made}
    tokens.check(token, context.actor, operation.id, checked, state, context.now())
    return _plain(await run_operation(context, operation.id, asked))


def _plain(output: BaseModel) -> dict[str, Any]:
    return output.model_dump(mode="json")


def _result(found: dict[str, Any], *, is_error: bool) -> dict[str, Any]:
    text = json.dumps(found, ensure_ascii=False)
    return {"content": [{"type": "text", "text": text}], "structuredContent": found, "isError": is_error}
