"""The look back's rules, case by case: which goods-out is whose, what is accused, what is not, and its value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pickgate.domain.lookback import Accusation, Ground, PastOrder
from pickgate.domain.lookback_all import look_back
from pickgate.domain.lookback_match import ReferencePattern, match_goods_outs
from pickgate.domain.money import Money
from pickgate.domain.policy import Policy
from pickgate.domain.shop import (
    Address,
    Fulfilment,
    FulfilmentOrder,
    FulfilmentOrderLine,
    FulfilmentOrderStatus,
    Line,
    ShopOrder,
    Totals,
)
from pickgate.domain.stock_policy import StockPolicy
from pickgate.domain.warehouse import GoodsOut, GoodsOutLine, Stage
from pickgate.rulebook.evaluate import Rulebook
from pickgate.rulebook.tables import Tables

MADE = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
NOW = MADE + timedelta(days=5)
RULES = Rulebook(
    1,
    Tables(
        locations=(("uk", "1", "", "ACME", "MAIN", ""), ("uk", "9", "", "", "", "yes")),
        services=(("", "*", "", "", "DPD", "STD"),),
        skus=(("uk", "PAIR", "SOCK", "2", ""),),
    ),
)


def line(line_id: str, sku: str, ordered: int, current: int | None = None) -> Line:
    live = ordered if current is None else current
    return Line(id=line_id, title=sku.title(), sku=sku, ordered=ordered, current=live, unit_price=Money(1000, "GBP"))


def order(*lines: Line, sent: Sequence[tuple[str, int]] = (), location: str = "1", **more: Any) -> ShopOrder:
    zero = Money(0, "GBP")
    told = dict(sent)
    shares = tuple(
        FulfilmentOrderLine(id=f"f{n.id}", line_id=n.id, remaining=n.current - told.get(n.id, 0), total=n.current)
        for n in lines
    )
    is_open = any(share.remaining > 0 for share in shares) and more.get("cancelled_at") is None
    values: dict[str, Any] = {
        "id": "100",
        "name": "#1031",
        "created_at": MADE,
        "updated_at": MADE,
        "financial_status": "PAID",
        "totals": Totals(current=zero, outstanding=zero, received=zero, refunded=zero, tax=zero, shipping=zero),
        "currency": "GBP",
        "shipping_title": "Standard",
        "address": Address(name="A", line1="1 High Street", city="London", postcode="N1 9GU", country="GB"),
    }
    share = FulfilmentOrder(
        id="1",
        status=FulfilmentOrderStatus.OPEN if is_open else FulfilmentOrderStatus.CLOSED,
        location_id=location,
        location_name="Main",
        lines=shares,
    )
    fulfilments = (Fulfilment(id="7", lines=tuple(sent)),) if sent else ()
    return ShopOrder(**{**values, "lines": lines, "fulfilment_orders": (share,), "fulfilments": fulfilments, **more})


def goods_out(
    *rows: tuple[str, int, int], stage: Stage = Stage.COMPLETED, number: str = "5", reference: str = "1031"
) -> GoodsOut:
    lines = tuple(
        GoodsOutLine(id=f"{number}{i}", product_code=code, ordered=asked, picked=left, despatched=left)
        for i, (code, asked, left) in enumerate(rows)
    )
    return GoodsOut(
        id=number, reference=reference, stage=stage, status_code=stage.name, lines=lines, account="ACME",
        warehouse="MAIN",
    )  # fmt: skip


def judge(*pasts: PastOrder, now: datetime = NOW, policy: Policy | None = None) -> tuple[Accusation, ...]:
    known = frozenset({"MUG", "TEA", "SOCK"})
    ground = Ground(until=now, rules=RULES, policies={"uk": policy or Policy()}, known_products=known)
    return look_back(pasts, ground, None, StockPolicy()).accusations


def one(shop_order: ShopOrder, *goods_outs: GoodsOut) -> PastOrder:
    return PastOrder(shop="uk", order=shop_order, goods_outs=goods_outs)


def charges(found: Sequence[Accusation]) -> list[tuple[str, str, int | None]]:
    return [(a.order_name, a.charge.value, a.value.minor if a.value else None) for a in found]


MUG, TEA = line("1", "MUG", 2), line("2", "TEA", 1)
SWAPPED = (line("1", "MUG", 2, 1), line("2", "TEA", 1))
CANCELLED: dict[str, Any] = {"cancelled_at": MADE + timedelta(hours=2)}

CASES: dict[str, tuple[PastOrder, list[tuple[str, str, int | None]]]] = {
    "as ordered, and told": (one(order(MUG, sent=[("1", 2)]), goods_out(("MUG", 2, 2))), []),
    "edited down after the copy": (
        one(order(*SWAPPED, sent=[("1", 1), ("2", 1)], edited=True), goods_out(("MUG", 2, 2))),
        [("#1031", "superseded_despatched", 2000)],
    ),
    "edited, and the warehouse followed": (
        one(order(*SWAPPED, sent=[("1", 1), ("2", 1)], edited=True), goods_out(("MUG", 1, 1), ("TEA", 1, 1))),
        [],
    ),
    "nobody edited, and something else left": (
        one(order(MUG, sent=[("1", 2)]), goods_out(("MUG", 2, 2), ("TEA", 1, 1))),
        [("#1031", "other_contents_despatched", 0)],
    ),
    "returned after it was sent": (
        one(order(line("1", "MUG", 2, 1), sent=[("1", 2)]), goods_out(("MUG", 2, 2))),
        [],
    ),
    "cancelled, and sent": (
        one(order(line("1", "MUG", 2, 0), **CANCELLED), goods_out(("MUG", 2, 2))),
        [("#1031", "cancelled_despatched", 2000)],
    ),
    "cancelled, and taken back": (
        one(order(line("1", "MUG", 2, 0), **CANCELLED), goods_out(("MUG", 2, 0), stage=Stage.CANCELLED)),
        [],
    ),
    "sent twice": (
        one(order(MUG, sent=[("1", 2)]), goods_out(("MUG", 2, 2)), goods_out(("MUG", 2, 2), number="6")),
        [("#1031", "twin_despatched", 2000)],
    ),
    "made twice, sent once": (
        one(
            order(MUG, sent=[("1", 2)]),
            goods_out(("MUG", 2, 2)),
            goods_out(("MUG", 2, 0), number="6", stage=Stage.CANCELLED),
        ),
        [],
    ),
    "sent in two goes, both rightly": (
        one(order(MUG, sent=[("1", 2)]), goods_out(("MUG", 1, 1)), goods_out(("MUG", 1, 1), number="6")),
        [],
    ),
    "part sent, the rest in the goods-out": (
        one(order(MUG, TEA, sent=[("1", 2)]), goods_out(("MUG", 2, 2), ("TEA", 1, 0), stage=Stage.PICKING)),
        [("#1031", "part_fulfilment_stalled", 1000)],
    ),
    "finished short, and told whole": (
        one(order(MUG, sent=[("1", 2)]), goods_out(("MUG", 2, 1))),
        [("#1031", "part_fulfilment_stalled", 1000), ("#1031", "told_but_never_sent", 1000)],
    ),
    "never reached": (one(order(MUG)), [("#1031", "never_reached_warehouse", 2000)]),
    "held by a tag": (one(order(MUG, tags=("HOLD",))), []),
    "its address cannot be used: it would wait": (one(order(MUG, address=None)), []),
    "a test order": (one(order(MUG, test=True)), []),
    "another warehouse's, by a row": (one(order(MUG, location="9")), []),
    "left, and not told": (
        one(order(MUG), goods_out(("MUG", 2, 2))), [("#1031", "despatch_never_came_back", 2000)]
    ),
    "told, and never there": (one(order(MUG, sent=[("1", 2)])), [("#1031", "told_but_never_sent", 2000)]),
    "waits with superseded lines": (
        one(order(*SWAPPED, edited=True), goods_out(("MUG", 2, 0), stage=Stage.ALLOCATED)),
        [("#1031", "superseded_in_warehouse", 2000)],
    ),
    "two units of a product in one of the shop's": (
        one(order(line("1", "PAIR", 1), sent=[("1", 1)]), goods_out(("SOCK", 2, 2))),
        [],
    ),
    "one of the two units": (
        one(order(line("1", "PAIR", 1), sent=[("1", 1)]), goods_out(("SOCK", 2, 1))),
        [("#1031", "part_fulfilment_stalled", 500), ("#1031", "told_but_never_sent", 500)],
    ),
    "no such location": (
        one(order(MUG, sent=[("1", 2)], location="3"), goods_out(("MUG", 2, 2))),
        [("#1031", "location_unmapped", 0)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_order(name: str) -> None:
    past, expected = CASES[name]
    policy = Policy(window=replace(Policy().window, hold_tags=("HOLD",)))
    assert charges(judge(past, policy=policy)) == expected


@pytest.mark.parametrize("name", ["never reached", "left, and not told", "told, and never there"])
def test_a_young_order_is_not_accused_of_being_late(name: str) -> None:
    assert judge(CASES[name][0], now=MADE + timedelta(hours=23)) == ()


@pytest.mark.parametrize(
    ("received", "refunded", "outstanding", "edited", "subject"),
    [
        (2000, 0, 900, True, "unpaid edit"),
        (2000, 0, -900, True, "owed to the customer"),
        (2000, 2100, 0, False, "refunded over received"),
        (2000, 0, 900, False, None),  # on account: it was never to be paid up front
        (2000, 500, 0, True, None),
    ],
)
def test_money(received: int, refunded: int, outstanding: int, edited: bool, subject: str | None) -> None:
    gbp = {
        k: Money(v, "GBP") for k, v in (("received", received), ("refunded", refunded), ("outstanding", outstanding))
    }
    zero = Money(0, "GBP")
    totals = Totals(current=Money(2000, "GBP"), tax=zero, shipping=zero, **gbp)
    found = judge(one(order(MUG, sent=[("1", 2)], totals=totals, edited=edited), goods_out(("MUG", 2, 2))))
    assert [(a.charge.value, a.subject) for a in found] == ([("money_drift", subject)] if subject else [])


def replacing(tagged: bool = True, **first: Any) -> tuple[PastOrder, PastOrder]:
    old = order(line("1", "MUG", 1, 0), customer_id="c", **{**CANCELLED, **first})
    tags = ("Edit Order",) if tagged else ()
    new = order(
        line("2", "MUG", 1), id="101", name="#1031A", customer_id="c", tags=tags, sent=[("2", 1)],
        created_at=MADE + timedelta(hours=2), updated_at=MADE + timedelta(hours=2),
    )  # fmt: skip
    return (
        one(old, goods_out(("MUG", 1, 1))),
        one(new, goods_out(("MUG", 1, 1), number="6", reference="1031A")),
    )


def test_an_order_and_its_successor_that_both_left_are_accused_once() -> None:
    assert charges(judge(*replacing())) == [("#1031A", "twin_despatched", 1000)]


def test_a_successor_whose_predecessor_was_taken_back_is_not_accused() -> None:
    old, new = replacing()
    taken_back = replace(old, goods_outs=(goods_out(("MUG", 1, 0), stage=Stage.CANCELLED),))
    assert judge(taken_back, new) == ()


PATTERNS = [
    ("{name}", "1031", True), ("{name}", "#1031", True), ("{name}", "1031-1", False), ("{name}-*", "1031-1", True),
    ("{name}-*", "1031", False), ("SH-{name}", "sh-1031", True), ("SH-{name}", "1031", False),
    ("{name} | {name}-*", "1031-2", True), ("{id}", "100", True), ("{id}", "1031", False),
    ("*-{name}", "UK-1031", True),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "reference", "fits"), PATTERNS)
def test_a_goods_out_is_matched_by_its_reference(pattern: str, reference: str, *, fits: bool) -> None:
    mine = goods_out(("MUG", 1, 1), reference=reference)
    found = match_goods_outs([("uk", order(MUG))], [mine], ReferencePattern(pattern), {})
    assert found.by_order == ({("uk", "100"): (mine,)} if fits else {})
    assert found.strangers == (() if fits else (mine,))


def test_a_reference_that_two_shops_use_is_given_to_neither() -> None:
    mine = goods_out(("MUG", 1, 1))
    found = match_goods_outs([("uk", order(MUG)), ("us", order(MUG))], [mine], ReferencePattern("{name}"), {})
    assert (found.by_order, found.ambiguous) == ({}, (mine,))


def test_with_a_wildcard_the_longer_name_is_found_where_the_shorter_does_not_exist() -> None:
    mine = goods_out(("MUG", 1, 1), reference="EU-1031-2")
    named = order(MUG, name="#EU-1031")
    assert match_goods_outs([("uk", named)], [mine], ReferencePattern("{name}-*"), {}).by_order == {
        ("uk", "100"): (mine,)
    }


@pytest.mark.parametrize("text", ["", "SH-", "{name}{id}", "{order}", " | "])
def test_a_pattern_that_names_no_order_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"pattern|must hold"):
        ReferencePattern(text)
