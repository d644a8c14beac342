"""What truly happened on a stage, by the twins' histories alone; and what became of everything acknowledged."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from pickgate.proofs.stage import Stage
from pickgate.simulation.world import number
from pickgate.store.witness import StoredWebhook
from pickgate.twins.history import HistoryEvent
from pickgate.twins.shopify import Order


def created_by_order(stage: Stage) -> Counter[str]:
    """Goods-outs that were created, by the shop's order number."""
    made: Counter[str] = Counter()
    for event in stage.world.warehouse.history.of_kind("goods_out_created"):
        made[str(event.detail["content"]["attributes"].get("external_system_reference1"))] += 1
    return made


def find_doubled(stage: Stage) -> list[str]:
    """Every effect that happened twice: a goods-out by reference or by fulfilment order, a despatch told again."""
    problems: list[str] = []
    live: dict[str, set[int]] = defaultdict(set)
    of: dict[int, str] = {}
    references: Counter[str] = Counter()
    for event in stage.world.warehouse.history:
        goods_out = int(event.detail.get("goods_out_id") or 0)
        if event.kind == "goods_out_created":
            attributes = event.detail["content"]["attributes"]
            place = of[goods_out] = str(attributes.get("external_system_reference2"))
            references[event.detail["reference"]] += 1
            live[place].add(goods_out)
            if len(live[place]) > 1:
                problems.append(f"{event.detail['reference']}: {len(live[place])} live goods-outs for {place}")
        elif goods_out in of and _is_over(event):
            live[of[goods_out]].discard(goods_out)
    problems += [f"{name} was created {count} times" for name, count in references.items() if count > 1]
    return problems + _told_too_often(stage)


def _is_over(event: HistoryEvent) -> bool:
    """Whether nothing more will be picked for this goods-out: it was recalled, or it has left."""
    if event.kind in ("goods_out_deleted", "goods_out_cancelled"):
        return True
    return event.kind == "status_changed" and event.detail["after"] == "COMPLETED"


def _told_too_often(stage: Stage) -> list[str]:
    left: Counter[str] = Counter()
    lines: dict[tuple[int, int], str] = {}
    for event in stage.world.warehouse.history:
        detail = event.detail
        content = detail.get("content") or detail.get("after")
        if event.kind in ("goods_out_created", "goods_out_amended") and isinstance(content, dict):
            for line in content["lines"]:
                shop_line = str(line["attributes"].get("external_system_reference1"))
                lines[detail["goods_out_id"], line["line_id"]] = shop_line
        elif event.kind == "dispatched":
            for entry in detail["lines"]:
                left[lines.get((detail["goods_out_id"], entry["line_id"]), "?")] += int(entry["units"])
    told: Counter[str] = Counter()
    for event in stage.world.shop.history.of_kind("fulfillment_created"):
        for line, units in event.detail["fulfilled"]:
            told[number(line)] += int(units)
    return [f"line {line}: {told[line]} told, {left[line]} left" for line in told if told[line] > left[line]]


def find_lost(stage: Stage, stored: Sequence[StoredWebhook]) -> list[str]:
    """Every acknowledged webhook that is not in the inbox, or that nobody has read."""
    by_id = {row.webhook_id: row for row in stored if row.source == "shopify"}
    by_digest = {row.event_id.partition("@")[0]: row for row in stored if row.source == "clarus"}
    problems = [f"webhook {one} was acknowledged and is gone" for one in stage.acknowledged - by_id.keys()]
    problems += [f"hint {one} was acknowledged and is gone" for one in stage.acknowledged_hints - by_digest.keys()]
    problems += [f"{row.source} {row.topic} {row.webhook_id} was never read" for row in stored if row.verdict is None]
    return problems


def is_done(order: Order) -> bool:
    """Whether every unit that the customer still wants has been told to be on its way; or it was cancelled."""
    if order.cancelled_at is not None:
        return True
    return all(line.fulfilled >= line.current_quantity for line in order.line_items)


def unfinished(orders: Iterable[Order]) -> list[str]:
    """The names of the orders that are not done."""
    return [order.name for order in orders if not is_done(order)]
