"""Goods-outs over REST: create, amend, delete, cancel. The same rules serve the warehouse's own screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pickgate.twins.clarus import attributes as a
from pickgate.twins.clarus import content, pick_lists, processing, stock
from pickgate.twins.clarus import records as r
from pickgate.twins.clarus.lines import LineChange, add_line, apply_changes, read_changes
from pickgate.twins.clarus.refusals import ClarusRefusal, fault, refuse
from pickgate.twins.clarus.tenant import Tenant

_NOTES = frozenset({"order_notes", "pick_notes", "packing_notes", "delivery_notes"})
_CARRIER = frozenset({"carrier_id", "carrier_service_id"})
_STATUS_CODES = {number: code for code, number in r.STATUS_IDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a write gave: the order, and the lines that it added."""

    order: r.GoodsOut
    added: Sequence[r.Line]


def create(tenant: Tenant, header: Mapping[str, Any], address: Mapping[str, Any], *, by: str = "api") -> Written:
    """Create a goods-out, PENDING or DRAFT. Raises the 422 refusal with every fault at once."""
    values = {name: value for name, value in header.items() if name != "lines_changes"}
    faults = a.find_missing(values, a.HEADER_REQUIRED, source="attributes")
    faults += _header_faults(tenant, values, values)
    faults += a.find_faults(address, a.ADDRESS, source="address", knobs=tenant.knobs)
    account_id = values.get("account_id")
    changes, more = read_changes(
        tenant,
        header.get("lines_changes", []),
        account_id=account_id if isinstance(account_id, int) else None,
        order=None,
    )
    faults += more
    if faults:
        raise ClarusRefusal(422, faults)
    status_id = values.pop("goods_out_status_id", None)
    now = tenant.now()
    order = r.GoodsOut(
        id=tenant.new_id("goods_outs"),
        attributes=a.present(values, a.HEADER),
        address=a.present(address, a.ADDRESS),
        status="DRAFT" if status_id == 1 and tenant.knobs.draft_allowed else "PENDING",
        created_at=now,
        updated_at=now,
        visible_from=now + timedelta(seconds=tenant.knobs.visible_after_seconds),
    )
    for change in changes:
        add_line(tenant, order, a.present(change.attributes, a.LINE))
    tenant.add_goods_out(order)
    tenant.note(order, "goods_out_created", by=by, content=content.snapshot(tenant, order))
    tenant.on_event("goods_out", "created", content.renderer(tenant, order))
    wait = tenant.knobs.process_after_create_seconds
    if wait is not None and order.status == "PENDING":
        tenant.call_later(wait, lambda: processing.process_if_possible(tenant, order.id))
    return Written(order=order, added=list(order.lines))


def amend(
    tenant: Tenant,
    order: r.GoodsOut,
    header: Mapping[str, Any],
    address: Mapping[str, Any] | None,
    *,
    by: str = "api",
) -> Written:
    """
    Change a goods-out: all of it or nothing.

    Args:
        header: Header attributes, partial, and `lines_changes`.
        address: The address fields that change; None leaves the address alone.
        by: `api` obeys the knobs' `amendable` table; `hand` (the warehouse's screen) does not.
    """
    values = {name: value for name, value in header.items() if name != "lines_changes"}
    after = {**order.attributes, **values}
    faults: a.Faults = []
    if by == "api" and tenant.knobs.patch_needs_required_fields:
        faults += a.find_missing(values, a.HEADER_REQUIRED, source="attributes")
    faults += _header_faults(tenant, values, after, order=order)
    faults += a.find_faults(address or {}, a.ADDRESS, source="address", knobs=tenant.knobs)
    changes, more = read_changes(tenant, header.get("lines_changes", []), account_id=order.account_id, order=order)
    faults += more
    if faults:
        raise ClarusRefusal(422, faults)
    status_id = values.pop("goods_out_status_id", None)
    changed = {n: v for n, v in values.items() if n in a.HEADER and order.attributes.get(n) != v}
    moved = {n: v for n, v in (address or {}).items() if n in a.ADDRESS and order.address.get(n) != v}
    if by == "api":
        _refuse_late(tenant, order, changed, moved, changes)
    before, was_processed = content.snapshot(tenant, order), order.is_processed
    if "reference" in changed:
        tenant.rename(order, str(changed["reference"]))
    _merge(order.attributes, changed)
    _merge(order.address, moved)
    added = apply_changes(tenant, order, changes)
    tenant.touch(order)
    if changes and was_processed:
        processing.allocate_again(tenant, order)
    after_snapshot = content.snapshot(tenant, order)
    if after_snapshot != before:
        tenant.note(order, "goods_out_amended", by=by, before=before, after=after_snapshot)
        tenant.on_event("goods_out", "updated", content.renderer(tenant, order))
    _move_draft(tenant, order, status_id)
    if any(line.dispatch_quantity for line in order.lines):
        pick_lists.complete_if_settled(tenant, order)
    return Written(order=order, added=added)


def delete(tenant: Tenant, order: r.GoodsOut) -> None:
    """DELETE: only before processing has started."""
    if order.status not in ("DRAFT", "PENDING") or order.is_processed:
        raise refuse(
            "goods_out_not_deletable",
            "Cannot delete orders that have started processing",
            context={"status": order.status},
        )
    remove(tenant, order, by="delete")


def cancel(tenant: Tenant, order: r.GoodsOut) -> None:
    """Cancel by status: gone, CANCELLED, or the 422 refusal. Picked units wait to be put back."""
    untouched = not order.is_processed
    if order.status in ("DRAFT", "PENDING") and untouched:
        remove(tenant, order, by="cancel")
        return
    if order.status in r.FINAL:
        raise refuse(
            "goods_out_not_cancellable",
            f"Cannot cancel - already {'dispatched' if order.status == 'COMPLETED' else 'cancelled'}",
            context={"status": order.status},
        )
    picking_now = order.status == "PICK" or order.is_begun
    if picking_now and tenant.knobs.cancel_while_picking == "refuse":
        raise refuse(
            "goods_out_not_cancellable",
            "Cannot cancel - picking has started",
            context={"status": order.status},
        )
    for line in order.lines:
        stock.free_allocation(tenant, order, line)
    pick_lists.leave(tenant, order)
    tenant.set_status(order, "CANCELLED", because="cancel")
    tenant.note(
        order,
        "goods_out_cancelled",
        lines=[content.line_snapshot(tenant, line) for line in order.lines],
    )
    tenant.on_event("goods_out", "cancelled", content.renderer(tenant, order))


def remove(tenant: Tenant, order: r.GoodsOut, *, by: str) -> None:
    """Make the record disappear; what was allocated to it is freed."""
    for line in order.lines:
        stock.free_allocation(tenant, order, line)
    pick_lists.leave(tenant, order)
    last = content.snapshot(tenant, order)
    payload = content.render_goods_out(tenant, order)
    tenant.remove_goods_out(order)
    tenant.note(order, "goods_out_deleted", by=by, content=last)
    if tenant.knobs.deletion_emits_cancelled:
        tenant.on_event("goods_out", "cancelled", lambda: payload)


def _header_faults(
    tenant: Tenant,
    values: Mapping[str, Any],
    after: Mapping[str, Any],
    order: r.GoodsOut | None = None,
) -> a.Faults:
    faults = a.find_faults(values, a.HEADER, source="attributes", knobs=tenant.knobs)
    if faults:
        return faults
    account_id, warehouse_id = after.get("account_id"), after.get("warehouse_id")
    linked = {link.warehouse_id for link in tenant.account_warehouses.values() if link.account_id == account_id}
    service = tenant.carrier_services.get(after.get("carrier_service_id") or 0)
    wrong = {
        "account_id": account_id is not None and account_id not in tenant.accounts,
        "warehouse_id": warehouse_id is not None and warehouse_id not in linked,
        "carrier_id": after.get("carrier_id") is not None and after["carrier_id"] not in tenant.carriers,
        "carrier_service_id": after.get("carrier_service_id") is not None
        and (service is None or after.get("carrier_id") not in (None, service.carrier_id)),
        "order_type_id": after.get("order_type_id") is not None and after["order_type_id"] not in tenant.order_types,
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            faults.append(
                fault(
                    "unknown_record",
                    f"{name} {after[name]} is not usable here",
                    source=f"attributes.{name}",
                    context={name: after[name]},
                )
            )
    reference = values.get("reference")
    if tenant.knobs.duplicate_reference == "refuse" and reference is not None:
        same = tenant.by_reference.get(reference, {}).values()
        if any(o.account_id == account_id and o is not order for o in same):
            faults.append(
                fault(
                    "reference_exists", f"reference {reference} has already been taken", source="attributes.reference"
                )
            )
    return faults


def _refuse_late(
    tenant: Tenant,
    order: r.GoodsOut,
    changed: Mapping[str, Any],
    moved: Mapping[str, Any],
    changes: Sequence[LineChange],
) -> None:
    groups = {_group(name) for name in changed}
    if moved:
        groups.add("address")
    if changes:
        groups.add("lines")
    refused = groups - tenant.knobs.amendable.get(order.status, frozenset())
    if refused:
        raise refuse(
            "goods_out_not_amendable",
            f"{', '.join(sorted(refused))} cannot be changed in status {order.status}",
            context={"status": order.status, "refused": sorted(refused)},
        )


def _group(name: str) -> str:
    if name in _NOTES:
        return "notes"
    return "carrier" if name in _CARRIER else "header"


def _merge(target: dict[str, Any], changed: Mapping[str, Any]) -> None:
    for name, value in changed.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = value


def _move_draft(tenant: Tenant, order: r.GoodsOut, status_id: int | None) -> None:
    """DRAFT and PENDING may be swapped by writing the status id; every other value does nothing."""
    code = _STATUS_CODES.get(status_id or 0)
    if not tenant.knobs.draft_allowed or order.status not in ("DRAFT", "PENDING"):
        return
    if code in ("DRAFT", "PENDING"):
        tenant.set_status(order, code, because="status id written")
