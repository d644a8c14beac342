"""What a person may say about one order. Each is recorded, audited, and followed by a look that decides what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from pickgate.operations.context import OperationContext
from pickgate.operations.errors import Conflict
from pickgate.operations.inputs import Instant, OrderChange, OrderChangeWithReason
from pickgate.operations.lookup import find_order
from pickgate.operations.models import ChangeShape, OrderShape
from pickgate.operations.operation import Operation
from pickgate.operations.roles import TEAMS, Role, only

SENT_STATES = frozenset({"releasing", "in_warehouse", "picking", "part_despatched"})
OVER_STATES = frozenset({"despatched", "cancelled", "superseded", "ignored"})


class HoldOrder(OrderChangeWithReason):
    until: Instant | None = Field(default=None, description="When the hold ends by itself; none: a person ends it")


async def _look_at_order(context: OperationContext, ask: OrderChange) -> ChangeShape:
    order = await find_order(context, ask)
    _check_version(order, ask)
    if not ask.dry_run:
        await context.audit(
            actor=context.actor.name,
            action="look_at_order",
            subject=f"order {order.id} {order.name}",
            shop=order.shop,
            reason=ask.reason,
            now=context.now(),
        )
        await context.wake(order.shop, order.shopify_id)
    return _changed(ask, "look_at_order", order, f"{order.name} is looked at next.")


async def _hold_order(context: OperationContext, ask: HoldOrder) -> ChangeShape:
    order, now = await find_order(context, ask), context.now()
    _check_version(order, ask)
    if ask.until is not None and ask.until <= now:
        raise Conflict("The hold would end in the past.", remedy="Give a later time, or none.")
    words = f"{order.name} is held" + (f" until {ask.until:%Y-%m-%d %H:%M} UTC." if ask.until else " until released.")
    if order.state in SENT_STATES:
        words += " What the warehouse already has stays there: use cancel_in_warehouse to take it back."
    before = {"hold": order.hold.model_dump(mode="json") if order.hold else None}
    after = {"hold": {"by": context.actor.name, "reason": ask.reason, "until": ask.until and ask.until.isoformat()}}
    if not ask.dry_run:
        done = await context.actions.set_hold(
            order.id, actor=context.actor.name, reason=ask.reason, until=ask.until, expected=order.version, now=now
        )
        await _finish(context, order, done=done)
    return _changed(ask, "hold_order", order, words, before, after)


async def _unhold_order(context: OperationContext, ask: OrderChange) -> ChangeShape:
    order, now = await find_order(context, ask), context.now()
    _check_version(order, ask)
    said = order.hold or order.cancel_request
    if said is None:
        raise Conflict(
            f"Nobody holds {order.name}.",
            remedy="Other gates open by themselves or by release_order.",
            detail={"state": order.state, "version": order.version},
        )
    before = {"hold": said.model_dump(mode="json")}
    if not ask.dry_run:
        done = await context.actions.unset_hold(
            order.id, actor=context.actor.name, reason=ask.reason, expected=order.version, now=now
        )
        await _finish(context, order, done=done)
    words = f"{order.name} is no longer held by {said.by}. Its other gates stay as they are."
    return _changed(ask, "unhold_order", order, words, before, {"hold": None})


async def _release_order(context: OperationContext, ask: OrderChangeWithReason) -> ChangeShape:
    order, now = await find_order(context, ask), context.now()
    _check_version(order, ask)
    asked_for = bool(order.gates) or any("release_order" in item.actions for item in order.exceptions)
    if order.state in OVER_STATES or (order.state in SENT_STATES and not asked_for):
        raise Conflict(
            f"{order.name} is {order.state.replace('_', ' ')}: there is nothing to release.",
            remedy="Look at the order page for what happened.",
            detail={"state": order.state, "version": order.version},
        )
    stuck = [gate for gate in order.gates if not gate.by_person]
    opened = [gate.code for gate in order.gates if gate.by_person]
    words = f"{order.name} is released for its present content"
    words += f", past {', '.join(opened)}." if opened else "."
    if stuck:
        words += " It still waits for " + "; ".join(f"{gate.code}: {gate.detail}" for gate in stuck) + "."
    before = {"gates": [gate.code for gate in order.gates]}
    if not ask.dry_run:
        done = await context.actions.approve_release(
            order.id, actor=context.actor.name, reason=ask.reason, expected=order.version, now=now
        )
        await _finish(context, order, done=done)
    return _changed(ask, "release_order", order, words, before, {"gates": [gate.code for gate in stuck]})


async def _cancel_in_warehouse(context: OperationContext, ask: OrderChangeWithReason) -> ChangeShape:
    order, now = await find_order(context, ask), context.now()
    _check_version(order, ask)
    live = [item.reference for item in order.goods_outs if item.state in ("creating", "live", "recalling")]
    if not live:
        raise Conflict(
            f"The warehouse has nothing of {order.name}.",
            remedy="Use hold_order to keep it away from the warehouse.",
            detail={"state": order.state, "version": order.version},
        )
    if not ask.dry_run:
        done = await context.actions.request_cancel(
            order.id, actor=context.actor.name, reason=ask.reason, expected=order.version, now=now
        )
        await _finish(context, order, done=done)
    words = f"The warehouse is asked to take back {', '.join(live)}; {order.name} is then held."
    return _changed(ask, "cancel_in_warehouse", order, words, {"live": live}, {"live": []})


def _check_version(order: OrderShape, ask: OrderChange) -> None:
    if ask.expected is not None and ask.expected != order.version:
        raise _was_faster(order)


async def _finish(context: OperationContext, order: OrderShape, *, done: bool) -> None:
    """Wake the order after a change; or say what was faster."""
    if not done:
        rows = await context.reads.find_orders(str(order.id), shops=context.actor.shops)
        raise _was_faster(OrderShape.model_validate(rows[0]) if rows else order)
    await context.wake(order.shop, order.shopify_id)


def _was_faster(order: OrderShape) -> Conflict:
    words = [f"it is {order.state.replace('_', ' ')}"]
    if order.hold:
        words.append(f"held by {order.hold.by} ({order.hold.reason})")
    if order.approval:
        words.append(f"released by {order.approval.by} ({order.approval.reason})")
    if order.cancel_request:
        words.append(f"being taken back for {order.cancel_request.by}")
    return Conflict(
        f"{order.name} has changed since you saw it: {', '.join(words)}. Nothing was done.",
        remedy="Look at the order again, then decide again.",
        detail={"version": order.version, "state": order.state},
    )


def _changed(
    ask: OrderChange,
    operation: str,
    order: OrderShape,
    summary: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> ChangeShape:
    return ChangeShape(
        operation=operation,
        dry_run=ask.dry_run,
        changed=not ask.dry_run,
        summary=summary,
        order=order.id,
        version=order.version,
        before=dict(before or {}),
        after=dict(after or {}),
    )


ORDER_CHANGES = (
    Operation(
        id="look_at_order",
        title="Look again now",
        about="Read the order afresh in both systems and decide again.",
        input=OrderChange,
        output=ChangeShape,
        roles=TEAMS,
        handler=_look_at_order,
        changes=True,
        audit_words="asked for a look at",
    ),
    Operation(
        id="release_order",
        title="Release now",
        about="Open every gate that a person may open, for the order's present content only.",
        input=OrderChangeWithReason,
        output=ChangeShape,
        roles=only(Role.OPS, Role.CX),
        handler=_release_order,
        changes=True,
        audit_words="released",
    ),
    Operation(
        id="hold_order",
        title="Hold",
        about="Keep the order away from the warehouse, until a time or until somebody ends the hold.",
        input=HoldOrder,
        output=ChangeShape,
        roles=only(Role.OPS, Role.CX),
        handler=_hold_order,
        changes=True,
        audit_words="held",
    ),
    Operation(
        id="unhold_order",
        title="End the hold",
        about="End an operator's hold. Other gates stay as they are.",
        input=OrderChange,
        output=ChangeShape,
        roles=only(Role.OPS, Role.CX),
        handler=_unhold_order,
        changes=True,
        audit_words="ended the hold of",
    ),
    Operation(
        id="cancel_in_warehouse",
        title="Take back from the warehouse",
        about="Recall what the warehouse has of this order, and hold it.",
        input=OrderChangeWithReason,
        output=ChangeShape,
        roles=only(Role.OPS, Role.CX),
        handler=_cancel_in_warehouse,
        changes=True,
        audit_words="took back",
    ),
)
