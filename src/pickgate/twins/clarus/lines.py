"""Line changes: read and checked as a whole first, applied only when every one of them is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pickgate.twins.clarus import records as r
from pickgate.twins.clarus import stock
from pickgate.twins.clarus.attributes import LINE, Faults, find_faults, present
from pickgate.twins.clarus.refusals import fault
from pickgate.twins.clarus.tenant import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChange:
    """One checked change. `verb` is ADD, UPDATE or DESTROY, whatever word deleted it on the wire."""

    verb: str
    line: r.Line | None
    attributes: Mapping[str, Any]


def read_changes(
    tenant: Tenant, raw: Any, *, account_id: int | None, order: r.GoodsOut | None
) -> tuple[list[LineChange], Faults]:
    """
    Check `lines_changes`.

    Args:
        account_id: The stock owner; the products must be assigned to it. None: unknown, not checked.
        order: The order to be amended. None: a new one, where only ADD makes sense.

    Returns:
        The changes and the entries for `errors[]`; the changes count only when there are no errors.
    """
    if not isinstance(raw, list):
        return [], [_bad("lines_changes must be an array", "lines_changes")]
    changes: list[LineChange] = []
    faults: Faults = []
    for position, item in enumerate(raw):
        where = f"lines_changes[{position}]"
        change = _read(tenant, item, where, order, faults)
        if change is not None:
            faults += _check(tenant, change, where, account_id)
            changes.append(change)
    return changes, faults


def apply_changes(tenant: Tenant, order: r.GoodsOut, changes: Sequence[LineChange]) -> list[r.Line]:
    """Apply checked changes. Returns the added lines; processed orders are allocated anew by the caller."""
    added = []
    for change in changes:
        if change.line is None:
            added.append(add_line(tenant, order, change.attributes))
            continue
        line = change.line
        if change.verb == "DESTROY" or "product_id" in change.attributes:
            stock.free_allocation(tenant, order, line)
        if change.verb == "DESTROY":
            stock.return_units(tenant, order, line, line.to_dispatch)
            order.lines.remove(line)
            del tenant.lines[line.id]
            continue
        kept = dict(change.attributes)
        line.product_id = kept.pop("product_id", line.product_id)
        quantity = kept.pop("order_quantity", None)
        if quantity is not None and quantity < line.allocated_quantity:
            stock.free_allocation(tenant, order, line)
        line.order_quantity = line.order_quantity if quantity is None else float(quantity)
        line.attributes.update(kept)
    return added


def add_line(tenant: Tenant, order: r.GoodsOut, attributes: Mapping[str, Any]) -> r.Line:
    """Put one more line on the order."""
    kept = dict(attributes)
    line = r.Line(
        id=tenant.new_id("goods_out_lines"),
        goods_out_id=order.id,
        product_id=kept.pop("product_id"),
        order_quantity=float(kept.pop("order_quantity")),
        attributes=kept,
        created_at=tenant.now(),
    )
    order.lines.append(line)
    tenant.lines[line.id] = line
    return line


def _read(tenant: Tenant, item: Any, where: str, order: r.GoodsOut | None, faults: Faults) -> LineChange | None:
    verbs = {"ADD"} if order is None else {"ADD", "UPDATE", *tenant.knobs.line_delete_verbs}
    if not isinstance(item, Mapping) or item.get("type") not in verbs:
        faults.append(_bad(f"type must be one of {', '.join(sorted(verbs))}", f"{where}.type"))
        return None
    attributes = item.get("attributes") or {}
    if not isinstance(attributes, Mapping):
        faults.append(_bad("attributes must be an object", f"{where}.attributes"))
        return None
    if item["type"] == "ADD":
        return LineChange(verb="ADD", line=None, attributes=attributes)
    line = tenant.lines.get(_as_id(item.get("id")))
    if line is None or order is None or line.goods_out_id != order.id:
        details = f"line {item.get('id')} is not a line of this goods out"
        faults.append(fault("unknown_record", details, source=f"{where}.id"))
        return None
    verb = "UPDATE" if item["type"] == "UPDATE" else "DESTROY"
    return LineChange(verb=verb, line=line, attributes=present(attributes, LINE))


def _check(tenant: Tenant, change: LineChange, where: str, account_id: int | None) -> Faults:
    faults = find_faults(change.attributes, LINE, source=where, knobs=tenant.knobs)
    if change.verb == "ADD":
        for name in ("product_id", "order_quantity"):
            if name not in change.attributes:
                faults.append(fault("missing_attribute", f"{name} can't be blank", source=f"{where}.{name}"))
    product_id = change.attributes.get("product_id")
    if isinstance(product_id, int) and not _is_usable(tenant, product_id, account_id):
        faults.append(
            fault(
                "unknown_record",
                f"product {product_id} is not a product of this account",
                source=f"{where}.product_id",
                context={"product_id": product_id},
            )
        )
    return faults


def _is_usable(tenant: Tenant, product_id: int, account_id: int | None) -> bool:
    product = tenant.products.get(product_id)
    if product is None or product.stop:
        return False
    if account_id is None or not tenant.knobs.products_belong_to_accounts:
        return True
    return account_id in tenant.accounts_of_product.get(product_id, ())


def _as_id(value: Any) -> int:
    """The id, leniently: the vendor's own replies mix numbers and strings."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return -1


def _bad(details: str, source: str) -> dict[str, Any]:
    return fault("invalid_attribute", details, source=source)
