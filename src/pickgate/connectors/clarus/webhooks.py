"""Clarus' webhooks: unsigned, with a body that nobody documents. A body is a hint where to look, and nothing more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ClarusHint:
    """What a webhook lets us guess. Empty when nothing could be read from it."""

    reference: str | None = None
    clarus_id: str | None = None
    external_reference1: str | None = None

    @property
    def is_empty(self) -> bool:
        return self == ClarusHint()


def parse_hint(body: bytes) -> ClarusHint:
    """Read a hint from a body: `{"data": {…}}`, a bare record, a list of them (its first), JSON:API attributes.

    Never raises: anything else is an empty hint.
    """
    try:
        record: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ClarusHint()
    record = _first(record)
    if isinstance(record, dict) and isinstance(record.get("data"), dict | list):
        record = _first(record["data"])
    if not isinstance(record, dict):
        return ClarusHint()
    attributes = record.get("attributes")
    places = (record, attributes) if isinstance(attributes, dict) else (record,)
    return ClarusHint(
        reference=_find(places, "reference"),
        clarus_id=_find(places, "id"),
        external_reference1=_find(places, "external_system_reference1"),
    )


def find_unexpected_headers(headers: Mapping[str, str], expected: Mapping[str, str]) -> tuple[str, ...]:
    """Name the expected headers, such as X-ClarusWMS-Subdomain, that are missing or have another value.

    This finds mistakes, not forgeries: anyone who knows the values can send them.
    """
    sent = {name.lower(): value.strip() for name, value in headers.items()}
    return tuple(name for name, value in expected.items() if sent.get(name.lower()) != value)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _find(places: tuple[Mapping[str, Any], ...], name: str) -> str | None:
    for place in places:
        value = place.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30:
            return str(value)
        if isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST:
            return value.strip()
    return None
