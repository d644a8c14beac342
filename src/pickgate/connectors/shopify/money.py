"""Reads the money of orders for the ledger: several orders in one request, on the lane that can wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pickgate.clock import Clock
from pickgate.connectors.shopify.batches import OrderBatches, Question
from pickgate.connectors.shopify.budget import Lane
from pickgate.connectors.shopify.client import ShopifyClient
from pickgate.connectors.shopify.documents import Document, load_document
from pickgate.connectors.shopify.errors import PayloadUnreadable
from pickgate.connectors.shopify.money_incoming import parse_order_money
from pickgate.connectors.shopify.raw import nodes_in, object_in, order_gid, owner_of_page
from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.ledger_facts import OrderMoney, Unusable

MoneyAnswer = OrderMoney | Unusable | Missing | Unreadable

_LIST_MAXIMUM = 250
_MOST_STEPS = 200

ORDERS_MONEY = load_document("orders_money", cost=250, folder="money")  # for each order
ORDER_AGREEMENTS_PAGE = load_document("order_agreements_page", cost=100, folder="money")
ORDER_TRANSACTIONS = load_document("order_transactions", cost=60, folder="money")

_QUESTION = Question(
    document=ORDERS_MONEY,
    reduced={"agreements": 3, "sales": 5, "transactions": 10},
    listed="transactions",
    listed_by_default=25,
    pages="agreements",
)


class ShopifyMoney:
    """One shop's money. Satisfies `flows.money_ports.MoneyShopPort`; answers Unreadable rather than raise."""

    def __init__(self, client: ShopifyClient, *, clock: Clock, max_ids: int = 6) -> None:
        self._client = client
        self._clock = clock
        self._batches = OrderBatches(client, _QUESTION, max_ids=max_ids)

    async def read_money(self, order_ids: Sequence[str]) -> Mapping[str, MoneyAnswer]:
        """Read orders by numeric id. Every id has an answer; one order's trouble does not touch the others."""
        return await self._batches.read(order_ids, self._complete, lane=Lane.BULK)

    async def _complete(self, order_id: str, raw: dict[str, Any], listed: int) -> OrderMoney | Unusable:
        if raw.get("id") != order_gid(order_id):
            raise PayloadUnreadable("order.id", "is another order's")
        if _has_more(raw):
            raw["agreements"] = await self._all_agreements(order_id, raw)
        payments = raw.get("transactions")
        if isinstance(payments, list) and len(payments) >= listed:
            raw["transactions"] = await self._all_transactions(order_id, raw)
        return parse_order_money(raw, read_at=self._clock.now())

    async def _all_agreements(self, order_id: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """Walk through the agreements one by one: only so can the pages of each one's sales be turned."""
        found: dict[str, dict[str, Any]] = {}
        after: str | None = None
        sales_after: str | None = None
        for _ in range(_MOST_STEPS):
            variables = {"id": order_gid(order_id), "after": after, "salesAfter": sales_after}
            page = await self._page(ORDER_AGREEMENTS_PAGE, variables, order)
            connection = object_in(page, "agreements")
            for node in nodes_in(connection, "agreements"):
                key = str(node.get("id"))
                sales = object_in(node, "sales")
                kept = found.setdefault(key, {**node, "sales": {"nodes": [], "pageInfo": {"hasNextPage": False}}})
                kept["sales"]["nodes"] += nodes_in(sales, "sales")
                sales_after = _next(sales)
            if sales_after is None:
                after = _next(connection)
                if after is None:
                    return {"nodes": list(found.values()), "pageInfo": {"hasNextPage": False}}
        raise PayloadUnreadable("order.agreements", "has pages without end")

    async def _all_transactions(self, order_id: str, order: Mapping[str, Any]) -> list[Any]:
        page = await self._page(ORDER_TRANSACTIONS, {"id": order_gid(order_id)}, order)
        listed = page.get("transactions")
        if not isinstance(listed, list):
            raise PayloadUnreadable("order.transactions", "should be a list")
        if len(listed) >= _LIST_MAXIMUM:
            raise PayloadUnreadable("order.transactions", f"has {_LIST_MAXIMUM} entries or more; not all can be read")
        return listed

    async def _page(self, document: Document, variables: Mapping[str, Any], order: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self._client.read(document, variables, lane=Lane.BULK)
        return owner_of_page(answer, "order", order.get("updatedAt"))


def _has_more(order: Mapping[str, Any]) -> bool:
    agreements = object_in(order, "agreements")
    sales = [object_in(node, "sales") for node in nodes_in(agreements, "agreements")]
    return any(object_in(connection, "pageInfo").get("hasNextPage") is not False for connection in (agreements, *sales))


def _next(connection: Mapping[str, Any]) -> str | None:
    info = object_in(connection, "pageInfo")
    if info.get("hasNextPage") is False:
        return None
    cursor = info.get("endCursor")
    if not isinstance(cursor, str) or not cursor:
        raise PayloadUnreadable("pageInfo.endCursor", "should be text")
    return cursor
