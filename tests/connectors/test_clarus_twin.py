"""The connector against the stateful twin: the whole way out and back, and the tenant's undocumented moods."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from connectors.clarus_stub import START, TwinTransport, amend, content, create, finish, make_twin, recall, warehouse
from pickgate.clock import VirtualClock
from pickgate.connectors.clarus import ClarusWarehouse
from pickgate.domain.facts import Unreadable
from pickgate.domain.shop import Address
from pickgate.domain.warehouse import ContentLine, GoodsOut, Parcel, Stage
from pickgate.flows.ports import Confirmed, GoodsOutAsk, NotSent, OutcomeNotKnown, Refused, WarehousePort
from pickgate.http import HttpRequest, HttpResponse, OutcomeUnknown
from pickgate.twins.clarus import ClarusTwin


class Site:
    def __init__(self, **knobs: Any) -> None:
        self.clock = VirtualClock(START)
        self.twin: ClarusTwin = make_twin(self.clock, **knobs)
        self.transport = TwinTransport(self.twin)

    def connect(self, **changes: Any) -> ClarusWarehouse:
        port = warehouse(self.transport, self.clock, **changes)
        as_flows_see_it: WarehousePort = port  # the type checker compares the two
        assert as_flows_see_it is port
        return port


def read_one(port: ClarusWarehouse, clarus_id: str | None = None) -> GoodsOut:
    found = finish(port.read_goods_outs([GoodsOutAsk(reference="1031-1", account="ACME", clarus_id=clarus_id)]))
    assert isinstance(found, tuple), found
    (goods_out,) = found
    return goods_out


def released(port: ClarusWarehouse) -> str:
    outcome = finish(port.send(create()))
    assert isinstance(outcome, Confirmed), outcome
    return outcome.ids["clarus_id"]


def test_what_is_created_is_what_is_read_back() -> None:
    site = Site()
    port = site.connect()
    clarus_id = released(port)
    goods_out = read_one(port, clarus_id)
    assert goods_out == read_one(port)
    assert (goods_out.id, goods_out.stage, goods_out.status_code) == (clarus_id, Stage.PENDING, "PENDING")
    assert (goods_out.account, goods_out.warehouse, goods_out.carrier, goods_out.priority) == ("ACME", "LDS", "DPD", 5)
    assert [(n.product_code, n.ordered, n.picked) for n in goods_out.lines] == [("MUG", 2, 0), ("CAP", 1, 0)]
    kept = site.twin.content(int(clarus_id))
    row = site.twin.find_goods_out(int(clarus_id))
    assert row is not None
    assert row.address == {
        "name": "Ada Byron, Engines Ltd",
        "address_1": "1 High Street",
        "address_3": "Leeds",
        "postcode": "LS1 1AA",
        "country_code": "GB",
        "email_address": "ada@example.com",
        "phone_number": "+441130000000",
    }
    assert row.attributes["external_system_reference1"] == "5500011"
    assert row.attributes["external_system_reference2"] == "6600022"
    assert row.attributes["external_system_reference3"] == "1"
    assert row.attributes["packing_notes"] == "Gift"
    assert kept["reference"] == "1031-1"


def test_picking_and_despatch_are_seen_with_tracking() -> None:
    site = Site()
    port = site.connect()
    number = int(released(port))
    site.twin.process_picks(number)
    site.twin.finish_picking(number)
    assert read_one(port, str(number)).stage is Stage.PICKING
    site.twin.dispatch(number, tracking=["JD1", "JD2", "JD1"])
    goods_out = read_one(port, str(number))
    assert (goods_out.stage, goods_out.picked, goods_out.despatched) == (Stage.COMPLETED, 3, 3)
    assert finish(port.read_parcels([str(number), "999"])) == {
        str(number): (
            Parcel(tracking_number="JD1", carrier="DPD UK"),
            Parcel(tracking_number="JD2", carrier="DPD UK"),
        )
    }


def test_recall_before_work_makes_it_vanish_and_a_second_recall_is_good_news() -> None:
    site = Site()
    port = site.connect()
    clarus_id = released(port)
    assert finish(port.send(recall(clarus_id))) == Confirmed(ids={"clarus_id": clarus_id})
    assert finish(port.read_goods_outs([GoodsOutAsk(reference="1031-1", account="ACME", clarus_id=clarus_id)])) == ()
    assert finish(port.send(recall(clarus_id))) == Confirmed(ids={"clarus_id": clarus_id}, detail={"gone": True})
    assert finish(port.send(recall(""))) == Confirmed(detail={"gone": True})


def test_recall_without_an_id_finds_it_by_reference() -> None:
    site = Site()
    port = site.connect()
    clarus_id = released(port)
    site.twin.process_picks(int(clarus_id))
    assert finish(port.send(recall(""))) == Confirmed(ids={"clarus_id": clarus_id})
    assert read_one(port, clarus_id).stage is Stage.CANCELLED


def test_recall_after_despatch_is_refused() -> None:
    site = Site()
    port = site.connect()
    number = int(released(port))
    site.twin.process_picks(number)
    site.twin.finish_picking(number)
    site.twin.dispatch(number)
    outcome = finish(port.send(recall(str(number))))
    assert isinstance(outcome, Refused)
    assert outcome.code == "WMS_REFUSED"
    assert outcome.problem.startswith("Clarus answered 422")


def test_a_creation_whose_answer_was_lost_is_adopted_when_the_tenant_refuses_the_twin() -> None:
    site = Site(duplicate_reference="refuse")
    port = site.connect()

    def lose(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.url.endswith("/goods_outs"):
            raise OutcomeUnknown("cut")
        return response

    site.transport.after = lose
    assert finish(port.send(create())) == OutcomeNotKnown(why="Clarus gave no whole answer: cut")
    site.transport.after = lambda request, response: response
    found = read_one(port)
    assert finish(port.send(create())) == Confirmed(ids={"clarus_id": found.id}, detail={"adopted": True})
    assert len(site.twin.find_by_reference("1031-1")) == 1


def test_two_goods_outs_with_one_reference_are_both_read() -> None:
    site = Site()
    port = site.connect()
    first, second = released(port), released(port)
    ask = GoodsOutAsk(reference="1031-1", account="ACME", clarus_id=first)
    found = finish(port.read_goods_outs([ask]))
    assert isinstance(found, tuple)
    assert {n.id: n.lines[0].ordered for n in found} == {first: 2, second: 2}
    outcome = finish(port.send(recall("")))
    assert isinstance(outcome, Refused)
    assert outcome.code == "DUPLICATE_SUSPECTED"


def test_an_amendment_sends_what_changed_and_the_tenant_takes_it() -> None:
    site = Site()
    port = site.connect()
    clarus_id = released(port)
    ids = tuple((n.product_code, n.id) for n in read_one(port, clarus_id).lines)
    wanted = content(
        lines=(ContentLine(line_id="71", product_code="MUG", units=5, sku="mug-blue"),),
        address=Address(name="Ada Byron", line1="2 High Street", city="Leeds", postcode="LS1 1AA", country="GB"),
        carrier=None,
        service=None,
        notes=(),
    )
    outcome = finish(port.send(amend(wanted, clarus_id=clarus_id, line_ids=ids)))
    assert outcome == Confirmed(ids={"clarus_id": clarus_id})
    goods_out = read_one(port, clarus_id)
    assert [(n.product_code, n.ordered) for n in goods_out.lines] == [("MUG", 5)]
    assert goods_out.carrier is None
    row = site.twin.find_goods_out(int(clarus_id))
    assert row is not None
    assert row.address["address_1"] == "2 High Street"
    assert not row.address.get("email_address")
    assert not row.attributes.get("packing_notes")


def test_an_amendment_follows_a_tenant_that_wants_the_required_fields() -> None:
    site = Site(patch_needs_required_fields=True)
    port = site.connect()
    clarus_id = released(port)
    wanted = content(notes=(("packing_notes", "No gift"),))
    outcome = finish(port.send(amend(wanted, clarus_id=clarus_id)))
    assert outcome == Confirmed(ids={"clarus_id": clarus_id})
    row = site.twin.find_goods_out(int(clarus_id))
    assert row is not None
    assert row.attributes["packing_notes"] == "No gift"
    assert row.attributes["expected_date_of_dispatch"][:10] == "2026-03-10"


def test_an_amendment_after_work_began_is_refused_and_changes_nothing() -> None:
    site = Site()
    port = site.connect()
    number = int(released(port))
    site.twin.process_picks(number)
    site.twin.finish_picking(number)
    outcome = finish(port.send(amend(content(notes=()), clarus_id=str(number))))
    assert isinstance(outcome, Refused)
    assert outcome.code == "WMS_REFUSED"
    row = site.twin.find_goods_out(number)
    assert row is not None
    assert row.attributes["packing_notes"] == "Gift"


@pytest.mark.parametrize("verb", ["DESTROY", "REMOVE"])
def test_the_tenants_own_word_for_deleting_a_line_is_used(verb: str) -> None:
    site = Site(line_delete_verbs=frozenset({verb}))
    port = site.connect(line_delete_verb=verb)
    clarus_id = released(port)
    ids = tuple((n.product_code, n.id) for n in read_one(port, clarus_id).lines)
    wanted = content(lines=content().lines[:1])
    assert isinstance(finish(port.send(amend(wanted, clarus_id=clarus_id, line_ids=ids))), Confirmed)
    assert [n.product_code for n in read_one(port, clarus_id).lines] == ["MUG"]


def test_many_pages_small_caps_and_every_goods_out_is_there_once() -> None:
    site = Site(page_size_cap=3)
    port = site.connect()
    asks = []
    for number in range(1, 9):
        outcome = finish(port.send(create(reference=f"{number}-1")))
        assert isinstance(outcome, Confirmed)
        known = outcome.ids["clarus_id"] if number % 2 else None
        asks.append(GoodsOutAsk(reference=f"{number}-1", account="ACME", clarus_id=known))
    found = finish(port.read_goods_outs(asks))
    assert isinstance(found, tuple)
    assert sorted(n.reference for n in found) == [f"{number}-1" for number in range(1, 9)]
    assert [len(n.lines) for n in found] == [2] * 8


def test_the_poll_sees_that_something_moved_and_only_then() -> None:
    site = Site()
    port = site.connect()
    clarus_id = released(port)
    asks = [
        GoodsOutAsk(reference="1031-1", account="ACME", clarus_id=clarus_id),
        GoodsOutAsk(reference="9999-1", account="ACME"),
    ]
    before = finish(port.poll(asks))
    assert before == finish(port.poll(asks))
    assert isinstance(before, tuple)
    assert [(row.clarus_id, row.reference) for row in before] == [(clarus_id, "1031-1")]
    site.twin.process_picks(int(clarus_id))
    after = finish(port.poll(asks))
    assert isinstance(after, tuple)
    assert after[0].fingerprint != before[0].fingerprint
    assert after[0].fingerprint.startswith("ALLOCATED:")


def test_tokens_that_end_or_are_revoked_are_renewed_without_notice() -> None:
    site = Site(token_life_seconds=600)
    port = site.connect()
    released(port)
    site.clock.advance(3600)
    assert read_one(port).reference == "1031-1"
    site.twin.revoke_tokens()
    assert isinstance(finish(port.send(recall(""))), Confirmed)
    tokens = [request for request in site.transport.requests if request.url.endswith("/oauth/token")]
    assert len(tokens) == 3


def test_wrong_credentials_are_a_persons_business() -> None:
    site = Site()
    port = site.connect(client_id="stranger")
    why = "Clarus refused the client credentials (401: invalid_client)"
    ask = GoodsOutAsk(reference="1031-1", account="ACME")
    assert finish(port.read_goods_outs([ask])) == Unreadable(why=why, code="CREDENTIALS_REFUSED")
    assert finish(port.send(create())) == NotSent(why=why, exception_code="CREDENTIALS_REFUSED")
    wrong_tenant = site.connect(subdomain="other")
    outcome = finish(wrong_tenant.send(create()))
    assert isinstance(outcome, NotSent)
    assert outcome.exception_code == "CREDENTIALS_REFUSED"
    assert site.twin.find_by_reference("1031-1") == []


def test_products_are_known_exactly_as_written() -> None:
    site = Site()
    site.twin.add_product("CAFÉ-1")
    port = site.connect()
    answer = finish(port.find_products(["MUG", "mug", "CAFE\u0301-1", "NOPE", ""]))
    assert answer.known == {"MUG", "CAFE\u0301-1"}
    assert answer.unknown == {"mug", "NOPE", ""}
    assert answer.unreadable is None


def test_a_tenant_in_another_mood_is_read_the_same() -> None:
    site = Site(ids_as_strings_in_replies=True, line_ids_in_replies=True, requests_per_second=2)
    port = site.connect()
    clarus_id = released(port)
    goods_out = read_one(port, clarus_id)
    assert dataclasses.replace(goods_out, lines=()) == GoodsOut(
        id=clarus_id,
        reference="1031-1",
        stage=Stage.PENDING,
        status_code="PENDING",
        lines=(),
        account="ACME",
        warehouse="LDS",
        carrier="DPD",
        priority=5,
    )
