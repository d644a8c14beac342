"""Puts the concrete things together. The only module that knows all of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from pickgate import __version__
from pickgate.api.intake import ClarusDoor, ShopifyDoor
from pickgate.api.parts import AppParts
from pickgate.clock import RealClock
from pickgate.connectors.clarus import ClarusWarehouse
from pickgate.connectors.clarus.catalogue import CodeKind
from pickgate.connectors.clarus.hints import ClarusHints
from pickgate.connectors.clarus.stock import ClarusStock, parse_stock_hint
from pickgate.connectors.shopify.hints import ShopifyHints
from pickgate.connectors.shopify.money import ShopifyMoney
from pickgate.connectors.shopify.port import ShopifyShop
from pickgate.connectors.shopify.stock import ShopifyStock
from pickgate.connectors.shopify.webhooks import parse_headers, verify_signature
from pickgate.connectors.transport import AiohttpTransport
from pickgate.crypto import SealBroken, Sealer
from pickgate.domain.commands import Command
from pickgate.domain.stock_seen import skus_to_correct
from pickgate.engine.jobs import JobRunner
from pickgate.engine.metering import ConnectionState, MeteredTransport
from pickgate.engine.rules import RulesKeeper
from pickgate.engine.worker import Worker
from pickgate.failpoints import ArmedTransport, Failpoint, arm_port, arm_store
from pickgate.fittings import call, freshening, mcp_server, outcome_word
from pickgate.flows.look import Looker, LookResult
from pickgate.flows.money import MoneyFlow
from pickgate.flows.money_reports import MoneyReports
from pickgate.flows.nets import NetFlows
from pickgate.flows.ports import Lease, Outcome
from pickgate.flows.receive import Receiver
from pickgate.flows.stock import StockFlows
from pickgate.metrics import Metrics
from pickgate.operations.context import OperationContext
from pickgate.operations.roles import Actor
from pickgate.operations.rulebook_desk import RulebookDesk, WarehouseCodes
from pickgate.operations.stock_ports import StockCounter
from pickgate.rulebook.evaluate import Rulebook
from pickgate.rulebook.tables import Tables
from pickgate.settings import Settings, ShopSettings, load_settings, policy_of, stock_policy_of
from pickgate.store import migrate as migrations
from pickgate.store.access import Access
from pickgate.store.codec import CodecError
from pickgate.store.connection import StoreUnavailable
from pickgate.store.embedded import EmbeddedPostgres
from pickgate.store.embedded_watch import kept_running
from pickgate.store.money import MoneyRows
from pickgate.store.operators import OperatorActions, record_audit
from pickgate.store.postgres import PostgresStore
from pickgate.store.reads import Reads
from pickgate.store.rulebooks import RulebookRows
from pickgate.store.stock import PostgresStock

DEFAULT_CONFIG = "pickgate.toml"
log = structlog.get_logger("pickgate")


def read_settings(path: str | None) -> Settings:
    """Read the settings as the command line names them: `--config`, else PICKGATE_CONFIG, else pickgate.toml if there.

    Raises SettingsRefused.
    """
    named = path or os.environ.get("PICKGATE_CONFIG")
    file = Path(named) if named else Path(DEFAULT_CONFIG)
    if not named and not file.exists():
        return load_settings(None, os.environ)
    return load_settings(file, os.environ)


@dataclass(slots=True, kw_only=True)
class Installation:
    """One open Pickgate: the store, the connectors, the flows. Made by `open_installation`."""

    settings: Settings
    clock: RealClock
    store: PostgresStore
    reads: Reads
    actions: OperatorActions
    access: Access
    rulebooks: RulebookRows
    rules: RulesKeeper
    shops: Mapping[str, ShopifyShop]
    warehouse: ClarusWarehouse
    looker: Looker
    receiver: Receiver
    nets: NetFlows
    metrics: Metrics
    money: MoneyFlow
    money_reports: MoneyReports
    stock: StockFlows
    stock_counter: StockCounter
    tasks: set[asyncio.Task[object]]
    connections: tuple[ConnectionState, ...] = ()

    def worker(self) -> Worker:
        """Make this process's worker."""
        settings = self.settings.worker
        return Worker(
            name=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}",
            store=self.store,
            looker=self.looker,
            receiver=self.receiver,
            clock=self.clock,
            concurrency=settings.concurrency,
            lease_seconds=settings.lease.total_seconds(),
            on_look=self._count_look,
        )

    def jobs(self) -> JobRunner:
        """Make this process's share of the schedules."""
        settings = self.settings
        pool = self.store.database.pool
        runner = JobRunner(pool=pool)
        runner.every(settings.clarus.poll_open_orders_every, "poll_warehouse", self.nets.poll_warehouse)
        for shop in settings.shops:
            runner.every(settings.sweep.every, f"sweep_shop_{shop.key}", call(self.nets.sweep_shop, shop.key))
            if shop.subscribe_webhooks and shop.mode == "act":
                runner.every(timedelta(hours=1), f"subscriptions_{shop.key}", call(self.mend_subscriptions, shop))
        runner.every(settings.sweep.every, "sweep_orders", self.sweep_orders)
        runner.every(timedelta(seconds=30), "rulebook", self.wake_stopped)
        runner.every(timedelta(minutes=1), "money", self.money.reconcile_due)
        runner.every(settings.stock.publish_every, "stock", self.stock.publish)
        runner.every(timedelta(seconds=5), "stock_hints", self.stock.publish_hinted)
        return runner

    async def sweep_orders(self) -> object:
        sweep = self.settings.sweep
        return await self.nets.sweep_orders(not_looked_for=sweep.every, sample=sweep.sample)

    async def wake_stopped(self) -> object:
        """Wake what the rulebook stopped under an earlier version than today's: a net under the publication itself."""
        return await self.rulebooks.wake_stopped(now=self.clock.now(), sooner_than=timedelta(minutes=10))

    async def mend_subscriptions(self, shop: ShopSettings) -> object:
        """Create the webhook subscriptions of a shop that are missing. In observe mode nothing is created."""
        if shop.mode == "observe" or not shop.subscribe_webhooks:
            return None
        callback = f"{self.settings.server.public_url.rstrip('/')}/webhooks/shopify"
        return await self.nets.mend_subscriptions(shop.key, callback)

    def app_parts(self, *, on_stored: Callable[[], None] = lambda: None) -> AppParts:
        """Everything that the HTTP application needs."""
        settings = self.settings

        async def wake(shop: str, order_id: str) -> None:
            await self.store.wake(shop=shop, order_id=order_id, at=self.clock.now(), because="a person asked")

        parts = AppParts(
            clock=self.clock,
            reads=self.reads,
            actions=self.actions,
            access=self.access,
            wake=wake,
            replay=self.replay,
            audit=self.audit,
            connections=lambda: self.connections,
            record_inbox=self.store.record_inbox,
            shopify=ShopifyDoor(
                parse_headers=parse_headers,
                verify_signature=verify_signature,
                shops={shop.domain.lower(): (shop.key, shop.webhook_secrets) for shop in settings.shops},
            ),
            clarus=ClarusDoor(token=settings.clarus.webhook_token.get_secret_value()),
            public_url=settings.server.public_url,
            shops=[shop.key for shop in settings.shops],
            money=self.money_reports,
            stock=self.stock_counter,
            rulebooks=self.rulebook_desk(),
            settings=settings,
            zone=settings.money.zone,
            store_gone=(StoreUnavailable,),
            metrics=self.metrics,
            version=__version__,
            on_stored=on_stored,
        )
        return replace(parts, extra_mounts=[("/mcp", mcp_server(parts, settings))])

    def rulebook_desk(self) -> RulebookDesk:
        """Where people work on the rulebook."""
        catalogue = self.warehouse.catalogue
        return RulebookDesk(
            versions=self.rulebooks,
            orders=self.store,
            codes=WarehouseCodes(
                accounts=lambda: catalogue.find_codes(CodeKind.ACCOUNT),
                warehouses=lambda: catalogue.find_codes(CodeKind.WAREHOUSE),
                services=catalogue.find_services,
                products=catalogue.find_products,
            ),
            policies=self.looker.policies,
            unreadable=(CodecError, SealBroken),
        )

    def context(self, actor: Actor) -> OperationContext:
        """The operations' context for one actor, for skins without HTTP."""
        return self.app_parts().context(actor)

    async def audit(self, *, actor: str, action: str, subject: str, shop: str, reason: str, now: datetime) -> None:
        """Append to the audit."""
        async with self.store.database.session() as session:
            await record_audit(session, at=now, actor=actor, action=action, subject=subject, shop=shop, reason=reason)

    async def replay(self, order: int, *, rulebook: int | None) -> Mapping[str, Any]:
        """Decide an order again from its stored facts, under another version of the rulebook if one is named."""
        return await self.rulebook_desk().replay(order, rules=self.rules.current, rulebook=rulebook)

    async def _correct_stock(self, shop: str, skus: Sequence[str]) -> object:
        await self.stock.note_restock(shop, skus)
        return await self.stock.publish_hinted()

    def _count_look(self, lease: Lease, result: LookResult, seconds: float) -> None:
        state = result.decision.state if result.decision else None
        if result.failed:
            kind = "try_again"
        elif state is not None and state.is_settled:
            kind = "settled"
        elif state is not None and state.value == "stopped":
            kind = "stopped"
        else:
            kind = "lost" if result.decision is None else "look_again"
        skus = skus_to_correct(result.decision) if result.decision is not None else ()
        if skus:
            # An edit after the pick put units back on sale that are in a tote: corrected now, not at the next interval.
            task = asyncio.get_running_loop().create_task(self._correct_stock(lease.shop, skus))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        self.metrics.looks.labels(kind).inc()
        self.metrics.look_seconds.observe(seconds)


@asynccontextmanager
async def open_installation(
    settings: Settings, *, migrate: bool = True, pool_size: int = 10
) -> AsyncIterator[Installation]:
    """Open the database (starting the embedded one when none is named) and put everything together.

    Raises EmbeddedPostgresFailed or StoreUnavailable when there is no database, MigrationNeeded when `migrate` is
    False and the schema is behind.
    """
    async with contextlib.AsyncExitStack() as stack:
        dsn = settings.database_url
        if not dsn:
            embedded = EmbeddedPostgres(settings.data_dir)
            dsn = await asyncio.to_thread(embedded.start)
            stack.callback(embedded.stop)
            await stack.enter_async_context(kept_running(embedded))
        if migrate or not settings.database_url:
            await migrations.migrate(dsn)
        else:
            await migrations.check(dsn)
        sealer = Sealer.from_setting(settings.secret_key.get_secret_value())
        store = await PostgresStore.open(
            dsn,
            sealer,
            max_size=pool_size,
            intake_seconds=0.8,
            claim_seconds=settings.worker.lease.total_seconds(),
        )
        stack.push_async_callback(store.aclose)
        installation = _assemble(settings, store, sealer, stack)
        await installation.rules.refresh()
        keeping_up = asyncio.create_task(installation.rules.keep_up())
        stack.callback(keeping_up.cancel)
        yield installation


def _assemble(
    settings: Settings, store: PostgresStore, sealer: Sealer, stack: contextlib.AsyncExitStack
) -> Installation:
    clock, metrics = RealClock(), Metrics()
    connections: list[ConnectionState] = []
    armed = os.environ.get("PICKGATE_FAILPOINT")
    failpoint = Failpoint(armed) if armed else None

    def connect(vendor: str, name: str) -> MeteredTransport:
        wire = AiohttpTransport()
        stack.push_async_callback(wire.close)
        connections.append(ConnectionState(name=name, kind=vendor))
        transport = wire if failpoint is None else ArmedTransport(wire, vendor, failpoint)
        return MeteredTransport(transport, vendor, metrics, connections[-1], clock)

    shops = {
        shop.key: ShopifyShop(shop, transport=connect("shopify", shop.key), clock=clock) for shop in settings.shops
    }
    warehouse = ClarusWarehouse(settings.clarus, connect("clarus", settings.clarus.subdomain or "clarus"), clock)
    rulebooks = RulebookRows(store.database)
    money_rows = MoneyRows(store.database)
    keeper = RulesKeeper(
        versions=rulebooks,
        build=lambda number, tables: Rulebook(number, Tables.from_json(tables)),
        current=Rulebook.empty(),
    )

    def count_effect(command: Command, outcome: Outcome) -> None:
        kind = command.key.partition(":")[0]
        metrics.effects.labels(kind, outcome_word(outcome)).inc()

    if failpoint is not None:  # a test wants this process to die at a certain place
        store = arm_store(store, failpoint)
    looker = Looker(
        store=store,
        shops=shops if failpoint is None else {key: arm_port(shop, failpoint) for key, shop in shops.items()},
        warehouse=warehouse if failpoint is None else arm_port(warehouse, failpoint),
        rules=keeper.rules,
        policies={shop.key: policy_of(shop, settings.clarus) for shop in settings.shops},
        clock=clock,
        on_effect=count_effect,
    )
    receiver = Receiver(
        store=store,
        shops=shops,
        parsers={"shopify": ShopifyHints(), "clarus": ClarusHints()},
        clock=clock,
        hint_delay_seconds=settings.server.hint_delay.total_seconds(),
    )
    nets = NetFlows(store=store, shops=shops, warehouse=warehouse, clock=clock)
    stock_store = PostgresStock(store.database, store)
    stock = StockFlows(
        store=stock_store,
        shops={key: ShopifyStock(shop.client, shop=key) for key, shop in shops.items()},
        warehouse=ClarusStock(warehouse.client, warehouse.catalogue, page_size=settings.clarus.page_size),
        rules=keeper.rules,
        policy=stock_policy_of(settings.stock),
        clock=clock,
        holder=f"{socket.gethostname()}:{os.getpid()}",
        freshen=freshening(nets),
        observed=frozenset(shop.key for shop in settings.shops if shop.mode == "observe"),
    )

    async def stock_hint(body: bytes) -> None:
        await stock.note_products(parse_stock_hint(body))

    receiver.on_stock_hint = stock_hint
    return Installation(
        settings=settings,
        clock=clock,
        store=store,
        reads=Reads(store.database, sealer),
        actions=OperatorActions(store.database),
        access=Access(store.database),
        rulebooks=rulebooks,
        rules=keeper,
        shops=shops,
        warehouse=warehouse,
        looker=looker,
        receiver=receiver,
        nets=nets,
        metrics=metrics,
        money=MoneyFlow(
            store=money_rows,
            clock=clock,
            shops={key: ShopifyMoney(shop.client, clock=clock) for key, shop in shops.items()},
        ),
        money_reports=MoneyReports(store=money_rows, clock=clock, zone=settings.money.zone),
        stock=stock,
        stock_counter=StockCounter(flows=stock, rows=stock_store),
        tasks=set(),
        connections=tuple(connections),
    )
