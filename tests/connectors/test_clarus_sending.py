"""Writes: what each answer of the tenant means, and what is looked up before and after."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from connectors.clarus_stub import (
    START,
    Catalogue,
    Reply,
    ScriptedTenant,
    amend,
    answer,
    content,
    create,
    finish,
    head,
    payload,
    recall,
    warehouse,
)
from pickgate.clock import VirtualClock
from pickgate.domain.commands import WarehouseCommand
from pickgate.domain.shop import Address
from pickgate.domain.warehouse import ContentLine
from pickgate.flows.ports import Confirmed, NotSent, Outcome, OutcomeNotKnown, Refused
from pickgate.http import HttpRequest, HttpResponse, NothingSent, OutcomeUnknown

CREATED = answer(payload("create_answer"))
NO = answer(payload("refusal"), 422)
HTML = HttpResponse(status=200, headers={"Content-Type": "text/html"}, body=b"<html>Back soon</html>")
CREATE, CANCEL, PATCH = (
    ("POST", "/api/goods_outs"),
    ("POST", "/api/goods_outs/3301/cancel"),
    ("PATCH", "/api/goods_outs/3301"),
)


class Tenant(ScriptedTenant):
    """Reads from a catalogue; answers writes with these replies in turn, the last one ever after."""

    def __init__(self, *replies: Reply, **rows: list[dict[str, Any]]) -> None:
        self.catalogue = Catalogue(**rows)
        self.replies = list(replies)
        super().__init__(self._reply)

    def _reply(self, request: HttpRequest) -> Reply:
        if urlsplit(request.url).path == "/graphql":
            return self.catalogue(request)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def sent(self, number: int = -1) -> Any:
        bodies = [request.body for request in self.requests if urlsplit(request.url).path != "/graphql"]
        return json.loads(bodies[number])


def send(tenant: ScriptedTenant, command: WarehouseCommand, **changes: Any) -> Outcome:
    return finish(warehouse(tenant, **changes).send(command))


CHANGED = amend(content(notes=()))
COMMANDS = [
    pytest.param(create(), CREATE, id="create"),
    pytest.param(recall(), CANCEL, id="recall"),
    pytest.param(CHANGED, PATCH, id="amend"),
]


@pytest.mark.parametrize(("command", "call"), COMMANDS)
@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (answer({}, 500), OutcomeNotKnown(why="Clarus answered 500")),
        (answer({}, 503, Retry_After="5"), OutcomeNotKnown(why="Clarus answered 503")),
        (answer({}, 302), OutcomeNotKnown(why="Clarus answered 302")),
        (HTML, OutcomeNotKnown(why="Clarus answered 200 with something that is not JSON (text/html)")),
        (
            answer(b'{"data": '),
            OutcomeNotKnown(why="Clarus answered 200 with something that is not JSON (application/json)"),
        ),
        (OutcomeUnknown("timed out"), OutcomeNotKnown(why="Clarus gave no whole answer: timed out")),
        (NothingSent("no route"), NotSent(why="Clarus could not be reached: no route")),
        (
            answer({}, 429, Retry_After="30"),
            NotSent(why="Clarus answered 429: too many requests", retry_at=START + timedelta(seconds=30)),
        ),
        (answer({}, 401), NotSent(why="Clarus refused access (401)", exception_code="CREDENTIALS_REFUSED")),
        (answer({}, 403), NotSent(why="Clarus refused access (403)", exception_code="CREDENTIALS_REFUSED")),
    ],
)
def test_a_write_is_sent_once(command: WarehouseCommand, call: tuple[str, str], reply: Reply, outcome: Outcome) -> None:
    tenant = Tenant(reply)
    clock = VirtualClock(START)
    got = finish(warehouse(tenant, clock, requests_per_second=1_000_000).send(command))
    if isinstance(got, NotSent) and got.retry_at is not None:
        # The pace before it took a few microseconds of the virtual clock.
        assert abs(got.retry_at - (START + timedelta(seconds=30))) < timedelta(seconds=1)
        got = NotSent(why=got.why, retry_at=START + timedelta(seconds=30), exception_code=got.exception_code)
    assert got == outcome
    times = 2 if isinstance(reply, HttpResponse) and reply.status == 401 else 1
    assert tenant.writes == [call] * times


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (CREATED, Confirmed(ids={"clarus_id": "3301"})),
        (answer({"id": "x-1"}), Confirmed(ids={"clarus_id": "x-1"})),
        (answer({"data": {"id": "3301"}}, 201), Confirmed(ids={"clarus_id": "3301"})),
        (answer({"data": {}}), OutcomeNotKnown(why="Clarus answered 200 to a creation without an id")),
        (answer(b""), OutcomeNotKnown(why="Clarus answered 200 to a creation without an id")),
    ],
)
def test_answers_to_a_creation(reply: Reply, outcome: Outcome) -> None:
    assert send(Tenant(reply), create()) == outcome


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_after_a_refused_creation_it_is_looked_up_and_not_found(status: int) -> None:
    tenant = Tenant(answer(payload("refusal"), status))
    assert send(tenant, create()) == Refused(
        code="WMS_REFUSED",
        problem=f"Clarus answered {status}: not_today: The tenant says no (reference)",
        remedy="Correct the order or the record in Clarus that it names, then look at the order again.",
    )
    assert tenant.writes == [CREATE]
    assert ("goods_outs", {"reference": {"in": ["1031-1"]}}) in tenant.catalogue.asked


def test_after_a_refused_creation_the_one_that_is_there_is_adopted() -> None:
    rows = [head(900, "1031-1", status="CANCELLED"), head(77, "1031-1"), head(99, "1031-1", account="OTHER")]
    tenant = Tenant(NO, goods_outs=rows)
    assert send(tenant, create()) == Confirmed(ids={"clarus_id": "77"}, detail={"adopted": True})
    assert tenant.writes == [CREATE]


def test_after_a_refused_creation_a_failed_look_up_leaves_the_outcome_open() -> None:
    tenant = Tenant(NO)
    reads = tenant.handler

    def handler(request: HttpRequest) -> Reply:
        return answer({}, 500) if b"GoodsOuts" in request.body else reads(request)

    tenant.handler = handler
    assert send(tenant, create()) == OutcomeNotKnown(
        why="Clarus answered 422: not_today: The tenant says no (reference); "
        "looking the reference up failed: Clarus answered 500"
    )


def test_a_wrong_address_is_not_a_refusal_of_the_order() -> None:
    outcome = send(Tenant(answer(b"<html>", 404)), create())
    assert isinstance(outcome, NotSent)
    assert outcome.exception_code == "WMS_REFUSED"
    assert "clarus.api_prefix" in outcome.why


def test_a_stale_product_id_heals_itself() -> None:
    tenant = Tenant(NO, CREATED)
    port = warehouse(tenant)
    finish(port.find_products(["MUG", "CAP"]))
    tenant.catalogue.rows["products"][0] = {"id": "5001", "code": "MUG"}
    assert finish(port.send(create())) == Confirmed(ids={"clarus_id": "3301"})
    ids = [
        [change["attributes"]["product_id"] for change in tenant.sent(n)["data"]["attributes"]["lines_changes"]]
        for n in (0, 1)
    ]
    assert ids == [[1001, 1002], [5001, 1002]]


def test_a_product_that_went_away_is_found_out() -> None:
    tenant = Tenant(NO)
    port = warehouse(tenant)
    finish(port.find_products(["MUG", "CAP"]))
    tenant.catalogue.rows["products"] = [{"id": "1002", "code": "CAP"}]
    assert finish(port.send(create())) == Refused(
        code="SKU_UNMAPPED",
        problem="Clarus knows no product with the code 'MUG'",
        remedy="Create the product in Clarus, or map the SKU in skus.csv.",
    )
    assert tenant.writes == [CREATE]


@pytest.mark.parametrize(
    ("changes", "code", "problem"),
    [
        ({"account": "NOPE"}, "LOCATION_UNMAPPED", "Clarus knows no account with the code 'NOPE'"),
        ({"account": ""}, "LOCATION_UNMAPPED", "Clarus knows no account with the code ''"),
        ({"warehouse": "NOPE"}, "LOCATION_UNMAPPED", "Clarus knows no warehouse with the code 'NOPE'"),
        ({"carrier": "NOPE"}, "SERVICE_UNMAPPED", "Clarus knows no carrier with the code 'NOPE'"),
        ({"service": "NOPE"}, "SERVICE_UNMAPPED", "Clarus knows no carrier service with the code 'DPD/NOPE'"),
        ({"service": None}, "SERVICE_UNMAPPED", "Carrier 'DPD' and service '' make half a pair"),
        (
            {"lines": (ContentLine(line_id="1", product_code="NOPE", units=1),)},
            "SKU_UNMAPPED",
            "Clarus knows no product with the code 'NOPE'",
        ),
        (
            {"address": Address(line1="x" * 81)},
            "ADDRESS_UNUSABLE",
            "address_1 has 81 characters, and Clarus takes 80",
        ),
        ({"notes": (("gift", "x"),)}, "WMS_REFUSED", None),
        (
            {"notes": (("packing_notes", "x" * 256),)},
            "WMS_REFUSED",
            "packing_notes has 256 characters, and Clarus takes 255",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["create", "amend"])
def test_what_can_be_known_before_is_refused_before(
    kind: str, changes: dict[str, Any], code: str, problem: str | None
) -> None:
    tenant = Tenant(CREATED)
    wanted = content(**changes)
    outcome = send(tenant, create(content=wanted) if kind == "create" else amend(wanted))
    assert isinstance(outcome, Refused)
    assert outcome.code == code
    assert problem is None or outcome.problem == problem
    assert outcome.remedy != ""
    assert tenant.writes == []


@pytest.mark.parametrize("command", [create(), CHANGED, recall("")])
def test_a_failed_look_up_before_the_write_means_not_sent(command: WarehouseCommand) -> None:
    tenant = ScriptedTenant(lambda request: answer({}, 502))
    assert send(tenant, command) == NotSent(why="Clarus answered 502")
    assert tenant.writes == []


# recall


@pytest.mark.parametrize("reply", [answer({"data": {"id": 3301}}), HttpResponse(status=204), answer(b"")])
def test_a_recall_that_was_taken(reply: Reply) -> None:
    tenant = Tenant(reply)
    assert send(tenant, recall()) == Confirmed(ids={"clarus_id": "3301"})
    assert tenant.writes == [CANCEL]
    assert tenant.requests[-1].body == b""


def test_a_recall_of_what_is_gone() -> None:
    assert send(Tenant(answer({}, 404)), recall()) == Confirmed(ids={"clarus_id": "3301"}, detail={"gone": True})
    assert send(Tenant(NO, goods_outs=[head(3301, "1031-1", status="CANCELLED")]), recall("")) == Confirmed(
        detail={"gone": True}
    )


def test_a_recall_by_reference_takes_the_live_one() -> None:
    rows = [head(3300, "1031-1", status="CANCELLED"), head(3301, "1031-1", status="PICK")]
    tenant = Tenant(answer({"data": {}}), goods_outs=rows)
    assert send(tenant, recall("")) == Confirmed(ids={"clarus_id": "3301"})
    assert tenant.writes == [CANCEL]


def test_a_recall_by_reference_does_not_choose_among_several() -> None:
    tenant = Tenant(CREATED, goods_outs=[head(3300, "1031-1"), head(3301, "1031-1")])
    assert send(tenant, recall("")) == Refused(
        code="DUPLICATE_SUSPECTED",
        problem="2 goods-outs in Clarus carry the reference 1031-1",
        remedy="Cancel the ones in Clarus that must not be sent.",
    )
    assert tenant.writes == []


@pytest.mark.parametrize(
    ("status", "confirmed"), [("CANCELLED", True), ("cancelled", True), ("COMPLETED", False), ("PICK", False)]
)
def test_a_refused_recall_of_a_cancelled_one_is_good_news(status: str, confirmed: bool) -> None:
    outcome = send(Tenant(NO, goods_outs=[head(3301, "1031-1", status=status)]), recall())
    if confirmed:
        assert outcome == Confirmed(ids={"clarus_id": "3301"}, detail={"cancelled": True})
    else:
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.problem) == (
            "WMS_REFUSED",
            "Clarus answered 422: not_today: The tenant says no (reference)",
        )


def test_a_recall_answered_with_a_list_is_open() -> None:
    assert isinstance(send(Tenant(answer([1])), recall()), OutcomeNotKnown)


# amend


def test_an_amendment_of_nothing_sends_nothing() -> None:
    tenant = Tenant(CREATED)
    assert send(tenant, amend(content())) == Confirmed(ids={"clarus_id": "3301"}, detail={"unchanged": True})
    assert tenant.writes == []


def test_an_amendment_is_partial() -> None:
    tenant = Tenant(CREATED)
    assert send(tenant, CHANGED) == Confirmed(ids={"clarus_id": "3301"})
    assert tenant.writes == [PATCH]
    assert tenant.sent() == {"data": {"type": "goods_outs", "attributes": {"packing_notes": None, "string1": None}}}


NEEDS = answer({"errors": [{"symbol": "missing", "details": "account_id can't be blank", "source": None}]}, 422)


@pytest.mark.parametrize(
    ("shown", "sent"),
    [
        ("2026-03-11", "2026-03-11T12:00:00+00:00"),
        ("2026-03-11T16:00:00.000+01:00", "2026-03-11T16:00:00+01:00"),
    ],
)
def test_a_tenant_that_names_the_required_fields_gets_them(shown: str, sent: str) -> None:
    row = {**head(3301, "1031-1"), "expected_date_of_dispatch": shown}
    tenant = Tenant(NEEDS, CREATED, goods_outs=[row])
    assert send(tenant, CHANGED) == Confirmed(ids={"clarus_id": "3301"})
    assert tenant.writes == [PATCH, PATCH]
    assert tenant.sent()["data"]["attributes"] == {
        "goods_out_type": "sales_order",
        "account_id": 1,
        "reference": "1031-1",
        "expected_date_of_dispatch": sent,
        "packing_notes": None,
        "string1": None,
    }


@pytest.mark.parametrize("shown", [None, "soon"])
def test_without_a_date_to_repeat_the_refusal_stands(shown: str | None) -> None:
    row = {**head(3301, "1031-1"), "expected_date_of_dispatch": shown}
    tenant = Tenant(NEEDS, CREATED, goods_outs=[row])
    outcome = send(tenant, CHANGED)
    assert isinstance(outcome, Refused)
    assert tenant.writes == [PATCH]


@pytest.mark.parametrize(
    ("reply", "code"),
    [(NO, "WMS_REFUSED"), (answer({}, 404), "WMS_ORDER_MISSING"), (answer({}, 400), "WMS_REFUSED")],
)
def test_a_refused_amendment(reply: Reply, code: str) -> None:
    outcome = send(Tenant(reply), CHANGED)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


def test_an_amendment_answered_with_nothing_is_open() -> None:
    assert isinstance(send(Tenant(HttpResponse(status=204)), CHANGED), OutcomeNotKnown)


def test_lines_that_were_never_read_are_not_amended() -> None:
    tenant = Tenant(CREATED)
    outcome = send(tenant, amend(content(lines=content().lines[:1]), line_ids=()))
    assert isinstance(outcome, Refused)
    assert outcome.code == "WMS_REFUSED"
    assert tenant.writes == []
