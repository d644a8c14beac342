"""A webhook's body is a hint, whatever its shape, and never an error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.clarus_stub import payload
from pickgate.connectors.clarus import ClarusHint, find_unexpected_headers, parse_hint

KNOWN = ClarusHint(reference="1031-1", clarus_id="3301", external_reference1="5500011")


@pytest.mark.parametrize("name", ["webhook_data", "webhook_bare", "webhook_json_api"])
def test_the_three_likely_shapes(name: str) -> None:
    assert parse_hint(payload(name)) == KNOWN


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ([{"id": 5}], ClarusHint(clarus_id="5")),
        ({"data": {"id": True, "reference": " 9-1 "}}, ClarusHint(reference="9-1")),
        ({"data": "text", "reference": "9-1"}, ClarusHint(reference="9-1")),
        ({"attributes": {"id": 7, "reference": "9-1"}, "id": "8"}, ClarusHint(reference="9-1", clarus_id="8")),
        ({"reference": "x" * 201, "id": 10**30}, ClarusHint()),
        ([], ClarusHint()),
        ([[{"id": 1}]], ClarusHint()),
        (None, ClarusHint()),
        ("1031-1", ClarusHint()),
    ],
)
def test_odd_shapes(body: Any, hint: ClarusHint) -> None:
    assert parse_hint(json.dumps(body).encode()) == hint


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"{", b"[" * 100_000, b'{"id": 1'])
def test_no_json(body: bytes) -> None:
    assert parse_hint(body) == ClarusHint()
    assert parse_hint(body).is_empty


@given(st.binary(max_size=200))
def test_bytes_never_raise(body: bytes) -> None:
    parse_hint(body)


KEYS = st.sampled_from(["data", "attributes", "id", "reference", "external_system_reference1", "other"])
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=15,
)


@given(BODIES)
def test_any_json_gives_short_texts_or_nothing(body: Any) -> None:
    hint = parse_hint(json.dumps(body).encode())
    for value in (hint.reference, hint.clarus_id, hint.external_reference1):
        assert value is None or 0 < len(value) <= 200


def test_headers_that_are_not_as_expected_are_named() -> None:
    expected = {"X-ClarusWMS-Subdomain": "acme", "X-ClarusWMS-Automation-ID": "43"}
    sent = {"x-claruswms-subdomain": "acme", "X-ClarusWMS-Automation-ID": "44"}
    assert find_unexpected_headers(sent, expected) == ("X-ClarusWMS-Automation-ID",)
    assert find_unexpected_headers({}, expected) == tuple(expected)
    assert find_unexpected_headers(sent, {}) == ()
