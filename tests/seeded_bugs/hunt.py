"""Runs the simulation on a copy of the source with one bug in it, until a law is broken.

`python -m seeded_bugs.hunt NAME` in a process whose `pickgate` is the changed copy prints "caught LAW SEED ORDERS", or
"not caught".
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from pickgate.simulation.recipe import Recipe, parse_troubles
from pickgate.simulation.run import run
from seeded_bugs.bug import Bug
from seeded_bugs.catalogue import BUGS

TESTS = Path(__file__).parents[1]
SOURCE = TESTS.parent / "src"
_COMPILED = shutil.ignore_patterns("__pycache__")


def change(bug: Bug, text: str) -> str:
    """Put the bug into a file's text. Raises ValueError unless the place is there exactly once."""
    if text.count(bug.old) != 1:
        raise ValueError(f"{bug.name}: its place occurs {text.count(bug.old)} times in {bug.file}")
    return text.replace(bug.old, bug.new)


def copy_with(bug: Bug, folder: Path) -> Path:
    """Copy the source into `folder`, with the bug in it. Returns the folder to import from."""
    shutil.copytree(SOURCE / "pickgate", folder / "pickgate", symlinks=True, ignore=_COMPILED)
    file = folder / "pickgate" / bug.file
    file.write_text(change(bug, file.read_text("utf-8")), "utf-8")
    return folder


def hunt(bug: Bug, folder: Path) -> str:
    """Run the hunt, or the test that is named, in a process of its own. Returns how it ended, in one line."""
    source = copy_with(bug, folder)
    environment = os.environ | {"PYTHONPATH": f"{source}{os.pathsep}{TESTS}", "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "seeded_bugs.hunt", bug.name]
    if bug.test:
        options = ["-q", "-x", "-p", "no:cacheprovider", "-m", "not postgres", "-o", f"pythonpath={source} {TESTS}"]
        command = [sys.executable, "-m", "pytest", *options, str(TESTS / bug.test)]
    done = subprocess.run(
        command, env=environment, cwd=TESTS.parent, capture_output=True, text=True, check=False, timeout=600
    )
    if bug.test:
        return f"caught {bug.test}" if done.returncode == 1 else f"not caught: pytest ended with {done.returncode}"
    lines = done.stdout.strip().splitlines()
    return lines[-1] if lines else done.stderr[-2000:]


def recipe_of(bug: Bug, seed: int) -> Recipe:
    """The run in which the bug is looked for."""
    return Recipe(
        seed=seed,
        orders=bug.orders,
        faults=None if bug.faults is None else parse_troubles(",".join(bug.faults) or "none"),
        fault_chance=bug.fault_chance,
        operator_acts=bug.operator_acts,
        without=bug.without,
        stories=bug.stories,
        settings=bug.settings,
    )


def _hunt_here(bug: Bug) -> str:
    for seed in range(1, bug.seeds + 1):
        laws = [violation.law for violation in run(recipe_of(bug, seed)).violations]
        if laws:
            return f"caught {'+'.join(dict.fromkeys(laws))} seed {seed}, {bug.orders} orders"
    return "not caught"


if __name__ == "__main__":
    print(_hunt_here(BUGS[sys.argv[1]]))
