"""The roots of the query type: which rows each has, and how a filter reaches few of them quickly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pickgate.twins.clarus.reads.fields import balance_rows
from pickgate.twins.clarus.reads.filters import chosen
from pickgate.twins.clarus.tenant import Tenant

Rows = Callable[[Tenant, Mapping[str, Any]], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class Root:
    """One root. `rows` gives, in order of id, at least every row that the filter can match."""

    name: str
    node: str
    filter: str
    rows: Rows


def _table(name: str) -> Rows:
    return lambda tenant, given: list(getattr(tenant, name).values())


def _by_id(rows: Iterable[Any]) -> list[Any]:
    return sorted({row.id: row for row in rows}.values(), key=lambda row: row.id)


def _numbers(values: Iterable[Any]) -> list[int]:
    return [int(value) for value in values if str(value).isdigit()]


def _goods_outs(tenant: Tenant, given: Mapping[str, Any]) -> Iterable[Any]:
    now = tenant.now()
    return [order for order in _some_goods_outs(tenant, given) if order.visible_from <= now]


def _some_goods_outs(tenant: Tenant, given: Mapping[str, Any]) -> Iterable[Any]:
    if (ids := chosen(given, "id")) is not None:
        found = (tenant.goods_outs.get(number) for number in _numbers(ids))
        return _by_id(order for order in found if order is not None)
    if (references := chosen(given, "reference")) is not None:
        return _by_id(order for reference in references for order in tenant.by_reference.get(reference, {}).values())
    if (codes := chosen(given, "goods_out_status_code")) is not None:
        return _by_id(order for code in codes for order in tenant.with_status(code).values())
    return tenant.goods_outs.values()


def _lines(tenant: Tenant, given: Mapping[str, Any]) -> Iterable[Any]:
    now = tenant.now()
    if (ids := chosen(given, "goods_out_id")) is not None:
        found = (tenant.goods_outs.get(number) for number in _numbers(ids))
        orders: Iterable[Any] = [order for order in found if order is not None]
    elif (codes := chosen(given, "goods_out_status_code")) is not None:
        orders = [order for code in codes for order in tenant.with_status(code).values()]
    else:
        orders = tenant.goods_outs.values()
    return _by_id(line for order in orders if order.visible_from <= now for line in order.lines)


def _shipments(tenant: Tenant, given: Mapping[str, Any]) -> Iterable[Any]:
    if (ids := chosen(given, "goods_out_id")) is None:
        return list(tenant.shipments.values())
    return _by_id(s for number in _numbers(ids) for s in tenant.shipments_of.get(number, []))


def _packages(tenant: Tenant, given: Mapping[str, Any]) -> Iterable[Any]:
    if (ids := chosen(given, "shipment_id")) is None:
        return list(tenant.packages.values())
    found = (tenant.shipments.get(number) for number in _numbers(ids))
    return _by_id(package for shipment in found if shipment for package in shipment.packages)


def _of_orders(table: str) -> Rows:
    def rows(tenant: Tenant, given: Mapping[str, Any]) -> Iterable[Any]:
        if (ids := chosen(given, "goods_out_id")) is None:
            return list(getattr(tenant, table).values())
        index = getattr(tenant, f"{table}_of")
        return _by_id(row for number in _numbers(ids) for row in index.get(number, []))

    return rows


def _products(tenant: Tenant, given: Mapping[str, Any]) -> Iterable[Any]:
    if (codes := chosen(given, "code")) is None:
        return list(tenant.products.values())
    found = (tenant.products_by_code.get(code) for code in codes)
    return _by_id(product for product in found if product is not None)


ROOTS = (
    Root("goods_outs", "GoodsOut", "GoodsOutsFilterType", _goods_outs),
    Root("goods_out_lines", "GoodsOutLine", "GoodsOutLineFilterType", _lines),
    Root("goods_out_pick_lists", "GoodsOutPickList", "GoodsOutPickListsFilterType", _table("pick_lists")),
    Root("pick_processing_requests", "PickProcessingRequest", "PickProcessingRequestFilterType", _table("requests")),
    Root("shipments", "Shipment", "ShipmentFilterType", _shipments),
    Root("packages", "Package", "PackageFilterType", _packages),
    Root("tasks", "Task", "TaskFilterType", _of_orders("tasks")),
    Root("transactions", "Transaction", "TransactionFilterType", _of_orders("transactions")),
    Root("stock_balances", "StockBalance", "StockBalancesFilterType", lambda tenant, given: balance_rows(tenant)),
    Root("stocks", "Stock", "StockFilterType", _table("stocks")),
    Root("products", "Product", "ProductsFilterType", _products),
    Root("account_products", "AccountProduct", "AccountProductFilterType", _table("account_products")),
    Root("product_materials", "ProductMaterial", "ProductMaterialFilterType", _table("product_materials")),
    Root("accounts", "Account", "AccountFilterType", _table("accounts")),
    Root("warehouses", "Warehouse", "WarehouseFilterType", _table("warehouses")),
    Root("account_warehouses", "AccountWarehouse", "AccountWarehouseFilterType", _table("account_warehouses")),
    Root("carriers", "Carrier", "CarrierFilterType", _table("carriers")),
    Root("carrier_services", "CarrierService", "CarrierServiceFilterType", _table("carrier_services")),
    Root("order_types", "OrderType", "OrderTypeFilterType", _table("order_types")),
    Root("reason_codes", "ReasonCode", "ReasonCodeFilterType", _table("reason_codes")),
    Root("integrations", "Integration", "IntegrationFilterType", _table("integrations")),
    Root("automations", "Automation", "AutomationFilterType", _table("automations")),
)
ROOTS_BY_NAME = {root.name: root for root in ROOTS}
