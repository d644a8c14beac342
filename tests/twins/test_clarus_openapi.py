"""Our idea of the REST writes against the vendor's OpenAPI file, where that file is at hand."""

from __future__ import annotations

import gzip
import json
import os
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator

from pickgate.http import HttpResponse
from pickgate.twins.clarus.attributes import ADDRESS, HEADER, HEADER_REQUIRED, LINE
from pickgate.twins.clarus.automations import webhook_attributes
from twins.clarus_kit import ACCOUNT, MUG, TEA, Kit, add, order_body

CONTRACTS = Path(os.environ.get("PICKGATE_CONTRACTS") or Path(__file__).parents[2] / "../shared/contracts")
FILE = CONTRACTS / "clarus-openapi.json.gz"

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not in {CONTRACTS}")


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(gzip.decompress(FILE.read_bytes()))
    return loaded


def faults(spec: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        validator = OAS30Validator({**schema, "components": spec["components"]})
        return [error.message for error in validator.iter_errors(value)]


def operation(spec: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    template = re.sub(r"/[0-9]+", "/{id}", path).replace("products/{id}/acc", "products/{product_id}/acc")
    found: dict[str, Any] = spec["paths"][template][method.lower()]
    return found


def answer_schema(spec: dict[str, Any], declared: dict[str, Any]) -> dict[str, Any] | None:
    if "$ref" in declared:
        declared = spec["components"]["responses"][declared["$ref"].rsplit("/", 1)[1]]
    schema: dict[str, Any] | None = declared.get("content", {}).get("application/json", {}).get("schema")
    return schema


def exchange(kit: Kit, spec: dict[str, Any], method: str, path: str, body: Any = None) -> HttpResponse:
    """Make the call; check that request and reply fit the file."""
    declared = operation(spec, method, path)
    if body is not None:
        schema = declared["requestBody"]["content"]["application/json"]["schema"]
        assert faults(spec, schema, body) == []
    response = kit.call(method, path, body)
    reply = declared["responses"][str(response.status)]
    schema = answer_schema(spec, reply)
    if schema is None:
        assert response.body == b""
    else:
        assert faults(spec, schema, response.json()) == []
    return response


def test_orders_live_their_life_within_the_file(spec: dict[str, Any]) -> None:
    kit = Kit()
    whole = order_body((TEA, 2), (MUG, 1), priority=3, order_notes="n", string1="s", external_system_reference1="9")
    assert exchange(kit, spec, "POST", "/api/goods_outs", whole).status == 200
    amended = order_body(lines_changes=[{"type": "DESTROY", "id": 60782}, add(TEA, 1)])
    assert exchange(kit, spec, "PATCH", "/api/goods_outs/3301", amended).status == 200
    process = "/api/goods_out_processes/process_picks_async"
    assert exchange(kit, spec, "POST", process, {"ids": [3301]}).status == 200
    assert exchange(kit, spec, "POST", process, {"ids": [3301]}).status == 422
    assert exchange(kit, spec, "POST", "/api/goods_outs/3301/cancel").status == 200
    assert exchange(kit, spec, "POST", "/api/goods_outs/3301/cancel").status == 422
    assert exchange(kit, spec, "PATCH", "/api/goods_outs/9", amended).status == 404
    assert exchange(kit, spec, "POST", "/api/goods_outs", whole).status == 200
    assert exchange(kit, spec, "DELETE", "/api/goods_outs/3302").status == 204
    assert exchange(kit, spec, "DELETE", "/api/goods_outs/3302").status == 404
    kit.headers.clear()
    assert exchange(kit, spec, "POST", "/api/goods_outs", whole).status == 401


def test_shorting_products_and_automations_fit_the_file(spec: dict[str, Any]) -> None:
    kit = Kit()
    number = kit.order((TEA, 12))
    kit.twin.process_picks(number)
    short = {"ids": [number], "description": "sold out"}
    assert exchange(kit, spec, "POST", "/api/goods_out_processes/short_order_lines", short).status == 204
    product = {"code": "HAT", "description": "Hat", "stock_unit_type_id": 1}
    made = exchange(kit, spec, "POST", "/api/products", {"data": {"type": "products", "attributes": product}})
    link = {"data": {"type": "account_products", "attributes": {"account_id": ACCOUNT}}}
    path = f"/api/products/{made.json()['data']['id']}/account_products"
    assert exchange(kit, spec, "POST", path, link).status == 200
    attributes = webhook_attributes("goods_out", "completed", "https://x.test/hook", "POST")
    rule = {"data": {"type": "automations", "attributes": attributes}}
    assert exchange(kit, spec, "POST", "/api/automations", rule).status == 200


def test_our_field_tables_are_the_files(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]
    header = schemas["GoodsOutAttributes"]
    assert set(header["properties"]) - {"lines_changes"} == set(HEADER)
    assert tuple(header["required"]) == HEADER_REQUIRED
    assert set(schemas["GoodsOutLineChange"]["properties"]["attributes"]["properties"]) == set(LINE)
    # `code` is in the schema, and read-only inside an order by its description.
    assert set(schemas["Address"]["properties"]) - {"code"} == set(ADDRESS)


def test_our_limits_are_the_files(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]
    for table, properties in (
        (HEADER, schemas["GoodsOutAttributes"]["properties"]),
        (ADDRESS, schemas["Address"]["properties"]),
    ):
        for name, declared in properties.items():
            longest = declared.get("maxLength")
            if longest is not None:
                assert table[name]("x" * longest) is None
                assert table[name]("x" * (longest + 1)) is not None


def test_roots_filters_and_fields_answer_the_files_own_examples(spec: dict[str, Any]) -> None:
    kit = Kit()
    wanted = {
        "GoodsOuts", "GoodsOutLines", "GoodsOutPickLists", "PickProcessingRequests", "Shipments", "Packages",
        "Tasks", "StockBalances", "Products", "AccountProducts", "ProductMaterials", "Accounts", "Warehouses",
        "AccountWarehouses", "Carriers", "CarrierServices", "OrderTypes", "ReasonCodes", "Integrations",
        "Automations",
    }  # fmt: skip
    refused = {}
    for name in sorted(wanted):
        body = spec["paths"][f"/graphql#List{name}"]["post"]["requestBody"]["content"]["application/json"]
        example = body["example"]
        answer = kit.call("POST", "/graphql", example).json()
        if "errors" in answer:
            refused[name] = answer["errors"][0]["message"]
    assert refused == {}
