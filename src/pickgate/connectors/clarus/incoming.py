"""Wire → domain. Pure and strict: what cannot be understood is never taken for zero, gone or fine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

from pickgate.connectors.clarus.errors import Unexpected
from pickgate.connectors.clarus.wire import GoodsOutNode, LineNode, PackageNode, ShipmentNode
from pickgate.domain.facts import Unreadable
from pickgate.domain.warehouse import GoodsOut, GoodsOutLine, Parcel, Stage
from pickgate.settings import STAGE_BY_CODE

_MOST_UNITS = Decimal(1_000_000_000)
_NOT_SHORT = frozenset({"", "FULL", "NONE", "NO", "FALSE"})


def parse_id(value: object) -> str:
    """Parse an id, which is an integer in some answers and a string in others. Raises Unexpected."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Unexpected("Clarus answered with a record without an id")


def parse_quantity(node: Mapping[str, Any], field: str) -> Decimal:
    """Parse a quantity, a number or its text. Null is zero, except for what was ordered. Raises Unexpected."""
    if field not in node:
        raise Unexpected(f"Clarus answered with a line without {field}")
    value = node[field]
    if value is None and field != "order_quantity":
        return Decimal(0)
    try:
        quantity = Decimal(str(value)) if _is_numeric(value) else Decimal("NaN")
    except InvalidOperation:
        quantity = Decimal("NaN")
    if not quantity.is_finite() or not 0 <= quantity <= _MOST_UNITS:
        raise Unexpected(f"Clarus answered with a line whose {field} is not a quantity")
    return quantity


def parse_goods_out_node(node: Mapping[str, Any]) -> GoodsOutNode:
    """Parse a node of `goods_outs.all`. Raises Unexpected without an id or a reference."""
    reference = node.get("reference")
    if not isinstance(reference, str):
        raise Unexpected("Clarus answered with a goods-out without a reference")
    priority = node.get("priority")
    expected = node.get("expected_date_of_dispatch")
    return GoodsOutNode(
        id=parse_id(node.get("id")),
        reference=reference,
        status_code=_code(node.get("goods_out_status")) or "",
        account=_code(node.get("account")),
        warehouse=_code(node.get("warehouse")),
        carrier=_code(node.get("carrier")),
        priority=priority if isinstance(priority, int) and not isinstance(priority, bool) else None,
        expected_date_of_dispatch=expected if isinstance(expected, str) and expected else None,
    )


def parse_owner(node: Mapping[str, Any]) -> tuple[str, str | None]:
    """Parse whose line this is: the goods-out's id and reference. Raises Unexpected."""
    owner = node.get("goods_out")
    if not isinstance(owner, dict):
        raise Unexpected("Clarus answered with a line that belongs to no goods-out")
    reference = owner.get("reference")
    return parse_id(owner.get("id")), reference if isinstance(reference, str) else None


def parse_line_node(node: Mapping[str, Any]) -> LineNode:
    """Parse a node of `goods_out_lines.all`. Raises Unexpected without a product or with an odd quantity."""
    goods_out_id, reference = parse_owner(node)
    product_code = _code(node.get("product"))
    if not product_code:
        raise Unexpected("Clarus answered with a line without a product code")
    short = node.get("short_status")
    return LineNode(
        id=parse_id(node.get("id")),
        goods_out_id=goods_out_id,
        goods_out_reference=reference,
        product_code=product_code,
        order_quantity=parse_quantity(node, "order_quantity"),
        allocated_quantity=parse_quantity(node, "allocated_quantity"),
        pick_quantity=parse_quantity(node, "pick_quantity"),
        dispatch_quantity=parse_quantity(node, "dispatch_quantity"),
        short_status=short.strip() if isinstance(short, str) else "",
    )


def parse_goods_out(head: GoodsOutNode, lines: Sequence[LineNode]) -> GoodsOut | Unreadable:
    """Put a goods-out together. A fraction of a unit makes it Unreadable: nothing of ours counts in fractions."""
    parsed: list[GoodsOutLine] = []
    for line in sorted(lines, key=lambda row: _by_number(row.id)):
        quantities = (line.order_quantity, line.allocated_quantity, line.pick_quantity, line.dispatch_quantity)
        if any(quantity != quantity.to_integral_value() for quantity in quantities):
            return Unreadable(
                why=f"Goods-out {head.reference} has a fraction of a unit of {line.product_code} in line {line.id}"
            )
        ordered, allocated, picked, despatched = (int(quantity) for quantity in quantities)
        parsed.append(
            GoodsOutLine(
                id=line.id,
                product_code=line.product_code,
                ordered=ordered,
                allocated=allocated,
                picked=picked,
                despatched=despatched,
                short=line.short_status.upper() not in _NOT_SHORT,
            )
        )
    return GoodsOut(
        id=head.id,
        reference=head.reference,
        stage=stage_of(head.status_code),
        status_code=head.status_code,
        lines=tuple(parsed),
        account=head.account or "",
        warehouse=head.warehouse or "",
        carrier=head.carrier,
        priority=head.priority,
    )


def stage_of(status_code: str) -> Stage:
    """Name the stage of a status code; in whatever case, and UNRECOGNISED when nobody knows it."""
    return STAGE_BY_CODE.get(status_code.strip().upper(), Stage.UNRECOGNISED)


def fingerprint(heads: Sequence[tuple[GoodsOutNode, Sequence[LineNode]]]) -> str:
    """Hash status and quantities of the goods-outs that share a reference: `CODE:16 hexadecimal digits`."""
    rows = sorted(
        (head.id, head.status_code.upper(), sorted(_line_text(line) for line in lines)) for head, lines in heads
    )
    codes = "+".join(dict.fromkeys(row[1] for row in rows))
    return f"{codes}:{sha256(repr(rows).encode()).hexdigest()[:16]}"


def parse_shipment_node(node: Mapping[str, Any]) -> ShipmentNode:
    """Parse a node of `shipments.all`; the carrier by name, else by code. Raises Unexpected without an id."""
    carrier = node.get("carrier")
    name = carrier.get("name") if isinstance(carrier, dict) else None
    status = node.get("status")
    return ShipmentNode(
        id=parse_id(node.get("id")),
        status=status if isinstance(status, str) else "",
        carrier=(name.strip() if isinstance(name, str) else "") or _code(carrier) or "",
    )


def parse_package_node(node: Mapping[str, Any]) -> PackageNode:
    """Parse a node of `packages.all`. Raises Unexpected without an id or a shipment."""
    shipment = node.get("shipment")
    number = node.get("tracking_number")
    return PackageNode(
        id=parse_id(node.get("id")),
        shipment_id=parse_id(shipment.get("id") if isinstance(shipment, dict) else None),
        tracking_number=number.strip() if isinstance(number, str) else "",
    )


def parcels_of(shipments: Sequence[ShipmentNode], packages: Sequence[PackageNode]) -> tuple[Parcel, ...]:
    """List the parcels of one goods-out: each tracking number once, in the order of shipments and packages.

    A shipment that was cancelled has a void label, so its numbers are left out; so are packages without a number.
    """
    found: dict[str, Parcel] = {}
    for shipment in shipments:
        if shipment.status.strip().lower().startswith(("cancel", "void")):
            continue
        for package in packages:
            if package.shipment_id == shipment.id and package.tracking_number:
                parcel = Parcel(tracking_number=package.tracking_number, carrier=shipment.carrier)
                found.setdefault(package.tracking_number, parcel)
    return tuple(found.values())


def parse_written_id(body: Any) -> str | None:
    """Find the id in the answer to a write: `{"data": {"id": …}}`, or a bare record. None when there is none."""
    record = body.get("data", body) if isinstance(body, dict) else None
    try:
        return parse_id(record.get("id")) if isinstance(record, dict) else None
    except Unexpected:
        return None


def _code(record: object) -> str | None:
    code = record.get("code") if isinstance(record, dict) else None
    return code.strip() if isinstance(code, str) and code.strip() else None


def _is_numeric(value: object) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= 40
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST_UNITS


def _by_number(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdecimal() and len(text) < 20 else (0, text)


def _line_text(line: LineNode) -> str:
    quantities = (line.order_quantity, line.allocated_quantity, line.pick_quantity, line.dispatch_quantity)
    counted = "/".join(format(quantity.normalize(), "f") for quantity in quantities)
    return f"{line.id}:{line.product_code}:{counted}:{line.short_status.upper()}"
