"""Connections: slices by first, last, after, before and reverse, with cursors that survive changes in between."""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pickgate.twins.shopify.model import TopLevelError

Args = Mapping[str, Any]
PAGE_LIMIT = 250


class Listing:
    """A sorted connection whose cursors carry the sort value, so that pages survive changes in between."""

    __slots__ = ("items", "key")

    def __init__(self, items: Sequence[Any], key: Callable[[Any], tuple[Any, ...]]) -> None:
        self.items = items
        self.key = key


class Page:
    """A slice of a connection."""

    __slots__ = ("has_next_page", "has_previous_page", "items", "key")

    def __init__(
        self, items: Sequence[Any], *, before: bool, after: bool, key: Callable[[Any], tuple[Any, ...]] | None
    ) -> None:
        self.items = items
        self.has_previous_page = before
        self.has_next_page = after
        self.key = key

    def cursor(self, item: Any) -> str:
        parts = self.key(item) if self.key else (item.id,)
        return base64.urlsafe_b64encode("|".join(map(str, parts)).encode()).decode()

    @property
    def start_cursor(self) -> str | None:
        return self.cursor(self.items[0]) if self.items else None

    @property
    def end_cursor(self) -> str | None:
        return self.cursor(self.items[-1]) if self.items else None


def paginate(source: Sequence[Any] | Listing, args: Args) -> Page:
    """Apply first/after/last/before/reverse. Raises TopLevelError for a missing or too large size."""
    first, last = args.get("first"), args.get("last")
    if first is None and last is None:
        raise TopLevelError("BAD_REQUEST", "you must provide one of first or last")
    size = first if first is not None else last
    assert isinstance(size, int)
    if not 0 < size <= PAGE_LIMIT:
        raise TopLevelError("MAX_INPUT_SIZE_EXCEEDED", f"size must be between 1 and {PAGE_LIMIT}")
    key = source.key if isinstance(source, Listing) else None
    items: Sequence[Any] = source.items if isinstance(source, Listing) else source
    if args.get("reverse"):
        items = items[::-1]
    low, high = 0, len(items)
    if args.get("after"):
        low = _position(items, key, args["after"], reverse=bool(args.get("reverse"))) + 1
    if args.get("before"):
        high = max(_position(items, key, args["before"], reverse=bool(args.get("reverse"))), 0)
    if first is not None:
        end = min(low + size, high)
        return Page(items[low:end], before=low > 0, after=end < high, key=key)
    start = max(high - size, low)
    return Page(items[start:high], before=start > low, after=high < len(items), key=key)


def _position(items: Sequence[Any], key: Callable[[Any], tuple[Any, ...]] | None, cursor: str, *, reverse: bool) -> int:
    try:
        parts = tuple(base64.urlsafe_b64decode(cursor).decode().split("|"))
    except ValueError:
        raise TopLevelError("BAD_REQUEST", "invalid cursor") from None
    if key is not None and not reverse:
        return bisect_right(items, parts, key=lambda item: tuple(map(str, key(item)))) - 1
    for index, item in enumerate(items):
        if (tuple(map(str, key(item))) if key else (item.id,)) == parts:
            return index
    raise TopLevelError("BAD_REQUEST", "invalid cursor")
