"""Who acts: only a delegating token is believed when it names a person, and the audit then names both."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from api.client import Client
from console.desk import NOON, Desk
from pickgate.api.rest import PREFIX
from pickgate.api.tokens import hash_secret, make_token

pytestmark = pytest.mark.postgres


async def make(desk: Desk, name: str, *, delegating: bool = True, role: str = "ops", number: int = 90) -> str:
    token = make_token(lambda length: bytes([number]) * length)
    await desk.access.create_token(
        name=name, token_hash=hash_secret(token), role=role, shops=[], delegating=delegating,
        expires_at=NOON + timedelta(days=30), by="test", now=NOON,
    )  # fmt: skip
    return token


async def ask(
    client: Client, method: str, path: str, token: str, *people: str, body: Any = None, name: str = "X-Pickgate-Actor"
) -> tuple[int, Any]:
    headers = [("Authorization", f"Bearer {token}"), *((name, person) for person in people)]
    async with client.http.request(
        method, client.desk.address + PREFIX + path, headers=headers, json=body
    ) as answer:  # fmt: skip
        return answer.status, await answer.json(content_type=None)


async def actors(client: Client) -> list[tuple[str, str]]:
    found = await client.get("/audit", token="admin")
    return [
        (row["actor"], row["action"]) for row in found["items"] if row["action"] not in ("create_token", "create_user")
    ]


async def test_the_audit_names_the_token_and_the_person(desk: Desk, client: Client) -> None:
    order = await desk.keep_waiting()
    token = await make(desk, "retool")
    body = {"reason": "customer rang"}
    assert (await ask(client, "POST", f"/orders/{order}/hold", token, "ann@example.com", body=body))[0] == 200
    assert (await ask(client, "POST", f"/orders/{order}/unhold", token, body={}))[0] == 200
    assert await actors(client) == [
        ("token:retool", "unhold_order"),
        ("token:retool on behalf of ann@example.com", "hold_order"),
    ]


async def test_a_plain_token_that_names_a_person_is_refused_and_nothing_is_done(desk: Desk, client: Client) -> None:
    order = await desk.keep_waiting()
    body = {"reason": "customer rang"}
    status, problem = await ask(
        client, "POST", f"/orders/{order}/hold", desk.tokens["admin"], "ann@example.com", body=body
    )
    assert (status, problem["code"]) == (403, "NOT_ALLOWED")
    assert "--delegating" in problem["remedy"]
    assert await actors(client) == []
    assert (await client.get(f"/orders/{order}"))["hold"] is None


async def test_a_person_gets_no_more_than_the_token_may(desk: Desk, client: Client) -> None:
    order = await desk.keep_waiting()
    token = await make(desk, "retool", role="viewer")
    status, problem = await ask(client, "POST", f"/orders/{order}/hold", token, "admin", body={"reason": "because"})
    assert (status, problem["code"]) == (403, "NOT_ALLOWED")
    assert (await ask(client, "GET", f"/orders/{order}", token, "admin"))[0] == 200


@pytest.mark.parametrize(
    ("people", "status"),
    [
        ((), 200),
        (("",), 200),
        (("   ",), 200),
        (("Ann Müller",), 200),
        (("Łucja Żółć",), 200),
        (("a" * 100,), 200),
        (("a" * 101,), 422),
        (("ann\tadmin",), 422),
        (("ann\xadadmin",), 422),
        (("ann\u202eadmin",), 422),
        (("ann@example.com", "bo@example.com"), 422),
    ],
    ids=[
        "none",
        "empty",
        "blanks",
        "a name",
        "a longer one",
        "long",
        "too long",
        "a tab",
        "a soft hyphen",
        "a turned text",
        "two",
    ],
)
async def test_the_name_must_be_one_printable_name(
    desk: Desk, client: Client, people: tuple[str, ...], status: int
) -> None:
    token = await make(desk, "retool")
    found, answer = await ask(client, "GET", "/health", token, *people)
    assert found == status, answer
    if status == 422:
        assert answer["code"] == "INPUT_INVALID"


async def test_a_header_of_another_spelling_is_the_same_header(desk: Desk, client: Client) -> None:
    status, _ = await ask(client, "GET", "/health", desk.tokens["viewer"], "ann", name="x-pickgate-ACTOR")
    assert status == 403


async def test_the_list_of_tokens_says_which_delegate(desk: Desk, client: Client) -> None:
    await make(desk, "retool")
    told = {row["name"]: row["delegating"] for row in await desk.access.list_tokens()}
    assert told == {**dict.fromkeys(desk.tokens, False), "retool": True}
    found = await client.get("/audit", q="retool")
    assert [row["after"]["delegating"] for row in found["items"]] == [True]


async def test_a_session_never_delegates(desk: Desk) -> None:
    await desk.access.create_session("s", login="ops", now=NOON)
    found = await desk.access.find_session("s", now=NOON)
    assert found is not None and found.delegating is False
