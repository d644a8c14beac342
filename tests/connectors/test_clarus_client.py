"""HTTP: tokens, headers, pace, pauses, and what each failure means for a read and for a write."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from connectors.clarus_stub import START, Reply, ScriptedTenant, answer, finish, settings
from pickgate.clock import VirtualClock
from pickgate.connectors.clarus.client import READ_ATTEMPTS, ClarusClient
from pickgate.connectors.clarus.errors import (
    AccessRefused,
    ClarusProblem,
    NoAnswer,
    SaidNo,
    Throttled,
    Unexpected,
    Unreached,
)
from pickgate.connectors.clarus.pace import Pace
from pickgate.http import HttpRequest, HttpResponse, NothingSent, OutcomeUnknown

GOOD = answer({"data": {"ok": True}})
HTML = HttpResponse(status=200, headers={"Content-Type": "text/html"}, body=b"<html>Back soon</html>")


def script(*replies: Reply) -> ScriptedTenant:
    """A tenant that gives these replies in turn, and the last one ever after."""
    left = list(replies)
    return ScriptedTenant(lambda request: left.pop(0) if len(left) > 1 else left[0])


def client(tenant: ScriptedTenant, clock: VirtualClock | None = None, **changes: object) -> ClarusClient:
    return ClarusClient(settings(**changes), tenant, clock or VirtualClock(START))


def read(tenant: ScriptedTenant, clock: VirtualClock | None = None) -> object:
    return finish(client(tenant, clock).read("query", {"first": 1}))


def write(tenant: ScriptedTenant, clock: VirtualClock | None = None) -> object:
    return finish(client(tenant, clock).write("POST", "/goods_outs", {"data": {}})).body


def test_a_query_as_it_goes_out() -> None:
    tenant = script(GOOD)
    assert read(tenant) == {"ok": True}
    (request,) = tenant.requests
    assert (request.method, request.url) == ("POST", "http://clarus.test/graphql")
    assert json.loads(request.body) == {"query": "query", "variables": {"first": 1}}
    assert dict(request.headers) == {
        "Authorization": "Bearer token-1",
        "X-Clarus-Subdomain": "acme-warehouse",
        "Content-Type": "application/json",
        "Accept": "application/json",
    }


def test_paths_follow_the_settings() -> None:
    tenant = script(GOOD)
    other = client(tenant, base_url="http://other.test", api_prefix="/api/v1/", graphql_path="/gql")
    finish(other.write("POST", "/goods_outs/7/cancel", None))
    finish(other.read("query", {}))
    assert [request.url for request in tenant.requests] == [
        "http://other.test/api/v1/goods_outs/7/cancel",
        "http://other.test/gql",
    ]
    assert tenant.requests[0].body == b""


class TokenDesk:
    """Only the token endpoint."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        if not request.url.endswith("/oauth/token"):
            return GOOD
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply


@pytest.mark.parametrize(("scopes", "expected"), [("", None), ("read write", ["read write"])])
def test_the_token_request_is_a_form_with_scopes_only_when_set(scopes: str, expected: list[str] | None) -> None:
    desk = TokenDesk(answer({"access_token": "t"}))
    finish(ClarusClient(settings(scopes=scopes), desk, VirtualClock(START)).read("query", {}))
    (request,) = desk.requests
    assert request.header("content-type") == "application/x-www-form-urlencoded"
    form = parse_qs(request.body.decode())
    assert form.pop("scope", None) == expected
    assert form == {"grant_type": ["client_credentials"], "client_id": ["client"], "client_secret": ["secret"]}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer({"error": "invalid_client"}, 401), AccessRefused),
        (answer({"error": "invalid_request"}, 400), AccessRefused),
        (answer(b"<html>", 403), AccessRefused),
        (answer({"error": "busy"}, 503), Unreached),
        (HTML, Unreached),
        (answer({"token_type": "Bearer"}), Unreached),
        (answer({"access_token": ""}), Unreached),
        (answer([]), Unreached),
        (OutcomeUnknown("cut"), Unreached),
        (NothingSent("refused"), Unreached),
    ],
)
def test_without_a_token_nothing_is_sent(reply: Reply, kind: type[ClarusProblem]) -> None:
    desk = TokenDesk(reply)
    with pytest.raises(ClarusProblem) as caught:
        finish(ClarusClient(settings(), desk, VirtualClock(START)).write("POST", "/goods_outs", {}))
    assert type(caught.value) is kind
    assert len(desk.requests) == 1


@pytest.mark.parametrize(
    ("expires_in", "good_for_seconds"),
    [(7200, 7140), ("7200", 7140), (100, 90), (None, 3000), (0, 3000), (-5, 3000), ("soon", 3000), (True, 3000)],
)
def test_a_token_is_used_until_shortly_before_its_end(expires_in: object, good_for_seconds: int) -> None:
    tenant = ScriptedTenant(lambda request: GOOD, expires_in=expires_in)
    clock = VirtualClock(START)
    shared = client(tenant, clock)
    finish(shared.read("query", {}))
    clock.move_to(START + timedelta(seconds=good_for_seconds - 1))
    finish(shared.read("query", {}))
    assert tenant.tokens == 1
    clock.move_to(START + timedelta(seconds=good_for_seconds))
    finish(shared.read("query", {}))
    assert tenant.tokens == 2


def test_a_401_renews_the_token_once_and_sends_again() -> None:
    tenant = script(answer({"error": "expired"}, 401), GOOD)
    assert write(tenant) == {"data": {"ok": True}}
    assert [request.header("Authorization") for request in tenant.requests] == ["Bearer token-1", "Bearer token-2"]


def test_a_second_401_is_a_refusal() -> None:
    tenant = script(answer({"error": "no such tenant"}, 401))
    with pytest.raises(AccessRefused, match=r"^Clarus refused access \(401: no such tenant\)$"):
        read(tenant)
    assert (tenant.tokens, len(tenant.requests)) == (2, 2)


ONCE, AGAIN = 1, READ_ATTEMPTS


@pytest.mark.parametrize(
    ("reply", "read_kind", "reads", "write_kind"),
    [
        (answer({"errors": []}, 403), AccessRefused, ONCE, AccessRefused),
        (answer({}, 429), Throttled, AGAIN, Throttled),
        (answer({}, 408), NoAnswer, AGAIN, NoAnswer),
        (answer(b"<html>", 500), NoAnswer, AGAIN, NoAnswer),
        (answer({}, 503), NoAnswer, AGAIN, NoAnswer),
        (answer(b"", 302), NoAnswer, AGAIN, NoAnswer),
        (HTML, NoAnswer, AGAIN, NoAnswer),
        (answer(b'{"data": '), NoAnswer, AGAIN, NoAnswer),
        (answer(b"[" * 100_000), NoAnswer, AGAIN, NoAnswer),
        (answer({"errors": [{"symbol": "x"}]}, 422), SaidNo, ONCE, SaidNo),
        (answer({}, 404), SaidNo, ONCE, SaidNo),
        (answer({}, 400), SaidNo, ONCE, SaidNo),
        (NothingSent("refused"), Unreached, AGAIN, Unreached),
        (OutcomeUnknown("cut"), NoAnswer, AGAIN, NoAnswer),
    ],
)
def test_failures(reply: Reply, read_kind: type[ClarusProblem], reads: int, write_kind: type[ClarusProblem]) -> None:
    for act, kind, count in ((read, read_kind, reads), (write, write_kind, ONCE)):
        tenant = script(reply)
        with pytest.raises(ClarusProblem) as caught:
            act(tenant)
        assert type(caught.value) is kind
        assert len(tenant.requests) == count


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"message": "no such field"}]},
        {"errors": [{"message": "half"}], "data": {"ok": True}},
        {"errors": "odd"},
        {"data": None},
        {"data": []},
        {},
        [],
        None,
    ],
)
def test_graphql_errors_with_status_200_are_not_an_answer(body: object) -> None:
    tenant = script(answer(body))
    with pytest.raises(Unexpected):
        read(tenant)
    assert len(tenant.requests) == 1


def test_a_read_tries_again_and_succeeds() -> None:
    clock = VirtualClock(START)
    tenant = script(OutcomeUnknown("cut"), answer({}, 502), GOOD)
    assert read(tenant, clock) == {"ok": True}
    assert len(tenant.requests) == 3
    assert 1.5 <= (clock.now() - START).total_seconds() < 1.6


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "Tue, 10 Mar 2026 09:00:07 GMT"}, 7),
        ({"Retry_After": "?"}, 5),
        ({}, 5),
    ],
)
def test_after_a_429_nothing_is_sent_until_the_pause_is_over(header: dict[str, str], seconds: int) -> None:
    clock = VirtualClock(START)
    tenant = script(answer({}, 429, **header), GOOD)
    shared = client(tenant, clock)
    with pytest.raises(Throttled) as caught:
        finish(shared.write("POST", "/goods_outs", {}))
    assert caught.value.retry_at == START + timedelta(seconds=seconds)
    with pytest.raises(Throttled) as caught:
        finish(shared.write("POST", "/goods_outs", {}))
    assert caught.value.retry_at == START + timedelta(seconds=seconds)
    assert len(tenant.requests) == 1
    assert finish(shared.read("query", {})) == {"ok": True}
    assert clock.now() == START + timedelta(seconds=seconds)
    finish(shared.write("POST", "/goods_outs", {}))
    assert len(tenant.requests) == 3


def test_a_read_does_not_sit_through_a_long_pause() -> None:
    clock = VirtualClock(START)
    tenant = script(answer({}, 429, Retry_After="86400"), GOOD)
    shared = client(tenant, clock)
    for _ in range(2):
        with pytest.raises(Throttled) as caught:
            finish(shared.read("query", {}))
        assert caught.value.retry_at == START + timedelta(hours=1)
    assert (len(tenant.requests), clock.now()) == (1, START)


def test_requests_keep_the_pace() -> None:
    clock = VirtualClock(START)
    times = []

    def note(request: HttpRequest) -> Reply:
        times.append((clock.now() - START).total_seconds())
        return GOOD

    shared = client(ScriptedTenant(note), clock, requests_per_second=4)
    for _ in range(4):
        finish(shared.read("query", {}))
    assert times == [0, 0.25, 0.5, 0.75]
    clock.advance(60)
    finish(shared.read("query", {}))
    finish(shared.read("query", {}))
    assert times[4:] == [60.75, 61.0]


def test_one_pace_can_be_shared() -> None:
    clock = VirtualClock(START)
    pace = Pace(clock, requests_per_second=1)
    for tenant in (script(GOOD), script(GOOD)):
        finish(ClarusClient(settings(), tenant, clock, pace=pace).read("query", {}))
    assert clock.now() == START + timedelta(seconds=1)


def test_an_empty_answer_to_a_write_is_no_body() -> None:
    assert write(script(HttpResponse(status=204))) is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"errors": [{"code": 295, "symbol": "closed", "details": "Not open", "source": "start_time"}]},
         "Clarus answered 422: closed: Not open (start_time)"),
        ({"errors": [{"code": 298, "details": "Overlap"}, "odd", 5]}, "Clarus answered 422: 298: Overlap; odd"),
        ({"error": "plain"}, "Clarus answered 422: plain"),
        ([], "Clarus answered 422"),
    ],
)  # fmt: skip
def test_refusals_are_told_in_the_tenants_words(body: object, text: str) -> None:
    act: Callable[[ScriptedTenant], object] = write
    with pytest.raises(SaidNo) as caught:
        act(script(answer(body, 422)))
    assert caught.value.why == text
