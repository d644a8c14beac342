"""The tenant as it is set up: who owns what, where, and how much of it is on the shelf."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pickgate.twins.clarus import catalogue, stock
from pickgate.twins.clarus import records as r
from pickgate.twins.clarus.automations import Automations, webhook_attributes
from pickgate.twins.clarus.tenant import Tenant


class TenantSetup:
    """The part of ClarusTwin that prepares a tenant and moves stock in. Ids are returned."""

    _tenant: Tenant
    _automations: Automations

    def tick(self) -> None:
        """Run the tenant's own jobs whose time has come."""
        self._tenant.run_due()

    def add_account(self, code: str, name: str = "", *, is_short_pickable: bool = False) -> int:
        number = self._tenant.new_id("accounts")
        self._tenant.accounts[number] = r.Account(
            id=number, code=code, name=name or code, is_short_pickable=is_short_pickable
        )
        return number

    def add_warehouse(self, code: str, name: str = "") -> int:
        number = self._tenant.new_id("warehouses")
        self._tenant.warehouses[number] = r.Warehouse(id=number, code=code, name=name or code)
        return number

    def link(self, account_id: int, warehouse_id: int) -> int:
        """Let the account keep stock in the warehouse."""
        return catalogue.link_account(self._tenant, account_id, warehouse_id).id

    def add_carrier(self, code: str, name: str = "") -> int:
        number = self._tenant.new_id("carriers")
        self._tenant.carriers[number] = r.Carrier(
            id=number, code=code, name=name or code, created_at=self._tenant.now()
        )
        return number

    def add_service(self, carrier_id: int, code: str, name: str = "") -> int:
        number = self._tenant.new_id("carrier_services")
        self._tenant.carrier_services[number] = r.CarrierService(
            id=number, code=code, name=name or code, carrier_id=carrier_id
        )
        return number

    def add_product(
        self,
        code: str,
        *,
        description: str = "",
        accounts: Sequence[int] = (),
        product_type: str = "single",
        barcode: str | None = None,
    ) -> int:
        """Add a product. `accounts`: who owns it; empty means every account there is now."""
        attributes: dict[str, Any] = {
            "code": code,
            "description": description or code,
            "stock_unit_type_id": 1,
            "product_type": product_type,
        }
        if barcode is not None:
            attributes["barcode"] = barcode
        product = catalogue.create_product(self._tenant, attributes)
        for account_id in accounts or list(self._tenant.accounts):
            catalogue.assign_product(self._tenant, product.id, account_id)
        return product.id

    def add_material(self, parent_code: str, child_code: str, units: float) -> int:
        """A line of a bill of materials. It can be read; stock of the parent is kept on its own."""
        number = self._tenant.new_id("product_materials")
        self._tenant.product_materials[number] = r.ProductMaterial(
            id=number,
            parent_product_id=self._product(parent_code).id,
            child_product_id=self._product(child_code).id,
            quantity=units,
        )
        return number

    def add_order_type(self, code: str) -> int:
        number = self._tenant.new_id("order_types")
        self._tenant.order_types[number] = r.OrderType(id=number, code=code, name=code, created_at=self._tenant.now())
        return number

    def add_reason_code(self, code: str, reason_type: str) -> int:
        number = self._tenant.new_id("reason_codes")
        self._tenant.reason_codes[number] = r.ReasonCode(id=number, code=code, name=code, reason_type=reason_type)
        return number

    def add_integration(self, name: str, provider: str = "shopify") -> int:
        number = self._tenant.new_id("integrations")
        self._tenant.integrations[number] = r.Integration(
            id=number,
            name=name,
            integration_provider=provider,
            integration_type="ecommerce",
            created_at=self._tenant.now(),
        )
        return number

    def add_automation(
        self,
        resource_name: str,
        event: str,
        url: str,
        method: str = "POST",
        *,
        integration_id: int | None = None,
    ) -> int:
        """Call `url` on each such event."""
        rule = self._automations.create(webhook_attributes(resource_name, event, url, method))
        rule.integration_id = integration_id
        return rule.id

    # --- stock ----------------------------------------------------------------------------------

    def set_stock(self, code: str, units: float, *, account_id: int, warehouse_id: int) -> None:
        """A count: exactly so many available units are on the shelf now, allocated ones included."""
        self.tick()
        stock.set_stock(self._tenant, self._product(code), account_id, warehouse_id, float(units))

    def receive_stock(self, code: str, units: float, *, account_id: int, warehouse_id: int) -> None:
        """A delivery came in."""
        self.tick()
        balance = self._tenant.balance(self._product(code).id, account_id, warehouse_id)
        stock.change_shelf(self._tenant, balance, float(units), because="received")

    def stock_figures(self, code: str, *, account_id: int, warehouse_id: int) -> dict[str, float]:
        """The five balance figures of a product, as GraphQL would tell them."""
        self.tick()
        balance = self._tenant.balance(self._product(code).id, account_id, warehouse_id)
        return stock.figures(self._tenant, balance)

    def _product(self, code: str) -> r.Product:
        return self._tenant.products_by_code[code]
