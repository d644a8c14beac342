"""How Shopify says no, in classes that say what may have happened, and its words for it in ours.

CallFailed
├── NotExecuted            nothing took effect
│   ├── Throttled          ask again, not before `retry_at`
│   ├── NotReached         no connection, or no token to be had for now
│   ├── AccessRefused      a person must act: CREDENTIALS_REFUSED
│   ├── TooCostly          ask for less at once
│   └── RequestRefused     the same request would get the same answer
└── OutcomeUnclear         it may have taken effect
Moved                      the order changed between two pages
PayloadUnreadable          an answer that is not as it should be
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

CREDENTIALS_REFUSED = "CREDENTIALS_REFUSED"


class CallFailed(Exception):
    """A call that brought no usable answer. `why` is a sentence for people, without personal data."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NotExecuted(CallFailed):
    """Nothing took effect."""


class Throttled(NotExecuted):
    """The budget is used up, theirs or ours."""

    def __init__(self, why: str, *, retry_at: datetime) -> None:
        super().__init__(why)
        self.retry_at = retry_at


class NotReached(NotExecuted):
    """The request never left."""


class AccessRefused(NotExecuted):
    """The token, a scope, or the shop itself: a person must act."""


class TooCostly(NotExecuted):
    """The request asked for more at once than one request may (MAX_COST_EXCEEDED)."""


class RequestRefused(NotExecuted):
    """The request itself is refused. `code` is the vendor's where it gives one."""

    def __init__(self, why: str, *, code: str = "REQUEST_REFUSED") -> None:
        super().__init__(why)
        self.code = code


class OutcomeUnclear(CallFailed):
    """It left, and what came back does not say what happened."""


class Moved(Exception):
    """The order changed while its pages were read: read it again from the start."""


class PayloadUnreadable(Exception):
    """An answer that is not as it should be. `where` is the path of the first wrong field."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}" if where else problem)
        self.where = where
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class UserError:
    """One entry of a mutation's `userErrors`. `code` is empty where the mutation has none."""

    code: str
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a refusal means to us: our code, and the way out."""

    code: str
    remedy: str


_BY_CODE = {
    "FULFILLMENT_ORDER_HOLD_LIMIT_REACHED": Meaning(
        code="HOLD_LIMIT_REACHED", remedy="Release one of this app's ten holds on the fulfilment order."
    ),
    "FULFILLMENT_ORDER_NOT_FOUND": Meaning(
        code="FULFILMENT_ORDER_GONE", remedy="It was moved, split, merged or cancelled; the next look reads afresh."
    ),
    "FULFILLMENT_ORDER_STATUS_INVALID": Meaning(
        code="FULFILMENT_ORDER_NOT_OPEN", remedy="It is on hold, closed or cancelled; see the order in Shopify."
    ),
    "MARKETPLACE_APP_NOT_ELIGIBLE": Meaning(
        code="PROGRESS_NOT_ALLOWED", remedy="Set shops.lock.report_progress = false for this shop."
    ),
    "FULFILLMENT_ORDER_UNSUPPORTED_ACTION": Meaning(
        code="PROGRESS_NOT_ALLOWED", remedy="Set shops.lock.report_progress = false, or check the location's owner."
    ),
    "APP_NOT_AUTHORIZED": Meaning(
        code="METAFIELD_NOT_OURS", remedy="Name a metafield of this app's own namespace ($app…) in shops.lock."
    ),
}

# Mutations without codes: the text is all there is. Case-folded parts of it, the most telling first.
_BY_TEXT = (
    (
        "invalid fulfillment order line item quantity",
        Meaning(code="QUANTITY_NOT_REMAINING", remedy="Fewer units remain than left; a person compares both systems."),
    ),
    (
        "unfulfillable status",
        Meaning(
            code="FULFILMENT_ORDER_NOT_OPEN", remedy="It is on hold, closed or cancelled; see the order in Shopify."
        ),
    ),
    (
        "does not exist",
        Meaning(
            code="FULFILMENT_ORDER_GONE", remedy="It was moved, split, merged or cancelled; the next look reads afresh."
        ),
    ),
)

_UNEXPLAINED = Meaning(code="SHOPIFY_REFUSED", remedy="Read the vendor's words; correct the order in Shopify.")


def explain(error: UserError) -> Meaning:
    """Translate a refusal; an unknown one keeps the vendor's code, or is SHOPIFY_REFUSED when it has none."""
    known = _BY_CODE.get(error.code)
    if known is not None:
        return known
    text = error.message.casefold()
    for part, meaning in _BY_TEXT:
        if part in text:
            return meaning
    return Meaning(code=error.code, remedy=_UNEXPLAINED.remedy) if error.code else _UNEXPLAINED
