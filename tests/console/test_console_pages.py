"""Each page works, explains when it is empty, refuses what a role may not do, and has a JSON twin."""

from __future__ import annotations

import html
import json
import re

import pytest

from console.desk import HOSTILE, Desk, browsing
from console.furniture import publish_rulebook
from pickgate.console.pages import PAGES

pytestmark = pytest.mark.postgres

LISTS = ["/", "/orders", "/exceptions", "/waiting", "/drift", "/effects", "/audit", "/health"]


@pytest.mark.parametrize("path", LISTS)
async def test_an_empty_page_says_what_will_be_there(desk: Desk, path: str) -> None:
    async with browsing(desk, "admin") as browser:
        status, page, _ = await browser.get(path)
        assert status == 200
        assert '<div class="empty">' in page or path in ("/audit",)
        if path == "/audit":
            assert "create user" in page.lower()


@pytest.mark.parametrize("path", LISTS)
async def test_a_full_page_shows_its_orders(desk: Desk, path: str) -> None:
    await desk.keep_late_edit()
    await desk.keep_unmapped()
    await desk.keep_waiting()
    async with browsing(desk, "admin") as browser:
        status, page, _ = await browser.get(path)
        assert status == 200
        expected = {
            "/": ["#1001", "#1031", "LATE_EDIT"],
            "/orders": ["#1001", "#1031", "#1033", "Picking", "Waiting"],
            "/exceptions": ["LATE_EDIT", "SKU_UNMAPPED", "#1001", "#1033", "Customer care"],
            "/waiting": ["#1031", "Edit window"],
            "/drift": ["#1001"],
            "/health": ["LATE_EDIT"],
        }
        for words in expected.get(path, []):
            assert words in page


async def test_an_order_page_shows_gates_comparison_history_and_actions(desk: Desk) -> None:
    number = await desk.keep_late_edit()
    waiting = await desk.keep_waiting()
    async with browsing(desk, "ops") as browser:
        _, page, _ = await browser.get(f"/orders/{number}")
        for words in ("#1001", "Picking", "LATE_EDIT", "1001-1", "Take back from the warehouse", "≠"):
            assert words in page
        assert 'class="differs"' in page
        _, page, _ = await browser.get(f"/orders/{waiting}")
        for words in ("Edit window", "opens <time", "Release now", "Hold", "History"):
            assert words in page
        assert "Take back from the warehouse" not in page


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        ("viewer", set()),
        ("finance", {"look_at_order"}),
        ("cx", {"look_at_order", "release_order", "hold_order"}),
        ("ops", {"look_at_order", "release_order", "hold_order"}),
        ("admin", {"look_at_order", "release_order", "hold_order"}),
    ],
)
async def test_a_role_is_offered_only_what_it_may_do(desk: Desk, role: str, offered: set[str]) -> None:
    number = await desk.keep_waiting()
    async with browsing(desk, role) as browser:
        _, page, _ = await browser.get(f"/orders/{number}")
        assert set(re.findall(r'action="/do/(\w+)"', page)) == offered
        for operation in ("release_order", "hold_order", "look_at_order"):
            status, answer, _ = await browser.do(operation, ref=str(number), reason="because", dry_run="true")
            assert status == 200
            assert ("Preview, nothing was changed" in answer) == (operation in offered)


async def test_a_change_is_previewed_then_made_then_shown(desk: Desk) -> None:
    number = await desk.keep_waiting()
    async with browsing(desk, "cx") as browser:
        _, page, _ = await browser.get(f"/orders/{number}")
        version = page.partition('name="expected" value="')[2].partition('"')[0]
        asked = {"ref": str(number), "reason": "Customer called", "expected": version}
        _, answer, headers = await browser.do("hold_order", **asked, dry_run="true")
        assert "Preview, nothing was changed. #1031 is held until released." in _text(answer)
        assert "HX-Trigger" not in headers
        _, answer, headers = await browser.do("hold_order", **asked)
        assert "Done. #1031 is held until released." in _text(answer)
        assert headers["HX-Trigger"] == "pickgate-changed"
        _, page, _ = await browser.get(f"/orders/{number}")
        assert "Held by cx since" in _text(page)
        assert "Customer called" in page
        _, answer, _ = await browser.do("release_order", **asked)  # from a page that is stale by now
        assert "has changed since you saw it" in _text(answer)
        assert "held by cx (Customer called)" in _text(answer)
    assert desk.woken == [("uk", "5031")]


async def test_without_script_a_form_still_works(desk: Desk) -> None:
    number = await desk.keep_waiting()
    async with browsing(desk, "cx") as browser:
        fields = {"csrf": browser.csrf, "ref": str(number), "reason": "Customer called"}
        status, page, _ = await browser.post("/do/hold_order", fields, Referer=f"{desk.address}/orders/{number}")
        assert status == 200
        assert "Done. #1031 is held" in _text(page)
        assert f'href="/orders/{number}">Back' in page
        status, page, _ = await browser.post("/do/hold_order", {"csrf": browser.csrf, "ref": str(number)})
        assert status == 422
        assert "reason" in page


async def test_exceptions_are_resolved_in_bulk_with_the_versions_that_were_seen(desk: Desk) -> None:
    await desk.keep_late_edit()
    await desk.keep_unmapped()
    async with browsing(desk, "ops") as browser, browsing(desk, "cx") as colleague:
        _, page, _ = await browser.get("/exceptions")
        chosen = re.findall(r'name="ids" value="([^"]+)"', page)
        assert len(chosen) >= 2
        fields = [("csrf", browser.csrf), ("reason", "All told"), ("until", "2999-01-01T00:00:00+00:00"),
                  ("assignee", "me"), *(("ids", value) for value in chosen)]  # fmt: skip
        number = chosen[0].partition(":")[0]
        await colleague.do("assign_exception", ids=number, assignee="me")
        _, answer, _ = await browser.post("/do/resolve_exceptions", fields, HX_Request="true")
        assert "assigned to cx" in _text(answer)
        _, page, _ = await browser.get("/exceptions")
        fields = [("csrf", browser.csrf), ("reason", "All told"), ("assignee", "me")]
        fields += [("ids", value) for value in re.findall(r'name="ids" value="([^"]+)"', page)]
        _, answer, _ = await browser.post("/do/resolve_exceptions", fields, HX_Request="true")
        assert "Done." in answer
        _, page, _ = await browser.get("/exceptions")
        assert "Nothing open" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
async def test_a_page_has_a_json_twin_by_ending_and_by_accept(desk: Desk, page: object) -> None:
    number = await desk.keep_late_edit()
    version = await publish_rulebook(desk)
    async with browsing(desk, "admin") as browser:
        _, listed, _ = await browser.get("/exceptions.json")
        exception = json.loads(listed)["items"][0]["id"]
        path = str(page.path).replace("{ref}", str(number)).replace("{id}", str(exception))  # type: ignore[attr-defined]
        path = path.replace("{number}", str(version)).replace("{code}", "LATE_EDIT")
        twin = "/index.json" if path == "/" else path + ".json"
        first, by_ending, headers = await browser.get(twin)
        second, by_accept, _ = await browser.get(path, Accept="application/json")
        assert (first, second, headers["Content-Type"]) == (200, 200, "application/json")
        assert json.loads(by_ending) == json.loads(by_accept)


async def test_filters_live_in_the_address(desk: Desk) -> None:
    await desk.keep_late_edit()
    await desk.keep_waiting()
    async with browsing(desk, "viewer") as browser:
        _, page, _ = await browser.get("/orders?state=waiting&q=&shop=")
        assert "#1031" in page
        assert "#1001" not in page
        assert '<option value="waiting" selected>' in page
        status, page, _ = await browser.get("/orders?state=asleep")
        assert status == 422
        assert "state" in page


async def test_pages_are_turned(desk: Desk) -> None:
    for number in range(3):
        await desk.keep_waiting(f"#20{number}", f"60{number}")
    async with browsing(desk, "viewer") as browser:
        _, page, _ = await browser.get("/orders?limit=2&sort=name")
        assert "1–2 of 3" in page
        forward = html.unescape(re.search(r'href="([^"]+)">Next<', page)[1])  # type: ignore[index]
        _, page, _ = await browser.get(forward)
        assert "3–3 of 3" in page
        assert "#202" in page
        assert ">Previous<" in page


async def test_hostile_text_is_shown_as_text(desk: Desk) -> None:
    await desk.keep_waiting(HOSTILE, "5099", tags=(HOSTILE,))
    async with browsing(desk, "admin") as browser:
        for path in ("/", "/orders", "/waiting", "/orders/5099", f"/orders?q={'%3Cscript%3E'}"):
            _, page, _ = await browser.get(path)
            assert "<script>document" not in page
            assert "<img src=x" not in page
            assert re.search(r"<script(?! src=\"/static/)", page) is None
            assert " style=" not in page
        _, page, _ = await browser.get("/orders/5099")
        assert "<bdi>&lt;script&gt;document.title=&#34;owned&#34;" in page


async def test_a_raw_body_asks_for_a_reason_first(desk: Desk) -> None:
    number = await desk.keep_waiting()
    await desk.receive("5031", b'{"email":"ada@example.com"}')
    async with browsing(desk, "ops") as browser:
        _, page, _ = await browser.get(f"/orders/{number}")
        path = re.search(r'href="(/bodies/\d+)"', page)[1]  # type: ignore[index]
        _, page, _ = await browser.get(path)
        assert "ada@example.com" not in page
        _, page, _ = await browser.get(path + "?reason=Customer+disputes+it")
        assert "ada@example.com" in page
        assert "Customer disputes it" in (await browser.get("/audit"))[1]
    async with browsing(desk, "cx") as browser:
        assert "/bodies/" not in (await browser.get(f"/orders/{number}"))[1]
        assert (await browser.get(path + "?reason=curious"))[0] == 403


async def test_what_is_not_there_is_a_page_for_people(desk: Desk) -> None:
    async with browsing(desk, "viewer") as browser:
        status, page, headers = await browser.get("/orders/nothing", Accept="text/html")
        assert (status, headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert "There is no order" in page
        status, page, headers = await browser.get("/nowhere", Accept="text/html")
        assert (status, headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        await desk.store.aclose()
        status, page, headers = await browser.get("/orders", Accept="text/html")
        assert (status, headers["Content-Type"]) == (503, "text/html; charset=utf-8")
        assert "The database cannot be reached" in page


async def test_an_open_page_is_told_of_changes_even_those_between_two_connections(desk: Desk) -> None:
    number = await desk.keep_waiting()
    async with browsing(desk, "ops") as browser:
        async with browser.http.get(desk.address + "/events") as stream:
            assert stream.headers["Content-Type"].startswith("text/event-stream")
            first = (await stream.content.readuntil(b"\n\n")).decode()
            assert re.fullmatch(r"retry: 1000\nid: (\S+)\n\n", first)
            await browser.do("hold_order", ref=str(number), reason="Customer called")
            told = (await stream.content.readuntil(b"\n\n")).decode()
            mark = re.fullmatch(r"event: changed\nid: (\S+)\ndata: \1\n\n", told)
            assert mark is not None
        await browser.do("unhold_order", ref=str(number))
        seen = {"Last-Event-ID": mark[1]}
        async with browser.http.get(desk.address + "/events", headers=seen) as stream:
            assert b"event: changed" in await stream.content.readuntil(b"\n\n")
        await desk.app.close_streams()


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", page)))
