"""One goods-out, whole: as history keeps it, as REST repeats it, as a webhook carries it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pickgate.twins.clarus import records as r
from pickgate.twins.clarus.tenant import Tenant


def snapshot(tenant: Tenant, order: r.GoodsOut) -> dict[str, Any]:
    """Plain values for history: codes beside ids, every line with its quantities and references."""
    attributes = order.attributes
    carrier = tenant.carriers.get(order.carrier_id or 0)
    service = tenant.carrier_services.get(order.carrier_service_id or 0)
    warehouse = tenant.warehouses.get(order.warehouse_id or 0)
    return {
        "reference": order.reference,
        "status": order.status,
        "account": tenant.accounts[order.account_id].code,
        "warehouse": None if warehouse is None else warehouse.code,
        "carrier": None if carrier is None else carrier.code,
        "service": None if service is None else service.code,
        "attributes": dict(attributes),
        "address": dict(order.address),
        "lines": [line_snapshot(tenant, line) for line in order.lines],
    }


def line_snapshot(tenant: Tenant, line: r.Line) -> dict[str, Any]:
    """One line for history."""
    return {
        "line_id": line.id,
        "product_id": line.product_id,
        "product_code": tenant.code_of(line.product_id),
        "quantity": line.order_quantity,
        "allocated": line.allocated_quantity,
        "picked": line.pick_quantity,
        "dispatched": line.dispatch_quantity,
        "short": line.short_quantity,
        "returned": line.returned_quantity,
        "attributes": dict(line.attributes),
    }


def reply(
    tenant: Tenant, order: r.GoodsOut, changes: Sequence[dict[str, Any]], added: Sequence[r.Line]
) -> dict[str, Any]:
    """The body of a create or update reply: the header, with the line changes as they were sent."""
    attributes = dict(order.attributes)
    if order.status in r.STATUS_IDS:
        attributes["goods_out_status_id"] = r.STATUS_IDS[order.status]
    if order.actual_date_of_dispatch is not None:
        attributes["actual_date_of_dispatch"] = order.actual_date_of_dispatch.isoformat()
    new_ids = iter(added)
    lines = []
    for change in changes:
        shown = dict(change)
        if change.get("type") == "ADD" and tenant.knobs.line_ids_in_replies:
            shown["id"] = next(new_ids).id
        lines.append(shown)
    attributes["lines_changes"] = lines
    return envelope(tenant, order.id, "goods_outs", attributes)


def envelope(tenant: Tenant, record_id: int, kind: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """The JSON:API shape of one record."""
    shown: int | str = str(record_id) if tenant.knobs.ids_as_strings_in_replies else record_id
    return {"data": {"id": shown, "type": kind, "attributes": attributes}}


def render_goods_out(tenant: Tenant, order: r.GoodsOut) -> dict[str, Any]:
    """The full record in a `goods_out` webhook."""
    snap = snapshot(tenant, order)
    attributes = dict(snap.pop("attributes"))
    attributes.pop("reference")
    return {
        "id": order.id,
        "reference": order.reference,
        **attributes,
        "goods_out_status": status_of(tenant, order.status),
        "account": {"id": order.account_id, "code": snap["account"]},
        "warehouse": _pair(order.warehouse_id, snap["warehouse"]),
        "carrier": _pair(order.carrier_id, snap["carrier"]),
        "carrier_service": _pair(order.carrier_service_id, snap["service"]),
        "address": snap["address"],
        "actual_date_of_dispatch": local_time(tenant, order.actual_date_of_dispatch),
        "created_at": local_time(tenant, order.created_at),
        "updated_at": local_time(tenant, order.updated_at),
        "goods_out_lines": [
            {
                "id": line.id,
                **line.attributes,
                "product": {"id": line.product_id, "code": tenant.code_of(line.product_id)},
                "order_quantity": line.order_quantity,
                "allocated_quantity": line.allocated_quantity,
                "pick_quantity": line.pick_quantity,
                "dispatch_quantity": line.dispatch_quantity,
                "short_status": line.short_status,
            }
            for line in order.lines
        ],
    }


def renderer(tenant: Tenant, order: r.GoodsOut) -> Callable[[], dict[str, Any]]:
    """Render the order only if somebody wants it."""
    return lambda: render_goods_out(tenant, order)


def render_pick_list(tenant: Tenant, pick_list: r.PickList) -> dict[str, Any]:
    """The full record in a `goods_out_pick_list` webhook."""
    return {
        "id": pick_list.id,
        "reference": pick_list.reference,
        "goods_out_status": status_of(tenant, pick_list.status),
        "account_id": pick_list.account_id,
        "warehouse_id": pick_list.warehouse_id,
        "goods_out_ids": list(pick_list.goods_out_ids),
    }


def status_of(tenant: Tenant, code: str) -> dict[str, str]:
    """Code and display name of a status."""
    name = tenant.knobs.status_names.get(code) or code.replace("_", " ").capitalize()
    return {"code": code, "name": name}


def local_time(tenant: Tenant, at: datetime | None) -> str | None:
    """An instant as the tenant writes it: its own zone, milliseconds, offset."""
    if at is None:
        return None
    zone = ZoneInfo(tenant.knobs.tenant_time_zone)
    return at.astimezone(zone).isoformat(timespec="milliseconds")


def _pair(record_id: int | None, code: str | None) -> dict[str, Any] | None:
    return None if record_id is None else {"id": record_id, "code": code}
