"""Turn stored webhooks into hints: wake the orders they are about. What they say has happened is never believed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pickgate.clock import Clock
from pickgate.domain.facts import Unreadable
from pickgate.domain.findings import Finding
from pickgate.flows.hints import Hint, HintPort, UnreadableBody
from pickgate.flows.ports import (
    InboxVerdict,
    PendingInbox,
    ShopPort,
    Store,
)


@dataclass(slots=True, kw_only=True)
class Receiver:
    """`hint_delay_seconds`: how long a burst about one order may gather before it is looked at."""

    store: Store
    shops: Mapping[str, ShopPort]
    parsers: Mapping[str, HintPort]  # by source
    clock: Clock
    hint_delay_seconds: float = 3.0
    on_stock_hint: Callable[[bytes], Awaitable[None]] | None = None
    warehouse_delay_seconds: float = 0.5  # a picker has begun: the lock should not wait

    async def receive(self, *, limit: int = 200) -> int:
        """Settle up to `limit` inbox rows. Returns how many were settled; 0: nothing is pending."""
        items = await self.store.claim_inbox(now=self.clock.now(), limit=limit)
        if not items:
            return 0
        verdicts: list[InboxVerdict] = []
        waiting: dict[str, list[tuple[PendingInbox, Hint]]] = {}
        for item in items:
            try:
                hint = self.parsers[item.source].parse_hint(item.topic, item.body)
            except UnreadableBody as error:
                verdicts.append(_unreadable(item, str(error)))
                continue
            if item.source == "clarus" and item.topic.startswith("stock") and self.on_stock_hint is not None:
                await self.on_stock_hint(item.body)
                verdicts.append(InboxVerdict(id=item.id, verdict="hinted", note="stock"))
            elif hint.fulfilment_order_ids:
                waiting.setdefault(item.shop, []).append((item, hint))
            else:
                verdicts.append(await self._verdict(item, hint))
        for shop, pairs in waiting.items():
            verdicts += await self._by_fulfilment_order(shop, pairs)
        sources = {item.id: item.source for item in items}
        for source, delay in (("shopify", self.hint_delay_seconds), ("clarus", self.warehouse_delay_seconds)):
            own = [verdict for verdict in verdicts if sources[verdict.id] == source]
            if own:
                await self.store.settle_inbox(own, now=self.clock.now(), delay_seconds=delay)
        return len(verdicts)

    async def _verdict(self, item: PendingInbox, hint: Hint) -> InboxVerdict:
        wake = [(item.shop, order_id) for order_id in hint.order_ids]
        if hint.references or hint.clarus_ids:
            wake += await self.store.find_orders_of_goods_outs(references=hint.references, clarus_ids=hint.clarus_ids)
        if wake:
            return InboxVerdict(id=item.id, verdict="hinted", wake=tuple(dict.fromkeys(wake)))
        rule = hint.rule or "names nothing that we know"
        return InboxVerdict(id=item.id, verdict="ignored", note=rule)

    async def _by_fulfilment_order(self, shop: str, pairs: list[tuple[PendingInbox, Hint]]) -> list[InboxVerdict]:
        ids = list(dict.fromkeys(fo for _, hint in pairs for fo in hint.fulfilment_order_ids))
        orders = await self.shops[shop].order_of_fulfilment_orders(ids)
        if isinstance(orders, Unreadable):
            # The hint is lost for now, not the order: every order that waits is swept anyway.
            note = f"which order it is about could not be read: {orders.why}"
            return [InboxVerdict(id=item.id, verdict="ignored", note=note) for item, _ in pairs]
        verdicts = []
        for item, hint in pairs:
            named = [orders[fo] for fo in hint.fulfilment_order_ids if fo in orders]
            wake = tuple(dict.fromkeys((shop, order_id) for order_id in (*hint.order_ids, *named)))
            verdict = "hinted" if wake else "ignored"
            note = "" if wake else "its fulfilment order is not visible to us"
            verdicts.append(InboxVerdict(id=item.id, verdict=verdict, note=note, wake=wake))
        return verdicts


def _unreadable(item: PendingInbox, problem: str) -> InboxVerdict:
    finding = Finding(
        code="UNREADABLE_PAYLOAD",
        fingerprint=f"UNREADABLE_PAYLOAD:{item.source}:{item.topic}:{problem[:60]}",
        summary=f"{item.shop}: a {item.topic} webhook cannot be read: {problem}",
        detail={"topic": item.topic, "problem": problem, "inbox_id": item.id},
        actions=("resolve_exceptions",),
    )
    return InboxVerdict(id=item.id, verdict="exception", note=problem, finding=finding)
