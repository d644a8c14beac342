"""Tags, metafields, order fields, cancellation, refunds and captures over the API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pickgate.twins.shopify import changing, paying, refunding
from pickgate.twins.shopify.graph.answers import Answer, failed, payload, user_error
from pickgate.twins.shopify.graph.idempotency import idempotent
from pickgate.twins.shopify.graph.paging import Args
from pickgate.twins.shopify.graph.plan import Reader, Request
from pickgate.twins.shopify.ids import check_gid
from pickgate.twins.shopify.model import Order, Refused, TopLevelError
from pickgate.twins.shopify.money import money

MOST_METAFIELDS = 25
MOST_TAGS = 250
_ADDRESS = {
    "address1": "address1",
    "address2": "address2",
    "city": "city",
    "company": "company",
    "countryCode": "country_code",
    "firstName": "first_name",
    "lastName": "last_name",
    "phone": "phone",
    "provinceCode": "province_code",
    "zip": "zip",
}


def _get(request: Request, gid: str, path: str = "id") -> Order:
    order = request.shop.orders.get(check_gid(gid))
    if order is None:
        raise Refused("Order does not exist", code="NOT_FOUND", field=[path])
    return order


def _safe(do: Callable[[Request, Args], Answer]) -> Reader:
    def reader(_: Any, request: Request, args: Args) -> Answer:
        try:
            return do(request, args)
        except Refused as refused:
            return failed(refused)

    return reader


def _tags(change: Callable[..., Order]) -> Reader:
    def do(request: Request, args: Args) -> Answer:
        order = _get(request, args["id"])
        if len(args["tags"]) > MOST_TAGS:
            raise TopLevelError("MAX_INPUT_SIZE_EXCEEDED", "too many tags")
        return payload(node=change(request.shop, order, args["tags"], app=request.app))

    return _safe(do)


def _set_metafields(request: Request, args: Args) -> Answer:
    given: list[Mapping[str, Any]] = args["metafields"]
    errors: list[Answer] = []
    targets: list[tuple[Order, str]] = []
    if len(given) > MOST_METAFIELDS:
        refused = Refused(
            f"Exceeded the maximum metafields input limit of {MOST_METAFIELDS}.",
            code="LESS_THAN_OR_EQUAL_TO",
            field=["metafields"],
        )
        return failed(refused, metafields=None)
    for index, each in enumerate(given):
        order = request.shop.orders.get(check_gid(each["ownerId"]))
        namespace = request.namespace(each.get("namespace"))
        problem = _metafield_problem(request, order, namespace, each)
        if problem or order is None:
            code, message, name = problem or ("INVALID", "Owner does not exist.", "ownerId")
            path = ["metafields", str(index), name]
            errors.append(user_error(Refused(message, code=code, field=path), index))
        else:
            targets.append((order, namespace))
    if errors:
        return payload(metafields=None, user_errors=errors)
    made = []
    for each, (order, namespace) in zip(given, targets, strict=True):
        type_ = each.get("type") or "single_line_text_field"
        made.append(changing.put_metafield(request.shop, order, namespace, each["key"], type_, each["value"]))
        request.shop.record(
            "metafield_set",
            order,
            namespace=namespace,
            key=each["key"],
            value=each["value"],
            by=request.app.title,
        )
    for order in dict.fromkeys(order for order, _ in targets):
        request.shop.touch(order)
    return payload(metafields=made)


def _metafield_problem(
    request: Request, order: Order | None, namespace: str, each: Mapping[str, Any]
) -> tuple[str, str, str] | None:
    if order is None:
        return "INVALID", "Owner does not exist.", "ownerId"
    own = request.namespace(None)
    if namespace.startswith("app--") and namespace.partition("--")[2].partition("--")[0] != own[5:]:
        return "APP_NOT_AUTHORIZED", "Access to this namespace and key is not allowed.", "namespace"
    if not each["value"]:
        return "BLANK", "Value can't be blank.", "value"
    if each.get("type") == "json":
        try:
            json.loads(each["value"])
        except ValueError:
            return "INVALID_VALUE", "Value is invalid JSON.", "value"
    if "compareDigest" in each:
        held = order.metafields.get((namespace, each["key"]))
        digest = held.compare_digest if held else None
        if each["compareDigest"] != digest:
            return "STALE_OBJECT", "The resource has been updated since it was loaded.", "compareDigest"
    return None


def _delete_metafields(request: Request, args: Args) -> Answer:
    gone: list[Answer | None] = []
    for each in args["metafields"]:
        order = _get(request, each["ownerId"], "ownerId")
        namespace = request.namespace(each["namespace"])
        held = order.metafields.pop((namespace, each["key"]), None)
        if held is None:
            gone.append(None)
            continue
        request.shop.record(
            "metafield_set", order, namespace=namespace, key=each["key"], value=None, by=request.app.title
        )
        request.shop.touch(order)
        gone.append(Answer("", key=each["key"], namespace=namespace, owner_id=order.id))
    return payload(deleted_metafields=gone)


def _define(_: Any, request: Request, args: Args) -> Answer:
    given = args["definition"]
    namespace = request.namespace(given.get("namespace"))
    known = request.shop.metafield_definitions
    if (given["ownerType"], namespace, given["key"]) in known:
        refused = Refused("Key is in use.", code="TAKEN", field=["definition", "key"])
        return failed(refused, created_definition=None)
    known.add((given["ownerType"], namespace, given["key"]))
    made = Answer(
        "MetafieldDefinition",
        id=request.shop.mint.gid("MetafieldDefinition"),
        namespace=namespace,
        key=given["key"],
        name=given["name"],
    )
    return payload(created_definition=made)


def _update(request: Request, args: Args) -> Answer:
    given, shop, app = args["input"], request.shop, request.app
    order = _get(request, given["id"])
    if given.get("shippingAddress"):
        address = given["shippingAddress"]
        changes = {ours: address[theirs] for theirs, ours in _ADDRESS.items() if theirs in address}
        changing.update_address(shop, order, app=app, **changes)
    if "tags" in given:
        changing.set_tags(shop, order, given["tags"] or [], app=app)
    if "note" in given or "customAttributes" in given:
        pairs = given.get("customAttributes")
        attributes = None if pairs is None else {a["key"]: a["value"] for a in pairs}
        changing.update_note(shop, order, note=given.get("note"), attributes=attributes, app=app)
    return payload(order=order)


def _cancel(_: Any, request: Request, args: Args) -> Answer:
    shop, app = request.shop, request.app
    try:
        order = _get(request, args["orderId"], "orderId")
        refunding.check_cancellable(order)
    except Refused as refused:
        return payload(job=None, order_cancel_user_errors=[user_error(refused)])
    method = args.get("refundMethod") or {}
    job = Answer("Job", id=shop.mint.gid("Job"), done=False)
    shop.things[job.id] = job

    def run() -> None:
        try:
            refunding.cancel_order(
                shop,
                order,
                reason=args["reason"],
                restock=args["restock"],
                refund=bool(method.get("originalPaymentMethodsRefund")),
                staff_note=args.get("staffNote"),
                app=app,
            )
        except Refused:
            shop.history.append(at=shop.now(), kind="cancel_job_failed", subject=order.id)
        job.__dict__["done"] = True

    shop.later(shop.knobs.cancel_job_seconds, run)
    if not shop.knobs.cancel_job_seconds:
        shop.tick()
    return payload(job=job, order_cancel_user_errors=[])


def _refund(request: Request, args: Args) -> Answer:
    given, shop = args["input"], request.shop
    try:
        order = _get(request, given["orderId"], "orderId")
        lines: dict[str, tuple[int, str]] = {}
        location = None
        for each in given.get("refundLineItems") or ():
            lines[check_gid(each["lineItemId"])] = (
                each["quantity"],
                each.get("restockType") or "NO_RESTOCK",
            )
            if each.get("locationId"):
                location = shop.locations.get(each["locationId"])
        shipping = given.get("shipping") or {}
        back = sum((line.current for line in order.shipping_lines), start=0)
        amounts = [each["amount"] for each in given.get("transactions") or ()]
        made = refunding.refund(
            shop,
            order,
            lines,
            shipping=back if shipping.get("fullRefund") else shipping.get("amount") or 0,
            amount=sum(map(_decimal, amounts), start=_decimal("0")),
            note=given.get("note"),
            app=request.app,
            location=location,
        )
    except Refused as refused:
        return failed(refused, refund=None)
    return payload(refund=made, order=order)


def _decimal(amount: Any) -> Any:
    return money(str(amount))


def _capture(request: Request, args: Args) -> Answer:
    given = args["input"]
    order = _get(request, given["id"])
    made = paying.capture(request.shop, order, str(given["amount"]), app=request.app)
    return payload(transaction=made)


def _mark_paid(request: Request, args: Args) -> Answer:
    order = _get(request, args["input"]["id"])
    paying.mark_paid(request.shop, order, app=request.app)
    return payload(order=order)


def _archive(change: Callable[..., Order]) -> Reader:
    return _safe(
        lambda request, args: payload(order=change(request.shop, _get(request, args["input"]["id"]), app=request.app))
    )


MUTATIONS: dict[str, Reader] = {
    "metafieldDefinitionCreate": _define,
    "metafieldsDelete": _safe(_delete_metafields),
    "metafieldsSet": _safe(_set_metafields),
    "orderCancel": _cancel,
    "orderCapture": _safe(_capture),
    "orderClose": _archive(changing.archive),
    "orderMarkAsPaid": _safe(_mark_paid),
    "orderOpen": _archive(changing.unarchive),
    "orderUpdate": _safe(_update),
    "refundCreate": idempotent("refundCreate", _refund),
    "tagsAdd": _tags(changing.add_tags),
    "tagsRemove": _tags(changing.remove_tags),
}
