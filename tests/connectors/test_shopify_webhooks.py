"""Authentic or not, and which order a webhook hints at, whatever the bytes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.shopify_stub import load_contract
from pickgate.connectors.shopify.subscriptions import TOPICS
from pickgate.connectors.shopify.webhooks import (
    FulfilmentOrderHint,
    Hint,
    NothingToDo,
    OrderHint,
    UnreadablePayload,
    WebhookHeaders,
    parse_headers,
    parse_hint,
    verify_signature,
)

BODY = b'{"id": 1}'


def sign(body: bytes, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@pytest.mark.parametrize("secrets", [["new"], ["new", "old"], ["old", "new"], ["", "new"]])
def test_a_signature_under_any_of_the_secrets_is_authentic(secrets: list[str]) -> None:
    assert verify_signature(BODY, sign(BODY, "new"), secrets) is True


@pytest.mark.parametrize(
    ("header", "secrets"),
    [
        (None, ["new"]),
        ("", ["new"]),
        ("not base64", ["new"]),
        (sign(BODY, "new") + "," + sign(BODY, "new"), ["new"]),
        (sign(BODY, "new").rstrip("="), ["new"]),
        (sign(BODY, "new") + "\n", ["new"]),
        (sign(BODY, "gone"), ["new", "old"]),
        (sign(b'{"id": 2}', "new"), ["new"]),
        (sign(BODY, "new"), []),
        (sign(BODY, ""), [""]),
        ("é" * 44, ["new"]),
        ("A" * 100_000, ["new"]),
        (hmac.new(b"new", BODY, hashlib.sha256).hexdigest(), ["new"]),
    ],
)
def test_anything_else_is_not(header: str | None, secrets: list[str]) -> None:
    assert verify_signature(BODY, header, secrets) is False


@given(body=st.binary(max_size=50), flip=st.integers(min_value=0, max_value=10_000))
def test_one_changed_character_breaks_the_signature(body: bytes, flip: int) -> None:
    header = sign(body, "secret")
    place = flip % (len(header) - 2)  # the last digits carry bits that decoders ignore; we compare text
    changed = header[:place] + ("A" if header[place] != "A" else "B") + header[place + 1 :]
    assert verify_signature(body, header, ["secret"]) is True
    assert verify_signature(body, changed, ["secret"]) is False


CLASSIC = {
    "X-Shopify-Topic": "orders/updated",
    "X-Shopify-Hmac-Sha256": "sig",
    "X-Shopify-Shop-Domain": "Example-UK.myshopify.com",
    "X-Shopify-API-Version": "2026-07",
    "X-Shopify-Webhook-Id": "w1",
    "X-Shopify-Event-Id": "e1",
    "X-Shopify-Triggered-At": "2026-11-20T09:10:00Z",
}


@pytest.mark.parametrize("change_case", [str, str.lower, str.upper])
def test_classic_headers(change_case: Any) -> None:
    assert parse_headers({change_case(name): value for name, value in CLASSIC.items()}) == WebhookHeaders(
        topic="orders/updated",
        shop_domain="example-uk.myshopify.com",
        signature="sig",
        event_id="e1",
        webhook_id="w1",
        api_version="2026-07",
        triggered_at="2026-11-20T09:10:00Z",
    )


def test_next_generation_headers() -> None:
    headers = {
        "shopify-topic": "Order",
        "shopify-hmac-sha256": "sig",
        "shopify-event-id": "e1",
        "shopify-resource-id": "gid://shopify/Order/1",
        "shopify-triggered-at": "2026-11-20T09:10:00Z",
    }
    assert parse_headers(headers) == WebhookHeaders(
        topic="Order",
        shop_domain=None,
        signature="sig",
        event_id="e1",
        webhook_id="",
        api_version="",
        triggered_at="2026-11-20T09:10:00Z",
        resource_id="gid://shopify/Order/1",
        next_generation=True,
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/json"},
        {"X-Shopify-Topic": "orders/updated"},
        {"X-Shopify-Shop-Domain": "a.myshopify.com"},
        {**CLASSIC, "X-Shopify-Topic": "x" * 300},
        {**CLASSIC, "X-Shopify-Topic": "orders/\x00"},
        {**CLASSIC, "X-Shopify-Shop-Domain": "é.myshopify.com"},
    ],
)
def test_what_is_no_shopify_webhook(headers: dict[str, str]) -> None:
    assert parse_headers(headers) is None


def test_a_missing_signature_is_seen_as_missing() -> None:
    found = parse_headers({name: value for name, value in CLASSIC.items() if "Hmac" not in name})
    assert found is not None
    assert found.signature is None


# ── hints ────────────────────────────────────────────────────────────────────────────────────────────────────────────

GID = "gid://shopify/FulfillmentOrder/"


@pytest.mark.parametrize(
    ("topic", "body", "expected"),
    [
        ("orders/create", {"id": 5}, OrderHint(("5",))),
        ("ORDERS/CREATE", {"id": 5}, OrderHint(("5",))),
        ("orders/updated", {"id": "5"}, OrderHint(("5",))),
        (
            "orders/updated",
            {"id": 820982911946154500, "admin_graphql_api_id": "gid://shopify/Order/820982911946154508"},
            OrderHint(("820982911946154508",)),
        ),
        ("orders/delete", {"id": 5}, OrderHint(("5",))),
        ("orders/edited", {"order_edit": {"id": 1, "order_id": 7}}, OrderHint(("7",))),
        ("refunds/create", {"id": 1, "order_id": 7}, OrderHint(("7",))),
        ("fulfillments/update", {"id": 1, "order_id": 7}, OrderHint(("7",))),
        ("returns/approve", {"id": 1, "order": {"id": 7}}, OrderHint(("7",))),
        ("returns/close", {"id": 1, "order_id": 7}, OrderHint(("7",))),
        ("returns/update", {"admin_graphql_api_id": "gid://shopify/Return/1"}, NothingToDo("names no order")),
        ("order_transactions/create", {"order_id": None}, NothingToDo("names no order")),
        (
            "orders/risk_assessment_changed",
            {"order_id": None, "admin_graphql_api_order_id": "gid://shopify/Order/7"},
            OrderHint(("7",)),
        ),
        ("fulfillment_orders/placed_on_hold", {"fulfillment_order": {"id": GID + "3"}}, FulfilmentOrderHint(("3",))),
        ("fulfillment_holds/added", {"fulfillment_order": {"id": 3}}, FulfilmentOrderHint(("3",))),
        (
            "fulfillment_orders/moved",
            {"original_fulfillment_order": {"id": GID + "3"}, "moved_fulfillment_order": {"id": GID + "4"}},
            FulfilmentOrderHint(("3", "4")),
        ),
        (
            "fulfillment_orders/merged",
            {
                "merge_intents": [{"fulfillment_order_id": 1, "fulfillment_order_line_items": [{"id": 9}]}],
                "fulfillment_order_merges": {"fulfillment_order": {"id": GID + "2"}},
            },
            FulfilmentOrderHint(("1", "2")),
        ),
        ("order", {"order": {"id": "gid://shopify/Order/7"}, "fields_changed": ["x"]}, OrderHint(("7",))),
        ("customers/redact", None, NothingToDo("compliance")),
        ("app/uninstalled", None, NothingToDo("app uninstalled")),
        ("inventory_levels/update", None, NothingToDo("stock")),
        ("carts/update", None, NothingToDo("unknown topic")),
        ("", None, NothingToDo("unknown topic")),
    ],
)
def test_a_body_hints_at_its_orders(topic: str, body: Any, expected: Hint) -> None:
    assert parse_hint(topic, json.dumps(body).encode()) == expected


HOSTILE = {
    "empty": b"",
    "one byte": b"{",
    "not an object": b"[1]",
    "byte order mark": b'\xef\xbb\xbf{"id": 5}',
    "utf-16": '{"id": 5}'.encode("utf-16"),
    "not utf-8": b'{"id": 5, "note": "\xff"}',
    "trailing bytes": b'{"id": 5} x',
    "deep": b'{"id": 5, "a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "deeper than any stack": b"[" * 200_000,
    "endless exponent": b'{"id": 1e9999999999999999999}',
    "5,000 digits": b'{"id": ' + b"9" * 5000 + b"}",
    "21 digits": b'{"id": ' + b"9" * 21 + b"}",
    "NaN": b'{"id": NaN}',
    "Infinity elsewhere": b'{"id": 5, "x": -Infinity}',
    "the key twice": b'{"id": 5, "id": 6}',
    "float": b'{"id": 5.0}',
    "negative": b'{"id": -5}',
    "zero": b'{"id": 0}',
    "true": b'{"id": true}',
    "null": b'{"id": null}',
    "text": b'{"id": "five"}',
    "signed text": b'{"id": "+5"}',
    "other digits": '{"id": "٥"}'.encode(),
    "an object": b'{"id": {}}',
    "missing": b"{}",
}
_READS_ID = ["orders/create", "orders/edited", "refunds/create", "fulfillment_orders/moved", "order"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("topic", _READS_ID)
def test_a_hostile_body_is_unreadable_and_never_another_error(topic: str, name: str) -> None:
    body = HOSTILE[name]
    with pytest.raises(UnreadablePayload) as refused:
        parse_hint(topic, body)
    assert "9999" not in refused.value.problem


@pytest.mark.parametrize("inside", [b"5.0", b"-5", b"true", b'"x"', b"1e400", b"9" * 5000])
def test_a_hostile_number_inside_is_unreadable(inside: bytes) -> None:
    for topic, body in (
        ("orders/edited", b'{"order_edit": {"order_id": %s}}'),
        ("refunds/create", b'{"order_id": %s}'),
        ("returns/approve", b'{"order": {"id": %s}}'),
        ("returns/close", b'{"order_id": %s}'),
        ("fulfillment_orders/merged", b'{"merge_intents": [{"fulfillment_order_id": %s}]}'),
        ("fulfillment_orders/moved", b'{"moved_fulfillment_order": {"id": %s}}'),
    ):
        with pytest.raises(UnreadablePayload):
            parse_hint(topic, body % inside)


def test_a_body_that_names_a_million_things_is_bounded() -> None:
    body = json.dumps({"fulfillment_orders": [{"id": GID + str(number)} for number in range(1, 3000)]}).encode()
    with pytest.raises(UnreadablePayload, match="more than can be looked at"):
        parse_hint("fulfillment_orders/split", body)


def test_lone_surrogates_and_nul_do_not_matter() -> None:
    assert parse_hint("orders/create", b'{"id": 5, "note": "\\ud800\\u0000"}') == OrderHint(("5",))


_TOPICS = st.sampled_from([*TOPICS, "order", "returns/update", "customers/redact", "x"]) | st.text(max_size=12)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "order_id", "order", "order_edit", "fulfillment_order"]), inner)
    ),
    max_leaves=8,
)


@given(topic=_TOPICS, body=st.binary(max_size=60) | _VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_a_hint_or_unreadable(topic: str, body: bytes) -> None:
    try:
        hint = parse_hint(topic, body)
    except UnreadablePayload as error:
        assert error.problem
        return
    ids = hint.order_ids if isinstance(hint, OrderHint) else hint.ids if isinstance(hint, FulfilmentOrderHint) else ()
    assert all(number.isdigit() and number.isascii() and 0 < int(number) < 10**20 for number in ids)


# ── the vendor's own samples ─────────────────────────────────────────────────────────────────────────────────────────

ORDER_SAMPLE = OrderHint(("820982911946154508",))
ROUNDED_SAMPLE = OrderHint(("820982911946154500",))  # only the integer, which the collection of the samples rounded
RETURN_SAMPLE = OrderHint(("4783296544821",))
SAMPLES: dict[str, Hint] = {
    **dict.fromkeys(
        ["orders/" + name for name in ("create", "updated", "cancelled", "paid", "fulfilled", "partially_fulfilled")],
        ORDER_SAMPLE,
    ),
    **dict.fromkeys(
        [
            "orders/delete",
            "orders/edited",
            "refunds/create",
            "fulfillments/create",
            "fulfillments/update",
            "fulfillment_events/create",
            "order_transactions/create",
        ],
        ROUNDED_SAMPLE,
    ),
    **dict.fromkeys(
        ["returns/" + name for name in ("approve", "request", "close", "cancel", "reopen", "decline")], RETURN_SAMPLE
    ),
    "orders/risk_assessment_changed": NothingToDo("names no order"),
    "returns/update": NothingToDo("names no order"),
    "returns/process": NothingToDo("names no order"),
    "bulk_operations/finish": NothingToDo("bulk operation"),
    "app/uninstalled": NothingToDo("app uninstalled"),
    "app/scopes_update": NothingToDo("scopes changed"),
    "customers/data_request": NothingToDo("compliance"),
    "customers/redact": NothingToDo("compliance"),
    "shop/redact": NothingToDo("compliance"),
    "fulfillment_orders/cancelled": FulfilmentOrderHint(("1", "2")),
    "fulfillment_orders/merged": FulfilmentOrderHint(("1", "2")),
    "fulfillment_orders/moved": FulfilmentOrderHint(("1", "2")),
    "fulfillment_orders/placed_on_hold": FulfilmentOrderHint(("1", "2")),
    "fulfillment_orders/split": FulfilmentOrderHint(("1", "2", "3")),
}


def _expected(topic: str) -> Hint:
    if topic in SAMPLES:
        return SAMPLES[topic]
    if topic.startswith(("fulfillment_orders/", "fulfillment_holds/")):
        return FulfilmentOrderHint(("1",))
    for prefix, rule in (("inventory_", "stock"), ("locations/", "location"), ("products/", "product")):
        if topic.startswith(prefix):
            return NothingToDo(rule)
    return NothingToDo("unknown topic")


def test_every_published_sample_is_read_as_expected() -> None:
    topics = load_contract("shopify-webhook-samples-2026-07.json.gz")["topics"]
    assert len(topics) == 60
    found = {topic: parse_hint(topic, json.dumps(entry["sample"]).encode()) for topic, entry in topics.items()}
    assert found == {topic: _expected(topic) for topic in topics}


def test_every_topic_that_we_subscribe_to_has_a_published_sample() -> None:
    topics = load_contract("shopify-webhook-samples-2026-07.json.gz")["topics"]
    assert set(TOPICS) <= set(topics)
    assert len(set(TOPICS)) == len(TOPICS)
