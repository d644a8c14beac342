"""Puts an audit together: the read-only ports of every shop and of the warehouse, over one transport each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from pickgate.clock import Clock
from pickgate.connectors.clarus import ClarusWarehouse
from pickgate.connectors.clarus.past import ClarusPast
from pickgate.connectors.clarus.stock import ClarusStock
from pickgate.connectors.shopify.bulk import PIECE_BYTES, ShopifyPast
from pickgate.connectors.shopify.money import ShopifyMoney
from pickgate.connectors.shopify.port import ShopifyShop
from pickgate.connectors.shopify.stock import ShopifyStock
from pickgate.domain.lookback_match import ReferencePattern
from pickgate.domain.rules import Rules
from pickgate.flows.audit import AuditSubject
from pickgate.http import Transport
from pickgate.settings import Settings, policy_of, stock_policy_of


def make_subject(
    settings: Settings,
    rules: Rules,
    clock: Clock,
    connect: Callable[[str], Transport],
    *,
    pattern: ReferencePattern,
    by_external: bool = False,
    has_rulebook: bool = True,
    settled_after: timedelta = timedelta(hours=24),
    piece_bytes: int = PIECE_BYTES,
    gather_seconds: float = 0.0,
) -> AuditSubject:
    """
    Connect everything that an audit reads.

    Args:
        connect: Makes a transport for a shop's key, or for "clarus".
        by_external: Match by `external_system_reference1` instead of the reference.
        gather_seconds: 0 needs no running event loop.
    """
    shops = {}
    for shop in settings.shops:
        transport = connect(shop.key)
        port = ShopifyShop(shop, transport=transport, clock=clock, gather_seconds=gather_seconds)
        shops[shop.key] = ShopifyPast(
            shop,
            port,
            ShopifyMoney(port.client, clock=clock),
            ShopifyStock(port.client, shop=shop.key),
            transport,
            piece_bytes=piece_bytes,
        )
    warehouse = ClarusWarehouse(settings.clarus, connect("clarus"), clock, gather_seconds=gather_seconds)
    stock = ClarusStock(warehouse.client, warehouse.catalogue, page_size=settings.clarus.page_size)
    return AuditSubject(
        shops=shops,
        warehouse=ClarusPast(settings.clarus, warehouse, stock, by_external=by_external),
        rules=rules,
        policies={shop.key: policy_of(shop, settings.clarus) for shop in settings.shops},
        stock_policy=stock_policy_of(settings.stock),
        pattern=pattern,
        has_rulebook=has_rulebook,
        settled_after=settled_after,
        second_look=not by_external,
    )
