"""Editing an order's lines, shipping and discounts in place, as orderEditBegin … orderEditCommit does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pickgate.twins.shopify import totals
from pickgate.twins.shopify.catalogue import App
from pickgate.twins.shopify.ids import number_of
from pickgate.twins.shopify.ledger import Standing, agree
from pickgate.twins.shopify.model import LineItem, LineSpec, Order, Refused, ShippingSpec
from pickgate.twins.shopify.money import money
from pickgate.twins.shopify.payloads import time_of
from pickgate.twins.shopify.routing import describe, place_units, take_units
from pickgate.twins.shopify.selling import make_lines, make_shipping
from pickgate.twins.shopify.state import ShopState, lines_of
from pickgate.twins.shopify.stock import commit


@dataclass(slots=True)
class Deltas:
    """What orders/edited tells: differences by id, and nothing else."""

    added: list[tuple[str, int]] = field(default_factory=list)
    removed: list[tuple[str, int]] = field(default_factory=list)
    discounts: list[str] = field(default_factory=list)
    shipping_added: list[str] = field(default_factory=list)
    shipping_removed: list[str] = field(default_factory=list)


def editable_units(shop: ShopState, line: LineItem) -> int:
    """Units of a line that an edit can still take off: the unfulfilled ones."""
    if shop.knobs.edit_in_progress:
        return line.unfulfilled_quantity
    working = sum(
        part.remaining_quantity
        for fo in line.order.fulfillment_orders
        if fo.status == "IN_PROGRESS"
        for part in fo.line_items
        if part.line_item is line
    )
    return line.unfulfilled_quantity - working


def check_editable(shop: ShopState, order: Order, app: App | None) -> None:
    """Raises Refused with Shopify's sentence when this app may not edit the order."""
    if not shop.editable_by(order, app):
        raise Refused("The order cannot be edited.")


def edit_order(
    shop: ShopState,
    order: Order | str,
    *,
    set_quantities: Mapping[str, int] | None = None,
    add_lines: Sequence[LineSpec] = (),
    change_shipping: ShippingSpec | None = None,
    remove_shipping: Sequence[str] = (),
    discounts: Mapping[str, Decimal | str | int] | None = None,
    restock: bool = True,
    app: App | None = None,
    staff: str | None = None,
    note: str | None = None,
    notify_customer: bool = False,
) -> list[LineItem]:
    """
    Commit one edit.

    Args:
        set_quantities: new current quantity by line item id; 0 removes (the line stays, with zero).
        add_lines: variants or custom items; each becomes a new line item.
        change_shipping: a new active shipping line; the old ones stay with is_removed.
        discounts: extra discount by line item id, in shop currency.
        restock: whether units taken off return to available.
        app, staff: who edits; with neither, a person in the admin.

    Returns the lines added. Raises Refused when the order or a line cannot be edited; nothing has changed then.
    """
    shop.tick()
    order = shop.get_order(order)
    check_editable(shop, order, app)
    quantities = dict(set_quantities or {})
    _check_quantities(shop, order, quantities)
    before, lines_before = Standing(order), lines_of(order)
    deltas = Deltas()
    added: list[LineItem] = []
    for line_id, wanted in quantities.items():
        line = order.line(line_id)
        assert line is not None
        change = wanted - line.current_quantity
        if change < 0:
            take_units(shop, order, line, -change, restock=restock)
            line.removed += -change
            deltas.removed.append((line.id, -change))
        elif change > 0:
            added.extend(_raise(shop, order, line, change, deltas))
    for spec in add_lines:
        for line in make_lines(shop, order, spec):
            order.line_items.append(line)
            _sell(shop, order, line, line.quantity)
            deltas.added.append((line.id, line.quantity))
            added.append(line)
    _change_shipping(shop, order, change_shipping, remove_shipping, deltas)
    for line_id, amount in (discounts or {}).items():
        line = order.line(line_id)
        if line is None:
            raise Refused("The line item does not exist on the order.")
        line.discount = line.discount_on(line.current_quantity) + money(amount)
        line.discount_quantity = line.current_quantity
        deltas.discounts.append(line.id)
    order.edited = True
    agree(shop, order, "ORDER_EDIT", before, app=app)
    shop.record(
        "order_edited",
        order,
        lines_before=lines_before,
        added=[list(pair) for pair in deltas.added],
        removed=[list(pair) for pair in deltas.removed],
        shipping=[line.title for line in order.shipping_lines if not line.is_removed],
        fulfillment_orders=[describe(fo) for fo in order.fulfillment_orders],
        total=str(totals.current_total(order)),
        outstanding=str(totals.outstanding(order)),
        by=app.title if app else staff or "admin",
        note=note,
    )
    body = _body(shop, order, deltas, app=app, note=note, notify_customer=notify_customer)
    shop.hooks.announce(["orders/edited"], lambda: body)
    shop.touch(order)
    return added


def _check_quantities(shop: ShopState, order: Order, quantities: Mapping[str, int]) -> None:
    for line_id, wanted in quantities.items():
        line = order.line(line_id)
        if line is None:
            raise Refused("The line item does not exist on the order.", field=["lineItemId"])
        if wanted < 0:
            raise Refused("must be greater than or equal to 0", field=["quantity"])
        if line.current_quantity - wanted > editable_units(shop, line):
            raise Refused("Fulfilled units cannot be edited.", field=["quantity"])


def _raise(shop: ShopState, order: Order, line: LineItem, units: int, deltas: Deltas) -> list[LineItem]:
    """Raise a quantity: on the line itself, or (by the knob) with an additional line."""
    if shop.rng.random() >= shop.knobs.increase_as_new_line:
        line.quantity += units
        _sell(shop, order, line, units)
        deltas.added.append((line.id, units))
        return []
    spec = LineSpec(
        variant=line.variant,
        quantity=units,
        title=line.title,
        price=line.price,
        requires_shipping=line.requires_shipping,
        attributes={a.key: a.value or "" for a in line.custom_attributes},
        location=line.location,
    )
    made = make_lines(shop, order, spec)
    for new in made:
        order.line_items.append(new)
        _sell(shop, order, new, new.quantity)
        deltas.added.append((new.id, new.quantity))
    return made


def _sell(shop: ShopState, order: Order, line: LineItem, units: int) -> None:
    if line.location is None:
        return
    fo = place_units(shop, order, line, units)
    commit(shop, line, fo.location if fo else line.location, units)


def _change_shipping(
    shop: ShopState,
    order: Order,
    new: ShippingSpec | None,
    removed: Sequence[str],
    deltas: Deltas,
) -> None:
    for line in order.shipping_lines:
        if not line.is_removed and (new is not None or line.id in removed):
            line.is_removed = True
            deltas.shipping_removed.append(line.id)
    if new is not None:
        line = make_shipping(shop, order, new)
        line.custom = True
        order.shipping_lines.append(line)
        deltas.shipping_added.append(line.id)


def _body(
    shop: ShopState,
    order: Order,
    deltas: Deltas,
    *,
    app: App | None,
    note: str | None,
    notify_customer: bool,
) -> dict[str, Any]:
    at = time_of(shop.stamp())

    def pairs(items: list[tuple[str, int]]) -> list[dict[str, int]]:
        return [{"id": number_of(gid), "delta": delta} for gid, delta in items]

    def ids(items: list[str]) -> list[dict[str, int]]:
        return [{"id": number_of(gid)} for gid in items]

    return {
        "order_edit": {
            "id": number_of(shop.mint.gid("OrderEdit")),
            "app_id": number_of(app.id) if app else None,
            "created_at": at,
            "committed_at": at,
            "notify_customer": notify_customer,
            "order_id": number_of(order.id),
            "staff_note": note or "",
            "user_id": None,
            "line_items": {"additions": pairs(deltas.added), "removals": pairs(deltas.removed)},
            "discounts": {"line_item": {"additions": ids(deltas.discounts), "removals": []}},
            "shipping_lines": {
                "additions": ids(deltas.shipping_added),
                "removals": ids(deltas.shipping_removed),
            },
        }
    }
