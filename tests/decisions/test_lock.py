"""The lock against editing: taken when work begins, kept in silence, lifted when undone, never fought over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cast import LONG_AGO, NOON, codes, decided, facts, fulfilment_order, goods_out, order, record, spoken
from pickgate.domain.commands import LiftLock, TakeLock
from pickgate.domain.decision import Decision
from pickgate.domain.facts import RecordState, RefusedEffect
from pickgate.domain.policy import LockPolicy, Policy
from pickgate.domain.shop import FulfilmentOrder, FulfilmentOrderStatus, ShopOrder
from pickgate.domain.warehouse import GoodsOut, Stage

TAG = "pickgate-locked"
IN_PROGRESS = FulfilmentOrderStatus.IN_PROGRESS
PICKING = goods_out(stage=Stage.PICKING)
LOCKED = order(tags=("vip", TAG), lock_value="locked", fulfilment_orders=(fulfilment_order(status=IN_PROGRESS),))


def look(
    some: ShopOrder, seen: GoodsOut | None = PICKING, *, state: RecordState = RecordState.LIVE,
    lock: LockPolicy | None = None, **memory: Any,
) -> Decision:  # fmt: skip
    told = (("A", 1),) if state is RecordState.FINISHED else ()
    return decided(
        facts(some, records=(record(state=state, told=told),), goods_outs=(seen,) if seen else (), **memory),
        policy=Policy(lock=lock or LockPolicy()),
    )


def test_it_is_taken_when_work_begins_before_anything_else() -> None:
    decision = look(order(tags=("vip",)))

    assert decision.commands == (
        TakeLock(
            order_id="5001", tag=TAG, metafield="$app:pickgate.lock", value="locked", add_tag=True, set_metafield=True,
            report_progress_on=("F1",),
        ),
    )  # fmt: skip
    assert decision.locked is True


def test_its_own_echo_is_silence() -> None:
    decision = look(LOCKED, lock_confirmed_at=LONG_AGO)

    assert (decision.commands, decision.findings, decision.locked) == ((), (), True)


def test_it_is_not_taken_before_work_begins() -> None:
    decision = look(order(), goods_out())

    assert (decision.commands, decision.locked) == ((), False)


@pytest.mark.parametrize(
    ("case", "some", "lock", "asked"),
    [
        ("only the tag is missing", order(lock_value="locked", fulfilment_orders=LOCKED.fulfilment_orders),
         LockPolicy(), (True, False, ())),
        ("only the metafield is missing", order(tags=(TAG,), fulfilment_orders=LOCKED.fulfilment_orders), LockPolicy(),
         (False, True, ())),
        ("the metafield says open", order(tags=(TAG,), lock_value="open", fulfilment_orders=LOCKED.fulfilment_orders),
         LockPolicy(), (False, True, ())),
        ("only progress is missing", order(tags=(TAG,), lock_value="locked"), LockPolicy(), (False, False, ("F1",))),
        ("progress is not reported", order(), LockPolicy(report_progress=False), (True, True, ())),
        ("no tag is used", order(), LockPolicy(tag=""), (False, True, ("F1",))),
        ("no metafield is used", order(), LockPolicy(metafield=""), (True, False, ("F1",))),
        ("the tag in another case", order(tags=(TAG.upper(),), lock_value="locked"), LockPolicy(),
         (False, False, ("F1",))),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
def test_only_what_is_missing_is_written(
    case: str, some: ShopOrder, lock: LockPolicy, asked: tuple[bool, bool, tuple[str, ...]]
) -> None:
    (command,) = look(some, lock=lock).commands

    assert isinstance(command, TakeLock)
    assert (command.add_tag, command.set_metafield, command.report_progress_on) == asked


def test_a_lock_of_nothing_is_no_lock() -> None:
    decision = look(order(), lock=LockPolicy(tag="", metafield="", report_progress=False))

    assert (decision.commands, decision.locked) == ((), True)


@pytest.mark.parametrize(
    ("case", "f", "reported"),
    [
        ("its own", fulfilment_order("F1"), ("F1",)),
        ("another one", fulfilment_order("F2"), ()),
        ("one that is held", fulfilment_order("F1", status=FulfilmentOrderStatus.ON_HOLD), ()),
        ("one that is done", fulfilment_order("F1", {"A": 0}), ()),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_progress_is_reported_on_what_is_worked_on(case: str, f: FulfilmentOrder, reported: tuple[str, ...]) -> None:
    (command, *_) = look(order(fulfilment_orders=(f,))).commands

    assert isinstance(command, TakeLock)
    assert command.report_progress_on == reported


def test_progress_is_reported_once() -> None:
    again = order(tags=(TAG,), lock_value="locked")

    assert look(again, lock_confirmed_at=LONG_AGO).commands == ()


class TestUndone:
    @pytest.mark.parametrize(
        ("some", "what"),
        [
            (order(lock_value="locked"), "tag"),
            (order(tags=(TAG,)), "metafield"),
            (order(), "tag and metafield"),
        ],
        ids=["the tag", "the metafield", "both"],
    )
    def test_what_somebody_takes_off_is_said_and_not_fought_over(self, some: ShopOrder, what: str) -> None:
        decision = look(some, lock_confirmed_at=LONG_AGO)

        assert (decision.commands, codes(decision), decision.locked) == ((), ["LOCK_NOT_TAKEN"], False)
        assert decision.findings[0].detail["why"] == f"its {what} were taken off again"
        assert decision.findings[0].fingerprint == "LOCK_NOT_TAKEN"

    REFUSED = RefusedEffect(
        key="take_lock:5001:locked:", kind="take_lock", target="5001", code="X", problem="no scope", at=NOON
    )

    def test_what_the_shop_refuses_is_said_and_not_repeated(self) -> None:
        decision = look(order(), refused=(self.REFUSED,))

        assert (decision.commands, codes(decision)) == ((), ["LOCK_NOT_TAKEN"])
        assert decision.findings[0].detail["why"] == "no scope"

    def test_only_progress_was_refused(self) -> None:
        decision = look(order(tags=(TAG,), lock_value="locked"), refused=(self.REFUSED,))

        assert (decision.commands, decision.findings, decision.locked) == ((), (), True)

    def test_another_refusal_is_another_matter(self) -> None:
        other = RefusedEffect(key="x", kind="carry_time", target="5001", code="X", problem="no", at=NOON)

        assert spoken(look(order(), refused=(other,))) == ["take_lock"]


class TestLift:
    def test_it_is_lifted_when_the_work_is_undone(self) -> None:
        decision = look(LOCKED, goods_out(), lock_confirmed_at=LONG_AGO)

        assert decision.commands == (
            LiftLock(
                order_id="5001", tag=TAG, metafield="$app:pickgate.lock", value="open", remove_tag=True,
                set_metafield=True, reopen=("F1",),
            ),
        )  # fmt: skip
        assert decision.locked is False

    @pytest.mark.parametrize(
        ("some", "lock", "asked"),
        [
            (order(tags=(TAG,)), LockPolicy(), (True, False, ())),
            (order(lock_value="locked"), LockPolicy(), (False, True, ())),
            (LOCKED, LockPolicy(report_progress=False), (True, True, ())),
            (LOCKED, LockPolicy(metafield=""), (True, False, ("F1",))),
            (order(tags=(TAG,), fulfilment_orders=(fulfilment_order("F1"), fulfilment_order("F2", status=IN_PROGRESS))),
             LockPolicy(), (True, False, ())),
        ],
        ids=["tag only", "metafield only", "no progress", "no metafield", "another's progress"],
    )  # fmt: skip
    def test_only_what_is_there_is_taken_off(
        self, some: ShopOrder, lock: LockPolicy, asked: tuple[bool, bool, tuple[str, ...]]
    ) -> None:
        command = look(some, goods_out(), lock=lock).commands[0]

        assert isinstance(command, LiftLock)
        assert (command.remove_tag, command.set_metafield, command.reopen) == asked

    def test_a_recalled_order_may_be_edited_again(self) -> None:
        assert "lift_lock" in spoken(look(LOCKED, None, state=RecordState.RECALLED))

    def test_what_has_left_stays_locked(self) -> None:
        left = goods_out(stage=Stage.COMPLETED, despatched={"A": 1})

        decision = look(LOCKED, left, state=RecordState.FINISHED)

        assert ("lift_lock" in spoken(decision), decision.locked) == (False, True)

    def test_a_cancelled_order_is_left_as_it_is(self) -> None:
        cancelled = order(tags=(TAG,), cancelled_at=NOON)

        decision = look(cancelled, None, state=RecordState.RECALLED)

        assert (decision.commands, decision.locked) == ((), True)
        assert look(order(cancelled_at=NOON, lock_value="locked"), None, state=RecordState.RECALLED).locked is True
        assert look(order(cancelled_at=NOON), PICKING).locked is False
        assert spoken(look(order(cancelled_at=NOON), PICKING)) == ["recall 1001-1"]

    def test_an_open_order_that_is_not_locked_is_left_as_it_is(self) -> None:
        assert look(order(lock_value="open"), goods_out()).commands == ()


def test_while_a_recall_is_awaited_the_pickers_work_is_locked_too() -> None:
    recalling = record(state=RecordState.RECALLING, recall_asked_at=NOON - timedelta(seconds=5))

    decision = decided(facts(order({"A": 2}), records=(recalling,), goods_outs=(PICKING,)))

    assert spoken(decision) == ["take_lock"]


def test_keys_tell_locks_apart() -> None:
    (taken,) = look(order()).commands
    (lifted,) = look(LOCKED, goods_out()).commands

    assert taken.key == "take_lock:5001:locked:F1"
    assert lifted.key == "lift_lock:5001:open:F1"
