"""What a webhook hints at, and who reads it. Kept apart from the other ports: a body is never believed further."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What a webhook is about. All empty: nothing to look at, and `rule` names why."""

    order_ids: tuple[str, ...] = ()
    fulfilment_order_ids: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    clarus_ids: tuple[str, ...] = ()
    rule: str = ""


class UnreadableBody(Exception):
    """An authentic body that cannot be understood. The text says what is wrong with it, without quoting it."""


class HintPort(Protocol):
    """Reads a webhook's body for what it is about; never for what it says has happened."""

    def parse_hint(self, topic: str, body: bytes) -> Hint:
        """Raises UnreadableBody, and nothing else, whatever the body."""
        ...
