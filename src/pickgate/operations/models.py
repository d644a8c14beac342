"""The shapes in which operations answer. Key names are frozen; new ones may be added.

Each model reads a mapping or an object with the same attribute names, so that a store's rows fit without copying.
Times are UTC. Ids of orders and exceptions are Pickgate's own, whole numbers; `shopify_id` is the shop's, as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True, extra="ignore")


Item = TypeVar("Item", bound=BaseModel)


class Page(Shape, Generic[Item]):
    """One page of a list. `next_cursor` None: that was the last."""

    items: list[Item]
    total: int = Field(description="How many there are on all pages")
    next_cursor: str | None = None


class GateShape(Shape):
    code: str
    detail: str = ""
    until: datetime | None = Field(default=None, description="When time alone opens it")
    opens_when: str = Field(default="", description="What opens it, when time alone does not")
    by_person: bool = Field(default=True, description="Whether `release_order` opens it")
    since: datetime | None = Field(default=None, description="Closed continuously since")


class GoodsOutLineShape(Shape):
    product_code: str
    quantity: int
    picked: int = 0
    despatched: int = 0


class GoodsOutShape(Shape):
    reference: str
    clarus_id: str | None = None
    generation: int = 1
    stage: str = Field(default="", description="The warehouse's status code when last read; empty: not read yet")
    state: str = Field(default="", description="What Pickgate knows of it: creating, live, recalling, recalled, …")
    account: str = ""
    warehouse: str = ""
    carrier: str | None = None
    service: str | None = None
    priority: int | None = None
    lines: list[GoodsOutLineShape] = Field(default_factory=list)


class ComparisonShape(Shape):
    """One order line in the three systems, in units of the shop's line."""

    line_id: str
    title: str = ""
    sku: str = ""
    shop_units: int = 0
    decided_units: int = 0
    warehouse_units: int = 0
    picked: int = 0
    despatched: int = 0
    fulfilled: int = 0
    differs: bool = False


class JournalShape(Shape):
    at: datetime
    kind: str
    detail: Any = None
    body_id: int | None = Field(default=None, description="The raw body behind this entry, while it is kept")


class EffectShape(Shape):
    key: str
    kind: str
    target: str = ""
    state: str = Field(description="intended, sent, confirmed, refused, unknown or lost")
    at: datetime | None = None
    sent_at: datetime | None = None
    finished_at: datetime | None = None
    attempts: int = 0
    code: str | None = Field(default=None, description="Why it was refused")
    problem: str | None = None
    note: str = ""
    shop: str = ""
    order_id: int | None = None
    order_name: str = ""


class ExceptionShape(Shape):
    id: int
    code: str
    order_id: int | None = None
    order_name: str | None = None
    shop: str = ""
    owner: str = Field(description="The owning team: ops, cx, finance or ecommerce")
    assignee: str | None = None
    severity: str = Field(description="urgent, high or normal")
    state: str = Field(default="open", description="open, snoozed or resolved")
    opened_at: datetime
    due_at: datetime | None = None
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    resolution: str | None = None
    closed_by: str | None = None
    count: int = Field(default=1, description="How often it was found")
    summary: str = ""
    detail: Any = None
    actions: list[str] = Field(default_factory=list)
    version: str = Field(default="", description="Give it back as `expected` to act on exactly what you saw")


class OperatorRecord(Shape):
    """What a person said about an order."""

    by: str
    reason: str = ""
    at: datetime
    until: datetime | None = None


class OrderRow(Shape):
    """One order in a list."""

    id: int
    shop: str
    name: str
    shopify_id: str
    state: str
    locked: bool = False
    created_at: datetime | None = Field(default=None, description="When the customer placed it")
    looked_at: datetime | None = None
    next_look_at: datetime | None = None
    gates: list[GateShape] = Field(default_factory=list)
    open_exceptions: int = 0
    differs: bool = Field(default=False, description="Shop, decision and warehouse do not hold the same units")
    held_by: str | None = None


class ReasonShape(Shape):
    """Why, in words, and the rulebook row that said so: "Next Day → DPD/ND" by "services, row 3, version 12"."""

    text: str
    row: str | None = None

    @field_validator("row", mode="before")
    @classmethod
    def _in_words(cls, row: Any) -> Any:
        """Tell a row that comes in its parts."""
        if row is None or isinstance(row, str):
            return row
        if isinstance(row, Mapping):
            return f"{row['table']}, row {row['row']}, version {row['version']}"
        return str(row)


class OrderShape(OrderRow):
    """One order, whole."""

    decided_at: datetime | None = None
    rulebook_version: int = 0
    fingerprint: str = Field(default="", description="Hash of everything that is wanted; an approval is bound to it")
    reasons: list[ReasonShape] = Field(default_factory=list, description="Why the last look decided what it did")
    tags: list[str] = Field(default_factory=list)
    financial_status: str | None = None
    failures: int = 0
    last_error: str | None = None
    superseded_by: str | None = None
    goods_outs: list[GoodsOutShape] = Field(default_factory=list)
    comparison: list[ComparisonShape] = Field(default_factory=list)
    exceptions: list[ExceptionShape] = Field(default_factory=list)
    effects: list[EffectShape] = Field(default_factory=list)
    journal: list[JournalShape] = Field(default_factory=list)
    hold: OperatorRecord | None = None
    approval: OperatorRecord | None = None
    cancel_request: OperatorRecord | None = None
    version: str = Field(default="", description="Give it back as `expected` to act on exactly what you saw")


class BodyShape(Shape):
    """A raw webhook body. It may hold personal data."""

    id: int
    size: int
    text: str = Field(description="As UTF-8; bytes that are not are shown as �")


class AuditShape(Shape):
    id: int
    at: datetime
    actor: str
    action: str
    shop: str = ""
    subject: str = ""
    reason: str = ""
    before: Any = None
    after: Any = None


class ChangeShape(Shape):
    """What a change did, or with `dry_run` would have done."""

    operation: str
    dry_run: bool
    changed: bool
    summary: str
    order: int | None = None
    exceptions: list[int] = Field(default_factory=list)
    version: str = Field(default="", description="Of what is changed, as it was before; of several, all of them")
    before: dict[str, Any] = Field(default_factory=dict)
    after: dict[str, Any] = Field(default_factory=dict)
