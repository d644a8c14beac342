"""Holds: several apps, each its own; the fulfilment order waits until the last is gone."""

from __future__ import annotations

from collections.abc import Sequence

from pickgate.twins.shopify.catalogue import App
from pickgate.twins.shopify.fulfilment_model import (
    FulfillmentHold,
    FulfillmentOrder,
    FulfillmentOrderLineItem,
)
from pickgate.twins.shopify.model import Refused
from pickgate.twins.shopify.payloads import hold_body
from pickgate.twins.shopify.routing import announce
from pickgate.twins.shopify.splitting import split_off
from pickgate.twins.shopify.state import ShopState

HOLDS_PER_APP = 10
HANDLE_LENGTH = 64


def hold(
    shop: ShopState,
    fo: FulfillmentOrder,
    *,
    app: App | None,
    reason: str = "OTHER",
    handle: str = "",
    notes: str | None = None,
    external_id: str | None = None,
    lines: Sequence[tuple[FulfillmentOrderLineItem, int]] = (),
) -> tuple[FulfillmentHold, FulfillmentOrder | None]:
    """
    Put a hold on a fulfilment order; with `lines` only on those units, the rest is split off.

    Returns the hold and the fulfilment order that holds the rest. Raises Refused: unheldable status, the same handle
    again, an eleventh hold of one app, a part of an order that is held already.
    """
    shop.tick()
    if not fo.active or (fo.status == "IN_PROGRESS" and not shop.knobs.hold_in_progress):
        raise Refused("The fulfillment order is not in a holdable state.", code="TAKEN", field=["id"])
    own = [h for h in fo.fulfillment_holds if h.app is app]
    if any(h.handle == handle for h in own):
        raise Refused(
            "The handle provided for the fulfillment hold is already in use by this app.",
            code="DUPLICATE_FULFILLMENT_HOLD_HANDLE",
            field=["fulfillmentHold", "handle"],
        )
    if len(own) >= HOLDS_PER_APP:
        raise Refused(
            "The maximum number of fulfillment holds for this fulfillment order has been reached.",
            code="FULFILLMENT_ORDER_HOLD_LIMIT_REACHED",
            field=["id"],
        )
    if len(handle) > HANDLE_LENGTH:
        raise Refused("Handle is too long.", code="TAKEN", field=["fulfillmentHold", "handle"])
    rest = None
    if lines:
        if fo.fulfillment_holds:
            raise Refused(
                "The fulfillment order is not in a splittable state.",
                code="FULFILLMENT_ORDER_NOT_SPLITTABLE",
                field=["fulfillmentHold", "fulfillmentOrderLineItems"],
            )
        rest = split_off(shop, fo, lines)
    first = not fo.fulfillment_holds
    placed = FulfillmentHold(
        id=shop.mint.gid("FulfillmentHold"),
        app=app,
        handle=handle,
        reason=reason,
        reason_notes=notes,
        external_id=external_id,
    )
    fo.fulfillment_holds.append(placed)
    shop.things[placed.id] = placed
    fo.status, fo.updated_at = "ON_HOLD", shop.stamp()
    shop.record(
        "hold_placed",
        fo.order,
        fulfillment_order_id=fo.id,
        hold_id=placed.id,
        handle=handle,
        reason=reason,
        by=app.title if app else "Shopify",
    )
    shop.touch(fo.order)
    detail = {"created_fulfillment_hold": hold_body(placed)}
    if first:
        announce(shop, "fulfillment_orders/placed_on_hold", fo, **detail)
    _announce_hold(shop, "fulfillment_holds/added", fo, placed)
    return placed, rest


def release_hold(
    shop: ShopState,
    fo: FulfillmentOrder,
    hold_ids: Sequence[str] | None = None,
    *,
    app: App | None = None,
) -> FulfillmentOrder:
    """Release the named holds; without names all of them, whoever placed them. Unknown ids change nothing."""
    shop.tick()
    gone = [h for h in fo.fulfillment_holds if hold_ids is None or h.id in hold_ids]
    if not gone:
        return fo
    fo.fulfillment_holds = [h for h in fo.fulfillment_holds if h not in gone]
    if not fo.fulfillment_holds:
        fo.status = "SCHEDULED" if fo.fulfill_at and fo.fulfill_at > shop.now() else "OPEN"
        fo.progress_reported = False
    fo.updated_at = shop.stamp()
    for released in gone:
        shop.record(
            "hold_released",
            fo.order,
            fulfillment_order_id=fo.id,
            hold_id=released.id,
            handle=released.handle,
            held_by=released.app.title if released.app else "Shopify",
            by=app.title if app else "admin",
        )
    shop.touch(fo.order)
    for released in gone:
        _announce_hold(shop, "fulfillment_holds/released", fo, released)
    if not fo.fulfillment_holds:
        announce(shop, "fulfillment_orders/hold_released", fo)
    return fo


def _announce_hold(shop: ShopState, topic: str, fo: FulfillmentOrder, placed: FulfillmentHold) -> None:
    body = {"fulfillment_order": {"id": fo.id}, "fulfillment_hold": hold_body(placed)}
    shop.hooks.announce([topic], lambda: body)
