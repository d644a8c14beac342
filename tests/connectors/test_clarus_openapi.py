"""Every REST request that the connector can send, against the vendor's published description of it."""

from __future__ import annotations

import gzip
import json
import os
import warnings
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connectors.clarus_stub import Catalogue, ScriptedTenant, amend, answer, content, create, finish, recall, warehouse
from pickgate.domain.commands import WarehouseCommand
from pickgate.domain.shop import Address
from pickgate.domain.warehouse import ContentLine
from pickgate.http import HttpRequest

PROJECT = Path(__file__).resolve().parents[2]
FILE = Path(os.environ.get("PICKGATE_CONTRACTS", PROJECT.parent / "shared" / "contracts")) / "clarus-openapi.json.gz"
pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason="Clarus' OpenAPI file is not here; set PICKGATE_CONTRACTS to the folder that has it"
)

# The published description contradicts the published pages, so a correct request may break it. What it may complain
# about, by case; everything else fails, and so does a complaint that is listed and no longer made.
#
# PARTIAL: it reuses the schema of a creation for PATCH, with four required fields; the page sends only what changed.
#   The connector sends the four when a tenant asks for them (that request is checked too, and passes).
# CLEARED: carrier, service and priority are marked nullable, but beside a reference to a schema that is not. There is
#   no other way to take a carrier away.
# REMOVE: its enum of line verbs has DESTROY; the page's example has REMOVE. A setting chooses.
PARTIAL = frozenset(
    f"'{name}' is a required property"
    for name in ("goods_out_type", "account_id", "reference", "expected_date_of_dispatch")
)
DATED = PARTIAL - {"'expected_date_of_dispatch' is a required property"}
CLEARED = frozenset({"None for not nullable", "None is not of type 'integer'"})
REMOVE = frozenset({"'REMOVE' is not one of ['ADD', 'UPDATE', 'DESTROY']"})


@cache
def description() -> Any:
    from openapi_core import OpenAPI

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a security scheme that the library does not know
        return OpenAPI.from_dict(json.load(gzip.open(FILE)))


def complaints(request: HttpRequest) -> set[str]:
    """What the description has against a request, as the innermost messages."""
    from openapi_core.testing import MockRequest

    path = request.url.removeprefix("https://clarus-api.com")
    mock = MockRequest(
        "https://clarus-api.com",
        request.method.lower(),
        path,
        headers={name: value for name, value in request.headers.items() if name != "Content-Type"},
        data=request.body or None,
        content_type="application/json",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = description().unmarshal_request(mock).errors
    messages: set[str] = set()
    for error in found:
        cause = error.__cause__
        inner = getattr(cause, "schema_errors", None)
        messages |= {one.message for one in inner} if inner else {f"{error!r}: {cause!r}"}
    return messages


def requests_of(command: WarehouseCommand, **changes: Any) -> list[HttpRequest]:
    catalogue = Catalogue()
    tenant = ScriptedTenant(
        lambda request: catalogue(request) if request.url.endswith("/graphql") else answer({"data": {"id": 3301}})
    )
    port = warehouse(
        tenant, base_url="https://clarus-api.com", token_url="https://clarus-api.com/oauth/token", **changes
    )
    finish(port.send(command))
    return [request for request in tenant.requests if not request.url.endswith("/graphql")]


BARE = content(carrier=None, service=None, priority=None, notes=(), address=Address(name="Ada", line1="1 High Street"))
FULL = content(
    address=Address(
        name="Ada Byron",
        company="Engines Ltd",
        line1="1 High Street",
        line2="Flat 2",
        city="Leeds",
        province="West Yorkshire",
        postcode="LS1 1AA",
        country="GB",
        email="ada@example.com",
        phone="+441130000000",
    ),
    notes=tuple((name, "text") for name in ("order_notes", "pick_notes", "packing_notes", "delivery_notes", "string5")),
    required_on=date(2026, 4, 1),
)
LINES = content(
    lines=(
        ContentLine(line_id="71", product_code="MUG", units=5),
        ContentLine(line_id="73", product_code="MUG", units=1),
    )
)


@pytest.mark.parametrize(
    ("command", "changes", "conflicts"),
    [
        pytest.param(create(), {}, frozenset(), id="create"),
        pytest.param(create(content=BARE), {}, frozenset(), id="create bare"),
        pytest.param(create(content=FULL), {"company_in": "address_2"}, frozenset(), id="create in full"),
        pytest.param(recall(), {}, frozenset(), id="recall"),
        pytest.param(amend(FULL), {}, DATED, id="amend everything but lines"),
        pytest.param(amend(BARE, previous=FULL), {}, PARTIAL | CLEARED, id="amend to nothing"),
        pytest.param(amend(LINES), {}, PARTIAL, id="amend lines"),
        pytest.param(amend(LINES), {"line_delete_verb": "REMOVE"}, PARTIAL | REMOVE, id="amend lines, REMOVE"),
    ],
)
def test_requests(command: WarehouseCommand, changes: dict[str, Any], conflicts: frozenset[str]) -> None:
    (request,) = requests_of(command, **changes)
    assert complaints(request) == conflicts


def test_the_full_amendment_has_nothing_against_it() -> None:
    catalogue = Catalogue(
        goods_outs=[
            {
                "id": "3301",
                "reference": "1031-1",
                "expected_date_of_dispatch": "2026-03-11",
                "goods_out_status": {"code": "PENDING"},
                "account": {"code": "ACME"},
            }
        ]
    )
    refusal = {"errors": [{"symbol": "missing", "details": "reference can't be blank", "source": None}]}
    tenant = ScriptedTenant(
        lambda request: catalogue(request) if request.url.endswith("/graphql") else answer(refusal, 422)
    )
    port = warehouse(tenant, base_url="https://clarus-api.com", token_url="https://clarus-api.com/oauth/token")
    finish(port.send(amend(LINES)))
    first, second = [request for request in tenant.requests if not request.url.endswith("/graphql")]
    assert complaints(first) == PARTIAL
    assert complaints(second) == set()


def test_the_check_itself_can_fail() -> None:
    (request,) = requests_of(create())
    body = json.loads(request.body)
    body["data"]["attributes"]["priority"] = 100
    body["data"]["attributes"]["lines_changes"][0]["type"] = "PUT"
    spoilt = HttpRequest(method="POST", url=request.url, headers=request.headers, body=json.dumps(body).encode())
    assert len(complaints(spoilt)) == 2
