"""Out of the door: packing, dispatching whole or in part, shipments with tracking, and undoing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pickgate.twins.clarus import content, pick_lists, stock
from pickgate.twins.clarus import records as r
from pickgate.twins.clarus.picking import need
from pickgate.twins.clarus.refusals import ImpossibleOnTheFloor
from pickgate.twins.clarus.tenant import Tenant


def pack(tenant: Tenant, order: r.GoodsOut) -> None:
    """The bench has packed what was picked."""
    need(order, "PICK")
    order.packed = True
    tenant.note(
        order,
        "packed",
        lines=[{"line_id": line.id, "units": line.to_dispatch} for line in order.lines],
    )


def dispatch(
    tenant: Tenant,
    orders: Sequence[r.GoodsOut],
    *,
    tracking: Sequence[str] | None,
    units: Mapping[int, float] | None,
) -> r.Shipment:
    """
    Send what is picked, in one shipment.

    Args:
        tracking: One number per package. Empty: the label comes later. None: one made-up number.
        units: Units by line id. None: everything picked and not sent yet.
    """
    due: dict[r.Line, float] = {}
    for order in orders:
        need(order, "PICK")
        for line in order.lines:
            due[line] = line.to_dispatch if units is None else float(units.get(line.id, 0.0))
            if due[line] < 0 or due[line] > line.to_dispatch:
                raise ImpossibleOnTheFloor(f"cannot send {due[line]:g} of line {line.id}: {line.to_dispatch:g} picked")
    if not any(due.values()):
        raise ImpossibleOnTheFloor("nothing to send")
    if tracking is None:
        tracking = [f"1Z{tenant.rng.randrange(10**12):012d}"]
    shipment = _new_shipment(tenant, orders)
    for order in orders:
        sent = []
        for line in order.lines:
            if due[line]:
                _send_line(tenant, order, line, due[line])
                sent.append(
                    {
                        "line_id": line.id,
                        "product_code": tenant.code_of(line.product_id),
                        "units": due[line],
                    }
                )
        tenant.touch(order)
        tenant.note(
            order,
            "dispatched",
            lines=sent,
            shipment_id=shipment.id,
            complete=all(line.is_settled for line in order.lines),
        )
    add_packages(tenant, shipment, tracking)
    for order in orders:
        if not pick_lists.complete_if_settled(tenant, order):
            tenant.on_event("goods_out", "updated", content.renderer(tenant, order))
    return shipment


def add_packages(tenant: Tenant, shipment: r.Shipment, tracking: Sequence[str]) -> None:
    """The carrier has labelled the shipment, at once or later. Numbers may be used again elsewhere."""
    if not tracking:
        return
    for number in tracking:
        package = r.Package(id=tenant.new_id("packages"), shipment_id=shipment.id, tracking_number=number)
        tenant.packages[package.id] = package
        shipment.packages.append(package)
    shipment.status = "dispatched"
    shipment.label_filename = f"label-{shipment.reference}.pdf"
    for goods_out_id in shipment.goods_out_ids:
        order = tenant.goods_outs[goods_out_id]
        tenant.note(order, "shipment_submitted", shipment_id=shipment.id, tracking=list(tracking))


def unconfirm(tenant: Tenant, order: r.GoodsOut, units: Mapping[int, float] | None) -> None:
    """
    Take a dispatch back: the units are picked again, the order is in PICK again.

    Args:
        units: Units by line id. None: all of it, and its shipments are cancelled.
    """
    need(order, "PICK", "COMPLETED")
    taken = {line: line.dispatch_quantity if units is None else float(units.get(line.id, 0.0)) for line in order.lines}
    if not any(taken.values()) or any(u > line.dispatch_quantity for line, u in taken.items()):
        raise ImpossibleOnTheFloor(f"{order.reference} has not dispatched that")
    for line, amount in taken.items():
        if amount:
            balance = stock.balance_of(tenant, order, line)
            line.dispatch_quantity -= amount
            balance.picked += amount
            stock.record_stock_changed(tenant, balance, amount, because="undispatched", order=order)
    order.actual_date_of_dispatch = None
    if units is None:
        for shipment in tenant.shipments_of[order.id]:
            shipment.status = "cancelled"
    pick_list = tenant.pick_lists.get(order.pick_list_id or 0)
    if pick_list is not None:
        pick_list.status = "PICK"
    tenant.set_status(order, "PICK", because="dispatch unconfirmed")
    tenant.touch(order)
    tenant.note(
        order,
        "dispatch_unconfirmed",
        lines=[
            {
                "line_id": line.id,
                "product_code": tenant.code_of(line.product_id),
                "units": amount,
            }
            for line, amount in taken.items()
            if amount
        ],
    )
    tenant.on_event("goods_out", "updated", content.renderer(tenant, order))


def _new_shipment(tenant: Tenant, orders: Sequence[r.GoodsOut]) -> r.Shipment:
    first = orders[0]
    number = tenant.new_id("shipments")
    shipment = r.Shipment(
        id=number,
        reference=f"SHP-{number:06d}",
        name=f"Shipment to {first.address.get('name', first.reference)}",
        goods_out_ids=[order.id for order in orders],
        warehouse_id=first.warehouse_id or 0,
        carrier_id=first.carrier_id,
        carrier_service_id=first.carrier_service_id,
        status="submitting",
        collection_datetime=tenant.now(),
        delivery_notes=first.attributes.get("delivery_notes"),
    )
    tenant.shipments[number] = shipment
    for order in orders:
        tenant.shipments_of[order.id].append(shipment)
    return shipment


def _send_line(tenant: Tenant, order: r.GoodsOut, line: r.Line, units: float) -> None:
    balance = stock.balance_of(tenant, order, line)
    line.dispatch_quantity += units
    balance.picked -= units
    stock.record_stock_changed(tenant, balance, -units, because="dispatched", order=order)
