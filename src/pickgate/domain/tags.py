"""Tags are matched whole, after trimming and case-folding; never as a part of a longer one."""

from __future__ import annotations

from collections.abc import Iterable


def find_tags(tags: Iterable[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """Return the wanted tags that are present, as they are written on the order."""
    folded = {tag.strip().casefold() for tag in wanted if tag.strip()}
    return tuple(tag for tag in tags if tag.strip().casefold() in folded)


def has_any_tag(tags: Iterable[str], wanted: Iterable[str]) -> bool:
    return bool(find_tags(tags, wanted))
