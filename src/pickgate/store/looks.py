"""One look: what is remembered of an order, and what a new decision makes of it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from pickgate.domain.commands import Command
from pickgate.domain.decision import Decision
from pickgate.domain.facts import (
    GoodsOutRecord,
    Kin,
    Records,
)
from pickgate.domain.lineage import skus_of
from pickgate.domain.shop import ShopOrder
from pickgate.domain.warehouse import GoodsOut
from pickgate.flows.ports import EffectRow, Lease, LeaseLost
from pickgate.store.codec import clean_text, decode, encode, join_personal, split_personal, without_personal
from pickgate.store.connection import Session
from pickgate.store.decision_rules import digest_of, gates_since, journal_detail, kin_digest, kin_names
from pickgate.store.effect_rules import fate_of, kind_of, target_of
from pickgate.store.exceptions import order_scope, reconcile_exceptions
from pickgate.store.records import RecordRows, times_of
from pickgate.store.rows import JournalEntry, append_journal, effect_place, facts_place


class LookRows(RecordRows):
    async def load_records(self, lease: Lease) -> Records:
        """Our own memory of the order. Raises LeaseLost."""
        async with self._database.session() as session:
            order = await self._load_order(session, lease)
            return await self._records(session, order, lease.order, lease.epoch)

    async def pending_effects(self, lease: Lease) -> Sequence[EffectRow]:
        """Effects whose outcome nobody knows, oldest first: `unknown`, and `sent` by an earlier claim."""
        rows = await self._database.fetch("load_open_effects", order_row=lease.order, epoch=lease.epoch)
        return [
            EffectRow(
                key=row["key"],
                kind=row["kind"],
                target=row["target"],
                state=row["state"],
                command=self._opened_value(
                    Command,
                    row["command"],
                    row["personal"],
                    effect_place(lease.shop, lease.order_id, row["key"]),
                ),
                at=row["at"],
                sent_at=row["sent_at"],
                attempts=row["attempts"],
                note=row["note"],
            )
            for row in rows
            if row["state"] != "refused"
        ]

    async def find_kin(
        self,
        lease: Lease,
        *,
        names: Sequence[str],
        customer_id: str | None,
        created_between: tuple[datetime, datetime],
    ) -> Sequence[Kin]:
        """Other orders of the shop with one of the names, or by the customer in that time; at most 50, oldest first."""
        rows = await self._database.fetch(
            "find_kin",
            shop=lease.shop,
            order_row=lease.order,
            names=list(names),
            customer_id=customer_id,
            created_from=created_between[0],
            created_to=created_between[1],
        )
        return [
            Kin(
                id=row["order_id"],
                name=row["name"],
                created_at=row["shopify_created_at"],
                tags=tuple(row["tags"]),
                cancelled_at=row["cancelled_at"],
                closed=row["closed"],
                customer_id=row["customer_id"],
                app_name=row["app_name"],
                skus=tuple(row["skus"]),
                fate=fate_of(
                    row["state"],
                    [decode(GoodsOutRecord, join_personal(record, None)) for record in row["records"]],
                ),
            )
            for row in rows
        ]

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

        The journal gets a line when the decision differs from the one before; kin that the decision names are woken
        when what they see of this order has changed. Raises LeaseLost.
        """
        detail = journal_detail(decision, rulebook_version=rulebook_version)
        digest = digest_of(detail)
        names = [clean_text(other) for other in kin_names(decision)]

        async def record(session: Session) -> None:
            if names:
                await session.fetch("lock_kin", shop=lease.shop, order_row=lease.order, names=names)
            await self._lock(session, lease)
            before = await self._load_order(session, lease)
            name = order.name if order is not None else lease.name
            since = gates_since(times_of(before["gates_since"]), decision.gates, now)
            kin = kin_digest(decision, order, decision.records)
            if order is None:
                kin = kin if names else before["kin_digest"]
            await session.execute(
                "describe_order",
                order_row=lease.order,
                name=clean_text(order.name) if order is not None else None,
                settled=decision.state.is_settled,
            )
            await session.execute(
                "record_facts",
                **self._facts(lease, decision, order, goods_outs, since),
                read_at=read_at,
                now=now,
                rulebook_version=rulebook_version,
                gates_since=encode(since),
                digest=digest,
                kin_digest=kin,
            )
            if order is not None:
                await session.execute("record_order_columns", order_row=lease.order, **_columns(order))
            await self._record_goods_outs(session, lease, decision.records)
            entries = await reconcile_exceptions(
                session,
                scope=order_scope(lease.order),
                shop=lease.shop,
                order_row=lease.order,
                order_name=name,
                findings=decision.findings,
                now=now,
            )
            if digest != before["digest"]:
                decided = JournalEntry(order_row=lease.order, shop=lease.shop, at=now, kind="decided", detail=detail)
                entries.insert(0, decided)
            await append_journal(session, entries)
            if names and kin != before["kin_digest"]:
                await session.execute(
                    "wake_kin",
                    shop=lease.shop,
                    names=names,
                    order_row=lease.order,
                    because=clean_text(f"kin {name}"),
                    now=now,
                )

        await self._database.transact(record)

    async def _load_order(self, session: Session, lease: Lease) -> asyncpg.Record:
        row = await session.fetchrow("load_order", order_row=lease.order, epoch=lease.epoch)
        if row is None:
            raise LeaseLost(f"{lease.shop}/{lease.order_id}: epoch {lease.epoch} does not hold this order any more.")
        return row

    def _facts(
        self,
        lease: Lease,
        decision: Decision,
        order: ShopOrder | None,
        goods_outs: Sequence[GoodsOut],
        since: Mapping[str, datetime],
    ) -> dict[str, Any]:
        observed, lifted = split_personal(order)
        wanted, wanted_lifted = split_personal(decision.wanted)
        personal = {"observed": lifted, "wanted": wanted_lifted}
        return {
            "order_row": lease.order,
            "state": decision.state.value,
            "observed": observed,
            "goods_outs_seen": encode(tuple(goods_outs)),
            "comparison": encode(decision.comparison),
            "differs": any(row.differs for row in decision.comparison),
            "wanted": wanted if order is not None else without_personal(decision.wanted),
            "personal": self._seal_parts(personal, facts_place(lease.shop, lease.order_id)) if order else None,
            "gates": [
                {
                    "code": gate.code,
                    "detail": clean_text(gate.detail),
                    "until": encode(gate.until),
                    "opens_when": clean_text(gate.opens_when),
                    "by_person": gate.by_person,
                    "fulfilment_order_id": gate.fulfilment_order_id,
                    "since": encode(since[gate.code]),
                }
                for gate in decision.gates
            ],
            "reasons": encode(decision.reasons),
            "commands": [{"kind": kind_of(item), "target": target_of(item)} for item in decision.commands],
            "locked": decision.locked,
            "fingerprint": decision.fingerprint,
            "superseded_by": decision.superseded_by,
            "supersedes": list(decision.supersedes),
            "search": _search(lease, order, decision),
        }


def _columns(order: ShopOrder) -> dict[str, Any]:
    return {
        "shopify_created_at": order.created_at,
        "shopify_updated_at": order.updated_at,
        "cancelled_at": order.cancelled_at,
        "closed": order.closed,
        "financial_status": clean_text(order.financial_status),
        "total_minor": order.totals.current.minor,
        "currency": order.currency,
        "customer_id": order.customer_id,
        "app_name": clean_text(order.app_name),
        "skus": [clean_text(sku) for sku in skus_of(order)],
        "tags": [clean_text(tag) for tag in order.tags],
    }


def _search(lease: Lease, order: ShopOrder | None, decision: Decision) -> str:
    """Everything that people type to find an order, in lower case: name, ids, references, SKUs. Never a person."""
    words = [lease.order_id, order.name if order is not None else lease.name]
    words += skus_of(order) if order is not None else ()
    words += [word for record in decision.records for word in (record.reference, record.clarus_id or "")]
    return clean_text(" ".join(dict.fromkeys(word.lower() for word in words if word)))
