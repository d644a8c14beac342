"""What an audit needs from the outside, as Protocols. Nothing here can change anything in either system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.ledger_facts import OrderMoney, Unusable
from pickgate.domain.rules import Place
from pickgate.domain.shop import ShopOrder
from pickgate.domain.stock import ShopLevel
from pickgate.domain.stock_policy import Balance
from pickgate.domain.warehouse import GoodsOut
from pickgate.flows.ports import ProductAnswer

MoneyAnswer = OrderMoney | Unusable | Missing | Unreadable
ORDERS, FULFILMENTS = "orders", "fulfilments"
BULK_PARTS = (ORDERS, FULFILMENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkProgress:
    """How far a bulk read is. `address`: where its result is, once done; empty: it is done and holds nothing.

    `lost`: the operation is gone, expired or failed for a reason that a new one may not meet.
    """

    objects: int = 0
    done: bool = False
    address: str = ""
    lost: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedOrders:
    """Orders as their bulk result shows them; `torn` ids do not fit together and have to be read again."""

    orders: tuple[ShopOrder, ...]
    torn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedGoodsOuts:
    """Goods-outs, and the text to match them by where that is not their reference. `broken`: not understood."""

    goods_outs: tuple[GoodsOut, ...]
    external: Mapping[str, str]
    broken: tuple[str, ...] = ()


class PastShopPort(Protocol):
    """One shop's past. Reads answer Unreadable rather than raise."""

    async def begin(self, part: str, *, since: datetime, until: datetime) -> str | Unreadable:
        """Start a bulk read of orders made in the period, or of fulfilments since. Returns its id."""
        ...

    async def progress(self, operation: str) -> BulkProgress | Unreadable: ...

    async def read_piece(self, address: str, *, start: int) -> bytes | Unreadable:
        """Read on from a byte of a result; empty: that was all of it."""
        ...

    def parse(self, orders: Iterable[bytes], fulfilments: Iterable[bytes]) -> ParsedOrders | Unreadable:
        """Put results together. Pure. Unreadable: a result is damaged, and has to be fetched again."""
        ...

    async def read_orders(self, order_ids: Sequence[str]) -> Mapping[str, ShopOrder | Missing | Unreadable]: ...

    async def read_money(self, order_ids: Sequence[str]) -> Mapping[str, MoneyAnswer]: ...

    async def read_levels(self, location_id: str) -> tuple[ShopLevel, ...] | Unreadable: ...


class PastWarehousePort(Protocol):
    """The warehouse's past: goods-outs by the day they were expected to leave."""

    async def read_day(self, day: date, *, and_after: bool) -> bytes | Unreadable:
        """Read the goods-outs expected on a day, with lines, all pages; `and_after`: and all later ones."""
        ...

    async def read_references(self, references: Sequence[str]) -> bytes | Unreadable: ...

    def parse(self, pieces: Iterable[bytes]) -> ParsedGoodsOuts | Unreadable: ...

    async def find_products(self, codes: Sequence[str]) -> ProductAnswer: ...

    async def read_balances(
        self, place: Place, codes: Sequence[str] | None
    ) -> Mapping[str, Balance | Unreadable] | Unreadable: ...


class Notebook(Protocol):
    """What an unfinished audit has read so far. It outlives the process; `discard` ends it."""

    def load(self) -> dict[str, Any]:
        """Return what was saved last; empty for a new one."""
        ...

    def save(self, state: Mapping[str, Any]) -> None: ...

    def add(self, name: str, piece: bytes) -> None: ...

    def pieces(self, name: str) -> Iterator[bytes]: ...

    def count(self, name: str) -> tuple[int, int]:
        """Return how many pieces there are, and their bytes."""
        ...

    def clear(self, name: str) -> None: ...

    def add_money(self, shop: str, answers: Mapping[str, MoneyAnswer]) -> None: ...

    def money(self, shop: str) -> dict[str, MoneyAnswer]: ...

    def discard(self) -> None: ...


class Progress(Protocol):
    """Shows how far it is. `total` None: not known yet."""

    def step(self, what: str, done: int, total: int | None) -> None: ...
