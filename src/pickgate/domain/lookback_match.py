"""Which order does a goods-out belong to, when nobody wrote our references into it? A configured pattern says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pickgate.domain.shop import ShopOrder
from pickgate.domain.warehouse import GoodsOut

_PLACE = re.compile(r"\{(\w+)\}|(\*)")
_KNOWN = ("name", "id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """`by_order`: goods-outs by (shop, order id). `strangers` fit no order; `ambiguous` fit several."""

    by_order: Mapping[tuple[str, str], tuple[GoodsOut, ...]]
    strangers: tuple[GoodsOut, ...]
    ambiguous: tuple[GoodsOut, ...]


class ReferencePattern:
    """How the integration of the past named its goods-outs: "{name}", "SH-{name}", "{name}-*", "{id}".

    `{name}` is the order's name, with or without its `#`, in any case; `{id}` the shop's numeric order id; `*` stands
    for anything. Several patterns are separated by `|`. Raises ValueError with the remedy.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = tuple(part.strip() for part in text.split("|") if part.strip())
        if not self._parts:
            raise ValueError('an empty reference pattern; write "{name}", "SH-{name}" or "{name}-*"')
        for part in self._parts:
            names = [match[1] for match in _PLACE.finditer(part) if match[1]]
            if sum(name in _KNOWN for name in names) != 1 or any(name not in _KNOWN for name in names):
                raise ValueError(f'{part!r} must hold {{name}} or {{id}}, once, as in "SH-{{name}}"')
        self._compiled = tuple(re.compile(_expression(part), re.IGNORECASE | re.DOTALL) for part in self._parts)

    def keys_of(self, reference: str) -> Iterator[tuple[str, str]]:
        """Yield what a reference may name: ("name", bare name in lower case) or ("id", number), likeliest first."""
        for part, compiled in zip(self._parts, self._compiled, strict=True):
            kind = "name" if "{name}" in part else "id"
            match = compiled.fullmatch(reference.strip())
            if match is not None:
                yield kind, match["key"].lower()
                if "*" in part:
                    # With a wildcard a name may end at any later place, too: "1031-A-2".
                    yield from ((kind, key) for key in _longer_keys(part, reference.strip(), match["key"].lower()))

    def references_of(self, order: ShopOrder) -> tuple[str, ...]:
        """Return the exact references that this order would have; none where a wildcard leaves them open."""
        found: dict[str, None] = {}
        bare = order.name.strip().removeprefix("#")
        for part in self._parts:
            if "*" not in part:
                for name in (bare, f"#{bare}") if "{name}" in part else (bare,):
                    found[part.replace("{name}", name).replace("{id}", order.id)] = None
        return tuple(found)


def match_goods_outs(
    orders: Iterable[tuple[str, ShopOrder]],
    goods_outs: Sequence[GoodsOut],
    pattern: ReferencePattern,
    external: Mapping[str, str],
) -> Matched:
    """Give each goods-out to its order. `orders`: with their shop. `external`: text to match by goods-out id."""
    index: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for shop, order in orders:
        owner = (shop, order.id)
        for key in (("name", order.name.strip().removeprefix("#").lower()), ("id", order.id)):
            index.setdefault(key, []).append(owner)
    by_order: dict[tuple[str, str], list[GoodsOut]] = {}
    strangers, ambiguous = [], []
    for goods_out in {each.id: each for each in goods_outs}.values():
        keys = pattern.keys_of(external.get(goods_out.id, goods_out.reference))
        owners = next((index[key] for key in keys if key in index), [])
        if not owners:
            strangers.append(goods_out)
        elif len(owners) > 1:
            ambiguous.append(goods_out)
        else:
            by_order.setdefault(owners[0], []).append(goods_out)
    return Matched(
        by_order={owner: tuple(sorted(found, key=_age)) for owner, found in by_order.items()},
        strangers=tuple(sorted(strangers, key=_age)),
        ambiguous=tuple(sorted(ambiguous, key=_age)),
    )


def _age(goods_out: GoodsOut) -> tuple[int, str]:
    return (int(goods_out.id), "") if goods_out.id.isdecimal() else (0, goods_out.id)


def _expression(part: str) -> str:
    text, at = "", 0
    for match in _PLACE.finditer(part):
        text += re.escape(part[at : match.start()])
        text += ".*" if match[2] else ("#?(?P<key>.+?)" if match[1] == "name" else "(?P<key>[0-9]+)")
        at = match.end()
    return text + re.escape(part[at:])


def _longer_keys(part: str, reference: str, first: str) -> Iterator[str]:
    head = part.partition("{")[0]
    rest = reference[len(head) :].lstrip("#").lower()
    yield from (rest[:size] for size in range(len(first) + 1, len(rest) + 1) if rest[:size] != first)
