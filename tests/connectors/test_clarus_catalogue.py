"""Codes → ids: remembered for hours, denied for a minute, exact, and never guessed."""

from __future__ import annotations

import json
from datetime import timedelta

from connectors.clarus_stub import START, Catalogue, ScriptedTenant, answer, finish, page_of, warehouse
from pickgate.clock import VirtualClock
from pickgate.connectors.clarus import CodeKind
from pickgate.domain.facts import Unreadable
from pickgate.flows.ports import ProductAnswer


def test_known_codes_are_listed() -> None:
    catalogue = Catalogue(
        carrier_services=[
            {"id": "61", "code": "NEXT", "carrier": {"code": "DPD"}},
            {"id": "62", "code": "NEXT", "carrier": {"code": "UPS"}},
            {"id": "63", "code": "ORPHAN", "carrier": None},
            {"id": "64", "code": None, "carrier": {"code": "UPS"}},
        ]
    )
    port = warehouse(ScriptedTenant(catalogue), page_size=2)
    assert finish(port.catalogue.find_codes(CodeKind.ACCOUNT)) == ("ACME", "OTHER")
    assert finish(port.catalogue.find_codes(CodeKind.WAREHOUSE)) == ("LDS",)
    assert finish(port.catalogue.find_codes(CodeKind.CARRIER)) == ("DPD",)
    assert finish(port.catalogue.find_codes(CodeKind.SERVICE)) == ("DPD/NEXT", "UPS/NEXT")
    assert finish(port.catalogue.find_services()) == (("DPD", "NEXT"), ("UPS", "NEXT"))


def test_codes_that_cannot_be_read_are_not_none() -> None:
    port = warehouse(ScriptedTenant(lambda request: answer({"errors": [{"message": "boom"}]})))
    problem = Unreadable(why="Clarus answered a query with errors: boom")
    assert finish(port.catalogue.find_codes(CodeKind.CARRIER)) == problem
    assert finish(port.catalogue.find_services()) == problem


def test_ids_are_remembered_and_a_new_code_is_found_within_a_minute() -> None:
    clock = VirtualClock(START)
    tenant = ScriptedTenant(Catalogue())
    catalogue = warehouse(tenant, clock).catalogue
    assert finish(catalogue.find_id(CodeKind.WAREHOUSE, "LDS")) == "21"
    assert finish(catalogue.find_id(CodeKind.WAREHOUSE, "YRK")) is None
    tenant.handler = Catalogue(warehouses=[{"id": "22", "code": "YRK"}, {"id": "21", "code": "LDS"}])
    assert finish(catalogue.find_id(CodeKind.WAREHOUSE, "YRK")) is None
    assert len(tenant.requests) == 1
    clock.advance(60)
    assert finish(catalogue.find_id(CodeKind.WAREHOUSE, "YRK")) == "22"
    assert finish(catalogue.find_id(CodeKind.WAREHOUSE, "LDS")) == "21"
    assert len(tenant.requests) == 2


def test_products_are_remembered_for_hours_and_denials_for_a_minute() -> None:
    clock = VirtualClock(START)
    tenant = ScriptedTenant(Catalogue())
    port = warehouse(tenant, clock)
    expected = ProductAnswer(known=frozenset({"MUG"}), unknown=frozenset({"PEN"}))
    for seconds, requests in ((0, 1), (59, 1), (2, 2), (6 * 3600 - 70, 3), (20, 4)):
        clock.advance(seconds)
        assert finish(port.find_products(["MUG", "PEN"])) == expected
        assert len(tenant.requests) == requests
    asked = [json.loads(request.body)["variables"]["filter"]["code"]["in"] for request in tenant.requests]
    assert asked == [["MUG", "PEN"], ["PEN"], ["PEN"], ["MUG"]]


def test_what_failed_is_neither_known_nor_unknown() -> None:
    tenant = ScriptedTenant(Catalogue())
    port = warehouse(tenant)
    finish(port.find_products(["MUG"]))
    tenant.handler = lambda request: answer({}, 500)
    assert finish(port.find_products(["MUG", "PEN"])) == ProductAnswer(
        known=frozenset({"MUG"}), unreadable=Unreadable(why="Clarus answered 500")
    )
    tenant.handler = Catalogue()
    assert finish(port.find_products(["MUG", "PEN"])).unknown == {"PEN"}


def test_a_code_matches_exactly_after_normalising() -> None:
    rows = [{"id": "1", "code": "mug"}, {"id": "2", "code": "CAFE\u0301"}, {"id": "3", "code": "MUG "}]
    loose = ScriptedTenant(lambda request: answer({"data": {"products": page_of(rows)}}))
    found = finish(warehouse(loose).find_products(["MUG", "CAFÉ", "mug"]))
    assert found == ProductAnswer(known=frozenset({"CAFÉ", "mug"}), unknown=frozenset({"MUG"}))


def test_forgetting_makes_the_next_question_ask_again() -> None:
    tenant = ScriptedTenant(Catalogue())
    port = warehouse(tenant, VirtualClock(START + timedelta(days=1)))
    finish(port.find_products(["MUG", "CAP"]))
    port.catalogue.forget(["MUG"])
    finish(port.find_products(["MUG", "CAP"]))
    asked = [json.loads(request.body)["variables"]["filter"]["code"]["in"] for request in tenant.requests]
    assert asked == [["MUG", "CAP"], ["MUG"]]
