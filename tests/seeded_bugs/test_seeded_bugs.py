"""Does the oracle see? Every deliberate bug is caught; the document that lists them is kept true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pickgate.simulation.recipe import Recipe
from pickgate.simulation.run import run
from seeded_bugs.bug import Bug
from seeded_bugs.catalogue import BUGS
from seeded_bugs.hunt import SOURCE, TESTS, change, hunt, recipe_of

DOCUMENT = TESTS.parent / "docs" / "reference" / "seeded-bugs.md"
# Quick ones, from each file, for every run; `make prove` hunts them all.
SAMPLE = ("hold_tag_ignored", "late_cancel_not_said", "sibling_not_seen", "lock_never_taken", "tracking_dropped")
RECIPES = {repr(recipe): recipe for recipe in (recipe_of(bug, 1) for bug in BUGS.values() if bug.laws)}


def _caught_by(bug: Bug) -> str:
    path, _, name = bug.test.partition("::")
    return f"`tests/{path}`: `{name}`" if bug.test else ", ".join(bug.laws)


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_its_place_is_there_once(bug: Bug) -> None:
    text = (SOURCE / "pickgate" / bug.file).read_text("utf-8")
    assert change(bug, text) != text
    assert bool(bug.test) is not bool(bug.laws)


def test_there_are_forty_and_more() -> None:
    assert len(BUGS) >= 40


def test_the_document_lists_exactly_these() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([\w/.]+)` \| (.+) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted((bug.name, bug.file, _caught_by(bug)) for bug in BUGS.values())


def test_every_law_is_explained_and_broken_by_something() -> None:
    source = "".join(file.read_text("utf-8") for file in (SOURCE / "pickgate" / "simulation").glob("*.py"))
    laws = {"I1c", "I12", *re.findall(r'breaks\(\s*"(\w+)"', source)}
    table = (DOCUMENT.parent / "simulation.md").read_text("utf-8").partition("## The laws")[2].partition("## Nets")[0]
    explained = {law for row in re.findall(r"^\| (I?[\w, ]+) \|", table, re.MULTILINE) for law in row.split(", ")}
    by_hand = "".join(
        (TESTS / "simulation" / f"test_{name}.py").read_text("utf-8") for name in ("oracle", "stock_days")
    )
    broken = {law for bug in BUGS.values() for law in bug.laws} | {law for law in laws if f'"{law}"' in by_hand}
    assert {"I1a", "S1", "S2", "S3"} <= laws
    assert (explained - {"law"}, broken) == (laws, laws)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_sample_is_caught(name: str, tmp_path: Path) -> None:
    _assert_caught(BUGS[name], tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_every_one_is_caught(bug: Bug, tmp_path: Path) -> None:
    _assert_caught(bug, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=range(len(RECIPES)))
def test_without_a_bug_the_same_recipe_breaks_nothing(recipe: Recipe) -> None:
    assert run(recipe).violations == []


def _assert_caught(bug: Bug, folder: Path) -> None:
    result = hunt(bug, folder)
    if bug.test:
        assert result == f"caught {bug.test}"
    else:
        found = re.match(r"caught ([\w+]+) seed", result)
        assert found is not None, result
        assert set(found[1].split("+")) & set(bug.laws), result
