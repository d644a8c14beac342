"""The REST writes: which path does what, and how refusals look on the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pickgate.http import HttpRequest, HttpResponse
from pickgate.twins.clarus import catalogue, content, orders, pick_lists, processing, stock
from pickgate.twins.clarus.automations import Automations
from pickgate.twins.clarus.refusals import ClarusRefusal, ImpossibleOnTheFloor, not_found, refuse
from pickgate.twins.clarus.sessions import answer
from pickgate.twins.clarus.tenant import Tenant

Handler = Callable[[tuple[int, ...], Any], HttpResponse]


class Rest:
    """Routes a request below the prefix to its rule. Ids in paths are integers."""

    def __init__(self, tenant: Tenant, automations: Automations) -> None:
        self._tenant = tenant
        self._automations = automations
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, re.compile(path.replace("{id}", "([0-9]+)")), handler)
            for method, path, handler in (
                ("POST", "/goods_outs", self._create_goods_out),
                ("PATCH", "/goods_outs/{id}", self._amend_goods_out),
                ("DELETE", "/goods_outs/{id}", self._delete_goods_out),
                ("POST", "/goods_outs/{id}/cancel", self._cancel_goods_out),
                ("POST", "/goods_out_processes/process_picks_async", self._process),
                ("POST", "/goods_out_processes/process_and_consolidate_picks", self._consolidate),
                ("POST", "/goods_out_processes/short_order_lines", self._short),
                ("DELETE", "/goods_out_pick_lists/{id}", self._delete_pick_list),
                ("POST", "/products", self._create_product),
                ("PATCH", "/products/{id}", self._amend_product),
                ("DELETE", "/products/{id}", self._delete_product),
                ("POST", "/products/{id}/account_products", self._assign_product),
                ("POST", "/automations", self._create_automation),
                ("PATCH", "/automations/{id}", self._amend_automation),
                ("DELETE", "/automations/{id}", self._delete_automation),
                ("POST", "/stocks/hold", self._hold),
                ("POST", "/stocks/offhold", self._release),
                ("POST", "/stocks/{id}/negative_adjustment", self._adjust),
            )
        ]

    def handle(self, request: HttpRequest, path: str) -> HttpResponse:
        """Answer one request; `path` is what follows the prefix."""
        for method, pattern, handler in self._routes:
            matched = pattern.fullmatch(path)
            if matched is None or method != request.method.upper():
                continue
            try:
                body = json.loads(request.body) if request.body else {}
                if not isinstance(body, dict):
                    raise refuse("unreadable_body", "The body must be a JSON object")
                return handler(tuple(int(part) for part in matched.groups()), body)
            except ClarusRefusal as refusal:
                return answer(refusal.status, {"errors": refusal.errors})
            except ValueError:
                unreadable = refuse("unreadable_body", "The body is not JSON")
                return answer(422, {"errors": unreadable.errors})
        missing = refuse("record_not_found", f"No such path: {path}", status=404)
        return answer(404, {"errors": missing.errors})

    # --- goods-outs -----------------------------------------------------------------------------

    def _create_goods_out(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        header = _attributes(body, "goods_outs")
        written = orders.create(self._tenant, header, _address(body) or {})
        changes = header.get("lines_changes", [])
        return answer(200, content.reply(self._tenant, written.order, changes, written.added))

    def _amend_goods_out(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        order = self._tenant.get_goods_out(ids[0])
        header = _attributes(body, "goods_outs")
        written = orders.amend(self._tenant, order, header, _address(body))
        changes = header.get("lines_changes", [])
        return answer(200, content.reply(self._tenant, order, changes, written.added))

    def _delete_goods_out(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        orders.delete(self._tenant, self._tenant.get_goods_out(ids[0]))
        return answer(204)

    def _cancel_goods_out(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        order = self._tenant.get_goods_out(ids[0])
        orders.cancel(self._tenant, order)
        return self._record(order.id, "goods_outs", {"reference": order.reference})

    def _process(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        return self._queue(body, consolidate=False)

    def _consolidate(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        return self._queue(body, consolidate=True)

    def _queue(self, body: Any, *, consolidate: bool) -> HttpResponse:
        references = processing.queue_processing(self._tenant, body.get("ids"), consolidate=consolidate)
        return answer(200, {"process_references": references})

    def _short(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        processing.short_unallocated(self._tenant, body.get("ids"), body.get("description"))
        return answer(204)

    def _delete_pick_list(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        pick_list = self._tenant.pick_lists.get(ids[0])
        if pick_list is None:
            raise not_found("pick list", ids[0])
        pick_lists.undo(self._tenant, pick_list)
        return answer(204)

    # --- products and stock ---------------------------------------------------------------------

    def _create_product(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        product = catalogue.create_product(self._tenant, _attributes(body, "products"))
        return self._record(product.id, "products", dict(product.attributes))

    def _amend_product(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        product = catalogue.amend_product(self._tenant, ids[0], _attributes(body, "products"))
        return self._record(product.id, "products", dict(product.attributes))

    def _delete_product(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        catalogue.delete_product(self._tenant, ids[0])
        return answer(204)

    def _assign_product(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        account_id = _attributes(body, "account_products").get("account_id")
        link = catalogue.assign_product(self._tenant, ids[0], account_id)
        return answer(200, {"id": link.id, "account_id": link.account_id, "product_id": link.product_id})

    def _hold(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        return self._set_held(body, held=True)

    def _release(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        return self._set_held(body, held=False)

    def _set_held(self, body: Any, *, held: bool) -> HttpResponse:
        wanted = body.get("ids") or []
        found = [self._tenant.stocks[n] for n in wanted if n in self._tenant.stocks]
        if not wanted or len(found) != len(wanted):
            symbol = "invalid_ids_provided" if wanted else "empty_ids_provided"
            raise refuse(symbol, "Some ids are not stocks", source="ids")
        for record in found:
            stock.hold(self._tenant, record, held=held)
        return self._record(found[0].id, "stocks", {"status": found[0].status})

    def _adjust(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        record = self._tenant.stocks.get(ids[0])
        if record is None:
            raise not_found("stock", ids[0])
        units = _attributes(body, "stocks").get("quantity")
        balance = self._tenant.balance(record.product_id, record.account_id, record.warehouse_id)
        if not isinstance(units, int | float) or not 0 < units <= record.quantity:
            raise refuse("stock_not_adjustable", "quantity is not in this stock", source="quantity")
        try:
            stock.change_shelf(self._tenant, balance, -float(units), because="counted_down")
        except ImpossibleOnTheFloor as problem:
            raise refuse("stock_not_adjustable", str(problem)) from problem
        return self._record(ids[0], "stocks", {"quantity": record.quantity})

    # --- automations ----------------------------------------------------------------------------

    def _create_automation(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        rule = self._automations.create(_attributes(body, "automations"))
        return self._automation(rule.id)

    def _amend_automation(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        rule = self._automations.update(ids[0], _attributes(body, "automations"))
        return self._automation(rule.id)

    def _delete_automation(self, ids: tuple[int, ...], body: Any) -> HttpResponse:
        self._automations.delete(ids[0])
        return answer(204)

    def _automation(self, automation_id: int) -> HttpResponse:
        rule = self._automations.get(automation_id)
        shown = {"resource_name": rule.resource_name, "event": rule.event, "enabled": rule.enabled}
        return self._record(rule.id, "automations", shown)

    def _record(self, record_id: int, kind: str, attributes: dict[str, Any]) -> HttpResponse:
        return answer(200, content.envelope(self._tenant, record_id, kind, attributes))


def _attributes(body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Take `data.attributes`, or raise the 422 refusal."""
    data = body.get("data")
    if not isinstance(data, dict) or data.get("type") != kind:
        raise refuse("invalid_attribute", f"data.type must be {kind}", source="data.type")
    attributes = data.get("attributes")
    if not isinstance(attributes, dict):
        raise refuse("missing_attribute", "data.attributes is required", source="data.attributes")
    return attributes


def _address(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Take `data.relationships.address.data.attributes`; None when there is none."""
    found: Any = body.get("data")
    for step in ("relationships", "address", "data", "attributes"):
        found = found.get(step) if isinstance(found, dict) else None
    if found is not None and not isinstance(found, dict):
        raise refuse("invalid_attribute", "address attributes must be an object", source="address")
    return found
