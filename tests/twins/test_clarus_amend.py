from __future__ import annotations

from typing import Any

import pytest

from pickgate.twins.clarus.knobs import ALL_GROUPS
from twins.clarus_kit import CARRIER, JAM, MUG, SERVICE, TEA, Kit, add, symbols

CHANGES: dict[str, dict[str, Any]] = {
    "header": {"priority": 5},
    "notes": {"packing_notes": "ribbon"},
    "carrier": {"carrier_id": CARRIER, "carrier_service_id": SERVICE},
    "address": {"address": {"address_1": "2 Low Road"}},
    "lines": {"lines_changes": [add(MUG, 1)]},
}
ALLOWED = {
    "DRAFT": set(CHANGES),
    "PENDING": set(CHANGES),
    "ALLOCATED": {"notes", "carrier", "address"},
    "PART_ALLOCATED": {"notes", "carrier", "address"},
    "PICK": set(),
    "COMPLETED": set(),
    "CANCELLED": set(),
    "UPDATED": set(),
}


def order_in(kit: Kit, status: str) -> int:
    number = kit.order(
        (TEA, 12 if status == "PART_ALLOCATED" else 2), goods_out_status_id=1 if status == "DRAFT" else 2
    )
    if status not in ("DRAFT", "PENDING", "UPDATED"):
        kit.twin.process_picks(number)
    if status in ("PICK", "COMPLETED"):
        kit.twin.finish_picking(number)
    if status == "COMPLETED":
        kit.twin.dispatch(number)
    if status == "CANCELLED":
        kit.twin.cancel_by_hand(number)
    if status == "UPDATED":
        kit.twin.set_status(number, "UPDATED")
    assert kit.status(number) == status
    return number


@pytest.mark.parametrize("group", sorted(CHANGES))
@pytest.mark.parametrize("status", sorted(ALLOWED))
def test_what_may_change_in_which_status(status: str, group: str) -> None:
    kit = Kit()
    number = order_in(kit, status)
    before, last = kit.twin.content(number), len(kit.twin.history)
    response = kit.patch(number, **CHANGES[group])
    if group in ALLOWED[status]:
        assert response.status == 200
        assert kit.kinds(number, last) == ["goods_out_amended"]
        return
    assert (response.status, response.json()["errors"][0]["symbol"]) == (422, "goods_out_not_amendable")
    assert response.json()["errors"][0]["context"] == {"status": status, "refused": [group]}
    assert (kit.twin.content(number), kit.kinds(number, last)) == (before, [])


def test_amendment_keeps_before_and_after() -> None:
    kit = Kit()
    number = kit.order((TEA, 2))
    kit.patch(number, priority=3, lines_changes=[{"type": "UPDATE", "id": 60781, "attributes": {"order_quantity": 5}}])
    (event,) = kit.twin.history.of_kind("goods_out_amended")
    before, after = event.detail["before"], event.detail["after"]
    assert (event.detail["by"], "priority" in before["attributes"], after["attributes"]["priority"]) == (
        "api",
        False,
        3,
    )
    assert (before["lines"][0]["quantity"], after["lines"][0]["quantity"]) == (2.0, 5.0)


def test_repeating_what_is_there_changes_nothing() -> None:
    kit = Kit()
    number = order_in(kit, "PICK")
    last = len(kit.twin.history)
    same: dict[str, Any] = {"reference": "1031-1", "account_id": 1, "goods_out_type": "sales_order"}
    assert kit.patch(number, **same).status == 200
    assert kit.kinds(number, last) == []


def test_line_changes_add_update_and_destroy_in_one_call() -> None:
    kit = Kit()
    number = kit.order((TEA, 2), (MUG, 1))
    changes = [
        {"type": "UPDATE", "id": 60781, "attributes": {"order_quantity": 7}},
        {"type": "DESTROY", "id": "60782"},
        add(JAM, 3),
    ]
    assert kit.patch(number, lines_changes=changes).status == 200
    assert [
        (line["line_id"], line["product_code"], line["quantity"]) for line in kit.twin.content(number)["lines"]
    ] == [
        (60781, "TEA", 7.0),
        (60783, "JAM", 3.0),
    ]


@pytest.mark.parametrize("accepted", [{"DESTROY"}, {"REMOVE"}, {"DESTROY", "REMOVE"}])
@pytest.mark.parametrize("verb", ["DESTROY", "REMOVE"])
def test_delete_verb_is_a_knob(accepted: set[str], verb: str) -> None:
    kit = Kit(line_delete_verbs=frozenset(accepted))
    number = kit.order((TEA, 2), (MUG, 1))
    response = kit.patch(number, lines_changes=[{"type": verb, "id": 60782}])
    assert response.status == (200 if verb in accepted else 422)
    assert kit.lines(number) == ([60781] if verb in accepted else [60781, 60782])


def test_refused_patch_changes_nothing_at_all() -> None:
    kit = Kit()
    number = kit.order((TEA, 2))
    before = kit.twin.content(number)
    update = {"type": "UPDATE", "id": 60781, "attributes": {"order_quantity": 0}}
    response = kit.patch(number, priority=9, address={"postcode": "ZZ1"}, lines_changes=[add(MUG, 1), update])
    assert symbols(response) == [("invalid_attribute", "lines_changes[1].order_quantity")]
    assert kit.twin.content(number) == before


def test_line_of_another_order_is_unknown() -> None:
    kit = Kit()
    kit.order((TEA, 2))
    other = kit.order((MUG, 1))
    response = kit.patch(other, lines_changes=[{"type": "DESTROY", "id": 60781}])
    assert symbols(response) == [("unknown_record", "lines_changes[0].id")]


def test_partial_patch_is_a_knob() -> None:
    kit = Kit(patch_needs_required_fields=True)
    number = kit.order((TEA, 2))
    response = kit.patch(number, priority=4)
    assert symbols(response) == [
        ("missing_attribute", f"attributes.{name}")
        for name in ("goods_out_type", "account_id", "reference", "expected_date_of_dispatch")
    ]
    full: dict[str, Any] = {
        "goods_out_type": "sales_order",
        "account_id": 1,
        "reference": "1031-1",
        "expected_date_of_dispatch": "2026-07-02T10:00:00Z",
    }
    assert kit.patch(number, priority=4, **full).status == 200


def test_unknown_order_is_404() -> None:
    response = Kit().patch(9, priority=1)
    assert (response.status, symbols(response)) == (404, [("record_not_found", "id")])


def test_draft_is_released_and_pulled_back_by_status_id() -> None:
    kit = Kit()
    number = kit.order((TEA, 1), goods_out_status_id=1)
    assert kit.patch(number, goods_out_status_id=2).status == 200
    assert kit.status(number) == "PENDING"
    kit.patch(number, goods_out_status_id=1)
    assert kit.status(number) == "DRAFT"
    kit.patch(number, goods_out_status_id=6)
    assert kit.status(number) == "DRAFT"


def test_null_clears_a_field_and_a_new_reference_moves_the_order() -> None:
    kit = Kit()
    number = kit.order((TEA, 1), order_notes="hello")
    assert kit.patch(number, order_notes=None, reference="1031-2").status == 200
    assert "order_notes" not in kit.twin.content(number)["attributes"]
    assert kit.twin.find_by_reference("1031-1") == []
    assert [order.id for order in kit.twin.find_by_reference("1031-2")] == [number]


def test_amending_lines_of_an_allocated_order_allocates_anew_where_the_knob_allows_it() -> None:
    kit = Kit(amendable={"ALLOCATED": ALL_GROUPS})
    number = kit.order((TEA, 2), (MUG, 1))
    kit.twin.process_picks(number)
    changes = [
        {"type": "UPDATE", "id": 60781, "attributes": {"order_quantity": 1}},
        {"type": "DESTROY", "id": 60782},
        add(TEA, 12),
    ]
    assert kit.patch(number, lines_changes=changes).status == 200
    assert kit.quantities(number) == [(1, 1, 0, 0), (12, 9, 0, 0)]
    assert kit.status(number) == "PART_ALLOCATED"
    assert (kit.figures("TEA")["allocated"], kit.figures("MUG")["allocated"]) == (10, 0)
