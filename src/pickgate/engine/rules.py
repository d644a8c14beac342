"""The rulebook that decides now, kept at hand: looked up again when another version was published."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from pickgate.domain.rules import Rules

REFRESH_SECONDS = 2.0  # within `store.rulebooks.TAKEN_UP_WITHIN`, after which a publication's orders are looked at

log = structlog.get_logger("pickgate.rules")


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
        # A large rulebook takes a moment to build: requests and looks go on meanwhile.
        self.current = await asyncio.to_thread(self.build, *found)
        return True

    async def keep_up(self, seconds: float = REFRESH_SECONDS) -> None:
        """Ask for the published version for ever. Each process does it for itself: its looks decide by its own copy."""
        while True:
            await asyncio.sleep(seconds)
            try:
                if await self.refresh():
                    log.info("rulebook", version=self.current.version)
            except Exception as error:  # the database is away, and looks wait for it too
                log.warning("rulebook_not_read", error=type(error).__name__, problem=str(error)[:200])

    def rules(self, shop: str) -> Rules:
        """The rules for a shop: one rulebook holds the rows of all."""
        return self.current
