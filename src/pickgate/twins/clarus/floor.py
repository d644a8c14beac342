"""The tenant's warehouse: what people do with orders on the floor, at the bench and on the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pickgate.twins.clarus import bench, content, despatch, orders, pick_lists, picking, processing
from pickgate.twins.clarus import records as r
from pickgate.twins.clarus.refusals import ImpossibleOnTheFloor
from pickgate.twins.clarus.setup import TenantSetup


class Floor(TenantSetup):
    """The part of ClarusTwin that the simulated people use."""

    def with_status(self, *codes: str) -> list[r.GoodsOut]:
        """The orders in one of the statuses, oldest id first. Rows to read, never to change."""
        self.tick()
        found = [order for code in codes for order in self._tenant.with_status(code).values()]
        return sorted(found, key=lambda order: order.id)

    def ids_with_status(self, *codes: str) -> list[int]:
        """The ids of the orders in one of the statuses, in no order."""
        self.tick()
        return [number for code in codes for number in self._tenant.with_status(code)]

    def find_goods_out(self, goods_out_id: int) -> r.GoodsOut | None:
        """One order. A row to read, never to change."""
        self.tick()
        return self._tenant.goods_outs.get(goods_out_id)

    def find_by_reference(self, reference: str) -> list[r.GoodsOut]:
        """Every order with this reference, oldest first. Rows to read, never to change."""
        self.tick()
        return list(self._tenant.by_reference.get(reference, {}).values())

    def content(self, goods_out_id: int) -> dict[str, Any]:
        """The order as plain values, in the shape that history uses."""
        return content.snapshot(self._tenant, self._order(goods_out_id))

    def process_picks(self, *goods_out_ids: int) -> int | None:
        """Allocate, and make one pick list of the orders. Returns its id. Raises ClarusRefusal."""
        found = [self._order(number) for number in goods_out_ids]
        pick_list = processing.process(self._tenant, found)
        return None if pick_list is None else pick_list.id

    def start_pick(self, goods_out_id: int) -> None:
        """A picker takes the first task of the order."""
        picking.start_pick(self._tenant, self._order(goods_out_id))

    def pick(self, line_id: int, units: float | None = None) -> None:
        """Pick units of a line; None: all that are left."""
        picking.pick(self._tenant, self._line(line_id), units)

    def finish_picking(self, goods_out_id: int) -> None:
        """Pick everything that is left of the order."""
        for line in list(self._order(goods_out_id).lines):
            if line.to_pick:
                picking.pick(self._tenant, line)

    def short(self, line_id: int, *, reason: str = "not found") -> float:
        """Give up on what is not picked of a line. Returns the units."""
        return picking.short(self._tenant, self._line(line_id), reason=reason)

    def put_back(self, goods_out_id: int) -> None:
        """Return the picked units of a cancelled order to the shelf."""
        picking.put_back(self._tenant, self._order(goods_out_id))

    def pack(self, goods_out_id: int) -> None:
        """Pack what is picked."""
        despatch.pack(self._tenant, self._order(goods_out_id))

    def dispatch(
        self,
        *goods_out_ids: int,
        tracking: Sequence[str] | None = None,
        units: Mapping[int, float] | None = None,
    ) -> int:
        """
        Send what is picked of the orders in one shipment. Returns its id.

        Args:
            tracking: One number per package. Empty: no label yet (`label`). None: one made-up number.
            units: Units by line id. None: everything picked and not sent yet.
        """
        found = [self._order(number) for number in goods_out_ids]
        return despatch.dispatch(self._tenant, found, tracking=tracking, units=units).id

    def label(self, shipment_id: int, tracking: Sequence[str]) -> None:
        """Add packages with tracking numbers to a shipment, late or further ones."""
        self.tick()
        despatch.add_packages(self._tenant, self._tenant.shipments[shipment_id], tracking)

    def unconfirm_dispatch(self, goods_out_id: int, units: Mapping[int, float] | None = None) -> None:
        """Take a dispatch back, by line id or all of it: the order is in PICK again."""
        despatch.unconfirm(self._tenant, self._order(goods_out_id), units)

    def cancel_pick_list(self, goods_out_id: int) -> None:
        """Cancel the pick list of this order: every order on it goes back to PENDING."""
        pick_list = self._tenant.pick_lists.get(self._order(goods_out_id).pick_list_id or 0)
        if pick_list is None:
            raise ImpossibleOnTheFloor(f"goods out {goods_out_id} has no pick list")
        pick_lists.undo(self._tenant, pick_list)

    def bench_change(
        self,
        goods_out_id: int,
        *,
        address: Mapping[str, Any] | None = None,
        carrier_id: int | None = None,
        carrier_service_id: int | None = None,
        quantities: Mapping[int, float] | None = None,
    ) -> None:
        """A packer changes address, carrier or units to pack (by line id); the order follows."""
        given = {"carrier_id": carrier_id, "carrier_service_id": carrier_service_id}
        bench.change(
            self._tenant,
            self._order(goods_out_id),
            address=address or {},
            carrier={name: value for name, value in given.items() if value is not None},
            quantities=quantities or {},
        )

    def add_stranger_line(self, goods_out_id: int, code: str, units: float) -> int:
        """Put a product on the order that nobody ordered; in PICK it is picked at once. Returns the line id."""
        order = self._order(goods_out_id)
        product = self._product(code)
        return bench.add_stranger(self._tenant, order, product, float(units), kind="stranger_added").id

    def substitute(self, line_id: int, code: str, units: float) -> int:
        """Take another product for what is left of a line. Returns the new line's id."""
        line = self._line(line_id)
        return bench.substitute(self._tenant, line, self._product(code), float(units)).id

    # --- the screen -----------------------------------------------------------------------------

    def create_by_hand(self, header: Mapping[str, Any], address: Mapping[str, Any]) -> int:
        """Somebody types an order in. Same attributes as REST. Returns its id."""
        self.tick()
        made = orders.create(self._tenant, header, address, by="hand").order.id
        self.tick()
        return made

    def edit_by_hand(
        self,
        goods_out_id: int,
        header: Mapping[str, Any],
        address: Mapping[str, Any] | None = None,
    ) -> None:
        """Somebody edits an order on the screen, in any status before the end. Attributes as REST."""
        order = self._order(goods_out_id)
        if order.status in r.FINAL:
            raise ImpossibleOnTheFloor(f"{order.reference} is {order.status}")
        orders.amend(self._tenant, order, header, address, by="hand")

    def delete_by_hand(self, goods_out_id: int) -> None:
        """Somebody deletes an order on the screen; what was picked goes back to its shelf."""
        bench.delete(self._tenant, self._order(goods_out_id))

    def cancel_by_hand(self, goods_out_id: int) -> None:
        """Somebody cancels an order on the screen: the same rules as over REST."""
        orders.cancel(self._tenant, self._order(goods_out_id))

    def set_status(self, goods_out_id: int, code: str) -> None:
        """Force a status code, known or not (`UPDATED`, say)."""
        order = self._order(goods_out_id)
        self._tenant.set_status(order, code, because="forced")
        self._tenant.on_event("goods_out", "updated", content.renderer(self._tenant, order))

    def _order(self, goods_out_id: int) -> r.GoodsOut:
        self.tick()
        return self._tenant.get_goods_out(goods_out_id)

    def _line(self, line_id: int) -> r.Line:
        self.tick()
        if line_id not in self._tenant.lines:
            raise ImpossibleOnTheFloor(f"no line {line_id}")
        return self._tenant.lines[line_id]
