"""What truly happened to every order, rebuilt from the twins' histories alone. Units count by SKU or by order line."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from pickgate.simulation.world import number
from pickgate.twins.history import HistoryEvent

T = TypeVar("T")
PICKGATE = "Pickgate"
_NOT_BEGUN = {"DRAFT", "PENDING", "ALLOCATED", "PART_ALLOCATED"}
# Holds that concern only the goods they are on; any other says that the order may still change.
_LOCAL_HOLDS = {"AWAITING_RETURN_ITEMS", "INVENTORY_OUT_OF_STOCK", "UNKNOWN_DELIVERY_DATE"}


@dataclass(slots=True)
class Timeline(Generic[T]):
    """A value that changes at known instants."""

    times: list[datetime] = field(default_factory=list)
    values: list[T] = field(default_factory=list)

    def put(self, at: datetime, value: T) -> None:
        if not self.values or self.values[-1] != value:
            self.times.append(at)
            self.values.append(value)

    def at(self, when: datetime) -> T | None:
        """The value at an instant; None before the first."""
        index = bisect_right(self.times, when) - 1
        return self.values[index] if index >= 0 else None

    def between(self, start: datetime, end: datetime) -> list[T]:
        """Every value that was current at some instant of the span."""
        return self.values[max(0, bisect_right(self.times, start) - 1) : bisect_right(self.times, end)]

    @property
    def last(self) -> T | None:
        return self.values[-1] if self.values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One fulfilment as the shop took it: units by line, tracking numbers, and who said so."""

    at: datetime
    units: Mapping[str, int]
    tracking: tuple[str, ...]
    by: str


@dataclass(slots=True)
class GoodsOutTruth:
    """One goods-out as the warehouse's history has it. Units by Shopify line id; "?" for what nobody ordered."""

    id: int
    reference: str
    fulfilment_order: str
    created_at: datetime
    contents: list[tuple[datetime, dict[str, int]]]
    made_by_hand: bool = False
    by_hand: bool = False
    deleted_by_hand: bool = False
    street: Timeline[str] = field(default_factory=Timeline)
    service: Timeline[str] = field(default_factory=Timeline)
    ended_at: datetime | None = None
    completed_at: datetime | None = None
    unconfirmed: bool = False
    begun: Timeline[bool] = field(default_factory=Timeline)
    picked: list[tuple[datetime, str, int]] = field(default_factory=list)
    left: list[tuple[datetime, str, int]] = field(default_factory=list)
    labels: list[tuple[datetime, tuple[str, ...]]] = field(default_factory=list)
    line_of: dict[int, str] = field(default_factory=dict)
    returned_before_end: bool = False
    touched_after_end: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def is_live(self) -> bool:
        return self.ended_at is None and self.completed_at is None

    def over_at(self, when: datetime) -> bool:
        """Whether nothing more of it could leave at an instant."""
        ends = [at for at in (self.ended_at, self.completed_at) if at is not None]
        return any(at <= when for at in ends)


@dataclass(slots=True)
class OrderTruth:
    """One shop order: the versions of its lines, its tags, holds and payments, and what the warehouse did for it."""

    id: str
    name: str
    last_event_at: datetime
    created_at: datetime | None = None
    app: str = ""
    method: str = "SHIPPING"
    test: bool = False
    customer: str = ""
    times: list[datetime] = field(default_factory=list)
    versions: list[dict[str, int]] = field(default_factory=list)
    sku_of: dict[str, str] = field(default_factory=dict)
    cancelled_at: datetime | None = None
    tags: Timeline[tuple[str, ...]] = field(default_factory=Timeline)
    held: Timeline[tuple[str, ...]] = field(default_factory=Timeline)
    paid: Timeline[bool] = field(default_factory=Timeline)
    cutoff: Timeline[str] = field(default_factory=Timeline)
    street: Timeline[str] = field(default_factory=Timeline)
    shipping: Timeline[str] = field(default_factory=Timeline)
    received: bool = False
    told: list[Told] = field(default_factory=list)
    fulfilments_undone: list[tuple[datetime, str]] = field(default_factory=list)
    goods_outs: list[GoodsOutTruth] = field(default_factory=list)

    @property
    def is_shipped(self) -> bool:
        """Whether a warehouse has to do with it at all."""
        return not self.test and self.method not in ("PICK_UP", "RETAIL", "LOCAL", "NONE")

    def version_at(self, at: datetime) -> dict[str, int]:
        index = bisect_right(self.times, at) - 1
        return self.versions[index] if index >= 0 else {}

    def versions_between(self, start: datetime, end: datetime) -> list[dict[str, int]]:
        """Every version that was current at some instant of the span."""
        first = max(0, bisect_right(self.times, start) - 1)
        return self.versions[first : bisect_right(self.times, end)]

    def by_sku(self, units: Mapping[str, int]) -> dict[str, int]:
        """Units by line as units by SKU; what nobody ordered is left out."""
        total: dict[str, int] = defaultdict(int)
        for line_id, count in units.items():
            if line_id in self.sku_of and count:
                total[self.sku_of[line_id]] += count
        return dict(total)

    def wanted_at(self, at: datetime) -> dict[str, int]:
        """Units by SKU that the order holds at an instant; nothing once it is cancelled."""
        if self.cancelled_at is not None and self.cancelled_at <= at:
            return {}
        return self.by_sku(self.version_at(at))

    def most_ever(self) -> dict[str, int]:
        """The most units of each SKU that the order held at any one instant."""
        most: dict[str, int] = defaultdict(int)
        for version in self.versions:
            for sku, units in self.by_sku(version).items():
                most[sku] = max(most[sku], units)
        return dict(most)

    def left_by(self, at: datetime | None = None) -> dict[str, int]:
        """Units by SKU that have left the building by an instant (None: ever)."""
        total: dict[str, int] = defaultdict(int)
        for goods_out in self.goods_outs:
            for when, line_id, units in goods_out.left:
                if at is None or when <= at:
                    total[line_id] += units
        return self.by_sku(total)

    def told_by(self, at: datetime | None = None, *, who: str | None = None) -> dict[str, int]:
        """Units by SKU that the shop was told of by an instant, by anybody or by one app."""
        total: dict[str, int] = defaultdict(int)
        for told in self.told:
            if (at is None or told.at <= at) and who in (None, told.by):
                for line_id, units in told.units.items():
                    total[line_id] += units
        return self.by_sku(total)


def read_truth(shop: Iterable[HistoryEvent], warehouse: Iterable[HistoryEvent]) -> dict[str, OrderTruth]:
    """Rebuild every order from the two histories. Keys are the shop's numeric order ids."""
    orders: dict[str, OrderTruth] = {}
    for event in shop:
        if "name" in event.detail and "lines" in event.detail:
            _read_shop(event, orders)
    by_id: dict[int, tuple[OrderTruth, GoodsOutTruth]] = {}
    for event in warehouse:
        _read_warehouse(event, orders, by_id)
    return orders


def _read_shop(event: HistoryEvent, orders: dict[str, OrderTruth]) -> None:
    detail, order_id = event.detail, number(event.subject)
    truth = orders.setdefault(order_id, OrderTruth(id=order_id, name=detail["name"], last_event_at=event.at))
    truth.last_event_at = event.at
    version: dict[str, int] = {}
    for line in detail["lines"]:
        line_id = number(line["id"])
        truth.sku_of.setdefault(line_id, str(line["sku"]))
        version[line_id] = int(line["current_quantity"])
    if not truth.versions or truth.versions[-1] != version:
        truth.times.append(event.at)
        truth.versions.append(version)
    match event.kind:
        case "order_created":
            truth.created_at, truth.app, truth.test = event.at, detail["app"], detail["test"]
            truth.method, truth.customer = detail["delivery_method"], detail["customer_id"]
            truth.tags.put(event.at, tuple(detail["tags"]))
            truth.received = detail["financial_status"] == "PAID"
            truth.paid.put(event.at, value=truth.received)
        case "order_cancelled":
            truth.cancelled_at = event.at
        case "address_changed" if "address1" in detail["changes"]:
            truth.street.put(event.at, detail["changes"]["address1"])
        case "tags_changed":
            truth.tags.put(event.at, tuple(detail["tags"]))
        case "metafield_set" if detail["key"] == "editing_cutoff_date":
            truth.cutoff.put(event.at, detail["value"])
        case "hold_placed" if detail["by"] != PICKGATE and detail["reason"] not in _LOCAL_HOLDS:
            truth.held.put(event.at, (*(truth.held.last or ()), detail["hold_id"]))
        case "hold_released":
            truth.held.put(event.at, tuple(h for h in truth.held.last or () if h != detail["hold_id"]))
        case "payment":
            truth.received = truth.received or detail["transaction"] in ("SALE", "CAPTURE")
            truth.paid.put(event.at, value=detail["financial_status"] == "PAID")
        case "order_edited":
            owed = not detail["outstanding"].startswith(("-", "0.00"))
            truth.paid.put(event.at, value=truth.received and not owed)
            if detail["shipping"]:
                truth.shipping.put(event.at, detail["shipping"][0])
        case "fulfillment_created":
            units: dict[str, int] = defaultdict(int)
            for line_id, count in detail["fulfilled"]:
                units[number(line_id)] += int(count)
            truth.told.append(Told(at=event.at, units=units, tracking=tuple(detail["tracking"]), by=detail["by"]))
        case "fulfillment_cancelled":
            truth.fulfilments_undone.append((event.at, detail["by"]))


def _read_warehouse(
    event: HistoryEvent, orders: Mapping[str, OrderTruth], by_id: dict[int, tuple[OrderTruth, GoodsOutTruth]]
) -> None:
    detail = event.detail
    if event.kind == "goods_out_created":
        content = detail["content"]
        order = orders.get(str(content["attributes"].get("external_system_reference1", "")))
        if order is None:
            return
        made = GoodsOutTruth(
            id=detail["goods_out_id"],
            reference=detail["reference"],
            fulfilment_order=str(content["attributes"].get("external_system_reference2", "")),
            created_at=event.at,
            contents=[(event.at, _units(content["lines"]))],
            made_by_hand=detail["by"] == "hand",
            line_of=_lines(content["lines"]),
        )
        made.street.put(event.at, str(content["address"].get("address_1", "")))
        made.service.put(event.at, str(content["service"]))
        order.goods_outs.append(made)
        by_id[made.id] = (order, made)
        return
    pair = by_id.get(detail.get("goods_out_id", -1))
    if pair is not None:
        pair[0].last_event_at = max(pair[0].last_event_at, event.at)
        _read_goods_out(event, pair[1])


def _read_goods_out(event: HistoryEvent, goods_out: GoodsOutTruth) -> None:
    detail = event.detail
    match event.kind:
        case "goods_out_amended":
            goods_out.line_of.update(_lines(detail["after"]["lines"]))
            if detail.get("by") not in ("api", "rest", None):
                goods_out.by_hand = True
            elif goods_out.over_at(event.at):
                goods_out.touched_after_end.append((event.at, "amended"))
            goods_out.contents.append((event.at, _units(detail["after"]["lines"])))
            goods_out.street.put(event.at, str(detail["after"]["address"].get("address_1", "")))
            goods_out.service.put(event.at, str(detail["after"]["service"]))
        case "goods_out_deleted" | "goods_out_cancelled":
            goods_out.ended_at = event.at
            if detail.get("by") == "hand":
                goods_out.by_hand = goods_out.deleted_by_hand = True
        case "line_picked":
            line_id = goods_out.line_of.get(detail["line_id"], "?")
            goods_out.begun.put(event.at, value=True)
            goods_out.picked.append((event.at, line_id, int(detail["units"])))
        case "dispatched" | "dispatch_unconfirmed":
            sign = 1 if event.kind == "dispatched" else -1
            goods_out.unconfirmed = goods_out.unconfirmed or sign < 0
            for entry in detail["lines"]:
                line_id = goods_out.line_of.get(entry["line_id"], "?")
                goods_out.left.append((event.at, line_id, sign * int(entry["units"])))
        case "units_put_back" | "pick_list_cancelled":
            goods_out.returned_before_end = goods_out.ended_at is None or goods_out.returned_before_end
        case "shipment_submitted":
            goods_out.labels.append((event.at, tuple(detail["tracking"])))
        case "status_changed":
            if detail["after"] == "COMPLETED":
                goods_out.completed_at = event.at
            elif detail["before"] == "COMPLETED":
                goods_out.completed_at = None
            if detail["after"] != "CANCELLED":
                goods_out.begun.put(event.at, value=detail["after"] not in _NOT_BEGUN)


def _lines(lines: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    return {line["line_id"]: str(line["attributes"].get("external_system_reference1") or "?") for line in lines}


def _units(lines: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    units: dict[str, int] = defaultdict(int)
    for line in lines:
        units[str(line["attributes"].get("external_system_reference1") or "?")] += int(line["quantity"])
    return dict(units)
