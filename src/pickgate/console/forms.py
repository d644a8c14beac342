"""Forms back into an operation's input. A form may serve several operations: each takes its own fields."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from pickgate.api.problems import Problem
from pickgate.operations.operation import Operation

MOST_FIELDS = 6000
MOST_BYTES = 24 * 2**20
_CELL = re.compile(r"cell:(\w+):(\d+):(\w+)")


async def read_form(request: Request) -> FormData:
    """Read a form with at most one file. Raises Problem when it is too large, or does not say how large it is."""
    length = request.headers.get("content-length", "")
    if not length.isascii() or not length.isdigit() or int(length) > MOST_BYTES:
        raise Problem("TOO_LARGE", f"A form holds at most {MOST_BYTES // 2**20} MiB.", remedy="Send less at once.")
    return await request.form(max_fields=MOST_FIELDS, max_files=1, max_part_size=MOST_BYTES)


async def read_values(form: FormData, operation: Operation[Any, Any]) -> dict[str, Any]:
    """Return what the form gives for the operation's fields; empty ones are left out."""
    values: dict[str, Any] = {}
    for name in form:
        found = [item for item in form.getlist(name) if isinstance(item, str) and item != ""]
        if found and name in operation.input.model_fields:
            values[name] = found[0] if len(found) == 1 else found
    if "ids" in values:
        _pair_versions(values)
    if "tables" in operation.input.model_fields:
        values |= await _read_tables(form)
    return values


async def _read_tables(form: FormData) -> dict[str, Any]:
    """Read a grid's cells, a table's text, or a workbook, whichever the form has."""
    upload = form.get("workbook")
    if isinstance(upload, UploadFile):
        return {"workbook_base64": base64.b64encode(await upload.read()).decode()}
    text, table = form.get("text"), form.get("table")
    if isinstance(text, str) and isinstance(table, str):
        return {"files": {f"{table}.csv": text}}
    rows: dict[str, dict[int, dict[str, str]]] = {}
    for name, value in form.multi_items():
        cell = _CELL.fullmatch(name)
        if cell and isinstance(value, str):
            rows.setdefault(cell[1], {}).setdefault(int(cell[2]), {})[cell[3]] = value
    return {"tables": {table: _in_order(form, table, found) for table, found in rows.items()}} if rows else {}


def text_of_table(columns: Sequence[Any], rows: Sequence[Mapping[str, str]]) -> str:
    """Write a rulebook table as the text that `read_values` reads back."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    names = [column.name for column in columns]
    writer.writerow(names)
    writer.writerows([row.get(name, "") for name in names] for row in rows)
    return out.getvalue()


def _in_order(form: FormData, table: str, rows: dict[int, dict[str, str]]) -> list[dict[str, str]]:
    """Sort rows by the place that was typed beside each; a row without one stays where it was."""

    def place(number: int) -> float:
        typed = form.get(f"place:{table}:{number}")
        try:
            return float(typed) if isinstance(typed, str) and typed.strip() else float(number)
        except ValueError:
            return float(number)

    return [rows[number] for number in sorted(rows, key=lambda number: (place(number), number))]


def _pair_versions(values: dict[str, Any]) -> None:
    """Turn `ids` of the form "5:version" into ids and the versions that were seen, so that they cannot drift apart."""
    found = values["ids"]
    pairs = [item.partition(":") for item in ([found] if isinstance(found, str) else found)]
    if pairs and all(version for _, _, version in pairs):
        values["ids"] = [number for number, _, _ in pairs]
        values["expected"] = [version for _, _, version in pairs]
