"""Stock writes: compare-and-set, all or nothing, and only with an idempotency key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pickgate.twins.shopify.catalogue import InventoryLevel
from pickgate.twins.shopify.graph.answers import Answer, payload, user_error
from pickgate.twins.shopify.graph.idempotency import idempotent
from pickgate.twins.shopify.graph.paging import Args
from pickgate.twins.shopify.graph.plan import Reader, Request
from pickgate.twins.shopify.ids import check_gid
from pickgate.twins.shopify.model import Refused, TopLevelError
from pickgate.twins.shopify.stock import announce_level, set_count

MOST_ITEMS = 250
MOST_UNITS = 1_000_000_000
SETTABLE = ("available", "on_hand")
ADJUSTABLE = (
    "available",
    "damaged",
    "incoming",
    "quality_control",
    "reserved",
    "safety_stock",
)
REASONS = frozenset(
    {
        "correction",
        "cycle_count_available",
        "damaged",
        "movement_canceled",
        "movement_created",
        "movement_received",
        "movement_updated",
        "other",
        "promotion",
        "quality_control",
        "received",
        "reservation_created",
        "reservation_deleted",
        "reservation_updated",
        "restock",
        "safety_stock",
        "shrinkage",
    }
)


def _write(request: Request, args: Args, listed: Literal["quantities", "changes"]) -> Answer:
    given = args["input"]
    entries: Sequence[Mapping[str, Any]] = given[listed]
    if len(entries) > MOST_ITEMS:
        raise TopLevelError("MAX_INPUT_SIZE_EXCEEDED", f"The input array size of {len(entries)} is greater than 250.")
    for entry in entries:
        if "changeFromQuantity" not in entry:
            raise TopLevelError(
                "INVALID_FIELD_ARGUMENTS",
                "The field changeFromQuantity is required; pass null to skip the check.",
            )
    name = given["name"]
    errors, levels = _check(request, given, entries, listed)
    if errors:
        return payload(inventory_adjustment_group=None, user_errors=errors)
    shop = request.shop
    group = Answer(
        "InventoryAdjustmentGroup",
        id=shop.mint.gid("InventoryAdjustmentGroup"),
        created_at=shop.stamp(),
        reason=given["reason"],
        reference_document_uri=given.get("referenceDocumentUri"),
        changes=[],
    )
    for level, entry in zip(levels, entries, strict=True):
        wanted = entry["quantity"] if listed == "quantities" else level.count(name) + entry["delta"]
        before = {each: level.count(each) for each in ("available", "on_hand", name)}
        set_count(shop, level, name, wanted, by=request.app.title)
        for each, was in before.items():
            if level.count(each) != was or each == name:
                group.changes.append(
                    Answer(
                        "InventoryChange",
                        name=each,
                        delta=level.count(each) - was,
                        quantity_after_change=level.count(each),
                        item=level.item,
                        location=level.location,
                    )
                )
    return payload(inventory_adjustment_group=group)


def _check(
    request: Request,
    given: Mapping[str, Any],
    entries: Sequence[Mapping[str, Any]],
    listed: str,
) -> tuple[list[Answer], list[InventoryLevel]]:
    name, setting = given["name"], listed == "quantities"
    errors: list[Answer] = []
    levels: list[InventoryLevel] = []

    def refuse(code: str, message: str, *path: str) -> None:
        errors.append(user_error(Refused(message, code=code, field=["input", *path])))

    if name not in (SETTABLE if setting else ADJUSTABLE):
        code = "INVALID_NAME" if setting else "INVALID_QUANTITY_NAME"
        refuse(code, "The specified quantity name is invalid.", "name")
    if given["reason"] not in REASONS:
        refuse("INVALID_REASON", "The specified reason is invalid.", "reason")
    seen: set[tuple[str, str]] = set()
    for index, entry in enumerate(entries):
        at = (listed, str(index))
        item = request.shop.inventory_items.get(check_gid(entry["inventoryItemId"]))
        location = request.shop.locations.get(check_gid(entry["locationId"]))
        if item is None:
            refuse("INVALID_INVENTORY_ITEM", "The inventory item was not found.", *at)
            continue
        if location is None:
            refuse("INVALID_LOCATION", "The location was not found.", *at)
            continue
        if any(variant.components for variant in item.variants):
            refuse("NON_MUTABLE_INVENTORY_ITEM", "A parent bundle cannot be set.", *at)
            continue
        if (item.id, location.id) in seen and setting:
            code = "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
            refuse(code, "The item and location pair is repeated.", *at)
            continue
        seen.add((item.id, location.id))
        level = request.shop.level_of(item, location)
        levels.append(level)
        if errors and errors[0].code in ("INVALID_NAME", "INVALID_QUANTITY_NAME"):
            continue
        wanted = entry["quantity"] if setting else level.count(name) + entry["delta"]
        if setting and wanted < 0:
            refuse("INVALID_QUANTITY_NEGATIVE", "The quantity can't be negative.", *at)
        elif wanted > MOST_UNITS:
            refuse("INVALID_QUANTITY_TOO_HIGH", "The quantity is too high.", *at)
        expected = entry["changeFromQuantity"]
        if expected is not None and expected != level.count(name):
            refuse(
                "CHANGE_FROM_QUANTITY_STALE",
                "The changeFromQuantity argument no longer matches the persisted quantity.",
                *at,
                "changeFromQuantity",
            )
    return errors, levels


def _activate(request: Request, args: Args) -> Answer:
    shop = request.shop
    item = shop.inventory_items.get(check_gid(args["inventoryItemId"]))
    location = shop.locations.get(check_gid(args["locationId"]))
    if item is None or location is None:
        error = Refused("The inventory item or location was not found.", field=["inventoryItemId"])
        return payload(inventory_level=None, user_errors=[user_error(error)])
    level = shop.level_of(item, location)
    level.is_active = True
    if args.get("onHand") is not None:
        set_count(shop, level, "on_hand", args["onHand"], by=request.app.title)
    else:
        announce_level(shop, level)
    return payload(inventory_level=level)


MUTATIONS: dict[str, Reader] = {
    "inventoryActivate": idempotent("inventoryActivate", _activate),
    "inventoryAdjustQuantities": idempotent(
        "inventoryAdjustQuantities", lambda request, args: _write(request, args, "changes")
    ),
    "inventorySetQuantities": idempotent(
        "inventorySetQuantities", lambda request, args: _write(request, args, "quantities")
    ),
}
