"""The people in the warehouse, on any clock: they wave, pick, pack and send, and sometimes do something else.

Here: `Pickers`, who work one Clarus twin. Everything happens in `tick`; nothing sleeps. The same seed and the same
ticks give the same day.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pickgate.clock import Clock
from pickgate.twins.clarus import ClarusRefusal, ClarusTwin, ImpossibleOnTheFloor
from pickgate.twins.clarus.records import FINAL, GoodsOut, Line


@dataclass(frozen=True, slots=True, kw_only=True)
class PickerHabits:
    """
    How fast, and how often out of the ordinary.

    Pairs are the least and the most seconds; chances are 0 to 1, drawn once per order (`short_chance`: per line).
    """

    wave_after_seconds: tuple[float, float] = (300.0, 900.0)
    start_after_seconds: tuple[float, float] = (60.0, 300.0)
    line_seconds: tuple[float, float] = (20.0, 60.0)
    pack_seconds: tuple[float, float] = (60.0, 180.0)
    dispatch_after_seconds: tuple[float, float] = (300.0, 1800.0)
    retry_seconds: float = 1800.0
    put_back_after_seconds: float = 1800.0
    late_label_seconds: float = 600.0

    short_chance: float = 0.0
    cancel_pick_list_chance: float = 0.0
    two_goes_chance: float = 0.0
    two_packages_chance: float = 0.0
    late_label_chance: float = 0.0
    bench_address_chance: float = 0.0
    bench_quantity_chance: float = 0.0
    stranger_chance: float = 0.0
    unconfirm_chance: float = 0.0


NORMAL_HABITS = PickerHabits()
_OPEN = ("PENDING", "ALLOCATED", "PART_ALLOCATED", "PICK")
_Step = Callable[[GoodsOut], None]


class Pickers:
    """Works through every open order of a Clarus twin, each at its own pace."""

    def __init__(
        self,
        twin: ClarusTwin,
        rng: random.Random,
        clock: Clock,
        habits: PickerHabits = NORMAL_HABITS,
    ) -> None:
        self.habits = habits
        self._twin = twin
        self._rng = rng
        self._clock = clock
        self._agenda: list[tuple[datetime, int, int, _Step]] = []
        self._steps_planned = 0
        self._history_seen = 0
        self._known: set[int] = set()
        self._cancelled_once: set[int] = set()
        self._labels: list[tuple[datetime, int, list[str]]] = []

    def next_due_at(self) -> datetime | None:
        """When somebody next does something; None: nobody has anything to do."""
        self._notice()
        dues = [item[0] for item in self._agenda[:1]] + [item[0] for item in self._labels[:1]]
        return min(dues, default=None)

    def tick(self, now: datetime | None = None) -> int:
        """Do everything that is due by `now` (the clock's time, unless told). Returns the steps done."""
        until = self._clock.now() if now is None else now
        done = 0
        self._notice()
        while self._agenda and self._agenda[0][0] <= until:
            _, _, goods_out_id, step = heapq.heappop(self._agenda)
            self._do(goods_out_id, step)
            done += 1
        while self._labels and self._labels[0][0] <= until:
            _, shipment_id, numbers = heapq.heappop(self._labels)
            self._twin.label(shipment_id, numbers)
            done += 1
        return done

    # --- noticing and planning ------------------------------------------------------------------

    def _notice(self) -> None:
        """Plan the first step for each open order that nobody works on."""
        if len(self._twin.history) == self._history_seen:
            return
        self._history_seen = len(self._twin.history)
        for number in sorted(set(self._twin.ids_with_status(*_OPEN)) - self._known):
            order = self._twin.find_goods_out(number)
            if order is not None:
                self._known.add(number)
                if order.status == "PENDING":
                    self._plan(order, self._wave, self.habits.wave_after_seconds)
                else:
                    self._plan(order, self._start, self.habits.start_after_seconds)

    def _plan(self, order: GoodsOut, step: _Step, wait: tuple[float, float]) -> None:
        seconds = self._rng.uniform(*wait)
        due_at = self._clock.now() + timedelta(seconds=seconds)
        self._steps_planned += 1
        heapq.heappush(self._agenda, (due_at, self._steps_planned, order.id, step))

    def _do(self, goods_out_id: int, step: _Step) -> None:
        order = self._twin.find_goods_out(goods_out_id)
        if order is None:
            self._known.discard(goods_out_id)
            return
        if order.status == "CANCELLED":
            if step == self._return:
                self._twin.put_back(goods_out_id)
            elif order.is_begun:
                self._plan(order, self._return, (self.habits.put_back_after_seconds,) * 2)
        elif order.status not in FINAL:
            try:
                step(order)
            except (ClarusRefusal, ImpossibleOnTheFloor):
                self._plan(order, step, (self.habits.retry_seconds,) * 2)
        if order.status == "COMPLETED":
            # Noticed afresh, should somebody open it again.
            self._known.discard(goods_out_id)

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self._rng.random() < chance

    # --- the steps ------------------------------------------------------------------------------

    def _wave(self, order: GoodsOut) -> None:
        if order.status == "PENDING":
            self._twin.process_picks(order.id)
        self._plan(order, self._start, self.habits.start_after_seconds)

    def _start(self, order: GoodsOut) -> None:
        if order.status == "PENDING":
            self._plan(order, self._wave, self.habits.wave_after_seconds)
            return
        self._twin.start_pick(order.id)
        self._plan(order, self._pick, self.habits.line_seconds)

    def _pick(self, order: GoodsOut) -> None:
        if order.status == "PENDING":
            self._plan(order, self._wave, self.habits.wave_after_seconds)
            return
        line = next((line for line in order.lines if line.to_pick), None)
        if line is not None:
            self._pick_line(line)
            self._maybe_cancel_list(order)
        if order.status in FINAL:
            return
        if any(line.to_pick for line in order.lines):
            self._plan(order, self._pick, self.habits.line_seconds)
        elif any(line.to_dispatch for line in order.lines):
            self._plan(order, self._pack, self.habits.pack_seconds)
        elif order.status == "PENDING":
            self._plan(order, self._wave, self.habits.wave_after_seconds)
        else:
            # Nothing in hand: what is still owed needs stock first. Refused until there is some.
            self._twin.process_picks(order.id)
            self._plan(order, self._pick, self.habits.line_seconds)

    def _pick_line(self, line: Line) -> None:
        if self._happens(self.habits.short_chance):
            found = float(self._rng.randrange(0, max(1, int(line.to_pick))))
            if found:
                self._twin.pick(line.id, found)
            self._twin.short(line.id)
            return
        try:
            self._twin.pick(line.id)
        except ImpossibleOnTheFloor:
            self._twin.short(line.id, reason="shelf was empty")

    def _maybe_cancel_list(self, order: GoodsOut) -> None:
        """At most once per order, or a high chance would never let it go."""
        if order.id in self._cancelled_once or order.status != "PICK":
            return
        if self._happens(self.habits.cancel_pick_list_chance):
            self._cancelled_once.add(order.id)
            self._twin.cancel_pick_list(order.id)

    def _pack(self, order: GoodsOut) -> None:
        if order.status != "PICK" or any(line.to_pick for line in order.lines):
            self._plan(order, self._pick, self.habits.line_seconds)
            return
        if self._happens(self.habits.bench_address_chance):
            self._twin.bench_change(order.id, address={"address_2": "Rear entrance"})
        if self._happens(self.habits.bench_quantity_chance):
            self._change_quantity(order)
        if self._happens(self.habits.stranger_chance):
            self._twin.add_stranger_line(order.id, self._any_code(order), 1)
        self._twin.pack(order.id)
        self._plan(order, self._dispatch, self.habits.dispatch_after_seconds)

    def _change_quantity(self, order: GoodsOut) -> None:
        line = self._rng.choice([line for line in order.lines if line.pick_quantity])
        if line.pick_quantity > 1 and line.pick_quantity - 1 >= line.dispatch_quantity:
            self._twin.bench_change(order.id, quantities={line.id: line.pick_quantity - 1})

    def _any_code(self, order: GoodsOut) -> str:
        content = self._twin.content(order.id)
        return str(self._rng.choice(content["lines"])["product_code"])

    def _dispatch(self, order: GoodsOut) -> None:
        due = [line for line in order.lines if line.to_dispatch]
        if order.status != "PICK" or any(line.to_pick for line in order.lines) or not due:
            self._plan(order, self._pick, self.habits.line_seconds)
            return
        first = self._first_go(order, due)
        numbers = [self._number() for _ in range(self._packages())]
        late = self._happens(self.habits.late_label_chance)
        shipment_id = self._twin.dispatch(order.id, tracking=[] if late else numbers, units=first)
        if late:
            due_at = self._clock.now() + timedelta(seconds=self.habits.late_label_seconds)
            heapq.heappush(self._labels, (due_at, shipment_id, numbers))
        if order.status in FINAL:
            self._maybe_unconfirm(order)
        else:
            self._plan(order, self._dispatch, self.habits.dispatch_after_seconds)

    def _first_go(self, order: GoodsOut, due: list[Line]) -> dict[int, float] | None:
        """The units of a first go that leaves something for a second; None: all of it."""
        untouched = not any(line.dispatch_quantity for line in order.lines)
        if not untouched or not self._happens(self.habits.two_goes_chance):
            return None
        if len(due) > 1:
            return {line.id: line.to_dispatch for line in due[: len(due) // 2]}
        units = due[0].to_dispatch
        return {due[0].id: float(units // 2)} if units >= 2 else None

    def _maybe_unconfirm(self, order: GoodsOut) -> None:
        if self._happens(self.habits.unconfirm_chance):
            self._twin.unconfirm_dispatch(order.id)
            self._plan(order, self._dispatch, self.habits.dispatch_after_seconds)

    def _return(self, order: GoodsOut) -> None:
        """Only a cancelled order's units go back: `_do` sees to it."""

    def _packages(self) -> int:
        return 2 if self._happens(self.habits.two_packages_chance) else 1

    def _number(self) -> str:
        return f"PK{self._rng.randrange(10**12):012d}GB"
