"""Whether a place's new levels can be believed. What is not believed waits for a person, whole.

In ordinary trade nothing has to be set: a sale lowers the shop's level and the promise alike. So the number of levels
that differ from the promise, not the number of products whose stock moved, tells trade from a broken export.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pickgate.domain.findings import Finding
from pickgate.domain.rules import Place
from pickgate.domain.stock_policy import StockPolicy

FEWEST_ZEROED = 3
FEWEST_CHANGED = 10
_LISTED = 20
_ACTIONS = ("preview_stock", "publish_stock", "resolve_exceptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Why a place's levels are not published. Counts of levels."""

    compared: int
    changed: int
    zeroed: int
    text: str


def find_implausible(moves: Sequence[tuple[int, int] | None], policy: StockPolicy) -> Held | None:
    """Judge (shown, target) of every level; None stands for one that was not decided."""
    decided = [move for move in moves if move is not None]
    stocked = sum(1 for shown, _ in decided if shown > 0)
    zeroed = sum(1 for shown, target in decided if shown > 0 and target == 0)
    changed = sum(1 for shown, target in decided if shown != target)
    many = zeroed >= FEWEST_ZEROED and zeroed > stocked * policy.most_zero_share
    everything = zeroed == stocked >= 2 and policy.most_zero_share < 1
    if many or everything:
        text = f"{zeroed} of {stocked} levels with stock would become zero."
    elif changed >= FEWEST_CHANGED and changed > len(decided) * policy.most_changed_share:
        text = f"{changed} of {len(decided)} levels would change."
    else:
        return None
    return Held(compared=len(decided), changed=changed, zeroed=zeroed, text=text)


def implausible_finding(place: Place, held: Held) -> Finding:
    where = f"{place.account}/{place.warehouse}"
    return Finding(
        code="STOCK_IMPLAUSIBLE",
        fingerprint=f"STOCK_IMPLAUSIBLE:{where}",
        summary=f"{where}: {held.text} Nothing is published until a person confirms it.",
        detail={
            "account": place.account,
            "warehouse": place.warehouse,
            "compared": held.compared,
            "changed": held.changed,
            "zeroed": held.zeroed,
            "remedy": "Compare with the warehouse; when it is true, publish the stock and say that you confirm it.",
        },
        actions=_ACTIONS,
    )


def unreadable_finding(place: Place, bad: Mapping[str, str]) -> list[Finding]:
    """At most one finding for the products whose figures cannot be understood: fractions, or no numbers at all."""
    if not bad:
        return []
    where = f"{place.account}/{place.warehouse}"
    codes = sorted(bad)
    more = "" if len(codes) == 1 else f" and {len(codes) - 1} more"
    return [
        Finding(
            code="STOCK_IMPLAUSIBLE",
            fingerprint=f"STOCK_IMPLAUSIBLE:{where}:figures",
            summary=f"{where}: the figures of {codes[0]}{more} cannot be used: {bad[codes[0]]}",
            detail={
                "account": place.account,
                "warehouse": place.warehouse,
                "products": codes[:_LISTED],
                "count": len(codes),
                "remedy": "Correct the product's stock in the warehouse; its levels stay as they are until then.",
            },
            actions=_ACTIONS,
        )
    ]


def conflict_finding(shop: str, location_id: str, skus: Sequence[str]) -> Finding:
    """Levels that somebody else changed each time that we wanted to set them."""
    more = "" if len(skus) == 1 else f" and {len(skus) - 1} more"
    return Finding(
        code="STOCK_CONFLICT",
        fingerprint=f"STOCK_CONFLICT:{shop}:{location_id}",
        summary=f"{shop}: something else keeps changing the level of {skus[0]}{more}.",
        detail={
            "location_id": location_id,
            "skus": list(skus[:_LISTED]),
            "count": len(skus),
            "remedy": "Find who else writes stock at this location, and stop it.",
        },
        actions=_ACTIONS,
    )
