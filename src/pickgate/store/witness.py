"""What a proof asks of the database when it is over: what was stored, who holds what, what is still to do.

Read-only, and used by no flow.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pickgate.store.connection import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWebhook:
    """One row of the inbox. `verdict` None: nobody has read it yet."""

    source: str
    topic: str
    event_id: str
    webhook_id: str
    verdict: str | None


class Witness:
    """Asks a database. Each method raises StoreUnavailable when there is no answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stored_webhooks(self) -> list[StoredWebhook]:
        """Return every webhook that was stored, oldest first."""
        return [StoredWebhook(**row) for row in await self._database.fetch("stored_webhooks")]

    async def held_by(self, pid: int) -> Mapping[int, int]:
        """Return the orders that the worker of this process holds: their rows, each with the number of its claim."""
        return {row["id"]: row["epoch"] for row in await self._database.fetch("held_orders", pid=str(pid))}

    async def claims_of(self, orders: Collection[int]) -> Mapping[int, int]:
        """Return the number of the last claim of each of these orders."""
        return {row["id"]: row["epoch"] for row in await self._database.fetch("claim_numbers", ids=list(orders))}

    async def left_to_do(self) -> tuple[int, int]:
        """Return how many webhooks nobody has read, and how many effects have an unknown outcome."""
        row = await self._database.fetchrow("left_to_do")
        assert row is not None
        return row["webhooks"], row["effects"]
