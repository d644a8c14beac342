from __future__ import annotations

from typing import Any

import pytest

from twins.clarus_kit import (
    ACCOUNT,
    ADDRESS,
    CARRIER,
    JAM,
    MUG,
    SERVICE,
    START,
    TEA,
    Kit,
    add,
    order_body,
    symbols,
)

REFS = {"external_system_reference1": "5001", "alt_product_code": "tea-shop"}


def test_create_answers_200_with_header_and_changes_but_no_line_ids() -> None:
    kit = Kit()
    response = kit.create(external_system_reference1="9", lines_changes=[add(TEA, 2, **REFS)])
    assert response.status == 200
    assert response.json() == {
        "data": {
            "id": 3301,
            "type": "goods_outs",
            "attributes": {
                "goods_out_type": "sales_order",
                "account_id": 1,
                "warehouse_id": 21,
                "reference": "1031-1",
                "expected_date_of_dispatch": "2026-07-02T10:00:00Z",
                "external_system_reference1": "9",
                "goods_out_status_id": 2,
                "lines_changes": [add(TEA, 2, **REFS)],
            },
        }
    }


def test_history_has_the_whole_order() -> None:
    kit = Kit()
    number = kit.order(lines_changes=[add(TEA, 2, **REFS)], carrier_id=CARRIER, carrier_service_id=SERVICE)
    (event,) = kit.twin.history.of_subject(f"goods_outs/{number}")
    content = event.detail["content"]
    assert (event.kind, event.at, event.detail["by"]) == ("goods_out_created", START, "api")
    assert {
        k: content[k] for k in ("reference", "status", "account", "warehouse", "carrier", "service", "address")
    } == {
        "reference": "1031-1",
        "status": "PENDING",
        "account": "ACME",
        "warehouse": "WH1",
        "carrier": "DPD",
        "service": "NEXT",
        "address": ADDRESS,
    }
    assert content["lines"] == [
        {
            "line_id": 60781,
            "product_id": TEA,
            "product_code": "TEA",
            "quantity": 2.0,
            "allocated": 0.0,
            "picked": 0.0,
            "dispatched": 0.0,
            "short": 0.0,
            "returned": 0.0,
            "attributes": REFS,
        }
    ]


def test_line_ids_and_string_ids_are_knobs() -> None:
    kit = Kit(line_ids_in_replies=True, ids_as_strings_in_replies=True)
    data = kit.create((TEA, 1), (MUG, 2)).json()["data"]
    assert data["id"] == "3301"
    assert [line["id"] for line in data["attributes"]["lines_changes"]] == [60781, 60782]


@pytest.mark.parametrize(
    ("header", "refusal"),
    [
        ({"reference": "x" * 51}, ("invalid_attribute", "attributes.reference")),
        ({"reference": ""}, ("invalid_attribute", "attributes.reference")),
        ({"reference": "-"}, ("missing_attribute", "attributes.reference")),
        ({"goods_out_type": "-"}, ("missing_attribute", "attributes.goods_out_type")),
        ({"goods_out_type": "gift"}, ("invalid_attribute", "attributes.goods_out_type")),
        ({"expected_date_of_dispatch": "-"}, ("missing_attribute", "attributes.expected_date_of_dispatch")),
        ({"expected_date_of_dispatch": "tomorrow"}, ("invalid_attribute", "attributes.expected_date_of_dispatch")),
        (
            {"expected_date_of_dispatch": "2026-07-02T10:00:00"},
            ("invalid_attribute", "attributes.expected_date_of_dispatch"),
        ),
        ({"packing_notes": "x" * 256}, ("invalid_attribute", "attributes.packing_notes")),
        ({"priority": 0}, ("invalid_attribute", "attributes.priority")),
        ({"priority": 100}, ("invalid_attribute", "attributes.priority")),
        ({"priority": "1"}, ("invalid_attribute", "attributes.priority")),
        ({"boolean1": "yes"}, ("invalid_attribute", "attributes.boolean1")),
        ({"colour": "red"}, ("unknown_attribute", "attributes.colour")),
        ({"account_id": 99}, ("unknown_record", "attributes.account_id")),
        ({"warehouse_id": 99}, ("unknown_record", "attributes.warehouse_id")),
        ({"carrier_id": 99}, ("unknown_record", "attributes.carrier_id")),
        ({"carrier_service_id": 99}, ("unknown_record", "attributes.carrier_service_id")),
        ({"order_type_id": 99}, ("unknown_record", "attributes.order_type_id")),
        ({"lines_changes": "none"}, ("invalid_attribute", "lines_changes")),
        ({"lines_changes": [add(TEA, 0)]}, ("invalid_attribute", "lines_changes[0].order_quantity")),
        ({"lines_changes": [add(TEA, 1), add(9, 1)]}, ("unknown_record", "lines_changes[1].product_id")),
        (
            {"lines_changes": [{"type": "ADD", "attributes": {"order_quantity": 1}}]},
            ("missing_attribute", "lines_changes[0].product_id"),
        ),
        ({"lines_changes": [{"type": "UPDATE", "id": 1}]}, ("invalid_attribute", "lines_changes[0].type")),
        ({"lines_changes": [add(TEA, 1, sku="TEA")]}, ("unknown_attribute", "lines_changes[0].sku")),
    ],
)
def test_each_limit_is_enforced(header: dict[str, Any], refusal: tuple[str, str]) -> None:
    kit = Kit()
    response = kit.create(**header)
    assert response.status == 422
    assert refusal in symbols(response)
    assert set(response.json()["errors"][0]) == {"code", "symbol", "details", "source", "context"}
    assert kit.twin.history.of_kind("goods_out_created") == []


@pytest.mark.parametrize(
    ("field", "longest"),
    [
        ("address_1", 80),
        ("address_5", 80),
        ("postcode", 10),
        ("country_code", 6),
        ("email_address", 254),
        ("phone_number", 50),
    ],
)
def test_address_limits(field: str, longest: int) -> None:
    kit = Kit()
    body = order_body((TEA, 1))
    address = body["data"]["relationships"]["address"]["data"]["attributes"] = dict(ADDRESS)
    address[field] = "x" * longest
    assert kit.call("POST", "/api/goods_outs", body).status == 200
    address[field] += "x"
    refused = kit.call("POST", "/api/goods_outs", body)
    assert (refused.status, symbols(refused)) == (422, [("invalid_attribute", f"address.{field}")])


def test_every_fault_is_named_at_once() -> None:
    response = Kit().create(priority=0, lines_changes=[add(9, -1)])
    assert symbols(response) == [
        ("invalid_attribute", "attributes.priority"),
        ("invalid_attribute", "lines_changes[0].order_quantity"),
        ("unknown_record", "lines_changes[0].product_id"),
    ]


def test_service_must_belong_to_the_carrier() -> None:
    kit = Kit()
    other = kit.twin.add_carrier("UPS")
    refused = kit.create((TEA, 1), carrier_id=other, carrier_service_id=SERVICE)
    assert symbols(refused) == [("unknown_record", "attributes.carrier_service_id")]


def test_product_of_another_account_is_refused_unless_the_knob_says_so() -> None:
    kit = Kit()
    other = kit.twin.add_account("OTHER")
    theirs = kit.twin.add_product("HAT", accounts=[other])
    assert symbols(kit.create((theirs, 1))) == [("unknown_record", "lines_changes[0].product_id")]
    kit.twin.turn(products_belong_to_accounts=False)
    assert kit.create((theirs, 1)).status == 200


def test_stopped_product_is_refused() -> None:
    kit = Kit()
    body = {"data": {"type": "products", "attributes": {"stop": True}}}
    assert kit.call("PATCH", f"/api/products/{JAM}", body).status == 200
    assert kit.create((JAM, 1)).status == 422


@pytest.mark.parametrize(("rule", "expected"), [("allow", 200), ("refuse", 422)])
def test_repeated_reference(rule: str, expected: int) -> None:
    kit = Kit(duplicate_reference=rule)
    kit.order((TEA, 1))
    assert kit.create((TEA, 1)).status == expected
    assert len(kit.twin.find_by_reference("1031-1")) == (2 if expected == 200 else 1)


@pytest.mark.parametrize(("allowed", "status"), [(True, "DRAFT"), (False, "PENDING")])
def test_draft_by_status_id(allowed: bool, status: str) -> None:
    kit = Kit(draft_allowed=allowed)
    assert kit.status(kit.order((TEA, 1), goods_out_status_id=1)) == status


def test_empty_strings_and_unknown_attributes_are_knobs() -> None:
    assert Kit().create((TEA, 1), order_notes="").status == 200
    assert Kit(refuse_empty_strings=True).create((TEA, 1), order_notes="").status == 422
    lenient = Kit(refuse_unknown_attributes=False)
    number = lenient.order((TEA, 1), colour="red")
    assert "colour" not in lenient.twin.content(number)["attributes"]


def test_new_order_may_be_invisible_to_reads_for_a_while() -> None:
    kit = Kit(visible_after_seconds=5)
    number = kit.order((TEA, 1))
    by_reference = '{ goods_outs { all(filter: {reference: {eq: "1031-1"}}) { edges { node { id } } } } }'
    assert number == 3301
    lines = '{ goods_out_lines { all(filter: {goods_out_id: {eq: "3301"}}) { edges { node { id } } } } }'
    assert kit.read(by_reference)["goods_outs"]["all"]["edges"] == []
    assert kit.read(lines)["goods_out_lines"]["all"]["edges"] == []
    kit.clock.advance(5)
    assert kit.read(by_reference)["goods_outs"]["all"]["edges"] == [{"node": {"id": "3301"}}]
    assert kit.read(lines)["goods_out_lines"]["all"]["edges"] == [{"node": {"id": "60781"}}]


def test_order_typed_in_by_hand_is_marked_so() -> None:
    kit = Kit()
    body = order_body((TEA, 1))["data"]["attributes"]
    number = kit.twin.create_by_hand(body, ADDRESS)
    assert kit.twin.history.of_subject(f"goods_outs/{number}")[0].detail["by"] == "hand"


def test_products_over_rest() -> None:
    kit = Kit()
    body = {
        "data": {
            "type": "products",
            "attributes": {"code": "HAT", "description": "Hat", "stock_unit_type_id": 1},
        }
    }
    made = kit.call("POST", "/api/products", body)
    number = made.json()["data"]["id"]
    assert (made.status, number) == (200, 1004)
    again = kit.call("POST", "/api/products", body)
    assert (again.status, symbols(again)) == (422, [("product_code_exists", "code")])
    link = {"data": {"type": "account_products", "attributes": {"account_id": ACCOUNT}}}
    assert kit.create((number, 1)).status == 422
    assert kit.call("POST", f"/api/products/{number}/account_products", link).status == 200
    assert kit.create((number, 1)).status == 200
    assert kit.call("DELETE", f"/api/products/{number}").status == 422
    assert kit.call("DELETE", "/api/products/1003").status == 204
    assert kit.call("DELETE", "/api/products/1003").status == 404
