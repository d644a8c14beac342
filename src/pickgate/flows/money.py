"""Keep every order's ledger: read its money after a look that changed it, book, compare, and say what is unexplained.

Off the path of the look: nothing waits for money, and money never holds an order. The store notes which orders' money
a look saw changing; this flow takes those, several in one request, on the lane that leaves budget to the looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pickgate.clock import Clock
from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.ledger import build_ledger
from pickgate.domain.ledger_check import EVERY_PART, Part, find_unexplained, find_unread, find_unusable, reconcile
from pickgate.domain.ledger_facts import OrderMoney, Unusable
from pickgate.flows.money_ports import DueMoney, MoneyAnswer, MoneyShopPort, MoneyStore

_LEASE_SECONDS = 120.0
_AT_ONCE = 24
# The shop may show totals before the agreement behind them: a difference is looked at again, ever more rarely.
_AGAIN = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
_UNREAD_FOR = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyOutcome:
    """What a run did. `unreadable`: the last reason why a read failed; the order is tried again."""

    compared: int = 0
    booked: int = 0
    unexplained: int = 0
    unreadable: str | None = None


@dataclass(slots=True, kw_only=True)
class MoneyFlow:
    """`compare`: the parts of the totals that are compared, for each order the same."""

    store: MoneyStore
    shops: Mapping[str, MoneyShopPort]
    clock: Clock
    compare: frozenset[Part] = EVERY_PART

    async def reconcile_due(self, limit: int = 200) -> MoneyOutcome:
        """Compare up to `limit` orders whose money changed. Run it each minute; a run that finds nothing is cheap."""
        total = MoneyOutcome()
        while total.compared < limit:
            due = await self.store.claim_money(
                now=self.clock.now(), limit=min(_AT_ONCE, limit - total.compared), lease_seconds=_LEASE_SECONDS
            )
            if not due:
                break
            total = _added(total, await self._reconcile(due))
        return total

    async def reconcile_order(self, order: int) -> MoneyOutcome:
        """Compare one order now, due or not: after a look, or because a person asked."""
        due = await self.store.claim_money_of(order=order, now=self.clock.now(), lease_seconds=_LEASE_SECONDS)
        return MoneyOutcome() if due is None else await self._reconcile([due])

    async def _reconcile(self, due: Sequence[DueMoney]) -> MoneyOutcome:
        total = MoneyOutcome()
        for shop in dict.fromkeys(one.shop for one in due):
            several = [one for one in due if one.shop == shop]
            port = self.shops.get(shop)
            answers: Mapping[str, MoneyAnswer]
            if port is None:
                why = f"The shop {shop!r} is not in the settings any more."
                answers = {one.order_id: Unreadable(why=why) for one in several}
            else:
                answers = await port.read_money([one.order_id for one in several])
            for one in several:
                total = _added(total, await self._settle(one, answers[one.order_id]))
        return total

    async def _settle(self, due: DueMoney, answer: MoneyAnswer) -> MoneyOutcome:
        now = self.clock.now()
        match answer:
            case OrderMoney():
                ledger = build_ledger(answer)
                if isinstance(ledger, Unusable):
                    return await self._refuse(due, ledger)
                differences = reconcile(ledger, answer, parts=self.compare)
                booked = await self.store.record_money(
                    due,
                    money=answer,
                    transactions=ledger,
                    differences=differences,
                    findings=find_unexplained(answer.name, differences, ledger),
                    compare_again_at=now + _AGAIN[min(due.tries, len(_AGAIN) - 1)] if differences else None,
                    now=now,
                )
                return MoneyOutcome(compared=1, booked=len(booked), unexplained=int(bool(differences)))
            case Unusable():
                return await self._refuse(due, answer)
            case Missing():
                await self.store.put_off_money(
                    due, why="The shop does not show this order any more.", again_at=None, findings=None, now=now
                )
                return MoneyOutcome(compared=1)
            case Unreadable():
                overdue = now - due.since >= _UNREAD_FOR
                await self.store.put_off_money(
                    due,
                    why=answer.why,
                    again_at=now + _AGAIN[min(due.tries, 2)],
                    findings=find_unread(due.name, answer.why, due.since) if overdue else None,
                    now=now,
                )
                return MoneyOutcome(compared=1, unreadable=answer.why)

    async def _refuse(self, due: DueMoney, unusable: Unusable) -> MoneyOutcome:
        """Nothing of an order with an unusable cell is booked; the exception names the cell, and all others go on."""
        now = self.clock.now()
        await self.store.put_off_money(
            due,
            why=f"{unusable.where}: {unusable.problem}",
            again_at=now + _AGAIN[min(due.tries + 1, len(_AGAIN) - 1)],
            findings=find_unusable(due.name, unusable),
            now=now,
        )
        return MoneyOutcome(compared=1, unexplained=1)


def _added(one: MoneyOutcome, other: MoneyOutcome) -> MoneyOutcome:
    return MoneyOutcome(
        compared=one.compared + other.compared,
        booked=one.booked + other.booked,
        unexplained=one.unexplained + other.unexplained,
        unreadable=other.unreadable or one.unreadable,
    )
