"""What people ask about the rulebook, and the shapes in which they are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field, model_validator

from pickgate.flows.backtest import MOST_ORDERS
from pickgate.operations.inputs import Ask, Change, Paged, Several, Version, Words
from pickgate.operations.models import ChangeShape, ReasonShape, Shape

Records = dict[str, list[dict[str, str]]]
Orders = Field(default=200, ge=1, le=MOST_ORDERS, description="How many of the newest orders are tried")


class ListRulebooks(Paged):
    """No filters."""


class OneVersion(Ask):
    number: Version | None = Field(default=None, description="A version; none: the one that decides now")


class GetRulebook(OneVersion):
    against: Version | None = Field(default=None, description="Show the changes since this version; none: as published")


class ExportRulebook(OneVersion):
    format: Literal["csv", "xlsx"] = "csv"


class BacktestRulebook(Ask):
    number: Version | None = Field(default=None, description="The version to try; none: the newest one saved")
    against: Version | None = Field(default=None, description="Compare with this version; none: the published one")
    orders: int = Orders
    shop: Several = Field(default_factory=list)


class SaveRulebook(Change):
    """One of `tables`, `files` and `workbook_base64`. A table that is not given is taken from `base`."""

    tables: Records | None = Field(
        default=None, description="Table → rows of column → text, as `get_rulebook` gives it"
    )
    files: dict[str, str] | None = Field(default=None, description="File name, such as services.csv → its text")
    workbook_base64: str | None = Field(default=None, max_length=20_000_000, description="An .xlsx file, whole")
    base: Version | None = Field(default=None, description="Where other tables come from; none: the published version")

    @model_validator(mode="after")
    def _one_source(self) -> SaveRulebook:
        if sum(given is not None for given in (self.tables, self.files, self.workbook_base64)) != 1:
            raise ValueError("give one of tables, files and workbook_base64")
        return self


class PublishRulebook(Change):
    number: Version = Field(description="An older version again: that is how one goes back")
    reason: Words
    expected: int | None = Field(
        default=None,
        ge=0,
        le=2**31 - 1,
        description="The version that you saw deciding (0: none); another one refuses the change",
    )
    move_in_flight: bool = Field(
        default=False, description="You know that orders in the warehouse are recalled or amended by this"
    )
    orders: int = Orders


class VersionShape(Shape):
    number: int
    note: str = ""
    created_at: datetime
    created_by: str
    published_at: datetime | None = Field(default=None, description="When it was last published; none: a draft")
    published_by: str | None = None
    decides: bool = Field(default=False, description="Whether it decides now")


class ColumnShape(Shape):
    name: str
    holds: str
    is_input: bool = Field(description="Asked; else it is part of the answer")
    required: bool


class RowChangeShape(Shape):
    """Rows count from 1 in their own version."""

    table: str
    kind: str = Field(description="added, removed, changed or moved")
    old_row: int | None = None
    new_row: int | None = None
    columns: list[str] = Field(default_factory=list, description="The cells that differ")


class RulebookShape(VersionShape):
    """A version whole. Cells stand as in an exported file: give `tables` to `save_rulebook` and nothing changes."""

    tables: Records = Field(default_factory=dict)
    columns: dict[str, list[ColumnShape]] = Field(default_factory=dict)
    against: int | None = None
    changes: list[RowChangeShape] = Field(default_factory=list)


class FileShape(Shape):
    name: str
    media_type: str
    content_base64: str


class FilesShape(Shape):
    number: int
    files: list[FileShape]


class FindingShape(Shape):
    severity: str = Field(description="error, warning or note; an error stops a publication")
    code: str
    table: str
    row: int = Field(description="From 1; 0: the table as a whole")
    column: str = ""
    message: str
    remedy: str


class CheckShape(Shape):
    number: int
    ok: bool = Field(description="No error")
    findings: list[FindingShape]
    not_asked: list[str] = Field(
        default_factory=list, description="What could not be asked of the warehouse: nothing is said about it"
    )


class PlannedLineShape(Shape):
    product_code: str
    quantity: int


class PlannedShape(Shape):
    """A goods-out as a version would have it. `notes`: the fields that it would fill."""

    account: str
    warehouse: str
    group: str = ""
    carrier: str | None = None
    service: str | None = None
    priority: int | None = None
    lines: list[PlannedLineShape]
    notes: list[str] = Field(default_factory=list)


class OutcomeShape(Shape):
    goods_outs: list[PlannedShape]
    stopped_by: list[str] = Field(description="Why the order would wait")
    reasons: list[ReasonShape]


class ChangedOrderShape(Shape):
    id: int
    shop: str
    name: str
    shopify_id: str
    differences: list[str]
    moves: list[str] = Field(description="Its goods-outs in the warehouse that would be recalled or amended")
    before: OutcomeShape
    after: OutcomeShape


class NotReplayedShape(Shape):
    id: int
    name: str
    why: str


class BacktestShape(Shape):
    """Every order whose goods-outs would differ, newest first, as if nothing of it had been sent yet."""

    number: int
    against: int = Field(description="0: an empty rulebook, because none was published")
    looked_at: int
    unchanged: int
    not_concerned: int = Field(description="Cancelled, or no warehouse's business")
    moved: int = Field(description="Orders in the warehouse that would be recalled or amended")
    changed: list[ChangedOrderShape]
    not_replayed: list[NotReplayedShape]


class SavedShape(ChangeShape):
    number: int | None = Field(default=None, description="The new draft's number; none with `dry_run`")


class PublishedShape(ChangeShape):
    number: int
    woken: int = Field(default=0, description="Orders that a missing row had stopped, and that are decided again now")
    findings: list[FindingShape] = Field(default_factory=list)
    not_asked: list[str] = Field(default_factory=list)
    backtest: BacktestShape
