"""What a read of the warehouse teaches us about our own goods-out records. Statuses are observed, and may go back.

Nothing is concluded from a read that failed: the caller does not come here with one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pickgate.domain.facts import GoodsOutRecord, RecordState
from pickgate.domain.policy import Policy
from pickgate.domain.warehouse import Content, GoodsOut, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One goods-out as record and as read. `seen` None: the warehouse does not show it.

    `left`: shop units by order line that left the building. `strangers`: units by product that left, or are held,
    beyond what was asked for. `twins`: other goods-outs with the same reference.
    """

    record: GoodsOutRecord
    seen: GoodsOut | None
    begun: bool = False
    left: Mapping[str, int] = field(default_factory=dict)
    despatched_products: Mapping[str, int] = field(default_factory=dict)
    strangers: Mapping[str, int] = field(default_factory=dict)
    twins: tuple[GoodsOut, ...] = ()
    lines_as_recorded: bool = True

    @property
    def is_short(self) -> bool:
        """It is finished, and less left than was asked for."""
        return self.record.state is RecordState.FINISHED and any(self.short_units.values())

    @property
    def short_units(self) -> dict[str, int]:
        """Shop units by order line that were asked for and did not leave."""
        asked = shop_units(self.record.content)
        return {line: units - self.left.get(line, 0) for line, units in asked.items() if units > self.left.get(line, 0)}


def learn(
    records: Sequence[GoodsOutRecord], seen: Sequence[GoodsOut], policy: Policy, *, now: datetime
) -> tuple[Known, ...]:
    """Bring each record up to what was read, and say what the warehouse holds beyond it."""
    return tuple(_learn_one(record, [g for g in seen if _is_about(g, record)], policy, now) for record in records)


def shop_units(content: Content) -> dict[str, int]:
    """Units by order line as the shop counts them. A bundle's components agree; a mismatch takes the least."""
    units: dict[str, int] = {}
    for line in content.lines:
        count = line.units // line.per_unit
        units[line.line_id] = min(units.get(line.line_id, count), count)
    return units


def has_begun(goods_out: GoodsOut, policy: Policy) -> bool:
    """Work has begun: by status, by an unknown status, or because somebody has picked something."""
    return (
        goods_out.stage in policy.work_begins_at
        or goods_out.stage is Stage.UNRECOGNISED
        or goods_out.picked > 0
        or goods_out.despatched > 0
    )


def _is_about(goods_out: GoodsOut, record: GoodsOutRecord) -> bool:
    # By reference, and by id: somebody may have renamed it in the warehouse.
    return goods_out.reference == record.reference or goods_out.id == record.clarus_id


def _learn_one(record: GoodsOutRecord, seen: list[GoodsOut], policy: Policy, now: datetime) -> Known:
    own = _own(record, seen)
    twins = tuple(g for g in seen if g is not own and g.stage is not Stage.CANCELLED)
    if own is None:
        return Known(record=_gone(record, policy, now), seen=None, twins=twins, left=dict(record.told))
    record = replace(record, clarus_id=own.id)
    if own.status_code != record.stage_code:
        record = replace(record, stage_code=own.status_code, recall_refused=None)
    as_recorded = _units(own) == record.content.units_by_product()
    if as_recorded and not record.verified:
        record = replace(record, verified=True)
    record = replace(record, picked=tuple(sorted((n.product_code, n.picked) for n in own.lines if n.picked)))
    record = _moved(record, own, now)
    left, strangers = _left(record.content, own)
    untold = any(units > dict(record.told).get(line, 0) for line, units in left.items())
    record = replace(record, left_at=(record.left_at or now) if untold else None)
    return Known(
        record=record,
        seen=own,
        begun=has_begun(own, policy) and own.stage is not Stage.CANCELLED,
        left=left,
        despatched_products={n.product_code: n.despatched for n in own.lines if n.despatched},
        strangers=strangers,
        twins=twins,
        lines_as_recorded=as_recorded,
    )


def _own(record: GoodsOutRecord, seen: list[GoodsOut]) -> GoodsOut | None:
    by_id = [g for g in seen if record.clarus_id is not None and g.id == record.clarus_id]
    if by_id:
        return by_id[0]
    if record.clarus_id is not None and record.state is not RecordState.CREATING:
        return None
    live = [g for g in seen if g.stage is not Stage.CANCELLED] or seen
    # Several answered to one reference: the oldest is ours, the others are twins. Ids grow.
    return min(live, key=lambda g: (len(g.id), g.id), default=None)


def _gone(record: GoodsOutRecord, policy: Policy, now: datetime) -> GoodsOutRecord:
    # A recall of an order that nobody had begun deletes it: absence confirms the recall, and only then. One that was
    # never seen, and is too young to be sure of, may only not be shown yet.
    may_come = not record.stage_code and record.created_at and now - record.created_at < policy.create_settle
    if record.state is RecordState.RECALLING and not may_come:
        return replace(record, state=RecordState.RECALLED)
    return record


def _moved(record: GoodsOutRecord, own: GoodsOut, now: datetime) -> GoodsOutRecord:
    match own.stage:
        case Stage.CANCELLED:
            if record.state is RecordState.RECALLING:
                return replace(record, state=RecordState.RECALLED, put_back=_to_put_back(own))
            if record.state is RecordState.RECALLED:
                return record
            return replace(record, state=RecordState.LIVE)  # cancelled by somebody else: see reconcile
        case Stage.COMPLETED:
            if record.state is RecordState.FINISHED:
                return record
            return replace(record, state=RecordState.FINISHED, finished_at=now)
        case _:
            if record.state is RecordState.RECALLING:
                return record
            return replace(record, state=RecordState.LIVE, finished_at=None)


def _to_put_back(own: GoodsOut) -> tuple[tuple[str, int], ...]:
    units = [(n.product_code, n.picked - n.despatched) for n in own.lines if n.picked > n.despatched]
    return tuple(sorted(units))


def _units(own: GoodsOut) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in own.lines:
        units[line.product_code] = units.get(line.product_code, 0) + line.ordered
    return {code: count for code, count in units.items() if count}


def _left(content: Content, own: GoodsOut) -> tuple[dict[str, int], dict[str, int]]:
    """Share despatched product units out over the order's lines, in the content's order; the rest are strangers."""
    pool: dict[str, int] = {}
    for line in own.lines:
        pool[line.product_code] = pool.get(line.product_code, 0) + line.despatched
    left: dict[str, int] = {}
    for content_line in content.lines:
        got = min(pool.get(content_line.product_code, 0), content_line.units)
        pool[content_line.product_code] = pool.get(content_line.product_code, 0) - got
        count = got // content_line.per_unit
        known = left.get(content_line.line_id)
        left[content_line.line_id] = count if known is None else min(known, count)
    return {line: n for line, n in left.items() if n}, {code: n for code, n in pool.items() if n > 0}
