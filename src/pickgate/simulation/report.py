"""What a run did and found, in figures that a program and a person can read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pickgate.simulation.docket import Violation


@dataclass(slots=True, kw_only=True)
class Report:
    """What a run did and found."""

    seed: int
    orders: int = 0
    looks: int = 0
    faults: int = 0
    crashes: int = 0
    violations: list[Violation] = field(default_factory=list)
    trace: str = ""
    fault_counts: dict[str, int] = field(default_factory=dict)
    stories: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    exceptions: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    unsettled: int = 0

    @property
    def summary(self) -> str:
        """The last line that `pickgate simulate` prints."""
        return last_line([self])

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def last_line(reports: list[Report]) -> str:
    """Sum up one or more runs: "N orders, N looks, N faults, N violations"."""
    orders, looks, faults = (sum(getattr(r, name) for r in reports) for name in ("orders", "looks", "faults"))
    violations = sum(len(report.violations) for report in reports)
    return f"{orders} orders, {looks} looks, {faults} faults, {violations} violations"
