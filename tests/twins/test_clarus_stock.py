from __future__ import annotations

import pytest

from twins.clarus_kit import TEA, Kit

BALANCE = """{ stock_balances { all(filter: {product_code: {eq: "TEA"}}) { edges { node {
  available allocated ordered received picked product { code } account { code } warehouse { id } } } } } }"""
STOCKS = '{ stocks { all(filter: {product_code: {eq: "TEA"}}) { edges { node { id quantity status } } } } }'


@pytest.mark.parametrize(("formula", "available"), [("net", 3), ("net_of_allocated", 7), ("on_hand", 9)])
def test_balance_formula_is_a_knob(formula: str, available: float) -> None:
    kit = Kit(balance_formula=formula)
    kit.order((TEA, 4))
    kit.order((TEA, 20), goods_out_status_id=1)
    busy = kit.order((TEA, 3))
    kit.twin.process_picks(busy)
    kit.twin.pick(kit.lines(busy)[0], 1)
    assert kit.read(BALANCE)["stock_balances"]["all"]["edges"] == [
        {
            "node": {
                "available": float(available),
                "allocated": 2.0,
                "ordered": 4.0,
                "received": 9.0,
                "picked": 1.0,
                "product": {"code": "TEA"},
                "account": {"code": "ACME"},
                "warehouse": {"id": "21"},
            }
        }
    ]


def test_demand_follows_the_orders() -> None:
    kit = Kit()
    number = kit.order((TEA, 4))
    assert kit.figures("TEA")["ordered"] == 4
    kit.patch(number, lines_changes=[{"type": "UPDATE", "id": 60781, "attributes": {"order_quantity": 6}}])
    assert kit.figures("TEA")["ordered"] == 6
    kit.cancel(number)
    assert kit.figures("TEA")["ordered"] == 0


def test_counts_and_receipts_are_in_history() -> None:
    kit = Kit()
    before = len(kit.twin.history)
    kit.stock("TEA", 7)
    kit.stock("TEA", 7)
    kit.twin.receive_stock("TEA", 5, account_id=1, warehouse_id=21)
    changes = [
        (event.detail["because"], event.detail["units"], event.detail["shelf"])
        for event in kit.twin.history.of_kind("stock_changed")
        if event.number > before
    ]
    assert changes == [("counted_down", -3.0, 7.0), ("received", 5.0, 12.0)]


def test_held_stock_is_out_of_every_figure_until_released() -> None:
    kit = Kit()
    (edge,) = kit.read(STOCKS)["stocks"]["all"]["edges"]
    number = int(edge["node"]["id"])
    body = {"ids": [number], "description": "check"}
    assert kit.call("POST", "/api/stocks/hold", body).status == 200
    assert kit.figures("TEA")["available"] == 0
    assert kit.read(STOCKS)["stocks"]["all"]["edges"][0]["node"]["status"] == "held"
    assert kit.call("POST", "/api/stocks/offhold", body).status == 200
    assert kit.figures("TEA")["available"] == 10
    assert kit.call("POST", "/api/stocks/hold", {"ids": [9]}).status == 422


def test_negative_adjustment_over_rest() -> None:
    kit = Kit()
    number = kit.read(STOCKS)["stocks"]["all"]["edges"][0]["node"]["id"]

    def adjust(units: float) -> int:
        body = {"data": {"type": "stocks", "attributes": {"quantity": units}}}
        return kit.call("POST", f"/api/stocks/{number}/negative_adjustment", body).status

    assert (adjust(4), kit.figures("TEA")["received"]) == (200, 6)
    assert (adjust(7), kit.figures("TEA")["received"]) == (422, 6)


def test_transactions_of_an_order_can_be_read() -> None:
    kit = Kit()
    number = kit.picked_order((TEA, 2))
    kit.twin.dispatch(number)
    query = """query($f: TransactionFilterType) { transactions { all(filter: $f) { edges { node {
      subtype quantity product { code } location_from { code } } } } } }"""
    assert [
        edge["node"]["subtype"]
        for edge in kit.read(query, f={"goods_out_id": {"eq": str(number)}})["transactions"]["all"]["edges"]
    ] == ["PICK", "DISP"]
