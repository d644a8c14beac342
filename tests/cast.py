"""The cast: short builders of plain values, so that a test shows only what matters to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pickgate.domain.decide import decide
from pickgate.domain.decision import Decision
from pickgate.domain.facts import Facts, GoodsOutRecord, Kin, Records, RecordState
from pickgate.domain.money import Money
from pickgate.domain.policy import Policy
from pickgate.domain.rules import Found, Ignored, NotListed, Place, Product, RuleRow, Service
from pickgate.domain.shop import (
    Address,
    Fulfilment,
    FulfilmentOrder,
    FulfilmentOrderLine,
    FulfilmentOrderStatus,
    Line,
    ShopHold,
    ShopOrder,
    Totals,
)
from pickgate.domain.warehouse import Content, ContentLine, GoodsOut, GoodsOutLine, Parcel, Stage

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LONG_AGO = NOON - timedelta(hours=3)
ADDRESS = Address(
    name="Ada Byron", line1="12 Mill Lane", city="Leeds", postcode="LS1 1AA", country="GB", email="ada@example.com"
)


def line(line_id: str = "A", units: int = 1, *, ordered: int | None = None, sku: str | None = "", **more: Any) -> Line:
    sku = f"SKU-{line_id}" if sku == "" else sku
    return Line(
        id=line_id, title=f"Thing {line_id}", sku=sku, ordered=ordered if ordered is not None else units,
        current=units, **more,
    )  # fmt: skip


def fulfilment_order(
    fo_id: str = "F1",
    shares: Mapping[str, int] | None = None,
    *,
    status: FulfilmentOrderStatus = FulfilmentOrderStatus.OPEN,
    location: str = "L1",
    holds: tuple[ShopHold, ...] = (),
    **more: Any,
) -> FulfilmentOrder:
    lines = tuple(
        FulfilmentOrderLine(id=f"{fo_id}.{line_id}", line_id=line_id, remaining=units, total=units)
        for line_id, units in (shares or {"A": 1}).items()
    )
    return FulfilmentOrder(
        id=fo_id, status=status, location_id=location, location_name=f"Location {location}", lines=lines, holds=holds,
        **more,
    )  # fmt: skip


def gbp(minor: int) -> Money:
    return Money(minor, "GBP")


def totals(outstanding: int = 0, received: int = 2000, refunded: int = 0) -> Totals:
    return Totals(
        current=gbp(2000), outstanding=gbp(outstanding), received=gbp(received), refunded=gbp(refunded),
        tax=gbp(333), shipping=gbp(395),
    )  # fmt: skip


def order(
    units: Mapping[str, int] | None = None,
    *,
    name: str = "#1001",
    fulfilment_orders: tuple[FulfilmentOrder, ...] | None = None,
    **more: Any,
) -> ShopOrder:
    """An ordinary paid order, older than every window, of one line A × 1 unless told otherwise."""
    units = units if units is not None else {"A": 1}
    values: dict[str, Any] = {
        "id": "5001",
        "name": name,
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
        "financial_status": "PAID",
        "lines": tuple(line(line_id, count) for line_id, count in units.items()),
        "fulfilment_orders": fulfilment_orders
        if fulfilment_orders is not None
        else (fulfilment_order("F1", {k: n for k, n in units.items() if n}),),
        "totals": totals(),
        "currency": "GBP",
        "address": ADDRESS,
        "shipping_title": "Standard",
        "customer_id": "C1",
        "app_name": "Online Store",
    }
    return ShopOrder(**{**values, **more})


def content(units: Mapping[str, int] | None = None, **more: Any) -> Content:
    units = units if units is not None else {"A": 1}
    values: dict[str, Any] = {
        "account": "ACME",
        "warehouse": "LEEDS",
        "lines": tuple(
            ContentLine(line_id=k, product_code=f"SKU-{k}", units=n, sku=f"SKU-{k}") for k, n in units.items()
        ),
        "address": ADDRESS,
        "carrier": "DPD",
        "service": "ND",
    }
    return Content(**{**values, **more})


def record(
    number: int = 1,
    units: Mapping[str, int] | None = None,
    *,
    state: RecordState = RecordState.LIVE,
    fo: str = "F1",
    generation: int = 1,
    **more: Any,
) -> GoodsOutRecord:
    values: dict[str, Any] = {
        "reference": f"1001-{number}",
        "number": number,
        "fulfilment_order_id": fo,
        "group": "",
        "generation": generation,
        "content": content(units),
        "state": state,
        "clarus_id": str(300 + number),
        "verified": True,
        "stage_code": "PENDING",
        "created_at": NOON - timedelta(hours=1),
    }
    return GoodsOutRecord(**{**values, **more})


def goods_out(
    number: int = 1,
    units: Mapping[str, int] | None = None,
    *,
    stage: Stage = Stage.PENDING,
    picked: Mapping[str, int] | None = None,
    despatched: Mapping[str, int] | None = None,
    clarus_id: str | None = None,
    code: str | None = None,
) -> GoodsOut:
    units = units if units is not None else {"A": 1}
    return GoodsOut(
        id=clarus_id or str(300 + number),
        reference=f"1001-{number}",
        stage=stage,
        status_code=code or stage.value.upper(),
        lines=tuple(
            GoodsOutLine(
                id=f"{number}{k}", product_code=f"SKU-{k}", ordered=n, picked=(picked or {}).get(k, 0),
                despatched=(despatched or {}).get(k, 0),
            )
            for k, n in units.items()
        ),
        account="ACME",
        warehouse="LEEDS",
    )  # fmt: skip


class PlainRules:
    """A small rulebook in code: L1 → Leeds, L2 → Hull, "Standard" → DPD/ND, every SKU as itself. No row is missing
    unless it is left out by the test."""

    version = 1

    def __init__(
        self,
        *,
        places: Mapping[str, Place] | None = None,
        services: Mapping[str, tuple[str, str]] | None = None,
        products: Mapping[str, tuple[Product, ...]] | None = None,
        ignored_skus: frozenset[str] = frozenset(),
        groups: Mapping[str, str] | None = None,
        notes: Mapping[str, str] | None = None,
        hold_reason: str | None = None,
    ) -> None:
        self._places = places or {
            "L1": Place(account="ACME", warehouse="LEEDS"),
            "L2": Place(account="ACME", warehouse="HULL"),
        }
        self._services = services if services is not None else {"Standard": ("DPD", "ND")}
        self._products = products or {}
        self._ignored = ignored_skus
        self._groups = groups or {}
        self._notes = notes or {}
        self._hold = hold_reason

    def _row(self, table: str) -> RuleRow:
        return RuleRow(table=table, row=1, version=self.version)

    def place(self, *, shop: str, location_id: str, location_name: str) -> Found[Place] | Ignored | NotListed:
        if location_id == "IGNORED":
            return Ignored(self._row("locations"))
        place = self._places.get(location_id)
        return Found(place, self._row("locations")) if place else NotListed("locations", f"location {location_name}")

    def service(self, *, shop: str, shipping_title: str, country: str, warehouse: str) -> Found[Service] | NotListed:
        pair = self._services.get(shipping_title)
        if pair is None:
            return NotListed("services", f"shipping method {shipping_title!r}")
        return Found(Service(carrier=pair[0], service=pair[1]), self._row("services"))

    def priority(self, *, shop: str, tags: tuple[str, ...], shipping_title: str, country: str) -> Found[int] | None:
        return None

    def products(self, *, shop: str, sku: str) -> Found[tuple[Product, ...]] | Ignored | NotListed:
        if sku in self._ignored:
            return Ignored(self._row("skus"))
        return Found(self._products.get(sku, (Product(code=sku),)), self._row("skus"))

    def note_field(self, *, shop: str, attribute: str) -> Found[str] | None:
        field = self._notes.get(attribute)
        return Found(field, self._row("notes")) if field else None

    def group(self, *, shop: str, sku: str, tags: tuple[str, ...]) -> Found[str] | None:
        group = self._groups.get(sku)
        return Found(group, self._row("splits")) if group else None

    def hold(self, *, shop: str, tags: tuple[str, ...], country: str, total: Decimal) -> Found[str] | None:
        return Found(self._hold, self._row("holds")) if self._hold else None

    def address_problem(self, address: Address) -> tuple[str, str] | None:
        return None


def facts(
    shop_order: ShopOrder | None = None,
    *,
    records: tuple[GoodsOutRecord, ...] = (),
    goods_outs: tuple[GoodsOut, ...] = (),
    kin: tuple[Kin, ...] = (),
    parcels: Mapping[str, tuple[Parcel, ...]] | None = None,
    read_at: datetime = NOON,
    known: frozenset[str] | None = None,
    unknown_products: frozenset[str] = frozenset(),
    **memory: Any,
) -> Facts:
    shop_order = shop_order or order()
    skus = frozenset(line.sku for line in shop_order.lines if line.sku)
    return Facts(
        shop="uk",
        order_id=shop_order.id,
        order=shop_order,
        goods_outs=goods_outs,
        records=Records(first_seen_at=LONG_AGO, goods_outs=records, **memory),
        read_at=read_at,
        known_products=known if known is not None else skus - unknown_products,
        unknown_products=unknown_products,
        kin=kin,
        parcels=parcels or {},
    )


def fulfilment(units: Mapping[str, int], *, tracking: tuple[str, ...] = (), fid: str = "FF1") -> Fulfilment:
    return Fulfilment(id=fid, lines=tuple(units.items()), tracking_numbers=tracking)


def decided(
    some_facts: Facts, *, policy: Policy | None = None, rules: PlainRules | None = None, now: datetime = NOON
) -> Decision:
    return decide(some_facts, rules or PlainRules(), policy or Policy(), now=now)


def spoken(decision: Decision) -> list[str]:
    """The decision's commands in one word each, such as "create 1001-1 A1 B2"."""
    words = []
    for command in decision.commands:
        kind, _, _ = command.key.partition(":")
        target = getattr(command, "reference", getattr(command, "fulfilment_order_id", ""))
        units = ""
        if hasattr(command, "content"):
            units = " ".join(f"{n.line_id}{n.units}" for n in command.content.lines)
        elif hasattr(command, "lines"):
            units = " ".join(f"{n.line_id}{n.units}" for n in command.lines)
        words.append(" ".join(part for part in (kind.removesuffix("_goods_out"), target, units) if part))
    return words


def codes(decision: Decision) -> list[str]:
    return sorted(finding.code for finding in decision.findings)


def closed(decision: Decision) -> list[str]:
    return sorted({gate.code for gate in decision.gates})
