"""The part of the linter that holds the app's queries against our OpenAPI document: the likeliest drift of all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pickgate.connectors.retool.pack import grammar
from pickgate.connectors.retool.pack.elements import Element

_EXPRESSION = re.compile(r"\{\{.*?\}\}(?!\})", re.DOTALL)


def lint_queries(tree: Element, document: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield what is wrong with the queries of one file. `document` None: only with themselves."""
    for node in tree.walk():
        if node.tag in grammar.QUERIES:
            yield from (f"{node.id}: {problem}" for problem in _query(node, document))


def _query(node: Element, document: Mapping[str, Any] | None) -> Iterator[str]:
    attributes = node.attributes
    method = str(attributes.get("type", "GET"))
    if not attributes.get("resourceDisplayName") or "resourceName" not in attributes:
        yield "names no resource"
    if not str(attributes.get("queryTimeout", "")).isdigit():
        yield "queryTimeout is not a number of milliseconds, as a text"
    address = str(attributes.get("query", ""))
    if not address or address.startswith("/") or "://" in address:
        yield "its address is not one below the resource's"
    if method != "GET":
        if attributes.get("requireConfirmation") is not True or not attributes.get("confirmationMessage"):
            yield "changes something without asking"
        if attributes.get("runWhenModelUpdates") is not False or attributes.get("runWhenPageLoads"):
            yield "changes something by itself"
    fields, problem = _fields(node)
    if problem:
        yield problem
    elif document is not None:
        yield from _against(document, method, address, fields)


def _fields(node: Element) -> tuple[set[str], str]:
    if "body" not in node.attributes:
        return set(), ""
    if node.attributes.get("bodyType") != "json":
        return set(), "bodyType is not json"
    try:
        pairs = json.loads(str(node.attributes["body"]))
        names = [pair["key"] for pair in pairs]
        well = all(set(pair) == {"key", "value"} and isinstance(pair["value"], str) for pair in pairs)
    except (ValueError, KeyError, TypeError):
        return set(), "its body is not a list of key and value"
    if not well or len(set(names)) != len(names):
        return set(), "its body is not a list of key and value, each key once"
    return set(names), ""


def _against(document: Mapping[str, Any], method: str, address: str, fields: set[str]) -> Iterator[str]:
    path, _, query = _EXPRESSION.sub("\0", address).partition("?")
    found = _find(document, method.lower(), "/" + path)
    if found is None:
        yield f"the API has no {method} /{path.replace(chr(0), '…')}"
        return
    parameters = {item["name"]: item for item in found.get("parameters", ()) if item["in"] == "query"}
    given = {part.partition("=")[0] for part in query.split("&") if part}
    body = found.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    yield from _compare(given, set(parameters), {name for name, item in parameters.items() if item.get("required")})
    yield from _compare(fields, set(body.get("properties", {})), set(body.get("required", ())))


def _compare(given: set[str], known: set[str], required: set[str]) -> Iterator[str]:
    if given - known:
        yield f"the API does not take {', '.join(sorted(given - known))}"
    if required - given:
        yield f"the API needs {', '.join(sorted(required - given))}"


def _find(document: Mapping[str, Any], method: str, path: str) -> Mapping[str, Any] | None:
    """Find an operation. NUL stands for a value in the path; a fixed path is preferred to one with places."""
    best: Mapping[str, Any] | None = None
    for template, item in document["paths"].items():
        pattern = re.escape(re.sub(r"\{\w+\}", "\0", template)).replace(re.escape("\0"), "\0")
        if method in item and re.fullmatch(pattern, path):
            best = item[method]
    return best
