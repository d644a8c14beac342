"""`MemoryStock`: the stock flow's store in plain objects. Same rules, same conformance suite as PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pickgate.domain.findings import Finding
from pickgate.domain.rules import Place
from pickgate.domain.stock import LastLevel, LevelKey, SeenUnits, StockLine
from pickgate.domain.stock_seen import units_in_warehouse, units_since_snapshot
from pickgate.flows.stock_ports import KnownLevel, LevelNote, PlaceState, StockBatch, StockHint
from pickgate.store.memory import MemoryStore
from pickgate.store.memory_rows import MemoryOrder


@dataclass(slots=True)
class _Place:
    epoch: int = 0
    holder: str = ""
    lease_until: datetime | None = None
    published_snapshot_at: datetime | None = None
    held: str = ""


@dataclass(slots=True)
class _Batch:
    batch: StockBatch
    state: str
    note: str = ""


@dataclass(slots=True)
class MemoryStock:
    """Satisfies `flows.stock_ports.StockStore`, beside a `MemoryStore` that has the orders.

    For looking in: `lines` and `last` by level, `batches` by key.
    """

    orders: MemoryStore
    places: dict[Place, _Place] = field(default_factory=dict)
    lines: dict[LevelKey, tuple[Place, StockLine]] = field(default_factory=dict)
    last: dict[LevelKey, LastLevel] = field(default_factory=dict)
    batches: dict[str, _Batch] = field(default_factory=dict)
    hints: dict[tuple[str, str], StockHint] = field(default_factory=dict)

    async def claim_place(self, place: Place, *, holder: str, now: datetime, lease_seconds: float) -> PlaceState | None:
        row = self.places.setdefault(place, _Place())
        if row.lease_until is not None and row.lease_until > now and row.holder != holder:
            return None
        row.epoch, row.holder = row.epoch + 1, holder
        row.lease_until = now + timedelta(seconds=lease_seconds)
        return PlaceState(epoch=row.epoch, published_snapshot_at=row.published_snapshot_at)

    async def release_place(
        self, place: Place, *, epoch: int, published_snapshot_at: datetime | None, held: str, now: datetime
    ) -> None:
        row = self.places[place]
        if row.epoch == epoch and row.lease_until is not None:
            row.lease_until = None
            row.published_snapshot_at = published_snapshot_at or row.published_snapshot_at
            row.held = held

    async def units_in_warehouse(
        self,
        place: Place,
        shops: Sequence[str],
        *,
        before: datetime,
        now: datetime,
        allocated_only: bool,
    ) -> Mapping[tuple[str, str, str], SeenUnits]:
        found: dict[tuple[str, str, str], SeenUnits] = {}
        for row in self.orders.orders.values():
            if row.shop not in shops or row.settled or row.order is None:
                continue
            units = units_in_warehouse(
                row.order, row.sorted_records(), row.goods_outs_seen, place, allocated_only=allocated_only
            )
            for (location_id, sku), count in units.items():
                key = row.shop, location_id, sku
                before_this = found.get(key, SeenUnits())
                if _is_proven(row, before, now):
                    found[key] = replace(before_this, proven=before_this.proven + count)
                else:
                    found[key] = replace(before_this, likely=before_this.likely + count)
        return found

    async def units_since_snapshot(self, place: Place, *, begun_at: datetime, now: datetime) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for row in self.orders.orders.values():
            looked = row.looked_at is not None and row.looked_at >= begun_at
            if row.lease_until is not None or looked:
                units = units_since_snapshot(
                    row.order,
                    row.sorted_records(),
                    place,
                    begun_at=begun_at,
                    is_settled=row.lease_until is None and not _is_due(row, now),
                )
                for code, count in units.items():
                    found[code] = found.get(code, 0) + count
        return found

    async def load_levels(self, place: Place, keys: Sequence[LevelKey] | None) -> Mapping[LevelKey, LastLevel]:
        wanted = self.last if keys is None else keys
        return {key: self.last[key] for key in wanted if key in self.last and self.lines[key][0] == place}

    async def find_levels(
        self, place: Place, *, codes: Sequence[str], skus: Sequence[tuple[str, str]] = ()
    ) -> Sequence[KnownLevel]:
        return [
            KnownLevel(key=key, level_id=line.level.level_id, sku=line.level.sku)
            for key, (owner, line) in sorted(self.lines.items(), key=lambda item: item[0])
            if owner == place
            and (
                (line.level.shop, line.level.sku) in skus
                or any(product.code in codes for product in line.level.products)
            )
        ]

    async def record_lines(
        self, place: Place, lines: Sequence[StockLine], *, snapshot_at: datetime, now: datetime, whole: bool
    ) -> None:
        if whole:
            kept = {line.level.key for line in lines}
            for key in [key for key, (owner, _) in self.lines.items() if owner == place and key not in kept]:
                del self.lines[key]
                self.last.pop(key, None)
        for line in lines:
            key = line.level.key
            self.lines[key] = place, line
            known = self.last.get(key, LastLevel())
            settled = line.action.value == "same"
            self.last[key] = replace(known, rises_since=line.rises_since, conflicts=0 if settled else known.conflicts)

    async def note_conflicts(self, place: Place, keys: Sequence[LevelKey]) -> None:
        for key in keys:
            if key in self.last:
                self.last[key] = replace(self.last[key], conflicts=self.last[key].conflicts + 1)

    async def begin_batch(self, batch: StockBatch, *, epoch: int | None, now: datetime) -> bool:
        if epoch is not None and self.places[batch.place].epoch != epoch:
            return False
        self.batches[batch.key] = _Batch(batch, "sent")
        return True

    async def finish_batch(
        self, key: str, *, state: str, note: str, levels: Sequence[LevelNote], now: datetime
    ) -> None:
        row = self.batches[key]
        row.state, row.note = state, note
        for level in levels:
            known = self.last.get(level.key)
            if known is None:
                continue
            if level.refused:
                self.last[level.key] = replace(known, refused=level.refused)
            else:
                published = known.published if level.published is None else level.published
                at = max(known.snapshot_at or row.batch.snapshot_at, row.batch.snapshot_at)
                self.last[level.key] = replace(known, published=published, snapshot_at=at, conflicts=0)

    async def open_batches(self, place: Place) -> Sequence[StockBatch]:
        return [
            row.batch for row in self.batches.values() if row.state in ("sent", "unknown") and row.batch.place == place
        ]

    async def record_hints(self, hints: Sequence[StockHint], *, now: datetime) -> None:
        for hint in hints:
            known = self.hints.get((hint.shop, hint.code))
            self.hints[hint.shop, hint.code] = replace(hint, urgent=hint.urgent or (known is not None and known.urgent))

    async def take_hints(self, *, limit: int) -> Sequence[StockHint]:
        taken = sorted(self.hints.values(), key=lambda hint: not hint.urgent)[:limit]
        for hint in taken:
            del self.hints[hint.shop, hint.code]
        return taken

    async def raise_shop_finding(self, *, shop: str, scope: str, findings: Sequence[Finding], now: datetime) -> None:
        await self.orders.raise_shop_finding(shop=shop, scope=scope, findings=findings, now=now)


def _is_proven(row: MemoryOrder, before: datetime, now: datetime) -> bool:
    looked = row.looked_at is not None and row.looked_at < before
    return looked and row.lease_until is None and not _is_due(row, now)


def _is_due(row: MemoryOrder, now: datetime) -> bool:
    return row.next_look_at is not None and row.next_look_at <= now
