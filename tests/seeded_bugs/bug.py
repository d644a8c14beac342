"""What a seeded bug is: one textual change of one file, and what is meant to notice it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """`file`: below `src/pickgate`. `old` occurs exactly once in it.

    `laws`: the simulation breaks one of these; the recipe's other fields sharpen the hunt: seeds `1…seeds` of `orders`
    orders each, until one is caught. Where the other nets hide the bug from the simulation, `test` names the test that
    fails instead, by its path below `tests` and its name.
    """

    name: str
    file: str
    old: str
    new: str
    laws: tuple[str, ...] = ()
    test: str = ""
    orders: int = 60
    seeds: int = 6
    stories: tuple[str, ...] | None = None
    faults: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    fault_chance: float = 0.02
    operator_acts: float = 0.08
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
