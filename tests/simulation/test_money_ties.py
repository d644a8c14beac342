"""A day of edits, cancellations, recreated and merged orders under faults: the books equal the shop's own history."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from pickgate.connectors.shopify.money import ShopifyMoney
from pickgate.connectors.shopify.port import ShopifyShop
from pickgate.domain.ledger import Account
from pickgate.flows.money import MoneyFlow
from pickgate.flows.money_reports import MoneyReports
from pickgate.http import HttpRequest, HttpResponse
from pickgate.settings import ShopSettings
from pickgate.simulation.run import Played, Recipe, play
from pickgate.simulation.world import ACCESS_TOKEN, DOMAIN, SHOP, number
from pickgate.store.memory_money import MemoryMoney
from pickgate.twins.shopify import totals


class Straight:
    """Requests that reach the shop's twin without a fault."""

    def __init__(self, played: Played) -> None:
        self._shop = played.simulation.world.shop

    async def send(self, request: HttpRequest) -> HttpResponse:
        return self._shop.handle(request)


def books_of(played: Played) -> tuple[MemoryMoney, MoneyFlow]:
    clock = played.simulation.clock
    values: dict[str, Any] = {"key": SHOP, "domain": DOMAIN, "api_base": f"https://{DOMAIN}"}
    values["access_token"] = SecretStr(ACCESS_TOKEN)
    shop = ShopifyShop(ShopSettings.model_validate(values), transport=Straight(played), clock=clock, gather_seconds=0)
    store = MemoryMoney(played.simulation.store)
    return store, MoneyFlow(store=store, shops={SHOP: ShopifyMoney(shop.client, clock=clock)}, clock=clock)


@pytest.mark.parametrize("seed", [3, 11])
def test_after_any_day_every_penny_is_explained(seed: int) -> None:
    played = play(Recipe(seed=seed, orders=40))
    store, flow = books_of(played)

    async def reconcile() -> None:
        kept = [row for row in played.simulation.store.orders.values() if row.order is not None and not row.order.test]
        outcome = await flow.reconcile_due()
        assert outcome.compared == len(kept) > 30
        assert (outcome.unexplained, outcome.unreadable) == (0, None)
        for row in kept:
            (truth,) = [one for one in played.simulation.world.shop.orders.values() if number(one.id) == row.order_id]
            entries = [e for one in await store.load_transactions(row.row) for e in one.transaction.entries]

            def balance(account: Account, entries: Any = entries) -> Decimal:
                return Decimal(sum(e.amount.shop.minor for e in entries if e.account is account)) / 100

            assert balance(Account.RECEIVED) == totals.received(truth)
            assert -balance(Account.REFUNDED) == totals.refunded(truth)
            assert balance(Account.RECEIVABLE) == totals.outstanding(truth)
            assert -balance(Account.TAX) == totals.current_tax(truth)
        clock = played.simulation.clock
        report = await MoneyReports(store=store, clock=clock).report(f"{clock.now():%Y-%m}")
        assert report.ties
        unexplained = report.sheet("unexplained")
        assert unexplained is not None
        assert unexplained.rows == ()

    asyncio.run(reconcile())
