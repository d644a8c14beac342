"""Pauses between attempts: 50 ms, doubling up to a minute, each drawn from its upper half."""

from __future__ import annotations

import random

_FIRST_SECONDS = 0.05
_LONGEST_SECONDS = 60.0


class Backoff:
    """One row of attempts. `rng` is drawn from once for each pause."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._next = _FIRST_SECONDS

    def next(self) -> float:
        """Return the seconds to wait now, and double them for the next time."""
        longest = self._next
        self._next = min(longest * 2, _LONGEST_SECONDS)
        return self._rng.uniform(longest / 2, longest)

    def reset(self) -> None:
        """It went well: the next pause is the shortest."""
        self._next = _FIRST_SECONDS
