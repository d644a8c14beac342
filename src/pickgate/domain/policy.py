"""How one shop and its warehouse want to be treated: the settings that a decision looks at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from pickgate.domain.warehouse import Part, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPolicy:
    edit_window: timedelta = timedelta(minutes=30)
    guard: timedelta = timedelta(seconds=60)
    min_age: timedelta = timedelta(minutes=2)
    quiet: timedelta = timedelta(seconds=20)
    hold_tags: tuple[str, ...] = ()
    release_tags: tuple[str, ...] = ()
    stop_tags: tuple[str, ...] = ()
    payment_states: tuple[str, ...] = ("PAID",)
    place_shop_hold: bool = False
    stuck_after: timedelta = timedelta(hours=24)
    unpaid_after: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockPolicy:
    """An empty tag or metafield: not used."""

    tag: str = "pickgate-locked"
    metafield: str = "$app:pickgate.lock"
    report_progress: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RecreatePolicy:
    cancelled_tags: tuple[str, ...] = ("Edit Order - Cancelled",)
    successor_tags: tuple[str, ...] = ("Edit Order", "orderediting:duplicated")
    name_suffix: bool = True
    same_minute: timedelta = timedelta(minutes=1)
    suspect_within: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`amend`: the parts that are amended in place before work begins; every other change is recalled and reissued."""

    window: WindowPolicy = field(default_factory=WindowPolicy)
    lock: LockPolicy = field(default_factory=LockPolicy)
    recreate: RecreatePolicy = field(default_factory=RecreatePolicy)
    work_begins_at: frozenset[Stage] = frozenset({Stage.PICKING, Stage.PART, Stage.COMPLETED})
    amend: frozenset[Part] = frozenset()
    cancel_while_picking: bool = True
    ship_test_orders: bool = False
    delivery_date_attribute: str = ""
    fresh_for: timedelta = timedelta(seconds=30)
    unknown_after: timedelta = timedelta(minutes=15)
    stalled_after: timedelta = timedelta(hours=4)
    recall_patience: timedelta = timedelta(minutes=2)
    recreate_patience: timedelta = timedelta(minutes=10)
    create_settle: timedelta = timedelta(seconds=30)
    tracking_patience: timedelta = timedelta(minutes=5)
    redirect_within: timedelta = timedelta(days=7)  # how long a parcel that left may still be turned by its carrier
    retry_refused_after: timedelta = timedelta(hours=1)
    company_in: str = "name"
    reference_prefix: str = ""
    observe: bool = False
