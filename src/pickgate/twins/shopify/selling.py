"""Placing orders: checkout, draft orders, other apps; all kinds of lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from pickgate.twins.shopify import totals
from pickgate.twins.shopify.catalogue import App, Location
from pickgate.twins.shopify.changing import put_metafield
from pickgate.twins.shopify.ledger import Standing, agree
from pickgate.twins.shopify.model import (
    Address,
    Attribute,
    Customer,
    LineItem,
    LineItemGroup,
    LineSpec,
    Order,
    Refused,
    ShippingLine,
    ShippingSpec,
)
from pickgate.twins.shopify.money import ZERO, money, split
from pickgate.twins.shopify.paying import pay_at_placement
from pickgate.twins.shopify.routing import choose_location, route
from pickgate.twins.shopify.state import ShopState
from pickgate.twins.shopify.stock import commit

STANDARD = ShippingSpec()


def create_order(
    shop: ShopState,
    lines: Sequence[LineSpec],
    *,
    customer: Customer | None = None,
    address: Address | None = None,
    shipping: ShippingSpec | None = STANDARD,
    tags: Sequence[str] = (),
    note: str | None = None,
    attributes: Mapping[str, str] | None = None,
    financial_status: str = "PAID",
    source_name: str = "web",
    app: App | None = None,
    name: str | None = None,
    metafields: Mapping[str, str] | None = None,
    test: bool = False,
    delivery_method: str = "SHIPPING",
    currency: str | None = None,
    presentment_currency: str | None = None,
    presentment_rate: Decimal | str | int = 1,
    discount: Decimal | str | int = 0,
    discount_code: str | None = None,
    fulfill_at: datetime | None = None,
    processed_at: datetime | None = None,
    duties: Decimal | str | int | None = None,
    additional_fees: Decimal | str | int | None = None,
    payment_terms: bool = False,
    gateway: str = "shopify_payments",
    tax_rate: Decimal | str | None = None,
    taxes_included: bool | None = None,
    location: Location | None = None,
) -> Order:
    """
    Place an order.

    Args:
        financial_status: PAID, AUTHORIZED, PENDING or PARTIALLY_PAID (half is paid).
        app: The app that created it; None: the online store.
        metafields: values by `namespace.key`, as single-line text.
        discount: order-level discount in shop currency, split over the lines by price.
        fulfill_at: a pre-order: its fulfilment orders are SCHEDULED until then.

    Raises Refused for an order without lines.
    """
    shop.tick()
    if not lines:
        raise Refused("An order needs a line.")
    now = shop.stamp()
    number = 1001 + len(shop.orders)
    who = customer or Customer(id=shop.mint.gid("Customer"))
    where = address or Address(id=shop.mint.gid("MailingAddress"))
    currency = currency or shop.knobs.currency
    included = shop.knobs.taxes_included if taxes_included is None else taxes_included
    order = Order(
        id=shop.mint.gid("Order"),
        number=number,
        name=name or f"#{number}",
        created_at=now,
        processed_at=processed_at or now,
        updated_at=now,
        currency_code=currency,
        presentment_currency_code=presentment_currency or currency,
        presentment_rate=Decimal(presentment_rate),
        taxes_included=included,
        tax_rate=Decimal(tax_rate if tax_rate is not None else shop.knobs.tax_rate),
        app=app or shop.online_store,
        source_name=source_name,
        customer=who,
        email=who.email,
        shipping_address=where if delivery_method != "RETAIL" else None,
        billing_address=where,
        delivery_method=delivery_method,
        fulfill_at=fulfill_at,
        tags=list(dict.fromkeys(tags)),
        note=note,
        custom_attributes=[Attribute(k, v) for k, v in (attributes or {}).items()],
        discount_codes=[discount_code] if discount_code else [],
        test=test,
        payment_terms=payment_terms,
        gateway=gateway,
        duties=None if duties is None else money(duties),
        additional_fees=None if additional_fees is None else money(additional_fees),
    )
    order.merchant_editable = shop.editable_by(order, None)
    for spec in lines:
        order.line_items.extend(make_lines(shop, order, spec, location=location))
    _spread_discount(order, money(discount))
    if shipping is not None:
        order.shipping_lines.append(make_shipping(shop, order, shipping))
    for line in order.line_items:
        if line.location is not None:
            commit(shop, line, line.location, line.quantity)
    order.original_subtotal = totals.current_subtotal(order)
    order.original_tax = totals.current_tax(order)
    order.original_shipping = totals.current_shipping(order)
    order.original_discounts = totals.current_discounts(order)
    order.original_total = totals.current_total(order)
    shop.orders[order.id] = order
    if order.customer:
        shop.things[order.customer.id] = order.customer
    agree(shop, order, "ORDER", Standing(), app=app)
    pay_at_placement(shop, order, financial_status)
    for path, value in (metafields or {}).items():
        namespace, _, key = path.rpartition(".")
        put_metafield(shop, order, namespace, key, "single_line_text_field", value)
    shop.record(
        "order_created",
        order,
        tags=list(order.tags),
        app=order.app.title,
        source_name=source_name,
        test=test,
        financial_status=totals.financial_status(order),
        customer_id=who.id,
        delivery_method=delivery_method,
    )
    topics = ["orders/create"]
    if totals.financial_status(order) == "PAID":
        topics.append("orders/paid")
    shop.touch(order, *topics)
    shop.later(shop.knobs.routing_seconds, lambda: route(shop, order))
    return order


def make_lines(shop: ShopState, order: Order, spec: LineSpec, *, location: Location | None = None) -> list[LineItem]:
    """The line items of one spec; a bundle becomes its components, grouped."""
    if spec.quantity < 1:
        raise Refused("Quantity must be greater than 0", field=["quantity"])
    variant = spec.variant
    if variant is None or not variant.components:
        price = money(spec.price if spec.price is not None else variant.price if variant else 0)
        return [_make_line(shop, order, spec, price, location)]
    group = LineItemGroup(
        id=shop.mint.gid("LineItemGroup"),
        title=variant.product.title,
        quantity=spec.quantity,
        variant_id=variant.id,
        variant_sku=variant.sku,
    )
    shop.things[group.id] = group
    weights = [component.price * units for component, units in variant.components]
    prices = split(money(spec.price if spec.price is not None else variant.price), weights)
    made = []
    for (component, units), price in zip(variant.components, prices, strict=True):
        part = LineSpec(variant=component, quantity=units * spec.quantity, attributes=spec.attributes)
        line = _make_line(shop, order, part, money(price / units), location)
        line.line_item_group = group
        line.group_units = units
        made.append(line)
    return made


def make_shipping(shop: ShopState, order: Order, spec: ShippingSpec) -> ShippingLine:
    return ShippingLine(
        id=shop.mint.gid("ShippingLine"),
        order=order,
        title=spec.title,
        code=spec.code or spec.title,
        price=money(spec.price),
        discount=money(spec.discount),
    )


def _make_line(shop: ShopState, order: Order, spec: LineSpec, price: Decimal, location: Location | None) -> LineItem:
    variant = spec.variant
    ships = spec.requires_shipping
    if ships is None:
        ships = variant.requires_shipping if variant else not spec.tip
    title = spec.title or (variant.product.title if variant else "Tip" if spec.tip else "Item")
    line = LineItem(
        id=shop.mint.gid("LineItem"),
        order=order,
        variant=variant,
        title=title,
        variant_title=variant.title if variant and variant.title != "Default Title" else None,
        sku=variant.sku if variant else None,
        quantity=spec.quantity,
        price=price,
        requires_shipping=ships,
        taxable=False if spec.tip else variant.taxable if variant else True,
        is_gift_card=variant.is_gift_card if variant else False,
        is_tip=spec.tip,
        custom_attributes=[Attribute(k, v) for k, v in spec.attributes.items()],
        discount=money(spec.discount),
        discount_quantity=spec.quantity,
    )
    if not spec.tip:
        line.location = spec.location or location or choose_location(shop, line)
    return line


def _spread_discount(order: Order, discount: Decimal) -> None:
    if discount == ZERO:
        return
    lines = [line for line in order.line_items if not line.is_tip]
    parts = split(discount, [line.net(line.quantity) for line in lines])
    for line, part in zip(lines, parts, strict=True):
        line.discount += part
