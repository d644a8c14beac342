"""The further pages of one order, put into its raw answer until nothing is missing.

Every page carries the order's `updatedAt`. When it differs from the first one's, when a row comes twice, or when
something is gone meanwhile, the order moved (`Moved`) and nothing read so far may be used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pickgate.connectors.shopify import documents
from pickgate.connectors.shopify.budget import Lane
from pickgate.connectors.shopify.client import Answer, ShopifyClient
from pickgate.connectors.shopify.documents import Document
from pickgate.connectors.shopify.errors import AccessRefused, Moved, OutcomeUnclear, PayloadUnreadable

_MOST_PAGES = 60
_LIST_MAXIMUM = 250
_FULFILLMENTS_AT_ONCE = 4


async def fill_pages(client: ShopifyClient, order: dict[str, Any], *, fulfillments_asked: int, lane: Lane) -> None:
    """Complete `order` in place. Raises Moved, PayloadUnreadable or CallFailed; `order` is useless then.

    `fulfillments_asked`: how many fulfilments the first read asked for; that list has no pages, so one that is as
    long may have been cut.
    """
    pages = _Pages(client, _text(order, "updatedAt"), lane)
    order_id = _text(order, "id")
    await pages.fill(order, "lineItems", documents.ORDER_LINES_PAGE, order_id, root="order")
    shares = await pages.fill(
        order, "fulfillmentOrders", documents.ORDER_FULFILLMENT_ORDERS_PAGE, order_id, root="order"
    )
    for share in shares:
        document = documents.FULFILLMENT_ORDER_LINES_PAGE
        await pages.fill(share, "lineItems", document, _text(share, "id"), root="fulfillmentOrder")
    sent = await pages.all_fulfillments(order, order_id, fulfillments_asked)
    for fulfillment in sent:
        document = documents.FULFILLMENT_LINES_PAGE
        await pages.fill(fulfillment, "fulfillmentLineItems", document, _text(fulfillment, "id"), root="fulfillment")


class _Pages:
    def __init__(self, client: ShopifyClient, updated_at: str, lane: Lane) -> None:
        self._client = client
        self._updated_at = updated_at
        self._lane = lane

    async def fill(
        self, owner: dict[str, Any], field: str, document: Document, owner_id: str, *, root: str
    ) -> list[dict[str, Any]]:
        """Put every further page of `owner[field]` into it, and return all its nodes."""
        connection = _dict(owner, field)
        nodes = _nodes(connection, field)
        seen = {_text(node, "id") for node in nodes}
        if len(seen) != len(nodes):
            raise Moved(f"{field} shows a row twice.")
        cursors: set[str] = set()
        while _dict(connection, "pageInfo").get("hasNextPage") is True:
            cursor = _text(_dict(connection, "pageInfo"), "endCursor")
            if cursor in cursors or len(cursors) >= _MOST_PAGES:
                raise PayloadUnreadable(field, "has pages without end")
            cursors.add(cursor)
            answer = await self._client.read(document, {"id": owner_id, "after": cursor}, lane=self._lane)
            page = _dict(self._owner(answer, root), field)
            for node in _nodes(page, field):
                if _text(node, "id") in seen:
                    raise Moved(f"{field} shows a row on two pages.")
                seen.add(_text(node, "id"))
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
        listed = self._owner(answer, "order").get("fulfillments")
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise PayloadUnreadable("fulfillments", "should be a list")
        if len(listed) >= _LIST_MAXIMUM:
            raise PayloadUnreadable("fulfillments", f"has {_LIST_MAXIMUM} entries or more; not all can be read")
        have = {_text(item, "id") for item in sent}
        ids = [_text(item, "id") for item in listed]
        if not have <= set(ids):
            raise Moved("A fulfilment is gone.")
        missing = [gid for gid in ids if gid not in have]
        for start in range(0, len(missing), _FULFILLMENTS_AT_ONCE):
            sent += await self._fulfillments(missing[start : start + _FULFILLMENTS_AT_ONCE])
        return sent

    async def _fulfillments(self, ids: list[str]) -> list[dict[str, Any]]:
        answer = await self._client.read(documents.FULFILLMENTS_BY_ID, {"ids": ids}, lane=self._lane)
        _check(answer)
        nodes = answer.data.get("nodes")
        if not isinstance(nodes, list) or len(nodes) != len(ids):
            raise PayloadUnreadable("nodes", "should list what was asked for")
        for node in nodes:
            if node is None:
                raise Moved("A fulfilment is gone.")
            if not isinstance(node, dict) or node.get("__typename") != "Fulfillment":
                raise PayloadUnreadable("nodes", "should be a fulfilment")
            self._same_moment(_dict(node, "order"))
        return nodes

    def _owner(self, answer: Answer, root: str) -> dict[str, Any]:
        _check(answer)
        found = answer.data.get(root)
        if found is None:
            raise Moved(f"The {root} is gone.")
        if not isinstance(found, dict):
            raise PayloadUnreadable(root, "should be an object")
        self._same_moment(found if root == "order" else _dict(found, "order"))
        return found

    def _same_moment(self, order: Mapping[str, Any]) -> None:
        if order.get("updatedAt") != self._updated_at:
            raise Moved("The order changed between two pages.")


def _check(answer: Answer) -> None:
    for problem in answer.problems:
        words = f"Shopify answered without {problem.field or 'the whole answer'}: {problem.message}"
        raise AccessRefused(words) if problem.is_access else OutcomeUnclear(words)


def _dict(owner: Mapping[str, Any], field: str) -> dict[str, Any]:
    found = owner.get(field)
    if not isinstance(found, dict):
        raise PayloadUnreadable(field, "should be an object")
    return found


def _nodes(connection: Mapping[str, Any], field: str) -> list[dict[str, Any]]:
    found = connection.get("nodes")
    if not isinstance(found, list) or not all(isinstance(node, dict) for node in found):
        raise PayloadUnreadable(f"{field}.nodes", "should be a list of objects")
    return found


def _text(owner: Mapping[str, Any], field: str) -> str:
    found = owner.get(field)
    if not isinstance(found, str) or not found:
        raise PayloadUnreadable(field, "should be text")
    return found
