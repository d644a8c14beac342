"""Changes that touch no line: address, note, attributes, tags, metafields, archiving."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any

from pickgate.twins.shopify.catalogue import App
from pickgate.twins.shopify.model import Attribute, Metafield, Order, Refused
from pickgate.twins.shopify.state import ShopState


def _who(app: App | None) -> str:
    return app.title if app else "admin"


def update_address(shop: ShopState, order: Order | str, *, app: App | None = None, **changes: Any) -> Order:
    """Change fields of the shipping address. Only orders/updated tells of it."""
    shop.tick()
    order = shop.get_order(order)
    if order.shipping_address is None:
        raise Refused("The order has no shipping address.")
    address = copy(order.shipping_address)
    for name, value in changes.items():
        setattr(address, name, value)
    order.shipping_address = address
    shop.record("address_changed", order, changes=dict(changes), by=_who(app))
    shop.touch(order)
    return order


def update_note(
    shop: ShopState,
    order: Order | str,
    *,
    note: str | None = None,
    attributes: Mapping[str, str] | None = None,
    app: App | None = None,
) -> Order:
    """Replace the note and (when given) the custom attributes."""
    shop.tick()
    order = shop.get_order(order)
    if note is not None:
        order.note = note
    if attributes is not None:
        order.custom_attributes = [Attribute(k, v) for k, v in attributes.items()]
    shop.record("note_changed", order, note=order.note, by=_who(app))
    shop.touch(order)
    return order


def add_tags(shop: ShopState, order: Order | str, tags: Iterable[str], *, app: App | None = None) -> Order:
    """Add tags, as a set (case-insensitive). The write fires orders/updated even when nothing was new."""
    shop.tick()
    order = shop.get_order(order)
    known = {tag.lower() for tag in order.tags}
    added = [tag.strip() for tag in tags if tag.strip() and tag.strip().lower() not in known]
    added = list(dict.fromkeys(added))
    return _set_tags(shop, order, [*order.tags, *added], added=added, removed=[], app=app)


def remove_tags(shop: ShopState, order: Order | str, tags: Iterable[str], *, app: App | None = None) -> Order:
    """Remove tags, as a set (case-insensitive)."""
    shop.tick()
    order = shop.get_order(order)
    gone = {tag.strip().lower() for tag in tags}
    removed = [tag for tag in order.tags if tag.lower() in gone]
    kept = [tag for tag in order.tags if tag.lower() not in gone]
    return _set_tags(shop, order, kept, added=[], removed=removed, app=app)


def set_tags(shop: ShopState, order: Order | str, tags: Sequence[str], *, app: App | None = None) -> Order:
    """Overwrite all tags, as orderUpdate does."""
    shop.tick()
    order = shop.get_order(order)
    wanted = list(dict.fromkeys(tags))
    added = [tag for tag in wanted if tag not in order.tags]
    removed = [tag for tag in order.tags if tag not in wanted]
    return _set_tags(shop, order, wanted, added=added, removed=removed, app=app)


def _set_tags(
    shop: ShopState,
    order: Order,
    tags: list[str],
    *,
    added: list[str],
    removed: list[str],
    app: App | None,
) -> Order:
    order.tags = tags
    shop.record("tags_changed", order, added=added, removed=removed, tags=list(tags), by=_who(app))
    shop.touch(order)
    return order


def digest_of(value: str, type_: str) -> str:
    """The compare digest of a metafield's content."""
    return hashlib.sha256(f"{type_}:{value}".encode()).hexdigest()


def put_metafield(shop: ShopState, order: Order, namespace: str, key: str, type_: str, value: str) -> Metafield:
    """Write a metafield without a record or webhook."""
    now = shop.stamp()
    old = order.metafields.get((namespace, key))
    metafield = Metafield(
        id=old.id if old else shop.mint.gid("Metafield"),
        namespace=namespace,
        key=key,
        type=type_,
        value=value,
        compare_digest=digest_of(value, type_),
        created_at=old.created_at if old else now,
        updated_at=now,
    )
    order.metafields[namespace, key] = metafield
    shop.things[metafield.id] = metafield
    return metafield


def set_metafield(
    shop: ShopState,
    order: Order | str,
    path: str,
    value: str,
    *,
    type: str = "single_line_text_field",
    app: App | None = None,
) -> Metafield:
    """Set one metafield by `namespace.key`; the shop tells of it by orders/updated."""
    shop.tick()
    order = shop.get_order(order)
    namespace, _, key = path.rpartition(".")
    metafield = put_metafield(shop, order, namespace, key, type, value)
    shop.record("metafield_set", order, namespace=namespace, key=key, value=value, by=_who(app))
    shop.touch(order)
    return metafield


def archive(shop: ShopState, order: Order | str, *, app: App | None = None) -> Order:
    """Archive: closed, not cancelled; its fulfilment orders stay as they are."""
    shop.tick()
    order = shop.get_order(order)
    order.closed, order.closed_at = True, shop.stamp()
    order.merchant_editable = False
    shop.record("order_archived", order, by=_who(app))
    shop.touch(order)
    return order


def unarchive(shop: ShopState, order: Order | str, *, app: App | None = None) -> Order:
    shop.tick()
    order = shop.get_order(order)
    order.closed, order.closed_at = False, None
    order.merchant_editable = shop.editable_by(order, None)
    shop.record("order_unarchived", order, by=_who(app))
    shop.touch(order)
    return order
