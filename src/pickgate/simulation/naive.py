"""A month without Pickgate: an importer that copies each order once, and a known fault at a known order.

The importer is what many shops have: every ten minutes it copies new orders to the warehouse, and it marks an order as
fulfilled, whole, when its goods-out is completed. It never looks at an order again, so an edit after the copy is lost.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from pickgate.clock import VirtualClock
from pickgate.rulebook.tables import Tables
from pickgate.simulation.naive_cast import Cast, Month
from pickgate.simulation.naive_importer import IMPORT_EVERY, NaiveImporter
from pickgate.simulation.world import ACCOUNT, MAIN, NORTH, SHOP, make_world, number

__all__ = ["BEGIN", "DAYS", "Month", "month_tables", "play_month"]

BEGIN = datetime(2026, 10, 20, 6, 0, tzinfo=UTC)
DAYS = 31


def play_month(seed: int = 1, *, orders: int = 160, repeat: int = 1, begin: datetime = BEGIN) -> Month:
    """
    Play a month. The same seed gives the same month.

    Args:
        orders: Ordinary orders; some are edited, cancelled or refunded before they are copied.
        repeat: How often each fault is planted.
        begin: The first day.
    """
    clock, rng = VirtualClock(begin), random.Random(seed)
    world = make_world(clock, rng)
    month = Month(world=world, clock=clock, importer=NaiveImporter(world))
    cast = Cast(month, random.Random(rng.getrandbits(64)))
    seconds = DAYS * 86400.0
    for _ in range(orders):
        world.after(rng.uniform(0, seconds - 600), cast.ordinary)
    for _ in range(repeat):
        for act in cast.faults():
            world.after(rng.uniform(86400.0, seconds - 10 * 86400.0), act)
    for act in cast.oddities():
        world.after(rng.uniform(86400.0, seconds - 10 * 86400.0), act)
    world.after(seconds / 2, cast.shelf_count)
    _run(month, begin + timedelta(days=DAYS))
    return month


def _run(month: Month, end: datetime) -> None:
    world, clock = month.world, month.clock
    next_import = clock.now()
    while True:
        due = min(world.next_due_at() or end, next_import)
        if due >= end:
            clock.move_to(end)
            return
        clock.move_to(due)
        world.tick()
        world.shop.deliveries.take_due(clock.now())
        if clock.now() >= next_import:
            month.importer.run(clock.now())
            next_import += IMPORT_EVERY


def month_tables(month: Month) -> Tables:
    """The rulebook that somebody has begun: no row for the market stall, none for the bicycle."""
    world = month.world
    return Tables(
        locations=(
            (SHOP, number(world.main.id), "", ACCOUNT, MAIN, ""),
            (SHOP, number(world.north.id), "", ACCOUNT, NORTH, ""),
        ),
        services=((SHOP, "Next day*", "", "", "DPD", "ND"), (SHOP, "Standard*", "", "", "DPD", "STD")),
    )
