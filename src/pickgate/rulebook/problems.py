"""What is wrong with a rulebook, said so that its author can put it right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_PROBLEMS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One refusal. `row` counts data rows from 1 as decisions do; `line` is where an editor shows it; 0: no row."""

    file: str
    row: int = 0
    line: int = 0
    column: str = ""
    value: str = ""
    reason: str
    remedy: str

    def __str__(self) -> str:
        place = self.file
        if self.row:
            place += f", row {self.row}"
        if self.line:
            place += f" (line {self.line})" if self.row else f", line {self.line}"
        if self.column:
            place += f', column "{self.column}"'
        shown = f"{_shortened(self.value)} " if self.value else ""
        return f"{place}: {shown}{self.reason}. {self.remedy}."


class RulebookRefused(Exception):
    """The tables cannot be used. `problems` holds each one, in the order of the files and rows."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [str(problem) for problem in self.problems[:MAX_PROBLEMS]]
        if len(self.problems) > MAX_PROBLEMS:
            shown.append(f"… and {len(self.problems) - MAX_PROBLEMS} more.")
        super().__init__("\n".join(shown))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that someone who wrote `name` most likely meant."""
    found = difflib.get_close_matches(name, sorted(known), n=1)
    return found[0] if found else None


def _shortened(value: str) -> str:
    shown = value if len(value) <= 60 else value[:57] + "…"
    return f'"{shown}"'.replace("\n", "⏎")
