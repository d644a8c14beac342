"""Laws of what is written on the parcel, and of what people did by hand in the warehouse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pickgate.simulation.docket import SURPLUS, Docket, Violation, breaks
from pickgate.simulation.truth import OrderTruth

Orders = Mapping[str, OrderTruth]
_FAST = ("next day", "express")


def paperwork_is_final(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I1c: what left carries the address and the service that the order had, but for a late change that was said."""
    for goods_out in order.goods_outs:
        if goods_out.by_hand or goods_out.made_by_hand:
            continue
        for at in sorted({at for at, _, units in goods_out.left if units > 0}):
            since = at - (docket.deadline(at, docket.bounds.notice) - at)
            if docket.said(order, SURPLUS, by=at):
                continue
            streets = set(order.street.between(since, at))
            if order.street.at(since) is not None and goods_out.street.at(at) not in streets:
                yield breaks("I1c", order, f"{goods_out.reference} left for the wrong address, not {streets}")
            services = {_service(title) for title in order.shipping.between(since, at)}
            if order.shipping.at(since) is not None and goods_out.service.at(at) not in services:
                yield breaks("I1c", order, f"{goods_out.reference} left by the wrong service, not {services}")


def _service(title: str) -> str:
    """What the simulated rulebook makes of a shipping method."""
    return "ND" if title.casefold().startswith(_FAST) else "STD"


def picked_units_are_put_back(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """I12: when a goods-out is recalled that somebody had picked for, somebody is told to put the units back."""
    for goods_out in order.goods_outs:
        if goods_out.ended_at is None or goods_out.by_hand or goods_out.returned_before_end:
            continue
        in_hand = sum(units for _, _, units in goods_out.picked) - sum(units for _, _, units in goods_out.left)
        due = docket.deadline(goods_out.ended_at, docket.bounds.notice)
        if in_hand > 0 and not docket.said(order, frozenset({"PUT_BACK", "WMS_ORDER_MISSING"}), by=due):
            yield breaks("I12", order, f"{goods_out.reference} was recalled with {in_hand} picked; nobody was told")


def what_people_took_away_stays_away(order: OrderTruth, docket: Docket, orders: Orders) -> Iterable[Violation]:
    """C20: what somebody deleted in the warehouse is not sent again by itself."""
    for older in order.goods_outs:
        if not older.deleted_by_hand or older.ended_at is None:
            continue
        for younger in order.goods_outs:
            if younger.created_at <= older.ended_at or younger.made_by_hand:
                continue
            shared = set(older.contents[-1][1]) & set(younger.contents[0][1])
            edited = any(older.ended_at - docket.bounds.notice <= at <= younger.created_at for at in order.times)
            if shared and not edited and not docket.released_by_person(order, by=younger.created_at):
                yield breaks("C20", order, f"{older.reference} was deleted by hand; {younger.reference} was sent")
