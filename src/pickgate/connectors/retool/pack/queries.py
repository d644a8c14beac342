"""Queries of the app, each made from one operation of our OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pickgate.connectors.retool.pack.elements import Element, element

_METHODS = ("get", "post")
_TIMEOUT_MS = "30000"


class UnknownToTheApi(Exception):
    """A query asks for an operation, a parameter or a field that the document does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The Retool resource that queries go through. `uuid` empty: it is picked by hand after the import."""

    uuid: str
    name: str


class QueryMaker:
    """
    Makes RESTQuery elements.

    Args:
        document: Our OpenAPI document, 3.1.
    """

    def __init__(self, document: Mapping[str, Any], binding: Binding) -> None:
        self._operations = {
            found["operationId"]: (method, path, found)
            for path, item in document["paths"].items()
            for method, found in item.items()
            if method in _METHODS
        }
        self._binding = binding

    def read(
        self,
        id: str,
        operation: str,
        /,
        *,
        ask: Mapping[str, str] | None = None,
        path: Mapping[str, str] | None = None,
        disabled: str = "",
    ) -> Element:
        """
        Make a query that asks; it runs again whenever something that it refers to changes.

        Args:
            ask: Expressions, without braces, for the query string. `path`: for the places in the path.
            disabled: An expression; while it is true, nothing is asked.
        """
        method, template, found = self._find(operation, "get")
        parameters = dict(ask or {})
        self._check(found, operation, set(path or {}) | set(parameters))
        address = self._fill(template, path or {}, operation)
        filled = [f"{name}={_in_address(value)}" for name, value in parameters.items()]
        more = {"queryDisabled": f"{{{{ {disabled} }}}}"} if disabled else {}
        return self._element(
            id,
            method,
            address + ("?" + "&".join(filled) if filled else ""),
            runWhenPageLoads=True,
            showSuccessToaster=False,
            **more,
        )

    def change(
        self,
        id: str,
        operation: str,
        /,
        *,
        confirm: str,
        then: Sequence[str],
        done: str,
        disabled: str = "",
        path: Mapping[str, str] | None = None,
        **fields: str,
    ) -> Element:
        """
        Make a query that changes something: never by itself, and after the person has confirmed.

        Args:
            confirm: The question. `done`: the message when it went well. `then`: queries to run again.
            fields: Expressions for the fields of the body.
        """
        method, template, found = self._find(operation, "post")
        self._check(found, operation, set(path or {}) | set(fields))
        body = json.dumps(
            [{"key": name, "value": f"{{{{ {value} }}}}"} for name, value in fields.items()],
            ensure_ascii=False,
            separators=(",", ":"),
        )
        events = [_trigger(query) for query in then]
        more = {"queryDisabled": f"{{{{ {disabled} }}}}"} if disabled else {}
        return self._element(
            id,
            method,
            self._fill(template, path or {}, operation),
            *events,
            body=body,
            bodyType="json",
            confirmationMessage=confirm,
            requireConfirmation=True,
            runWhenModelUpdates=False,
            successMessage=done,
            **more,
        )

    def _find(self, operation: str, wanted: str) -> tuple[str, str, Mapping[str, Any]]:
        try:
            method, path, found = self._operations[operation]
        except KeyError:
            raise UnknownToTheApi(f"there is no operation {operation}") from None
        if method != wanted:
            raise UnknownToTheApi(f"{operation} is {method}, not {wanted}")
        return method, path, found

    def _check(self, found: Mapping[str, Any], operation: str, given: set[str]) -> None:
        known, required = _inputs(found)
        if given - known:
            raise UnknownToTheApi(f"{operation} does not take {', '.join(sorted(given - known))}")
        if required - given:
            raise UnknownToTheApi(f"{operation} needs {', '.join(sorted(required - given))}")

    def _fill(self, template: str, path: Mapping[str, str], operation: str) -> str:
        places = re.findall(r"\{(\w+)\}", template)
        if set(places) != set(path):
            raise UnknownToTheApi(f"{operation} has the places {', '.join(places) or 'none'} in its path")
        return re.sub(r"\{(\w+)\}", lambda m: f"{{{{ encodeURIComponent({path[m[1]]}) }}}}", template).lstrip("/")

    def _element(self, id: str, method: str, address: str, /, *events: Element, **more: Any) -> Element:
        binding = self._binding
        return element(
            "RESTQuery",
            id,
            *events,
            isMultiplayerEdited=False,
            query=address,
            queryTimeout=_TIMEOUT_MS,
            resourceDisplayName=binding.name,
            resourceName=binding.uuid or "REPLACE_WITH_RESOURCE_UUID",
            resourceTypeOverride="",
            **({"type": method.upper()} if method != "get" else {}),
            **more,
        )


def _in_address(expression: str) -> str:
    plain = re.fullmatch(r"'([\w-]+)'|(\d+)", expression)
    return plain[1] or plain[2] if plain else f"{{{{ encodeURIComponent({expression}) }}}}"


def _inputs(found: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    known = {parameter["name"] for parameter in found.get("parameters", ())}
    required = {parameter["name"] for parameter in found.get("parameters", ()) if parameter.get("required")}
    body = found.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return known | set(body.get("properties", {})), required | set(body.get("required", ()))


def _trigger(query: str) -> Element:
    return event("success", query)


def event(on: str, query: str) -> Element:
    """Let a query run when something happens."""
    return element(
        "Event",
        event=on,
        method="trigger",
        params={"ordered": []},
        pluginId=query,
        type="datasource",
        waitMs="0",
        waitType="debounce",
    )
