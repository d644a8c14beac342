from __future__ import annotations

import pytest

from pickgate.twins.clarus import ClarusRefusal, ImpossibleOnTheFloor
from twins.clarus_kit import JAM, MUG, TEA, WAREHOUSE, Kit, add, symbols

PROCESS = "/api/goods_out_processes/process_picks_async"
CONSOLIDATE = "/api/goods_out_processes/process_and_consolidate_picks"
SHORT = "/api/goods_out_processes/short_order_lines"
REQUESTS = "{ pick_processing_requests { all { edges { node { status process_reference message } } } } }"


def requests(kit: Kit) -> list[tuple[str, str]]:
    edges = kit.read(REQUESTS)["pick_processing_requests"]["all"]["edges"]
    return [(edge["node"]["status"], edge["node"]["process_reference"]) for edge in edges]


def test_processing_allocates_and_makes_a_pick_list_with_tasks() -> None:
    kit = Kit()
    number = kit.order((TEA, 2), (MUG, 1))
    assert kit.twin.process_picks(number) == 701
    assert (kit.status(number), kit.quantities(number)) == ("ALLOCATED", [(2, 2, 0, 0), (1, 1, 0, 0)])
    assert kit.kinds(number) == ["goods_out_created", "status_changed", "allocated"]
    assert kit.twin.history.of_kind("allocated")[0].detail["lines"] == [
        {"line_id": 60781, "product_code": "TEA", "units": 2.0},
        {"line_id": 60782, "product_code": "MUG", "units": 1.0},
    ]
    tasks = '{ tasks { all(filter: {goods_out_id: {eq: "3301"}}) { edges { node { status start_quantity } } } } }'
    assert [edge["node"] for edge in kit.read(tasks)["tasks"]["all"]["edges"]] == [
        {"status": "AVAILABLE", "start_quantity": 2.0},
        {"status": "AVAILABLE", "start_quantity": 1.0},
    ]


def test_too_little_stock_allocates_in_part_and_the_rest_later() -> None:
    kit = Kit()
    number = kit.order((TEA, 12))
    kit.twin.process_picks(number)
    assert (kit.status(number), kit.quantities(number)) == ("PART_ALLOCATED", [(12, 10, 0, 0)])
    kit.stock("TEA", 15)
    kit.twin.process_picks(number)
    assert (kit.status(number), kit.quantities(number)) == ("ALLOCATED", [(12, 12, 0, 0)])


def test_no_stock_at_all_is_refused_and_leaves_the_order_pending() -> None:
    kit = Kit()
    number = kit.order((JAM, 1))
    with pytest.raises(ClarusRefusal) as refused:
        kit.twin.process_picks(number)
    assert (refused.value.symbol, refused.value.errors[0]["code"]) == ("not_enough_stocks_for_picking", 39)
    assert (kit.status(number), kit.kinds(number)) == ("PENDING", ["goods_out_created"])


def test_order_without_a_warehouse_takes_the_one_that_has_most_of_it() -> None:
    kit = Kit()
    second = kit.twin.add_warehouse("WH2")
    kit.twin.link(1, second)
    kit.twin.set_stock("JAM", 5, account_id=1, warehouse_id=second)
    number = kit.order((JAM, 1), warehouse_id="-")
    kit.twin.process_picks(number)
    assert kit.twin.content(number)["warehouse"] == "WH2"


def test_async_processing_runs_after_the_delay_and_tells_its_progress() -> None:
    kit = Kit(process_delay_seconds=30)
    good, bad = kit.order((TEA, 1)), kit.order((JAM, 1))
    response = kit.call("POST", PROCESS, {"ids": [good, bad]})
    assert (response.status, response.json()) == (200, {"process_references": ["PPR-006001", "PPR-006002"]})
    assert (kit.status(good), requests(kit)) == ("PENDING", [("pending", "PPR-006001"), ("pending", "PPR-006002")])
    due = kit.twin.next_due_at()
    kit.clock.advance(30)
    assert due == kit.clock.now()
    kit.twin.tick()
    assert (kit.status(good), kit.status(bad)) == ("ALLOCATED", "PENDING")
    assert requests(kit) == [("completed", "PPR-006001"), ("failed", "PPR-006002")]


@pytest.mark.parametrize(("path", "lists"), [(PROCESS, 2), (CONSOLIDATE, 1)])
def test_consolidated_orders_share_a_pick_list(path: str, lists: int) -> None:
    kit = Kit()
    numbers = [kit.order((TEA, 1)), kit.order((MUG, 1))]
    assert kit.call("POST", path, {"ids": numbers}).status == 200
    found = {order.pick_list_id for order in kit.twin.with_status("ALLOCATED")}
    assert len(found) == lists


@pytest.mark.parametrize(
    ("ids", "symbol", "code"),
    [([], "empty_ids_provided", 36), ([9], "invalid_ids_provided", 37), ([3301], "goods_out_already_allocated", 59)],
)
def test_processing_refusals_have_the_documented_codes(ids: list[int], symbol: str, code: int) -> None:
    kit = Kit()
    kit.twin.process_picks(kit.order((TEA, 1)))
    response = kit.call("POST", PROCESS, {"ids": ids})
    error = response.json()["errors"][0]
    assert (response.status, error["symbol"], error["code"]) == (422, symbol, code)


def test_order_may_be_processed_by_itself_after_a_while() -> None:
    kit = Kit(process_after_create_seconds=60)
    number = kit.order((TEA, 1))
    draft = kit.order((TEA, 1), goods_out_status_id=1)
    kit.clock.advance(59)
    assert kit.status(number) == "PENDING"
    kit.clock.advance(11)
    assert (kit.status(number), kit.status(draft)) == ("ALLOCATED", "DRAFT")
    assert kit.twin.history.of_kind("allocated")[0].at.second == 0


@pytest.mark.parametrize(("rule", "after_start"), [("first_task_started", "PICK"), ("first_unit_picked", "ALLOCATED")])
def test_when_picking_begins_is_a_knob(rule: str, after_start: str) -> None:
    kit = Kit(pick_begins_at=rule)
    number = kit.order((TEA, 2))
    kit.twin.process_picks(number)
    kit.twin.start_pick(number)
    assert kit.status(number) == after_start
    kit.twin.pick(60781, 1)
    assert kit.status(number) == "PICK"


def test_picks_are_recorded_per_line_and_product() -> None:
    kit = Kit()
    number = kit.order((TEA, 2), (MUG, 1))
    kit.twin.process_picks(number)
    kit.twin.pick(60781, 1)
    kit.twin.finish_picking(number)
    picks = [
        (event.detail["line_id"], event.detail["product_code"], event.detail["units"])
        for event in kit.twin.history.of_kind("line_picked")
    ]
    assert picks == [(60781, "TEA", 1.0), (60781, "TEA", 1.0), (60782, "MUG", 1.0)]
    assert kit.kinds(number).count("picking_finished") == 1


@pytest.mark.parametrize("units", [0, -1, 3])
def test_nobody_picks_more_than_is_allocated(units: float) -> None:
    kit = Kit()
    number = kit.order((TEA, 2))
    kit.twin.process_picks(number)
    with pytest.raises(ImpossibleOnTheFloor):
        kit.twin.pick(60781, units)
    assert kit.quantities(number) == [(2, 2, 0, 0)]


def test_empty_shelf_cannot_be_picked_from_although_allocated() -> None:
    kit = Kit()
    number = kit.order((TEA, 2))
    kit.twin.process_picks(number)
    kit.stock("TEA", 1)
    with pytest.raises(ImpossibleOnTheFloor):
        kit.twin.pick(60781)
    assert kit.quantities(number) == [(2, 2, 0, 0)]


def test_dispatch_completes_the_order_with_shipment_and_tracking() -> None:
    kit = Kit()
    number = kit.picked_order((TEA, 2))
    kit.twin.pack(number)
    shipment = kit.twin.dispatch(number, tracking=["T1", "T2"])
    assert (kit.status(number), kit.quantities(number)) == ("COMPLETED", [(2, 2, 2, 2)])
    order = kit.twin.find_goods_out(number)
    assert order is not None and order.actual_date_of_dispatch == kit.clock.now()
    assert kit.figures("TEA") == {"available": 8, "allocated": 0, "ordered": 0, "received": 8, "picked": 0}
    events = {event.kind: event.detail for event in kit.twin.history.of_subject(f"goods_outs/{number}")}
    assert events["dispatched"]["lines"] == [{"line_id": 60781, "product_code": "TEA", "units": 2.0}]
    assert (events["dispatched"]["complete"], events["shipment_submitted"]["tracking"]) == (True, ["T1", "T2"])
    data = kit.read(
        """query($s: ShipmentFilterType, $p: PackageFilterType) {
          shipments { all(filter: $s) { edges { node { id status packages_count } } } }
          packages { all(filter: $p) { edges { node { tracking_number shipment { id } } } } } }""",
        s={"goods_out_id": {"eq": str(number)}},
        p={"shipment_id": {"in": [str(shipment)]}},
    )
    assert data["shipments"]["all"]["edges"] == [{"node": {"id": "1530", "status": "dispatched", "packages_count": 2}}]
    assert [edge["node"] for edge in data["packages"]["all"]["edges"]] == [
        {"tracking_number": "T1", "shipment": {"id": "1530"}},
        {"tracking_number": "T2", "shipment": {"id": "1530"}},
    ]


def test_part_dispatch_stays_in_pick_until_the_rest_has_gone() -> None:
    kit = Kit()
    number = kit.picked_order((TEA, 2), (MUG, 1))
    kit.twin.dispatch(number, units={60781: 1})
    assert (kit.status(number), kit.quantities(number)) == ("PICK", [(2, 2, 2, 1), (1, 1, 1, 0)])
    kit.twin.dispatch(number)
    assert (kit.status(number), kit.quantities(number)) == ("COMPLETED", [(2, 2, 2, 2), (1, 1, 1, 1)])
    assert [event.detail["complete"] for event in kit.twin.history.of_kind("dispatched")] == [False, True]


def test_nobody_sends_what_is_not_picked() -> None:
    kit = Kit()
    number = kit.order((TEA, 2))
    kit.twin.process_picks(number)
    kit.twin.pick(60781, 1)
    with pytest.raises(ImpossibleOnTheFloor):
        kit.twin.dispatch(number, units={60781: 2})
    with pytest.raises(ImpossibleOnTheFloor):
        kit.twin.dispatch(number, units={})
    assert kit.twin.history.of_kind("dispatched") == []


def test_one_shipment_and_one_number_may_serve_several_orders() -> None:
    kit = Kit()
    first, second = kit.picked_order((TEA, 1)), kit.picked_order((MUG, 1))
    shipment = kit.twin.dispatch(first, second, tracking=["SHARED"])
    assert (kit.status(first), kit.status(second)) == ("COMPLETED", "COMPLETED")
    for number in (first, second):
        query = "query($f: ShipmentFilterType) { shipments { all(filter: $f) { edges { node { id } } } } }"
        assert kit.read(query, f={"goods_out_id": {"eq": str(number)}})["shipments"]["all"]["edges"] == [
            {"node": {"id": str(shipment)}}
        ]
    third = kit.picked_order((TEA, 1))
    kit.twin.dispatch(third, tracking=["SHARED"])
    query = '{ packages { all(filter: {tracking_number: {eq: "SHARED"}}) { edges { node { id } } } } }'
    assert len(kit.read(query)["packages"]["all"]["edges"]) == 2


def test_label_may_come_after_the_dispatch() -> None:
    kit = Kit()
    number = kit.picked_order((TEA, 1))
    shipment = kit.twin.dispatch(number, tracking=[])
    assert kit.twin.history.of_kind("shipment_submitted") == []
    kit.twin.label(shipment, ["LATE"])
    assert kit.twin.history.of_kind("shipment_submitted")[0].detail["tracking"] == ["LATE"]


def test_short_line_lets_the_rest_go() -> None:
    kit = Kit()
    number = kit.order((TEA, 3), (MUG, 1))
    kit.twin.process_picks(number)
    kit.twin.pick(60781, 1)
    assert kit.twin.short(60781) == 2
    kit.twin.pick(60782)
    kit.twin.dispatch(number)
    assert (kit.status(number), kit.quantities(number)) == ("COMPLETED", [(3, 1, 1, 1), (1, 1, 1, 1)])
    order = kit.twin.find_goods_out(number)
    assert order is not None and [line.short_status for line in order.lines] == ["SHORT", ""]
    assert kit.twin.history.of_kind("line_shorted")[0].detail["units"] == 2
    assert kit.figures("TEA")["available"] == 9


def test_order_whose_every_line_is_short_completes_with_nothing_sent() -> None:
    kit = Kit()
    number = kit.order((TEA, 3))
    kit.twin.process_picks(number)
    kit.twin.short(60781)
    assert (kit.status(number), kit.twin.history.of_kind("dispatched")) == ("COMPLETED", [])


def test_shorting_over_rest_needs_the_account_and_the_status() -> None:
    kit = Kit()
    number = kit.order((TEA, 12))
    body = {"ids": [number], "description": "sold out"}
    assert symbols(kit.call("POST", SHORT, body)) == [("goods_out_not_shortable", None)]
    kit.twin.process_picks(number)
    assert symbols(kit.call("POST", SHORT, {"ids": [number]})) == [("missing_attribute", "description")]
    assert kit.call("POST", SHORT, body).status == 204
    assert kit.status(number) == "ALLOCATED"
    kit.twin.finish_picking(number)
    kit.twin.dispatch(number)
    assert (kit.status(number), kit.quantities(number)) == ("COMPLETED", [(12, 10, 10, 10)])


def test_cancelled_pick_list_sends_its_orders_back_to_pending() -> None:
    kit = Kit()
    first, second = kit.order((TEA, 2)), kit.order((MUG, 1))
    kit.twin.process_picks(first, second)
    kit.twin.pick(60781, 1)
    kit.twin.cancel_pick_list(first)
    assert [kit.status(number) for number in (first, second)] == ["PENDING", "PENDING"]
    assert kit.quantities(first) == [(2, 0, 0, 0)]
    assert kit.figures("TEA") == {"available": 8, "allocated": 0, "ordered": 2, "received": 10, "picked": 0}
    (event, _) = kit.twin.history.of_kind("pick_list_cancelled")
    assert event.detail["lines"] == [{"line_id": 60781, "product_code": "TEA", "units": 1.0}]
    assert kit.patch(first, lines_changes=[add(MUG, 1)]).status == 200
    assert kit.twin.process_picks(first) == 702


def test_pick_list_is_deleted_over_rest_unless_something_was_sent() -> None:
    kit = Kit()
    number = kit.picked_order((TEA, 2))
    assert kit.call("DELETE", "/api/goods_out_pick_lists/701").status == 204
    assert kit.status(number) == "PENDING"
    kit.twin.process_picks(number)
    kit.twin.finish_picking(number)
    kit.twin.dispatch(number, units={60781: 1})
    assert kit.call("DELETE", "/api/goods_out_pick_lists/702").status == 422
    assert kit.call("DELETE", "/api/goods_out_pick_lists/9").status == 404


def test_unconfirmed_dispatch_opens_the_order_again() -> None:
    kit = Kit()
    number = kit.picked_order((TEA, 2))
    kit.twin.dispatch(number)
    kit.twin.unconfirm_dispatch(number)
    assert (kit.status(number), kit.quantities(number)) == ("PICK", [(2, 2, 2, 0)])
    order = kit.twin.find_goods_out(number)
    assert order is not None and order.actual_date_of_dispatch is None
    assert kit.figures("TEA")["picked"] == 2
    assert kit.kinds(number)[-2:] == ["status_changed", "dispatch_unconfirmed"]
    with pytest.raises(ImpossibleOnTheFloor):
        kit.twin.unconfirm_dispatch(number)
    kit.twin.dispatch(number)
    assert kit.status(number) == "COMPLETED"


def test_bench_change_rewrites_the_order_and_moves_the_units() -> None:
    kit = Kit()
    number = kit.picked_order((TEA, 3), (MUG, 1))
    ups = kit.twin.add_carrier("UPS")
    kit.twin.bench_change(number, address={"address_1": "New Street"}, carrier_id=ups, quantities={60781: 2, 60782: 2})
    content = kit.twin.content(number)
    assert (content["address"]["address_1"], content["carrier"]) == ("New Street", "UPS")
    assert kit.quantities(number) == [(2, 2, 2, 0), (2, 2, 2, 0)]
    assert (kit.figures("TEA")["available"], kit.figures("MUG")["available"]) == (8, 8)
    assert kit.kinds(number)[-4:] == ["units_put_back", "line_picked", "bench_changed", "goods_out_amended"]
    kit.twin.dispatch(number)
    assert kit.status(number) == "COMPLETED"


def test_bench_cannot_pack_what_is_not_there() -> None:
    kit = Kit()
    number = kit.picked_order((TEA, 3))
    for units in (0, 11):
        with pytest.raises(ImpossibleOnTheFloor):
            kit.twin.bench_change(number, quantities={60781: units})
    assert kit.quantities(number) == [(3, 3, 3, 0)]


def test_stranger_is_picked_and_sent_although_nobody_ordered_it() -> None:
    kit = Kit()
    number = kit.picked_order((TEA, 1))
    line_id = kit.twin.add_stranger_line(number, "MUG", 2)
    kit.twin.dispatch(number)
    sent = kit.twin.history.of_kind("dispatched")[0].detail["lines"]
    assert sent[1] == {"line_id": line_id, "product_code": "MUG", "units": 2.0}
    assert kit.kinds(number).count("stranger_added") == 1


def test_substitute_replaces_what_is_left_of_a_line() -> None:
    kit = Kit()
    number = kit.order((TEA, 3))
    kit.twin.process_picks(number)
    kit.twin.pick(60781, 1)
    kit.twin.substitute(60781, "MUG", 2)
    kit.twin.dispatch(number)
    assert kit.status(number) == "COMPLETED"
    assert kit.quantities(number) == [(3, 1, 1, 1), (2, 2, 2, 2)]


def test_edit_by_hand_ignores_the_matrix_until_the_end() -> None:
    kit = Kit()
    number = kit.picked_order((TEA, 2))
    kit.twin.edit_by_hand(number, {"lines_changes": [{"type": "DESTROY", "id": 60781}, add(MUG, 1)]})
    assert kit.figures("TEA") == {"available": 10, "allocated": 0, "ordered": 0, "received": 10, "picked": 0}
    assert kit.twin.history.of_kind("goods_out_amended")[0].detail["by"] == "hand"
    kit.twin.finish_picking(number)
    kit.twin.dispatch(number)
    with pytest.raises(ImpossibleOnTheFloor):
        kit.twin.edit_by_hand(number, {"priority": 1})


def test_floor_refuses_what_does_not_exist() -> None:
    kit = Kit()
    with pytest.raises(ClarusRefusal):
        kit.twin.process_picks(9)
    with pytest.raises(ImpossibleOnTheFloor):
        kit.twin.pick(9)
    number = kit.order((TEA, 1))
    for action in (kit.twin.start_pick, kit.twin.pack, kit.twin.put_back, kit.twin.cancel_pick_list):
        with pytest.raises(ImpossibleOnTheFloor):
            action(number)
    assert kit.kinds(number) == ["goods_out_created"]


def test_stock_is_kept_per_warehouse() -> None:
    kit = Kit()
    second = kit.twin.add_warehouse("WH2")
    kit.twin.link(1, second)
    kit.twin.receive_stock("JAM", 4, account_id=1, warehouse_id=second)
    here = kit.twin.stock_figures("JAM", account_id=1, warehouse_id=WAREHOUSE)
    there = kit.twin.stock_figures("JAM", account_id=1, warehouse_id=second)
    assert (here["available"], there["available"]) == (0, 4)
