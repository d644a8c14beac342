"""Whole lists: one GraphQL root, a filter, every page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pickgate.connectors.clarus.client import ClarusClient
from pickgate.connectors.clarus.documents import get_document
from pickgate.connectors.clarus.pages import Page, parse_page, read_all

Node = Mapping[str, Any]
Filter = Mapping[str, Mapping[str, Any]]


class Listing:
    """Reads lists of one tenant. The document of a root has the root's name."""

    def __init__(self, client: ClarusClient, *, page_size: int) -> None:
        self._client = client
        self.page_size = page_size

    async def read(self, root: str, filter_: Filter | None, *, first: Page | None = None) -> tuple[Node, ...]:
        """Read every row that the filter lets through. `first` is its first page, when it is there already.

        Raises ClarusProblem: a list is read whole or not at all.
        """
        document = get_document(root)

        async def get_page(after: str | None) -> Page:
            variables: dict[str, Any] = {"first": self.page_size, "after": after}
            if filter_ is not None:
                variables["filter"] = filter_
            data = await self._client.read(document, variables)
            return parse_page(data.get(root))

        return await read_all(get_page, first=first)
