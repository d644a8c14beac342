"""Keeps this app's webhook subscriptions as they should be: creates what is missing, removes doubles and strays."""

from __future__ import annotations

from urllib.parse import urlsplit

from pickgate.connectors.shopify import documents, wire
from pickgate.connectors.shopify.batches import unreadable, unreadable_problem
from pickgate.connectors.shopify.budget import Lane
from pickgate.connectors.shopify.client import ShopifyClient
from pickgate.connectors.shopify.errors import CallFailed, PayloadUnreadable
from pickgate.connectors.shopify.incoming import parse_shape
from pickgate.connectors.shopify.outcomes import outcome_of_root
from pickgate.domain.facts import Unreadable
from pickgate.flows.ports import Confirmed, SubscriptionReport

TOPICS = (
    "orders/create",
    "orders/updated",
    "orders/edited",
    "orders/cancelled",
    "orders/paid",
    "orders/delete",
    "refunds/create",
    "fulfillments/create",
    "fulfillments/update",
    "fulfillment_orders/order_routing_complete",
    "fulfillment_orders/placed_on_hold",
    "fulfillment_orders/hold_released",
    "fulfillment_orders/moved",
    "fulfillment_orders/split",
    "fulfillment_orders/merged",
    "fulfillment_orders/cancelled",
    "fulfillment_orders/rescheduled",
    "fulfillment_orders/scheduled_fulfillment_order_ready",
    "fulfillment_orders/progress_reported",
    "fulfillment_orders/manually_reported_progress_stopped",
    "fulfillment_holds/added",
    "fulfillment_holds/released",
    "app/uninstalled",
)
"""What we want to hear of. Each is only a hint to look; the sweep finds what no webhook told."""

_MOST_PAGES = 20


def topic_enum(topic: str) -> str:
    """Return GraphQL's name of a topic: "orders/create" is ORDERS_CREATE."""
    return topic.upper().replace("/", "_")


async def mend_subscriptions(client: ShopifyClient, callback_url: str) -> SubscriptionReport:
    """Make every topic lead to `callback_url`, once. Repeatable.

    Subscriptions of ours whose path begins like the callback's but whose address differs (a former host, say) are
    removed once the right one is there; any other is left alone.
    """
    listed = await _list(client)
    if isinstance(listed, Unreadable):
        return SubscriptionReport(unreadable=listed)
    topic_of = {topic_enum(topic): topic for topic in TOPICS}
    right: dict[str, str] = {}
    superfluous: list[tuple[str, str]] = []  # (topic, gid)
    for subscription in listed:
        topic = topic_of.get(subscription.topic)
        if subscription.uri == callback_url and topic is not None and topic not in right:
            right[topic] = subscription.id
        elif subscription.uri == callback_url or _is_stray(subscription.uri, callback_url):
            superfluous.append((topic or "", subscription.id))
    created, failed = [], []
    for topic in TOPICS:
        if topic in right:
            continue
        if await _create(client, topic, callback_url):
            created.append(topic)
        else:
            failed.append(topic)
    for topic, gid in superfluous:
        if topic not in failed:
            await _delete(client, gid)
    present = tuple(topic for topic in TOPICS if topic in right)
    return SubscriptionReport(present=present, created=tuple(created), failed=tuple(failed))


def _is_stray(uri: str, callback_url: str) -> bool:
    try:
        theirs, ours = urlsplit(uri), urlsplit(callback_url)
    except ValueError:
        return False
    return theirs.scheme in ("http", "https") and len(ours.path) > 1 and theirs.path.startswith(ours.path)


async def _list(client: ShopifyClient) -> list[wire.Subscription] | Unreadable:
    found: list[wire.Subscription] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        try:
            answer = await client.read(documents.WEBHOOK_SUBSCRIPTIONS, {"after": cursor}, lane=Lane.BULK)
            if answer.problems:
                return unreadable_problem(answer.problems)
            page = parse_shape(wire.Subscriptions, answer.data.get("webhookSubscriptions"), what="webhookSubscriptions")
        except CallFailed as error:
            return unreadable(error)
        except PayloadUnreadable as error:
            return Unreadable(why=f"Shopify's answer cannot be read: {error}")
        found += page.nodes
        if not page.pageInfo.hasNextPage:
            return found
        cursor = page.pageInfo.endCursor
        if cursor is None:
            break
    return Unreadable(why="The list of webhook subscriptions has pages without end.")


async def _create(client: ShopifyClient, topic: str, callback_url: str) -> bool:
    variables = {"topic": topic_enum(topic), "subscription": {"uri": callback_url, "format": "JSON"}}
    try:
        answer = await client.change(documents.CREATE_WEBHOOK_SUBSCRIPTION, variables, lane=Lane.BULK)
    except CallFailed:
        return False  # also when the outcome is unclear: the next round lists, and mends
    return isinstance(outcome_of_root(answer, "webhookSubscriptionCreate"), Confirmed)


async def _delete(client: ShopifyClient, gid: str) -> None:
    try:
        await client.change(documents.DELETE_WEBHOOK_SUBSCRIPTION, {"id": gid}, lane=Lane.BULK)
    except CallFailed:
        return  # gone, or listed again in the next round
