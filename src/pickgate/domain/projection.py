"""What should exist in the warehouse for each fulfilment order, by the rulebook. A gap is a problem, never a guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from pickgate.domain.addresses import decide_address, fit_address
from pickgate.domain.decision import Reason, Wanted
from pickgate.domain.eligibility import decide_fulfilment_order_eligibility, decide_line_eligibility
from pickgate.domain.facts import Facts
from pickgate.domain.findings import Finding
from pickgate.domain.money import minor_exponent
from pickgate.domain.policy import Policy
from pickgate.domain.rules import Found, Ignored, NotListed, Place, Rules
from pickgate.domain.shop import Address, FulfilmentOrder, Line, ShopOrder
from pickgate.domain.warehouse import Content, ContentLine

# The warehouse's limit (its published schema). Packing notes are cut by a visible rule; an address never is.
PACKING_NOTES_LIMIT = 255
CUT_MARK = " … (cut: see the order)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that stops a release until somebody mends it. `gate` is the gate's code."""

    gate: str
    finding: Finding | None
    text: str
    fulfilment_order_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Projection:
    """What is wanted, what stops it, what was left out, and which rows said so."""

    wanted: list[Wanted] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)


def product_codes_of(order: ShopOrder, rules: Rules, *, shop: str) -> tuple[str, ...]:
    """Return every product code that a projection of this order may name: what to ask the warehouse about."""
    codes: dict[str, None] = {}
    for line in order.lines:
        if line.sku and decide_line_eligibility(line) is None:
            match rules.products(shop=shop, sku=line.sku):
                case Found(products, _):
                    codes.update((product.code, None) for product in products)
                case _:
                    pass
    return tuple(codes)


def project(facts: Facts, order: ShopOrder, rules: Rules, policy: Policy, unreported: Mapping[str, int]) -> Projection:
    """Project what is still to be sent. `unreported`: shop units by line that left, and the shop has not been told."""
    projection = Projection()
    remaining = _live_units(order, unreported)
    for fulfilment_order in order.fulfilment_orders:
        if fulfilment_order.is_open:
            _project_one(projection, facts, order, fulfilment_order, rules, policy, remaining)
    return projection


def _live_units(order: ShopOrder, unreported: Mapping[str, int]) -> dict[str, int]:
    """Units of each line that may still be asked of anybody: live, less what left. Never more than the line holds."""
    fulfilled: dict[str, int] = {}
    for fulfilment in order.fulfilments:
        if not fulfilment.cancelled:
            for line_id, units in fulfilment.lines:
                fulfilled[line_id] = fulfilled.get(line_id, 0) + units
    # `current` counts units after removals and refunds; returned units were fulfilled and are no longer current.
    return {
        line.id: max(0, min(line.current, line.ordered - fulfilled.get(line.id, 0)) - unreported.get(line.id, 0))
        for line in order.lines
    }


def _project_one(
    projection: Projection,
    facts: Facts,
    order: ShopOrder,
    fulfilment_order: FulfilmentOrder,
    rules: Rules,
    policy: Policy,
    remaining: dict[str, int],
) -> None:
    not_ours = decide_fulfilment_order_eligibility(fulfilment_order)
    if not_ours is not None:
        projection.reasons.append(Reason(text=f"{fulfilment_order.location_name}: {not_ours.text}"))
        return
    match rules.place(
        shop=facts.shop, location_id=fulfilment_order.location_id, location_name=fulfilment_order.location_name
    ):
        case Ignored(row):
            text = f"{fulfilment_order.location_name} is not this warehouse's"
            projection.reasons.append(Reason(text=text, row=row))
            return
        case NotListed(_, what):
            projection.problems.append(_unmapped(order, fulfilment_order, "LOCATION_UNMAPPED", what))
            return
        case Found(place, row):
            text = f"{fulfilment_order.location_name} → {place.account}/{place.warehouse}"
            projection.reasons.append(Reason(text=text, row=row))
    projection.places[fulfilment_order.id] = place
    grouped = _lines(projection, facts, order, fulfilment_order, rules, remaining)
    if not grouped:
        return
    header = _header(projection, facts, order, fulfilment_order, place, rules, policy)
    for group, lines in grouped.items():
        content = Content(
            account=place.account,
            warehouse=place.warehouse,
            lines=tuple(lines),
            address=header.address,
            carrier=header.carrier,
            service=header.service,
            priority=header.priority,
            notes=_notes(projection, facts, order, [line.line_id for line in lines], rules),
            required_on=header.required_on,
        )
        projection.wanted.append(Wanted(fulfilment_order_id=fulfilment_order.id, group=group, content=content))


def _lines(
    projection: Projection,
    facts: Facts,
    order: ShopOrder,
    fulfilment_order: FulfilmentOrder,
    rules: Rules,
    remaining: dict[str, int],
) -> dict[str, list[ContentLine]]:
    grouped: dict[str, list[ContentLine]] = {}
    for share in fulfilment_order.lines:
        line = order.line(share.line_id)
        if line is None:
            # A line that the order does not list: the read was torn. Do not send what nobody can name.
            text = f"A fulfilment order names line {share.line_id}, which the order does not list."
            projection.problems.append(Problem(gate="torn_read", finding=None, text=text))
            continue
        units = min(share.remaining, remaining.get(line.id, 0))
        if units <= 0 or decide_line_eligibility(line) is not None:
            continue
        remaining[line.id] -= units
        products = _products(projection, facts, fulfilment_order, line, rules)
        group = rules.group(shop=facts.shop, sku=line.sku or "", tags=order.tags)
        if group is not None:
            projection.reasons.append(Reason(text=f"{line.sku} goes in group {group.value}", row=group.row))
        for code, per_unit in products:
            grouped.setdefault(group.value if group else "", []).append(
                ContentLine(
                    line_id=line.id,
                    product_code=code,
                    units=units * per_unit,
                    sku=line.sku or "",
                    per_unit=per_unit,
                )
            )
    return grouped


def _products(
    projection: Projection, facts: Facts, fulfilment_order: FulfilmentOrder, line: Line, rules: Rules
) -> list[tuple[str, int]]:
    answer = rules.products(shop=facts.shop, sku=line.sku) if line.sku else NotListed("skus", "no SKU")
    match answer:
        case Ignored(row):
            projection.reasons.append(Reason(text=f"{line.title} ({line.sku}) is not sent", row=row))
            return []
        case NotListed():
            what = f"SKU {line.sku!r}" if line.sku else "no SKU"
            projection.problems.append(_sku_unmapped(fulfilment_order, line, f"{line.title} has {what}"))
            return []
        case Found(products, row):
            if row.row:
                codes = ", ".join(f"{p.units} × {p.code}" for p in products)
                projection.reasons.append(Reason(text=f"{line.sku} → {codes}", row=row))
            for product in products:
                if product.code in facts.unknown_products:
                    text = f"The warehouse has no product {product.code!r} ({line.title})"
                    projection.problems.append(_sku_unmapped(fulfilment_order, line, text, product.code))
                elif product.code not in facts.known_products:
                    why = facts.products_unreadable.why if facts.products_unreadable else "not asked yet"
                    text = f"Whether the warehouse knows product {product.code!r} could not be read: {why}"
                    projection.problems.append(Problem(gate="unreadable", finding=None, text=text))
            return [(product.code, product.units) for product in products]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    address: Address
    carrier: str | None
    service: str | None
    priority: int | None
    required_on: date | None


def _header(
    projection: Projection,
    facts: Facts,
    order: ShopOrder,
    fulfilment_order: FulfilmentOrder,
    place: Place,
    rules: Rules,
    policy: Policy,
) -> _Header:
    address = fit_address(order.address or fulfilment_order.destination or Address())
    country = address.country.upper()
    title = order.shipping_title or ""
    carrier = service = None
    match rules.service(shop=facts.shop, shipping_title=title, country=country, warehouse=place.warehouse):
        case NotListed(_, what):
            projection.problems.append(_unmapped(order, fulfilment_order, "SERVICE_UNMAPPED", what))
        case Found(found, row):
            carrier, service = found.carrier, found.service
            shown = f"{carrier}/{service}" if carrier else "the warehouse's own default"
            if carrier and service and (carrier, service) in facts.unknown_services:
                projection.problems.append(_no_such_service(order, fulfilment_order, f"{carrier}/{service}"))
            projection.reasons.append(Reason(text=f"{title or 'No shipping method'} → {shown}", row=row))
    priority = rules.priority(shop=facts.shop, tags=order.tags, shipping_title=title, country=country)
    if priority is not None:
        projection.reasons.append(Reason(text=f"Priority {priority.value}", row=priority.row))
    bad = decide_address(address) or rules.address_problem(address)
    if bad is not None:
        finding = Finding(
            code="ADDRESS_UNUSABLE",
            fingerprint=f"ADDRESS_UNUSABLE:{bad[0]}",
            summary=f"{order.name}: {bad[1]}",
            detail={"field": bad[0], "problem": bad[1]},
            actions=("look_at_order",),
        )
        projection.problems.append(Problem(gate="address_unusable", finding=finding, text=bad[1]))
    total = Decimal(order.totals.current.minor).scaleb(-minor_exponent(order.totals.current.currency))
    hold = rules.hold(shop=facts.shop, tags=order.tags, country=country, total=total)
    if hold is not None:
        projection.reasons.append(Reason(text=f"Held: {hold.value}", row=hold.row))
        projection.problems.append(Problem(gate="rule_hold", finding=None, text=hold.value))
    return _Header(
        address=address,
        carrier=carrier,
        service=service,
        priority=priority.value if priority else None,
        required_on=_required_on(projection, order, policy),
    )


def _required_on(projection: Projection, order: ShopOrder, policy: Policy) -> date | None:
    if not policy.delivery_date_attribute:
        return None
    value = dict(order.attributes).get(policy.delivery_date_attribute, "").strip()
    if not value:
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        # Customers write what they like there: it is not quoted.
        text = "The delivery date is not a date (YYYY-MM-DD) and was left out."
        projection.reasons.append(Reason(text=text))
        return None


def _notes(
    projection: Projection, facts: Facts, order: ShopOrder, line_ids: list[str], rules: Rules
) -> tuple[tuple[str, str], ...]:
    fields: dict[str, list[str]] = {}

    def add(attribute: str, text: str) -> None:
        found = rules.note_field(shop=facts.shop, attribute=attribute) if text.strip() else None
        if found is not None:
            fields.setdefault(found.value, []).append(text.strip())

    add("note", order.note)
    for name, value in order.attributes:
        add(name, value)
    for line_id in dict.fromkeys(line_ids):
        line = order.line(line_id)
        for name, value in line.attributes if line else ():
            add(name, f"{line.title}: {value}" if line else value)
    notes = []
    for name, texts in sorted(fields.items()):
        text = "\n".join(texts)
        if name == "packing_notes" and len(text) > PACKING_NOTES_LIMIT:
            projection.reasons.append(Reason(text=f"Packing notes of {len(text)} characters were cut to fit."))
            text = text[: PACKING_NOTES_LIMIT - len(CUT_MARK)] + CUT_MARK
        notes.append((name, text))
    return tuple(notes)


def _unmapped(order: ShopOrder, fulfilment_order: FulfilmentOrder, code: str, what: str) -> Problem:
    table = {"LOCATION_UNMAPPED": "locations.csv", "SERVICE_UNMAPPED": "services.csv"}[code]
    text = f"No row for {what}. Add one to {table}, check and publish; the order then goes on by itself."
    finding = Finding(
        code=code,
        fingerprint=f"{code}:{what}",
        summary=f"{order.name}: no row for {what}",
        detail={"what": what, "table": table, "location": fulfilment_order.location_name, "remedy": text},
        actions=("look_at_order",),
    )
    return Problem(gate=code.lower(), finding=finding, text=text)


def _no_such_service(order: ShopOrder, fulfilment_order: FulfilmentOrder, service: str) -> Problem:
    text = f"The warehouse has no service {service}. Name another in services.csv, check and publish."
    finding = Finding(
        code="SERVICE_UNMAPPED",
        fingerprint=f"SERVICE_UNMAPPED:service {service}",
        summary=f"{order.name}: the warehouse has no service {service}",
        detail={
            "what": f"service {service}",
            "table": "services.csv",
            "location": fulfilment_order.location_name,
            "remedy": text,
        },
        actions=("look_at_order",),
    )
    return Problem(gate="service_unmapped", finding=finding, text=text)


def _sku_unmapped(fulfilment_order: FulfilmentOrder, line: Line, text: str, code: str = "") -> Problem:
    finding = Finding(
        code="SKU_UNMAPPED",
        fingerprint=f"SKU_UNMAPPED:{line.id}:{line.sku}:{code}",
        summary=text + ".",
        detail={
            "line_id": line.id,
            "sku": line.sku or "",
            "product_code": code,
            "remedy": "Add a row to skus.csv, or create the product in the warehouse; the order goes on by itself.",
        },
        actions=("look_at_order",),
    )
    return Problem(gate="sku_unmapped", finding=finding, text=text, fulfilment_order_id=None)
