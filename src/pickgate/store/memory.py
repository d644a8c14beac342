"""`MemoryStore`: the flows' `Store` in plain objects, for simulations. Same rules, same conformance suite.

Nothing here waits: every coroutine runs to its end when it is first sent to. One process, one thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pickgate.domain.commands import Command
from pickgate.domain.decision import Decision
from pickgate.domain.facts import Kin, Records, RefusedEffect, UnknownEffect
from pickgate.domain.lineage import kin_of
from pickgate.domain.shop import ShopOrder
from pickgate.domain.warehouse import GoodsOut
from pickgate.flows.ports import EffectRow, Lease, Outcome
from pickgate.store.decision_rules import digest_of, gates_since, journal_detail, kin_digest, kin_names
from pickgate.store.effect_rules import (
    EffectChange,
    effect_after,
    fate_of,
    kind_of,
    mark_after,
    record_after_outcome,
    record_after_probe,
    record_at_begin,
    reference_of,
    target_of,
)
from pickgate.store.memory_queue import MemoryQueue
from pickgate.store.memory_rows import MemoryEffect, MemoryOrder


class MemoryStore(MemoryQueue):
    """Satisfies `flows.ports.Store`. `keep_journal` False saves memory in long runs.

    For looking in: `orders` by row, `exceptions.all`, `inbox` by id.
    """

    async def load_records(self, lease: Lease) -> Records:
        order = self._held(lease)
        return Records(
            first_seen_at=order.first_seen_at,
            goods_outs=order.sorted_records(),
            unknown=tuple(
                UnknownEffect(key=effect.key, kind=effect.kind, target=effect.target, since=effect.sent_at)
                for effect in order.effects.values()
                if _is_unknown(effect, lease)
            ),
            refused=tuple(
                RefusedEffect(
                    key=effect.key,
                    kind=effect.kind,
                    target=effect.target,
                    code=effect.code,
                    problem=effect.problem,
                    at=effect.finished_at or effect.sent_at,
                )
                for effect in order.effects.values()
                if effect.state == "refused"
            ),
            hold=order.hold,
            approval=order.approval,
            cancel_request=order.cancel_request,
            lock_confirmed_at=order.lock_confirmed_at,
            gates_since=dict(order.gates_since),
            carried_from=order.carried_from,
        )

    async def pending_effects(self, lease: Lease) -> Sequence[EffectRow]:
        return [
            EffectRow(
                key=effect.key,
                kind=effect.kind,
                target=effect.target,
                state=effect.state,
                command=effect.command,
                at=effect.at,
                sent_at=effect.sent_at,
                attempts=effect.attempts,
                note=effect.note,
            )
            for effect in self.orders[lease.order].effects.values()
            if _is_unknown(effect, lease)
        ]

    async def find_kin(
        self,
        lease: Lease,
        *,
        names: Sequence[str],
        customer_id: str | None,
        created_between: tuple[datetime, datetime],
    ) -> Sequence[Kin]:
        found: dict[int, MemoryOrder] = {}
        for name in names:
            found |= self._by_name.get((lease.shop, name), {})
        if customer_id is not None:
            for row, other in self._by_customer.get((lease.shop, customer_id), {}).items():
                if other.order is not None and created_between[0] <= other.order.created_at <= created_between[1]:
                    found[row] = other
        found.pop(lease.order, None)
        kin = [
            (row, kin_of(other.order, fate_of(other.state, other.sorted_records())))
            for row, other in found.items()
            if other.order is not None
        ]
        return [one for _, one in sorted(kin, key=lambda item: (item[1].created_at, item[0]))][:50]

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
        row = self._held(lease)
        detail = journal_detail(decision, rulebook_version=rulebook_version)
        digest = digest_of(detail)
        kin = kin_digest(decision, order, decision.records)
        if order is None and not kin_names(decision):
            kin = row.kin_digest
        if order is not None:
            self._describe(row, order)
        self._settle(row, is_settled=decision.state.is_settled)
        row.decision = decision
        row.read_at, row.rulebook_version = read_at, rulebook_version
        row.goods_outs_seen = tuple(goods_outs)
        row.gates_since = gates_since(row.gates_since, decision.gates, now)
        for record in decision.records:
            self._put_record(row, record)
        if digest != row.digest:
            row.digest = digest
            self._journal(row, now, "decided", detail)
        for kind, code, why in self.exceptions.reconcile_order(row, decision.findings, now):
            self._journal(row, now, kind, {"code": code, "why": why})
        if kin != row.kin_digest:
            row.kin_digest = kin
            for name in kin_names(decision):
                for other in self._by_name.get((row.shop, name), {}).values():
                    if other is not row:
                        self._wake(other.shop, other.order_id, at=now, now=now, hints=1)

    async def begin_effect(self, lease: Lease, command: Command, *, now: datetime, needs_no_new_hint: bool) -> bool:
        row = self._held(lease)
        if needs_no_new_hint and row.hints > lease.hints_seen:
            return False
        record = record_at_begin(row.records.values(), command, now=now)
        effect = row.effects.get(command.key)
        kind, target = kind_of(command), target_of(command)
        row.effects[command.key] = MemoryEffect(
            key=command.key,
            kind=kind,
            target=target,
            command=command,
            at=effect.at if effect else now,
            sent_at=now,
            epoch=lease.epoch,
            attempts=effect.attempts + 1 if effect else 1,
        )
        if record is not None:
            self._put_record(row, record)
        self._journal(row, now, "effect_sent", {"kind": kind, "target": target})
        return True

    async def finish_effect(self, lease: Lease, command: Command, outcome: Outcome, *, now: datetime) -> None:
        row = self._held(lease)
        before = row.records.get(reference_of(command) or "")
        self._finish(row, command, effect_after(command, outcome), now)
        self._replace_record(row, before, record_after_outcome(before, command, outcome, now=now))

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
        if verdict not in ("confirmed", "lost", "unknown"):
            raise ValueError(f"A probe cannot answer {verdict!r}.")
        row = self._held(lease)
        before = row.records.get(reference_of(effect.command) or "")
        self._finish(row, effect.command, EffectChange(state=verdict, note=note), now)
        after = record_after_probe(before, effect.command, verdict=verdict, clarus_id=clarus_id, now=now)
        self._replace_record(row, before, after)

    async def note(self, lease: Lease, *, kind: str, detail: Mapping[str, Any], now: datetime) -> None:
        self._journal(self.orders[lease.order], now, kind, detail)

    def _finish(self, order: MemoryOrder, command: Command, change: EffectChange, now: datetime) -> None:
        effect = order.effects.get(command.key)
        if effect is None:
            raise ValueError(f"{command.key} was never begun.")
        effect.state, effect.code, effect.problem, effect.note = change.state, change.code, change.problem, change.note
        effect.finished_at = None if change.state == "unknown" else now
        mark = mark_after(command, change.state)
        if mark.lock is not None:
            order.lock_confirmed_at = (order.lock_confirmed_at or now) if mark.lock else None
        order.carried_from = mark.carried_from or order.carried_from
        detail = {"kind": effect.kind, "target": effect.target, "note": change.note}
        if change.code:
            detail |= {"code": change.code, "problem": change.problem}
        self._journal(order, now, f"effect_{change.state}", detail)


def _is_unknown(effect: MemoryEffect, lease: Lease) -> bool:
    return effect.state == "unknown" or (effect.state == "sent" and effect.epoch != lease.epoch)
