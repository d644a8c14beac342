"""The rulebook that decides now, kept at hand: looked up again when another version was published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pickgate.domain.rules import Rules


class Versions(Protocol):
    async def published_number(self) -> int: ...

    async def published(self) -> tuple[int, Mapping[str, Any]] | None: ...


@dataclass(slots=True, kw_only=True)
class RulesKeeper:
    """`build` turns a version's number and stored tables into rules; `current` starts as an empty rulebook."""

    versions: Versions
    build: Callable[[int, Mapping[str, Any]], Rules]
    current: Rules

    async def refresh(self) -> bool:
        """Take up the published version. Returns whether it changed."""
        if await self.versions.published_number() == self.current.version:
            return False
        found = await self.versions.published()
        if found is None:
            return False
        self.current = self.build(*found)
        return True

    def rules(self, shop: str) -> Rules:
        """The rules for a shop: one rulebook holds the rows of all."""
        return self.current
