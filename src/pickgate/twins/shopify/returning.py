"""Returns and exchanges: units on their way back, and the new lines that an exchange adds to the same order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pickgate.twins.shopify import totals
from pickgate.twins.shopify.catalogue import App
from pickgate.twins.shopify.holding import hold
from pickgate.twins.shopify.ledger import Standing, agree
from pickgate.twins.shopify.model import LineItem, LineSpec, Order, Refused
from pickgate.twins.shopify.money import ZERO
from pickgate.twins.shopify.money_model import ExchangeLineItem, Return
from pickgate.twins.shopify.refunding import refund
from pickgate.twins.shopify.routing import add_units, method_of, new_fulfillment_order
from pickgate.twins.shopify.selling import make_lines
from pickgate.twins.shopify.state import ShopState
from pickgate.twins.shopify.stock import commit, put_back


def request_return(shop: ShopState, order: Order | str, lines: Mapping[str, int], *, app: App | None = None) -> Return:
    """The customer asks to send units back. Nothing on the order changes, and no order webhook tells of it."""
    return _new_return(shop, shop.get_order(order), lines, "REQUESTED", app)


def start_return(
    shop: ShopState,
    order: Order | str,
    lines: Mapping[str, int],
    *,
    exchange: Sequence[LineSpec] = (),
    app: App | None = None,
) -> Return:
    """
    Open a return, perhaps an exchange.

    Exchange lines are new lines of the same order in a new fulfilment order, held AWAITING_RETURN_ITEMS by the shop.
    """
    shop.tick()
    order = shop.get_order(order)
    before = Standing(order)
    made = _new_return(shop, order, lines, "OPEN", app)
    for line_id, units in lines.items():
        line = order.line(line_id)
        assert line is not None
        line.returned += units
    new_lines = [line for spec in exchange for line in make_lines(shop, order, spec)]
    by_location: dict[tuple[str, str], list[LineItem]] = {}
    for line in new_lines:
        order.line_items.append(line)
        if line.location is not None:
            commit(shop, line, line.location, line.quantity)
            by_location.setdefault((line.location.id, method_of(order, line)), []).append(line)
    if new_lines:
        made.exchange_line_items.append(
            ExchangeLineItem(
                id=shop.mint.gid("ExchangeLineItem"),
                quantity=sum(line.quantity for line in new_lines),
                line_items=new_lines,
            )
        )
    agree(shop, order, "RETURN", before, app=app, return_=made)
    shop.record("return_opened", order, return_id=made.id, returned=dict(lines))
    shop.touch(order, updated=bool(new_lines))
    for (location_id, method), group in by_location.items():
        fo = new_fulfillment_order(shop, order, shop.locations[location_id], method)
        for line in group:
            add_units(shop, fo, line, line.quantity)
        hold(shop, fo, app=None, reason="AWAITING_RETURN_ITEMS", handle=made.name)
    return made


def close_return(shop: ShopState, made: Return, *, restock: bool = True, pay: bool = True) -> Return:
    """The units came back: shelve them, pay back what is owed, close."""
    shop.tick()
    order = made.order
    for line_id, units in made.lines.items():
        line = order.line(line_id)
        if restock and line is not None and line.location is not None:
            put_back(shop, line, line.location, units)
    owed = -totals.outstanding(order)
    if pay and owed > ZERO:
        made.refunds.append(refund(shop, order, amount=owed, return_=made))
    made.status, made.closed_at = "CLOSED", shop.stamp()
    shop.record("return_closed", order, return_id=made.id)
    shop.hooks.announce(["returns/close"], lambda: {"id": int(made.id.rpartition("/")[2])})
    return made


def _new_return(shop: ShopState, order: Order, lines: Mapping[str, int], status: str, app: App | None) -> Return:
    shop.tick()
    for line_id, units in lines.items():
        line = order.line(line_id)
        if line is None or units > line.fulfilled - line.returned:
            raise Refused("Only fulfilled units can be returned.")
    made = Return(
        id=shop.mint.gid("Return"),
        order=order,
        name=f"{order.name}-R{len(order.returns) + 1}",
        status=status,
        created_at=shop.stamp(),
        lines=dict(lines),
    )
    order.returns.append(made)
    shop.things[made.id] = made
    topic = "returns/request" if status == "REQUESTED" else "returns/approve"
    body = {"id": int(made.id.rpartition("/")[2]), "status": status.lower()}
    shop.hooks.announce([topic], lambda: body)
    return made
