"""Bulk documents against the vendor's schema, and results that are cut, mixed up or torn."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    NoDeprecatedCustomRule,
    build_client_schema,
    get_named_type,
    parse,
    specified_rules,
    validate,
)

from connectors.shopify_stub import settings
from pickgate.connectors.shopify.bulk import BULK_OPERATION, RUN_BULK_QUERY, render_query
from pickgate.connectors.shopify.bulk_lines import parse_lines, parse_result
from pickgate.connectors.shopify.errors import PayloadUnreadable
from pickgate.flows.audit_ports import BULK_PARTS

SINCE, UNTIL = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


def load_schema(version: str) -> GraphQLSchema:
    root = Path(os.environ.get("PICKGATE_CONTRACTS", Path(__file__).parents[2] / "../shared/contracts"))
    path = root / f"shopify-admin-{version}.json.gz"
    if not path.exists():
        pytest.skip(f"the vendor's file {path.name} is not here (PICKGATE_CONTRACTS)")
    return build_client_schema(json.loads(gzip.decompress(path.read_bytes()))["data"])


@pytest.mark.parametrize("version", ["2026-07", "2026-10"])
def test_every_bulk_text_is_valid_and_uses_nothing_deprecated(version: str) -> None:
    schema = load_schema(version)
    rules = [*specified_rules, NoDeprecatedCustomRule]
    texts = [render_query(part, settings(), since=SINCE, until=UNTIL) for part in BULK_PARTS]
    for text in (*texts, RUN_BULK_QUERY.text, BULK_OPERATION.text):
        assert validate(schema, parse(text), rules) == []
    for kind in (
        "Order",
        "LineItem",
        "FulfillmentOrder",
        "FulfillmentOrderLineItem",
        "Fulfillment",
        "FulfillmentLineItem",
    ):
        named = schema.type_map[kind]
        assert isinstance(named, GraphQLObjectType)
        assert "Node" in {interface.name for interface in named.interfaces}
    # Why the money is not read in bulk: agreements are no nodes.
    order = schema.type_map["Order"]
    assert isinstance(order, GraphQLObjectType)
    agreements = get_named_type(order.fields["agreements"].type)
    assert isinstance(agreements, GraphQLObjectType)
    agreement = get_named_type(agreements.fields["nodes"].type)
    assert not getattr(agreement, "interfaces", ())


def test_the_period_and_the_metafields_are_filled_in() -> None:
    text = render_query("orders", settings(), since=SINCE, until=UNTIL)
    assert "created_at:>='2026-10-01T00:00:00Z' AND created_at:<='2026-11-01T12:30:00Z'" in text
    assert 'cutoff: metafield(namespace: "orderediting", key: "editing_cutoff_date")' in text
    assert "@" not in text.split("{", 1)[1]


def test_a_text_in_pieces_cut_anywhere_is_the_same() -> None:
    text = b'{"id":"gid://shopify/Order/1"}\n{"id":"gid://shopify/LineItem/2","__parentId":"gid://shopify/Order/1"}\n'
    whole = list(parse_lines([text]))
    for at in range(len(text)):
        assert list(parse_lines([text[:at], text[at:]])) == whole


@pytest.mark.parametrize("text", [b'{"id":"gid://shopify/Order/1"', b"[]\n", b'{"name":"x"}\n', b"\xff\n"])
def test_a_damaged_text_is_refused(text: bytes) -> None:
    with pytest.raises(PayloadUnreadable):
        list(parse_lines([text]))


def head(**more: Any) -> dict[str, Any]:
    amount = {"shopMoney": {"amount": "10.0", "currencyCode": "GBP"}}
    names = "currentTotalPrice totalOutstanding totalReceived totalRefunded currentTotalTax currentShippingPrice"
    return {
        "id": "gid://shopify/Order/1", "name": "#1001", "createdAt": "2026-10-02T00:00:00Z", "processedAt": None,
        "updatedAt": "2026-10-02T00:00:00Z", "cancelledAt": None, "closed": False, "edited": False, "test": False,
        "confirmed": True, "tags": [], "note": None, "email": None, "sourceName": None, "currencyCode": "GBP",
        "presentmentCurrencyCode": "GBP", "displayFinancialStatus": "PAID", "app": None, "customer": None,
        "customAttributes": [], "shippingAddress": None, "shippingLine": None, "cutoff": None, "lock": None,
        "original": None, "fulfillments": [], **{f"{name}Set": amount for name in names.split()}, **more,
    }  # fmt: skip


LINE = {
    "id": "gid://shopify/LineItem/2", "name": "Mug", "sku": "MUG", "quantity": 3, "currentQuantity": 2,
    "requiresShipping": True, "isGiftCard": False, "customAttributes": [], "lineItemGroup": None,
    "discountedUnitPriceAfterAllDiscountsSet": {"shopMoney": {"amount": "5.0", "currencyCode": "GBP"}},
    "__parentId": "gid://shopify/Order/1",
}  # fmt: skip
SENT = {
    "id": "gid://shopify/Fulfillment/7",
    "status": "SUCCESS",
    "createdAt": "2026-10-03T00:00:00Z",
    "trackingInfo": [],
}
PART = {
    "id": "gid://shopify/FulfillmentLineItem/8", "quantity": 2, "lineItem": {"id": "gid://shopify/LineItem/2"},
    "__parentId": "gid://shopify/Fulfillment/7",
}  # fmt: skip


def lines(*nodes: dict[str, Any]) -> list[bytes]:
    return ["".join(json.dumps(node) + "\n" for node in nodes).encode()]


def test_lines_in_any_order_make_the_order() -> None:
    fulfilment = {"id": SENT["id"], "__parentId": "gid://shopify/FulfillmentOrder/5"}
    found = parse_result(lines(LINE, head(fulfillments=[SENT])), lines(PART, fulfilment))
    order = found.orders[0]
    assert (order.name, order.lines[0].ordered, order.lines[0].current) == ("#1001", 3, 2)
    assert order.fulfilments[0].lines == (("2", 2),)


def test_a_fulfilment_listed_under_two_shares_counts_once() -> None:
    listed = [{"id": SENT["id"], "__parentId": f"gid://shopify/FulfillmentOrder/{n}"} for n in (5, 6)]
    found = parse_result(lines(head(fulfillments=[SENT]), LINE), lines(listed[0], PART, listed[1], PART))
    assert found.orders[0].fulfilments[0].lines == (("2", 2),)


@pytest.mark.parametrize(
    "nodes",
    [
        [head(fulfillments=[SENT]), LINE],  # its lines are not in the other result
        [head(name=None), LINE],
        [head(), LINE, {**LINE, "id": "gid://shopify/LineItem/3", "currentQuantity": -1}],
    ],
)
def test_an_order_whose_parts_do_not_fit_is_torn_and_the_others_are_not(nodes: list[dict[str, Any]]) -> None:
    other = head(id="gid://shopify/Order/9", name="#1009")
    found = parse_result(lines(*nodes, other), [])
    assert found.torn == ("1",)
    assert [order.name for order in found.orders] == ["#1009"]
