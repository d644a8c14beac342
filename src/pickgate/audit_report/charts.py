"""Two charts as SVG text: bars by charge, and columns by week. Drawn by hand: no library, no script, prints sharply."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape

_ROW = 30
_LABEL, _BARS, _FIGURES = 300, 380, 180
_HEIGHT = 170


def draw_bars(rows: Sequence[tuple[str, int, str]]) -> str:
    """Draw one bar for each (label, count, text beside the count)."""
    if not rows:
        return ""
    most = max(count for _, count, _ in rows)
    width, height = _LABEL + _BARS + _FIGURES, _ROW * len(rows) + 4
    parts = [f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="Findings by kind">']
    for number, (label, count, text) in enumerate(rows):
        y = number * _ROW + 4
        size = max(3, round(_BARS * count / most))
        parts.append(
            f'<text x="{_LABEL - 12}" y="{y + 16}" class="label" text-anchor="end">{escape(label)}</text>'
            f'<rect x="{_LABEL}" y="{y + 2}" width="{size}" height="{_ROW - 10}" rx="2" class="bar"/>'
            f'<text x="{_LABEL + size + 8}" y="{y + 16}" class="count">{count}'
            f'<tspan class="aside" dx="8">{escape(text)}</tspan></text>'
        )
    return "".join([*parts, "</svg>"])


def draw_weeks(weeks: Sequence[tuple[str, int, int]]) -> str:
    """Draw a column for each week, (Monday, orders, wrong ones): the wrong ones at its foot, and their share."""
    if not weeks:
        return ""
    most = max(max(orders for _, orders, _ in weeks), 1)
    step = 110
    width = max(step * len(weeks), 330)
    parts = [f'<svg class="chart weeks" viewBox="0 0 {width} {_HEIGHT + 52}" role="img" aria-label="Orders by week">']
    for number, (monday, orders, wrong) in enumerate(weeks):
        x = number * step + 25
        tall, foot = round(_HEIGHT * orders / most), round(_HEIGHT * wrong / most)
        foot = max(foot, 3) if wrong else 0
        day = f"{date.fromisoformat(monday):%d %b}"
        share = f"{100 * wrong / orders:.0f} %" if orders else ""
        parts.append(
            f'<rect x="{x}" y="{_HEIGHT - tall + 14}" width="60" height="{tall}" rx="2" class="fine"/>'
            f'<rect x="{x}" y="{_HEIGHT - foot + 14}" width="60" height="{foot}" class="bar"/>'
            f'<text x="{x + 30}" y="{_HEIGHT - tall + 10}" class="aside" text-anchor="middle">{orders}</text>'
            f'<text x="{x + 30}" y="{_HEIGHT + 30}" class="label" text-anchor="middle">{day}</text>'
            f'<text x="{x + 30}" y="{_HEIGHT + 45}" class="aside" text-anchor="middle">{wrong} wrong, {share}</text>'
        )
    return "".join([*parts, "</svg>"])
