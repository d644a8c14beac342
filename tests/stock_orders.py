"""The orders of the small stock world: what the shop, the warehouse and our own records say of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pickgate.domain.facts import GoodsOutRecord, RecordState
from pickgate.domain.money import Money
from pickgate.domain.rules import Place, Product, RuleRow
from pickgate.domain.shop import (
    Address,
    FulfilmentOrder,
    FulfilmentOrderLine,
    FulfilmentOrderStatus,
    Line,
    ShopOrder,
    Totals,
)
from pickgate.domain.warehouse import Content, ContentLine, GoodsOutLine, Stage
from pickgate.domain.warehouse import GoodsOut as SeenGoodsOut
from pickgate.store.memory_rows import MemoryOrder

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
HERE = Place(account="ACME", warehouse="LDS")
PRODUCTS = {
    "CUP": (Product(code="CUP"),),
    "TEA": (Product(code="TEA"),),
    "SET": (Product(code="CUP"), Product(code="TEA", units=2)),
}
ROW = RuleRow(table="skus", row=0, version=1)
_NOTHING = Money(0, "GBP")
_TOTALS = Totals(
    current=_NOTHING, outstanding=_NOTHING, received=_NOTHING, refunded=_NOTHING, tax=_NOTHING, shipping=_NOTHING
)


@dataclass(slots=True)
class GoodsOut:
    """The warehouse's side of one order, in units of the SKU."""

    units: int
    picked: int = 0
    left: int = 0
    live: bool = True
    created_at: datetime = START


@dataclass(slots=True, eq=False)
class Sale:
    """One order of one SKU. `wanted` falls with edits; `fulfilled` is what the shop knows to have left."""

    number: int
    sku: str
    wanted: int
    fulfilled: int = 0
    goods_out: GoodsOut | None = None
    updated_at: datetime = START
    row: MemoryOrder | None = None
    told: int = 0
    seen_verified: bool = False
    recalling: bool = False

    @property
    def committed(self) -> int:
        return self.wanted - self.fulfilled

    @property
    def to_come(self) -> int:
        """Units that are on the shelf and spoken for: by the customer, or by a goods-out that is still alive."""
        out = self.goods_out
        if out is None or not out.live:
            return self.committed
        return max(out.units - out.picked, self.committed - (out.picked - self.told), 0)


def shop_order(sale: Sale) -> ShopOrder:
    status = FulfilmentOrderStatus.OPEN if sale.committed else FulfilmentOrderStatus.CLOSED
    share = FulfilmentOrderLine(id="f", line_id="A", remaining=sale.committed, total=sale.wanted)
    return ShopOrder(
        id=str(sale.number),
        name=f"#{sale.number}",
        created_at=START,
        updated_at=sale.updated_at,
        financial_status="PAID",
        lines=(Line(id="A", title="", sku=sale.sku, ordered=sale.wanted, current=sale.wanted),),
        fulfilment_orders=(
            FulfilmentOrder(id="F1", status=status, location_id="L1", location_name="Leeds", lines=(share,)),
        ),
        totals=_TOTALS,
        currency="GBP",
    )


def record_of(sale: Sale, out: GoodsOut) -> GoodsOutRecord:
    lines = tuple(
        ContentLine(
            line_id="A", product_code=part.code, units=out.units * part.units, sku=sale.sku, per_unit=part.units
        )
        for part in PRODUCTS[sale.sku]
    )
    content = Content(account=HERE.account, warehouse=HERE.warehouse, lines=lines, address=Address())
    return GoodsOutRecord(
        reference=f"{sale.number}-1",
        number=1,
        fulfilment_order_id="F1",
        group="",
        generation=1,
        content=content,
        state=RecordState.RECALLING if sale.recalling else RecordState.LIVE,
        clarus_id="1",
        told=(("A", sale.told),) if sale.told else (),
        stage_code="PENDING",
        created_at=out.created_at,
        picked=(("A", out.picked),),
    )


def seen_goods_out(sale: Sale, out: GoodsOut) -> SeenGoodsOut:
    return SeenGoodsOut(
        id="1",
        reference=f"{sale.number}-1",
        stage=Stage.PENDING if out.live else Stage.CANCELLED,
        status_code="PENDING",
        lines=tuple(
            GoodsOutLine(id="1", product_code=part.code, ordered=out.units * part.units) for part in PRODUCTS[sale.sku]
        ),
    )


def has_moved(sale: Sale, row: MemoryOrder) -> bool:
    """The poll: the goods-out is not as the last look recorded it."""
    record = next(iter(row.records.values()), None)
    out = sale.goods_out
    if record is None or out is None:
        return (record is None) != (out is None)
    return not out.live or record != record_of(sale, out) or out.left > sale.told
