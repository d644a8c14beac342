"""What an outcome means for our record of a goods-out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cast import NOON, content, record
from pickgate.domain.commands import (
    AmendGoodsOut,
    Command,
    CreateFulfilment,
    CreateGoodsOut,
    FulfilmentLine,
    RecallGoodsOut,
    ReleaseShopHold,
)
from pickgate.domain.facts import GoodsOutRecord, RecordState
from pickgate.domain.outcomes import record_after, record_when_sent

BEFORE = record()
CREATING = record(state=RecordState.CREATING, clarus_id=None)
CREATE = CreateGoodsOut(
    reference="1001-1", order_id="5001", number=1, fulfilment_order_id="F1", group="cold", generation=2,
    content=content(), expected_despatch_at=NOON, ordered_at=NOON,
)  # fmt: skip
RECALL = RecallGoodsOut(reference="1001-1", account="ACME", clarus_id="301", because="x")
AMEND = AmendGoodsOut(reference="1001-1", clarus_id="301", content=content({"A": 2}), previous=content(), line_ids=())


def told(*lines: tuple[str, int], tracking: tuple[str, ...] = ()) -> CreateFulfilment:
    return CreateFulfilment(
        reference="1001-1",
        lines=tuple(
            FulfilmentLine(fulfilment_order_id="F1", fulfilment_order_line_id=f"F1.{k}", line_id=k, units=n)
            for k, n in lines
        ),
        tracking_numbers=tracking,
        carrier="",
        fulfilled_before=(),
    )


def after(before: GoodsOutRecord, command: Command, outcome: str, **ids: str) -> GoodsOutRecord | None:
    return record_after(before, command, outcome=outcome, ids=ids, problem="no", now=NOON)


def test_a_creation_is_written_down_before_it_is_sent() -> None:
    assert record_when_sent(CREATE, now=NOON) == GoodsOutRecord(
        reference="1001-1", number=1, fulfilment_order_id="F1", group="cold", generation=2, content=content(),
        state=RecordState.CREATING, created_at=NOON,
    )  # fmt: skip


class TestCreate:
    def test_confirmed(self) -> None:
        expected = replace(CREATING, state=RecordState.LIVE, clarus_id="77")
        assert after(CREATING, CREATE, "confirmed", clarus_id="77") == expected

    def test_confirmed_without_an_id_keeps_the_known_one(self) -> None:
        assert after(BEFORE, CREATE, "confirmed") == BEFORE

    def test_refused(self) -> None:
        assert after(CREATING, CREATE, "refused") == replace(CREATING, state=RecordState.REFUSED)

    @pytest.mark.parametrize("outcome", ["not_sent", "lost"])
    def test_proven_to_have_had_no_effect(self, outcome: str) -> None:
        assert after(CREATING, CREATE, outcome) is None

    def test_unknown(self) -> None:
        assert after(CREATING, CREATE, "unknown") == CREATING


class TestRecall:
    @pytest.mark.parametrize("outcome", ["confirmed", "unknown"])
    def test_asked_is_not_done(self, outcome: str) -> None:
        expected = replace(BEFORE, state=RecordState.RECALLING, recall_asked_at=NOON)
        assert after(replace(BEFORE, recall_refused="x"), RECALL, outcome) == expected

    def test_refused(self) -> None:
        recalling = replace(BEFORE, state=RecordState.RECALLING)
        assert after(recalling, RECALL, "refused") == replace(BEFORE, recall_refused="no")

    def test_lost(self) -> None:
        assert after(replace(BEFORE, state=RecordState.RECALLING), RECALL, "lost") == BEFORE

    def test_not_sent(self) -> None:
        assert after(BEFORE, RECALL, "not_sent") == BEFORE


class TestAmend:
    def test_confirmed(self) -> None:
        assert after(BEFORE, AMEND, "confirmed") == replace(BEFORE, content=content({"A": 2}), verified=False)

    def test_refused(self) -> None:
        assert after(BEFORE, AMEND, "refused") == replace(BEFORE, amend_refused=True)

    @pytest.mark.parametrize("outcome", ["unknown", "not_sent", "lost"])
    def test_otherwise(self, outcome: str) -> None:
        assert after(BEFORE, AMEND, outcome) == BEFORE


class TestFulfilment:
    def test_confirmed_adds_up(self) -> None:
        before = replace(BEFORE, told=(("B", 1),), parcels_told=("T1",))

        result = after(before, told(("B", 1), ("A", 2), ("A", 1), tracking=("T1", "T2")), "confirmed")

        assert result == replace(before, told=(("A", 3), ("B", 2)), parcels_told=("T1", "T2"))

    @pytest.mark.parametrize("outcome", ["refused", "unknown", "not_sent", "lost"])
    def test_otherwise(self, outcome: str) -> None:
        assert after(BEFORE, told(("A", 1), tracking=("T1",)), outcome) == BEFORE


def test_what_is_not_about_the_goods_out_leaves_it() -> None:
    assert after(BEFORE, ReleaseShopHold(fulfilment_order_id="F1", hold_ids=("H",)), "confirmed") == BEFORE


@pytest.mark.parametrize(
    ("state", "may_be_live"),
    [
        (RecordState.CREATING, True), (RecordState.LIVE, True), (RecordState.RECALLING, True),
        (RecordState.RECALLED, False), (RecordState.FINISHED, False), (RecordState.REFUSED, False),
    ],
    ids=lambda v: v.value if isinstance(v, RecordState) else "",
)  # fmt: skip
def test_what_may_still_be_sent(state: RecordState, may_be_live: bool) -> None:
    assert record(state=state).may_be_live is may_be_live


def test_a_recall_that_was_not_sent_again_is_still_awaited() -> None:
    recalling = replace(BEFORE, state=RecordState.RECALLING)

    assert after(recalling, RECALL, "not_sent") == recalling
