"""What a desk may hold besides orders: a published rulebook, a month's money, compared stock."""

from __future__ import annotations

from collections.abc import Mapping

from console.desk import Desk
from contracts.keeping import keep_in_postgres
from flows import money_kit
from pickgate.operations.registry import run_operation
from pickgate.operations.roles import Actor, Role
from pickgate.rulebook.csv_files import parse_files
from pickgate.rulebook.tables import SHAPES
from pickgate.store.operators import OperatorActions
from pickgate.store.rulebooks import RulebookRows
from twins.shopify_kit import Kit

LOCATIONS = "shop,location_id,location_name,account,warehouse,ignore\n,70,,ACME,LEEDS,\n"
SERVICES = "shop,shipping_title,country,warehouse,carrier,service\n,Next Day*,,,DPD,ND\n,,,,DPD,48\n"


async def publish_rulebook(desk: Desk, **tables: str) -> int:
    """Save and publish a version whose tables are CSV texts; the others are empty. Returns its number."""
    texts = {"locations": LOCATIONS, "services": SERVICES} | tables
    bodies: Mapping[str, bytes] = {
        f"{table}.csv": texts.get(table, ",".join(shape.names)).encode() for table, shape in SHAPES.items()
    }
    rows = RulebookRows(desk.store.database)
    now = desk.clock.now()
    number = await rows.save(parse_files(bodies).to_json(), note="to start with", by="test", now=now)
    await rows.publish(number, reason="to start with", by="test", now=now)
    return number


async def keep_money(desk: Desk, orders: int = 2) -> None:
    """Book a few orders of the 2nd and 3rd of the month."""
    async with desk.store.database.session() as session:
        kept = keep_in_postgres(desk.store, OperatorActions(desk.store.database), session.connection)
        books = money_kit.Desk(kept, Kit())
        for number in range(orders):
            await books.settle(books.kit.place(number + 1))
            books.kit.wait(86_400)


async def compare_stock(desk: Desk, **units: int) -> None:
    """Let the warehouse receive units of each product, and compare without publishing."""
    for product, count in units.items():
        desk.world.receive(product, count)
    context = desk.parts.context(Actor(name="test", role=Role.ADMIN))
    await run_operation(context, "publish_stock", {"reason": "test"})
