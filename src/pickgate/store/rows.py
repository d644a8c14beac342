"""What every part of the PostgreSQL store shares: the lease check, sealing of values, the journal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from pickgate.crypto import Sealer, place
from pickgate.domain.facts import GoodsOutRecord
from pickgate.flows.ports import Lease, LeaseLost
from pickgate.store.codec import decode, join_personal, split_personal, without_personal
from pickgate.store.connection import Database, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One line of an order's timeline. `inbox_id`: the webhook whose body belongs to it."""

    order_row: int | None
    shop: str
    at: datetime
    kind: str
    detail: Mapping[str, Any]
    inbox_id: int | None = None


class Rows:
    """Base of the parts: a database and a sealer."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def _lock(self, session: Session, lease: Lease) -> asyncpg.Record:
        """Hold the order until the commit. Raises LeaseLost when the claim is not this lease's any more."""
        row = await session.fetchrow("lock_lease", order_row=lease.order, epoch=lease.epoch)
        if row is None:
            raise LeaseLost(f"{lease.shop}/{lease.order_id}: epoch {lease.epoch} does not hold this order any more.")
        return row

    def _seal_parts(self, parts: Sequence[Any] | Mapping[str, Any], where: bytes) -> bytes | None:
        """Seal lifted personal parts; None when there are none."""
        return self._sealer.seal(json.dumps(parts).encode(), where) if parts else None

    def _open_parts(self, sealed: bytes | None, where: bytes) -> Any:
        return None if sealed is None else json.loads(self._sealer.open(sealed, where))

    def _sealed_value(self, value: object, where: bytes) -> tuple[Any, bytes | None]:
        public, personal = split_personal(value)
        return public, self._seal_parts(personal, where)

    def _opened_value(self, kind: Any, public: Any, sealed: bytes | None, where: bytes) -> Any:
        return decode(kind, join_personal(public, self._open_parts(sealed, where)))

    async def _goods_out_records(self, session: Session, order_row: int, shop: str) -> tuple[GoodsOutRecord, ...]:
        rows = await session.fetch("load_goods_outs", order_row=order_row)
        return tuple(
            self._opened_value(GoodsOutRecord, row["record"], row["personal"], goods_out_place(shop, row["reference"]))
            for row in rows
        )

    async def _record_goods_outs(self, session: Session, lease: Lease, records: Sequence[GoodsOutRecord]) -> None:
        """Insert or update; what did not change is not written."""
        rows = []
        for record in records:
            public, personal = self._sealed_value(record, goods_out_place(lease.shop, record.reference))
            rows.append(
                {
                    "order_row": lease.order,
                    "shop": lease.shop,
                    "number": record.number,
                    "reference": record.reference,
                    "fulfilment_order_id": record.fulfilment_order_id,
                    "split_group": record.group,
                    "generation": record.generation,
                    "state": record.state.value,
                    "clarus_id": record.clarus_id,
                    "account": record.content.account,
                    "stage_code": record.stage_code,
                    "record": public,
                    "personal": personal,
                    "content_fingerprint": record.content.fingerprint,
                }
            )
        await session.execute_many("record_goods_out", rows)


async def append_journal(session: Session, entries: Sequence[JournalEntry]) -> None:
    """Append to timelines, in the transaction of what they tell about. Personal parts are left out."""
    if entries:
        await session.execute(
            "append_journal",
            order_rows=[entry.order_row for entry in entries],
            shops=[entry.shop for entry in entries],
            ats=[entry.at for entry in entries],
            kinds=[entry.kind for entry in entries],
            details=[without_personal(entry.detail) for entry in entries],
            inbox_ids=[entry.inbox_id for entry in entries],
        )


def goods_out_place(shop: str, reference: str) -> bytes:
    return place("goods_outs", "personal", f"{shop}/{reference}")


def facts_place(shop: str, order_id: str) -> bytes:
    return place("order_facts", "personal", f"{shop}/{order_id}")


def effect_place(shop: str, order_id: str, key: str) -> bytes:
    return place("effects", "personal", f"{shop}/{order_id}/{key}")


def body_place(source: str, shop: str, topic: str, event_id: str) -> bytes:
    return place("inbox", "body", f"{source}/{shop}/{topic}/{event_id}")
