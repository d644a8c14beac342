"""The only way out of an unknown outcome: compare what was meant with what a fresh read shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pickgate.domain.commands import AmendGoodsOut, Command, CreateFulfilment, CreateGoodsOut, RecallGoodsOut
from pickgate.domain.despatch import fulfilled_units
from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.shop import ShopOrder
from pickgate.domain.warehouse import GoodsOut, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`state`: "confirmed", "lost" (it took no effect: proven) or "unknown" (look again)."""

    state: str
    note: str
    clarus_id: str | None = None


def decide_probe(
    command: Command,
    *,
    sent_at: datetime,
    now: datetime,
    settle: timedelta,
    order: ShopOrder | Missing | Unreadable,
    goods_outs: tuple[GoodsOut, ...] | Unreadable,
) -> Verdict:
    """Decide what became of an effect. `settle`: how long an accepted creation may stay invisible.

    A read that failed proves nothing.
    """
    match command:
        case CreateGoodsOut() | RecallGoodsOut() | AmendGoodsOut():
            if isinstance(goods_outs, Unreadable):
                return Verdict(state="unknown", note=f"The warehouse cannot be read: {goods_outs.why}")
            return _probe_warehouse(command, goods_outs, sent_at=sent_at, now=now, settle=settle)
        case CreateFulfilment():
            if not isinstance(order, ShopOrder):
                return Verdict(state="unknown", note="The shop's order cannot be read.")
            verdict = _probe_fulfilment(command, order)
            if verdict.state == "lost" and now - sent_at < settle:
                return Verdict(state="unknown", note="The shop does not show it; it may only be slow.")
            return verdict
        case _:
            # Tags, metafields, progress and holds are set to a value: the next look sees whether they are there, and
            # setting them again changes nothing.
            return Verdict(state="lost", note="Repeatable: the next look sees whether it is there.")


def _probe_warehouse(
    command: CreateGoodsOut | RecallGoodsOut | AmendGoodsOut,
    goods_outs: tuple[GoodsOut, ...],
    *,
    sent_at: datetime,
    now: datetime,
    settle: timedelta,
) -> Verdict:
    reference, _, twin_id = command.reference.partition("@")
    found = [g for g in goods_outs if g.reference == reference and (not twin_id or g.id == twin_id)]
    match command:
        case CreateGoodsOut():
            if found:
                oldest = min(found, key=lambda g: (len(g.id), g.id))
                return Verdict(state="confirmed", note="The warehouse has it.", clarus_id=oldest.id)
            if now - sent_at < settle:
                return Verdict(state="unknown", note="The warehouse does not show it; it may only be slow.")
            return Verdict(state="lost", note="The warehouse does not have it.")
        case RecallGoodsOut():
            own = [g for g in found if g.id == command.clarus_id] or found
            if not own or all(g.stage is Stage.CANCELLED for g in own):
                return Verdict(state="confirmed", note="The warehouse shows it cancelled or gone.")
            return Verdict(state="lost", note="The warehouse still holds it.")
        case AmendGoodsOut():
            own = [g for g in found if g.id == command.clarus_id]
            if not own:
                return Verdict(state="lost", note="The warehouse does not show it any more.")
            held = {n.product_code: n.ordered for n in own[0].lines if n.ordered}
            wanted, before = command.content.units_by_product(), command.previous.units_by_product()
            if held == wanted and wanted != before:
                return Verdict(state="confirmed", note="The warehouse holds the new lines.")
            # An address, service or note cannot be read back: amending to the same values again changes nothing.
            return Verdict(state="lost", note="The warehouse does not show the change.")


def _probe_fulfilment(command: CreateFulfilment, order: ShopOrder) -> Verdict:
    now_sent, before = fulfilled_units(order), dict(command.fulfilled_before)
    meant: dict[str, int] = {}
    for line in command.lines:
        meant[line.line_id] = meant.get(line.line_id, 0) + line.units
    if command.tracking_numbers:
        numbers = set(command.tracking_numbers)
        if any(numbers <= set(f.tracking_numbers) for f in order.fulfilments if not f.cancelled):
            return Verdict(state="confirmed", note="The shop has a fulfilment with these tracking numbers.")
    if all(now_sent.get(line, 0) == before.get(line, 0) + units for line, units in meant.items()):
        return Verdict(state="confirmed", note="The shop counts exactly these units as sent.")
    if all(now_sent.get(line, 0) == before.get(line, 0) for line in meant):
        return Verdict(state="lost", note="The shop has not counted them.")
    return Verdict(
        state="unknown", note="The shop counts other units as sent than before or after: somebody else acted."
    )
