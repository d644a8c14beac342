"""Stock writes: compare-and-set, idempotency keys, and how quantities move by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from twins.shopify_kit import Kit, fo_of

SET = """mutation S($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id reason changes(quantityNames: ["available", "on_hand"]) {
      name delta quantityAfterChange item { sku } } }
    userErrors { code field } } }"""
ADJUST = """mutation A($input: InventoryAdjustQuantitiesInput!, $key: String!) {
  inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { changes { name delta quantityAfterChange } } userErrors { code } } }"""
LEVEL = """query L($id: ID!) { location(id: $id) { inventoryLevels(first: 9) { nodes { item { sku }
  quantities(names: ["available", "on_hand", "committed"]) { name quantity } } } } }"""


def _input(kit: Kit, *entries: tuple[Any, int, int | None], name: str = "available") -> dict[str, Any]:
    quantities = [
        {
            "inventoryItemId": variant.inventory_item.id,
            "locationId": kit.leeds.id,
            "quantity": quantity,
            "changeFromQuantity": expected,
        }
        for variant, quantity, expected in entries
    ]
    return {"name": name, "reason": "correction", "quantities": quantities}


def _codes(answer: Any) -> list[str]:
    (payload,) = answer.values()
    return [error["code"] for error in payload["userErrors"]]


def available(kit: Kit) -> dict[str, int]:
    return {
        str(v.sku): kit.shop.level_of(v.inventory_item, kit.leeds).count("available") for v in (kit.shirt, kit.belt)
    }


def test_set_answers_with_what_changed() -> None:
    kit = Kit()
    kit.place(10)
    answer = kit.data(SET, key="k", input=_input(kit, (kit.shirt, 40, 100), name="on_hand"))
    group = answer["inventorySetQuantities"]["inventoryAdjustmentGroup"]
    assert group["reason"] == "correction"
    assert group["changes"] == [
        {"name": "available", "delta": -60, "quantityAfterChange": 30, "item": {"sku": "SHIRT"}},
        {"name": "on_hand", "delta": -60, "quantityAfterChange": 40, "item": {"sku": "SHIRT"}},
    ]
    levels = kit.data(LEVEL, id=kit.leeds.id)["location"]["inventoryLevels"]["nodes"]
    shirt = {q["name"]: q["quantity"] for q in levels[0]["quantities"]}
    assert shirt == {"available": 30, "on_hand": 40, "committed": 10}
    event = kit.shop.history.of_kind("inventory_set")[-1]
    assert (event.detail["name"], event.detail["quantity"], event.detail["by"]) == ("on_hand", 40, "Pickgate")


def test_without_the_directive_nothing_happens() -> None:
    kit = Kit()
    query = SET.replace("@idempotent(key: $key)", "").replace(", $key: String!", "")
    answer = kit.ask(query, input=_input(kit, (kit.shirt, 1, None)))
    assert answer["data"] == {"inventorySetQuantities": None}
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    blank = kit.ask(SET, key=" ", input=_input(kit, (kit.shirt, 1, None)))
    assert blank["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert available(kit) == {"SHIRT": 100, "BELT": 50}


def test_change_from_quantity_must_be_there_even_as_null() -> None:
    kit = Kit()
    given = _input(kit, (kit.shirt, 1, None))
    del given["quantities"][0]["changeFromQuantity"]
    answer = kit.ask(SET, key="k", input=given)
    assert answer["data"] == {"inventorySetQuantities": None}
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_FIELD_ARGUMENTS"
    assert _codes(kit.data(SET, key="k2", input=_input(kit, (kit.shirt, 1, None)))) == []


def test_one_stale_value_fails_the_whole_call() -> None:
    kit = Kit()
    answer = kit.data(SET, key="k", input=_input(kit, (kit.shirt, 7, 100), (kit.belt, 7, 49)))
    assert _codes(answer) == ["CHANGE_FROM_QUANTITY_STALE"]
    assert answer["inventorySetQuantities"]["inventoryAdjustmentGroup"] is None
    assert answer["inventorySetQuantities"]["userErrors"][0]["field"] == [
        "input", "quantities", "1", "changeFromQuantity",
    ]  # fmt: skip
    assert available(kit) == {"SHIRT": 100, "BELT": 50}


def test_same_key_replays_without_a_second_effect() -> None:
    kit = Kit()
    first = kit.data(SET, key="k", input=_input(kit, (kit.shirt, 7, 100)))
    kit.shop.set_stock(kit.shirt, 100)
    assert kit.data(SET, key="k", input=_input(kit, (kit.shirt, 7, 100))) == first
    assert available(kit)["SHIRT"] == 100
    mismatch = kit.data(SET, key="k", input=_input(kit, (kit.shirt, 8, 100)))
    assert _codes(mismatch) == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]
    kit.wait(24 * 3600 + 1)
    kit.data(SET, key="k", input=_input(kit, (kit.shirt, 7, 100)))
    assert available(kit)["SHIRT"] == 7


def test_at_most_250_items() -> None:
    kit = Kit()
    answer = kit.ask(SET, key="k", input=_input(kit, *[(kit.shirt, 1, None)] * 251))
    assert answer["errors"][0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"
    assert available(kit)["SHIRT"] == 100


def test_other_refusals() -> None:
    kit = Kit()
    bundle = kit.shop.add_product("SET", bundle_of=((kit.shirt, 1),))
    for entry, code in (
        ((kit.shirt, -1, None), "INVALID_QUANTITY_NEGATIVE"),
        ((kit.shirt, 1_000_000_001, None), "INVALID_QUANTITY_TOO_HIGH"),
        ((bundle, 1, None), "NON_MUTABLE_INVENTORY_ITEM"),
    ):
        assert _codes(kit.data(SET, key=code, input=_input(kit, entry))) == [code]
    twice = _input(kit, (kit.shirt, 1, None), (kit.shirt, 2, None))
    assert _codes(kit.data(SET, key="a", input=twice)) == ["NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"]
    assert _codes(kit.data(SET, key="b", input=_input(kit, (kit.shirt, 1, None), name="committed"))) == ["INVALID_NAME"]
    reason = {**_input(kit, (kit.shirt, 1, None)), "reason": "because"}
    assert _codes(kit.data(SET, key="c", input=reason)) == ["INVALID_REASON"]
    lost = _input(kit, (kit.shirt, 1, None))
    lost["quantities"][0]["locationId"] = "gid://shopify/Location/1"
    assert _codes(kit.data(SET, key="d", input=lost)) == ["INVALID_LOCATION"]
    assert available(kit) == {"SHIRT": 100, "BELT": 50}


@pytest.mark.parametrize(("name", "codes"), [("available", []), ("on_hand", ["INVALID_QUANTITY_NAME"])])
def test_adjust_by_a_delta(name: str, codes: list[str]) -> None:
    kit = Kit()
    change = {
        "inventoryItemId": kit.shirt.inventory_item.id,
        "locationId": kit.leeds.id,
        "delta": -5,
        "changeFromQuantity": 100,
    }
    given = {"name": name, "reason": "correction", "changes": [change]}
    assert _codes(kit.data(ADJUST, key="k", input=given)) == codes
    assert available(kit)["SHIRT"] == (100 if codes else 95)


def test_quantities_follow_orders_and_fulfilments() -> None:
    kit = Kit()
    level = kit.shop.level_of(kit.shirt.inventory_item, kit.leeds)

    def seen() -> tuple[int, int, int]:
        return level.count("available"), level.count("committed"), level.count("on_hand")

    order = kit.place(5)
    assert seen() == (95, 5, 100)
    fo = fo_of(order)
    kit.shop.create_fulfillment([(fo.id, [(fo.line_items[0].id, 2)])])
    assert seen() == (95, 3, 98)
    kit.shop.refund(order, {order.line_items[0].id: (1, "CANCEL")})
    assert seen() == (96, 2, 98)
    second = kit.place(4)
    kit.shop.cancel_order(second, restock=False)
    assert seen() == (92, 2, 94)
