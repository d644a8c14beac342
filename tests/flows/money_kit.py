"""A shop twin, a store and the money flow between them: for the tests of money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.shopify_stub import settings
from contracts.keeping import Kept, decision
from pickgate.connectors.shopify.money import ShopifyMoney
from pickgate.connectors.shopify.port import ShopifyShop
from pickgate.domain.decision import Decision
from pickgate.domain.ledger import Account
from pickgate.domain.shop import ShopOrder
from pickgate.flows.money import MoneyFlow
from pickgate.flows.money_ports import MoneyShopPort, MoneyStore
from pickgate.flows.money_reports import MoneyReports
from pickgate.http import HttpRequest, HttpResponse
from pickgate.store.memory import MemoryStore
from pickgate.store.memory_money import MemoryMoney
from pickgate.store.money import MoneyRows
from pickgate.store.postgres import PostgresStore
from pickgate.twins.shopify import Order
from twins.shopify_kit import Kit


class TwinTransport:
    """Requests go straight to the twin; `requests` counts them by operation."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        return self._kit.shop.handle(request)


def money_store(kept: Kept) -> MoneyStore:
    """The ledger beside a store, of the same make."""
    store = kept.store
    if isinstance(store, MemoryStore):
        return MemoryMoney(store)
    assert isinstance(store, PostgresStore)
    return MoneyRows(store.database)


@dataclass(slots=True)
class Desk:
    """One shop on both sides, and its books."""

    kept: Kept
    kit: Kit
    rows: dict[str, int] = field(default_factory=dict)
    store: MoneyStore = field(init=False)
    shop: ShopifyShop = field(init=False)
    transport: TwinTransport = field(init=False)
    flow: MoneyFlow = field(init=False)
    reports: MoneyReports = field(init=False)

    def __post_init__(self) -> None:
        self.transport = TwinTransport(self.kit)
        self.shop = ShopifyShop(
            settings(access_token="token"), transport=self.transport, clock=self.kit.clock, gather_seconds=0
        )
        self.store = money_store(self.kept)
        self.flow = self.flow_with(ShopifyMoney(self.shop.client, clock=self.kit.clock))
        self.reports = MoneyReports(store=self.store, clock=self.kit.clock)

    def flow_with(self, port: MoneyShopPort, **more: Any) -> MoneyFlow:
        return MoneyFlow(store=self.store, shops={"uk": port}, clock=self.kit.clock, **more)

    async def look(self, order: Order, made: Decision | None = None) -> int:
        """What a look leaves behind: the observed order, and a decision. Returns the order's row."""
        order_id = order.id.rpartition("/")[2]
        observed = await self.shop.read_order(order_id)
        assert isinstance(observed, ShopOrder), observed
        now = self.kit.clock.now()
        lease = await self.kept.lease(order_id, at=now)
        await self.kept.decide(lease, made or decision(), order=observed, now=now)
        await self.kept.store.end_look(lease, next_look_at=None, failed=None, now=now)
        self.rows[order.id] = lease.order
        return lease.order

    async def settle(self, *orders: Order, **decisions: Any) -> None:
        """Look at orders, and reconcile what is due."""
        for order in orders:
            await self.look(order, decisions.get(order.name.strip("#")))
        await self.flow.reconcile_due()

    async def kinds(self, order: Order) -> list[tuple[str, int]]:
        """(kind, change of what the customer owes, in minor units) of each booked transaction, in the order of time."""
        booked = await self.store.load_transactions(self.rows[order.id])
        found = sorted((one.transaction for one in booked), key=lambda t: (t.at, t.source, t.version))
        return [
            (t.kind.value, sum(e.amount.shop.minor for e in t.entries if e.account is Account.RECEIVABLE))
            for t in found
        ]

    async def balances(self, order: Order) -> Mapping[str, int]:
        """The balance of each account that is not zero, in minor units of the shop's currency."""
        sums: dict[str, int] = {}
        for one in await self.store.load_transactions(self.rows[order.id]):
            for entry in one.transaction.entries:
                sums[entry.account.value] = sums.get(entry.account.value, 0) + entry.amount.shop.minor
        assert sum(sums.values()) == 0
        return {account: minor for account, minor in sorted(sums.items()) if minor}

    async def open_exceptions(self) -> list[tuple[str, str]]:
        return [(row["code"], row["summary"]) for row in await self.kept.exceptions() if row["resolved_at"] is None]

    async def sheet(self, name: str, *, month: str = "2026-11", shop: str = "uk") -> list[dict[str, Any]]:
        """A sheet's rows by column, amounts in minor units."""
        report = await self.reports.report(month, shop=shop)
        sheet = report.sheet(name)
        assert sheet is not None
        return [
            {column: getattr(cell, "minor", cell) for column, cell in zip(sheet.columns, row, strict=True)}
            for row in sheet.rows
        ]
