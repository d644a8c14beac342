"""The words that people read, pinned whole: every gate, exception and reason, in `words.txt`.

To change them on purpose: change the code, look at the difference this test prints, and edit `words.txt`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cast import (
    ADDRESS,
    LONG_AGO,
    NOON,
    PlainRules,
    content,
    decided,
    facts,
    fulfilment,
    fulfilment_order,
    goods_out,
    line,
    order,
    record,
    totals,
)
from pickgate.domain.commands import RecallGoodsOut
from pickgate.domain.decision import Decision, Gate
from pickgate.domain.facts import (
    Approval,
    CancelRequest,
    Facts,
    Kin,
    KinFate,
    Missing,
    OperatorHold,
    RecordState,
    RefusedEffect,
    UnknownEffect,
    Unreadable,
)
from pickgate.domain.findings import Finding
from pickgate.domain.policy import Policy, WindowPolicy
from pickgate.domain.rules import Product
from pickgate.domain.shop import FulfilmentOrder, FulfilmentOrderStatus, ShopHold
from pickgate.domain.warehouse import GoodsOut, GoodsOutLine, Parcel, Stage

WORDS = Path(__file__).parent / "words.txt"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
POLICY = Policy(
    window=WindowPolicy(hold_tags=("HOLD",), stop_tags=("STOP",), payment_states=("PAID", "PENDING")),
    delivery_date_attribute="Date",
)
STATUS = FulfilmentOrderStatus
PICKING = goods_out(stage=Stage.PICKING)
TWO = (fulfilment_order("F1", {"A": 1}), fulfilment_order("F2", {"B": 1}))
BOTH = {"A": 1, "B": 1}
REFUSED_RECALL = record(recall_refused="picking has begun")
RECALLING = record(state=RecordState.RECALLING, recall_asked_at=NOON - 3 * MINUTE)
CREATE_REFUSED = RefusedEffect(
    key="create_goods_out:1001-1", kind="create_goods_out", target="1001-1", code="WMS_REFUSED", problem="no such town",
    at=NOON - MINUTE,
)  # fmt: skip
LOCK_REFUSED = replace(CREATE_REFUSED, key="take_lock:x", kind="take_lock", target="5001", problem="no scope")
SENT = {"301": (Parcel(tracking_number="T1"),)}
SHUT = (fulfilment_order("F1", {"A": 0}, status=STATUS.CLOSED),)


def kin(name: str, fate: KinFate, *, cancelled: bool = True, app: str = "") -> Kin:
    return Kin(
        id=name, name=name, created_at=LONG_AGO - HOUR, cancelled_at=LONG_AGO if cancelled else None, customer_id="C1",
        skus=("SKU-A",), fate=fate, app_name=app,
    )  # fmt: skip


def hold(reason: str = "OTHER", notes: str = "") -> tuple[ShopHold, ...]:
    return (ShopHold(id="H1", reason=reason, notes=notes),)


def open_order(status: STATUS, *holds: ShopHold, at: timedelta | None = None) -> FulfilmentOrder:
    return fulfilment_order(status=status, holds=holds, fulfil_at=NOON + at if at else None)


def there(seen: GoodsOut | None = None, kept: object = None, some: object = None, **more: object) -> Facts:
    return facts(
        some or order(), records=(kept or record(),), goods_outs=(seen or goods_out(),), **more  # type: ignore[arg-type]
    )  # fmt: skip


def successor(*others: Kin, name: str = "#1001A", **more: object) -> Facts:
    return facts(order(name=name, original_order="#1001", **more), kin=others)  # type: ignore[arg-type]


SCENES: Mapping[str, Facts] = {
    "released": facts(),
    "edit window": facts(order(created_at=NOON - 5 * MINUTE, updated_at=NOON - 5 * MINUTE)),
    "too young, changed a moment ago": facts(order(created_at=NOON - MINUTE, updated_at=NOON)),
    "cut-off": facts(order(cutoff_at=NOON + HOUR)),
    "cut-off unreadable": facts(order(cutoff_unreadable="'soon' is not a date")),
    "tags": facts(order(tags=("HOLD", "STOP"))),
    "not routed": facts(order(fulfilment_orders=())),
    "held in the shop": facts(order(fulfilment_orders=(open_order(STATUS.ON_HOLD, *hold(notes="fraud?")),))),
    "held for a return": facts(order(fulfilment_orders=(open_order(STATUS.ON_HOLD, *hold("AWAITING_RETURN_ITEMS")),))),
    "held by nobody": facts(order(fulfilment_orders=(open_order(STATUS.ON_HOLD),))),
    "scheduled": facts(order(fulfilment_orders=(open_order(STATUS.SCHEDULED, at=HOUR),))),
    "incomplete": facts(order(fulfilment_orders=(open_order(STATUS.INCOMPLETE),))),
    "payment": facts(order(financial_status="AUTHORIZED")),
    "payment unknown": facts(order(financial_status="")),
    "outstanding": facts(order(edited=True, totals=totals(500))),
    "unconfirmed": facts(order(confirmed=False)),
    "requested edit": facts(order(requested_edit="REQUESTED")),
    "operator's hold": facts(hold=OperatorHold(by="olga", reason="called", at=LONG_AGO, until=NOON + HOUR)),
    "stuck": facts(order(requested_edit="REQUESTED"), gates_since={"requested_edit": NOON - 25 * HOUR}),
    "stuck beyond an operator's power": facts(order(confirmed=False), gates_since={"unconfirmed": NOON - 25 * HOUR}),
    "predecessor in the warehouse": successor(kin("#1001", KinFate.LIVE)),
    "predecessor despatched": successor(kin("#1001", KinFate.DESPATCHED)),
    "predecessor not cancelled": successor(kin("#1001", KinFate.RECALLED, cancelled=False)),
    "suspect": successor(kin("#900", KinFate.LIVE, cancelled=False), name="#1001", app_name="Editor"),
    "orphan": facts(order(tags=("Edit Order",))),
    "successor": facts(kin=(kin("#1001A", KinFate.NEVER_SENT),)),
    "two successors": facts(kin=(kin("#1001A", KinFate.NEVER_SENT), kin("#1001B", KinFate.NEVER_SENT))),
    "tagged as replaced": facts(order(tags=("Edit Order - Cancelled",))),
    "unmapped": facts(order(lines=(line(sku=None),), shipping_title="Rocket")),
    "service unmapped": facts(order(shipping_title="Rocket")),
    "location unmapped": facts(order(fulfilment_orders=(fulfilment_order(location="L9"),))),
    "location ignored": facts(order(fulfilment_orders=(fulfilment_order(location="IGNORED"),))),
    "product unknown": facts(unknown_products=frozenset({"SKU-A"})),
    "products unreadable": replace(facts(known=frozenset()), products_unreadable=Unreadable(why="503")),
    "service unknown": replace(facts(), unknown_services=frozenset({("DPD", "ND")})),
    "address": facts(order(address=replace(ADDRESS, city=""))),
    "address too long": facts(order(address=replace(ADDRESS, postcode="x" * 11))),
    "torn": facts(order(fulfilment_orders=(fulfilment_order("F1", {"A": 1, "Z": 1}),))),
    "notes cut, date left out": facts(order(attributes=(("gift", "x" * 300), ("Date", "soon")))),
    "no such order": replace(there(), order=Missing()),
    "test order": facts(order(test=True)),
    "nothing to ship": facts(order(lines=(line(is_gift_card=True),))),
    "edited": there(some=order({"A": 2})),
    "late edit": there(PICKING, some=order({"A": 2})),
    "late removal": there(goods_out(1, BOTH, stage=Stage.PICKING), record(1, BOTH)),
    "nothing wanted, picking": there(PICKING, some=order({"A": 0}, fulfilment_orders=())),
    "nothing wanted": there(some=order({"A": 0}, fulfilment_orders=())),
    "cancelled": there(some=order(cancelled_at=NOON)),
    "cancelled while picking": there(PICKING, some=order(cancelled_at=NOON)),
    "cancelled, recall refused": there(kept=REFUSED_RECALL, some=order(cancelled_at=NOON)),
    "edited, recall refused": there(kept=REFUSED_RECALL, some=order({"A": 2})),
    "operator cancels": there(cancel_request=CancelRequest(by="olga", reason="stop", at=NOON)),
    "recalling, begun": there(PICKING, RECALLING, order({"A": 2})),
    "recalling": there(kept=RECALLING, some=order({"A": 2})),
    "recalling, and another wanted": there(kept=RECALLING, some=order(BOTH, fulfilment_orders=TWO)),
    "late addition": there(PICKING, some=order(BOTH, fulfilment_orders=TWO)),
    "sibling": there(goods_out(1, {"A": 2}), record(1, {"A": 2}, fo="F9"), order({"A": 2}, fulfilment_orders=(
        fulfilment_order("F1", {"A": 1}), fulfilment_order("F2", {"A": 1}, location="L2")))),
    "short": there(goods_out(1, {"A": 2}, stage=Stage.COMPLETED, despatched={"A": 1}),
                   record(1, {"A": 2}, told=(("A", 1),)),
                   order({"A": 2}, fulfilments=(fulfilment({"A": 1}),))),
    "refused": facts(records=(record(state=RecordState.REFUSED, clarus_id=None),), refused=(CREATE_REFUSED,)),
    "refused, nobody knows why": facts(records=(record(state=RecordState.REFUSED, clarus_id=None, created_at=NOON),)),
    "gone": facts(records=(record(),), goods_outs=()),
    "cancelled by hand": there(goods_out(stage=Stage.CANCELLED)),
    "not shown yet": facts(records=(record(created_at=NOON),), goods_outs=()),
    "changed by hand": there(goods_out(1, {"A": 2})),
    "changed by hand to what is wanted": there(goods_out(1, {"A": 2}), some=order({"A": 2})),
    "never as accepted": there(goods_out(1, {"A": 2}), record(verified=False)),
    "twin": facts(records=(record(),), goods_outs=(goods_out(), goods_out(clarus_id="9"))),
    "put back": there(goods_out(stage=Stage.CANCELLED, picked={"A": 1}), RECALLING, order(cancelled_at=NOON)),
    "outcome unknown": there(unknown=(
        UnknownEffect(key="recall_goods_out:1001-1", kind="recall_goods_out", target="1001-1", since=NOON - HOUR),)),
    "left, tracking awaited": there(goods_out(stage=Stage.COMPLETED, despatched={"A": 1})),
    "left, told by hand": there(goods_out(stage=Stage.COMPLETED, despatched={"A": 1}), some=order(
        fulfilment_orders=SHUT, fulfilments=(fulfilment({"A": 1}),))),
    "left, held in the shop": there(goods_out(stage=Stage.COMPLETED, despatched={"A": 1}), some=order(
        fulfilment_orders=(open_order(STATUS.ON_HOLD, *hold()),)), parcels=SENT),
    "left, cancelled": there(goods_out(stage=Stage.COMPLETED, despatched={"A": 1}), some=order(cancelled_at=NOON)),
    "left, and no longer on the order": there(goods_out(1, {"A": 2}, stage=Stage.COMPLETED, despatched={"A": 2}),
                                              record(1, {"A": 2}), parcels=SENT),
    "two are no longer on the order": there(
        goods_out(1, {"A": 2, "B": 2}, stage=Stage.COMPLETED, despatched={"A": 2, "B": 2}), record(1, {"A": 2, "B": 2}),
        order(BOTH), parcels=SENT),
    "two strangers left": there(replace(goods_out(stage=Stage.COMPLETED), lines=(
        GoodsOutLine(id="1", product_code="SKU-X", ordered=1, despatched=1),
        GoodsOutLine(id="2", product_code="SKU-Y", ordered=1, despatched=2)))),
    "two are short": there(
        goods_out(1, {"A": 2, "B": 1}, stage=Stage.COMPLETED, despatched={"A": 1}),
        record(1, {"A": 2, "B": 1}, told=(("A", 1),)), order({"A": 2, "B": 1}, fulfilments=(fulfilment({"A": 1}),))),
    "two late additions": there(PICKING, some=order({"A": 1, "C": 1, "D": 2}, fulfilment_orders=(
        fulfilment_order("F1", {"A": 1}), fulfilment_order("F2", {"C": 1, "D": 2})))),
    "no such order, and two goods-outs": replace(
        facts(records=(record(), record(2)), goods_outs=(goods_out(), goods_out(2))), order=Missing()),
    "a stranger left": there(replace(goods_out(stage=Stage.COMPLETED), lines=(
        GoodsOutLine(id="1", product_code="SKU-X", ordered=1, despatched=1),))),
    "part left and stalled": there(goods_out(1, {"A": 2}, stage=Stage.PART, despatched={"A": 1}),
                                   record(1, {"A": 2}, told=(("A", 1),)),
                                   order({"A": 2}, updated_at=NOON - 5 * HOUR, fulfilments=(fulfilment({"A": 1}),))),
    "lock taken off": there(PICKING, lock_confirmed_at=LONG_AGO),
    "lock refused": there(PICKING, refused=(LOCK_REFUSED,)),
    "hold refused": facts(
        order(fulfilment_orders=(fulfilment_order(holds=(ShopHold(id="H", reason="OTHER", handle="pickgate-window",
                                                                  ours=True),)),), confirmed=False),
        refused=(replace(CREATE_REFUSED, key="release_shop_hold:F1:H", kind="release_shop_hold", target="F1"),)),
    "refunded too much": facts(order(totals=totals(refunded=2100))),
    "unpaid edit": facts(order(edited=True, totals=totals(500), updated_at=LONG_AGO)),
}  # fmt: skip
RULES = PlainRules(
    notes={"gift": "packing_notes"}, products={"SKU-A": (Product(code="SKU-A"),)}, groups={"SKU-B": "cold"}
)


def in_words(name: str, decision: Decision) -> Iterator[str]:
    yield f"## {name}: {decision.state.value}"
    for gate in decision.gates:
        yield _gate(gate)
    for finding in decision.findings:
        yield from _finding(finding)
    for reason in decision.reasons:
        yield f"because {reason.text}" + (f" [{reason.row}]" if reason.row else "")
    for command in decision.commands:
        if isinstance(command, RecallGoodsOut):
            yield f"recall {command.reference}: {command.because}"
    yield ""


def _gate(gate: Gate) -> str:
    who = "a person" if gate.by_person is True else "nobody" if gate.by_person is False else repr(gate.by_person)
    until = f" until {gate.until:%H:%M:%S}" if gate.until else ""
    of = f" of {gate.fulfilment_order_id}" if gate.fulfilment_order_id else ""
    return f"gate {gate.code}{of}{until}: {gate.detail} Opens when: {gate.opens_when!r}; may open it: {who}."


def _finding(finding: Finding) -> Iterator[str]:
    yield f"exception {finding.code} [{finding.fingerprint}] {finding.summary}"
    for key, value in finding.detail.items():
        yield f"    {key}: {value!r}"
    yield f"    actions: {', '.join(finding.actions)}"


def sections() -> dict[str, str]:
    found: dict[str, str] = {}
    for part in WORDS.read_text("utf-8").split("## ")[1:]:
        found[part.partition(":")[0]] = "## " + part.rstrip() + "\n"
    return found


@pytest.mark.parametrize("name", SCENES)
def test_what_people_read(name: str) -> None:
    said = "\n".join(in_words(name, decided(SCENES[name], policy=POLICY, rules=RULES))).rstrip() + "\n"

    assert said == sections()[name]


def test_nothing_is_written_down_that_is_not_said() -> None:
    assert set(sections()) == set(SCENES)


def test_a_rule_hold_and_an_approval_are_said() -> None:
    gone = SCENES["gone"]
    yes = Approval(by="olga", reason="ours", at=NOON, fingerprint=decided(gone).fingerprint)
    again = decided(replace(gone, records=replace(gone.records, approval=yes)))
    assert "olga: send it again. ours" in [reason.text for reason in again.reasons]

    held = decided(facts(), rules=PlainRules(hold_reason="over 500"))
    assert list(in_words("x", held))[1] == (
        "gate rule_hold: over 500 Opens when: 'an operator releases the order'; may open it: a person."
    )


def test_contents_are_as_the_cast_says() -> None:
    assert decided(SCENES["released"], policy=POLICY, rules=RULES).wanted[0].content == content()
