"""Automations: rules that turn an event of a record into a webhook, or process the order for picking.

A webhook carries five identifying headers and no signature; nothing in it names the event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from pickgate.twins.clarus import processing
from pickgate.twins.clarus import records as r
from pickgate.twins.clarus.refusals import ClarusRefusal, fault, not_found
from pickgate.twins.clarus.tenant import Tenant
from pickgate.twins.deliveries import Delivery

EVENTS: Mapping[str, frozenset[str]] = {
    "goods_out": frozenset({"created", "completed", "updated", "processed", "cancelled"}),
    "goods_out_pick_list": frozenset({"completed", "created", "cancelled", "picked"}),
    "goods_in": frozenset({"completed", "created", "cancelled", "moved_to_part"}),
    "stock_balance": frozenset({"updated"}),
    "stock": frozenset(
        {
            "positively_adjusted",
            "negatively_adjusted",
            "placed_on_hold",
            "released_from_hold",
            "received",
            "unreceived",
            "dispatched",
            "undispatched",
            "account_transferred",
            "picked",
        }
    ),
    "load_drop": frozenset({"dispatched"}),
    "invoice": frozenset({"submitted", "authorised", "paid"}),
    "putaway_task": frozenset({"completed"}),
    "failure_event_log": frozenset({"created"}),
    "ftp_file": frozenset({"uploaded"}),
    "ftp_import": frozenset({"failed"}),
    "daily_schedule": frozenset({"triggered"}),
    "weekly_schedule": frozenset({"triggered"}),
    "monthly_schedule": frozenset({"triggered"}),
    "one_time_schedule": frozenset({"triggered"}),
}


class Automations:
    """The tenant's rules. Hears every event by being the tenant's `on_event`."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._listening: set[tuple[str, str]] = set()
        tenant.on_event = self.hear

    def create(self, attributes: Mapping[str, Any]) -> r.Automation:
        """Make a rule from REST attributes. Raises the 422 refusal."""
        _refuse_faulty(attributes)
        rule = r.Automation(
            id=self._tenant.new_id("automations"),
            name=attributes.get("name"),
            resource_name=attributes["resource_name"],
            event=attributes["event"],
            enabled=attributes["enabled"],
            created_at=self._tenant.now(),
            conditions=[dict(change["attributes"]) for change in attributes.get("conditions_changes") or []],
            actions=[_read_action(change["attributes"]) for change in attributes.get("actions_changes") or []],
        )
        self._tenant.automations[rule.id] = rule
        self._index()
        return rule

    def update(self, automation_id: int, attributes: Mapping[str, Any]) -> r.Automation:
        """Change name, enabled, event or resource; ADD further actions. Raises 404 and 422."""
        rule = self.get(automation_id)
        current = {
            "resource_name": rule.resource_name,
            "event": rule.event,
            "enabled": rule.enabled,
        }
        _refuse_faulty(current | dict(attributes))
        for name in ("name", "resource_name", "event", "enabled"):
            if name in attributes:
                setattr(rule, name, attributes[name])
        rule.actions += [_read_action(change["attributes"]) for change in attributes.get("actions_changes") or []]
        self._index()
        return rule

    def delete(self, automation_id: int) -> None:
        """Remove a rule. Raises 404."""
        self.get(automation_id)
        del self._tenant.automations[automation_id]
        self._index()

    def get(self, automation_id: int) -> r.Automation:
        """Return a rule, or raise the 404 refusal."""
        rule = self._tenant.automations.get(automation_id)
        if rule is None:
            raise not_found("automation", automation_id)
        return rule

    def hear(self, resource: str, event: str, render: Callable[[], dict[str, Any]]) -> None:
        """An event happened: run every enabled rule for it whose conditions pass, in order of id."""
        if (resource, event) not in self._listening:
            return
        record = render()
        for rule in list(self._tenant.automations.values()):
            if rule.enabled and rule.resource_name == resource and rule.event == event:
                payload = {"data": record}
                if all(passes(condition, payload) for condition in rule.conditions):
                    for action in rule.actions:
                        self._run(rule, action, record)

    def _run(self, rule: r.Automation, action: Mapping[str, Any], record: dict[str, Any]) -> None:
        if action["destination_type"] == "process_picks" and rule.resource_name == "goods_out":
            self._tenant.call_later(
                self._tenant.knobs.process_delay_seconds,
                lambda: processing.process_if_possible(self._tenant, record["id"]),
            )
        elif action["destination_type"] == "webhook":
            self._post(rule, action["parameters"], record)

    def _post(self, rule: r.Automation, parameters: Mapping[str, str], record: dict[str, Any]) -> None:
        tenant, knobs = self._tenant, self._tenant.knobs
        if knobs.webhook_loss_chance and tenant.rng.random() < knobs.webhook_loss_chance:
            return
        copies = 1
        if knobs.webhook_duplicate_chance and tenant.rng.random() < knobs.webhook_duplicate_chance:
            copies = 2
        method = parameters.get("webhook_method", "POST").upper()
        body = record if knobs.webhook_envelope == "bare" else {"data": record}
        least, most = knobs.webhook_delay_seconds
        for _ in range(copies):
            wait = tenant.rng.uniform(least, most) if most > least else least
            tenant.deliveries.put(
                Delivery(
                    url=parameters["webhook_url"],
                    method=method,
                    headers=self._headers(rule),
                    body=b"" if method == "GET" else json.dumps(body).encode(),
                    due_at=tenant.now() + timedelta(seconds=wait),
                    topic=f"{rule.resource_name}.{rule.event}",
                )
            )

    def _headers(self, rule: r.Automation) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "X-ClarusWMS-Domain": f"https://{self._tenant.subdomain}.claruswms.example",
            "X-ClarusWMS-API-Domain": "https://clarus-api.example",
            "X-ClarusWMS-Subdomain": self._tenant.subdomain,
            "X-ClarusWMS-Automation-ID": str(rule.id),
        }
        if rule.integration_id is not None:
            headers["X-ClarusWMS-Integration-ID"] = str(rule.integration_id)
        return headers

    def _index(self) -> None:
        self._listening = {
            (rule.resource_name, rule.event) for rule in self._tenant.automations.values() if rule.enabled
        }


def passes(condition: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
    """Judge one condition on the payload. A path that leads nowhere, or to another type, fails."""
    found: Any = payload
    for step in str(condition.get("source_path", "")).split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    wanted, operator = condition.get("value"), condition.get("operator", "eq")
    if operator in ("in", "notin"):
        listed = (
            [str(item) for item in wanted]
            if isinstance(wanted, list)
            else [part.strip() for part in str(wanted).split(",")]
        )
        return bool((str(found) in listed) == (operator == "in"))
    if operator in ("eq", "neq"):
        return bool((str(found) == str(wanted)) == (operator == "eq"))
    if operator == "starts_with":
        return str(found).startswith(str(wanted))
    if operator == "matches":
        return re.search(str(wanted), str(found)) is not None
    try:
        left, right = float(found), float(str(wanted))
    except (TypeError, ValueError):
        return False
    return {
        "greater_than": left > right,
        "greater_than_eq": left >= right,
        "less_than": left < right,
        "less_than_eq": left <= right,
    }.get(str(operator), False)


def webhook_attributes(resource: str, event: str, url: str, method: str) -> dict[str, Any]:
    """The REST attributes of a rule that calls one webhook."""
    return {
        "resource_name": resource,
        "event": event,
        "enabled": True,
        "name": f"{resource} {event}",
        "actions_changes": [
            {
                "type": "ADD",
                "attributes": {
                    "destination_type": "webhook",
                    "destination_code": "default",
                    "parameters_changes": [
                        {"type": "ADD", "attributes": {"parameter_code": code, "value": value}}
                        for code, value in (("webhook_url", url), ("webhook_method", method))
                    ],
                },
            }
        ],
    }


def _read_action(attributes: Mapping[str, Any]) -> dict[str, Any]:
    parameters = {
        change["attributes"]["parameter_code"]: change["attributes"]["value"]
        for change in attributes.get("parameters_changes") or []
    }
    return {"destination_type": attributes["destination_type"], "parameters": parameters}


def _refuse_faulty(attributes: Mapping[str, Any]) -> None:
    faults = [
        fault("missing_attribute", f"{name} can't be blank", source=f"attributes.{name}")
        for name in ("resource_name", "event", "enabled")
        if attributes.get(name) is None
    ]
    events = EVENTS.get(str(attributes.get("resource_name")))
    if not faults and (events is None or attributes["event"] not in events):
        faults.append(_bad("event", "event is not an event of this resource"))
    for change in attributes.get("actions_changes") or []:
        if change.get("type") != "ADD":
            faults.append(_bad("actions_changes", "only ADD is supported here"))
            continue
        try:
            action = _read_action(change["attributes"])
        except (KeyError, TypeError):
            faults.append(_bad("actions_changes", "an action is incomplete"))
            continue
        parameters = action["parameters"]
        method = parameters.get("webhook_method", "POST").upper()
        if action["destination_type"] == "webhook" and (
            not parameters.get("webhook_url", "").startswith(("http://", "https://")) or method not in ("GET", "POST")
        ):
            faults.append(_bad("actions_changes", "a webhook needs a URL, and GET or POST"))
    if faults:
        raise ClarusRefusal(422, faults)


def _bad(name: str, details: str) -> dict[str, Any]:
    return fault("invalid_attribute", details, source=f"attributes.{name}")
