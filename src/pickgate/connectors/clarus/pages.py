"""Reading a list to its end, though its cursors are offsets and the list may move while it is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pickgate.connectors.clarus.errors import Unexpected
from pickgate.connectors.clarus.incoming import parse_id

MAX_PAGES = 200
MAX_RESTARTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a connection: `nodes` by id, and where to go on."""

    nodes: Mapping[str, Mapping[str, Any]]
    has_next: bool
    after: str | None
    overlaps_with: str | None  # the node that the page behind `after` must show again


class _ListMoved(Exception):
    """The next page did not join on to the last one: rows came or went meanwhile."""


def parse_page(root: Any) -> Page:
    """Parse `{"all": {"pageInfo": …, "edges": [{cursor, node}]}}`. Raises Unexpected when it is not one.

    The place to go on from is one row before the end where there is one: an offset cursor would skip a row
    unnoticed when the list gets shorter, but not when the pages overlap.
    """
    connection = root.get("all") if isinstance(root, dict) else None
    info = connection.get("pageInfo") if isinstance(connection, dict) else None
    edges = connection.get("edges") if isinstance(connection, dict) else None
    if not isinstance(info, dict) or not isinstance(edges, list) or not isinstance(info.get("hasNextPage"), bool):
        raise Unexpected("Clarus answered a query with a list that has no edges or no page information")
    nodes: dict[str, Mapping[str, Any]] = {}
    cursors: list[object] = []
    for edge in edges:
        node = edge.get("node") if isinstance(edge, dict) else None
        if not isinstance(node, dict):
            raise Unexpected("Clarus answered a query with an empty row")
        nodes[parse_id(node.get("id"))] = node
        cursors.append(edge.get("cursor"))
    before_last = cursors[-2] if len(cursors) > 1 else None
    if isinstance(before_last, str) and before_last:
        last = parse_id(edges[-1]["node"]["id"])
        return Page(nodes=nodes, has_next=info["hasNextPage"], after=before_last, overlaps_with=last)
    end = info.get("endCursor")
    after = end if isinstance(end, str) and end else None
    return Page(nodes=nodes, has_next=info["hasNextPage"], after=after, overlaps_with=None)


async def read_all(
    get_page: Callable[[str | None], Awaitable[Page]], *, first: Page | None = None
) -> tuple[Mapping[str, Any], ...]:
    """Read every page, each row once, by id. `first` is the first page when it came with another request.

    Raises Unexpected when the list does not end or does not hold still, and whatever `get_page` raises.
    """
    for _ in range(MAX_RESTARTS + 1):
        try:
            return await _read_through(get_page, first or await get_page(None))
        except _ListMoved:
            first = None
    raise Unexpected(f"A list of Clarus moved each of the {MAX_RESTARTS + 1} times that it was read")


async def _read_through(get_page: Callable[[str | None], Awaitable[Page]], page: Page) -> tuple[Mapping[str, Any], ...]:
    rows: dict[str, Mapping[str, Any]] = dict(page.nodes)
    for _ in range(MAX_PAGES):
        if not page.has_next:
            return tuple(rows.values())
        if page.after is None:
            raise Unexpected("Clarus says that a list goes on, but not from where")
        following = await get_page(page.after)
        if page.overlaps_with is not None and page.overlaps_with not in following.nodes:
            raise _ListMoved
        if following.has_next and not following.nodes.keys() - rows.keys():
            raise _ListMoved
        rows.update(following.nodes)
        page = following
    raise Unexpected(f"A list of Clarus did not end after {MAX_PAGES} pages")
