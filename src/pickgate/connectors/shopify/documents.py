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


def load_document(name: str, *, cost: float, folder: str = "") -> Document:
    """Read `documents/[folder/]name.graphql`."""
    file = files(__package__).joinpath("documents", folder, f"{name}.graphql")
    return Document(name, file.read_text("utf-8"), cost)


READ_ORDERS = load_document("read_orders", cost=92)  # for each order
ORDER_LINES_PAGE = load_document("order_lines_page", cost=60)
ORDER_FULFILLMENT_ORDERS_PAGE = load_document("order_fulfillment_orders_page", cost=60)
FULFILLMENT_ORDER_LINES_PAGE = load_document("fulfillment_order_lines_page", cost=30)
ORDER_FULFILLMENTS = load_document("order_fulfillments", cost=20)
FULFILLMENTS_BY_ID = load_document("fulfillments_by_id", cost=120)
FULFILLMENT_LINES_PAGE = load_document("fulfillment_lines_page", cost=30)
CHANGED_ORDERS = load_document("changed_orders", cost=20)
ORDERS_BY_NAME = load_document("orders_by_name", cost=15)
ORDERS_OF_FULFILLMENT_ORDERS = load_document("orders_of_fulfillment_orders", cost=50)
ACCESS_SCOPES = load_document("access_scopes", cost=5)
WEBHOOK_SUBSCRIPTIONS = load_document("webhook_subscriptions", cost=20)

CREATE_WEBHOOK_SUBSCRIPTION = load_document("create_webhook_subscription", cost=11)
DELETE_WEBHOOK_SUBSCRIPTION = load_document("delete_webhook_subscription", cost=11)
CREATE_FULFILLMENT = load_document("create_fulfillment", cost=11)
ADD_TAGS = load_document("add_tags", cost=11)
REMOVE_TAGS = load_document("remove_tags", cost=11)
SET_METAFIELDS = load_document("set_metafields", cost=11)
ADD_TAGS_AND_SET_METAFIELDS = load_document("add_tags_and_set_metafields", cost=22)
REMOVE_TAGS_AND_SET_METAFIELDS = load_document("remove_tags_and_set_metafields", cost=22)
TAKE_LOCK = load_document("take_lock", cost=31)
REPORT_PROGRESS = load_document("report_progress", cost=11)
OPEN_FULFILLMENT_ORDER = load_document("open_fulfillment_order", cost=11)
HOLD_FULFILLMENT_ORDER = load_document("hold_fulfillment_order", cost=11)
RELEASE_HOLDS = load_document("release_holds", cost=11)

INVENTORY_LOCATIONS = load_document("inventory_locations", cost=15)
INVENTORY_LEVELS = load_document("inventory_levels", cost=30)
INVENTORY_LEVELS_BY_ID = load_document("inventory_levels_by_id", cost=4)  # for each level
SET_INVENTORY_QUANTITIES = load_document("set_inventory_quantities", cost=11)
