"""What the tenant answers when it will not: HTTP status and the documented error shapes.

Codes 36, 37, 39 and 59 are documented. Every other code (from 9001) and symbol is made up: a client must not depend
on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CODES: Mapping[str, int] = {
    "empty_ids_provided": 36,
    "invalid_ids_provided": 37,
    "not_enough_stocks_for_picking": 39,
    "goods_out_already_allocated": 59,
    "product_code_exists": 9001,
    "record_not_found": 9002,
    "unreadable_body": 9003,
    "invalid_attribute": 9004,
    "missing_attribute": 9005,
    "unknown_attribute": 9006,
    "unknown_record": 9007,
    "reference_exists": 9008,
    "goods_out_not_amendable": 9009,
    "goods_out_not_cancellable": 9010,
    "goods_out_not_deletable": 9011,
    "goods_out_not_shortable": 9012,
    "association_exists": 9013,
    "product_has_stock": 9014,
    "pick_list_not_cancellable": 9015,
    "too_many_requests": 9016,
    "stock_not_adjustable": 9017,
}


class ClarusRefusal(Exception):
    """The tenant refuses: `status` and the entries of `errors[]`, ready for the wire."""

    def __init__(self, status: int, errors: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("; ".join(f"{error['symbol']}: {error['details']}" for error in errors))
        self.status = status
        self.errors = list(errors)

    @property
    def symbol(self) -> str:
        """The first error's symbol."""
        return str(self.errors[0]["symbol"])


class ImpossibleOnTheFloor(Exception):
    """The Python caller asked the warehouse for something that no picker could do. Nothing was changed."""


def fault(
    symbol: str, details: str, *, source: str | None = None, context: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Make one entry of `errors[]`."""
    return {
        "code": CODES[symbol],
        "symbol": symbol,
        "details": details,
        "source": source,
        "context": None if context is None else dict(context),
    }


def refuse(
    symbol: str,
    details: str,
    *,
    source: str | None = None,
    context: Mapping[str, Any] | None = None,
    status: int = 422,
) -> ClarusRefusal:
    """Make a refusal with one error, to be raised."""
    return ClarusRefusal(status, [fault(symbol, details, source=source, context=context)])


def not_found(what: str, record_id: object) -> ClarusRefusal:
    """Make the 404 refusal."""
    return refuse("record_not_found", f"No {what} with id {record_id}", source="id", status=404)
