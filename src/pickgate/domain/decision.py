"""What a look decides: commands, gates, exceptions, the next look, and the reasons with their evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from pickgate.domain.commands import Command
from pickgate.domain.facts import GoodsOutRecord
from pickgate.domain.findings import Finding
from pickgate.domain.rules import RuleRow
from pickgate.domain.warehouse import Content


class OrderState(Enum):
    IGNORED = "ignored"
    WAITING = "waiting"
    RELEASING = "releasing"
    IN_WAREHOUSE = "in_warehouse"
    PICKING = "picking"
    PART_DESPATCHED = "part_despatched"
    DESPATCHED = "despatched"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    STOPPED = "stopped"

    @property
    def is_settled(self) -> bool:
        """Nothing is expected to happen any more; the sweep samples these."""
        return self in (
            OrderState.IGNORED,
            OrderState.DESPATCHED,
            OrderState.CANCELLED,
            OrderState.SUPERSEDED,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One reason "not yet". `until` when time alone opens it; otherwise `opens_when` says what would.

    `by_person`: an operator may open it by "release now". `fulfilment_order_id`: closes only that one; None: the order.
    """

    code: str
    detail: str
    until: datetime | None = None
    opens_when: str = ""
    by_person: bool = True
    fulfilment_order_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why something was decided, in words, with the rulebook row where one decided."""

    text: str
    row: RuleRow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What should exist in the warehouse for one fulfilment order (and split group)."""

    fulfilment_order_id: str
    group: str
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRow:
    """One order line in the three systems: the shop's live units, what was decided, what the warehouse holds."""

    line_id: str
    title: str
    sku: str
    shop_units: int
    decided_units: int
    warehouse_units: int
    picked: int
    despatched: int
    fulfilled: int
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The result of one look. Pure data: record it, then act on `commands` in order.

    `records`: our goods-out records after learning from what was read (the ones that `commands` create are not among
    them yet). `fingerprint`: hash of everything wanted; an approval is bound to it.
    """

    state: OrderState
    commands: tuple[Command, ...] = ()
    gates: tuple[Gate, ...] = ()
    findings: tuple[Finding, ...] = ()
    next_look_at: datetime | None = None
    reasons: tuple[Reason, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    records: tuple[GoodsOutRecord, ...] = ()
    comparison: tuple[ComparisonRow, ...] = ()
    locked: bool = False
    fingerprint: str = ""
    superseded_by: str | None = None
    supersedes: tuple[str, ...] = ()
