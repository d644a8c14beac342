"""The lines of bulk results -> orders, pure. A line's kind is in its id; `__parentId` says whose it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from pickgate.connectors.shopify.errors import PayloadUnreadable
from pickgate.connectors.shopify.incoming import parse_order
from pickgate.domain.shop import ShopOrder
from pickgate.flows.audit_ports import ParsedOrders

Node = dict[str, Any]
_WHOLE = {"hasNextPage": False, "endCursor": None}


def parse_result(orders: Iterable[bytes], fulfilments: Iterable[bytes]) -> ParsedOrders:
    """Put two results together, whatever the order of their lines.

    Raises PayloadUnreadable for a line that is no object or has no id: then nobody can say whose it was.
    """
    lines_of = _fulfilment_lines(fulfilments)
    heads: dict[str, Node] = {}
    children: dict[str, dict[str, dict[str, Node]]] = {}
    for node in parse_lines(orders):
        parent = node.pop("__parentId", None)
        if parent is None:
            heads[node["id"]] = node
        else:
            children.setdefault(parent, {}).setdefault(_kind(node["id"]), {})[node["id"]] = node
    found: list[ShopOrder] = []
    torn: list[str] = []
    for gid, head in heads.items():
        try:
            found.append(_order(head, children, lines_of))
        except PayloadUnreadable:
            torn.append(gid.rpartition("/")[2])
    return ParsedOrders(orders=tuple(found), torn=tuple(torn))


def parse_lines(pieces: Iterable[bytes]) -> Iterator[Node]:
    """Yield the objects of a JSON-lines text that comes in pieces cut anywhere. Raises PayloadUnreadable."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if line.strip():
                yield _object(line)
    if rest.strip():
        yield _object(rest)


def _object(line: bytes) -> Node:
    try:
        node = json.loads(line)
    except (ValueError, RecursionError):
        raise PayloadUnreadable("bulk", "has a line that is not JSON: the result is cut or damaged") from None
    if not isinstance(node, dict) or not isinstance(node.get("id"), str):
        raise PayloadUnreadable("bulk", "has a line without an id")
    return node


def _kind(gid: str) -> str:
    return gid.removeprefix("gid://shopify/").partition("/")[0]


def _fulfilment_lines(pieces: Iterable[bytes]) -> dict[str, dict[str, Node]]:
    """Lines by fulfilment. One fulfilment may serve several shares and is listed under each: its lines count once."""
    found: dict[str, dict[str, Node]] = {}
    for node in parse_lines(pieces):
        kind = _kind(node["id"])
        if kind == "Fulfillment":
            found.setdefault(node["id"], {})
        elif kind == "FulfillmentLineItem":
            found.setdefault(str(node.pop("__parentId", "")), {})[node["id"]] = node
    return found


def _order(
    head: Node, children: dict[str, dict[str, dict[str, Node]]], lines_of: dict[str, dict[str, Node]]
) -> ShopOrder:
    own = children.get(head["id"], {})
    shares = []
    for share in own.get("FulfillmentOrder", {}).values():
        lines = children.get(share["id"], {}).get("FulfillmentOrderLineItem", {})
        shares.append({**share, "lineItems": _connection(lines)})
    sent = head.get("fulfillments")
    if not isinstance(sent, list) or not all(isinstance(one, dict) for one in sent):
        raise PayloadUnreadable("fulfillments", "should be a list")
    missing = [one for one in sent if one.get("id") not in lines_of]
    if missing:
        # The two reads saw the order at different moments, or one of its shares is gone.
        raise PayloadUnreadable("fulfillments", "has one without its lines")
    order = parse_order(
        {
            **head,
            "lineItems": _connection(own.get("LineItem", {})),
            "fulfillmentOrders": {"nodes": shares, "pageInfo": _WHOLE},
            "fulfillments": [{**one, "fulfillmentLineItems": _connection(lines_of[one["id"]])} for one in sent],
        }
    )
    known = {line.id for line in order.lines}
    named = {line.line_id for share in order.fulfilment_orders for line in share.lines}
    named |= {line_id for one in order.fulfilments for line_id, _ in one.lines}
    if not named <= known:
        raise PayloadUnreadable("lineItems", "lacks a line that a share or a fulfilment names")
    return order


def _connection(nodes: dict[str, Node]) -> Node:
    return {"nodes": list(nodes.values()), "pageInfo": _WHOLE}
