"""REST reads: the shapes that others rely on, lists, roles, shops, tokens."""

from __future__ import annotations

from typing import Any

import pytest
from yarl import URL

from api.client import Client
from console.desk import HOSTILE, NOON
from pickgate.api.rest import PREFIX, ROUTES
from pickgate.operations.registry import REGISTRY
from pickgate.operations.roles import Role

pytestmark = pytest.mark.postgres


def test_every_operation_has_one_address_and_no_address_is_left_over() -> None:
    assert sorted(ROUTES) == sorted(operation.id for operation in REGISTRY)
    assert len(set(ROUTES.values())) == len(ROUTES)
    for operation in REGISTRY:
        assert (ROUTES[operation.id][0] == "POST") == operation.changes


async def test_an_order_answers_the_frozen_shape(client: Client) -> None:
    number = await client.desk.keep_late_edit()
    found = await client.get(f"/orders/{number}")
    assert (found["id"], found["shop"], found["name"], found["shopify_id"]) == (number, "uk", "#1001", "5001")
    assert found["state"] == "picking"
    assert found["locked"] is True
    assert "next_look_at" in found
    (goods_out,) = found["goods_outs"]
    assert {key: goods_out[key] for key in ("reference", "clarus_id", "generation", "stage")} == {
        "reference": "1001-1",
        "clarus_id": "301",
        "generation": 1,
        "stage": "PICK",
    }
    assert goods_out["lines"] == [{"product_code": "SKU-A", "quantity": 2, "picked": 1, "despatched": 0}]
    assert [item["code"] for item in found["exceptions"]] == ["LATE_EDIT"]
    assert {"at", "kind", "detail"} <= set(found["journal"][0])
    (line,) = found["comparison"]
    assert (line["shop_units"], line["warehouse_units"], line["differs"]) == (3, 2, True)


async def test_a_waiting_order_names_its_gates(client: Client) -> None:
    await client.desk.keep_waiting()
    found = await client.get("/orders/1031")
    gate = next(gate for gate in found["gates"] if gate["code"] == "edit_window")
    assert set(gate) >= {"code", "until", "detail"}
    assert gate["until"] > "2026-11-24T12:25"


@pytest.mark.parametrize("ref", ["1031", "%231031", "5031"])
async def test_an_order_is_found_by_name_and_shop_id(client: Client, ref: str) -> None:
    number = await client.desk.keep_waiting()
    url = client.desk.address + PREFIX + "/orders/" + ref
    headers = {"Authorization": f"Bearer {client.desk.tokens['viewer']}"}
    async with client.http.get(URL(url, encoded=True), headers=headers) as answer:
        assert (answer.status, (await answer.json())["id"]) == (200, number)


async def test_a_name_in_two_shops_is_ambiguous_until_the_shop_is_named(client: Client) -> None:
    await client.desk.keep_waiting(order_id="5031")
    other = await client.desk.keep_waiting(order_id="7031", shop="eu")
    status, found, _ = await client.ask("GET", "/orders/1031")
    assert (status, found["code"]) == (409, "AMBIGUOUS")
    assert [order["shop"] for order in found["orders"]] == ["uk", "eu"]
    assert (await client.get("/orders/1031", shop="eu"))["id"] == other


async def test_lists_page_by_cursor_and_by_offset(client: Client) -> None:
    for number in range(5):
        await client.desk.keep_waiting(f"#20{number}", f"60{number}")
    first = await client.get("/orders", limit=2, sort="name")
    assert ([item["name"] for item in first["items"]], first["total"]) == (["#200", "#201"], 5)
    second = await client.get("/orders", limit=2, sort="name", cursor=first["next_cursor"])
    assert [item["name"] for item in second["items"]] == ["#202", "#203"]
    last = await client.get("/orders", limit=2, sort="name", offset=4)
    assert ([item["name"] for item in last["items"]], last["next_cursor"]) == (["#204"], None)


async def test_lists_filter_and_search(client: Client) -> None:
    await client.desk.keep_waiting()
    await client.desk.keep_late_edit()
    assert [item["name"] for item in (await client.get("/orders", state="picking"))["items"]] == ["#1001"]
    assert [item["name"] for item in (await client.get("/orders", q="1031"))["items"]] == ["#1031"]
    assert [item["name"] for item in (await client.get("/drift"))["items"]] == ["#1001"]
    assert [item["name"] for item in (await client.get("/held-orders"))["items"]] == ["#1031"]
    assert (await client.get("/orders", q="%"))["total"] == 0


async def test_open_exceptions_answer_the_frozen_shape(client: Client) -> None:
    await client.desk.keep_late_edit()
    found = await client.get("/exceptions", state="open")
    (item,) = [item for item in found["items"] if item["code"] == "LATE_EDIT"]
    assert {"id", "code", "order_name", "shop", "owner", "severity", "opened_at", "due_at", "summary", "detail",
            "actions"} <= set(item)  # fmt: skip
    assert (item["order_name"], item["shop"], item["owner"], item["severity"]) == ("#1001", "uk", "cx", "urgent")


@pytest.mark.parametrize(
    ("params", "field"),
    [({"limit": 1000}, "limit"), ({"sort": "password"}, "sort"), ({"stat": "waiting"}, "stat"),
     ({"state": "asleep"}, "state.0"), ({"cursor": "x"}, "cursor"), ({"offset": -1}, "offset")],
)  # fmt: skip
async def test_wrong_input_is_a_problem_that_names_the_field(
    client: Client, params: dict[str, Any], field: str
) -> None:
    status, found, headers = await client.ask("GET", "/orders", **params)
    assert (status, found["code"], headers["Content-Type"]) == (422, "INPUT_INVALID", "application/problem+json")
    assert [item["field"] for item in found["fields"]] == [field]
    assert set(found) >= {"type", "title", "status", "detail", "remedy"}


@pytest.mark.parametrize("token", ["", "pkg_" + "x" * 43, "admin2", "pkg_short"])
async def test_without_a_valid_token_nothing_is_answered(client: Client, token: str) -> None:
    status, found, headers = await client.ask("GET", "/orders", token=token)
    assert (status, found["code"]) == (401, "UNAUTHENTICATED")
    assert headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_revoked_or_expired_token_lets_nobody_in(client: Client) -> None:
    tokens = {row["name"]: row["id"] for row in await client.desk.access.list_tokens()}
    assert await client.desk.access.revoke_token(tokens["ops"], by="test", now=NOON)
    assert (await client.ask("GET", "/orders", token="ops"))[0] == 401
    client.desk.clock.advance(31 * 86400)
    assert (await client.ask("GET", "/orders", token="cx"))[0] == 401


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
async def test_the_roles_matrix_is_the_registrys_own(client: Client, role: Role) -> None:
    for operation in REGISTRY:
        method, path = ROUTES[operation.id]
        path = path.replace("{ref}", "nothing").replace("{id}", "1")
        status, found, _ = await client.ask(method, path, token=role.value, body={} if method == "POST" else None)
        if role in operation.roles:
            assert status in (200, 404, 409, 422, 503), (operation.id, found)
        else:
            assert (status, found["code"]) == (403, "NOT_ALLOWED"), operation.id


async def test_a_token_of_one_shop_sees_nothing_of_another(client: Client) -> None:
    await client.desk.keep_waiting("#1031", "5031")
    other = await client.desk.keep_waiting("#9001", "7031", shop="eu")
    assert (await client.get("/orders", token="uk-only"))["total"] == 1
    assert (await client.get("/orders", token="uk-only", shop="eu"))["total"] == 0
    missing = await client.ask("GET", f"/orders/{other}", token="uk-only")
    absent = await client.ask("GET", f"/orders/{other}".replace(str(other), "999999"), token="uk-only")
    assert (missing[0], absent[0]) == (404, 404)
    assert missing[1]["detail"].replace(str(other), "X") == absent[1]["detail"].replace("999999", "X")
    status, _ = await client.post(f"/orders/{other}/hold", {"reason": "not mine"}, token="uk-only")
    assert status == 404
    assert (await client.get("/effects", token="uk-only", order=other))["total"] == 0


async def test_a_raw_body_is_opened_with_a_reason_and_audited(client: Client) -> None:
    number = await client.desk.keep_waiting()
    await client.desk.receive("5031", b'{"id": 5031, "note": "\xff"}')
    entry = next(entry for entry in (await client.get(f"/orders/{number}"))["journal"] if entry["body_id"])
    assert (await client.ask("GET", f"/bodies/{entry['body_id']}", token="ops"))[0] == 422
    found = await client.get(f"/bodies/{entry['body_id']}", token="ops", reason="Customer disputes it")
    assert found["text"] == '{"id": 5031, "note": "\ufffd"}'
    (row,) = [row for row in (await client.get("/audit"))["items"] if row["action"] == "get_body"]
    assert (row["actor"], row["reason"]) == ("token:ops", "Customer disputes it")
    assert (await client.ask("GET", f"/bodies/{entry['body_id']}", token="cx", reason="curious"))[0] == 403


async def test_hostile_names_come_back_as_they_are(client: Client) -> None:
    number = await client.desk.keep_waiting(HOSTILE, "5099")
    assert (await client.get(f"/orders/{number}"))["name"] == HOSTILE
