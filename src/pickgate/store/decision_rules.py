"""What a new decision changes about what is kept: pure rules, the same for PostgreSQL and the memory twin."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from pickgate.domain.decision import Decision, Gate
from pickgate.domain.facts import GoodsOutRecord
from pickgate.domain.findings import CODES, CodeBook, Finding, Severity, Team
from pickgate.domain.shop import ShopOrder
from pickgate.store.codec import encode, without_personal
from pickgate.store.effect_rules import fate_of, kind_of, target_of

COUNT_AGAIN_AFTER = timedelta(minutes=1)  # an exception found again unchanged counts at most once in this time
_UNLISTED = CodeBook(Team.OPS, Severity.NORMAL, timedelta(hours=8), "Not in the list of codes")


def gates_since(previous: Mapping[str, datetime], gates: Sequence[Gate], now: datetime) -> dict[str, datetime]:
    """Return since when each gate has been closed without a break, by code."""
    return {gate.code: previous.get(gate.code, now) for gate in gates}


def journal_detail(decision: Decision, *, rulebook_version: int) -> dict[str, Any]:
    """Return the timeline's entry for a decision: state, gates, commands, exceptions and reasons, in words."""
    return {
        "state": decision.state.value,
        "gates": [{"code": gate.code, "until": encode(gate.until), "detail": gate.detail} for gate in decision.gates],
        "commands": [{"kind": kind_of(command), "target": target_of(command)} for command in decision.commands],
        "exceptions": [finding.code for finding in decision.findings],
        "reasons": [
            {"text": reason.text} | ({"row": str(reason.row)} if reason.row else {}) for reason in decision.reasons
        ],
        "rulebook_version": rulebook_version,
        "fingerprint": decision.fingerprint,
    }


def digest_of(value: object) -> str:
    """Return a short hash of a JSON value, for "has anything changed since"."""
    return sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def kin_digest(decision: Decision, order: ShopOrder | None, records: Sequence[GoodsOutRecord]) -> str:
    """Hash what other orders see of this one. Kin are woken when it changes; else two orders would wake each other
    for ever."""
    seen = None if order is None else [order.name, order.tags, encode(order.cancelled_at), order.closed]
    fate = fate_of(decision.state.value, records).value
    return digest_of([fate, seen, decision.supersedes, decision.superseded_by])


def kin_names(decision: Decision) -> tuple[str, ...]:
    """Return the names of the orders that the decision ties to this one."""
    return (*decision.supersedes, *([decision.superseded_by] if decision.superseded_by else ()))


# ── exceptions ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldException:
    """An exception whose cause still held at the last look: open, or closed by a person since."""

    id: int
    fingerprint: str
    is_open: bool
    summary: str
    detail: Any
    actions: tuple[str, ...]
    last_found_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAgain:
    """An exception to keep: its new words, and whether this finding counts."""

    id: int
    summary: str
    detail: Any
    actions: tuple[str, ...]
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionChanges:
    opened: tuple[Finding, ...]
    kept: tuple[FoundAgain, ...]
    gone: tuple[HeldException, ...]


def decide_exceptions(held: Sequence[HeldException], findings: Sequence[Finding], now: datetime) -> ExceptionChanges:
    """Compare what holds now with what held before: open new ones, keep known ones, let go those whose cause has gone.

    One that a person closed stays closed while its cause holds. An unchanged one counts again only after a minute.
    """
    by_fingerprint = {item.fingerprint: item for item in held}
    opened: list[Finding] = []
    kept: list[FoundAgain] = []
    seen: set[str] = set()
    for finding in findings:
        if finding.fingerprint in seen:
            continue
        seen.add(finding.fingerprint)
        known = by_fingerprint.get(finding.fingerprint)
        if known is None:
            opened.append(finding)
            continue
        detail = without_personal(finding.detail)
        changed = (finding.summary, detail, finding.actions) != (known.summary, known.detail, known.actions)
        counts = changed or now - known.last_found_at >= COUNT_AGAIN_AFTER
        if counts:
            kept.append(
                FoundAgain(
                    id=known.id, summary=finding.summary, detail=detail, actions=finding.actions, counts=known.is_open
                )
            )
    gone = tuple(item for item in held if item.fingerprint not in seen)
    return ExceptionChanges(opened=tuple(opened), kept=tuple(kept), gone=gone)


def book_of(code: str) -> CodeBook:
    """Return owner, severity and deadline of a code; one that is not listed goes to operations."""
    return CODES.get(code, _UNLISTED)
