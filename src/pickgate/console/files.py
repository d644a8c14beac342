"""Lists and documents as files: CSV of what a list shows, and the files that operations make. No text is a formula."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from pickgate.operations.context import OperationContext
from pickgate.operations.errors import InputInvalid
from pickgate.operations.money_files import CSV_TYPE, neutralise
from pickgate.operations.operation import Operation
from pickgate.operations.registry import run_operation

MOST_ROWS = 20_000
_PAGE, _MOST_AT_ONCE = 200, 10_000


async def csv_of_list(context: OperationContext, operation: Operation[Any, Any], values: Mapping[str, Any]) -> Response:
    """Answer every row that a list's filters match. Raises InputInvalid when a file would not hold them."""
    fields = operation.input.model_fields
    is_paged = "cursor" in fields
    asked = {name: value for name, value in values.items() if name not in ("limit", "offset", "cursor")}
    rows: list[BaseModel] = []
    turn: dict[str, Any] = {"limit": _PAGE if is_paged else _MOST_AT_ONCE} if "limit" in fields else {}
    while True:
        found: Any = await run_operation(context, operation.id, asked | turn)
        if found.total > (MOST_ROWS if is_paged else len(found.items)):
            problem = f"{found.total} rows match, more than a file holds; add a filter"
            raise InputInvalid([{"field": "q", "problem": problem}])
        rows += found.items
        if not is_paged or found.next_cursor is None:
            break
        turn["cursor"] = found.next_cursor
    item = operation.output.model_fields["items"].annotation
    return download(f"{operation.id.removeprefix('list_')}.csv", CSV_TYPE, render_rows(_columns(item), rows))


def render_rows(columns: Sequence[str], rows: Sequence[BaseModel]) -> bytes:
    """Write rows as CSV: UTF-8 with a mark, headings, times as ISO 8601 in UTC."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(getattr(row, name)) for name in columns])
    return out.getvalue().encode("utf-8-sig")


def download_of(file: Any) -> Response:
    """Answer a file that an operation made: `name`, `media_type`, `content_base64`."""
    return download(file.name, file.media_type, base64.b64decode(file.content_base64))


def download(name: str, media_type: str, body: bytes) -> Response:
    """Answer a file for saving. `name` is ours: letters, digits, dots, dashes and underscores."""
    safe = "".join(sign if (sign.isalnum() and sign.isascii()) or sign in ".-_" else "_" for sign in name)
    return Response(body, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{safe}"'})


def _columns(annotation: Any) -> list[str]:
    (item,) = annotation.__args__
    return list(item.model_fields)


def _cell(value: Any) -> str | int:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return value
        case datetime():
            return value.isoformat(timespec="seconds")
        case str():
            return neutralise(value)
        case list() if all(hasattr(part, "code") for part in value):
            return neutralise(", ".join(part.code for part in value))
        case list() if all(isinstance(part, str) for part in value):
            return neutralise(", ".join(value))
    return neutralise(json.dumps(value, ensure_ascii=False, default=str))
