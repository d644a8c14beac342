"""Webhooks: who hears what, signatures, retries with the first body, deleted subscriptions, vendor-like bodies."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from pickgate.twins.shopify import ShippingSpec
from twins.shopify_kit import HOOK, TOPICS, Kit, contract_json, fo_of


def test_only_subscribed_topics_are_sent() -> None:
    kit = Kit()
    kit.shop.subscribe("orders/cancelled", HOOK)
    order = kit.place(1)
    kit.shop.cancel_order(order)
    assert kit.topics() == ["orders/cancelled"]


def test_headers_and_signature_over_the_raw_body() -> None:
    kit = Kit()
    kit.shop.subscribe("ORDERS_UPDATED", HOOK)
    kit.shop.subscribe("orders/updated", "https://other.example/")
    order = kit.place(1)
    kit.heard()
    kit.shop.add_tags(order, ["x"])
    first, second = kit.heard()
    digest = hmac.new(b"hush", first.body, hashlib.sha256).digest()
    assert first.headers["X-Shopify-Hmac-Sha256"] == base64.b64encode(digest).decode()
    assert first.headers["X-Shopify-Topic"] == "orders/updated"
    assert first.headers["X-Shopify-Shop-Domain"] == "example-uk.myshopify.com"
    assert first.headers["X-Shopify-API-Version"] == "2026-07"
    assert first.headers["X-Shopify-Triggered-At"] == "2026-11-02T09:00:05.000000000Z"
    assert first.headers["X-Shopify-Event-Id"] == second.headers["X-Shopify-Event-Id"]
    assert first.headers["X-Shopify-Webhook-Id"] != second.headers["X-Shopify-Webhook-Id"]
    assert (first.method, first.url, second.url) == ("POST", HOOK, "https://other.example/")


def test_retries_carry_the_first_body_and_the_same_webhook_id() -> None:
    kit = Kit(retry_seconds=(10.0, 60.0))
    kit.shop.subscribe("orders/updated", HOOK, by_api=False)
    order = kit.place(1)
    kit.heard()
    kit.shop.add_tags(order, ["first"])
    (sent,) = kit.heard()
    kit.shop.add_tags(order, ["second"])
    kit.heard()
    assert kit.shop.delivery_failed(sent) is True
    kit.wait(9)
    assert kit.heard() == []
    kit.wait(1)
    (again,) = kit.heard()
    assert (again.body, again.headers, again.attempt) == (sent.body, sent.headers, 2)
    kit.shop.delivery_failed(again)
    kit.wait(60)
    (last,) = kit.heard()
    kit.shop.delivery_failed(last)
    kit.wait(10_000)
    assert kit.heard() == []


@pytest.mark.parametrize(("by_api", "left"), [(True, 0), (False, 1)])
def test_eight_failures_in_a_row_delete_what_was_made_by_the_api(*, by_api: bool, left: int) -> None:
    kit = Kit()
    kit.shop.subscribe("orders/create", HOOK, by_api=by_api)
    kit.place(1)
    (delivery,) = kit.heard()
    for _ in range(7):
        assert kit.shop.delivery_failed(delivery) is True
    kit.shop.delivery_succeeded(delivery)
    for _ in range(7):
        assert kit.shop.delivery_failed(delivery) is True
    assert len(kit.shop.hooks.subscriptions) == 1
    assert kit.shop.delivery_failed(delivery) is not by_api
    assert len(kit.shop.hooks.subscriptions) == left


CREATE = """mutation C($t: WebhookSubscriptionTopic!, $u: String!) {
  webhookSubscriptionCreate(topic: $t, webhookSubscription: {uri: $u}) {
    webhookSubscription { id topic uri } userErrors { field message } } }"""
DELETE = """mutation D($id: ID!) { webhookSubscriptionDelete(id: $id) {
  deletedWebhookSubscriptionId userErrors { message } } }"""
LIST = "{ webhookSubscriptions(first: 50) { nodes { id topic uri apiVersion { handle } } } }"


def test_subscriptions_over_the_api() -> None:
    kit = Kit()
    made = kit.data(CREATE, t="ORDERS_EDITED", u=HOOK)["webhookSubscriptionCreate"]["webhookSubscription"]
    taken = kit.data(CREATE, t="ORDERS_EDITED", u=HOOK)["webhookSubscriptionCreate"]
    assert taken["webhookSubscription"] is None
    assert taken["userErrors"][0]["message"] == "Address for this topic has already been taken"
    assert kit.data(CREATE, t="ORDERS_EDITED", u="ftp://x")["webhookSubscriptionCreate"]["userErrors"] != []
    assert kit.data(LIST)["webhookSubscriptions"]["nodes"] == [
        {"id": made["id"], "topic": "ORDERS_EDITED", "uri": HOOK, "apiVersion": {"handle": "2026-07"}}
    ]
    order = kit.place(2)
    kit.shop.edit_order(order, set_quantities={order.line_items[0].id: 1})
    assert kit.topics() == ["orders/edited"]
    assert kit.data(DELETE, id=made["id"])["webhookSubscriptionDelete"]["userErrors"] == []
    kit.shop.edit_order(order, set_quantities={order.line_items[0].id: 0})
    assert kit.topics() == []
    again = kit.data(DELETE, id=made["id"])["webhookSubscriptionDelete"]
    assert again["userErrors"] == [{"message": "Webhook subscription does not exist"}]


def _everything(kit: Kit) -> dict[str, Any]:
    """One body of each topic, from an eventful day."""
    shop = kit.shop
    kit.listen()
    order = kit.place(3, 1, shipping=ShippingSpec(), note="n", attributes={"a": "b"})
    fo = fo_of(order)
    hold, _ = shop.hold(fo, app=shop.app, handle="pickgate-1", notes="wait")
    shop.release_hold(fo, [hold.id])
    shop.report_progress(fo)
    shop.open_fulfillment_order(fo)
    shop.edit_order(order, set_quantities={order.line_items[0].id: 2})
    rest = shop.split_fulfillment_order(fo, [(fo.line_items[0], 1)])
    merged = shop.merge_fulfillment_orders([fo, rest])
    new = shop.cancel_fulfillment_order(merged)
    shop.move_fulfillment_order(new, kit.york)
    made = shop.create_fulfillment([(new.id, [(new.line_items[0].id, 1)])], tracking={"number": "1Z"})
    shop.update_tracking(made, {"number": "2Z"})
    shop.create_fulfillment([(new.id, [])])
    shop.refund(order, {order.line_items[0].id: (1, "RETURN")}, amount="21.00")
    shop.request_return(order, {order.line_items[1].id: 1})
    shop.start_return(order, {order.line_items[1].id: 1})
    shop.cancel_order(kit.place(1))
    return {delivery.topic: json.loads(delivery.body) for delivery in kit.heard()}


def test_every_topic_occurs() -> None:
    assert set(_everything(Kit())) == set(TOPICS)


def _strangers(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Keys of ours that the vendor's sample does not have."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return [s for each in ours for s in _strangers(each, theirs[0], path + "[]")] if theirs else []
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return []
    found = [f"{path}.{key}" for key in ours if key not in theirs]
    return found + [s for k, v in ours.items() if k in theirs for s in _strangers(v, theirs[k], f"{path}.{k}")]


def test_bodies_have_only_the_vendors_keys() -> None:
    samples = contract_json("shopify-webhook-samples-2026-07.json.gz")["topics"]
    found = {
        topic: strangers
        for topic, body in _everything(Kit()).items()
        if (strangers := sorted(set(_strangers(body, samples[topic]["sample"]))))
    }
    assert found == {}


def test_slim_bodies_keep_the_head() -> None:
    kit = Kit(full_bodies=False)
    kit.shop.subscribe("orders/updated", HOOK)
    order = kit.place(1)
    body = json.loads(kit.heard()[-1].body)
    assert (body["admin_graphql_api_id"], body["updated_at"]) == (order.id, "2026-11-02T09:00:02+00:00")
    assert "line_items" not in body
