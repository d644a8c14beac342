"""Log in, sessions, forged forms, headers."""

from __future__ import annotations

import asyncio
import time

import pytest

from console.desk import PASSWORD, Desk, browsing, open_desk
from pickgate.api.security import CONTENT_SECURITY_POLICY
from pickgate.console.pages import PAGES

pytestmark = pytest.mark.postgres


async def test_logging_in_opens_a_session_under_a_new_id(desk: Desk) -> None:
    async with browsing(desk) as browser:
        browser.http.cookie_jar.update_cookies({"pickgate": "x" * 43})
        status, _, headers = await browser.post("/login", {"login": "OPS", "password": PASSWORD})
        assert (status, headers["Location"]) == (303, "/")
        cookie = headers.getall("Set-Cookie")[-1]  # type: ignore[attr-defined]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "x" * 43 not in cookie
        assert (await browser.get("/"))[0] == 200


async def test_over_https_the_cookie_is_bound_to_the_host(database: str) -> None:
    async with open_desk(database, public_url="https://gate.example.com") as desk, browsing(desk) as browser:
        _, _, headers = await browser.post(
            "/login", {"login": "ops", "password": PASSWORD}, origin="https://gate.example.com"
        )
        cookie = headers.getall("Set-Cookie")[-1]  # type: ignore[attr-defined]
        assert cookie.startswith("__Host-pickgate=")
        assert "Secure" in cookie
        assert "Domain" not in cookie
        assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


async def test_wrong_names_and_wrong_passwords_are_told_alike_and_take_alike(desk: Desk) -> None:
    async with browsing(desk) as browser:
        answers, quickest = [], []
        for login in ("ops", "nobody-of-that-name"):
            took = []
            for _ in range(3):
                started = time.perf_counter()
                status, page, _ = await browser.post("/login", {"login": login, "password": "wrong"})
                took.append(time.perf_counter() - started)
            quickest.append(min(took))
            answers.append((status, page.replace(login, "X")))
        assert answers[0] == answers[1]
        assert answers[0][0] == 401
        assert max(quickest) < 5 * min(quickest)  # not to check a password would be a hundred times quicker


async def test_guessing_is_slowed_down_and_the_right_password_waits_too(desk: Desk) -> None:
    async with browsing(desk) as browser:
        for _ in range(5):
            assert (await browser.post("/login", {"login": "ops", "password": "wrong"}))[0] == 401
        status, page, headers = await browser.post("/login", {"login": "Ops", "password": PASSWORD})
        assert (status, headers["Retry-After"]) == (429, "901")
        assert "Too many attempts" in page
        assert (await browser.post("/login", {"login": "cx", "password": PASSWORD}))[0] == 303
        desk.clock.advance(901)
        async with browsing(desk) as other:
            assert await other.log_in("ops") == 303


async def test_a_session_ends_when_idle_when_old_when_left_and_when_the_user_is_disabled(desk: Desk) -> None:
    async with browsing(desk, "ops") as idle:
        desk.clock.advance(31 * 60)
        assert (await idle.get("/"))[0] == 303
    async with browsing(desk, "ops") as old:
        for _ in range(36):
            desk.clock.advance(20 * 60)
            status, _, _ = await old.get("/health")
        assert status == 303
    async with browsing(desk, "ops") as leaving:
        cookies = {cookie.key: cookie.value for cookie in leaving.http.cookie_jar}
        assert (await leaving.post("/logout", {"csrf": leaving.csrf}))[0] == 303
        leaving.http.cookie_jar.update_cookies(cookies)
        assert (await leaving.get("/"))[0] == 303
    async with browsing(desk, "ops") as disabled:
        await desk.access.disable_user(name="ops", by="test", now=desk.clock.now())
        assert (await disabled.get("/"))[0] == 303


async def test_pages_and_changes_need_a_session(desk: Desk) -> None:
    async with browsing(desk) as browser:
        for page in PAGES:
            path = page.path.replace("{ref}", "1").replace("{id}", "1")
            status, _, headers = await browser.get(path)
            assert (status, headers["Location"].partition("?")[0]) == (303, "/login")
            assert (await browser.get(path, Accept="application/json"))[0] == 401
        assert (await browser.get("/events"))[0] == 204
        assert (await browser.get("/bodies/1"))[0] == 303
        assert (await browser.post("/do/hold_order", {"ref": "1", "reason": "because"}))[0] == 303
    assert desk.woken == []


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [("/orders?q=1", "/orders?q=1"), ("https://evil.example", "/"), ("//evil.example", "/"), ("/\\evil.example", "/"),
     ("/a\r\nSet-Cookie:x", "/"), ("javascript:alert(1)", "/")],
)  # fmt: skip
async def test_after_logging_in_one_stays_on_this_site(desk: Desk, wanted: str, leads_to: str) -> None:
    async with (
        browsing(desk) as browser,
        browser.http.post(
            desk.address + "/login",
            params={"next": wanted},
            data={"login": "ops", "password": PASSWORD},
            headers={"Origin": desk.address},
            allow_redirects=False,
        ) as answer,
    ):
        assert (answer.status, answer.headers["Location"]) == (303, leads_to)


FORGERIES = [
    ("no token", {"csrf": ""}, {}),
    ("another token", {"csrf": "0" * 64}, {}),
    ("another site by origin", {}, {"Origin": "https://evil.example"}),
    ("no origin known", {}, {"Origin": "null"}),
    ("another site by fetch metadata", {}, {"Sec-Fetch-Site": "cross-site"}),
    ("another site of this domain", {}, {"Sec-Fetch-Site": "same-site"}),
]


@pytest.mark.parametrize(("fields", "headers"), [case[1:] for case in FORGERIES], ids=[case[0] for case in FORGERIES])
async def test_a_forged_form_changes_nothing(desk: Desk, fields: dict[str, str], headers: dict[str, str]) -> None:
    number = await desk.keep_waiting()
    async with browsing(desk, "ops") as browser:
        asked = {"csrf": browser.csrf, "ref": str(number), "reason": "because"} | fields
        sent = {"Origin": desk.address} | headers
        async with browser.http.post(desk.address + "/do/hold_order", data=asked, headers=sent) as answer:
            assert answer.status == 403
        async with browser.http.post(desk.address + "/do/hold_order", data=asked) as answer:
            assert answer.status == 403  # neither Origin nor Sec-Fetch-Site: not a browser's form
        assert "Held by" not in (await browser.get(f"/orders/{number}"))[1]
    assert desk.woken == []


async def test_the_form_token_of_one_session_is_nothing_in_another(desk: Desk) -> None:
    number = await desk.keep_waiting()
    async with browsing(desk, "ops") as mine, browsing(desk, "cx") as theirs:
        assert mine.csrf != theirs.csrf
        status, _, _ = await mine.post("/do/hold_order", {"csrf": theirs.csrf, "ref": str(number), "reason": "because"})
        assert status == 403


async def test_every_answer_carries_the_security_headers(desk: Desk) -> None:
    async with browsing(desk, "admin") as browser:
        paths = [page.path.replace("{ref}", "1").replace("{id}", "1") for page in PAGES]
        for path in [*paths, "/login", "/nothing", "/healthz", "/metrics", "/openapi.json", "/api/v1/orders"]:
            _, _, headers = await browser.get(path)
            assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY, path
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Referrer-Policy"] == "same-origin"
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert headers["Cache-Control"] == "no-store"
        for name in ("console.css", "console.js", "vendor/htmx.min.js", "vendor/htmx-LICENSE.md", "icon.svg"):
            status, _, headers = await browser.get(f"/static/{name}")
            assert (status, headers["Cache-Control"]) == (200, "public, max-age=86400")
    assert "'unsafe" not in CONTENT_SECURITY_POLICY


async def test_many_log_ins_do_not_keep_webhooks_waiting(desk: Desk) -> None:
    async with browsing(desk) as browser:
        guesses = [
            asyncio.create_task(browser.post("/login", {"login": f"nobody{number}", "password": "wrong"}))
            for number in range(6)
        ]
        await asyncio.sleep(0.05)
        started = time.perf_counter()
        status, _, _ = await browser.post("/webhooks/clarus/unguessable-token", {"id": "1"})
        assert (status, time.perf_counter() - started < 0.9) == (200, True)
        assert [answer[0] for answer in await asyncio.gather(*guesses)] == [401] * 6
