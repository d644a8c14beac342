from __future__ import annotations

import json
from typing import Any

import pytest

from pickgate.twins.clarus.automations import passes, webhook_attributes
from pickgate.twins.deliveries import Delivery
from twins.clarus_kit import MUG, START, TEA, Kit, add, symbols

URL = "https://pickgate.test/webhooks/clarus/token"


def taken(kit: Kit) -> list[Delivery]:
    return kit.twin.deliveries.take_due(kit.clock.now())


def topics(kit: Kit) -> list[str]:
    return [delivery.topic for delivery in taken(kit)]


def rule(**changes: Any) -> dict[str, Any]:
    attributes = webhook_attributes("goods_out", "created", URL, "POST") | changes
    return {"data": {"type": "automations", "attributes": attributes}}


def test_rule_made_over_rest_calls_its_webhook_with_the_full_record() -> None:
    kit = Kit()
    made = kit.call("POST", "/api/automations", rule())
    assert (made.status, made.json()) == (
        200,
        {
            "data": {
                "id": 43,
                "type": "automations",
                "attributes": {"resource_name": "goods_out", "event": "created", "enabled": True},
            }
        },
    )
    kit.order(external_system_reference1="501", lines_changes=[add(TEA, 2, external_system_reference1="77")])
    (delivery,) = taken(kit)
    assert (delivery.url, delivery.method, delivery.due_at, delivery.attempt) == (URL, "POST", START, 1)
    body = json.loads(delivery.body)
    assert list(body) == ["data"]
    record = body["data"]
    assert {name: record[name] for name in ("id", "reference", "external_system_reference1", "account_id")} == {
        "id": 3301,
        "reference": "1031-1",
        "external_system_reference1": "501",
        "account_id": 1,
    }
    assert record["goods_out_status"] == {"code": "PENDING", "name": "Pending"}
    assert record["goods_out_lines"] == [
        {
            "id": 60781,
            "external_system_reference1": "77",
            "product": {"id": 1001, "code": "TEA"},
            "order_quantity": 2.0,
            "allocated_quantity": 0.0,
            "pick_quantity": 0.0,
            "dispatch_quantity": 0.0,
            "short_status": "",
        }
    ]


def test_headers_identify_and_nothing_signs() -> None:
    kit = Kit()
    kit.twin.add_automation("goods_out", "created", URL)
    kit.order((TEA, 1))
    (delivery,) = taken(kit)
    assert delivery.headers == {
        "Content-Type": "application/json",
        "X-ClarusWMS-Domain": "https://acme.claruswms.example",
        "X-ClarusWMS-API-Domain": "https://clarus-api.example",
        "X-ClarusWMS-Subdomain": "acme",
        "X-ClarusWMS-Automation-ID": "43",
    }


def test_rule_of_an_integration_names_it() -> None:
    kit = Kit()
    integration = kit.twin.add_integration("Shop")
    kit.twin.add_automation("goods_out", "created", URL, integration_id=integration)
    kit.order((TEA, 1))
    assert taken(kit)[0].headers["X-ClarusWMS-Integration-ID"] == "723"


def listening(*events: tuple[str, str], **knobs: Any) -> Kit:
    kit = Kit(**knobs)
    for resource, event in events:
        kit.twin.add_automation(resource, event, URL)
    return kit


def test_life_of_an_order_in_events() -> None:
    kit = listening(
        *(("goods_out", name) for name in ("created", "processed", "updated", "completed", "cancelled")),
        *(("goods_out_pick_list", name) for name in ("created", "picked", "completed", "cancelled")),
    )
    number = kit.order((TEA, 2), (MUG, 1))
    kit.patch(number, priority=4)
    kit.twin.process_picks(number)
    kit.twin.pick(60781)
    assert topics(kit) == [
        "goods_out.created",
        "goods_out.updated",
        "goods_out_pick_list.created",
        "goods_out.processed",
    ]
    kit.twin.finish_picking(number)
    kit.twin.dispatch(number, units={60781: 2})
    kit.twin.dispatch(number)
    assert topics(kit) == [
        "goods_out_pick_list.picked",
        "goods_out.updated",
        "goods_out.completed",
        "goods_out_pick_list.completed",
    ]
    other = kit.order((TEA, 1))
    kit.twin.process_picks(other)
    taken(kit)
    kit.cancel(other)
    assert topics(kit) == ["goods_out_pick_list.cancelled", "goods_out.cancelled"]


def test_stock_events() -> None:
    kit = listening(("stock", "negatively_adjusted"), ("stock", "dispatched"), ("stock_balance", "updated"))
    kit.stock("TEA", 8)
    first, second = taken(kit)
    assert (first.topic, second.topic) == ("stock.negatively_adjusted", "stock_balance.updated")
    record = json.loads(first.body)["data"]
    assert (record["product"], record["quantity"], record["new_quantity"]) == ({"id": 1001, "code": "TEA"}, -2.0, 8.0)
    assert json.loads(second.body)["data"]["available"] == 8.0
    kit.twin.dispatch(kit.picked_order((TEA, 1)))
    assert topics(kit)[-2:] == ["stock.dispatched", "stock_balance.updated"]


@pytest.mark.parametrize("emits", [True, False])
def test_whether_deletion_emits_cancelled_is_a_knob(emits: bool) -> None:
    kit = listening(("goods_out", "cancelled"), deletion_emits_cancelled=emits)
    kit.cancel(kit.order((TEA, 1)))
    assert topics(kit) == (["goods_out.cancelled"] if emits else [])


def test_bare_envelope_is_a_knob() -> None:
    kit = listening(("goods_out", "created"), webhook_envelope="bare")
    kit.order((TEA, 1))
    assert json.loads(taken(kit)[0].body)["id"] == 3301


def test_duplicates_losses_and_delays_are_knobs() -> None:
    kit = listening(("goods_out", "created"), webhook_duplicate_chance=1.0, webhook_delay_seconds=(5.0, 5.0))
    kit.order((TEA, 1))
    assert taken(kit) == []
    kit.clock.advance(5)
    assert topics(kit) == ["goods_out.created", "goods_out.created"]
    lossy = listening(("goods_out", "created"), webhook_loss_chance=1.0)
    lossy.order((TEA, 1))
    assert len(lossy.twin.deliveries) == 0


def test_failed_deliveries_are_repeated_as_often_as_the_knob_says() -> None:
    kit = listening(("goods_out", "created"), webhook_retries_after_seconds=(10.0,))
    kit.order((TEA, 1))
    assert kit.twin.redeliver(taken(kit)[0])
    assert taken(kit) == []
    kit.clock.advance(10)
    (again,) = taken(kit)
    assert again.attempt == 2
    assert not kit.twin.redeliver(again)
    assert len(kit.twin.deliveries) == 0


def test_get_webhook_has_no_body() -> None:
    kit = Kit()
    kit.twin.add_automation("goods_out", "created", f"{URL}?event=goods_out.created", "GET")
    kit.order((TEA, 1))
    (delivery,) = taken(kit)
    assert (delivery.method, delivery.body, delivery.url) == ("GET", b"", f"{URL}?event=goods_out.created")


def test_rules_are_switched_off_and_deleted() -> None:
    kit = Kit()
    kit.call("POST", "/api/automations", rule())
    off = {"data": {"type": "automations", "attributes": {"enabled": False}}}
    assert kit.call("PATCH", "/api/automations/43", off).json()["data"]["attributes"]["enabled"] is False
    kit.order((TEA, 1))
    assert topics(kit) == []
    assert kit.call("DELETE", "/api/automations/43").status == 204
    assert kit.call("DELETE", "/api/automations/43").status == 404


@pytest.mark.parametrize(
    ("changes", "source"),
    [
        ({"event": "exploded"}, "attributes.event"),
        ({"resource_name": "cat"}, "attributes.event"),
        ({"enabled": None}, "attributes.enabled"),
        ({"actions_changes": [{"type": "DESTROY", "id": 1}]}, "attributes.actions_changes"),
        ({"actions_changes": [{"type": "ADD", "attributes": {}}]}, "attributes.actions_changes"),
        (
            {"actions_changes": webhook_attributes("goods_out", "created", "ftp://x", "POST")["actions_changes"]},
            "attributes.actions_changes",
        ),
        (
            {"actions_changes": webhook_attributes("goods_out", "created", URL, "PUT")["actions_changes"]},
            "attributes.actions_changes",
        ),
    ],
)
def test_faulty_rules_are_refused(changes: dict[str, Any], source: str) -> None:
    kit = Kit()
    response = kit.call("POST", "/api/automations", rule(**changes))
    assert (response.status, symbols(response)[0][1]) == (422, source)
    assert kit.read("{ automations { all { edges { node { id } } } } }")["automations"]["all"]["edges"] == []


def test_rule_may_process_the_order_for_picking() -> None:
    kit = Kit(process_delay_seconds=3)
    attributes = {
        "resource_name": "goods_out",
        "event": "created",
        "enabled": True,
        "conditions_changes": [
            {"type": "ADD", "attributes": {"source_path": "data.priority", "operator": "less_than", "value": "5"}}
        ],
        "actions_changes": [{"type": "ADD", "attributes": {"destination_type": "process_picks"}}],
    }
    kit.call("POST", "/api/automations", {"data": {"type": "automations", "attributes": attributes}})
    urgent, calm = kit.order((TEA, 1), priority=1), kit.order((TEA, 1), priority=9)
    assert kit.status(urgent) == "PENDING"
    kit.clock.advance(3)
    assert (kit.status(urgent), kit.status(calm)) == ("ALLOCATED", "PENDING")


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("eq", "7", True),
        ("neq", "7", False),
        ("in", "6, 7", True),
        ("notin", [6, 7], False),
        ("greater_than", "6", True),
        ("greater_than_eq", "7", True),
        ("less_than", "7", False),
        ("less_than_eq", "7", True),
        ("starts_with", "7", True),
        ("matches", "^[0-9]$", True),
        ("less_than", "many", False),
        ("sounds_like", "7", False),
    ],
)
def test_conditions(operator: str, value: Any, expected: bool) -> None:
    condition = {"source_path": "data.account_id", "operator": operator, "value": value}
    assert passes(condition, {"data": {"account_id": 7}}) is expected
