"""How fields are read that are not simply the attribute of the same name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pickgate.twins.shopify import totals
from pickgate.twins.shopify.catalogue import InventoryLevel, InventoryQuantity, Location
from pickgate.twins.shopify.fulfilment_model import FulfillmentHold, FulfillmentOrder
from pickgate.twins.shopify.graph.answers import Answer
from pickgate.twins.shopify.graph.mutations import MUTATIONS
from pickgate.twins.shopify.graph.paging import Args
from pickgate.twins.shopify.graph.plan import Reader, Request
from pickgate.twins.shopify.graph.queries import QUERIES
from pickgate.twins.shopify.ids import number_of
from pickgate.twins.shopify.model import LineItem, Metafield, Order
from pickgate.twins.shopify.money import ZERO
from pickgate.twins.shopify.money_model import Agreement


def _total(name: str) -> Reader:
    return lambda order, request, args: totals.total_of(order, name)


def _attribute(name: str) -> Reader:
    return lambda value, request, args: getattr(value, name)


def _constant(value: Any) -> Reader:
    return lambda _, request, args: value


_NO: Reader = lambda value, request, args: False  # noqa: E731


def _denied(path: str, read: Reader) -> Reader:
    def reader(value: Any, request: Request, args: Args) -> Any:
        if path not in request.shop.knobs.denied_fields:
            return read(value, request, args)
        request.errors.append(
            {
                "message": f"Access denied for {path.partition('.')[2]} field.",
                "extensions": {"code": "ACCESS_DENIED"},
            }
        )
        return None

    return reader


def _metafield(order: Any, request: Request, args: Args) -> Metafield | None:
    key, namespace = args["key"], args.get("namespace")
    if namespace is None and "." in key:
        namespace, _, key = key.rpartition(".")
    found: Metafield | None = order.metafields.get((request.namespace(namespace), key))
    return found


def _metafields(order: Any, request: Request, args: Args) -> list[Metafield]:
    wanted = args.get("namespace")
    namespace = request.namespace(wanted) if wanted else None
    return [m for m in order.metafields.values() if namespace is None or m.namespace == namespace]


def _order_fulfillment_orders(order: Any, request: Request, args: Args) -> Any:
    return order.fulfillment_orders if request.shop.knobs.fulfillment_orders_visible else []


def _shipping_lines(order: Any, request: Request, args: Args) -> list[Any]:
    if args.get("includeRemovals"):
        return list(order.shipping_lines)
    return [line for line in order.shipping_lines if not line.is_removed]


def _shipping_line(order: Any, request: Request, args: Args) -> Any:
    return next((line for line in order.shipping_lines if not line.is_removed), None)


def _editable_errors(order: Any, request: Request, args: Args) -> list[str]:
    if request.shop.editable_by(order, request.app):
        return []
    if order.cancelled_at:
        return ["Canceled orders can't be edited."]
    return ["Archived orders can't be edited."] if order.closed else ["Made by another app."]


def _first(items: Sequence[Any], args: Args) -> Sequence[Any]:
    size = args.get("first")
    return items if size is None else items[:size]


def _fulfillments(value: Any, request: Request, args: Args) -> Any:
    return _first(value.fulfillments, args)


def _per_unit(line: LineItem) -> Decimal:
    units = line.current_quantity or line.quantity
    return (line.net(units) / units).quantize(Decimal("0.01")) if units else line.price


def _destination(fo: FulfillmentOrder, request: Request, args: Args) -> Answer | None:
    address = fo.order.shipping_address
    if address is None or fo.delivery_method.method_type in ("NONE", "PICK_UP"):
        return None
    names = "first_name last_name company address1 address2 city province zip country_code phone"
    return Answer(
        "FulfillmentOrderDestination",
        id=f"gid://shopify/FulfillmentOrderDestination/{number_of(fo.id)}",
        email=fo.order.email,
        **{name: getattr(address, name) for name in names.split()},
    )


def _assigned(fo: FulfillmentOrder, request: Request, args: Args) -> Answer:
    where = fo.location
    names = "address1 address2 city zip province country_code phone"
    return Answer(
        "FulfillmentOrderAssignedLocation",
        name=where.name,
        location=where,
        **{name: getattr(where.address, name) for name in names.split()},
    )


_ACTIONS = {
    "OPEN": ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "MOVE", "HOLD"],
    "SCHEDULED": ["MARK_AS_OPEN", "MOVE", "HOLD"],
    "ON_HOLD": ["RELEASE_HOLD", "HOLD", "MOVE"],
    "IN_PROGRESS": ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "MARK_AS_OPEN"],
}


def _supported(fo: FulfillmentOrder, request: Request, args: Args) -> list[Answer]:
    actions = list(_ACTIONS.get(fo.status, ()))
    if fo.status == "OPEN" and fo.remaining > 1:
        actions.append("SPLIT")
    return [Answer("FulfillmentOrderSupportedAction", action=a, external_url=None) for a in actions]


def _held_by_us(hold: FulfillmentHold, request: Request, args: Args) -> bool:
    return hold.app is request.app


def _quantities(level: InventoryLevel, request: Request, args: Args) -> list[InventoryQuantity]:
    base = number_of(level.item.id)
    return [
        InventoryQuantity(
            id=f"gid://shopify/InventoryQuantity/{base}?name={name}",
            name=name,
            quantity=level.count(name),
            updated_at=level.updated_at,
        )
        for name in args["names"]
        if name == "on_hand" or name in level.counts
    ]


def _levels(value: Any, request: Request, args: Args) -> list[InventoryLevel]:
    wanted = args.get("includeInactive")
    return [level for level in value.inventory_levels if level.is_active or wanted]


def _level_at(item: Any, request: Request, args: Args) -> InventoryLevel | None:
    return next((v for v in item.inventory_levels if v.location.id == args["locationId"]), None)


def _level_of(location: Location, request: Request, args: Args) -> InventoryLevel | None:
    wanted = args["inventoryItemId"]
    return next((v for v in location.inventory_levels if v.item.id == wanted), None)


def _duplicates(item: Any, request: Request, args: Args) -> int:
    if not item.sku:
        return 0
    return sum(1 for other in request.shop.inventory_items.values() if other.sku == item.sku) - 1


def _changes(group: Any, request: Request, args: Args) -> list[Any]:
    names = args.get("quantityNames")
    return [c for c in group.changes if not names or c.name in names]


def _merchant_requests(fo: FulfillmentOrder, request: Request, args: Args) -> list[Any]:
    kind = args.get("kind")
    return [r for r in fo.merchant_requests if kind is None or r.kind == kind]


def _transactions(order: Order, request: Request, args: Args) -> Sequence[Any]:
    return _first(order.transactions, args)


def _refunds(order: Order, request: Request, args: Args) -> Sequence[Any]:
    return _first(order.refunds, args)


def _agreement_order(agreement: Agreement, request: Request, args: Args) -> Any:
    return agreement.sales[0].order if agreement.sales else None


def _weight(order: Order, units: str) -> int:
    return sum((line.variant.grams if line.variant else 0) * getattr(line, units) for line in order.line_items)


def _refundable(order: Order, request: Request, args: Args) -> bool:
    return totals.net_payment(order) > ZERO


def _cancellation(order: Order, request: Request, args: Args) -> Answer | None:
    if order.cancelled_at is None:
        return None
    return Answer("OrderCancellation", staff_note=order.cancel_note)


READERS: dict[str, Reader] = {
    **QUERIES,
    **MUTATIONS,
    "Order.agreements": _attribute("agreements"),
    "Order.canMarkAsPaid": lambda o, r, a: totals.total_of(o, "outstanding") > ZERO,
    "Order.cancellation": _cancellation,
    "Order.capturable": lambda o, r, a: totals.total_of(o, "capturable") > ZERO,
    "Order.currentCartDiscountAmountSet": _constant(ZERO),
    "Order.currentShippingPriceSet": _total("current_shipping"),
    "Order.currentSubtotalLineItemsQuantity": _total("units"),
    "Order.currentSubtotalPriceSet": _total("current_subtotal"),
    "Order.currentTotalAdditionalFeesSet": _attribute("additional_fees"),
    "Order.currentTotalDiscountsSet": _total("current_discounts"),
    "Order.currentTotalDutiesSet": _attribute("duties"),
    "Order.currentTotalPriceSet": _total("current_total"),
    "Order.currentTotalTaxSet": _total("current_tax"),
    "Order.currentTotalWeight": lambda o, r, a: _weight(o, "current_quantity"),
    "Order.customerLocale": _constant("en"),
    "Order.displayFinancialStatus": _total("financial_status"),
    "Order.displayFulfillmentStatus": _total("fulfillment_status"),
    "Order.dutiesIncluded": _NO,
    "Order.estimatedTaxes": _NO,
    "Order.fulfillable": lambda o, r, a: any(line.unfulfilled_quantity for line in o.line_items),
    "Order.fulfillmentOrders": _order_fulfillment_orders,
    "Order.fulfillments": _fulfillments,
    "Order.fullyPaid": lambda o, r, a: totals.total_of(o, "outstanding") <= ZERO,
    "Order.legacyResourceId": lambda o, r, a: number_of(o.id),
    "Order.merchantEditable": lambda o, r, a: r.shop.editable_by(o, r.app),
    "Order.merchantEditableErrors": _editable_errors,
    "Order.metafield": _metafield,
    "Order.metafields": _metafields,
    "Order.netPaymentSet": _total("net_payment"),
    "Order.nonFulfillableLineItems": lambda o, r, a: [line for line in o.line_items if line.is_tip],
    "Order.originalTotalAdditionalFeesSet": _attribute("additional_fees"),
    "Order.originalTotalDutiesSet": _attribute("duties"),
    "Order.originalTotalPriceSet": _attribute("original_total"),
    "Order.paymentGatewayNames": lambda o, r, a: [o.gateway],
    "Order.refundDiscrepancySet": lambda o, r, a: -o.adjustments,
    "Order.refundable": _refundable,
    "Order.refunds": _refunds,
    "Order.requiresShipping": lambda o, r, a: any(line.requires_shipping for line in o.line_items),
    "Order.restockable": lambda o, r, a: any(line.unfulfilled_quantity for line in o.line_items),
    "Order.retailLocation": _constant(None),
    "Order.returnStatus": _total("return_status"),
    "Order.returns": _attribute("returns"),
    "Order.shippingLine": _shipping_line,
    "Order.shippingLines": _shipping_lines,
    "Order.sourceIdentifier": _constant(None),
    "Order.subtotalLineItemsQuantity": lambda o, r, a: sum(n.quantity for n in o.line_items),
    "Order.subtotalPriceSet": _attribute("original_subtotal"),
    "Order.taxExempt": _NO,
    "Order.totalCapturableSet": _total("capturable"),
    "Order.totalDiscountsSet": _attribute("original_discounts"),
    "Order.totalOutstandingSet": _total("outstanding"),
    "Order.totalPriceSet": _attribute("original_total"),
    "Order.totalReceivedSet": _total("received"),
    "Order.totalRefundedSet": _total("refunded"),
    "Order.totalRefundedShippingSet": lambda o, r, a: sum((line.refunded for line in o.shipping_lines), ZERO),
    "Order.totalShippingPriceSet": _attribute("original_shipping"),
    "Order.totalTaxSet": _attribute("original_tax"),
    "Order.totalTipReceivedSet": _total("tips"),
    "Order.totalWeight": lambda o, r, a: _weight(o, "quantity"),
    "Order.transactions": _transactions,
    "Order.unpaid": lambda o, r, a: totals.total_of(o, "outstanding") > ZERO,
    "CalculatedOrder.totalOutstandingSet": _attribute("total_outstanding"),
    "CalculatedOrder.totalPriceSet": _attribute("total_price"),
    "LineItem.discountedTotalSet": lambda v, r, a: v.net(v.quantity),
    "LineItem.discountedUnitPriceAfterAllDiscountsSet": lambda v, r, a: _per_unit(v),
    "LineItem.discountedUnitPriceSet": lambda v, r, a: _per_unit(v),
    "LineItem.merchantEditable": lambda v, r, a: v.unfulfilled_quantity > 0 and r.shop.editable_by(v.order, r.app),
    "LineItem.originalTotalSet": lambda v, r, a: v.price * v.quantity,
    "LineItem.originalUnitPriceSet": _attribute("price"),
    "LineItem.totalDiscountSet": _attribute("discount"),
    "LineItem.unfulfilledDiscountedTotalSet": lambda v, r, a: v.net(v.unfulfilled_quantity),
    "LineItem.unfulfilledOriginalTotalSet": lambda v, r, a: v.price * v.unfulfilled_quantity,
    "ShippingLine.currentDiscountedPriceSet": _attribute("current"),
    "ShippingLine.discountedPriceSet": lambda v, r, a: v.price - v.discount,
    "ShippingLine.originalPriceSet": _attribute("price"),
    "FulfillmentOrder.assignedLocation": _assigned,
    "FulfillmentOrder.destination": _destination,
    "FulfillmentOrder.fulfillments": _attribute("fulfillments"),
    "FulfillmentOrder.merchantRequests": _merchant_requests,
    "FulfillmentOrder.supportedActions": _supported,
    "FulfillmentHold.heldByApp": _denied("FulfillmentHold.heldByApp", _attribute("app")),
    "FulfillmentHold.heldByRequestingApp": _held_by_us,
    "Fulfillment.legacyResourceId": lambda v, r, a: number_of(v.id),
    "Fulfillment.trackingInfo": lambda v, r, a: _first(v.tracking_info, args=a),
    "RefundAgreement.refund": _attribute("refund"),
    "ReturnAgreement.return": _attribute("return_"),
    "OrderAgreement.order": _agreement_order,
    "Refund.legacyResourceId": lambda v, r, a: number_of(v.id),
    "Refund.return": _attribute("return_"),
    "Refund.totalRefundedSet": _attribute("total_refunded"),
    "RefundLineItem.priceSet": lambda v, r, a: v.line_item.price,
    "RefundLineItem.subtotalSet": _attribute("subtotal"),
    "RefundLineItem.totalTaxSet": _attribute("total_tax"),
    "RefundShippingLine.subtotalAmountSet": _attribute("subtotal_amount"),
    "RefundShippingLine.taxAmountSet": _attribute("tax_amount"),
    "OrderAdjustment.amountSet": _attribute("amount"),
    "OrderAdjustment.taxAmountSet": _constant(ZERO),
    "OrderTransaction.amountSet": _attribute("amount"),
    "OrderTransaction.manualPaymentGateway": lambda v, r, a: v.gateway == "manual",
    "OrderTransaction.test": lambda v, r, a: v.order.test,
    "OrderTransaction.totalUnsettledSet": _constant(ZERO),
    "InventoryAdjustmentGroup.changes": _changes,
    "InventoryItem.duplicateSkuCount": _duplicates,
    "InventoryItem.inventoryLevel": _level_at,
    "InventoryItem.inventoryLevels": _levels,
    "InventoryItem.legacyResourceId": lambda v, r, a: number_of(v.id),
    "InventoryLevel.quantities": _quantities,
    "Location.inventoryLevel": _level_of,
    "Location.inventoryLevels": _levels,
    "Location.legacyResourceId": lambda v, r, a: number_of(v.id),
    "Metafield.jsonValue": lambda v, r, a: json.loads(v.value) if v.type == "json" else v.value,
    "Metafield.legacyResourceId": lambda v, r, a: number_of(v.id),
    "Metafield.sizeInBytes": lambda v, r, a: len(v.value.encode()),
    "Product.legacyResourceId": lambda v, r, a: number_of(v.id),
    "ProductVariant.legacyResourceId": lambda v, r, a: number_of(v.id),
    "WebhookSubscription.legacyResourceId": lambda v, r, a: number_of(v.id),
}
