"""Shopify's order, as the domain sees it."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.shopify_stub import order_payload
from pickgate.connectors.shopify.errors import PayloadUnreadable
from pickgate.connectors.shopify.incoming import parse_cutoff, parse_gid, parse_order
from pickgate.domain.money import Money
from pickgate.domain.shop import (
    Address,
    BundlePart,
    DeliveryMethod,
    Fulfilment,
    FulfilmentOrder,
    FulfilmentOrderLine,
    FulfilmentOrderStatus,
    Line,
    ShopHold,
    ShopOrder,
    Totals,
)

MUG, TEA = "9007199254740993", "9007199254740995"


def test_the_made_order_is_read_to_the_last_field() -> None:
    home = Address(
        name="Ada Lovelace",
        line1="12 St James's Square",
        city="London",
        province="England",
        postcode="SW1Y 4JH",
        country="GB",
        phone="+442079460000",
        email="ada@example.com",
    )
    assert parse_order(order_payload()) == ShopOrder(
        id="6100000000001",
        name="#1031",
        created_at=datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
        updated_at=datetime(2026, 11, 20, 9, 10, tzinfo=UTC),
        processed_at=datetime(2026, 11, 20, 9, 0, 1, tzinfo=UTC),
        financial_status="PAID",
        lines=(
            Line(
                id=MUG,
                title="Mug - Blue",
                sku="MUG-BLUE",
                ordered=3,
                current=1,
                attributes=(("engraving", "Ada"),),
                unit_price=Money(900, "GBP"),
            ),
            Line(
                id=TEA,
                title="Tea",
                sku=None,
                ordered=2,
                current=2,
                bundle=BundlePart(group_id="77", title="Tea time", quantity=1, sku="TEA-TIME"),
                unit_price=Money(1128, "GBP"),
            ),
        ),
        fulfilment_orders=(
            FulfilmentOrder(
                id="801",
                status=FulfilmentOrderStatus.IN_PROGRESS,
                location_id="70000000001",
                location_name="Midlands",
                lines=(FulfilmentOrderLine(id="901", line_id=MUG, remaining=1, total=1),),
                holds=(ShopHold(id="5", reason="OTHER", handle="pickgate-window", ours=True),),
                destination=Address(
                    name="Ada Lovelace",
                    line1="12 St James's Square",
                    city="London",
                    province="England",
                    postcode="SW1Y 4JH",
                    country="GB",
                    email="ada@example.com",
                ),
                fulfil_at=datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
                progress_reported=True,
            ),
            FulfilmentOrder(
                id="802",
                status=FulfilmentOrderStatus.UNRECOGNISED,
                location_id="",
                location_name="Closed depot",
                lines=(FulfilmentOrderLine(id="902", line_id=TEA, remaining=0, total=2),),
                method=DeliveryMethod.SHIPPING,
            ),
        ),
        totals=Totals(
            current=Money(3650, "GBP"),
            outstanding=Money(-400, "GBP"),
            received=Money(4050, "GBP"),
            refunded=Money(0, "GBP"),
            tax=Money(608, "GBP"),
            shipping=Money(495, "GBP"),
        ),
        currency="GBP",
        presentment_currency="EUR",
        fulfilments=(
            Fulfilment(
                id="4401",
                lines=((TEA, 2),),
                tracking_numbers=("1Z999",),
                created_at=datetime(2026, 11, 20, 9, 5, tzinfo=UTC),
            ),
        ),
        address=home,
        tags=("OE-HOLD", "vip"),
        note="Leave with the neighbour",
        attributes=(("gift", "yes"), ("empty", "")),
        shipping_title="Next day",
        edited=True,
        customer_id="7500000000001",
        source_name="web",
        app_name="Online Store",
        cutoff_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        lock_value="picking",
        original_order="#1030",
    )


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"shippingLine": {"title": "Old", "isRemoved": True}}, "shipping_title", None),
        ({"shippingLine": None}, "shipping_title", None),
        ({"displayFinancialStatus": None}, "financial_status", ""),
        ({"customer": None}, "customer_id", None),
        ({"app": None}, "app_name", ""),
        ({"shippingAddress": None}, "address", None),
        ({"note": "a\x00b"}, "note", "ab"),
        ({"cutoff": None}, "cutoff_at", None),
        ({"cutoff": {"value": "soon"}}, "cutoff_at", None),
        ({"cutoff": {"value": "soon"}}, "cutoff_unreadable", "The cut-off metafield 'soon' is not a date and time."),
        ({"original": {"value": "not json"}}, "original_order", None),
        ({"original": {"value": "[" * 100_000}}, "original_order", None),
        ({"original": None}, "original_order", None),
        ({"lock": None}, "lock_value", None),
        ({"cancelledAt": "2026-11-20T10:00:00Z"}, "cancelled_at", datetime(2026, 11, 20, 10, tzinfo=UTC)),
    ],
)
def test_a_field_that_may_be_absent(change: dict[str, Any], field: str, expected: object) -> None:
    assert getattr(parse_order(order_payload(**change)), field) == expected


@pytest.mark.parametrize(
    ("status", "request_status", "reported"),
    [
        ("IN_PROGRESS", "UNSUBMITTED", True),
        ("IN_PROGRESS", "ACCEPTED", False),
        ("OPEN", "UNSUBMITTED", False),
        ("ON_HOLD", "UNSUBMITTED", False),
    ],
)
def test_progress_is_reported_only_where_no_service_accepted(status: str, request_status: str, reported: bool) -> None:
    order = order_payload()
    order["fulfillmentOrders"]["nodes"][0] |= {"status": status, "requestStatus": request_status}
    assert parse_order(order).fulfilment_orders[0].progress_reported is reported


@pytest.mark.parametrize(("status", "cancelled"), [("SUCCESS", False), ("CANCELLED", True), ("FAILURE", True)])
def test_a_failed_fulfilment_does_not_count(status: str, cancelled: bool) -> None:
    order = order_payload()
    order["fulfillments"][0]["status"] = status
    assert parse_order(order).fulfilments[0].cancelled is cancelled


@pytest.mark.parametrize(
    ("where", "path", "value"),
    [
        ("order.lineItems.nodes.0.currentQuantity", ("lineItems", "nodes", 0, "currentQuantity"), None),
        ("order.lineItems.nodes.0.currentQuantity", ("lineItems", "nodes", 0, "currentQuantity"), -1),
        ("order.lineItems.nodes.0.currentQuantity", ("lineItems", "nodes", 0, "currentQuantity"), 1.0),
        ("order.lineItems.nodes.0.currentQuantity", ("lineItems", "nodes", 0, "currentQuantity"), "1"),
        ("order.updatedAt", ("updatedAt",), "2026-11-20T09:10:00"),
        ("order.updatedAt", ("updatedAt",), 1763629800),
        ("order.fulfillmentOrders", ("fulfillmentOrders",), None),
        ("order.lineItems", ("lineItems", "pageInfo", "hasNextPage"), True),
        ("order.fulfillmentOrders", ("fulfillmentOrders", "pageInfo", "hasNextPage"), True),
        (
            "order.fulfillments.fulfillmentLineItems",
            ("fulfillments", 0, "fulfillmentLineItems", "pageInfo", "hasNextPage"),
            True,
        ),
        ("order.currentTotalPriceSet", ("currentTotalPriceSet", "shopMoney", "amount"), "twelve"),
        ("order.tags.0", ("tags", 0), None),
        ("id", ("customer", "id"), "gid://shopify/Order/1"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_guessed(where: str, path: tuple[str | int, ...], value: Any) -> None:
    order: Any = order_payload()
    target = order
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(PayloadUnreadable) as refused:
        parse_order(order)
    assert refused.value.where == where


@pytest.mark.parametrize("field", sorted(set(order_payload()) - {"__typename"}))
def test_no_field_may_be_left_out(field: str) -> None:
    order = order_payload()
    del order[field]
    with pytest.raises(PayloadUnreadable) as refused:
        parse_order(order)
    assert refused.value.where == f"order.{field}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T10:30:00+01:00", datetime(2026, 11, 20, 9, 30, tzinfo=UTC)),
        ("2026-11-20T10:30:00Z", datetime(2026, 11, 20, 10, 30, tzinfo=UTC)),
        (' "2026-11-20T10:30:00Z" ', datetime(2026, 11, 20, 10, 30, tzinfo=UTC)),
        ("2026-11-20T10:30:00", datetime(2026, 11, 20, 10, 30, tzinfo=UTC)),
        ("2026-11-20 10:30", datetime(2026, 11, 20, 10, 30, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 21, 0, 0, tzinfo=UTC)),
        ("1763634600", datetime(2025, 11, 20, 10, 30, tzinfo=UTC)),
        ("1763634600250", datetime(2025, 11, 20, 10, 30, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_cutoffs_as_the_apps_write_them(text: str, expected: datetime) -> None:
    assert parse_cutoff(text) == expected


@pytest.mark.parametrize(
    "text", ["", " ", "tomorrow", "20/11/2026", "12", "99999999999999", "0001-01-01T00:00:00+14:00"]
)
def test_a_cutoff_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is empty|is not a date"):
        parse_cutoff(text)


@given(st.text(max_size=40))
def test_any_text_is_a_cutoff_or_a_value_error(text: str) -> None:
    try:
        moment = parse_cutoff(text)
    except ValueError:
        return
    assert moment.tzinfo is not None and 2000 <= moment.year < 2400


@given(st.integers(min_value=1, max_value=10**20 - 1))
def test_ids_keep_every_digit(number: int) -> None:
    assert parse_gid(f"gid://shopify/Order/{number}", "Order") == str(number)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _places(node: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        found += _places(value, (*path, key))
    return found


@given(place=st.sampled_from(_places(order_payload())), value=_JSON)
def test_any_value_anywhere_is_read_or_refused(place: tuple[str | int, ...], value: Any) -> None:
    order: Any = copy.deepcopy(order_payload())
    target = order
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    try:
        found = parse_order(order)
    except PayloadUnreadable:
        return
    assert isinstance(found, ShopOrder)
    assert all(line.current >= 0 for line in found.lines)
