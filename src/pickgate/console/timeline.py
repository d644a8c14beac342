"""How an entry of an order's history reads: what happened, then the lines that explain it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from pickgate.console.words import EFFECTS, STATES, detail_rows, plain_words
from pickgate.operations.registry import REGISTRY


@dataclass(frozen=True, slots=True)
class Told:
    """`lines` are shown; `reasons` are folded away under how many there are."""

    title: str
    lines: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def told(kind: str, detail: Any, zone: tzinfo = UTC) -> Told:
    """Tell one journal entry, times in a zone. A kind that is not known here is told as it is stored."""
    found: Mapping[str, Any] = detail if isinstance(detail, Mapping) else {}
    if kind == "decided":
        return _decided(found, zone)
    if kind == "hint":
        return Told(f"Webhook {found.get('topic') or 'without a topic'} from {found.get('source', 'outside')}")
    if kind == "woken":
        return Told("Woken", _texts(found.get("because")))
    if kind.startswith("exception_"):
        return Told(f"{plain_words(kind)}: {found.get('code', '')}", _texts(found.get("why")))
    if kind.startswith("effect_"):
        outcome = EFFECTS.get(kind.removeprefix("effect_"), (plain_words(kind.removeprefix("effect_")),))[0]
        title = f"{outcome}: {plain_words(found.get('kind')).lower()} {found.get('target', '')}".rstrip()
        return Told(title, _others(found, "kind", "target"))
    if kind in REGISTRY:
        title = REGISTRY.get(kind).title
        return Told(f"{title}, by {found.get('by', 'somebody')}", _texts(found.get("reason")) + _until(found, zone))
    return Told(plain_words(kind), _others(found) or tuple(text for _, text in detail_rows(detail)))


def _decided(detail: Mapping[str, Any], zone: tzinfo) -> Told:
    state = str(detail.get("state", ""))
    word = STATES[state][0] if state in STATES else plain_words(state)
    lines = [
        f"Waits for: {plain_words(gate.get('code')).lower()}" + ", ".join(("", *_until(gate, zone)))
        for gate in detail.get("gates", ())
    ]
    lines += [
        f"Sends: {plain_words(command.get('kind')).lower()} {command.get('target', '')}".rstrip()
        for command in detail.get("commands", ())
    ]
    if detail.get("exceptions"):
        lines.append("Finds: " + ", ".join(str(code) for code in detail["exceptions"]))
    reasons = [
        str(reason.get("text", "")) + (f" ({reason['row']})" if isinstance(reason.get("row"), str) else "")
        for reason in detail.get("reasons", ())
    ]
    if detail.get("rulebook_version"):
        reasons.append(f"Rulebook version {detail['rulebook_version']}, content {detail.get('fingerprint') or 'none'}")
    return Told(f"Decided: {word}", tuple(lines), tuple(reasons))


def _until(detail: Mapping[str, Any], zone: tzinfo) -> tuple[str, ...]:
    return (f"until {_clock(detail['until'], zone)}",) if detail.get("until") else ()


def _clock(text: object, zone: tzinfo) -> str:
    try:
        return f"{datetime.fromisoformat(str(text)).astimezone(zone):%-d %b %H:%M %Z}"
    except ValueError:
        return str(text)


def _texts(text: object) -> tuple[str, ...]:
    return (str(text),) if text else ()


def _others(detail: Mapping[str, Any], *known: str) -> tuple[str, ...]:
    rest = {name: value for name, value in detail.items() if name not in known}
    return tuple(f"{name}: {text}" for name, text in detail_rows(rest))
