"""What a decision asks the outside world to do. Imperative, plain data; the same cause has the same key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from pickgate.domain.warehouse import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGoodsOut:
    """Release: the warehouse gets generation n of one fulfilment order."""

    reference: str
    order_id: str
    number: int
    fulfilment_order_id: str
    group: str
    generation: int
    content: Content
    expected_despatch_at: datetime
    ordered_at: datetime  # when the customer ordered: the original's time, for a recreated order

    @property
    def key(self) -> str:
        return f"create_goods_out:{self.reference}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallGoodsOut:
    """Ask the warehouse not to send it. Done only when the warehouse shows it cancelled or gone."""

    reference: str
    account: str
    clarus_id: str
    because: str

    @property
    def key(self) -> str:
        return f"recall_goods_out:{self.reference}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendGoodsOut:
    """Change a goods-out that nobody has begun. `remove` and `update` name the warehouse's own line ids."""

    reference: str
    clarus_id: str
    content: Content
    previous: Content
    line_ids: tuple[tuple[str, str], ...]  # (product_code, the warehouse's line id) as read

    @property
    def key(self) -> str:
        return f"amend_goods_out:{self.reference}:{self.content.fingerprint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentLine:
    fulfilment_order_id: str
    fulfilment_order_line_id: str
    line_id: str
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFulfilment:
    """Tell the shop what left. `lines` are never empty: an empty list would fulfil everything.

    `fulfilled_before` is how many units of each order line the shop counted as sent when this was decided; a probe
    compares with it.
    """

    reference: str
    lines: tuple[FulfilmentLine, ...]
    tracking_numbers: tuple[str, ...]
    carrier: str
    fulfilled_before: tuple[tuple[str, int], ...]

    @property
    def key(self) -> str:
        parts = sorted((n.line_id, n.units) for n in self.lines)
        text = repr((parts, sorted(self.fulfilled_before)))
        return f"create_fulfilment:{self.reference}:{sha256(text.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeLock:
    """Close the order to editing: tag, app metafield, and progress reported on these fulfilment orders."""

    order_id: str
    tag: str
    metafield: str
    value: str
    add_tag: bool
    set_metafield: bool
    report_progress_on: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"take_lock:{self.order_id}:{self.value}:{'+'.join(self.report_progress_on)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftLock:
    """Open the order to editing again: the work has been undone."""

    order_id: str
    tag: str
    metafield: str
    value: str
    remove_tag: bool
    set_metafield: bool
    reopen: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"lift_lock:{self.order_id}:{self.value}:{'+'.join(self.reopen)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceShopHold:
    """Hold a fulfilment order in the shop while it may still change. The handle makes it repeatable."""

    fulfilment_order_id: str
    handle: str
    notes: str

    @property
    def key(self) -> str:
        return f"place_shop_hold:{self.fulfilment_order_id}:{self.handle}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseShopHold:
    """Release our own holds, by id; never anybody else's."""

    fulfilment_order_id: str
    hold_ids: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"release_shop_hold:{self.fulfilment_order_id}:{'+'.join(self.hold_ids)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryTime:
    """Keep the original order's time on its successor, in the app's metafield."""

    order_id: str
    original_name: str
    original_created_at: datetime

    @property
    def key(self) -> str:
        return f"carry_time:{self.order_id}:{self.original_name}"


WarehouseCommand = CreateGoodsOut | RecallGoodsOut | AmendGoodsOut
ShopCommand = CreateFulfilment | TakeLock | LiftLock | PlaceShopHold | ReleaseShopHold | CarryTime
Command = WarehouseCommand | ShopCommand
