"""The handbook's Markdown as HTML. No raw HTML passes, links lead to the handbook's own pages or out of the console."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_PAGE = re.compile(r"([A-Z_]+)\.md(#.*)?")


def render_markdown(text: str) -> Markup:
    """Render a page; HTML in it is shown as text."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(text)
    for token in tokens:
        _lead_links(token.children or ())
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704 - the reader escapes every text


def _lead_links(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.type != "link_open":
            continue
        target: Any = token.attrs.get("href", "")
        page = _PAGE.fullmatch(str(target))
        if page:
            token.attrs["href"] = f"/handbook/{page[1]}"
        elif not str(target).startswith(("https://", "http://")):
            del token.attrs["href"]  # a document that is not shown here
        else:
            token.attrs["rel"] = "noreferrer"
