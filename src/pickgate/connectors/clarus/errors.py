"""What can go wrong between us and Clarus, and what each means for a read and for an effect.

Codes and symbols in `errors[]` are shown to people and never decided on: hardly any is documented.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pickgate.connectors.clarus.wire import REQUIRED_ON_WRITE
from pickgate.domain.facts import Unreadable
from pickgate.flows.ports import NotSent, OutcomeNotKnown

_LONGEST_TEXT = 500


class ClarusProblem(Exception):
    """Something between us and Clarus went wrong. `code` is an exception code when a person must act."""

    code: str | None = None

    def __init__(self, why: str, *, retry_at: datetime | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.retry_at = retry_at


class Unreached(ClarusProblem):
    """The request took no effect: no connection, or no token could be had."""


class Throttled(Unreached):
    """Too many requests (429), or the pause that an earlier 429 asked for is not over. Nothing took effect."""


class AccessRefused(Unreached):
    """401 with a fresh token, 403, or the token endpoint refused the client. Nothing took effect."""

    code = "CREDENTIALS_REFUSED"


class NoAnswer(ClarusProblem):
    """No whole, valid answer: time-out, reset, 5xx, or a page served with status 200. It may have taken effect."""


class Unexpected(ClarusProblem):
    """An answer, but not to what was asked: GraphQL errors, a missing field, a list that will not hold still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEntry:
    """One entry of `errors[]`."""

    symbol: str = ""
    details: str = ""
    source: str = ""

    def __str__(self) -> str:
        text = ": ".join(part for part in (self.symbol, self.details) if part)
        return f"{text} ({self.source})" if self.source else text


class SaidNo(ClarusProblem):
    """A 4xx about the request itself: nothing took effect. `entries` are the documented `errors[]`, if any."""

    def __init__(self, status: int, entries: tuple[ErrorEntry, ...]) -> None:
        self.status = status
        self.entries = entries
        said = "; ".join(str(entry) for entry in entries)[:_LONGEST_TEXT]
        super().__init__(f"Clarus answered {status}" + (f": {said}" if said else ""))

    @property
    def names_required_fields(self) -> bool:
        """Whether it complains about one of the four fields that the schema calls required."""
        return any(name in f"{entry.source} {entry.details}" for entry in self.entries for name in REQUIRED_ON_WRITE)


def parse_errors(body: Any) -> tuple[ErrorEntry, ...]:
    """Parse a decoded error body: `{"errors": [{code, symbol, details, source}]}` or `{"error": text}`. Lenient."""
    if not isinstance(body, dict):
        return ()
    if isinstance(body.get("error"), str):
        return (ErrorEntry(details=body["error"][:_LONGEST_TEXT]),)
    listed = body.get("errors")
    if not isinstance(listed, list):
        return ()
    return tuple(_entries(listed))


def _entries(listed: Iterable[Any]) -> Iterable[ErrorEntry]:
    for entry in listed:
        if isinstance(entry, dict):
            symbol = entry.get("symbol") or entry.get("code") or ""
            details = entry.get("details") or entry.get("message") or ""
            yield ErrorEntry(symbol=str(symbol), details=str(details), source=str(entry.get("source") or ""))
        elif isinstance(entry, str):
            yield ErrorEntry(details=entry)


def unreadable(problem: ClarusProblem) -> Unreadable:
    """What a failed read is to those who asked."""
    return Unreadable(why=problem.why, code=problem.code)


def outcome_of(problem: ClarusProblem) -> NotSent | OutcomeNotKnown:
    """What a failed write is to those who sent it. `SaidNo` is for the caller to judge, and must not come here."""
    assert not isinstance(problem, SaidNo)
    if isinstance(problem, Unreached):
        return not_sent(problem)
    return OutcomeNotKnown(why=problem.why)


def not_sent(problem: ClarusProblem) -> NotSent:
    """What a failed read before a write is to those who asked for the write: it never went out."""
    return NotSent(why=problem.why, retry_at=problem.retry_at, exception_code=problem.code)
