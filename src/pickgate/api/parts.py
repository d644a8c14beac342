"""What the HTTP application is put together from. Bootstrap fills it; nothing here knows a concrete thing."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from pickgate.api.intake import ClarusDoor, ShopifyDoor
from pickgate.clock import Clock
from pickgate.flows.money_reports import MoneyReports
from pickgate.flows.ports import InboxItem
from pickgate.metrics import Metrics
from pickgate.operations.context import OperationContext
from pickgate.operations.ports import Access, Audit, Connection, OperatorActions, Reads, Replay, Wake
from pickgate.operations.roles import Actor
from pickgate.operations.rulebook_desk import RulebookDesk
from pickgate.operations.stock_ports import StockDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class AppParts:
    """Everything `create_app` needs.

    Args:
        record_inbox: `Store.record_inbox`.
        store_gone: The error classes that mean "the database is out of reach": answered 503, never 500.
        public_url: Decides the cookie's `__Host-` prefix and `Secure`, HSTS, and the origin that forms must come from.
        version: Shown in the OpenAPI document and on the health page.
        connections: How the last calls to each vendor went, for the health page; none: the page says so.
        money: The month's reports; none: this process has no ledger, and says so.
        rulebooks: The rulebook's versions, checks and back-tests; none: this process has none, and says so.
        settings: What this process was started with, for the settings page, which masks secrets.
        zone: The time zone in which people read times, by its IANA name.
        stock: Stock levels and their publication; none: this process does not publish, and says so.
        on_stored: Told after webhooks were committed, so that a worker in this process need not wait for its timer.
        live_seconds: How often open pages' watcher asks the store whether anything changed.
        random_bytes: A cryptographic source, for session ids.
        extra_mounts: Other skins in the same process, each an ASGI application at one path, such as ("/mcp", app).
    """

    clock: Clock
    reads: Reads
    actions: OperatorActions
    access: Access
    wake: Wake
    replay: Replay
    audit: Audit
    record_inbox: Callable[[Sequence[InboxItem]], Awaitable[Sequence[bool]]]
    shopify: ShopifyDoor
    clarus: ClarusDoor
    public_url: str
    shops: Sequence[str] = ()
    store_gone: tuple[type[Exception], ...] = ()
    metrics: Metrics = field(default_factory=Metrics)
    version: str = "0"
    connections: Callable[[], Sequence[Connection]] = tuple
    money: MoneyReports | None = None
    stock: StockDesk | None = None
    rulebooks: RulebookDesk | None = None
    settings: BaseModel | None = None
    zone: str = "UTC"
    on_stored: Callable[[], None] = lambda: None
    live_seconds: float = 2.0
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    extra_mounts: Sequence[tuple[str, Any]] = ()

    def context(self, actor: Actor) -> OperationContext:
        """Return the operations' context for one actor."""
        return OperationContext(
            actor=actor,
            reads=self.reads,
            actions=self.actions,
            wake=self.wake,
            replay=self.replay,
            audit=self.audit,
            connections=self.connections,
            clock=self.clock,
            metrics=self.metrics,
            money=self.money,
            stock=self.stock,
            rulebooks=self.rulebooks,
            settings=self.settings,
        )
