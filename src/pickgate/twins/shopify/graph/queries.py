"""The root queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from pickgate.twins.shopify import totals
from pickgate.twins.shopify.fulfilment_model import FulfillmentOrder
from pickgate.twins.shopify.graph.answers import Answer
from pickgate.twins.shopify.graph.paging import PAGE_LIMIT, Args, Listing
from pickgate.twins.shopify.graph.plan import Reader, Request
from pickgate.twins.shopify.graph.search import matcher
from pickgate.twins.shopify.hooks import ApiVersion
from pickgate.twins.shopify.ids import check_gid, number_of
from pickgate.twins.shopify.model import Order, TopLevelError

LIVE_VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
SCOPES = (
    "read_orders",
    "write_orders",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "read_third_party_fulfillment_orders",
    "write_third_party_fulfillment_orders",
    "read_inventory",
    "write_inventory",
    "read_locations",
    "read_products",
    "read_returns",
    "read_customers",
    "read_order_edits",
    "write_order_edits",
    "read_all_orders",
    "write_fulfillments",
)
INVISIBLE_AFTER = timedelta(days=60)


def find_node(request: Request, gid: str) -> Any:
    """Any object by its global id, as this app may see it; None when there is none."""
    check_gid(gid)
    shop = request.shop
    match gid.removeprefix("gid://shopify/").partition("/")[0]:
        case "Order":
            return visible(request, shop.orders.get(gid))
        case "FulfillmentOrder":
            found = shop.fulfillment_orders.get(gid)
            return found if shop.knobs.fulfillment_orders_visible else None
        case "Fulfillment":
            return shop.fulfillments.get(gid)
        case "InventoryItem":
            return shop.inventory_items.get(gid)
        case "InventoryLevel":
            return shop.inventory_levels.get(gid)
        case "Location":
            return shop.locations.get(gid)
        case "ProductVariant":
            return shop.variants.get(gid)
        case "WebhookSubscription":
            return shop.hooks.subscriptions.get(gid)
        case "App":
            return shop.apps.get(gid)
        case _:
            return shop.things.get(gid)


def visible(request: Request, order: Order | None) -> Order | None:
    """The order as this read sees it: perhaps too old to be seen, perhaps as it was a moment ago."""
    shop, knobs = request.shop, request.shop.knobs
    if order is None:
        return None
    if not knobs.read_all_orders and shop.now() - order.created_at > INVISIBLE_AFTER:
        return None
    if order.copies and shop.rng.random() < knobs.stale_read_probability:
        horizon = shop.now() - timedelta(seconds=knobs.stale_read_seconds)
        older = [copy for at, copy in order.copies if at <= horizon]
        return older[-1] if older else order.copies[0][1]
    return order


ORDER_FILTERS: Mapping[str, Callable[[Any], Any]] = {
    "id": lambda o: number_of(o.id),
    "name": lambda o: o.name,
    "updated_at": lambda o: o.updated_at,
    "created_at": lambda o: o.created_at,
    "processed_at": lambda o: o.processed_at,
    "tag": lambda o: o.tags,
    "test": lambda o: o.test,
    "financial_status": lambda o: totals.total_of(o, "financial_status"),
    "fulfillment_status": lambda o: {
        "FULFILLED": "shipped",
        "PARTIALLY_FULFILLED": "partial",
    }.get(totals.total_of(o, "fulfillment_status"), "unfulfilled"),
    "status": lambda o: "cancelled" if o.cancelled_at else "closed" if o.closed else "open",
    "customer_id": lambda o: number_of(o.customer.id) if o.customer else None,
    "email": lambda o: o.email,
}


def _number(value: Any) -> str:
    return f"{number_of(value.id):020d}"


def _at(name: str) -> Callable[[Any], tuple[str, str]]:
    return lambda value: (getattr(value, name).isoformat(), _number(value))


ORDER_SORT: Mapping[str, Callable[[Any], tuple[str, ...]]] = {
    "UPDATED_AT": _at("updated_at"),
    "CREATED_AT": _at("created_at"),
    "PROCESSED_AT": _at("processed_at"),
    "ID": lambda value: (_number(value),),
    "ORDER_NUMBER": lambda order: (f"{order.number:012d}",),
}


def _listing(values: Iterable[Any], test: Callable[[Any], bool], key: Callable[[Any], tuple[str, ...]]) -> Listing:
    return Listing(sorted((value for value in values if test(value)), key=key), key)


def _orders(_: Any, request: Request, args: Args) -> Listing:
    test = matcher(args.get("query"), ORDER_FILTERS)
    key = ORDER_SORT.get(args.get("sortKey") or "PROCESSED_AT", ORDER_SORT["ID"])
    horizon = request.shop.now() - INVISIBLE_AFTER
    orders: Iterable[Order] = request.shop.orders.values()
    if not request.shop.knobs.read_all_orders:
        orders = (order for order in orders if order.created_at >= horizon)
    return _listing(orders, test, key)


FULFILLMENT_ORDER_FILTERS: Mapping[str, Callable[[Any], Any]] = {
    "id": lambda fo: number_of(fo.id),
    "status": lambda fo: fo.status,
    "updated_at": lambda fo: fo.updated_at,
    "assigned_location_id": lambda fo: number_of(fo.location.id),
}


def _sorted_fulfillment_orders(fos: Iterable[FulfillmentOrder], args: Args, test: Callable[[Any], bool]) -> Listing:
    key = _at("updated_at") if args.get("sortKey") == "UPDATED_AT" else ORDER_SORT["ID"]
    return _listing(fos, test, key)


def _fulfillment_orders(_: Any, request: Request, args: Args) -> Listing:
    test = matcher(args.get("query"), FULFILLMENT_ORDER_FILTERS)
    if not request.shop.knobs.fulfillment_orders_visible:
        return Listing([], ORDER_SORT["ID"])
    every = request.shop.fulfillment_orders.values()
    shown = every if args.get("includeClosed") else [fo for fo in every if fo.active]
    return _sorted_fulfillment_orders(shown, args, test)


_ASSIGNMENT = {
    "FULFILLMENT_REQUESTED": ("SUBMITTED",),
    "CANCELLATION_REQUESTED": ("CANCELLATION_REQUESTED",),
    "FULFILLMENT_ACCEPTED": ("ACCEPTED",),
    "FULFILLMENT_UNSUBMITTED": ("UNSUBMITTED", "REJECTED"),
}


def _assigned(_: Any, request: Request, args: Args) -> Listing:
    wanted = _ASSIGNMENT.get(args.get("assignmentStatus") or "")
    places = args.get("locationIds")

    def test(fo: FulfillmentOrder) -> bool:
        if fo.location.fulfillment_service is None or not fo.active:
            return False
        if places and fo.location.id not in places:
            return False
        return wanted is None or fo.request_status in wanted

    return _sorted_fulfillment_orders(request.shop.fulfillment_orders.values(), args, test)


ITEM_FILTERS: Mapping[str, Callable[[Any], Any]] = {
    "id": lambda item: number_of(item.id),
    "sku": lambda item: item.sku,
    "updated_at": lambda item: item.updated_at,
    "created_at": lambda item: item.created_at,
}


def _inventory_items(_: Any, request: Request, args: Args) -> Listing:
    test = matcher(args.get("query"), ITEM_FILTERS)
    return _listing(request.shop.inventory_items.values(), test, ORDER_SORT["ID"])


def _locations(_: Any, request: Request, args: Args) -> list[Any]:
    inactive = args.get("includeInactive")
    return [place for place in request.shop.locations.values() if place.is_active or inactive]


def _location(_: Any, request: Request, args: Args) -> Any:
    gid = args.get("id")
    if gid is None:
        return next(iter(request.shop.locations.values()), None)
    return find_node(request, gid)


def _by_id(kind: str) -> Reader:
    def reader(_: Any, request: Request, args: Args) -> Any:
        found = find_node(request, args["id"])
        return found if found is not None and kind == found.TYPENAME else None

    return reader


def _shop(_: Any, request: Request, args: Args) -> Answer:
    shop = request.shop
    return Answer(
        "Shop",
        id=shop.shop_id,
        name=shop.domain.partition(".")[0],
        myshopify_domain=shop.domain,
        currency_code=shop.knobs.currency,
        iana_timezone="Europe/London",
        timezone_abbreviation="GMT",
        email=f"owner@{shop.domain}",
        contact_email=f"owner@{shop.domain}",
        taxes_included=shop.knobs.taxes_included,
        plan=Answer("ShopPlan", public_display_name="Basic", shopify_plus=False, partner_development=False),
    )


def _installation(_: Any, request: Request, args: Args) -> Answer:
    return Answer(
        "AppInstallation",
        id=f"gid://shopify/AppInstallation/{number_of(request.app.id)}",
        app=request.app,
        access_scopes=[Answer("AccessScope", handle=scope) for scope in SCOPES],
    )


def _versions(_: Any, request: Request, args: Args) -> list[ApiVersion]:
    return [ApiVersion(handle=version) for version in LIVE_VERSIONS]


def _subscriptions(_: Any, request: Request, args: Args) -> list[Any]:
    topics, uri = args.get("topics"), args.get("uri")
    return [
        subscription
        for subscription in request.shop.hooks.subscriptions.values()
        if (not topics or subscription.topic in topics) and (not uri or subscription.uri == uri)
    ]


def _nodes(_: Any, request: Request, args: Args) -> list[Any]:
    if len(args["ids"]) > PAGE_LIMIT:
        raise TopLevelError("MAX_INPUT_SIZE_EXCEEDED", f"at most {PAGE_LIMIT} ids")
    return [find_node(request, gid) for gid in args["ids"]]


def _identified(_: Any, request: Request, args: Args) -> Any:
    gid = args["identifier"].get("id")
    return find_node(request, gid) if gid else None


QUERIES: dict[str, Reader] = {
    "QueryRoot.assignedFulfillmentOrders": _assigned,
    "QueryRoot.bulkOperation": _by_id("BulkOperation"),
    "QueryRoot.currentAppInstallation": _installation,
    "QueryRoot.fulfillment": _by_id("Fulfillment"),
    "QueryRoot.fulfillmentOrder": _by_id("FulfillmentOrder"),
    "QueryRoot.fulfillmentOrders": _fulfillment_orders,
    "QueryRoot.inventoryItem": _by_id("InventoryItem"),
    "QueryRoot.inventoryItems": _inventory_items,
    "QueryRoot.inventoryLevel": _by_id("InventoryLevel"),
    "QueryRoot.job": _by_id("Job"),
    "QueryRoot.location": _location,
    "QueryRoot.locations": _locations,
    "QueryRoot.node": lambda _, r, a: find_node(r, a["id"]),
    "QueryRoot.nodes": _nodes,
    "QueryRoot.order": _by_id("Order"),
    "QueryRoot.orderByIdentifier": _identified,
    "QueryRoot.orders": _orders,
    "QueryRoot.productVariant": _by_id("ProductVariant"),
    "QueryRoot.publicApiVersions": _versions,
    "QueryRoot.refund": _by_id("Refund"),
    "QueryRoot.return": _by_id("Return"),
    "QueryRoot.shop": _shop,
    "QueryRoot.webhookSubscription": _by_id("WebhookSubscription"),
    "QueryRoot.webhookSubscriptions": _subscriptions,
}
