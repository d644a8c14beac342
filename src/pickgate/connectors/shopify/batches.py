"""Reads orders by id, several in one request: as many as it may cost, each again while it keeps moving."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pickgate.connectors.shopify.budget import Lane
from pickgate.connectors.shopify.client import Answer, Problem, ShopifyClient
from pickgate.connectors.shopify.documents import Document
from pickgate.connectors.shopify.errors import (
    CREDENTIALS_REFUSED,
    AccessRefused,
    CallFailed,
    Moved,
    PayloadUnreadable,
    TooCostly,
)
from pickgate.connectors.shopify.raw import order_gid
from pickgate.domain.facts import Missing, Unreadable

MOST_POINTS = 950.0
"""Requested cost of one batch at most; Shopify refuses above 1,000."""

_READ_AGAIN = 3

Found = TypeVar("Found")
Complete = Callable[[str, dict[str, Any], int], Awaitable[Found]]
"""From an order's id, its raw node, and how much of the list without pages was asked for. May raise Moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of each order. `document` asks for `nodes(ids: $ids)`.

    `reduced`: variables for an order that is too costly alone. `listed`: the variable that bounds the list without
    pages, `listed_by_default`: its default in the document. `pages`: what its further pages are called.
    """

    document: Document
    reduced: Mapping[str, int]
    listed: str
    listed_by_default: int
    pages: str


class OrderBatches:
    """Every id has an answer; one order's trouble does not touch the others. Keeps the batch size that fitted."""

    def __init__(
        self, client: ShopifyClient, question: Question, *, variables: Mapping[str, str] | None = None, max_ids: int
    ) -> None:
        self._client = client
        self._question = question
        self._variables = dict(variables or {})
        self._max_ids = max_ids
        self._batch = max_ids

    async def read(
        self, order_ids: Sequence[str], complete: Complete[Found], *, lane: Lane
    ) -> dict[str, Found | Missing | Unreadable]:
        """Read orders by numeric id; `complete` fetches further pages and parses."""
        found: dict[str, Found | Missing | Unreadable] = {}
        waiting: list[str] = []
        for order_id in dict.fromkeys(order_ids):
            if order_id.isascii() and order_id.isdigit() and len(order_id) <= 20:
                waiting.append(order_id)
            else:
                found[order_id] = Unreadable(why="This is not the number of a Shopify order.")
        while waiting:
            chunk, waiting = waiting[: self._batch], waiting[self._batch :]
            try:
                found |= await self._read_chunk(chunk, complete, lane)
            except TooCostly as error:
                if len(chunk) == 1:
                    found[chunk[0]] = unreadable(error)
                else:
                    # What a request may cost depends on its shape alone, so this size will never do.
                    self._batch = self._max_ids = len(chunk) // 2
                    waiting = chunk + waiting
        return found

    async def _read_chunk(
        self, chunk: list[str], complete: Complete[Found], lane: Lane
    ) -> dict[str, Found | Missing | Unreadable]:
        try:
            answer, listed = await self._ask(chunk, lane)
        except TooCostly:
            raise
        except CallFailed as error:
            return dict.fromkeys(chunk, unreadable(error))
        if answer.requested_cost:
            fits = int(MOST_POINTS // (answer.requested_cost / len(chunk)))
            self._batch = max(1, min(self._max_ids, fits))
        found: dict[str, Found | Missing | Unreadable] = {}
        for index, order_id in enumerate(chunk):
            found[order_id] = await self._settle(order_id, answer, index, listed, complete, lane)
        return found

    async def _ask(self, order_ids: list[str], lane: Lane) -> tuple[Answer, int]:
        """Send the batch read. Returns the answer, and how much of the list without pages it asked for."""
        question, times = self._question, len(order_ids)
        variables: dict[str, Any] = {"ids": [order_gid(order_id) for order_id in order_ids], **self._variables}
        try:
            answer = await self._client.read(question.document, variables, lane=lane, times=times)
            return answer, question.listed_by_default
        except TooCostly:
            if times > 1:
                raise
            smaller = {**variables, **question.reduced}
            answer = await self._client.read(question.document, smaller, lane=lane, times=times, reduced=True)
            return answer, question.reduced[question.listed]

    async def _settle(
        self, order_id: str, answer: Answer, index: int, listed: int, complete: Complete[Found], lane: Lane
    ) -> Found | Missing | Unreadable:
        """Complete and parse one order of an answer; read it alone again while it keeps moving."""
        for _ in range(_READ_AGAIN):
            try:
                raw = _node_of(answer, index)
                return raw if isinstance(raw, Missing | Unreadable) else await complete(order_id, raw, listed)
            except Moved:
                try:
                    answer, listed = await self._ask([order_id], lane)
                    index = 0
                except CallFailed as error:
                    return unreadable(error)
            except CallFailed as error:
                return unreadable(error)
            except PayloadUnreadable as error:
                return Unreadable(why=f"Shopify's answer cannot be read: {error}")
        return Unreadable(why=f"The order kept changing while its {self._question.pages} were read.")


def _node_of(answer: Answer, index: int) -> dict[str, Any] | Missing | Unreadable:
    spoiled = [p for p in answer.problems if len(p.path) < 2 or p.path[0] != "nodes" or p.path[1] == index]
    if spoiled:
        return unreadable_problem(spoiled)
    nodes = answer.data.get("nodes")
    if not isinstance(nodes, list) or index >= len(nodes):
        raise PayloadUnreadable("nodes", "should list what was asked for")
    raw = nodes[index]
    if raw is None:
        return Missing()
    if not isinstance(raw, dict) or raw.get("__typename") != "Order":
        raise PayloadUnreadable("nodes", "should be an order")
    return raw


def unreadable(error: CallFailed) -> Unreadable:
    """Say that a call failed, as a fact."""
    return Unreadable(why=error.why, code=CREDENTIALS_REFUSED if isinstance(error, AccessRefused) else None)


def unreadable_problem(problems: Sequence[Problem]) -> Unreadable:
    """Say which field an answer lacks although it came with data."""
    first = next((problem for problem in problems if problem.is_access), problems[0])
    where = first.field or "the whole answer"
    return Unreadable(
        why=f"Shopify answered without {where}: {first.message}",
        code=CREDENTIALS_REFUSED if first.is_access else None,
    )
