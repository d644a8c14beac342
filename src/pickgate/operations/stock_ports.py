"""What the stock operations need: the flow that compares and publishes, and the list of what was compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pickgate.flows.stock import StockFlows
from pickgate.flows.stock_telling import StockReport


class StockRows(Protocol):
    async def list_levels(
        self, *, q: str, shops: frozenset[str] | None, only_differing: bool, limit: int, offset: int
    ) -> tuple[Sequence[Mapping[str, Any]], int]:
        """One page of levels as last compared, by SKU, and how many there are."""
        ...


class StockDesk(Protocol):
    """Where people ask about stock."""

    @property
    def rows(self) -> StockRows: ...

    async def publish(self, *, dry_run: bool, confirmed: bool) -> StockReport: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StockCounter:
    """A `StockDesk` of the flow and the store."""

    flows: StockFlows
    rows: StockRows

    async def publish(self, *, dry_run: bool, confirmed: bool) -> StockReport:
        return await self.flows.publish(dry_run=dry_run, confirmed=confirmed)
