"""The judge. Its truth is the twins' histories; from Pickgate it takes only its words: exceptions, gates, and when.

Each violation names the law, the order, and the evidence. A word excuses only the difference that it is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pickgate.simulation.docket import (
    AtRest,
    Bounds,
    Docket,
    SeenException,
    SeenGate,
    Violation,
    Word,
    exceptions_by_order,
)
from pickgate.simulation.laws import LAWS
from pickgate.simulation.truth import GoodsOutTruth, OrderTruth, read_truth

__all__ = [
    "AtRest",
    "Bounds",
    "Docket",
    "GoodsOutTruth",
    "Oracle",
    "OrderTruth",
    "SeenException",
    "SeenGate",
    "Violation",
    "Word",
    "read_truth",
]


class Oracle:
    """Checks the laws over whole histories. Call `judge` at rest. `more`: what `Docket` can hold."""

    def __init__(
        self,
        orders: Mapping[str, OrderTruth],
        exceptions: Sequence[SeenException],
        bounds: Bounds | None = None,
        *,
        docket: Docket | None = None,
    ) -> None:
        self._orders = orders
        by_order = exceptions_by_order(exceptions)
        self.docket = docket or Docket(bounds=bounds or Bounds(), exceptions=by_order)
        self.docket.exceptions = by_order
        if self.docket.end is None:
            self.docket.end = max((order.last_event_at for order in orders.values()), default=None)

    def judge(self) -> list[Violation]:
        """Return every violation found, order by order."""
        found: list[Violation] = []
        for order in self._orders.values():
            for law in LAWS:
                found += law(order, self.docket, self._orders)
        return found
