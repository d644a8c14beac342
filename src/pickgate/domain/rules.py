"""What the rulebook answers. The tables live in `rulebook/`; the decision only asks.

Every answer names the row that gave it, so that an order can say why: "Next Day Delivery → DPD/ND, row 3, version 12".
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, Protocol, TypeVar

from pickgate.domain.shop import Address

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """One row of one table of one version. `row` counts data rows from 1; 0: no row, a built-in default."""

    table: str
    row: int
    version: int

    def __str__(self) -> str:
        return f"{self.table}, row {self.row}, version {self.version}"


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    value: T
    row: RuleRow


@dataclass(frozen=True, slots=True)
class Ignored:
    """A row says that this is none of the warehouse's business."""

    row: RuleRow


@dataclass(frozen=True, slots=True)
class NotListed:
    """No row matches: somebody has to add one."""

    table: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    account: str
    warehouse: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Both or neither. Neither: the warehouse's own default."""

    carrier: str | None
    service: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    code: str
    units: int = 1


class Rules(Protocol):
    """One published version of the rulebook. Pure: the same question, the same answer."""

    @property
    def version(self) -> int: ...

    def place(self, *, shop: str, location_id: str, location_name: str) -> Found[Place] | Ignored | NotListed: ...

    def service(
        self, *, shop: str, shipping_title: str, country: str, warehouse: str
    ) -> Found[Service] | NotListed: ...

    def priority(self, *, shop: str, tags: tuple[str, ...], shipping_title: str, country: str) -> Found[int] | None: ...

    def products(self, *, shop: str, sku: str) -> Found[tuple[Product, ...]] | Ignored | NotListed:
        """Return the warehouse products behind one shop unit of a SKU: one, or a bundle's components.

        A SKU without a row is returned as itself after normalising; NotListed only when nothing usable is left.
        """
        ...

    def note_field(self, *, shop: str, attribute: str) -> Found[str] | None:
        """Return the warehouse field for an order or line attribute ("note": the order's note)."""
        ...

    def group(self, *, shop: str, sku: str, tags: tuple[str, ...]) -> Found[str] | None: ...

    def hold(self, *, shop: str, tags: tuple[str, ...], country: str, total: Decimal) -> Found[str] | None:
        """Return the reason for which orders like this one wait for an operator."""
        ...

    def address_problem(self, address: Address) -> tuple[str, str] | None:
        """Return the field (of `Address`) that makes this undeliverable in its country, and why in words.

        None: nothing speaks against it. What only looks unusual passes.
        """
        ...
