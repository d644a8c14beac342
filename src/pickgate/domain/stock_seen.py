"""Which units that the shop has committed are in the warehouse, and which stock an order's edit makes untrue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pickgate.domain.decision import Decision
from pickgate.domain.facts import GoodsOutRecord, RecordState
from pickgate.domain.learn import shop_units
from pickgate.domain.rules import Place
from pickgate.domain.shop import FulfilmentOrderStatus, ShopOrder
from pickgate.domain.warehouse import GoodsOut, Stage

COMMITS = frozenset(
    {
        FulfilmentOrderStatus.OPEN,
        FulfilmentOrderStatus.IN_PROGRESS,
        FulfilmentOrderStatus.ON_HOLD,
        FulfilmentOrderStatus.SCHEDULED,
    }
)
"""Fulfilment orders whose remaining units the shop surely counts as committed."""
ALLOCATED_FROM = frozenset({"ALLOCATED", "PICK", "PART", "COMPLETED"})
NEVER_COUNTED = frozenset({"DRAFT"})


def units_in_warehouse(
    order: ShopOrder,
    records: Sequence[GoodsOutRecord],
    seen: Sequence[GoodsOut],
    place: Place,
    *,
    allocated_only: bool,
) -> dict[tuple[str, str], int]:
    """
    Count one order's units that the shop has committed and the place's figures contain. By location and SKU.

    Too few is safe, so whatever is in doubt is left out: a goods-out that the last read did not show whole, one that
    is being recalled, what has left already and what no open fulfilment order asks for any more.

    Args:
        seen: The order's goods-outs as its last look read them.
    """
    units: dict[tuple[str, str], int] = {}
    shares = {
        (one.id, line.line_id): (one.location_id, line.remaining)
        for one in order.fulfilment_orders
        if one.status in COMMITS
        for line in one.lines
    }
    for record in records:
        if not _counts(record, place, allocated_only=allocated_only) or not _is_whole(record, seen):
            continue
        told = dict(record.told)
        skus = {line.line_id: line.sku for line in record.content.lines}
        for line_id, asked in shop_units(record.content).items():
            location_id, remaining = shares.get((record.fulfilment_order_id, line_id), ("", 0))
            inside = min(asked - told.get(line_id, 0), remaining)
            if inside > 0:
                shares[record.fulfilment_order_id, line_id] = (location_id, remaining - inside)
                key = location_id, skus[line_id]
                units[key] = units.get(key, 0) + inside
    return units


def units_since_snapshot(
    order: ShopOrder | None, records: Sequence[GoodsOutRecord], place: Place, *, begun_at: datetime, is_settled: bool
) -> dict[str, int]:
    """
    Count units that this order may have taken since a snapshot was begun, beyond what the shop commits.

    An order that was released after the snapshot and cancelled in the shop before its levels were read is in neither,
    and the warehouse may still pick it. By product code, for an order that was, or is being, looked at since.

    Args:
        is_settled: The order's last look is over and nothing has happened since: what the shop commits is known.
    """
    committed: dict[tuple[str, str], int] = {}
    if order is not None and is_settled:
        committed = {
            (one.id, line.line_id): line.remaining
            for one in order.fulfilment_orders
            if one.status in COMMITS
            for line in one.lines
        }
    units: dict[str, int] = {}
    for record in records:
        is_new = record.state is RecordState.CREATING or record.created_at is None or record.created_at >= begun_at
        if not record.may_be_live or (record.content.account, record.content.warehouse) != (
            place.account,
            place.warehouse,
        ):
            continue
        if not is_settled and not is_new:
            continue  # the snapshot has it
        told = dict(record.told)
        for line in record.content.lines:
            known = told.get(line.line_id, 0) + committed.get((record.fulfilment_order_id, line.line_id), 0)
            more = line.units - known * line.per_unit
            if more > 0:
                units[line.product_code] = units.get(line.product_code, 0) + more
    return units


def _counts(record: GoodsOutRecord, place: Place, *, allocated_only: bool) -> bool:
    code = record.stage_code.strip().upper()
    return (
        record.state is RecordState.LIVE
        and (record.content.account, record.content.warehouse) == (place.account, place.warehouse)
        and code not in NEVER_COUNTED
        and (not allocated_only or code in ALLOCATED_FROM)
    )


def _is_whole(record: GoodsOutRecord, seen: Sequence[GoodsOut]) -> bool:
    """The warehouse showed all that we know it to have accepted. A line that it gave up counts as far as picked."""
    own = next((one for one in seen if one.id == record.clarus_id), None)
    if own is None or own.stage is Stage.CANCELLED:
        return False
    there: dict[str, int] = {}
    for line in own.lines:
        there[line.product_code] = there.get(line.product_code, 0) + (line.picked if line.short else line.ordered)
    return all(there.get(code, 0) >= units for code, units in record.content.units_by_product().items())


def skus_to_correct(decision: Decision) -> tuple[str, ...]:
    """
    Name the SKUs whose level in the shop may be too high because of this order: correct them now, not next time.

    An edit or a cancellation puts units back on sale in the shop at once. Those that have been picked, or have left,
    are not on the shelf.
    """
    return tuple(
        dict.fromkeys(
            row.sku
            for row in decision.comparison
            if row.sku and row.warehouse_units > row.shop_units and (row.picked or row.despatched)
        )
    )
