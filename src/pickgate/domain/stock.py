"""What each stock level of the shop should be, and which ones to set now.

    available to promise = what the warehouse can sell − demand that it had not seen in that snapshot − the buffer

The demand that it had not seen is measured where it arises: the shop commits a unit the moment it is sold, so it is
what the shop has committed less the units that provably were in the warehouse when the snapshot was taken. An order
that nobody has looked at yet, one that waits at a gate and one whose creation is not confirmed all count by
themselves. (ADR 0010)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from pickgate.domain.facts import Unreadable
from pickgate.domain.findings import Finding
from pickgate.domain.rules import Place, Product
from pickgate.domain.stock_gate import Held, find_implausible, implausible_finding, unreadable_finding
from pickgate.domain.stock_policy import Balance, StockPolicy

LevelKey = tuple[str, str, str]
"""Shop, location, inventory item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockSnapshot:
    """What the warehouse said of one place. `asked`: the product codes asked for; None: all of them.

    A product that is not among `balances` has no stock record there. One that could not be understood is Unreadable.
    """

    place: Place
    begun_at: datetime
    balances: Mapping[str, Balance | Unreadable]
    asked: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopLevel:
    """One item's quantities at one location of a shop, and the warehouse's products behind one unit of it."""

    shop: str
    location_id: str
    item_id: str
    level_id: str
    sku: str
    available: int
    committed: int
    on_hand: int
    reserved: int = 0
    safety_stock: int = 0
    tracked: bool = True
    products: tuple[Product, ...] = ()

    @property
    def key(self) -> LevelKey:
        return self.shop, self.location_id, self.item_id


@dataclass(frozen=True, slots=True, kw_only=True)
class LastLevel:
    """What we remember of a level. `published`: units available that we last set; None: never set by us.

    `rises_since`: since when it could have been higher by a few units. `conflicts`: how many publications in a row
    ended with somebody else's value. `refused`: the shop's code for an item that can't be set at all.
    """

    published: int | None = None
    snapshot_at: datetime | None = None
    rises_since: datetime | None = None
    conflicts: int = 0
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenUnits:
    """Units of one SKU at one location that are committed in the shop and in the warehouse, too.

    `proven`: nothing has happened to their orders between before the snapshot and after the levels were read.
    `likely`: in the warehouse as last seen, but the order was looked at, or is to be looked at, in between.
    """

    proven: int = 0
    likely: int = 0


class Action(Enum):
    """What becomes of a level."""

    SAME = "same"
    TO_ZERO = "to_zero"
    LOWER = "lower"
    RETURN = "return"  # sold out before, can be sold again
    RAISE = "raise"
    WAITS = "waits"  # a small rise, until it has lasted
    UNPROVEN = "unproven"  # lower only as long as an order's units are not proven to be in the warehouse
    NOT_SENT = "not_sent"  # `problem` says why

    @property
    def sets(self) -> bool:
        return self in _URGENCY


_URGENCY = {Action.TO_ZERO: 0, Action.LOWER: 1, Action.RETURN: 2, Action.RAISE: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLine:
    """One level, what it should be, and every figure that says why, in units.

    `sellable` and `unseen` are of the scarcest product. `promised`, before the buffer, is below zero when more is sold
    than there is; `target` never is.
    """

    level: ShopLevel
    action: Action
    sellable: int = 0
    unseen: int = 0
    promised: int = 0
    buffer: int = 0
    target: int = 0
    problem: str = ""
    rises_since: datetime | None = None
    published: int | None = None  # what we set last

    @property
    def why(self) -> str:
        """One sentence for people."""
        if self.action is Action.NOT_SENT:
            return self.problem
        text = (
            f"The warehouse can sell {self.sellable}; {self.unseen} are sold and were not in its figures; "
            f"{self.buffer} kept back: {self.target}."
        )
        return f"{text} {self.problem}" if self.problem else text


@dataclass(frozen=True, slots=True, kw_only=True)
class StockChange:
    """One level to set. `quantity` and `change_from` are of the quantity that is set: available, or on hand."""

    line: StockLine
    quantity: int
    change_from: int

    @property
    def key(self) -> LevelKey:
        return self.line.level.key


@dataclass(frozen=True, slots=True, kw_only=True)
class StockDecision:
    """What to set, the most urgent first. `held`: why nothing is; `lines`: every level, changed or not.

    `refused`: the snapshot itself cannot be used.
    """

    changes: tuple[StockChange, ...] = ()
    lines: tuple[StockLine, ...] = ()
    held: Held | None = None
    refused: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class _Pool:
    """One product in the warehouse, and what the shops have sold of it that the snapshot does not know."""

    sellable: int
    sellers: int = 0
    unseen: int = 0
    unproven: int = 0
    problem: str = ""
    firsts: list[LevelKey] = field(default_factory=list)


def decide_stock(
    snapshot: StockSnapshot,
    levels: Sequence[ShopLevel],
    seen: Mapping[tuple[str, str, str], SeenUnits],
    taken: Mapping[str, int],
    last: Mapping[LevelKey, LastLevel],
    policy: StockPolicy,
    *,
    now: datetime,
    newest_published_at: datetime | None = None,
    only: frozenset[LevelKey] | None = None,
    confirmed: bool = False,
    strict: bool = False,
) -> StockDecision:
    """
    Decide every level of one place.

    Args:
        levels: All levels that sell a product of the place, read after the snapshot was begun: demand is theirs.
        seen: By shop, location and SKU; missing means that none is in the warehouse.
        taken: By product: units that orders may have taken since the snapshot, beyond what the shops commit.
        newest_published_at: When the snapshot of the place's last publication was begun.
        only: Decide these alone; the others count as demand. None: all.
        confirmed: A person has said that an implausible snapshot is true.
        strict: Do not wait for a proof: take units that are only likely in the warehouse for demand.
    """
    refused = _refuse(snapshot, policy, now, newest_published_at)
    if refused:
        return StockDecision(refused=refused)
    pools = _pools(snapshot, levels, seen, taken, policy)
    lines = [
        _decide_level(level, pools, last.get(level.key, _NEVER), policy, snapshot, now, strict=strict)
        for level in levels
        if only is None or level.key in only
    ]
    bad = {code: balance.why for code, balance in snapshot.balances.items() if isinstance(balance, Unreadable)}
    findings = unreadable_finding(snapshot.place, bad)
    odd = None if confirmed else find_implausible([_as_move(line) for line in lines if line.level.tracked], policy)
    if odd is not None:
        finding = implausible_finding(snapshot.place, odd)
        return StockDecision(lines=tuple(lines), held=odd, findings=(finding, *findings))
    wanted = [line for line in lines if line.action.sets]
    # Falls first, the deepest first: what can be sold and is not there. Then what could be sold and can't be.
    wanted.sort(key=lambda line: (_URGENCY[line.action], line.target - line.level.available, line.level.key))
    return StockDecision(
        changes=tuple(_change(line, policy) for line in wanted), lines=tuple(lines), findings=tuple(findings)
    )


_NEVER = LastLevel()


def _refuse(snapshot: StockSnapshot, policy: StockPolicy, now: datetime, newest: datetime | None) -> str:
    if newest is not None and snapshot.begun_at < newest:
        return f"The snapshot of {snapshot.begun_at:%H:%M:%S} is older than the one published last."
    if now - snapshot.begun_at > policy.snapshot_max_age:
        minutes = int((now - snapshot.begun_at).total_seconds() // 60)
        return f"The snapshot is {minutes} minutes old; too old to promise anything by."
    return ""


def _pools(
    snapshot: StockSnapshot,
    levels: Sequence[ShopLevel],
    seen: Mapping[tuple[str, str, str], SeenUnits],
    taken: Mapping[str, int],
    policy: StockPolicy,
) -> dict[str, _Pool]:
    """Gather each product's sellers and the demand that the snapshot does not contain."""
    pools: dict[str, _Pool] = {}
    left = {key: [units.proven, units.likely] for key, units in seen.items()}
    for level in levels:
        if not level.tracked or not level.products:
            continue
        proven, unproven = _unseen(level, left.get((level.shop, level.location_id, level.sku)))
        for product in level.products:
            pool = pools.get(product.code)
            if pool is None:
                pool = pools[product.code] = _pool(snapshot, product.code, policy)
                pool.unseen = taken.get(product.code, 0)
            pool.sellers += 1
            pool.unseen += proven * product.units
            pool.unproven += unproven * product.units
            if policy.splits_shared:
                pool.firsts.append(level.key)
    for pool in pools.values():
        pool.firsts.sort()
    return pools


def _unseen(level: ShopLevel, seen: list[int] | None) -> tuple[int, int]:
    """Units sold that are not proven to be in the warehouse; and how many of these are only not proven.

    `seen` is used up: two items with one SKU must not both be credited with the same units.
    """
    sold = max(0, level.committed)
    aside = max(0, level.reserved)  # put aside for a draft order: sold as far as the shelf is concerned
    if seen is None:
        return sold + aside, 0
    proven = min(sold, seen[0])
    likely = min(sold - proven, seen[1])
    seen[0] -= proven
    seen[1] -= likely
    return sold - proven + aside, likely


def _pool(snapshot: StockSnapshot, code: str, policy: StockPolicy) -> _Pool:
    balance = snapshot.balances.get(code)
    if balance is None:
        asked = snapshot.asked is None or code in snapshot.asked
        why = f"The warehouse has no stock record of {code}." if asked else f"{code} was not asked about."
        return _Pool(0, problem=why)
    if isinstance(balance, Unreadable):
        return _Pool(0, problem=f"{code}: {balance.why}")
    return _Pool(policy.formula.sellable(balance))


def _decide_level(
    level: ShopLevel,
    pools: Mapping[str, _Pool],
    last: LastLevel,
    policy: StockPolicy,
    snapshot: StockSnapshot,
    now: datetime,
    *,
    strict: bool,
) -> StockLine:
    problem = _problem(level, pools, last, snapshot)
    if problem:
        return StockLine(level=level, action=Action.NOT_SENT, problem=problem, published=last.published)
    buffer_rule = policy.buffer_of(level.sku)
    scarcest = min(level.products, key=lambda p: _share(level, pools[p.code], policy) // p.units)
    pool = pools[scarcest.code]
    promised = _share(level, pool, policy) // scarcest.units
    buffer = buffer_rule.of(promised) + max(0, level.safety_stock)
    target = max(0, promised - buffer)
    line = StockLine(
        level=level,
        action=Action.SAME,
        sellable=pool.sellable,
        unseen=pool.unseen,
        promised=promised,
        buffer=buffer,
        target=target,
        published=last.published,
    )
    shown = max(0, level.available)  # below zero nothing can be sold either: leave the shop's own accounts alone
    if target == shown:
        return line
    if target < shown:
        hopeful = min(_share(level, pools[p.code], policy, hopeful=True) // p.units for p in level.products)
        if not strict and max(0, hopeful - buffer_rule.of(max(0, hopeful)) - max(0, level.safety_stock)) >= shown:
            return _with(line, Action.UNPROVEN, "Some orders have to be looked at before it is lowered.")
        return _with(line, Action.LOWER if target else Action.TO_ZERO)
    if shown == 0:
        return _with(line, Action.RETURN)
    if target - shown <= policy.hysteresis_units:
        since = last.rises_since or now
        if now - since < policy.hysteresis_for:
            return _with(line, Action.WAITS, "A small rise waits until it has lasted.", rises_since=since)
    return _with(line, Action.RAISE)


def _problem(level: ShopLevel, pools: Mapping[str, _Pool], last: LastLevel, snapshot: StockSnapshot) -> str:
    if not level.tracked:
        return "The shop does not track this item's stock."
    if not level.products:
        return "The rulebook sends this SKU nowhere."
    if last.refused:
        return f"The shop does not let this item be set ({last.refused})."
    if last.snapshot_at is not None and snapshot.begun_at < last.snapshot_at:
        return "A newer snapshot was published meanwhile."
    for product in level.products:
        pool = pools[product.code]
        # What we published once and has no record any more is gone; what never had one is not ours to empty.
        if pool.problem and not (last.published is not None and _has_no_record(snapshot, product.code)):
            return pool.problem
    return ""


def _has_no_record(snapshot: StockSnapshot, code: str) -> bool:
    return code not in snapshot.balances and (snapshot.asked is None or code in snapshot.asked)


def _share(level: ShopLevel, pool: _Pool, policy: StockPolicy, *, hopeful: bool = False) -> int:
    """What one seller may see of a product: all that is left, or its equal part, the first ones a unit more."""
    left = pool.sellable - pool.unseen + (pool.unproven if hopeful else 0)
    if not policy.splits_shared or pool.sellers < 2 or left <= 0:
        return left
    whole, rest = divmod(left, pool.sellers)
    return whole + (1 if pool.firsts.index(level.key) < rest else 0)


def _with(line: StockLine, action: Action, problem: str = "", *, rises_since: datetime | None = None) -> StockLine:
    return replace(line, action=action, problem=problem, rises_since=rises_since)


def _change(line: StockLine, policy: StockPolicy) -> StockChange:
    level = line.level
    if not policy.sets_on_hand:
        return StockChange(line=line, quantity=line.target, change_from=level.available)
    # What is put aside in the shop (committed, reserved, damaged …) stays on top: only what can be sold changes.
    # More sold than there is stays visible as less than nothing for sale, or a cancellation would sell it again.
    aside = level.on_hand - level.available
    sellable = line.target or min(0, line.promised)
    return StockChange(line=line, quantity=max(0, sellable + aside), change_from=level.on_hand)


def _as_move(line: StockLine) -> tuple[int, int] | None:
    """Return (shown, target) for the plausibility gate; None for a level that is not decided."""
    if line.action is Action.NOT_SENT:
        return None
    shown = max(0, line.level.available)
    return shown, shown if line.action in (Action.WAITS, Action.UNPROVEN) else line.target
