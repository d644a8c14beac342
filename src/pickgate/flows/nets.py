"""The nets under the webhooks: poll the warehouse, sweep the shop and our own orders, mend the subscriptions.

None of them decides anything. Each only wakes orders; the look does the rest, so a net finds drift by the same
comparison that every look makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pickgate.clock import Clock
from pickgate.domain.facts import Unreadable
from pickgate.domain.findings import Finding
from pickgate.flows.ports import ShopPort, Store, SubscriptionReport, WarehousePort

_PAGE = 100
_MOST_PAGES = 10_000
# Two changes in one second look alike, and a page may be read while it moves: each sweep overlaps the last a little.
_OVERLAP = timedelta(minutes=2)
_FIRST_SWEEP_LOOKS_BACK = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetReport:
    """What a net compared and whom it woke. `unreadable`: why it could not finish; it goes on next time."""

    compared: int = 0
    woken: int = 0
    unreadable: str | None = None


@dataclass(slots=True, kw_only=True)
class NetFlows:
    store: Store
    shops: Mapping[str, ShopPort]
    warehouse: WarehousePort
    clock: Clock

    async def poll_warehouse(self) -> NetReport:
        """Read every goods-out that may be live, and wake the orders of those that moved or vanished."""
        compared = woken = after = 0
        for _ in range(_MOST_PAGES):
            rows = await self.store.open_goods_outs(after=after, limit=_PAGE)
            if not rows:
                break
            after = rows[-1][0]
            answer = await self.warehouse.poll([ask for _, _, _, ask, _ in rows])
            if isinstance(answer, Unreadable):
                return NetReport(compared=compared, woken=woken, unreadable=answer.why)
            seen = {row.reference: row.fingerprint for row in answer}
            changed = {}
            for _, shop, order_id, ask, last in rows:
                compared += 1
                now_seen = seen.get(ask.reference, "gone")
                if now_seen != last:
                    changed[ask.reference] = now_seen
                    woken += 1
                    await self.store.wake(
                        shop=shop, order_id=order_id, at=self.clock.now(), because="it moved in the warehouse"
                    )
            if changed:
                await self.store.set_polled(changed)
        return NetReport(compared=compared, woken=woken)

    async def sweep_shop(self, shop: str) -> NetReport:
        """Wake every order that the shop says changed since the last sweep, and that we have not seen so new."""
        name = f"sweep:{shop}"
        saved = await self.store.load_cursor(name)
        started = self.clock.now()
        since = datetime.fromisoformat(saved) - _OVERLAP if saved else started - _FIRST_SWEEP_LOOKS_BACK
        compared = woken = 0
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            page = await self.shops[shop].changed_orders(since=since, cursor=cursor)
            if page.unreadable is not None:
                return NetReport(compared=compared, woken=woken, unreadable=page.unreadable.why)
            seen = await self.store.seen_updates(shop=shop, order_ids=[item.order_id for item in page.items])
            for item in page.items:
                compared += 1
                known = seen.get(item.order_id)
                if known is None or known < item.updated_at:
                    woken += 1
                    await self.store.wake(
                        shop=shop, order_id=item.order_id, at=self.clock.now(), because="the sweep saw it change"
                    )
            cursor = page.next_cursor
            if cursor is None:
                break
        await self.store.save_cursor(name, started.isoformat())
        return NetReport(compared=compared, woken=woken)

    async def sweep_orders(self, *, not_looked_for: timedelta, sample: int) -> NetReport:
        """Wake every order that is not settled and was not looked at for a while, and a sample of the settled."""
        now = self.clock.now()
        compared = after = 0
        for page in range(_MOST_PAGES):
            rows = await self.store.orders_to_sweep(
                now=now,
                not_looked_since=now - not_looked_for,
                sample=sample if page == 0 else 0,
                after=after,
                limit=_PAGE,
            )
            if not rows:
                break
            for row, shop, order_id in rows:
                compared += 1
                after = max(after, row)
                await self.store.wake(shop=shop, order_id=order_id, at=now, because="swept", is_hint=False)
            if len(rows) < _PAGE:
                break
        return NetReport(compared=compared, woken=compared)

    async def mend_subscriptions(self, shop: str, callback_url: str) -> SubscriptionReport:
        """Create the webhook subscriptions that are missing; what cannot be mended is an exception."""
        report = await self.shops[shop].ensure_subscriptions(callback_url)
        findings = []
        if report.unreadable is not None and report.unreadable.code is not None:
            findings.append(
                Finding(
                    code=report.unreadable.code,
                    fingerprint=f"{report.unreadable.code}:subscriptions",
                    summary=f"{shop}: the subscriptions cannot be read: {report.unreadable.why}",
                    detail={"why": report.unreadable.why},
                )
            )
        if report.failed:
            findings.append(
                Finding(
                    code="WEBHOOKS_MISSING",
                    fingerprint=f"WEBHOOKS_MISSING:{'+'.join(sorted(report.failed))}",
                    summary=f"{shop}: no webhooks for {', '.join(sorted(report.failed))}; only the sweep sees them.",
                    detail={"topics": sorted(report.failed), "callback_url": callback_url},
                )
            )
        await self.store.raise_shop_finding(shop=shop, scope="subscriptions", findings=findings, now=self.clock.now())
        if report.unreadable is None:
            await self.store.raise_shop_finding(shop=shop, scope="access", findings=[], now=self.clock.now())
        return report
