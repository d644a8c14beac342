"""What may happen in one order's life, as stories that people and apps act out. Times are fractions of the edit window.

The warehouse side plays itself: pickers work on whatever they are given. A story only needs to begin.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pickgate.twins.shopify import LineSpec, Order, ShippingSpec

if TYPE_CHECKING:
    from pickgate.simulation.world import World

Story = Callable[["World", random.Random], None]


def _place(world: World, rng: random.Random, *, lines: int | None = None, **more: object) -> Order:
    count = lines or rng.choice((1, 1, 2, 2, 3))
    chosen = rng.sample(world.variants, count)
    specs = [LineSpec(variant=variant, quantity=rng.choice((1, 1, 1, 2, 3))) for variant in chosen]
    shipping = rng.choice((ShippingSpec(title="Standard"), ShippingSpec(title="Next day delivery", price="5.95")))
    values: dict[str, object] = {"shipping": shipping, "financial_status": "PAID", **more}
    return world.buy(specs, **values)


def _window(world: World) -> float:
    return world.timing.edit_window


def _in_window(world: World, rng: random.Random) -> float:
    return rng.uniform(0.02, 0.95) * _window(world)


def _after_release(world: World, rng: random.Random) -> float:
    """Between the release and a while after: before, during or after picking, as chance has it."""
    return _window(world) * rng.uniform(1.04, 2.4)


def _live_line(order: Order, rng: random.Random) -> str | None:
    live = [line.id for line in order.line_items if line.current_quantity > line.fulfilled]
    return rng.choice(live) if live else None


def plain(world: World, rng: random.Random) -> None:
    """Nothing happens: the order is released, picked and sent."""
    _place(world, rng)


def edit_in_window(world: World, rng: random.Random) -> None:
    """The customer adds, removes, swaps or changes a quantity while they may, and pays at once."""
    order = _place(world, rng)
    for _ in range(rng.choice((1, 1, 2, 3))):
        world.after(_in_window(world, rng), lambda: _customer_edit(world, rng, order, pay_now=True))


def _customer_edit(world: World, rng: random.Random, order: Order, *, pay_now: bool) -> None:
    line_id = _live_line(order, rng)
    kind = rng.choice(("add", "quantity", "swap", "remove"))
    variant = rng.choice(world.variants)
    if kind == "add" or line_id is None:
        spec = LineSpec(variant=variant, quantity=rng.choice((1, 2)))
        world.editing.edit(order, add_lines=[spec], pay_now=pay_now)
    elif kind == "swap":
        world.editing.swap(order, line_id, variant, pay_now=pay_now)
    else:
        wanted = 0 if kind == "remove" else rng.choice((1, 2, 3, 4))
        world.editing.edit(order, set_quantities={line_id: wanted}, pay_now=pay_now)


def unpaid_edit(world: World, rng: random.Random) -> None:
    """An addition that is not paid: reversed after the deadline, or paid late."""
    order = _place(world, rng)
    spec = LineSpec(variant=rng.choice(world.variants), quantity=1)
    world.after(_in_window(world, rng), lambda: world.editing.edit(order, add_lines=[spec]))
    if rng.random() < 0.3:
        world.after(_window(world) * rng.uniform(0.96, 1.3), lambda: world.editing.pay_invoice(order))


def address_in_window(world: World, rng: random.Random) -> None:
    order = _place(world, rng)
    street = f"{rng.randint(1, 99)} New Road"
    world.after(_in_window(world, rng), lambda: world.editing.change_address(order, address1=street))


def authorised(world: World, rng: random.Random) -> None:
    """Payment is captured when the window closes, as most shops with the editing app have it."""
    order = _place(world, rng, financial_status="AUTHORIZED")
    if rng.random() < 0.4:
        world.after(_in_window(world, rng), lambda: _customer_edit(world, rng, order, pay_now=True))


def staff_edit(world: World, rng: random.Random) -> None:
    """Somebody edits in the admin after the release: before, while or after it is picked."""
    order = _place(world, rng)
    world.after(_after_release(world, rng), lambda: _staff_edit(world, rng, order))


def _staff_edit(world: World, rng: random.Random, order: Order) -> None:
    line_id = _live_line(order, rng)
    kind = rng.choice(("add", "quantity", "remove"))
    if kind == "add" or line_id is None:
        spec = LineSpec(variant=rng.choice(world.variants), quantity=1)
        world.shop.edit_order(order, add_lines=[spec], staff="Sam")
        world.shop.pay_outstanding(order)
    else:
        wanted = 0 if kind == "remove" else rng.choice((1, 2, 3))
        world.shop.edit_order(order, set_quantities={line_id: wanted}, staff="Sam")
        if rng.random() < 0.8:
            world.shop.pay_outstanding(order)
    world.editing.note_staff_edit(order)


def staff_address(world: World, rng: random.Random) -> None:
    order = _place(world, rng)
    street = f"{rng.randint(1, 99)} Late Lane"
    world.after(_after_release(world, rng), lambda: world.shop.update_address(order, address1=street))


def upgrade(world: World, rng: random.Random) -> None:
    """A dearer shipping method, inside the window or after it."""
    order = _place(world, rng)
    spec = ShippingSpec(title="Express courier", price="9.95")
    when = _in_window(world, rng) if rng.random() < 0.7 else _after_release(world, rng)

    def act() -> None:
        world.shop.edit_order(order, change_shipping=spec, app=world.editing.app)
        world.shop.pay_outstanding(order)

    world.after(when, act)


def cancelled(world: World, rng: random.Random) -> None:
    """Cancelled at some moment between the checkout and the doorstep."""
    order = _place(world, rng)
    when = _in_window(world, rng) if rng.random() < 0.3 else _after_release(world, rng)
    world.after(when, lambda: world.shop.cancel_order(order, reason="CUSTOMER"))


def cancellation_asked(world: World, rng: random.Random) -> None:
    order = _place(world, rng)
    asked = _in_window(world, rng)
    world.after(asked, lambda: world.editing.request_cancellation(order))
    answer = asked + _window(world) * rng.uniform(0.3, 1.5)
    if rng.random() < 0.5:
        world.after(answer, lambda: world.shop.cancel_order(order))
    else:
        world.after(answer, lambda: world.editing.decline_cancellation(order))


def refunded(world: World, rng: random.Random) -> None:
    """A refund of units that have not left: an edit by another name."""
    order = _place(world, rng, lines=2)

    def act() -> None:
        line_id = _live_line(order, rng)
        if line_id is not None:
            world.shop.refund(order, {line_id: (1, "CANCEL")})

    world.after(_in_window(world, rng) if rng.random() < 0.5 else _after_release(world, rng), act)


def held(world: World, rng: random.Random) -> None:
    """Another app holds the fulfilment order for a while, past the window."""
    order = _place(world, rng)
    app = world.merger.app

    def hold() -> None:
        for fo in order.fulfillment_orders:
            if fo.status == "OPEN":
                world.shop.hold(fo, app=app, reason="HIGH_RISK_OF_FRAUD", handle="review")

    def release() -> None:
        for fo in order.fulfillment_orders:
            if fo.status == "ON_HOLD":
                world.shop.release_hold(fo, app=app)

    world.after(_in_window(world, rng), hold)
    world.after(_window(world) * rng.uniform(1.1, 2.0), release)


def recreated(world: World, rng: random.Random) -> None:
    """Edited by an app that cancels the order and makes another, once or twice."""
    order = _place(world, rng)
    when = _in_window(world, rng) if rng.random() < 0.5 else _after_release(world, rng)

    def act() -> None:
        if order.cancelled_at is None:
            world.recreating.recreate(order, [_any_line(world, rng), *_same_lines(order)][: rng.choice((1, 2, 3))])

    world.after(when, act)


def merged(world: World, rng: random.Random) -> None:
    """Two orders of one customer become one."""
    first = _place(world, rng)
    second = _place(world, rng, customer=first.customer)

    def act() -> None:
        if first.cancelled_at is None and second.cancelled_at is None:
            world.merger.merge([first, second])

    world.after(_in_window(world, rng) if rng.random() < 0.6 else _after_release(world, rng), act)


def _same_lines(order: Order) -> list[LineSpec]:
    return [
        LineSpec(variant=line.variant, quantity=line.current_quantity)
        for line in order.line_items
        if line.current_quantity and line.variant is not None
    ]


def _any_line(world: World, rng: random.Random) -> LineSpec:
    return LineSpec(variant=rng.choice(world.variants), quantity=1)


def routed_anew(world: World, rng: random.Random) -> None:
    """The merchant moves the fulfilment order to the other warehouse, or splits it."""
    order = _place(world, rng, lines=2)

    def act() -> None:
        live = [fo for fo in order.fulfillment_orders if fo.status in ("OPEN", "IN_PROGRESS")]
        if not live:
            return
        fo = rng.choice(live)
        if rng.random() < 0.5:
            world.shop.move_fulfillment_order(fo, world.north)
        elif len(fo.line_items) > 1:
            part = fo.line_items[0]
            world.shop.split_fulfillment_order(fo, [(part, part.remaining_quantity)])

    world.after(_in_window(world, rng) if rng.random() < 0.4 else _after_release(world, rng), act)


def two_places(world: World, rng: random.Random) -> None:
    """Lines that leave from two warehouses."""
    first, second = rng.sample(world.variants, 2)
    order = world.shop.create_order(
        [
            LineSpec(variant=first, quantity=rng.choice((1, 2)), location=world.main),
            LineSpec(variant=second, quantity=1, location=world.north),
        ],
        financial_status="PAID",
    )
    if rng.random() < 0.4:
        world.after(_after_release(world, rng), lambda: _staff_edit(world, rng, order))


def noted(world: World, rng: random.Random) -> None:
    """A gift message, changed once."""
    order = _place(world, rng, note="Leave with the porter", attributes={"Gift message": "Happy birthday"})
    when = _in_window(world, rng) if rng.random() < 0.6 else _after_release(world, rng)
    world.after(when, lambda: world.shop.update_note(order, note="Ring twice"))


def meddled(world: World, rng: random.Random) -> None:
    """Somebody changes the order in the warehouse by hand: lines, cancellation, deletion, pick list, status."""
    order = _place(world, rng)

    def act() -> None:
        name = order.name.lstrip("#")
        for goods_out in world.warehouse.find_by_reference(f"{name}-1"):
            kind = rng.choice(("cancel", "delete", "pick_list", "quantity", "status"))
            if kind == "cancel":
                world.warehouse.cancel_by_hand(goods_out.id)
            elif kind == "delete":
                world.warehouse.delete_by_hand(goods_out.id)
            elif kind == "pick_list":
                world.warehouse.cancel_pick_list(goods_out.id)
            elif kind == "status":
                world.warehouse.set_status(goods_out.id, "UPDATED")
            else:
                line = goods_out.lines[0]
                changes = [{"type": "UPDATE", "id": line.id, "attributes": {"order_quantity": line.order_quantity + 1}}]
                world.warehouse.edit_by_hand(goods_out.id, {"lines_changes": changes})

    world.after(_after_release(world, rng), act)


def tagged_hold(world: World, rng: random.Random) -> None:
    """Somebody tags the order HOLD, past the window, and takes the tag off again."""
    order = _place(world, rng)
    world.after(_in_window(world, rng), lambda: world.shop.add_tags(order, ["HOLD"]))
    world.after(_window(world) * rng.uniform(1.1, 2.0), lambda: world.shop.remove_tags(order, ["HOLD"]))


def owed(world: World, rng: random.Random) -> None:
    """Staff add something inside the window and let the customer pay later, or never: no app takes it back."""
    order = _place(world, rng)
    spec = LineSpec(variant=rng.choice(world.variants), quantity=1)
    world.after(_in_window(world, rng), lambda: world.shop.edit_order(order, add_lines=[spec], staff="Sam"))
    if rng.random() < 0.8:
        world.after(_window(world) * rng.uniform(1.1, 2.0), lambda: world.shop.pay_outstanding(order))


def tags_overwritten(world: World, rng: random.Random) -> None:
    """Another app writes the order's tags as it once read them, over whatever is there."""
    order = _place(world, rng)
    when = _after_release(world, rng)
    world.after(when, lambda: world.shop.set_tags(order, ["vip"], app=world.merger.app))


def fulfilled_by_hand(world: World, rng: random.Random) -> None:
    """Somebody tells the shop that all of it has left, before the warehouse has sent it, or after."""
    order = _place(world, rng)

    def act() -> None:
        ready = [fo for fo in order.fulfillment_orders if fo.status in ("OPEN", "IN_PROGRESS")]
        if ready and order.cancelled_at is None:
            world.shop.create_fulfillment([(ready[0].id, ())], tracking={"number": "HAND1"})

    world.after(_after_release(world, rng), act)


def many_lines(world: World, rng: random.Random) -> None:
    """An order that no single page holds, edited once."""
    specs = [LineSpec(variant=rng.choice(world.variants), quantity=1) for _ in range(rng.choice((60, 120)))]
    order = world.shop.create_order(specs, financial_status="PAID")
    world.after(_in_window(world, rng), lambda: _customer_edit(world, rng, order, pay_now=True))


def not_shipped(world: World, rng: random.Random) -> None:
    """Test orders, the till, collection: never the warehouse's business."""
    kind = rng.choice(("test", "PICK_UP", "RETAIL"))
    if kind == "test":
        _place(world, rng, test=True)
    else:
        _place(world, rng, delivery_method=kind)


STORIES: Mapping[str, tuple[Story, float]] = {
    "plain": (plain, 30),
    "edit_in_window": (edit_in_window, 12),
    "unpaid_edit": (unpaid_edit, 6),
    "address_in_window": (address_in_window, 4),
    "authorised": (authorised, 5),
    "staff_edit": (staff_edit, 12),
    "staff_address": (staff_address, 4),
    "upgrade": (upgrade, 4),
    "cancelled": (cancelled, 8),
    "cancellation_asked": (cancellation_asked, 3),
    "refunded": (refunded, 4),
    "held": (held, 3),
    "recreated": (recreated, 5),
    "merged": (merged, 2),
    "routed_anew": (routed_anew, 4),
    "two_places": (two_places, 4),
    "noted": (noted, 3),
    "meddled": (meddled, 3),
    "tagged_hold": (tagged_hold, 2),
    "owed": (owed, 2),
    "tags_overwritten": (tags_overwritten, 2),
    "fulfilled_by_hand": (fulfilled_by_hand, 2),
    "many_lines": (many_lines, 0.3),
    "not_shipped": (not_shipped, 2),
}
