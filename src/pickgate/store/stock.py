"""`PostgresStock`: the stock flow's store on PostgreSQL, and the list that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from pickgate.domain.findings import Finding
from pickgate.domain.rules import Place
from pickgate.domain.stock import LastLevel, LevelKey, SeenUnits, StockLine
from pickgate.flows.stock_ports import BatchItem, KnownLevel, LevelNote, PlaceState, StockBatch, StockHint
from pickgate.store.codec import clean_text
from pickgate.store.connection import Database, Session
from pickgate.store.exceptions import ExceptionRows

_ROWS_AT_ONCE = 5_000
_BETWEEN_CODES = "\x1f"


class PostgresStock:
    """Satisfies `flows.stock_ports.StockStore`."""

    def __init__(self, database: Database, exceptions: ExceptionRows) -> None:
        self._database = database
        self._exceptions = exceptions

    async def claim_place(self, place: Place, *, holder: str, now: datetime, lease_seconds: float) -> PlaceState | None:
        row = await self._database.fetchrow(
            "claim_stock_place",
            **_place(place),
            holder=holder,
            now=now,
            lease_until=now + timedelta(seconds=lease_seconds),
        )
        if row is None:
            return None
        return PlaceState(epoch=row["epoch"], published_snapshot_at=row["published_snapshot_at"])

    async def release_place(
        self, place: Place, *, epoch: int, published_snapshot_at: datetime | None, held: str, now: datetime
    ) -> None:
        await self._database.execute(
            "release_stock_place",
            **_place(place),
            epoch=epoch,
            published_snapshot_at=published_snapshot_at,
            held=clean_text(held),
            now=now,
        )

    async def units_in_warehouse(
        self,
        place: Place,
        shops: Sequence[str],
        *,
        before: datetime,
        now: datetime,
        allocated_only: bool,
    ) -> Mapping[tuple[str, str, str], SeenUnits]:
        rows = await self._database.fetch(
            "stock_units_in_warehouse",
            **_place(place),
            shops=list(shops),
            before=before,
            now=now,
            allocated_only=allocated_only,
        )
        return {
            (row["shop"], row["location_id"], row["sku"]): SeenUnits(proven=row["proven"], likely=row["likely"])
            for row in rows
        }

    async def units_since_snapshot(self, place: Place, *, begun_at: datetime, now: datetime) -> Mapping[str, int]:
        rows = await self._database.fetch("stock_units_since_snapshot", **_place(place), begun_at=begun_at, now=now)
        return {row["code"]: row["units"] for row in rows}

    async def load_levels(self, place: Place, keys: Sequence[LevelKey] | None) -> Mapping[LevelKey, LastLevel]:
        if keys is None:
            rows = await self._database.fetch("load_stock_levels", **_place(place))
        else:
            rows = await self._database.fetch("load_some_stock_levels", **_place(place), **_keys(keys))
        return {
            _key(row): LastLevel(
                published=row["published"],
                snapshot_at=row["snapshot_at"],
                rises_since=row["rises_since"],
                conflicts=row["conflicts"],
                refused=row["refused"],
            )
            for row in rows
        }

    async def find_levels(
        self, place: Place, *, codes: Sequence[str], skus: Sequence[tuple[str, str]] = ()
    ) -> Sequence[KnownLevel]:
        rows = await self._database.fetch(
            "find_stock_levels",
            **_place(place),
            codes=list(codes),
            shops=[shop for shop, _ in skus],
            skus=[sku for _, sku in skus],
        )
        return [KnownLevel(key=_key(row), level_id=row["level_id"], sku=row["sku"]) for row in rows]

    async def record_lines(
        self, place: Place, lines: Sequence[StockLine], *, snapshot_at: datetime, now: datetime, whole: bool
    ) -> None:
        """In pieces, each its own transaction: a comparison that stops half-way is only half remembered."""
        for start in range(0, len(lines), _ROWS_AT_ONCE):
            part = lines[start : start + _ROWS_AT_ONCE]
            await self._database.execute("record_stock_lines", **_place(place), now=now, **_columns(part))
        if whole:
            kept = {line.level.key for line in lines}
            known = [_key(row) for row in await self._database.fetch("stock_level_keys", **_place(place))]
            gone = [key for key in known if key not in kept]
            if gone:
                await self._database.execute("forget_stock_levels", **_keys(gone))

    async def note_conflicts(self, place: Place, keys: Sequence[LevelKey]) -> None:
        if keys:
            await self._database.execute("note_stock_conflicts", **_keys(keys))

    async def begin_batch(self, batch: StockBatch, *, epoch: int | None, now: datetime) -> bool:
        written = await self._database.execute(
            "begin_stock_batch",
            **_place(batch.place),
            key=batch.key,
            shop=batch.shop,
            location_id=batch.location_id,
            on_hand=batch.on_hand,
            items=[asdict(item) for item in batch.items],
            reference=batch.reference,
            snapshot_at=batch.snapshot_at,
            epoch=epoch,
            now=now,
        )
        return written == 1

    async def finish_batch(
        self, key: str, *, state: str, note: str, levels: Sequence[LevelNote], now: datetime
    ) -> None:
        async def finish(session: Session) -> None:
            snapshot_at = await session.fetchval(
                "finish_stock_batch", key=key, state=state, note=clean_text(note), now=now
            )
            published = [level for level in levels if not level.refused]
            refused = [level for level in levels if level.refused]
            if published:
                await session.execute(
                    "note_published_stock",
                    **_keys([level.key for level in published]),
                    published=[level.published for level in published],
                    snapshot_at=snapshot_at,
                    now=now,
                )
            if refused:
                await session.execute(
                    "note_refused_stock",
                    **_keys([level.key for level in refused]),
                    codes=[clean_text(level.refused) for level in refused],
                )

        await self._database.transact(finish)

    async def open_batches(self, place: Place) -> Sequence[StockBatch]:
        rows = await self._database.fetch("open_stock_batches", **_place(place))
        return [
            StockBatch(
                key=row["key"],
                shop=row["shop"],
                place=Place(account=row["account"], warehouse=row["warehouse"]),
                location_id=row["location_id"],
                on_hand=row["on_hand"],
                items=tuple(BatchItem(**item) for item in row["items"]),
                snapshot_at=row["snapshot_at"],
                reference=row["reference"],
            )
            for row in rows
        ]

    async def record_hints(self, hints: Sequence[StockHint], *, now: datetime) -> None:
        if hints:
            await self._database.execute(
                "record_stock_hints",
                shops=[hint.shop for hint in hints],
                codes=[clean_text(hint.code) for hint in hints],
                urgents=[hint.urgent for hint in hints],
                now=now,
            )

    async def take_hints(self, *, limit: int) -> Sequence[StockHint]:
        rows = await self._database.fetch("take_stock_hints", limit=limit)
        hints = [StockHint(code=row["code"], shop=row["shop"], urgent=row["urgent"]) for row in rows]
        return sorted(hints, key=lambda hint: not hint.urgent)

    async def raise_shop_finding(self, *, shop: str, scope: str, findings: Sequence[Finding], now: datetime) -> None:
        await self._exceptions.raise_shop_finding(shop=shop, scope=scope, findings=findings, now=now)

    # for people

    async def list_levels(
        self, *, q: str, shops: frozenset[str] | None, only_differing: bool, limit: int, offset: int
    ) -> tuple[Sequence[Mapping[str, Any]], int]:
        """One page of levels as last compared, by SKU, and how many there are."""
        escaped = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        rows = await self._database.fetch(
            "list_stock_levels",
            q=q,
            pattern=f"%{escaped}%",
            shops=None if shops is None else sorted(shops),
            only_differing=only_differing,
            limit=limit,
            offset=offset,
        )
        return [dict(row) for row in rows], rows[0]["total"] if rows else 0

    async def list_places(self) -> Sequence[Mapping[str, Any]]:
        """Every place that was ever published, and why it is held, if it is."""
        return [dict(row) for row in await self._database.fetch("list_stock_places")]


def _place(place: Place) -> dict[str, str]:
    return {"account": place.account, "warehouse": place.warehouse}


def _key(row: asyncpg.Record) -> LevelKey:
    return row["shop"], row["location_id"], row["item_id"]


def _keys(keys: Sequence[LevelKey]) -> dict[str, list[str]]:
    return {
        "shops": [key[0] for key in keys],
        "location_ids": [key[1] for key in keys],
        "item_ids": [key[2] for key in keys],
    }


def _columns(lines: Sequence[StockLine]) -> dict[str, list[Any]]:
    return _keys([line.level.key for line in lines]) | {
        "level_ids": [line.level.level_id for line in lines],
        "skus": [clean_text(line.level.sku) for line in lines],
        "products": [
            _BETWEEN_CODES.join(clean_text(product.code) for product in line.level.products) for line in lines
        ],
        "availables": [line.level.available for line in lines],
        "committeds": [line.level.committed for line in lines],
        "on_hands": [line.level.on_hand for line in lines],
        "sellables": [line.sellable for line in lines],
        "unseens": [line.unseen for line in lines],
        "promiseds": [line.promised for line in lines],
        "buffers": [line.buffer for line in lines],
        "targets": [line.target for line in lines],
        "actions": [line.action.value for line in lines],
        "whys": [clean_text(line.why) for line in lines],
        "rises": [line.rises_since for line in lines],
    }
