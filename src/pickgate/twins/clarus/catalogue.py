"""What a tenant is set up with: accounts, warehouses, carriers, products and their links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pickgate.twins.clarus import records as r
from pickgate.twins.clarus.refusals import not_found, refuse
from pickgate.twins.clarus.tenant import Tenant


def create_product(tenant: Tenant, attributes: Mapping[str, Any]) -> r.Product:
    """Create a product. Raises the 422 refusal when its code is known already or a field is missing."""
    for name in ("description", "stock_unit_type_id"):
        if not attributes.get(name):
            raise refuse("missing_attribute", f"{name} can't be blank", source=name)
    code = str(attributes.get("code") or "")
    _refuse_code(tenant, code)
    number = tenant.new_id("products")
    product = r.Product(
        id=number,
        code=code or f"P{number}",
        description=str(attributes["description"]),
        barcode=attributes.get("barcode"),
        product_type=str(attributes.get("product_type") or "single"),
        stop=bool(attributes.get("stop")),
        attributes=dict(attributes),
    )
    tenant.products[number] = product
    tenant.products_by_code[product.code] = product
    return product


def amend_product(tenant: Tenant, product_id: int, attributes: Mapping[str, Any]) -> r.Product:
    """Change a product: partial. Raises 404 and 422."""
    product = _get_product(tenant, product_id)
    code = attributes.get("code", product.code)
    if code != product.code:
        _refuse_code(tenant, str(code))
        del tenant.products_by_code[product.code]
        product.code = str(code)
        tenant.products_by_code[product.code] = product
    for name in ("description", "barcode", "product_type", "stop"):
        if name in attributes:
            setattr(product, name, attributes[name])
    product.attributes.update(attributes)
    return product


def delete_product(tenant: Tenant, product_id: int) -> None:
    """Delete a product without stock and without lines. Raises 404 and 422."""
    product = _get_product(tenant, product_id)
    in_stock = any(stock.product_id == product_id for stock in tenant.stocks.values())
    in_use = any(line.product_id == product_id for line in tenant.lines.values())
    if in_stock or in_use:
        raise refuse("product_has_stock", "The product is in use")
    del tenant.products[product_id]
    del tenant.products_by_code[product.code]


def assign_product(tenant: Tenant, product_id: int, account_id: Any) -> r.AccountProduct:
    """Let an account own a product. Raises 404 and, for a repeated pair, 422."""
    _get_product(tenant, product_id)
    if account_id not in tenant.accounts:
        raise refuse("unknown_record", f"account {account_id} is not known", source="account_id")
    if account_id in tenant.accounts_of_product[product_id]:
        raise refuse("association_exists", "The product is assigned already")
    link = r.AccountProduct(
        id=tenant.new_id("account_products"),
        account_id=account_id,
        product_id=product_id,
        created_at=tenant.now(),
    )
    tenant.account_products[link.id] = link
    tenant.accounts_of_product[product_id].add(account_id)
    return link


def link_account(tenant: Tenant, account_id: int, warehouse_id: int) -> r.AccountWarehouse:
    """Let an account keep stock in a warehouse. Raises the 422 refusal for a repeated pair."""
    for link in tenant.account_warehouses.values():
        if (link.account_id, link.warehouse_id) == (account_id, warehouse_id):
            raise refuse("association_exists", "The warehouse is linked already")
    number = tenant.new_id("account_warehouses")
    made = r.AccountWarehouse(id=number, account_id=account_id, warehouse_id=warehouse_id)
    tenant.account_warehouses[number] = made
    return made


def _get_product(tenant: Tenant, product_id: int) -> r.Product:
    product = tenant.products.get(product_id)
    if product is None:
        raise not_found("product", product_id)
    return product


def _refuse_code(tenant: Tenant, code: str) -> None:
    if len(code) > 50:
        raise refuse("invalid_attribute", "code is too long (maximum is 50 characters)")
    if code in tenant.products_by_code:
        raise refuse("product_code_exists", f"Product code {code} already exists", source="code")
