"""Small objects made for one answer: payloads, user errors, and types that the shop does not keep."""

from __future__ import annotations

from typing import Any

from pickgate.twins.shopify.model import Refused


class Answer:
    """An object of one GraphQL type with the given attributes; any other attribute reads as None."""

    def __init__(self, typename: str, **attributes: Any) -> None:
        self.__dict__.update(attributes, TYPENAME=typename)

    def __getattr__(self, name: str) -> Any:
        return None


def payload(**attributes: Any) -> Answer:
    """A mutation's payload; without errors unless given."""
    attributes.setdefault("user_errors", [])
    return Answer("", **attributes)


def user_error(refused: Refused, index: int | None = None) -> Answer:
    return Answer(
        "UserError",
        message=refused.message,
        field=refused.field,
        code=refused.code,
        element_index=index,
    )


def failed(refused: Refused, **attributes: Any) -> Answer:
    """A payload that says no."""
    return payload(user_errors=[user_error(refused)], **attributes)
