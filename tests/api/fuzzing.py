"""Inputs drawn from our own OpenAPI document: some that it allows, some that it forbids, and where each is put."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

_SURROGATES: Collection[Any] = ("Cs",)
TEXT = st.text(st.characters(exclude_categories=_SURROGATES), max_size=12)
# A segment of a path cannot hold a slash: servers decode it before they look for the route.
SEGMENT = st.text(st.characters(exclude_categories=_SURROGATES, exclude_characters="/"), min_size=1, max_size=12)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


@dataclass(frozen=True, slots=True)
class Field:
    """One input: where it goes (path, query or body), and what the document says of it."""

    name: str
    place: str
    schema: Mapping[str, Any]
    required: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of the document."""

    id: str
    method: str
    path: str
    fields: tuple[Field, ...]
    responses: Mapping[str, Any]

    def request(self, values: Mapping[str, Any]) -> tuple[str, bytes | None]:
        """Return the address and the body for values of the fields; unknown names go where the method puts input."""
        places = {field.name: field.place for field in self.fields}
        path, query, body = self.path, list[tuple[str, str]](), dict[str, Any]()
        for name, value in values.items():
            place = places.get(name, "query" if self.method == "GET" else "body")
            if place == "path":
                path = path.replace(f"{{{name}}}", quote(_text(value), safe=""))
            elif place == "query":
                query += [(name, _text(item)) for item in (value if isinstance(value, list) else [value])]
            else:
                body[name] = value
        address = path + (f"?{urlencode(query)}" if query else "")
        return address, None if self.method == "GET" else json.dumps(body).encode()


def calls_of(document: Mapping[str, Any]) -> list[Call]:
    """Read the operations below /api from the document."""
    found = []
    for path, methods in document["paths"].items():
        for method, described in methods.items() if path.startswith("/api/") else ():
            fields = [Field(one["name"], one["in"], one["schema"], one["required"]) for one in described["parameters"]]
            content = described.get("requestBody", {}).get("content", {})
            body = content.get("application/json", {}).get("schema", {})
            required = body.get("required", ())
            fields += [
                Field(name, "body", schema, name in required) for name, schema in body.get("properties", {}).items()
            ]
            found.append(Call(described["operationId"], method.upper(), path, tuple(fields), described["responses"]))
    return found


def allowed(call: Call, known: Mapping[str, list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw input that the document allows. `known`: values that exist, by the name of the field."""

    def draw(field: Field) -> st.SearchStrategy[Any]:
        drawn = SEGMENT if field.place == "path" and field.schema.get("type") == "string" else value_of(field.schema)
        if field.place == "body" and field.schema.get("type") == "string":
            drawn |= st.sampled_from(["\ud800 half a pair", "no\x00thing", "\u202eright to left"])
        if field.place != "body":
            drawn = drawn.filter(lambda value: value is not None)  # an address cannot say null
        return drawn | st.sampled_from(known[field.name]) if field.name in known else drawn

    needed = {field.name: draw(field) for field in call.fields if field.required}
    optional = {field.name: draw(field) for field in call.fields if not field.required}
    return st.fixed_dictionaries(needed, optional=optional)


def forbidden(call: Call, known: Mapping[str, list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw input with one fault: an unknown name, a value that a field forbids, or a required one missing."""
    faults: list[st.SearchStrategy[tuple[str, Any]]] = [st.just(("misspelt", "1"))]
    for field in call.fields:
        faults += [st.just((field.name, wrong)) for wrong in wrong_values(field)]
        if field.required and field.place == "body":
            faults.append(st.just((field.name, _MISSING)))

    def spoil(drawn: tuple[dict[str, Any], tuple[str, Any]]) -> dict[str, Any]:
        values, (name, wrong) = drawn
        return {key: value for key, value in (values | {name: wrong}).items() if value is not _MISSING}

    return st.tuples(allowed(call, known), st.one_of(faults)).map(spoil)


_MISSING = object()


def wrong_values(field: Field) -> list[Any]:
    """Values that this field must refuse, whatever the other fields say."""
    schema = field.schema
    if "anyOf" in schema:
        options = [option for option in schema["anyOf"] if option.get("type") != "null"]
        schema = options[0] if len(options) == 1 else {}
    kind, found = schema.get("type"), list[Any]()
    if kind in ("integer", "number", "boolean") or schema.get("format") == "date-time" or "enum" in schema:
        found.append("certainly not")
    if kind == "integer":
        found += [schema["minimum"] - 1] if "minimum" in schema else []
        found += [schema["maximum"] + 1] if "maximum" in schema else []
    if "maxLength" in schema and schema["maxLength"] < 5000 and field.place != "path":
        found.append("x" * (schema["maxLength"] + 1))
    if field.place == "body" and kind in ("string", "integer", "boolean"):
        found += [{"a": 1}, [[]]]
    if kind == "array" and "maxItems" in schema:
        found.append(["1"] * (schema["maxItems"] + 1))
    return found


def value_of(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Draw a value that a schema allows."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    if "anyOf" in schema:
        return st.one_of([value_of(option) for option in schema["anyOf"]])
    match schema.get("type"):
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            low, high = schema.get("minimum", -1000), schema.get("maximum", 2**40)
            return st.integers(low, min(high, low + 300)) | st.integers(low, high)
        case "string" if schema.get("format") == "date-time":
            return st.datetimes(timezones=st.timezones()).map(lambda instant: instant.isoformat() + "")
        case "string" if "pattern" in schema:
            return st.from_regex(schema["pattern"].replace(r"\d", "[0-9]"), fullmatch=True)
        case "string":
            low = schema.get("minLength", 0)
            return st.text(st.characters(exclude_categories=_SURROGATES), min_size=low, max_size=low + 12)
        case "array":
            low = schema.get("minItems", 0)
            return st.lists(value_of(schema.get("items", {})), min_size=low, max_size=low + 2)
        case "object":
            inner = schema.get("additionalProperties", {})
            return st.dictionaries(TEXT, value_of(inner if isinstance(inner, dict) else {}), max_size=2)
    return ANYTHING


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)
