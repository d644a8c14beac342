"""Webhook subscriptions: who hears of what. Signed as Shopify signs, retried with the first body, dropped."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from pickgate.twins.deliveries import Delivery

if TYPE_CHECKING:
    from pickgate.twins.shopify.state import ShopState


@dataclass(eq=False, slots=True, kw_only=True)
class ApiVersion:
    TYPENAME: ClassVar[str] = "ApiVersion"
    handle: str
    supported: bool = True

    @property
    def display_name(self) -> str:
        return self.handle


@dataclass(eq=False, slots=True, kw_only=True)
class WebhookSubscription:
    """One subscription. `topic` is the enum's spelling (ORDERS_UPDATED); `by_api` ones can be dropped by the shop."""

    TYPENAME: ClassVar[str] = "WebhookSubscription"
    id: str
    topic: str
    uri: str
    created_at: datetime
    updated_at: datetime
    api_version: ApiVersion
    by_api: bool
    name: str | None = None
    filter: str | None = None
    format: str = "JSON"
    include_fields: list[str] = field(default_factory=list)
    metafield_namespaces: list[str] = field(default_factory=list)
    metafields: list[Any] = field(default_factory=list)
    failures: int = 0


def enum_of(topic: str) -> str:
    """`orders/updated` -> `ORDERS_UPDATED`."""
    return topic.replace("/", "_").upper()


def sign(body: bytes, client_secret: str) -> str:
    """Shopify's signature: base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.digest(client_secret.encode(), body, hashlib.sha256)).decode()


class Hooks:
    """The shop's subscriptions and what is sent to them."""

    def __init__(self, shop: ShopState, rng: random.Random) -> None:
        self._shop = shop
        self._rng = rng
        self.subscriptions: dict[str, WebhookSubscription] = {}
        self._topics: dict[str, list[WebhookSubscription]] = {}

    def subscribe(self, topic: str, uri: str, *, by_api: bool, **settings: Any) -> WebhookSubscription:
        """Add a subscription. `topic` in either spelling."""
        now = self._shop.stamp()
        subscription = WebhookSubscription(
            id=self._shop.mint.gid("WebhookSubscription"),
            topic=enum_of(topic),
            uri=uri,
            created_at=now,
            updated_at=now,
            api_version=ApiVersion(handle=self._shop.knobs.api_version),
            by_api=by_api,
            **settings,
        )
        self.subscriptions[subscription.id] = subscription
        self._topics.setdefault(subscription.topic, []).append(subscription)
        return subscription

    def delete(self, subscription_id: str) -> bool:
        """Remove a subscription; False when there is none."""
        subscription = self.subscriptions.pop(subscription_id, None)
        if subscription is None:
            return False
        self._topics[subscription.topic].remove(subscription)
        return True

    def announce(self, topics: Iterable[str], body: Callable[[], Mapping[str, Any]]) -> None:
        """Queue one delivery per subscription of each topic. `body` is only called when somebody listens."""
        raw: bytes | None = None
        for topic in topics:
            listeners = self._topics.get(enum_of(topic))
            if not listeners:
                continue
            if raw is None:
                raw = json.dumps(body(), separators=(",", ":")).encode()
            event_id = self._uuid()
            for subscription in listeners:
                self._queue(subscription, topic, raw, event_id)

    def delivery_succeeded(self, delivery: Delivery) -> None:
        """The receiver answered 2xx: the row of failures is broken."""
        subscription = self.subscriptions.get(delivery.source)
        if subscription:
            subscription.failures = 0

    def delivery_failed(self, delivery: Delivery) -> bool:
        """
        No 2xx came: queue a retry with the same body, or drop the subscription.

        Returns: whether the subscription is still there. Eight failures in a row delete it if it was made over the API.
        """
        subscription = self.subscriptions.get(delivery.source)
        if subscription is None:
            return False
        knobs = self._shop.knobs
        subscription.failures += 1
        if subscription.by_api and subscription.failures >= knobs.failures_until_deleted:
            self.delete(subscription.id)
            self._shop.history.append(
                at=self._shop.now(),
                kind="webhook_subscription_deleted",
                subject=subscription.id,
                topic=subscription.topic,
            )
            return False
        if delivery.attempt <= len(knobs.retry_seconds):
            wait = knobs.retry_seconds[delivery.attempt - 1]
            self._shop.deliveries.put(
                replace(
                    delivery,
                    attempt=delivery.attempt + 1,
                    due_at=self._shop.now() + timedelta(seconds=wait),
                )
            )
        return True

    def _queue(self, subscription: WebhookSubscription, topic: str, raw: bytes, event_id: str) -> None:
        shop = self._shop
        low, high = shop.knobs.webhook_delay_seconds
        now = shop.now()
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": sign(raw, shop.client_secret),
            "X-Shopify-Shop-Domain": shop.domain,
            "X-Shopify-API-Version": shop.knobs.api_version,
            "X-Shopify-Webhook-Id": self._uuid(),
            "X-Shopify-Event-Id": event_id,
            "X-Shopify-Triggered-At": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond:06d}000Z",
        }
        if subscription.name:
            headers["X-Shopify-Name"] = subscription.name
        shop.deliveries.put(
            Delivery(
                url=subscription.uri,
                method="POST",
                headers=headers,
                body=raw,
                due_at=now + timedelta(seconds=self._rng.uniform(low, high)),
                topic=topic,
                source=subscription.id,
            )
        )

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
