"""Shopify's webhooks as the flows see them: satisfies `pickgate.flows.hints.HintPort`."""

from __future__ import annotations

from pickgate.connectors.shopify.webhooks import (
    FulfilmentOrderHint,
    NothingToDo,
    OrderHint,
    UnreadablePayload,
    parse_hint,
)
from pickgate.flows.hints import Hint, UnreadableBody


class ShopifyHints:
    def parse_hint(self, topic: str, body: bytes) -> Hint:
        """Say what a webhook is about. Raises UnreadableBody, and nothing else."""
        try:
            found = parse_hint(topic, body)
        except UnreadablePayload as error:
            raise UnreadableBody(error.problem) from error
        match found:
            case OrderHint(order_ids):
                return Hint(order_ids=order_ids)
            case FulfilmentOrderHint(ids):
                return Hint(fulfilment_order_ids=ids)
            case NothingToDo(rule):
                return Hint(rule=rule)
