"""History is enough: whatever happens, any order can be rebuilt as it was, and no unit appears or vanishes."""

from __future__ import annotations

import random
from collections import defaultdict
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest

from pickgate.twins.clarus import ClarusRefusal, ImpossibleOnTheFloor, content_at
from pickgate.twins.clarus.knobs import ALL_GROUPS
from twins.clarus_kit import MUG, TEA, Kit, add


def do_anything(kit: Kit, rng: random.Random) -> None:
    twin = kit.twin
    orders = twin.with_status("DRAFT", "PENDING", "ALLOCATED", "PART_ALLOCATED", "PICK", "COMPLETED", "CANCELLED")
    if not orders or rng.random() < 0.06:
        kit.order((TEA, rng.randint(1, 4)), (MUG, rng.randint(1, 4)))
        return
    order = rng.choice(orders)
    line = rng.choice(order.lines) if order.lines else None
    some = float(rng.randint(1, 3))
    line_id = line.id if line else 0
    update = {"type": "UPDATE", "attributes": {"order_quantity": some}, "id": line_id}
    choices: list[Any] = [
        lambda: kit.patch(order.id, lines_changes=[add(TEA, some), update]),
        lambda: kit.patch(order.id, lines_changes=[{"type": "DESTROY", "id": line_id}]),
        lambda: kit.patch(order.id, address={"address_1": str(rng.random())}),
        lambda: kit.cancel(order.id) if rng.random() < 0.2 else None,
        lambda: twin.delete_by_hand(order.id) if rng.random() < 0.1 else None,
        *[lambda: twin.process_picks(order.id)] * 4,
        *[lambda: twin.pick(line_id, some)] * 4,
        *[lambda: twin.finish_picking(order.id)] * 2,
        lambda: twin.short(line_id) if rng.random() < 0.3 else None,
        lambda: twin.cancel_pick_list(order.id) if rng.random() < 0.3 else None,
        lambda: twin.bench_change(order.id, quantities={line_id: some}),
        lambda: twin.add_stranger_line(order.id, "MUG", some),
        lambda: twin.substitute(line_id, "TEA", some),
        lambda: twin.edit_by_hand(order.id, {"lines_changes": [add(MUG, some), update]}),
        lambda: twin.dispatch(order.id),
        lambda: twin.dispatch(order.id, units={line_id: some}),
        lambda: twin.unconfirm_dispatch(order.id) if rng.random() < 0.3 else None,
        lambda: twin.put_back(order.id),
        lambda: twin.receive_stock(rng.choice(["TEA", "MUG"]), some, account_id=1, warehouse_id=21),
    ]
    with suppress(ClarusRefusal, ImpossibleOnTheFloor):
        rng.choice(choices)()


@pytest.mark.parametrize("seed", range(6))
def test_every_past_state_can_be_rebuilt(seed: int) -> None:
    kit = Kit(amendable=dict.fromkeys(("PENDING", "ALLOCATED", "PART_ALLOCATED"), ALL_GROUPS))
    rng = random.Random(seed)
    kit.stock("TEA", 500)
    kit.stock("MUG", 500)
    seen: list[tuple[datetime, dict[int, Any]]] = []
    for _ in range(600):
        kit.clock.advance(1)
        do_anything(kit, rng)
        now = kit.clock.now()
        numbers = {int(e.detail["goods_out_id"]) for e in kit.twin.history if e.at == now and "reference" in e.detail}
        state = {n: kit.twin.content(n) if kit.twin.find_goods_out(n) else None for n in numbers}
        seen.append((now, state))
    by_order = defaultdict(list)
    for event in kit.twin.history:
        by_order[event.subject].append(event)
    assert sum(len(state) for _, state in seen) > 100
    for at, state in seen:
        for number, content in state.items():
            assert content_at(by_order[f"goods_outs/{number}"], number, at) == content


@pytest.mark.parametrize("seed", range(6))
def test_no_unit_appears_or_vanishes(seed: int) -> None:
    kit = Kit(amendable=dict.fromkeys(("PENDING", "ALLOCATED", "PART_ALLOCATED"), ALL_GROUPS))
    rng = random.Random(seed)
    kit.stock("TEA", 500)
    kit.stock("MUG", 500)
    for _ in range(600):
        kit.clock.advance(1)
        do_anything(kit, rng)
    for code in ("TEA", "MUG"):
        changes = [e.detail for e in kit.twin.history.of_kind("stock_changed") if e.detail["product_code"] == code]
        came = sum(c["units"] for c in changes if c["because"] in ("counted_up", "received"))
        left = -sum(c["units"] for c in changes if c["because"] in ("dispatched", "undispatched"))
        figures = kit.figures(code)
        assert figures["received"] + figures["picked"] + left == came
        lines = [
            line
            for order in kit.twin.with_status("PICK", "ALLOCATED", "PART_ALLOCATED", "CANCELLED", "COMPLETED")
            for line in order.lines
            if {TEA: "TEA", MUG: "MUG"}[line.product_id] == code
        ]
        assert figures["allocated"] == sum(line.to_pick for line in lines) >= 0
        assert figures["picked"] == sum(line.to_dispatch for line in lines) >= 0


def test_nothing_before_creation_and_nothing_after_deletion() -> None:
    kit = Kit()
    before = kit.clock.now()
    kit.clock.advance(10)
    number = kit.order((TEA, 1))
    made = kit.clock.now()
    kit.clock.advance(10)
    kit.cancel(number)
    history = kit.twin.history
    assert content_at(history, number, before) is None
    made_content = content_at(history, number, made)
    assert made_content is not None and made_content["status"] == "PENDING"
    assert content_at(history, number, kit.clock.now()) is None
