"""JSON from outside, read so that no body can raise anything but ValueError."""

from __future__ import annotations

import json
from typing import Any


def parse_json(body: bytes, *, unique_keys: bool = False) -> Any:
    """Decode UTF-8 JSON, whatever the bytes.

    Raises ValueError, and nothing else, for: other encodings and byte order marks, trailing text, nesting too deep to
    read, NaN and infinities, integers of thousands of digits, and (with `unique_keys`) an object that names a key
    twice. The message never quotes the body, which may hold personal data.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None
    try:
        return json.loads(
            text,
            parse_float=_parse_float,
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_twins if unique_keys else None,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos}") from None


def _parse_float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number too large to be one")
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _refuse_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names a key twice")
    return found
