"""Stock that never oversells: laws for any interleaving of sales, edits, looks, picks and publications."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from stock_orders import PRODUCTS
from stock_world import World

Result = TypeVar("Result")
EVENTS = ("sell", "sell", "sell", "edit", "cancel", "look", "look", "pick", "despatch", "hand", "receive", "lose")
event = st.tuples(st.sampled_from(EVENTS), st.integers(0, 40), st.integers(1, 3))


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end by hand: nothing in this world waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: Result = stop.value
        return result
    raise AssertionError("the flow waited for something")


class StockMachine(RuleBasedStateMachine):
    @initialize(cups=st.integers(0, 12), teas=st.integers(0, 12), on_hand=st.booleans())
    def open_the_shop(self, cups: int, teas: int, on_hand: bool) -> None:
        self.world = World(on_hand=on_hand)
        self.world.receive("CUP", cups)
        self.world.receive("TEA", teas)
        self.publish([])

    def happen(self, what: tuple[str, int, int]) -> None:
        name, which, units = what
        world = self.world
        skus = list(PRODUCTS)
        if name == "sell":
            world.sell(skus[which % len(skus)], units)
        elif name == "receive":
            world.receive(("CUP", "TEA")[which % 2], units)
        elif name == "lose":
            world.lose(("CUP", "TEA")[which % 2], units)
        elif world.sales:
            sale = world.sales[which % len(world.sales)]
            match name:
                case "edit":
                    world.edit(sale, units)
                case "cancel":
                    world.edit(sale, 0)
                case "look":
                    world.look(sale)
                case "pick":
                    world.pick(sale)
                case "despatch":
                    world.despatch(sale)
                case "hand":
                    world.cancel_by_hand(sale)

    @rule(what=event)
    def something_happens(self, what: tuple[str, int, int]) -> None:
        self.happen(what)

    @rule(during=st.lists(st.none() | event, max_size=25))
    def publish(self, during: list[tuple[str, int, int] | None]) -> None:
        """Publish, with events between its reads and writes. `World.check` looks at every level that is set."""
        queue = list(during)

        def between() -> None:
            self.world.tick()
            if queue and (what := queue.pop(0)) is not None:
                self.happen(what)

        self.world.between = between
        report = run(self.world.flows().publish())
        self.world.between = lambda: None
        assert report.problem == ""

    @rule()
    def come_to_rest(self) -> None:
        """Nothing happens for a while: every order is looked at until nothing moves, and what is shown is the truth."""
        for _ in range(3):
            for sale in self.world.sales:
                self.world.look(sale)
        self.publish([])
        shown = {sku: max(0, self.world.levels[sku].available) for sku in PRODUCTS}
        assert shown == {sku: self.world.promise(sku) for sku in PRODUCTS}
        sent = len(self.world.calls)
        self.publish([])
        assert len(self.world.calls) == sent, "at rest nothing is sent"

    @invariant()
    def units_are_conserved(self) -> None:
        if not hasattr(self, "world"):
            return
        for sku in PRODUCTS:
            mine = [sale for sale in self.world.sales if sale.sku == sku]
            net = self.world.sold[sku] - self.world.restocked[sku]
            assert net == sum(sale.fulfilled for sale in mine) + self.world.committed(sku)
            assert all(0 <= sale.fulfilled <= sale.wanted for sale in mine)
        assert all(units >= 0 for units in self.world.shelf.values())

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.come_to_rest()


TestStock = StockMachine.TestCase
TestStock.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)
