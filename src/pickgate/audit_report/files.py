"""The look back as CSV files and as JSON, for spreadsheets and programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from pickgate.audit_report.figures import Frame, at_stake, sums_of, wrong_orders
from pickgate.domain.lookback import CHARGES, Accusation, Lookback
from pickgate.domain.money import Money

_FINDINGS = (
    "charge", "title", "shop", "order", "order_id", "made_at", "value_minor", "currency", "subject", "what_happened",
    "evidence", "pickgate_would_have", "exception_code", "goods_outs",
)  # fmt: skip


def render_csv_files(lookback: Lookback) -> dict[str, bytes]:
    """Write findings.csv, summary.csv, weeks.csv and stock.csv: UTF-8 with a mark, commas, as spreadsheets open it."""
    summary: list[Sequence[Any]] = []
    for s in sums_of(lookback):
        amounts: list[tuple[Any, Any]] = [(value.minor, value.currency) for value in s.values] or [("", "")]
        summary += [(s.charge.value, s.book.title, len(s.found), s.orders, *amount) for amount in amounts]
    stock = [
        (r.shop, r.sku, r.product_code, r.place, r.shop_units, r.warehouse_units, r.variance, r.explained, r.accused)
        for r in lookback.stock
    ]
    return {
        "findings.csv": _csv(_FINDINGS, map(_finding, lookback.accusations)),
        "summary.csv": _csv(("charge", "title", "findings", "orders", "value_minor", "currency"), summary),
        "weeks.csv": _csv(("week_from", "orders", "wrong"), lookback.by_week),
        "stock.csv": _csv(
            ("shop", "sku", "product_code", "place", "shop_units", "warehouse_units", "variance", "explained_by_orders",
             "accused"), stock,
        ),
    }  # fmt: skip


def render_json(lookback: Lookback, frame: Frame) -> dict[str, Any]:
    """The same as plain values. Money is in minor units."""
    tally = lookback.tally
    return {
        "since": frame.since.isoformat(),
        "until": frame.until.isoformat(),
        "orders": tally.orders,
        "edited": tally.edited,
        "cancelled": tally.cancelled,
        "despatched": tally.despatched,
        "wrong_orders": wrong_orders(lookback),
        "at_stake": [_money(value) for value in at_stake(lookback)],
        "charges": [
            {
                "charge": s.charge.value,
                "title": s.book.title,
                "findings": len(s.found),
                "orders": s.orders,
                "values": [_money(value) for value in s.values],
                "exception_code": s.book.code or None,
            }
            for s in sums_of(lookback)
        ],
        "findings": [_as_json(a) for a in lookback.accusations],
        "stock": [
            {
                "shop": r.shop,
                "sku": r.sku,
                "product_code": r.product_code,
                "place": r.place,
                "shop_units": r.shop_units,
                "warehouse_units": r.warehouse_units,
                "variance": r.variance,
                "explained_by_orders": r.explained,
                "accused": r.accused,
            }
            for r in lookback.stock
        ],
        "weeks": [{"from": monday, "orders": n, "wrong": wrong} for monday, n, wrong in lookback.by_week],
        "notes": list(lookback.notes),
    }


def _as_json(a: Accusation) -> dict[str, Any]:
    return {
        "charge": a.charge.value,
        "shop": a.shop,
        "order": a.order_name or None,
        "order_id": a.order_id or None,
        "made_at": a.at.isoformat() if a.at else None,
        "value": _money(a.value) if a.value else None,
        "subject": a.subject or None,
        "summary": a.summary,
        "evidence": list(a.evidence),
        "pickgate_would_have": a.decided,
        "goods_outs": list(a.links),
    }


def _money(value: Money) -> dict[str, Any]:
    return {"minor": value.minor, "currency": value.currency}


def _finding(a: Accusation) -> Sequence[Any]:
    book = CHARGES[a.charge]
    return (
        a.charge.value, book.title, a.shop, a.order_name, a.order_id, a.at.isoformat() if a.at else "",
        a.value.minor if a.value else "", a.value.currency if a.value else "", a.subject, a.summary,
        " | ".join(a.evidence), a.decided, book.code, " ".join(a.links),
    )  # fmt: skip


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: Any) -> Any:
    """Keep a text from being run as a formula: product titles and names are written by others."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
