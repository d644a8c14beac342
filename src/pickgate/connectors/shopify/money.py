"""Reads the money of orders for the ledger: several orders in one request, on the lane that can wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from pickgate.clock import Clock
from pickgate.connectors.shopify.budget import Lane
from pickgate.connectors.shopify.client import Answer, ShopifyClient
from pickgate.connectors.shopify.documents import Document
from pickgate.connectors.shopify.errors import (
    AccessRefused,
    CallFailed,
    Moved,
    OutcomeUnclear,
    PayloadUnreadable,
    TooCostly,
)
from pickgate.connectors.shopify.money_incoming import parse_order_money
from pickgate.connectors.shopify.reading import MOST_POINTS, unreadable, unreadable_problem
from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.ledger_facts import OrderMoney, Unusable

MoneyAnswer = OrderMoney | Unusable | Missing | Unreadable

_TRANSACTIONS = 25  # as the document asks for by default
_LIST_MAXIMUM = 250
_MOST_STEPS = 200
_READ_AGAIN = 3
_REDUCED = {"agreements": 3, "sales": 5, "transactions": 10}


def _load(name: str, *, cost: float) -> Document:
    return Document(name, files(__package__).joinpath("documents", "money", f"{name}.graphql").read_text("utf-8"), cost)


ORDERS_MONEY = _load("orders_money", cost=250)  # for each order
ORDER_AGREEMENTS_PAGE = _load("order_agreements_page", cost=100)
ORDER_TRANSACTIONS = _load("order_transactions", cost=60)


class ShopifyMoney:
    """One shop's money. Satisfies `flows.money_ports.MoneyShopPort`; answers Unreadable rather than raise."""

    def __init__(self, client: ShopifyClient, *, clock: Clock, max_ids: int = 6) -> None:
        self._client = client
        self._clock = clock
        self._max_ids = max_ids
        self._batch = max_ids

    async def read_money(self, order_ids: Sequence[str]) -> Mapping[str, MoneyAnswer]:
        """Read orders by numeric id. Every id has an answer; one order's trouble does not touch the others."""
        found: dict[str, MoneyAnswer] = {}
        waiting: list[str] = []
        for order_id in dict.fromkeys(order_ids):
            if order_id.isascii() and order_id.isdigit() and len(order_id) <= 20:
                waiting.append(order_id)
            else:
                found[order_id] = Unreadable(why="This is not the number of a Shopify order.")
        while waiting:
            chunk, waiting = waiting[: self._batch], waiting[self._batch :]
            try:
                found |= await self._read_chunk(chunk)
            except TooCostly as error:
                if len(chunk) == 1:
                    found[chunk[0]] = unreadable(error)
                else:
                    # What a request may cost depends on its shape alone, so this size will never do.
                    self._batch = self._max_ids = len(chunk) // 2
                    waiting = chunk + waiting
        return found

    async def _read_chunk(self, chunk: list[str]) -> dict[str, MoneyAnswer]:
        try:
            answer, listed = await self._ask(chunk)
        except TooCostly:
            raise
        except CallFailed as error:
            return dict.fromkeys(chunk, unreadable(error))
        if answer.requested_cost:
            self._batch = max(1, min(self._max_ids, int(MOST_POINTS // (answer.requested_cost / len(chunk)))))
        found: dict[str, MoneyAnswer] = {}
        for index, order_id in enumerate(chunk):
            found[order_id] = await self._settle(order_id, answer, index, listed)
        return found

    async def _ask(self, order_ids: list[str]) -> tuple[Answer, int]:
        """Send the batch read. Returns the answer, and how many payments of each order it asked for."""
        variables: dict[str, Any] = {"ids": [_gid(order_id) for order_id in order_ids]}
        times = len(order_ids)
        try:
            return await self._client.read(ORDERS_MONEY, variables, lane=Lane.BULK, times=times), _TRANSACTIONS
        except TooCostly:
            if times > 1:
                raise
            smaller = variables | _REDUCED
            answer = await self._client.read(ORDERS_MONEY, smaller, lane=Lane.BULK, times=times, reduced=True)
            return answer, _REDUCED["transactions"]

    async def _settle(self, order_id: str, answer: Answer, index: int, listed: int) -> MoneyAnswer:
        """Complete and parse one order of an answer; read it alone again while it keeps moving."""
        for _ in range(_READ_AGAIN):
            try:
                return await self._complete(order_id, answer, index, listed)
            except Moved:
                try:
                    answer, listed = await self._ask([order_id])
                    index = 0
                except CallFailed as error:
                    return unreadable(error)
            except CallFailed as error:
                return unreadable(error)
            except PayloadUnreadable as error:
                return Unreadable(why=f"Shopify's answer cannot be read: {error}")
        return Unreadable(why="The order kept changing while its agreements were read.")

    async def _complete(self, order_id: str, answer: Answer, index: int, listed: int) -> MoneyAnswer:
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
        if raw.get("id") != _gid(order_id):
            raise PayloadUnreadable("order.id", "is another order's")
        whole = dict(raw)
        if _has_more(whole):
            whole["agreements"] = await self._all_agreements(order_id, whole)
        payments = whole.get("transactions")
        if isinstance(payments, list) and len(payments) >= listed:
            whole["transactions"] = await self._all_transactions(order_id, whole)
        return parse_order_money(whole, read_at=self._clock.now())

    async def _all_agreements(self, order_id: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """Walk through the agreements one by one: only so can the pages of each one's sales be turned."""
        found: dict[str, dict[str, Any]] = {}
        after: str | None = None
        sales_after: str | None = None
        for _ in range(_MOST_STEPS):
            variables = {"id": _gid(order_id), "after": after, "salesAfter": sales_after}
            page = await self._page(ORDER_AGREEMENTS_PAGE, variables, order)
            connection = _object(page, "agreements")
            for node in _nodes(connection, "agreements"):
                key = str(node.get("id"))
                sales = _object(node, "sales")
                kept = found.setdefault(key, {**node, "sales": {"nodes": [], "pageInfo": {"hasNextPage": False}}})
                kept["sales"]["nodes"] += _nodes(sales, "sales")
                sales_after = _next(sales)
            if sales_after is None:
                after = _next(connection)
                if after is None:
                    return {"nodes": list(found.values()), "pageInfo": {"hasNextPage": False}}
        raise PayloadUnreadable("order.agreements", "has pages without end")

    async def _all_transactions(self, order_id: str, order: Mapping[str, Any]) -> list[Any]:
        page = await self._page(ORDER_TRANSACTIONS, {"id": _gid(order_id)}, order)
        listed = page.get("transactions")
        if not isinstance(listed, list):
            raise PayloadUnreadable("order.transactions", "should be a list")
        if len(listed) >= _LIST_MAXIMUM:
            raise PayloadUnreadable("order.transactions", f"has {_LIST_MAXIMUM} entries or more; not all can be read")
        return listed

    async def _page(self, document: Document, variables: Mapping[str, Any], order: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self._client.read(document, variables, lane=Lane.BULK)
        for problem in answer.problems:
            words = f"Shopify answered without {problem.field or 'the whole answer'}: {problem.message}"
            raise AccessRefused(words) if problem.is_access else OutcomeUnclear(words)
        page = answer.data.get("order")
        if page is None:
            raise Moved("The order is gone.")
        if not isinstance(page, dict):
            raise PayloadUnreadable("order", "should be an object")
        if page.get("updatedAt") != order.get("updatedAt"):
            raise Moved("The order changed between two pages.")
        return page


def _gid(order_id: str) -> str:
    return f"gid://shopify/Order/{order_id}"


def _has_more(order: Mapping[str, Any]) -> bool:
    agreements = _object(order, "agreements")
    sales = [_object(node, "sales") for node in _nodes(agreements, "agreements")]
    return any(_object(connection, "pageInfo").get("hasNextPage") is not False for connection in (agreements, *sales))


def _next(connection: Mapping[str, Any]) -> str | None:
    info = _object(connection, "pageInfo")
    if info.get("hasNextPage") is False:
        return None
    cursor = info.get("endCursor")
    if not isinstance(cursor, str) or not cursor:
        raise PayloadUnreadable("pageInfo.endCursor", "should be text")
    return cursor


def _object(owner: Mapping[str, Any], field: str) -> dict[str, Any]:
    found = owner.get(field)
    if not isinstance(found, dict):
        raise PayloadUnreadable(field, "should be an object")
    return found


def _nodes(connection: Mapping[str, Any], field: str) -> list[dict[str, Any]]:
    found = connection.get("nodes")
    if not isinstance(found, list) or not all(isinstance(node, dict) for node in found):
        raise PayloadUnreadable(f"{field}.nodes", "should be a list of objects")
    return found
