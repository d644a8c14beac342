"""Read Toolscript back into elements, strictly: what is not of the shapes that exports have is an error with a line."""

from __future__ import annotations

import re
from typing import Any

from pickgate.connectors.retool.pack.elements import Element
from pickgate.connectors.retool.pack.scripts import NotALiteral, parse_literal

_OPEN = re.compile(r"<([A-Z][A-Za-z0-9_-]*)")
_CLOSE = re.compile(r"</([A-Z][A-Za-z0-9_-]*)\s*>")
_ATTRIBUTE = re.compile(r"([A-Za-z_][\w-]*)=")
_SPACE = re.compile(r"\s*")
_DEEPEST = 60


class RsxUnreadable(ValueError):
    """`line`: from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


def parse_rsx(source: str) -> Element:
    """Parse one file: one element and nothing else. Raises RsxUnreadable."""
    reader = _Reader(source)
    root = reader.element(0)
    reader.skip()
    if reader.at != len(source):
        raise reader.error("something after the end of the root element")
    return root


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0

    def error(self, problem: str) -> RsxUnreadable:
        return RsxUnreadable(self.source.count("\n", 0, self.at) + 1, problem)

    def skip(self) -> None:
        found = _SPACE.match(self.source, self.at)
        self.at = found.end() if found else self.at
        if self.source.startswith("<!--", self.at):
            raise self.error("a comment: exports have none, and an import fails on it")

    def element(self, depth: int) -> Element:
        if depth > _DEEPEST:
            raise self.error(f"elements more than {_DEEPEST} deep")
        self.skip()
        opening = _OPEN.match(self.source, self.at)
        if opening is None:
            raise self.error(f"an element was due, not {self.source[self.at : self.at + 20]!r}")
        tag = opening[1]
        self.at = opening.end()
        attributes: dict[str, Any] = {}
        while True:
            self.skip()
            if self.source.startswith("/>", self.at):
                self.at += 2
                return Element(tag, attributes)
            if self.source.startswith(">", self.at):
                self.at += 1
                return Element(tag, attributes, self.children(tag, depth))
            name = _ATTRIBUTE.match(self.source, self.at)
            if name is None:
                raise self.error(f"an attribute of <{tag}> was due, not {self.source[self.at : self.at + 20]!r}")
            if name[1] in attributes:
                raise self.error(f"<{tag}> has {name[1]} twice")
            self.at = name.end()
            attributes[name[1]] = self.value(name[1])

    def children(self, tag: str, depth: int) -> tuple[Element, ...]:
        found: list[Element] = []
        while True:
            self.skip()
            closing = _CLOSE.match(self.source, self.at)
            if closing:
                if closing[1] != tag:
                    raise self.error(f"</{closing[1]}> closes <{tag}>")
                self.at = closing.end()
                return tuple(found)
            if self.at >= len(self.source):
                raise self.error(f"<{tag}> is not closed")
            found.append(self.element(depth + 1))

    def value(self, name: str) -> Any:
        sign = self.source[self.at : self.at + 1]
        if sign == '"':
            end = self.source.find('"', self.at + 1)
            if end < 0:
                raise self.error(f"the text of {name} does not end")
            text = self.source[self.at + 1 : end]
            self.at = end + 1
            return text
        if sign != "{":
            raise self.error(f"{name} has neither a text nor braces")
        end = self._brace()
        inner = self.source[self.at + 1 : end]
        try:
            value = parse_literal(inner)
        except (NotALiteral, RecursionError) as error:
            raise self.error(f"{name}: {error}") from error
        self.at = end + 1
        return value

    def _brace(self) -> int:
        depth, at = 0, self.at
        while at < len(self.source):
            sign = self.source[at]
            if sign in "'\"":
                at += 1
                while at < len(self.source) and self.source[at] != sign:
                    at += 2 if self.source[at] == "\\" else 1
            elif sign == "{":
                depth += 1
            elif sign == "}":
                depth -= 1
                if not depth:
                    return at
            at += 1
        raise self.error("a brace that is not closed")
