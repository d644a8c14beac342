"""One look at one order: probe, observe, decide, record, act, look again. The only way anything happens to an order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from pickgate.clock import Clock
from pickgate.domain.commands import (
    Command,
    CreateGoodsOut,
    WarehouseCommand,
)
from pickgate.domain.decide import CannotDecide, decide
from pickgate.domain.decision import Decision
from pickgate.domain.facts import Facts
from pickgate.domain.findings import Finding
from pickgate.domain.policy import Policy
from pickgate.domain.probe import decide_probe
from pickgate.domain.rules import Rules
from pickgate.flows.observe import Observer
from pickgate.flows.ports import (
    Confirmed,
    EffectRow,
    Lease,
    LeaseLost,
    NotSent,
    Outcome,
    OutcomeNotKnown,
    Refused,
    ShopPort,
    Store,
    WarehousePort,
)

# A send that begins later than this after its journal row was written is given up: the process was stopped in between,
# and somebody else may hold the order by now. (What waits later than here is stopped at the door: `STILL_HELD`.)
STALE_SEND = timedelta(seconds=10)
FROZEN_AFTER_FAILURES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LookResult:
    """How a look ended: when to look next and why, what it decided, how many effects it sent."""

    next_look_at: datetime | None
    because: str
    decision: Decision | None = None
    sent: int = 0
    failed: bool = False


@dataclass(slots=True, kw_only=True)
class Nets:
    """Safety nets that a test can switch off, to see that something would break without them."""

    probe: bool = True
    fresh_read: bool = True
    no_new_hint: bool = True
    look_after_action: bool = True


@dataclass(slots=True, kw_only=True)
class Looker:
    """Looks at orders. One for each process; holds no order's state between looks."""

    store: Store
    shops: Mapping[str, ShopPort]
    warehouse: WarehousePort
    rules: Callable[[str], Rules]
    policies: Mapping[str, Policy]
    clock: Clock
    nets: Nets = field(default_factory=Nets)
    look_again_after: timedelta = timedelta(seconds=2)
    on_effect: Callable[[Command, Outcome], None] = lambda command, outcome: None

    async def look(self, lease: Lease) -> LookResult:
        """Look once. Every failure ends in a time to try again; only LeaseLost ends in silence."""
        try:
            result = await self._look(lease)
            failed = result.because if result.failed else None
        except LeaseLost:
            return LookResult(next_look_at=None, because="another worker holds the order")
        except CannotDecide as error:
            result, failed = await self._cannot_decide(lease, error), error.unreadable.why
        except Exception as error:  # one order's failure must not stop the others: it is counted
            result = LookResult(
                next_look_at=self._back_off(lease), because=f"{type(error).__name__}: {error}", failed=True
            )
            failed = result.because
            if lease.failures + 1 >= FROZEN_AFTER_FAILURES:
                await self._freeze(lease, failed)
        try:
            await self.store.end_look(lease, next_look_at=result.next_look_at, failed=failed, now=self.clock.now())
        except LeaseLost:
            return LookResult(next_look_at=None, because="another worker holds the order")
        if failed is None and lease.failures >= FROZEN_AFTER_FAILURES:
            await self._thaw(lease)
        return result

    async def _look(self, lease: Lease) -> LookResult:
        policy = self.policies[lease.shop]
        rules = self.rules(lease.shop)
        observer = Observer(store=self.store, shop=self.shops[lease.shop], warehouse=self.warehouse, clock=self.clock)
        effects = await self.store.pending_effects(lease)
        records = await self.store.load_records(lease)
        observed = await observer.read(lease, records, effects)
        if effects and self.nets.probe and await self._probe(lease, effects, observed, policy):
            records = await self.store.load_records(lease)
        facts = await observer.complete(lease, observed, records, rules, policy)
        now = self.clock.now()
        decision = decide(facts, rules, policy, now=now)
        await self.store.record_decision(
            lease,
            decision=decision,
            order=observed.order_or_none,
            goods_outs=observed.goods_outs_or_none,
            read_at=facts.read_at,
            now=now,
            rulebook_version=rules.version,
        )
        if policy.observe:
            return LookResult(next_look_at=decision.next_look_at, because="observe mode", decision=decision)
        return await self._act(lease, decision, facts, policy)

    # ── probe ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _probe(self, lease: Lease, effects: Sequence[EffectRow], observed: Facts, policy: Policy) -> bool:
        settled = False
        for effect in effects:
            sent_at = effect.sent_at or effect.at
            verdict = decide_probe(
                effect.command,
                sent_at=sent_at,
                now=self.clock.now(),
                settle=policy.create_settle,
                order=observed.order,
                goods_outs=observed.goods_outs,
            )
            if verdict.state == "unknown" and effect.state == "unknown":
                continue
            await self.store.settle_unknown(
                lease,
                effect,
                verdict=verdict.state,
                note=verdict.note,
                now=self.clock.now(),
                clarus_id=verdict.clarus_id,
            )
            settled = True
        return settled

    # ── act ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _act(self, lease: Lease, decision: Decision, facts: Facts, policy: Policy) -> LookResult:
        sent = 0
        for command in decision.commands:
            releases = isinstance(command, CreateGoodsOut)
            now = self.clock.now()
            if releases and self.nets.fresh_read and now - facts.read_at > policy.fresh_for:
                return self._again(decision, sent, "the read is too old to release from", at=now)
            begun = await self.store.begin_effect(
                lease, command, now=now, needs_no_new_hint=releases and self.nets.no_new_hint
            )
            if not begun:
                return self._again(decision, sent, "the order changed while it was looked at", at=now)
            outcome = await self._send(lease, command, begun_at=now)
            await self.store.finish_effect(lease, command, outcome, now=self.clock.now())
            self.on_effect(command, outcome)
            match outcome:
                case Confirmed():
                    sent += 1
                case Refused():
                    return self._again(decision, sent + 1, f"refused: {outcome.problem}")
                case OutcomeNotKnown():
                    return self._again(decision, sent + 1, f"outcome unknown: {outcome.why}")
                case NotSent():
                    if outcome.exception_code is not None:
                        await self._raise_access(lease, outcome.exception_code, outcome.why)
                    at = outcome.retry_at or self._back_off(lease)
                    return LookResult(next_look_at=at, because=outcome.why, decision=decision, sent=sent, failed=True)
                case _:
                    assert_never(outcome)
        if sent:
            return self._again(decision, sent, "something was done: see what came of it")
        return LookResult(next_look_at=decision.next_look_at, because="nothing to do", decision=decision)

    async def _send(self, lease: Lease, command: Command, *, begun_at: datetime) -> Outcome:
        if self.clock.now() - begun_at > STALE_SEND:
            return NotSent(why="The process was stopped between the journal and the send.")
        if isinstance(command, WarehouseCommand):
            return await self.warehouse.send(command)
        return await self.shops[lease.shop].send(command)

    def _again(self, decision: Decision, sent: int, because: str, *, at: datetime | None = None) -> LookResult:
        if at is None:
            at = self.clock.now() + self.look_again_after
        if not self.nets.look_after_action:
            return LookResult(next_look_at=decision.next_look_at, because=because, decision=decision, sent=sent)
        soonest = min(at, decision.next_look_at) if decision.next_look_at is not None else at
        return LookResult(next_look_at=soonest, because=because, decision=decision, sent=sent)

    # ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _back_off(self, lease: Lease) -> datetime:
        seconds = min(600.0, 5.0 * 2 ** min(lease.failures, 10))
        # Spread by order, so that a tenant that comes back is not met by all orders in one second.
        return self.clock.now() + timedelta(seconds=seconds * (1 + (lease.order % 16) / 32))

    async def _cannot_decide(self, lease: Lease, error: CannotDecide) -> LookResult:
        if error.unreadable.code is not None:
            await self._raise_access(lease, error.unreadable.code, error.unreadable.why)
        return LookResult(next_look_at=self._back_off(lease), because=error.unreadable.why, failed=True)

    async def _raise_access(self, lease: Lease, code: str, why: str) -> None:
        finding = Finding(
            code=code,
            fingerprint=f"{code}:{why[:80]}",
            summary=f"{lease.shop}: {why}",
            detail={"why": why, "remedy": "Check the credentials and scopes, then `pickgate doctor`."},
            actions=("resolve_exceptions",),
        )
        await self.store.raise_shop_finding(shop=lease.shop, scope="access", findings=[finding], now=self.clock.now())

    async def _freeze(self, lease: Lease, why: str) -> None:
        finding = Finding(
            code="ORDER_FROZEN",
            fingerprint=f"ORDER_FROZEN:{lease.order_id}",
            summary=f"{lease.name or lease.order_id}: looking at it fails every time: {why[:200]}",
            detail={"order_id": lease.order_id, "failures": lease.failures + 1},
            actions=("look_at_order", "resolve_exceptions"),
        )
        await self.store.raise_shop_finding(
            shop=lease.shop, scope=f"order:{lease.order_id}", findings=[finding], now=self.clock.now()
        )

    async def _thaw(self, lease: Lease) -> None:
        await self.store.raise_shop_finding(
            shop=lease.shop, scope=f"order:{lease.order_id}", findings=[], now=self.clock.now()
        )
