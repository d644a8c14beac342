"""The warehouse's side: goods-outs as they are read back. Values only; the connector fills them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from hashlib import sha256

from pickgate.domain.shop import Address


class Stage(Enum):
    """How far the warehouse has come. A status code that nobody knows is UNRECOGNISED: in work, not editable."""

    DRAFT = "draft"
    PENDING = "pending"
    PART_ALLOCATED = "part_allocated"
    ALLOCATED = "allocated"
    PICKING = "picking"
    PART = "part"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsOutLine:
    """One line as the warehouse holds it. Units are whole shop-side product units of `product_code`."""

    id: str
    product_code: str
    ordered: int
    allocated: int = 0
    picked: int = 0
    despatched: int = 0
    short: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A parcel that has left or is about to."""

    tracking_number: str
    carrier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsOut:
    """One goods-out as the warehouse shows it now."""

    id: str
    reference: str
    stage: Stage
    status_code: str
    lines: tuple[GoodsOutLine, ...]
    account: str = ""
    warehouse: str = ""
    carrier: str | None = None
    priority: int | None = None
    parcels: tuple[Parcel, ...] = ()

    @property
    def picked(self) -> int:
        return sum(line.picked for line in self.lines)

    @property
    def despatched(self) -> int:
        return sum(line.despatched for line in self.lines)


class Part(Enum):
    """The parts of a goods-out that may change, each with its own way of following."""

    LINES = "lines"
    ADDRESS = "address"
    SERVICE = "service"
    NOTES = "notes"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentLine:
    """What is wanted of one product for one order line. `per_unit`: product units in one unit that the shop sells."""

    line_id: str
    product_code: str
    units: int
    sku: str = ""
    per_unit: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything of a goods-out that the customer's order decides. Two equal contents need no message."""

    account: str
    warehouse: str
    lines: tuple[ContentLine, ...]
    address: Address
    carrier: str | None = None
    service: str | None = None
    priority: int | None = None
    notes: tuple[tuple[str, str], ...] = ()
    required_on: date | None = None

    def part(self, part: Part) -> object:
        """Return the values of one part, comparable with the same part of another content."""
        match part:
            case Part.LINES:
                return (
                    self.account,
                    self.warehouse,
                    tuple(sorted((n.line_id, n.product_code, n.units) for n in self.lines)),
                )
            case Part.ADDRESS:
                return self.address
            case Part.SERVICE:
                return (self.carrier, self.service, self.priority, self.required_on)
            case Part.NOTES:
                return self.notes

    def changed_parts(self, other: Content) -> tuple[Part, ...]:
        """Return the parts in which the two differ, in the order of `Part`."""
        return tuple(part for part in Part if self.part(part) != other.part(part))

    @property
    def fingerprint(self) -> str:
        """A short hash of all parts: 16 hexadecimal digits."""
        text = repr([self.part(part) for part in Part])
        return sha256(text.encode()).hexdigest()[:16]

    def units_by_product(self) -> dict[str, int]:
        units: dict[str, int] = {}
        for line in self.lines:
            units[line.product_code] = units.get(line.product_code, 0) + line.units
        return units
