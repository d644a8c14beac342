"""The page: everything in one file, readable on paper."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from pickgate.audit_report.charts import draw_bars, draw_weeks
from pickgate.audit_report.figures import ChargeSum, Frame, add_up, at_stake, say_money, sums_of, wrong_orders
from pickgate.domain.lookback import Accusation, Lookback

MOST_ROWS = 200
MOST_NAMES = 40


def render_page(lookback: Lookback, frame: Frame, *, most_rows: int = MOST_ROWS) -> str:
    """Write the page. At most `most_rows` findings of each kind are listed; the CSV has all."""
    sums = sums_of(lookback)
    wrong = [s for s in sums if s.charge.went_wrong]
    differing = [row for row in lookback.stock if row.variance]
    return _template().render(
        frame=frame,
        tally=lookback.tally,
        wrong_orders=wrong_orders(lookback),
        at_stake=say_money(at_stake(lookback)),
        wrong=wrong,
        setup=[(s, _by_subject(s)) for s in sums if s.charge.is_setup],
        stock=[a for a in lookback.accusations if a.charge.value == "stock_variance"],
        stock_rows=sorted(differing, key=lambda r: (not r.accused, -abs(r.variance), r.sku)),
        stock_compared=len(lookback.stock),
        notes=lookback.notes,
        most_rows=most_rows,
        bars=Markup(draw_bars([(s.book.title, s.orders, say_money(s.values)) for s in wrong])),  # noqa: S704 - escaped
        weeks=Markup(draw_weeks(lookback.by_week)),  # noqa: S704 - escaped
    )


def _by_subject(charge: ChargeSum) -> list[dict[str, Any]]:
    """Group what is missing by its name: a row in a table mends all of its orders at once."""
    groups: dict[tuple[str, str], list[Accusation]] = {}
    for accusation in charge.found:
        groups.setdefault((accusation.shop, accusation.subject), []).append(accusation)
    rows = [
        {
            "shop": shop,
            "subject": subject,
            "count": len(found),
            "value": say_money(add_up(a.value for a in found)),
            "names": _names(found),
            "decided": found[0].decided,
        }
        for (shop, subject), found in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row["count"], row["shop"], row["subject"]))


def _names(found: Sequence[Accusation]) -> str:
    names = [a.order_name for a in found]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("pickgate.audit_report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["money"] = say_money
    return environment.get_template("audit.html")
