"""The rulebook's files: drafts read from tables, CSV or a workbook; versions written as CSV or a workbook."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import PurePath
from typing import Literal

from pickgate.operations.rulebook_shapes import FileShape, SaveRulebook
from pickgate.rulebook.csv_files import parse_csv, render_files
from pickgate.rulebook.parse import parse_sheets
from pickgate.rulebook.problems import Problem, RulebookRefused
from pickgate.rulebook.sheets import Sheet, find_missing_and_unknown, sheet_of_records, written_records
from pickgate.rulebook.tables import SHAPES, Tables
from pickgate.rulebook.workbook import parse_workbook, render_workbook

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def read_draft(ask: SaveRulebook, base: Tables) -> Tables:
    """Read the tables of a new version; what is not given is taken from `base`. Raises RulebookRefused."""
    if ask.workbook_base64 is not None:
        try:
            body = base64.b64decode(ask.workbook_base64, validate=True)
        except ValueError as error:  # of bytes that are not base64, and of letters that are not ASCII
            raise RulebookRefused(
                [Problem(file="workbook_base64", reason="is not base64", remedy="Encode the file's bytes as base64")]
            ) from error
        return parse_workbook(body)
    given = _sheets_of_files(ask.files) if ask.files is not None else _sheets_of_tables(ask.tables or {})
    return parse_sheets(
        [given.get(table) or sheet_of_records(table, written_records(table, base.rows(table))) for table in SHAPES]
    )


def render_export(tables: Tables, number: int, form: Literal["csv", "xlsx"]) -> list[FileShape]:
    """Write a version as files."""
    if form == "xlsx":
        return [_file(f"rulebook-{number}.xlsx", XLSX_TYPE, render_workbook(tables))]
    return [_file(name, CSV_TYPE, body) for name, body in render_files(tables).items()]


def _file(name: str, media_type: str, body: bytes) -> FileShape:
    return FileShape(name=name, media_type=media_type, content_base64=base64.b64encode(body).decode())


def _sheets_of_tables(tables: Mapping[str, list[dict[str, str]]]) -> dict[str, Sheet]:
    _refuse_unknown(tables, suffix="")
    return {table: sheet_of_records(table, records) for table, records in tables.items()}


def _sheets_of_files(files: Mapping[str, str]) -> dict[str, Sheet]:
    bodies = {PurePath(name).name.lower().removesuffix(".csv"): text for name, text in files.items()}
    _refuse_unknown(bodies, suffix=".csv")
    return {table: parse_csv(table, text.encode()) for table, text in bodies.items()}


def _refuse_unknown(names: Mapping[str, object], *, suffix: str) -> None:
    """Refuse tables that nobody reads. Missing ones are no fault here: they come from the base."""
    if problems := find_missing_and_unknown([*names, *SHAPES], suffix=suffix):
        raise RulebookRefused(problems)
