"""What is drawn on a page: a month's money day by day, and levels that the shop shows otherwise than promised. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from pickgate.console.charts import Bar, Pair, columns, pairs
from pickgate.console.words import amount

_DRAWN = (("placed", "Placed"), ("edits", "Moved by edits"), ("refunds", "Refunds"))
_MOST_CURRENCIES = 3
_MOST_LEVELS = 12


def money_pictures(it: Any) -> list[tuple[str, Markup]]:
    """Draw a `days` sheet: for each currency what was placed, what edits moved, and what was refunded, by day."""
    if it.sheet != "days" or not it.rows:
        return []
    at = {name: number for number, name in enumerate(it.columns)}
    days: dict[str, dict[str, dict[str, int]]] = {}
    for row in it.rows:
        of_day = days.setdefault(row[at["currency"]], {}).setdefault(row[at["day"]], {})
        for name, _ in _DRAWN:
            of_day[name] = of_day.get(name, 0) + row[at[name]]["minor"]
    found = []
    for currency, by_day in list(days.items())[:_MOST_CURRENCIES]:
        for name, words in _DRAWN:
            if any(sums[name] for sums in by_day.values()):
                title = f"{words} by day, {currency}"
                found.append((title, columns(_bars(by_day, name, currency), title=title)))
    return found


def _bars(by_day: Mapping[str, Mapping[str, int]], name: str, currency: str) -> list[Bar]:
    return [
        Bar(
            label=day[-2:],
            value=sums[name],
            told=f"{day}: {amount({'minor': sums[name], 'currency': currency})} {currency}",
        )
        for day, sums in ((day, by_day.get(day, {name: 0})) for day in _days(min(by_day), max(by_day)))
    ]


def _days(first: str, last: str) -> list[str]:
    """Return every day from one to another, so that a gap shows as one."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return [(begin + timedelta(days=number)).isoformat() for number in range((end - begin).days + 1)]


def stock_picture(items: Sequence[Any]) -> Markup:
    """Draw the levels that differ most: what the shop shows, and what it should show."""
    wrong = sorted((item for item in items if level_differs(item)), key=_gap, reverse=True)[:_MOST_LEVELS]
    drawn = [Pair(label=f"{item.sku} ({item.shop})", first=item.available, second=item.target) for item in wrong]
    title = "Levels that differ: what the shop shows, and what it should show, in units"
    return pairs(drawn, title=title, first="the shop shows", second="it should show")


def level_differs(item: Any) -> bool:
    """Say whether the shop, as far as we know, shows another level than promised; not what was set since.

    A shop that sold more than there was shows less than nothing; nothing is then as right.
    """
    return bool(max(item.available, 0) != item.target) and not was_set_since(item)


def was_set_since(item: Any) -> bool:
    """Say whether the level was set to its target after it was last compared."""
    is_late = item.published_at and item.compared_at and item.published_at >= item.compared_at
    return bool(is_late and item.published == item.target)


def _gap(item: Any) -> int:
    return abs(int(item.available) - int(item.target))
