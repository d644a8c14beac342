"""Rows 18-26: address, service, date, notes and discounts. They follow the same rules as lines, part by part."""

from __future__ import annotations

import pytest

from pickgate.twins.shopify import ShippingSpec
from simulation.messages import FREE, KEPT, TAKEN, Message, amended, cancelled, created
from simulation.stage import Stage
from simulation.variants import STRATEGIES

IN_WINDOW = ["cutoff", "edit_window", "hold_tag"]
MUG = {"MUG-BLU": 1}
FIRST = created("1001-1", MUG)


def followed(strategy: str) -> list[Message]:
    """What Clarus receives after the first document when something but the lines changes before work begins."""
    if strategy == "amend":
        return [FIRST, amended("1001-1", MUG)]
    return [FIRST, cancelled("1001-1"), created("1001-2", MUG)]


def test_row_18_address_corrected_same_country() -> None:
    stage = Stage()
    order = stage.order(MUG)
    stage.wait(minutes=8)
    stage.world.editing.change_address(order, address1="12 Mill Lane", city="Leeds", zip="LS1 1AA")
    stage.wait(minutes=1)
    stage.check(order, wants=MUG, state="waiting", gates=IN_WINDOW)
    stage.wait(minutes=25)
    assert "orderediting:shipping" in order.tags
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
    assert stage.received(order)[0].address == {
        "name": "Ada Byron",
        "address_1": "12 Mill Lane",
        "address_3": "Leeds",
        "postcode": "LS1 1AA",
        "country_code": "GB",
        "email_address": "ada@example.com",
    }


@STRATEGIES
@pytest.mark.parametrize("status", ["PENDING", "ALLOCATED"])
def test_row_19_address_changed_after_send_before_label(strategy: str, status: str) -> None:
    stage = Stage(clarus={"edit_strategy": strategy})
    order = stage.order(MUG)
    stage.wait_for_release()
    if status == "ALLOCATED":
        stage.allocate(order)
        stage.wait(minutes=2)
    assert stage.goods_out(order).status == status
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
    stage.world.shop.update_address(order, address1="12 Mill Lane")
    stage.wait(minutes=2)
    stage.check(order, wants=MUG, received=followed(strategy), state="in_warehouse")
    assert stage.received(order)[-1].address["address_1"] == "12 Mill Lane"
    stage.sent(order)
    assert stage.told(order) == [(MUG, ("PK1",))]
    assert stage.ever(order) == []


def test_row_19_amend_for_the_address_alone() -> None:
    """`edits.address = "amend"` beside a reissuing shop: an address is amended, lines are reissued."""
    stage = Stage(shop={"edits": {"address": "amend"}})
    order = stage.order({"MUG-BLU": 2})
    stage.wait_for_release()
    stage.world.shop.update_address(order, address1="12 Mill Lane")
    stage.wait(minutes=2)
    both = [created("1001-1", {"MUG-BLU": 2}), amended("1001-1", {"MUG-BLU": 2})]
    stage.check(order, wants={"MUG-BLU": 2}, received=both, state="in_warehouse")
    stage.world.shop.edit_order(order, set_quantities={stage.line(order, "MUG-BLU").id: 1})
    stage.wait(minutes=2)
    more = [*both, cancelled("1001-1"), created("1001-2", MUG)]
    stage.check(order, wants=MUG, received=more, state="in_warehouse")
    assert stage.received(order)[-1].address["address_1"] == "12 Mill Lane"


@pytest.mark.parametrize("when", ["packed", "despatched"])
@STRATEGIES
def test_row_20_address_changed_after_label(strategy: str, when: str) -> None:
    stage = Stage(clarus={"edit_strategy": strategy})
    order = stage.order(MUG)
    stage.wait_for_release()
    stage.picker_finishes(order)
    if when == "despatched":
        stage.sent(order)
    stage.world.shop.update_address(order, address1="12 Mill Lane")
    stage.wait(minutes=2)
    lock, state = (KEPT, "despatched") if when == "despatched" else (TAKEN, "picking")
    late = [("LATE_EDIT", "cx")]
    stage.check(order, wants=MUG, received=[FIRST], lock=lock, exceptions=late, state=state)
    assert stage.exception(order, "LATE_EDIT").detail["difference"] == ["The address changed: line1."]
    # It was a mistake, and is taken back: the exception goes with its cause.
    stage.world.shop.update_address(order, address1="1 High Street")
    stage.wait(minutes=2)
    stage.check(order, wants=MUG, received=[FIRST], lock=lock, state=state)


@pytest.mark.parametrize("site", ["MAIN", "NORTH"])
def test_row_21_country_changed(site: str) -> None:
    services = [("", "*", "FR", "", "RM", "48"), ("", "*", "", "", "DPD", "STD")]
    stage = Stage(tables={"services": services}, editing={"reverse_unpaid": False})
    order = stage.order(MUG)
    stage.wait(minutes=8)
    stage.world.editing.change_address(order, address1="3 rue Neuve", city="Lyon", zip="69001", country_code="FR")
    stage.world.editing.edit(order, change_shipping=ShippingSpec(title="International", price="12.00"))
    if site == "NORTH":
        stage.world.shop.move_fulfillment_order(order.fulfillment_orders[0], stage.world.north)
    stage.wait(minutes=25)
    stage.check(order, wants=MUG, state="waiting", gates=["payment"])
    stage.wait(minutes=30)
    stage.check(order, wants=MUG, exceptions=[("EDIT_UNPAID", "cx")], state="waiting", gates=["payment"])
    stage.world.editing.pay_invoice(order)
    stage.wait(minutes=2)
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
    (message,) = stage.received(order)
    assert (message.warehouse, message.service, message.address["country_code"]) == (site, "RM/48", "FR")


@pytest.mark.parametrize("tagged", [False, True], ids=["no-rule", "held-by-a-rule"])
def test_row_22_po_box(tagged: bool) -> None:
    """The address goes on exactly as written: whether a carrier takes it is the warehouse's rule, or a row of ours."""
    stage = Stage(tables={"holds": [("", "po-box", "", "", "A PO box: choose the carrier")]})
    order = stage.order(MUG)
    stage.wait(minutes=8)
    stage.world.editing.change_address(order, address1="PO Box 12")
    if tagged:
        stage.world.shop.add_tags(order, ["po-box"])  # by a flow in the shop
    stage.wait(minutes=25)
    if tagged:
        stage.check(order, wants=MUG, state="waiting", gates=["rule_hold"])
        stage.approve(order)
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
    assert stage.received(order)[0].address["address_1"] == "PO Box 12"


@pytest.mark.parametrize("paid", [True, False], ids=["paid", "unpaid"])
def test_row_23_shipping_upgraded(paid: bool) -> None:
    stage = Stage(editing={"reverse_unpaid": False})
    order = stage.order(MUG)
    stage.wait(minutes=8)
    upgrade = ShippingSpec(title="Next day delivery", price="9.95")
    stage.world.editing.edit(order, change_shipping=upgrade, pay_now=paid)
    assert [(line.title, line.is_removed) for line in order.shipping_lines] == [
        ("Standard", True),
        ("Next day delivery", False),
    ]
    stage.wait(minutes=25)
    if not paid:
        stage.check(order, wants=MUG, state="waiting", gates=["payment"])
        stage.world.editing.pay_invoice(order)
        stage.wait(minutes=2)
    stage.check(order, wants=MUG, received=[FIRST], state="in_warehouse")
    assert stage.received(order)[0].service == "DPD/ND"


@STRATEGIES
def test_row_23_shipping_upgraded_after_send(strategy: str) -> None:
    stage = Stage(clarus={"edit_strategy": strategy})
    order = stage.order(MUG)
    stage.wait_for_release()
    assert stage.received(order)[0].service == "DPD/STD"
    stage.world.shop.edit_order(order, change_shipping=ShippingSpec(title="Express", price="3.95"))
    stage.wait(minutes=2)
    stage.check(order, wants=MUG, received=followed(strategy), state="in_warehouse")
    assert stage.received(order)[-1].service == "DPD/ND"


@pytest.mark.parametrize("when", ["in-window", "after-send"])
@STRATEGIES
def test_row_24_delivery_date_rescheduled(strategy: str, when: str) -> None:
    stage = Stage(clarus={"edit_strategy": strategy}, shop={"edits": {"delivery_date_attribute": "Delivery date"}})
    order = stage.order(MUG, attributes={"Delivery date": "2026-11-26"})
    stage.wait(minutes=8)
    if when == "after-send":
        stage.wait_for_release()
        assert stage.received(order)[0].attributes["expected_date_of_dispatch"].startswith("2026-11-26")
    stage.world.shop.update_note(order, attributes={"Delivery date": "2026-12-01"}, app=stage.world.editing.app)
    stage.wait_for_release()
    stage.check(order, wants=MUG, received=[FIRST] if when == "in-window" else followed(strategy), state="in_warehouse")
    assert stage.received(order)[-1].attributes["expected_date_of_dispatch"].startswith("2026-12-01")


@pytest.mark.parametrize("when", ["in-window", "after-send"])
@STRATEGIES
def test_row_25_gift_note_and_order_note_edited(strategy: str, when: str) -> None:
    stage = Stage(clarus={"edit_strategy": strategy})
    order = stage.order(MUG, note="Leave with the porter", attributes={"Gift message": "Happy birthday"})
    stage.wait(minutes=8)
    if when == "after-send":
        stage.wait_for_release()
        before = stage.received(order)[0].attributes
        assert (before["order_notes"], before["packing_notes"]) == ("Leave with the porter", "Happy birthday")
    stage.world.shop.update_note(order, note="Ring twice", attributes={"Gift message": "Happy anniversary"})
    stage.wait_for_release()
    stage.check(order, wants=MUG, received=[FIRST] if when == "in-window" else followed(strategy), state="in_warehouse")
    after = stage.received(order)[-1].attributes
    assert (after["order_notes"], after["packing_notes"]) == ("Ring twice", "Happy anniversary")


@pytest.mark.parametrize("when", ["in-window", "after-send", "while-picking"])
def test_row_26_discount_code_after_purchase(when: str) -> None:
    stage = Stage()
    order = stage.order({"POT-L": 1})
    stage.wait(minutes=8)
    if when != "in-window":
        stage.wait_for_release()
    if when == "while-picking":
        stage.picker_starts(order)
    stage.world.shop.edit_order(order, discounts={stage.line(order, "POT-L").id: "5.00"}, app=stage.world.editing.app)
    stage.wait_for_release()
    picking = when == "while-picking"
    stage.check(
        order,
        wants={"POT-L": 1},
        received=[created("1001-1", {"POT-L": 1})],
        lock=TAKEN if picking else FREE,
        state="picking" if picking else "in_warehouse",
    )
    assert stage.ever(order) == []
