"""REST changes: audited, previewed, refused, and two people at once."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from api.client import Client
from pickgate.api.rest import PREFIX

pytestmark = pytest.mark.postgres


async def test_a_hold_is_recorded_audited_and_followed_by_a_look(client: Client) -> None:
    number = await client.desk.keep_waiting()
    status, found = await client.post(f"/orders/{number}/hold", {"reason": "Customer called"}, token="cx")
    assert (status, found["changed"], found["dry_run"]) == (200, True, False)
    order = await client.get(f"/orders/{number}")
    assert (order["hold"]["by"], order["hold"]["reason"]) == ("token:cx", "Customer called")
    assert client.desk.woken == [("uk", "5031")]
    (row,) = [row for row in (await client.get("/audit"))["items"] if row["action"] == "hold_order"]
    assert (row["actor"], row["reason"], row["shop"]) == ("token:cx", "Customer called", "uk")


CHANGES = [
    ("hold", {"reason": "because"}),
    ("unhold", {}),
    ("release", {"reason": "because"}),
    ("cancel-in-warehouse", {"reason": "because"}),
    ("look", {}),
]


@pytest.mark.parametrize(("action", "body"), CHANGES, ids=[action for action, _ in CHANGES])
async def test_a_dry_run_changes_nothing(client: Client, action: str, body: dict[str, Any]) -> None:
    keep = client.desk.keep_late_edit if action == "cancel-in-warehouse" else client.desk.keep_waiting
    number = await keep()
    if action == "unhold":
        await client.post(f"/orders/{number}/hold", {"reason": "because"})
        client.desk.woken.clear()
    before = await client.get(f"/orders/{number}")
    audited = (await client.get("/audit"))["total"]
    status, found = await client.post(f"/orders/{number}/{action}", body | {"dry_run": True})
    assert (status, found["changed"], found["dry_run"]) == (200, False, True)
    assert await client.get(f"/orders/{number}") == before
    assert (await client.get("/audit"))["total"] == audited
    assert client.desk.woken == []


async def test_of_two_people_the_second_learns_what_happened(client: Client) -> None:
    number = await client.desk.keep_waiting()
    seen = (await client.get(f"/orders/{number}"))["version"]
    first = await client.post(f"/orders/{number}/hold", {"reason": "Customer called", "expected": seen}, token="cx")
    assert first[0] == 200
    status, found = await client.post(f"/orders/{number}/release", {"reason": "Ship it", "expected": seen}, token="ops")
    assert (status, found["code"]) == (409, "CONFLICT")
    assert "held by token:cx (Customer called)" in found["detail"]
    assert (await client.get(f"/orders/{number}"))["approval"] is None


async def test_a_release_is_bound_to_what_was_decided_and_says_what_stays_closed(client: Client) -> None:
    number = await client.desk.keep_waiting()
    status, found = await client.post(f"/orders/{number}/release", {"reason": "Customer asked"}, token="ops")
    assert status == 200
    assert "edit_window" in found["summary"]
    assert (await client.get(f"/orders/{number}"))["approval"]["by"] == "token:ops"


@pytest.mark.parametrize(
    ("action", "words"),
    [("release", "nothing to release"), ("unhold", "Nobody holds")],
)
async def test_what_makes_no_sense_is_a_conflict(client: Client, action: str, words: str) -> None:
    number = await client.desk.keep_late_edit()
    status, found = await client.post(f"/orders/{number}/{action}", {"reason": "because"})
    assert (status, found["code"]) == (409, "CONFLICT")
    assert words in found["detail"]


async def test_a_change_needs_a_reason(client: Client) -> None:
    number = await client.desk.keep_waiting()
    for body in ({}, {"reason": "  "}, {"reason": "x"}):
        status, found = await client.post(f"/orders/{number}/hold", body)
        assert (status, found["code"]) == (422, "INPUT_INVALID")


async def test_exceptions_are_assigned_snoozed_and_resolved_in_bulk(client: Client) -> None:
    await client.desk.keep_late_edit()
    await client.desk.keep_unmapped()
    items = (await client.get("/exceptions"))["items"]
    ids = [item["id"] for item in items]
    assert len(ids) >= 2
    status, _ = await client.post("/exceptions/assign", {"ids": ids, "assignee": "me"}, token="cx")
    assert status == 200
    assert {item["assignee"] for item in (await client.get("/exceptions"))["items"]} == {"token:cx"}
    until = "2999-01-01T00:00:00Z"
    status, _ = await client.post("/exceptions/snooze", {"ids": ids[:1], "reason": "Waiting", "until": until})
    assert status == 200
    assert [item["id"] for item in (await client.get("/exceptions", state="snoozed"))["items"]] == ids[:1]
    status, found = await client.post("/exceptions/resolve", {"ids": ids, "reason": "Told the customer"})
    assert (status, sorted(found["exceptions"])) == (200, sorted(ids))
    assert (await client.get("/exceptions"))["total"] == 0
    closed = await client.get(f"/exceptions/{ids[0]}")
    assert (closed["state"], closed["resolution"], closed["closed_by"]) == (
        "resolved",
        "Told the customer",
        "token:admin",
    )
    status, found = await client.post("/exceptions/resolve", {"ids": ids, "reason": "Once more"}, token="ops")
    assert status == 409
    assert "resolved by token:admin (Told the customer)" in found["detail"]


async def test_an_exception_that_changed_since_it_was_seen_is_not_resolved(client: Client) -> None:
    await client.desk.keep_late_edit()
    item = (await client.get("/exceptions"))["items"][0]
    await client.post("/exceptions/assign", {"ids": [item["id"]], "assignee": "me"}, token="cx")
    status, found = await client.post(
        "/exceptions/resolve", {"ids": [item["id"]], "expected": [item["version"]], "reason": "Seen earlier"}
    )
    assert (status, found["code"]) == (409, "CONFLICT")
    assert "assigned to token:cx" in found["detail"]


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [(b"{", "application/json", 400), (b"[]", "application/json", 400), (b"[" * 100_000, "application/json", 400),
     (b"9" * 6000, "application/json", 400), (b"{}", "text/plain", 415), (b" " * 1_100_000, "application/json", 413)],
    ids=["cut", "list", "deep", "huge-number", "text-plain", "too-large"],
)  # fmt: skip
async def test_a_hostile_body_is_a_problem(client: Client, data: bytes, content_type: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {client.desk.tokens['ops']}", "Content-Type": content_type}
    url = client.desk.address + PREFIX + "/orders/1/hold"
    async with client.http.post(url, data=io.BytesIO(data), headers=headers) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("reason", ["nul \x00 inside", "bell \x07", "lone \ud800 surrogate", "x" * 501])
async def test_text_that_cannot_be_kept_is_refused(client: Client, reason: str) -> None:
    number = await client.desk.keep_waiting()
    headers = {"Authorization": f"Bearer {client.desk.tokens['ops']}", "Content-Type": "application/json"}
    url = f"{client.desk.address}{PREFIX}/orders/{number}/hold"
    async with client.http.post(url, data=json.dumps({"reason": reason}), headers=headers) as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (422, "INPUT_INVALID")


@pytest.mark.parametrize("until", ["2026-11-24T11:59:00Z", "2026-11-24T12:00:00+00:00"])
async def test_a_hold_cannot_end_in_the_past(client: Client, until: str) -> None:
    number = await client.desk.keep_waiting()
    status, found = await client.post(f"/orders/{number}/hold", {"reason": "because", "until": until})
    assert (status, found["code"]) == (409, "CONFLICT")
    assert (await client.get(f"/orders/{number}"))["hold"] is None
