"""Who belongs to whom: live goods-outs and what is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pickgate.domain.decision import Wanted
from pickgate.domain.facts import RecordState
from pickgate.domain.learn import Known
from pickgate.domain.warehouse import Content, ContentLine, Part


def pair_goods_outs(
    live: Sequence[Known], wanted: Sequence[Wanted]
) -> tuple[list[tuple[Known, Wanted | None]], list[Wanted]]:
    """Pair live goods-outs with what is wanted: equal in sum first, then by fulfilment order, then by shared lines.

    A split or merge in the shop changes ids, not goods: where the sums agree there is nothing to say.
    """
    if _equal_in_sum(live, wanted):
        return [(k, Wanted(fulfilment_order_id="", group="", content=open_content(k))) for k in live], []
    free = list(wanted)
    pairs: list[tuple[Known, Wanted | None]] = []
    unpaired: list[Known] = []
    for known in live:
        key = (known.record.fulfilment_order_id, known.record.group)
        match = next((w for w in free if (w.fulfilment_order_id, w.group) == key), None)
        if match is None:
            unpaired.append(known)
        else:
            free.remove(match)
            pairs.append((known, match))
    for known in unpaired:
        best = max(free, key=lambda w: _shared_units(known, w), default=None)
        if best is not None and _shared_units(known, best) > 0 and _same_place(known, best):
            free.remove(best)
            pairs.append((known, best))
        else:
            pairs.append((known, None))
    return pairs, free


def _equal_in_sum(live: Sequence[Known], wanted: Sequence[Wanted]) -> bool:
    if not live or not wanted or any(k.record.state is not RecordState.LIVE for k in live):
        return False
    if sorted((k.record.fulfilment_order_id, k.record.group) for k in live) == sorted(
        (w.fulfilment_order_id, w.group) for w in wanted
    ):
        return False  # nothing was split or merged: compare one by one
    have = _sum([open_content(k) for k in live])
    want = _sum([w.content for w in wanted])
    headers = {_header(open_content(k)) for k in live} | {_header(w.content) for w in wanted}
    return have == want and len(headers) == 1


def _sum(contents: Sequence[Content]) -> dict[tuple[str, str, str], int]:
    units: dict[tuple[str, str, str], int] = {}
    for content in contents:
        for line in content.lines:
            key = (content.warehouse, line.line_id, line.product_code)
            units[key] = units.get(key, 0) + line.units
    return units


def _header(content: Content) -> tuple[object, ...]:
    return (content.account, content.warehouse, content.part(Part.ADDRESS), content.part(Part.SERVICE))


def _same_place(known: Known, wanted: Wanted) -> bool:
    content = known.record.content
    return (content.account, content.warehouse) == (wanted.content.account, wanted.content.warehouse)


def _shared_units(known: Known, wanted: Wanted) -> int:
    lines = {line.line_id for line in wanted.content.lines}
    return sum(line.units for line in known.record.content.lines if line.line_id in lines)


def holds_within(known: Known, wanted: Wanted) -> bool:
    """It still has to send no more of any line than is wanted of it: nobody else's share is in it."""
    want = {(n.line_id, n.product_code): n.units for n in wanted.content.lines}
    return known.lines_as_recorded and all(
        n.units <= want.get((n.line_id, n.product_code), 0) for n in open_content(known).lines
    )


def open_content(known: Known) -> Content:
    """What the warehouse still has to send of this goods-out: its content, less what left."""
    left = dict(known.left)
    lines: list[ContentLine] = []
    for line in known.record.content.lines:
        units = line.units - left.get(line.line_id, 0) * line.per_unit
        if units > 0:
            lines.append(replace(line, units=units))
    return replace(known.record.content, lines=tuple(lines))
