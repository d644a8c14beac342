"""The state of an order, in the word that everybody sees, and when it is looked at next."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cast import LONG_AGO, NOON, decided, facts, fulfilment, fulfilment_order, goods_out, line, order, record, spoken
from pickgate.domain.decide import CannotDecide
from pickgate.domain.decision import OrderState
from pickgate.domain.facts import Facts, Kin, KinFate, OperatorHold, RecordState, UnknownEffect, Unreadable
from pickgate.domain.shop import DeliveryMethod, FulfilmentOrderStatus
from pickgate.domain.warehouse import Stage

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DONE = FulfilmentOrderStatus.CLOSED
SHUT = (fulfilment_order("F1", {"A": 0}, status=DONE),)
TOLD = (fulfilment({"A": 1}),)
SUCCESSOR = Kin(id="2", name="#1001A", created_at=NOON, fate=KinFate.NEVER_SENT)
CREATING = record(state=RecordState.CREATING, clarus_id=None)
UNKNOWN = UnknownEffect(key="create_goods_out:1001-1", kind="create_goods_out", target="1001-1", since=NOON)
RECALLING = record(state=RecordState.RECALLING, recall_asked_at=NOON)
FINISHED = record(state=RecordState.FINISHED, told=(("A", 1),))
LEFT = goods_out(stage=Stage.COMPLETED, despatched={"A": 1})
REST = (fulfilment_order("F1", {"A": 0}, status=DONE), fulfilment_order("F2", {"B": 1}))


@pytest.mark.parametrize(
    ("case", "some", "state"),
    [
        ("a test order", facts(order(test=True)), OrderState.IGNORED),
        (
            "collected by the customer",
            facts(order(fulfilment_orders=(fulfilment_order(method=DeliveryMethod.PICK_UP),))),
            OrderState.IGNORED,
        ),
        ("held", facts(order(financial_status="PENDING")), OrderState.WAITING),
        ("not routed yet", facts(order(fulfilment_orders=())), OrderState.WAITING),
        ("a problem that time mends", facts(known=frozenset()), OrderState.WAITING),
        ("about to be created", facts(), OrderState.RELEASING),
        ("created, not confirmed", facts(records=(CREATING,), unknown=(UNKNOWN,)), OrderState.RELEASING),
        ("there", facts(records=(record(),), goods_outs=(goods_out(),)), OrderState.IN_WAREHOUSE),
        ("being recalled", facts(records=(RECALLING,), goods_outs=(goods_out(),)), OrderState.IN_WAREHOUSE),
        ("being picked", facts(records=(record(),), goods_outs=(goods_out(stage=Stage.PICKING),)), OrderState.PICKING),
        (
            "one being picked, one being created",
            facts(
                order({"A": 1, "B": 1}),
                records=(record(), replace(CREATING, reference="1001-2", number=2)),
                goods_outs=(goods_out(stage=Stage.PICKING),),
            ),
            OrderState.PICKING,
        ),
        (
            "part has left, the rest is picked",
            facts(
                order({"A": 2}),
                records=(record(1, {"A": 2}),),
                goods_outs=(goods_out(1, {"A": 2}, stage=Stage.PART, despatched={"A": 1}),),
            ),
            OrderState.PART_DESPATCHED,
        ),
        (
            "one has left, one is there",
            facts(
                order({"A": 1, "B": 1}, fulfilment_orders=REST, fulfilments=TOLD),
                records=(FINISHED, record(2, {"B": 1}, fo="F2")),
                goods_outs=(LEFT, goods_out(2, {"B": 1})),
            ),
            OrderState.PART_DESPATCHED,
        ),
        (
            "one has left, one waits",
            facts(
                order({"A": 1, "B": 1}, fulfilment_orders=REST, fulfilments=TOLD, confirmed=False),
                records=(FINISHED,),
                goods_outs=(LEFT,),
            ),
            OrderState.PART_DESPATCHED,
        ),
        (
            "one was sent by hand, one waits",
            facts(order({"A": 1, "B": 1}, fulfilment_orders=REST, fulfilments=TOLD, confirmed=False)),
            OrderState.PART_DESPATCHED,
        ),
        (
            "left",
            facts(order(fulfilment_orders=SHUT, fulfilments=TOLD), records=(FINISHED,), goods_outs=(LEFT,)),
            OrderState.DESPATCHED,
        ),
        ("left, and the shop is not told yet", facts(records=(record(),), goods_outs=(LEFT,)), OrderState.DESPATCHED),
        ("sent by hand", facts(order(fulfilment_orders=SHUT, fulfilments=TOLD)), OrderState.DESPATCHED),
        (
            "sent by hand, and that undone",
            facts(order(fulfilment_orders=SHUT, fulfilments=(replace(TOLD[0], cancelled=True),))),
            OrderState.IGNORED,
        ),
        ("cancelled, never sent", facts(order(cancelled_at=NOON, fulfilment_orders=())), OrderState.CANCELLED),
        (
            "cancelled, recalled",
            facts(order(cancelled_at=NOON), records=(record(state=RecordState.RECALLED),)),
            OrderState.CANCELLED,
        ),
        (
            "cancelled, still there",
            facts(order(cancelled_at=NOON), records=(record(),), goods_outs=(goods_out(),)),
            OrderState.IN_WAREHOUSE,
        ),
        (
            "cancelled after it left",
            facts(order(cancelled_at=NOON, fulfilment_orders=()), records=(FINISHED,), goods_outs=(LEFT,)),
            OrderState.DESPATCHED,
        ),
        ("every line taken off", facts(order({"A": 0}, fulfilment_orders=())), OrderState.CANCELLED),
        (
            "every line taken off, an empty fulfilment order",
            facts(order({"A": 0}, fulfilment_orders=SHUT)),
            OrderState.CANCELLED,
        ),
        (
            "only gift cards left",
            facts(
                order(lines=(line("A", 0), line("G", is_gift_card=True, requires_shipping=False)), fulfilment_orders=())
            ),
            OrderState.CANCELLED,
        ),
        (
            "replaced and cancelled",
            facts(order(cancelled_at=NOON, fulfilment_orders=()), kin=(SUCCESSOR,)),
            OrderState.SUPERSEDED,
        ),
        (
            "replaced, cancelled, and left",
            facts(
                order(cancelled_at=NOON, fulfilment_orders=()),
                kin=(SUCCESSOR,),
                records=(FINISHED,),
                goods_outs=(LEFT,),
            ),
            OrderState.DESPATCHED,
        ),
        ("replaced, not cancelled", facts(kin=(SUCCESSOR,)), OrderState.WAITING),
        ("an unmapped SKU", facts(unknown_products=frozenset({"SKU-A"})), OrderState.STOPPED),
        (
            "an unmapped SKU in an order that part has left of",
            facts(
                order({"A": 1, "B": 1}, fulfilment_orders=REST, fulfilments=TOLD),
                records=(FINISHED,),
                goods_outs=(LEFT,),
                unknown_products=frozenset({"SKU-B"}),
            ),
            OrderState.STOPPED,
        ),
        (
            "another location's",
            facts(order(fulfilment_orders=(fulfilment_order(location="IGNORED"),))),
            OrderState.IGNORED,
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_the_state(case: str, some: Facts, state: OrderState) -> None:
    assert decided(some).state is state


def test_every_state_is_reached() -> None:
    mark = next(m for m in test_the_state.pytestmark if m.name == "parametrize")  # type: ignore[attr-defined]

    assert {state for _, _, state in mark.args[1]} == set(OrderState)


@pytest.mark.parametrize("state", list(OrderState), ids=lambda state: state.value)
def test_what_is_settled(state: OrderState) -> None:
    settled = {OrderState.IGNORED, OrderState.DESPATCHED, OrderState.CANCELLED, OrderState.SUPERSEDED}

    assert state.is_settled is (state in settled)


@pytest.mark.parametrize("which", ["order", "goods_outs"])
def test_what_cannot_be_read_is_not_decided(which: str) -> None:
    down = Unreadable(why="503", code="CREDENTIALS_REFUSED")
    readable = facts(records=(record(),))
    some = replace(readable, order=down) if which == "order" else replace(readable, goods_outs=down)

    with pytest.raises(CannotDecide, match=r"^503$") as caught:
        decided(some)
    assert caught.value.unreadable is down


# ── the next look ────────────────────────────────────────────────────────────────────────────────────────────────────


def aged(age: timedelta, **more: Any) -> Facts:
    return facts(order(created_at=NOON - age, updated_at=NOON - age, **more))


@pytest.mark.parametrize(
    ("case", "some", "at"),
    [
        ("nothing to wait for", facts(records=(record(),), goods_outs=(goods_out(),)), None),
        ("a gate that time does not open", facts(order(financial_status="PENDING")), None),
        ("the edit window", aged(10 * MINUTE), NOON + 21 * MINUTE),
        ("the last of two timed gates", aged(10 * MINUTE, cutoff_at=NOON + 30 * MINUTE), NOON + 31 * MINUTE),
        ("a timed gate beside one that time does not open", aged(10 * MINUTE, financial_status="PENDING"), None),
        (
            "an operator's hold",
            facts(hold=OperatorHold(by="o", reason="r", at=NOON, until=NOON + MINUTE)),
            NOON + MINUTE,
        ),
        ("an operator's hold without an end", facts(hold=OperatorHold(by="o", reason="r", at=NOON)), None),
        (
            "not routed yet, young",
            facts(order(fulfilment_orders=(), created_at=NOON - 59 * SECOND, updated_at=LONG_AGO)),
            NOON + 5 * SECOND,
        ),
        (
            "not routed yet, a minute old",
            facts(order(fulfilment_orders=(), created_at=NOON - MINUTE, updated_at=LONG_AGO)),
            NOON + MINUTE,
        ),
        ("not routed yet, old", facts(order(fulfilment_orders=())), NOON + MINUTE),
        ("an outcome is unknown", facts(records=(CREATING,), unknown=(UNKNOWN,)), NOON + 15 * SECOND),
        ("a recall is awaited", facts(records=(RECALLING,), goods_outs=(goods_out(),)), NOON + 15 * SECOND),
        ("products could not be read", facts(known=frozenset()), NOON + 30 * SECOND),
        (
            "accepted, and not shown yet",
            facts(records=(record(created_at=NOON - 10 * SECOND, stage_code=""),), goods_outs=()),
            NOON + 20 * SECOND,
        ),
        ("tracking is awaited", facts(records=(record(),), goods_outs=(LEFT,)), NOON + MINUTE),
        (
            "one fulfilment order is scheduled",
            facts(
                order(
                    {"A": 1, "B": 1},
                    fulfilment_orders=(
                        fulfilment_order("F1", {"A": 1}),
                        fulfilment_order(
                            "F2", {"B": 1}, status=FulfilmentOrderStatus.SCHEDULED, fulfil_at=NOON + 5 * MINUTE
                        ),
                    ),
                )
            ),
            NOON + 5 * MINUTE,
        ),
        (
            "scheduled without a time",
            facts(order(fulfilment_orders=(fulfilment_order(status=FulfilmentOrderStatus.SCHEDULED),))),
            None,
        ),
        (
            "the hour of its schedule has passed",
            facts(
                order(
                    fulfilment_orders=(
                        fulfilment_order(status=FulfilmentOrderStatus.SCHEDULED, fulfil_at=NOON - MINUTE),
                    )
                )
            ),
            None,
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_the_next_look(case: str, some: Facts, at: datetime | None) -> None:
    assert decided(some).next_look_at == at


def test_the_order_is_released_at_the_look_that_was_planned() -> None:
    waiting = aged(10 * MINUTE)
    at = decided(waiting).next_look_at
    assert at is not None

    assert spoken(decided(waiting, now=at - SECOND)) == []
    assert spoken(decided(waiting, now=at)) == ["create 1001-1 A1"]
