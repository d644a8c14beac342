"""In what two projections of one order differ, in words for the person who is about to publish a rulebook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from pickgate.domain.projection import Projection
from pickgate.domain.warehouse import Content


def stops_of(projection: Projection) -> tuple[str, ...]:
    """Return why an order would wait under this projection, each reason once."""
    return tuple(dict.fromkeys(problem.text for problem in projection.problems))


def describe_projections(before: Projection, after: Projection) -> list[str]:
    """Say in words in what two projections of one order differ; empty when the warehouse would see no difference."""
    words = [f"would stop: {text}" for text in stops_of(after) if text not in stops_of(before)]
    words += [f"would no longer stop: {text}" for text in stops_of(before) if text not in stops_of(after)]
    old, new = ([wanted.content for wanted in side.wanted] for side in (before, after))
    if bool(old) != bool(new):
        words.append(
            f"would be sent from {_all(new, _place)} with {_all(new, _service)}" if new else "would not be sent"
        )
        return words + _describe_units(old, new)
    for what, show in (("place", _place), ("service", _service), ("priority", _priority)):
        if (was := _all(old, show)) != (becomes := _all(new, show)):
            words.append(f"{what}: {was} → {becomes}")
    words += _describe_units(old, new)
    if len(old) != len(new):
        words.append(f"goods-outs: {len(old)} → {len(new)}")
    words += _describe_notes(old, new)
    if not words and _shares(before) != _shares(after):
        words.append("the lines are shared out otherwise between the goods-outs")
    return words


def _all(contents: Sequence[Content], show: Callable[[Content], str]) -> str:
    return " and ".join(sorted({show(content) for content in contents}))


def _place(content: Content) -> str:
    return f"{content.account}/{content.warehouse}"


def _service(content: Content) -> str:
    return f"{content.carrier}/{content.service}" if content.carrier else "the warehouse's default"


def _priority(content: Content) -> str:
    return str(content.priority or "none")


def _describe_units(old: Sequence[Content], new: Sequence[Content]) -> list[str]:
    was, becomes = _units(old), _units(new)
    return [
        f"units of {code}: {was[code]} → {becomes[code]}"
        for code in dict.fromkeys([*was, *becomes])
        if was[code] != becomes[code]
    ]


def _units(contents: Sequence[Content]) -> Counter[str]:
    units: Counter[str] = Counter()
    for content in contents:
        units.update(content.units_by_product())
    return units


def _describe_notes(old: Sequence[Content], new: Sequence[Content]) -> list[str]:
    was, becomes = ({pair for content in side for pair in content.notes} for side in (old, new))
    names = sorted({name for name, _ in was ^ becomes})
    return [f"notes: other text in {', '.join(names)}"] if names else []


def _shares(projection: Projection) -> list[tuple[object, ...]]:
    """What each goods-out would hold, whatever their order and the names of their groups."""
    return sorted(
        (
            wanted.content.account,
            wanted.content.warehouse,
            str(wanted.content.carrier),
            str(wanted.content.service),
            wanted.content.priority or 0,
            tuple(sorted((line.line_id, line.product_code, line.units) for line in wanted.content.lines)),
            wanted.content.notes,
        )
        for wanted in projection.wanted
    )
