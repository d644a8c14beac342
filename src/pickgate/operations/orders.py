"""Questions about orders: find them, see one whole, decide one again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from pickgate.operations.context import OperationContext
from pickgate.operations.errors import Conflict
from pickgate.operations.inputs import OneOrder, OrderSort, Paged, Several, StateName, Version, read_several
from pickgate.operations.lookup import find_order, page_of, shops_of
from pickgate.operations.models import OrderRow, OrderShape, Page, Shape
from pickgate.operations.operation import Operation
from pickgate.operations.ports import OrderQuery
from pickgate.operations.roles import EVERYONE, TEAMS


class ListOrders(Paged):
    q: str = Field(default="", max_length=200, description="Part of a name, a Shopify id, a SKU, a tag or a reference")
    state: Annotated[list[StateName], BeforeValidator(read_several)] = Field(default_factory=list)
    shop: Several = Field(default_factory=list)
    gate: str = Field(default="", max_length=60, description="Only orders with this gate closed")
    sort: OrderSort = "-created_at"


class GetOrder(OneOrder):
    journal_limit: int = Field(default=100, ge=0, le=1000)
    journal_offset: int = Field(default=0, ge=0, le=100_000)


class ReplayOrder(OneOrder):
    rulebook: Version | None = Field(default=None, description="A rulebook version; none: the one in force")


class ReplayShape(Shape):
    """What the same facts decide now. `differs` names the parts of the decision that came out differently."""

    order: int
    differs: list[str] = Field(default_factory=list)
    state: str = ""
    gates: list[dict[str, Any]] = Field(default_factory=list)
    commands: list[dict[str, Any]] = Field(default_factory=list)
    findings: list[dict[str, Any]] = Field(default_factory=list)
    reasons: list[dict[str, Any]] = Field(default_factory=list)
    comparison: list[dict[str, Any]] = Field(default_factory=list)
    decided_at: datetime | None = None
    rulebook: int | None = None


class HeldList(Paged):
    q: str = Field(default="", max_length=200)
    shop: Several = Field(default_factory=list)
    gate: str = Field(default="", max_length=60)
    sort: OrderSort = "next_look_at"


class DriftList(Paged):
    shop: Several = Field(default_factory=list)
    sort: OrderSort = "-created_at"


async def _list_orders(context: OperationContext, ask: ListOrders) -> Page[OrderRow]:
    query = OrderQuery(
        q=ask.q,
        shops=shops_of(context, ask.shop),
        states=tuple(ask.state),
        gate=ask.gate,
        sort=ask.sort,
        limit=ask.limit,
        offset=ask.offset,
    )
    return page_of(await context.reads.list_orders(query), OrderRow, ask)  # type: ignore[no-any-return]


async def _list_held_orders(context: OperationContext, ask: HeldList) -> Page[OrderRow]:
    query = OrderQuery(
        q=ask.q,
        shops=shops_of(context, ask.shop),
        held=True,
        gate=ask.gate,
        sort=ask.sort,
        limit=ask.limit,
        offset=ask.offset,
    )
    return page_of(await context.reads.list_orders(query), OrderRow, ask)  # type: ignore[no-any-return]


async def _list_drift(context: OperationContext, ask: DriftList) -> Page[OrderRow]:
    query = OrderQuery(
        shops=shops_of(context, ask.shop), differs=True, sort=ask.sort, limit=ask.limit, offset=ask.offset
    )
    return page_of(await context.reads.list_orders(query), OrderRow, ask)  # type: ignore[no-any-return]


async def _get_order(context: OperationContext, ask: GetOrder) -> OrderShape:
    order = await find_order(context, ask)
    journal = await context.reads.list_journal(order.id, limit=ask.journal_limit, offset=ask.journal_offset)
    effects = await context.reads.list_effects(
        shops=context.actor.shops, order=order.id, states=(), limit=200, offset=0
    )
    return OrderShape.model_validate(
        order.model_dump() | {"journal": list(journal.items), "effects": list(effects.items)}
    )


async def _replay_order(context: OperationContext, ask: ReplayOrder) -> ReplayShape:
    order = await find_order(context, ask)
    decision = dict(await context.replay(order.id, rulebook=ask.rulebook))
    if decision.get("decided") is False:
        raise Conflict(
            f"{order.name} cannot be decided from what is stored: {decision['why']}",
            remedy="Look at it again first: look_at_order.",
        )
    # Which products the warehouse knew is not kept, so gates may differ by that; what is wanted may not.
    if "fingerprint" in decision and decision["fingerprint"] != order.fingerprint:
        decision["differs"] = ["content"]
    return ReplayShape.model_validate(decision | {"order": order.id})


ORDERS = (
    Operation(
        id="list_orders",
        title="List orders",
        about="Search and filter orders.",
        input=ListOrders,
        output=Page[OrderRow],
        roles=EVERYONE,
        handler=_list_orders,
    ),
    Operation(
        id="get_order",
        title="Show an order",
        about="One order whole: gates, comparison, goods-outs, exceptions, effects and history.",
        input=GetOrder,
        output=OrderShape,
        roles=EVERYONE,
        handler=_get_order,
    ),
    Operation(
        id="replay_order",
        title="Decide again from stored facts",
        about="Decide from the facts of the last look, under any rulebook version. Nothing is sent or recorded.",
        input=ReplayOrder,
        output=ReplayShape,
        roles=TEAMS,
        handler=_replay_order,
    ),
    Operation(
        id="list_held_orders",
        title="List waiting orders",
        about="Orders that are not in the warehouse yet, with the gates that keep them and until when.",
        input=HeldList,
        output=Page[OrderRow],
        roles=EVERYONE,
        handler=_list_held_orders,
    ),
    Operation(
        id="list_drift",
        title="List orders that differ",
        about="Orders in which shop, decision and warehouse do not hold the same units.",
        input=DriftList,
        output=Page[OrderRow],
        roles=EVERYONE,
        handler=_list_drift,
    ),
)
