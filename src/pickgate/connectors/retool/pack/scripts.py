"""The little JavaScript that Toolscript holds: literals of attributes, and the names that an expression uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_CONSTANTS = {"true": True, "false": False, "null": None}


class NotALiteral(ValueError):
    """The text is not a literal of the kind that exports hold."""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """`include("./lib/x.sql", "string")`: the text of another file."""

    path: str


def parse_literal(source: str) -> Any:
    """Return what an attribute between braces says. Raises NotALiteral."""
    value, end = _parse(source, _skip(source, 0))
    end = _skip(source, end)
    if source[end : end + 1] == ",":  # a trailing comma, as Retool's formatter leaves it
        end = _skip(source, end + 1)
    if end != len(source):
        raise NotALiteral(f"{source[end : end + 20]!r} after the value")
    return value


def _skip(source: str, at: int) -> int:
    found = _SPACE.match(source, at)
    return found.end() if found else at


def _parse(source: str, at: int) -> tuple[Any, int]:
    sign = source[at : at + 1]
    if sign and sign in "'\"":
        return _text(source, at)
    if sign == "[":
        return _list(source, at)
    if sign == "{":
        return _object(source, at)
    number = _NUMBER.match(source, at)
    if number:
        text = number[0]
        return (float(text) if "." in text else int(text)), number.end()
    word = _WORD.match(source, at)
    if word and word[0] in _CONSTANTS:
        return _CONSTANTS[word[0]], word.end()
    if word and word[0] == "include":
        found = re.compile(r'include\("([^"]+)", "string"\)').match(source, at)
        if found:
            return Inclusion(found[1]), found.end()
    raise NotALiteral(f"{source[at : at + 20]!r} is no value")


def _text(source: str, at: int) -> tuple[str, int]:
    parts: list[str] = []
    quote, at = source[at], at + 1
    while at < len(source):
        sign = source[at]
        if sign == quote:
            return "".join(parts), at + 1
        if sign == "\\":
            at += 1
            code = source[at : at + 1]
            if code == "u":
                parts.append(chr(int(source[at + 1 : at + 5], 16)))
                at += 4
            else:
                parts.append(_ESCAPES.get(code, code))
        elif sign == "\n":
            break
        else:
            parts.append(sign)
        at += 1
    raise NotALiteral("a text that does not end")


def _list(source: str, at: int) -> tuple[list[Any], int]:
    items: list[Any] = []
    at = _skip(source, at + 1)
    while source[at : at + 1] != "]":
        value, at = _parse(source, at)
        items.append(value)
        at = _comma(source, at, "]")
    return items, at + 1


def _object(source: str, at: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    at = _skip(source, at + 1)
    while source[at : at + 1] != "}":
        word = _WORD.match(source, at) or _NUMBER.match(source, at)
        if word:
            key, at = word[0], word.end()
        elif source[at : at + 1] in ("'", '"'):
            key, at = _text(source, at)
        else:
            raise NotALiteral(f"{source[at : at + 20]!r} is no key")
        at = _skip(source, at)
        if source[at : at + 1] != ":":
            raise NotALiteral(f"no colon after {key!r}")
        found[key], at = _parse(source, _skip(source, at + 1))
        at = _comma(source, at, "}")
    return found, at + 1


def _comma(source: str, at: int, end: str) -> int:
    at = _skip(source, at)
    if source[at : at + 1] == ",":
        return _skip(source, at + 1)
    if source[at : at + 1] != end:
        raise NotALiteral(f"{source[at : at + 20]!r} where a comma or {end} was due")
    return at


def find_expressions(value: str) -> Iterator[str]:
    """Yield what stands between `{{` and `}}`. Raises NotALiteral when they do not pair."""
    at = 0
    while True:
        start = value.find("{{", at)
        if start < 0:
            if "}}" in value[at:]:
                raise NotALiteral("}} without {{")
            return
        end = _closing(value, start + 2)
        yield value[start + 2 : end]
        at = end + 2


def _closing(value: str, at: int) -> int:
    depth = 0
    while at < len(value):
        sign = value[at]
        if sign in "'\"":
            at = _after_text(value, at)
            continue
        if sign == "{":
            depth += 1
        elif sign == "}":
            if not depth and value[at : at + 2] == "}}":
                return at
            depth -= 1
        at += 1
    raise NotALiteral("{{ without }}")


def _after_text(value: str, at: int) -> int:
    end = at + 1
    while end < len(value) and value[end] != value[at]:
        end += 2 if value[end] == "\\" else 1
    return end + 1


_STRINGS = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|(?<=[(!&|?:=,])\s*/(?:\\.|\[[^\]]*\]|[^/\\\n])+/")
_TEMPLATE_TEXT = re.compile(r"`[^`$]*`|`[^`$]*\$\{|\}[^`${}]*\$\{|\}[^`${}]*`")
_NAME = re.compile(r"(?<![\w$.])(?<!\?\.)([A-Za-z_$][\w$]*)(\s*:(?!:))?")
_ARROW = re.compile(r"(?:\(([\w\s,$]*)\)|([A-Za-z_$][\w$]*))\s*=>")
_WORDS = frozenset({
    "true", "false", "null", "undefined", "typeof", "new", "in", "of", "instanceof", "void", "delete", "return", "if",
    "else", "let", "const", "var", "function", "NaN", "Infinity",
})  # fmt: skip


def names_in(expression: str) -> set[str]:
    """Return the names that an expression takes from outside: no members, keys, arguments, texts or keywords."""
    bare = _STRINGS.sub(lambda found: "''" if found[0].strip()[:1] != "/" else " 0", expression)
    bare = re.sub(r"^\s*/(?:\\.|\[[^\]]*\]|[^/\\\n])+/", " 0", bare)
    bare = _TEMPLATE_TEXT.sub(" + ", bare)
    local = {name.strip() for one in _ARROW.findall(bare) for name in (*one[0].split(","), one[1]) if name.strip()}
    spread = bare.replace("...", " ")
    ternary = "?" in spread.replace("?.", "").replace("??", "")
    found = set()
    for match in _NAME.finditer(spread):
        is_key = match[2] is not None and not (ternary and _is_branch(spread, match.start()))
        if not is_key and match[1] not in _WORDS | local:
            found.add(match[1])
    return found


def _is_branch(source: str, at: int) -> bool:
    """A name before a colon is a branch of `?:`, not a key, when no brace or comma opened a key there."""
    before = source[:at].rstrip()
    return not before.endswith(("{", ","))
