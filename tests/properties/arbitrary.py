"""Arbitrary, but consistent, facts about one order: what Hypothesis draws the laws' examples from.

Line B is sold in pairs (two product units in one shop unit), so that units of the shop and of the warehouse differ.
Address values are canaries: they must never come back in words that everybody may read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from cast import LONG_AGO, NOON, PlainRules, line, record, totals
from cast import facts as plain_facts
from cast import order as plain_order
from pickgate.domain.decide import decide
from pickgate.domain.decision import Decision
from pickgate.domain.facts import (
    Approval,
    CancelRequest,
    Facts,
    GoodsOutRecord,
    Kin,
    KinFate,
    OperatorHold,
    RecordState,
    RefusedEffect,
    UnknownEffect,
)
from pickgate.domain.policy import Policy, WindowPolicy
from pickgate.domain.rules import Product
from pickgate.domain.shop import (
    Address,
    DeliveryMethod,
    Fulfilment,
    FulfilmentOrder,
    FulfilmentOrderLine,
    FulfilmentOrderStatus,
    Line,
    ShopHold,
    ShopOrder,
)
from pickgate.domain.warehouse import Content, ContentLine, GoodsOut, GoodsOutLine, Parcel, Part, Stage

# A fixed sample by default: the same examples every time. More, and new ones each time: PICKGATE_EXAMPLES=5000.
_MORE = int(os.environ.get("PICKGATE_EXAMPLES", "0"))
EXAMPLES = settings(
    max_examples=_MORE or 60,
    derandomize=not _MORE,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

LINES = ("A", "B", "C")
PER_UNIT = {"A": 1, "B": 2, "C": 1}
CANARIES = ("Zelda Quux", "77 Canary Row", "Floor Canary", "Canarytown", "CN9 9RY", "canary@example.com", "+4400canary")
HOME = Address(
    name=CANARIES[0], line1=CANARIES[1], line2=CANARIES[2], city=CANARIES[3], postcode=CANARIES[4], country="GB",
    email=CANARIES[5], phone=CANARIES[6],
)  # fmt: skip
MOVED = Address(name=CANARIES[0], line1=CANARIES[1] + "!", city=CANARIES[3], postcode=CANARIES[4], country="GB")
UNUSABLE = Address(name=CANARIES[0], line1=CANARIES[1], city=CANARIES[3], country="Canaryland")
RULES = PlainRules(
    products={"SKU-B": (Product(code="SKU-B", units=2),)},
    ignored_skus=frozenset({"SKU-IGNORED"}),
    notes={"note": "order_notes"},
)

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[T]], T]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One example: the facts and the policy that they are decided under."""

    facts: Facts
    policy: Policy

    @property
    def order(self) -> ShopOrder:
        assert isinstance(self.facts.order, ShopOrder)
        return self.facts.order

    @property
    def goods_outs(self) -> tuple[GoodsOut, ...]:
        assert isinstance(self.facts.goods_outs, tuple)
        return self.facts.goods_outs

    def decided(self) -> Decision:
        return decide(self.facts, RULES, self.policy, now=NOON)


def mostly(value: T, *others: T) -> st.SearchStrategy[T]:
    """Draw `value` about two times in three, so that an example has few peculiarities at once."""
    return st.sampled_from([value] * (2 * len(others)) + list(others))


def policies() -> st.SearchStrategy[Policy]:
    return st.builds(
        Policy,
        amend=st.sampled_from([frozenset(), frozenset(Part), frozenset({Part.ADDRESS})]),
        cancel_while_picking=st.booleans(),
        window=st.builds(
            WindowPolicy, hold_tags=st.just(("HOLD",)), place_shop_hold=st.booleans(), release_tags=mostly((), ("GO",))
        ),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw an order in any condition, with goods-outs and records in any condition."""
    ids = draw(st.sampled_from([("A",), ("A", "B"), LINES]))
    goods_outs: list[GoodsOut] = []
    records: list[GoodsOutRecord] = []
    for number in range(1, draw(st.integers(0, 3)) + 1):
        kept = _record(draw, number, ids)
        records.append(kept)
        goods_outs += _seen(draw, kept)
    told: dict[str, int] = {}
    for kept in records:
        for line_id, units in kept.told:
            told[line_id] = told.get(line_id, 0) + units
    fulfilled = {line_id: told.get(line_id, 0) + draw(mostly(0, 1)) for line_id in ids}
    open_units = {line_id: draw(st.integers(0, 3)) for line_id in ids}
    returned = {line_id: draw(mostly(0, fulfilled[line_id])) for line_id in ids}
    lines = tuple(_line(draw, k, open_units[k] + fulfilled[k], returned[k]) for k in ids)
    cancelled = draw(mostly(None, NOON - timedelta(minutes=5)))
    shown = {k: 0 if cancelled else open_units[k] for k in ids}
    order = plain_order(
        name=draw(mostly("#1001", "#1001A")),
        fulfilment_orders=_fulfilment_orders(draw, shown),
        lines=lines,
        fulfilments=(Fulfilment(id="FF0", lines=tuple((k, n) for k, n in fulfilled.items() if n)),),
        address=draw(mostly(HOME, MOVED, UNUSABLE)),
        note=draw(mostly("", "Ring twice")),
        tags=draw(mostly((), ("HOLD",), ("Edit Order",), ("pickgate-locked",), ("GO",))),
        shipping_title=draw(mostly("Standard", "Rocket")),
        financial_status=draw(mostly("PAID", "PENDING")),
        totals=totals(draw(mostly(0, 500)), refunded=draw(mostly(0, 2001))),
        edited=draw(st.booleans()),
        confirmed=draw(mostly(True, False)),
        cancelled_at=cancelled,
        created_at=draw(mostly(LONG_AGO, NOON - timedelta(minutes=1))),
        lock_value=draw(mostly(None, "locked", "open")),
        test=draw(mostly(False, True)),
    )
    facts = plain_facts(
        order,
        records=tuple(records),
        goods_outs=tuple(draw(st.permutations(goods_outs))),
        kin=tuple(draw(st.lists(_kin(), max_size=2, unique_by=lambda kin: kin.id))),
        parcels={g.id: (Parcel(tracking_number=f"T{g.id}"),) for g in goods_outs if draw(st.booleans())},
        unknown_products=draw(mostly(frozenset(), frozenset({"SKU-A"}))),
        known=draw(mostly(frozenset({"SKU-A", "SKU-B", "SKU-C"}), frozenset())),
        **_memory(draw, records),
    )
    policy = draw(policies())
    if draw(st.booleans()):
        yes = Approval(by="olga", reason="go", at=NOON, fingerprint=decide(facts, RULES, policy, now=NOON).fingerprint)
        facts = with_memory(facts, approval=yes)
    return Case(facts=facts, policy=policy)


def with_memory(facts: Facts, **changes: Any) -> Facts:
    return replace(facts, records=replace(facts.records, **changes))


def _line(draw: st.DrawFn, line_id: str, units: int, returned: int) -> Line:
    removed = draw(mostly(0, 1, 2))
    sku = draw(mostly(f"SKU-{line_id}", f"SKU-{line_id}", "SKU-IGNORED", None))
    return line(
        line_id, units - returned, ordered=units + removed, sku=sku, requires_shipping=draw(mostly(True, False))
    )


def _fulfilment_orders(draw: st.DrawFn, units: Mapping[str, int]) -> tuple[FulfilmentOrder, ...]:
    count = draw(st.integers(0, 3))
    shares: list[dict[str, int]] = [{} for _ in range(count)]
    for line_id, whole in units.items():
        left = whole
        for share in shares:
            share[line_id] = draw(st.integers(0, left))
            left -= share[line_id]
    closed = FulfilmentOrderStatus.CLOSED
    return tuple(
        FulfilmentOrder(
            id=f"F{i}",
            status=draw(mostly(FulfilmentOrderStatus.OPEN, *FulfilmentOrderStatus)) if any(share.values()) else closed,
            location_id=(location := draw(mostly("L1", "L2", "L9", "IGNORED"))),
            location_name=f"Location {location}",
            lines=tuple(FulfilmentOrderLine(id=f"F{i}.{k}", line_id=k, remaining=n, total=n) for k, n in share.items()),
            method=draw(mostly(DeliveryMethod.SHIPPING, DeliveryMethod.SHIPPING, *DeliveryMethod)),
            holds=draw(mostly((), (_hold("OTHER"),), (_hold("AWAITING_RETURN_ITEMS"),), (_hold("OTHER", ours=True),))),
        )
        for i, share in enumerate(shares, 1)
    )


def _hold(reason: str, *, ours: bool = False) -> ShopHold:
    return ShopHold(id=f"H-{reason}", reason=reason, ours=ours, handle="pickgate-window" if ours else "x")


def _record(draw: st.DrawFn, number: int, ids: tuple[str, ...]) -> GoodsOutRecord:
    units = {k: draw(st.integers(0, 3)) for k in ids}
    units = {k: n for k, n in units.items() if n} or {ids[0]: 1}
    lines = tuple(
        ContentLine(line_id=k, product_code=f"SKU-{k}", units=n * PER_UNIT[k], sku=f"SKU-{k}", per_unit=PER_UNIT[k])
        for k, n in units.items()
    )
    content = Content(
        account="ACME",
        warehouse=draw(mostly("LEEDS", "HULL")),
        lines=lines,
        address=draw(mostly(HOME, MOVED)),
        carrier="DPD",
        service="ND",
    )
    state = draw(mostly(RecordState.LIVE, *RecordState))
    left = {k: draw(st.integers(0, n)) for k, n in units.items()} if state is RecordState.FINISHED else {}
    return record(
        number,
        state=state,
        fo=draw(st.sampled_from(["F1", "F2", "F7"])),
        content=content,
        clarus_id=draw(mostly(str(300 + number), None)) if state in _NAMELESS else str(300 + number),
        verified=draw(st.booleans()),
        amend_refused=draw(mostly(False, True)),
        recall_refused=draw(mostly(None, "picking has begun")),
        recall_asked_at=NOON - draw(mostly(timedelta(seconds=30), timedelta(minutes=10))),
        stage_code=draw(mostly("PENDING", "")),
        created_at=NOON - draw(mostly(timedelta(hours=1), timedelta(seconds=5))),
        told=tuple((k, n) for k, n in left.items() if n),
    )


_NAMELESS = (RecordState.CREATING, RecordState.REFUSED)
_MOVING = (Stage.PICKING, Stage.PART, Stage.COMPLETED, Stage.UNRECOGNISED)


def _seen(draw: st.DrawFn, kept: GoodsOutRecord) -> list[GoodsOut]:
    if draw(mostly(False, True)):
        return []
    seen = [_goods_out(draw, kept, kept.clarus_id or str(300 + kept.number))]
    return [*seen, _goods_out(draw, kept, "999")] if draw(mostly(False, False, True)) else seen


def _goods_out(draw: st.DrawFn, kept: GoodsOutRecord, clarus_id: str) -> GoodsOut:
    stage = draw(
        mostly(Stage.PENDING, Stage.PART, Stage.COMPLETED, *Stage) if kept.number % 2 else st.sampled_from(Stage)
    )
    told = dict(kept.told)
    lines = []
    for n in kept.content.lines:
        ordered = max(0, n.units + draw(mostly(0, 1, -1)))
        floor = told.get(n.line_id, 0) * n.per_unit
        picked = draw(st.integers(0, ordered)) if stage in _MOVING else 0
        gone = draw(st.integers(0, picked)) if stage in (Stage.PART, Stage.COMPLETED) else 0
        lines.append(
            GoodsOutLine(
                id=f"{clarus_id}{n.line_id}",
                product_code=n.product_code,
                ordered=ordered,
                picked=max(picked, floor),
                despatched=max(gone, floor),
            )
        )
    return GoodsOut(
        id=clarus_id, reference=kept.reference, stage=stage, status_code=stage.value.upper(), lines=tuple(lines)
    )


def _kin() -> st.SearchStrategy[Kin]:
    return st.builds(
        Kin,
        id=st.sampled_from(["4001", "4002"]),
        name=st.sampled_from(["#1001", "#1001A", "#1001B", "#990"]),
        created_at=st.sampled_from([LONG_AGO - timedelta(hours=1), LONG_AGO + timedelta(hours=1)]),
        cancelled_at=st.sampled_from([None, LONG_AGO]),
        customer_id=st.sampled_from(["C1", "C2", None]),
        skus=st.just(("SKU-A",)),
        fate=st.sampled_from(KinFate),
        app_name=st.sampled_from(["", "Editor"]),
        named_in_note=st.booleans(),
    )


def _memory(draw: st.DrawFn, records: list[GoodsOutRecord]) -> dict[str, Any]:
    references = [kept.reference for kept in records]
    kinds = ["create_goods_out", "recall_goods_out", "create_fulfilment", "amend_goods_out"]
    unknown = []
    refused = []
    for reference in references:
        kind, at = draw(st.sampled_from(kinds)), NOON - draw(st.sampled_from([timedelta(0), timedelta(minutes=20)]))
        key = f"{kind}:{reference}"
        fate = draw(mostly("", "unknown", "refused"))
        if fate == "unknown":
            unknown.append(UnknownEffect(key=key, kind=kind, target=reference, since=at))
        elif fate == "refused":
            refused.append(RefusedEffect(key=key, kind=kind, target=reference, code="WMS_REFUSED", problem="no", at=at))
    return {
        "unknown": tuple(unknown),
        "refused": tuple(refused),
        "hold": draw(mostly(None, OperatorHold(by="olga", reason="wait", at=LONG_AGO))),
        "cancel_request": draw(mostly(None, CancelRequest(by="olga", reason="stop", at=LONG_AGO))),
        "lock_confirmed_at": draw(mostly(None, LONG_AGO)),
    }
