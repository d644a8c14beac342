"""The table of operations. A skin that wants one asks here; nothing is offered that is not listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from pickgate.operations.context import OperationContext
from pickgate.operations.exceptions import EXCEPTIONS
from pickgate.operations.handbook import HANDBOOK
from pickgate.operations.money import MONEY
from pickgate.operations.operation import Registry, run
from pickgate.operations.order_changes import ORDER_CHANGES
from pickgate.operations.orders import ORDERS
from pickgate.operations.overview import OVERVIEW
from pickgate.operations.rulebook import RULEBOOK
from pickgate.operations.settings import SETTINGS
from pickgate.operations.stock import STOCK

REGISTRY = Registry((*ORDERS, *ORDER_CHANGES, *EXCEPTIONS, *STOCK, *MONEY, *RULEBOOK, *OVERVIEW, *HANDBOOK, *SETTINGS))


async def run_operation(context: OperationContext, operation_id: str, values: Mapping[str, Any]) -> BaseModel:
    """Run one operation for one actor. Raises OperationRefused, having changed nothing."""
    return await run(REGISTRY, context, operation_id, values)
