"""Both OpenAPI documents are valid, and say what the application does."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from console.desk import Desk
from pickgate.api.openapi import build_openapi, to_openapi_3_0
from pickgate.api.rest import PREFIX, ROUTES
from pickgate.operations.registry import REGISTRY

DOCUMENT = build_openapi(version="1.2.3", public_url="https://pickgate.example.com")
OLDER = to_openapi_3_0(DOCUMENT)


def walk(node: Any) -> Any:
    yield node
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(item)


def test_the_newer_document_is_valid() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_the_older_document_is_valid_and_uses_nothing_newer() -> None:
    assert OLDER["openapi"] == "3.0.3"
    OpenAPIV30SpecValidator(OLDER).validate()
    for node in walk(OLDER):
        if isinstance(node, dict):
            assert node.get("type") != "null"
            assert "const" not in node
            assert not isinstance(node.get("type"), list)
            assert "$ref" not in node or len(node) == 1


def test_making_the_older_document_leaves_the_newer_as_it_is() -> None:
    assert build_openapi(version="1.2.3", public_url="https://pickgate.example.com") == DOCUMENT


def test_every_operation_is_described_under_its_own_id() -> None:
    for document in (DOCUMENT, OLDER):
        found = {
            operation["operationId"]: (method.upper(), path.removeprefix(PREFIX))
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            if path.startswith(PREFIX)
        }
        assert found == ROUTES


@pytest.mark.parametrize("operation", list(REGISTRY), ids=lambda operation: operation.id)
def test_every_field_of_the_input_can_be_sent(operation: Any) -> None:
    method, path = ROUTES[operation.id]
    described = DOCUMENT["paths"][PREFIX + path][method.lower()]
    named = {parameter["name"] for parameter in described["parameters"]}
    body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    assert named | set(body.get("properties", {})) == set(operation.input.model_fields)
    assert {parameter["name"] for parameter in described["parameters"] if parameter["in"] == "path"} == set(
        re.findall(r"\{(\w+)\}", path)
    )


@pytest.mark.postgres
async def test_both_documents_are_served(desk: Desk) -> None:
    async with aiohttp.ClientSession() as http:
        for path, version in (("/openapi.json", "3.1.0"), ("/openapi-3.0.json", "3.0.3")):
            async with http.get(desk.address + path) as answer:
                assert (answer.status, (await answer.json())["openapi"]) == (200, version)
