"""The shop with its two sides: HTTP for API clients, plain methods for shoppers, staff and other apps."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pickgate.clock import Clock
from pickgate.http import HttpRequest, HttpResponse
from pickgate.twins.deliveries import Delivery
from pickgate.twins.shopify import (
    changing,
    editing,
    fulfilling,
    holding,
    paying,
    refunding,
    returning,
    selling,
    splitting,
    stock,
)
from pickgate.twins.shopify.bulk import RESULTS, result_of
from pickgate.twins.shopify.catalogue import App
from pickgate.twins.shopify.graph.cost import Bucket
from pickgate.twins.shopify.graph.documents import operations_of
from pickgate.twins.shopify.graph.plan import Request
from pickgate.twins.shopify.graph.queries import LIVE_VERSIONS, SCOPES
from pickgate.twins.shopify.hooks import WebhookSubscription
from pickgate.twins.shopify.knobs import ShopifyKnobs
from pickgate.twins.shopify.state import ShopState

DEFAULT_KNOBS = ShopifyKnobs()


class ShopifyTwin(ShopState):
    """
    One simulated shop.

    Args:
        clock: whose time it lives in. rng: its seed; equal seeds and equal calls give equal histories.
        domain: `example.myshopify.com`.
        client_secret: signs webhooks. access_token: the token of the app under test.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        rng: random.Random,
        domain: str,
        client_secret: str,
        access_token: str,
        knobs: ShopifyKnobs = DEFAULT_KNOBS,
        client_id: str = "pickgate",
        app_title: str = "Pickgate",
    ) -> None:
        super().__init__(clock=clock, rng=rng, domain=domain, client_secret=client_secret, knobs=knobs)
        self.client_id = client_id
        self.app = self.add_app(app_title)
        self.requests: Counter[str] = Counter()
        """Root fields run so far, by name, and refusals by their status or code."""
        self._tokens: dict[str, tuple[App, datetime | None]] = {access_token: (self.app, None)}
        self._buckets: dict[str, Bucket] = {}
        self._token_count = 0

    # the side of shoppers, staff and other apps

    create_order = selling.create_order
    edit_order = editing.edit_order
    update_address = changing.update_address
    update_note = changing.update_note
    add_tags = changing.add_tags
    remove_tags = changing.remove_tags
    set_tags = changing.set_tags
    set_metafield = changing.set_metafield
    archive = changing.archive
    unarchive = changing.unarchive
    authorize = paying.authorize
    capture = paying.capture
    mark_paid = paying.mark_paid
    pay_outstanding = paying.pay_outstanding
    begin_pending_payment = paying.begin_pending_payment
    refund = refunding.refund
    cancel_order = refunding.cancel_order
    request_return = returning.request_return
    start_return = returning.start_return
    close_return = returning.close_return
    hold = holding.hold
    release_hold = holding.release_hold
    report_progress = splitting.report_progress
    open_fulfillment_order = splitting.open_fulfillment_order
    move_fulfillment_order = splitting.move_fulfillment_order
    split_fulfillment_order = splitting.split_fulfillment_order
    merge_fulfillment_orders = splitting.merge_fulfillment_orders
    cancel_fulfillment_order = splitting.cancel_fulfillment_order
    answer_request = splitting.answer_request
    create_fulfillment = fulfilling.create_fulfillment
    update_tracking = fulfilling.update_tracking
    add_event = fulfilling.add_event
    cancel_fulfillment = fulfilling.cancel_fulfillment
    set_stock = stock.set_stock

    # webhooks

    def subscribe(self, topic: str, url: str, *, by_api: bool = True) -> WebhookSubscription:
        """Subscribe `url` to a topic (`orders/updated` or ORDERS_UPDATED)."""
        return self.hooks.subscribe(topic, url, by_api=by_api)

    def delivery_succeeded(self, delivery: Delivery) -> None:
        """Tell the shop that a webhook was answered with 2xx in time."""
        self.hooks.delivery_succeeded(delivery)

    def delivery_failed(self, delivery: Delivery) -> bool:
        """Tell the shop that a webhook was not taken. Returns whether the subscription still stands."""
        return self.hooks.delivery_failed(delivery)

    # the API's side

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one request to the Admin API or to the token endpoint."""
        self.tick()
        url = urlsplit(request.url)
        path = url.path.rstrip("/")
        if path.startswith(RESULTS):
            return result_of(self, path, request)
        self.seen_at = f"{url.scheme}://{url.netloc}"
        if path == "/admin/oauth/access_token":
            return self._grant(request)
        parts = path.split("/")
        if len(parts) != 5 or parts[:3] != ["", "admin", "api"] or parts[4] != "graphql.json":
            return _reply(404, {"errors": "Not Found"})
        if request.method != "POST":
            return _reply(405, {"errors": "Method Not Allowed"})
        app = self._app_of(request.header("X-Shopify-Access-Token"))
        if app is None:
            self.requests["401"] += 1
            message = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return _reply(401, {"errors": message})
        version = parts[3] if parts[3] in LIVE_VERSIONS else LIVE_VERSIONS[0]
        try:
            asked = json.loads(request.body)
            text = asked["query"]
        except (ValueError, KeyError, TypeError):
            return _reply(400, {"errors": "Bad Request"})
        answer = self._answer(app, text, asked.get("variables") or {}, asked.get("operationName"))
        return _reply(200, answer, {"X-Shopify-API-Version": version})

    def _answer(self, app: App, text: str, variables: Mapping[str, Any], name: str | None) -> dict[str, Any]:
        found = operations_of(text)
        if isinstance(found, tuple):
            self.requests["invalid"] += 1
            return {"errors": [_error(message, "GRAPHQL_VALIDATION_FAILED") for message in found]}
        operation = found.get(name or "") if name or len(found) != 1 else next(iter(found.values()))
        if operation is None:
            return {"errors": [_error("No operation of that name", "BAD_REQUEST")]}
        try:
            coerced = operation.variables(variables)
        except ValueError as error:
            return {"errors": [_error(str(error), "INVALID_VARIABLE")]}
        bucket = self._buckets.setdefault(app.id, Bucket(self.knobs.bucket_size, self.knobs.restore_rate))
        available, cost = bucket.available(self.now().timestamp()), operation.cost(coerced)
        if cost > self.knobs.max_query_cost:
            self.requests["MAX_COST_EXCEEDED"] += 1
            message = f"Query cost is {cost}, which exceeds the single query max cost limit (1000)."
            return {
                "errors": [{**_error(message, "MAX_COST_EXCEEDED"), "cost": cost}],
                "extensions": self._cost(cost, None, available),
            }
        if cost > available:
            self.requests["THROTTLED"] += 1
            return {
                "errors": [_error("Throttled", "THROTTLED")],
                "extensions": self._cost(cost, None, available),
            }
        run = Request(self, app, coerced)
        data = operation.run(run)
        for field in operation.roots():
            self.requests[field] += 1
        actual = cost if operation.kind == "mutation" else min(cost, max(run.objects, 1))
        bucket.take(actual)
        answer: dict[str, Any] = {"data": data}
        if run.errors:
            answer["errors"] = run.errors
        answer["extensions"] = self._cost(cost, actual, available - actual)
        return answer

    def _cost(self, requested: int, actual: int | None, available: float) -> dict[str, Any]:
        return {
            "cost": {
                "requestedQueryCost": requested,
                "actualQueryCost": actual,
                "throttleStatus": {
                    "maximumAvailable": self.knobs.bucket_size,
                    "currentlyAvailable": int(available),
                    "restoreRate": self.knobs.restore_rate,
                },
            }
        }

    # tokens

    def add_token(self, app: App, token: str) -> None:
        """Let another app call the API with this token."""
        self._tokens[token] = (app, None)

    def revoke_token(self, token: str) -> None:
        """From now on the token is answered with 401."""
        self._tokens.pop(token, None)

    def _app_of(self, token: str | None) -> App | None:
        known = self._tokens.get(token or "")
        if known is None or (known[1] is not None and known[1] <= self.now()):
            return None
        return known[0]

    def _grant(self, request: HttpRequest) -> HttpResponse:
        given = self._form(request)
        wanted = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        if request.method != "POST" or any(given.get(k) != v for k, v in wanted.items()):
            self.requests["400"] += 1
            return _reply(400, {"error": "invalid_client"})
        self._token_count += 1
        token = f"shpat_{self._token_count:032x}"
        seconds = self.knobs.token_seconds
        self._tokens[token] = (self.app, self.now() + timedelta(seconds=seconds))
        return _reply(200, {"access_token": token, "scope": ",".join(SCOPES), "expires_in": seconds - 1})

    def _form(self, request: HttpRequest) -> dict[str, Any]:
        if "json" in (request.header("Content-Type") or ""):
            try:
                parsed = json.loads(request.body)
            except ValueError:
                return {}
            return parsed if isinstance(parsed, dict) else {}
        return {k: v[0] for k, v in parse_qs(request.body.decode("utf-8", "replace")).items()}


def _error(message: str, code: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


def _reply(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> HttpResponse:
    return HttpResponse(
        status=status,
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
        body=json.dumps(body, separators=(",", ":")).encode(),
    )
