"""Our inputs as Retool's arguments, and Retool's loose values as our inputs. Pure.

Retool's forms send text for numbers, `"TRUE"` for true, and an empty text for a field that nobody filled in.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from pickgate.connectors.retool.wire import ArgumentType, RpcArgument, RpcFunction

_TYPES: Mapping[str, ArgumentType] = {
    "string": "string",
    "boolean": "boolean",
    "integer": "number",
    "number": "number",
    "object": "dict",
}


class ArgumentsUnusable(Exception):
    """`fields`: one entry for each argument that cannot be used, with `field` and `problem`."""

    def __init__(self, fields: list[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{item['field']}: {item['problem']}" for item in fields))
        self.fields = fields


def describe_function(name: str, schema: Mapping[str, Any]) -> RpcFunction:
    """Return a function as Retool registers it. `schema`: the JSON schema of its input, an object."""
    required = set(schema.get("required", ()))
    return RpcFunction(
        name=name,
        arguments={
            key: _describe(value, required=key in required) for key, value in schema.get("properties", {}).items()
        },
    )


def _describe(schema: Mapping[str, Any], *, required: bool) -> RpcArgument:
    plain = _without_null(schema)
    is_array = plain.get("type") == "array"
    one = _without_null(plain.get("items", {})) if is_array else plain
    return RpcArgument(
        type=_TYPES.get(one.get("type", ""), "json"),
        description=_words(schema, plain, one),
        required=required,
        array=is_array,
    )


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = [item for item in schema.get("anyOf", ()) if item != {"type": "null"}]
    return choices[0] if len(choices) == 1 else schema


def _words(schema: Mapping[str, Any], plain: Mapping[str, Any], one: Mapping[str, Any]) -> str:
    """Say in words what the protocol has no fields for: choices, format, default."""
    words = [str(schema.get("description") or schema.get("title") or "")]
    choices = one.get("enum") or plain.get("enum")
    if choices:
        words.append("One of: " + ", ".join(str(choice) for choice in choices))
    if one.get("format") == "date-time":
        words.append("With a time zone, such as 2026-07-01T12:00:00Z")
    if schema.get("default") not in (None, "", [], {}, False):
        words.append(f"Default: {json.dumps(schema['default'])}")
    return ". ".join(word for word in words if word)


def read_arguments(function: RpcFunction, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as the operation's input wants them.

    An empty text and null count as not given, as in Retool's own clients. What was never declared is passed on all the
    same: the operation refuses it, where Retool's clients would drop a misspelt filter and answer with everything.
    Raises ArgumentsUnusable.
    """
    values: dict[str, Any] = {}
    problems: list[dict[str, str]] = []
    for name, value in given.items():
        if value is None or value == "":
            continue
        argument = function.arguments.get(name)
        try:
            values[name] = value if argument is None else _read(argument, value)
        except ValueError as error:
            problems.append({"field": name, "problem": str(error)})
    for name, argument in function.arguments.items():
        if argument.required and name not in values and not any(item["field"] == name for item in problems):
            problems.append({"field": name, "problem": "is required"})
    if problems:
        raise ArgumentsUnusable(problems)
    return values


def _read(argument: RpcArgument, value: Any) -> Any:
    if not argument.array:
        return _read_one(argument.type, value)
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _from_json(value)
    items = value if isinstance(value, list) else [value]
    return [_read_one(argument.type, item) for item in items]


def _read_one(kind: ArgumentType, value: Any) -> Any:
    match kind:
        case "number":
            return _read_number(value)
        case "boolean":
            if isinstance(value, bool):
                return value
            word = str(value).strip().lower()
            if word not in ("true", "false"):
                raise ValueError("is not true or false")
            return word == "true"
        case "string":
            if isinstance(value, dict | list):
                raise ValueError("is not a text")
            return value if isinstance(value, str) else json.dumps(value)
        case "dict":
            value = _from_json(value) if isinstance(value, str) else value
            if not isinstance(value, dict):
                raise ValueError("is not an object")
            return value
        case "json":
            return value


def _read_number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("is not a number")
    if isinstance(value, int):  # as it is: an id may have more digits than a float holds
        return value
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        return int(value)
    try:
        number = float(value)
    except ValueError:
        raise ValueError("is not a number") from None
    if not math.isfinite(number):
        raise ValueError("is not a number")
    return int(number) if number.is_integer() else number


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None
