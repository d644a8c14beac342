"""The pick side of the floor: taking units, giving up on them, putting them back."""

from __future__ import annotations

from pickgate.twins.clarus import pick_lists, processing, stock
from pickgate.twins.clarus import records as r
from pickgate.twins.clarus.refusals import ImpossibleOnTheFloor
from pickgate.twins.clarus.tenant import Tenant


def start_pick(tenant: Tenant, order: r.GoodsOut) -> None:
    """A picker takes the order's first task."""
    need(order, "ALLOCATED", "PART_ALLOCATED", "PICK")
    tenant.note(order, "pick_started")
    if tenant.knobs.pick_begins_at == "first_task_started":
        pick_lists.begin(tenant, order)


def pick(tenant: Tenant, line: r.Line, units: float | None = None) -> None:
    """Pick units of a line, all that are left unless told. Raises when task or shelf has fewer."""
    order = tenant.goods_outs[line.goods_out_id]
    wanted = line.to_pick if units is None else float(units)
    if order.status in r.FINAL or wanted <= 0 or wanted > line.to_pick:
        raise ImpossibleOnTheFloor(
            f"cannot pick {wanted:g} of line {line.id}: {line.to_pick:g} to pick, {order.status}"
        )
    take_from_shelf(tenant, order, line, wanted)
    pick_lists.begin(tenant, order)
    pick_lists.finish_if_picked(tenant, order)


def take_from_shelf(tenant: Tenant, order: r.GoodsOut, line: r.Line, units: float) -> None:
    """Move allocated units of a line from the shelf into the order's tote."""
    balance = stock.balance_of(tenant, order, line)
    if balance.shelf < units:
        raise ImpossibleOnTheFloor(
            f"{balance.shelf:g} of {tenant.code_of(line.product_id)} on the shelf, not {units:g}"
        )
    line.pick_quantity += units
    balance.allocated -= units
    balance.picked += units
    stock.change_shelf(tenant, balance, -units, because="picked", order=order)
    if line.to_pick == 0:
        _close_tasks(tenant, order, line)
    tenant.touch(order)
    tenant.note(
        order,
        "line_picked",
        line_id=line.id,
        product_id=line.product_id,
        product_code=tenant.code_of(line.product_id),
        units=units,
    )


def short(tenant: Tenant, line: r.Line, *, reason: str) -> float:
    """
    Give up on what is not picked yet of a line. Returns the units.

    The order completes when nothing else is due, even if nothing at all was sent.
    """
    order = tenant.goods_outs[line.goods_out_id]
    if order.status in r.FINAL:
        raise ImpossibleOnTheFloor(f"{order.reference} is {order.status}")
    missing = line.order_quantity - line.short_quantity - line.pick_quantity
    if missing <= 0:
        return 0.0
    stock.free_allocation(tenant, order, line)
    line.short_quantity += missing
    line.short_status = "SHORT"
    tenant.touch(order)
    tenant.note(
        order,
        "line_shorted",
        line_id=line.id,
        product_code=tenant.code_of(line.product_id),
        units=missing,
        reason=reason,
    )
    if not pick_lists.complete_if_settled(tenant, order):
        if order.status == "PART_ALLOCATED":
            processing.settle_status(tenant, order, because="shorted")
        pick_lists.finish_if_picked(tenant, order)
    return missing


def put_back(tenant: Tenant, order: r.GoodsOut) -> None:
    """Return to the shelf what was picked for a cancelled order and never sent."""
    need(order, "CANCELLED")
    moved = [stock.return_units(tenant, order, line, line.to_dispatch) for line in order.lines]
    if any(moved):
        tenant.note(order, "units_put_back", lines=[line for line in moved if line])


def need(order: r.GoodsOut, *codes: str) -> None:
    """Raise unless the order is in one of the statuses."""
    if order.status not in codes:
        raise ImpossibleOnTheFloor(f"{order.reference} is {order.status}, not {' or '.join(codes)}")


def _close_tasks(tenant: Tenant, order: r.GoodsOut, line: r.Line) -> None:
    for task in tenant.tasks_of[order.id]:
        if task.line_id == line.id and task.status == "AVAILABLE":
            task.status = "COMPLETED"
            task.confirmed_quantity = task.start_quantity
            task.completed_at = tenant.now()
