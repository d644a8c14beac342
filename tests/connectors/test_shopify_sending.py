"""Commands as requests, and what each kind of answer to a change means."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.shopify_stub import START, ScriptedShop, answer, refusal, shop, step
from pickgate.clock import VirtualClock
from pickgate.connectors.shopify.outgoing import split_metafield
from pickgate.domain.commands import (
    CarryTime,
    CreateFulfilment,
    FulfilmentLine,
    LiftLock,
    PlaceShopHold,
    ReleaseShopHold,
    ShopCommand,
    TakeLock,
)
from pickgate.flows.ports import Confirmed, NotSent, OutcomeNotKnown, Refused
from pickgate.http import HttpResponse, NothingSent, OutcomeUnknown

ORDER = "gid://shopify/Order/1"


def fulfilment(*lines: tuple[str, str, int], numbers: tuple[str, ...] = (), carrier: str = "") -> CreateFulfilment:
    return CreateFulfilment(
        reference="1031-1",
        lines=tuple(
            FulfilmentLine(fulfilment_order_id=share, fulfilment_order_line_id=line, line_id="9", units=units)
            for share, line, units in lines
        ),
        tracking_numbers=numbers,
        carrier=carrier,
        fulfilled_before=(),
    )


def take_lock(*progress: str, tag: bool = True, metafield: bool = True) -> TakeLock:
    return TakeLock(
        order_id="1",
        tag="pickgate-locked",
        metafield="$app:pickgate.lock",
        value="picking:1",
        add_tag=tag,
        set_metafield=metafield,
        report_progress_on=progress,
    )


def lift_lock(*reopen: str, tag: bool = True, metafield: bool = True) -> LiftLock:
    return LiftLock(
        order_id="1",
        tag="pickgate-locked",
        metafield="$app:pickgate.lock",
        value="open",
        remove_tag=tag,
        set_metafield=metafield,
        reopen=reopen,
    )


def done(*roots: str, **extra: Any) -> HttpResponse:
    return answer({root: {"userErrors": [], **extra} for root in roots}, requested=10)


def refused(root: str, message: str, code: str | None = None, **extra: Any) -> HttpResponse:
    error = {"field": None, "message": message} | ({"code": code} if code else {})
    return answer({root: {"userErrors": [error], **extra}}, requested=10)


LOCK_FIELD = {
    "ownerId": ORDER,
    "namespace": "$app:pickgate",
    "key": "lock",
    "type": "single_line_text_field",
    "value": "picking:1",
}
FO7, FO8 = {"id": "gid://shopify/FulfillmentOrder/7"}, {"id": "gid://shopify/FulfillmentOrder/8"}
TAGS = {"id": ORDER, "tags": ["pickgate-locked"]}
PROGRESS, OPEN = "fulfillmentOrderReportProgress", "fulfillmentOrderOpen"


@pytest.mark.parametrize(
    ("command", "replies", "requests"),
    [
        (
            take_lock("7", "8"),
            [done("tagsAdd", "metafieldsSet"), done(PROGRESS), done(PROGRESS)],
            [
                ("AddTagsAndSetMetafields", {**TAGS, "metafields": [LOCK_FIELD]}),
                ("ReportProgress", FO7),
                ("ReportProgress", FO8),
            ],
        ),
        (take_lock(metafield=False), [done("tagsAdd")], [("AddTags", TAGS)]),
        (take_lock(tag=False), [done("metafieldsSet")], [("SetMetafields", {"metafields": [LOCK_FIELD]})]),
        (take_lock("7", tag=False, metafield=False), [done(PROGRESS)], [("ReportProgress", FO7)]),
        (take_lock(tag=False, metafield=False), [], []),
        (
            lift_lock("7"),
            [done("tagsRemove", "metafieldsSet"), done(OPEN)],
            [
                ("RemoveTagsAndSetMetafields", {**TAGS, "metafields": [{**LOCK_FIELD, "value": "open"}]}),
                ("OpenFulfillmentOrder", FO7),
            ],
        ),
        (lift_lock(metafield=False), [done("tagsRemove")], [("RemoveTags", TAGS)]),
        (
            ReleaseShopHold(fulfilment_order_id="7", hold_ids=("5", "6")),
            [done("fulfillmentOrderReleaseHold")],
            [
                (
                    "ReleaseHolds",
                    {**FO7, "holdIds": ["gid://shopify/FulfillmentHold/5", "gid://shopify/FulfillmentHold/6"]},
                )
            ],
        ),
        (
            CarryTime(order_id="1", original_name="#1030 Ü", original_created_at=datetime(2026, 11, 19, 8, tzinfo=UTC)),
            [done("metafieldsSet")],
            [
                (
                    "SetMetafields",
                    {
                        "metafields": [
                            {
                                "ownerId": ORDER,
                                "namespace": "$app:pickgate",
                                "key": "original",
                                "type": "json",
                                "value": '{"name":"#1030 Ü","created_at":"2026-11-19T08:00:00+00:00"}',
                            }
                        ]
                    },
                )
            ],
        ),
    ],
)
def test_a_command_becomes_exactly_these_requests(
    command: ShopCommand, replies: list[HttpResponse], requests: list[tuple[str, dict[str, Any]]]
) -> None:
    transport = ScriptedShop(*replies)
    assert step(shop(transport).send(command)) == Confirmed()
    assert transport.sent == requests
    assert transport.replies == []


def test_a_hold_carries_its_handle() -> None:
    transport = ScriptedShop(done("fulfillmentOrderHold", fulfillmentHold={"id": "gid://shopify/FulfillmentHold/5"}))
    command = PlaceShopHold(fulfilment_order_id="7", handle="pickgate-window", notes="may still be edited")
    assert step(shop(transport).send(command)) == Confirmed(ids={"hold_id": "5"})
    hold = {"reason": "OTHER", "handle": "pickgate-window", "reasonNotes": "may still be edited"}
    assert transport.sent == [("HoldFulfillmentOrder", {**FO7, "hold": hold})]


@pytest.mark.parametrize(
    ("numbers", "carrier", "tracking"),
    [
        ((), "", None),
        (("1Z1",), "UPS", {"company": "UPS", "number": "1Z1"}),
        (("1Z1", "1Z2", "1Z1"), "UPS", {"company": "UPS", "numbers": ["1Z1", "1Z2"]}),
        ((), "UPS", {"company": "UPS"}),
        (("1Z1",), "", {"number": "1Z1"}),
    ],
)
def test_a_fulfilment_lists_its_lines_by_fulfilment_order(
    numbers: tuple[str, ...], carrier: str, tracking: dict[str, Any] | None
) -> None:
    transport = ScriptedShop(done("fulfillmentCreate", fulfillment={"id": "gid://shopify/Fulfillment/44"}))
    command = fulfilment(
        ("7", "71", 2), ("8", "81", 1), ("7", "72", 1), ("7", "71", 1), numbers=numbers, carrier=carrier
    )
    assert step(shop(transport).send(command)) == Confirmed(ids={"fulfilment_id": "44"})
    expected: dict[str, Any] = {
        "notifyCustomer": True,
        "lineItemsByFulfillmentOrder": [
            {
                "fulfillmentOrderId": FO7["id"],
                "fulfillmentOrderLineItems": [
                    {"id": "gid://shopify/FulfillmentOrderLineItem/71", "quantity": 3},
                    {"id": "gid://shopify/FulfillmentOrderLineItem/72", "quantity": 1},
                ],
            },
            {
                "fulfillmentOrderId": FO8["id"],
                "fulfillmentOrderLineItems": [{"id": "gid://shopify/FulfillmentOrderLineItem/81", "quantity": 1}],
            },
        ],
    }
    if tracking is not None:
        expected["trackingInfo"] = tracking
    assert transport.sent == [("CreateFulfillment", {"fulfillment": expected})]


def test_the_customer_may_be_left_alone() -> None:
    transport = ScriptedShop(done("fulfillmentCreate"))
    step(shop(transport, notify_customer=False).send(fulfilment(("7", "71", 1))))
    assert transport.sent[0][1]["fulfillment"]["notifyCustomer"] is False


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (fulfilment(), "NO_LINES"),
        (fulfilment(("7", "71", 0)), "NO_UNITS"),
        (fulfilment(("7", "71", 1), ("7", "72", -1)), "NO_UNITS"),
        (fulfilment(("x", "71", 1)), "ID_UNUSABLE"),
        (fulfilment(*(("7", str(number), 1) for number in range(1, 252))), "TOO_MANY_LINES"),
        (ReleaseShopHold(fulfilment_order_id="7", hold_ids=()), "NO_HOLDS"),
        (PlaceShopHold(fulfilment_order_id="7", handle="", notes=""), "HANDLE_UNUSABLE"),
        (PlaceShopHold(fulfilment_order_id="7", handle="x" * 65, notes=""), "HANDLE_UNUSABLE"),
    ],
)
def test_a_dangerous_command_is_refused_before_anything_is_sent(command: ShopCommand, code: str) -> None:
    transport = ScriptedShop()
    outcome = step(shop(transport).send(command))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.partly) == (code, False)
    assert transport.requests == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [("$app:pickgate.lock", ("$app:pickgate", "lock")), ("a.b.c", ("a.b", "c")), ("oe.cut", ("oe", "cut"))],
)
def test_a_metafield_is_split_at_its_last_dot(name: str, expected: tuple[str, str]) -> None:
    assert split_metafield(name) == expected


@pytest.mark.parametrize("name", ["", "lock", ".lock", "ns."])
def test_a_metafield_without_both_halves_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"namespace\.key"):
        split_metafield(name)


# ── what an answer means ─────────────────────────────────────────────────────────────────────────────────────────────

SHIP = fulfilment(("7", "71", 1))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            answer(
                {"fulfillmentCreate": {"fulfillment": None, "userErrors": []}},
                errors=[refusal("ACCESS_DENIED", path=["fulfillmentCreate", "fulfillment", "id"])],
            ),
            Confirmed(),
        ),
        (
            refused("fulfillmentCreate", "Invalid fulfillment order line item quantity requested."),
            Refused(
                code="QUANTITY_NOT_REMAINING",
                problem="Shopify: Invalid fulfillment order line item quantity requested.",
                remedy="Fewer units remain than left; a person compares both systems.",
            ),
        ),
        (
            refused("fulfillmentCreate", "Fulfillment order 7 has an unfulfillable status= closed."),
            Refused(
                code="FULFILMENT_ORDER_NOT_OPEN",
                problem="Shopify: Fulfillment order 7 has an unfulfillable status= closed.",
                remedy="It is on hold, closed or cancelled; see the order in Shopify.",
            ),
        ),
        (
            refused("fulfillmentCreate", "Something else."),
            Refused(
                code="SHOPIFY_REFUSED",
                problem="Shopify: Something else.",
                remedy="Read the vendor's words; correct the order in Shopify.",
            ),
        ),
        (
            answer({"fulfillmentCreate": None}, errors=[refusal("RESOURCE_NOT_FOUND", "invalid id")]),
            Refused(
                code="RESOURCE_NOT_FOUND",
                problem="Shopify: invalid id",
                remedy="Report this: the request itself is at fault.",
            ),
        ),
        (
            answer(None, errors=[refusal("argumentNotAccepted", "bad")]),
            Refused(
                code="argumentNotAccepted",
                problem="Shopify refused the request: bad",
                remedy="Report this: the request itself is at fault.",
            ),
        ),
        (
            HttpResponse(status=400),
            Refused(
                code="REQUEST_REFUSED",
                problem="Shopify refused the request (HTTP 400).",
                remedy="Report this: the request itself is at fault.",
            ),
        ),
        (
            answer(
                {"fulfillmentCreate": None},
                errors=[refusal("ACCESS_DENIED", "scope", path=["fulfillmentCreate"])],
            ),
            NotSent(
                why="Shopify denied access to fulfillmentCreate: scope",
                exception_code="CREDENTIALS_REFUSED",
            ),
        ),
        (NothingSent("refused"), NotSent(why="Shopify could not be reached: refused")),
        (OutcomeUnknown("cut"), OutcomeNotKnown(why="Shopify's answer did not come whole: cut")),
        (HttpResponse(status=500), OutcomeNotKnown(why="Shopify answered with HTTP 500.")),
        (HttpResponse(status=503), OutcomeNotKnown(why="Shopify answered with HTTP 503.")),
        (HttpResponse(status=408), OutcomeNotKnown(why="Shopify answered with HTTP 408.")),
        (
            HttpResponse(status=200, body=b"<html>"),
            OutcomeNotKnown(why="Shopify's answer is not JSON: not JSON: Expecting value at character 0"),
        ),
        (
            answer({"fulfillmentCreate": None}, errors=[refusal("INTERNAL_SERVER_ERROR")]),
            OutcomeNotKnown(why="Shopify did not say what became of fulfillmentCreate."),
        ),
        (
            answer(None, errors=[refusal("INTERNAL_SERVER_ERROR")]),
            OutcomeNotKnown(why="Shopify failed while answering (INTERNAL_SERVER_ERROR)."),
        ),
        (
            answer({"fulfillmentCreate": None}),
            OutcomeNotKnown(why="Shopify did not say what became of fulfillmentCreate."),
        ),
        (answer({}), OutcomeNotKnown(why="Shopify did not say what became of fulfillmentCreate.")),
        (
            answer({"fulfillmentCreate": {"fulfillment": None}}),
            OutcomeNotKnown(why="Shopify's answer to fulfillmentCreate cannot be read."),
        ),
        (
            answer({"fulfillmentCreate": []}),
            OutcomeNotKnown(why="Shopify's answer to fulfillmentCreate cannot be read."),
        ),
    ],
)
def test_what_an_answer_to_a_change_means(reply: HttpResponse | Exception, expected: object) -> None:
    transport = ScriptedShop(reply)
    assert step(shop(transport).send(SHIP)) == expected
    assert len(transport.requests) == 1


@pytest.mark.parametrize("status", [401, 402, 403, 404, 423, 302])
def test_a_closed_door_means_not_sent_and_a_person(status: int) -> None:
    transport = ScriptedShop(HttpResponse(status=status))
    outcome = step(shop(transport).send(SHIP))
    assert isinstance(outcome, NotSent)
    assert outcome.exception_code == "CREDENTIALS_REFUSED"
    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (
            PlaceShopHold(fulfilment_order_id="7", handle="pickgate-window", notes=""),
            refused("fulfillmentOrderHold", "taken", "DUPLICATE_FULFILLMENT_HOLD_HANDLE"),
        ),
        (
            take_lock("7", tag=False, metafield=False),
            refused(PROGRESS, "x", "FULFILLMENT_ORDER_STATUS_INVALID", fulfillmentOrder={"status": "IN_PROGRESS"}),
        ),
        (
            lift_lock("7", tag=False, metafield=False),
            refused(OPEN, "Expected fulfillment order status to be valid but it was open."),
        ),
        (lift_lock("7", tag=False, metafield=False), refused(OPEN, "x", fulfillmentOrder={"status": "OPEN"})),
    ],
)
def test_already_so_is_done(command: ShopCommand, reply: HttpResponse) -> None:
    assert step(shop(ScriptedShop(reply)).send(command)) == Confirmed()


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (
            refused(PROGRESS, "on hold", "FULFILLMENT_ORDER_STATUS_INVALID", fulfillmentOrder={"status": "ON_HOLD"}),
            "FULFILMENT_ORDER_NOT_OPEN",
        ),
        (refused(PROGRESS, "no", "MARKETPLACE_APP_NOT_ELIGIBLE", fulfillmentOrder=None), "PROGRESS_NOT_ALLOWED"),
        (refused(PROGRESS, "no", "A_NEW_CODE", fulfillmentOrder=None), "A_NEW_CODE"),
    ],
)
def test_progress_refused_after_the_tag_is_partly_done(reply: HttpResponse, code: str) -> None:
    data = json.loads(done("tagsAdd", "metafieldsSet").body)["data"] | json.loads(reply.body)["data"]
    outcome = step(shop(ScriptedShop(answer(data, requested=30))).send(take_lock("7")))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.partly) == (code, True)


def test_the_rest_not_sent_after_a_part_is_not_known_rather_than_not_sent() -> None:
    transport = ScriptedShop(done("tagsAdd", "metafieldsSet"), NothingSent("refused"))
    assert step(shop(transport).send(take_lock("7", "8"))) == OutcomeNotKnown(
        why="A part took effect, the rest was not sent: Shopify could not be reached: refused"
    )


def test_one_half_of_the_lock_refused_is_partly_done() -> None:
    reply = answer(
        {
            "tagsAdd": {"userErrors": []},
            "metafieldsSet": {"userErrors": [{"code": "APP_NOT_AUTHORIZED", "field": [], "message": "not yours"}]},
        }
    )
    transport = ScriptedShop(reply)
    assert step(shop(transport).send(take_lock("7"))) == Refused(
        code="METAFIELD_NOT_OURS",
        problem="Shopify: not yours",
        remedy="Name a metafield of this app's own namespace ($app…) in shops.lock.",
        partly=True,
    )
    assert len(transport.requests) == 1


def test_one_half_of_the_lock_throttled_is_not_known() -> None:
    errors = [refusal("THROTTLED", path=["metafieldsSet"])]
    transport = ScriptedShop(answer({"tagsAdd": {"userErrors": []}, "metafieldsSet": None}, errors=errors))
    assert step(shop(transport).send(take_lock("7"))) == OutcomeNotKnown(
        why="A part took effect, the rest was not sent: Shopify throttled metafieldsSet."
    )
    assert len(transport.requests) == 1


def test_throttled_changes_wait_for_the_bucket_and_go_on() -> None:
    clock = VirtualClock(START)
    throttled = answer(None, errors=[refusal("THROTTLED")], requested=60, available=10)
    transport = ScriptedShop(throttled, done("fulfillmentCreate"))
    assert step(shop(transport, clock=clock).send(SHIP)) == Confirmed()
    assert clock.now() - START == timedelta(seconds=0.5)


def test_http_429_waits_as_told() -> None:
    clock = VirtualClock(START)
    transport = ScriptedShop(HttpResponse(status=429, headers={"retry-after": "4"}), done("fulfillmentCreate"))
    assert step(shop(transport, clock=clock).send(SHIP)) == Confirmed()
    assert clock.now() - START == timedelta(seconds=4)


@pytest.mark.parametrize(
    ("reply", "tries", "waits_until"),
    [
        (HttpResponse(status=429, headers={"Retry-After": "600"}), 1, 600),
        (HttpResponse(status=429, headers={"Retry-After": "nan"}), 4, 8),
        (HttpResponse(status=429), 4, 8),
        (answer({"fulfillmentCreate": None}, errors=[refusal("THROTTLED")], requested=110, available=10), 4, 4),
    ],
)
def test_lasting_throttling_is_not_sent_with_a_time(reply: HttpResponse, tries: int, waits_until: float) -> None:
    clock = VirtualClock(START)
    transport = ScriptedShop(reply, repeat=True)
    outcome = step(shop(transport, clock=clock).send(SHIP))
    assert isinstance(outcome, NotSent)
    assert outcome.retry_at == START + timedelta(seconds=waits_until)
    assert outcome.exception_code is None
    assert len(transport.requests) == tries
