"""Texts in which * stands for any run of characters: when one covers another, and when two can both match."""

from __future__ import annotations

ANY = "*"


def covers(wide: str, narrow: str) -> bool:
    """Say whether everything that `narrow` matches is matched by `wide` too. Exact, since texts are unbounded.

    A * of `narrow` is a letter that only a * of `wide` can take: were it taken by a plain letter, another letter in
    its place would be matched by `narrow` and not by `wide`.
    """
    first, star, _ = wide.partition(ANY)
    if not star:
        return wide == narrow
    if not narrow.startswith(first) or not narrow.endswith(wide.rpartition(ANY)[2]):
        return False
    here = {0}  # positions in `wide` that can be reached after what was read of `narrow`
    here = _through_stars(wide, here)
    for letter in narrow:
        there = {at for at in here if at < len(wide) and wide[at] == ANY}
        if letter != ANY:
            there |= {at + 1 for at in here if at < len(wide) and wide[at] == letter}
        here = _through_stars(wide, there)
    return len(wide) in here


def intersect(one: str, other: str) -> bool:
    """Say whether some text is matched by both."""
    reached = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        left, right = waiting.pop()
        a = one[left] if left < len(one) else None
        b = other[right] if right < len(other) else None
        steps = []
        if a == ANY:
            steps.append((left + 1, right))
            if b is not None:
                steps.append((left, right + 1))
        if b == ANY:
            steps.append((left, right + 1))
            if a is not None:
                steps.append((left + 1, right))
        if a is not None and a == b and a != ANY:
            steps.append((left + 1, right + 1))
        for step in steps:
            if step not in reached:
                reached.add(step)
                waiting.append(step)
    return (len(one), len(other)) in reached


def _through_stars(pattern: str, at: set[int]) -> set[int]:
    reached = set(at)
    for start in at:
        while start < len(pattern) and pattern[start] == ANY:
            start += 1
            reached.add(start)
    return reached
