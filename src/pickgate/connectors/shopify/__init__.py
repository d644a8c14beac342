"""Shopify: one shop's orders, and what we tell it. The vendor's words stay inside this folder.

What to do with an order is decided in `domain`; receiving webhooks over HTTP is the API's, which calls `webhooks.py`.
"""

from pickgate.connectors.shopify.budget import Budget, CostBudget, Lane
from pickgate.connectors.shopify.port import ShopifyShop
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

__all__ = [
    "Budget",
    "CostBudget",
    "FulfilmentOrderHint",
    "Hint",
    "Lane",
    "NothingToDo",
    "OrderHint",
    "ShopifyShop",
    "UnreadablePayload",
    "WebhookHeaders",
    "parse_headers",
    "parse_hint",
    "verify_signature",
]
