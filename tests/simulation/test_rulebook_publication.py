"""A row is missing and many orders stop; it is published, and they go on by themselves. Through the operations."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from pickgate.connectors.clarus.catalogue import CodeKind
from pickgate.engine.rules import RulesKeeper
from pickgate.operations.context import OperationContext
from pickgate.operations.errors import Conflict
from pickgate.operations.registry import run_operation
from pickgate.operations.roles import Actor, Role
from pickgate.operations.rulebook_desk import RulebookDesk, WarehouseCodes
from pickgate.rulebook.evaluate import Rulebook
from pickgate.rulebook.tables import SHAPES, Tables
from pickgate.rulebook.workbook import parse_workbook
from pickgate.simulation.world import rulebook_tables
from pickgate.store.memory_rulebooks import MemoryRulebooks
from pickgate.twins.shopify import Order
from simulation.messages import created
from simulation.stage import Stage

COLUMNS = SHAPES["services"].names
NOTHING: Any = None  # ports that no operation on the rulebook uses


class Office:
    """Somebody of the e-commerce team at the desk of a simulated installation."""

    def __init__(self, stage: Stage) -> None:
        self.stage, simulation = stage, stage.simulation
        self.books = MemoryRulebooks(simulation.store)
        catalogue: Any = simulation.looker.warehouse.catalogue  # type: ignore[attr-defined]  # the real connector
        self.keeper = RulesKeeper(
            versions=self.books,
            build=lambda number, tables: Rulebook(number, Tables.from_json(tables)),
            current=Rulebook.empty(),
        )
        self.context = OperationContext(
            actor=Actor(name="Ezra", role=Role.ECOMMERCE),
            reads=NOTHING,
            actions=NOTHING,
            wake=NOTHING,
            replay=NOTHING,
            audit=NOTHING,
            clock=stage.clock,
            rulebooks=RulebookDesk(
                versions=self.books,
                orders=self.books,
                codes=WarehouseCodes(
                    accounts=lambda: catalogue.find_codes(CodeKind.ACCOUNT),
                    warehouses=lambda: catalogue.find_codes(CodeKind.WAREHOUSE),
                    services=catalogue.find_services,
                    products=catalogue.find_products,
                ),
                policies=simulation.looker.policies,
            ),
        )

    async def ask(self, operation: str, **values: Any) -> Any:
        answer = await run_operation(self.context, operation, values)
        await self.keeper.refresh()
        self.stage.simulation.rules = self.keeper.current  # type: ignore[assignment]  # what each process does by itself
        return answer

    async def begin(self, tables: Tables) -> None:
        """Publish the first version."""
        number = await self.books.save(tables.to_json(), note="first", by="Ezra", now=self.stage.now)
        await self.ask("publish_rulebook", number=number, reason="First version")


def north_only(stage: Stage) -> tuple[Tables, list[dict[str, str]]]:
    """The world's tables without the main warehouse's row; and all rows of its locations."""
    whole = rulebook_tables(stage.world)
    return replace(whole, locations=whole.locations[1:]), whole.records("locations")


async def test_fifty_orders_that_a_missing_row_stopped_go_on_when_it_is_published() -> None:
    stage = Stage()
    office = Office(stage)
    tables, locations = north_only(stage)
    await office.begin(tables)
    stage.add_product("NORTHERN", location=stage.world.north)
    fine = stage.order({"NORTHERN": 1})
    stopped: list[Order] = [stage.order({"MUG-BLU": 1 + number % 3}) for number in range(50)]
    stage.wait_for_release()
    assert {stage.state(order) for order in stopped} == {"stopped"}
    assert {tuple(stage.exceptions(order)) for order in stopped} == {(("LOCATION_UNMAPPED", "ecommerce"),)}
    assert (stage.state(fine), [stage.received(order) for order in stopped]) == ("in_warehouse", [[]] * 50)
    before = stage.row(fine).epoch

    saved = await office.ask("save_rulebook", tables={"locations": locations}, reason="Main warehouse opened")
    assert (saved.number, saved.summary) == (2, "Saved as draft 2: 1 rows differ from version 1.")
    stage.wait(minutes=1)
    assert {stage.state(order) for order in stopped} == {"stopped"}
    checked = await office.ask("check_rulebook", number=2)
    assert (checked.ok, checked.findings, checked.not_asked) == (True, [], [])
    tried = await office.ask("backtest_rulebook")
    assert (tried.number, tried.against, tried.looked_at, tried.unchanged, tried.moved) == (2, 1, 51, 1, 0)
    assert {item.name for item in tried.changed} == {order.name for order in stopped}
    published = await office.ask("publish_rulebook", number=2, reason="Main warehouse opened", expected=1)
    assert (published.woken, published.before, published.after) == (50, {"version": 1}, {"version": 2})
    assert published.summary == (
        "Version 2 decides from now on, instead of 1. Of the newest 51 orders, 50 come out differently. "
        "50 stopped orders are decided again."
    )
    assert stage.row(fine).epoch == before

    stage.wait(minutes=2)
    for number, order in enumerate(stopped):
        wants = {"MUG-BLU": 1 + number % 3}
        message = created(f"{order.name.removeprefix('#')}-1", wants)
        stage.check(order, wants=wants, received=[message], state="in_warehouse")
        assert stage.ever(order) == ["LOCATION_UNMAPPED"]
    assert len(stage.received(fine)) == 1
    reasons = stage.row(stopped[0]).decision.reasons  # type: ignore[union-attr]
    assert [(reason.text, str(reason.row)) for reason in reasons] == [
        ("Main warehouse → ACME/MAIN", "locations, row 1, version 2"),
        ("Standard → DPD/STD", "services, row 3, version 2"),
    ]
    assert [entry[:3] for entry in office.books.audit[-2:]] == [
        ("save_rulebook", "Ezra", "rulebook 2"),
        ("publish_rulebook", "Ezra", "rulebook 2"),
    ]


async def test_going_back_says_first_what_it_would_take_out_of_the_warehouse() -> None:
    stage = Stage()
    office = Office(stage)
    tables, locations = north_only(stage)
    await office.begin(tables)
    await office.ask("save_rulebook", tables={"locations": locations}, reason="Main warehouse opened")
    await office.ask("publish_rulebook", number=2, reason="Main warehouse opened")
    order = stage.order({"MUG-BLU": 1})
    stage.wait_for_release()
    assert stage.state(order) == "in_warehouse"

    with pytest.raises(Conflict, match="would recall or amend what the warehouse has of 1 orders: #1001") as refused:
        await office.ask("publish_rulebook", number=1, reason="Back again")
    assert refused.value.detail == {"moved": [{"id": 1, "name": "#1001", "goods_outs": ["1001-1"]}]}
    stage.wait(minutes=30)
    assert (stage.state(order), len(stage.received(order))) == ("in_warehouse", 1)
    preview = await office.ask("publish_rulebook", number=1, reason="Back again", move_in_flight=True, dry_run=True)
    assert (preview.changed, preview.woken, await office.books.published_number()) == (False, 0, 2)
    await office.ask("publish_rulebook", number=1, reason="Back again", move_in_flight=True)
    assert await office.books.published_number() == 1


async def test_a_code_that_the_warehouse_does_not_have_is_found_before_any_order_is() -> None:
    stage = Stage()
    office = Office(stage)
    whole = rulebook_tables(stage.world)
    await office.begin(whole)
    services = [*whole.records("services")[:2], dict(zip(COLUMNS, ("", "*", "", "", "DPD", "STDD"), strict=True))]
    skus = [{"shop": "", "sku": "OLD-MUG", "product_code": "MUG-BLUE"}]
    await office.ask("save_rulebook", tables={"services": services, "skus": skus}, reason="Tariffs")
    checked = await office.ask("check_rulebook", number=2)
    assert [(f.severity, f.table, f.row, f.message) for f in checked.findings] == [
        ("error", "skus", 1, "the warehouse does not know MUG-BLUE"),
        ("error", "services", 3, "the warehouse does not know STDD"),
    ]
    with pytest.raises(Conflict, match="Version 2 has 2 errors and is not published"):
        await office.ask("publish_rulebook", number=2, reason="Tariffs", dry_run=True)
    assert await office.books.published_number() == 1


async def test_a_version_goes_out_as_a_workbook_and_comes_back_the_same() -> None:
    office = Office(Stage())
    whole = rulebook_tables(office.stage.world)
    await office.begin(whole)
    exported = await office.ask("export_rulebook", format="xlsx")
    (file,) = exported.files
    assert file.name == "rulebook-1.xlsx"
    assert parse_workbook(base64.b64decode(file.content_base64)) == whole
    saved = await office.ask("save_rulebook", workbook_base64=file.content_base64, reason="Unchanged", dry_run=True)
    assert (saved.number, saved.summary) == (None, "Nothing is saved: 0 rows differ from version 1.")
