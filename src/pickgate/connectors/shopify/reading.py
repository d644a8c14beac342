"""Reads orders whole: several in one request, every further page, and again from the start when one moved meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pickgate.connectors.shopify import documents
from pickgate.connectors.shopify.budget import Lane
from pickgate.connectors.shopify.client import Answer, Problem, ShopifyClient
from pickgate.connectors.shopify.errors import (
    CREDENTIALS_REFUSED,
    AccessRefused,
    CallFailed,
    Moved,
    PayloadUnreadable,
    TooCostly,
)
from pickgate.connectors.shopify.incoming import parse_order
from pickgate.connectors.shopify.pages import fill_pages
from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.shop import ShopOrder

OrderAnswer = ShopOrder | Missing | Unreadable

MOST_POINTS = 950.0
"""Requested cost of one batch at most; Shopify refuses above 1,000."""

_REDUCED = {"lines": 10, "fulfillmentOrders": 2, "fulfillmentOrderLines": 10, "fulfillments": 2, "fulfillmentLines": 10}
_FULFILLMENTS = 3  # as the document asks for by default
_READ_AGAIN = 3


class OrderReader:
    """Reads orders by id. `metafields`: the variables that name the cut-off, lock and original metafields."""

    def __init__(self, client: ShopifyClient, *, metafields: Mapping[str, str], max_ids: int = 10) -> None:
        self._client = client
        self._metafields = dict(metafields)
        self._max_ids = max_ids
        self._batch = max_ids

    async def read(self, order_ids: Sequence[str], *, lane: Lane) -> dict[str, OrderAnswer]:
        """Read orders by numeric id. Every id has an answer; one order's trouble does not touch the others."""
        found: dict[str, OrderAnswer] = {}
        waiting: list[str] = []
        for order_id in dict.fromkeys(order_ids):
            if order_id.isascii() and order_id.isdigit() and len(order_id) <= 20:
                waiting.append(order_id)
            else:
                found[order_id] = Unreadable(why="This is not the number of a Shopify order.")
        while waiting:
            chunk, waiting = waiting[: self._batch], waiting[self._batch :]
            try:
                found |= await self._read_chunk(chunk, lane)
            except TooCostly as error:
                if len(chunk) == 1:
                    found[chunk[0]] = Unreadable(why=error.why)
                else:
                    # What a request may cost depends on its shape alone, so this size will never do.
                    self._batch = self._max_ids = len(chunk) // 2
                    waiting = chunk + waiting
        return found

    async def _read_chunk(self, chunk: list[str], lane: Lane) -> dict[str, OrderAnswer]:
        try:
            answer, asked = await self._ask(chunk, lane)
        except TooCostly:
            raise
        except CallFailed as error:
            return dict.fromkeys(chunk, unreadable(error))
        if answer.requested_cost:
            fits = int(MOST_POINTS // (answer.requested_cost / len(chunk)))
            self._batch = max(1, min(self._max_ids, fits))
        found: dict[str, OrderAnswer] = {}
        for index, order_id in enumerate(chunk):
            found[order_id] = await self._settle(order_id, answer, index, asked, lane)
        return found

    async def _ask(self, order_ids: list[str], lane: Lane) -> tuple[Answer, int]:
        """Send the batch read. Returns the answer, and how many fulfilments of each order it asked for."""
        variables = {"ids": [f"gid://shopify/Order/{order_id}" for order_id in order_ids], **self._metafields}
        times = len(order_ids)
        try:
            return await self._client.read(documents.READ_ORDERS, variables, lane=lane, times=times), _FULFILLMENTS
        except TooCostly:
            if times > 1:
                raise
            smaller = {**variables, **_REDUCED}
            answer = await self._client.read(documents.READ_ORDERS, smaller, lane=lane, times=times, reduced=True)
            return answer, _REDUCED["fulfillments"]

    async def _settle(self, order_id: str, answer: Answer, index: int, asked: int, lane: Lane) -> OrderAnswer:
        """Complete and parse one order of an answer; read it alone again while it keeps moving."""
        for _ in range(_READ_AGAIN):
            try:
                return await self._complete(order_id, answer, index, asked, lane)
            except Moved:
                try:
                    answer, asked = await self._ask([order_id], lane)
                    index = 0
                except CallFailed as error:
                    return unreadable(error)
            except CallFailed as error:
                return unreadable(error)
            except PayloadUnreadable as error:
                return Unreadable(why=f"Shopify's answer cannot be read: {error}")
        return Unreadable(why="The order kept changing while its pages were read.")

    async def _complete(self, order_id: str, answer: Answer, index: int, asked: int, lane: Lane) -> OrderAnswer:
        spoiled = [p for p in answer.problems if len(p.path) < 2 or p.path[0] != "nodes" or p.path[1] == index]
        if spoiled:
            return unreadable_problem(spoiled)
        nodes = answer.data.get("nodes")
        if not isinstance(nodes, list) or index >= len(nodes):
            raise PayloadUnreadable("nodes", "should list what was asked for")
        raw = nodes[index]
        if raw is None:
            return Missing()
        if not isinstance(raw, dict) or raw.get("__typename") != "Order":
            raise PayloadUnreadable("nodes", "should be an order")
        await fill_pages(self._client, raw, fulfillments_asked=asked, lane=lane)
        order = parse_order(raw)
        if order.id != order_id:
            raise PayloadUnreadable("order.id", "is another order's")
        known = {line.id for line in order.lines}
        named = {line.line_id for share in order.fulfilment_orders for line in share.lines}
        named |= {line_id for sent in order.fulfilments for line_id, _ in sent.lines}
        if not named <= known:
            raise Moved("A fulfilment order or fulfilment names a line that the order does not show.")
        return order


def unreadable(error: CallFailed) -> Unreadable:
    """Say that a call failed, as a fact."""
    return Unreadable(why=error.why, code=CREDENTIALS_REFUSED if isinstance(error, AccessRefused) else None)


def unreadable_problem(problems: Sequence[Problem]) -> Unreadable:
    """Say which field an answer lacks although it came with data."""
    first = next((problem for problem in problems if problem.is_access), problems[0])
    where = first.field or "the whole answer"
    return Unreadable(
        why=f"Shopify answered without {where}: {first.message}",
        code=CREDENTIALS_REFUSED if first.is_access else None,
    )
