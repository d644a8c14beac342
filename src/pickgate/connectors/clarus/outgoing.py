"""Commands → requests. Pure: ids are looked up before, and what does not fit is refused here, never cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pickgate.connectors.clarus.wire import (
    ADDRESS_LIMITS,
    NOTE_FIELDS,
    NOTE_LIMITS,
    REFERENCE_LIMIT,
    Attributes,
    Body,
    LineAttributes,
    LineChange,
    WireId,
)
from pickgate.domain.commands import AmendGoodsOut, CreateGoodsOut
from pickgate.domain.shop import Address
from pickgate.domain.warehouse import Content, ContentLine, Part

CompanyIn = Literal["name", "address_2", "omit"]
DeleteVerb = Literal["DESTROY", "REMOVE"]


class FieldTooLong(Exception):
    """A value is longer than Clarus takes. `field` is Clarus' name of it; lengths are characters."""

    def __init__(self, field: str, limit: int, length: int) -> None:
        super().__init__(f"{field} has {length} characters, and Clarus takes {limit}")
        self.field = field
        self.limit = limit
        self.length = length

    @property
    def in_address(self) -> bool:
        return self.field in ADDRESS_LIMITS


class NotRenderable(Exception):
    """The command cannot be written as a request: an unknown note field, a line id that was never read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """The tenant's ids of everything that a content names by code."""

    account: str
    warehouse: str
    carrier: str | None = None
    service: str | None = None
    products: Mapping[str, str]


def decide_fit(content: Content, *, company_in: CompanyIn, reference: str = "") -> tuple[FieldTooLong, ...]:
    """Say which values are longer than Clarus takes, in the order of the request; none: it fits."""
    address = render_address(content.address, company_in)
    found = [_too_long("reference", reference, REFERENCE_LIMIT)]
    found += [_too_long(name, text, NOTE_LIMITS.get(name)) for name, text in render_notes(content.notes).items()]
    found += [_too_long(name, text, ADDRESS_LIMITS.get(name)) for name, text in address.items()]
    return tuple(problem for problem in found if problem is not None)


def render_create(command: CreateGoodsOut, ids: Ids, *, company_in: CompanyIn) -> Body:
    """Write the body of `POST /goods_outs`. Optional fields without a value are left out.

    Raises FieldTooLong and NotRenderable.
    """
    content = command.content
    _ensure_fit(content, company_in, command.reference)
    attributes: Attributes = {
        "goods_out_type": "sales_order",
        "account_id": wire_id(ids.account),
        "warehouse_id": wire_id(ids.warehouse),
        "reference": command.reference,
        "expected_date_of_dispatch": _expected_date(command),
        "external_system_reference1": command.order_id,
        "external_system_reference2": command.fulfilment_order_id,
        "external_system_reference3": str(command.generation),
        **_service_attributes(content, ids),
        **render_notes(content.notes),
        "lines_changes": [_add(line, ids) for line in content.lines],
    }
    return _body(_without_empty(attributes), render_address(content.address, company_in))


def render_amend(command: AmendGoodsOut, ids: Ids, *, company_in: CompanyIn, delete_verb: DeleteVerb) -> Body:
    """Write the body of `PATCH /goods_outs/{id}`: the parts that changed and nothing else; None clears a field.

    Raises FieldTooLong, and NotRenderable when lines changed and a line's id was never read.
    """
    content, previous = command.content, command.previous
    _ensure_fit(content, company_in, command.reference)
    attributes: Attributes = {}
    address: dict[str, str | None] | None = None
    for part in content.changed_parts(previous):
        match part:
            case Part.LINES:
                if content.account != previous.account:
                    attributes["account_id"] = wire_id(ids.account)
                if content.warehouse != previous.warehouse:
                    attributes["warehouse_id"] = wire_id(ids.warehouse)
                if changes := _line_changes(command, ids, delete_verb):
                    attributes["lines_changes"] = changes
            case Part.ADDRESS:
                before = render_address(previous.address, company_in)
                address = {**dict.fromkeys(before), **render_address(content.address, company_in)}
            case Part.SERVICE:
                attributes |= _service_attributes(content, ids)
                if content.required_on not in (None, previous.required_on):
                    attributes["expected_date_of_dispatch"] = render_day(content.required_on)
            case Part.NOTES:
                attributes |= {**dict.fromkeys(render_notes(previous.notes)), **render_notes(content.notes)}
    return _body(attributes, address)


def with_required_fields(body: Body, *, reference: str, account: str, expected_date_of_dispatch: str) -> Body:
    """Add the four fields that some tenants want in every PATCH; what the body says already stays."""
    attributes = {
        "goods_out_type": "sales_order",
        "account_id": wire_id(account),
        "reference": reference,
        "expected_date_of_dispatch": expected_date_of_dispatch,
        **body["data"]["attributes"],
    }
    return {"data": {**body["data"], "attributes": attributes}}


def render_address(address: Address, company_in: CompanyIn) -> dict[str, str]:
    """Write an address in Clarus' fields; empty ones are left out. Couriers get `address_3` as the town."""
    name, line2 = address.name, address.line2
    if company_in == "name":
        name = ", ".join(part for part in (address.name, address.company) if part)
    elif company_in == "address_2":
        line2 = ", ".join(part for part in (address.company, address.line2) if part)
    fields = {
        "name": name,
        "address_1": address.line1,
        "address_2": line2,
        "address_3": address.city,
        "address_4": address.province,
        "postcode": address.postcode,
        "country_code": address.country,
        "email_address": address.email,
        "phone_number": address.phone,
    }
    return {field: text for field, text in fields.items() if text}


def render_notes(notes: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Write notes by field; several for one field become lines of it. Raises NotRenderable for an unknown field."""
    fields: dict[str, str] = {}
    for field, text in notes:
        if field not in NOTE_FIELDS:
            raise NotRenderable(f"{field!r} is not a field for notes; use one of {', '.join(NOTE_FIELDS)}")
        if text:
            fields[field] = f"{fields[field]}\n{text}" if field in fields else text
    return fields


def render_day(day: date | None) -> str:
    """Write a day as an instant with its zone: noon UTC, which is the same day wherever clocks are within 11 hours."""
    assert day is not None
    return f"{day.isoformat()}T12:00:00+00:00"


def wire_id(text: str) -> WireId:
    """Write an id: an integer wherever it is one."""
    return int(text) if text.isascii() and text.isdecimal() else text


def _expected_date(command: CreateGoodsOut) -> str:
    """The day the customer asked for, unless that is past; else as soon as the command says."""
    soonest = command.expected_despatch_at
    assert soonest.tzinfo is not None
    asked = command.content.required_on
    if asked is not None and asked > soonest.date():
        return render_day(asked)
    return soonest.isoformat(timespec="seconds")


def _line_changes(command: AmendGoodsOut, ids: Ids, verb: DeleteVerb) -> list[LineChange]:
    """Bring the warehouse's lines, known by product and id, to the wanted ones.

    A product in one line before and after is left alone when its units are the same. Where a product has several
    lines nobody knows which is which, so each gets its units anew.
    """
    at_warehouse = _grouped(command.line_ids)
    before = _grouped((line.product_code, line) for line in command.previous.lines)
    wanted = _grouped((line.product_code, line) for line in command.content.lines)
    if unread := [code for code in before if code not in at_warehouse]:
        raise NotRenderable(f"the warehouse's line of {unread[0]} was never read, so it cannot be changed")
    changes: list[LineChange] = []
    for code, lines in wanted.items():
        line_ids, old = at_warehouse.get(code, []), before.get(code, [])
        if len(lines) == len(line_ids) == len(old) == 1 and _same(lines[0], old[0]):
            continue
        changes += [_update(line_id, line) for line_id, line in zip(line_ids, lines, strict=False)]
        changes += [_add(line, ids) for line in lines[len(line_ids) :]]
    for code, line_ids in at_warehouse.items():
        spare = line_ids[len(wanted.get(code, ())) :]
        changes += [{"type": verb, "id": wire_id(line_id)} for line_id in spare]
    return changes


def _same(line: ContentLine, other: ContentLine) -> bool:
    return (line.line_id, line.units) == (other.line_id, other.units)


def _grouped(pairs: Any) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def _add(line: ContentLine, ids: Ids) -> LineChange:
    attributes: LineAttributes = {
        "product_id": wire_id(ids.products[line.product_code]),
        "order_quantity": _units(line),
        "external_system_reference1": line.line_id,
    }
    if line.sku:
        attributes["alt_product_code"] = line.sku
    return {"type": "ADD", "attributes": attributes}


def _update(line_id: str, line: ContentLine) -> LineChange:
    attributes: LineAttributes = {"order_quantity": _units(line), "external_system_reference1": line.line_id}
    if line.sku:
        attributes["alt_product_code"] = line.sku
    return {"type": "UPDATE", "id": wire_id(line_id), "attributes": attributes}


def _units(line: ContentLine) -> int:
    if line.units <= 0:
        raise NotRenderable(f"{line.units} units of {line.product_code} cannot be ordered; a line has at least one")
    return line.units


def _service_attributes(content: Content, ids: Ids) -> Attributes:
    return {
        "carrier_id": None if ids.carrier is None else wire_id(ids.carrier),
        "carrier_service_id": None if ids.service is None else wire_id(ids.service),
        "priority": content.priority,
    }


def _ensure_fit(content: Content, company_in: CompanyIn, reference: str) -> None:
    for problem in decide_fit(content, company_in=company_in, reference=reference):
        raise problem


def _too_long(field: str, text: str, limit: int | None) -> FieldTooLong | None:
    return FieldTooLong(field, limit, len(text)) if limit is not None and len(text) > limit else None


def _without_empty(attributes: Attributes) -> Attributes:
    return {name: value for name, value in attributes.items() if value not in (None, "")}


def _body(attributes: Attributes, address: Mapping[str, str | None] | None) -> Body:
    data: dict[str, Any] = {"type": "goods_outs", "attributes": attributes}
    if address:
        data["relationships"] = {"address": {"data": {"type": "addresses", "attributes": dict(address)}}}
    return {"data": data}
