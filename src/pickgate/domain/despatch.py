"""What left the building becomes fulfilments in the shop: by line, as it happened, never more than remains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pickgate.domain.commands import CreateFulfilment, FulfilmentLine
from pickgate.domain.decision import Reason
from pickgate.domain.facts import GoodsOutRecord, Records, RecordState
from pickgate.domain.findings import Finding
from pickgate.domain.learn import Known
from pickgate.domain.policy import Policy
from pickgate.domain.shop import FulfilmentOrder, FulfilmentOrderStatus, ShopOrder
from pickgate.domain.warehouse import Parcel

_READY = (FulfilmentOrderStatus.OPEN, FulfilmentOrderStatus.IN_PROGRESS)


@dataclass(slots=True, kw_only=True)
class DespatchDecision:
    commands: list[CreateFulfilment] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    records: dict[str, GoodsOutRecord] = field(default_factory=dict)  # told by somebody else, by reference
    unreported: dict[str, int] = field(default_factory=dict)
    wait_until: datetime | None = None


def decide_despatch(
    order: ShopOrder,
    known: Sequence[Known],
    records: Records,
    parcels: Mapping[str, tuple[Parcel, ...]],
    policy: Policy,
    *,
    now: datetime,
) -> DespatchDecision:
    """Decide what to tell the shop of what left. Excess, strangers and surprises become exceptions.

    `unreported` in the answer: shop units by line that left and that the shop does not count yet. Nothing is concluded
    about a goods-out with an unknown outcome: what the shop counts may be that very telling.
    """
    result = DespatchDecision()
    unknown = {effect.target for effect in records.unknown}
    fulfilled = fulfilled_units(order)
    told_by_us = _sum(dict(k.record.told) for k in known)
    foreign = {line: max(0, units - told_by_us.get(line, 0)) for line, units in fulfilled.items()}
    remaining = {
        (f.id, share.line_id): share.remaining
        for f in order.fulfilment_orders
        if f.status in _READY
        for share in f.lines
    }
    for one in known:
        new = {line: n - dict(one.record.told).get(line, 0) for line, n in one.left.items()}
        new = {line: n for line, n in new.items() if n > 0}
        if one.strangers:
            result.findings.append(_strangers(order, one))
        if new and one.record.reference in unknown:
            result.unreported = _sum([result.unreported, new])
        elif new:
            _report(result, order, one, new, foreign, remaining, fulfilled, parcels, policy, now)
    # What we have told the shop of, and no fulfilment shows (not even a cancelled one), is hidden by a stale read. It
    # has left all the same: it is not wanted a second time.
    shown = _sum(dict(f.lines) for f in order.fulfilments)
    hidden = {line: units - shown.get(line, 0) for line, units in told_by_us.items() if units > shown.get(line, 0)}
    result.unreported = _sum([result.unreported, hidden])
    return result


def fulfilled_units(order: ShopOrder) -> dict[str, int]:
    """Units by order line that the shop counts as sent."""
    return _sum(dict(f.lines) for f in order.fulfilments if not f.cancelled)


def _report(
    result: DespatchDecision,
    order: ShopOrder,
    one: Known,
    new: dict[str, int],
    foreign: dict[str, int],
    remaining: dict[tuple[str, str], int],
    fulfilled: Mapping[str, int],
    parcels: Mapping[str, tuple[Parcel, ...]],
    policy: Policy,
    now: datetime,
) -> None:
    lines: list[FulfilmentLine] = []
    adopted: dict[str, int] = {}
    excess: dict[str, int] = {}
    blocked = False
    for line_id, units in new.items():
        result.unreported[line_id] = result.unreported.get(line_id, 0) + units
        for fulfilment_order in _nearest_first(order, one.record):
            share = next((s for s in fulfilment_order.lines if s.line_id == line_id), None)
            if share is None:
                continue
            free = remaining.get((fulfilment_order.id, line_id), 0)
            take = min(units, free)
            if take:
                remaining[(fulfilment_order.id, line_id)] = free - take
                units -= take
                lines.append(
                    FulfilmentLine(
                        fulfilment_order_id=fulfilment_order.id,
                        fulfilment_order_line_id=share.id,
                        line_id=line_id,
                        units=take,
                    )
                )
            elif share.remaining and fulfilment_order.is_open and fulfilment_order.status not in _READY:
                blocked = True
        if units and foreign.get(line_id, 0):
            # Somebody else has told the shop already: by hand, or another of this order's apps.
            take = min(units, foreign[line_id])
            foreign[line_id] -= take
            adopted[line_id] = take
            result.unreported[line_id] -= take
            units -= take
        if units and not blocked:
            excess[line_id] = units
            result.unreported[line_id] -= units
    if adopted:
        told = _sum([dict(one.record.told), adopted])
        result.records[one.record.reference] = replace(one.record, told=tuple(sorted(told.items())))
        result.reasons.append(Reason(text=f"{one.record.reference}: somebody else has told the shop of it already."))
    if excess and order.cancelled_at is None:
        result.findings.append(_over_despatch(order, one, excess))
    if blocked:
        result.findings.append(_blocked(order, one))
    if lines:
        _send(result, one, lines, fulfilled, parcels, policy, now)


def _send(
    result: DespatchDecision,
    one: Known,
    lines: list[FulfilmentLine],
    fulfilled: Mapping[str, int],
    parcels: Mapping[str, tuple[Parcel, ...]],
    policy: Policy,
    now: datetime,
) -> None:
    own = parcels.get(one.record.clarus_id or "", ())
    fresh = [p for p in own if p.tracking_number and p.tracking_number not in one.record.parcels_told]
    since = one.record.left_at or now
    if not fresh and now - since < policy.tracking_patience:
        result.reasons.append(Reason(text=f"{one.record.reference} has left; its tracking number is awaited."))
        result.wait_until = since + policy.tracking_patience
        return
    touched = {line.line_id for line in lines}
    result.commands.append(
        CreateFulfilment(
            reference=one.record.reference,
            lines=tuple(lines),
            tracking_numbers=tuple(dict.fromkeys(p.tracking_number for p in fresh)),
            carrier=next((p.carrier for p in fresh if p.carrier), ""),
            fulfilled_before=tuple(sorted((line, n) for line, n in fulfilled.items() if line in touched)),
        )
    )


def _nearest_first(order: ShopOrder, record: GoodsOutRecord) -> list[FulfilmentOrder]:
    # The fulfilment order may have been replaced; its goods are found by line, its own id first.
    return sorted(order.fulfilment_orders, key=lambda f: f.id != record.fulfilment_order_id)


def _sum(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for line, units in part.items():
            total[line] = total.get(line, 0) + units
    return total


def _over_despatch(order: ShopOrder, one: Known, excess: Mapping[str, int]) -> Finding:
    names = [f"{n} × {_title(order, line)}" for line, n in sorted(excess.items())]
    return Finding(
        code="OVER_DESPATCH",
        fingerprint=f"OVER_DESPATCH:{one.record.reference}:{sorted(excess.items())}",
        summary=f"{order.name}: left, and not on the order any more: {', '.join(names)} ({one.record.reference}).",
        detail={"reference": one.record.reference, "units": dict(excess)},
        actions=("look_at_order", "resolve_exceptions"),
    )


def _strangers(order: ShopOrder, one: Known) -> Finding:
    names = [f"{n} × {code}" for code, n in sorted(one.strangers.items())]
    return Finding(
        code="UNKNOWN_DESPATCH",
        fingerprint=f"UNKNOWN_DESPATCH:{one.record.reference}:{sorted(one.strangers.items())}",
        summary=f"{order.name}: left without being asked for: {', '.join(names)} ({one.record.reference}).",
        detail={"reference": one.record.reference, "units": dict(one.strangers)},
        actions=("look_at_order", "resolve_exceptions"),
    )


def _blocked(order: ShopOrder, one: Known) -> Finding:
    finished = one.record.state is RecordState.FINISHED
    return Finding(
        code="SHOP_REFUSED",
        fingerprint=f"SHOP_REFUSED:held:{one.record.reference}",
        summary=f"{order.name}: {one.record.reference} has left, and its fulfilment order is held in the shop.",
        detail={"reference": one.record.reference, "finished": finished, "remedy": "Release the hold in the shop."},
        actions=("look_at_order",),
    )


def _title(order: ShopOrder, line_id: str) -> str:
    line = order.line(line_id)
    return f"{line.title} ({line.sku})" if line else f"line {line_id}"
