"""Both ends of the Clarus connector's tests: a scripted tenant, the twin behind a transport, and made commands."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr

import pickgate.connectors.clarus as connector
from pickgate.clock import VirtualClock
from pickgate.connectors.clarus import ClarusWarehouse
from pickgate.domain.commands import AmendGoodsOut, CreateGoodsOut, RecallGoodsOut
from pickgate.domain.shop import Address
from pickgate.domain.warehouse import Content, ContentLine
from pickgate.http import HttpRequest, HttpResponse
from pickgate.settings import ClarusSettings
from pickgate.twins.clarus import ClarusKnobs, ClarusTwin

START = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
PAYLOADS = Path(connector.__file__).parent / "payloads"
T = TypeVar("T")
Reply = HttpResponse | Exception
Handler = Callable[[HttpRequest], Reply]


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.made.json").read_bytes()


def settings(**changes: Any) -> ClarusSettings:
    values: dict[str, Any] = {
        "base_url": "http://clarus.test",
        "token_url": "http://clarus.test/oauth/token",
        "subdomain": "acme-warehouse",
        "client_id": "client",
        "client_secret": SecretStr("secret"),
        "requests_per_second": 1000,
        **changes,
    }
    return ClarusSettings(**values)


def answer(body: Any, status: int = 200, **headers: str) -> HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status=status, headers={"Content-Type": "application/json", **named}, body=content)


def page_of(nodes: Sequence[Mapping[str, Any]], *, start: int = 0, has_next: bool = False) -> dict[str, Any]:
    """A connection with offset cursors: the cursor of row n is unpadded base64 of n+1."""
    edges = [{"cursor": offset_cursor(start + number + 1), "node": node} for number, node in enumerate(nodes)]
    return {
        "all": {
            "pageInfo": {"hasNextPage": has_next, "endCursor": edges[-1]["cursor"] if edges else None},
            "edges": edges,
        }
    }


def offset_cursor(number: int) -> str:
    return base64.b64encode(str(number).encode()).decode().rstrip("=")


def offset_of(cursor: str | None) -> int:
    return 0 if cursor is None else int(base64.b64decode(cursor + "=" * (-len(cursor) % 4)))


class ScriptedTenant:
    """A tenant that answers by a function, gives tokens by itself, and remembers what it was sent."""

    def __init__(self, handler: Handler, *, expires_in: object = 7200) -> None:
        self.handler = handler
        self.expires_in = expires_in
        self.tokens = 0
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        if urlsplit(request.url).path == "/oauth/token":
            self.tokens += 1
            body: dict[str, Any] = {"access_token": f"token-{self.tokens}", "token_type": "Bearer"}
            return answer(body if self.expires_in is None else {**body, "expires_in": self.expires_in})
        self.requests.append(request)
        reply = self.handler(request)
        if isinstance(reply, Exception):
            raise reply
        return reply

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [
            (request.method, urlsplit(request.url).path)
            for request in self.requests
            if urlsplit(request.url).path != "/graphql"
        ]


class Catalogue:
    """Answers GraphQL from lists of nodes, honouring `first`, `after` and the filters we use."""

    def __init__(self, **rows: list[dict[str, Any]]) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {
            "accounts": [{"id": "1", "code": "ACME"}, {"id": "2", "code": "OTHER"}],
            "warehouses": [{"id": "21", "code": "LDS"}],
            "carriers": [{"id": "41", "code": "DPD"}],
            "carrier_services": [{"id": "61", "code": "NEXT", "carrier": {"code": "DPD"}}],
            "products": [{"id": "1001", "code": "MUG"}, {"id": "1002", "code": "CAP"}],
            "goods_outs": [],
            "goods_out_lines": [],
            **rows,
        }
        self.asked: list[tuple[str, Any]] = []

    def __call__(self, request: HttpRequest) -> Reply:
        sent = json.loads(request.body)
        query, variables = sent["query"], sent["variables"]
        if "GoodsOutsWithLines" in query:
            roots = {"goods_outs": variables["goods_outs"], "goods_out_lines": variables["lines"]}
        else:
            root = next(root for root in self.rows if f"  {root} {{" in query)
            roots = {root: variables.get("filter")}
        self.asked += list(roots.items())
        start, size = offset_of(variables.get("after")), variables["first"]
        data = {}
        for root, filter_ in roots.items():
            found = [row for row in self.rows[root] if _passes(row, filter_)]
            shown = found[start : start + size]
            data[root] = page_of(shown, start=start, has_next=len(found) > start + size)
        return answer({"data": data})


def _passes(row: Mapping[str, Any], filter_: Mapping[str, Any] | None) -> bool:
    for name, condition in (filter_ or {}).items():
        value = row["goods_out"]["id"] if name == "goods_out_id" else row[name]
        if str(value) not in condition["in"]:
            return False
    return True


def head(number: int, reference: str, *, status: str = "PENDING", account: str = "ACME") -> dict[str, Any]:
    return {
        "id": str(number),
        "reference": reference,
        "priority": None,
        "expected_date_of_dispatch": "2026-03-11",
        "goods_out_status": {"code": status},
        "account": {"code": account},
        "warehouse": {"code": "LDS"},
        "carrier": None,
    }


def line(number: int, owner: int, reference: str, code: str, ordered: object, **more: object) -> dict[str, Any]:
    return {
        "id": str(number),
        "order_quantity": ordered,
        "allocated_quantity": 0,
        "pick_quantity": 0,
        "dispatch_quantity": 0,
        "short_status": "",
        "product": {"code": code},
        "goods_out": {"id": str(owner), "reference": reference},
        **more,
    }


def warehouse(
    transport: Any, clock: VirtualClock | None = None, *, gather_seconds: float = 0, **changes: Any
) -> ClarusWarehouse:
    return ClarusWarehouse(settings(**changes), transport, clock or VirtualClock(START), gather_seconds=gather_seconds)


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in one step, without an event loop; fail when it suspends."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    coroutine.close()
    raise AssertionError("the coroutine waited for something")


def content(**changes: Any) -> Content:
    values: dict[str, Any] = {
        "account": "ACME",
        "warehouse": "LDS",
        "lines": (
            ContentLine(line_id="71", product_code="MUG", units=2, sku="mug-blue"),
            ContentLine(line_id="72", product_code="CAP", units=1),
        ),
        "address": Address(
            name="Ada Byron",
            company="Engines Ltd",
            line1="1 High Street",
            city="Leeds",
            postcode="LS1 1AA",
            country="GB",
            email="ada@example.com",
            phone="+441130000000",
        ),
        "carrier": "DPD",
        "service": "NEXT",
        "priority": 5,
        "notes": (("packing_notes", "Gift"), ("string1", "VIP")),
        **changes,
    }
    return Content(**values)


def create(**changes: Any) -> CreateGoodsOut:
    values: dict[str, Any] = {
        "reference": "1031-1",
        "order_id": "5500011",
        "number": 1,
        "fulfilment_order_id": "6600022",
        "group": "",
        "generation": 1,
        "content": content(),
        "expected_despatch_at": datetime(2026, 3, 10, 16, 0, tzinfo=UTC),
        "ordered_at": datetime(2026, 3, 9, 18, 0, tzinfo=UTC),
        **changes,
    }
    return CreateGoodsOut(**values)


def recall(clarus_id: str = "3301") -> RecallGoodsOut:
    return RecallGoodsOut(reference="1031-1", account="ACME", clarus_id=clarus_id, because="edited")


def amend(wanted: Content, **changes: Any) -> AmendGoodsOut:
    values: dict[str, Any] = {
        "reference": "1031-1",
        "clarus_id": "3301",
        "content": wanted,
        "previous": content(),
        "line_ids": (("MUG", "60781"), ("CAP", "60782")),
        **changes,
    }
    return AmendGoodsOut(**values)


class TwinTransport:
    """Hands requests to the twin in the same thread; `broken` may answer or raise in its place."""

    def __init__(self, twin: ClarusTwin) -> None:
        self.twin = twin
        self.requests: list[HttpRequest] = []
        self.before: Callable[[HttpRequest], None] = lambda request: None
        self.after: Callable[[HttpRequest, HttpResponse], HttpResponse] = lambda request, response: response

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        self.before(request)
        return self.after(request, self.twin.handle(request))


def make_twin(clock: VirtualClock, **knobs: Any) -> ClarusTwin:
    """The tenant of `Catalogue`, with a hundred of each product on the shelf."""
    twin = ClarusTwin(
        clock=clock,
        rng=random.Random(7),
        subdomain="acme-warehouse",
        client_id="client",
        client_secret="secret",
        knobs=ClarusKnobs(**knobs),
    )
    account, place = twin.add_account("ACME"), twin.add_warehouse("LDS")
    twin.link(account, place)
    twin.add_service(twin.add_carrier("DPD", "DPD UK"), "NEXT")
    for code in ("MUG", "CAP"):
        twin.add_product(code)
        twin.set_stock(code, 100, account_id=account, warehouse_id=place)
    return twin
