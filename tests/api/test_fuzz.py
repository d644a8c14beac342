"""Whatever is sent to whichever operation by whomever: never a 5xx, and every answer is as the document says."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator

from api.fuzzing import Call, allowed, calls_of, forbidden
from console.desk import Desk
from console.furniture import publish_rulebook
from pickgate.api.openapi import build_openapi
from pickgate.api.problems import STATUS
from pickgate.operations.registry import REGISTRY
from pickgate.operations.roles import Role

pytestmark = pytest.mark.postgres
EXAMPLES, MANY = 5, 300  # inputs of each sort, allowed and forbidden, for each operation and role
DOCUMENT = build_openapi(version="1.2.3", public_url="https://pickgate.example.com")
CALLS = calls_of(DOCUMENT)
WHO = [role.value for role in Role] + ["uk-only"]


def validator_of(schema: Any) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


ANSWERS: Mapping[tuple[str, str], Draft202012Validator] = {
    (call.id, status): validator_of(content["schema"])
    for call in CALLS
    for status, response in call.responses.items()
    for content in response["content"].values()
}


class Caller:
    """A program in a thread of its own, with one token."""

    def __init__(self, desk: Desk, who: str) -> None:
        self._host = urlsplit(desk.address).netloc
        self._token = desk.tokens[who]

    def send(self, call: Call, values: Mapping[str, Any]) -> tuple[int, Any]:
        """Send one request; check the answer against the document; return its status and content."""
        address, body = call.request(values)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(self._host, timeout=30)
        try:
            connection.request(call.method, address, body, headers)
            answer = connection.getresponse()
            status, kind, content = answer.status, answer.getheader("Content-Type"), json.loads(answer.read())
        finally:
            connection.close()
        told = f"{call.method} {address} {body!r} -> {status} {content}"
        assert status < 500, told
        assert str(status) in call.responses, told
        assert kind == ("application/json" if status == 200 else "application/problem+json"), told
        errors = [error.message for error in ANSWERS[call.id, str(status)].iter_errors(content)]
        assert errors == [], told
        assert status == 200 or STATUS[content["code"]] == status, told
        return status, content


def fuzz(caller: Caller, call: Call, known: Mapping[str, list[Any]], examples: int, *, may: bool) -> None:
    drawn = settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @drawn
    @given(allowed(call, known))
    def send_allowed(values: dict[str, Any]) -> None:
        status, _ = caller.send(call, values)
        assert may or status == 403

    @drawn
    @given(forbidden(call, known))
    def send_forbidden(values: dict[str, Any]) -> None:
        status, content = caller.send(call, values)
        assert status == (422 if may else 403), (values, content)

    send_allowed()
    send_forbidden()


@pytest.mark.parametrize("who", WHO)
async def test_the_api_holds_to_its_document(desk: Desk, who: str) -> None:
    await hold_to_it(desk, who, EXAMPLES)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("who", WHO)
async def test_the_api_holds_to_its_document_for_long(desk: Desk, who: str) -> None:
    await hold_to_it(desk, who, MANY)


async def hold_to_it(desk: Desk, who: str, examples: int) -> None:
    """Fuzz every operation with one token, on a desk with something of everything."""
    await desk.keep_late_edit()
    await desk.keep_unmapped()
    order = await desk.keep_waiting()
    number = await publish_rulebook(desk)
    desk.world.receive("CUP", 8)
    await desk.receive("5031", b"{}")
    known: dict[str, list[Any]] = {
        "ref": [str(order), "#1001", "1033"], "shop": ["uk"], "number": [number], "against": [number],
        "month": ["2026-11"], "code": ["LATE_EDIT"], "reason": ["Customer called"],
    }  # fmt: skip
    role = Role("admin" if who == "uk-only" else who)
    caller = Caller(desk, who)
    for call in CALLS:
        may = role in REGISTRY.get(call.id).roles
        await asyncio.to_thread(fuzz, caller, call, known, examples, may=may)


async def test_without_a_token_nothing_is_told(desk: Desk) -> None:
    desk.tokens |= {"forged": "pkg_" + "x" * 43}
    caller = Caller(desk, "forged")

    def ask() -> list[int]:
        values = {"ref": "1031", "id": "1", "number": "1", "code": "LATE_EDIT", "reason": "because"}
        wanted = [{name: values[name] for name in values if f"{{{name}}}" in call.path} for call in CALLS]
        return [caller.send(call, some)[0] for call, some in zip(CALLS, wanted, strict=True)]

    assert set(await asyncio.to_thread(ask)) == {401}
