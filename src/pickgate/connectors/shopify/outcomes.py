"""What a mutation's answer means: done, refused, not executed, or nobody knows. Pure."""

from __future__ import annotations

from typing import Any

from pickgate.connectors.shopify.client import Answer
from pickgate.connectors.shopify.errors import (
    CREDENTIALS_REFUSED,
    AccessRefused,
    CallFailed,
    OutcomeUnclear,
    RequestRefused,
    Throttled,
    TooCostly,
    UserError,
    explain,
)
from pickgate.flows.ports import Confirmed, NotSent, Outcome, OutcomeNotKnown, Refused


def outcome_of_failure(error: CallFailed) -> Outcome:
    """Translate a change that brought no answer with data."""
    match error:
        case OutcomeUnclear():
            return OutcomeNotKnown(why=error.why)
        case RequestRefused() | TooCostly():
            code = error.code if isinstance(error, RequestRefused) else "MAX_COST_EXCEEDED"
            return Refused(code=code, problem=error.why, remedy="Report this: the request itself is at fault.")
        case Throttled():
            return NotSent(why=error.why, retry_at=error.retry_at)
        case AccessRefused():
            return NotSent(why=error.why, exception_code=CREDENTIALS_REFUSED)
        case _:
            return NotSent(why=error.why)


def outcome_of_root(answer: Answer, root: str) -> Outcome:
    """Say what became of one mutation of an answered request.

    A payload without `userErrors` has taken effect, whatever top-level errors stand beside it: they spoil what was
    selected, not what was done.
    """
    payload = answer.data.get(root)
    if isinstance(payload, dict):
        errors = _parse_user_errors(payload.get("userErrors"))
        if errors is None:
            return OutcomeNotKnown(why=f"Shopify's answer to {root} cannot be read.")
        errors = tuple(error for error in errors if not _already_so(root, error, payload))
        if not errors:
            return Confirmed(ids=_ids(payload))
        if any(error.code == "INTERNAL_ERROR" for error in errors):
            return OutcomeNotKnown(why=f"Shopify failed inside {root}: {errors[0].message}")
        meaning = explain(errors[0])
        problem = "; ".join(dict.fromkeys(error.message for error in errors))
        return Refused(code=meaning.code, problem=f"Shopify: {problem}", remedy=meaning.remedy)
    if payload is not None:
        return OutcomeNotKnown(why=f"Shopify's answer to {root} cannot be read.")
    concerning = [problem for problem in answer.problems if not problem.path or problem.path[0] == root]
    if not concerning or any(problem.is_unclear for problem in concerning):
        return OutcomeNotKnown(why=f"Shopify did not say what became of {root}.")
    first = concerning[0]
    if first.is_access:
        return NotSent(why=f"Shopify denied access to {root}: {first.message}", exception_code=CREDENTIALS_REFUSED)
    if first.code == "THROTTLED":
        return NotSent(why=f"Shopify throttled {root}.")
    if not first.code:
        return OutcomeNotKnown(why=f"Shopify failed at {root} without a code: {first.message}")
    return Refused(
        code=first.code,
        problem=f"Shopify: {first.message}",
        remedy="Report this: the request itself is at fault.",
    )


def _parse_user_errors(raw: Any) -> tuple[UserError, ...] | None:
    if not isinstance(raw, list):
        return None
    found = []
    for item in raw:
        if not isinstance(item, dict):
            return None
        code, message, field = item.get("code"), item.get("message"), item.get("field")
        found.append(
            UserError(
                code=code if isinstance(code, str) else "",
                message=message[:500] if isinstance(message, str) else "no message",
                field=".".join(str(step) for step in field) if isinstance(field, list) else "",
            )
        )
    return tuple(found)


def _already_so(root: str, error: UserError, payload: dict[str, Any]) -> bool:
    """Whether a refusal only says that the wanted state is there already."""
    share = payload.get("fulfillmentOrder")
    status = share.get("status") if isinstance(share, dict) else None
    text = error.message.casefold()
    match root:
        case "fulfillmentOrderHold":
            return error.code == "DUPLICATE_FULFILLMENT_HOLD_HANDLE"
        case "fulfillmentOrderReportProgress":
            return status == "IN_PROGRESS" or "already" in text
        case "fulfillmentOrderOpen":
            return status == "OPEN" or "but it was open" in text
        case "webhookSubscriptionCreate":
            return "already been taken" in text
        case _:
            return False


_IDS = {
    "fulfillment": "fulfilment_id",
    "fulfillmentHold": "hold_id",
    "webhookSubscription": "subscription_id",
}


def _ids(payload: dict[str, Any]) -> dict[str, str]:
    ids = {}
    for field, name in _IDS.items():
        thing = payload.get(field)
        gid = thing.get("id") if isinstance(thing, dict) else None
        if isinstance(gid, str):
            ids[name] = gid.rpartition("/")[2].partition("?")[0]
    return ids
