"""Database rows to the mappings that people see: an order in a list, an order whole, an exception."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pickgate.store.decision_rules import digest_of
from pickgate.store.operators import version_of

Row = Any  # a database row, or a mapping with its columns

_KINDS = {"hold": "hold", "approval": "approval", "cancel": "cancel_request"}


def order_row(row: Row) -> dict[str, Any]:
    """One order in a list."""
    return dict(row)


def whole_order(row: Row, exceptions: Sequence[Row], people: Sequence[Row]) -> dict[str, Any]:
    """One order with goods-outs, comparison, exceptions (open first) and what people have said about it."""
    shown = dict(row)
    records, seen = shown.pop("records"), shown.pop("goods_outs_seen")
    shown["version"] = version_of(shown.pop("digest"), shown.pop("people"))
    shown["goods_outs"] = [_goods_out(record, seen) for record in records]
    shown["exceptions"] = [exception_row(item) for item in exceptions]
    shown["open_exceptions"] = sum(item["resolved_at"] is None for item in exceptions)
    shown |= dict.fromkeys(_KINDS.values())
    for person in people:
        shown[_KINDS[person["kind"]]] = {name: person[name] for name in ("by", "reason", "at", "until")}
    shown["held_by"] = shown["hold"]["by"] if shown["hold"] else None
    return shown


def exception_row(row: Row) -> dict[str, Any]:
    """One exception. `state`: open, snoozed or resolved. `version` changes with everything that a person sees."""
    shown = {name: row[name] for name in _EXCEPTION_COLUMNS}
    shown["order_id"] = row["order_row"]
    shown["order_name"] = row["order_name"] or None
    shown["state"] = _state(row)
    seen = [row["summary"], row["detail"], row["assignee"], row["snoozed_until"], row["resolved_at"]]
    shown["version"] = digest_of(seen)
    return shown


_EXCEPTION_COLUMNS = (
    "id", "code", "shop", "owner", "assignee", "severity", "opened_at", "due_at", "snoozed_until", "resolved_at",
    "resolution", "closed_by", "count", "summary", "detail", "actions", "fingerprint", "last_found_at", "notes",
)  # fmt: skip


def _state(row: Row) -> str:
    if row["resolved_at"] is not None:
        return "resolved"
    return "snoozed" if row["is_snoozed"] else "open"


def _goods_out(record: Mapping[str, Any], seen: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Our record joined with what the last look saw of it, by product."""
    content = record["content"]
    wanted: dict[str, int] = {}
    for line in content["lines"]:
        wanted[line["product_code"]] = wanted.get(line["product_code"], 0) + line["units"]
    found: dict[str, dict[str, int]] = {code: {"picked": 0, "despatched": 0} for code in wanted}
    for goods_out in seen:
        if goods_out["reference"] == record["reference"] and goods_out["id"] == record["clarus_id"]:
            for line in goods_out["lines"]:
                units = found.setdefault(line["product_code"], {"picked": 0, "despatched": 0})
                units["picked"] += line["picked"]
                units["despatched"] += line["despatched"]
    return {
        "reference": record["reference"],
        "number": record["number"],
        "clarus_id": record["clarus_id"],
        "fulfilment_order_id": record["fulfilment_order_id"],
        "group": record["group"],
        "generation": record["generation"],
        "state": record["state"],
        "stage": record["stage_code"],
        "account": content["account"],
        "warehouse": content["warehouse"],
        "carrier": content["carrier"],
        "service": content["service"],
        "priority": content["priority"],
        "created_at": record["created_at"],
        "lines": [{"product_code": code, "quantity": wanted.get(code, 0), **units} for code, units in found.items()],
    }
