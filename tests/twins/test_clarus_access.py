from __future__ import annotations

import base64

import pytest

from pickgate.http import HttpRequest
from twins.clarus_kit import TEA, Kit, order_body


def test_token_reply_names_type_and_life() -> None:
    reply = Kit(token_life_seconds=600).ask_token()
    body = reply.json()
    assert reply.status == 200
    assert (body["token_type"], body["expires_in"], len(body["access_token"])) == ("Bearer", 600, 40)


def test_token_life_may_be_untold() -> None:
    assert set(Kit(token_reply_tells_life=False).ask_token().json()) == {"access_token", "token_type"}


def test_token_for_basic_and_json_clients() -> None:
    kit = Kit()
    basic = base64.b64encode(b"id:secret").decode()
    by_header = HttpRequest(
        method="POST",
        url="https://clarus.test/oauth/token",
        headers={"Authorization": f"Basic {basic}"},
        body=b"grant_type=client_credentials",
    )
    by_json = HttpRequest(
        method="POST",
        url="https://clarus.test/oauth/token",
        headers={"Content-Type": "application/json"},
        body=b'{"grant_type":"client_credentials","client_id":"id","client_secret":"secret"}',
    )
    assert [kit.twin.handle(request).status for request in (by_header, by_json)] == [200, 200]


def test_wrong_secret_and_wrong_grant_are_refused() -> None:
    kit = Kit()
    assert (kit.ask_token("guess").status, kit.ask_token("guess").json()) == (401, {"error": "invalid_client"})
    other = HttpRequest(method="POST", url="https://clarus.test/oauth/token", body=b"grant_type=password")
    assert kit.twin.handle(other).status == 400


@pytest.mark.parametrize(
    ("header", "value"),
    [("Authorization", ""), ("Authorization", "Bearer nonsense"), ("X-Clarus-Subdomain", "other")],
)
@pytest.mark.parametrize("path", ["/api/goods_outs", "/graphql"])
def test_requests_without_the_right_identity_get_401(header: str, value: str, path: str) -> None:
    kit = Kit()
    kit.headers[header] = value
    response = kit.call("POST", path, order_body((TEA, 1)))
    assert response.status == 401
    assert list(response.json()) == ["error"]
    assert kit.twin.history.of_kind("goods_out_created") == []


def test_token_expires_after_its_life() -> None:
    kit = Kit(token_life_seconds=60)
    kit.clock.advance(59)
    assert kit.create((TEA, 1)).status == 200
    kit.clock.advance(1)
    assert kit.create((TEA, 1)).status == 401
    kit.sign_in()
    assert kit.create((TEA, 1)).status == 200


@pytest.mark.parametrize(("one_session", "expected"), [(True, 401), (False, 200)])
def test_a_second_sign_in_may_end_the_first(one_session: bool, expected: int) -> None:
    kit = Kit(one_session=one_session)
    kit.ask_token()
    assert kit.create((TEA, 1)).status == expected


def test_revoked_tokens_are_worthless() -> None:
    kit = Kit()
    kit.twin.revoke_tokens()
    assert kit.create((TEA, 1)).status == 401


@pytest.mark.parametrize(
    ("prefixes", "answers"),
    [(("/api", "/api/v1"), [200, 200]), (("/api/v1",), [404, 200]), (("/api",), [200, 404])],
)
def test_prefix_is_a_knob(prefixes: tuple[str, ...], answers: list[int]) -> None:
    kit = Kit(prefixes=prefixes)
    body = order_body((TEA, 1))
    assert [kit.call("POST", f"{p}/goods_outs", body).status for p in ("/api", "/api/v1")] == answers


def test_limiter_answers_429_with_retry_after() -> None:
    kit = Kit(requests_per_second=2)
    statuses = [kit.create((TEA, 1)).status for _ in range(2)]
    refused = kit.create((TEA, 1))
    assert (statuses, refused.status, refused.header("Retry-After")) == ([200, 200], 429, "1")
    kit.clock.advance(1)
    assert kit.create((TEA, 1)).status == 200
    assert len(kit.twin.history.of_kind("goods_out_created")) == 3


def test_limiter_may_name_no_time() -> None:
    kit = Kit(requests_per_second=1, retry_after_seconds=None)
    kit.create((TEA, 1))
    assert kit.create((TEA, 1)).header("Retry-After") is None


def test_unknown_paths_and_unreadable_bodies() -> None:
    kit = Kit()
    assert kit.call("POST", "/api/nonsense").status == 404
    assert kit.call("GET", "/api/goods_outs").status == 404
    broken = HttpRequest(method="POST", url="https://clarus.test/api/goods_outs", headers=kit.headers, body=b"{")
    response = kit.twin.handle(broken)
    assert (response.status, response.json()["errors"][0]["symbol"]) == (422, "unreadable_body")
