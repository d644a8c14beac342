from __future__ import annotations

import pytest

from twins.clarus_kit import MUG, TEA, Kit, symbols


@pytest.mark.parametrize("status_id", [1, 2])
def test_draft_and_pending_orders_disappear(status_id: int) -> None:
    kit = Kit()
    number = kit.order((TEA, 2), goods_out_status_id=status_id)
    response = kit.cancel(number)
    assert (response.status, response.json()["data"]["id"]) == (200, number)
    assert kit.status(number) is None
    assert kit.read("{ goods_outs { all { edges { node { id } } } } }") == {"goods_outs": {"all": {"edges": []}}}
    assert kit.kinds(number) == ["goods_out_created", "goods_out_deleted"]
    (gone,) = kit.twin.history.of_kind("goods_out_deleted")
    assert (gone.detail["by"], gone.detail["content"]["lines"][0]["quantity"]) == ("cancel", 2.0)
    assert kit.cancel(number).status == 404


@pytest.mark.parametrize(("units", "status"), [(2, "ALLOCATED"), (12, "PART_ALLOCATED")])
def test_allocated_orders_are_cancelled_and_their_stock_is_free(units: int, status: str) -> None:
    kit = Kit()
    number = kit.order((TEA, units))
    kit.twin.process_picks(number)
    assert kit.status(number) == status
    assert kit.cancel(number).status == 200
    assert (kit.status(number), kit.figures("TEA")["allocated"]) == ("CANCELLED", 0)
    assert kit.kinds(number)[-2:] == ["status_changed", "goods_out_cancelled"]
    tasks = kit.read("{ tasks { all { edges { node { status } } } } }")["tasks"]["all"]["edges"]
    assert tasks == [{"node": {"status": "CANCELLED"}}]
    again = kit.cancel(number)
    assert (again.status, symbols(again)) == (422, [("goods_out_not_cancellable", None)])


def test_cancel_while_picking_leaves_the_picked_units_to_be_put_back() -> None:
    kit = Kit()
    number = kit.order((TEA, 2), (MUG, 3))
    kit.twin.process_picks(number)
    kit.twin.pick(60781)
    kit.twin.pick(60782, 1)
    assert kit.cancel(number).status == 200
    assert kit.status(number) == "CANCELLED"
    (event,) = kit.twin.history.of_kind("goods_out_cancelled")
    assert [(line["product_code"], line["picked"], line["allocated"]) for line in event.detail["lines"]] == [
        ("TEA", 2.0, 2.0),
        ("MUG", 1.0, 1.0),
    ]
    assert kit.figures("TEA") == {"available": 8, "allocated": 0, "ordered": 0, "received": 8, "picked": 2}
    kit.twin.put_back(number)
    assert kit.figures("TEA") == {"available": 10, "allocated": 0, "ordered": 0, "received": 10, "picked": 0}
    assert kit.figures("MUG")["available"] == 10
    kit.twin.put_back(number)
    assert len(kit.twin.history.of_kind("units_put_back")) == 1


def test_cancel_while_picking_may_be_refused() -> None:
    kit = Kit(cancel_while_picking="refuse")
    number = kit.picked_order((TEA, 2))
    last = len(kit.twin.history)
    response = kit.cancel(number)
    assert (response.status, symbols(response)) == (422, [("goods_out_not_cancellable", None)])
    assert (kit.status(number), kit.kinds(number, last)) == ("PICK", [])


def test_completed_order_cannot_be_cancelled() -> None:
    kit = Kit()
    number = kit.picked_order((TEA, 2))
    kit.twin.dispatch(number)
    assert kit.cancel(number).status == 422
    assert kit.status(number) == "COMPLETED"


def test_order_in_an_unknown_status_keeps_its_record_when_cancelled() -> None:
    kit = Kit()
    number = kit.order((TEA, 2))
    kit.twin.set_status(number, "UPDATED")
    assert kit.cancel(number).status == 200
    assert kit.status(number) == "CANCELLED"


def test_delete_only_before_processing() -> None:
    kit = Kit()
    pending, allocated = kit.order((TEA, 1)), kit.order((TEA, 1))
    kit.twin.process_picks(allocated)
    removed = kit.call("DELETE", f"/api/goods_outs/{pending}")
    assert (removed.status, removed.body, kit.status(pending)) == (204, b"", None)
    refused = kit.call("DELETE", f"/api/goods_outs/{allocated}")
    assert (refused.status, symbols(refused)) == (422, [("goods_out_not_deletable", None)])
    assert kit.status(allocated) == "ALLOCATED"
    assert kit.call("DELETE", f"/api/goods_outs/{pending}").status == 404


def test_order_deleted_by_hand_while_picking_returns_its_units() -> None:
    kit = Kit()
    number = kit.picked_order((TEA, 2))
    kit.twin.delete_by_hand(number)
    assert kit.status(number) is None
    assert kit.figures("TEA") == {"available": 10, "allocated": 0, "ordered": 0, "received": 10, "picked": 0}
    assert kit.twin.history.of_kind("goods_out_deleted")[0].detail["by"] == "hand"
