"""Everything a decision may look at. What could not be read is a fact too, never an empty answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from pickgate.domain.shop import ShopOrder
from pickgate.domain.warehouse import Content, GoodsOut, Parcel


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Could not be read, so nothing may be concluded from it. `code` is an exception code when a person must act."""

    why: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A complete read answered: there is no such thing."""


class RecordState(Enum):
    """What we know of a goods-out that we decided to create."""

    CREATING = "creating"  # intended or sent; whether the warehouse has it is not known yet
    LIVE = "live"
    RECALLING = "recalling"  # recall asked for; not yet confirmed
    RECALLED = "recalled"  # the warehouse confirmed: cancelled or gone
    FINISHED = "finished"  # despatched as far as it will be
    REFUSED = "refused"  # the warehouse would not take it


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsOutRecord:
    """Our own record of one goods-out, by reference. `content` is what we last knew the warehouse to have accepted.

    `told`: units by order line that the shop has been told have left. `verified`: the warehouse once showed exactly
    this content. `amend_refused`: the warehouse refused an amendment, so a later change is recalled and reissued.
    `picked`: units picked when last seen, by product. `left_at`: since when something has left that the shop has not
    been told of.
    """

    reference: str
    number: int
    fulfilment_order_id: str
    group: str
    generation: int
    content: Content
    state: RecordState
    clarus_id: str | None = None
    verified: bool = False
    amend_refused: bool = False
    recall_refused: str | None = None
    recall_asked_at: datetime | None = None
    told: tuple[tuple[str, int], ...] = ()
    picked: tuple[tuple[str, int], ...] = ()
    stage_code: str = ""
    put_back: tuple[tuple[str, int], ...] = ()
    parcels_told: tuple[str, ...] = ()
    created_at: datetime | None = None
    finished_at: datetime | None = None
    left_at: datetime | None = None

    @property
    def may_be_live(self) -> bool:
        """Anything that the warehouse may still send."""
        return self.state in (RecordState.CREATING, RecordState.LIVE, RecordState.RECALLING)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEffect:
    """An effect of ours whose outcome nobody knows yet. Only a probe leads out."""

    key: str
    kind: str
    target: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedEffect:
    """The newest answer to a command with this key was "no", for good: repeating it would get the same answer."""

    key: str
    kind: str
    target: str
    code: str
    problem: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorHold:
    """A person said: not yet. `until` is None when only a person may end it."""

    by: str
    reason: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person said: go on. Opens every gate that a person may open, for this content of the order only."""

    by: str
    reason: str
    at: datetime
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest:
    """A person said: take it back from the warehouse and hold it."""

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Our own memory of one order."""

    first_seen_at: datetime
    goods_outs: tuple[GoodsOutRecord, ...] = ()
    unknown: tuple[UnknownEffect, ...] = ()
    refused: tuple[RefusedEffect, ...] = ()
    hold: OperatorHold | None = None
    approval: Approval | None = None
    cancel_request: CancelRequest | None = None
    lock_confirmed_at: datetime | None = None
    gates_since: Mapping[str, datetime] = field(default_factory=dict)
    carried_from: str | None = None


class KinFate(Enum):
    """What has become of a related order at the warehouse."""

    NEVER_SENT = "never_sent"
    LIVE = "live"
    PICKING = "picking"
    RECALLED = "recalled"
    DESPATCHED = "despatched"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """Another order of the same shop that may be this one's predecessor or successor."""

    id: str
    name: str
    created_at: datetime
    tags: tuple[str, ...] = ()
    cancelled_at: datetime | None = None
    closed: bool = False
    customer_id: str | None = None
    app_name: str = ""
    skus: tuple[str, ...] = ()
    fate: KinFate = KinFate.UNKNOWN
    named_in_note: bool = False

    @property
    def is_out_of_the_way(self) -> bool:
        """Cancelled in the shop, and nothing of it can leave the warehouse any more."""
        return self.cancelled_at is not None and self.fate in (KinFate.NEVER_SENT, KinFate.RECALLED)

    @property
    def is_too_late(self) -> bool:
        """The warehouse has begun with it, or it has left."""
        return self.fate in (KinFate.PICKING, KinFate.DESPATCHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One look's worth of facts about one order.

    `goods_outs`: every goods-out that the warehouse shows for this order's references, twins included.
    `known_products`: the product codes that the warehouse confirmed; `unknown_products`: the ones it denied. A code in
    neither has not been asked about. `parcels`: by the warehouse's goods-out id.
    """

    shop: str
    order_id: str
    order: ShopOrder | Missing | Unreadable
    goods_outs: tuple[GoodsOut, ...] | Unreadable
    records: Records
    read_at: datetime
    known_products: frozenset[str] = frozenset()
    unknown_products: frozenset[str] = frozenset()
    products_unreadable: Unreadable | None = None
    unknown_services: frozenset[tuple[str, str]] = frozenset()
    kin: tuple[Kin, ...] = ()
    parcels: Mapping[str, tuple[Parcel, ...]] = field(default_factory=dict)
