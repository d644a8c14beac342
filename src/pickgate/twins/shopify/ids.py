"""Shopify's global ids: `gid://shopify/Kind/number`, minted in a fixed sequence."""

from __future__ import annotations

from pickgate.twins.shopify.model import TopLevelError

PREFIX = "gid://shopify/"
_BASES = {"Order": 6_100_000_000_001, "Location": 70_000_000_001, "Customer": 7_500_000_000_001}
_LARGE_BASE = 2**53 + 1_000_001


class IdMint:
    """Mints ids. The same sequence of calls gives the same ids; numbers of one kind only grow."""

    def __init__(self, large: frozenset[str]) -> None:
        self._large = large
        self._counts: dict[str, int] = {}

    def gid(self, kind: str) -> str:
        count = self._counts.get(kind, 0)
        self._counts[kind] = count + 1
        base = _LARGE_BASE if kind in self._large else _BASES.get(kind, 8_000_000_000_001)
        return f"{PREFIX}{kind}/{base + count * 32_771}"


def number_of(gid: str) -> int:
    """Return the numeric part of a global id."""
    return int(gid.rpartition("/")[2].partition("?")[0])


def check_gid(gid: str) -> str:
    """Return `gid`. Raises TopLevelError (RESOURCE_NOT_FOUND, "invalid id") when it is not a global id."""
    kind, _, number = gid.removeprefix(PREFIX).partition("/")
    if not gid.startswith(PREFIX) or not kind or not number.partition("?")[0].isdigit():
        raise TopLevelError("RESOURCE_NOT_FOUND", "invalid id")
    return gid
