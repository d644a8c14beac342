"""The rulebook over REST: from a draft to the version that decides, who may do it, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

import cast
from api.client import Client
from console.desk import open_desk
from pickgate.crypto import Sealer
from pickgate.domain.facts import Unreadable
from pickgate.domain.policy import Policy
from pickgate.flows.ports import ProductAnswer
from pickgate.operations.rulebook_desk import RulebookDesk, WarehouseCodes
from pickgate.rulebook.sheets import written_records
from pickgate.rulebook.tables import SHAPES, Tables
from pickgate.store.postgres import PostgresStore
from pickgate.store.rulebooks import RulebookRows

pytestmark = pytest.mark.postgres
BASE = Tables(
    locations=(("", "", "Location L1", "ACME", "LEEDS", ""),),
    services=(("", "Standard", "", "", "DPD", "ND"), ("", "*", "", "", "", "")),
    skus=(("uk", "Mar-01", "=SUM", "", ""), ("", "00123", "ABC", "2", "")),
)


class Warehouse:
    """What the warehouse answers about its codes; `away`: it cannot be asked."""

    def __init__(self) -> None:
        self.away = False
        self.asked: list[str] = []

    def codes(self) -> WarehouseCodes:
        async def accounts() -> tuple[str, ...] | Unreadable:
            return Unreadable(why="it does not answer") if self.away else ("ACME",)

        async def warehouses() -> tuple[str, ...] | Unreadable:
            return Unreadable(why="it does not answer") if self.away else ("HULL", "LEEDS")

        async def services() -> tuple[tuple[str, str], ...] | Unreadable:
            return Unreadable(why="it does not answer") if self.away else (("DPD", "ND"), ("RM", "48"))

        async def products(codes: Any) -> ProductAnswer:
            self.asked += codes
            if self.away:
                return ProductAnswer(unreadable=Unreadable(why="it does not answer"))
            known = frozenset({"ABC", "=SUM"})
            return ProductAnswer(known=known & set(codes), unknown=frozenset(codes) - known)

        return WarehouseCodes(accounts=accounts, warehouses=warehouses, services=services, products=products)


@pytest.fixture
def warehouse() -> Warehouse:
    return Warehouse()


@pytest.fixture
async def client(database: str, warehouse: Warehouse) -> AsyncIterator[Client]:
    store = await PostgresStore.open(database, Sealer(["k" * 32]), max_size=2)
    rulebooks = RulebookDesk(
        versions=RulebookRows(store.database),
        orders=store,
        codes=warehouse.codes(),
        policies={"uk": Policy(), "eu": Policy()},
    )
    async with open_desk(database, rulebooks=rulebooks) as desk, aiohttp.ClientSession() as http:
        yield Client(desk, http)
    await store.aclose()


async def begin(client: Client, tables: Tables = BASE) -> None:
    status, saved = await client.post("/rulebooks", {"tables": _written(tables), "reason": "Begin"})
    assert (status, saved.get("number")) == (200, 1), saved
    status, answer = await client.post("/rulebooks/1/publish", {"reason": "Begin"})
    assert (status, answer["summary"].partition(" Of ")[0]) == (
        200, "Version 1 decides from now on; there was none before.",
    ), answer  # fmt: skip


def _written(tables: Tables) -> dict[str, list[dict[str, str]]]:
    return {table: written_records(table, tables.rows(table)) for table in SHAPES}


async def test_without_a_rulebook_each_answer_says_so(client: Client) -> None:
    assert (await client.get("/rulebooks"))["items"] == []
    for path in ("/rulebook", "/rulebook/check", "/rulebook/export", "/rulebook/backtest"):
        status, problem, _ = await client.ask("GET", path)
        assert (status, problem["code"], problem["detail"]) == (404, "NOT_FOUND", "No rulebook is published yet.")
    status, problem, _ = await client.ask("GET", "/rulebook", number=7)
    assert (status, problem["detail"]) == (404, "There is no rulebook version 7.")


async def test_what_is_read_can_be_saved_and_is_the_same(client: Client) -> None:
    await begin(client)
    found = await client.get("/rulebook", token="viewer")
    assert (found["number"], found["decides"], found["changes"]) == (1, True, [])
    assert found["tables"]["skus"] == [
        {"shop": "uk", "sku": "'Mar-01", "product_code": "'=SUM", "units": "", "ignore": ""},
        {"shop": "", "sku": "00123", "product_code": "ABC", "units": "2", "ignore": ""},
    ]
    assert [column["name"] for column in found["columns"]["splits"]] == ["shop", "sku", "tag", "group"]
    status, saved = await client.post("/rulebooks", {"tables": found["tables"], "reason": "Same again"})
    assert (status, saved["summary"]) == (200, "Saved as draft 2: 0 rows differ from version 1.")
    listed = await client.get("/rulebooks", limit=1)
    assert (listed["total"], listed["next_cursor"]) == (2, "o1")
    assert (listed["items"][0]["number"], listed["items"][0]["decides"], listed["items"][0]["note"]) == (
        2, False, "Same again",
    )  # fmt: skip


async def test_one_table_as_csv_replaces_that_table_and_the_changes_are_shown(client: Client) -> None:
    await begin(client)
    text = "shop,shipping_title,country,warehouse,carrier,service\n,Standard,,,RM,48\n,*,,,,\n"
    status, saved = await client.post("/rulebooks", {"files": {"services.csv": text}, "reason": "Royal Mail"})
    assert (status, saved["number"]) == (200, 2)
    found = await client.get("/rulebook", number=2)
    assert found["changes"] == [
        {"table": "services", "kind": "changed", "old_row": 1, "new_row": 1, "columns": ["carrier", "service"]}
    ]
    assert found["tables"]["locations"][0]["warehouse"] == "LEEDS"


async def test_every_fault_of_a_draft_is_named_and_nothing_is_saved(client: Client) -> None:
    for body, words in (
        ({"files": {"services.csv": "shop,shipping_title,country,warehouse,carrier,service\n,*,UK,,DPD,\n"}},
         ['services.csv, row 1 (line 2), column "country": "UK" is not a country of ISO 3166 alpha-2. Write GB']),
        ({"tables": {"servces": []}}, ["servces: is not a table of the rulebook. Rename it to services"]),
        ({"workbook_base64": "!"}, ["workbook_base64: is not base64. Encode the file's bytes as base64"]),
        ({"workbook_base64": "AAAA"}, ["workbook: cannot be read. Save it as an Excel workbook (.xlsx)"]),
        ({}, ["give one of tables, files and workbook_base64"]),
    ):  # fmt: skip
        status, problem = await client.post("/rulebooks", body | {"reason": "Try"})
        assert (status, problem["code"]) == (422, "INPUT_INVALID")
        assert [field["problem"] for field in problem["fields"]] == words
    assert (await client.get("/rulebooks"))["total"] == 0


async def test_a_version_with_errors_is_not_published(client: Client, warehouse: Warehouse) -> None:
    await begin(client)
    services = [
        {"shop": "", "shipping_title": "*", "country": "", "warehouse": "", "carrier": "", "service": ""},
        {"shop": "", "shipping_title": "Standard", "country": "", "warehouse": "", "carrier": "DPD", "service": "NDD"},
    ]
    await client.post("/rulebooks", {"tables": {"services": services}, "reason": "Draft"})
    checked = await client.get("/rulebook/check", number=2)
    assert checked["ok"] is False
    assert [(f["severity"], f["code"], f["row"], f["remedy"]) for f in checked["findings"]] == [
        ("error", "unreachable", 2, "Move it above row 1, or remove it"),
        ("error", "unknown_code", 2, "Write ND, or add NDD in the warehouse"),
    ]
    status, problem = await client.post("/rulebooks/2/publish", {"reason": "Now"})
    assert (status, problem["code"]) == (409, "CONFLICT")
    assert problem["detail"].startswith("Version 2 has 2 errors and is not published: error: services, row 2")
    assert (await client.get("/rulebook"))["number"] == 1
    warehouse.away = True
    checked = await client.get("/rulebook/check", number=1)
    assert (checked["ok"], checked["findings"]) == (True, [])
    assert checked["not_asked"] == [
        "accounts: it does not answer", "warehouses: it does not answer", "services: it does not answer",
        "products: it does not answer",
    ]  # fmt: skip


async def test_the_back_test_shows_orders_and_no_people_and_only_shops_that_one_may_see(client: Client) -> None:
    await begin(client)
    for number, shop in ((1, "uk"), (2, "eu")):
        await client.desk.keep_waiting(f"#{number}", str(number), shop=shop, note="Ring at Ada's", address=cast.ADDRESS)
    text = "shop,shipping_title,country,warehouse,carrier,service\n,Standard,,,RM,48\n"
    await client.post("/rulebooks", {"files": {"services.csv": text}, "reason": "Royal Mail"})
    report = await client.get("/rulebook/backtest")
    assert (report["number"], report["against"], report["looked_at"], report["unchanged"]) == (2, 1, 2, 0)
    assert [(item["name"], item["differences"]) for item in report["changed"]] == [
        ("#2", ["service: DPD/ND → RM/48"]), ("#1", ["service: DPD/ND → RM/48"]),
    ]  # fmt: skip
    assert report["changed"][0]["before"]["reasons"][1] == {
        "text": "Standard → DPD/ND", "row": "services, row 1, version 1",
    }  # fmt: skip
    assert report["changed"][0]["after"]["goods_outs"] == [
        {
            "account": "ACME", "warehouse": "LEEDS", "group": "", "carrier": "RM", "service": "48", "priority": None,
            "lines": [{"product_code": "SKU-A", "quantity": 2}, {"product_code": "SKU-B", "quantity": 1}], "notes": [],
        }
    ]  # fmt: skip
    assert not any(word in str(report) for word in ("Ada", "Byron", "Mill Lane", "LS1", "Ring"))
    mine = await client.get("/rulebook/backtest", token="uk-only")
    assert [item["name"] for item in mine["changed"]] == ["#1"]
    assert (await client.get("/rulebook/backtest", orders=1))["looked_at"] == 1
    status, _, _ = await client.ask("GET", "/rulebook/backtest", orders=2001)
    assert status == 422


async def test_two_people_publish_and_the_second_is_told(client: Client) -> None:
    await begin(client)
    for note in ("Second", "Third"):
        await client.post("/rulebooks", {"tables": {"priorities": []}, "reason": note})
    assert (await client.post("/rulebooks/2/publish", {"reason": "Mine", "expected": 1}))[0] == 200
    status, problem = await client.post("/rulebooks/3/publish", {"reason": "Mine", "expected": 1})
    assert (status, problem["detail"]) == (
        409, "Somebody has published another version meanwhile: 2 decides now. Nothing was done.",
    )  # fmt: skip
    status, problem = await client.post("/rulebooks/2/publish", {"reason": "Again"})
    assert (status, problem["detail"]) == (409, "Version 2 decides already.")
    status, answer = await client.post("/rulebooks/1/publish", {"reason": "Back to the first", "expected": 2})
    assert (status, answer["before"], answer["after"]) == (200, {"version": 2}, {"version": 1})
    audit = (await client.get("/audit", q="publish"))["items"]
    assert [(row["action"], row["subject"], row["reason"]) for row in audit] == [
        ("publish_rulebook", "rulebook 1", "Back to the first"), ("publish_rulebook", "rulebook 2", "Mine"),
        ("publish_rulebook", "rulebook 1", "Begin"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "may"),
    [
        ("/rulebooks", {"tables": {}, "reason": "Try", "dry_run": True}, {"ops", "ecommerce", "admin"}),
        ("/rulebooks/2/publish", {"reason": "Try", "dry_run": True}, {"ops", "ecommerce", "admin"}),
    ],
)
async def test_who_may_change_it(client: Client, path: str, body: dict[str, Any], may: set[str]) -> None:
    await begin(client)
    await client.post("/rulebooks", {"tables": {}, "reason": "Second"})
    roles = ("viewer", "ops", "cx", "finance", "ecommerce", "admin")
    answers = {role: await client.post(path, body, token=role) for role in roles}
    assert {role for role, (status, _) in answers.items() if status == 200} == may
    assert {status for role, (status, _) in answers.items() if role not in may} == {403}
    status, problem = await client.post(path, body, token="uk-only")
    assert (status, problem["detail"]) == (403, "The rulebook decides for every shop.")
    assert ((await client.get("/rulebook"))["number"], (await client.get("/rulebooks"))["total"]) == (1, 2)


async def test_an_order_shows_the_row_that_decided(client: Client) -> None:
    order = await client.desk.keep_waiting()
    found = await client.get(f"/orders/{order}")
    assert {"text": "Standard → DPD/ND", "row": "services, row 1, version 1"} in found["reasons"]
    assert all(set(reason) == {"text", "row"} for reason in found["reasons"])
