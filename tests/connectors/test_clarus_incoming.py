"""Wire → domain: statuses, quantities, ids, parcels; and nothing that a tenant sends makes a parser fall over."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.clarus_stub import head, line, payload
from pickgate.connectors.clarus.errors import Unexpected, parse_errors
from pickgate.connectors.clarus.incoming import (
    fingerprint,
    parcels_of,
    parse_goods_out,
    parse_goods_out_node,
    parse_id,
    parse_line_node,
    parse_package_node,
    parse_quantity,
    parse_shipment_node,
    parse_written_id,
    stage_of,
)
from pickgate.connectors.clarus.pages import parse_page
from pickgate.connectors.clarus.wire import PackageNode, ShipmentNode
from pickgate.domain.facts import Unreadable
from pickgate.domain.warehouse import GoodsOut, GoodsOutLine, Parcel, Stage

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
NODE_KEYS = st.sampled_from(
    ["id", "reference", "goods_out", "goods_out_status", "product", "code", "order_quantity", "pick_quantity",
     "allocated_quantity", "dispatch_quantity", "short_status", "carrier", "shipment", "tracking_number", "name",
     "all", "edges", "pageInfo", "hasNextPage", "node", "cursor", "errors", "error", "details", "data"]
)  # fmt: skip
NODES = st.recursive(
    JSON, lambda inner: st.dictionaries(NODE_KEYS, inner, max_size=8) | st.lists(inner, max_size=3), max_leaves=20
)


@pytest.mark.parametrize(
    ("code", "stage"),
    [
        ("DRAFT", Stage.DRAFT),
        ("PENDING", Stage.PENDING),
        ("PICK", Stage.PICKING),
        ("PART", Stage.PART),
        ("ALLOCATED", Stage.ALLOCATED),
        ("PART_ALLOCATED", Stage.PART_ALLOCATED),
        ("COMPLETED", Stage.COMPLETED),
        ("CANCELLED", Stage.CANCELLED),
        ("pick", Stage.PICKING),
        (" Pending ", Stage.PENDING),
        ("UPDATED", Stage.UNRECOGNISED),
        ("DISPATCHED", Stage.UNRECOGNISED),
        ("", Stage.UNRECOGNISED),
    ],
)
def test_status_codes(code: str, stage: Stage) -> None:
    assert stage_of(code) is stage
    goods_out = parse_goods_out(parse_goods_out_node(head(1, "A-1", status=code)), [])
    assert isinstance(goods_out, GoodsOut)
    assert goods_out.stage is stage
    assert goods_out.status_code == code.strip()


def test_a_whole_goods_out() -> None:
    data = json.loads(payload("goods_outs_with_lines"))["data"]
    (head_node,) = parse_page(data["goods_outs"]).nodes.values()
    lines = [parse_line_node(node) for node in parse_page(data["goods_out_lines"]).nodes.values()]
    assert parse_goods_out(parse_goods_out_node(head_node), lines[::-1]) == GoodsOut(
        id="3301",
        reference="1031-1",
        stage=Stage.PICKING,
        status_code="PICK",
        account="ACME",
        warehouse="LDS",
        carrier="DPD",
        priority=5,
        lines=(
            GoodsOutLine(id="60781", product_code="MUG", ordered=2, allocated=2, picked=1),
            GoodsOutLine(id="60782", product_code="CAP", ordered=1, short=True),
        ),
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0), (7, 7), ("7", 7), ("7.000", 7), (7.0, 7), ("1e2", 100), (None, 0), (1_000_000_000, 1_000_000_000)],
)
def test_whole_quantities(value: object, expected: int) -> None:
    assert parse_quantity({"pick_quantity": value}, "pick_quantity") == expected


@pytest.mark.parametrize(
    "value",
    [-1, "-0.5", "", "two", True, [], {}, float("nan"), float("inf"), "NaN", "sNaN", "Infinity", "1e999999", 1e10],
)
def test_what_is_no_quantity(value: object) -> None:
    with pytest.raises(Unexpected, match="pick_quantity is not a quantity"):
        parse_quantity({"pick_quantity": value}, "pick_quantity")


def test_a_missing_quantity_is_not_zero() -> None:
    with pytest.raises(Unexpected, match="without pick_quantity"):
        parse_quantity({}, "pick_quantity")
    with pytest.raises(Unexpected, match="order_quantity is not a quantity"):
        parse_quantity({"order_quantity": None}, "order_quantity")


@pytest.mark.parametrize("field", ["order_quantity", "allocated_quantity", "pick_quantity", "dispatch_quantity"])
def test_a_fraction_of_a_unit_cannot_be_read(field: str) -> None:
    node = parse_line_node({**line(9, 1, "A-1", "OIL", 2), field: "1.5"})
    assert parse_goods_out(parse_goods_out_node(head(1, "A-1")), [node]) == Unreadable(
        why="Goods-out A-1 has a fraction of a unit of OIL in line 9"
    )


@pytest.mark.parametrize(("value", "expected"), [(3301, "3301"), ("3301", "3301"), (" 3301 ", "3301"), ("a-b", "a-b")])
def test_ids(value: object, expected: str) -> None:
    assert parse_id(value) == expected


@pytest.mark.parametrize("value", [None, "", " ", True, 3.5, [], {}])
def test_no_ids(value: object) -> None:
    with pytest.raises(Unexpected):
        parse_id(value)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (json.loads(payload("create_answer")), "3301"),
        ({"data": {"id": "3301"}}, "3301"),
        ({"id": 3301}, "3301"),
        ({"data": {}}, None),
        ({"data": []}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_id_in_the_answer_to_a_write(body: Any, expected: str | None) -> None:
    assert parse_written_id(body) == expected


def test_fingerprints_change_with_status_and_quantities_and_with_nothing_else() -> None:
    one = parse_goods_out_node(head(1, "A-1"))
    a, b = line(8, 1, "A-1", "MUG", "2.0"), line(9, 1, "A-1", "CAP", 1)

    def mark(status: str, *nodes: dict[str, Any]) -> str:
        return fingerprint([(parse_goods_out_node(head(1, "A-1", status=status)), [parse_line_node(n) for n in nodes])])

    known = fingerprint([(one, [parse_line_node(a), parse_line_node(b)])])
    assert known == mark("pending", {**b, "order_quantity": "1.00"}, {**a, "order_quantity": 2})
    assert known.startswith("PENDING:")
    others = {mark("PICK", a, b), mark("PENDING", a), mark("PENDING", {**a, "pick_quantity": 1}, b)}
    assert len(others) == 3
    assert known not in others


def test_tracking_numbers_once_and_in_order_without_voided_labels() -> None:
    shipments = [
        ShipmentNode(id="1", status="dispatched", carrier="DPD"),
        ShipmentNode(id="2", status="Cancelled", carrier="UPS"),
        ShipmentNode(id="3", status="", carrier="Post"),
    ]
    packages = [
        PackageNode(id="11", shipment_id="3", tracking_number="C"),
        PackageNode(id="12", shipment_id="1", tracking_number="B"),
        PackageNode(id="13", shipment_id="1", tracking_number="A"),
        PackageNode(id="14", shipment_id="2", tracking_number="X"),
        PackageNode(id="15", shipment_id="3", tracking_number="A"),
        PackageNode(id="16", shipment_id="3", tracking_number=""),
        PackageNode(id="17", shipment_id="9", tracking_number="Z"),
    ]
    assert parcels_of(shipments, packages) == (
        Parcel(tracking_number="B", carrier="DPD"),
        Parcel(tracking_number="A", carrier="DPD"),
        Parcel(tracking_number="C", carrier="Post"),
    )


def test_a_carrier_is_named_by_name_else_by_code() -> None:
    assert parse_shipment_node({"id": 1, "carrier": {"code": "DPD", "name": "DPD UK"}}).carrier == "DPD UK"
    assert parse_shipment_node({"id": 1, "carrier": {"code": "DPD", "name": None}}).carrier == "DPD"
    assert parse_shipment_node({"id": 1, "carrier": None}).carrier == ""


@given(NODES)
def test_parsers_answer_or_say_that_they_cannot(value: Any) -> None:
    node = value if isinstance(value, dict) else {"id": value}
    for parse in (parse_goods_out_node, parse_line_node, parse_shipment_node, parse_package_node, parse_page):
        try:
            parse(node)
        except Unexpected as problem:
            assert problem.why.startswith("Clarus answered")
    parse_errors(value)
    parse_written_id(value)


@given(st.decimals(min_value=0, max_value=10**9, allow_nan=False, places=3))
def test_quantities_survive_as_text_and_only_whole_ones_are_read(quantity: Decimal) -> None:
    node = parse_line_node(line(9, 1, "A-1", "OIL", str(quantity)))
    assert node.order_quantity == quantity
    read = parse_goods_out(parse_goods_out_node(head(1, "A-1")), [node])
    if quantity == int(quantity):
        assert isinstance(read, GoodsOut)
        assert read.lines[0].ordered == int(quantity)
    else:
        assert isinstance(read, Unreadable)
