"""What an effect's outcome means for our goods-out record. One place, so that every store agrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from pickgate.domain.commands import AmendGoodsOut, Command, CreateFulfilment, CreateGoodsOut, RecallGoodsOut
from pickgate.domain.facts import GoodsOutRecord, RecordState


def record_when_sent(command: CreateGoodsOut, *, now: datetime) -> GoodsOutRecord:
    """Return the record that must exist before a creation's first byte leaves."""
    return GoodsOutRecord(
        reference=command.reference,
        number=command.number,
        fulfilment_order_id=command.fulfilment_order_id,
        group=command.group,
        generation=command.generation,
        content=command.content,
        state=RecordState.CREATING,
        created_at=now,
    )


def record_after(
    record: GoodsOutRecord, command: Command, *, outcome: str, ids: Mapping[str, str], problem: str, now: datetime
) -> GoodsOutRecord | None:
    """Return the record after an outcome; None: there is no such goods-out, forget it.

    `outcome` is "confirmed", "refused", "unknown", "not_sent" or "lost" (a probe proved that nothing took effect).
    """
    match command:
        case CreateGoodsOut():
            if outcome == "confirmed":
                return replace(record, state=RecordState.LIVE, clarus_id=ids.get("clarus_id") or record.clarus_id)
            if outcome == "refused":
                return replace(record, state=RecordState.REFUSED)
            return None if outcome in ("not_sent", "lost") else record
        case RecallGoodsOut():
            if outcome in ("confirmed", "unknown"):
                # Asked is not done: only a read confirms a recall. Unknown is treated as asked.
                return replace(record, state=RecordState.RECALLING, recall_asked_at=now, recall_refused=None)
            if outcome == "refused":
                return replace(record, state=RecordState.LIVE, recall_refused=problem)
            return replace(record, state=RecordState.LIVE) if outcome == "lost" else record
        case AmendGoodsOut():
            if outcome == "confirmed":
                return replace(record, content=command.content, verified=False)
            return replace(record, amend_refused=True) if outcome == "refused" else record
        case CreateFulfilment():
            if outcome != "confirmed":
                return record
            told = dict(record.told)
            for line in command.lines:
                told[line.line_id] = told.get(line.line_id, 0) + line.units
            parcels = (*record.parcels_told, *(n for n in command.tracking_numbers if n not in record.parcels_told))
            return replace(record, told=tuple(sorted(told.items())), parcels_told=parcels)
        case _:
            return record
