"""From PENDING to ALLOCATED: stock is promised, pick tasks and a pick list are made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pickgate.twins.clarus import content, pick_lists, stock
from pickgate.twins.clarus import records as r
from pickgate.twins.clarus.refusals import ClarusRefusal, refuse
from pickgate.twins.clarus.tenant import Tenant


def process(tenant: Tenant, orders: Iterable[r.GoodsOut], pick_list: r.PickList | None = None) -> r.PickList | None:
    """
    Allocate stock to the orders and put them on one pick list, a new one unless given.

    Raises the refusal of the first order that cannot be processed: `goods_out_already_allocated`, or
    `not_enough_stocks_for_picking` when nothing of it can be allocated. Earlier orders stay processed.
    """
    for order in orders:
        _refuse_unready(order)
        _choose_warehouse(tenant, order)
        taken = _allocate_lines(tenant, order)
        if not taken:
            raise refuse(
                "not_enough_stocks_for_picking",
                f"Not enough stock to pick {order.reference}",
                context={"goods_out_id": order.id},
            )
        pick_list = pick_lists.join(tenant, order, pick_list)
        settle_status(tenant, order, because="processed")
        _note_allocated(tenant, order, taken)
        tenant.on_event("goods_out", "processed", content.renderer(tenant, order))
    return pick_list


def process_if_possible(tenant: Tenant, goods_out_id: int) -> None:
    """Process on the tenant's own account; what cannot be processed stays as it is."""
    order = tenant.goods_outs.get(goods_out_id)
    if order is not None and order.status == "PENDING":
        try:
            process(tenant, [order])
        except ClarusRefusal as refusal:
            tenant.note(order, "processing_failed", symbol=refusal.symbol)


def queue_processing(tenant: Tenant, ids: Any, *, consolidate: bool) -> list[str]:
    """The asynchronous endpoints: check the ids, queue the work. Returns the process references."""
    requests = []
    for order in get_orders(tenant, ids, check=_refuse_unready):
        number = tenant.new_id("pick_processing_requests")
        tenant.requests[number] = r.ProcessingRequest(
            id=number,
            process_reference=f"PPR-{number:06d}",
            goods_out_id=order.id,
            goods_out_reference=order.reference,
            created_at=tenant.now(),
            updated_at=tenant.now(),
        )
        requests.append(tenant.requests[number])

    def run(batch: list[r.ProcessingRequest]) -> None:
        pick_list: r.PickList | None = None
        for request in batch:
            pick_list = _run_request(tenant, request, pick_list)

    wait = tenant.knobs.process_delay_seconds
    if consolidate:
        tenant.call_later(wait, lambda: run(requests))
    else:
        for request in requests:
            tenant.call_later(wait, lambda one=request: run([one]))  # type: ignore[misc]
    return [request.process_reference for request in requests]


def short_unallocated(tenant: Tenant, ids: Any, description: Any) -> None:
    """The REST call: mark what could not be allocated as short, so that the rest may go."""

    def refuse_unshortable(order: r.GoodsOut) -> None:
        if not tenant.accounts[order.account_id].is_short_pickable:
            raise refuse("goods_out_not_shortable", "The account does not allow shorting")
        if order.status != "PART_ALLOCATED":
            raise refuse("goods_out_not_shortable", f"The order is {order.status}")

    orders = get_orders(tenant, ids, check=refuse_unshortable)
    if not isinstance(description, str) or not description:
        raise refuse("missing_attribute", "description can't be blank", source="description")
    for order in orders:
        for line in order.lines:
            units = line.to_allocate
            if units:
                line.short_quantity += units
                line.short_status = "SHORT"
                tenant.note(
                    order,
                    "line_shorted",
                    line_id=line.id,
                    product_code=tenant.code_of(line.product_id),
                    units=units,
                    reason=description,
                )
        tenant.touch(order)
        settle_status(tenant, order, because="shorted")


def get_orders(tenant: Tenant, ids: Any, *, check: Any) -> list[r.GoodsOut]:
    """Return the orders of an `ids` array, each checked, or raise refusal 36 or 37."""
    if not isinstance(ids, list) or not ids:
        raise refuse("empty_ids_provided", "No ids were provided", source="ids")
    orders = [tenant.goods_outs[n] for n in ids if isinstance(n, int) and n in tenant.goods_outs]
    if len(orders) != len(ids):
        raise refuse("invalid_ids_provided", "Some ids are not goods outs", source="ids")
    for order in orders:
        check(order)
    return orders


def allocate_again(tenant: Tenant, order: r.GoodsOut) -> None:
    """After the lines of a processed order changed: allocate what is new, set the status by it."""
    taken = _allocate_lines(tenant, order)
    settle_status(tenant, order, because="amended")
    if taken:
        _note_allocated(tenant, order, taken)


def settle_status(tenant: Tenant, order: r.GoodsOut, *, because: str) -> None:
    """ALLOCATED when every unit is promised or short, else PART_ALLOCATED. A begun order stays."""
    if order.status == "PICK":
        return
    whole = all(line.to_allocate == 0 for line in order.lines)
    tenant.set_status(order, "ALLOCATED" if whole else "PART_ALLOCATED", because=because)


def _run_request(tenant: Tenant, request: r.ProcessingRequest, pick_list: r.PickList | None) -> r.PickList | None:
    order = tenant.goods_outs.get(request.goods_out_id)
    request.updated_at = tenant.now()
    try:
        if order is None:
            raise refuse("invalid_ids_provided", "The goods out is gone")
        made = process(tenant, [order], pick_list)
    except ClarusRefusal as refusal:
        request.status, request.message = "failed", str(refusal)
        return pick_list
    request.status = "completed"
    request.message = "Pick processing completed successfully"
    return made


def _refuse_unready(order: r.GoodsOut) -> None:
    waiting = any(line.to_allocate for line in order.lines)
    if order.status == "PENDING" or (order.status in ("PART_ALLOCATED", "PICK") and waiting):
        return
    raise refuse(
        "goods_out_already_allocated",
        "Order already processed",
        context={"goods_out_id": order.id, "status": order.status},
    )


def _choose_warehouse(tenant: Tenant, order: r.GoodsOut) -> None:
    """An order without a warehouse takes the linked one that covers most of it, the first if equal."""
    if order.warehouse_id is not None:
        return
    linked = [link.warehouse_id for link in tenant.account_warehouses.values() if link.account_id == order.account_id]

    def covered(warehouse_id: int) -> float:
        total = 0.0
        for line in order.lines:
            balance = tenant.balance(line.product_id, order.account_id, warehouse_id)
            total += min(line.to_allocate, max(0.0, balance.shelf - balance.allocated))
        return total

    best = max(linked, key=covered, default=None)
    if best is not None and covered(best):
        order.attributes["warehouse_id"] = best


def _allocate_lines(tenant: Tenant, order: r.GoodsOut) -> list[dict[str, Any]]:
    taken = []
    if order.warehouse_id is not None:
        for line in order.lines:
            units = stock.allocate(tenant, order, line, order.warehouse_id)
            if units:
                taken.append(
                    {
                        "line_id": line.id,
                        "product_code": tenant.code_of(line.product_id),
                        "units": units,
                    }
                )
    tenant.touch(order)
    return taken


def _note_allocated(tenant: Tenant, order: r.GoodsOut, taken: list[dict[str, Any]]) -> None:
    tenant.note(
        order,
        "allocated",
        lines=taken,
        pick_list_id=order.pick_list_id,
        warehouse_id=order.warehouse_id,
    )
