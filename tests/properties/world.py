"""A tiny world: one order in a shop and a warehouse, plain values only. It obeys commands as the real ones would.

It keeps the truth (`goods_outs`, `order`), which the decisions see only as far as it is shown to them, and our own
memory (`records`, `effects`), as a store would keep it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cast import NOON, PlainRules
from pickgate.domain.commands import (
    AmendGoodsOut,
    CarryTime,
    Command,
    CreateFulfilment,
    CreateGoodsOut,
    LiftLock,
    PlaceShopHold,
    RecallGoodsOut,
    ReleaseShopHold,
    TakeLock,
)
from pickgate.domain.decide import decide
from pickgate.domain.decision import Decision
from pickgate.domain.facts import Facts, GoodsOutRecord, Kin, Records, RefusedEffect, UnknownEffect
from pickgate.domain.outcomes import record_after, record_when_sent
from pickgate.domain.policy import Policy
from pickgate.domain.probe import decide_probe
from pickgate.domain.shop import Fulfilment, FulfilmentOrder, FulfilmentOrderStatus, ShopHold, ShopOrder
from pickgate.domain.warehouse import Content, GoodsOut, GoodsOutLine, Parcel, Stage

BEGUN = (Stage.PICKING, Stage.PART, Stage.COMPLETED, Stage.UNRECOGNISED)
OVER = (Stage.COMPLETED, Stage.CANCELLED)


class NotPossible(Exception):
    """The other side says no, for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    command: Command
    at: datetime


@dataclass(slots=True, kw_only=True)
class World:
    order: ShopOrder
    policy: Policy
    rules: PlainRules
    records: Records
    goods_outs: dict[str, GoodsOut] = field(default_factory=dict)
    shown_from: dict[str, datetime] = field(default_factory=dict)  # an accepted creation may be shown late
    parcels: dict[str, tuple[Parcel, ...]] = field(default_factory=dict)
    effects: dict[str, Sent] = field(default_factory=dict)  # sent, and nobody knows what came of it
    kin: tuple[Kin, ...] = ()
    unknown_products: frozenset[str] = frozenset()
    known_products: frozenset[str] = frozenset({"SKU-A", "SKU-B", "SKU-C"})
    now: datetime = NOON
    show_after: timedelta = timedelta(0)
    on_create: Callable[[CreateGoodsOut], None] = lambda command: None

    # ── what is shown, and what is decided ───────────────────────────────────────────────────────────────────────

    def facts(self) -> Facts:
        shown = [g for g in self.goods_outs.values() if self.shown_from.get(g.id, self.now) <= self.now]
        return Facts(
            shop="uk",
            order_id=self.order.id,
            order=self.order,
            goods_outs=tuple(shown),
            records=self.records,
            read_at=self.now,
            known_products=self.known_products,
            unknown_products=self.unknown_products,
            kin=self.kin,
            parcels=self.parcels,
        )

    def decided(self) -> Decision:
        return decide(self.facts(), self.rules, self.policy, now=self.now)

    def look(self, fate: Callable[[Command], str] = lambda command: "done") -> Decision:
        """Probe, decide, keep, act: one look. `fate`: "done", "lost" on the way, "mute" (done, no answer), "not_sent".

        A command that is not answered ends the look.
        """
        self._probe()
        decision = self.decided()
        self.records = replace(self.records, goods_outs=decision.records)
        for command in decision.commands:
            if isinstance(command, CreateGoodsOut):
                self._keep(record_when_sent(command, now=self.now))
            self.records = replace(self.records, refused=tuple(r for r in self.records.refused if r.key != command.key))
            answer = self._send(command, fate(command))
            if answer != "confirmed":
                break
        return decision

    def settle(self, looks: int = 12, step: timedelta = timedelta(minutes=6)) -> Decision:
        """Look, with every wish granted, until two looks running have nothing to do."""
        quiet = 0
        for _ in range(looks):
            decision = self.look()
            quiet = 0 if decision.commands or self.effects else quiet + 1
            if quiet == 2:  # what was concluded at the first has been remembered at the second
                return decision
            self.now += step
        raise AssertionError(f"It does not come to rest: {[command.key for command in decision.commands]}")

    # ── what the other sides do ──────────────────────────────────────────────────────────────────────────────────

    def _send(self, command: Command, fate: str) -> str:
        if fate == "not_sent":
            return self._answered(command, "not_sent")
        if fate == "lost":
            return self._unanswered(command)
        try:
            ids = self._obey(command)
        except NotPossible as error:
            return self._answered(command, "refused", problem=str(error))
        if fate == "mute":
            return self._unanswered(command)
        return self._answered(command, "confirmed", **ids)

    def _answered(self, command: Command, outcome: str, *, problem: str = "", **ids: str) -> str:
        self._after(command, outcome, problem=problem, **ids)
        if outcome == "refused":
            kind, _, _ = command.key.partition(":")
            refused = RefusedEffect(
                key=command.key, kind=kind, target=_target(command), code="WMS_REFUSED", problem=problem, at=self.now
            )
            self.records = replace(self.records, refused=(*self.records.refused, refused))
        if outcome == "confirmed" and isinstance(command, TakeLock | LiftLock):
            at = self.now if isinstance(command, TakeLock) else None
            self.records = replace(self.records, lock_confirmed_at=at)
        return outcome

    def _unanswered(self, command: Command) -> str:
        kind, _, _ = command.key.partition(":")
        self.effects[command.key] = Sent(command=command, at=self.now)
        unknown = UnknownEffect(key=command.key, kind=kind, target=_target(command), since=self.now)
        others = tuple(u for u in self.records.unknown if u.key != command.key)
        self.records = replace(self.records, unknown=(*others, unknown))
        self._after(command, "unknown")
        return "unknown"

    def _probe(self) -> None:
        facts = self.facts()
        for key, sent in list(self.effects.items()):
            verdict = decide_probe(
                sent.command,
                sent_at=sent.at,
                now=self.now,
                settle=self.policy.create_settle,
                order=facts.order,
                goods_outs=facts.goods_outs,
            )
            if verdict.state == "unknown":
                continue
            del self.effects[key]
            self.records = replace(self.records, unknown=tuple(u for u in self.records.unknown if u.key != key))
            ids = {"clarus_id": verdict.clarus_id} if verdict.clarus_id else {}
            self._answered(sent.command, verdict.state, **ids)

    def _after(self, command: Command, outcome: str, *, problem: str = "", **ids: str) -> None:
        for before in self.records.goods_outs:
            if before.reference == getattr(command, "reference", None):
                after = record_after(before, command, outcome=outcome, ids=ids, problem=problem, now=self.now)
                self._keep(after, forget=before.reference)

    def _keep(self, record: GoodsOutRecord | None, *, forget: str = "") -> None:
        forget = record.reference if record is not None else forget
        others = [r for r in self.records.goods_outs if r.reference != forget]
        kept = sorted([*others, *([record] if record is not None else [])], key=lambda r: r.number)
        self.records = replace(self.records, goods_outs=tuple(kept))

    def _obey(self, command: Command) -> dict[str, str]:
        match command:
            case CreateGoodsOut():
                self.on_create(command)
                new_id = str(1000 + len(self.goods_outs))
                self.shown_from[new_id] = self.now + self.show_after
                self.goods_outs[new_id] = GoodsOut(
                    id=new_id, reference=command.reference, stage=Stage.PENDING, status_code="PENDING",
                    lines=_lines(new_id, command.content), account="ACME", warehouse=command.content.warehouse,
                )  # fmt: skip
                return {"clarus_id": new_id}
            case RecallGoodsOut():
                own = self._movable(command.clarus_id)
                self.goods_outs[own.id] = replace(own, stage=Stage.CANCELLED, status_code="CANCELLED")
            case AmendGoodsOut():
                own = self._movable(command.clarus_id)
                self.goods_outs[own.id] = replace(own, lines=_lines(own.id, command.content))
            case _:
                self.order = _shop_obeys(self.order, command, number=len(self.order.fulfilments))
        return {}

    def _movable(self, clarus_id: str) -> GoodsOut:
        own = self.goods_outs.get(clarus_id)
        if own is None:
            raise NotPossible("there is no such goods-out")
        if own.stage in BEGUN or own.picked:
            raise NotPossible("picking has begun")
        return own

    # ── the truth, counted ───────────────────────────────────────────────────────────────────────────────────────

    def open_units(self, product: str) -> int:
        """Product units that the warehouse may still send."""
        rows = (n for g in self.goods_outs.values() if g.stage not in OVER for n in g.lines)
        return sum(max(0, n.ordered - n.despatched) for n in rows if n.product_code == product)

    def gone_units(self, product: str) -> int:
        rows = (n for g in self.goods_outs.values() for n in g.lines)
        return sum(n.despatched for n in rows if n.product_code == product)


def _target(command: Command) -> str:
    for name in ("reference", "fulfilment_order_id", "order_id"):
        if hasattr(command, name):
            return str(getattr(command, name))
    raise AssertionError(command)


def _lines(clarus_id: str, content: Content) -> tuple[GoodsOutLine, ...]:
    return tuple(
        GoodsOutLine(id=f"{clarus_id}.{code}", product_code=code, ordered=units)
        for code, units in content.units_by_product().items()
    )


def _shop_obeys(order: ShopOrder, command: Command, *, number: int) -> ShopOrder:
    match command:
        case CreateFulfilment():
            return _fulfilled(order, command, number)
        case TakeLock():
            tags = (*order.tags, command.tag) if command.add_tag else order.tags
            value = command.value if command.set_metafield else order.lock_value
            order = replace(order, tags=tags, lock_value=value)
            return _moved(order, command.report_progress_on, FulfilmentOrderStatus.IN_PROGRESS)
        case LiftLock():
            tags = tuple(tag for tag in order.tags if not (command.remove_tag and tag == command.tag))
            value = command.value if command.set_metafield else order.lock_value
            return _moved(replace(order, tags=tags, lock_value=value), command.reopen, FulfilmentOrderStatus.OPEN)
        case PlaceShopHold():
            hold = ShopHold(id=f"ours-{number}", reason="OTHER", handle=command.handle, ours=True)
            return _each(order, [command.fulfilment_order_id], lambda f: replace(
                f, status=FulfilmentOrderStatus.ON_HOLD, holds=(*f.holds, hold)
            ))  # fmt: skip
        case ReleaseShopHold():
            return _each(order, [command.fulfilment_order_id], lambda f: _released(f, command.hold_ids))
        case CarryTime():
            return replace(order, original_order=command.original_name)
        case _:
            raise AssertionError(command)


def _fulfilled(order: ShopOrder, command: CreateFulfilment, number: int) -> ShopOrder:
    for told in command.lines:
        f = next(f for f in order.fulfilment_orders if f.id == told.fulfilment_order_id)
        shares = tuple(
            replace(s, remaining=s.remaining - told.units) if s.line_id == told.line_id else s for s in f.lines
        )
        if any(share.remaining < 0 for share in shares):
            raise NotPossible("more than remains")
        closed = not any(share.remaining for share in shares)
        changed = replace(f, lines=shares, status=FulfilmentOrderStatus.CLOSED if closed else f.status)
        order = replace(order, fulfilment_orders=tuple(changed if o.id == f.id else o for o in order.fulfilment_orders))
    units: dict[str, int] = {}
    for told in command.lines:
        units[told.line_id] = units.get(told.line_id, 0) + told.units
    made = Fulfilment(id=f"FF{number}", lines=tuple(units.items()), tracking_numbers=command.tracking_numbers)
    return replace(order, fulfilments=(*order.fulfilments, made))


def _released(f: FulfilmentOrder, hold_ids: tuple[str, ...]) -> FulfilmentOrder:
    rest = tuple(hold for hold in f.holds if hold.id not in hold_ids)
    held = f.status is FulfilmentOrderStatus.ON_HOLD
    return replace(f, holds=rest, status=FulfilmentOrderStatus.OPEN if held and not rest else f.status)


def _moved(order: ShopOrder, ids: tuple[str, ...], status: FulfilmentOrderStatus) -> ShopOrder:
    return _each(order, ids, lambda f: replace(f, status=status))


def _each(order: ShopOrder, ids: Iterable[str], change: Callable[[FulfilmentOrder], FulfilmentOrder]) -> ShopOrder:
    changed = tuple(change(f) if f.id in set(ids) else f for f in order.fulfilment_orders)
    return replace(order, fulfilment_orders=changed)
