"""The console in Chromium: readable, usable by keyboard, live, and nothing hostile runs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from api.serving import serve
from console.desk import HOSTILE, PASSWORD, Desk, browsing
from console.furniture import compare_stock, keep_money, publish_rulebook

CHROMIUM = Path("/usr/bin/chromium")
SHOTS = Path(__file__).parents[2] / "artefacts" / "screenshots"
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.postgres,
    pytest.mark.skipif(not os.access(CHROMIUM, os.X_OK), reason=f"{CHROMIUM} is not there: install chromium"),
]


@asynccontextmanager
async def chromium(desk: Desk, role: str = "admin", **context: Any) -> AsyncIterator[tuple[Page, list[str]]]:
    """Open a page that is logged in; yields it with everything its console complained about."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        try:
            opened = await browser.new_context(**context)
            page = await opened.new_page()
            complaints: list[str] = []
            page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            await page.goto(desk.address + "/login")
            await page.fill("#login", role)
            await page.fill("#password", PASSWORD)
            await page.click("button")
            await page.wait_for_url(desk.address + "/")
            yield page, complaints
        finally:
            await browser.close()


async def fill(desk: Desk) -> dict[str, str]:
    """Keep a few orders; returns the addresses of all pages by name."""
    late = await desk.keep_late_edit()
    await desk.keep_unmapped()
    waiting = await desk.keep_waiting()
    await desk.keep_waiting(HOSTILE, "5099", tags=(HOSTILE,))
    await desk.receive("5031", b'{"id": 5031}')
    async with browsing(desk, "ops") as browser:
        await browser.do("hold_order", ref=str(waiting), reason="Customer called about the address")
    number = await publish_rulebook(desk)
    await keep_money(desk, 4)
    await compare_stock(desk, CUP=7, TEA=3)
    desk.world.receive("TEA", 20)
    pages = {name: f"/{name}" for name in
             ("orders", "exceptions", "waiting", "drift", "effects", "audit", "health", "stock", "money", "rulebook",
              "handbook", "settings")}  # fmt: skip
    return pages | {
        "stock-now": "/stock/now",
        "money-orders": "/money?month=2026-11&sheet=orders",
        "rulebook-version": f"/rulebook/{number}?table=services",
        "rulebook-edit": f"/rulebook/{number}/edit?table=services",
        "rulebook-text": f"/rulebook/{number}/edit?table=skus&as=text",
        "rulebook-check": f"/rulebook/{number}/check",
        "rulebook-backtest": f"/rulebook/{number}/backtest",
        "runbook": "/handbook/LATE_EDIT",
        "today": "/",
        "order-late": f"/orders/{late}",
        "order-waiting": f"/orders/{waiting}",
        "order-hostile": "/orders/5099",
        "replay": f"/orders/{waiting}/replay",
        "missing": "/orders/nothing",
    }


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")], ids=["desk", "phone"])
async def test_every_page_is_accessible_and_fits(desk: Desk, width: int, scheme: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    pages = await fill(desk)
    viewport = {"width": width, "height": 900}
    async with chromium(desk, viewport=viewport, color_scheme=scheme) as (page, complaints):
        for name, path in pages.items():
            if width < 500 and name in (
                "drift",
                "effects",
                "audit",
                "replay",
                "order-late",
                "money-orders",
                "rulebook-text",
            ):
                continue  # these are made of the same parts as the others
            await page.goto(desk.address + path)
            overflow = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert overflow <= 0, f"{name} is {overflow} px too wide at {width} px"
            assert complaints == ([] if name != "missing" else complaints), name
            await page.screenshot(path=SHOTS / f"{name}-{width}.png", full_page=True)
            found = await Axe().run(page)
            violations = [
                (item["id"], [node["html"][:160] for node in item["nodes"]]) for item in found.response["violations"]
            ]
            assert violations == [], name
            complaints.clear()  # the checker's own
        await page.click("text=Log out")
        await page.wait_for_url(desk.address + "/login")
        await page.screenshot(path=SHOTS / f"login-{width}.png")
        assert (await Axe().run(page)).response["violations"] == []


async def test_a_hold_is_previewed_confirmed_and_seen_by_a_colleague_at_once(desk: Desk) -> None:
    number = await desk.keep_waiting()
    async with (
        chromium(desk, "cx") as (mine, complaints),
        chromium(desk, "viewer") as (theirs, _),
    ):
        await theirs.goto(f"{desk.address}/orders/{number}")
        await mine.goto(f"{desk.address}/orders/{number}")
        action = mine.locator("details.action", has=mine.locator("summary", has_text="Hold"))
        await action.locator("summary").click()
        await action.locator("textarea").fill("Customer called")
        await action.locator("button", has_text="Preview").click()
        await mine.wait_for_selector("#notices >> text=Preview, nothing was changed")
        assert await mine.locator("text=Held by").count() == 0
        await action.locator("button", has_text="Hold").click()
        await mine.wait_for_selector("#notices >> text=Done. #1031 is held")
        await mine.wait_for_selector("#live >> text=Held by cx")
        await theirs.wait_for_selector("#live >> text=Held by cx", timeout=10_000)
        assert complaints == []


async def test_a_form_that_is_being_filled_in_is_not_taken_away(desk: Desk) -> None:
    number = await desk.keep_waiting()
    async with chromium(desk, "ops") as (page, _), browsing(desk, "cx") as colleague:
        await page.goto(f"{desk.address}/orders/{number}")
        action = page.locator("details.action", has=page.locator("summary", has_text="Release now"))
        await action.locator("summary").click()
        await action.locator("textarea").fill("I was writing thi")
        await colleague.do("hold_order", ref=str(number), reason="Customer called")
        await page.wait_for_selector("text=Something changed.", timeout=10_000)
        assert await action.locator("textarea").input_value() == "I was writing thi"
        await action.locator("button", has_text="Release now").click()
        await page.wait_for_selector("#notices >> text=has changed since you saw it")
        await page.click("text=Show it")
        await page.wait_for_selector("#live >> text=Held by cx")


async def test_everything_can_be_done_by_keyboard(desk: Desk) -> None:
    number = await desk.keep_waiting()
    async with chromium(desk, "cx") as (page, _):
        await page.goto(f"{desk.address}/orders/{number}")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to content"
        await page.keyboard.press("Enter")
        for _step in range(40):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.textContent.trim()") == "Hold":
                break
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")  # how long
        await page.keyboard.press("Tab")  # reason
        await page.keyboard.type("Customer called")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#live >> text=Held by cx")


async def test_exceptions_are_chosen_and_resolved(desk: Desk) -> None:
    await desk.keep_late_edit()
    await desk.keep_unmapped()
    async with chromium(desk, "ops") as (page, complaints):
        await page.goto(desk.address + "/exceptions")
        await page.click("text=Choose all on this page")
        chosen = int(await page.inner_text("[data-chosen]"))
        assert chosen == await page.locator("input[name=ids]").count() > 1
        await page.fill("#bulk-reason", "All told")
        await page.click("#bulk >> text=Resolve")
        await page.wait_for_selector("#notices >> text=Done.")
        await page.wait_for_selector("text=Nothing open")
        assert complaints == []


async def test_a_row_of_the_rulebook_is_added_and_published(desk: Desk) -> None:
    number = await publish_rulebook(desk)
    async with chromium(desk, "ecommerce") as (page, complaints):
        await page.goto(f"{desk.address}/rulebook/{number}/edit?table=priorities")
        await page.fill('input[name="cell:priorities:1:tag"]', "vip")
        await page.fill('input[name="cell:priorities:1:priority"]', "1")
        await page.fill("#reason", "VIPs first")
        await page.click("text=Save as a new draft")
        await page.click("#notices >> text=Open version")
        await page.wait_for_selector(f"text=Changes since version {number}")
        action = page.locator("details.action", has=page.locator("summary", has_text="Publish"))
        await action.locator("summary").click()
        await action.locator("textarea").fill("VIPs first")
        await action.locator("button", has_text="Publish").click()
        await page.wait_for_selector(f"#notices >> text=decides from now on, instead of {number}")
        assert complaints == []


PAYLOADS = [
    "<script>window.owned=1</script>", "<img src=x onerror=window.owned=1>", "<svg/onload=window.owned=1>",
    '"><script>window.owned=1</script>', "'-window.owned=1-'", "javascript:window.owned=1", "{{7*7}}", "${7*7}",
    "<a href=javascript:window.owned=1>x</a>", "</title><script>window.owned=1</script>", 
    "<div hx-get=/ hx-trigger=load>",
    "<iframe srcdoc='<script>parent.owned=1</script>'>", "\u202e<script>window.owned=1</script>", "=HYPERLINK(1)",
    "<meta http-equiv=refresh content=0>", "<base href=//evil.example>", "<style>*{display:none}</style>", "]]><x>",
]  # fmt: skip


async def test_nothing_hostile_runs(desk: Desk) -> None:
    for number, payload in enumerate(PAYLOADS):
        await desk.keep_waiting(f"#{payload}", f"70{number}", tags=(payload,))
    async with chromium(desk, "admin") as (page, complaints):
        for path in [
            "/orders?limit=100",
            "/waiting",
            "/",
            *(f"/orders/70{number}" for number in range(0, len(PAYLOADS), 3)),
        ]:
            await page.goto(desk.address + path)
            assert await page.evaluate("window.owned === undefined"), path
            assert await page.locator("main").is_visible()
        assert "49" not in await page.title()
        assert complaints == []


async def test_a_form_on_another_site_changes_nothing(desk: Desk) -> None:
    number = await desk.keep_waiting()

    async def trap(_: object) -> HTMLResponse:
        return HTMLResponse(
            f'<form method="post" action="{desk.address}/do/hold_order"><input name="ref" value="{number}">'
            '<input name="reason" value="because"><button id="go">Win</button></form>'
        )

    async with serve(Starlette(routes=[Route("/", trap)])) as evil, chromium(desk, "admin") as (page, _):
        await page.goto(evil.replace("127.0.0.1", "localhost"))
        await page.click("#go")
        await page.wait_for_url(desk.address + "/**")
        await page.goto(f"{desk.address}/orders/{number}")
        assert await page.locator("text=Held by").count() == 0
    assert desk.woken == []
