"""The GraphQL documents, one operation a file, read once."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Document:
    """One operation with its own fragments. `cost` is a first guess in points, until an answer tells the true one."""

    name: str
    text: str
    cost: float


def _load(name: str, *, cost: float) -> Document:
    return Document(name, files(__package__).joinpath("documents", f"{name}.graphql").read_text("utf-8"), cost)


READ_ORDERS = _load("read_orders", cost=92)  # for each order
ORDER_LINES_PAGE = _load("order_lines_page", cost=60)
ORDER_FULFILLMENT_ORDERS_PAGE = _load("order_fulfillment_orders_page", cost=60)
FULFILLMENT_ORDER_LINES_PAGE = _load("fulfillment_order_lines_page", cost=30)
ORDER_FULFILLMENTS = _load("order_fulfillments", cost=20)
FULFILLMENTS_BY_ID = _load("fulfillments_by_id", cost=120)
FULFILLMENT_LINES_PAGE = _load("fulfillment_lines_page", cost=30)
CHANGED_ORDERS = _load("changed_orders", cost=20)
ORDERS_BY_NAME = _load("orders_by_name", cost=15)
ORDERS_OF_FULFILLMENT_ORDERS = _load("orders_of_fulfillment_orders", cost=50)
ACCESS_SCOPES = _load("access_scopes", cost=5)
WEBHOOK_SUBSCRIPTIONS = _load("webhook_subscriptions", cost=20)

CREATE_WEBHOOK_SUBSCRIPTION = _load("create_webhook_subscription", cost=11)
DELETE_WEBHOOK_SUBSCRIPTION = _load("delete_webhook_subscription", cost=11)
CREATE_FULFILLMENT = _load("create_fulfillment", cost=11)
ADD_TAGS = _load("add_tags", cost=11)
REMOVE_TAGS = _load("remove_tags", cost=11)
SET_METAFIELDS = _load("set_metafields", cost=11)
ADD_TAGS_AND_SET_METAFIELDS = _load("add_tags_and_set_metafields", cost=22)
REMOVE_TAGS_AND_SET_METAFIELDS = _load("remove_tags_and_set_metafields", cost=22)
TAKE_LOCK = _load("take_lock", cost=31)
REPORT_PROGRESS = _load("report_progress", cost=11)
OPEN_FULFILLMENT_ORDER = _load("open_fulfillment_order", cost=11)
HOLD_FULFILLMENT_ORDER = _load("hold_fulfillment_order", cost=11)
RELEASE_HOLDS = _load("release_holds", cost=11)

INVENTORY_LOCATIONS = _load("inventory_locations", cost=15)
INVENTORY_LEVELS = _load("inventory_levels", cost=30)
INVENTORY_LEVELS_BY_ID = _load("inventory_levels_by_id", cost=4)  # for each level
SET_INVENTORY_QUANTITIES = _load("set_inventory_quantities", cost=11)
