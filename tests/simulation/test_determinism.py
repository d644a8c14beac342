"""The same seed and the same source give the same run, whatever the order of Python's sets and dictionaries."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from pickgate.simulation.recipe import Recipe
from pickgate.simulation.report import Report
from pickgate.simulation.run import judge, play, run

RECIPE = Recipe(seed=42, orders=25)


@pytest.fixture(scope="module")
def report() -> Report:
    return run(RECIPE)


def test_same_seed_same_report(report: Report) -> None:
    """The second time with its journal kept, which changes nothing."""
    assert judge(play(RECIPE, keep_journal=True)) == report


def test_another_seed_is_another_run(report: Report) -> None:
    assert run(replace(RECIPE, seed=43)).trace != report.trace


def test_same_trace_under_another_hash_seed(report: Report) -> None:
    program = (
        "from pickgate.simulation.recipe import Recipe\n"
        "from pickgate.simulation.run import run\n"
        "print(run(Recipe(seed=42, orders=25)).trace)"
    )
    traces = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert traces == {report.trace}
