"""Every link in every document leads somewhere, every named test exists, every record has its parts."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tidy.source import DOCS, ROOT, documents, name_of

_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
RECORDS = sorted((DOCS / "adr").glob("[0-9]*.md"))
PARTS = ("Why", "Decision", "Rules that keep it safe", "Cost", "Instead of")


def anchors(markdown: str) -> set[str]:
    """Return the anchors of a document's headings, as code hosts make them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.+?) *#*$", markdown, re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        found.add(words.replace(" ", "-"))
    return found


def find_broken(file: Path, markdown: str) -> list[str]:
    """Return the relative links of a document that lead nowhere. `file`: where it stands."""
    text = re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    problems = []
    for link in _LINK.findall(re.sub(r"`[^`\n]*`", "code", text)):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (file.parent / path).resolve() if path else file
        if path and not target.exists():
            problems.append(f"{link}: there is no such file")
        elif anchor and target.suffix == ".md":
            known = anchors(markdown if target == file else target.read_text("utf-8"))
            if anchor not in known:
                problems.append(f"{link}: there is no such heading")
    return problems


@pytest.mark.parametrize("file", documents(), ids=name_of)
def test_links_lead_somewhere(file: Path) -> None:
    assert find_broken(file, file.read_text("utf-8")) == []


def test_a_broken_link_is_found() -> None:
    text = "# One, two\n[a](#one-two) [b](#three) [c](nowhere.md) [d](https://example.com/x)\n```\n[e](nowhere.md)\n```"
    assert find_broken(DOCS / "x.md", text) == [
        "#three: there is no such heading",
        "nowhere.md: there is no such file",
    ]


@pytest.mark.parametrize("file", documents(), ids=name_of)
def test_a_test_that_a_document_names_exists(file: Path) -> None:
    named = re.findall(r"`(tests/[\w./-]+\.py)(?:::(\w+))?`", file.read_text("utf-8"))
    for path, test in named:
        assert (ROOT / path).is_file(), f"{name_of(file)} names {path}"
        assert not test or f"def {test}(" in (ROOT / path).read_text("utf-8"), f"{name_of(file)} names {path}::{test}"


def test_every_page_can_be_reached_from_the_index() -> None:
    seen: set[Path] = set()
    todo = [DOCS / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen or not page.is_file() or page.suffix != ".md":
            continue
        seen.add(page)
        links = _LINK.findall(page.read_text("utf-8"))
        todo += [(page.parent / link.partition("#")[0]).resolve() for link in links if ":" not in link]
    missing = {name_of(page) for page in DOCS.rglob("*.md")} - {name_of(p) for p in seen if p.is_relative_to(ROOT)}
    assert missing == set(), "link them from docs/README.md or from a page that it links"


@pytest.mark.parametrize("file", RECORDS, ids=name_of)
def test_a_decision_record_has_its_parts(file: Path) -> None:
    text = file.read_text("utf-8")
    assert re.match(rf"# {file.name[:4]}\. \S", text), "the title is the number and the decision, as a sentence"
    for word in ("Tags:", "Status:", "Revisit when:"):
        assert word in text.split("\n## ")[0], f"say {word} under the title"
    headings = re.findall(r"^(?:#+ +|\*\*)([^*\n]+?)\**$", text, re.MULTILINE)
    assert [part for part in PARTS if part not in headings] == []
    assert len(text.splitlines()) <= 70, "one page"


def test_decision_records_are_numbered_once() -> None:
    numbers = [file.name[:4] for file in RECORDS]
    assert len(numbers) == len(set(numbers))
    assert numbers[:1] == ["0001"]
