"""Webhook subscriptions: every topic once, to the right address, and nobody else's touched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.shopify_stub import ScriptedShop, answer, refusal, shop, step
from pickgate.connectors.shopify.subscriptions import TOPICS, topic_enum
from pickgate.domain.facts import Unreadable
from pickgate.flows.ports import SubscriptionReport
from pickgate.http import HttpRequest, HttpResponse, OutcomeUnknown

HERE = "https://pickgate.example/webhooks/shopify"


class Subscribed:
    """A shop that keeps subscriptions."""

    def __init__(self, *found: tuple[str, str], refuse: dict[str, str] | None = None) -> None:
        self.rows = {f"gid://shopify/WebhookSubscription/{n}": row for n, row in enumerate(found, 1)}
        self.refuse = refuse or {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        body = json.loads(request.body)
        variables = body["variables"]
        if "webhookSubscriptions(" in body["query"]:
            start = int(variables["after"] or 0)
            rows = [{"id": gid, "topic": topic, "uri": uri} for gid, (topic, uri) in self.rows.items()]
            page = rows[start : start + 10]
            more = {"hasNextPage": start + 10 < len(rows), "endCursor": str(start + 10)}
            return answer({"webhookSubscriptions": {"nodes": page, "pageInfo": more}})
        if "webhookSubscriptionCreate" in body["query"]:
            topic = variables["topic"]
            if topic in self.refuse:
                errors = [{"field": None, "message": self.refuse[topic]}]
                return answer({"webhookSubscriptionCreate": {"webhookSubscription": None, "userErrors": errors}})
            gid = f"gid://shopify/WebhookSubscription/{100 + len(self.rows)}"
            self.rows[gid] = (topic, variables["subscription"]["uri"])
            return answer({"webhookSubscriptionCreate": {"webhookSubscription": {"id": gid}, "userErrors": []}})
        del self.rows[variables["id"]]
        return answer(
            {"webhookSubscriptionDelete": {"deletedWebhookSubscriptionId": variables["id"], "userErrors": []}}
        )


def mend(shop_side: Any) -> tuple[SubscriptionReport, ScriptedShop]:
    transport = ScriptedShop(shop_side, repeat=True)
    return step(shop(transport).ensure_subscriptions(HERE)), transport


def test_everything_missing_is_created_and_the_second_time_nothing_is_done() -> None:
    there = Subscribed()
    report, _ = mend(there)
    assert report == SubscriptionReport(created=TOPICS)
    assert sorted(there.rows.values()) == sorted((topic_enum(topic), HERE) for topic in TOPICS)
    again, transport = mend(there)
    assert again == SubscriptionReport(present=TOPICS)
    assert [name for name, _ in transport.sent] == ["WebhookSubscriptions"] * 3


def test_doubles_and_former_addresses_go_and_others_stay() -> None:
    keep = [
        ("ORDERS_CREATE", HERE),
        ("ORDERS_UPDATED", "https://other.example/hooks"),
        ("ORDERS_UPDATED", "pubsub://project:topic"),
        ("CARTS_UPDATE", "https://pickgate.example/elsewhere"),
        ("CARTS_UPDATE", "http://[broken"),
    ]
    go = [
        ("ORDERS_CREATE", HERE),
        ("ORDERS_PAID", "https://former.example/webhooks/shopify"),
        ("CARTS_CREATE", HERE),
    ]
    there = Subscribed(*keep, *go)
    report, _ = mend(there)
    assert report == SubscriptionReport(
        present=("orders/create",), created=tuple(t for t in TOPICS if t != "orders/create")
    )
    wanted = [(topic_enum(topic), HERE) for topic in TOPICS]
    assert sorted(there.rows.values()) == sorted([*keep[1:], *wanted])


def test_what_cannot_be_created_is_reported_and_its_former_one_kept() -> None:
    former = ("FULFILLMENT_HOLDS_ADDED", "https://former.example/webhooks/shopify")
    there = Subscribed(former, refuse={"FULFILLMENT_HOLDS_ADDED": "You cannot create a webhook with this topic"})
    report, _ = mend(there)
    assert report.failed == ("fulfillment_holds/added",)
    assert former in there.rows.values()


def test_an_address_that_is_taken_already_is_as_good_as_created() -> None:
    there = Subscribed(refuse={"ORDERS_PAID": "Address for this topic has already been taken"})
    report, _ = mend(there)
    assert report.failed == ()
    assert "orders/paid" in report.created


@pytest.mark.parametrize(
    "reply",
    [
        HttpResponse(status=403),
        OutcomeUnknown("cut"),
        answer({"webhookSubscriptions": None}),
        answer({"webhookSubscriptions": None}, errors=[refusal("ACCESS_DENIED")]),
        answer({"webhookSubscriptions": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}}),
        answer({"webhookSubscriptions": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "x"}}}),
    ],
)
def test_when_the_list_cannot_be_read_nothing_is_touched(reply: HttpResponse | Exception) -> None:
    report, transport = mend(reply)
    assert isinstance(report.unreadable, Unreadable)
    assert (report.present, report.created, report.failed) == ((), (), ())
    assert {name for name, _ in transport.sent} == {"WebhookSubscriptions"}
