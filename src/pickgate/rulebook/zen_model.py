"""One table as a decision of the ZEN engine: first hit, one condition for each filled input cell, the row's number out.

A cell's text enters an expression only as a quoted literal. ZEN's literals know no escapes and end at their own quote
mark, so a text that holds a double quote is joined from two kinds of literals. ZEN treats a condition that it cannot
compile as one that never holds; each is therefore compiled here once, and a failure is loud.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Decimal

import zen

from pickgate.rulebook.patterns import ANY
from pickgate.rulebook.tables import SHAPES, Column, Kind, Row
from pickgate.rulebook.text import comparable

_REGEX_SIGNS = re.compile(r"([\\.+*?()|\[\]{}^$#&~-])")
_LARGEST_TOTAL = Decimal(10**15)  # above every amount that a cell can hold
_FINEST = Decimal("0.000001")  # below every step that a cell can hold

Value = str | tuple[str, ...] | Decimal


def render_decision(table: str, rows: Sequence[Row], *, strip_characters: str = "") -> str:
    """Return the table as a JDM document: input node → decision table → output node. Its answer is {"row": number}."""
    shape = SHAPES[table]
    rules = []
    for number, row in enumerate(rows, start=1):
        rule = {"_id": str(number), "_description": _describe(table, row), "row": str(number)}
        for column, cell in zip(shape.columns, row, strict=True):
            if column.is_input:
                rule[column.name] = render_condition(column, cell, strip_characters=strip_characters)
        rules.append(rule)
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": column.name, "name": column.name, "field": column.name} for column in shape.inputs],
        "outputs": [{"id": "row", "name": "row", "field": "row"}],
        "rules": rules,
    }
    nodes = [
        {"id": "question", "name": "question", "type": "inputNode", "position": {"x": 0, "y": 0}},
        {"id": table, "name": table, "type": "decisionTableNode", "position": {"x": 300, "y": 0}, "content": content},
        {"id": "answer", "name": "answer", "type": "outputNode", "position": {"x": 600, "y": 0}},
    ]
    edges = [
        {"id": "in", "type": "edge", "sourceId": "question", "targetId": table},
        {"id": "out", "type": "edge", "sourceId": table, "targetId": "answer"},
    ]
    return json.dumps({"contentType": "application/vnd.gorules.decision", "nodes": nodes, "edges": edges})


def render_condition(column: Column, cell: str, *, strip_characters: str = "") -> str:
    """Return the expression that says whether a cell allows the value `$`; "" when it allows anything.

    Raises RuntimeError when the engine does not take it: a fault of ours, never of the cell's author.
    """
    if not cell:
        return ""
    text = comparable(column.kind, cell, strip_characters)
    if not text:
        return "1 > 2"  # a SKU of refused characters only: it stands for no product, not for all of them
    match column.kind:
        case Kind.PATTERN:
            condition = _render_pattern(text)
        case Kind.TAG:
            condition = f"contains($, {_literal(text)})"  # $ is a list: an equal element, not a part of one
        case Kind.AMOUNT:
            condition = f"$ > {text}"
        case _:
            condition = f"$ == {_literal(text)}"
    if condition and (fault := zen.validate_unary_expression(condition)):
        raise RuntimeError(f"The engine does not take {condition!r}: {fault['source']}")
    return condition


def render_question(table: str, values: Iterable[Value]) -> str:
    """Return the engine's input: one value for each input column, in the form in which cells are compared.

    JSON as text, because a decimal amount must reach the engine digit by digit.
    """
    parts = []
    for column, value in zip(SHAPES[table].inputs, values, strict=True):
        shown = _exact(value) if isinstance(value, Decimal) else json.dumps(value)
        parts.append(f'"{column.name}":{shown}')
    return "{" + ",".join(parts) + "}"


def _exact(total: Decimal) -> str:
    """Return an amount as digits that the engine holds exactly, and that exceed the same cells as before."""
    bounded = max(min(total, _LARGEST_TOTAL), -_LARGEST_TOTAL)
    return format(bounded.quantize(_FINEST, rounding=ROUND_CEILING), "f")


def _render_pattern(text: str) -> str:
    pieces = text.split(ANY)
    if len(pieces) == 1:
        return f"$ == {_literal(text)}"
    first, *middle, last = pieces
    middle = [piece for piece in middle if piece]
    conditions = []
    if first:
        conditions.append(f"startsWith($, {_literal(first)})")
    conditions += [f"contains($, {_literal(piece)})" for piece in dict.fromkeys(middle)]
    if last:
        conditions.append(f"endsWith($, {_literal(last)})")
    if len(middle) + bool(first) + bool(last) > 1 and (middle or _can_overlap(first, last)):
        # The pieces must also follow each other. Asked last: the engine builds the expression anew each time.
        between = ".*".join(_REGEX_SIGNS.sub(r"\\\1", piece) for piece in pieces)
        whole = rf"(?s)\A{between}\z"
        conditions.append(f"matches($, {_literal(whole)})")
    return " and ".join(conditions)


def _can_overlap(first: str, last: str) -> bool:
    return any(first.endswith(last[:length]) for length in range(1, min(len(first), len(last)) + 1))


def _literal(text: str) -> str:
    parts = [f'"{part}"' for part in text.split('"')]
    joined = " + '\"' + ".join(parts)
    return f"({joined})" if len(parts) > 1 else joined


def _describe(table: str, row: Row) -> str:
    outputs = [
        f"{column.name}: {cell}"
        for column, cell in zip(SHAPES[table].columns, row, strict=True)
        if cell and not column.is_input
    ]
    return ", ".join(outputs)
