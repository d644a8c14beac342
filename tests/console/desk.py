"""A whole desk: real database, real application, a few orders as real decisions left them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from pydantic import SecretStr

import cast
from api.serving import serve
from pickgate.api.app import PickgateApp, create_app
from pickgate.api.intake import ClarusDoor, ShopifyDoor
from pickgate.api.parts import AppParts
from pickgate.api.tokens import find_actor, hash_secret, make_token
from pickgate.clock import VirtualClock
from pickgate.connectors.shopify.webhooks import parse_headers, verify_signature
from pickgate.crypto import Sealer
from pickgate.domain.decision import Decision
from pickgate.domain.policy import Policy
from pickgate.domain.shop import ShopOrder
from pickgate.domain.stock_policy import StockPolicy
from pickgate.domain.warehouse import GoodsOut, Stage
from pickgate.flows.money_reports import MoneyReports
from pickgate.flows.ports import InboxItem, InboxVerdict, ProductAnswer
from pickgate.flows.stock import StockFlows
from pickgate.mcp.server import McpServer
from pickgate.operations.passwords import hash_password
from pickgate.operations.roles import Role
from pickgate.operations.rulebook_desk import RulebookDesk, WarehouseCodes
from pickgate.operations.stock_ports import StockCounter
from pickgate.settings import ClarusSettings, Settings, ShopSettings
from pickgate.store.access import Access
from pickgate.store.connection import Session, StoreUnavailable
from pickgate.store.money import MoneyRows
from pickgate.store.operators import OperatorActions, record_audit
from pickgate.store.postgres import PostgresStore
from pickgate.store.reads import Reads
from pickgate.store.rulebooks import RulebookRows
from pickgate.store.stock import PostgresStock
from stock_world import World, WorldRules

NOON = cast.NOON
PASSWORD = "correct horse battery staple"
HOSTILE = '<script>document.title="owned"</script><img src=x onerror=alert(1)> "\'& \u202etxt.exe שלום ' + "long" * 40
_HASH = hash_password(PASSWORD)


@dataclass(slots=True)
class Desk:
    """`woken`: the looks that people asked for. `tokens`: an API token of each role, and `uk-only`."""

    store: PostgresStore
    parts: AppParts
    access: Access
    clock: VirtualClock
    app: PickgateApp
    tokens: dict[str, str] = field(default_factory=dict)
    woken: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""
    world: World = field(default_factory=World)  # where stock lies

    async def keep(
        self, order: ShopOrder, decision: Decision, *, goods_outs: tuple[GoodsOut, ...] = (), shop: str = "uk"
    ) -> int:
        """Store an order as a look leaves it; returns its Pickgate id."""
        now = self.clock.now()
        await self.store.wake(shop=shop, order_id=order.id, at=now, because="test")
        leases = await self.store.claim(worker="w1", now=now, lease_seconds=30, limit=100)
        lease = next(lease for lease in leases if (lease.shop, lease.order_id) == (shop, order.id))
        await self.store.record_decision(
            lease, decision=decision, order=order, goods_outs=goods_outs, read_at=now, now=now, rulebook_version=1
        )
        await self.store.end_look(lease, next_look_at=decision.next_look_at, failed=None, now=now)
        return lease.order

    async def keep_waiting(self, name: str = "#1031", order_id: str = "5031", *, shop: str = "uk", **more: Any) -> int:
        """An order placed five minutes ago: its edit window is open."""
        placed = self.clock.now() - timedelta(minutes=5)
        order = cast.order({"A": 2, "B": 1}, name=name, id=order_id, created_at=placed, updated_at=placed, **more)
        return await self.keep(order, cast.decided(cast.facts(order), now=self.clock.now()), shop=shop)

    async def keep_late_edit(self, name: str = "#1001", order_id: str = "5001") -> int:
        """An order whose customer added a unit after the pickers had begun."""
        order = cast.order({"A": 3}, name=name, id=order_id)
        goods_out = cast.goods_out(1, {"A": 2}, stage=Stage.PICKING, picked={"A": 1}, code="PICK")
        facts = cast.facts(order, records=(cast.record(1, {"A": 2}),), goods_outs=(goods_out,))
        return await self.keep(order, cast.decided(facts), goods_outs=(goods_out,))

    async def keep_unmapped(self, name: str = "#1033", order_id: str = "5033") -> int:
        """An order with a SKU that the warehouse denies."""
        order = cast.order({"A": 1}, name=name, id=order_id)
        facts = cast.facts(order, unknown_products=frozenset({"SKU-A"}))
        return await self.keep(order, cast.decided(facts))

    async def receive(self, order_id: str, body: bytes) -> None:
        """Let a webhook come and wake an order."""
        now = self.clock.now()
        item = InboxItem(
            source="shopify", shop="uk", topic="orders/edited", event_id=f"e-{order_id}", webhook_id="w", body=body,
            received_at=now,
        )  # fmt: skip
        await self.store.record_inbox([item])
        (row,) = await self.store.claim_inbox(now=now, limit=10)
        verdict = InboxVerdict(id=row.id, verdict="hinted", wake=(("uk", order_id),))
        await self.store.settle_inbox([verdict], now=now, delay_seconds=0)


def make_parts(store: PostgresStore, clock: VirtualClock, woken: list[tuple[str, str]]) -> AppParts:
    """Fill the application's parts as bootstrap does."""

    async def wake(shop: str, order_id: str) -> None:
        woken.append((shop, order_id))

    async def replay(order: int, *, rulebook: int | None) -> Mapping[str, Any]:
        return {"differs": [], "state": "waiting", "gates": [], "decided_at": clock.now(), "rulebook": rulebook}

    async def audit(*, actor: str, action: str, subject: str, shop: str, reason: str, now: datetime) -> None:
        async def append(session: Session) -> None:
            await record_audit(session, at=now, actor=actor, action=action, subject=subject, shop=shop, reason=reason)

        await store.database.transact(append)

    return AppParts(
        clock=clock,
        reads=Reads(store.database, store.sealer),
        actions=OperatorActions(store.database),
        access=Access(store.database),
        wake=wake,
        replay=replay,
        audit=audit,
        record_inbox=store.record_inbox,
        shopify=ShopifyDoor(
            parse_headers=parse_headers,
            verify_signature=verify_signature,
            shops={"uk.myshopify.com": ("uk", ("secret",))},
        ),
        clarus=ClarusDoor(token="unguessable-token"),
        public_url="http://127.0.0.1",
        shops=("uk", "eu"),
        store_gone=(StoreUnavailable,),
        version="1.2.3",
        live_seconds=0.1,
    )


def furnish(parts: AppParts, store: PostgresStore, world: World) -> AppParts:
    """Add what only a whole installation has: a ledger, a rulebook, stock, settings, and MCP."""
    rows = PostgresStock(store.database, store)
    flows = StockFlows(
        store=rows,
        shops={"uk": world},
        warehouse=world,
        rules=lambda shop: WorldRules(),  # type: ignore[arg-type,return-value]  # only what stock asks
        policy=StockPolicy(most_changed_share=1, most_zero_share=1),
        clock=parts.clock,
        holder="w1",
        freshen=world.freshen,
    )

    async def codes() -> tuple[str, ...]:
        return ("ACME", "LEEDS")

    async def services() -> tuple[tuple[str, str], ...]:
        return (("DPD", "ND"), ("DPD", "48"))

    async def products(asked: Sequence[str]) -> ProductAnswer:
        return ProductAnswer(known=frozenset(asked))

    policies = {"uk": Policy(), "eu": Policy()}
    whole = replace(
        parts,
        money=MoneyReports(store=MoneyRows(store.database), clock=parts.clock),
        stock=StockCounter(flows=flows, rows=rows),
        rulebooks=RulebookDesk(
            versions=RulebookRows(store.database),
            orders=store,
            codes=WarehouseCodes(accounts=codes, warehouses=codes, services=services, products=products),
            policies=policies,
        ),
        settings=Settings(
            database_url="postgresql://pickgate:hunter2@db.example.com/pickgate",
            secret_key=SecretStr("k" * 32),
            shops=(
                ShopSettings(
                    key="uk", domain="uk.myshopify.com", api_base="https://uk.myshopify.com",
                    access_token=SecretStr("shpat_secret"), client_secrets=(SecretStr("old"), SecretStr("new")),
                ),
            ),
            clarus=ClarusSettings(client_secret=SecretStr("clarus-secret")),
        ),
    )  # fmt: skip
    mcp = McpServer(
        find_actor=lambda request: find_actor(whole, request),
        context=whole.context,
        secret=b"s" * 32,
        public_url=whole.public_url,
        version=whole.version,
    )
    return replace(whole, extra_mounts=[("/mcp", mcp)])


@asynccontextmanager
async def open_desk(database: str, **changes: Any) -> AsyncIterator[Desk]:
    """Open a desk on a fresh database: a user and a token for each role. `changes` replace parts."""
    store = await PostgresStore.open(database, Sealer(["k" * 32]))
    clock, woken = VirtualClock(NOON), list[tuple[str, str]]()
    world = World(clock=clock)
    parts = replace(furnish(make_parts(store, clock, woken), store, world), **changes)
    access = Access(store.database)
    desk = Desk(store, parts, access, clock, create_app(parts), woken=woken, world=world)
    for number, (name, shops) in enumerate([*((role.value, []) for role in Role), ("uk-only", ["uk"])]):
        role = "admin" if name == "uk-only" else name
        await access.create_user(name=name, password_hash=_HASH, role=role, shops=shops, by="test", now=NOON)
        token = make_token(lambda length, number=number: bytes([number]) * length)  # type: ignore[misc]
        desk.tokens[name] = token
        await access.create_token(
            name=name, token_hash=hash_secret(token), role=role, shops=shops, expires_at=NOON + timedelta(days=30),
            by="test", now=NOON,
        )  # fmt: skip
    try:
        async with serve(desk.app) as address:
            desk.address = address
            yield desk
    finally:
        await store.aclose()


class Browser:
    """A person at the console, without a browser: cookies, forms, and the headers that browsers send."""

    def __init__(self, desk: Desk, http: aiohttp.ClientSession) -> None:
        self.desk, self.http, self.csrf = desk, http, ""

    async def get(self, path: str, **headers: str) -> tuple[int, str, Mapping[str, str]]:
        asked = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.get(self.desk.address + path, headers=asked, allow_redirects=False) as answer:
            return answer.status, await answer.text(), answer.headers

    async def post(
        self, path: str, fields: Any = None, *, origin: str | None = "", **headers: str
    ) -> tuple[int, str, Mapping[str, str]]:
        """Send a form. `origin` empty: as from our own page; None: no such header."""
        asked = {name.replace("_", "-"): value for name, value in headers.items()}
        if origin is not None:
            asked["Origin"] = origin or self.desk.address
        async with self.http.post(
            self.desk.address + path, data=fields or {}, headers=asked, allow_redirects=False
        ) as answer:
            return answer.status, await answer.text(), answer.headers

    async def do(self, operation: str, **fields: str) -> tuple[int, str, Mapping[str, str]]:
        return await self.post(f"/do/{operation}", {"csrf": self.csrf} | fields, HX_Request="true")

    async def log_in(self, name: str, password: str = PASSWORD) -> int:
        status, _, _ = await self.post("/login", {"login": name, "password": password})
        _, page, _ = await self.get("/health")
        self.csrf = page.partition('name="pickgate-csrf" content="')[2].partition('"')[0]
        return status


@asynccontextmanager
async def browsing(desk: Desk, name: str | None = None) -> AsyncIterator[Browser]:
    """Open a browser, logged in as `name` when given."""
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        browser = Browser(desk, http)
        if name is not None:
            assert await browser.log_in(name) == 303
        yield browser
