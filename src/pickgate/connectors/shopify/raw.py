"""What every reader of raw answers asks of them: an object, a list of objects, text, and the same order as before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pickgate.connectors.shopify.client import Answer
from pickgate.connectors.shopify.errors import AccessRefused, Moved, OutcomeUnclear, PayloadUnreadable


def order_gid(order_id: str) -> str:
    """Return the global id of an order by its number."""
    return f"gid://shopify/Order/{order_id}"


def object_in(owner: Mapping[str, Any], field: str) -> dict[str, Any]:
    """Return an object. Raises PayloadUnreadable for anything else, as the others here do."""
    found = owner.get(field)
    if not isinstance(found, dict):
        raise PayloadUnreadable(field, "should be an object")
    return found


def nodes_in(connection: Mapping[str, Any], field: str) -> list[dict[str, Any]]:
    """Return the nodes of the connection that stands under `field`."""
    found = connection.get("nodes")
    if not isinstance(found, list) or not all(isinstance(node, dict) for node in found):
        raise PayloadUnreadable(f"{field}.nodes", "should be a list of objects")
    return found


def text_in(owner: Mapping[str, Any], field: str) -> str:
    """Return text that is not empty."""
    found = owner.get(field)
    if not isinstance(found, str) or not found:
        raise PayloadUnreadable(field, "should be text")
    return found


def check_whole(answer: Answer) -> None:
    """Raise AccessRefused or OutcomeUnclear when an answer says that something is not in it."""
    for problem in answer.problems:
        words = f"Shopify answered without {problem.field or 'the whole answer'}: {problem.message}"
        raise AccessRefused(words) if problem.is_access else OutcomeUnclear(words)


def check_unmoved(order: Mapping[str, Any], updated_at: object) -> None:
    """Raise Moved when a page belongs to another moment of the order than what was read before."""
    if order.get("updatedAt") != updated_at:
        raise Moved("The order changed between two pages.")


def owner_of_page(answer: Answer, root: str, updated_at: object) -> dict[str, Any]:
    """Return what a page belongs to: an order, or something that names its order. Raises Moved when it is gone."""
    check_whole(answer)
    found = answer.data.get(root)
    if found is None:
        raise Moved(f"The {root} is gone.")
    if not isinstance(found, dict):
        raise PayloadUnreadable(root, "should be an object")
    check_unmoved(found if root == "order" else object_in(found, "order"), updated_at)
    return found
