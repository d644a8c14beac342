"""Elements of Toolscript, and their text as Retool writes it: `id` first, then attributes by name, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_WIDTH = 80  # a tag that fits is written on one line


@dataclass(frozen=True, slots=True)
class Element:
    """One tag. Attribute values: text, bool, number, None, list or mapping; a text may hold `{{ expressions }}`."""

    tag: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    children: tuple[Element, ...] = ()

    @property
    def id(self) -> str:
        return str(self.attributes.get("id", ""))

    def walk(self) -> Iterator[Element]:
        """Yield this element and everything in it, in the order of the text."""
        yield self
        for child in self.children:
            yield from child.walk()


def element(tag: str, id: str = "", /, *children: Element, **attributes: Any) -> Element:
    """Build an element. `event_`: a trailing underscore is dropped, for names that are words of Python."""
    named = {name.removesuffix("_"): value for name, value in attributes.items()}
    return Element(tag, ({"id": id} if id else {}) | named, children)


def render(root: Element) -> str:
    """Render a file."""
    return "\n".join(_lines(root, 0)) + "\n"


def _lines(node: Element, depth: int) -> Iterator[str]:
    pad = "  " * depth
    ordered = sorted(node.attributes.items(), key=lambda item: (item[0] != "id", item[0]))
    written = [f"{name}={_value(value)}" for name, value in ordered]
    end = ">" if node.children else " />"
    line = " ".join([f"<{node.tag}", *written]) + end
    if len(pad) + len(line) <= _WIDTH and "\n" not in line:
        yield pad + line
    else:
        yield f"{pad}<{node.tag}"
        yield from (f"{pad}  {item}" for item in written)
        yield f"{pad}{end.strip()}"
    if node.children:
        for child in node.children:
            yield from _lines(child, depth + 1)
        yield f"{pad}</{node.tag}>"


def _value(value: Any) -> str:
    if not isinstance(value, str):
        return "{" + _script(value) + "}"
    if '"' in value or "\\" in value or "\n" in value:
        return "{" + _quoted(value) + "}"
    return f'"{value}"'


def _script(value: Any) -> str:
    """Write a value as JavaScript does."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key if key.isidentifier() else json.dumps(key)}: {_script(v)}" for key, v in value.items())
        return "{ " + inner + " }" if inner else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_script(item) for item in value) + "]"
    return json.dumps(value)


def _quoted(value: str) -> str:
    """Write a text between single quotes, as Retool does where there are double ones inside."""
    text = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{text}'"
