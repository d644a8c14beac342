"""Named queries: parameters are numbered, missing ones are refused, and PostgreSQL understands every one."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

import pickgate.store
from pickgate.store.postgres import PostgresStore
from pickgate.store.sql import load_queries, parse_query


def test_parameters_are_numbered_in_order_of_first_use() -> None:
    query = parse_query("q", "-- :not_this\nSELECT :b::text, :a, :b FROM t WHERE x::int = 1;")
    assert (query.text, query.parameters) == ("SELECT $1::text, $2, $1 FROM t WHERE x::int = 1", ("b", "a"))
    assert query.arguments({"a": 1, "b": 2}) == [2, 1]


@pytest.mark.parametrize("values", [{"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 2}])
def test_missing_and_unknown_values_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(TypeError, match=r"^q: missing"):
        parse_query("q", "SELECT :a, :b").arguments(values)


@pytest.mark.postgres
async def test_postgresql_understands_every_query(postgres_store: PostgresStore) -> None:
    refused = {}
    async with postgres_store.database.session() as session:
        for query in load_queries().values():
            try:
                await session.connection.prepare(query.text)
            except asyncpg.PostgresError as error:
                refused[query.name] = str(error)
    assert refused == {}


def test_every_query_is_used() -> None:
    folder = Path(pickgate.store.__file__).parent
    code = "".join(file.read_text("utf-8") for file in folder.glob("*.py"))
    assert [name for name in load_queries() if f'"{name}"' not in code] == []
