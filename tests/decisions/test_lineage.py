"""Orders that replace others: what is recognised, on which evidence, and what waits for what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cast import LONG_AGO, NOON, closed, codes, decided, facts, goods_out, line, order, record, spoken
from pickgate.domain.decision import Decision, OrderState
from pickgate.domain.facts import Approval, Kin, KinFate
from pickgate.domain.lineage import decide_lineage, kin_of, predecessor_names, successor_names
from pickgate.domain.policy import Policy, RecreatePolicy
from pickgate.domain.shop import ShopOrder

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
EDITOR = "Order Editor"
RECREATE = RecreatePolicy()
CREATE = "create 1031A-1 A1"


def kin(name: str = "#1031", fate: KinFate = KinFate.RECALLED, **more: Any) -> Kin:
    """An order made an hour before this one, cancelled as this one was made, by the same customer."""
    values: dict[str, Any] = {
        "id": name, "name": name, "created_at": LONG_AGO - HOUR, "cancelled_at": LONG_AGO, "customer_id": "C1",
        "skus": ("SKU-A",), "fate": fate, "app_name": "Online Store",
    }  # fmt: skip
    return Kin(**{**values, **more})


def successor(name: str = "#1031A", **more: Any) -> ShopOrder:
    return order(name=name, **more)


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("#1031", ()),
        ("#1031A", ("#1031",)),
        ("#1031B", ("#1031A", "#1031")),
        ("#1031D", ("#1031C", "#1031B", "#1031A", "#1031")),
        ("1031A", ("1031",)),
        ("UK-1031A", ("UK-1031",)),
        ("#1031AB", ("#1031",)),
        ("#1031ABC", ()),
        ("#1031a", ()),
        ("#A", ()),
        ("#1031A-2", ()),
    ],
)
def test_the_names_that_a_suffix_continues(name: str, names: tuple[str, ...]) -> None:
    assert predecessor_names(name) == names


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("#1031", tuple(f"#1031{letter}" for letter in "ABCDEFGH")),
        ("#1031A", tuple(f"#1031{letter}" for letter in "BCDEFGHI")),
        ("#1031X", ("#1031Y", "#1031Z")),
        ("#1031Z", ()),
        ("#1031AB", tuple(f"#1031AB{letter}" for letter in "ABCDEFGH")),
    ],
)
def test_the_names_that_may_continue_it(name: str, names: tuple[str, ...]) -> None:
    assert successor_names(name) == names


TAGGED = successor(name="#1040", tags=("Edit Order",))
BY_APP = successor(name="#1040", app_name=EDITOR)
PLAIN = successor(name="#1040")
CANCELLED = order(name="#1030", cancelled_at=LONG_AGO + HOUR)
OPEN = kin("#1031", KinFate.LIVE, cancelled_at=None)


def made(at: timedelta, **more: Any) -> Kin:
    return kin("#1050", created_at=LONG_AGO + HOUR + at, cancelled_at=None, app_name=EDITOR, **more)


@pytest.mark.parametrize(
    ("case", "some_order", "others", "predecessors", "successors", "suspects", "orphan"),
    [
        ("alone", successor(), [], [], [], [], False),
        ("itself", successor(), [kin("#1031", id="5001")], [], [], [], False),
        ("suffix", successor(), [kin()], ["#1031"], [], [], False),
        ("suffix, another customer", successor(), [kin(customer_id="C2")], ["#1031"], [], [], False),
        ("a chain", successor("#1031B"), [kin(), kin("#1031A")], ["#1031", "#1031A"], [], [], False),
        ("a suffixed order made after", order(name="#1031"), [kin("#1031A")], [], ["#1031A"], [], False),
        ("the middle of a chain", successor(), [kin(), kin("#1031B")], ["#1031"], ["#1031B"], [], False),
        ("an unrelated order", PLAIN, [kin("#990")], [], [], [], False),
        ("tag, cancelled in the same minute", TAGGED, [kin()], ["#1031"], [], [], False),
        ("tag in another case", successor("#1040", tags=("edit order ",)), [kin()], ["#1031"], [], [], False),
        ("app, cancelled in the same minute", BY_APP, [kin()], ["#1031"], [], [], False),
        ("neither tag nor app", PLAIN, [kin()], [], [], [], False),
        ("a minute before", BY_APP, [kin(cancelled_at=LONG_AGO - MINUTE)], ["#1031"], [], [], False),
        ("more than a minute before", BY_APP, [kin(cancelled_at=LONG_AGO - MINUTE - SECOND)], [], [], [], False),
        ("a minute after", BY_APP, [kin(cancelled_at=LONG_AGO + MINUTE)], ["#1031"], [], [], False),
        ("made at the same time as it", BY_APP, [kin(created_at=LONG_AGO)], [], [], [], False),
        ("another customer's", BY_APP, [kin(customer_id="C2")], [], [], [], False),
        ("no customer", successor("#1040", app_name=EDITOR, customer_id=None), [kin(customer_id=None)], [], [], [],
         False),
        ("merge of two", BY_APP, [kin("#1"), kin("#2")], ["#1", "#2"], [], [], False),
        ("tag and nobody", TAGGED, [], [], [], [], True),
        ("duplicate tag and nobody", successor("#1040", tags=("orderediting:duplicated",)), [], [], [], [], True),
        ("tag and named in its note", TAGGED, [kin(cancelled_at=None, skus=(), named_in_note=True)], ["#1031"], [], [],
         False),
        ("named in its note without a tag", BY_APP, [kin(cancelled_at=None, skus=(), named_in_note=True)], [], [], [],
         False),
        ("same goods, still open", BY_APP, [OPEN], [], [], ["#1031"], False),
        ("same goods, still open, tagged", TAGGED, [OPEN], [], [], ["#1031"], False),
        ("same goods, by nobody's app", PLAIN, [OPEN], [], [], [], False),
        ("other goods", BY_APP, [kin(cancelled_at=None, skus=("SKU-Z",), fate=KinFate.LIVE)], [], [], [], False),
        ("same goods, recalled by us", BY_APP, [kin(cancelled_at=None)], [], [], [], False),
        ("same goods, a day before", BY_APP,
         [kin(cancelled_at=None, fate=KinFate.LIVE, created_at=LONG_AGO - 24 * HOUR)], [], [], ["#1031"], False),
        ("same goods, longer ago", BY_APP,
         [kin(cancelled_at=None, fate=KinFate.LIVE, created_at=LONG_AGO - 24 * HOUR - SECOND)], [], [], [], False),
        ("same goods, made later", BY_APP, [kin(cancelled_at=None, fate=KinFate.LIVE, created_at=LONG_AGO)], [], [], [],
         False),
        ("cancelled, and made again by an app", CANCELLED, [made(SECOND)], [], ["#1050"], [], False),
        ("cancelled, and made again a minute later", CANCELLED, [made(MINUTE)], [], ["#1050"], [], False),
        ("cancelled, and made again later", CANCELLED, [made(MINUTE + SECOND)], [], [], [], False),
        ("cancelled, and another customer's", CANCELLED, [made(SECOND, customer_id="C2")], [], [], [], False),
        ("not cancelled", order(name="#1030"), [made(SECOND)], [], [], [], False),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
def test_what_is_recognised(
    case: str, some_order: ShopOrder, others: list[Kin], predecessors: list[str], successors: list[str],
    suspects: list[str], orphan: bool,
) -> None:  # fmt: skip
    lineage = decide_lineage(some_order, others, RECREATE)

    assert [link.kin.name for link in lineage.predecessors] == predecessors
    assert [link.kin.name for link in lineage.successors] == successors
    assert [link.kin.name for link in lineage.suspects] == suspects
    assert lineage.orphan is orphan


def test_a_customer_who_orders_again_after_cancelling_has_made_no_successor() -> None:
    again = kin("#1050", created_at=LONG_AGO + HOUR + SECOND, cancelled_at=None, app_name="Online Store")

    assert decide_lineage(CANCELLED, [again], RECREATE).successors == ()


def test_a_tagged_order_of_the_shop_itself_is_a_successor() -> None:
    again = kin("#1050", created_at=LONG_AGO + HOUR + SECOND, cancelled_at=None, tags=("Edit Order",))

    assert [link.kin.name for link in decide_lineage(CANCELLED, [again], RECREATE).successors] == ["#1050"]


def test_names_say_nothing_where_the_shop_does_not_use_them() -> None:
    policy = RecreatePolicy(name_suffix=False)

    assert decide_lineage(successor(app_name=""), [kin()], policy).predecessors == ()
    assert decide_lineage(order(name="#1031"), [kin("#1031A")], policy).successors == ()


def test_the_evidence_is_said() -> None:
    def evidence(some_order: ShopOrder, other: Kin) -> str:
        lineage = decide_lineage(some_order, [other], RECREATE)
        return (*lineage.predecessors, *lineage.successors, *lineage.suspects)[0].evidence

    assert evidence(successor(), kin()) == "the name #1031A continues #1031"
    assert evidence(order(name="#1031"), kin("#1031A")) == "the name #1031A continues #1031"
    assert evidence(BY_APP, kin()) == "#1031 was cancelled as #1040 was made, for the same customer"
    assert evidence(CANCELLED, made(SECOND)) == "#1050 was made as #1030 was cancelled, for the same customer"
    assert evidence(TAGGED, kin(cancelled_at=None, skus=(), named_in_note=True)) == "the note of #1040 names #1031"
    assert evidence(BY_APP, OPEN) == "#1031 holds the same goods for the same customer and is still open"


@pytest.mark.parametrize(
    ("fate", "cancelled", "opens", "detail"),
    [
        (KinFate.NEVER_SENT, True, True, ""),
        (KinFate.RECALLED, True, True, ""),
        (KinFate.NEVER_SENT, False, False, "#1031, which it replaces, is not cancelled."),
        (KinFate.RECALLED, False, False, "#1031, which it replaces, is not cancelled."),
        (KinFate.LIVE, True, False, "#1031, which it replaces, is still in the warehouse."),
        (KinFate.PICKING, True, False, "#1031, which it replaces, is being picked."),
        (KinFate.DESPATCHED, True, False, "#1031, which it replaces, has already been despatched."),
        (KinFate.UNKNOWN, True, False, "What became of #1031, which it replaces, is not known yet."),
    ],
    ids=lambda v: v.value if isinstance(v, KinFate) else "",
)
def test_a_successor_waits_until_its_predecessor_is_out_of_the_way(
    fate: KinFate, cancelled: bool, opens: bool, detail: str
) -> None:
    other = kin(fate=fate, cancelled_at=LONG_AGO if cancelled else None)

    decision = decided(facts(successor(original_order="#1031"), kin=(other,)))

    assert spoken(decision) == ([CREATE] if opens else [])
    assert [gate.detail for gate in decision.gates] == ([] if opens else [detail])
    assert closed(decision) == ([] if opens else ["predecessor"])
    assert decision.supersedes == ("#1031",)


def test_every_predecessor_of_a_merge_must_be_out_of_the_way() -> None:
    both = (kin("#1"), kin("#2", KinFate.PICKING))

    decision = decided(facts(successor("#1040", app_name=EDITOR, original_order="#1"), kin=both))

    assert spoken(decision) == []
    assert closed(decision) == ["predecessor"]
    assert codes(decision) == ["DUPLICATE_SUSPECTED"]


def released(some_order: ShopOrder, *others: Kin) -> Decision:
    waiting = decided(facts(some_order, kin=others))
    yes = Approval(by="olga", reason="both are wanted", at=NOON, fingerprint=waiting.fingerprint)
    return decided(facts(some_order, kin=others, approval=yes))


@pytest.mark.parametrize("fate", [KinFate.LIVE, KinFate.DESPATCHED, KinFate.UNKNOWN], ids=lambda fate: fate.value)
def test_an_operator_may_release_a_successor_all_the_same(fate: KinFate) -> None:
    decision = released(successor(original_order="#1031"), kin(fate=fate))

    assert spoken(decision) == [CREATE]
    assert codes(decision) == []


def test_an_operator_may_release_a_suspect_an_orphan_and_a_replaced_order() -> None:
    assert spoken(released(BY_APP, OPEN)) == ["create 1040-1 A1"]
    assert spoken(released(TAGGED)) == ["create 1040-1 A1"]
    assert spoken(released(order(name="#1031"), kin("#1031A"))) == ["create 1031-1 A1"]


@pytest.mark.parametrize(
    ("case", "some_order", "other", "gates", "found"),
    [
        ("a suspect at once", BY_APP, OPEN, ["duplicate_suspected"], ["DUPLICATE_SUSPECTED"]),
        ("an orphan at once", TAGGED, None, ["duplicate_suspected"], ["DUPLICATE_SUSPECTED"]),
        ("a picked predecessor at once", successor(original_order="#1031"), kin(fate=KinFate.PICKING), ["predecessor"],
         ["DUPLICATE_SUSPECTED"]),
        ("a despatched predecessor at once", successor(original_order="#1031"), kin(fate=KinFate.DESPATCHED),
         ["predecessor"], ["DUPLICATE_SUSPECTED"]),
        ("a replaced order is only held", order(name="#1031"), kin("#1031A"), ["successor"], []),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
def test_what_a_person_is_told_of(
    case: str, some_order: ShopOrder, other: Kin | None, gates: list[str], found: list[str]
) -> None:
    decision = decided(facts(some_order, kin=(other,) if other else ()))

    assert spoken(decision) == []
    assert closed(decision) == gates
    assert codes(decision) == found


@pytest.mark.parametrize(("minutes", "found"), [(9, []), (10, ["DUPLICATE_SUSPECTED"])], ids=["patient", "not"])
@pytest.mark.parametrize("fate", [KinFate.LIVE, KinFate.UNKNOWN], ids=lambda fate: fate.value)
def test_a_predecessor_that_may_still_be_recalled_is_waited_for(fate: KinFate, minutes: int, found: list[str]) -> None:
    young = successor(created_at=NOON - minutes * MINUTE, updated_at=NOON - minutes * MINUTE, original_order="#1031")

    decision = decided(facts(young, kin=(kin(fate=fate),)))

    assert codes(decision) == found
    assert "predecessor" in closed(decision)


def test_the_finding_names_the_other_order_and_the_evidence() -> None:
    finding = decided(facts(BY_APP, kin=(OPEN,))).findings[0]

    assert finding.fingerprint == "DUPLICATE_SUSPECTED:#1031:live"
    assert finding.detail == {
        "other": "#1031",
        "fate": "live",
        "evidence": "#1031 holds the same goods for the same customer and is still open",
    }
    assert finding.summary.startswith("#1040 may be a twin of #1031: ")


def test_a_replaced_order_that_is_cancelled_is_superseded() -> None:
    decision = decided(facts(order(name="#1031", cancelled_at=NOON, fulfilment_orders=()), kin=(kin("#1031A"),)))

    assert decision.state is OrderState.SUPERSEDED
    assert decision.superseded_by == "#1031A"
    assert closed(decision) == []


def test_a_replaced_order_in_the_warehouse_is_recalled_when_it_is_cancelled() -> None:
    cancelled = order(cancelled_at=NOON, fulfilment_orders=())

    decision = decided(facts(cancelled, kin=(kin("#1001A"),), records=(record(),), goods_outs=(goods_out(),)))

    assert spoken(decision) == ["recall 1001-1"]


def test_a_successor_is_created_with_the_time_of_the_original() -> None:
    first = kin(created_at=LONG_AGO - 2 * HOUR)
    chain = (kin("#1031A"), first)

    decision = decided(facts(successor("#1031B"), kin=chain))

    assert spoken(decision) == ["create 1031B-1 A1", "carry_time"]
    assert getattr(decision.commands[0], "ordered_at") == LONG_AGO - 2 * HOUR  # noqa: B009
    carried = decision.commands[1]
    assert carried.key == "carry_time:5001:#1031"
    assert getattr(carried, "original_created_at") == LONG_AGO - 2 * HOUR  # noqa: B009


@pytest.mark.parametrize(
    ("case", "more"),
    [("it is there already", {"original_order": "#1031"}), ("cancelled", {"cancelled_at": NOON})],
)
def test_the_time_is_carried_once(case: str, more: dict[str, Any]) -> None:
    assert "carry_time" not in spoken(decided(facts(successor(**more), kin=(kin(),))))


def test_suspicion_ends_when_the_policy_says_so() -> None:
    policy = Policy(recreate=RecreatePolicy(suspect_within=timedelta(minutes=30)))

    assert closed(decided(facts(BY_APP, kin=(OPEN,)), policy=policy)) == []


@pytest.mark.parametrize("tag", ["Edit Order - Cancelled", " edit order - cancelled "])
def test_an_order_that_is_tagged_as_replaced_waits_for_its_cancellation(tag: str) -> None:
    replaced = order(name="#1031", tags=(tag,))

    decision = decided(facts(replaced))

    assert (spoken(decision), closed(decision), codes(decision)) == ([], ["successor"], [])
    assert decision.gates[0].detail == "Its tags say that another order replaces it."
    assert spoken(released(replaced)) == ["create 1031-1 A1"]
    assert closed(decided(facts(order(tags=(tag,), cancelled_at=NOON)))) == []


def test_customers_that_nobody_knows_are_not_the_same_customer() -> None:
    nobody = replace(CANCELLED, customer_id=None)
    assert decide_lineage(nobody, [made(SECOND, customer_id=None)], RECREATE).successors == ()

    unknown = replace(BY_APP, customer_id=None)
    assert decide_lineage(unknown, [replace(OPEN, customer_id=None)], RECREATE).suspects == ()
    assert decide_lineage(BY_APP, [replace(OPEN, customer_id="C2")], RECREATE).suspects == ()


def test_goods_that_were_taken_off_are_not_the_same_goods() -> None:
    removed = replace(BY_APP, lines=(line("A", 0, ordered=1), line("B")))

    assert decide_lineage(removed, [OPEN], RECREATE).suspects == ()


def test_an_order_made_at_the_same_time_replaces_nothing() -> None:
    same = order(name="#1030", cancelled_at=LONG_AGO)

    assert decide_lineage(same, [made(-HOUR)], RECREATE).successors == ()


def test_kin_are_known_by_what_they_hold() -> None:
    """Lines that an edit took out are not what an order is recognised by, except when it was cancelled as a whole."""
    units = {"B": 1, "A": 2, "C": 0}
    assert kin_of(order(units), KinFate.LIVE) == Kin(
        id="5001", name="#1001", created_at=LONG_AGO, customer_id=order().customer_id, app_name=order().app_name,
        skus=("SKU-A", "SKU-B"), fate=KinFate.LIVE,
    )  # fmt: skip
    assert kin_of(order(units, cancelled_at=NOON), KinFate.LIVE).skus == ("SKU-A", "SKU-B", "SKU-C")
