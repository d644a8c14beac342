"""Sending batches of levels: written down first, one bad item never stopping the others, nothing repeated blindly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from pickgate.clock import Clock
from pickgate.domain.rules import Place
from pickgate.domain.stock import LevelKey, StockChange
from pickgate.flows.ports import Confirmed, NotSent, OutcomeNotKnown, Refused
from pickgate.flows.stock_ports import (
    MOST_IN_A_BATCH,
    STALE,
    BatchItem,
    BatchOutcome,
    LevelNote,
    SomeRefused,
    StockBatch,
    StockShopPort,
    StockStore,
)

NEVER_SETTABLE = frozenset({"NON_MUTABLE_INVENTORY_ITEM"})
_ASK_AGAIN_FOR = timedelta(minutes=10)


class PlaceLost(Exception):
    """Another worker publishes this place now."""


@dataclass(slots=True)
class Sent:
    """What became of the changes. `stale`: somebody else's value was there; `unknown`: no answer came."""

    published: dict[LevelKey, int] = field(default_factory=dict)
    stale: set[LevelKey] = field(default_factory=set)
    refused: dict[LevelKey, str] = field(default_factory=dict)
    unknown: set[LevelKey] = field(default_factory=set)
    stopped: dict[str, str] = field(default_factory=dict)  # shop → why nothing more was sent to it
    codes: set[str] = field(default_factory=set)  # exception codes that a person must solve first
    calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """A part of the changes of one location, not yet a batch."""

    shop: str
    location_id: str
    changes: tuple[StockChange, ...]


@dataclass(slots=True, kw_only=True)
class StockSender:
    store: StockStore
    shops: Mapping[str, StockShopPort]
    clock: Clock
    on_hand: bool

    async def send(
        self, place: Place, changes: Sequence[StockChange], *, epoch: int | None, snapshot_at: datetime, into: Sent
    ) -> None:
        """Send the changes, the most urgent batch first. Raises PlaceLost."""
        shares = _shares(changes)
        # A refused batch is sent again without what was refused; each further try has a smaller batch.
        most_calls = into.calls + 3 * len(shares) + 20
        while shares:
            share = shares.pop(0)
            if share.shop in into.stopped:
                continue
            if into.calls >= most_calls:
                into.stopped[share.shop] = "too many refusals in one publication"
                continue
            shares[:0] = await self._send_one(place, share, epoch, snapshot_at, into)

    async def settle_open(self, place: Place) -> set[LevelKey]:
        """Find out what became of batches without an answer. Returns the levels of which it is still not known.

        The same batch under the same key is the same change, and it only takes effect on unchanged levels, so asking
        again is safe while its figures are fresh. Later the levels are simply read again.
        """
        open_levels: set[LevelKey] = set()
        for batch in await self.store.open_batches(place):
            now = self.clock.now()
            port = self.shops.get(batch.shop)
            keys = [(batch.shop, batch.location_id, item.item_id) for item in batch.items]
            if port is None or now - batch.snapshot_at >= _ASK_AGAIN_FOR:
                await self._finish(batch, "lost", "too old to ask again: the levels are read instead", ())
                continue
            match await port.set_quantities(batch):
                case Confirmed():
                    await self._finish(batch, "confirmed", "asked again", _notes(batch))
                case SomeRefused() | Refused() as answer:
                    await self._finish(batch, "refused", f"asked again: {answer.problem}", ())
                case NotSent() | OutcomeNotKnown():
                    open_levels.update(keys)
        return open_levels

    async def _send_one(
        self, place: Place, share: _Share, epoch: int | None, snapshot_at: datetime, into: Sent
    ) -> list[_Share]:
        batch = _batch(place, share, on_hand=self.on_hand, snapshot_at=snapshot_at)
        if not await self.store.begin_batch(batch, epoch=epoch, now=self.clock.now()):
            raise PlaceLost(f"{place.account}/{place.warehouse}")
        into.calls += 1
        outcome = await self.shops[share.shop].set_quantities(batch)
        if isinstance(outcome, OutcomeNotKnown):
            await self.clock.sleep(1.0)
            into.calls += 1
            outcome = await self.shops[share.shop].set_quantities(batch)
        return await self._settle(batch, share, outcome, into)

    async def _settle(self, batch: StockBatch, share: _Share, outcome: BatchOutcome, into: Sent) -> list[_Share]:
        keys = [change.key for change in share.changes]
        match outcome:
            case Confirmed():
                await self._finish(batch, "confirmed", "", _notes(batch, share))
                into.published.update((change.key, change.line.target) for change in share.changes)
            case SomeRefused(items=items, problem=problem) if items:
                await self._finish(batch, "refused", problem, _refusals(keys, items))
                for index, code in items.items():
                    if code == STALE:
                        into.stale.add(keys[index])
                    else:
                        into.refused[keys[index]] = code
                return _without(share, items)
            case SomeRefused(problem=problem):
                await self._finish(batch, "refused", problem, ())
                if len(share.changes) > 1:
                    return _halves(share)
                into.refused[keys[0]] = problem
            case Refused(problem=problem):
                await self._finish(batch, "refused", problem, ())
                into.stopped[share.shop] = problem
                into.codes.add("SHOP_REFUSED")
            case NotSent(why=why, exception_code=code):
                await self._finish(batch, "lost", why, ())
                into.stopped[share.shop] = why
                if code is not None:
                    into.codes.add(code)
            case OutcomeNotKnown(why=why):
                await self._finish(batch, "unknown", why, ())
                into.unknown.update(keys)
        return []

    async def _finish(self, batch: StockBatch, state: str, note: str, levels: Sequence[LevelNote]) -> None:
        await self.store.finish_batch(batch.key, state=state, note=note[:500], levels=levels, now=self.clock.now())


def _shares(changes: Sequence[StockChange]) -> list[_Share]:
    """Cut into batches by location, keeping the order; the batch with the most urgent level goes first."""
    by_location: dict[tuple[str, str], list[StockChange]] = {}
    rank = {change.key: number for number, change in enumerate(changes)}
    for change in changes:
        level = change.line.level
        by_location.setdefault((level.shop, level.location_id), []).append(change)
    shares = [
        _Share(shop=shop, location_id=location_id, changes=tuple(found[start : start + MOST_IN_A_BATCH]))
        for (shop, location_id), found in by_location.items()
        for start in range(0, len(found), MOST_IN_A_BATCH)
    ]
    return sorted(shares, key=lambda share: rank[share.changes[0].key])


def _batch(place: Place, share: _Share, *, on_hand: bool, snapshot_at: datetime) -> StockBatch:
    items = tuple(
        BatchItem(
            item_id=change.line.level.item_id,
            level_id=change.line.level.level_id,
            sku=change.line.level.sku,
            quantity=change.quantity,
            change_from=change.change_from,
        )
        for change in share.changes
    )
    # The same change by the same figures has the same key; after a new read it is a new one.
    told = repr((share.shop, share.location_id, on_hand, snapshot_at.isoformat(), items))
    digest = sha256(told.encode()).hexdigest()[:32]
    return StockBatch(
        key=f"stock-{digest}",
        shop=share.shop,
        place=place,
        location_id=share.location_id,
        on_hand=on_hand,
        items=items,
        snapshot_at=snapshot_at,
        reference=f"gid://pickgate/StockSnapshot/{snapshot_at:%Y%m%dT%H%M%S%f}",
    )


def _notes(batch: StockBatch, share: _Share | None = None) -> list[LevelNote]:
    """`published` is what can be sold; of an older batch on hand it is not kept, and the next comparison tells."""
    targets = {change.key: change.line.target for change in share.changes} if share else {}
    notes = []
    for item in batch.items:
        key = batch.shop, batch.location_id, item.item_id
        published = targets.get(key, None if batch.on_hand else item.quantity)
        notes.append(LevelNote(key=key, published=published))
    return notes


def _refusals(keys: Sequence[LevelKey], items: Mapping[int, str]) -> list[LevelNote]:
    return [LevelNote(key=keys[index], refused=code) for index, code in items.items() if code in NEVER_SETTABLE]


def _without(share: _Share, items: Mapping[int, str]) -> list[_Share]:
    rest = tuple(change for index, change in enumerate(share.changes) if index not in items)
    return [_Share(shop=share.shop, location_id=share.location_id, changes=rest)] if rest else []


def _halves(share: _Share) -> list[_Share]:
    middle = len(share.changes) // 2
    parts = share.changes[:middle], share.changes[middle:]
    return [_Share(shop=share.shop, location_id=share.location_id, changes=part) for part in parts]
