"""Where people work on the rulebook: its versions, what the warehouse knows, and the orders to try a version on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pickgate.domain.facts import Unreadable
from pickgate.domain.policy import Policy
from pickgate.domain.rules import Rules
from pickgate.flows.backtest import Backtest, StoredOrders, backtest
from pickgate.flows.ports import ProductAnswer
from pickgate.flows.replay import facts_of, replay_decision
from pickgate.operations.errors import NotFound
from pickgate.rulebook.check import Finding, KnownCodes, Severity, check_tables
from pickgate.rulebook.evaluate import Rulebook
from pickgate.rulebook.tables import SHAPES, Tables

MOST_PRODUCTS = 2_000  # asked of the warehouse in one check; a page of its listing holds a hundred or so

Codes = tuple[str, ...] | Unreadable
Pairs = tuple[tuple[str, str], ...] | Unreadable


class RulebookVersions(Protocol):
    """The store's share. Rows are mappings: number, note, created_at, created_by, published_at, published_by."""

    async def published_number(self) -> int:
        """The version that decides now; 0: none."""
        ...

    async def find(self, number: int) -> Mapping[str, Any] | None:
        """One version with its `tables`."""
        ...

    async def list_versions(self, *, limit: int, offset: int) -> Sequence[Mapping[str, Any]]: ...

    async def count_versions(self) -> int: ...

    async def save(self, tables: Mapping[str, Any], *, note: str, by: str, now: datetime) -> int: ...

    async def publish(self, number: int, *, reason: str, by: str, now: datetime, expected: int | None) -> int | None:
        """Returns how many stopped orders were woken; None: another version than `expected` decides by now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseCodes:
    """What the warehouse knows, asked live. `products` answers about the codes it is given."""

    accounts: Callable[[], Awaitable[Codes]]
    warehouses: Callable[[], Awaitable[Codes]]
    services: Callable[[], Awaitable[Pairs]]
    products: Callable[[Sequence[str]], Awaitable[ProductAnswer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`not_asked`: what could not be asked of the warehouse, and why; nothing is said about it."""

    findings: tuple[Finding, ...]
    not_asked: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulebookDesk:
    """`policies`: by shop; their keys are the shops there are. `unreadable`: errors of one order's stored facts."""

    versions: RulebookVersions
    orders: StoredOrders
    codes: WarehouseCodes
    policies: Mapping[str, Policy]
    unreadable: tuple[type[Exception], ...] = (ValueError,)

    async def check(self, tables: Tables) -> Checked:
        """Look for rows that cannot do what their author hoped, and for codes that the warehouse does not have."""
        known, not_asked = await self._ask_codes(tables)
        # Tens of thousands of rows take a while: requests of others are answered meanwhile.
        return Checked(findings=await asyncio.to_thread(check_tables, tables, known), not_asked=not_asked)

    async def backtest(
        self, old: tuple[int, Tables], new: tuple[int, Tables], *, limit: int, shops: frozenset[str] | None
    ) -> Backtest:
        """Decide the newest orders under both versions."""
        before, after = await asyncio.to_thread(lambda: (Rulebook(*old), Rulebook(*new)))
        return await backtest(
            self.orders, before, after, self.policies, limit=limit, shops=shops, unreadable=self.unreadable
        )

    async def replay(self, order: int, *, rules: Rules, rulebook: int | None) -> Mapping[str, Any]:
        """Decide an order again from its stored facts, under `rules`, or the version `rulebook` when one is named.

        Raises NotFound for a version that does not exist.
        """
        if rulebook is not None:
            row = await self.versions.find(rulebook)
            if row is None:
                problem = f"There is no rulebook version {rulebook}."
                raise NotFound(problem, remedy="See list_rulebooks for the versions there are.")
            rules = Rulebook(rulebook, Tables.from_json(row["tables"]))
        stored = await self.orders.load_facts(order)
        facts = facts_of(stored, rules) if stored is not None else None
        if facts is None or facts.shop not in self.policies:
            why = "The order has not been read yet." if facts is None else f"The settings have no shop {facts.shop}."
            return {"decided": False, "why": why, "rulebook": rules.version}
        return replay_decision(facts, rules, self.policies[facts.shop])

    async def _ask_codes(self, tables: Tables) -> tuple[KnownCodes, tuple[str, ...]]:
        codes = _column(tables, "skus", "product_code") + _column(tables, "bundles", "component_code")
        named = list(dict.fromkeys(codes))
        asked = named[:MOST_PRODUCTS]
        accounts, warehouses, services, products = await asyncio.gather(
            self.codes.accounts(), self.codes.warehouses(), self.codes.services(), self.codes.products(asked)
        )
        not_asked = [
            f"{what}: {answer.why}"
            for what, answer in (("accounts", accounts), ("warehouses", warehouses), ("services", services))
            if isinstance(answer, Unreadable)
        ]
        named = list(
            dict.fromkeys([*_column(tables, "skus", "product_code"), *_column(tables, "bundles", "component_code")])
        )
        asked = named[:MOST_PRODUCTS]
        products = await self.codes.products(asked) if asked else ProductAnswer()
        if products.unreadable is not None:
            not_asked.append(f"products: {products.unreadable.why}")
        if len(named) > len(asked):
            not_asked.append(f"products: the last {len(named) - len(asked)} of {len(named)} codes")
        known = KnownCodes(
            shops=frozenset(self.policies),
            accounts=None if isinstance(accounts, Unreadable) else accounts,
            warehouses=None if isinstance(warehouses, Unreadable) else warehouses,
            services=None if isinstance(services, Unreadable) else services,
            products=frozenset(named) - products.unknown,
        )
        return known, tuple(not_asked)


def _column(tables: Tables, table: str, column: str) -> list[str]:
    at = SHAPES[table].index(column)
    return [row[at] for row in tables.rows(table) if row[at]]
