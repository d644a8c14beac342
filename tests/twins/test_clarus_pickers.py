from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from pickgate.twins.people import PickerHabits, Pickers
from twins.clarus_kit import JAM, MUG, START, TEA, Kit

STEADY = PickerHabits(
    wave_after_seconds=(300, 300),
    start_after_seconds=(60, 60),
    line_seconds=(30, 30),
    pack_seconds=(90, 90),
    dispatch_after_seconds=(600, 600),
)


def pickers(kit: Kit, **changes: Any) -> Pickers:
    return Pickers(kit.twin, random.Random(5), kit.clock, replace(STEADY, **changes))


def work(kit: Kit, crew: Pickers, seconds: float = 86_400.0) -> None:
    """Let the crew work until nothing is due within the time."""
    until = kit.clock.now().timestamp() + seconds
    while (due := crew.next_due_at()) is not None and due.timestamp() <= until:
        kit.clock.move_to(due)
        crew.tick()


def seconds_of(kit: Kit, number: int, *kinds: str) -> list[tuple[str, float]]:
    events = kit.twin.history.of_subject(f"goods_outs/{number}")
    return [(e.kind, (e.at - START).total_seconds()) for e in events if e.kind in kinds]


def test_normal_flow_takes_its_time_step_by_step() -> None:
    kit = Kit()
    number = kit.order((TEA, 2), (MUG, 1))
    crew = pickers(kit)
    assert crew.next_due_at() is not None and crew.tick() == 0
    work(kit, crew)
    steps = ("allocated", "pick_started", "line_picked", "packed", "dispatched", "shipment_submitted")
    assert seconds_of(kit, number, *steps) == [
        ("allocated", 300),
        ("pick_started", 360),
        ("line_picked", 390),
        ("line_picked", 420),
        ("packed", 510),
        ("dispatched", 1110),
        ("shipment_submitted", 1110),
    ]
    assert (kit.status(number), crew.next_due_at()) == ("COMPLETED", None)


def test_nothing_happens_before_its_time() -> None:
    kit = Kit()
    number = kit.order((TEA, 1))
    crew = pickers(kit)
    crew.tick()
    kit.clock.advance(299)
    assert (crew.tick(), kit.status(number)) == (0, "PENDING")
    kit.clock.advance(1)
    assert (crew.tick(), kit.status(number)) == (1, "ALLOCATED")


def test_drafts_are_left_alone_and_processed_orders_are_taken_up() -> None:
    kit = Kit()
    draft = kit.order((TEA, 1), goods_out_status_id=1)
    ready = kit.order((TEA, 1))
    kit.twin.process_picks(ready)
    work(kit, pickers(kit))
    assert (kit.status(draft), kit.status(ready)) == ("DRAFT", "COMPLETED")


def test_order_without_stock_is_tried_again_until_there_is_some() -> None:
    kit = Kit()
    number = kit.order((JAM, 1))
    crew = pickers(kit, retry_seconds=1000)
    work(kit, crew, 4000)
    assert kit.status(number) == "PENDING"
    kit.stock("JAM", 5)
    work(kit, crew)
    assert kit.status(number) == "COMPLETED"


def test_part_allocated_order_is_sent_in_two_goes() -> None:
    kit = Kit()
    number = kit.order((TEA, 12))
    crew = pickers(kit)
    work(kit, crew, 8000)
    assert (kit.status(number), kit.quantities(number)) == ("PICK", [(12, 10, 10, 10)])
    kit.twin.receive_stock("TEA", 5, account_id=1, warehouse_id=21)
    work(kit, crew)
    assert (kit.status(number), kit.quantities(number)) == ("COMPLETED", [(12, 12, 12, 12)])


def test_cancelled_order_is_dropped_and_its_units_put_back() -> None:
    kit = Kit()
    number = kit.order((TEA, 2), (MUG, 1))
    crew = pickers(kit, put_back_after_seconds=500)
    work(kit, crew, 400)
    assert kit.quantities(number)[0] == (2, 2, 2, 0)
    kit.cancel(number)
    work(kit, crew)
    assert kit.figures("TEA")["received"] == 10
    assert seconds_of(kit, number, "units_put_back") == [("units_put_back", 920)]
    assert kit.twin.history.of_kind("dispatched") == []


def test_deleted_order_is_forgotten() -> None:
    kit = Kit()
    number = kit.order((TEA, 2))
    crew = pickers(kit)
    crew.tick()
    kit.cancel(number)
    work(kit, crew)
    assert kit.kinds(number) == ["goods_out_created", "goods_out_deleted"]


def test_line_whose_shelf_is_empty_goes_short() -> None:
    kit = Kit()
    number = kit.order((TEA, 2), (MUG, 1))
    kit.twin.process_picks(number)
    kit.stock("TEA", 0)
    work(kit, pickers(kit))
    assert (kit.status(number), kit.quantities(number)) == ("COMPLETED", [(2, 0, 0, 0), (1, 1, 1, 1)])


@pytest.mark.parametrize(
    ("habit", "kind"),
    [
        ("short_chance", "line_shorted"),
        ("cancel_pick_list_chance", "pick_list_cancelled"),
        ("bench_address_chance", "bench_changed"),
        ("bench_quantity_chance", "units_put_back"),
        ("stranger_chance", "stranger_added"),
    ],
)
def test_each_habit_shows_when_it_is_certain_and_never_by_default(habit: str, kind: str) -> None:
    for chance, expected in ((0.0, 0), (1.0, 1)):
        kit = Kit()
        number = kit.order((TEA, 3))
        work(kit, pickers(kit, **{habit: chance}))
        assert (kit.status(number), kit.kinds(number).count(kind)) == ("COMPLETED", expected)


def test_two_goes_two_packages_and_late_labels() -> None:
    kit = Kit()
    number = kit.order((TEA, 2), (MUG, 1))
    work(kit, pickers(kit, two_goes_chance=1.0, two_packages_chance=1.0, late_label_chance=1.0))
    assert [kind for kind, _ in seconds_of(kit, number, "dispatched", "shipment_submitted")] == [
        "dispatched",
        "dispatched",
        "shipment_submitted",
        "shipment_submitted",
    ]
    sent = [[line["product_code"] for line in e.detail["lines"]] for e in kit.twin.history.of_kind("dispatched")]
    labels = [len(e.detail["tracking"]) for e in kit.twin.history.of_kind("shipment_submitted")]
    assert (sent, labels, kit.status(number)) == ([["TEA"], ["MUG"]], [2, 2], "COMPLETED")


def test_unconfirmed_dispatches_are_sent_again() -> None:
    kit = Kit()
    number = kit.order((TEA, 1))
    work(kit, pickers(kit, unconfirm_chance=1.0), 2000)
    assert kit.kinds(number).count("dispatch_unconfirmed") == 2
    assert kit.kinds(number).count("dispatched") == 2


def busy_day(seed: int) -> tuple[Kit, list[Any]]:
    kit = Kit()
    for code in ("TEA", "MUG"):
        kit.stock(code, 1000)
    habits = PickerHabits(
        short_chance=0.1,
        cancel_pick_list_chance=0.2,
        two_goes_chance=0.3,
        two_packages_chance=0.2,
        late_label_chance=0.2,
        bench_address_chance=0.2,
        bench_quantity_chance=0.2,
        stranger_chance=0.1,
        unconfirm_chance=0.1,
    )
    crew = Pickers(kit.twin, random.Random(seed), kit.clock, habits)
    shop = random.Random(seed)
    for n in range(60):
        kit.order((TEA, shop.randint(1, 4)), (MUG, shop.randint(1, 4)), reference=f"R{n}")
        work(kit, crew, 60)
    work(kit, crew, 10 * 86_400)
    return kit, [(e.at, e.kind, e.subject, e.detail) for e in kit.twin.history]


def test_busy_day_ends_with_every_order_gone_and_the_same_seed_gives_the_same_day() -> None:
    kit, day = busy_day(1)
    assert len(kit.twin.with_status("COMPLETED")) == 60
    assert {kind for _, kind, _, _ in day} >= {
        "line_shorted",
        "pick_list_cancelled",
        "bench_changed",
        "stranger_added",
        "dispatch_unconfirmed",
    }
    for code in ("TEA", "MUG"):
        figures = kit.figures(code)
        assert (figures["allocated"], figures["picked"], figures["ordered"]) == (0, 0, 0)
    assert busy_day(1)[1] == day
    assert Counter(kind for _, kind, _, _ in busy_day(2)[1]) != Counter(kind for _, kind, _, _ in day)
