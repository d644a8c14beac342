"""Slows down guessing: failures are counted for each user at an address, and for each address."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta

_MOST_KEYS = 10_000


class LoginLimiter:
    """Remembers failed log-ins for a while. Bounded: the longest unused key is forgotten first."""

    def __init__(self, *, per_user: int = 5, per_address: int = 30, within: timedelta = timedelta(minutes=15)) -> None:
        self._limits = {"user": per_user, "address": per_address}
        self._within = within
        self._failures: OrderedDict[tuple[str, str], deque[datetime]] = OrderedDict()

    def retry_after(self, login: str, address: str, *, now: datetime) -> int:
        """Return for how many seconds this user at this address must wait; 0: not at all."""
        waits = []
        for kind, key in self._keys(login, address):
            failures = self._failures.get(key)
            while failures and failures[0] <= now - self._within:
                failures.popleft()
            if failures and len(failures) >= self._limits[kind]:
                waits.append((failures[-self._limits[kind]] + self._within - now).total_seconds())
        return max(0, *(int(wait) + 1 for wait in waits)) if waits else 0

    def failed(self, login: str, address: str, *, now: datetime) -> None:
        for kind, key in self._keys(login, address):
            self._failures.setdefault(key, deque(maxlen=self._limits[kind] + 1)).append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > _MOST_KEYS:
            self._failures.popitem(last=False)

    def succeeded(self, login: str, address: str) -> None:
        """Forget this user's failures at this address; the address keeps its own count."""
        self._failures.pop(("user", f"{login.casefold()}@{address}"), None)

    @staticmethod
    def _keys(login: str, address: str) -> tuple[tuple[str, tuple[str, str]], ...]:
        return (
            ("user", ("user", f"{login.casefold()}@{address}")),
            ("address", ("address", address)),
        )
