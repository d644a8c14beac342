"""Charts as SVG, drawn here: no script, no style attribute, a title on each bar. The figures stand in a table beside.

Colours are classes of the style sheet, so that dark mode and print work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

_WIDTH, _HEIGHT, _BELOW, _LEFT = 960, 200, 20, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """`label` stands below; `told` is what the bar says when pointed at."""

    label: str
    value: int
    told: str


def columns(bars: Sequence[Bar], *, title: str) -> Markup:
    """Draw upright bars around a base line: what is above zero goes up, what is below goes down."""
    if not bars:
        return Markup()
    high = max(0, *(bar.value for bar in bars))
    low = min(0, *(bar.value for bar in bars))
    scale = (_HEIGHT - _BELOW - 8) / ((high - low) or 1)
    base = 4 + high * scale
    step = (_WIDTH - 2 * _LEFT) / len(bars)
    every = -(-len(bars) // 16)  # so that labels do not run into each other
    drawn = [
        Markup('<line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/>').format(_WIDTH, _round(base), _round(base)),
    ]
    for number, bar in enumerate(bars):
        x, height = _LEFT + number * step, abs(bar.value) * scale
        drawn.append(
            Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
                "fall" if bar.value < 0 else "rise",
                _round(x + step * 0.12),
                _round(base if bar.value < 0 else base - height),
                _round(min(step * 0.76, 60)),
                _round(height),
                bar.told,
            )
        )
        if number % every == 0:
            drawn.append(
                Markup('<text x="{}" y="{}">{}</text>').format(_round(x + step * 0.12), _HEIGHT - 4, bar.label)
            )
    return _figure(drawn, _HEIGHT, title)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two figures of one thing, held against each other."""

    label: str
    first: int
    second: int


def pairs(items: Sequence[Pair], *, title: str, first: str, second: str) -> Markup:
    """Draw each pair as two lying bars, one below the other, with their figures at the end."""
    if not items:
        return Markup()
    most = max(1, *(max(item.first, item.second) for item in items))
    left, room = 240, _WIDTH - 240 - 90
    drawn = []
    for number, item in enumerate(items):
        y = 6 + number * 40
        drawn.append(Markup('<text class="name" x="{}" y="{}">{}</text>').format(left - 10, y + 19, _short(item.label)))
        for below, (kind, value, words) in enumerate((("was", item.first, first), ("rise", item.second, second))):
            width = max(0, value) * room / most
            drawn.append(
                Markup(
                    '<rect class="{}" x="{}" y="{}" width="{}" height="13"><title>{}</title></rect>'
                    '<text x="{}" y="{}">{}</text>'
                ).format(
                    kind, left, y + below * 15, _round(width), f"{item.label}: {words} {value}",
                    _round(left + width + 6), y + below * 15 + 11, value,
                )
            )  # fmt: skip
    return _figure(drawn, 10 + len(items) * 40, title)


def _figure(drawn: Sequence[Markup], height: int, title: str) -> Markup:
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, height, title, Markup("").join(drawn)
    )


def _round(number: float) -> str:
    return f"{number:.1f}"


def _short(text: str) -> str:
    return text if len(text) <= 26 else text[:25] + "…"
