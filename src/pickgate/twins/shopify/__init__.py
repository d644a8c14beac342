"""A stateful Shopify shop: orders, edits, fulfilment orders, holds, stock, money, webhooks and the Admin GraphQL API.

Here lives what the vendor does, with its run-time rules and its silences. How other apps and people use it lives in
`twins/editing_apps` and `twins/people`; loss and delay on the way live in `twins/faults`.
"""

from pickgate.twins.shopify.knobs import ShopifyKnobs
from pickgate.twins.shopify.model import Address, LineSpec, Order, Refused, ShippingSpec
from pickgate.twins.shopify.twin import ShopifyTwin

__all__ = [
    "Address",
    "LineSpec",
    "Order",
    "Refused",
    "ShippingSpec",
    "ShopifyKnobs",
    "ShopifyTwin",
]
