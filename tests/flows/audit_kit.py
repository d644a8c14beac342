"""An audit of a played month: both twins behind counted doors, notes in a folder, nothing waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from pickgate.cli.audit_notebook import FolderNotebook
from pickgate.cli.audit_parts import make_subject
from pickgate.crypto import Sealer
from pickgate.domain.lookback import Lookback
from pickgate.domain.lookback_match import ReferencePattern
from pickgate.flows.audit import Audit
from pickgate.http import HttpRequest, HttpResponse
from pickgate.rulebook.evaluate import Rulebook
from pickgate.simulation.installation import simulation_settings
from pickgate.simulation.naive import DAYS, Month, month_tables
from pickgate.simulation.stepping import run_now


class Killed(BaseException):
    """The process ends here. Nothing of ours may catch it."""


class Door:
    """Counts what goes through to a twin, and may be where the process is killed."""

    def __init__(self, handle: Callable[[HttpRequest], HttpResponse]) -> None:
        self._handle = handle
        self.requests: list[HttpRequest] = []
        self.killed_after: int | None = None

    async def send(self, request: HttpRequest) -> HttpResponse:
        if self.killed_after is not None and len(self.requests) >= self.killed_after:
            raise Killed
        self.requests.append(request)
        return self._handle(request)


class Silent:
    """Remembers what was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, int, int | None]] = []

    def step(self, what: str, done: int, total: int | None) -> None:
        self.shown.append((what, done, total))


class Desk:
    """One installation that audits a month. `run` may be called again after it was killed."""

    def __init__(self, month: Month, folder: Path, *, reference: str = "{name}", rulebook: bool = True) -> None:
        self.month = month
        self.doors = {"uk": Door(month.world.shop.handle), "clarus": Door(month.world.warehouse.handle)}
        self.until = month.clock.now()
        self.progress = Silent()
        self.notebook = FolderNotebook(folder, Sealer.from_setting("k" * 40), subject="test")
        self._reference, self._rulebook = reference, rulebook

    def run(self, *, by_external: bool = False) -> Lookback:
        rules = Rulebook(1, month_tables(self.month)) if self._rulebook else Rulebook.empty()
        subject = make_subject(
            simulation_settings(self.month.world),
            rules,
            self.month.clock,
            lambda key: self.doors[key],
            pattern=ReferencePattern(self._reference),
            by_external=by_external,
            has_rulebook=self._rulebook,
            piece_bytes=64 * 1024,
        )
        audit = Audit(subject, self.notebook, self.month.clock, self.progress)
        return run_now(audit.run(since=self.until - timedelta(days=DAYS), until=self.until))


def accused(lookback: Lookback) -> set[tuple[str, str]]:
    return {(a.order_name, a.charge.value) for a in lookback.accusations if a.order_name}
