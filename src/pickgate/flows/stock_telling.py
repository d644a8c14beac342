"""What a publication has to say: reports for whoever asked, and exceptions for whoever must act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pickgate.clock import Clock
from pickgate.domain.facts import Unreadable
from pickgate.domain.findings import Finding
from pickgate.domain.rules import Place
from pickgate.domain.stock import LastLevel, ShopLevel, StockLine
from pickgate.domain.stock_gate import Held, conflict_finding
from pickgate.flows.stock_looking import Plan
from pickgate.flows.stock_ports import StockStore
from pickgate.flows.stock_sending import Sent

CONFLICTS_UNTIL_EXCEPTION = 2
_SCOPE = "stock"


@dataclass(slots=True, kw_only=True)
class PlaceReport:
    """What became of one place. `lines`: the comparison, as first made; `problem`: why it was cut short."""

    place: Place
    snapshot_at: datetime | None = None
    lines: tuple[StockLine, ...] = ()
    wanted: int = 0
    sent: Sent = field(default_factory=Sent)
    held: Held | None = None
    problem: str = ""
    code: str | None = None
    retry: bool = False

    @property
    def published(self) -> int:
        return len(self.sent.published)

    def __str__(self) -> str:
        text = f"{self.place.account}/{self.place.warehouse}: {len(self.lines)} compared, {self.published} set"
        return f"{text} ({self.problem})" if self.problem else text


@dataclass(frozen=True, slots=True, kw_only=True)
class StockReport:
    """`problem`: why nothing could be planned at all."""

    places: tuple[PlaceReport, ...] = ()
    problem: str = ""

    @property
    def published(self) -> int:
        return sum(place.published for place in self.places)

    def __str__(self) -> str:
        return self.problem or "; ".join(str(place) for place in self.places) or "no location sells from a warehouse"


@dataclass(slots=True, kw_only=True)
class StockTeller:
    store: StockStore
    clock: Clock

    async def find_conflicts(self, report: PlaceReport, levels: Sequence[ShopLevel]) -> list[Finding]:
        """Say which levels will not hold still, publication after publication, and which can't be set at all."""
        stale = sorted(report.sent.stale)
        await self.store.note_conflicts(report.place, stale)
        last = await self.store.load_levels(report.place, stale)
        skus = {level.key: level.sku for level in levels}
        by_location: dict[tuple[str, str], list[str]] = {}
        for key in stale:
            if last.get(key, LastLevel()).conflicts >= CONFLICTS_UNTIL_EXCEPTION:
                by_location.setdefault(key[:2], []).append(skus[key])
        findings = [conflict_finding(shop, location, found) for (shop, location), found in by_location.items()]
        by_code: dict[tuple[str, str], list[str]] = {}
        for key, code in report.sent.refused.items():
            by_code.setdefault((key[0], code), []).append(skus[key])
        for (shop, code), refused in sorted(by_code.items()):
            findings.append(
                Finding(
                    code="SHOP_REFUSED",
                    fingerprint=f"SHOP_REFUSED:stock:{shop}:{code}",
                    summary=f"{shop}: the stock of {refused[0]} can't be set ({code}).",
                    detail={"skus": sorted(refused)[:20], "count": len(refused), "code": code},
                )
            )
        return findings

    async def tell(
        self, locations: Sequence[tuple[str, str]], findings: Sequence[Finding], report: PlaceReport
    ) -> None:
        """Make exactly these exceptions of a place hold, each for the shop that it is about."""
        where = f"{report.place.account}/{report.place.warehouse}"
        for shop in dict.fromkeys(shop for shop, _ in locations):
            held = [one for one in findings if f":{shop}:" in one.fingerprint or where in one.fingerprint]
            if shop in report.sent.stopped:
                held += [
                    Finding(
                        code=code,
                        fingerprint=f"{code}:stock:{shop}:stopped",
                        summary=f"{shop}: stock can't be published: {report.sent.stopped[shop]}",
                    )
                    for code in sorted(report.sent.codes)
                ]
            now = self.clock.now()
            await self.store.raise_shop_finding(shop=shop, scope=f"{_SCOPE}:{where}", findings=held, now=now)
            await self.store.raise_shop_finding(shop=shop, scope=f"{_SCOPE}:access", findings=[], now=now)

    async def tell_unreadable(self, locations: Sequence[tuple[str, str]], problem: Unreadable) -> None:
        """Open what only a person can solve. What holds already stays: nothing was learnt."""
        if problem.code is None:
            return
        finding = Finding(
            code=problem.code,
            fingerprint=f"{problem.code}:stock",
            summary=f"Stock can't be read: {problem.why}",
            detail={"why": problem.why},
        )
        for shop in dict.fromkeys(shop for shop, _ in locations):
            await self.store.raise_shop_finding(
                shop=shop, scope=f"{_SCOPE}:access", findings=[finding], now=self.clock.now()
            )

    async def tell_locations(self, shops: Sequence[str], plan: Plan) -> None:
        """Say which mapped locations the shop has switched off."""
        for shop in shops:
            findings = [
                Finding(
                    code="LOCATION_UNMAPPED",
                    fingerprint=f"LOCATION_UNMAPPED:inactive:{location_id}",
                    summary=f"{shop}: {name} is mapped to a warehouse and switched off in the shop. It gets no stock.",
                    detail={"location_id": location_id, "location": name, "table": "locations.csv"},
                )
                for owner, location_id, name in plan.inactive
                if owner == shop
            ]
            await self.store.raise_shop_finding(
                shop=shop, scope=f"{_SCOPE}:locations", findings=findings, now=self.clock.now()
            )
