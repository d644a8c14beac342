"""Fixed seeds, played to their end: no law is broken, and the runs went where they claim to have gone."""

from __future__ import annotations

import pytest

from pickgate.simulation.recipe import Mischief, Recipe
from pickgate.simulation.report import Report, last_line
from pickgate.simulation.run import run
from pickgate.simulation.stories import STORIES
from pickgate.twins.faults import Fault

SAMPLE = range(101, 108)


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    return [run(Recipe(seed=seed, orders=60)) for seed in SAMPLE]


def test_no_law_is_broken(reports: list[Report]) -> None:
    broken = [f"seed {report.seed}: {violation}" for report in reports for violation in report.violations]
    assert broken == []


def test_about_one_fault_for_each_order_or_more(reports: list[Report]) -> None:
    assert sum(report.faults for report in reports) >= sum(report.orders for report in reports)


def test_the_sample_meets_most_kinds_of_trouble(reports: list[Report]) -> None:
    met = {kind for report in reports for kind in report.fault_counts}
    missing = {str(fault) for fault in Fault} - met
    assert missing == set()
    assert {"crashes", "operators", "slow_answers", "subscriptions_deleted"} <= met
    assert met & {"storm_429", "storm_503"}


def test_each_seed_switches_some_kinds_off(reports: list[Report]) -> None:
    kinds = {frozenset(report.fault_counts) for report in reports}
    assert len(kinds) == len(reports)


def test_the_sample_ends_in_many_ways(reports: list[Report]) -> None:
    states = {state for report in reports for state in report.states}
    codes = {code for report in reports for code in report.exceptions}
    assert {"ignored", "despatched", "cancelled", "superseded", "waiting"} <= states
    assert {
        "LATE_EDIT", "CANCEL_TOO_LATE", "PUT_BACK", "DUPLICATE_SUSPECTED", "WMS_ORDER_MISSING", "OVER_DESPATCH",
        "PART_FULFILMENT_STALLED", "LOCK_NOT_TAKEN",
    } <= codes  # fmt: skip


def test_orders_that_no_page_holds_and_small_pages() -> None:
    recipe = Recipe(seed=7, orders=3, stories=("many_lines",), faults=(Mischief.SMALL_PAGES, Fault.TRUNCATED_BODY))
    report = run(recipe)
    assert (report.violations, sum(report.states.values())) == ([], 3)


def test_without_faults_everything_plain_is_despatched() -> None:
    report = run(Recipe(seed=1, orders=20, faults=(), stories=("plain",)))
    assert (report.faults, report.violations, report.unsettled) == (0, [], 0)
    assert report.states == {"despatched": 20}
    assert report.summary == last_line([report]) == f"20 orders, {report.looks} looks, 0 faults, 0 violations"


@pytest.mark.parametrize("story", sorted(STORIES))
def test_each_story_alone(story: str) -> None:
    orders = 1 if story == "many_lines" else 4
    report = run(Recipe(seed=11, orders=orders, stories=(story,)))
    assert report.violations == []
    assert report.stories == {story: orders}
