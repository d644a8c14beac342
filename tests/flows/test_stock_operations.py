"""The stock operations: who may ask, what they answer, and that a publication on demand is audited first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from pickgate.operations.context import OperationContext
from pickgate.operations.errors import NotAllowed, Unavailable
from pickgate.operations.registry import run_operation
from pickgate.operations.roles import Actor, Role
from pickgate.operations.stock import StockAnswer, StockRow
from pickgate.operations.stock_ports import StockCounter
from stock_world import World


class Levels:
    """One page of two levels."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []

    async def list_levels(self, **asked: Any) -> tuple[Sequence[Mapping[str, Any]], int]:
        self.asked.append(asked)
        row = dict.fromkeys(("available", "committed", "sellable", "unseen", "promised", "buffer", "target"), 1)
        return [row | {"shop": "uk", "location_id": "L1", "sku": "CUP", "action": "same", "why": ""}], 2


class Desk:
    def __init__(self, *, role: Role = Role.OPS, shops: frozenset[str] | None = None, stock: bool = True) -> None:
        self.world = World()
        self.world.receive("CUP", 8)
        self.levels = Levels()
        self.audited: list[tuple[str, str]] = []

        async def audit(**entry: Any) -> None:
            self.audited.append((entry["actor"], entry["action"]))

        nothing = cast(Any, None)  # what stock never asks
        self.context = OperationContext(
            actor=Actor(name="ann", role=role, shops=shops), reads=nothing, actions=nothing, wake=nothing,
            replay=nothing, audit=cast(Any, audit), clock=self.world.clock,
            stock=StockCounter(flows=self.world.flows(), rows=self.levels) if stock else None,
        )  # fmt: skip

    async def run(self, operation: str, **values: Any) -> Any:
        return await run_operation(self.context, operation, values)


async def test_a_preview_says_what_would_be_set_and_why() -> None:
    desk = Desk(role=Role.VIEWER)
    answer = await desk.run("preview_stock")
    assert isinstance(answer, StockAnswer)
    assert [(row.sku, row.available, row.target, row.action) for row in answer.items] == [("CUP", 0, 8, "return")]
    assert answer.items[0].why == ("The warehouse can sell 8; 0 are sold and were not in its figures; 0 kept back: 8.")
    assert (answer.dry_run, answer.places[0].to_set, desk.world.calls, desk.audited) == (True, 1, [], [])


async def test_named_skus_are_shown_even_when_nothing_is_to_be_done() -> None:
    answer = await Desk().run("preview_stock", skus="TEA,SET")
    assert [(row.sku, row.action) for row in answer.items] == [("TEA", "same"), ("SET", "same")]


async def test_a_publication_is_audited_and_carried_out() -> None:
    desk = Desk()
    answer = await desk.run("publish_stock", reason="stocktake over")
    assert (answer.places[0].published, answer.places[0].calls, desk.audited) == (1, 1, [("ann", "publish_stock")])
    assert desk.world.levels["CUP"].available == 8


async def test_a_dry_run_is_neither_audited_nor_carried_out() -> None:
    desk = Desk()
    answer = await desk.run("publish_stock", dry_run=True)
    assert (answer.dry_run, answer.places[0].to_set, desk.world.calls, desk.audited) == (True, 1, [], [])


@pytest.mark.parametrize(
    "desk", [Desk(role=Role.VIEWER), Desk(role=Role.CX), Desk(shops=frozenset({"uk"}))], ids=["viewer", "cx", "shop"]
)
async def test_who_may_not_publish(desk: Desk) -> None:
    with pytest.raises(NotAllowed):
        await desk.run("publish_stock")
    assert (desk.world.calls, desk.audited) == ([], [])


async def test_other_shops_are_not_shown() -> None:
    answer = await Desk(shops=frozenset({"de"})).run("preview_stock")
    assert (answer.items, answer.total) == ([], 0)


async def test_the_list_is_paged_and_narrowed_to_what_may_be_seen() -> None:
    desk = Desk(shops=frozenset({"uk"}))
    page = await desk.run("list_stock", q="cup", limit=1)
    assert (page.total, page.next_cursor, [type(row) for row in page.items]) == (2, "o1", [StockRow])
    assert desk.levels.asked == [
        {"q": "cup", "shops": frozenset({"uk"}), "only_differing": False, "limit": 1, "offset": 0}
    ]


async def test_without_stock_it_says_so() -> None:
    with pytest.raises(Unavailable):
        await Desk(stock=False).run("list_stock")
