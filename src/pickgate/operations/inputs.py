"""What operations ask for. Unknown keys are refused, so that a misspelt filter never means "everything"."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("needs a time zone, such as 2026-07-01T12:00:00Z")
    return value.astimezone(UTC)


def read_several(value: object) -> object:
    """Read "a,b" and ["a,b", "c"] alike: query strings and forms repeat a name or list with commas."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, (list, tuple)):
        return [part.strip() for item in value for part in str(item).split(",") if part.strip()]
    return value


Instant = Annotated[datetime, AfterValidator(_utc)]
Several = Annotated[list[str], BeforeValidator(read_several), Field(max_length=50)]
# As large as every program and column takes: JavaScript counts to 2**53, a rulebook's column to 2**31.
RowId = Annotated[int, Field(ge=1, le=2**53 - 1)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Ids = Annotated[list[RowId], BeforeValidator(read_several), Field(min_length=1, max_length=500)]
Ref = Annotated[str, Field(min_length=1, max_length=100, description="Pickgate id, Shopify id, or order name")]
Words = Annotated[str, Field(min_length=3, max_length=500, description="Why, for the audit and for colleagues")]


def _texts(value: object) -> Iterator[str]:
    """Yield every text inside a value of JSON, names included."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            todo += [*item, *item.values()]
        elif isinstance(item, list | tuple):
            todo += item


def _is_storable(text: str) -> bool:
    """Say whether a text has no control characters, and no half of a pair of surrogates."""
    return not any((sign < " " and sign not in "\n\r\t") or "\ud800" <= sign <= "\udfff" for sign in text)


class Ask(BaseModel):
    """Any input."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _no_control_characters(cls, value: Any) -> Any:
        """Refuse what no database stores and no person means; line breaks and tabs are fine."""
        for name, item in value.items() if isinstance(value, dict) else ():
            if any(not _is_storable(text) for text in _texts(item)):
                raise ValueError(f"{name} has control characters")
        return value


class Nothing(Ask):
    """No input."""


class Paged(Ask):
    """`cursor` is the `next_cursor` of the page before; `offset` counts from the first."""

    limit: int = Field(default=50, ge=1, le=200)
    offset: int = Field(default=0, ge=0, le=100_000)
    cursor: str | None = Field(default=None, pattern=r"^o\d{1,6}$")

    @model_validator(mode="after")
    def _cursor_is_an_offset(self) -> Paged:
        if self.cursor is not None:
            self.offset = int(self.cursor[1:])
        return self


class Change(Ask):
    """Anything that records something."""

    reason: str = Field(default="", max_length=500, description="Why, for the audit and for colleagues")
    dry_run: bool = Field(default=False, description="Only say what would change")


class OneOrder(Ask):
    ref: Ref
    shop: str | None = Field(default=None, max_length=31, description="The shop's key, when a name is in two shops")


class OrderChange(Change):
    ref: Ref
    shop: str | None = Field(default=None, max_length=31, description="The shop's key, when a name is in two shops")
    expected: str | None = Field(
        default=None, max_length=64, description="The order's `version` that you saw; a newer one refuses the change"
    )


class OrderChangeWithReason(OrderChange):
    reason: Words


class ExceptionsChange(Change):
    ids: Ids
    expected: Several = Field(
        default_factory=list,
        description="The `version` that you saw of each exception, in the order of `ids`; empty: any",
    )

    @model_validator(mode="after")
    def _as_many_versions_as_ids(self) -> ExceptionsChange:
        if self.expected and len(self.expected) != len(self.ids):
            raise ValueError("expected needs one version for each of ids, or none")
        return self


OrderSort = Literal["created_at", "-created_at", "next_look_at", "-next_look_at", "name", "-name", "state", "-state"]
ExceptionSort = Literal["due_at", "-due_at", "opened_at", "-opened_at", "severity", "-severity", "code", "-code"]
StateName = Literal[
    "ignored",
    "waiting",
    "releasing",
    "in_warehouse",
    "picking",
    "part_despatched",
    "despatched",
    "cancelled",
    "superseded",
    "stopped",
]
TeamName = Literal["ops", "cx", "finance", "ecommerce"]
