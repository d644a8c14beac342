"""Operators at their console: they hold, release, take back and resolve, at any moment, even during a look."""

from __future__ import annotations

import random
from datetime import timedelta

from pickgate.clock import Clock
from pickgate.simulation.docket import Word
from pickgate.simulation.stepping import run_now
from pickgate.simulation.world import World
from pickgate.store.memory import MemoryStore
from pickgate.store.memory_exceptions import MemoryOperators
from pickgate.store.memory_rows import MemoryOrder

ACTOR = "Olu"


class Operators:
    """Acts through the store's operator actions, as the console does. `words`: what was said, in the world's time."""

    def __init__(self, world: World, store: MemoryStore, ours: Clock, rng: random.Random) -> None:
        self._world, self._store, self._ours, self._rng = world, store, ours, rng
        self._actions = MemoryOperators(store)
        self.words: list[Word] = []

    def come_in(self, *, times: int, seconds: float) -> None:
        """Put `times` moments on the world's agenda at which somebody does something about some order."""
        for _ in range(times):
            self._world.after(self._rng.uniform(0.0, seconds), self._act)

    def _act(self) -> None:
        row = self._some_order()
        if row is None:
            return
        verb = self._rng.choice(("hold", "hold_until", "release", "release", "take_back", "resolve", "resolve"))
        match verb:
            case "hold":
                self._hold(row, None)
                self._world.after(self._rng.uniform(60.0, 5400.0), lambda: self._unhold(row))
            case "hold_until":
                self._hold(row, self._rng.uniform(60.0, 3600.0))
            case "release":
                self._release(row)
            case "take_back":
                self._take_back(row)
                again = self._rng.choice((self._unhold, self._release))
                if self._rng.random() < 0.7:
                    self._world.after(self._rng.uniform(300.0, 5400.0), lambda: again(row))
            case _:
                self._resolve(row)

    def _some_order(self) -> MemoryOrder | None:
        """Mostly one with an open exception: that is why they look."""
        named = [item.order for item in self._store.exceptions.open() if item.order is not None]
        if named and self._rng.random() < 0.7:
            return self._store.orders[self._rng.choice(named)]
        rows = [row for row in self._store.orders.values() if not row.settled]
        return self._rng.choice(rows) if rows else None

    def _hold(self, row: MemoryOrder, seconds: float | None) -> None:
        now = self._ours.now()
        until = None if seconds is None else now + timedelta(seconds=seconds)
        if run_now(self._actions.set_hold(row.row, actor=ACTOR, reason="Wait", until=until, expected=None, now=now)):
            self._say(row, "hold")
            if seconds is not None:
                self._world.after(seconds, lambda: self._say_if_free(row))

    def _unhold(self, row: MemoryOrder) -> None:
        action = self._actions.unset_hold(row.row, actor=ACTOR, reason="Go on", expected=None, now=self._ours.now())
        if run_now(action):
            self._say(row, "unhold")

    def _release(self, row: MemoryOrder) -> None:
        action = self._actions.approve_release(row.row, actor=ACTOR, reason="Go", expected=None, now=self._ours.now())
        if run_now(action):
            self._say(row, "release")
            self._say_if_free(row)

    def _take_back(self, row: MemoryOrder) -> None:
        action = self._actions.request_cancel(row.row, actor=ACTOR, reason="Stop", expected=None, now=self._ours.now())
        if run_now(action):
            self._say(row, "take_back")

    def _resolve(self, row: MemoryOrder) -> None:
        ids = [item.id for item in self._store.exceptions.open() if item.order == row.row]
        if ids:
            run_now(self._actions.resolve_exceptions(ids, actor=ACTOR, reason="Done", now=self._ours.now()))

    def _say_if_free(self, row: MemoryOrder) -> None:
        """A timed hold ends by itself, and a release ends a cancellation; another hold may still stand."""
        held = row.hold is not None and (row.hold.until is None or row.hold.until > self._ours.now())
        if not held and row.cancel_request is None:
            self._say(row, "unhold")

    def _say(self, row: MemoryOrder, verb: str) -> None:
        self.words.append(Word(at=self._world.clock.now(), order_id=row.order_id, verb=verb))
