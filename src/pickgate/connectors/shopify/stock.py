"""One shop's stock: satisfies `flows.stock_ports.StockShopPort`. Everything goes by the lane that leaves budget to all
others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pickgate.connectors.shopify import documents
from pickgate.connectors.shopify.batches import unreadable, unreadable_problem
from pickgate.connectors.shopify.budget import Lane
from pickgate.connectors.shopify.client import Answer, ShopifyClient
from pickgate.connectors.shopify.documents import Document
from pickgate.connectors.shopify.errors import CallFailed, OutcomeUnclear, PayloadUnreadable, TooCostly
from pickgate.connectors.shopify.incoming import parse_gid
from pickgate.connectors.shopify.outcomes import outcome_of_failure, outcome_of_root
from pickgate.domain.facts import Unreadable
from pickgate.domain.stock import ShopLevel
from pickgate.flows.ports import OutcomeNotKnown, Refused
from pickgate.flows.stock_ports import STALE, BatchOutcome, ShopLocation, SomeRefused, StockBatch

PAGE = 250
_SMALLEST_PAGE = 25
_MOST_PAGES = 10_000
_LEVELS_AT_ONCE = 100
_LEVEL = "gid://shopify/InventoryLevel/"
_MOST_UNITS = 10**12
_STALE = frozenset({"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"})
_STILL_RUNNING = "IDEMPOTENCY_CONCURRENT_REQUEST"
_ROOT = "inventorySetQuantities"


class ShopifyStock:
    """Reads levels and sets them. Share the shop's client, so that all draw on one budget."""

    def __init__(self, client: ShopifyClient, *, shop: str) -> None:
        self._client = client
        self._shop = shop
        self._page = PAGE

    async def read_locations(self) -> tuple[ShopLocation, ...] | Unreadable:
        """Read every location of the shop, switched off or not."""
        found: list[ShopLocation] = []
        cursor: str | None = None
        try:
            for _ in range(_MOST_PAGES):
                answer = await self._read(documents.INVENTORY_LOCATIONS, {"after": cursor})
                nodes, cursor = _page_of(answer.data.get("locations"), "locations")
                for node in nodes:
                    name = node.get("name")
                    found.append(
                        ShopLocation(
                            id=parse_gid(str(node.get("id")), "Location"),
                            name=name if isinstance(name, str) else "",
                            active=node.get("isActive") is True,
                        )
                    )
                if cursor is None:
                    return tuple(found)
        except (CallFailed, PayloadUnreadable) as error:
            return _as_unreadable(error)
        return Unreadable(why="The list of locations has pages without end.")

    async def read_levels(self, location_id: str) -> tuple[ShopLevel, ...] | Unreadable:
        """Read every active level of a location; a level that is shown twice counts once, as shown last."""
        found: dict[str, ShopLevel] = {}
        cursor: str | None = None
        gid = f"gid://shopify/Location/{location_id}"
        try:
            for _ in range(_MOST_PAGES):
                answer = await self._read_page({"locationId": gid, "after": cursor})
                location = answer.data.get("location")
                if not isinstance(location, dict):
                    return Unreadable(why=f"The shop has no location {location_id}.")
                nodes, following = _page_of(location.get("inventoryLevels"), "inventoryLevels")
                for node in nodes:
                    level = parse_level(node, shop=self._shop, location_id=location_id)
                    found[level.item_id] = level
                if following is None:
                    return tuple(found.values())
                if following == cursor:
                    break
                cursor = following
        except (CallFailed, PayloadUnreadable) as error:
            return _as_unreadable(error)
        return Unreadable(why="The list of levels has pages without end.")

    async def read_levels_by_id(self, level_ids: Sequence[str]) -> tuple[ShopLevel, ...] | Unreadable:
        """Read these levels again; one that is gone is left out."""
        found: list[ShopLevel] = []
        try:
            for start in range(0, len(level_ids), _LEVELS_AT_ONCE):
                ids = [f"{_LEVEL}{level_id}" for level_id in level_ids[start : start + _LEVELS_AT_ONCE]]
                answer = await self._read(documents.INVENTORY_LEVELS_BY_ID, {"ids": ids}, times=len(ids))
                nodes = answer.data.get("nodes")
                if not isinstance(nodes, list) or len(nodes) != len(ids):
                    raise PayloadUnreadable("nodes", "should list what was asked for")
                for node in nodes:
                    if node is None:
                        continue
                    if not isinstance(node, dict) or node.get("__typename") != "InventoryLevel":
                        raise PayloadUnreadable("nodes", "should be inventory levels")
                    place = node.get("location")
                    location = parse_gid(str(place.get("id") if isinstance(place, dict) else None), "Location")
                    found.append(parse_level(node, shop=self._shop, location_id=location))
        except (CallFailed, PayloadUnreadable) as error:
            return _as_unreadable(error)
        return tuple(found)

    async def set_quantities(self, batch: StockBatch) -> BatchOutcome:
        """Set a batch, all or nothing. Never repeated here: its key makes the caller's repetition the same change."""
        try:
            answer = await self._client.change(documents.SET_INVENTORY_QUANTITIES, render_batch(batch), lane=Lane.BULK)
        except CallFailed as error:
            return outcome_of_failure(error)
        return parse_outcome(answer, len(batch.items))

    async def _read_page(self, variables: Mapping[str, Any]) -> Answer:
        """Read a page of levels, smaller from now on if the shop finds it too dear."""
        while True:
            try:
                return await self._read(documents.INVENTORY_LEVELS, {**variables, "first": self._page})
            except TooCostly:
                if self._page <= _SMALLEST_PAGE:
                    raise
                self._page //= 2

    async def _read(self, document: Document, variables: Mapping[str, Any], *, times: int = 1) -> Answer:
        answer = await self._client.read(document, variables, lane=Lane.BULK, times=times)
        if answer.problems:
            raise _Incomplete(unreadable_problem(answer.problems))
        return answer


class _Incomplete(OutcomeUnclear):
    """Data came with errors beside it: nothing may be concluded."""

    def __init__(self, problem: Unreadable) -> None:
        super().__init__(problem.why)
        self.problem = problem


def render_batch(batch: StockBatch) -> dict[str, Any]:
    """Write a batch as the mutation's variables. `changeFromQuantity` is always a number."""
    return {
        "key": batch.key,
        "input": {
            "name": "on_hand" if batch.on_hand else "available",
            "reason": "correction",
            "referenceDocumentUri": batch.reference,
            "quantities": [
                {
                    "inventoryItemId": f"gid://shopify/InventoryItem/{item.item_id}",
                    "locationId": f"gid://shopify/Location/{batch.location_id}",
                    "quantity": item.quantity,
                    "changeFromQuantity": item.change_from,
                }
                for item in batch.items
            ],
        },
    }


def parse_outcome(answer: Answer, items: int) -> BatchOutcome:
    """Say what became of a batch of so many items. An error that names an item concerns that item alone."""
    payload = answer.data.get(_ROOT)
    errors = payload.get("userErrors") if isinstance(payload, dict) else None
    if not isinstance(errors, list) or not errors:
        return outcome_of_root(answer, _ROOT)
    refused: dict[int, str] = {}
    nameless = 0
    texts = []
    for error in errors:
        entry = error if isinstance(error, dict) else {}
        code = str(entry.get("code") or "REFUSED")
        texts.append(str(entry.get("message") or code)[:200])
        if code == _STILL_RUNNING:
            return OutcomeNotKnown(why="The same change is still being carried out.")
        if code.startswith("IDEMPOTENCY_"):
            return Refused(code=code, problem=f"Shopify: {texts[-1]}", remedy="The next publication reads again.")
        index = _index_of(entry.get("field"))
        if index is None or index >= items:
            nameless += 1
        elif refused.get(index) in (None, STALE):
            refused[index] = STALE if code in _STALE else code
    problem = "Shopify: " + "; ".join(dict.fromkeys(texts))
    return SomeRefused(items={} if nameless and not refused else refused, problem=problem[:500])


def parse_level(node: Mapping[str, Any], *, shop: str, location_id: str) -> ShopLevel:
    """Parse one InventoryLevel. Raises PayloadUnreadable: a missing figure is never taken for zero."""
    item = node.get("item")
    gid = node.get("id")
    if not isinstance(item, dict) or not isinstance(gid, str) or not gid.startswith(_LEVEL):
        raise PayloadUnreadable("inventoryLevel", "should have an id and an item")
    sku = item.get("sku")
    figures = _figures(node.get("quantities"))
    return ShopLevel(
        shop=shop,
        location_id=location_id,
        item_id=parse_gid(str(item.get("id")), "InventoryItem"),
        level_id=gid.removeprefix(_LEVEL),
        sku=sku.strip() if isinstance(sku, str) else "",
        available=figures["available"],
        committed=figures["committed"],
        on_hand=figures["on_hand"],
        reserved=figures.get("reserved", 0),
        safety_stock=figures.get("safety_stock", 0),
        tracked=item.get("tracked") is True,
    )


def _figures(raw: Any) -> dict[str, int]:
    figures: dict[str, int] = {}
    for entry in raw if isinstance(raw, list) else ():
        name, quantity = (entry.get("name"), entry.get("quantity")) if isinstance(entry, dict) else (None, None)
        if not isinstance(name, str) or type(quantity) is not int or abs(quantity) > _MOST_UNITS:
            raise PayloadUnreadable("inventoryLevel.quantities", "should be whole numbers by name")
        figures[name] = quantity
    for name in ("available", "committed", "on_hand"):
        if name not in figures:
            raise PayloadUnreadable(f"inventoryLevel.quantities.{name}", "is missing")
    return figures


def _index_of(field: Any) -> int | None:
    """Return the item that an error's path names: input, quantities, 3, …"""
    if isinstance(field, list) and len(field) >= 3 and field[1] == "quantities" and str(field[2]).isdecimal():
        return int(field[2])
    return None


def _page_of(connection: Any, what: str) -> tuple[list[dict[str, Any]], str | None]:
    """Return the nodes of a page and the cursor of the next one. Raises PayloadUnreadable."""
    nodes = connection.get("nodes") if isinstance(connection, dict) else None
    info = connection.get("pageInfo") if isinstance(connection, dict) else None
    if not isinstance(nodes, list) or not isinstance(info, dict) or not all(isinstance(n, dict) for n in nodes):
        raise PayloadUnreadable(what, "should be a page")
    if info.get("hasNextPage") is not True:
        return nodes, None
    cursor = info.get("endCursor")
    if not isinstance(cursor, str) or not cursor:
        raise PayloadUnreadable(f"{what}.pageInfo", "goes on, but not from where")
    return nodes, cursor


def _as_unreadable(error: CallFailed | PayloadUnreadable) -> Unreadable:
    if isinstance(error, _Incomplete):
        return error.problem
    if isinstance(error, CallFailed):
        return unreadable(error)
    return Unreadable(why=f"Shopify's answer cannot be read: {error}")
