"""Filters: a coerced filter object becomes predicates on rows. Everything given must hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Any

from graphql import GraphQLError, GraphQLInputObjectType, get_named_type

from pickgate.twins.clarus.tenant import Tenant

Predicate = Callable[[Any], bool]
Read = Callable[[Tenant, Any], Any]


def _of_order(name: str) -> Read:
    """A filter on a line that looks at its order."""
    find = attrgetter(name)
    return lambda tenant, row: find(tenant.goods_outs[row.goods_out_id])


def _product_code(column: str) -> Read:
    find = attrgetter(column)
    return lambda tenant, row: tenant.products[find(row)].code


def _kept(name: str) -> Read:
    return lambda tenant, row: row.attributes.get(name)


def _counted(*statuses: str) -> Read:
    """How many pick tasks of the list's orders are in one of the statuses."""

    def count(tenant: Tenant, row: Any) -> int:
        tasks = (task for number in row.goods_out_ids for task in tenant.tasks_of[number])
        return sum(task.status in statuses for task in tasks)

    return count


_READS: Mapping[tuple[str, str], Read] = {
    ("GoodsOutsFilterType", "goods_out_status_code"): lambda tenant, row: row.status,
    ("GoodsOutsFilterType", "expected_date_of_dispatch"): _kept("expected_date_of_dispatch"),
    ("GoodsOutsFilterType", "external_system_reference1"): _kept("external_system_reference1"),
    ("GoodsOutLineFilterType", "account_id"): _of_order("account_id"),
    ("GoodsOutLineFilterType", "warehouse_id"): _of_order("warehouse_id"),
    ("GoodsOutLineFilterType", "carrier_id"): _of_order("carrier_id"),
    ("GoodsOutLineFilterType", "goods_out_status_code"): _of_order("status"),
    ("GoodsOutPickListsFilterType", "pick_tasks_count"): _counted("AVAILABLE", "COMPLETED"),
    ("GoodsOutPickListsFilterType", "completed_pick_tasks_count"): _counted("COMPLETED"),
    ("ShipmentFilterType", "goods_out_id"): lambda tenant, row: row.goods_out_ids,
    ("PackageFilterType", "shipment_reference"): lambda tenant, row: tenant.shipments[row.shipment_id].reference,
    ("PackageFilterType", "storage_unit_type_code"): lambda tenant, row: "PARCEL",
    ("TaskFilterType", "task_type_code"): lambda tenant, row: row.code,
    ("TransactionFilterType", "category"): lambda tenant, row: row.subtype,
    ("StockBalancesFilterType", "product_code"): _product_code("product_id"),
    ("StockFilterType", "product_code"): _product_code("product_id"),
    ("ProductsFilterType", "all_codes"): lambda tenant, row: row.code,
    ("ProductsFilterType", "account_id"): lambda tenant, row: tenant.accounts_of_product[row.id],
    ("ProductMaterialFilterType", "parent_product_code"): _product_code("parent_product_id"),
    ("ProductMaterialFilterType", "child_product_code"): _product_code("child_product_id"),
    ("AccountFilterType", "warehouse_id"): lambda tenant, row: [
        link.warehouse_id for link in tenant.account_warehouses.values() if link.account_id == row.id
    ],
    ("CarrierServiceFilterType", "carrier_code"): lambda tenant, row: tenant.carriers[row.carrier_id].code,
}


def compile_filter(tenant: Tenant, kind: GraphQLInputObjectType, given: Mapping[str, Any]) -> list[Predicate]:
    """Turn a coerced filter into predicates. Raises GraphQLError for an unusable value."""
    predicates: list[Predicate] = []
    for field, operators in given.items():
        if operators is None:
            continue
        own = _READS.get((kind.name, field))
        plain = attrgetter(field)
        input_name = get_named_type(kind.fields[field].type).name
        convert = _CONVERTERS.get(input_name, _as_is)
        for operator, operand in operators.items():
            if operand is None:
                continue
            test = _test(operator, operand, convert)
            predicates.append(_predicate(tenant, own, plain, convert, test))
    return predicates


def _predicate(
    tenant: Tenant,
    own: Read | None,
    plain: Callable[[Any], Any],
    convert: Callable[[Any], Any],
    test: Callable[[Any], bool],
) -> Predicate:
    def holds(row: Any) -> bool:
        value = plain(row) if own is None else own(tenant, row)
        if isinstance(value, list | set):
            return any(test(item) for item in value)
        return test(None if value is None else convert(value))

    return holds


def _test(operator: str, operand: Any, convert: Callable[[Any], Any]) -> Callable[[Any], bool]:
    if operator == "filled":
        return lambda value: (value is not None) == operand
    if operator in ("ilike", "like"):
        flags = re.IGNORECASE if operator == "ilike" else re.NOFLAG
        pattern = re.compile(".*".join(map(re.escape, str(operand).split("%"))), flags)
        return lambda value: value is not None and pattern.search(str(value)) is not None
    if operator == "in":
        wanted = {convert(item) for item in operand}
        return lambda value: value in wanted
    if operator == "between":
        if len(operand) != 2:
            raise GraphQLError("between takes two values")
        low, high = convert(operand[0]), convert(operand[1])
        return lambda value: value is not None and low <= value <= high
    limit = convert(operand)
    compare = _COMPARE[operator]
    return lambda value: value is not None and compare(value, limit)


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, limit: bool(value == limit),
    "gt": lambda value, limit: bool(value > limit),
    "gteq": lambda value, limit: bool(value >= limit),
    "lt": lambda value, limit: bool(value < limit),
    "lteq": lambda value, limit: bool(value <= limit),
    "from": lambda value, limit: bool(value >= limit),
    "to": lambda value, limit: bool(value <= limit),
}


def _as_is(value: Any) -> Any:
    return value


def _as_number(value: Any) -> int:
    """Ids are strings on the wire; one that is no number matches nothing."""
    try:
        return int(value)
    except ValueError:
        return -1


def _as_instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            raise GraphQLError(f"not a date and time: {value}") from None
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "IdInputType": _as_number,
    "DatetimeInputType": _as_instant,
}


def chosen(given: Mapping[str, Any], field: str) -> Iterable[Any] | None:
    """The values that `eq` or `in` of a field allow; None when the filter does not pin the field."""
    operators = given.get(field) or {}
    if operators.get("eq") is not None:
        return [operators["eq"]]
    return operators.get("in")
