"""Any sequence of calls: the memory store and PostgreSQL answer alike."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import cast
from contracts.keeping import Kept, after, decision, finding, keep_in_memory, keep_in_postgres, webhook
from contracts.test_store_looks import create
from pickgate.crypto import Sealer
from pickgate.domain.decision import Gate, OrderState
from pickgate.flows.ports import Confirmed, InboxVerdict, Lease, LeaseLost, NotSent, Outcome, OutcomeNotKnown, Refused
from pickgate.store.effect_rules import TwinRefused
from pickgate.store.operators import OperatorActions
from pickgate.store.postgres import PostgresStore

pytestmark = pytest.mark.postgres

T = TypeVar("T")
ORDERS = st.sampled_from([("uk", "1"), ("uk", "2"), ("us", "1")])
OUTCOMES = st.sampled_from(
    [Confirmed(ids={"clarus_id": "301"}), Refused(code="X", problem="no"), OutcomeNotKnown(why="?"), NotSent(why="429")]
)


class SideBySide(RuleBasedStateMachine):
    dsn = ""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.now = 0.0
        self.memory = keep_in_memory()
        self.leases: list[tuple[Lease, Lease]] = []
        self.events = 0
        self.await_(self._open())

    async def _open(self) -> None:
        await _empty(self.dsn)
        self.store = await PostgresStore.open(self.dsn, Sealer(["k" * 32]), max_size=2)
        connection = await asyncpg.connect(self.dsn)
        await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=_loads)
        self.connection = connection
        self.postgres = keep_in_postgres(self.store, OperatorActions(self.store.database), connection)

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.await_(self.store.aclose())
            self.await_(self.connection.close())
            self.loop.close()

    def await_(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def both(self, call: Any) -> tuple[Any, Any]:
        """Do the same to both; the same answer or the same refusal comes back."""
        return self.await_(_answer(call, self.memory, 0)), self.await_(_answer(call, self.postgres, 1))

    def same(self, call: Any) -> Any:
        one, other = self.both(call)
        assert one == other
        return one

    @property
    def at(self) -> datetime:
        return after(self.now)

    @rule(seconds=st.sampled_from([0.5, 5.0, 40.0, 70.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(which=ORDERS, seconds=st.sampled_from([0.0, 3.0, 50.0]), is_hint=st.booleans())
    def wake(self, which: tuple[str, str], seconds: float, is_hint: bool) -> None:
        shop, order_id = which
        at = after(self.now + seconds)
        self.same(lambda kept, _: kept.store.wake(shop=shop, order_id=order_id, at=at, because="x", is_hint=is_hint))

    @rule(which=ORDERS, event=st.integers(0, 3))
    def webhook_comes(self, which: tuple[str, str], event: int) -> None:
        self.same(lambda kept, _: kept.store.record_inbox([webhook(f"e{event}", shop=which[0])]))
        one, other = self.both(lambda kept, _: kept.store.claim_inbox(now=self.at, limit=5))
        assert [item.topic for item in one] == [item.topic for item in other]

        async def settle(kept: Kept, side: int) -> None:
            items = (one, other)[side]
            verdicts = [InboxVerdict(id=item.id, verdict="hinted", wake=(which,)) for item in items]
            await kept.store.settle_inbox(verdicts, now=self.at, delay_seconds=3)

        self.same(settle)

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        one, other = self.both(lambda kept, _: kept.store.claim(worker="w", now=self.at, lease_seconds=30, limit=limit))
        assert [_plain(lease) for lease in one] == [_plain(lease) for lease in other]
        self.leases += zip(one, other, strict=True)

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), outcome=OUTCOMES, careful=st.booleans(), number=st.integers(1, 2))
    def act(self, data: st.DataObject, outcome: Outcome, careful: bool, number: int) -> None:
        pair = data.draw(st.sampled_from(self.leases))
        command = create(number, reference=f"{pair[0].shop}{pair[0].order_id}-{number}")

        async def act(kept: Kept, side: int) -> bool:
            begun = await kept.store.begin_effect(pair[side], command, now=self.at, needs_no_new_hint=careful)
            if begun:
                await kept.store.finish_effect(pair[side], command, outcome, now=self.at)
            return begun

        self.same(act)

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), verdict=st.sampled_from(["confirmed", "lost", "unknown"]))
    def probe(self, data: st.DataObject, verdict: str) -> None:
        pair = data.draw(st.sampled_from(self.leases))

        async def probe(kept: Kept, side: int) -> list[Any]:
            rows = list(await kept.store.pending_effects(pair[side]))
            for row in rows:
                await kept.store.settle_unknown(
                    pair[side], row, verdict=verdict, note="n", now=self.at, clarus_id="302"
                )
            return rows

        self.same(probe)

    @precondition(lambda self: self.leases)
    @rule(
        data=st.data(),
        state=st.sampled_from(OrderState),
        found=st.lists(st.sampled_from(["f1", "f2"]), max_size=2),
        closed=st.lists(st.sampled_from(["g1", "g2"]), max_size=2, unique=True),
        ties=st.sampled_from([(), ("#uk1",), ("#uk2", "#us1")]),
    )
    def decide(
        self, data: st.DataObject, state: OrderState, found: list[str], closed: list[str], ties: tuple[str, ...]
    ) -> None:
        pair = data.draw(st.sampled_from(self.leases))
        decided = decision(
            state,
            findings=tuple(finding(fingerprint=fingerprint) for fingerprint in found),
            gates=tuple(Gate(code=code, detail="") for code in closed),
            supersedes=ties,
            fingerprint="fp",
        )
        order = cast.order(id=pair[0].order_id, name=f"#{pair[0].shop}{pair[0].order_id}")
        self.same(lambda kept, side: kept.decide(pair[side], decided, order=order, now=self.at))

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), seconds=st.sampled_from([None, 10.0, 100.0]), failed=st.sampled_from([None, "no answer"]))
    def end(self, data: st.DataObject, seconds: float | None, failed: str | None) -> None:
        pair = data.draw(st.sampled_from(self.leases))
        at = None if seconds is None else after(self.now + seconds)
        self.same(lambda kept, side: kept.store.end_look(pair[side], next_look_at=at, failed=failed, now=self.at))

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), what=st.sampled_from(["set_hold", "unset_hold", "approve_release", "request_cancel"]))
    def people(self, data: st.DataObject, what: str) -> None:
        pair = data.draw(st.sampled_from(self.leases))
        more = {"until": None} if what == "set_hold" else {}
        self.same(
            lambda kept, side: getattr(kept.operators, what)(
                pair[side].order, actor="Ann", reason="r", expected=None, now=self.at, **more
            )
        )

    @rule(nth=st.integers(0, 2))
    def resolve(self, nth: int) -> None:
        async def resolve(kept: Kept, _: int) -> int:
            rows = [row for row in await kept.exceptions() if row["resolved_at"] is None][nth : nth + 1]
            ids = [row["id"] for row in rows]
            return len(await kept.operators.resolve_exceptions(ids, actor="Ann", reason="r", now=self.at))

        self.same(resolve)

    @invariant()
    def they_agree(self) -> None:
        if not hasattr(self, "postgres"):
            return
        self.same(lambda kept, _: kept.store.next_due_at())
        if self.leases:
            pair = self.leases[-1]
            self.same(lambda kept, side: kept.store.load_records(pair[side]))
            self.same(lambda kept, side: kept.journal(pair[side].order))

        async def exceptions(kept: Kept, _: int) -> list[dict[str, Any]]:
            return [{**row, "id": None} for row in await kept.exceptions()]

        self.same(exceptions)


async def _answer(call: Any, kept: Kept, side: int) -> Any:
    try:
        answer = await call(kept, side)
    except (LeaseLost, TwinRefused) as error:
        return type(error)
    if isinstance(answer, list):
        return [item if not isinstance(item, tuple) else (item[0], dict(item[1])) for item in answer]
    return answer


async def _empty(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "SET session_replication_role = replica; DELETE FROM orders; DELETE FROM order_facts; DELETE FROM inbox;"
            "DELETE FROM goods_outs; DELETE FROM effects; DELETE FROM operator_records; DELETE FROM journal;"
            "DELETE FROM exceptions; DELETE FROM audit"
        )
    finally:
        await connection.close()


def _plain(lease: Lease) -> tuple[Any, ...]:
    return (lease.shop, lease.order_id, lease.name, lease.epoch, lease.hints_seen, lease.failures)


def _loads(text: str) -> Any:
    import json

    return json.loads(text)


def test_both_stores_answer_alike(database: str) -> None:
    SideBySide.dsn = database
    run_state_machine_as_test(
        SideBySide,
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
