"""Questions about stock levels, and their publication on demand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from pickgate.domain.stock import Action, StockLine
from pickgate.flows.stock_telling import StockReport
from pickgate.operations.context import OperationContext
from pickgate.operations.errors import NotAllowed, Unavailable
from pickgate.operations.inputs import Ask, Change, Paged, Several
from pickgate.operations.lookup import page_of, shops_of
from pickgate.operations.models import Page, Shape
from pickgate.operations.operation import Operation
from pickgate.operations.roles import EVERYONE, Role, only
from pickgate.operations.stock_ports import StockDesk


class ListStock(Paged):
    q: str = Field(default="", max_length=200, description="Part of a SKU, a product code, or an item's id")
    shop: Several = Field(default_factory=list)
    only_differing: bool = Field(default=False, description="Only levels that the shop shows otherwise than promised")


class PreviewStock(Ask):
    skus: Several = Field(default_factory=list, description="Only these SKUs; none: every one that differs")
    shop: Several = Field(default_factory=list)
    limit: int = Field(default=500, ge=1, le=10_000)


class PublishStock(Change):
    confirm_implausible: bool = Field(
        default=False, description="You have checked that a mass change is true: publish what was held back"
    )


class StockRow(Shape):
    """One level, in units. `available` is what the shop shows, `sellable` what the warehouse can sell of the scarcest
    product, `unseen` what was sold of it beyond the warehouse's figures, `target` what the shop should show."""

    shop: str
    location_id: str
    sku: str
    products: list[str] = Field(default_factory=list)
    account: str = ""
    warehouse: str = ""
    available: int
    committed: int
    sellable: int
    unseen: int
    promised: int = Field(description="Before the buffer; below zero: more is sold than there is")
    buffer: int
    target: int
    action: str
    why: str
    published: int | None = Field(default=None, description="What Pickgate last set")
    published_at: datetime | None = None
    compared_at: datetime | None = None
    conflicts: int = 0


class PlaceShape(Shape):
    account: str
    warehouse: str
    snapshot_at: datetime | None = None
    compared: int = 0
    to_set: int = Field(default=0, description="Levels that should be set")
    published: int = 0
    calls: int = 0
    not_settled: int = Field(default=0, description="Levels that changed each time, or whose outcome is not known")
    refused: int = 0
    held: str = Field(default="", description="Why nothing is published until a person confirms it")
    problem: str = ""


class StockAnswer(Shape):
    """`dry_run`: nothing was set. `items`: levels that differ, as they were compared; `total` counts them all."""

    dry_run: bool
    places: list[PlaceShape]
    items: list[StockRow] = Field(default_factory=list)
    total: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    items: Sequence[Any]
    total: int


async def _list_stock(context: OperationContext, ask: ListStock) -> Page[StockRow]:
    rows, total = await _desk(context).rows.list_levels(
        q=ask.q,
        shops=shops_of(context, ask.shop),
        only_differing=ask.only_differing,
        limit=ask.limit,
        offset=ask.offset,
    )
    return page_of(_Found(rows, total), StockRow, ask)  # type: ignore[no-any-return]


async def _preview_stock(context: OperationContext, ask: PreviewStock) -> StockAnswer:
    report = await _desk(context).publish(dry_run=True, confirmed=False)
    return _answer(context, report, ask, dry_run=True)


async def _publish_stock(context: OperationContext, ask: PublishStock) -> StockAnswer:
    if context.actor.shops is not None:
        raise NotAllowed(
            "Publishing sets the levels of every shop that sells from a warehouse.",
            remedy="Ask somebody who may see all shops, or preview_stock.",
        )
    desk = _desk(context)
    if not ask.dry_run:
        await context.audit(
            actor=context.actor.name,
            action="publish_stock",
            subject="stock, an implausible one confirmed" if ask.confirm_implausible else "stock",
            shop="",
            reason=ask.reason,
            now=context.now(),
        )
    report = await desk.publish(dry_run=ask.dry_run, confirmed=ask.confirm_implausible)
    return _answer(context, report, PreviewStock(), dry_run=ask.dry_run)


def _desk(context: OperationContext) -> StockDesk:
    if context.stock is None:
        raise Unavailable("Stock is not set up in this process.", remedy="Ask the API of a running Pickgate.")
    return context.stock


def _answer(context: OperationContext, report: StockReport, ask: PreviewStock, *, dry_run: bool) -> StockAnswer:
    rows = list(_rows(context, report, ask))
    return StockAnswer(
        dry_run=dry_run,
        problem=report.problem,
        total=len(rows),
        items=[StockRow.model_validate(row) for row in rows[: ask.limit]],
        places=[
            PlaceShape(
                account=one.place.account,
                warehouse=one.place.warehouse,
                snapshot_at=one.snapshot_at,
                compared=len(one.lines),
                to_set=one.wanted,
                published=one.published,
                calls=one.sent.calls,
                not_settled=len(one.sent.stale) + len(one.sent.unknown),
                refused=len(one.sent.refused),
                held=one.held.text if one.held else "",
                problem=one.problem,
            )
            for one in report.places
        ],
    )


def _rows(context: OperationContext, report: StockReport, ask: PreviewStock) -> Iterator[dict[str, Any]]:
    shops = shops_of(context, ask.shop)
    skus = set(ask.skus)
    for place in report.places:
        for line in place.lines:
            if (shops is None or line.level.shop in shops) and _is_asked(line, skus):
                yield _row(line) | {"account": place.place.account, "warehouse": place.place.warehouse}


def _is_asked(line: StockLine, skus: set[str]) -> bool:
    if skus:
        return line.level.sku in skus
    return line.action is not Action.SAME and (line.action is not Action.NOT_SENT or line.level.tracked)


def _row(line: StockLine) -> dict[str, Any]:
    level = line.level
    return {
        "shop": level.shop,
        "location_id": level.location_id,
        "sku": level.sku,
        "products": [product.code for product in level.products],
        "available": level.available,
        "committed": level.committed,
        "sellable": line.sellable,
        "unseen": line.unseen,
        "promised": line.promised,
        "buffer": line.buffer,
        "target": line.target,
        "action": line.action.value,
        "why": line.why,
        "published": line.published,
    }


STOCK = (
    Operation(
        id="list_stock",
        title="List stock levels",
        about="Stock levels as last compared: what the shop shows, what the warehouse has, what is promised, and why.",
        input=ListStock,
        output=Page[StockRow],
        roles=EVERYONE,
        handler=_list_stock,
    ),
    Operation(
        id="preview_stock",
        title="Compare stock now",
        about="Reads both systems and says what would be published now, and why. Nothing is set.",
        input=PreviewStock,
        output=StockAnswer,
        roles=EVERYONE,
        handler=_preview_stock,
    ),
    Operation(
        id="publish_stock",
        title="Publish stock",
        about="Sets every level that differs from the promise, the most urgent first.",
        input=PublishStock,
        output=StockAnswer,
        roles=only(Role.OPS, Role.ECOMMERCE),
        handler=_publish_stock,
        changes=True,
        audit_words="published",
    ),
)
