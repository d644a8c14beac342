"""Exceptions: the code, who owns it, how soon. A decision lists the ones that hold now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum


class Team(Enum):
    OPS = "ops"
    CX = "cx"
    FINANCE = "finance"
    ECOMMERCE = "ecommerce"


class Severity(Enum):
    """URGENT: the wrong parcel may leave. HIGH: an order is stopped. NORMAL: somebody should know."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"


@dataclass(frozen=True, slots=True)
class CodeBook:
    team: Team
    severity: Severity
    due_in: timedelta
    title: str


_H = timedelta(hours=1)
CODES: Mapping[str, CodeBook] = {
    "LATE_EDIT": CodeBook(Team.CX, Severity.URGENT, _H / 4, "Edited after the warehouse began"),
    "CANCEL_TOO_LATE": CodeBook(Team.CX, Severity.URGENT, _H / 4, "Cancelled after the warehouse began"),
    "PUT_BACK": CodeBook(Team.OPS, Severity.HIGH, 4 * _H, "Picked units to return to their shelf"),
    "DUPLICATE_SUSPECTED": CodeBook(Team.OPS, Severity.HIGH, _H, "May be a twin of another order"),
    "SYNC_ILLUSION": CodeBook(Team.OPS, Severity.URGENT, _H / 2, "Both systems say fine, contents differ"),
    "WMS_CHANGED_BY_HAND": CodeBook(Team.OPS, Severity.HIGH, _H, "Changed by hand in the warehouse"),
    "WMS_ORDER_MISSING": CodeBook(Team.OPS, Severity.URGENT, _H / 2, "Gone from the warehouse"),
    "WMS_REFUSED": CodeBook(Team.OPS, Severity.HIGH, _H, "The warehouse refused it"),
    "EFFECT_UNKNOWN": CodeBook(Team.OPS, Severity.HIGH, _H / 2, "Outcome unknown"),
    "SKU_UNMAPPED": CodeBook(Team.ECOMMERCE, Severity.HIGH, 2 * _H, "No warehouse product for a SKU"),
    "LOCATION_UNMAPPED": CodeBook(Team.ECOMMERCE, Severity.HIGH, 2 * _H, "No warehouse for a location"),
    "SERVICE_UNMAPPED": CodeBook(Team.ECOMMERCE, Severity.HIGH, 2 * _H, "No carrier service for a method"),
    "ADDRESS_UNUSABLE": CodeBook(Team.CX, Severity.HIGH, 2 * _H, "The address cannot be used"),
    "EDIT_UNPAID": CodeBook(Team.CX, Severity.NORMAL, 4 * _H, "Edited, and not paid"),
    "HOLD_STUCK": CodeBook(Team.OPS, Severity.NORMAL, 8 * _H, "Held longer than it should be"),
    "PART_FULFILMENT_STALLED": CodeBook(Team.OPS, Severity.HIGH, 4 * _H, "Part sent, and the rest is not moving"),
    "OVER_DESPATCH": CodeBook(Team.OPS, Severity.HIGH, 4 * _H, "More left than the order holds"),
    "UNKNOWN_DESPATCH": CodeBook(Team.OPS, Severity.HIGH, 4 * _H, "Something left that was not asked for"),
    "LOCK_NOT_TAKEN": CodeBook(Team.ECOMMERCE, Severity.NORMAL, 8 * _H, "The shop did not keep the lock"),
    "MONEY_UNEXPLAINED": CodeBook(Team.FINANCE, Severity.NORMAL, 24 * _H, "An amount is not explained"),
    "REFUND_OVER_CAPTURE": CodeBook(Team.FINANCE, Severity.HIGH, 24 * _H, "More refunded than received"),
    "STOCK_IMPLAUSIBLE": CodeBook(Team.OPS, Severity.HIGH, _H, "A stock level is not believable"),
    "STOCK_CONFLICT": CodeBook(Team.OPS, Severity.NORMAL, 4 * _H, "A stock level keeps changing under us"),
    "WEBHOOKS_MISSING": CodeBook(Team.ECOMMERCE, Severity.HIGH, _H, "Webhook subscriptions are missing"),
    "CREDENTIALS_REFUSED": CodeBook(Team.ECOMMERCE, Severity.URGENT, _H / 2, "Access was refused"),
    "UNREADABLE_PAYLOAD": CodeBook(Team.ECOMMERCE, Severity.NORMAL, 8 * _H, "A webhook cannot be read"),
    # Added beside the frozen list:
    "SHOP_REFUSED": CodeBook(Team.ECOMMERCE, Severity.HIGH, _H, "The shop refused a change"),
    "ORDER_FROZEN": CodeBook(Team.OPS, Severity.URGENT, _H / 2, "A look at this order fails every time"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An exception that holds now. The same `fingerprint` is the same exception, however often it is found."""

    code: str
    fingerprint: str
    summary: str
    detail: Mapping[str, object] = field(default_factory=dict)
    actions: tuple[str, ...] = ()
