"""What people change inside the warehouse after the order came in: at the bench, or on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pickgate.twins.clarus import attributes as a
from pickgate.twins.clarus import content, orders, pick_lists, picking, stock
from pickgate.twins.clarus import records as r
from pickgate.twins.clarus.lines import add_line
from pickgate.twins.clarus.refusals import ClarusRefusal, ImpossibleOnTheFloor
from pickgate.twins.clarus.tenant import Tenant


def change(
    tenant: Tenant,
    order: r.GoodsOut,
    *,
    address: Mapping[str, Any],
    carrier: Mapping[str, int],
    quantities: Mapping[int, float],
) -> None:
    """
    A packer changes the address, the carrier or the units to pack; the order is rewritten by it.

    Args:
        carrier: `carrier_id`, `carrier_service_id`.
        quantities: New units by line id. More is taken from the shelf, less goes back to it.
    """
    picking.need(order, "PICK")
    faults = a.find_faults(address, a.ADDRESS, source="address", knobs=tenant.knobs)
    if faults:
        raise ClarusRefusal(422, faults)
    for line in order.lines:
        _refuse_impossible(tenant, order, line, quantities)
    before = content.snapshot(tenant, order)
    order.address.update(address)
    order.attributes.update(carrier)
    for line in order.lines:
        if line.id in quantities:
            _repack(tenant, order, line, float(quantities[line.id]))
    tenant.touch(order)
    after = content.snapshot(tenant, order)
    tenant.note(
        order,
        "bench_changed",
        address=dict(address),
        carrier=dict(carrier),
        quantities={str(number): units for number, units in quantities.items()},
    )
    tenant.note(order, "goods_out_amended", by="bench", before=before, after=after)
    if not pick_lists.complete_if_settled(tenant, order):
        tenant.on_event("goods_out", "updated", content.renderer(tenant, order))


def add_stranger(tenant: Tenant, order: r.GoodsOut, product: r.Product, units: float, *, kind: str) -> r.Line:
    """Somebody puts a product on the order that nobody ordered; when it is in PICK, picked at once."""
    if order.status in r.FINAL:
        raise ImpossibleOnTheFloor(f"{order.reference} is {order.status}")
    if order.status == "PICK":
        balance = tenant.balance(product.id, order.account_id, order.warehouse_id or 0)
        if balance.shelf - balance.allocated < units:
            raise ImpossibleOnTheFloor(f"not {units:g} of {product.code} free on the shelf")
    before = content.snapshot(tenant, order)
    line = add_line(tenant, order, {"product_id": product.id, "order_quantity": units})
    tenant.touch(order)
    tenant.note(order, kind, line_id=line.id, product_code=product.code, units=units)
    if order.status == "PICK" and order.warehouse_id is not None:
        stock.allocate(tenant, order, line, order.warehouse_id)
        picking.take_from_shelf(tenant, order, line, units)
    after = content.snapshot(tenant, order)
    tenant.note(order, "goods_out_amended", by="hand", before=before, after=after)
    tenant.on_event("goods_out", "updated", content.renderer(tenant, order))
    return line


def substitute(tenant: Tenant, line: r.Line, product: r.Product, units: float) -> r.Line:
    """A picker takes another product instead of what is left of the line; the line goes short."""
    order = tenant.goods_outs[line.goods_out_id]
    picking.need(order, "PICK")
    added = add_stranger(tenant, order, product, units, kind="substituted")
    picking.short(tenant, line, reason=f"substituted by {product.code}")
    return added


def delete(tenant: Tenant, order: r.GoodsOut) -> None:
    """Somebody deletes the order on the screen, whatever its state, unless units of it left."""
    if any(line.dispatch_quantity for line in order.lines):
        raise ImpossibleOnTheFloor(f"{order.reference} has dispatched units")
    for line in order.lines:
        if order.is_begun:
            stock.return_units(tenant, order, line, line.to_dispatch)
    orders.remove(tenant, order, by="hand")


def _refuse_impossible(tenant: Tenant, order: r.GoodsOut, line: r.Line, quantities: Mapping[int, float]) -> None:
    wanted = quantities.get(line.id)
    if wanted is None:
        return
    balance = stock.balance_of(tenant, order, line)
    more = wanted - line.pick_quantity
    if wanted <= 0 or wanted < line.dispatch_quantity or more > balance.shelf:
        raise ImpossibleOnTheFloor(f"cannot pack {wanted:g} of line {line.id}")


def _repack(tenant: Tenant, order: r.GoodsOut, line: r.Line, wanted: float) -> None:
    balance = stock.balance_of(tenant, order, line)
    stock.free_allocation(tenant, order, line)
    line.order_quantity = wanted
    line.short_quantity = 0.0
    line.short_status = ""
    more = wanted - line.pick_quantity
    if more > 0:
        line.allocated_quantity += more
        balance.allocated += more
        picking.take_from_shelf(tenant, order, line, more)
    elif more < 0:
        line.pick_quantity = line.allocated_quantity = wanted
        balance.picked += more
        stock.change_shelf(tenant, balance, -more, because="put_back", order=order)
        tenant.note(
            order,
            "units_put_back",
            lines=[{"line_id": line.id, "product_code": tenant.code_of(line.product_id), "units": -more}],
        )
