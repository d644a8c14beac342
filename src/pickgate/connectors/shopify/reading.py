"""Reads orders whole: everything that a decision needs, every further page, again when one moved meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pickgate.connectors.shopify import documents
from pickgate.connectors.shopify.batches import OrderBatches, Question
from pickgate.connectors.shopify.budget import Lane
from pickgate.connectors.shopify.client import ShopifyClient
from pickgate.connectors.shopify.errors import Moved, PayloadUnreadable
from pickgate.connectors.shopify.incoming import parse_order
from pickgate.connectors.shopify.pages import fill_pages
from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.shop import ShopOrder

OrderAnswer = ShopOrder | Missing | Unreadable

_QUESTION = Question(
    document=documents.READ_ORDERS,
    reduced={
        "lines": 10, "fulfillmentOrders": 2, "fulfillmentOrderLines": 10, "fulfillments": 2, "fulfillmentLines": 10,
    },
    listed="fulfillments",
    listed_by_default=3,
    pages="pages",
)  # fmt: skip


class OrderReader:
    """Reads orders by id. `metafields`: the variables that name the cut-off, lock and original metafields."""

    def __init__(self, client: ShopifyClient, *, metafields: Mapping[str, str], max_ids: int = 10) -> None:
        self._client = client
        self._batches = OrderBatches(client, _QUESTION, variables=metafields, max_ids=max_ids)

    async def read(self, order_ids: Sequence[str], *, lane: Lane) -> dict[str, OrderAnswer]:
        """Read orders by numeric id. Every id has an answer; one order's trouble does not touch the others."""

        async def complete(order_id: str, raw: dict[str, Any], asked: int) -> ShopOrder:
            await fill_pages(self._client, raw, fulfillments_asked=asked, lane=lane)
            return _parse_whole(order_id, raw)

        return await self._batches.read(order_ids, complete, lane=lane)


def _parse_whole(order_id: str, raw: dict[str, Any]) -> ShopOrder:
    order = parse_order(raw)
    if order.id != order_id:
        raise PayloadUnreadable("order.id", "is another order's")
    known = {line.id for line in order.lines}
    named = {line.line_id for share in order.fulfilment_orders for line in share.lines}
    named |= {line_id for sent in order.fulfilments for line_id, _ in sent.lines}
    if not named <= known:
        raise Moved("A fulfilment order or fulfilment names a line that the order does not show.")
    return order
