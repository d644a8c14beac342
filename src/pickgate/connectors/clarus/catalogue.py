"""Codes → ids: accounts, warehouses, carriers and their services, products. Cached, and healed when found stale."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from pickgate.clock import Clock
from pickgate.connectors.clarus.errors import ClarusProblem, Unexpected, unreadable
from pickgate.connectors.clarus.gather import Gatherer
from pickgate.connectors.clarus.incoming import parse_id
from pickgate.connectors.clarus.listing import Listing, Node
from pickgate.domain.facts import Unreadable
from pickgate.flows.ports import ProductAnswer

KNOWN_FOR = timedelta(hours=6)
DENIED_FOR = timedelta(seconds=60)
_MOST_DENIALS = 10_000


class CodeKind(Enum):
    """What a code may name. The value is the GraphQL root that lists it."""

    ACCOUNT = "accounts"
    WAREHOUSE = "warehouses"
    CARRIER = "carriers"
    SERVICE = "carrier_services"


@dataclass(slots=True, kw_only=True)
class _Codes:
    """One kind's codes as last read. A service's key is its carrier's code and its own."""

    ids: dict[tuple[str, ...], str] = field(default_factory=dict)
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Products:
    """One answer about products: ids of the known, and why some could not be asked about."""

    ids: dict[str, str]
    failed: dict[str, ClarusProblem]


class ClarusCatalogue:
    """One tenant's codes. Safe to share; reads go through the client's pace."""

    def __init__(self, listing: Listing, clock: Clock, *, gather_seconds: float) -> None:
        self._listing = listing
        self._clock = clock
        self._codes: dict[CodeKind, _Codes] = {}
        self._products: dict[str, tuple[str, datetime]] = {}
        self._denied: dict[str, datetime] = {}
        self._gathered = Gatherer[str, _Products](self._ask_products, seconds=gather_seconds)

    # codes of which there are few: read whole

    async def find_codes(self, kind: CodeKind) -> tuple[str, ...] | Unreadable:
        """List the known codes of one kind, sorted. A service is written `CARRIER/SERVICE`."""
        try:
            codes = await self._fresh(kind, no_older_than=DENIED_FOR)
        except ClarusProblem as problem:
            return unreadable(problem)
        return tuple(sorted("/".join(key) for key in codes.ids))

    async def find_services(self) -> tuple[tuple[str, str], ...] | Unreadable:
        """List the known pairs of carrier and service codes, sorted."""
        try:
            codes = await self._fresh(CodeKind.SERVICE, no_older_than=DENIED_FOR)
        except ClarusProblem as problem:
            return unreadable(problem)
        return tuple(sorted((key[0], key[1]) for key in codes.ids))

    async def find_id(self, kind: CodeKind, *key: str) -> str | None:
        """Return the id of a code; for a service give the carrier's code first. None when the tenant has none.

        Raises ClarusProblem when it could not be read.
        """
        codes = await self._fresh(kind, no_older_than=KNOWN_FOR)
        if key not in codes.ids:
            codes = await self._fresh(kind, no_older_than=DENIED_FOR)
        return codes.ids.get(key)

    async def _fresh(self, kind: CodeKind, *, no_older_than: timedelta) -> _Codes:
        now = self._clock.now()
        codes = self._codes.get(kind)
        if codes is None or now - codes.read_at >= no_older_than:
            nodes = await self._listing.read(kind.value, None)
            codes = self._codes[kind] = _Codes(ids=_ids_by_code(kind, nodes), read_at=now)
        return codes

    # products: many, so only those asked about

    async def find_products(self, codes: Sequence[str]) -> ProductAnswer:
        """Say which codes the warehouse knows, exactly as written after NFC. What failed is in neither set."""
        answer = await self.find_product_ids(codes)
        wanted = set(codes)
        problem = next(iter(answer.failed.values()), None)
        return ProductAnswer(
            known=frozenset(answer.ids),
            unknown=frozenset(wanted - answer.ids.keys() - answer.failed.keys()),
            unreadable=None if problem is None else unreadable(problem),
        )

    async def find_product_ids(self, codes: Sequence[str]) -> _Products:
        """Return the ids of the known codes, by the code as asked, and what could not be read."""
        now = self._clock.now()
        names = {code: _nfc(code) for code in codes}
        remembered = {name: self._find_remembered(name, now) for name in names.values() if name}
        ask = [name for name, known in remembered.items() if known is None]
        asked = await self._gathered.ask(ask) if ask else _Products(ids={}, failed={})
        ids = {name: known for name, known in remembered.items() if known}
        ids |= {name: asked.ids[name] for name in ask if name in asked.ids}
        failed = {name: asked.failed[name] for name in ask if name in asked.failed}
        return _Products(
            ids={code: ids[name] for code, name in names.items() if name in ids},
            failed={code: failed[name] for code, name in names.items() if name in failed},
        )

    def _find_remembered(self, code: str, now: datetime) -> str | None:
        """Return a remembered id, "" for a remembered denial, None when it must be asked."""
        known = self._products.get(code)
        if known is not None and now - known[1] < KNOWN_FOR:
            return known[0]
        denied_at = self._denied.get(code)
        return "" if denied_at is not None and now - denied_at < DENIED_FOR else None

    async def _ask_products(self, codes: Sequence[str]) -> _Products:
        ids: dict[str, str] = {}
        failed: dict[str, ClarusProblem] = {}
        distinct = list(dict.fromkeys(codes))
        for start in range(0, len(distinct), self._listing.page_size):
            chunk = distinct[start : start + self._listing.page_size]
            try:
                found = await self._read_products(chunk)
            except ClarusProblem as problem:
                failed |= dict.fromkeys(chunk, problem)
                continue
            now = self._clock.now()
            ids |= found
            for code in chunk:
                self._products.pop(code, None)
                self._denied.pop(code, None)
                if code in found:
                    self._products[code] = (found[code], now)
                else:
                    self._denied[code] = now
            if len(self._denied) > _MOST_DENIALS:
                self._denied = {code: at for code, at in self._denied.items() if now - at < DENIED_FOR}
        return _Products(ids=ids, failed=failed)

    async def _read_products(self, codes: Sequence[str]) -> dict[str, str]:
        # The tenant may hold a code in either normal form, and compares byte by byte.
        spellings = list(dict.fromkeys(form for code in codes for form in (code, unicodedata.normalize("NFD", code))))
        found: dict[str, str] = {}
        for node in await self._listing.read("products", {"code": {"in": spellings}}):
            code = node.get("code")
            if not isinstance(code, str):
                raise Unexpected("Clarus answered with a product without a code")
            if _nfc(code) in codes:
                found.setdefault(_nfc(code), parse_id(node.get("id")))
        return found

    # healing

    def forget(self, product_codes: Sequence[str]) -> None:
        """Drop what is remembered of these products, and all other codes: an id may be stale."""
        self._codes.clear()
        for code in product_codes:
            self._products.pop(_nfc(code), None)
            self._denied.pop(_nfc(code), None)


def _ids_by_code(kind: CodeKind, nodes: Sequence[Node]) -> dict[tuple[str, ...], str]:
    ids: dict[tuple[str, ...], str] = {}
    for node in nodes:
        code = node.get("code")
        if not isinstance(code, str):
            continue  # a record without a code cannot be named by one
        key: tuple[str, ...] = (code,)
        if kind is CodeKind.SERVICE:
            carrier = node.get("carrier")
            carrier_code = carrier.get("code") if isinstance(carrier, dict) else None
            if not isinstance(carrier_code, str):
                continue
            key = (carrier_code, code)
        ids.setdefault(key, parse_id(node.get("id")))
    return ids


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
