"""What a read of the warehouse teaches us about our own goods-outs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cast import NOON, content, goods_out, record
from pickgate.domain.facts import GoodsOutRecord, RecordState
from pickgate.domain.learn import Known, has_begun, learn, shop_units
from pickgate.domain.policy import Policy
from pickgate.domain.warehouse import ContentLine, GoodsOut, GoodsOutLine, Stage

SECOND = timedelta(seconds=1)
POLICY = Policy()
CREATING = RecordState.CREATING
LIVE = RecordState.LIVE
RECALLING = RecordState.RECALLING
RECALLED = RecordState.RECALLED
FINISHED = RecordState.FINISHED
REFUSED = RecordState.REFUSED


def learned(kept: GoodsOutRecord, *seen: GoodsOut) -> Known:
    (known,) = learn([kept], seen, POLICY, now=NOON)
    return known


@pytest.mark.parametrize(
    ("before", "stage", "state"),
    [
        *[(before, Stage.PENDING, LIVE) for before in (CREATING, LIVE, RECALLED, FINISHED, REFUSED)],
        (RECALLING, Stage.PENDING, RECALLING),
        (RECALLING, Stage.PICKING, RECALLING),
        (CREATING, Stage.UNRECOGNISED, LIVE),
        *[(before, Stage.COMPLETED, FINISHED) for before in RecordState],
        (RECALLING, Stage.CANCELLED, RECALLED),
        (RECALLED, Stage.CANCELLED, RECALLED),
        (LIVE, Stage.CANCELLED, LIVE),
        (CREATING, Stage.CANCELLED, LIVE),
        *[(before, None, before) for before in (CREATING, LIVE, RECALLED, FINISHED, REFUSED)],
        (RECALLING, None, RECALLED),
    ],
    ids=lambda v: v.value if isinstance(v, RecordState | Stage) else "",
)
def test_the_state_after_a_read(before: RecordState, stage: Stage | None, state: RecordState) -> None:
    seen = [goods_out(stage=stage)] if stage is not None else []

    assert learned(record(state=before), *seen).record.state is state


@pytest.mark.parametrize(
    ("stage_code", "age", "state"),
    [
        ("", 29 * SECOND, RECALLING),
        ("", 30 * SECOND, RECALLED),
        ("PENDING", 1 * SECOND, RECALLED),
    ],
)
def test_absence_confirms_a_recall_only_of_what_was_shown_or_is_old_enough(
    stage_code: str, age: timedelta, state: RecordState
) -> None:
    recalling = record(state=RECALLING, stage_code=stage_code, created_at=NOON - age)

    assert learned(recalling).record.state is state
    assert learned(replace(recalling, created_at=None)).record.state is RECALLED


class TestWhichOneIsOurs:
    def test_by_id_first(self) -> None:
        known = learned(record(), goods_out(clarus_id="9"), goods_out(clarus_id="301"))

        assert known.seen is not None and known.seen.id == "301"
        assert [g.id for g in known.twins] == ["9"]

    def test_renamed_in_the_warehouse_it_is_still_ours(self) -> None:
        known = learned(record(), replace(goods_out(), reference="other"))

        assert known.seen is not None and known.seen.id == "301"

    @pytest.mark.parametrize("state", [CREATING, REFUSED], ids=lambda s: s.value)
    def test_without_an_id_the_oldest_of_the_reference(self, state: RecordState) -> None:
        nameless = record(state=state, clarus_id=None)

        known = learned(nameless, goods_out(clarus_id="1000"), goods_out(clarus_id="999"))

        assert known.record.clarus_id == "999"
        assert [g.id for g in known.twins] == ["1000"]

    def test_without_an_id_a_live_one_comes_before_a_cancelled_one(self) -> None:
        cancelled = goods_out(clarus_id="1", stage=Stage.CANCELLED)

        assert learned(record(clarus_id=None), cancelled, goods_out(clarus_id="2")).record.clarus_id == "2"
        assert learned(record(clarus_id=None), cancelled).record.clarus_id == "1"

    def test_what_is_being_created_may_turn_up_under_another_id(self) -> None:
        assert learned(record(state=CREATING), goods_out(clarus_id="9")).record.clarus_id == "9"

    def test_another_id_under_our_reference_is_not_ours(self) -> None:
        known = learned(record(), goods_out(clarus_id="9"))

        assert known.seen is None
        assert [g.id for g in known.twins] == ["9"]
        assert known.record == record()

    def test_a_cancelled_one_is_no_twin(self) -> None:
        assert learned(record(), goods_out(), goods_out(clarus_id="9", stage=Stage.CANCELLED)).twins == ()

    def test_another_reference_is_nobody_of_ours(self) -> None:
        known = learned(record(), goods_out(2))

        assert (known.seen, known.twins) == (None, ())


class TestWhatIsRemembered:
    def test_a_new_status_forgets_a_refused_recall(self) -> None:
        kept = record(recall_refused="no", stage_code="PICK")

        assert learned(kept, goods_out(code="PICK")).record.recall_refused == "no"
        moved = learned(kept, goods_out(code="PENDING")).record
        assert (moved.recall_refused, moved.stage_code) == (None, "PENDING")

    def test_contents_are_verified_once_and_for_all(self) -> None:
        unverified = record(1, {"A": 2}, verified=False)

        assert learned(unverified, goods_out(1, {"A": 2})).record.verified is True
        wrong = learned(unverified, goods_out(1, {"A": 1}))
        assert (wrong.record.verified, wrong.lines_as_recorded) == (False, False)
        changed = learned(record(1, {"A": 2}), goods_out(1, {"A": 1}))
        assert (changed.record.verified, changed.lines_as_recorded) == (True, False)

    def test_rows_of_one_product_are_added_and_empty_rows_left_out(self) -> None:
        rows = (
            GoodsOutLine(id="1", product_code="SKU-A", ordered=1),
            GoodsOutLine(id="2", product_code="SKU-A", ordered=2),
            GoodsOutLine(id="3", product_code="SKU-B", ordered=0),
        )

        assert learned(record(1, {"A": 3}), replace(goods_out(), lines=rows)).lines_as_recorded is True

    def test_what_was_picked(self) -> None:
        known = learned(record(1, {"B": 2, "A": 3}), goods_out(1, {"B": 2, "A": 3}, picked={"B": 1, "A": 0}))
        assert known.record.picked == (("SKU-B", 1),)

        both = learned(record(1, {"B": 2, "A": 3}), goods_out(1, {"B": 2, "A": 3}, picked={"B": 1, "A": 2}))
        assert both.record.picked == (("SKU-A", 2), ("SKU-B", 1))

    def test_when_it_was_finished(self) -> None:
        seen = goods_out(stage=Stage.COMPLETED)
        earlier = NOON - 60 * SECOND

        assert learned(record(), seen).record.finished_at == NOON
        assert learned(record(state=FINISHED, finished_at=earlier), seen).record.finished_at == earlier
        assert learned(record(state=FINISHED, finished_at=earlier), goods_out()).record.finished_at is None

    def test_what_was_picked_before_a_recall_goes_back(self) -> None:
        units = {"B": 2, "A": 2, "C": 1}
        seen = goods_out(1, units, stage=Stage.CANCELLED, picked={"B": 2, "A": 1, "C": 1}, despatched={"B": 1, "C": 1})

        assert learned(record(1, units, state=RECALLING), seen).record.put_back == (("SKU-A", 1), ("SKU-B", 1))
        assert learned(record(1, units), seen).record.put_back == ()


@pytest.mark.parametrize(
    ("stage", "picked", "despatched", "begun"),
    [
        (Stage.DRAFT, 0, 0, False),
        (Stage.PENDING, 0, 0, False),
        (Stage.PART_ALLOCATED, 0, 0, False),
        (Stage.ALLOCATED, 0, 0, False),
        (Stage.ALLOCATED, 1, 0, True),
        (Stage.ALLOCATED, 0, 1, True),
        (Stage.PICKING, 0, 0, True),
        (Stage.PART, 0, 0, True),
        (Stage.COMPLETED, 0, 0, True),
        (Stage.UNRECOGNISED, 0, 0, True),
        (Stage.CANCELLED, 0, 0, False),
    ],
    ids=lambda v: v.value if isinstance(v, Stage) else "",
)
def test_when_work_has_begun(stage: Stage, picked: int, despatched: int, begun: bool) -> None:
    seen = goods_out(stage=stage, picked={"A": picked}, despatched={"A": despatched})

    assert has_begun(seen, POLICY) is begun
    assert learned(record(), seen).begun is begun


def test_a_cancelled_goods_out_is_not_worked_on_although_units_were_picked() -> None:
    assert learned(record(), goods_out(stage=Stage.CANCELLED, picked={"A": 1})).begun is False


def test_the_policy_says_where_work_begins() -> None:
    early = Policy(work_begins_at=frozenset({Stage.ALLOCATED}))

    assert has_begun(goods_out(stage=Stage.ALLOCATED), early) is True
    assert has_begun(goods_out(stage=Stage.PICKING), early) is False


class TestWhatLeft:
    TWO_LINES = content(
        lines=(
            ContentLine(line_id="A", product_code="X", units=2, sku="X"),
            ContentLine(line_id="B", product_code="X", units=3, sku="X"),
        )
    )

    def left(self, units: int) -> Known:
        row = GoodsOutLine(id="1", product_code="X", ordered=5, despatched=units)
        return learned(record(content=self.TWO_LINES), replace(goods_out(stage=Stage.PART), lines=(row,)))

    @pytest.mark.parametrize(
        ("units", "left", "strangers"),
        [
            (0, {}, {}),
            (1, {"A": 1}, {}),
            (3, {"A": 2, "B": 1}, {}),
            (5, {"A": 2, "B": 3}, {}),
            (6, {"A": 2, "B": 3}, {"X": 1}),
        ],
    )
    def test_a_product_of_two_lines_is_shared_out_in_order(
        self, units: int, left: dict[str, int], strangers: dict[str, int]
    ) -> None:
        known = self.left(units)

        assert (known.left, known.strangers) == (left, strangers)
        assert known.despatched_products == ({"X": units} if units else {})

    def test_without_a_read_what_was_told_counts(self) -> None:
        assert learned(record(told=(("A", 1),))).left == {"A": 1}

    def test_what_is_short(self) -> None:
        finished = replace(self.left(3), record=record(content=self.TWO_LINES, state=FINISHED))
        assert (finished.is_short, finished.short_units) == (True, {"B": 2})

        whole = replace(self.left(5), record=record(content=self.TWO_LINES, state=FINISHED))
        assert (whole.is_short, whole.short_units) == (False, {})

        at_work = self.left(3)
        assert (at_work.is_short, at_work.short_units) == (False, {"B": 2})


def test_a_bundle_counts_as_far_as_its_scarcest_component() -> None:
    parts = (
        ContentLine(line_id="A", product_code="CUP", units=2),
        ContentLine(line_id="A", product_code="SPOON", units=11, per_unit=6),
        ContentLine(line_id="B", product_code="CUP", units=4),
    )

    assert shop_units(content(lines=parts)) == {"A": 1, "B": 4}
