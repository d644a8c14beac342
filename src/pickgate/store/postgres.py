"""`PostgresStore`: the flows' `Store` on PostgreSQL, put together from one part for each topic."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pickgate.crypto import Sealer
from pickgate.store.connection import Database
from pickgate.store.effects import EffectRows
from pickgate.store.exceptions import ExceptionRows
from pickgate.store.inbox import CLAIM_SECONDS, InboxRows
from pickgate.store.looks import LookRows
from pickgate.store.orders import OrderRows
from pickgate.store.wakes import WakeBell, WakeListener


class PostgresStore(OrderRows, LookRows, EffectRows, ExceptionRows, InboxRows):
    """Satisfies `flows.ports.Store`. Make it with `open`; the schema must be migrated before."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        *,
        intake_seconds: float = 3.0,
        claim_seconds: float = CLAIM_SECONDS,
    ) -> None:
        self._bell = WakeBell(database)
        InboxRows.__init__(
            self,
            database,
            sealer,
            woken=self._bell.ring,
            intake_seconds=intake_seconds,
            claim_seconds=claim_seconds,
        )
        self.database = database
        self.sealer = sealer

    @classmethod
    async def open(
        cls,
        dsn: str,
        sealer: Sealer,
        *,
        max_size: int = 10,
        acquire_seconds: float = 1.0,
        intake_seconds: float = 3.0,
        claim_seconds: float = CLAIM_SECONDS,
    ) -> PostgresStore:
        """Connect. Raises StoreUnavailable.

        `claim_seconds`: webhooks that a worker took and did not settle by then are offered to the next.
        """
        database = await Database.open(dsn, max_size=max_size, acquire_seconds=acquire_seconds)
        return cls(database, sealer, intake_seconds=intake_seconds, claim_seconds=claim_seconds)

    async def aclose(self) -> None:
        await self._bell.aclose()
        await self.database.aclose()

    async def listen(self, callback: Callable[[], None]) -> Callable[[], Awaitable[None]]:
        """Call `callback` when an order was woken or a webhook stored, by any process. Returns what ends it.

        Notifications may be lost (a lost connection, a crash): poll as well.
        """
        listener = WakeListener(self.database.dsn, callback)
        await listener.start()
        return listener.aclose
