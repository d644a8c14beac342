"""What must be true of published stock, judged by the twins' histories.

The promise of a SKU is what lies on the shelf less what the shop's orders still need from it. S1: a level that Pickgate
sets is never above the promise at the moment when it lands, but for what left the shelf unforeseen since it was read.
S2: at rest a level is the promise, less what goods-outs beyond their orders still take. S3: at rest no goods-out waits
for units that only a level of ours can have sold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pickgate.simulation.docket import Violation
from pickgate.simulation.truth import PICKGATE
from pickgate.simulation.world import World, number
from pickgate.twins.history import HistoryEvent

if TYPE_CHECKING:
    from pickgate.simulation.driver import Simulation

_OPEN = ("PENDING", "ALLOCATED", "PART_ALLOCATED", "PICK", "UPDATED")


def stock_is_true(simulation: Simulation) -> Iterable[Violation]:
    """Judge everything that was published in a run, and how it ended. Nothing where stock is not on."""
    if simulation.stock is None:
        return
    world = simulation.world
    shelves = Shelves(world.site_id, [(number_at - simulation.skew, item) for number_at, item in _reads(simulation)])
    yield from shelves.replay(world.shop.history, world.warehouse.history)
    yield from _at_rest(world, shelves)


def _reads(simulation: Simulation) -> Iterator[tuple[datetime, tuple[str, int]]]:
    """When the snapshot behind each batch was begun: all that is asked of Pickgate's own books."""
    assert simulation.stock is not None
    for row in simulation.stock.rows.batches.values():
        for item in row.batch.items:
            yield row.batch.snapshot_at, (item.item_id, item.quantity)


@dataclass(slots=True)
class _Need:
    """What one order still awaits and has been given by the shop's account, and what was taken for it. By SKU."""

    awaited: Mapping[str, int] = field(default_factory=dict)
    fulfilled: Mapping[str, int] = field(default_factory=dict)
    taken: dict[int, dict[str, int]] = field(default_factory=dict)  # by goods-out

    def owed(self, sku: str) -> int:
        return max(0, self.awaited.get(sku, 0) - self._in_hand(sku))

    def surplus(self, sku: str) -> int:
        """Units that were taken for it and that it awaits no more."""
        return max(0, self._in_hand(sku) - self.awaited.get(sku, 0))

    def _in_hand(self, sku: str) -> int:
        return max(0, sum(units.get(sku, 0) for units in self.taken.values()) - self.fulfilled.get(sku, 0))


class Shelves:
    """The promise of every SKU, event by event. `reads`: (snapshot begun, (item, units set)) of what was sent."""

    def __init__(self, site_id: int, reads: Iterable[tuple[datetime, tuple[str, int]]]) -> None:
        self._site_id = site_id
        self._reads: dict[tuple[str, int], list[datetime]] = defaultdict(list)
        for begun_at, item in reads:
            self._reads[item].append(begun_at)
        self.shelf: dict[str, int] = {}
        self.orders: dict[str, _Need] = defaultdict(_Need)
        self.sets = 0
        self.lost: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
        self.excused: dict[str, int] = defaultdict(int)  # counted away, or put back on sale by an edit after the pick
        self._owed: dict[str, int] = defaultdict(int)
        self._owner: dict[int, str] = {}
        self._sent: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def promise(self, sku: str) -> int:
        """Units on the shelf that no order is owed; below zero when more is sold than there is."""
        return self.shelf.get(sku, 0) - self._owed[sku]

    def replay(self, shop: Iterable[HistoryEvent], warehouse: Iterable[HistoryEvent]) -> Iterator[Violation]:
        """Go through both histories as one, and judge each level when it lands."""
        events = [(event.at, 1, event) for event in shop] + [(event.at, 0, event) for event in warehouse]
        for _, is_shop, event in sorted(events, key=lambda entry: (entry[0], entry[1], entry[2].number)):
            if not is_shop:
                self._hear_warehouse(event)
            elif event.kind != "inventory_set":
                self._hear_shop(event)
            elif event.detail["by"] == PICKGATE:
                yield from self._judge(event)
            else:
                # The shop's people counted as well: nothing that was counted away before excuses anything after.
                self.excused[event.detail["sku"]] = 0

    def _judge(self, event: HistoryEvent) -> Iterator[Violation]:
        self.sets += 1
        sku, level = event.detail["sku"], event.detail["available"]
        begun = [at for at in self._reads[number(event.subject), event.detail["quantity"]] if at <= event.at]
        if not begun:
            yield _breaks("S1", sku, f"set to {level} at {event.at:%H:%M:%S}, and no batch says so")
            return
        since = max(begun)
        lost = sum(units for at, units in self.lost[sku] if at >= since)
        if level > max(0, self.promise(sku) + lost):
            there = f"{self.shelf.get(sku, 0)} on the shelf, {self._owed[sku]} owed, {lost} gone since {since:%H:%M:%S}"
            yield _breaks("S1", sku, f"set to {level} at {event.at:%d %H:%M:%S.%f}; {there}")

    def _hear_shop(self, event: HistoryEvent) -> None:
        if "lines" not in event.detail:
            return
        awaited: dict[str, int] = defaultdict(int)
        fulfilled: dict[str, int] = defaultdict(int)
        for line in event.detail["lines"]:
            awaited[line["sku"]] += line["unfulfilled_quantity"]
            fulfilled[line["sku"]] += line["fulfilled_quantity"]
        need = self.orders[number(event.subject)]
        skus = {*need.awaited, *awaited}
        before = {sku: (need.owed(sku), need.surplus(sku)) for sku in skus}
        need.awaited, need.fulfilled = awaited, fulfilled
        for sku in skus:
            self._owed[sku] += need.owed(sku) - before[sku][0]
            self.excused[sku] += max(0, need.surplus(sku) - before[sku][1])

    def _hear_warehouse(self, event: HistoryEvent) -> None:
        detail, goods_out_id = event.detail, event.detail.get("goods_out_id")
        match event.kind:
            case "stock_changed" if detail["warehouse_id"] == self._site_id:
                self._move(event, detail["product_code"])
            case "goods_out_created":
                self._owner[detail["goods_out_id"]] = str(
                    detail["content"]["attributes"].get("external_system_reference1", "")
                )
            case "goods_out_cancelled" | "goods_out_deleted":
                # What is in its tote comes back some day; what has left has left.
                need = self.orders[self._owner.get(goods_out_id or 0, "")]
                for sku in [*need.taken.get(goods_out_id or 0, ())]:
                    self._take(event, sku, goods_out_id or 0, self._sent[goods_out_id or 0][sku])
                self._owner.pop(goods_out_id or 0, None)

    def _move(self, event: HistoryEvent, sku: str) -> None:
        detail, goods_out_id = event.detail, event.detail["goods_out_id"]
        before = self.promise(sku)
        units = int(detail["units"])
        self.shelf[sku] = int(detail["shelf"])
        if detail["because"] in ("counted_down", "held"):
            self.excused[sku] -= units
        if goods_out_id in self._owner:
            if detail["because"] in ("dispatched", "undispatched"):
                self._sent[goods_out_id][sku] -= units
            else:
                need = self.orders[self._owner[goods_out_id]]
                owed = need.owed(sku)
                taken = need.taken.setdefault(goods_out_id, {})
                taken[sku] = taken.get(sku, 0) - units
                self._owed[sku] += need.owed(sku) - owed
        self._note(event, sku, before)

    def _take(self, event: HistoryEvent, sku: str, goods_out_id: int, units: int) -> None:
        before = self.promise(sku)
        need = self.orders[self._owner[goods_out_id]]
        owed = need.owed(sku)
        need.taken[goods_out_id][sku] = units
        self._owed[sku] += need.owed(sku) - owed
        self._note(event, sku, before)

    def _note(self, event: HistoryEvent, sku: str, before: int) -> None:
        """Only what happens in the warehouse is unforeseen: a sale makes the expected value stale."""
        fallen = before - self.promise(sku)
        if fallen > 0:
            self.lost[sku].append((event.at, fallen))


def _at_rest(world: World, shelves: Shelves) -> Iterator[Violation]:
    inside, waiting = _inside(world, shelves.orders)
    for variant in world.variants:
        sku, level = str(variant.sku), variant.inventory_quantity
        figures = world.warehouse.stock_figures(sku, account_id=world.account_id, warehouse_id=world.site_id)
        unseen = sum(max(0, need.awaited.get(sku, 0) - inside[id_, sku]) for id_, need in shelves.orders.items())
        net = int(figures["available"])
        if max(0, level) != max(0, net - unseen):
            yield _breaks("S2", sku, f"{level} shown at rest; {net} can be sold, {unseen} are sold beyond that")
        oversold, excused = max(0, -level), shelves.excused[sku]
        # What lies there unpromised could be allocated: whoever waits for that waits for something else.
        short = waiting[sku] - max(0, int(figures["received"] - figures["allocated"]))
        if short > oversold + excused:
            yield _breaks("S3", sku, f"{short} ordered without stock; {oversold} oversold, {excused} excused")


def _inside(world: World, orders: Mapping[str, _Need]) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """Units of live goods-outs by order and SKU; and those that their order awaits and nobody can allocate, by SKU."""
    inside: dict[tuple[str, str], int] = defaultdict(int)
    waiting: dict[str, int] = defaultdict(int)
    for goods_out in world.warehouse.with_status(*_OPEN):
        order_id = str(goods_out.attributes.get("external_system_reference1", ""))
        for line in world.warehouse.content(goods_out.id)["lines"]:
            sku, due = line["product_code"], int(line["quantity"] - line["short"])
            inside[order_id, sku] += due - int(line["dispatched"])
            if order_id in orders:
                waiting[sku] += max(0, min(due - int(line["allocated"]), orders[order_id].awaited.get(sku, 0)))
    return inside, waiting


def _breaks(law: str, sku: str, evidence: str) -> Violation:
    return Violation(law=law, order=sku, evidence=evidence)
