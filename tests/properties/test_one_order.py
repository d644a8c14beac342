"""One order's life in a tiny world: edits, pickers, hand changes, lost answers, in any sequence.

Three things are checked. Whenever a goods-out is created, the warehouse holds, all in all, no more than the order's
live units. At rest, the three sides agree, or somebody owns the difference. And it always comes to rest.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cast import LONG_AGO, NOON, PlainRules, fulfilment_order, order
from pickgate.domain.commands import Command, CreateGoodsOut
from pickgate.domain.facts import Approval, Records
from pickgate.domain.policy import Policy
from pickgate.domain.shop import Address, FulfilmentOrder, FulfilmentOrderLine, FulfilmentOrderStatus, ShopOrder
from pickgate.domain.warehouse import GoodsOut, Part, Stage
from properties.arbitrary import EXAMPLES
from properties.world import BEGUN, OVER, World

LINES = ("A", "B", "C")
FATES = ("done", "done", "done", "mute", "lost", "not_sent")
POLICIES = (Policy(), Policy(amend=frozenset(Part)), Policy(cancel_while_picking=False))


def product(line_id: str) -> str:
    return f"SKU-{line_id}"


class OneOrder(RuleBasedStateMachine):
    world: World
    by_hand: bool  # somebody has changed units in the warehouse: its sums are no longer ours to promise

    @initialize(
        policy=st.sampled_from(POLICIES),
        units=st.fixed_dictionaries({k: st.integers(0, 3) for k in LINES}),
        two_places=st.booleans(),
        late=st.sampled_from([0, 20]),
    )
    def place(self, policy: Policy, units: dict[str, int], two_places: bool, late: int) -> None:
        units = units if any(units.values()) else {**units, "A": 1}
        second = {"C": units["C"]} if two_places and units["C"] else {}
        shares = {k: n for k, n in units.items() if n and k not in second}
        fos = [fulfilment_order("F1", shares)] if shares else []
        fos += [fulfilment_order("F2", second, location="L2")] if second else []
        self.by_hand = False
        self.world = World(
            order=order(units, fulfilment_orders=tuple(fos)),
            policy=policy,
            rules=PlainRules(),
            records=Records(first_seen_at=LONG_AGO),
            now=NOON,
            show_after=timedelta(seconds=late),
            on_create=self.check_creation,
        )

    # ── what must always hold ────────────────────────────────────────────────────────────────────────────────────

    def check_creation(self, command: CreateGoodsOut) -> None:
        world = self.world
        assert world.order.cancelled_at is None
        for line_id, units in ((n.line_id, n.units) for n in command.content.lines):
            line = world.order.line(line_id)
            assert line is not None
            if not self.by_hand:
                held = world.open_units(product(line_id)) + world.gone_units(product(line_id))
                assert units + held <= line.current, f"{line_id}: {units} more, {held} there, {line.current} wanted"
        live = [g for g in world.goods_outs.values() if g.stage not in OVER and g.reference == command.reference]
        assert not live, "a second goods-out under one reference"

    @invariant()
    def the_shop_is_never_told_of_more_than_left(self) -> None:
        if not hasattr(self, "world") or self.by_hand:
            return
        for line_id in LINES:
            told = sum(n for f in self.world.order.fulfilments for k, n in f.lines if k == line_id)
            assert told <= self.world.gone_units(product(line_id))

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        world.now += timedelta(minutes=1)
        rest = world.settle()
        assert not world.effects
        if rest.findings or rest.gates:
            return
        for line in world.order.lines:
            there = world.open_units(product(line.id))
            gone = world.gone_units(product(line.id))
            told = sum(n for f in world.order.fulfilments for k, n in f.lines if k == line.id)
            live = line.current if world.order.cancelled_at is None else 0
            if not self.by_hand:
                assert there + gone == live, f"{line.id}: {there} there, {gone} gone, {live} wanted"
            assert told == gone
        assert not any(row.differs for row in rest.comparison)

    # ── we look ──────────────────────────────────────────────────────────────────────────────────────────────────

    @rule(fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=3))
    def look(self, fates: list[str]) -> None:
        left = list(fates)
        self.world.look(lambda command: self.fate(command, left))

    @rule()
    def look_twice_in_peace(self) -> None:
        self.world.look()
        self.world.look()

    def fate(self, command: Command, left: list[str]) -> str:
        return left.pop(0) if left else "done"

    @rule(seconds=st.sampled_from([1, 31, 130, 3700]))
    def time_goes_on(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)

    @rule()
    def somebody_says_go_on(self) -> None:
        decision = self.world.decided()
        yes = Approval(by="olga", reason="go", at=self.world.now, fingerprint=decision.fingerprint)
        self.world.records = replace(self.world.records, approval=yes)

    # ── the customer and the shop ────────────────────────────────────────────────────────────────────────────────

    @precondition(lambda self: self.world.order.cancelled_at is None)
    @rule(line_id=st.sampled_from(LINES), units=st.integers(0, 4))
    def edit(self, line_id: str, units: int) -> None:
        """Only unfulfilled units can be edited."""
        some = self.world.order
        line = some.line(line_id)
        assert line is not None
        sent = sum(n for f in some.fulfilments for k, n in f.lines if k == line_id)
        units = max(units, sent)
        more = units - line.current
        changed = replace(line, current=units, ordered=max(line.ordered, line.ordered + more))
        some = replace(some, lines=tuple(changed if n.id == line_id else n for n in some.lines))
        self.world.order = replace(_resharded(some, line_id, more), updated_at=self.world.now, edited=True)

    @precondition(lambda self: self.world.order.cancelled_at is None)
    @rule(street=st.sampled_from(["1 New Street", "2 Old Street"]))
    def move_house(self, street: str) -> None:
        address = self.world.order.address or Address()
        self.world.order = replace(self.world.order, address=replace(address, line1=street), updated_at=self.world.now)

    @precondition(lambda self: self.world.order.cancelled_at is None and not self.world.order.fulfilments)
    @rule()
    def cancel(self) -> None:
        closed = tuple(
            replace(f, status=FulfilmentOrderStatus.CLOSED, lines=tuple(replace(s, remaining=0) for s in f.lines))
            for f in self.world.order.fulfilment_orders
        )
        self.world.order = replace(
            self.world.order, cancelled_at=self.world.now, fulfilment_orders=closed, updated_at=self.world.now
        )

    @precondition(lambda self: self.world.order.cancelled_at is None)
    @rule()
    def replace_fulfilment_orders(self) -> None:
        """The shop gives them new ids, as after a move back and forth."""
        renamed = tuple(
            replace(f, id=f"{f.id}'", lines=tuple(replace(s, id=f"{s.id}'") for s in f.lines))
            for f in self.world.order.fulfilment_orders
        )
        self.world.order = replace(self.world.order, fulfilment_orders=renamed)

    # ── the warehouse ────────────────────────────────────────────────────────────────────────────────────────────

    def open_ones(self) -> list[GoodsOut]:
        return [g for g in self.world.goods_outs.values() if g.stage not in OVER]

    def put(self, own: GoodsOut, stage: Stage, **more: object) -> None:
        changed = replace(own, stage=stage, status_code=stage.value.upper(), **more)  # type: ignore[arg-type]
        self.world.goods_outs[own.id] = changed

    @precondition(lambda self: bool(self.open_ones()))
    @rule(stage=st.sampled_from([Stage.ALLOCATED, Stage.PICKING, Stage.UNRECOGNISED, Stage.PENDING]), data=st.data())
    def move_on_or_back(self, stage: Stage, data: st.DataObject) -> None:
        own = data.draw(st.sampled_from(self.open_ones()))
        if not own.despatched:
            lines = own.lines if stage is not Stage.PENDING else tuple(replace(n, picked=0) for n in own.lines)
            self.put(own, stage, lines=lines)

    @precondition(lambda self: bool(self.open_ones()))
    @rule(data=st.data(), whole=st.booleans())
    def pick(self, data: st.DataObject, whole: bool) -> None:
        own = data.draw(st.sampled_from(self.open_ones()))
        lines = tuple(replace(n, picked=n.ordered if whole else max(n.picked, n.ordered - 1)) for n in own.lines)
        self.put(own, own.stage if own.stage in BEGUN else Stage.PICKING, lines=lines)

    @precondition(lambda self: bool(self.open_ones()))
    @rule(data=st.data(), last=st.booleans(), tracked=st.booleans())
    def despatch_what_is_picked(self, data: st.DataObject, last: bool, tracked: bool) -> None:
        own = data.draw(st.sampled_from(self.open_ones()))
        if own.picked:
            lines = tuple(replace(n, despatched=n.picked) for n in own.lines)
            self.put(own, Stage.COMPLETED if last else Stage.PART, lines=lines)

    @precondition(lambda self: bool(self.open_ones()))
    @rule(data=st.data(), delete=st.booleans())
    def take_away_by_hand(self, data: st.DataObject, delete: bool) -> None:
        own = data.draw(st.sampled_from(self.open_ones()))
        if own.despatched:
            return
        if delete:
            del self.world.goods_outs[own.id]
        else:
            self.put(own, Stage.CANCELLED)

    @precondition(lambda self: bool(self.open_ones()))
    @rule(data=st.data(), units=st.integers(1, 3))
    def change_by_hand(self, data: st.DataObject, units: int) -> None:
        own = data.draw(st.sampled_from(self.open_ones()))
        first, *others = own.lines
        if first.picked <= units:
            self.put(own, own.stage, lines=(replace(first, ordered=units), *others))
            self.by_hand = True


def _resharded(some: ShopOrder, line_id: str, more: int) -> ShopOrder:
    """Take units from the line's open shares, or add them in a new fulfilment order, as the shop does."""
    fos: list[FulfilmentOrder] = []
    for f in some.fulfilment_orders:
        shares = []
        for share in f.lines:
            if share.line_id == line_id and more < 0:
                taken = min(share.remaining, -more)
                more += taken
                share = replace(share, remaining=share.remaining - taken, total=share.total - taken)
            shares.append(share)
        empty = not any(share.remaining for share in shares)
        fos.append(replace(f, lines=tuple(shares), status=FulfilmentOrderStatus.CLOSED if empty else f.status))
    if more > 0:
        added = f"N{len(fos)}"
        share = FulfilmentOrderLine(id=f"{added}.{line_id}", line_id=line_id, remaining=more, total=more)
        fos.append(replace(fulfilment_order(added), lines=(share,)))
    return replace(some, fulfilment_orders=tuple(fos))


TestOneOrder = OneOrder.TestCase
TestOneOrder.settings = settings(EXAMPLES, stateful_step_count=25)
