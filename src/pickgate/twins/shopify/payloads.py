"""Webhook bodies, in the REST spelling: snake_case, bare integer ids, `admin_graphql_api_id` beside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from pickgate.twins.shopify import totals
from pickgate.twins.shopify.fulfilment_model import Fulfillment, FulfillmentHold
from pickgate.twins.shopify.ids import number_of
from pickgate.twins.shopify.model import Address, LineItem, Order, ShippingLine
from pickgate.twins.shopify.money import MoneyBag, money
from pickgate.twins.shopify.money_model import Refund


def time_of(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%S}+00:00"


def bag(amount: Decimal, order: Order) -> dict[str, dict[str, str]]:
    both = MoneyBag(amount, order)
    return {
        "shop_money": {"amount": f"{amount:.2f}", "currency_code": order.currency_code},
        "presentment_money": {
            "amount": f"{both.presentment_money.amount:.2f}",
            "currency_code": order.presentment_currency_code,
        },
    }


def order_body(order: Order, *, full: bool) -> Mapping[str, Any]:
    """Body of orders/create, updated, paid, cancelled, fulfilled, partially_fulfilled."""
    total = totals.total_of
    head = {
        "id": number_of(order.id),
        "admin_graphql_api_id": order.id,
        "name": order.name,
        "created_at": time_of(order.created_at),
        "updated_at": time_of(order.updated_at),
        "cancelled_at": time_of(order.cancelled_at),
        "closed_at": time_of(order.closed_at),
        "tags": ", ".join(order.tags),
        "test": order.test,
        "financial_status": total(order, "financial_status").lower(),
        "fulfillment_status": _rest_fulfillment_status(order),
    }
    if not full:
        return head
    sums = {
        "current_subtotal_price": total(order, "current_subtotal"),
        "current_total_discounts": total(order, "current_discounts"),
        "current_total_price": total(order, "current_total"),
        "current_total_tax": total(order, "current_tax"),
        "subtotal_price": order.original_subtotal,
        "total_discounts": order.original_discounts,
        "total_price": order.original_total,
        "total_tax": order.original_tax,
    }
    return {
        **head,
        **{name: f"{amount:.2f}" for name, amount in sums.items()},
        **{f"{name}_set": bag(amount, order) for name, amount in sums.items()},
        "app_id": number_of(order.app.id),
        "cancel_reason": order.cancel_reason.lower() if order.cancel_reason else None,
        "confirmed": order.confirmed,
        "currency": order.currency_code,
        "presentment_currency": order.presentment_currency_code,
        "current_shipping_price_set": bag(total(order, "current_shipping"), order),
        "customer": _customer(order),
        "email": order.email,
        "contact_email": order.email,
        "phone": order.phone,
        "note": order.note,
        "note_attributes": [{"name": a.key, "value": a.value} for a in order.custom_attributes],
        "number": order.number,
        "order_number": order.number,
        "payment_gateway_names": [order.gateway],
        "processed_at": time_of(order.processed_at),
        "source_name": order.source_name,
        "taxes_included": order.taxes_included,
        "total_outstanding": f"{total(order, 'outstanding'):.2f}",
        "total_tip_received": f"{total(order, 'tips'):.2f}",
        "total_shipping_price_set": bag(order.original_shipping, order),
        "discount_codes": [{"code": code} for code in order.discount_codes],
        "billing_address": address_body(order.billing_address),
        "shipping_address": address_body(order.shipping_address),
        "line_items": [line_body(line) for line in order.line_items],
        "line_item_groups": [],
        "shipping_lines": [_shipping_body(line) for line in order.shipping_lines],
        "fulfillments": [fulfillment_body(f) for f in order.fulfillments],
        "refunds": [refund_body(refund) for refund in order.refunds],
        "returns": [{"id": number_of(r.id), "status": r.status.lower()} for r in order.returns],
    }


def line_body(line: LineItem) -> dict[str, Any]:
    return {
        "id": number_of(line.id),
        "admin_graphql_api_id": line.id,
        "variant_id": number_of(line.variant.id) if line.variant else None,
        "product_id": number_of(line.variant.product.id) if line.variant else None,
        "title": line.title,
        "variant_title": line.variant_title,
        "name": line.name,
        "sku": line.sku,
        "quantity": line.quantity,
        "current_quantity": line.current_quantity,
        "fulfillable_quantity": fulfillable(line),
        "fulfillment_status": _line_status(line),
        "gift_card": line.is_gift_card,
        "grams": line.variant.grams if line.variant else 0,
        "price": f"{line.price:.2f}",
        "price_set": bag(line.price, line.order),
        "total_discount": f"{line.discount:.2f}",
        "properties": [{"name": a.key, "value": a.value} for a in line.custom_attributes],
        "requires_shipping": line.requires_shipping,
        "taxable": line.taxable,
        "vendor": line.vendor,
        "sales_line_item_group_id": number_of(line.line_item_group.id) if line.line_item_group else None,
    }


def fulfillable(line: LineItem) -> int:
    """The deprecated number: zero while a hold is on, whatever remains."""
    return sum(
        part.remaining_quantity
        for fo in line.order.fulfillment_orders
        if fo.status in ("OPEN", "IN_PROGRESS")
        for part in fo.line_items
        if part.line_item is line
    )


def address_body(address: Address | None) -> dict[str, Any] | None:
    if address is None:
        return None
    names = ["first_name", "last_name", "company", "address1", "address2", "city", "province", "province_code", "zip"]
    return {
        **{name: getattr(address, name) for name in names},
        "country": address.country,
        "country_code": address.country_code,
        "phone": address.phone,
        "name": address.name,
    }


def fulfillment_body(fulfillment: Fulfillment) -> dict[str, Any]:
    """Body of fulfillments/create and fulfillments/update."""
    tracking = fulfillment.tracking_info
    return {
        "id": number_of(fulfillment.id),
        "admin_graphql_api_id": fulfillment.id,
        "order_id": number_of(fulfillment.order.id),
        "name": fulfillment.name,
        "status": fulfillment.status.lower(),
        "created_at": time_of(fulfillment.created_at),
        "updated_at": time_of(fulfillment.updated_at),
        "location_id": number_of(fulfillment.location.id),
        "tracking_company": tracking[0].company if tracking else None,
        "tracking_number": tracking[0].number if tracking else None,
        "tracking_numbers": [info.number for info in tracking if info.number],
        "tracking_urls": [info.url for info in tracking if info.url],
        "line_items": [
            {**_without_order_state(line_body(part.line_item)), "quantity": part.quantity}
            for part in fulfillment.fulfillment_line_items
        ],
    }


def _without_order_state(line: dict[str, Any]) -> dict[str, Any]:
    """Lines inside a fulfilment do not tell how the order stands now."""
    return {k: v for k, v in line.items() if k not in ("current_quantity", "sales_line_item_group_id")}


def refund_body(refund: Refund) -> dict[str, Any]:
    """Body of refunds/create."""
    return {
        "id": number_of(refund.id),
        "admin_graphql_api_id": refund.id,
        "order_id": number_of(refund.order.id),
        "created_at": time_of(refund.created_at),
        "processed_at": time_of(refund.processed_at),
        "note": refund.note,
        "restock": any(line.restocked for line in refund.refund_line_items),
        "refund_line_items": [
            {
                "id": number_of(line.id),
                "line_item_id": number_of(line.line_item.id),
                "quantity": line.quantity,
                "restock_type": line.restock_type.lower(),
                "location_id": number_of(line.location.id) if line.location else None,
                "subtotal": float(line.subtotal),
                "subtotal_set": bag(line.subtotal, refund.order),
                "total_tax": float(line.total_tax),
            }
            for line in refund.refund_line_items
        ],
        "order_adjustments": [
            {"id": number_of(a.id), "amount": f"{a.amount:.2f}", "kind": "refund_discrepancy"}
            for a in refund.order_adjustments
        ],
        "transactions": [
            {
                "id": number_of(t.id),
                "order_id": number_of(refund.order.id),
                "kind": "refund",
                "status": "success",
                "amount": f"{t.amount:.2f}",
                "gateway": t.gateway,
            }
            for t in refund.transactions
        ],
    }


def hold_body(hold: FulfillmentHold) -> dict[str, Any]:
    return {
        "id": hold.id,
        "reason": hold.reason.lower(),
        "reason_notes": hold.reason_notes,
        "held_by_requesting_app": False,
        "handle": hold.handle,
        "held_by_app": {"id": hold.app.id} if hold.app else None,
    }


def _shipping_body(line: ShippingLine) -> dict[str, Any]:
    return {
        "id": number_of(line.id),
        "title": line.title,
        "code": line.code,
        "price": f"{line.price:.2f}",
        "discounted_price": f"{money(line.price - line.discount):.2f}",
        "is_removed": line.is_removed,
        "source": line.source,
    }


def _customer(order: Order) -> dict[str, Any] | None:
    customer = order.customer
    if customer is None:
        return None
    return {
        "id": number_of(customer.id),
        "admin_graphql_api_id": customer.id,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "email": customer.email,
    }


def _line_status(line: LineItem) -> str | None:
    if not line.fulfilled:
        return None
    return "partial" if line.unfulfilled_quantity else "fulfilled"


def _rest_fulfillment_status(order: Order) -> str | None:
    status = totals.total_of(order, "fulfillment_status")
    return {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}.get(status)
