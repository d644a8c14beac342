"""Each safety net, taken away: something breaks that the same run with the net does not break. So each net holds.

Nets cover one another. Where one is hidden by another, both runs go without that other one (`others`). The nets inside
a look (fresh read, no new hint) are in `test_one_look.py`. Recognising a webhook that comes twice is no such net: a
hint is only a reason to look, so a second one changes nothing but the number of looks.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pickgate.simulation.recipe import Mischief, Recipe
from pickgate.simulation.run import run
from pickgate.simulation.transports import Storm
from pickgate.twins.faults import Fault
from simulation.stage import Stage

LOST = Recipe(seed=1, orders=40, faults=(Fault.WEBHOOK_LOST,), fault_chance=0.45)
UNSURE = Recipe(seed=1, orders=8, faults=(Fault.LOST_AFTER,), fault_chance=1.0, stories=("plain",))
DELETED = Recipe(seed=1, orders=40, faults=(Mischief.SUBSCRIPTIONS_DELETED,))
CALM = Recipe(seed=1, orders=30, faults=())

CASES = [
    pytest.param("poll", (), LOST, {"L1"}, id="poll"),
    pytest.param("sweep", (), LOST, {"I3d"}, id="sweep"),
    pytest.param("mend", ("sweep",), DELETED, {"I3d"}, id="mend"),
    pytest.param("hints", ("sweep",), CALM, {"I3d"}, id="hints"),
    pytest.param("probe", (), UNSURE, {"I8c"}, id="probe"),
    pytest.param("look_after_action", (), replace(LOST, seed=2), {"I12", "I1c", "I8t"}, id="look_after_action"),
]


@pytest.mark.parametrize(("net", "others", "recipe", "laws"), CASES)
def test_without_it_something_breaks(net: str, others: tuple[str, ...], recipe: Recipe, laws: set[str]) -> None:
    with_it = run(replace(recipe, without=others))
    without_it = run(replace(recipe, without=(*others, net)))
    assert with_it.violations == []
    assert {violation.law for violation in without_it.violations} & laws


def test_webhooks_that_come_twice_change_nothing() -> None:
    doubled = run(replace(LOST, faults=(Fault.WEBHOOK_DOUBLED, Fault.WEBHOOK_REORDERED, Fault.WEBHOOK_DELAYED)))
    assert doubled.fault_counts["webhook_doubled"] > 100
    assert doubled.violations == []


def test_a_sweep_that_failed_is_made_up_for_by_the_next() -> None:
    """No webhook comes, and the first sweep after the order meets a shop that answers nothing but 503."""
    stage = Stage()
    stage.simulation.hints = False
    stage.wait(minutes=5)
    order = stage.order({"MUG-BLU": 1})
    start, end = stage.now + timedelta(minutes=4), stage.now + timedelta(minutes=8)
    stage.simulation.weather.storms.append(Storm(side="shop", start=start, end=end, status=503))
    stage.wait(minutes=9)
    assert stage.simulation.weather.counts["storm_503"] > 0
    assert stage.simulation.store.orders == {}
    stage.wait(minutes=8)
    assert stage.state(order) == "waiting"
