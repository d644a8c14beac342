"""Findings, back-tests and columns in the shapes in which operations answer."""

from __future__ import annotations

from typing import Any

from pickgate.flows.backtest import Backtest, ChangedOrder, Outcome, Planned
from pickgate.operations.rulebook_shapes import BacktestShape, ColumnShape, FindingShape
from pickgate.rulebook.check import Finding
from pickgate.rulebook.tables import Column


def column_shape(column: Column) -> ColumnShape:
    return ColumnShape(name=column.name, holds=column.kind.value, is_input=column.is_input, required=column.required)


def finding_shape(finding: Finding) -> FindingShape:
    return FindingShape(
        severity=finding.severity.value,
        code=finding.code.value,
        table=finding.table,
        row=finding.row,
        column=finding.column,
        message=finding.message,
        remedy=finding.remedy,
    )


def backtest_shape(report: Backtest) -> BacktestShape:
    return BacktestShape.model_validate(
        {
            "number": report.new_version,
            "against": report.old_version,
            "looked_at": report.looked_at,
            "unchanged": report.unchanged,
            "not_concerned": report.not_concerned,
            "moved": report.moved,
            "changed": [_changed(item) for item in report.changed],
            "not_replayed": [{"id": item.order, "name": item.name, "why": item.why} for item in report.not_replayed],
        }
    )


def _changed(item: ChangedOrder) -> dict[str, Any]:
    return {
        "id": item.order,
        "shop": item.shop,
        "name": item.name,
        "shopify_id": item.shopify_id,
        "differences": item.differences,
        "moves": item.moves,
        "before": _outcome(item.before),
        "after": _outcome(item.after),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "goods_outs": [_planned(planned) for planned in outcome.goods_outs],
        "stopped_by": outcome.stopped_by,
        "reasons": outcome.reasons,
    }


def _planned(planned: Planned) -> dict[str, Any]:
    lines = [{"product_code": code, "quantity": units} for code, units in planned.lines]
    names = ("account", "warehouse", "group", "carrier", "service", "priority", "notes")
    return {name: getattr(planned, name) for name in names} | {"lines": lines}
