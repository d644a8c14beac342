"""What a reconciliation looks at, and what it collects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pickgate.domain.commands import Command
from pickgate.domain.decision import Gate, Reason, Wanted
from pickgate.domain.facts import Approval, GoodsOutRecord, Records
from pickgate.domain.findings import Finding
from pickgate.domain.learn import Known
from pickgate.domain.policy import Policy
from pickgate.domain.shop import ShopOrder


@dataclass(slots=True, kw_only=True)
class Reconciliation:
    commands: list[Command] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    adopted: dict[str, GoodsOutRecord] = field(
        default_factory=dict
    )  # records whose content was put right, by reference
    uncovered: bool = False  # something is wanted that no goods-out of its own holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What reconcile looks at: the order, what we know of each goods-out, what is wanted, and the words of people."""

    order: ShopOrder
    known: Sequence[Known]
    wanted: Sequence[Wanted]
    records: Records
    policy: Policy
    gates: Sequence[Gate]
    fingerprint: str
    ordered_at: datetime
    now: datetime

    @property
    def approval(self) -> Approval | None:
        approval = self.records.approval
        return approval if approval is not None and approval.fingerprint == self.fingerprint else None
