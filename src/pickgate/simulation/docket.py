"""What lies before the judge beside the truth: what Pickgate and its operators said, and how long things may take.

A word excuses only the difference that it is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pickgate.simulation.truth import OrderTruth

# Which words excuse which difference. One that is not listed excuses nothing.
SURPLUS = frozenset({
    "LATE_EDIT", "CANCEL_TOO_LATE", "OVER_DESPATCH", "UNKNOWN_DESPATCH", "WMS_CHANGED_BY_HAND", "SYNC_ILLUSION",
    "DUPLICATE_SUSPECTED", "WMS_ORDER_MISSING", "EFFECT_UNKNOWN", "ORDER_FROZEN",
})  # fmt: skip
MISSING = frozenset({
    "LATE_EDIT", "PART_FULFILMENT_STALLED", "WMS_ORDER_MISSING", "WMS_CHANGED_BY_HAND", "SYNC_ILLUSION", "WMS_REFUSED",
    "SKU_UNMAPPED", "LOCATION_UNMAPPED", "SERVICE_UNMAPPED", "ADDRESS_UNUSABLE", "EFFECT_UNKNOWN", "ORDER_FROZEN",
    "CANCEL_TOO_LATE",
})  # fmt: skip
UNTOLD = frozenset({"OVER_DESPATCH", "UNKNOWN_DESPATCH", "CANCEL_TOO_LATE", "SHOP_REFUSED", "EFFECT_UNKNOWN"})
TWINS = frozenset({"DUPLICATE_SUSPECTED"})
UNLOCKED = frozenset({"LOCK_NOT_TAKEN", "SHOP_REFUSED", "EFFECT_UNKNOWN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenException:
    """An exception that Pickgate had open: for which shop order id, from when to when (None: still), who closed it."""

    code: str
    order_id: str
    opened_at: datetime
    closed_at: datetime | None = None
    by_person: bool = False

    @property
    def stands(self) -> bool:
        """Open, or closed by a person who knows: its cause may still be there."""
        return self.closed_at is None or self.by_person


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenGate:
    """A gate that Pickgate says is closed, and until when (None: until something happens)."""

    code: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What an operator said about an order: `release`, `hold`, `unhold` or `take_back`."""

    at: datetime
    order_id: str
    verb: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AtRest:
    """How the shop shows an order when everything has come to rest. `metafields` by key."""

    tags: tuple[str, ...]
    financial_status: str
    owed: bool
    held: bool
    metafields: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    law: str
    order: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.law} {self.order}: {self.evidence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the laws allow.

    `fresh`: how old a read may be at a release. `notice`: how long a change may go unseen when every webhook is lost.
    `quick`: the same for the start of work, which the poll sees. `window`: how long after its creation an order may not
    be released. `skew`: how far our clock may be from the shop's.
    """

    fresh: timedelta = timedelta(seconds=45)
    notice: timedelta = timedelta(minutes=15)
    quick: timedelta = timedelta(minutes=6)
    label_patience: timedelta = timedelta(minutes=5)
    window: timedelta = timedelta(0)
    skew: timedelta = timedelta(0)
    hold_tags: tuple[str, ...] = ()
    lock_tag: str = "pickgate-locked"


@dataclass(slots=True, kw_only=True)
class Docket:
    """Everything that the laws may look at beside an order's truth."""

    bounds: Bounds
    exceptions: Mapping[str, Sequence[SeenException]]
    words: Mapping[str, Sequence[Word]] = field(default_factory=dict)
    gates: Mapping[str, Sequence[SeenGate]] | None = None
    rest: Mapping[str, AtRest] = field(default_factory=dict)
    successors: Mapping[str, str] = field(default_factory=dict)
    troubled: Sequence[tuple[datetime, datetime]] = ()
    end: datetime | None = None

    def said(self, order: OrderTruth, codes: frozenset[str], *, by: datetime, since: datetime | None = None) -> bool:
        """Whether one of these exceptions was opened by an instant, and was not over before `since`."""
        return any(
            seen.code in codes
            and seen.opened_at <= by
            and (since is None or seen.stands or (seen.closed_at is not None and seen.closed_at >= since))
            for seen in self.exceptions.get(order.id, ())
        )

    def stands(self, order: OrderTruth, codes: frozenset[str]) -> bool:
        """Whether one of these exceptions stands at rest."""
        return any(seen.code in codes and seen.stands for seen in self.exceptions.get(order.id, ()))

    def released_by_person(self, order: OrderTruth, *, by: datetime) -> bool:
        """Whether a person has released the order as it is at an instant: a word is about what was there to be seen."""
        version = order.version_at(by)
        return any(
            word.verb == "release"
            and word.at <= by
            and version in order.versions_between(word.at - self.bounds.notice, word.at)
            for word in self.words.get(order.id, ())
        )

    def deadline(self, start: datetime, bound: timedelta) -> datetime:
        """When something must have happened; a storm on the way gives three times its length more."""
        due = start + bound
        for begins, ends in self.troubled:
            if begins < due and ends > start:
                due += 3 * (ends - begins)
        return due


def breaks(law: str, order: OrderTruth, evidence: str) -> Violation:
    return Violation(law=law, order=f"{order.name} ({order.id})", evidence=evidence)


def exceptions_by_order(exceptions: Iterable[SeenException]) -> dict[str, list[SeenException]]:
    by_order: dict[str, list[SeenException]] = defaultdict(list)
    for seen in exceptions:
        by_order[seen.order_id].append(seen)
    return by_order
