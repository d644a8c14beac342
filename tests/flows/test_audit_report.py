"""The report of a played month: one file, no script, nothing fetched, everything escaped; CSV and JSON say the same."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from flows.audit_kit import Desk
from pickgate.audit_report import Frame, render_csv_files, render_json, render_page
from pickgate.domain.lookback import Lookback
from pickgate.simulation.naive import play_month


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lookback, Frame]:
    desk = Desk(play_month(1), Path(tmp_path_factory.mktemp("audit")))
    frame = Frame(since=desk.until - timedelta(days=31), until=desk.until, domains={"uk": "demo-uk.myshopify.com"})
    return desk.run(), frame


class Outline(HTMLParser):
    """Checks that tags close in order, and collects what the page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "col", "link", "img", "br"):
            self.open.append(tag)
        if tag in ("script", "link", "img", "iframe"):
            self.fetched.append(tag)
        self.fetched += [
            f"{name}={value}" for name, value in attrs if name in ("src", "style") or name.startswith("on")
        ]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def outline(page: str) -> Outline:
    found = Outline()
    found.feed(page)
    found.close()
    return found


def test_the_page_is_one_file_without_script(report: tuple[Lookback, Frame]) -> None:
    found = outline(render_page(*report))
    assert found.open == []
    assert found.fetched == []


def test_the_page_says_first_what_matters(report: tuple[Lookback, Frame]) -> None:
    page = render_page(*report)
    headline = re.search(r"<h1>(.*?)</h1>", page)
    assert headline is not None
    assert headline[1] == "11 of 181 orders went wrong: 198.25 GBP at stake"  # each order once, with its dearest charge
    lookback, _ = report
    for accusation in lookback.accusations:
        assert accusation.order_name in page
    assert 'href="https://demo-uk.myshopify.com/admin/orders/' in page


def test_a_title_with_markup_is_shown_as_text(report: tuple[Lookback, Frame]) -> None:
    lookback, frame = report
    nasty = replace(lookback.accusations[0], summary="<script>alert(1)</script>", subject='"><b>')
    page = render_page(replace(lookback, accusations=(nasty,)), frame)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_only_so_many_rows_are_listed_and_it_says_so(report: tuple[Lookback, Frame]) -> None:
    lookback, frame = report
    first = next(a for a in lookback.accusations if a.charge.went_wrong)
    page = render_page(replace(lookback, accusations=(first,) * 5), frame, most_rows=3)
    assert "2 more are in the CSV." in page
    assert page.count('<div class="decided">') == 3


def test_nothing_wrong_is_said_plainly(report: tuple[Lookback, Frame]) -> None:
    lookback, frame = report
    page = render_page(replace(lookback, accusations=(), stock=()), frame)
    assert "<h1>Nothing went wrong with 181 orders</h1>" in page


def test_the_csv_files_hold_every_finding(report: tuple[Lookback, Frame]) -> None:
    lookback, _ = report
    files = render_csv_files(lookback)
    assert sorted(files) == ["findings.csv", "stock.csv", "summary.csv", "weeks.csv"]
    rows = list(csv.DictReader(io.StringIO(files["findings.csv"].decode("utf-8-sig"))))
    assert [(r["order"], r["charge"]) for r in rows] == [(a.order_name, a.charge.value) for a in lookback.accusations]
    assert sum(int(r["value_minor"]) for r in rows if r["charge"] == "superseded_despatched") == 3300
    weeks = list(csv.DictReader(io.StringIO(files["weeks.csv"].decode("utf-8-sig"))))
    assert sum(int(week["orders"]) for week in weeks) == 181


def test_a_cell_is_never_a_formula(report: tuple[Lookback, Frame]) -> None:
    lookback, _ = report
    nasty = replace(lookback.accusations[0], order_name="=1+1", summary="@SUM(A1)", subject="-2")
    row = next(csv.DictReader(io.StringIO(
        render_csv_files(replace(lookback, accusations=(nasty,)))["findings.csv"].decode("utf-8-sig")
    )))  # fmt: skip
    assert (row["order"], row["what_happened"], row["subject"]) == ("'=1+1", "'@SUM(A1)", "'-2")


def test_json_says_the_same(report: tuple[Lookback, Frame]) -> None:
    lookback, frame = report
    said = render_json(lookback, frame)
    assert said["orders"] == 181
    assert said["wrong_orders"] == 11
    assert said["at_stake"] == [{"minor": 19825, "currency": "GBP"}]
    assert len(said["findings"]) == len(lookback.accusations)
    assert [s["sku"] for s in said["stock"] if s["accused"]] == ["POT-L", "RARE"]
