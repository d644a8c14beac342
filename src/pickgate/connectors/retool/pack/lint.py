"""A strict linter of the pack, for what can be known without a Retool. It imports nothing and proves no import.

Every rule comes from what real exports have in common, or from what is reported to fail an import without a word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pickgate.connectors.retool.pack import grammar
from pickgate.connectors.retool.pack.elements import Element
from pickgate.connectors.retool.pack.lint_api import lint_queries
from pickgate.connectors.retool.pack.lint_places import lint_positions
from pickgate.connectors.retool.pack.rsx import RsxUnreadable, parse_rsx
from pickgate.connectors.retool.pack.scripts import NotALiteral, find_expressions, names_in

REQUIRED = (".positions.json", "functions.rsx", "main.rsx", "metadata.json")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PATH = re.compile(r"(?:src/\w+\.rsx|(?:main|functions|header)\.rsx|metadata\.json|\.positions\.json)")
_SECRET = re.compile(r"pkg_[A-Za-z0-9_-]{20,}|retool_[A-Za-z0-9]{10,}|Bearer\s+\S+|[Aa]uthorization")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong. `rule` never changes; `line` 0: the file as a whole."""

    file: str
    line: int
    rule: str
    problem: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.rule}: {self.problem}"


def lint_app(files: Mapping[str, str], document: Mapping[str, Any] | None = None) -> list[Fault]:
    """
    Return everything that is wrong with an app's files, sorted; nothing is fixed.

    Args:
        files: Text by path, without the ZIP's folder.
        document: The OpenAPI document that the queries must fit; without it they are only read.
    """
    faults = [*_files(files)]
    trees: dict[str, Element] = {}
    for path in sorted(files):
        if path.endswith(".rsx"):
            try:
                trees[path] = parse_rsx(files[path])
            except RsxUnreadable as error:
                faults.append(Fault(path, error.line, "syntax", error.problem))
    if len(trees) < sum(path.endswith(".rsx") for path in files):
        return sorted(set(faults))  # whatever else could be said would be about the part that cannot be read
    ids = {node.id: node for tree in trees.values() for node in tree.walk() if node.id}
    for path, tree in trees.items():
        faults += _tree(path, tree, ids)
    faults += _unique(trees)
    faults += _includes(trees)
    faults += _metadata(files.get("metadata.json"), trees)
    faults += [
        Fault(".positions.json", 0, "positions", it) for it in lint_positions(files.get(".positions.json"), trees)
    ]
    for path, tree in trees.items():
        faults += [Fault(path, 0, "queries", problem) for problem in lint_queries(tree, document)]
    faults += _one_resource(trees)
    return sorted(set(faults))


def _files(files: Mapping[str, str]) -> Iterator[Fault]:
    for path in REQUIRED:
        if path not in files:
            yield Fault(path, 0, "files", "is missing")
    for path, content in files.items():
        if not _PATH.fullmatch(path):
            yield Fault(path, 0, "files", "does not belong into an app")
        found = _SECRET.search(content)
        if found:
            line = content.count("\n", 0, found.start()) + 1
            yield Fault(path, line, "secret", "looks like a token; tokens belong into the resource")


def _tree(path: str, root: Element, ids: Mapping[str, Element]) -> Iterator[Fault]:
    wanted = grammar.ROOTS.get(path, grammar.SCREEN_ROOT)
    if root.tag != wanted:
        yield Fault(path, 0, "nesting", f"begins with <{root.tag}>, not <{wanted}>")
    for node in root.walk():
        name = f"<{node.tag}{' ' + node.id if node.id else ''}>"
        yield from (Fault(path, 0, rule, f"{name} {problem}") for rule, problem in _node(node, ids))


def _node(node: Element, ids: Mapping[str, Element]) -> Iterator[tuple[str, str]]:
    allowed = grammar.CHILDREN.get(node.tag)
    if allowed is None:
        yield "nesting", "is not among the elements that are known here"
        return
    for child in node.children:
        if child.tag not in allowed:
            yield "nesting", f"must not hold <{child.tag}>"
    present = {child.tag for child in node.children}
    for tag in grammar.NEEDED.get(node.tag, ()):
        if tag not in present:
            yield "nesting", f"needs a <{tag}>"
    pattern = grammar.IDS.get(node.tag)
    if pattern is not None and not pattern.fullmatch(node.id):
        yield "ids", f"needs an id like {pattern.pattern}"
    if node.tag in grammar.WITHOUT_ID and node.id:
        yield "ids", "has an id, and exports have none there"
    for name, value in node.attributes.items():
        if name in grammar.SWITCHES and not isinstance(value, bool):
            yield "values", f"{name} is not true or false"
        yield from (("expressions", f"{name}: {problem}") for problem in _expressions(node, value, ids))
    if node.tag == "Event":
        yield from (("events", problem) for problem in _event(node, ids))
    if node.tag == "Table":
        yield from (("values", problem) for problem in _table(node))


def _expressions(node: Element, value: Any, ids: Mapping[str, Element]) -> Iterator[str]:
    for text in _texts(value):
        try:
            expressions = list(find_expressions(text))
        except NotALiteral as error:
            yield str(error)
            continue
        local = grammar.LOCALS.get(node.tag, frozenset())
        for expression in expressions:
            if not expression.strip():
                yield "an empty expression"
            unknown = names_in(expression) - grammar.GLOBALS - local - set(ids)
            if unknown:
                yield f"nothing is called {', '.join(sorted(unknown))}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _event(node: Element, ids: Mapping[str, Element]) -> Iterator[str]:
    kind, method = str(node.attributes.get("type", "")), str(node.attributes.get("method", ""))
    methods = grammar.EVENTS.get(kind)
    if methods is None or method not in methods:
        yield f"{kind or 'no type'}: {method or 'no method'} is not among the events that are known here"
        return
    if {"event", "pluginId", "waitMs", "waitType"} - set(node.attributes):
        yield "lacks event, pluginId, waitMs or waitType"
    target = ids.get(str(node.attributes.get("pluginId", "")))
    if kind == "util":
        return
    if target is None:
        yield f"pluginId {node.attributes.get('pluginId')!r} is nothing"
    elif (target.tag in grammar.QUERIES) != (kind == "datasource"):
        yield f"{kind} cannot be <{target.tag} {target.id}>"


def _table(node: Element) -> Iterator[str]:
    columns = {child.id for child in node.children if child.tag == "Column"}
    if node.attributes.get("primaryKeyColumnId") not in columns:
        yield "primaryKeyColumnId is none of its columns"
    keys = [child.attributes.get("key") for child in node.children if child.tag == "Column"]
    if len(set(keys)) != len(keys):
        yield "two columns have one key"
    if node.attributes.get("serverPaginated") and not node.attributes.get("limitOffsetRowCount"):
        yield "serverPaginated needs limitOffsetRowCount"


def _unique(trees: Mapping[str, Element]) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for path, tree in trees.items():
        for table in tree.walk():
            buttons = [child.id for child in table.children if child.tag == "ToolbarButton"]
            if len(set(buttons)) != len(buttons):
                yield Fault(path, 0, "ids", f"<{table.tag} {table.id}> has two toolbar buttons of one id")
        for node in tree.walk():
            if not node.id or node.tag == "ToolbarButton":  # unique within their table
                continue
            if node.id in seen:
                yield Fault(path, 0, "ids", f"<{node.tag} {node.id}>: {seen[node.id]} has this id too")
            seen[node.id] = path


def _includes(trees: Mapping[str, Element]) -> Iterator[Fault]:
    counted = dict.fromkeys((path for path in trees if path != "main.rsx"), 0)
    for path, tree in trees.items():
        for node in tree.walk():
            if node.tag != "Include":
                continue
            source = str(node.attributes.get("src", ""))
            target = source.removeprefix("./")
            if path != "main.rsx" or not source.startswith("./") or target not in counted:
                yield Fault(path, 0, "includes", f"{source or 'nothing'} cannot be included here")
            else:
                counted[target] += 1
    for path, times in counted.items():
        if times != 1:
            yield Fault(path, 0, "includes", f"is included {times} times")


def _metadata(content: str | None, trees: Mapping[str, Element]) -> Iterator[Fault]:
    if content is None:
        return
    name = "metadata.json"
    try:
        found = json.loads(content)
        template = found["appTemplate"]
        values = found["toolscriptVersion"], found["version"], found["pageUuid"]
        root, version = template["rootScreen"], template["version"]
    except (ValueError, KeyError, TypeError) as error:
        yield Fault(name, 0, "metadata", f"cannot be read: {error!r}")
        return
    if values[:2] != ("1.0.0", "43.0.9"):
        yield Fault(name, 0, "metadata", "toolscriptVersion and version are 1.0.0 and 43.0.9 in every export")
    if not _UUID.fullmatch(str(values[2])):
        yield Fault(name, 0, "metadata", "pageUuid is not a UUID")
    if not re.fullmatch(r"\d+\.\d+\.\d+", str(version)):
        yield Fault(name, 0, "metadata", "appTemplate.version is not a version")
    screens = [tree for tree in trees.values() if tree.tag == "Screen"]
    if root not in {screen.id for screen in screens}:
        yield Fault(name, 0, "metadata", f"rootScreen {root!r} is no screen")
    for what in ("urlSlug", "uuid", "_order"):
        told = [screen.attributes.get(what) for screen in screens]
        if len(set(map(str, told))) != len(told) or None in told:
            yield Fault(name, 0, "metadata", f"screens need {what}, each its own")


def _one_resource(trees: Mapping[str, Element]) -> Iterator[Fault]:
    found = {
        str(node.attributes.get("resourceName", ""))
        for tree in trees.values()
        for node in tree.walk()
        if node.tag in grammar.QUERIES
    }
    if len(found) > 1:
        yield Fault("functions.rsx", 0, "resource", "the queries go through several resources")
    for name in found:
        if name != "REPLACE_WITH_RESOURCE_UUID" and not _UUID.fullmatch(name.lower()):
            yield Fault("functions.rsx", 0, "resource", "resourceName is not a UUID")
