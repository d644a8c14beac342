"""Locations, shipping methods and SKUs for which the rulebook has no answer, by the orders that need one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pickgate.domain.eligibility import decide_order_eligibility
from pickgate.domain.facts import Facts, Records
from pickgate.domain.lookback import Accusation, Charge, Ground, PastOrder
from pickgate.domain.lookback_charges import accuse
from pickgate.domain.projection import project
from pickgate.domain.shop import FulfilmentOrderStatus, ShopOrder

_CHARGES = {"LOCATION_UNMAPPED": Charge.LOCATION, "SERVICE_UNMAPPED": Charge.SERVICE, "SKU_UNMAPPED": Charge.SKU}
_ADVICE = {
    Charge.LOCATION: "Add a row to locations.csv: an account and warehouse, or ignore = yes.",
    Charge.SERVICE: "Add a row to services.csv, or a catch-all.",
    Charge.SKU: "Add a row to skus.csv, or create the product in the warehouse.",
}


def decide_mapping(past: PastOrder, ground: Ground) -> Iterator[Accusation]:
    """Project the order as it was before anything left, and accuse it of each thing that no row answers."""
    order = past.order
    policy = ground.policies[past.shop]
    if not ground.has_rulebook or order.cancelled_at is not None or decide_order_eligibility(order, policy) is not None:
        return
    unsent = reopened(order)
    facts = Facts(
        shop=past.shop,
        order_id=order.id,
        order=unsent,
        goods_outs=(),
        records=Records(first_seen_at=order.created_at),
        read_at=ground.until,
        known_products=ground.known_products,
        unknown_products=ground.unknown_products,
    )
    projection = project(facts, unsent, ground.rules, policy, {})
    seen: set[tuple[Charge, str]] = set()
    for problem in projection.problems:
        charge = _CHARGES.get(problem.finding.code) if problem.finding is not None else None
        if charge is None or problem.finding is None:
            continue
        detail = problem.finding.detail
        subject = str(detail.get("product_code") or detail.get("sku") or detail.get("what") or "no SKU")
        if charge is Charge.LOCATION:
            subject = str(detail.get("location") or subject)
        elif charge is Charge.SERVICE:
            subject = order.shipping_title or "no shipping method"
        if (charge, subject) not in seen:
            seen.add((charge, subject))
            code = problem.finding.code
            yield accuse(
                past, charge, order.totals.current, problem.text, (),
                f"Not released: {code}, owned and due. {_ADVICE[charge]}", subject,
            )  # fmt: skip


def reopened(order: ShopOrder) -> ShopOrder:
    """The order as it would be had nothing left and nothing been told: every share open, with all its units."""
    shares = tuple(
        replace(
            share,
            status=FulfilmentOrderStatus.OPEN,
            lines=tuple(replace(line, remaining=line.total) for line in share.lines),
        )
        for share in order.fulfilment_orders
        if share.status is not FulfilmentOrderStatus.CANCELLED
    )
    return replace(order, fulfilment_orders=shares, fulfilments=())
