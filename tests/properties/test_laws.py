"""Laws of a decision that hold whatever the facts."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from cast import NOON
from pickgate.domain.commands import (
    AmendGoodsOut,
    CreateFulfilment,
    CreateGoodsOut,
    PlaceShopHold,
    RecallGoodsOut,
    ReleaseShopHold,
)
from pickgate.domain.decide import decide
from pickgate.domain.decision import Decision
from pickgate.domain.facts import RecordState
from pickgate.domain.findings import CODES
from properties.arbitrary import CANARIES, EXAMPLES, PER_UNIT, RULES, Case, cases, with_memory
from properties.world import World


def creations(decision: Decision) -> list[CreateGoodsOut]:
    return [command for command in decision.commands if isinstance(command, CreateGoodsOut)]


def tellings(decision: Decision) -> list[CreateFulfilment]:
    return [command for command in decision.commands if isinstance(command, CreateFulfilment)]


def shop_units(decision: Decision) -> dict[str, int]:
    """Shop units by line that the decision asks the warehouse for."""
    asked: dict[str, int] = {}
    for command in creations(decision):
        for line in command.content.lines:
            assert line.units % line.per_unit == 0
            asked[line.line_id] = asked.get(line.line_id, 0) + line.units // line.per_unit
    return asked


@EXAMPLES
@given(cases())
def test_one_live_goods_out_for_each_fulfilment_order_and_group(case: Case) -> None:
    decision = case.decided()

    taken = [(r.fulfilment_order_id, r.group) for r in decision.records if r.may_be_live]
    for command in creations(decision):
        key = (command.fulfilment_order_id, command.group)
        assert key not in taken
        taken.append(key)


@EXAMPLES
@given(cases())
def test_a_reference_is_never_used_twice(case: Case) -> None:
    decision = case.decided()

    references = [r.reference for r in decision.records] + [c.reference for c in creations(decision)]
    assert len(set(references)) == len(references)


@EXAMPLES
@given(cases())
def test_no_more_is_asked_for_than_is_live_unfulfilled_and_not_in_the_warehouse_already(case: Case) -> None:
    decision = case.decided()

    left = {n.product_code: 0 for r in decision.records for n in r.content.lines}
    may_leave = dict(left)
    for record in decision.records:
        shown = [g for g in case.goods_outs if g.id == record.clarus_id]
        for n in record.content.lines:
            gone = sum(row.despatched for g in shown for row in g.lines if row.product_code == n.product_code)
            told = dict(record.told).get(n.line_id, 0) * n.per_unit
            left[n.product_code] += max(0, gone - told)
            if record.may_be_live:
                may_leave[n.product_code] += max(0, n.units - max(gone, told))
    for line_id, units in shop_units(decision).items():
        line = case.order.line(line_id)
        assert line is not None
        remaining = sum(
            share.remaining for f in case.order.fulfilment_orders if f.is_open for share in f.lines
            if share.line_id == line_id
        )  # fmt: skip
        code, per_unit = f"SKU-{line_id}", PER_UNIT[line_id]
        assert units <= min(remaining, line.current)
        assert units * per_unit + may_leave.get(code, 0) + left.get(code, 0) < (remaining + 1) * per_unit


@EXAMPLES
@given(cases())
def test_a_creation_never_goes_with_a_recall_that_is_not_confirmed(case: Case) -> None:
    decision = case.decided()

    if creations(decision):
        assert not [command for command in decision.commands if isinstance(command, RecallGoodsOut)]
        assert not [r for r in decision.records if r.state is RecordState.RECALLING]


@EXAMPLES
@given(cases())
def test_nothing_is_released_through_a_gate_that_no_person_may_open(case: Case) -> None:
    decision = case.decided()

    for command in creations(decision):
        closed = [g for g in decision.gates if g.fulfilment_order_id in (None, command.fulfilment_order_id)]
        assert not [g for g in closed if not g.by_person]
        assert not closed or case.facts.records.approval is not None
        assert case.facts.records.hold is None
        assert case.facts.records.cancel_request is None


@EXAMPLES
@given(cases())
def test_nothing_is_done_about_a_goods_out_whose_outcome_is_unknown(case: Case) -> None:
    unknown = {effect.target for effect in case.facts.records.unknown}

    for command in case.decided().commands:
        if isinstance(command, CreateGoodsOut | RecallGoodsOut | AmendGoodsOut | CreateFulfilment):
            assert command.reference.partition("@")[0] not in unknown


@EXAMPLES
@given(cases())
def test_a_cancelled_order_is_never_sent(case: Case) -> None:
    if case.order.cancelled_at is not None:
        assert creations(case.decided()) == []
    cancelled = replace(case, facts=replace(case.facts, order=replace(case.order, cancelled_at=NOON)))
    assert creations(cancelled.decided()) == []


@EXAMPLES
@given(cases(), st.randoms(use_true_random=False))
def test_the_same_facts_give_the_same_decision_in_whatever_order_they_were_read(case: Case, random: Random) -> None:
    shuffled = list(case.goods_outs)
    random.shuffle(shuffled)
    again = replace(case, facts=replace(case.facts, goods_outs=tuple(shuffled)))

    assert again.decided() == replace(again, facts=replace(again.facts)).decided()
    assert {c.key for c in again.decided().commands} == {c.key for c in case.decided().commands}
    assert {f.fingerprint for f in again.decided().findings} == {f.fingerprint for f in case.decided().findings}


@EXAMPLES
@given(cases())
def test_findings_are_told_apart_owned_and_have_something_to_do(case: Case) -> None:
    findings = case.decided().findings

    assert len({finding.fingerprint for finding in findings}) == len(findings)
    for finding in findings:
        assert finding.code in CODES
        assert finding.summary
        assert finding.actions


@EXAMPLES
@given(cases())
def test_no_personal_data_is_said(case: Case) -> None:
    decision = case.decided()

    said = repr([decision.findings, decision.gates, decision.reasons, decision.comparison])
    said += repr([c.because for c in decision.commands if isinstance(c, RecallGoodsOut)])
    assert [canary for canary in (*CANARIES, "Canaryland") if canary in said] == []


@EXAMPLES
@given(cases())
def test_what_is_told_of_is_never_empty_and_never_more_than_remains(case: Case) -> None:
    remaining = {(f.id, share.id): share.remaining for f in case.order.fulfilment_orders for share in f.lines}
    for command in tellings(case.decided()):
        assert command.lines
        for line in command.lines:
            assert line.units > 0
            remaining[line.fulfilment_order_id, line.fulfilment_order_line_id] -= line.units
    assert all(units >= 0 for units in remaining.values())


@EXAMPLES
@given(cases())
def test_only_our_own_holds_are_released(case: Case) -> None:
    ours = {hold.id for f in case.order.fulfilment_orders for hold in f.holds if hold.ours}

    for command in case.decided().commands:
        if isinstance(command, ReleaseShopHold):
            assert command.hold_ids
            assert set(command.hold_ids) <= ours
        elif isinstance(command, PlaceShopHold):
            assert command.handle.startswith("pickgate-")


@EXAMPLES
@given(cases())
def test_the_next_look_is_in_the_future(case: Case) -> None:
    next_look_at = case.decided().next_look_at

    assert next_look_at is None or next_look_at > NOON


@EXAMPLES
@given(cases())
def test_what_was_decided_and_done_needs_no_saying_again(case: Case) -> None:
    facts = with_memory(case.facts, unknown=())
    world = World(
        order=case.order,
        policy=case.policy,
        rules=RULES,
        records=facts.records,
        goods_outs={g.id: g for g in case.goods_outs},
        parcels=dict(facts.parcels),
        kin=facts.kin,
        unknown_products=facts.unknown_products,
        known_products=facts.known_products,
    )

    rest = world.settle()

    assert rest.commands == ()
    assert decide(world.facts(), RULES, case.policy, now=world.now).commands == ()
