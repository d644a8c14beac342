"""A look back at orders that ran without Pickgate: what each may be accused of, on what evidence, and its value.

Values only; `lookback_charges.py` and its neighbours decide. Nothing here knows when the warehouse did something: its
lists do not say. So only what is true now is accused, and only where enough time has passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.ledger_facts import OrderMoney, Unusable
from pickgate.domain.money import Money
from pickgate.domain.policy import Policy
from pickgate.domain.rules import Rules
from pickgate.domain.shop import ShopOrder
from pickgate.domain.warehouse import GoodsOut


class Charge(Enum):
    """What an order may be accused of. The value is stable: it is the key in CSV and JSON."""

    SUPERSEDED = "superseded_despatched"
    CANCELLED = "cancelled_despatched"
    OTHER_CONTENTS = "other_contents_despatched"
    TWIN = "twin_despatched"
    WAITING = "superseded_in_warehouse"
    STALLED = "part_fulfilment_stalled"
    NEVER_REACHED = "never_reached_warehouse"
    NEVER_CAME_BACK = "despatch_never_came_back"
    TOLD_NOT_SENT = "told_but_never_sent"
    LOCATION = "location_unmapped"
    SERVICE = "service_unmapped"
    SKU = "sku_unmapped"
    MONEY = "money_drift"
    STOCK = "stock_variance"

    @property
    def is_setup(self) -> bool:
        """Nothing went wrong yet: a row is missing that Pickgate would ask for."""
        return self in (Charge.LOCATION, Charge.SERVICE, Charge.SKU)

    @property
    def went_wrong(self) -> bool:
        """Something went wrong with an order."""
        return not self.is_setup and self is not Charge.STOCK


@dataclass(frozen=True, slots=True)
class ChargeBook:
    """How a charge is shown. `code`: the exception that Pickgate would have opened; empty: it would not have arisen."""

    title: str
    meaning: str
    code: str = ""


CHARGES: Mapping[Charge, ChargeBook] = {
    Charge.SUPERSEDED: ChargeBook(
        "Superseded lines were sent",
        "The order was edited, and the parcel holds other lines than the final ones.",
        "LATE_EDIT",
    ),
    Charge.CANCELLED: ChargeBook(
        "Cancelled, and sent all the same", "The order is cancelled in the shop; it left the warehouse.",
        "CANCEL_TOO_LATE",
    ),
    Charge.OTHER_CONTENTS: ChargeBook(
        "Other goods were sent", "Nobody edited the order, and other units left than it holds.", "OVER_DESPATCH"
    ),
    Charge.TWIN: ChargeBook(
        "Sent twice", "One order left as two goods-outs, or an order and the one that replaced it both left.",
        "DUPLICATE_SUSPECTED",
    ),
    Charge.WAITING: ChargeBook(
        "Superseded lines wait in the warehouse",
        "Not sent yet: the goods-out holds other lines than the order. It can still be stopped.",
        "SYNC_ILLUSION",
    ),
    Charge.STALLED: ChargeBook(
        "Part sent, the rest stalled", "Some units left, the others have not moved since.", "PART_FULFILMENT_STALLED"
    ),
    Charge.NEVER_REACHED: ChargeBook(
        "Never reached the warehouse", "The shop waits for it to be sent; the warehouse has no such order.",
        "WMS_ORDER_MISSING",
    ),
    Charge.NEVER_CAME_BACK: ChargeBook(
        "Sent, and the shop was never told", "It left the warehouse; the shop shows it as not fulfilled.", ""
    ),
    Charge.TOLD_NOT_SENT: ChargeBook(
        "Told as sent, and never left", "The shop, and so the customer, was told of units that did not leave.",
        "SYNC_ILLUSION",
    ),
    Charge.LOCATION: ChargeBook(
        "Location without a warehouse", "No row of locations.csv fits: these orders would wait.", "LOCATION_UNMAPPED"
    ),
    Charge.SERVICE: ChargeBook(
        "Shipping method without a service", "No row of services.csv fits: these orders would wait.",
        "SERVICE_UNMAPPED",
    ),
    Charge.SKU: ChargeBook(
        "SKU without a product", "The warehouse has no such product: these orders would wait.", "SKU_UNMAPPED"
    ),
    Charge.MONEY: ChargeBook(
        "Money drifted", "What an edit moved was not paid, not given back, or is not explained.", "MONEY_UNEXPLAINED"
    ),
    Charge.STOCK: ChargeBook(
        "Stock differs", "The shop sells from a number that the warehouse does not have.", "STOCK_IMPLAUSIBLE"
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PastOrder:
    """One order of the period, in both systems. `money` None: nothing about it ever moved, so it was not read."""

    shop: str
    order: ShopOrder
    goods_outs: tuple[GoodsOut, ...] = ()
    money: OrderMoney | Unusable | Missing | Unreadable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accusation:
    """One thing that went wrong with one order (or one SKU), what proves it, and what Pickgate would have decided.

    `value`: what is at stake, never negative. `at`: when the order was made. `subject`: the location, method, SKU or
    other order it is about. `links`: the warehouse's references.
    """

    charge: Charge
    shop: str
    order_id: str
    order_name: str
    at: datetime | None
    value: Money | None
    summary: str
    evidence: tuple[str, ...] = ()
    decided: str = ""
    subject: str = ""
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """On what a look back judges. `until`: the end of the period, which is "now".

    `settled_after`: an order younger than that may still be on its way between the systems, and is not accused of it.
    `unknown_products`: codes that the warehouse denied.
    """

    until: datetime
    rules: Rules
    policies: Mapping[str, Policy]
    settled_after: timedelta = timedelta(hours=24)
    known_products: frozenset[str] = frozenset()
    unknown_products: frozenset[str] = frozenset()
    has_rulebook: bool = True

    def is_settled(self, order: ShopOrder) -> bool:
        return self.until - order.created_at >= self.settled_after


@dataclass(slots=True, kw_only=True)
class Tally:
    """What the period was made of, in orders."""

    orders: int = 0
    edited: int = 0
    cancelled: int = 0
    despatched: int = 0
    not_ours: int = 0
    young: int = 0
    waiting: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRow:
    """One SKU at one place. `variance` = shop − warehouse; `explained`: by orders of the period, in the same units."""

    shop: str
    sku: str
    product_code: str
    place: str
    shop_units: int
    warehouse_units: int
    variance: int
    explained: int = 0
    accused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookback:
    """Everything that a look back found, in a stable order."""

    accusations: tuple[Accusation, ...]
    tally: Tally
    stock: tuple[StockRow, ...] = ()
    notes: tuple[str, ...] = ()
    by_week: tuple[tuple[str, int, int], ...] = field(default=())
    """(Monday, orders, accused orders), oldest first."""
