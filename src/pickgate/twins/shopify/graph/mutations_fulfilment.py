"""Fulfilment orders, holds and fulfilments over the API: ids resolved, refusals turned into userErrors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pickgate.twins.shopify import fulfilling, holding, splitting
from pickgate.twins.shopify.fulfilment_model import (
    Fulfillment,
    FulfillmentOrder,
    FulfillmentOrderLineItem,
)
from pickgate.twins.shopify.graph.answers import Answer, failed, payload
from pickgate.twins.shopify.graph.paging import Args
from pickgate.twins.shopify.graph.plan import Reader, Request
from pickgate.twins.shopify.ids import check_gid
from pickgate.twins.shopify.model import Refused

Do = Callable[[Request, Args], Answer]


def _safe(do: Do) -> Reader:
    def reader(_: Any, request: Request, args: Args) -> Answer:
        try:
            return do(request, args)
        except Refused as refused:
            return failed(refused)

    return reader


def _get(request: Request, gid: str, message: str = "Fulfillment order does not exist.") -> FulfillmentOrder:
    found = request.shop.fulfillment_orders.get(check_gid(gid))
    if found is None:
        raise Refused(message, code="FULFILLMENT_ORDER_NOT_FOUND", field=["id"])
    return found


def _get_fulfillment(request: Request, gid: str) -> Fulfillment:
    found = request.shop.fulfillments.get(check_gid(gid))
    if found is None:
        raise Refused("Fulfillment does not exist.", field=["fulfillmentId"])
    return found


def _parts(
    fo: FulfillmentOrder, given: Sequence[Mapping[str, Any]] | None
) -> list[tuple[FulfillmentOrderLineItem, int]]:
    parts: list[tuple[FulfillmentOrderLineItem, int]] = []
    for each in given or ():
        part = next((part for part in fo.line_items if part.id == check_gid(each["id"])), None)
        if part is None:
            raise Refused("Line item does not exist.", code="INVALID_LINE_ITEM_QUANTITY")
        if any(part is known for known, _ in parts):
            raise Refused("Line items repeat.", code="DUPLICATED_FULFILLMENT_ORDER_LINE_ITEMS")
        parts.append((part, each["quantity"]))
    return parts


def _hold(request: Request, args: Args) -> Answer:
    fo, given = _get(request, args["id"]), args["fulfillmentHold"]
    try:
        placed, rest = holding.hold(
            request.shop,
            fo,
            app=request.app,
            reason=given["reason"],
            handle=given.get("handle") or "",
            notes=given.get("reasonNotes"),
            external_id=given.get("externalId"),
            lines=_parts(fo, given.get("fulfillmentOrderLineItems")),
        )
    except Refused as refused:
        return failed(refused, fulfillment_order=fo)
    return payload(fulfillment_hold=placed, fulfillment_order=fo, remaining_fulfillment_order=rest)


def _release(request: Request, args: Args) -> Answer:
    fo = _get(request, args["id"])
    holding.release_hold(request.shop, fo, args.get("holdIds"), app=request.app)
    return payload(fulfillment_order=fo)


def _progress(request: Request, args: Args) -> Answer:
    fo, report = _get(request, args["id"]), args.get("progressReport") or {}
    splitting.report_progress(request.shop, fo, notes=report.get("reasonNotes"), app=request.app)
    return payload(fulfillment_order=fo)


def _open(request: Request, args: Args) -> Answer:
    fo = _get(request, args["id"])
    return payload(fulfillment_order=splitting.open_fulfillment_order(request.shop, fo, app=request.app))


def _move(request: Request, args: Args) -> Answer:
    fo = _get(request, args["id"])
    location = request.shop.locations.get(check_gid(args["newLocationId"]))
    if location is None:
        raise Refused("Location not found.", field=["newLocationId"])
    parts = _parts(fo, args.get("fulfillmentOrderLineItems"))
    moved = splitting.move_fulfillment_order(request.shop, fo, location, parts, app=request.app)
    return payload(moved_fulfillment_order=moved, original_fulfillment_order=fo)


def _split(request: Request, args: Args) -> Answer:
    done = []
    for each in args["fulfillmentOrderSplits"]:
        fo = _get(request, each["fulfillmentOrderId"])
        parts = _parts(fo, each["fulfillmentOrderLineItems"])
        rest = splitting.split_fulfillment_order(request.shop, fo, parts, app=request.app)
        done.append(Answer("", fulfillment_order=fo, remaining_fulfillment_order=rest))
    return payload(fulfillment_order_splits=done)


def _merge(request: Request, args: Args) -> Answer:
    done = []
    for each in args["fulfillmentOrderMergeInputs"]:
        fos = [_get(request, intent["fulfillmentOrderId"]) for intent in each["mergeIntents"]]
        merged = splitting.merge_fulfillment_orders(request.shop, fos, app=request.app)
        done.append(Answer("", fulfillment_order=merged))
    return payload(fulfillment_order_merges=done)


def _cancel(request: Request, args: Args) -> Answer:
    fo = _get(request, args["id"])
    new = splitting.cancel_fulfillment_order(request.shop, fo, app=request.app)
    return payload(fulfillment_order=fo, replacement_fulfillment_order=new)


def _answering(answer: str) -> Reader:
    def do(request: Request, args: Args) -> Answer:
        fo = _get(request, args["id"])
        splitting.answer_request(request.shop, fo, answer, message=args.get("message"))
        return payload(fulfillment_order=fo)

    return _safe(do)


def _submit(request: Request, args: Args) -> Answer:
    fo = _get(request, args["id"])
    parts = _parts(fo, args.get("fulfillmentOrderLineItems"))
    rest = splitting.split_off(request.shop, fo, parts) if parts else None
    splitting.answer_request(request.shop, fo, "submit", message=args.get("message"))
    return payload(original_fulfillment_order=fo, submitted_fulfillment_order=fo, unsubmitted_fulfillment_order=rest)


def _create(request: Request, args: Args) -> Answer:
    given = args["fulfillment"]
    groups = [
        (
            check_gid(group["fulfillmentOrderId"]),
            [(check_gid(part["id"]), part["quantity"]) for part in group.get("fulfillmentOrderLineItems") or ()],
        )
        for group in given["lineItemsByFulfillmentOrder"]
    ]
    made = fulfilling.create_fulfillment(request.shop, groups, tracking=given.get("trackingInfo"), app=request.app)
    return payload(fulfillment=made)


def _tracking(request: Request, args: Args) -> Answer:
    found = _get_fulfillment(request, args["fulfillmentId"])
    fulfilling.update_tracking(request.shop, found, args["trackingInfoInput"], app=request.app)
    return payload(fulfillment=found)


def _event(request: Request, args: Args) -> Answer:
    given = args["fulfillmentEvent"]
    found = _get_fulfillment(request, given["fulfillmentId"])
    event = fulfilling.add_event(request.shop, found, given["status"], message=given.get("message"), app=request.app)
    return payload(fulfillment_event=event)


def _cancel_fulfillment(request: Request, args: Args) -> Answer:
    found = _get_fulfillment(request, args["id"])
    return payload(fulfillment=fulfilling.cancel_fulfillment(request.shop, found, app=request.app))


MUTATIONS: dict[str, Reader] = {
    "fulfillmentCancel": _safe(_cancel_fulfillment),
    "fulfillmentCreate": _safe(_create),
    "fulfillmentEventCreate": _safe(_event),
    "fulfillmentOrderAcceptCancellationRequest": _answering("accept_cancellation"),
    "fulfillmentOrderAcceptFulfillmentRequest": _answering("accept"),
    "fulfillmentOrderCancel": _safe(_cancel),
    "fulfillmentOrderClose": _answering("close"),
    "fulfillmentOrderHold": _safe(_hold),
    "fulfillmentOrderMerge": _safe(_merge),
    "fulfillmentOrderMove": _safe(_move),
    "fulfillmentOrderOpen": _safe(_open),
    "fulfillmentOrderRejectCancellationRequest": _answering("reject_cancellation"),
    "fulfillmentOrderRejectFulfillmentRequest": _answering("reject"),
    "fulfillmentOrderReleaseHold": _safe(_release),
    "fulfillmentOrderReportProgress": _safe(_progress),
    "fulfillmentOrderSplit": _safe(_split),
    "fulfillmentOrderSubmitCancellationRequest": _answering("submit_cancellation"),
    "fulfillmentOrderSubmitFulfillmentRequest": _safe(_submit),
    "fulfillmentTrackingInfoUpdate": _safe(_tracking),
}
