"""One shop's past by bulk reads: satisfies `flows.audit_ports.PastShopPort`.

`bulkOperationRunQuery` is a mutation by name and a read by nature. The result is fetched from the address that Shopify
names, which is another host: it is signed, so the access token is never sent there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pickgate.connectors.shopify.batches import unreadable, unreadable_problem
from pickgate.connectors.shopify.budget import Lane
from pickgate.connectors.shopify.bulk_lines import parse_result
from pickgate.connectors.shopify.client import ShopifyClient
from pickgate.connectors.shopify.documents import load_document
from pickgate.connectors.shopify.errors import CallFailed, PayloadUnreadable, RequestRefused
from pickgate.connectors.shopify.money import MoneyAnswer, ShopifyMoney
from pickgate.connectors.shopify.outgoing import ORIGINAL_METAFIELD, split_metafield
from pickgate.connectors.shopify.port import ShopifyShop
from pickgate.connectors.shopify.reading import OrderAnswer
from pickgate.connectors.shopify.stock import ShopifyStock
from pickgate.domain.facts import Unreadable
from pickgate.domain.stock import ShopLevel
from pickgate.flows.audit_ports import FULFILMENTS, ORDERS, BulkProgress, ParsedOrders
from pickgate.http import HttpRequest, NothingSent, OutcomeUnknown, Transport
from pickgate.settings import ShopSettings

PIECE_BYTES = 4 * 1024 * 1024
_TIMEOUT_SECONDS = 60.0
_ENDED = {"FAILED", "CANCELED", "CANCELING", "EXPIRED"}
_NO_METAFIELD = ("pickgate", "none")

_QUERIES = {
    ORDERS: load_document("orders", cost=0, folder="bulk").text,
    FULFILMENTS: load_document("fulfillments", cost=0, folder="bulk").text,
}
RUN_BULK_QUERY = load_document("run_bulk_query", cost=10, folder="bulk")
BULK_OPERATION = load_document("bulk_operation", cost=1, folder="bulk")


class ShopifyPast:
    """Reads what was. `transport` also fetches results; `piece_bytes`: at most so much of one at a time."""

    def __init__(
        self,
        settings: ShopSettings,
        shop: ShopifyShop,
        money: ShopifyMoney,
        stock: ShopifyStock,
        transport: Transport,
        *,
        piece_bytes: int = PIECE_BYTES,
    ) -> None:
        self._settings = settings
        self._shop = shop
        self._client: ShopifyClient = shop.client
        self._money = money
        self._stock = stock
        self._transport = transport
        self._piece_bytes = piece_bytes

    async def begin(self, part: str, *, since: datetime, until: datetime) -> str | Unreadable:
        """Start a bulk read. Raises KeyError for a part that does not exist.

        Repeated only where Shopify says that nothing was executed: an operation too many harms nobody, but takes one
        of the five places.
        """
        query = render_query(part, self._settings, since=since, until=until)
        try:
            answer = await self._client.change(RUN_BULK_QUERY, {"query": query}, lane=Lane.BULK)
        except CallFailed as error:
            return unreadable(error)
        if answer.problems:
            return unreadable_problem(answer.problems)
        payload = answer.data.get("bulkOperationRunQuery")
        operation = payload.get("bulkOperation") if isinstance(payload, dict) else None
        gid = operation.get("id") if isinstance(operation, dict) else None
        if isinstance(gid, str) and gid:
            return gid
        errors = payload.get("userErrors") if isinstance(payload, dict) else None
        said = "; ".join(str(each.get("message")) for each in errors or () if isinstance(each, dict))
        return Unreadable(why=f"Shopify did not start the bulk read: {said or 'it did not say why'}")

    async def progress(self, operation: str) -> BulkProgress | Unreadable:
        """Ask how far it is."""
        try:
            answer = await self._client.read(BULK_OPERATION, {"id": operation}, lane=Lane.BULK)
        except RequestRefused as error:
            return BulkProgress(lost=error.why)
        except CallFailed as error:
            return unreadable(error)
        if answer.problems:
            return unreadable_problem(answer.problems)
        found = answer.data.get("bulkOperation")
        if not isinstance(found, dict):
            return BulkProgress(lost="Shopify no longer knows this bulk read.")
        status, objects = str(found.get("status")), _count(found.get("objectCount"))
        if status == "COMPLETED":
            address = found.get("url")
            return BulkProgress(objects=objects, done=True, address=address if isinstance(address, str) else "")
        if status in _ENDED:
            return BulkProgress(objects=objects, lost=f"The bulk read ended as {status} ({found.get('errorCode')}).")
        return BulkProgress(objects=objects)

    async def read_piece(self, address: str, *, start: int) -> bytes | Unreadable:
        """Fetch a range of a result, without the token. A server that ignores ranges sends it whole: that is cut."""
        end = start + self._piece_bytes - 1
        request = HttpRequest(
            method="GET",
            url=address,
            headers={"Range": f"bytes={start}-{end}", "Accept-Encoding": "identity"},
            timeout_seconds=_TIMEOUT_SECONDS,
        )
        try:
            response = await self._transport.send(request)
        except (NothingSent, OutcomeUnknown) as error:
            return Unreadable(why=f"The result of the bulk read could not be fetched: {error}")
        if response.status == 206:
            return response.body
        if response.status == 416:
            return b""
        if response.status == 200:
            return response.body[start : end + 1]
        return Unreadable(why=f"The result of the bulk read was answered with HTTP {response.status}.")

    def parse(self, orders: Iterable[bytes], fulfilments: Iterable[bytes]) -> ParsedOrders | Unreadable:
        """Put the two results together."""
        try:
            return parse_result(orders, fulfilments)
        except PayloadUnreadable as error:
            return Unreadable(why=f"Shopify's bulk result cannot be read: {error}")

    async def read_orders(self, order_ids: Sequence[str]) -> Mapping[str, OrderAnswer]:
        """Read orders one by one, as a look does, on the lane that can wait."""
        return await self._shop.read_orders(order_ids)

    async def read_money(self, order_ids: Sequence[str]) -> Mapping[str, MoneyAnswer]:
        """Read agreements and payments: their connection is one that a bulk read may not follow."""
        return await self._money.read_money(order_ids)

    async def read_levels(self, location_id: str) -> tuple[ShopLevel, ...] | Unreadable:
        """Read the stock levels of a location."""
        return await self._stock.read_levels(location_id)


def render_query(part: str, settings: ShopSettings, *, since: datetime, until: datetime) -> str:
    """Write the text of a bulk query."""
    query = {
        ORDERS: f"created_at:>='{_instant(since)}' AND created_at:<='{_instant(until)}'",
        FULFILMENTS: f"updated_at:>='{_instant(since)}'",
    }[part]
    words = {"QUERY": query}
    for alias, name in (
        ("CUTOFF", settings.window.cutoff_metafield),
        ("LOCK", settings.lock.metafield),
        ("ORIGINAL", ORIGINAL_METAFIELD),
    ):
        words[f"{alias}_NAMESPACE"], words[f"{alias}_KEY"] = split_metafield(name) if name else _NO_METAFIELD
    text = _QUERIES[part]
    for word, value in words.items():
        text = text.replace(f"@{word}@", value.replace("\\", "\\\\").replace('"', '\\"'))
    return text


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _count(value: Any) -> int:
    return int(value) if isinstance(value, str | int) and str(value).isdecimal() else 0
