"""The further pages of one order, put into its raw answer until nothing is missing.

Every page carries the order's `updatedAt`. When it differs from the first one's, when a row comes twice, or when
something is gone meanwhile, the order moved (`Moved`) and nothing read so far may be used.
"""

from __future__ import annotations

from typing import Any

from pickgate.connectors.shopify import documents
from pickgate.connectors.shopify.budget import Lane
from pickgate.connectors.shopify.client import ShopifyClient
from pickgate.connectors.shopify.documents import Document
from pickgate.connectors.shopify.errors import Moved, PayloadUnreadable
from pickgate.connectors.shopify.raw import check_unmoved, check_whole, nodes_in, object_in, owner_of_page, text_in

_MOST_PAGES = 60
_LIST_MAXIMUM = 250
_FULFILLMENTS_AT_ONCE = 4


async def fill_pages(client: ShopifyClient, order: dict[str, Any], *, fulfillments_asked: int, lane: Lane) -> None:
    """Complete `order` in place. Raises Moved, PayloadUnreadable or CallFailed; `order` is useless then.

    `fulfillments_asked`: how many fulfilments the first read asked for; that list has no pages, so one that is as
    long may have been cut.
    """
    pages = _Pages(client, text_in(order, "updatedAt"), lane)
    order_id = text_in(order, "id")
    await pages.fill(order, "lineItems", documents.ORDER_LINES_PAGE, order_id, root="order")
    shares = await pages.fill(
        order, "fulfillmentOrders", documents.ORDER_FULFILLMENT_ORDERS_PAGE, order_id, root="order"
    )
    for share in shares:
        document = documents.FULFILLMENT_ORDER_LINES_PAGE
        await pages.fill(share, "lineItems", document, text_in(share, "id"), root="fulfillmentOrder")
    sent = await pages.all_fulfillments(order, order_id, fulfillments_asked)
    for fulfillment in sent:
        document = documents.FULFILLMENT_LINES_PAGE
        await pages.fill(fulfillment, "fulfillmentLineItems", document, text_in(fulfillment, "id"), root="fulfillment")


class _Pages:
    def __init__(self, client: ShopifyClient, updated_at: str, lane: Lane) -> None:
        self._client = client
        self._updated_at = updated_at
        self._lane = lane

    async def fill(
        self, owner: dict[str, Any], field: str, document: Document, owner_id: str, *, root: str
    ) -> list[dict[str, Any]]:
        """Put every further page of `owner[field]` into it, and return all its nodes."""
        connection = object_in(owner, field)
        nodes = nodes_in(connection, field)
        seen = {text_in(node, "id") for node in nodes}
        if len(seen) != len(nodes):
            raise Moved(f"{field} shows a row twice.")
        cursors: set[str] = set()
        while object_in(connection, "pageInfo").get("hasNextPage") is True:
            cursor = text_in(object_in(connection, "pageInfo"), "endCursor")
            if cursor in cursors or len(cursors) >= _MOST_PAGES:
                raise PayloadUnreadable(field, "has pages without end")
            cursors.add(cursor)
            answer = await self._client.read(document, {"id": owner_id, "after": cursor}, lane=self._lane)
            page = object_in(owner_of_page(answer, root, self._updated_at), field)
            for node in nodes_in(page, field):
                if text_in(node, "id") in seen:
                    raise Moved(f"{field} shows a row on two pages.")
                seen.add(text_in(node, "id"))
                nodes.append(node)
            connection["pageInfo"] = page.get("pageInfo")
        return nodes

    async def all_fulfillments(self, order: dict[str, Any], order_id: str, asked: int) -> list[dict[str, Any]]:
        """Return all fulfilments; this list has no cursor, so a long one is listed by id and read in pieces."""
        sent = order.get("fulfillments")
        if not isinstance(sent, list) or not all(isinstance(item, dict) for item in sent):
            raise PayloadUnreadable("fulfillments", "should be a list")
        if len(sent) < asked:
            return sent
        answer = await self._client.read(documents.ORDER_FULFILLMENTS, {"id": order_id}, lane=self._lane)
        listed = owner_of_page(answer, "order", self._updated_at).get("fulfillments")
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise PayloadUnreadable("fulfillments", "should be a list")
        if len(listed) >= _LIST_MAXIMUM:
            raise PayloadUnreadable("fulfillments", f"has {_LIST_MAXIMUM} entries or more; not all can be read")
        have = {text_in(item, "id") for item in sent}
        ids = [text_in(item, "id") for item in listed]
        if not have <= set(ids):
            raise Moved("A fulfilment is gone.")
        missing = [gid for gid in ids if gid not in have]
        for start in range(0, len(missing), _FULFILLMENTS_AT_ONCE):
            sent += await self._fulfillments(missing[start : start + _FULFILLMENTS_AT_ONCE])
        return sent

    async def _fulfillments(self, ids: list[str]) -> list[dict[str, Any]]:
        answer = await self._client.read(documents.FULFILLMENTS_BY_ID, {"ids": ids}, lane=self._lane)
        check_whole(answer)
        nodes = answer.data.get("nodes")
        if not isinstance(nodes, list) or len(nodes) != len(ids):
            raise PayloadUnreadable("nodes", "should list what was asked for")
        for node in nodes:
            if node is None:
                raise Moved("A fulfilment is gone.")
            if not isinstance(node, dict) or node.get("__typename") != "Fulfillment":
                raise PayloadUnreadable("nodes", "should be a fulfilment")
            check_unmoved(object_in(node, "order"), self._updated_at)
        return nodes
