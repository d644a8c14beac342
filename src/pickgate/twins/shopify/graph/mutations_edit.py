"""Order editing over the API: a session collects changes, the commit does them at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from pickgate.twins.shopify import editing, totals
from pickgate.twins.shopify.graph.answers import Answer, failed, payload
from pickgate.twins.shopify.graph.paging import Args
from pickgate.twins.shopify.graph.plan import Reader, Request
from pickgate.twins.shopify.ids import check_gid, number_of
from pickgate.twins.shopify.model import LineSpec, Order, Refused, ShippingSpec
from pickgate.twins.shopify.money import ZERO, money


@dataclass(eq=False, slots=True)
class Session:
    """One edit that is being prepared; `TYPENAME` is that of its calculated order."""

    TYPENAME: ClassVar[str] = "CalculatedOrder"
    id: str
    order: Order
    quantities: dict[str, int] = field(default_factory=dict)
    restock: bool = False
    added: list[tuple[str, LineSpec]] = field(default_factory=list)
    shipping: ShippingSpec | None = None
    removed_shipping: list[str] = field(default_factory=list)
    committed: bool = False
    editable: Callable[[Any], int] = lambda line: 0

    @property
    def original_order(self) -> Order:
        return self.order

    @property
    def line_items(self) -> list[Answer]:
        return [*(self.staged(line.id) for line in self.order.line_items), *self.added_line_items]

    @property
    def added_line_items(self) -> list[Answer]:
        return [_staged_new(gid, spec) for gid, spec in self.added]

    @property
    def shipping_lines(self) -> list[Answer]:
        lines = [
            Answer(
                "CalculatedShippingLine",
                id=line.id,
                title=line.title,
                price=line.price,
                order=self.order,
                staged_status="REMOVED" if line.id in self.removed_shipping else "NONE",
            )
            for line in self.order.shipping_lines
            if not line.is_removed
        ]
        return [*lines, self.staged_shipping()] if self.shipping else lines

    def staged_shipping(self) -> Answer:
        assert self.shipping is not None
        return Answer(
            "CalculatedShippingLine",
            id=None,
            title=self.shipping.title,
            price=money(self.shipping.price),
            order=self.order,
            staged_status="ADDED",
        )

    @property
    def subtotal_line_items_quantity(self) -> int:
        return sum(item.quantity for item in self.line_items)

    @property
    def total_price(self) -> Decimal:
        return totals.current_total(self.order) + self._difference()

    @property
    def total_outstanding(self) -> Decimal:
        return totals.outstanding(self.order) + self._difference()

    def _difference(self) -> Decimal:
        """What the staged changes add; exact where tax is included in prices."""
        more = sum((_price(spec) * spec.quantity for _, spec in self.added), ZERO)
        for line_id, wanted in self.quantities.items():
            line = self.order.line(line_id)
            if line is not None:
                more += line.total(wanted) - line.total(line.current_quantity)
        return more

    def staged(self, line_id: str) -> Answer:
        line = self.order.line(line_id)
        assert line is not None
        before = self.editable(line)
        wanted = self.quantities.get(line_id, line.current_quantity)
        return Answer(
            "CalculatedLineItem",
            id=f"gid://shopify/CalculatedLineItem/{number_of(line_id)}",
            title=line.title,
            variant_title=line.variant_title,
            sku=line.sku,
            quantity=wanted,
            editable_quantity=max(before - (line.current_quantity - wanted), 0),
            editable_quantity_before_changes=before,
            restockable=line.restockable,
            restocking=self.restock and line_id in self.quantities,
            variant=line.variant,
        )


def _price(spec: LineSpec) -> Decimal:
    if spec.price is not None:
        return money(spec.price)
    return spec.variant.price if spec.variant else ZERO


def _staged_new(gid: str, spec: LineSpec) -> Answer:
    variant = spec.variant
    return Answer(
        "CalculatedLineItem",
        id=gid,
        title=spec.title or (variant.product.title if variant else "Item"),
        variant_title=variant.title if variant else None,
        sku=variant.sku if variant else None,
        quantity=spec.quantity,
        editable_quantity=spec.quantity,
        editable_quantity_before_changes=0,
        restockable=True,
        restocking=False,
        variant=variant,
    )


def _begin(request: Request, args: Args) -> Answer:
    shop = request.shop
    order = shop.orders.get(check_gid(args["id"]))
    if order is None:
        raise Refused("The order does not exist.", field=["id"])
    editing.check_editable(shop, order, request.app)
    number = number_of(shop.mint.gid("CalculatedOrder"))
    session = Session(
        f"gid://shopify/CalculatedOrder/{number}",
        order,
        editable=lambda line: editing.editable_units(shop, line),
    )
    edit = Answer("OrderEditSession", id=f"gid://shopify/OrderEditSession/{number}")
    shop.things[session.id] = session
    shop.things[edit.id] = edit
    return payload(calculated_order=session, order_edit_session=edit)


def _session(request: Request, gid: str) -> Session:
    number = number_of(check_gid(gid))
    found = request.shop.things.get(f"gid://shopify/CalculatedOrder/{number}")
    if not isinstance(found, Session) or found.committed:
        raise Refused("The calculated order does not exist.", field=["id"])
    return found


def _set_quantity(request: Request, args: Args) -> Answer:
    session, wanted = _session(request, args["id"]), args["quantity"]
    if wanted < 0:
        raise Refused("must be greater than or equal to 0", field=["quantity"])
    number = number_of(check_gid(args["lineItemId"]))
    for index, (gid, spec) in enumerate(session.added):
        if number_of(gid) == number:
            if wanted:
                spec.quantity = wanted
                return payload(calculated_order=session, calculated_line_item=_staged_new(gid, spec))
            del session.added[index]
            return payload(calculated_order=session)
    line = next((n for n in session.order.line_items if number_of(n.id) == number), None)
    if line is None:
        raise Refused("The line item does not exist on the order.", field=["lineItemId"])
    if line.current_quantity - wanted > session.editable(line):
        raise Refused("Fulfilled units cannot be edited.", field=["quantity"])
    session.quantities[line.id] = wanted
    session.restock = session.restock or bool(args.get("restock"))
    return payload(calculated_order=session, calculated_line_item=session.staged(line.id))


def _stage(request: Request, session: Session, spec: LineSpec) -> Answer:
    if spec.quantity < 1:
        raise Refused("must be greater than 0", field=["quantity"])
    gid = request.shop.mint.gid("CalculatedLineItem")
    session.added.append((gid, spec))
    return payload(calculated_order=session, calculated_line_item=_staged_new(gid, spec))


def _add_variant(request: Request, args: Args) -> Answer:
    session = _session(request, args["id"])
    variant = request.shop.variants.get(check_gid(args["variantId"]))
    if variant is None:
        raise Refused("can't find variant", field=["variantId"])
    location = request.shop.locations.get(args.get("locationId") or "")
    return _stage(request, session, LineSpec(variant=variant, quantity=args["quantity"], location=location))


def _add_custom(request: Request, args: Args) -> Answer:
    session = _session(request, args["id"])
    ships = args.get("requiresShipping")
    spec = LineSpec(
        title=args["title"],
        price=str(args["price"]["amount"]),
        quantity=args["quantity"],
        requires_shipping=True if ships is None else ships,
        location=request.shop.locations.get(args.get("locationId") or ""),
    )
    return _stage(request, session, spec)


def _add_shipping(request: Request, args: Args) -> Answer:
    session, given = _session(request, args["id"]), args["shippingLine"]
    session.shipping = ShippingSpec(title=given["title"], price=str(given["price"]["amount"]))
    return payload(calculated_order=session, calculated_shipping_line=session.staged_shipping())


def _remove_shipping(request: Request, args: Args) -> Answer:
    session = _session(request, args["id"])
    session.removed_shipping.append(args["shippingLineId"])
    return payload(calculated_order=session)


def _commit(request: Request, args: Args) -> Answer:
    session = _session(request, args["id"])
    editing.edit_order(
        request.shop,
        session.order,
        set_quantities=session.quantities,
        add_lines=[spec for _, spec in session.added],
        change_shipping=session.shipping,
        remove_shipping=session.removed_shipping,
        restock=session.restock,
        app=request.app,
        note=args.get("staffNote"),
        notify_customer=bool(args.get("notifyCustomer")),
    )
    session.committed = True
    return payload(order=session.order, success_messages=["Order updated"])


def _safe(do: Callable[[Request, Args], Answer]) -> Reader:
    def reader(_: Any, request: Request, args: Args) -> Answer:
        try:
            return do(request, args)
        except Refused as refused:
            unedited = refused.message == "The order cannot be edited."
            return failed(Refused(refused.message) if unedited else refused)

    return reader


MUTATIONS: dict[str, Reader] = {
    "orderEditAddCustomItem": _safe(_add_custom),
    "orderEditAddShippingLine": _safe(_add_shipping),
    "orderEditAddVariant": _safe(_add_variant),
    "orderEditBegin": _safe(_begin),
    "orderEditCommit": _safe(_commit),
    "orderEditRemoveShippingLine": _safe(_remove_shipping),
    "orderEditSetQuantity": _safe(_set_quantity),
}
