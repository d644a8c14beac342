"""The three-way comparison that people see: the shop, what was decided, the warehouse."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cast import (
    NOON,
    PlainRules,
    content,
    decided,
    facts,
    fulfilment,
    fulfilment_order,
    goods_out,
    line,
    order,
    record,
)
from pickgate.domain.decision import ComparisonRow
from pickgate.domain.facts import Facts, RecordState
from pickgate.domain.rules import Product
from pickgate.domain.shop import FulfilmentOrderStatus
from pickgate.domain.warehouse import ContentLine, GoodsOutLine, Stage

CLOSED = (fulfilment_order("F1", {"A": 0}, status=FulfilmentOrderStatus.CLOSED),)
LEFT = goods_out(stage=Stage.COMPLETED, picked={"A": 1}, despatched={"A": 1})
FINISHED = record(state=RecordState.FINISHED, told=(("A", 1),))


def numbers(some: Facts, line_id: str = "A", rules: PlainRules | None = None) -> tuple[object, ...]:
    """(shop, decided, warehouse, picked, despatched, fulfilled, differs) of one line."""
    (row,) = [row for row in decided(some, rules=rules).comparison if row.line_id == line_id]
    return (
        row.shop_units, row.decided_units, row.warehouse_units, row.picked, row.despatched, row.fulfilled, row.differs
    )  # fmt: skip


def test_a_row() -> None:
    decision = decided(facts(order({"A": 2})))

    assert decision.comparison == (
        ComparisonRow(
            line_id="A", title="Thing A", sku="SKU-A", shop_units=2, decided_units=2, warehouse_units=0, picked=0,
            despatched=0, fulfilled=0, differs=False,
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("case", "some", "expected"),
    [
        ("not sent yet", facts(order({"A": 2})), (2, 2, 0, 0, 0, 0, False)),
        ("in the warehouse", facts(records=(record(),), goods_outs=(goods_out(),)), (1, 1, 1, 0, 0, 0, False)),
        ("edited", facts(order({"A": 2}), records=(record(),), goods_outs=(goods_out(),)), (2, 2, 1, 0, 0, 0, True)),
        (
            "picked",
            facts(
                order({"A": 2}),
                records=(record(1, {"A": 2}),),
                goods_outs=(goods_out(1, {"A": 2}, stage=Stage.PICKING, picked={"A": 1}),),
            ),
            (2, 2, 2, 1, 0, 0, False),
        ),
        (
            "part left, not told",
            facts(
                order({"A": 2}),
                records=(record(1, {"A": 2}),),
                goods_outs=(goods_out(1, {"A": 2}, stage=Stage.PART, picked={"A": 2}, despatched={"A": 1}),),
            ),
            (2, 2, 2, 2, 1, 0, False),
        ),
        (
            "left and told",
            facts(
                order(fulfilment_orders=CLOSED, fulfilments=(fulfilment({"A": 1}),)),
                records=(FINISHED,),
                goods_outs=(LEFT,),
            ),
            (1, 1, 1, 1, 1, 1, False),
        ),
        (
            "left, told, returned and refunded",
            facts(
                order(lines=(line("A", 0, ordered=1),), fulfilment_orders=CLOSED, fulfilments=(fulfilment({"A": 1}),)),
                records=(FINISHED,),
                goods_outs=(LEFT,),
            ),
            (0, 1, 1, 1, 1, 1, False),
        ),
        (
            "left of a cancelled order",
            facts(order(cancelled_at=NOON, fulfilment_orders=CLOSED), records=(FINISHED,), goods_outs=(LEFT,)),
            (0, 1, 1, 1, 1, 0, True),
        ),
        (
            "cancelled, still there",
            facts(order(cancelled_at=NOON), records=(record(),), goods_outs=(goods_out(),)),
            (0, 0, 1, 0, 0, 0, True),
        ),
        (
            "sent by hand",
            facts(order(fulfilment_orders=CLOSED, fulfilments=(fulfilment({"A": 1}),))),
            (1, 0, 0, 0, 0, 1, False),
        ),
        (
            "part by hand, part here",
            facts(
                order(
                    {"A": 3}, fulfilment_orders=(fulfilment_order("F1", {"A": 2}),), fulfilments=(fulfilment({"A": 1}),)
                ),
                records=(record(1, {"A": 2}),),
                goods_outs=(goods_out(1, {"A": 2}),),
            ),
            (3, 2, 2, 0, 0, 1, False),
        ),
        ("recalled", facts(order({"A": 2}), records=(record(state=RecordState.RECALLED),)), (2, 2, 0, 0, 0, 0, False)),
        (
            "being recalled",
            facts(
                order({"A": 2}),
                records=(record(state=RecordState.RECALLING, recall_asked_at=NOON),),
                goods_outs=(goods_out(),),
            ),
            (2, 2, 1, 0, 0, 0, True),
        ),
        (
            "finished short",
            facts(
                order({"A": 3}),
                records=(record(1, {"A": 3}, state=RecordState.FINISHED),),
                goods_outs=(goods_out(1, {"A": 3}, stage=Stage.COMPLETED, picked={"A": 2}, despatched={"A": 2}),),
            ),
            (3, 3, 2, 2, 2, 0, True),
        ),
        (
            "two goods-outs",
            facts(
                order({"A": 3}, fulfilment_orders=(fulfilment_order("F1", {"A": 2}), fulfilment_order("F2", {"A": 1}))),
                records=(record(1, {"A": 2}), record(2, {"A": 1}, fo="F2")),
                goods_outs=(goods_out(1, {"A": 2}), goods_out(2, {"A": 1})),
            ),
            (3, 3, 3, 0, 0, 0, False),
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_numbers(case: str, some: Facts, expected: tuple[object, ...]) -> None:
    assert numbers(some) == expected


def test_only_lines_that_are_shipped_are_compared() -> None:
    lines = (line("A"), line("G", is_gift_card=True), line("D", requires_shipping=False))

    assert [row.line_id for row in decided(facts(order(lines=lines))).comparison] == ["A"]


def test_a_line_without_a_sku_has_none() -> None:
    assert decided(facts(order(lines=(line("A", sku=None),)))).comparison[0].sku == ""


@pytest.mark.parametrize(("cups", "spoons", "picked"), [(2, 12, 2), (2, 11, 1), (1, 12, 1), (0, 12, 0)])
def test_a_bundle_is_picked_as_far_as_every_component_is(cups: int, spoons: int, picked: int) -> None:
    rules = PlainRules(products={"SKU-A": (Product(code="CUP"), Product(code="SPOON", units=6))})
    parts = (
        ContentLine(line_id="A", product_code="CUP", units=2, sku="SKU-A"),
        ContentLine(line_id="A", product_code="SPOON", units=12, sku="SKU-A", per_unit=6),
    )
    seen = replace(
        goods_out(stage=Stage.PICKING),
        lines=(
            GoodsOutLine(id="1", product_code="CUP", ordered=2, picked=cups),
            GoodsOutLine(id="2", product_code="SPOON", ordered=12, picked=spoons),
        ),
    )
    some = facts(
        order({"A": 2}),
        records=(record(content=content(lines=parts)),),
        goods_outs=(seen,),
        known=frozenset({"CUP", "SPOON"}),
    )

    assert numbers(some, rules=rules) == (2, 2, 2, picked, 0, 0, False)


def test_one_product_of_two_lines_is_shared_out() -> None:
    lines = (line("A", 1, sku="X"), line("B", 2, sku="X"))
    both = order(lines=lines, fulfilment_orders=(fulfilment_order("F1", {"A": 1, "B": 2}),))
    held = content(
        lines=(
            ContentLine(line_id="A", product_code="X", units=1, sku="X"),
            ContentLine(line_id="B", product_code="X", units=2, sku="X"),
        )
    )
    seen = replace(goods_out(stage=Stage.PICKING), lines=(GoodsOutLine(id="1", product_code="X", ordered=3, picked=2),))
    some = facts(both, records=(record(content=held),), goods_outs=(seen,))

    assert numbers(some, "A") == (1, 1, 1, 1, 0, 0, False)
    assert numbers(some, "B") == (2, 2, 2, 1, 0, 0, False)
