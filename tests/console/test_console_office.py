"""Stock, money, rulebook, handbook and settings in the console."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from typing import Any

import aiohttp
import pytest
from openpyxl import Workbook, load_workbook
from starlette.requests import Request
from starlette.types import Message

from console.desk import Browser, Desk, browsing, open_desk
from console.furniture import LOCATIONS, compare_stock, keep_money, publish_rulebook
from pickgate.api.problems import Problem
from pickgate.console.forms import MOST_BYTES, read_form
from pickgate.domain.findings import CODES
from pickgate.rulebook.tables import SHAPES

pytestmark = pytest.mark.postgres


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


async def rows_of(browser: Browser, path: str) -> list[list[str]]:
    status, body, headers = await browser.get(path)
    assert (status, headers["Content-Type"]) == (200, "text/csv; charset=utf-8"), body
    assert headers["Content-Disposition"].startswith('attachment; filename="')
    return list(csv.reader(io.StringIO(body.removeprefix("\ufeff"))))


EMPTY = {
    "/stock": "No level has been compared yet.",
    "/money": "Nothing to show for 2026-11.",
    "/rulebook": "There is no rulebook yet.",
    "/handbook?q=unheard": "No page matches.",
    "/stock/now": "The shop shows what it should.",
}


@pytest.mark.parametrize("path", EMPTY)
async def test_an_empty_page_teaches(desk: Desk, path: str) -> None:
    async with browsing(desk, "admin") as browser:
        status, page, _ = await browser.get(path)
        assert status == 200
        assert '<div class="empty">' in page
        assert EMPTY[path] in text_of(page)


# ── handbook and settings ────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_handbook_lists_every_code_under_its_owner(desk: Desk) -> None:
    async with browsing(desk, "viewer") as browser:
        _, page, _ = await browser.get("/handbook")
        assert set(re.findall(r'href="/handbook/([A-Z_]+)"', page)) == set(CODES)
        assert "Customer care owns 4" in text_of(page)
        _, page, _ = await browser.get("/handbook?owner=finance")
        assert set(re.findall(r'href="/handbook/([A-Z_]+)"', page)) == {"MONEY_UNEXPLAINED", "REFUND_OVER_CAPTURE"}


async def test_a_runbook_is_rendered_and_shows_what_is_open(desk: Desk) -> None:
    await desk.keep_late_edit()
    async with browsing(desk, "viewer") as browser:
        status, page, _ = await browser.get("/handbook/LATE_EDIT")
        assert status == 200
        assert "<h1>LATE_EDIT: edited after the warehouse began</h1>" in page
        assert "<li><code>cancel_in_warehouse</code>: asks Clarus" in page
        assert 'href="/exceptions?code=LATE_EDIT">1<' in page
        assert (await browser.get("/handbook/NOTHING"))[0] == 404
        _, listed, _ = await browser.get("/exceptions.json")
        _, page, _ = await browser.get(f"/exceptions/{json.loads(listed)['items'][0]['id']}")
        assert 'href="/handbook/LATE_EDIT"' in page


async def test_settings_are_shown_without_secrets(desk: Desk) -> None:
    async with browsing(desk, "ops") as browser:
        status, page, _ = await browser.get("/settings")
        assert status == 200
        assert "shops[0].window.edit_window" in page
        assert "postgresql://pickgate:***@db.example.com/pickgate" in page
        _, listed, _ = await browser.get("/settings.json")
        found = {row["key"]: row for row in json.loads(listed)["items"]}
        assert found["shops[0].window.edit_window"]["value"] == "30m"
        assert found["shops[0].window.edit_window"]["is_default"] is True
        assert (found["shops[0].client_secrets"]["value"], found["shops[0].client_secrets"]["is_secret"]) == (
            "2 set, not shown", True,
        )  # fmt: skip
        assert found["shops[0].client_secret"]["value"] == "not set"
        for secret in ("hunter2", "shpat_secret", "clarus-secret", "k" * 32):
            assert secret not in page
            assert secret not in listed
    async with browsing(desk, "cx") as browser:
        assert (await browser.get("/settings"))[0] == 403
        assert 'href="/settings"' not in (await browser.get("/"))[1]


# ── stock ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_stock_is_compared_previewed_and_published(desk: Desk) -> None:
    desk.world.receive("CUP", 8)
    async with browsing(desk, "ops") as browser:
        _, page, _ = await browser.get("/stock/now")
        assert "CUP" in page
        assert '<svg class="chart"' in page
        assert desk.world.calls == []
        _, answer, _ = await browser.do("publish_stock", dry_run="true")
        assert re.search(r"Preview, nothing was changed\. \w+ \w+: 1 of 3 levels would be set\.", text_of(answer))
        assert desk.world.calls == []
        _, answer, _ = await browser.do("publish_stock", reason="stocktake over")
        assert "1 of 1 levels set." in text_of(answer)
        assert desk.world.levels["CUP"].available == 8
        _, page, _ = await browser.get("/stock?q=CUP")
        assert re.findall(r'<span class="code"><bdi>(\w+)<', page) == ["CUP", "SET"]  # a set holds a cup
        assert "Set since" in page
        heading, *rows = await rows_of(browser, "/stock.csv")
        assert [row[heading.index("sku")] for row in rows] == ["CUP", "SET", "TEA"]
        assert rows[0][heading.index("target")] == "8"
    async with browsing(desk, "viewer") as browser:
        _, page, _ = await browser.get("/stock/now")
        assert "/do/publish_stock" not in page


# ── money ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_month_is_drawn_listed_and_saved(desk: Desk) -> None:
    await keep_money(desk)
    async with browsing(desk, "finance") as browser:
        status, page, _ = await browser.get("/money")
        assert status == 200
        for words in ("Placed by day, GBP", "<title>2026-11-03: ", "Adds up", "2026-11-02", "Save all as a workbook"):
            assert words in page
        assert "Moved by edits" not in page  # nothing was edited, so nothing is drawn
        _, page, _ = await browser.get("/money?month=2026-11&sheet=orders&shop=")
        assert "20.00" in page
        heading, *rows = await rows_of(browser, "/money/file?month=2026-11&sheet=days")
        assert [row[heading.index("day")] for row in rows[:2]] == ["2026-11-02", "2026-11-03"]
        async with browser.http.get(desk.address + "/money/file?month=2026-11&format=xlsx") as answer:
            assert answer.status == 200
            assert "summary" in load_workbook(io.BytesIO(await answer.read())).sheetnames
        _, page, _ = await browser.get("/money?month=2026-10")
        assert "Nothing to show for 2026-10" in page
        assert (await browser.get("/money?month=soon"))[0] == 422
        assert (await browser.get("/money/file?month=2026-11&format=json"))[0] == 404
    async with browsing(desk, "viewer") as browser:
        assert (await browser.get("/money"))[0] == 403
        assert (await browser.get("/money/file?month=2026-11"))[0] == 403
        assert 'href="/money"' not in (await browser.get("/"))[1]


# ── rulebook ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def fields_of(page: str) -> dict[str, str]:
    """Read a form as a browser would send it."""
    found = re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found if name != "login"}


async def test_a_table_is_edited_checked_tried_published_and_gone_back_from(desk: Desk) -> None:
    first = await publish_rulebook(desk)
    await desk.keep_waiting()
    async with browsing(desk, "ecommerce") as browser:
        _, page, _ = await browser.get(f"/rulebook/{first}/edit?table=services")
        fields = fields_of(page)
        assert fields["cell:services:1:shipping_title"] == "Next Day*"
        fields |= {"cell:services:3:shipping_title": "Saturday", "cell:services:3:carrier": "DPD",
                   "cell:services:3:service": "ND", "place:services:3": "0.5", "reason": "Saturdays too"}  # fmt: skip
        _, answer, _ = await browser.post("/do/save_rulebook", fields | {"dry_run": "true"}, HX_Request="true")
        assert "Preview, nothing was changed. Nothing is saved: 1 rows differ" in text_of(answer)
        _, answer, _ = await browser.post("/do/save_rulebook", fields, HX_Request="true")
        assert "Saved as draft" in answer
        second = int(re.search(r'href="/rulebook/(\d+)"', answer)[1])  # type: ignore[index]
        _, page, _ = await browser.get(f"/rulebook/{second}?table=services")
        told = text_of(page)
        assert f"Changes since version {first}" in told
        assert "Saturdays too" in told
        assert re.search(r"1 any Saturday any any DPD ND 2 any Next Day", told)  # it was moved to the top
        _, page, _ = await browser.get(f"/rulebook/{second}/check")
        assert "No error: it may be published." in page
        _, page, _ = await browser.get(f"/rulebook/{second}/backtest?orders=10")
        assert "Of the newest 1 orders" in text_of(page)
        publication = {"number": str(second), "expected": str(first), "reason": "Saturdays too"}
        _, answer, _ = await browser.do("publish_rulebook", **publication)
        assert f"Version {second} decides from now on, instead of {first}." in text_of(answer)
        _, answer, _ = await browser.do("publish_rulebook", **publication | {"number": str(first)})
        assert "Somebody has published another version meanwhile" in text_of(answer)
        publication = {"number": str(first), "expected": str(second), "reason": "and back"}
        assert "Done." in (await browser.do("publish_rulebook", **publication))[1]


async def test_a_table_is_edited_as_text_and_a_wrong_cell_is_named(desk: Desk) -> None:
    number = await publish_rulebook(desk)
    async with browsing(desk, "ecommerce") as browser:
        _, page, _ = await browser.get(f"/rulebook/{number}/edit?table=priorities&as=text")
        text = html.unescape(page.partition('name="text"')[2].partition(">")[2].partition("</textarea>")[0])
        assert text == "shop,tag,shipping_title,country,priority\n"
        pasted = "shop\ttag\tshipping_title\tcountry\tpriority\nuk\tvip\t\t\t{}\n"
        form = {"csrf": browser.csrf, "base": str(number), "table": "priorities"}
        _, answer, _ = await browser.post("/do/save_rulebook", form | {"text": pasted.format(0)}, HX_Request="true")
        assert 'priorities.csv, row 1 (line 2), column "priority"' in text_of(answer)
        _, answer, _ = await browser.post("/do/save_rulebook", form | {"text": pasted.format(1)}, HX_Request="true")
        assert "1 rows differ" in answer


async def test_a_workbook_is_sent_and_saved(desk: Desk) -> None:
    number = await publish_rulebook(desk)
    async with browsing(desk, "ecommerce") as browser:
        async with browser.http.get(f"{desk.address}/rulebook/{number}/file") as answer:
            body = await answer.read()
            assert answer.headers["Content-Disposition"] == f'attachment; filename="rulebook-{number}.xlsx"'
        assert set(load_workbook(io.BytesIO(body)).sheetnames) >= set(SHAPES)
        rows = await rows_of(browser, f"/rulebook/{number}/file?table=locations")
        assert rows == list(csv.reader(io.StringIO(LOCATIONS)))
        assert (await browser.get(f"/rulebook/{number}/file?table=nothing"))[0] == 404

        async def send(content: bytes) -> str:
            form = aiohttp.FormData({"csrf": browser.csrf})
            form.add_field("workbook", content, filename="rules.xlsx")
            return (await browser.post("/do/save_rulebook", form, HX_Request="true"))[1]

        assert "0 rows differ" in await send(body)
        assert "INPUT" not in await send(body)
        empty: Any = io.BytesIO()
        Workbook().save(empty)
        assert "is missing" in await send(empty.getvalue())


@pytest.mark.parametrize("length", [str(MOST_BYTES + 1), "", "-1", "1e3"])
async def test_a_form_that_may_be_too_large_is_refused_unread(length: str) -> None:
    async def receive() -> Message:
        raise AssertionError("it was read")

    headers = [(b"content-length", length.encode())] if length else []
    with pytest.raises(Problem) as refused:
        await read_form(Request({"type": "http", "method": "POST", "headers": headers}, receive))
    assert refused.value.code == "TOO_LARGE"


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_list_is_saved_whole_and_no_cell_is_a_formula(desk: Desk) -> None:
    await desk.keep_waiting("=HYPERLINK(1)", "6001", tags=("a",))
    for number in range(3):
        await desk.keep_waiting(f"#20{number}", f"60{number}")
    async with browsing(desk, "viewer") as browser:
        _, page, _ = await browser.get("/orders?sort=name&limit=2&state=waiting")
        link = html.unescape(re.search(r'href="([^"]+)">Save as CSV', page)[1])  # type: ignore[index]
        assert link == "/orders.csv?sort=name&state=waiting"
        heading, *rows = await rows_of(browser, link)
        assert heading[:5] == ["id", "shop", "name", "shopify_id", "state"]
        assert sorted(row[2] for row in rows) == ["#200", "#201", "#202", "'=HYPERLINK(1)"]
        assert rows[0][heading.index("gates")].startswith("edit_window")
        for path in ("/exceptions.csv", "/waiting.csv", "/drift.csv", "/effects.csv", "/handbook.csv", "/rulebook.csv"):
            assert (await rows_of(browser, path))[0]
        assert (await browser.get("/orders.csv?state=asleep"))[0] == 422
        assert (await browser.get("/audit.csv"))[0] == 403
    async with browsing(desk) as nobody:
        assert (await nobody.get("/orders.csv"))[0] == 303


async def test_times_are_those_of_the_console_s_zone(database: str) -> None:
    async with open_desk(database, zone="Asia/Tokyo") as desk:
        number = await desk.keep_waiting()
        async with browsing(desk, "ops") as browser:
            _, page, _ = await browser.get(f"/orders/{number}")
            assert 'title="2026-11-24 20:55:00 JST"' in page  # placed at 11:55 UTC
            assert "times are those of Asia/Tokyo" in page
            assert 'value="2026-11-25T07:00:00+09:00">until tomorrow, 07:00 JST' in page


async def test_compared_levels_are_listed(desk: Desk) -> None:
    await compare_stock(desk, CUP=3)
    async with browsing(desk, "viewer") as browser:
        _, page, _ = await browser.get("/stock")
        assert len(re.findall("Set since", page)) == 1
        assert '<svg class="chart"' not in page
        _, page, _ = await browser.get("/stock?q=nothing+like+it")
        assert "No level matches." in page
