"""Everything an operation may use: who asks, and the ports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel

from pickgate.clock import Clock
from pickgate.flows.money_reports import MoneyReports
from pickgate.metrics import Metrics
from pickgate.operations.ports import Audit, Connection, OperatorActions, Reads, Replay, Wake
from pickgate.operations.roles import Actor
from pickgate.operations.rulebook_desk import RulebookDesk
from pickgate.operations.stock_ports import StockDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationContext:
    """One actor's view of one Pickgate. Skins build one per request."""

    actor: Actor
    reads: Reads
    actions: OperatorActions
    wake: Wake
    replay: Replay
    audit: Audit
    clock: Clock
    connections: Callable[[], Sequence[Connection]] = tuple
    metrics: Metrics = field(default_factory=Metrics)
    stock: StockDesk | None = None
    money: MoneyReports | None = None
    rulebooks: RulebookDesk | None = None
    settings: BaseModel | None = None

    def now(self) -> datetime:
        return self.clock.now()
