"""The effect journal: written before a byte leaves, finished with what came back."""

from __future__ import annotations

from datetime import datetime

from pickgate.domain.commands import Command, CreateGoodsOut
from pickgate.domain.facts import GoodsOutRecord
from pickgate.flows.ports import EffectRow, Lease, Outcome
from pickgate.store.codec import clean_text
from pickgate.store.connection import Session
from pickgate.store.effect_rules import (
    EffectChange,
    effect_after,
    kind_of,
    mark_after,
    record_after_outcome,
    record_after_probe,
    record_at_begin,
    reference_of,
    target_of,
)
from pickgate.store.rows import JournalEntry, Rows, append_journal, effect_place


class EffectRows(Rows):
    async def begin_effect(self, lease: Lease, command: Command, *, now: datetime, needs_no_new_hint: bool) -> bool:
        """Write the journal row as `sent`, and for a creation the goods-out record as CREATING, before a byte leaves.

        Returns False, writing nothing, when `needs_no_new_hint` and a hint came since the claim. Raises LeaseLost, and
        TwinRefused when the warehouse has had a goods-out with this reference.
        """
        kind, target = kind_of(command), target_of(command)

        async def begin(session: Session) -> bool:
            order = await self._lock(session, lease)
            if needs_no_new_hint and order["hints"] > lease.hints_seen:
                return False
            creates = isinstance(command, CreateGoodsOut)
            known = await self._goods_out_records(session, lease.order, lease.shop) if creates else ()
            record = record_at_begin(known, command, now=now)
            public, personal = self._sealed_value(command, effect_place(lease.shop, lease.order_id, command.key))
            await session.execute(
                "begin_effect",
                order_row=lease.order,
                shop=lease.shop,
                key=command.key,
                kind=kind,
                target=target,
                command=public,
                personal=personal,
                epoch=lease.epoch,
                now=now,
            )
            if record is not None:
                await self._record_goods_outs(session, lease, [record])
            detail = {"kind": kind, "target": target}
            entry = JournalEntry(order_row=lease.order, shop=lease.shop, at=now, kind="effect_sent", detail=detail)
            await append_journal(session, [entry])
            return True

        return await self._database.transact(begin)

    async def finish_effect(self, lease: Lease, command: Command, outcome: Outcome, *, now: datetime) -> None:
        """Record the outcome, and what follows for the goods-out record, in one transaction. Raises LeaseLost."""
        change = effect_after(command, outcome)

        async def finish(session: Session) -> None:
            await self._lock(session, lease)
            before = await self._record_of(session, lease, command)
            await self._finish(session, lease, command, change, now)
            await self._replace_record(session, lease, before, record_after_outcome(before, command, outcome, now=now))

        await self._database.transact(finish)

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
        if verdict not in ("confirmed", "lost", "unknown"):
            raise ValueError(f"A probe cannot answer {verdict!r}.")
        change = EffectChange(state=verdict, note=note)

        async def settle(session: Session) -> None:
            await self._lock(session, lease)
            before = await self._record_of(session, lease, effect.command)
            await self._finish(session, lease, effect.command, change, now)
            after = record_after_probe(before, effect.command, verdict=verdict, clarus_id=clarus_id, now=now)
            await self._replace_record(session, lease, before, after)

        await self._database.transact(settle)

    async def _record_of(self, session: Session, lease: Lease, command: Command) -> GoodsOutRecord | None:
        reference = reference_of(command)
        if reference is None:
            return None
        records = await self._goods_out_records(session, lease.order, lease.shop)
        return next((record for record in records if record.reference == reference), None)

    async def _replace_record(
        self, session: Session, lease: Lease, before: GoodsOutRecord | None, after: GoodsOutRecord | None
    ) -> None:
        if after is None and before is not None:
            await session.execute("forget_goods_out", order_row=lease.order, reference=before.reference)
        elif after is not None and after != before:
            await self._record_goods_outs(session, lease, [after])

    async def _finish(
        self, session: Session, lease: Lease, command: Command, change: EffectChange, now: datetime
    ) -> None:
        finished = await session.execute(
            "finish_effect",
            order_row=lease.order,
            key=command.key,
            state=change.state,
            code=change.code,
            problem=clean_text(change.problem),
            note=clean_text(change.note),
            now=now,
        )
        if not finished:
            raise ValueError(f"{command.key} was never begun.")
        mark = mark_after(command, change.state)
        if mark.lock is not None or mark.carried_from is not None:
            await session.execute(
                "mark_order", order_row=lease.order, lock=mark.lock, carried_from=mark.carried_from, now=now
            )
        detail = {"kind": kind_of(command), "target": target_of(command), "note": change.note}
        if change.code:
            detail |= {"code": change.code, "problem": change.problem}
        entry = JournalEntry(
            order_row=lease.order, shop=lease.shop, at=now, kind=f"effect_{change.state}", detail=detail
        )
        await append_journal(session, [entry])
