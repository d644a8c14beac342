"""The app's own queries against the running API: filled in as a person would, none is refused for its shape."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest

from api.client import Client
from console.desk import Desk
from pickgate.api.openapi import build_openapi
from pickgate.connectors.retool.pack.build import build_app
from pickgate.connectors.retool.pack.elements import Element
from pickgate.connectors.retool.pack.queries import Binding
from pickgate.connectors.retool.pack.rsx import parse_rsx

pytestmark = pytest.mark.postgres
DOCUMENT = build_openapi(version="1.0.0", public_url="https://pickgate.example.com")
APP = build_app(DOCUMENT, Binding(uuid="", name="Pickgate"))
QUERIES = {
    node.id: node
    for path, content in APP.items()
    if path.endswith(".rsx")
    for node in parse_rsx(content).walk()
    if node.tag == "RESTQuery"
}
# What a person has chosen on the screens, by the parameter or field that it becomes.
CHOSEN: Mapping[str, Any] = {
    "q": "", "gate": "", "state": "open", "limit": 25, "offset": 0, "month": "2026-11", "sheet": "summary",
    "only_differing": "true", "reason": "customer rang", "assignee": "ann@example.com", "until": "2099-01-01T00:00:00Z",
    "shop": "uk",
}  # fmt: skip


CHECKS = DOCUMENT["components"]["schemas"]["DailyChecks"]["properties"]["checks"]["items"]["$ref"].rpartition("/")[2]


def address_of(query: Element, ref: str) -> str:
    """Fill in the expressions of an address."""
    path, _, parameters = str(query.attributes["query"]).partition("?")
    path = re.sub(r"\{\{.*?\}\}", quote(ref, safe=""), path)
    filled = [
        f"{name}={quote(str(CHOSEN[name]), safe='') if '{{' in value else value}"
        for name, _, value in (part.partition("=") for part in re.split(r"&(?=\w+=)", parameters) if part)
    ]
    return f"/{path}" + ("?" + "&".join(filled) if filled else "")


async def send(client: Client, query: Element, ref: str, seen: Mapping[str, Any]) -> tuple[int, Any]:
    method = str(query.attributes.get("type", "GET"))
    fields = [pair["key"] for pair in json.loads(str(query.attributes.get("body", "[]")))]
    body = {name: {**CHOSEN, **seen}[name] for name in fields} if method == "POST" else None
    headers = {"Authorization": f"Bearer {client.desk.tokens['admin']}"}
    url = client.desk.address + address_of(query, ref)
    async with client.http.request(method, url, headers=headers, json=body) as answer:
        return answer.status, await answer.json(content_type=None)


@pytest.mark.parametrize("name", sorted(name for name, node in QUERIES.items() if "type" not in node.attributes))
async def test_a_question_of_the_app_is_answered(name: str, desk: Desk, client: Client) -> None:
    await desk.keep_late_edit()
    status, answer = await send(client, QUERIES[name], "#1001", {})
    # This desk has neither stock nor a ledger; the question itself was understood.
    assert status == 200 or answer["code"] == "UNAVAILABLE", answer


async def test_the_exceptions_screen_acts_on_exactly_what_it_shows(desk: Desk, client: Client) -> None:
    await desk.keep_late_edit()
    _, shown = await send(client, QUERIES["listExceptions"], "", {})
    rows = shown["items"]
    seen = {"ids": [row["id"] for row in rows], "expected": [row["version"] for row in rows]}
    assert (await send(client, QUERIES["assignToMe"], "", seen))[0] == 200
    assert (await send(client, QUERIES["resolveTicked"], "", seen))[0] in (200, 409)
    _, again = await send(client, QUERIES["listExceptions"], "", {})
    assert [row["assignee"] for row in again["items"]] in ([], ["ann@example.com"] * len(rows))


@pytest.mark.parametrize("name", ["lookNow", "holdOrder", "liftHold", "releaseNow", "takeBack"])
async def test_a_button_of_the_order_screen_is_understood(name: str, desk: Desk, client: Client) -> None:
    await desk.keep_waiting()
    _, order = await send(client, QUERIES["showOrder"], "#1031", {})
    status, answer = await send(client, QUERIES[name], "#1031", {"expected": order["version"], "shop": order["shop"]})
    assert status in (200, 409), answer
    if status == 200:
        assert answer["order"] == order["id"]


def test_every_column_is_a_field_of_the_answer() -> None:
    rows = {
        "exceptionsTable": "ExceptionShape", "gatesTable": "GateShape", "linesTable": "ComparisonShape",
        "goodsTable": "GoodsOutShape", "journalTable": "JournalShape", "waitingTable": "OrderRow",
        "driftTable": "OrderRow", "checksTable": CHECKS, "stockTable": "StockRow",
        "moneyExceptionsTable": "ExceptionShape",
    }  # fmt: skip
    tables = {
        node.id: [child.attributes["key"] for child in node.children if child.tag == "Column"]
        for path, content in APP.items()
        if path.endswith(".rsx")
        for node in parse_rsx(content).walk()
        if node.tag == "Table"
    }
    assert set(tables) == {*rows, "moneyTable"}
    schemas = DOCUMENT["components"]["schemas"]
    for table, shape in rows.items():
        assert set(tables[table]) - set(schemas[shape]["properties"]) == set(), table
