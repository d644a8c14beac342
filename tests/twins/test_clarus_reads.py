from __future__ import annotations

import time
from typing import Any

import pytest
from graphql import get_introspection_query

from twins.clarus_kit import CARRIER, MUG, START, TEA, Kit, add

ORDERS = """query($filter: GoodsOutsFilterType, $first: Int, $after: String) { goods_outs {
  all(filter: $filter, first: $first, after: $after) {
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { id } } } } }"""


def ids(kit: Kit, given: dict[str, Any]) -> list[str]:
    edges = kit.read(ORDERS, filter=given)["goods_outs"]["all"]["edges"]
    return [edge["node"]["id"] for edge in edges]


def test_documented_order_fields() -> None:
    kit = Kit()
    kit.order((TEA, 1), priority=2, carrier_id=CARRIER)
    query = """{ goods_outs { all { edges { node { id reference priority expected_date_of_dispatch
      goods_out_status { code name } account { id code } warehouse { id code } carrier { id code } } } } } }"""
    assert kit.read(query)["goods_outs"]["all"]["edges"] == [
        {
            "node": {
                "id": "3301",
                "reference": "1031-1",
                "priority": 2,
                "expected_date_of_dispatch": "2026-07-02",
                "goods_out_status": {"code": "PENDING", "name": "Pending"},
                "account": {"id": "1", "code": "ACME"},
                "warehouse": {"id": "21", "code": "WH1"},
                "carrier": {"id": "41", "code": "DPD"},
            }
        }
    ]


def test_documented_line_fields_have_decimal_quantities() -> None:
    kit = Kit()
    number = kit.picked_order((TEA, 2))
    query = """query($f: GoodsOutLineFilterType) { goods_out_lines { all(filter: $f) { edges { node {
      id order_quantity allocated_quantity pick_quantity dispatch_quantity short_status
      product { id code } goods_out { id reference } carrier { id } } } } } }"""
    response = kit.call("POST", "/graphql", {"query": query, "variables": {"f": {"goods_out_id": {"eq": str(number)}}}})
    assert b'"order_quantity":2.0,"allocated_quantity":2.0' in response.body
    assert response.json()["data"]["goods_out_lines"]["all"]["edges"][0]["node"] == {
        "id": "60781",
        "order_quantity": 2.0,
        "allocated_quantity": 2.0,
        "pick_quantity": 2.0,
        "dispatch_quantity": 0.0,
        "short_status": "",
        "product": {"id": "1001", "code": "TEA"},
        "goods_out": {"id": "3301", "reference": "1031-1"},
        "carrier": None,
    }


def test_pages_have_unpadded_offset_cursors_and_a_cap() -> None:
    kit = Kit(page_size_cap=2)
    for n in range(5):
        kit.order((TEA, 1), reference=f"R{n}")
    page = kit.read(ORDERS, first=100)["goods_outs"]["all"]
    assert page == {
        "pageInfo": {"hasNextPage": True, "hasPreviousPage": False, "startCursor": "MQ", "endCursor": "Mg"},
        "edges": [{"cursor": "MQ", "node": {"id": "3301"}}, {"cursor": "Mg", "node": {"id": "3302"}}],
    }
    last = kit.read(ORDERS, first=2, after="NA")["goods_outs"]["all"]
    assert last == {
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": True, "startCursor": "NQ", "endCursor": "NQ"},
        "edges": [{"cursor": "NQ", "node": {"id": "3305"}}],
    }
    empty = kit.read(ORDERS, after="NQ")["goods_outs"]["all"]
    assert (empty["edges"], empty["pageInfo"]["endCursor"]) == ([], None)


def test_offset_pages_skip_a_row_when_one_before_it_disappears() -> None:
    kit = Kit()
    for n in range(3):
        kit.order((TEA, 1), reference=f"R{n}")
    first = kit.read(ORDERS, first=1)["goods_outs"]["all"]["pageInfo"]["endCursor"]
    kit.cancel(3301)
    assert [e["node"]["id"] for e in kit.read(ORDERS, after=first)["goods_outs"]["all"]["edges"]] == ["3303"]


def test_nonsense_cursor_is_a_graphql_error() -> None:
    answer = Kit().ask(ORDERS, after="no cursor!")
    assert (answer["errors"][0]["message"], "data" in answer) == ("not a cursor: no cursor!", False)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ["3301", "3302", "3303"]),
        ({"reference": {"eq": "1031-1"}}, ["3301"]),
        ({"reference": {"in": ["1032-1", "1031-1", "nobody"]}}, ["3301", "3302"]),
        ({"reference": {"ilike": "ab"}}, ["3303"]),
        ({"reference": {"like": "ab"}}, []),
        ({"reference": {"like": "A%-1"}}, ["3303"]),
        ({"reference": {"between": ["1031-2", "2"]}}, ["3302"]),
        ({"reference": {"eq": "1031-1"}, "account_id": {"eq": "2"}}, []),
        ({"goods_out_status_code": {"eq": "ALLOCATED"}}, ["3302"]),
        ({"goods_out_status_code": {"in": ["PENDING", "ALLOCATED"]}}, ["3301", "3302", "3303"]),
        ({"goods_out_status_code": {"eq": "PENDING"}, "reference": {"ilike": "1031"}}, ["3301"]),
        ({"warehouse_id": {"in": ["21", "x"]}}, ["3301", "3302", "3303"]),
        ({"carrier_id": {"filled": True}}, ["3302"]),
        ({"carrier_id": {"filled": False}}, ["3301", "3303"]),
        ({"account_id": {"gt": "1"}}, []),
        ({"account_id": {"gteq": "1", "lteq": "1"}}, ["3301", "3302", "3303"]),
        ({"expected_date_of_dispatch": {"from": "2026-07-03T00:00:00Z"}}, ["3303"]),
        ({"expected_date_of_dispatch": {"between": ["2026-07-01", "2026-07-03"]}}, ["3301", "3302"]),
    ],
)
def test_order_filters(given: dict[str, Any], found: list[str]) -> None:
    kit = Kit()
    kit.order((TEA, 1))
    kit.twin.process_picks(kit.order((TEA, 1), reference="1032-1", carrier_id=CARRIER))
    kit.order((TEA, 1), reference="AB-1", expected_date_of_dispatch="2026-07-03T10:00:00+02:00")
    assert ids(kit, given) == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"goods_out_id": {"in": ["3302", "3301"]}}, ["60781", "60782", "60783"]),
        ({"goods_out_id": {"eq": "3301"}, "product_id": {"eq": "1002"}}, ["60782"]),
        ({"goods_out_status_code": {"eq": "ALLOCATED"}}, ["60783"]),
        ({"order_quantity": {"gteq": 2}}, ["60782", "60783"]),
        ({"pick_quantity": {"gt": 0}}, []),
        ({"account_id": {"eq": "1"}, "warehouse_id": {"eq": "21"}}, ["60781", "60782", "60783"]),
        ({"created_at": {"to": "2026-07-01T07:59:59Z"}}, []),
    ],
)
def test_line_filters(given: dict[str, Any], found: list[str]) -> None:
    kit = Kit()
    kit.order((TEA, 1), (MUG, 2))
    kit.twin.process_picks(kit.order((TEA, 3)))
    query = "query($f: GoodsOutLineFilterType) { goods_out_lines { all(filter: $f) { edges { node { id } } } } }"
    edges = kit.read(query, f=given)["goods_out_lines"]["all"]["edges"]
    assert [edge["node"]["id"] for edge in edges] == found


@pytest.mark.parametrize(
    "query",
    [
        '{ goods_outs { all(filter: {id: {eq: "1"}}) { edges { node { id } } } } }',
        '{ goods_outs { all(filter: {external_system_reference1: {eq: "1"}}) { edges { node { id } } } } }',
        '{ goods_outs { all(filter: {updated_at: {from: "2026-01-01"}}) { edges { node { id } } } } }',
        "{ goods_outs { all { edges { node { address { postcode } } } } } }",
        "{ goods_outs { all { edges { node { external_system_reference1 } } } } }",
        "{ goods_out_lines { all { edges { node { external_system_reference1 } } } } }",
        "{ goods_out_lines { all { edges { node { goods_out { goods_out_status { code } } } } } } }",
        "{ goods_outs { all(sort: {id: asc}) { edges { node { id } } } } }",
        "{ shipments { all { edges { node { tracking_number } } } } }",
        "mutation { cancel }",
        "{ nonsense",
        "",
    ],
)
def test_undocumented_reads_are_errors_with_status_200(query: str) -> None:
    answer = Kit().ask(query)
    assert list(answer) == ["errors"]


def test_extras_open_more_filters_and_fields() -> None:
    kit = Kit(introspected_extras=True)
    kit.order(external_system_reference1="501", lines_changes=[add(TEA, 1, external_system_reference1="77")])
    kit.clock.advance(60)
    kit.order((TEA, 1), external_system_reference1="502")
    assert ids(kit, {"id": {"in": ["3302", "9"]}}) == ["3302"]
    assert ids(kit, {"external_system_reference1": {"eq": "501"}}) == ["3301"]
    assert ids(kit, {"updated_at": {"from": "2026-07-01T08:00:30Z"}}) == ["3302"]
    query = """{ goods_out_lines { all { edges { node { external_system_reference1
      goods_out { goods_out_status { code } } } } } } }"""
    assert kit.read(query)["goods_out_lines"]["all"]["edges"][0]["node"] == {
        "external_system_reference1": "77",
        "goods_out": {"goods_out_status": {"code": "PENDING"}},
    }


def test_line_references_alone_may_be_readable() -> None:
    kit = Kit(line_references_readable=True)
    kit.order(lines_changes=[add(TEA, 1, external_system_reference1="77", alt_product_code="tea")])
    query = "{ goods_out_lines { all { edges { node { external_system_reference1 alt_product_code } } } } }"
    assert kit.read(query)["goods_out_lines"]["all"]["edges"] == [
        {"node": {"external_system_reference1": "77", "alt_product_code": "tea"}}
    ]
    assert "errors" in kit.ask('{ goods_outs { all(filter: {id: {eq: "1"}}) { edges { node { id } } } } }')


def test_turning_the_knob_changes_the_schema_at_once() -> None:
    kit = Kit()
    query = "{ goods_out_lines { all { edges { node { alt_product_code } } } } }"
    assert "errors" in kit.ask(query)
    kit.twin.turn(line_references_readable=True)
    assert "errors" not in kit.ask(query)


def test_several_roots_aliases_fragments_and_directives_in_one_document() -> None:
    kit = Kit()
    kit.order((TEA, 1))
    query = """query Two($deep: Boolean!) {
      a: goods_outs { all { edges { node { ...Short reference @include(if: $deep) } } } }
      b: goods_outs { __typename all(first: 0) { edges { cursor } } more: all { edges { node { n: id } } } }
      products { all(filter: {code: {in: ["MUG", "TEA"]}}) { edges { node { ... on Product { code } } } } } }
    fragment Short on GoodsOut { id __typename goods_out_status { code } ...Also }
    fragment Also on GoodsOut { goods_out_status { name } }"""
    short = {"id": "3301", "__typename": "GoodsOut", "goods_out_status": {"code": "PENDING", "name": "Pending"}}
    assert kit.read(query, deep=False) == {
        "a": {"all": {"edges": [{"node": short}]}},
        "b": {"__typename": "GoodsOutRoot", "all": {"edges": []}, "more": {"edges": [{"node": {"n": "3301"}}]}},
        "products": {"all": {"edges": [{"node": {"code": "TEA"}}, {"node": {"code": "MUG"}}]}},
    }
    assert kit.read(query, deep=True)["a"]["all"]["edges"][0]["node"] == short | {"reference": "1031-1"}


def test_wrong_variables_and_operation_names_are_errors() -> None:
    kit = Kit()
    assert list(kit.ask(ORDERS, first="many")) == ["errors"]
    body = {"query": "query A { __typename } query B { __typename }"}
    assert list(kit.call("POST", "/graphql", body).json()) == ["errors"]
    body["operationName"] = "B"
    assert kit.call("POST", "/graphql", body).json() == {"data": {"__typename": "Query"}}
    assert list(kit.call("POST", "/graphql", {"nothing": 1}).json()) == ["errors"]


@pytest.mark.parametrize("allowed", [True, False])
def test_introspection_is_a_knob(allowed: bool) -> None:
    answer = Kit(introspection_allowed=allowed).ask(get_introspection_query())
    if not allowed:
        assert answer == {"errors": [{"message": "Introspection is disabled"}]}
        return
    names = {kind["name"] for kind in answer["data"]["__schema"]["types"]}
    assert {"GoodsOut", "GoodsOutsFilterType", "StockBalance"} <= names


def test_every_documented_root_answers() -> None:
    kit = Kit()
    kit.twin.add_material("TEA", "MUG", 2)
    kit.twin.add_order_type("STD")
    kit.twin.add_reason_code("LOST", "short_order_lines")
    kit.twin.add_integration("Shop")
    kit.twin.add_automation("goods_out", "created", "https://x.test/hook")
    number = kit.order((TEA, 12))
    kit.call("POST", "/api/goods_out_processes/process_picks_async", {"ids": [number]})
    kit.twin.finish_picking(number)
    kit.twin.dispatch(number)
    fields = {
        "goods_out_pick_lists": "id reference pick_type load_reference goods_out_status { code name } account { id }",
        "pick_processing_requests": "status message goods_out { id reference } created_at",
        "shipments": "id name status collection_datetime carrier { name } carrier_service { id } warehouse { name }",
        "packages": "id tracking_number shipment { reference } storage_unit_type { id code }",
        "tasks": "id status confirmed_quantity task_type { code } location_from { code } location_to { code }",
        "transactions": "id category created_at location_to { code }",
        "stock_balances": "available product { code } account { code } warehouse { id }",
        "stocks": "id quantity status fifo_date location { code }",
        "products": "id code barcode description product_type units_per_case commodity_code",
        "account_products": "id account { code } product { code }",
        "product_materials": "id quantity parent_product { code } child_product { code }",
        "accounts": "id code name is_short_pickable vat_number",
        "warehouses": "id code name address { address_1 postcode }",
        "account_warehouses": "id account_id warehouse_id account { name } warehouse { name }",
        "carriers": "id code name active carrier_type",
        "carrier_services": "id code name is_default carrier { id code }",
        "order_types": "id code duty_payable",
        "reason_codes": "id code reason_type",
        "integrations": "id name integration_provider enabled created_at",
        "automations": "id name resource_name event enabled integration_id created_at",
    }
    query = " ".join(f"{root} {{ all {{ edges {{ node {{ {names} }} }} }} }}" for root, names in fields.items())
    answer = kit.read("{" + query + "}")
    assert {root: len(answer[root]["all"]["edges"]) > 0 for root in fields} == dict.fromkeys(fields, True)
    assert answer["product_materials"]["all"]["edges"] == [
        {
            "node": {
                "id": "2501",
                "quantity": 2.0,
                "parent_product": {"code": "TEA"},
                "child_product": {"code": "MUG"},
            }
        }
    ]


@pytest.mark.parametrize(
    ("zone", "day", "stamp"),
    [
        ("Europe/London", "2026-07-03", "2026-07-01T09:00:00.000+01:00"),
        ("America/New_York", "2026-07-02", "2026-07-01T04:00:00.000-04:00"),
    ],
)
def test_times_follow_the_tenants_zone(zone: str, day: str, stamp: str) -> None:
    kit = Kit(tenant_time_zone=zone, introspected_extras=True)
    kit.order((TEA, 1), expected_date_of_dispatch="2026-07-02T23:30:00Z")
    node = kit.read("{ goods_outs { all { edges { node { expected_date_of_dispatch created_at } } } } }")
    assert kit.clock.now() == START
    assert node["goods_outs"]["all"]["edges"] == [{"node": {"expected_date_of_dispatch": day, "created_at": stamp}}]


def test_unknown_status_code_is_shown_and_found() -> None:
    kit = Kit(status_names={"UPDATED": "Updated by the shop"})
    kit.twin.set_status(kit.order((TEA, 1)), "UPDATED")
    query = """{ goods_outs { all(filter: {goods_out_status_code: {eq: "UPDATED"}}) {
      edges { node { goods_out_status { code name } } } } } }"""
    assert kit.read(query)["goods_outs"]["all"]["edges"] == [
        {"node": {"goods_out_status": {"code": "UPDATED", "name": "Updated by the shop"}}}
    ]


def test_reading_one_order_among_thousands_is_quick() -> None:
    kit = Kit()
    for n in range(2000):
        kit.order((TEA, 1), reference=f"R{n}")
    body = {"query": ORDERS, "variables": {"filter": {"reference": {"eq": "R1999"}}}}
    kit.call("POST", "/graphql", body)
    spent = []
    for _ in range(50):
        began = time.perf_counter()
        kit.call("POST", "/graphql", body)
        spent.append(time.perf_counter() - began)
    assert min(spent) < 0.0005
