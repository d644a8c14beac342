"""Pick lists: joining, leaving, beginning, finishing, and undoing one."""

from __future__ import annotations

from pickgate.twins.clarus import content, stock
from pickgate.twins.clarus import records as r
from pickgate.twins.clarus.refusals import refuse
from pickgate.twins.clarus.tenant import Tenant


def join(tenant: Tenant, order: r.GoodsOut, pick_list: r.PickList | None) -> r.PickList:
    """Keep the order's own list, else use the given one, else make one."""
    current = tenant.pick_lists.get(order.pick_list_id or 0)
    if current is not None:
        current.is_picked = False
        return current
    if pick_list is None:
        number = tenant.new_id("goods_out_pick_lists")
        pick_list = made = r.PickList(
            id=number,
            reference=f"PL-{number:06d}",
            goods_out_ids=[],
            account_id=order.account_id,
            warehouse_id=order.warehouse_id or 0,
            pick_reference=order.attributes.get("pick_reference"),
        )
        tenant.pick_lists[number] = made
        tenant.on_event("goods_out_pick_list", "created", lambda: content.render_pick_list(tenant, made))
    pick_list.goods_out_ids.append(order.id)
    order.pick_list_id = pick_list.id
    return pick_list


def begin(tenant: Tenant, order: r.GoodsOut) -> None:
    """Work on the order has begun: it and its list are in PICK."""
    tenant.set_status(order, "PICK", because="picking")
    pick_list = tenant.pick_lists.get(order.pick_list_id or 0)
    if pick_list is not None and pick_list.status == "ALLOCATED":
        pick_list.status = "PICK"


def finish_if_picked(tenant: Tenant, order: r.GoodsOut) -> None:
    """Say once that every pick task of the order is done, and of its list when that is true too."""
    if not order.is_begun or any(line.to_pick for line in order.lines):
        return
    tenant.note(order, "picking_finished")
    pick_list = tenant.pick_lists.get(order.pick_list_id or 0)
    if pick_list is None or pick_list.is_picked:
        return
    if not any(line.to_pick for other in _orders(tenant, pick_list) for line in other.lines):
        pick_list.is_picked = True
        _announce(tenant, pick_list, "picked")


def complete_if_settled(tenant: Tenant, order: r.GoodsOut) -> bool:
    """COMPLETED when nothing more will be sent. Its list follows its last order."""
    if order.status in r.FINAL or not all(line.is_settled for line in order.lines):
        return False
    order.actual_date_of_dispatch = tenant.now()
    tenant.set_status(order, "COMPLETED", because="dispatched")
    tenant.on_event("goods_out", "completed", content.renderer(tenant, order))
    pick_list = tenant.pick_lists.get(order.pick_list_id or 0)
    if pick_list is not None and all(o.status in r.FINAL for o in _orders(tenant, pick_list)):
        pick_list.status = "COMPLETED"
        _announce(tenant, pick_list, "completed")
    return True


def leave(tenant: Tenant, order: r.GoodsOut) -> None:
    """Take a cancelled or deleted order off its pick list; an empty list is cancelled with it."""
    pick_list = tenant.pick_lists.get(order.pick_list_id or 0)
    if pick_list is None:
        return
    pick_list.goods_out_ids.remove(order.id)
    order.pick_list_id = None
    if not pick_list.goods_out_ids and pick_list.status not in r.FINAL:
        pick_list.status = "CANCELLED"
        _announce(tenant, pick_list, "cancelled")


def undo(tenant: Tenant, pick_list: r.PickList) -> None:
    """
    Cancel a pick list: its orders go back to PENDING, what was picked to its shelf.

    Raises the refusal while anything of it is dispatched: that must be unconfirmed first.
    """
    orders = _orders(tenant, pick_list)
    dispatched = any(line.dispatch_quantity for order in orders for line in order.lines)
    if pick_list.status in r.FINAL or dispatched:
        raise refuse(
            "pick_list_not_cancellable",
            "Dispatch must be unconfirmed first",
            context={"status": pick_list.status},
        )
    pick_list.status = "CANCELLED"
    for order in orders:
        moved = []
        for line in order.lines:
            stock.free_allocation(tenant, order, line)
            moved.append(stock.return_units(tenant, order, line, line.to_dispatch))
            line.pick_quantity = line.returned_quantity = line.allocated_quantity = 0.0
        order.pick_list_id = None
        order.packed = False
        tenant.set_status(order, "PENDING", because="pick list cancelled")
        tenant.note(
            order,
            "pick_list_cancelled",
            lines=[line for line in moved if line],
            pick_list_id=pick_list.id,
        )
        tenant.on_event("goods_out", "updated", content.renderer(tenant, order))
    _announce(tenant, pick_list, "cancelled")


def _orders(tenant: Tenant, pick_list: r.PickList) -> list[r.GoodsOut]:
    return [tenant.goods_outs[number] for number in pick_list.goods_out_ids if number in tenant.goods_outs]


def _announce(tenant: Tenant, pick_list: r.PickList, event: str) -> None:
    tenant.on_event("goods_out_pick_list", event, lambda: content.render_pick_list(tenant, pick_list))
