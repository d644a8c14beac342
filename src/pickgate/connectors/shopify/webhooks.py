"""Shopify's webhooks: is it authentic, what does its envelope say, and which order does it hint at.

Nothing in a body is believed beyond that: the order is read afresh. `parse_hint` survives any bytes.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pickgate.connectors.shopify.jsontext import parse_json


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookHeaders:
    """The envelope. `signature` None: none came (answer 401). `shop_domain` is None only in next-generation events."""

    topic: str
    shop_domain: str | None
    signature: str | None
    event_id: str
    webhook_id: str
    api_version: str
    triggered_at: str
    resource_id: str = ""
    next_generation: bool = False


@dataclass(frozen=True, slots=True)
class OrderHint:
    """Look at these orders (numeric ids)."""

    order_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FulfilmentOrderHint:
    """Look at the orders of these fulfilment orders (numeric ids): the webhook does not say which orders."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """Authentic, and not about an order that we could look at. `rule` names why, for counting."""

    rule: str


Hint = OrderHint | FulfilmentOrderHint | NothingToDo


class UnreadablePayload(Exception):
    """An authentic body that does not say what its topic promises. `problem` never quotes the body."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


_MOST_HEADER = 255
_MOST_IDS = 1000
_MOST_NODES = 200_000
_ID = re.compile(r"[1-9][0-9]{0,19}")

# Topics whose body is the order itself.
_ORDER_ITSELF = frozenset(
    "orders/" + name
    for name in ("create", "updated", "cancelled", "paid", "fulfilled", "partially_fulfilled", "delete")
)
# Topics that name their order in `order_id` or in `order.id`, and may leave it out.
_MAY_NAME_ORDER = ("returns/", "order_transactions/", "fulfillment_events/", "disputes/", "payment_terms/")
# Topics that must name it.
_NAMES_ORDER = ("refunds/", "fulfillments/")
_NO_ORDER = {
    "app/uninstalled": "app uninstalled",
    "app/scopes_update": "scopes changed",
    "bulk_operations/finish": "bulk operation",
    "customers/data_request": "compliance",
    "customers/redact": "compliance",
    "shop/redact": "compliance",
}
_NO_ORDER_PREFIXES = {"inventory_": "stock", "locations/": "location", "products/": "product"}


def verify_signature(raw_body: bytes, header: str | None, secrets: Sequence[str]) -> bool:
    """Say whether the header is the base64 HMAC-SHA256 of the raw body under one of the secrets.

    Every secret is tried, in constant time each; an empty secret proves nothing and is passed over.
    """
    if header is None or len(header) > _MOST_HEADER or not header.isascii():
        return False
    given = header.encode("ascii")
    authentic = False
    for secret in secrets:
        if not secret:
            continue
        expected = base64.b64encode(hmac.digest(secret.encode("utf-8"), raw_body, sha256))
        authentic |= hmac.compare_digest(expected, given)
    return authentic


def parse_headers(headers: Mapping[str, str]) -> WebhookHeaders | None:
    """Read classic `X-Shopify-*` or next-generation `shopify-*` headers. None: this is not a Shopify webhook."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        found.setdefault(name.lower(), value)

    def take(name: str, prefix: str) -> str:
        value = found.get(prefix + name, "").strip()
        return value if len(value) <= _MOST_HEADER and value.isascii() and value.isprintable() else ""

    for prefix, next_generation in (("x-shopify-", False), ("shopify-", True)):
        topic = take("topic", prefix)
        domain = take("shop-domain", prefix).lower()
        if not topic or not (domain or next_generation):
            continue
        return WebhookHeaders(
            topic=topic,
            shop_domain=domain or None,
            signature=found.get(prefix + "hmac-sha256"),
            event_id=take("event-id", prefix),
            webhook_id=take("webhook-id", prefix),
            api_version=take("api-version", prefix),
            triggered_at=take("triggered-at", prefix),
            resource_id=take("resource-id", prefix),
            next_generation=next_generation,
        )
    return None


def parse_hint(topic: str, body: bytes) -> Hint:
    """Say which orders a webhook hints at. Raises UnreadablePayload, and nothing else, whatever the bytes."""
    topic = topic.strip().lower()
    if topic in _NO_ORDER:
        return NothingToDo(_NO_ORDER[topic])
    for prefix, rule in _NO_ORDER_PREFIXES.items():
        if topic.startswith(prefix):
            return NothingToDo(rule)
    if topic in _ORDER_ITSELF:
        return OrderHint((_own_id(_parse_body(body)),))
    if topic == "orders/edited":
        edit = _parse_body(body).get("order_edit")
        if not isinstance(edit, dict):
            raise UnreadablePayload("order_edit is missing.")
        return OrderHint((_need(edit, "order_id"),))
    if topic == "orders/risk_assessment_changed":
        return _order_if_named(_parse_body(body), "order_id", "admin_graphql_api_order_id")
    if topic.startswith(_NAMES_ORDER):
        return OrderHint((_need(_parse_body(body), "order_id"),))
    if topic.startswith(_MAY_NAME_ORDER):
        found = _parse_body(body)
        order = found.get("order")
        if "order_id" not in found and isinstance(order, dict):
            return OrderHint((_need(order, "id"),))
        return _order_if_named(found, "order_id")
    if topic.startswith(("fulfillment_orders/", "fulfillment_holds/")):
        ids = _all_ids(_parse_body(body), "FulfillmentOrder", "fulfillment_order")
        if not ids:
            raise UnreadablePayload("No fulfilment order is named.")
        return FulfilmentOrderHint(ids)
    if topic == "order":  # a next-generation event, whose body is shaped by the app's own query
        ids = _all_ids(_parse_body(body), "Order", "order")
        if not ids:
            raise UnreadablePayload("No order is named.")
        return OrderHint(ids)
    return NothingToDo("unknown topic")


def _parse_body(body: bytes) -> dict[str, Any]:
    try:
        found = parse_json(body, unique_keys=True)
    except ValueError as error:
        raise UnreadablePayload(f"The body is {error}.") from None
    if not isinstance(found, dict):
        raise UnreadablePayload("The body is not an object.")
    return found


def _own_id(order: dict[str, Any]) -> str:
    """The number, checked against the global id where both are given."""
    number = _need(order, "id")
    gid = order.get("admin_graphql_api_id")
    if isinstance(gid, str):
        from_gid = _gid_number(gid, "Order")
        # The global id is text, so no reader of JSON on the way can have rounded it.
        return from_gid or number
    return number


def _need(owner: dict[str, Any], field: str) -> str:
    found = _number(owner.get(field))
    if found is None:
        raise UnreadablePayload(f"{field} is missing or is not an id.")
    return found


def _order_if_named(found: dict[str, Any], *fields: str) -> Hint:
    for field in fields:
        value = found.get(field)
        if value is not None:
            gid = _gid_number(value, "Order") if isinstance(value, str) else None
            return OrderHint((gid or _need(found, field),))
    return NothingToDo("names no order")


def _number(value: Any) -> str | None:
    """Return an id as text. Ids are positive integers, in digits or as a JSON integer; nothing else is one."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, int) and not 0 < value < 10**20:
        return None
    text = str(value)
    return text if _ID.fullmatch(text) else None


def _gid_number(text: str, kind: str) -> str | None:
    head, _, number = text.partition(f"gid://shopify/{kind}/")
    return _number(number.partition("?")[0]) if not head else None


def _all_ids(body: dict[str, Any], kind: str, name: str) -> tuple[str, ...]:
    """Collect every id of this kind in the body: global ids anywhere, bare numbers where a field says what they are.

    Walks without recursion and stops with UnreadablePayload at bodies that no shop would send.
    """
    ids: dict[str, None] = {}
    waiting: list[tuple[str, Any]] = [("", body)]
    walked = 0
    while waiting:
        field, value = waiting.pop()
        walked += 1
        if walked > _MOST_NODES or len(ids) > _MOST_IDS:
            raise UnreadablePayload("The body names more than can be looked at.")
        if isinstance(value, dict):
            inside = value.get("id")
            if field.endswith(name) and inside is not None and not str(inside).startswith("gid:"):
                ids[_need(value, "id")] = None
            waiting.extend(reversed(list(value.items())))
        elif isinstance(value, list):
            waiting.extend((field, item) for item in reversed(value))
        elif isinstance(value, str) and value.startswith("gid:"):
            number = _gid_number(value, kind)
            if number is not None:
                ids[number] = None
        elif field == f"{name}_id" and value is not None:
            number = _number(value)
            if number is None:
                raise UnreadablePayload(f"{field} is not an id.")
            ids[number] = None
    return tuple(ids)
