"""The table of scenarios is complete: 61 rows, each with its tests, and no test that no row names."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TABLE = ROOT / "docs" / "reference" / "scenarios.md"
_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/simulation/test_scenarios_\w+\.py)::(test_row_(\d\d)_\w+)`")


def rows() -> dict[int, list[tuple[str, str, int]]]:
    """The tests (file, name, row number in the name) by row of the table. Fails on a row that stands there twice."""
    found: dict[int, list[tuple[str, str, int]]] = {}
    for number, scenario, answer, tests in _ROW.findall(TABLE.read_text("utf-8")):
        assert int(number) not in found
        assert scenario.strip()
        assert answer.strip().endswith(".")
        found[int(number)] = [(file, name, int(n)) for file, name, n in _TEST.findall(tests)]
    return found


def written() -> set[tuple[str, str]]:
    """(file, name) of every test that is named after a row."""
    return {
        (str(file.relative_to(ROOT)), name)
        for file in HERE.glob("test_scenarios_*.py")
        for name in re.findall(r"^def (test_row_\d\d_\w+)\(", file.read_text("utf-8"), re.MULTILINE)
    }


def test_every_row_is_there_in_order() -> None:
    assert list(rows()) == list(range(1, 62))


def test_every_row_names_its_own_tests() -> None:
    wrong = {n: tests for n, tests in rows().items() if not tests or any(of != n for _, _, of in tests)}
    assert wrong == {}


def test_every_named_test_exists_and_every_test_is_named() -> None:
    named = {(file, name) for tests in rows().values() for file, name, _ in tests}
    assert named == written()
