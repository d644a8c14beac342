"""The project speaks of itself alone: no machine's paths, no package index, no conflict left behind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tidy.source import all_files, name_of

# Written in parts, so that this file does not find itself.
_HOSTS = [".".join(parts) for parts in [
    ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("yarnpkg", "com"), ("crates", "io"),
    ("proxy.golang", "org"), ("rubygems", "org"), ("repo.maven", "apache.org"), ("deb.debian", "org"),
]]  # fmt: skip
_RULES = {
    "a path of one machine": re.compile(r"(?<![\w.:/}-])/(?:work|home|root|Users)/[\w.]"),
    "a Windows machine's path": re.compile(r"\b[A-Z]:\\Users\\"),
    "a package index": re.compile("|".join(re.escape(host) for host in _HOSTS)),
    "an index option": re.compile(r"--(?:extra-)?index" + r"-url|^index" + r"-url", re.MULTILINE),
    "an unfinished merge": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
}


def find_traces(text: str) -> list[str]:
    """Return what a text says about the machine, or the network, that it was written on."""
    return [
        f"line {text.count(chr(10), 0, found.start()) + 1}: {what}: {found[0]}"
        for what, rule in _RULES.items()
        for found in rule.finditer(text)
    ]


@pytest.mark.parametrize("file", all_files(), ids=name_of)
def test_no_machine_and_no_index_is_named(file: Path) -> None:
    assert find_traces(file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\nsee /" + "work/thing", "line 2: a path of one machine: /" + "work/t"),
        ("open('/" + "home/ann/x')", "line 1: a path of one machine: /" + "home/a"),
        ("https://" + _HOSTS[0] + "/simple", "line 1: a package index: " + _HOSTS[0]),
        ("--index" + "-url x", "line 1: an index option: --index" + "-url"),
        ("<<<<<<" + "< ours", "line 1: an unfinished merge: <<<<<<" + "< "),
    ],
)
def test_a_trace_is_found(text: str, problem: str) -> None:
    assert find_traces(text) == [problem]


@pytest.mark.parametrize("text", ["https://example.com/home/page", "docs/work/flow.md", "`/api/v1/root/x`"])
def test_an_ordinary_address_passes(text: str) -> None:
    assert find_traces(text) == []


@pytest.mark.parametrize("file", [f for f in all_files() if f.name.endswith(".lock")], ids=name_of)
def test_each_pinned_package_has_its_hashes(file: Path) -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", "\n" + file.read_text("utf-8"))
    pinned = [entry for entry in entries if re.match(r"[A-Za-z0-9][\w.\[\]-]*==", entry)]
    assert pinned, f"{name_of(file)} pins nothing"
    assert [entry.split("==")[0] for entry in pinned if "--hash=sha256:" not in entry] == []
