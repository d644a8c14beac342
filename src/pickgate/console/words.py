"""How values read on a page: words and shapes for states, ages, and texts that came from outside. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from markupsafe import Markup, escape

from pickgate.domain.money import Money, minor_exponent

# Word and shape: a state is never told by colour alone. `tone` picks the colour.
STATES: Mapping[str, tuple[str, str, str]] = {
    "ignored": ("Ignored", "–", "quiet"),
    "waiting": ("Waiting", "○", "wait"),
    "releasing": ("Releasing", "◔", "busy"),
    "in_warehouse": ("In warehouse", "◑", "busy"),
    "picking": ("Picking", "◕", "busy"),
    "part_despatched": ("Part despatched", "◒", "busy"),
    "despatched": ("Despatched", "●", "good"),
    "cancelled": ("Cancelled", "×", "quiet"),
    "superseded": ("Superseded", "→", "quiet"),
    "stopped": ("Stopped", "■", "bad"),
}
SEVERITIES: Mapping[str, tuple[str, str, str]] = {
    "urgent": ("Urgent", "▲", "bad"),
    "high": ("High", "◆", "warn"),
    "normal": ("Normal", "•", "quiet"),
}
EFFECTS: Mapping[str, tuple[str, str, str]] = {
    "intended": ("Intended", "○", "wait"),
    "sent": ("Sent", "◔", "busy"),
    "confirmed": ("Confirmed", "●", "good"),
    "refused": ("Refused", "×", "bad"),
    "unknown": ("Unknown", "?", "warn"),
    "lost": ("Had no effect", "–", "quiet"),
    "not_sent": ("Not sent", "–", "quiet"),
}
CONNECTIONS: Mapping[str, tuple[str, str, str]] = {
    "ok": ("Answers", "●", "good"),
    "failing": ("Failing", "■", "bad"),
    "unknown": ("Not tried yet", "○", "quiet"),
}
EXCEPTION_STATES: Mapping[str, tuple[str, str, str]] = {
    "open": ("Open", "○", "warn"),
    "snoozed": ("Snoozed", "◔", "quiet"),
    "resolved": ("Resolved", "●", "good"),
}
FINDINGS: Mapping[str, tuple[str, str, str]] = {
    "error": ("Error", "■", "bad"),
    "warning": ("Warning", "◆", "warn"),
    "note": ("Note", "•", "quiet"),
}
EMPTY_TABLES: Mapping[str, str] = {
    "locations": "Each location of a shop needs a warehouse here; until then its orders wait.",
    "services": "Each shipping method needs a carrier and a service there; a row that fits all catches the rest.",
    "priorities": "Every order has the warehouse’s usual priority. A row here puts some first.",
    "skus": "Every SKU is taken as the warehouse’s product code. A row here gives it another one, or ignores it.",
    "bundles": "No SKU is made of others. A row for each component takes a bundle apart for the pickers.",
    "notes": "No note or attribute of an order is passed on to the warehouse. A row here says which goes where.",
    "splits": "Each fulfilment order becomes one goods-out. A row here sends some lines apart.",
    "holds": "No order is held by a rule. A row here keeps some back until a person releases them.",
}
TEAMS: Mapping[str, str] = {"ops": "Operations", "cx": "Customer care", "finance": "Finance", "ecommerce": "E-commerce"}
_ALL = {
    "state": STATES,
    "severity": SEVERITIES,
    "effect": EFFECTS,
    "connection": CONNECTIONS,
    "exception": EXCEPTION_STATES,
    "finding": FINDINGS,
}


def mark(kind: str, value: object) -> Markup:
    """Render a status as a shape and a word. An unknown one is shown as it is."""
    text = str(value or "")
    word, shape, tone = _ALL[kind].get(text, (text.replace("_", " ").capitalize() or "Not known", "?", "quiet"))
    return Markup('<span class="mark {}"><span aria-hidden="true">{}</span> {}</span>').format(tone, shape, word)


def moment(value: datetime | str | None, now: datetime, zone: tzinfo = UTC) -> Markup:
    """Render an instant in a zone, and how long ago or ahead. A script keeps the age right while the page is open."""
    if value is None:
        return Markup('<span class="none">–</span>')
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    instant, today = instant.astimezone(zone), now.astimezone(zone)
    day = "" if instant.date() == today.date() else f"{instant:%-d %b} "
    year = "" if instant.year == today.year else f"{instant:%Y} "
    return Markup(
        '<time datetime="{}" title="{}"><span class="clock">{}</span> <span class="age" data-age>{}</span></time>'
    ).format(
        instant.isoformat(timespec="seconds"),
        f"{instant:%Y-%m-%d %H:%M:%S %Z}",
        f"{year}{day}{instant:%H:%M}",
        age(instant, now),
    )


def age(instant: datetime, now: datetime) -> str:
    """Say how long ago, or in how long: the two largest units that matter."""
    gap = instant - now
    words = span(abs(gap))
    if words == "0 s":
        return "now"
    return f"in {words}" if gap > timedelta(0) else f"{words} ago"


def span(length: timedelta) -> str:
    """Say a length of time shortly: "45 s", "12 min", "3 h 05 min", "2 d 4 h"."""
    seconds = int(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{days} d {hours % 24} h"


def amount(cell: Any) -> str:
    """Write a cell of a money sheet: {"minor", "currency"} as "-1,234.50", other values as they are."""
    if not isinstance(cell, Mapping):
        return "" if cell is None else str(cell)
    money = Money(cell["minor"], cell["currency"])
    digits = f"{Decimal(abs(money.minor)).scaleb(-minor_exponent(money.currency)):,.{minor_exponent(money.currency)}f}"
    return f"−{digits}" if money.minor < 0 else digits


def plain_words(code: object) -> str:
    """Turn a code into words: `edit_window` and `LATE_EDIT` read "Edit window", "Late edit"."""
    words = str(code or "").replace("_", " ").strip().capitalize()
    return " ".join("SKU" if word.lower() == "sku" else word for word in words.split(" "))


def detail_rows(detail: Any) -> list[tuple[str, str]]:
    """Flatten a detail into rows of name and text, for any shape that a store may hold."""
    if detail is None or detail in ({}, [], ""):
        return []
    if isinstance(detail, Mapping):
        return [(plain_words(name), text) for name, text in detail_pairs(detail)]
    return [("", _text(detail))]


def detail_pairs(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and text of each entry that says something; class tags of stored values are left out."""
    return [(name, _text(value)) for name, value in detail.items() if name != "_" and value not in (None, "", [], {})]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        separator = ", " if all(isinstance(item, str | int) for item in value) else "; "
        return separator.join(_text(item) for item in value)
    if isinstance(value, Mapping):
        if isinstance(value.get("text"), str):  # a reason, with the rulebook row that decided where one did
            row = value.get("row")
            return str(value["text"]) + (f" ({_text(row)})" if row else "")
        return ", ".join(f"{plain_words(name).lower()} {text}" for name, text in detail_pairs(value))
    return json.dumps(value, ensure_ascii=False, default=str)


def summary_of(done: Mapping[str, Any]) -> str:
    """Say what a change did, or would do, in a sentence."""
    if "summary" in done:
        return str(done["summary"])
    places = done.get("places", ())
    if not places:
        return str(done.get("problem") or "There was nothing to do.")
    return " ".join(_told_place(place, is_preview=done["dry_run"]) for place in places) + (
        f" {done['problem']}" if done.get("problem") else ""
    )


def _told_place(place: Mapping[str, Any], *, is_preview: bool) -> str:
    name = f"{place['account']} {place['warehouse']}"
    if place["problem"] or place["held"]:
        return f"{name}: {place['problem'] or place['held']}"
    if is_preview:
        return f"{name}: {place['to_set']} of {place['compared']} levels would be set."
    rest = "".join(f", {place[key]} {words}" for key, words in _NOT_SET if place[key])
    return f"{name}: {place['published']} of {place['to_set']} levels set{rest}."


_NOT_SET = (("not_settled", "not settled yet"), ("refused", "refused"))


def body_text(text: str) -> str:
    """Show a raw body: indented when it is JSON, else as it came."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text


def outside(text: object) -> Markup:
    """Show text that came from outside: isolated, so that right-to-left text cannot reorder the page around it."""
    return Markup("<bdi>{}</bdi>").format(escape(str(text)))
