"""Publish stock: look, decide, write down, set, look again at what would not hold still.

`publish` compares everything, on a schedule or on demand. `publish_hinted` does the few products that something has
been heard of: a stock movement in the warehouse, or an edit that put picked units back on sale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pickgate.clock import Clock
from pickgate.domain.facts import Unreadable
from pickgate.domain.findings import Finding
from pickgate.domain.rules import Place, Rules
from pickgate.domain.stock import Action, LevelKey, ShopLevel, StockDecision, StockLine, decide_stock
from pickgate.domain.stock_policy import StockPolicy
from pickgate.flows.stock_looking import Freshen, Looked, StockLooker
from pickgate.flows.stock_ports import (
    KnownLevel,
    PlaceState,
    StockHint,
    StockShopPort,
    StockStore,
    StockWarehousePort,
)
from pickgate.flows.stock_sending import PlaceLost, StockSender
from pickgate.flows.stock_telling import PlaceReport, StockReport, StockTeller

ROUNDS = 4  # the first look, and three more for what changed meanwhile
_LEASE_SECONDS = 600.0
_PROOF_SECONDS = 2.0
_CLAIM_TRIES = 5
_CLAIM_WAIT_SECONDS = 3.0


@dataclass(slots=True, kw_only=True)
class StockFlows:
    """Args:
    rules: The published rulebook for a shop.
    holder: Names this worker; it takes its own claims over at once after a restart.
    freshen: Wakes whatever changed in these shops and in the warehouse: the sweep and the poll.
    observed: Shops where everything is shown and nothing is sent.
    """

    store: StockStore
    shops: Mapping[str, StockShopPort]
    warehouse: StockWarehousePort
    rules: Callable[[str], Rules]
    policy: StockPolicy
    clock: Clock
    holder: str
    freshen: Freshen
    observed: frozenset[str] = frozenset()
    _looker: StockLooker = field(init=False)
    _sender: StockSender = field(init=False)
    _teller: StockTeller = field(init=False)

    def __post_init__(self) -> None:
        self._looker = StockLooker(
            store=self.store,
            shops=self.shops,
            warehouse=self.warehouse,
            rules=self.rules,
            policy=self.policy,
            clock=self.clock,
            freshen=self.freshen,
        )
        self._sender = StockSender(
            store=self.store, shops=self.shops, clock=self.clock, on_hand=self.policy.sets_on_hand
        )
        self._teller = StockTeller(store=self.store, clock=self.clock)

    # hints

    async def note_products(self, codes: Sequence[str]) -> None:
        """Remember that these warehouse products have moved."""
        await self.store.record_hints([StockHint(code=code) for code in codes], now=self.clock.now())

    async def note_restock(self, shop: str, skus: Sequence[str]) -> None:
        """Remember that the shop may be selling units of these SKUs that are not on the shelf: correct them first."""
        hints = [StockHint(code=sku, shop=shop, urgent=True) for sku in skus]
        await self.store.record_hints(hints, now=self.clock.now())

    # whole

    async def publish(self, *, dry_run: bool = False, confirmed: bool = False) -> StockReport:
        """Compare every level of every place, and set those that differ.

        `confirmed`: a person has said that an implausible snapshot is true. `dry_run`: nothing is set or remembered.
        """
        plan = await self._looker.plan()
        if isinstance(plan, Unreadable):
            return StockReport(problem=plan.why)
        reports = []
        for place, locations in plan.locations.items():
            report = PlaceReport(place=place)
            reports.append(report)
            blocked = plan.blocked.get(place)
            if blocked is not None:
                report.problem, report.code = blocked.why, blocked.code
            elif dry_run:
                await self._preview(report, locations, confirmed=confirmed)
            else:
                await self._publish_place(report, locations, confirmed=confirmed)
        if not dry_run:
            await self._teller.tell_locations(tuple(self.shops), plan)
        return StockReport(places=tuple(reports))

    async def _preview(self, report: PlaceReport, locations: Sequence[tuple[str, str]], *, confirmed: bool) -> None:
        looked = await self._looker.look_at_all(report.place, locations)
        if isinstance(looked, Unreadable):
            report.problem, report.code = looked.why, looked.code
            return
        decision = await self._decide(looked, None, confirmed=confirmed)
        self._describe(report, looked, decision)

    async def _publish_place(
        self, report: PlaceReport, locations: Sequence[tuple[str, str]], *, confirmed: bool
    ) -> None:
        place = report.place
        state = await self._claim(place)
        if state is None:
            report.problem = "Another worker is publishing this place."
            return
        findings: list[Finding] = []
        try:
            untouchable = await self._sender.settle_open(place)
            looked = await self._looker.look_at_all(place, locations)
            if isinstance(looked, Unreadable):
                report.problem, report.code = looked.why, looked.code
                await self._teller.tell_unreadable(locations, looked)
                return
            decision = await self._decide(
                looked, None, confirmed=confirmed, newest_published_at=state.published_snapshot_at
            )
            self._describe(report, looked, decision)
            findings += decision.findings
            if not decision.refused:
                await self._remember(place, looked, decision.lines, whole=True)
                await self._rounds(report, looked, decision, state.epoch, untouchable, confirmed=confirmed)
                findings += await self._teller.find_conflicts(report, looked.levels)
                await self._teller.tell(locations, findings, report)
        except PlaceLost:
            report.problem = "Another worker took this place over."
        finally:
            done = report.snapshot_at is not None and report.held is None and not report.problem
            await self.store.release_place(
                place,
                epoch=state.epoch,
                published_snapshot_at=report.snapshot_at if done else None,
                held=report.held.text if report.held else "",
                now=self.clock.now(),
            )

    async def _claim(self, place: Place) -> PlaceState | None:
        """Claim a place; a correction of a few levels that has it just now is waited for."""
        for _ in range(_CLAIM_TRIES):
            now = self.clock.now()
            state = await self.store.claim_place(place, holder=self.holder, now=now, lease_seconds=_LEASE_SECONDS)
            if state is not None:
                return state
            await self.clock.sleep(_CLAIM_WAIT_SECONDS)
        return None

    # hinted

    async def publish_hinted(self, *, limit: int = 100) -> StockReport:
        """Correct the levels of the products that have been hinted at, urgent ones first. Quick when there are none."""
        hints = await self.store.take_hints(limit=limit)
        if not hints:
            return StockReport()
        plan = await self._looker.plan()
        if isinstance(plan, Unreadable):
            await self.store.record_hints(hints, now=self.clock.now())
            return StockReport(problem=plan.why)
        reports = []
        for place, locations in plan.locations.items():
            if place not in plan.blocked:
                report = PlaceReport(place=place)
                await self._publish_hints(report, hints, locations)
                reports.append(report)
        if any(report.retry for report in reports):
            await self.store.record_hints(hints, now=self.clock.now())
        return StockReport(places=tuple(report for report in reports if report.lines or report.problem))

    async def _publish_hints(
        self, report: PlaceReport, hints: Sequence[StockHint], locations: Sequence[tuple[str, str]]
    ) -> None:
        place = report.place
        codes = [hint.code for hint in hints if not hint.shop]
        skus = [(hint.shop, hint.code) for hint in hints if hint.shop]
        targets = await self.store.find_levels(place, codes=codes, skus=skus)
        if not targets:
            return
        urgent = any(hint.urgent for hint in hints)
        state = await self.store.claim_place(
            place, holder=f"{self.holder}/hints", now=self.clock.now(), lease_seconds=_LEASE_SECONDS / 10
        )
        if state is None and not urgent:
            report.retry = True  # the whole publication has the place; afterwards they are looked at again
            return
        epoch = None if state is None else state.epoch
        try:
            looked = await self._looker.look_again(place, await self._sellers(place, targets))
            if isinstance(looked, Unreadable):
                report.problem, report.code, report.retry = looked.why, looked.code, True
                return
            only = frozenset(level.key for level in targets)
            newest = None if state is None else state.published_snapshot_at
            decision = await self._decide(looked, only, strict=urgent, newest_published_at=newest)
            self._describe(report, looked, decision)
            if not decision.refused:
                await self._remember(place, looked, decision.lines, whole=False)
                await self._rounds(report, looked, decision, epoch, set(), confirmed=False)
            report.retry = bool(report.sent.stopped or report.sent.stale)
        except PlaceLost:
            report.retry = True
        finally:
            if state is not None:
                await self.store.release_place(
                    place, epoch=state.epoch, published_snapshot_at=None, held="", now=self.clock.now()
                )

    async def _sellers(self, place: Place, targets: Sequence[KnownLevel]) -> Sequence[KnownLevel]:
        """Everything that sells a product of the targets: its demand counts, too."""
        sellers = await self.store.find_levels(place, codes=sorted(self._looker.codes_of(targets)))
        return list({level.key: level for level in (*targets, *sellers)}.values())

    # the rounds

    async def _rounds(
        self,
        report: PlaceReport,
        looked: Looked,
        decision: StockDecision,
        epoch: int | None,
        untouchable: set[LevelKey],
        *,
        confirmed: bool,
    ) -> None:
        """Set what was decided; look again, narrowly, at what changed meanwhile or was not proven."""
        sent = report.sent
        levels = {level.key: level for level in looked.levels}
        for number in range(ROUNDS):
            changes = [
                c for c in decision.changes if c.line.level.shop not in self.observed and c.key not in untouchable
            ]
            sent.stale.clear()
            await self._sender.send(report.place, changes, epoch=epoch, snapshot_at=looked.snapshot.begun_at, into=sent)
            unproven = {line.level.key for line in decision.lines if line.action is Action.UNPROVEN}
            again = sent.stale | unproven
            again = {key for key in again if key[0] not in self.observed and key[0] not in sent.stopped} - sent.unknown
            if not again or number == ROUNDS - 1:
                break
            if unproven:
                await self.clock.sleep(_PROOF_SECONDS)  # the orders in doubt are due: let them be looked at
            more = await self._looker.look_again(report.place, _sellers_of(again, levels))
            if isinstance(more, Unreadable):
                report.problem, report.code = more.why, more.code
                break
            looked = more
            # A small part of what was judged plausible as a whole needs no second judgement.
            decision = await self._decide(looked, frozenset(again), confirmed=True, strict=True)
            await self._remember(report.place, looked, decision.lines, whole=False)
        for shop, why in sent.stopped.items():
            report.problem = report.problem or f"{shop}: {why}"

    async def _decide(
        self,
        looked: Looked,
        only: frozenset[LevelKey] | None,
        *,
        confirmed: bool = False,
        strict: bool = False,
        newest_published_at: datetime | None = None,
    ) -> StockDecision:
        last = await self.store.load_levels(looked.snapshot.place, None if only is None else sorted(only))
        return decide_stock(
            looked.snapshot,
            looked.levels,
            looked.seen,
            looked.taken,
            last,
            self.policy,
            now=self.clock.now(),
            newest_published_at=newest_published_at,
            only=only,
            confirmed=confirmed,
            strict=strict,
        )

    async def _remember(self, place: Place, looked: Looked, lines: Sequence[StockLine], *, whole: bool) -> None:
        await self.store.record_lines(
            place, lines, snapshot_at=looked.snapshot.begun_at, now=self.clock.now(), whole=whole
        )

    def _describe(self, report: PlaceReport, looked: Looked, decision: StockDecision) -> None:
        report.snapshot_at = looked.snapshot.begun_at
        report.lines, report.held = decision.lines, decision.held
        report.wanted = len(decision.changes)
        if decision.refused:
            report.problem = decision.refused


def _sellers_of(keys: set[LevelKey], levels: Mapping[LevelKey, ShopLevel]) -> list[KnownLevel]:
    """Everything, of what was read, that sells a product of these levels, so that all its demand is read anew."""
    wanted = {product.code for key in keys for product in levels[key].products}
    found = {
        level.key
        for level in levels.values()
        if level.key in keys or any(product.code in wanted for product in level.products)
    }
    return [KnownLevel(key=key, level_id=levels[key].level_id, sku=levels[key].sku) for key in sorted(found)]
