"""Our own memory of one order, put together from its rows; and the facts of its last look, to decide again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from pickgate.domain.facts import (
    Approval,
    CancelRequest,
    OperatorHold,
    Records,
    RefusedEffect,
    UnknownEffect,
)
from pickgate.domain.shop import ShopOrder
from pickgate.domain.warehouse import GoodsOut
from pickgate.store.codec import decode, join_personal
from pickgate.store.connection import Session
from pickgate.store.rows import Rows, facts_place


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFacts:
    """What the last look saw of an order, and what we remember of it now. `order` None: it was never read."""

    shop: str
    order_id: str
    order: ShopOrder | None
    goods_outs: tuple[GoodsOut, ...]
    records: Records
    read_at: datetime | None
    rulebook_version: int


class RecordRows(Rows):
    async def load_facts(self, order: int) -> StoredFacts | None:
        """The facts of the last look, to replay its decision; None for an unknown order. Nothing is read outside."""
        async with self._database.session() as session:
            row = await session.fetchrow("load_stored_facts", order_row=order)
            if row is None:
                return None
            parts = self._open_parts(row["personal"], facts_place(row["shop"], row["order_id"])) or {}
            observed = join_personal(row["observed"], parts.get("observed"))
            return StoredFacts(
                shop=row["shop"],
                order_id=row["order_id"],
                order=None if observed is None else decode(ShopOrder, observed),
                goods_outs=decode(tuple[GoodsOut, ...], row["goods_outs_seen"]),
                records=await self._records(session, row, order, epoch=-1),
                read_at=row["read_at"],
                rulebook_version=row["rulebook_version"],
            )

    async def newest_orders(self, *, limit: int, shops: frozenset[str] | None = None) -> Sequence[int]:
        """The newest orders that have been read, for a back-test."""
        listed = None if shops is None else sorted(shops)
        return [row["order_row"] for row in await self._database.fetch("newest_orders", limit=limit, shops=listed)]

    async def _records(self, session: Session, order: asyncpg.Record, order_row: int, epoch: int) -> Records:
        """Put an order's records together. `epoch`: the claim whose own sent effects are not unknown yet."""
        goods_outs = await self._goods_out_records(session, order_row, order["shop"])
        effects = await session.fetch("load_open_effects", order_row=order_row, epoch=epoch)
        people = await session.fetch("load_operator_records", order_row=order_row)
        by_kind = {row["kind"]: row for row in people}
        return Records(
            first_seen_at=order["first_seen_at"],
            goods_outs=goods_outs,
            unknown=tuple(
                UnknownEffect(key=row["key"], kind=row["kind"], target=row["target"], since=row["sent_at"])
                for row in effects
                if row["state"] != "refused"
            ),
            refused=tuple(
                RefusedEffect(
                    key=row["key"],
                    kind=row["kind"],
                    target=row["target"],
                    code=row["code"],
                    problem=row["problem"],
                    at=row["finished_at"],
                )
                for row in effects
                if row["state"] == "refused"
            ),
            hold=_hold(by_kind.get("hold")),
            approval=_approval(by_kind.get("approval")),
            cancel_request=_cancel(by_kind.get("cancel")),
            lock_confirmed_at=order["lock_confirmed_at"],
            gates_since=times_of(order["gates_since"]),
            carried_from=order["carried_from"],
        )


def times_of(stored: Mapping[str, str]) -> dict[str, datetime]:
    """Read times that are kept as JSON."""
    return {key: datetime.fromisoformat(at) for key, at in stored.items()}


def _hold(row: asyncpg.Record | None) -> OperatorHold | None:
    if row is None:
        return None
    return OperatorHold(by=row["by"], reason=row["reason"], at=row["at"], until=row["until"])


def _approval(row: asyncpg.Record | None) -> Approval | None:
    if row is None:
        return None
    return Approval(by=row["by"], reason=row["reason"], at=row["at"], fingerprint=row["fingerprint"])


def _cancel(row: asyncpg.Record | None) -> CancelRequest | None:
    if row is None:
        return None
    return CancelRequest(by=row["by"], reason=row["reason"], at=row["at"])
