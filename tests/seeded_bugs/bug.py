"""What a seeded bug is: one textual change of one file, and what is meant to notice it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """`file`: below `src/pickgate`. `old` occurs exactly once in it. `laws`: those that the simulation breaks, first.

    The recipe's other fields sharpen the hunt: seeds `1…seeds` of `orders` orders each, until one is caught.
    """

    name: str
    file: str
    old: str
    new: str
    laws: tuple[str, ...]
    orders: int = 60
    seeds: int = 6
    stories: tuple[str, ...] | None = None
    faults: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    fault_chance: float = 0.02
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
