"""An audit: both systems' past is read, without changing anything, and judged. Can be killed and goes on.

Everything read is put into the notebook before it is used, and each step asks the notebook first. Reads take the lane
that leaves budget to everybody else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from pickgate.clock import Clock
from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.lookback import Ground, Lookback, PastOrder
from pickgate.domain.lookback_all import look_back
from pickgate.domain.lookback_match import Matched, ReferencePattern, match_goods_outs
from pickgate.domain.lookback_money import has_moved
from pickgate.domain.lookback_stock import StockFacts
from pickgate.domain.policy import Policy
from pickgate.domain.projection import product_codes_of
from pickgate.domain.rules import Found, Place, Rules
from pickgate.domain.shop import ShopOrder
from pickgate.domain.stock import ShopLevel
from pickgate.domain.stock_policy import Balance, StockPolicy
from pickgate.flows.audit_ports import (
    BULK_PARTS,
    FULFILMENTS,
    ORDERS,
    Notebook,
    ParsedGoodsOuts,
    PastShopPort,
    PastWarehousePort,
    Progress,
)

T = TypeVar("T")

_WAITS_SECONDS = (2.0, 5.0, 15.0, 30.0, 60.0)
_POLL_SECONDS = (1.0, 2.0, 3.0, 5.0, 10.0)
_MOST_POLLS = 100_000
_MOST_BEGINNINGS = 3
_DAYS_BEFORE = 2
_AT_ONCE = 50
_GOODS_OUTS = "goods-outs"


class AuditStopped(Exception):
    """It could not go on. What was read is kept: the same command goes on from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSubject:
    """What is audited: ports and rules. `second_look`: whether single references can be asked for."""

    shops: Mapping[str, PastShopPort]
    warehouse: PastWarehousePort
    rules: Rules
    policies: Mapping[str, Policy]
    stock_policy: StockPolicy
    pattern: ReferencePattern
    has_rulebook: bool = True
    settled_after: timedelta = timedelta(hours=24)
    second_look: bool = True


class Audit:
    """One audit of one period."""

    def __init__(self, subject: AuditSubject, notebook: Notebook, clock: Clock, progress: Progress) -> None:
        self._subject = subject
        self._notebook = notebook
        self._clock = clock
        self._progress = progress
        self._state: dict[str, Any] = notebook.load()
        self._notes: list[str] = []

    async def run(self, *, since: datetime, until: datetime) -> Lookback:
        """
        Read and judge the orders made in the period. The notebook is left as it is: its owner discards it.

        Raises AuditStopped when something stays unreadable: a verdict on half of the facts would accuse the innocent.
        """
        await self._read_shops(since, until)
        await self._read_warehouse(since, until)
        orders = await self._orders()
        matched = await self._match(orders)
        past = [
            PastOrder(shop=shop, order=order, goods_outs=matched.by_order.get((shop, order.id), ()))
            for shop, order in orders
        ]
        past = await self._with_money(past)
        known = await self._products(past)
        subject = self._subject
        ground = Ground(
            until=until,
            rules=subject.rules,
            policies=subject.policies,
            settled_after=subject.settled_after,
            known_products=known[0],
            unknown_products=known[1],
            has_rulebook=subject.has_rulebook,
        )
        stock = await self._stock(past) if subject.has_rulebook else None
        self._progress.step("Judging", 0, None)
        found = look_back(past, ground, stock, subject.stock_policy)
        return replace(found, notes=tuple(self._notes))

    # ── the shops ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _read_shops(self, since: datetime, until: datetime) -> None:
        """Start every bulk read before waiting for the first: they run side by side at Shopify."""
        keys = [(shop, part) for shop in self._subject.shops for part in BULK_PARTS]
        for shop, part in keys:
            if "id" not in self._bulk(shop, part):
                await self._begin(shop, part, since, until)
        for number, (shop, part) in enumerate(keys):
            self._progress.step(f"Shopify {shop}: {part}", number, len(keys))
            for _ in range(_MOST_BEGINNINGS):
                if self._bulk(shop, part).get("done") or await self._fetch(shop, part):
                    break
                await self._begin(shop, part, since, until)
            else:
                raise AuditStopped(f"Shopify's bulk read of {part} of {shop} failed {_MOST_BEGINNINGS} times.")

    def _bulk(self, shop: str, part: str) -> dict[str, Any]:
        found: dict[str, Any] = self._state.setdefault("bulk", {}).setdefault(f"{shop}-{part}", {})
        return found

    async def _begin(self, shop: str, part: str, since: datetime, until: datetime) -> None:
        port = self._subject.shops[shop]
        self._notebook.clear(f"{shop}-{part}")
        operation = await self._insist(lambda: port.begin(part, since=since, until=until))
        self._bulk(shop, part).clear()
        self._bulk(shop, part)["id"] = operation
        self._notebook.save(self._state)

    async def _fetch(self, shop: str, part: str) -> bool:
        """Wait for a bulk read and fetch its result, from where an earlier run left off. False: it was lost."""
        port, entry, name = self._subject.shops[shop], self._bulk(shop, part), f"{shop}-{part}"
        for polls in range(_MOST_POLLS):
            state = await self._insist(lambda: port.progress(entry["id"]))
            if state.lost:
                self._notes.append(f"{shop}: {state.lost} It was started again.")
                return False
            self._progress.step(f"Shopify {shop}: {part}, {state.objects} objects", polls, None)
            if state.done:
                break
            await self._clock.sleep(_POLL_SECONDS[min(polls, len(_POLL_SECONDS) - 1)])
        else:
            return False
        while state.address:
            _, size = self._notebook.count(name)
            piece = await port.read_piece(state.address, start=size)
            if isinstance(piece, Unreadable):
                # An address runs out; the operation knows a fresh one.
                await self._clock.sleep(_WAITS_SECONDS[0])
                state = await self._insist(lambda: port.progress(entry["id"]))
                piece = await self._piece(port, state.address, size)
            if not piece:
                break
            self._notebook.add(name, piece)
            self._progress.step(f"Shopify {shop}: fetching {part}", size + len(piece), None)
        entry["done"] = True
        self._notebook.save(self._state)
        return True

    async def _piece(self, port: PastShopPort, address: str, start: int) -> bytes:
        return await self._insist(lambda: port.read_piece(address, start=start))

    async def _orders(self) -> list[tuple[str, ShopOrder]]:
        orders: list[tuple[str, ShopOrder]] = []
        for shop, port in self._subject.shops.items():
            parsed = port.parse(
                self._notebook.pieces(f"{shop}-{ORDERS}"), self._notebook.pieces(f"{shop}-{FULFILMENTS}")
            )
            if isinstance(parsed, Unreadable):
                for part in BULK_PARTS:
                    self._notebook.clear(f"{shop}-{part}")
                    self._bulk(shop, part).clear()
                self._notebook.save(self._state)
                raise AuditStopped(f"{parsed.why} It will be read anew by the next run.")
            orders += [(shop, order) for order in parsed.orders]
            orders += [(shop, order) for order in await self._again(shop, parsed.torn)]
        return orders

    async def _again(self, shop: str, ids: Sequence[str]) -> list[ShopOrder]:
        """Read orders alone whose parts did not fit together."""
        found: list[ShopOrder] = []
        unread: list[str] = []
        for at in range(0, len(ids), _AT_ONCE):
            self._progress.step(f"Shopify {shop}: orders that changed meanwhile", at, len(ids))
            answers = await self._subject.shops[shop].read_orders(ids[at : at + _AT_ONCE])
            for order_id, answer in answers.items():
                if isinstance(answer, ShopOrder):
                    found.append(answer)
                elif not isinstance(answer, Missing):
                    unread.append(order_id)
        if unread:
            raise AuditStopped(f"{len(unread)} orders of {shop} could not be read, such as {unread[0]}.")
        return found

    # ── the warehouse ────────────────────────────────────────────────────────────────────────────────────────────

    async def _read_warehouse(self, since: datetime, until: datetime) -> None:
        days = _days(since, until)
        done: list[str] = self._state.setdefault("days", [])
        for number, day in enumerate(days):
            self._progress.step("Clarus: goods-outs by day", number, len(days))
            if day.isoformat() in done:
                continue
            last = number == len(days) - 1
            piece = await self._insist(lambda d=day, a=last: self._subject.warehouse.read_day(d, and_after=a))  # type: ignore[misc]
            self._notebook.add(_GOODS_OUTS, piece)
            done.append(day.isoformat())
            self._notebook.save(self._state)

    async def _match(self, orders: Sequence[tuple[str, ShopOrder]]) -> Matched:
        parsed, matched = self._matched(orders)
        if self._subject.second_look:
            asked: set[str] = set(self._state.setdefault("references", []))
            lacking = [order for shop, order in orders if (shop, order.id) not in matched.by_order]
            wanted = [r for order in lacking for r in self._subject.pattern.references_of(order) if r not in asked]
            for at in range(0, len(wanted), _AT_ONCE):
                self._progress.step("Clarus: orders that were not in the lists", at, len(wanted))
                some = wanted[at : at + _AT_ONCE]
                piece = await self._insist(lambda s=some: self._subject.warehouse.read_references(s))  # type: ignore[misc]
                self._notebook.add(_GOODS_OUTS, piece)
                self._state["references"] += some
                self._notebook.save(self._state)
            parsed, matched = self._matched(orders)
        if parsed.broken:
            raise AuditStopped(f"Goods-outs of the warehouse cannot be understood, such as {parsed.broken[0]}.")
        for found, words in ((matched.strangers, "fit no order of the period"), (matched.ambiguous, "fit several")):
            if found:
                named = ", ".join(g.reference for g in found[:10]) + (", …" if len(found) > 10 else "")
                self._notes.append(f"{len(found)} goods-outs {words} and were left out: {named}")
        return matched

    def _matched(self, orders: Sequence[tuple[str, ShopOrder]]) -> tuple[ParsedGoodsOuts, Matched]:
        parsed = self._subject.warehouse.parse(self._notebook.pieces(_GOODS_OUTS))
        if isinstance(parsed, Unreadable):
            raise AuditStopped(parsed.why)
        return parsed, match_goods_outs(orders, parsed.goods_outs, self._subject.pattern, parsed.external)

    # ── money, products, stock ───────────────────────────────────────────────────────────────────────────────────

    async def _with_money(self, orders: Sequence[PastOrder]) -> list[PastOrder]:
        """Read the agreements of every order whose money may have moved."""
        answers: dict[str, dict[str, Any]] = {}
        for shop, port in self._subject.shops.items():
            have = answers[shop] = self._notebook.money(shop)
            moved = [p.order.id for p in orders if p.shop == shop and has_moved(p.order)]
            wanted = [order_id for order_id in moved if order_id not in have]
            for at in range(0, len(wanted), _AT_ONCE):
                self._progress.step(f"Shopify {shop}: money of edited orders", at, len(wanted))
                some = await port.read_money(wanted[at : at + _AT_ONCE])
                read = {order_id: one for order_id, one in some.items() if not isinstance(one, Unreadable)}
                self._notebook.add_money(shop, read)
                have |= some
            unread = [one for one in have.values() if isinstance(one, Unreadable)]
            if unread:
                text = (
                    f"{shop}: the money of {len(unread)} orders could not be read, and is not judged: {unread[0].why}"
                )
                self._notes.append(text)
        return [replace(p, money=answers[p.shop].get(p.order.id)) for p in orders]

    async def _products(self, orders: Sequence[PastOrder]) -> tuple[frozenset[str], frozenset[str]]:
        codes: dict[str, None] = {}
        for past in orders:
            codes |= dict.fromkeys(product_codes_of(past.order, self._subject.rules, shop=past.shop))
        listed = sorted(codes)
        known: frozenset[str] = frozenset()
        unknown: frozenset[str] = frozenset()
        for at in range(0, len(listed), _AT_ONCE):
            self._progress.step("Clarus: product codes", at, len(listed))
            answer = await self._subject.warehouse.find_products(listed[at : at + _AT_ONCE])
            known, unknown = known | answer.known, unknown | answer.unknown
            if answer.unreadable is not None:
                self._notes.append(f"Not every product code could be asked about: {answer.unreadable.why}")
        return known, unknown

    async def _stock(self, orders: Sequence[PastOrder]) -> StockFacts:
        places: dict[Place, set[tuple[str, str]]] = {}
        for past in orders:
            for share in past.order.fulfilment_orders:
                answer = self._subject.rules.place(
                    shop=past.shop, location_id=share.location_id, location_name=share.location_name
                )
                if isinstance(answer, Found):
                    places.setdefault(answer.value, set()).add((past.shop, share.location_id))
        levels: list[ShopLevel] = []
        balances: dict[Place, Mapping[str, Balance | Unreadable]] = {}
        ordered = sorted(places.items(), key=lambda item: (item[0].account, item[0].warehouse))
        for number, (place, locations) in enumerate(ordered):
            self._progress.step("Stock in both systems", number, len(ordered))
            balance = await self._subject.warehouse.read_balances(place, None)
            if isinstance(balance, Unreadable):
                self._notes.append(f"Stock of {place.account}/{place.warehouse} could not be read: {balance.why}")
                continue
            balances[place] = balance
            for shop, location in sorted(locations):
                level = await self._subject.shops[shop].read_levels(location)
                if isinstance(level, Unreadable):
                    self._notes.append(f"{shop}: stock of location {location} could not be read: {level.why}")
                else:
                    levels += level
        return StockFacts(levels=levels, balances=balances)

    async def _insist(self, ask: Callable[[], Awaitable[T | Unreadable]]) -> T:
        """Ask until there is an answer, a limited number of times. Raises AuditStopped."""
        why = ""
        for wait in (*_WAITS_SECONDS, None):
            answer = await ask()
            if not isinstance(answer, Unreadable):
                return answer
            why = answer.why
            if wait is None or answer.code is not None:
                break
            await self._clock.sleep(wait)
        raise AuditStopped(why)


def _days(since: datetime, until: datetime) -> list[date]:
    """The days on which goods-outs of the period may have been expected: from a little before, to a little after."""
    first = since.astimezone(UTC).date() - timedelta(days=_DAYS_BEFORE)
    last = until.astimezone(UTC).date() + timedelta(days=1)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
