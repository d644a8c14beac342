"""What REST accepts: the fields of a header, a line and an address, with their types and limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pickgate.twins.clarus.knobs import ClarusKnobs
from pickgate.twins.clarus.refusals import fault

Check = Callable[[Any], str | None]
Faults = list[dict[str, Any]]


def text(longest: int | None = None) -> Check:
    """A string of at most `longest` characters."""

    def check(value: Any) -> str | None:
        if not isinstance(value, str):
            return "must be a string"
        if longest is not None and len(value) > longest:
            return f"is too long (maximum is {longest} characters)"
        return None

    return check


def one_of(*choices: str) -> Check:
    """One of the listed strings."""

    def check(value: Any) -> str | None:
        return None if value in choices else f"must be one of {', '.join(choices)}"

    return check


def whole(least: int | None = None, most: int | None = None) -> Check:
    """An integer between the limits, both included."""

    def check(value: Any) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return "must be an integer"
        if least is not None and value < least:
            return f"must be greater than or equal to {least}"
        if most is not None and value > most:
            return f"must be less than or equal to {most}"
        return None

    return check


def positive(value: Any) -> str | None:
    """A number above zero."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return "must be a number"
    return None if value > 0 else "must be greater than 0"


def flag(value: Any) -> str | None:
    """True or false."""
    return None if isinstance(value, bool) else "must be true or false"


def instant(value: Any) -> str | None:
    """An ISO 8601 date and time with its zone."""
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return "must be an ISO 8601 date and time"
    return None if parsed.tzinfo is not None else "must carry a time zone"


_DISPATCH = one_of("manual", "auto", "load", "shipment", "auto_shipment")
_PACK = one_of("disabled", "pack_by_line", "pack_by_unit")
_REFERENCES: dict[str, Check] = {f"external_system_reference{n}": text(255) for n in (1, 2, 3)}
_SLOTS: dict[str, Check] = dict(_REFERENCES)
for _n in range(1, 6):
    _SLOTS |= {
        f"boolean{_n}": flag,
        f"datetime{_n}": instant,
        f"integer{_n}": whole(),
        f"string{_n}": text(255),
    }

HEADER: Mapping[str, Check] = {
    "goods_out_type": one_of("sales_order", "work_order", "crossdock"),
    "account_id": whole(),
    "reference": text(50),
    "expected_date_of_dispatch": instant,
    "actual_date_of_dispatch": instant,
    "carrier_id": whole(),
    "carrier_service_id": whole(),
    "customer_id": whole(),
    "delivery_notes": text(),
    "dispatch_strategy": _DISPATCH,
    "drop_sequence": whole(0),
    "goods_out_status_id": whole(1),
    "integration_id": whole(),
    "load_reference": text(),
    "location_id": whole(),
    "order_notes": text(),
    "order_type_id": whole(),
    "original_delivery_address_id": whole(),
    "pack_strategy": _PACK,
    "packing_notes": text(255),
    "pick_notes": text(),
    "pick_reference": text(),
    "pick_type": one_of("standard", "tote"),
    "priority": whole(1, 99),
    "short_order_lines_description": text(),
    "short_order_lines_reason_code_id": whole(),
    "warehouse_id": whole(),
} | _SLOTS
HEADER_REQUIRED = ("goods_out_type", "account_id", "reference", "expected_date_of_dispatch")

LINE: Mapping[str, Check] = (
    {
        "alt_line_note": text(),
        "alt_line_number": text(),
        "alt_line_reference": text(),
        "alt_product_code": text(),
        "carrier_id": whole(),
        "carrier_service_id": whole(),
        "dispatch_strategy": _DISPATCH,
        "goods_in_receipt_line_id": whole(),
        "order_quantity": positive,
        "order_quantity_dimension": one_of("length", "area", "volume", "weight", "none"),
        "ordered_configurations_quantity": positive,
        "pack_strategy": _PACK,
        "product_id": whole(),
        "stock_configuration": one_of("unit", "case", "inner", "outer"),
        "stock_description": text(),
        "stock_to_pick_id": whole(),
        "storage_unit_reference": text(),
    }
    | _SLOTS
    | {f"datetime{n}_{end}": instant for n in range(1, 6) for end in ("from", "to")}
)

ADDRESS: Mapping[str, Check] = {
    "name": text(),
    "address_1": text(80),
    "address_2": text(80),
    "address_3": text(80),
    "address_4": text(80),
    "address_5": text(80),
    "country_code": text(6),
    "postcode": text(10),
    "email_address": text(254),
    "phone_number": text(50),
} | _REFERENCES

NEVER_NULL = frozenset(HEADER_REQUIRED) | {"product_id", "order_quantity"}


def find_faults(values: Mapping[str, Any], fields: Mapping[str, Check], *, source: str, knobs: ClarusKnobs) -> Faults:
    """Check every value against its field. Returns the entries for `errors[]`; empty means fine."""
    faults: Faults = []
    for name, value in values.items():
        check = fields.get(name)
        if check is None:
            if knobs.refuse_unknown_attributes:
                faults.append(fault("unknown_attribute", f"{name} is not an attribute", source=f"{source}.{name}"))
            continue
        if value is None:
            problem = "can't be blank" if name in NEVER_NULL else None
        elif value == "" and (knobs.refuse_empty_strings or name in NEVER_NULL):
            problem = "can't be blank"
        else:
            problem = check(value)
        if problem is not None:
            faults.append(fault("invalid_attribute", f"{name} {problem}", source=f"{source}.{name}"))
    return faults


def find_missing(values: Mapping[str, Any], required: tuple[str, ...], *, source: str) -> Faults:
    """Name each required field that is not there."""
    return [
        fault("missing_attribute", f"{name} can't be blank", source=f"{source}.{name}")
        for name in required
        if name not in values
    ]


def present(values: Mapping[str, Any], fields: Mapping[str, Check]) -> dict[str, Any]:
    """Keep the known fields that hold something."""
    return {name: value for name, value in values.items() if value is not None and name in fields}
