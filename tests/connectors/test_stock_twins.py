"""Both stock connectors against the stateful twins, and the whole flow through them."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.shopify_stub import shop as make_shop
from pickgate.clock import VirtualClock
from pickgate.connectors.clarus.catalogue import ClarusCatalogue
from pickgate.connectors.clarus.client import ClarusClient
from pickgate.connectors.clarus.listing import Listing
from pickgate.connectors.clarus.stock import ClarusStock, parse_balance, parse_stock_hint
from pickgate.connectors.shopify.budget import Lane, ThrottleStatus
from pickgate.connectors.shopify.client import Answer
from pickgate.connectors.shopify.errors import PayloadUnreadable
from pickgate.connectors.shopify.stock import ShopifyStock, parse_level, parse_outcome
from pickgate.domain.facts import Unreadable
from pickgate.domain.rules import Found, NotListed, Place, Product, RuleRow
from pickgate.domain.stock import ShopLevel
from pickgate.domain.stock_policy import Balance, StockPolicy
from pickgate.flows.ports import Confirmed, OutcomeNotKnown, Refused
from pickgate.flows.stock import StockFlows
from pickgate.flows.stock_ports import (
    STALE,
    BatchItem,
    ShopLocation,
    SomeRefused,
    StockBatch,
    StockShopPort,
    StockWarehousePort,
)
from pickgate.http import HttpRequest, HttpResponse, OutcomeUnknown
from pickgate.settings import ClarusSettings
from pickgate.store.memory import MemoryStore
from pickgate.store.memory_stock import MemoryStock
from twins.clarus_kit import Kit as ClarusKit
from twins.shopify_kit import START
from twins.shopify_kit import Kit as ShopifyKit

HERE = Place(account="ACME", warehouse="WH1")


class ToTwin:
    """Hands requests to a twin; `answers` may replace the next one's answer after it took effect."""

    def __init__(self, twin: Any) -> None:
        self.twin = twin
        self.requests: list[HttpRequest] = []
        self.breaks: list[Exception] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        answer: HttpResponse = self.twin.handle(request)
        if self.breaks and b"SetInventoryQuantities" in request.body:
            raise self.breaks.pop(0)
        return answer


class ShopSide:
    def __init__(self) -> None:
        self.kit = ShopifyKit()
        self.transport = ToTwin(self.kit.shop)
        self.kit.shop.add_token(self.kit.shop.app, "shpat_test")
        self.client = make_shop(self.transport, clock=self.kit.clock).client
        self.stock = ShopifyStock(self.client, shop="uk")
        as_flows_see_it: StockShopPort = self.stock  # the type checker compares the two
        assert as_flows_see_it is self.stock
        self.leeds = self.kit.leeds.id.rpartition("/")[2]

    async def levels(self) -> dict[str, ShopLevel]:
        found = await self.stock.read_levels(self.leeds)
        assert isinstance(found, tuple), found
        return {level.sku: level for level in found}

    def batch(self, *items: tuple[ShopLevel, int, int], key: str = "k1", on_hand: bool = False) -> StockBatch:
        return StockBatch(
            key=key,
            shop="uk",
            place=HERE,
            location_id=self.leeds,
            on_hand=on_hand,
            items=tuple(
                BatchItem(
                    item_id=level.item_id, level_id=level.level_id, sku=level.sku, quantity=quantity, change_from=old
                )
                for level, quantity, old in items
            ),
            snapshot_at=START,
            reference="gid://pickgate/StockSnapshot/1",
        )


class WarehouseSide:
    def __init__(self, *, page_size: int = 100, **knobs: Any) -> None:
        self.kit = ClarusKit(**knobs)
        self.transport = ToTwin(self.kit.twin)
        settings = ClarusSettings.model_validate(
            {"subdomain": "acme", "client_id": "id", "client_secret": "secret", "page_size": page_size}
        )
        client = ClarusClient(settings, self.transport, self.kit.clock)
        catalogue = ClarusCatalogue(Listing(client, page_size=page_size), self.kit.clock, gather_seconds=0)
        self.stock = ClarusStock(client, catalogue, page_size=page_size)
        as_flows_see_it: StockWarehousePort = self.stock
        assert as_flows_see_it is self.stock

    @property
    def queries(self) -> int:
        return sum(b"query StockBalances" in request.body for request in self.transport.requests)


# ── the shop ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_levels_and_locations_are_read() -> None:
    side = ShopSide()
    side.kit.place(2)
    assert [place.name for place in await side.stock.read_locations()] == ["Leeds", "York"]  # type: ignore[union-attr]
    levels = await side.levels()
    shirt = levels["SHIRT"]
    assert (shirt.available, shirt.committed, shirt.on_hand, shirt.tracked) == (98, 2, 100, True)
    again = await side.stock.read_levels_by_id([shirt.level_id])
    assert again == (shirt,)


async def test_a_batch_is_set_and_the_same_key_sets_nothing_twice() -> None:
    side = ShopSide()
    shirt = (await side.levels())["SHIRT"]
    batch = side.batch((shirt, 90, 100))
    assert await side.stock.set_quantities(batch) == Confirmed()
    side.kit.shop.set_stock(side.kit.shirt, 100)
    assert await side.stock.set_quantities(batch) == Confirmed()
    assert (await side.levels())["SHIRT"].available == 100


async def test_each_refused_item_is_named_and_nothing_is_set() -> None:
    side = ShopSide()
    levels = await side.levels()
    gone = ShopLevel(
        shop="uk", location_id="1", item_id="999999", level_id="x", sku="GONE", available=0, committed=0, on_hand=0
    )
    answer = await side.stock.set_quantities(
        side.batch((levels["SHIRT"], 90, 99), (levels["BELT"], 40, 50), (gone, 1, 0))
    )
    assert isinstance(answer, SomeRefused)
    assert answer.items == {0: STALE, 2: "INVALID_INVENTORY_ITEM"}
    assert {sku: level.available for sku, level in (await side.levels()).items()} == {
        "SHIRT": 100,
        "BELT": 50,
        "SOCK": 500,
    }


class LaneBook:
    """A budget that always has enough, and writes down who asked."""

    def __init__(self) -> None:
        self.lanes: list[Lane] = []

    async def take(self, cost: float, lane: Lane) -> None:
        self.lanes.append(lane)

    async def settle(self, cost: float, status: ThrottleStatus | None) -> None:
        return None

    async def drained(self, cost: float) -> None:
        return None


async def test_everything_goes_by_the_lane_that_leaves_budget_to_others() -> None:
    side = ShopSide()
    book = LaneBook()
    side.stock = ShopifyStock(make_shop(side.transport, clock=side.kit.clock, budget=book).client, shop="uk")
    shirt = (await side.levels())["SHIRT"]
    await side.stock.read_locations()
    await side.stock.read_levels_by_id([shirt.level_id])
    await side.stock.set_quantities(side.batch((shirt, 1, 100)))
    assert book.lanes == [Lane.BULK] * 4


def test_an_error_that_names_no_item_is_nobodys() -> None:
    errors = [{"code": "INVALID_REASON", "field": ["input", "reason"], "message": "no"}]
    answer = Answer(data={"inventorySetQuantities": {"inventoryAdjustmentGroup": None, "userErrors": errors}})
    assert parse_outcome(answer, 3) == SomeRefused(items={}, problem="Shopify: no")


@pytest.mark.parametrize(
    ("code", "kind"),
    [("IDEMPOTENCY_CONCURRENT_REQUEST", OutcomeNotKnown), ("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", Refused)],
)
def test_errors_about_the_key_concern_the_whole_batch(code: str, kind: type) -> None:
    answer = Answer(data={"inventorySetQuantities": {"userErrors": [{"code": code, "field": None, "message": "x"}]}})
    assert isinstance(parse_outcome(answer, 3), kind)


@pytest.mark.parametrize(
    "quantities",
    [
        None,
        [{"name": "available", "quantity": 1}],
        [{"name": name, "quantity": 1.5} for name in ("available", "committed", "on_hand")],
        [{"name": name, "quantity": True} for name in ("available", "committed", "on_hand")],
        [{"name": name, "quantity": 10**13} for name in ("available", "committed", "on_hand")],
    ],
)
def test_a_level_without_its_figures_is_unreadable_not_zero(quantities: Any) -> None:
    node = {
        "id": "gid://shopify/InventoryLevel/1?x",
        "item": {"id": "gid://shopify/InventoryItem/1", "sku": "A", "tracked": True},
        "quantities": quantities,
    }
    with pytest.raises(PayloadUnreadable):
        parse_level(node, shop="uk", location_id="1")


# ── the warehouse ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_balances_are_read_whole_and_by_product() -> None:
    side = WarehouseSide()
    side.kit.order((1001, 3))
    tea = Balance(available=7, allocated=0, ordered=3, received=10, picked=0)
    mug = Balance(available=10, received=10)
    assert await side.stock.read_balances(HERE, None) == {"TEA": tea, "MUG": mug}
    assert await side.stock.read_balances(HERE, ["TEA", "JAM"]) == {"TEA": tea}


async def test_pages_join_and_a_row_that_slips_away_is_noticed() -> None:
    side = WarehouseSide(page_size=3)
    for number in range(20):
        side.kit.twin.add_product(f"P{number:02}")
        side.kit.stock(f"P{number:02}", number)
    found = await side.stock.read_balances(HERE, None)
    assert isinstance(found, dict)
    assert {code: balance.available for code, balance in found.items()} == {
        "TEA": 10,
        "MUG": 10,
        **{f"P{number:02}": number for number in range(20)},
    }


async def test_a_place_that_the_tenant_does_not_have_is_unreadable() -> None:
    side = WarehouseSide()
    answer = await side.stock.read_balances(Place(account="ACME", warehouse="WH9"), None)
    assert answer == Unreadable(why="Clarus has no account 'ACME' or no warehouse 'WH9'.")


@pytest.mark.parametrize("figure", [None, 1.5, "1.5", "many", True, 10**12, "NaN", [], "9" * 50])
def test_an_odd_figure_makes_its_product_unreadable(figure: object) -> None:
    node = {"available": figure, "allocated": 0, "ordered": 0, "received": 0, "picked": 0, "product": {"code": "TEA"}}
    code, balance = parse_balance(node)
    assert code == "TEA"
    assert isinstance(balance, Unreadable)


@pytest.mark.parametrize("figure", [7, 7.0, "7", "7.0", "7.000"])
def test_whole_units_are_read_however_they_are_written(figure: object) -> None:
    node = {"available": figure, "allocated": 0, "ordered": 0, "received": -1, "picked": 0, "product": {"code": " A "}}
    assert parse_balance(node) == ("A", Balance(available=7, received=-1))


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (b'{"data": {"product": {"code": "TEA"}, "available": 1}}', ("TEA",)),
        (b'{"product": {"code": "TEA"}}', ("TEA",)),
        (b'{"data": [{"attributes": {"product_code": "TEA"}}, {"product": {"code": "MUG"}}]}', ("TEA", "MUG")),
        (b"[]", ()),
        (b"nonsense", ()),
        (b'{"product": {"code": 7}}', ()),
        (b"[" * 100_000, ()),
    ],
)
def test_a_stock_webhook_names_products_or_nothing(body: bytes, codes: tuple[str, ...]) -> None:
    assert parse_stock_hint(body) == codes


# ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class OneToOne:
    """SHIRT is TEA, BELT is a MUG and two TEA; all of Leeds is in WH1."""

    version = 1
    row = RuleRow(table="skus", row=1, version=1)

    def place(self, *, shop: str, location_id: str, location_name: str) -> Any:
        return Found(HERE, self.row) if location_name == "Leeds" else NotListed("locations", location_name)

    def products(self, *, shop: str, sku: str) -> Any:
        parts = {"SHIRT": (Product(code="TEA"),), "BELT": (Product(code="MUG"), Product(code="TEA", units=2))}
        if sku.startswith("P"):
            return Found((Product(code=sku),), self.row)
        return Found(parts[sku], self.row) if sku in parts else NotListed("skus", sku)


class Both:
    """One clock drives both twins."""

    def __init__(self, **policy: Any) -> None:
        self.shop = ShopSide()
        self.warehouse = WarehouseSide()
        self.clock = VirtualClock(START)
        self.store = MemoryStock(MemoryStore())

        async def freshen(shops: Any) -> None:
            return None

        self.flows = StockFlows(
            store=self.store,
            shops={"uk": self.shop.stock},
            warehouse=self.warehouse.stock,
            rules=lambda shop: OneToOne(),  # type: ignore[arg-type,return-value]  # only what stock asks
            policy=StockPolicy(most_changed_share=1, most_zero_share=1, **policy),
            clock=self.clock,
            holder="w1",
            freshen=freshen,
        )


async def test_the_whole_way_from_the_shelf_to_the_shop() -> None:
    both = Both()
    both.shop.kit.place(1)
    report = await both.flows.publish()
    assert (report.published, report.problem) == (2, "")
    levels = await both.shop.levels()
    # Ten TEA, one of them sold and not yet in the warehouse; a BELT needs two TEA and a MUG.
    assert {sku: level.available for sku, level in levels.items()} == {"SHIRT": 9, "BELT": 4, "SOCK": 500}
    sets = both.shop.kit.shop.requests["inventorySetQuantities"]
    assert sets == 1
    assert (await both.flows.publish()).published == 0
    assert both.shop.kit.shop.requests["inventorySetQuantities"] == sets


async def test_a_lost_answer_is_asked_for_again_and_set_once() -> None:
    both = Both()
    both.shop.transport.breaks = [OutcomeUnknown("reset"), OutcomeUnknown("reset")]
    report = await both.flows.publish()
    assert report.published == 0
    assert [row.state for row in both.store.batches.values()] == ["unknown"]
    await both.flows.publish()
    assert [row.state for row in both.store.batches.values()] == ["confirmed"]
    history = [e for e in both.shop.kit.shop.history if e.kind == "inventory_set" and e.detail["by"] == "Pickgate"]
    assert len(history) == 2, "each of the two levels was set once"


async def test_many_changes_go_out_at_most_250_a_call_and_one_bad_item_stops_no_other() -> None:
    both = Both()
    for number in range(300):
        code = f"P{number:03}"
        both.warehouse.kit.twin.add_product(code)
        both.warehouse.kit.stock(code, 5)
        both.shop.kit.shop.add_product(code, price="1.00", stock=4)
    report = await both.flows.publish()
    assert (report.published, both.shop.kit.shop.requests["inventorySetQuantities"]) == (302, 2)
    [place] = report.places
    assert place.sent.calls == 2


async def test_locations_of_the_shop() -> None:
    side = ShopSide()
    found = await side.stock.read_locations()
    assert isinstance(found, tuple)
    assert found[0] == ShopLocation(id=side.leeds, name="Leeds", active=True)
