"""What changed between two versions, row by row."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickgate.rulebook.tables import Row, Tables
from pickgate.rulebook.versions import Change, ChangeKind, diff

A, B, C, D = (("", name, "string1") for name in "abcd")
B2 = ("", "b", "string2")
E = ("", "e", "string1")


def shown(changes: tuple[Change, ...]) -> list[tuple[str, int | None, int | None]]:
    return [(change.kind.value, change.old_row, change.new_row) for change in changes]


CASES: dict[str, tuple[tuple[Row, ...], tuple[Row, ...], list[tuple[str, int | None, int | None]]]] = {
    "nothing": ((A, B), (A, B), []),
    "added": ((A, B), (A, C, B), [("added", None, 2)]),
    "removed": ((A, B, C), (A, C), [("removed", 2, None)]),
    "changed answer": ((A, B, C), (A, B2, C), [("changed", 2, 2)]),
    "changed answer, one row further down": ((A, B), (A, C, B2), [("added", None, 2), ("changed", 2, 3)]),
    "changed question": ((A, B, C), (A, E, C), [("changed", 2, 2)]),
    "moved": ((A, B, C, D), (B, C, D, A), [("moved", 1, 4)]),
    "all new": ((), (A, B), [("added", None, 1), ("added", None, 2)]),
    "all gone": ((A, B), (), [("removed", 1, None), ("removed", 2, None)]),
}


@pytest.mark.parametrize(("old", "new", "expected"), CASES.values(), ids=CASES)
def test_changes(
    old: tuple[Row, ...], new: tuple[Row, ...], expected: list[tuple[str, int | None, int | None]]
) -> None:
    assert shown(diff(Tables(notes=old), Tables(notes=new))) == expected


def test_a_change_names_its_table_its_columns_and_both_texts() -> None:
    [change] = diff(Tables(notes=(A, B)), Tables(notes=(A, B2)))
    assert change == Change(table="notes", kind=ChangeKind.CHANGED, old_row=2, new_row=2, before=B, after=B2)
    assert change.columns == ("field",)


@given(
    old=st.lists(st.sampled_from((A, B, B2, C, D, E)), max_size=7),
    new=st.lists(st.sampled_from((A, B, B2, C, D, E)), max_size=7),
)
def test_changes_account_for_every_row(old: list[Row], new: list[Row]) -> None:
    changes = diff(Tables(notes=tuple(old)), Tables(notes=tuple(new)))
    gone = {change.old_row for change in changes if change.old_row}
    come = {change.new_row for change in changes if change.new_row}
    kept_old = [row for number, row in enumerate(old, start=1) if number not in gone]
    kept_new = [row for number, row in enumerate(new, start=1) if number not in come]
    assert kept_old == kept_new
    for change in changes:
        assert change.before == (old[change.old_row - 1] if change.old_row else None)
        assert change.after == (new[change.new_row - 1] if change.new_row else None)
        assert (change.before == change.after) == (change.kind is ChangeKind.MOVED)
    assert (changes == ()) == (old == new)


def test_thousands_of_rows_are_compared_in_a_moment() -> None:
    rows = [("", f"sku-{number}", "P", "", "") for number in range(4000)]
    other = [(*row[:2], "Q", "", "") if number % 2 else row for number, row in enumerate(rows)]
    assert len(diff(Tables(skus=tuple(rows)), Tables(skus=tuple(other)))) == 2000
    random.Random(5).shuffle(other)
    assert len(diff(Tables(skus=tuple(rows)), Tables(skus=tuple(other)))) > 2000
