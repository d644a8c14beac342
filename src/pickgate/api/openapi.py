"""The OpenAPI documents, made from the registry: 3.1.0, and the same as 3.0.3 for tools that read no newer one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pickgate.api.rest import PREFIX, ROUTES
from pickgate.operations.operation import Operation
from pickgate.operations.registry import REGISTRY

_REF = "#/components/schemas/{model}"
_PROBLEMS = {
    "401": "No valid token",
    "403": "This role may not do that",
    "404": "There is no such thing",
    "422": "The input cannot be used",
    "503": "The database cannot be reached",
}


class ProblemShape(BaseModel):
    """RFC 9457 problem details, with a stable code and the way out."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    remedy: str


def build_openapi(*, version: str, public_url: str) -> dict[str, Any]:
    """Build the OpenAPI 3.1.0 document."""
    outputs = {operation.output for operation in REGISTRY}
    models: list[tuple[type[BaseModel], Any]] = [(model, "serialization") for model in outputs]
    models.append((ProblemShape, "serialization"))
    names, definitions = models_json_schema(models, ref_template=_REF)
    schemas: dict[str, Any] = dict(definitions["$defs"])
    schemas["Problem"] = schemas.pop("ProblemShape")
    paths: dict[str, Any] = {}
    for operation in REGISTRY:
        method, path = ROUTES[operation.id]
        output = names[(operation.output, "serialization")]
        paths.setdefault(PREFIX + path, {})[method.lower()] = _describe(operation, method, path, output, schemas)
    paths |= _plain_paths()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Pickgate",
            "version": version,
            "description": "The warehouse only ever picks the customer's final order.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "security": [{"token": []}],
        "tags": [{"name": "orders"}, {"name": "exceptions"}, {"name": "overview"}, {"name": "process"}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "`pkg_…`, by `pickgate token create`"}
            },
        },
    }


def _describe(
    operation: Operation[Any, Any], method: str, path: str, output: Any, schemas: dict[str, Any]
) -> dict[str, Any]:
    schema = operation.input.model_json_schema(ref_template=_REF)
    schemas |= schema.pop("$defs", {})
    properties, required = schema.get("properties", {}), set(schema.get("required", ()))
    in_path = re.findall(r"\{(\w+)\}", path)
    parameters = [
        {
            "name": name,
            "in": "path" if name in in_path else "query",
            "required": name in in_path or name in required,
            "description": value.get("description", value.get("title", name)),
            "schema": {key: item for key, item in value.items() if key != "description"},
        }
        for name, value in properties.items()
        if name in in_path or method == "GET"
    ]
    roles = ", ".join(sorted(role.value for role in operation.roles))
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.title,
        "description": f"{operation.about} Roles: {roles}.",
        "tags": ["exceptions" if "/exceptions" in path else "orders" if "order" in path else "overview"],
        "parameters": parameters,
        "responses": {
            "200": {"description": "Done", "content": {"application/json": {"schema": output}}},
            **{status: _problem(words) for status, words in _PROBLEMS.items()},
        },
    }
    if operation.changes or "{ref}" in path:
        described["responses"]["409"] = _problem("Somebody was faster, or the name means several orders")
    if method == "POST":
        body = {
            "type": "object",
            "properties": {name: value for name, value in properties.items() if name not in in_path},
            "required": sorted(required - set(in_path)),
            "additionalProperties": False,
        }
        if not body["required"]:
            del body["required"]
        described["requestBody"] = {"required": "required" in body, "content": {"application/json": {"schema": body}}}
    return described


def _problem(words: str) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model="Problem")}
    return {"description": words, "content": {"application/problem+json": {"schema": schema}}}


def _plain_paths() -> dict[str, Any]:
    def plain(operation_id: str, summary: str, **responses: str) -> dict[str, Any]:
        return {
            "operationId": operation_id,
            "summary": summary,
            "tags": ["process"],
            "security": [],
            "responses": {status.removeprefix("s"): {"description": words} for status, words in responses.items()},
        }

    raw = {"required": True, "content": {"application/json": {"schema": {}}}}
    token = {"name": "webhook_token", "in": "path", "required": True, "schema": {"type": "string"}}
    event = {"name": "event", "in": "query", "required": False, "schema": {"type": "string"}}
    unstored = "It could not be stored; send it again"
    return {
        "/webhooks/shopify": {
            "post": plain(
                "receive_shopify_webhook",
                "Webhooks of the shops",
                s200="Stored",
                s401="Forged, or of an unknown shop",
                s413="Larger than 2 MiB",
                s415="With a Content-Encoding",
                s503=unstored,
            )
            | {"requestBody": raw}
        },
        "/webhooks/clarus/{webhook_token}": {
            "post": plain(
                "receive_clarus_webhook",
                "Webhooks of the warehouse",
                s200="Stored",
                s404="Not the address",
                s413="Larger than 2 MiB",
                s503=unstored,
            )
            | {"requestBody": raw, "parameters": [token, event]}
        },
        "/healthz": {"get": plain("alive", "The process answers", s200="Alive")},
        "/readyz": {"get": plain("ready", "The database answers and is migrated", s200="Ready", s503="Not ready")},
        "/metrics": {"get": plain("metrics", "Figures for Prometheus", s200="The text format of Prometheus")},
    }


def to_openapi_3_0(document: Mapping[str, Any]) -> dict[str, Any]:
    """Say the same in OpenAPI 3.0.3: `nullable`, `enum` for `const`, no sibling of `$ref`."""
    older = _older(dict(document))
    older["openapi"] = "3.0.3"
    older["info"]["license"].pop("identifier", None)
    return older  # type: ignore[no-any-return]


def _older(node: Any) -> Any:
    if isinstance(node, list):
        return [_older(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _older(value) for key, value in node.items()}
    if "const" in found:
        found["enum"] = [found.pop("const")]
    for bound, name in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(found.get(bound), int | float) and not isinstance(found.get(bound), bool):
            found[name] = found[bound]
            found[bound] = True
    if isinstance(found.get("anyOf"), list) and {"type": "null"} in found["anyOf"]:
        others = [item for item in found.pop("anyOf") if item != {"type": "null"}]
        found["nullable"] = True
        if len(others) == 1 and "$ref" not in others[0]:
            found = others[0] | found
        else:
            found["anyOf"] = others
    if isinstance(found.get("$ref"), str) and len(found) > 1:
        found["allOf"] = [{"$ref": found.pop("$ref")}]
    if found.get("default", 0) is None and not found.get("nullable"):
        del found["default"]
    return found
