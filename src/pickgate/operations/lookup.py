"""Finding the one order that is meant, and the shops and pages that are asked for."""

from __future__ import annotations

from typing import Any

from pickgate.operations.context import OperationContext
from pickgate.operations.errors import Ambiguous, NotFound
from pickgate.operations.inputs import OneOrder, OrderChange, Paged
from pickgate.operations.models import OrderShape, Page
from pickgate.operations.ports import Rows


def shops_of(context: OperationContext, asked: list[str]) -> frozenset[str] | None:
    """Return the shops to read: what was asked for, within what the actor may see."""
    allowed = context.actor.shops
    if not asked:
        return allowed
    return frozenset(asked) if allowed is None else frozenset(asked) & allowed


def page_of(rows: Rows, item: Any, ask: Paged) -> Any:
    """Shape one page of rows, with the cursor of the next."""
    end = ask.offset + len(rows.items)
    more = bool(rows.items) and end < rows.total
    return Page[item](
        items=[item.model_validate(row) for row in rows.items],
        total=rows.total,
        next_cursor=f"o{end}" if more else None,
    )


async def find_order(context: OperationContext, ask: OneOrder | OrderChange) -> OrderShape:
    """Find the one order meant. Raises NotFound or Ambiguous."""
    shops = shops_of(context, [ask.shop] if ask.shop else [])
    rows = [OrderShape.model_validate(row) for row in await context.reads.find_orders(ask.ref, shops=shops)]
    if not rows:
        raise NotFound(
            f"There is no order {ask.ref!r}.",
            remedy="Check the name, or look at it in the shop first: Pickgate knows an order from its first webhook.",
        )
    if len(rows) > 1:
        listed = [{"id": row.id, "shop": row.shop, "name": row.name, "shopify_id": row.shopify_id} for row in rows]
        raise Ambiguous(
            f"{ask.ref!r} means {len(rows)} orders: " + ", ".join(f"{row.name} of {row.shop}" for row in rows) + ".",
            remedy="Give `shop` too, or use the Pickgate id.",
            detail={"orders": listed},
        )
    return rows[0]
