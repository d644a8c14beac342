"""How a field of a node is read from its row, where that is more than an attribute of the same name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from pickgate.twins.clarus import content, stock
from pickgate.twins.clarus.tenant import Tenant

Get = Callable[[Tenant, Any], Any]

_TASK_TYPES = {"PICK": SimpleNamespace(id=3, code="PICK")}
_LOCATIONS = {
    318: SimpleNamespace(id=318, code="AISLE-04-BAY-12"),
    990: SimpleNamespace(id=990, code="PACK-STATION-02"),
}
_PARCEL = SimpleNamespace(id=12, code="PARCEL")


def _status(tenant: Tenant, row: Any) -> Any:
    return SimpleNamespace(**content.status_of(tenant, row.status))


def _order(tenant: Tenant, row: Any) -> Any:
    return tenant.goods_outs.get(row.goods_out_id)


def _table(table: str, column: str) -> Get:
    find = attrgetter(column)
    return lambda tenant, row: getattr(tenant, table).get(find(row))


def _kept(name: str) -> Get:
    """A field that lives in the row's free attributes."""
    return lambda tenant, row: row.attributes.get(name)


_REFERENCES = ("external_system_reference1", "external_system_reference2", "external_system_reference3")

GETTERS: Mapping[tuple[str, str], Get] = {
    **{("GoodsOut", name): _kept(name) for name in ("priority", *_REFERENCES)},
    ("GoodsOut", "expected_date_of_dispatch"): _kept("expected_date_of_dispatch"),
    ("GoodsOut", "goods_out_status"): _status,
    ("GoodsOutRef", "goods_out_status"): _status,
    **{("GoodsOutLine", name): _kept(name) for name in (*_REFERENCES, "alt_product_code")},
    ("GoodsOutLine", "goods_out"): _order,
    ("GoodsOutLine", "carrier"): lambda tenant, row: tenant.carriers.get(
        row.attributes.get("carrier_id") or _order(tenant, row).carrier_id
    ),
    ("GoodsOutPickList", "goods_out_status"): _status,
    ("PickProcessingRequest", "goods_out"): lambda tenant, row: SimpleNamespace(
        id=row.goods_out_id,
        reference=row.goods_out_reference,
        status=getattr(_order(tenant, row), "status", "CANCELLED"),
    ),
    ("Shipment", "packages_count"): lambda tenant, row: len(row.packages),
    ("Package", "shipment"): _table("shipments", "shipment_id"),
    ("Package", "storage_unit_type"): lambda tenant, row: _PARCEL,
    ("Task", "task_type"): lambda tenant, row: _TASK_TYPES[row.code],
    ("Transaction", "category"): lambda tenant, row: row.subtype,
    ("Stock", "location"): lambda tenant, row: _LOCATIONS[row.location_id],
    **{
        ("Product", name): _kept(name)
        for name in ("long_description", "shelf_life_min", "shelf_life_max", "commodity_code", "country_of_manufacture")
    },
    ("ProductMaterial", "parent_product"): _table("products", "parent_product_id"),
    ("ProductMaterial", "child_product"): _table("products", "child_product_id"),
    ("Warehouse", "address"): lambda tenant, row: SimpleNamespace(
        **{
            name: row.address.get(name)
            for name in ("address_1", "address_2", "address_3", "address_4", "postcode", "country_code")
        }
    ),
}

_SHARED: Mapping[str, Get] = {
    "account": _table("accounts", "account_id"),
    "warehouse": _table("warehouses", "warehouse_id"),
    "product": _table("products", "product_id"),
    "carrier": _table("carriers", "carrier_id"),
    "carrier_service": _table("carrier_services", "carrier_service_id"),
    "location_from": lambda tenant, row: _LOCATIONS[row.location_from_id],
    "location_to": lambda tenant, row: _LOCATIONS[row.location_to_id],
}


def find_getter(type_name: str, field: str) -> Get:
    """Return how to read a field: its own rule, a shared one, or the attribute of that name."""
    own = GETTERS.get((type_name, field)) or _SHARED.get(field)
    if own is not None:
        return own
    plain = attrgetter(field)
    return lambda tenant, row: plain(row)


def _as_date(tenant: Tenant, value: Any) -> str:
    at = datetime.fromisoformat(value)
    return at.astimezone(ZoneInfo(tenant.knobs.tenant_time_zone)).date().isoformat()


_AS_WRITTEN: Mapping[str, Get] = {
    "ID": lambda tenant, value: str(value),
    "Float": lambda tenant, value: float(value),
    "DateTime": content.local_time,
    "Date": _as_date,
}


def find_writer(scalar: str) -> Get | None:
    """Return how a scalar is written to JSON; None when as it is."""
    return _AS_WRITTEN.get(scalar)


def balance_rows(tenant: Tenant) -> list[Any]:
    """Stock balances with their five figures, in order of product, account and warehouse."""
    return [
        SimpleNamespace(
            product_id=product_id,
            account_id=account_id,
            warehouse_id=warehouse_id,
            **stock.figures(tenant, balance),
        )
        for (product_id, account_id, warehouse_id), balance in sorted(tenant.balances.items())
    ]
