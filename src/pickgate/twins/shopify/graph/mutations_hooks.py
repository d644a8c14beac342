"""Webhook subscriptions over the API."""

from __future__ import annotations

from typing import Any

from pickgate.twins.shopify.graph.answers import Answer, failed, payload
from pickgate.twins.shopify.graph.paging import Args
from pickgate.twins.shopify.graph.plan import Reader, Request
from pickgate.twins.shopify.model import Refused


def _settings(given: Any) -> dict[str, Any]:
    return {
        "name": given.get("name"),
        "filter": given.get("filter"),
        "format": given.get("format") or "JSON",
        "include_fields": list(given.get("includeFields") or ()),
        "metafield_namespaces": list(given.get("metafieldNamespaces") or ()),
        "metafields": [
            Answer("", namespace=each.get("namespace"), key=each["key"]) for each in given.get("metafields") or ()
        ],
    }


def _create(_: Any, request: Request, args: Args) -> Answer:
    given, hooks = args["webhookSubscription"], request.shop.hooks
    uri = given.get("uri")
    if not uri or not uri.startswith(("https://", "http://", "pubsub://", "arn:")):
        refused = Refused("Address is invalid", field=["webhookSubscription", "uri"])
        return failed(refused, webhook_subscription=None)
    settings = _settings(given)
    for known in hooks.subscriptions.values():
        if (known.topic, known.uri, known.filter) == (args["topic"], uri, settings["filter"]):
            refused = Refused("Address for this topic has already been taken", field=["webhookSubscription", "uri"])
            return failed(refused, webhook_subscription=None)
    made = hooks.subscribe(args["topic"], uri, by_api=True, **settings)
    return payload(webhook_subscription=made)


def _update(_: Any, request: Request, args: Args) -> Answer:
    found = request.shop.hooks.subscriptions.get(args["id"])
    if found is None:
        refused = Refused("Webhook subscription does not exist", field=["id"])
        return failed(refused, webhook_subscription=None)
    given = args["webhookSubscription"]
    for name, value in _settings(given).items():
        setattr(found, name, value)
    found.uri = given.get("uri") or found.uri
    found.updated_at = request.shop.stamp()
    return payload(webhook_subscription=found)


def _delete(_: Any, request: Request, args: Args) -> Answer:
    if not request.shop.hooks.delete(args["id"]):
        refused = Refused("Webhook subscription does not exist", field=["id"])
        return failed(refused, deleted_webhook_subscription_id=None)
    return payload(deleted_webhook_subscription_id=args["id"])


MUTATIONS: dict[str, Reader] = {
    "webhookSubscriptionCreate": _create,
    "webhookSubscriptionDelete": _delete,
    "webhookSubscriptionUpdate": _update,
}
