"""Domain commands -> GraphQL documents with variables, pure. Ids gain their `gid://…` here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from pickgate.connectors.shopify import documents
from pickgate.connectors.shopify.documents import Document
from pickgate.domain.commands import (
    CarryTime,
    CreateFulfilment,
    LiftLock,
    PlaceShopHold,
    ReleaseShopHold,
    ShopCommand,
    TakeLock,
)

ORIGINAL_METAFIELD = "$app:pickgate.original"
"""Where the original order's name and time are carried on its successor, as JSON."""

_MOST_LINES = 250  # of any array in one request
_MOST_HANDLE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request. `roots`: the mutations in it, each answering for itself; all must agree."""

    document: Document
    variables: Mapping[str, Any]
    roots: tuple[str, ...]


class NotSendable(Exception):
    """A command that must not be sent as it is: nothing was, and nothing will be."""

    def __init__(self, code: str, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.code = code
        self.problem = problem
        self.remedy = remedy


def split_metafield(name: str) -> tuple[str, str]:
    """Split `namespace.key` at its last dot: "$app:pickgate.lock" is ("$app:pickgate", "lock").

    Raises ValueError with the remedy when it has no dot or an empty half.
    """
    namespace, dot, key = name.rpartition(".")
    if not dot or not namespace or not key:
        raise ValueError(f'{name!r} is not a metafield; write "namespace.key", such as "$app:pickgate.lock"')
    return namespace, key


def render_command(command: ShopCommand, *, notify_customer: bool) -> tuple[Step, ...]:
    """Return the requests that carry out a command, in order. Empty: there is nothing to do. Raises NotSendable."""
    match command:
        case CreateFulfilment():
            return (_create_fulfilment(command, notify_customer=notify_customer),)
        case TakeLock():
            both = documents.ADD_TAGS_AND_SET_METAFIELDS
            lock = _lock(command, documents.ADD_TAGS, both, "tagsAdd", tag=command.add_tag)
            progress = tuple(_report_progress(share) for share in command.report_progress_on)
            if len(progress) == 1 and [step.document for step in lock] == [both]:
                return (_in_one_request(lock[0], progress[0]),)
            return (*lock, *progress)
        case LiftLock():
            both = documents.REMOVE_TAGS_AND_SET_METAFIELDS
            lock = _lock(command, documents.REMOVE_TAGS, both, "tagsRemove", tag=command.remove_tag)
            return (*lock, *(_open(share) for share in command.reopen))
        case PlaceShopHold():
            return (_place_hold(command),)
        case ReleaseShopHold():
            return (_release_holds(command),)
        case CarryTime():
            return (_carry_time(command),)
        case _:
            assert_never(command)


def _gid(kind: str, number: str) -> str:
    if not (number.isascii() and number.isdigit()):
        raise NotSendable("ID_UNUSABLE", f"{number!r} is not the number of a {kind}.", "Look at the order again.")
    return f"gid://shopify/{kind}/{number}"


def _create_fulfilment(command: CreateFulfilment, *, notify_customer: bool) -> Step:
    if not command.lines:
        raise NotSendable(
            "NO_LINES", "A fulfilment without lines would fulfil everything that remains.", "Decide again with lines."
        )
    groups: dict[str, dict[str, int]] = {}
    for line in command.lines:
        if line.units <= 0:
            raise NotSendable("NO_UNITS", f"Line {line.line_id} has {line.units} units to fulfil.", "Decide again.")
        units = groups.setdefault(_gid("FulfillmentOrder", line.fulfilment_order_id), {})
        gid = _gid("FulfillmentOrderLineItem", line.fulfilment_order_line_id)
        units[gid] = units.get(gid, 0) + line.units
    if max(len(groups), *(len(units) for units in groups.values())) > _MOST_LINES:
        raise NotSendable(
            "TOO_MANY_LINES", f"More than {_MOST_LINES} lines in one fulfilment.", "Fulfil it by hand in Shopify."
        )
    fulfillment: dict[str, Any] = {
        "notifyCustomer": notify_customer,
        "lineItemsByFulfillmentOrder": [
            {
                "fulfillmentOrderId": share,
                "fulfillmentOrderLineItems": [{"id": gid, "quantity": count} for gid, count in units.items()],
            }
            for share, units in groups.items()
        ],
    }
    tracking = _tracking(command)
    if tracking:
        fulfillment["trackingInfo"] = tracking
    return Step(
        document=documents.CREATE_FULFILLMENT, variables={"fulfillment": fulfillment}, roots=("fulfillmentCreate",)
    )


def _tracking(command: CreateFulfilment) -> dict[str, Any]:
    """`number` for one parcel and `numbers` for several: the vendor refuses both at once."""
    numbers = list(dict.fromkeys(number for number in command.tracking_numbers if number))
    tracking: dict[str, Any] = {}
    if command.carrier:
        tracking["company"] = command.carrier
    if len(numbers) == 1:
        tracking["number"] = numbers[0]
    elif numbers:
        tracking["numbers"] = numbers
    return tracking


def _lock(
    command: TakeLock | LiftLock, tags_only: Document, both: Document, tags_root: str, *, tag: bool
) -> tuple[Step, ...]:
    owner = _gid("Order", command.order_id)
    with_tag = tag and bool(command.tag)
    tags = {"id": owner, "tags": [command.tag]}
    metafields: dict[str, Any] = {}
    if command.set_metafield and command.metafield:
        metafields = _metafields(owner, command.metafield, "single_line_text_field", command.value)
    if with_tag and metafields:
        return (Step(document=both, variables={**tags, **metafields}, roots=(tags_root, "metafieldsSet")),)
    if with_tag:
        return (Step(document=tags_only, variables=tags, roots=(tags_root,)),)
    if metafields:
        return (Step(document=documents.SET_METAFIELDS, variables=metafields, roots=("metafieldsSet",)),)
    return ()


def _metafields(owner: str, name: str, kind: str, value: str) -> dict[str, Any]:
    try:
        namespace, key = split_metafield(name)
    except ValueError as error:
        raise NotSendable("METAFIELD_UNUSABLE", str(error), "Correct shops.lock.metafield.") from None
    return {
        "metafields": [{"ownerId": owner, "namespace": namespace, "key": key, "type": kind, "value": value}],
    }


def _report_progress(fulfilment_order_id: str) -> Step:
    variables = {"id": _gid("FulfillmentOrder", fulfilment_order_id)}
    return Step(document=documents.REPORT_PROGRESS, variables=variables, roots=("fulfillmentOrderReportProgress",))


def _in_one_request(lock: Step, progress: Step) -> Step:
    """The usual lock: tag, metafield and one fulfilment order's progress, for one call instead of two."""
    variables = {**lock.variables, "fulfillmentOrder": progress.variables["id"]}
    return Step(document=documents.TAKE_LOCK, variables=variables, roots=(*lock.roots, *progress.roots))


def _open(fulfilment_order_id: str) -> Step:
    variables = {"id": _gid("FulfillmentOrder", fulfilment_order_id)}
    return Step(document=documents.OPEN_FULFILLMENT_ORDER, variables=variables, roots=("fulfillmentOrderOpen",))


def _place_hold(command: PlaceShopHold) -> Step:
    if not 0 < len(command.handle) <= _MOST_HANDLE:
        raise NotSendable("HANDLE_UNUSABLE", f"A hold's handle has 1 to {_MOST_HANDLE} characters.", "Shorten it.")
    hold = {"reason": "OTHER", "handle": command.handle, "reasonNotes": command.notes}
    return Step(
        document=documents.HOLD_FULFILLMENT_ORDER,
        variables={"id": _gid("FulfillmentOrder", command.fulfilment_order_id), "hold": hold},
        roots=("fulfillmentOrderHold",),
    )


def _release_holds(command: ReleaseShopHold) -> Step:
    if not command.hold_ids:
        raise NotSendable(
            "NO_HOLDS", "A release without hold ids would release every app's holds.", "Decide again with ids."
        )
    return Step(
        document=documents.RELEASE_HOLDS,
        variables={
            "id": _gid("FulfillmentOrder", command.fulfilment_order_id),
            "holdIds": [_gid("FulfillmentHold", hold_id) for hold_id in command.hold_ids],
        },
        roots=("fulfillmentOrderReleaseHold",),
    )


def _carry_time(command: CarryTime) -> Step:
    value = {"name": command.original_name, "created_at": command.original_created_at.isoformat()}
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    owner = _gid("Order", command.order_id)
    return Step(
        document=documents.SET_METAFIELDS,
        variables=_metafields(owner, ORIGINAL_METAFIELD, "json", text),
        roots=("metafieldsSet",),
    )
