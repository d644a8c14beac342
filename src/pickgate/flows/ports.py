"""What the flows need from the outside, as Protocols. `store`, `engine` and `connectors` satisfy them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pickgate.domain.commands import Command, ShopCommand, WarehouseCommand
from pickgate.domain.decision import Decision
from pickgate.domain.facts import (
    Kin,
    Missing,
    Records,
    Unreadable,
)
from pickgate.domain.findings import Finding
from pickgate.domain.shop import ShopOrder
from pickgate.domain.warehouse import GoodsOut, Parcel

# ── outcomes of an effect ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """The other side said yes. `ids`: what it calls the thing now, such as {"clarus_id": "3301"}."""

    ids: Mapping[str, str] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The other side said no, for good: asking the same again would get the same answer. Nothing took effect.

    `partly`: some of a batch did take effect; the next look sees which.
    """

    code: str
    problem: str
    remedy: str = ""
    partly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeNotKnown:
    """It left, and no whole answer came back. Only a probe leads out."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """Nothing took effect: throttled, budget used up, access refused, no connection. Try again, not before `retry_at`.

    `exception_code` names the exception that a person must solve first, such as CREDENTIALS_REFUSED.
    """

    why: str
    retry_at: datetime | None = None
    exception_code: str | None = None


Outcome = Confirmed | Refused | OutcomeNotKnown | NotSent

# Says at an instant whether the look that asks still holds its order. Whoever carries a request checks it last of all,
# after every wait for a token or a turn: by then the process may have been stopped, and somebody else holds the order.
STILL_HELD: ContextVar[Callable[[datetime], bool] | None] = ContextVar("still_held", default=None)


# ── the shop ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged:
    """A row of the sweep: this order changed at `updated_at`."""

    order_id: str
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPage:
    """One page of the sweep. `next_cursor` None: that was the last. `unreadable`: the page failed; conclude nothing."""

    items: tuple[OrderChanged, ...] = ()
    next_cursor: str | None = None
    unreadable: Unreadable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionReport:
    """What the hourly check of webhook subscriptions found and mended. `unreadable`: it could not look."""

    present: tuple[str, ...] = ()
    created: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    unreadable: Unreadable | None = None


class ShopPort(Protocol):
    """One shop. Reads never raise for the vendor's sake: they answer Unreadable."""

    async def read_order(self, order_id: str) -> ShopOrder | Missing | Unreadable:
        """Read one order whole: lines, fulfilment orders, fulfilments, holds, totals; every page, or Unreadable."""
        ...

    async def find_orders_by_name(self, name: str) -> tuple[ShopOrder, ...] | Unreadable: ...

    async def changed_orders(self, *, since: datetime, cursor: str | None) -> ChangedPage: ...

    async def order_of_fulfilment_orders(self, ids: Sequence[str]) -> Mapping[str, str] | Unreadable:
        """Map fulfilment order ids to order ids; an unknown id is left out."""
        ...

    async def send(self, command: ShopCommand) -> Outcome: ...

    async def ensure_subscriptions(self, callback_url: str) -> SubscriptionReport: ...


# ── the warehouse ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsOutAsk:
    """One goods-out to read back. `clarus_id` saves a look-up when known; `account` narrows the one by reference."""

    reference: str
    account: str
    clarus_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductAnswer:
    known: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    unreadable: Unreadable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGoodsOut:
    """One row of the poll: enough to see that something moved."""

    clarus_id: str
    reference: str
    fingerprint: str


class WarehousePort(Protocol):
    """The warehouse. Reads never raise for the vendor's sake: they answer Unreadable."""

    async def read_goods_outs(self, asks: Sequence[GoodsOutAsk]) -> tuple[GoodsOut, ...] | Unreadable:
        """Read goods-outs with lines and quantities. One that is not in the answer does not exist.

        Two goods-outs with one reference are both returned. Concurrent calls are put into one request.
        """
        ...

    async def read_parcels(self, clarus_ids: Sequence[str]) -> Mapping[str, tuple[Parcel, ...]] | Unreadable:
        """Tracking by goods-out id. A goods-out without parcels is left out."""
        ...

    async def find_products(self, codes: Sequence[str]) -> ProductAnswer:
        """Say which product codes the warehouse knows; answers are cached, denials only briefly."""
        ...

    async def poll(self, asks: Sequence[GoodsOutAsk]) -> tuple[OpenGoodsOut, ...] | Unreadable:
        """Read just enough of many goods-outs to see which moved. Absent ones are left out."""
        ...

    async def send(self, command: WarehouseCommand) -> Outcome: ...


# ── the store ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to look at one order. Every write names the epoch; a stale epoch is refused by the database.

    `hints_seen`: how many hints the order had when it was claimed; a release needs that none came since.
    """

    order: int
    shop: str
    order_id: str
    name: str
    epoch: int
    hints_seen: int
    failures: int = 0


class LeaseLost(Exception):
    """Another worker holds this order now. Whatever this look wanted to write is void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """One row of the effect journal: `intended → sent → confirmed | refused | unknown`, and `lost` after a probe."""

    key: str
    kind: str
    target: str
    state: str
    command: Command
    at: datetime
    sent_at: datetime | None = None
    attempts: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """One authentic webhook, as it came. `body` is raw."""

    source: str  # "shopify" or "clarus"
    shop: str
    topic: str
    event_id: str
    webhook_id: str
    body: bytes
    received_at: datetime
    triggered_at: datetime | None = None
    api_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingInbox:
    """An inbox row that has not been turned into a hint yet. `body` decrypted."""

    id: int
    source: str
    shop: str
    topic: str
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxVerdict:
    """What became of an inbox row: hinted (woke orders), ignored (a named rule), duplicate, or exception (owned)."""

    id: int
    verdict: str
    note: str = ""
    wake: tuple[tuple[str, str], ...] = ()  # (shop, order id)
    finding: Finding | None = None


class Store(Protocol):
    """Everything that lasts. PostgreSQL, and a memory twin for the simulation; one conformance suite for both."""

    # inbox
    async def record_inbox(self, items: Sequence[InboxItem]) -> Sequence[bool]:
        """Store webhooks durably, in one commit. Returns False for each that was a duplicate."""
        ...

    async def claim_inbox(self, *, now: datetime, limit: int) -> Sequence[PendingInbox]: ...

    async def settle_inbox(self, verdicts: Sequence[InboxVerdict], *, now: datetime, delay_seconds: float) -> None:
        """Record verdicts and wake the orders they name (created if new), all in one transaction.

        A woken order is looked at `delay_seconds` after `now`, or earlier if it was due earlier.
        """
        ...

    # waking and claiming
    async def wake(self, *, shop: str, order_id: str, at: datetime, because: str, is_hint: bool = True) -> None:
        """Move the order's next look forward to `at` (never later than it was). Creates the order if new."""
        ...

    async def claim(self, *, worker: str, now: datetime, lease_seconds: float, limit: int) -> Sequence[Lease]:
        """Lease due orders: soonest first, one shop's flood not starving others; expired leases are taken over."""
        ...

    async def next_due_at(self) -> datetime | None: ...

    async def renew(self, lease: Lease, *, now: datetime, lease_seconds: float) -> None:
        """Raises LeaseLost."""
        ...

    # one look
    async def load_records(self, lease: Lease) -> Records: ...

    async def pending_effects(self, lease: Lease) -> Sequence[EffectRow]:
        """Effects in `sent` or `unknown`: a sent one that this look did not send itself is unknown."""
        ...

    async def find_kin(
        self,
        lease: Lease,
        *,
        names: Sequence[str],
        customer_id: str | None,
        created_between: tuple[datetime, datetime],
    ) -> Sequence[Kin]: ...

    async def record_decision(
        self,
        lease: Lease,
        *,
        decision: Decision,
        order: ShopOrder | None,
        goods_outs: Sequence[GoodsOut],
        read_at: datetime,
        now: datetime,
        rulebook_version: int,
    ) -> None:
        """In one transaction: order row, goods-out records, gates, exceptions (open, keep, close), journal.

        Wakes kin that the decision names. Raises LeaseLost.
        """
        ...

    async def begin_effect(self, lease: Lease, command: Command, *, now: datetime, needs_no_new_hint: bool) -> bool:
        """Write the journal row as `sent`, and for a creation the goods-out record as CREATING, before a byte leaves.

        Returns False, writing nothing, when `needs_no_new_hint` and a hint came since the claim. Raises LeaseLost.
        """
        ...

    async def finish_effect(self, lease: Lease, command: Command, outcome: Outcome, *, now: datetime) -> None:
        """Record the outcome, and what follows for the goods-out record, in one transaction. Raises LeaseLost."""
        ...

    async def settle_unknown(
        self,
        lease: Lease,
        effect: EffectRow,
        *,
        verdict: str,
        note: str,
        now: datetime,
        clarus_id: str | None = None,
    ) -> None:
        """Record what a probe found: `confirmed`, `lost` (no effect, proven), or `unknown` still. Raises LeaseLost."""
        ...

    async def end_look(self, lease: Lease, *, next_look_at: datetime | None, failed: str | None, now: datetime) -> None:
        """Give the lease back. `failed` counts a failure and keeps its text; None clears the count.

        A hint that came during the look keeps the order due. Raises LeaseLost.
        """
        ...

    async def note(self, lease: Lease, *, kind: str, detail: Mapping[str, Any], now: datetime) -> None:
        """Append to the order's journal."""
        ...

    # nets
    async def find_orders_of_goods_outs(
        self, *, references: Sequence[str], clarus_ids: Sequence[str]
    ) -> Sequence[tuple[str, str]]:
        """The (shop, order id) whose goods-outs carry one of these references or warehouse ids."""
        ...

    async def seen_updates(self, *, shop: str, order_ids: Sequence[str]) -> Mapping[str, datetime]:
        """When each order had last changed in the shop, as of our last look. Unknown orders are left out."""
        ...

    async def open_goods_outs(self, *, after: int, limit: int) -> Sequence[tuple[int, str, str, GoodsOutAsk, str]]:
        """Goods-outs that may be live: (row, shop, order id, ask, fingerprint last seen), by row > after."""
        ...

    async def set_polled(self, seen: Mapping[str, str]) -> None:
        """Remember the poll's fingerprints by reference."""
        ...

    async def orders_to_sweep(
        self, *, now: datetime, not_looked_since: datetime, sample: int, after: int, limit: int
    ) -> Sequence[tuple[int, str, str]]:
        """Orders that are not settled and were not looked at since; on the first page a sample of settled ones too."""
        ...

    async def load_cursor(self, name: str) -> str | None: ...

    async def save_cursor(self, name: str, value: str) -> None: ...

    async def raise_shop_finding(self, *, shop: str, scope: str, findings: Sequence[Finding], now: datetime) -> None:
        """Make exactly these exceptions of one scope ("webhooks", …) hold for a shop: open, keep, close."""
        ...
