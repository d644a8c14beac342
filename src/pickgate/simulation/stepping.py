"""Drives coroutines that never wait, by hand: no event loop, so one seed gives one run."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Suspended(Exception):
    """A flow waited for something real: it cannot be simulated. A bug of ours."""


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine that never waits to its end. Raises Suspended when it waits after all."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    coroutine.close()
    raise Suspended("A simulated flow waited for the event loop.")
