"""The only way out of an unknown outcome: each command against what a fresh read shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cast import ADDRESS, NOON, content, fulfilment, goods_out, order
from pickgate.domain.commands import (
    AmendGoodsOut,
    CarryTime,
    Command,
    CreateFulfilment,
    CreateGoodsOut,
    FulfilmentLine,
    LiftLock,
    PlaceShopHold,
    RecallGoodsOut,
    ReleaseShopHold,
    TakeLock,
)
from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.probe import Verdict, decide_probe
from pickgate.domain.shop import ShopOrder
from pickgate.domain.warehouse import GoodsOut, GoodsOutLine, Stage

SECOND = timedelta(seconds=1)
SETTLE = 30 * SECOND
DOWN = Unreadable(why="503")
CREATE = CreateGoodsOut(
    reference="1001-1", order_id="5001", number=1, fulfilment_order_id="F1", group="", generation=1, content=content(),
    expected_despatch_at=NOON, ordered_at=NOON,
)  # fmt: skip
RECALL = RecallGoodsOut(reference="1001-1", account="ACME", clarus_id="301", because="x")
AMEND = AmendGoodsOut(
    reference="1001-1", clarus_id="301", content=content({"A": 2}), previous=content(), line_ids=(("SKU-A", "1A"),)
)
MOVE = replace(AMEND, content=content(address=replace(ADDRESS, city="York")))


def told(units: int = 1, *, before: int = 0, tracking: tuple[str, ...] = ()) -> CreateFulfilment:
    line = FulfilmentLine(fulfilment_order_id="F1", fulfilment_order_line_id="F1.A", line_id="A", units=units)
    return CreateFulfilment(
        reference="1001-1", lines=(line,), tracking_numbers=tracking, carrier="DPD",
        fulfilled_before=(("A", before),) if before else (),
    )  # fmt: skip


def probe(
    command: Command, *seen: GoodsOut, ago: timedelta = SETTLE, some: ShopOrder | Missing | Unreadable | None = None,
    down: bool = False,
) -> Verdict:  # fmt: skip
    return decide_probe(
        command, sent_at=NOON - ago, now=NOON, settle=SETTLE, order=some or order(), goods_outs=DOWN if down else seen
    )


@pytest.mark.parametrize("command", [CREATE, RECALL, AMEND], ids=lambda c: c.key.partition(":")[0])
def test_a_warehouse_that_cannot_be_read_proves_nothing(command: Command) -> None:
    assert probe(command, down=True) == Verdict(state="unknown", note="The warehouse cannot be read: 503")


class TestCreate:
    def test_it_is_there(self) -> None:
        assert probe(CREATE, goods_out()) == Verdict(state="confirmed", note="The warehouse has it.", clarus_id="301")

    @pytest.mark.parametrize("stage", list(Stage), ids=lambda stage: stage.value)
    def test_it_is_there_at_whatever_stage(self, stage: Stage) -> None:
        assert probe(CREATE, goods_out(stage=stage)).state == "confirmed"

    @pytest.mark.parametrize(("ago", "state"), [(29 * SECOND, "unknown"), (30 * SECOND, "lost")], ids=str)
    def test_absence_counts_only_after_it_could_have_been_shown(self, ago: timedelta, state: str) -> None:
        assert probe(CREATE, ago=ago).state == state
        assert probe(CREATE, ago=ago).clarus_id is None

    def test_another_reference_is_another_goods_out(self) -> None:
        assert probe(CREATE, goods_out(2)).state == "lost"

    def test_of_two_the_older_is_ours(self) -> None:
        verdict = probe(CREATE, goods_out(clarus_id="1000"), goods_out(clarus_id="999"))

        assert verdict.clarus_id == "999"


class TestRecall:
    @pytest.mark.parametrize(
        ("case", "seen", "state"),
        [
            ("gone", (), "confirmed"),
            ("cancelled", (goods_out(stage=Stage.CANCELLED),), "confirmed"),
            ("still there", (goods_out(),), "lost"),
            ("picking", (goods_out(stage=Stage.PICKING),), "lost"),
            (
                "a cancelled one and a live twin",
                (goods_out(stage=Stage.CANCELLED), goods_out(clarus_id="9")),
                "confirmed",
            ),
            ("only others of that reference, live", (goods_out(clarus_id="9"),), "lost"),
            (
                "only others of that reference, cancelled",
                (goods_out(clarus_id="9", stage=Stage.CANCELLED),),
                "confirmed",
            ),
        ],
        ids=lambda v: v if isinstance(v, str) else "",
    )
    def test_it_is_confirmed_by_absence_or_cancellation(
        self, case: str, seen: tuple[GoodsOut, ...], state: str
    ) -> None:
        assert probe(RECALL, *seen).state == state

    def test_a_twin_is_told_apart_by_its_id(self) -> None:
        twin = replace(RECALL, reference="1001-1@999", clarus_id="999")

        assert probe(twin, goods_out()).state == "confirmed"
        assert probe(twin, goods_out(), goods_out(clarus_id="999")).state == "lost"
        assert probe(twin, goods_out(), goods_out(clarus_id="999", stage=Stage.CANCELLED)).state == "confirmed"


class TestAmend:
    @pytest.mark.parametrize(
        ("case", "command", "seen", "state"),
        [
            ("the new lines are there", AMEND, (goods_out(1, {"A": 2}),), "confirmed"),
            ("the old lines are there", AMEND, (goods_out(1, {"A": 1}),), "lost"),
            ("gone", AMEND, (), "lost"),
            ("another id", AMEND, (goods_out(1, {"A": 2}, clarus_id="9"),), "lost"),
            ("an address cannot be read back", MOVE, (goods_out(),), "lost"),
        ],
        ids=lambda v: v if isinstance(v, str) else "",
    )
    def test_lines_are_read_back(self, case: str, command: Command, seen: tuple[GoodsOut, ...], state: str) -> None:
        assert probe(command, *seen).state == state

    def test_a_row_of_nothing_is_no_row(self) -> None:
        seen = goods_out(1, {"A": 2})
        empty = GoodsOutLine(id="x", product_code="SKU-B", ordered=0)

        assert probe(AMEND, replace(seen, lines=(*seen.lines, empty))).state == "confirmed"


class TestFulfilment:
    @pytest.mark.parametrize(
        ("case", "command", "counted", "state"),
        [
            ("not counted", told(), None, "lost"),
            ("counted", told(), {"A": 1}, "confirmed"),
            ("counted beside earlier ones", told(2, before=1), {"A": 3}, "confirmed"),
            ("only earlier ones", told(2, before=1), {"A": 1}, "lost"),
            ("neither before nor after: somebody else acted", told(2, before=1), {"A": 2}, "unknown"),
            ("more than before and after", told(), {"A": 2}, "unknown"),
            ("another line's", told(), {"B": 1}, "lost"),
        ],
        ids=lambda v: v if isinstance(v, str) else "",
    )
    def test_by_count(self, case: str, command: Command, counted: dict[str, int] | None, state: str) -> None:
        some = order(fulfilments=(fulfilment(counted),) if counted else ())

        assert probe(command, some=some).state == state

    @pytest.mark.parametrize(
        ("case", "shown", "cancelled", "state"),
        [
            ("its numbers", ("T1", "T2"), False, "confirmed"),
            ("and others", ("T0", "T1", "T2"), False, "confirmed"),
            ("only one of them", ("T1",), False, "unknown"),
            ("cancelled since", ("T1", "T2"), True, "lost"),
        ],
    )
    def test_by_tracking_number(self, case: str, shown: tuple[str, ...], cancelled: bool, state: str) -> None:
        made = replace(fulfilment({"A": 5}, tracking=shown), cancelled=cancelled)

        assert probe(told(tracking=("T1", "T2")), some=order(fulfilments=(made,))).state == state

    def test_without_numbers_another_fulfilment_proves_nothing(self) -> None:
        assert probe(told(), some=order(fulfilments=(fulfilment({"A": 5}, tracking=("T1",)),))).state == "unknown"

    def test_several_shares_of_a_line_count_together(self) -> None:
        command = told()
        both = replace(command, lines=(command.lines[0], replace(command.lines[0], fulfilment_order_id="F2", units=2)))

        assert probe(both, some=order(fulfilments=(fulfilment({"A": 3}),))).state == "confirmed"

    def test_lines_that_disagree_prove_nothing(self) -> None:
        command = told()
        both = replace(command, lines=(command.lines[0], replace(command.lines[0], line_id="B")))

        assert probe(both, some=order(fulfilments=(fulfilment({"A": 1}),))).state == "unknown"

    @pytest.mark.parametrize(("ago", "state"), [(29 * SECOND, "unknown"), (30 * SECOND, "lost")], ids=str)
    def test_absence_counts_only_after_a_while(self, ago: timedelta, state: str) -> None:
        assert probe(told(), ago=ago).state == state
        assert probe(told(), ago=ago, some=order(fulfilments=(fulfilment({"A": 1}),))).state == "confirmed"

    @pytest.mark.parametrize("some", [Missing(), DOWN], ids=["missing", "unreadable"])
    def test_a_shop_that_cannot_be_read_proves_nothing(self, some: Missing | Unreadable) -> None:
        assert probe(told(), some=some) == Verdict(state="unknown", note="The shop's order cannot be read.")

    def test_the_warehouse_is_not_asked(self) -> None:
        assert probe(told(), down=True).state == "lost"


@pytest.mark.parametrize(
    "command",
    [
        TakeLock(
            order_id="1", tag="t", metafield="m", value="v", add_tag=True, set_metafield=True, report_progress_on=()
        ),
        LiftLock(order_id="1", tag="t", metafield="m", value="v", remove_tag=True, set_metafield=True, reopen=()),
        PlaceShopHold(fulfilment_order_id="F1", handle="h", notes=""),
        ReleaseShopHold(fulfilment_order_id="F1", hold_ids=("H1",)),
        CarryTime(order_id="1", original_name="#1", original_created_at=NOON),
    ],
    ids=lambda c: c.key.partition(":")[0],
)
def test_what_is_set_to_a_value_is_looked_at_again_and_set_again(command: Command) -> None:
    verdict = probe(command, down=True, some=DOWN, ago=timedelta(0))

    assert verdict == Verdict(state="lost", note="Repeatable: the next look sees whether it is there.")


DESPATCHED = order(fulfilments=(fulfilment({"A": 1}),))
FIVE = order(fulfilments=(fulfilment({"A": 5}, tracking=("T",)),))
AT_ONCE = timedelta(0)


@pytest.mark.parametrize(
    ("command", "seen", "some", "ago", "note"),
    [
        (CREATE, (), None, AT_ONCE, "The warehouse does not show it; it may only be slow."),
        (CREATE, (), None, SETTLE, "The warehouse does not have it."),
        (RECALL, (), None, SETTLE, "The warehouse shows it cancelled or gone."),
        (RECALL, (goods_out(),), None, SETTLE, "The warehouse still holds it."),
        (AMEND, (), None, SETTLE, "The warehouse does not show it any more."),
        (AMEND, (goods_out(1, {"A": 2}),), None, SETTLE, "The warehouse holds the new lines."),
        (AMEND, (goods_out(),), None, SETTLE, "The warehouse does not show the change."),
        (told(), (), None, AT_ONCE, "The shop does not show it; it may only be slow."),
        (told(), (), None, SETTLE, "The shop has not counted them."),
        (told(), (), DESPATCHED, SETTLE, "The shop counts exactly these units as sent."),
        (told(), (), FIVE, SETTLE, "The shop counts other units as sent than before or after: somebody else acted."),
        (told(tracking=("T",)), (), FIVE, SETTLE, "The shop has a fulfilment with these tracking numbers."),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_the_note_says_why(
    command: Command, seen: tuple[GoodsOut, ...], some: ShopOrder | None, ago: timedelta, note: str
) -> None:
    assert probe(command, *seen, some=some, ago=ago).note == note
