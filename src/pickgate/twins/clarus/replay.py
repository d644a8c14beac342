"""Reading history back: what a goods-out was at any instant. For oracles; the twin itself never uses it."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pickgate.twins.history import HistoryEvent


def content_at(events: Iterable[HistoryEvent], goods_out_id: int, at: datetime) -> dict[str, Any] | None:
    """
    Rebuild a goods-out as it stood at `at` (events of that very instant included).

    Args:
        events: The twin's history, or only this order's events.

    Returns:
        Header, address, status and lines with their quantities; None before it was created and after it was deleted.
    """
    subject = f"goods_outs/{goods_out_id}"
    found: dict[str, Any] | None = None
    for event in events:
        if event.at > at:
            break
        if event.subject == subject:
            found = _step(found, event)
    return found


def _step(content: dict[str, Any] | None, event: HistoryEvent) -> dict[str, Any] | None:
    detail = event.detail
    if event.kind == "goods_out_created":
        return copy.deepcopy(dict(detail["content"]))
    if event.kind == "goods_out_amended":
        return copy.deepcopy(dict(detail["after"]))
    if event.kind == "goods_out_deleted" or content is None:
        return None
    if event.kind == "status_changed":
        content["status"] = detail["after"]
    field = _ADDS.get(event.kind)
    if field is not None:
        for entry in detail.get("lines", [detail]):
            line = _line(content, entry["line_id"])
            if line is not None:
                line[field[0]] += field[1] * entry["units"]
    if event.kind == "line_shorted":
        line = _line(content, detail["line_id"])
        if line is not None:
            line["allocated"] = min(line["allocated"], line["quantity"] - line["short"])
    if event.kind == "goods_out_cancelled":
        content["lines"] = copy.deepcopy(detail["lines"])
    if event.kind == "pick_list_cancelled":
        for line in content["lines"]:
            line.update(allocated=0.0, picked=0.0, returned=0.0)
    return content


_ADDS = {
    "allocated": ("allocated", 1),
    "line_picked": ("picked", 1),
    "line_shorted": ("short", 1),
    "dispatched": ("dispatched", 1),
    "dispatch_unconfirmed": ("dispatched", -1),
    "units_put_back": ("returned", 1),
}


def _line(content: dict[str, Any], line_id: int) -> dict[str, Any] | None:
    return next((line for line in content["lines"] if line["line_id"] == line_id), None)
