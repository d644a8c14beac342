"""How stock moves by itself: sales commit units, edits and cancellations give them back, fulfilments use them up."""

from __future__ import annotations

from pickgate.twins.shopify.catalogue import InventoryLevel, Location, Variant
from pickgate.twins.shopify.ids import number_of
from pickgate.twins.shopify.model import LineItem
from pickgate.twins.shopify.payloads import time_of
from pickgate.twins.shopify.state import ShopState


def set_stock(
    shop: ShopState, variant: Variant, quantity: int, location: Location | None = None, name: str = "available"
) -> None:
    """A person sets a quantity in the admin. `name`: available, on_hand, or another stored quantity."""
    shop.tick()
    where = location or next(iter(shop.locations.values()))
    set_count(shop, shop.level_of(variant.inventory_item, where), name, quantity, by="admin")


def set_count(shop: ShopState, level: InventoryLevel, name: str, quantity: int, *, by: str) -> int:
    """Set a named quantity; on_hand moves what is available. Returns the difference."""
    delta = quantity - level.count(name)
    level.counts["available" if name == "on_hand" else name] += delta
    shop.history.append(
        at=shop.now(),
        kind="inventory_set",
        subject=level.item.id,
        sku=level.item.sku,
        location_id=level.location.id,
        name=name,
        delta=delta,
        quantity=quantity,
        available=level.counts["available"],
        on_hand=level.count("on_hand"),
        by=by,
    )
    if delta:
        announce_level(shop, level)
    return delta


def commit(shop: ShopState, line: LineItem, location: Location, units: int) -> None:
    """Units were sold: from available to committed."""
    _move(shop, line, location, available=-units, committed=units)


def release(shop: ShopState, line: LineItem, location: Location, units: int, *, restock: bool) -> None:
    """Sold units were taken off the order: back to available, or (without restock) written off."""
    _move(shop, line, location, available=units if restock else 0, committed=-units)


def ship(shop: ShopState, line: LineItem, location: Location, units: int) -> None:
    """Units left the building (negative: a fulfilment was cancelled)."""
    _move(shop, line, location, available=0, committed=-units)


def put_back(shop: ShopState, line: LineItem, location: Location, units: int) -> None:
    """Returned units go on the shelf again."""
    _move(shop, line, location, available=units, committed=0)


def announce_level(shop: ShopState, level: InventoryLevel) -> None:
    level.updated_at = shop.stamp()
    shop.hooks.announce(
        ["inventory_levels/update"],
        lambda: {
            "inventory_item_id": number_of(level.item.id),
            "location_id": number_of(level.location.id),
            "available": level.counts["available"],
            "updated_at": time_of(level.updated_at),
            "admin_graphql_api_id": level.id,
        },
    )


def _move(shop: ShopState, line: LineItem, location: Location, *, available: int, committed: int) -> None:
    if line.variant is None or not line.variant.inventory_item.tracked:
        return
    level = shop.level_of(line.variant.inventory_item, location)
    level.counts["available"] += available
    level.counts["committed"] += committed
    level.updated_at = shop.stamp()
    if available:
        announce_level(shop, level)
