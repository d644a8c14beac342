"""A version of the rulebook, and what changed between two. Shapes only: versions are kept in `store/`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from enum import Enum

from pickgate.rulebook.tables import SHAPES, Row, Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class RulebookVersion:
    """`published_at` None: a draft. Tables never change once a version is stored; a change is a new version."""

    number: int
    tables: Tables
    created_at: datetime
    created_by: str
    published_at: datetime | None = None
    note: str = ""


class ChangeKind(Enum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row's change. Rows are numbered from 1 in their own version; None: it was not there."""

    table: str
    kind: ChangeKind
    old_row: int | None
    new_row: int | None
    before: Row | None
    after: Row | None

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the columns whose cells differ; of a row added, removed or moved, none."""
        if self.before is None or self.after is None:
            return ()
        names = SHAPES[self.table].names
        return tuple(name for name, a, b in zip(names, self.before, self.after, strict=True) if a != b)


def diff(old: Tables, new: Tables) -> tuple[Change, ...]:
    """Return the changes table by table, in the order of the new rows; removed rows stand where they were.

    A row that is only elsewhere is MOVED: in a first-match table the order decides.
    """
    return tuple(change for table in SHAPES for change in _diff_rows(table, old.rows(table), new.rows(table)))


def _diff_rows(table: str, old: Sequence[Row], new: Sequence[Row]) -> list[Change]:
    pairs: list[tuple[int, int]] = []
    gone: list[int] = []
    come: list[int] = []
    for operation, a, a_end, b, b_end in _opcodes(old, new):
        if operation != "equal":
            pairs += _pair(table, old, new, range(a, a_end), range(b, b_end))
            gone += range(a, a_end)
            come += range(b, b_end)
    moved = _find_moved(old, new, *_without(pairs, gone, come))
    removed, added = _without(pairs + moved, gone, come)
    changes = [
        *(_change(table, ChangeKind.CHANGED, old, new, a, b) for a, b in pairs),
        *(_change(table, ChangeKind.MOVED, old, new, a, b) for a, b in moved),
        *(_change(table, ChangeKind.REMOVED, old, new, a, None) for a in removed),
        *(_change(table, ChangeKind.ADDED, old, new, None, b) for b in added),
    ]
    return sorted(changes, key=lambda change: (change.new_row or change.old_row or 0, change.new_row is not None))


def _opcodes(old: Sequence[Row], new: Sequence[Row]) -> list[tuple[str, int, int, int, int]]:
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    middle = SequenceMatcher(None, old[start : len(old) - end], new[start : len(new) - end], autojunk=False)
    return [(op, a + start, a_end + start, b + start, b_end + start) for op, a, a_end, b, b_end in middle.get_opcodes()]


def _pair(
    table: str, old: Sequence[Row], new: Sequence[Row], gone: Sequence[int], come: Sequence[int]
) -> list[tuple[int, int]]:
    """Pair the rows of one replaced stretch that ask the same; what is left too, if it is equally many rows."""
    width = len(SHAPES[table].inputs)
    by_question: dict[Row, list[int]] = {}
    for at in come:
        by_question.setdefault(new[at][:width], []).append(at)
    pairs = []
    for at in gone:
        if same := by_question.get(old[at][:width]):
            pairs.append((at, same.pop(0)))
    left, right = _without(pairs, gone, come)
    if len(left) == len(right):
        before, after = set(old), set(new)
        pairs += [(a, b) for a, b in zip(left, right, strict=True) if old[a] not in after and new[b] not in before]
    return pairs


def _without(pairs: Sequence[tuple[int, int]], gone: Sequence[int], come: Sequence[int]) -> tuple[list[int], list[int]]:
    paired_old = {one for one, _ in pairs}
    paired_new = {other for _, other in pairs}
    return [at for at in gone if at not in paired_old], [at for at in come if at not in paired_new]


def _find_moved(old: Sequence[Row], new: Sequence[Row], removed: list[int], added: list[int]) -> list[tuple[int, int]]:
    places: dict[Row, list[int]] = {}
    for at in added:
        places.setdefault(new[at], []).append(at)
    moved = []
    for at in removed:
        if places.get(old[at]):
            moved.append((at, places[old[at]].pop(0)))
    return moved


def _change(
    table: str, kind: ChangeKind, old: Sequence[Row], new: Sequence[Row], a: int | None, b: int | None
) -> Change:
    return Change(
        table=table,
        kind=kind,
        old_row=None if a is None else a + 1,
        new_row=None if b is None else b + 1,
        before=None if a is None else old[a],
        after=None if b is None else new[b],
    )
