"""The story of one order: both twins' events, our looks, and the operators' words, in order of time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pickgate.simulation.driver import Simulation
from pickgate.simulation.world import number

# What nobody needs to read twice in a story.
_LEFT_OUT = {"name", "goods_out_id", "before", "lines_before", "fulfillment_orders", "attributes"}
Entry = tuple[datetime, str]


def story_of(simulation: Simulation, order: str) -> list[str]:
    """Tell the story of an order, by its name or its shop id; one line each. Raises KeyError when there is none.

    Our looks are in it only if the store has kept its journal.
    """
    found = next(
        (o for o in simulation.world.shop.orders.values() if order in (o.name, o.name.lstrip("#"), number(o.id))), None
    )
    if found is None:
        raise KeyError(order)
    order_id = number(found.id)
    entries = [*_shop(simulation, found.id), *_warehouse(simulation, order_id), *_ours(simulation, order_id)]
    return [f"{at:%d %H:%M:%S.%f}"[:-3] + f"  {text}" for at, text in sorted(entries, key=lambda entry: entry[0])]


def _shop(simulation: Simulation, gid: str) -> Iterator[Entry]:
    for event in simulation.world.shop.history.of_subject(gid):
        lines = {number(line["id"])[-6:]: line["current_quantity"] for line in event.detail.get("lines", ())}
        detail = {key: value for key, value in event.detail.items() if key != "lines"}
        yield event.at, f"shop       {event.kind} {_brief(detail)} lines {lines}"


def _warehouse(simulation: Simulation, order_id: str) -> Iterator[Entry]:
    mine: set[int] = set()
    for event in simulation.world.warehouse.history:
        content: dict[str, Any] = event.detail.get("content") or {}
        if event.kind == "goods_out_created" and _owner(content) == order_id:
            mine.add(event.detail["goods_out_id"])
        if event.detail.get("goods_out_id") in mine and event.kind != "stock_changed":
            detail = dict(event.detail)
            for key in ("content", "after"):
                if isinstance(detail.get(key), dict):
                    lines = detail[key]["lines"]
                    detail[key] = {line["product_code"]: int(line["quantity"]) for line in lines}
            yield event.at, f"warehouse  {event.kind} #{event.detail['goods_out_id']} {_brief(detail)}"


def _owner(content: dict[str, Any]) -> str:
    return str(content.get("attributes", {}).get("external_system_reference1", ""))


def _ours(simulation: Simulation, order_id: str) -> Iterator[Entry]:
    for row in simulation.store.orders.values():
        if row.order_id != order_id:
            continue
        for at, kind, detail in row.journal:
            yield at - simulation.skew, f"pickgate   {kind} {_brief(dict(detail))}"
        for item in simulation.store.exceptions.all:
            if item.order == row.row:
                yield item.opened_at - simulation.skew, f"pickgate   opened {item.code}: {item.summary}"
                if item.resolved_at is not None:
                    yield item.resolved_at - simulation.skew, f"pickgate   closed {item.code}: {item.resolution}"
    for word in simulation.operators.words:
        if word.order_id == order_id:
            yield word.at, f"operator   {word.verb}"


def _brief(detail: dict[str, Any]) -> str:
    kept = {key: value for key, value in detail.items() if key not in _LEFT_OUT and value not in (None, "", [], {})}
    return json.dumps(kept, default=str, ensure_ascii=False)[:600]
