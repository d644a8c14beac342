"""What the stock flow needs from the outside, as Protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pickgate.domain.facts import Unreadable
from pickgate.domain.findings import Finding
from pickgate.domain.rules import Place
from pickgate.domain.stock import LastLevel, LevelKey, SeenUnits, ShopLevel, StockLine
from pickgate.domain.stock_policy import Balance
from pickgate.flows.ports import Confirmed, NotSent, OutcomeNotKnown, Refused

MOST_IN_A_BATCH = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopLocation:
    """A place in the shop where stock is counted. `id` is the shop's number, as text."""

    id: str
    name: str
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """One level to set, with the value that it must still have."""

    item_id: str
    level_id: str
    sku: str
    quantity: int
    change_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StockBatch:
    """One call: at most `MOST_IN_A_BATCH` items of one location. `key` is stored before it is sent."""

    key: str
    shop: str
    place: Place
    location_id: str
    on_hand: bool
    items: tuple[BatchItem, ...]
    snapshot_at: datetime
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SomeRefused:
    """Nothing of the batch was set, because of these items: index → the shop's code. STALE means a changed value.

    Empty: the shop did not say which.
    """

    items: Mapping[int, str] = field(default_factory=dict)
    problem: str = ""


STALE = "STALE"
BatchOutcome = Confirmed | SomeRefused | Refused | OutcomeNotKnown | NotSent


class StockShopPort(Protocol):
    """One shop's stock. Reads never raise for the vendor's sake: they answer Unreadable."""

    async def read_locations(self) -> tuple[ShopLocation, ...] | Unreadable: ...

    async def read_levels(self, location_id: str) -> tuple[ShopLevel, ...] | Unreadable:
        """Read every active level of a location, all pages. `products` are left empty."""
        ...

    async def read_levels_by_id(self, level_ids: Sequence[str]) -> tuple[ShopLevel, ...] | Unreadable:
        """Read levels again. One that is gone is left out."""
        ...

    async def set_quantities(self, batch: StockBatch) -> BatchOutcome:
        """Set a batch, all or nothing, under its key: the same batch again is the same change."""
        ...


class StockWarehousePort(Protocol):
    async def read_balances(
        self, place: Place, codes: Sequence[str] | None
    ) -> Mapping[str, Balance | Unreadable] | Unreadable:
        """Read what a place has, of all products or of these. A product without a record is left out."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceState:
    """A place as claimed for one publication. `epoch` fences off whoever held it before."""

    epoch: int
    published_snapshot_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLevel:
    """A level as last compared: where to read it again, and what sells there."""

    key: LevelKey
    level_id: str
    sku: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StockHint:
    """Something whose stock may have moved: a warehouse product (`shop` empty), or a SKU of a shop.

    `urgent`: the shop may be selling what is not there.
    """

    code: str
    shop: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelNote:
    """What a publication learnt of a level. `published`: units available that were set; None: not known, or none."""

    key: LevelKey
    published: int | None = None
    refused: str = ""


class StockStore(Protocol):
    """What the stock flow remembers. PostgreSQL, and a memory twin."""

    async def claim_place(self, place: Place, *, holder: str, now: datetime, lease_seconds: float) -> PlaceState | None:
        """Take a place for one publication; None while another has it. An expired claim is taken over."""
        ...

    async def release_place(
        self, place: Place, *, epoch: int, published_snapshot_at: datetime | None, held: str, now: datetime
    ) -> None:
        """Give it back. `held`: why nothing was published, for the list; a stale epoch changes nothing."""
        ...

    async def units_in_warehouse(
        self,
        place: Place,
        shops: Sequence[str],
        *,
        before: datetime,
        now: datetime,
        allocated_only: bool,
    ) -> Mapping[tuple[str, str, str], SeenUnits]:
        """Count committed units that are in the warehouse, by shop, location and SKU: `domain/stock_seen.py`.

        Proven: their order was last looked at before `before`, and is neither being looked at nor due at `now`.
        """
        ...

    async def units_since_snapshot(self, place: Place, *, begun_at: datetime, now: datetime) -> Mapping[str, int]:
        """Count what orders of any shop may have taken since, beyond what their shops commit. By product code.

        Of orders looked at since `begun_at`, or being looked at: `domain/stock_seen.py`.
        """
        ...

    async def load_levels(self, place: Place, keys: Sequence[LevelKey] | None) -> Mapping[LevelKey, LastLevel]:
        """What is remembered of these levels, or of all of a place."""
        ...

    async def find_levels(
        self, place: Place, *, codes: Sequence[str], skus: Sequence[tuple[str, str]] = ()
    ) -> Sequence[KnownLevel]:
        """Levels that sell one of these products, and those of these (shop, SKU)."""
        ...

    async def record_lines(
        self, place: Place, lines: Sequence[StockLine], *, snapshot_at: datetime, now: datetime, whole: bool
    ) -> None:
        """Remember what was compared. `whole`: the place's other levels are gone, and are forgotten."""
        ...

    async def note_conflicts(self, place: Place, keys: Sequence[LevelKey]) -> None:
        """Count one more publication in which these levels would not hold still. Setting one ends the count."""
        ...

    async def begin_batch(self, batch: StockBatch, *, epoch: int | None, now: datetime) -> bool:
        """Write the batch down as sent. False, writing nothing, when the place is held under another epoch.

        `epoch` None: an urgent correction that did not wait for the place; the values expected guard it.
        """
        ...

    async def finish_batch(
        self, key: str, *, state: str, note: str, levels: Sequence[LevelNote], now: datetime
    ) -> None:
        """Record what became of it (`confirmed`, `refused`, `unknown`, `lost`) and of its levels."""
        ...

    async def open_batches(self, place: Place) -> Sequence[StockBatch]:
        """Batches whose outcome is not known, oldest first."""
        ...

    async def record_hints(self, hints: Sequence[StockHint], *, now: datetime) -> None: ...

    async def take_hints(self, *, limit: int) -> Sequence[StockHint]:
        """Take hints, urgent ones first; they are gone afterwards. A lost one is found by the whole comparison."""
        ...

    async def raise_shop_finding(self, *, shop: str, scope: str, findings: Sequence[Finding], now: datetime) -> None:
        """Make exactly these exceptions of one scope hold for a shop."""
        ...
