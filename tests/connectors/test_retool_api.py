"""The resources API against the twin of Retool: one resource, made once, with the token where this Retool wants it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pickgate.clock import RealClock
from pickgate.connectors.retool.client import Diagnostic, Resource, RetoolApi
from pickgate.connectors.retool.errors import RetoolProblem, RetoolRefused, RetoolRejected, RetoolUnreached
from pickgate.connectors.transport import AiohttpTransport
from pickgate.twins.retool import RetoolTwin
from pickgate.twins.retool.twin import Fault
from pickgate.twins.server import serve_twin

ALL = {"resources:read", "resources:write", "apps:read"}
FIRST = "00000000-0000-4000-8000-000000000001"
MAKE = {"name": "Pickgate", "base_url": "https://pickgate.example.com", "api_token": "pkg_secret"}


@asynccontextmanager
async def talking(token: str = "good", **scopes: set[str]) -> AsyncIterator[tuple[RetoolTwin, RetoolApi]]:
    twin = RetoolTwin(RealClock(), tokens={"good": ALL, **scopes})
    served = await serve_twin(twin.handle)
    try:
        async with AiohttpTransport() as transport:
            yield twin, RetoolApi(url=served.url, token=token, transport=transport, timeout_seconds=0.4)
    finally:
        await served.aclose()


async def test_the_resource_is_created_once_with_a_bearer_token_and_the_persons_address() -> None:
    async with talking() as (twin, api):
        made = await api.ensure_resource(**MAKE)
        assert made == (Resource(id=FIRST, type="restapi", name="Pickgate"), True)
        assert await api.ensure_resource(**MAKE) == (made[0], False)
        assert twin.shelf.options == {
            FIRST: {
                "base_url": "https://pickgate.example.com",
                "headers": [["X-Pickgate-Actor", "{{ current_user.email }}"]],
                "authentication_options": {"authentication_type": "bearer", "bearer_token": "pkg_secret"},
            }
        }
        assert twin.seen == [("GET resources", 200), ("POST resources", 200), ("GET resources", 200)]


async def test_a_retool_without_bearer_tokens_gets_a_header() -> None:
    async with talking() as (twin, api):
        twin.knobs.knows_bearer = False
        assert (await api.ensure_resource(**MAKE))[1]
        assert twin.shelf.options[FIRST]["headers"] == [
            ["Authorization", "Bearer pkg_secret"],
            ["X-Pickgate-Actor", "{{ current_user.email }}"],
        ]
        assert twin.shelf.options[FIRST]["authentication_options"] == {"authentication_type": "none"}
        assert len(twin.shelf.resources) == 1


async def test_it_is_found_behind_other_resources_and_two_of_one_name_are_refused() -> None:
    async with talking() as (twin, api):
        for name in ("a", "b", "c", "d", "Pickgate"):
            await api.ensure_resource(**MAKE | {"name": name})
        assert [resource.name for resource in await api.list_resources()] == ["a", "b", "c", "d", "Pickgate"]
        assert (await api.ensure_resource(**MAKE))[1] is False
        twin.shelf.resources[0]["display_name"] = "Pickgate"
        with pytest.raises(RetoolRejected, match="2 REST resources called 'Pickgate'"):
            await api.ensure_resource(**MAKE)
        assert len(twin.shelf.resources) == 5


@pytest.mark.parametrize(
    ("token", "scopes", "says"),
    [
        ("wrong", set[str](), "refused GET resources \\(401\\).*Resources > Read"),
        ("poor", set[str](), "refused GET resources \\(403\\).*Resources > Read"),
        ("reader", {"resources:read"}, "refused POST resources \\(403\\).*Resources > Write"),
    ],
)
async def test_a_token_that_is_refused_is_named_with_its_scope(token: str, scopes: set[str], says: str) -> None:
    known = {} if token == "wrong" else {token: scopes}
    async with talking(token, **known) as (twin, api):
        with pytest.raises(RetoolRefused, match=says):
            await api.ensure_resource(**MAKE)
        assert twin.shelf.resources == []


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (Fault(status=502), RetoolUnreached, "could not answer GET resources \\(502\\)"),
        (Fault(status=0), RetoolUnreached, "no whole answer"),
        (Fault(status=0, hangs_seconds=0.6), RetoolUnreached, "no whole answer"),
        (Fault(status=302), RetoolRejected, "did not take GET resources \\(302\\).*retool.url"),
        (Fault(status=200, body=b"<html>"), RetoolProblem, "did not answer with JSON"),
        (Fault(status=200, body=b"[]"), RetoolProblem, "did not answer with an object"),
        (Fault(status=200, body=b"{}"), RetoolProblem, "did not answer with a list of resources"),
        (Fault(status=200, body=b'{"data": [{}]}'), RetoolProblem, "did not answer with a resource with an id"),
    ],
)
async def test_a_failure_is_told_with_a_remedy_and_creates_nothing(
    fault: Fault, kind: type[RetoolProblem], says: str
) -> None:
    async with talking() as (twin, api):
        twin.fail("GET resources", fault, fault)  # the transport sends a read that was dropped once more
        with pytest.raises(kind, match=says) as caught:
            await api.ensure_resource(**MAKE)
        assert caught.value.remedy and "pkg_secret" not in str(caught.value)
        assert twin.shelf.resources == []


async def test_a_creation_that_was_not_heard_is_found_the_next_time() -> None:
    async with talking() as (twin, api):
        twin.fail("POST resources", Fault(status=0, done=True))
        with pytest.raises(RetoolUnreached, match="Look in Retool whether it was done"):
            await api.ensure_resource(**MAKE)
        assert await api.ensure_resource(**MAKE) == (Resource(id=FIRST, type="restapi", name="Pickgate"), False)


async def test_retool_looks_at_the_toolscript() -> None:
    async with talking() as (twin, api):
        assert await api.validate_toolscript({"main.rsx": "<App />", "functions.rsx": "<GlobalFunctions />"}) == []
        assert twin.shelf.validated == [
            [
                {"path": "functions.rsx", "contents": "<GlobalFunctions />"},
                {"path": "main.rsx", "contents": "<App />"},
            ]
        ]
        twin.knobs.complaints.append(("main.rsx", "unexpected token"))
        assert await api.validate_toolscript({"main.rsx": "<App"}) == [
            Diagnostic(file="main.rsx", severity="error", message="unexpected token")
        ]
        twin.knobs.validates_toolscript = False
        assert await api.validate_toolscript({"main.rsx": "<App />"}) is None
