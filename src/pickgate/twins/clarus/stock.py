"""Stock: shelves, allocation, and the five balance figures.

A unit moves shelf -> picked -> dispatched. `allocated` counts shelf units promised to a line and not picked yet, so
picking lowers shelf and allocated together and leaves what can be sold unchanged.
"""

from __future__ import annotations

from typing import Any

from pickgate.twins.clarus import records as r
from pickgate.twins.clarus.refusals import ImpossibleOnTheFloor
from pickgate.twins.clarus.tenant import Tenant


def figures(tenant: Tenant, balance: r.Balance) -> dict[str, float]:
    """The five figures of `stock_balances`, by the tenant's formula for `available`."""
    ordered = tenant.ordered((balance.product_id, balance.account_id, balance.warehouse_id))
    available = balance.shelf
    if tenant.knobs.balance_formula != "on_hand":
        available -= balance.allocated
    if tenant.knobs.balance_formula == "net":
        available -= ordered
    return {
        "available": available,
        "allocated": balance.allocated,
        "ordered": ordered,
        "received": balance.shelf,
        "picked": balance.picked,
    }


def change_shelf(
    tenant: Tenant,
    balance: r.Balance,
    units: float,
    *,
    because: str,
    order: r.GoodsOut | None = None,
) -> None:
    """Add (or, below zero, take) available units on the shelf. Raises when the shelf has fewer."""
    if balance.shelf + units < 0:
        raise ImpossibleOnTheFloor(
            f"{balance.shelf:g} of {tenant.code_of(balance.product_id)} on the shelf, not {-units:g}"
        )
    if units > 0:
        _put(tenant, balance, units)
    else:
        _take(tenant, balance, -units)
    balance.shelf += units
    record_stock_changed(tenant, balance, units, because=because, order=order)


def record_stock_changed(
    tenant: Tenant,
    balance: r.Balance,
    units: float,
    *,
    because: str,
    order: r.GoodsOut | None = None,
) -> None:
    """Write the movement to history, to the transactions, and to whoever listens."""
    tenant.history.append(
        at=tenant.now(),
        kind="stock_changed",
        subject=f"products/{balance.product_id}",
        product_code=tenant.code_of(balance.product_id),
        account_id=balance.account_id,
        warehouse_id=balance.warehouse_id,
        because=because,
        units=units,
        shelf=balance.shelf,
        allocated=balance.allocated,
        picked=balance.picked,
        goods_out_id=None if order is None else order.id,
    )
    entry = r.Transaction(
        id=tenant.new_id("transactions"),
        subtype=_SUBTYPES.get(because, "ADJ"),
        quantity=abs(units),
        product_id=balance.product_id,
        account_id=balance.account_id,
        warehouse_id=balance.warehouse_id,
        goods_out_id=None if order is None else order.id,
        created_at=tenant.now(),
    )
    tenant.transactions[entry.id] = entry
    if order is not None:
        tenant.transactions_of[order.id].append(entry)
    event = _EVENTS.get(because)
    if event is not None:
        tenant.on_event("stock", event, lambda: render_movement(tenant, balance, entry, units))
    tenant.on_event("stock_balance", "updated", lambda: render_balance(tenant, balance))


_SUBTYPES = {"picked": "PICK", "dispatched": "DISP", "received": "RCV", "put_back": "TRAN"}
_EVENTS = {
    "counted_up": "positively_adjusted",
    "counted_down": "negatively_adjusted",
    "received": "received",
    "held": "placed_on_hold",
    "released": "released_from_hold",
    "picked": "picked",
    "dispatched": "dispatched",
    "undispatched": "undispatched",
}


def set_stock(tenant: Tenant, product: r.Product, account_id: int, warehouse_id: int, units: float) -> None:
    """A count: make the available shelf stock exactly `units`, whatever is allocated."""
    balance = tenant.balance(product.id, account_id, warehouse_id)
    change = units - balance.shelf
    if change:
        change_shelf(tenant, balance, change, because="counted_up" if change > 0 else "counted_down")


def hold(tenant: Tenant, stock: r.Stock, *, held: bool) -> None:
    """Put a stock record on hold, or release it."""
    wanted = "held" if held else "available"
    if stock.status == wanted:
        return
    balance = tenant.balance(stock.product_id, stock.account_id, stock.warehouse_id)
    stock.status = wanted
    units = -stock.quantity if held else stock.quantity
    balance.shelf += units
    record_stock_changed(tenant, balance, units, because="held" if held else "released")


def allocate(tenant: Tenant, order: r.GoodsOut, line: r.Line, warehouse_id: int) -> float:
    """Promise shelf units to a line, as many as are free, with a pick task. Returns the units."""
    balance = tenant.balance(line.product_id, order.account_id, warehouse_id)
    units = min(line.to_allocate, max(0.0, balance.shelf - balance.allocated))
    if units <= 0:
        return 0.0
    balance.allocated += units
    line.allocated_quantity += units
    task = r.Task(
        id=tenant.new_id("tasks"),
        code="PICK",
        status="AVAILABLE",
        goods_out_id=order.id,
        line_id=line.id,
        product_id=line.product_id,
        account_id=order.account_id,
        warehouse_id=warehouse_id,
        start_quantity=units,
        created_at=tenant.now(),
    )
    tenant.tasks[task.id] = task
    tenant.tasks_of[order.id].append(task)
    return units


def free_allocation(tenant: Tenant, order: r.GoodsOut, line: r.Line) -> float:
    """Give back what was promised to a line and not picked; its open pick tasks are cancelled."""
    units = line.to_pick
    if order.warehouse_id is not None:
        tenant.balance(line.product_id, order.account_id, order.warehouse_id).allocated -= units
    line.allocated_quantity -= units
    for task in tenant.tasks_of[order.id]:
        if task.line_id == line.id and task.status == "AVAILABLE":
            task.status = "CANCELLED"
    return units


def balance_of(tenant: Tenant, order: r.GoodsOut, line: r.Line) -> r.Balance:
    """The balance from which a processed line is picked."""
    if order.warehouse_id is None:
        raise ImpossibleOnTheFloor(f"{order.reference} has no warehouse")
    return tenant.balance(line.product_id, order.account_id, order.warehouse_id)


def return_units(tenant: Tenant, order: r.GoodsOut, line: r.Line, units: float) -> dict[str, Any] | None:
    """Move picked units of a line back to the shelf; the line remembers them as returned."""
    if units <= 0:
        return None
    balance = balance_of(tenant, order, line)
    balance.picked -= units
    line.returned_quantity += units
    change_shelf(tenant, balance, units, because="put_back", order=order)
    tenant.touch(order)
    return {"line_id": line.id, "product_code": tenant.code_of(line.product_id), "units": units}


def _put(tenant: Tenant, balance: r.Balance, units: float) -> None:
    stock = r.Stock(
        id=tenant.new_id("stocks"),
        product_id=balance.product_id,
        account_id=balance.account_id,
        warehouse_id=balance.warehouse_id,
        quantity=units,
        status="available",
        fifo_date=tenant.now(),
    )
    tenant.stocks[stock.id] = stock
    balance.stocks.append(stock)


def _take(tenant: Tenant, balance: r.Balance, units: float) -> None:
    """Oldest first."""
    for stock in [stock for stock in balance.stocks if stock.status == "available"]:
        part = min(units, stock.quantity)
        stock.quantity -= part
        units -= part
        if stock.quantity <= 0:
            balance.stocks.remove(stock)
            del tenant.stocks[stock.id]
        if units <= 0:
            return


def _names(tenant: Tenant, balance: r.Balance) -> dict[str, Any]:
    product = tenant.products[balance.product_id]
    account = tenant.accounts[balance.account_id]
    warehouse = tenant.warehouses[balance.warehouse_id]
    return {
        "account": {"id": account.id, "code": account.code},
        "product": {"id": product.id, "code": product.code},
        "warehouse": {"id": warehouse.id, "code": warehouse.code},
    }


def render_balance(tenant: Tenant, balance: r.Balance) -> dict[str, Any]:
    """The record in a `stock_balance` webhook."""
    return _names(tenant, balance) | figures(tenant, balance)


def render_movement(tenant: Tenant, balance: r.Balance, entry: r.Transaction, units: float) -> dict[str, Any]:
    """The record in a `stock` webhook."""
    return {
        "id": entry.id,
        "created_at": entry.created_at.isoformat(),
        **_names(tenant, balance),
        "quantity": units,
        "new_quantity": balance.shelf,
    }
