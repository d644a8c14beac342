"""A GraphQL document as a plan: parsed, validated and compiled once, then run on plain rows.

A plan knows only the shape that every read here has: root { all(filter, first, after) { pageInfo edges } }.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
)
from graphql.execution.values import get_argument_values, get_directive_values

from pickgate.twins.clarus.reads.fields import Get, find_getter, find_writer
from pickgate.twins.clarus.reads.filters import compile_filter
from pickgate.twins.clarus.reads.roots import ROOTS_BY_NAME, Root
from pickgate.twins.clarus.tenant import Tenant

Project = Callable[[Tenant, Any], Any]


@dataclass(frozen=True, slots=True)
class _All:
    """One `all(...)` under one root alias."""

    root: Root
    field: GraphQLField
    node: FieldNode
    page: list[tuple[str, str, Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled operation."""

    roots: list[tuple[str, list[tuple[str, _All | str]] | str]]

    def run(self, tenant: Tenant, variables: dict[str, Any]) -> dict[str, Any]:
        """Read everything. Raises GraphQLError for an unusable argument."""
        answer: dict[str, Any] = {}
        for alias, parts in self.roots:
            if isinstance(parts, str):
                answer[alias] = parts
            else:
                answer[alias] = {
                    name: part if isinstance(part, str) else _read(tenant, part, variables) for name, part in parts
                }
        return answer


class Compiler:
    """Compiles one operation of a valid document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]) -> None:
        self.has_directives = False
        self._schema = schema
        self._variables = variables
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }

    def compile(self, operation: OperationDefinitionNode) -> Plan:
        """Make the plan. `has_directives` tells afterwards whether it holds for these variables only."""
        query = cast(GraphQLObjectType, self._schema.query_type)
        roots: list[tuple[str, list[tuple[str, _All | str]] | str]] = []
        for alias, nodes in self._fields(operation.selection_set).items():
            name = nodes[0].name.value
            if name == "__typename":
                roots.append((alias, query.name))
                continue
            root_type = cast(GraphQLObjectType, get_named_type(query.fields[name].type))
            parts: list[tuple[str, _All | str]] = []
            for part, part_nodes in self._merged(nodes).items():
                if part_nodes[0].name.value == "__typename":
                    parts.append((part, root_type.name))
                else:
                    field = root_type.fields["all"]
                    page = self._page(field, part_nodes)
                    parts.append((part, _All(ROOTS_BY_NAME[name], field, part_nodes[0], page)))
            roots.append((alias, parts))
        return Plan(roots=roots)

    def _page(self, field: GraphQLField, nodes: list[FieldNode]) -> list[tuple[str, str, Any]]:
        connection = cast(GraphQLObjectType, get_named_type(field.type))
        page: list[tuple[str, str, Any]] = []
        for alias, parts in self._merged(nodes).items():
            name = parts[0].name.value
            if name == "__typename":
                page.append((alias, name, connection.name))
            elif name == "pageInfo":
                wanted = [(a, n[0].name.value) for a, n in self._merged(parts).items()]
                page.append((alias, name, wanted))
            else:
                edge = cast(GraphQLObjectType, get_named_type(connection.fields["edges"].type))
                page.append((alias, name, self._edge(edge, parts)))
        return page

    def _edge(self, edge: GraphQLObjectType, nodes: list[FieldNode]) -> list[tuple[str, Any]]:
        made: list[tuple[str, Any]] = []
        for alias, parts in self._merged(nodes).items():
            name = parts[0].name.value
            if name == "node":
                row_type = cast(GraphQLObjectType, get_named_type(edge.fields["node"].type))
                made.append((alias, self._object(row_type, parts)))
            else:
                made.append((alias, edge.name if name == "__typename" else None))
        return made

    def _object(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Project:
        columns: list[tuple[str, Project]] = []
        for alias, parts in self._merged(nodes).items():
            name = parts[0].name.value
            if name == "__typename":
                columns.append((alias, lambda tenant, row: kind.name))
                continue
            named = get_named_type(kind.fields[name].type)
            get = find_getter(kind.name, name)
            then = (
                find_writer(named.name) if is_leaf_type(named) else self._object(cast(GraphQLObjectType, named), parts)
            )
            columns.append((alias, get if then is None else _chain(get, then)))
        return lambda tenant, row: {alias: get(tenant, row) for alias, get in columns}

    def _merged(self, nodes: list[FieldNode]) -> dict[str, list[FieldNode]]:
        found: dict[str, list[FieldNode]] = {}
        for node in nodes:
            if node.selection_set is not None:
                for alias, parts in self._fields(node.selection_set).items():
                    found.setdefault(alias, []).extend(parts)
        return found

    def _fields(self, selection: SelectionSetNode) -> dict[str, list[FieldNode]]:
        found: dict[str, list[FieldNode]] = {}
        for node in self._flat(selection):
            alias = node.alias.value if node.alias else node.name.value
            found.setdefault(alias, []).append(node)
        return found

    def _flat(self, selection: SelectionSetNode) -> Iterator[FieldNode]:
        for node in selection.selections:
            if node.directives and not self._included(node):
                continue
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                yield from self._flat(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                yield from self._flat(self._fragments[node.name.value].selection_set)

    def _included(self, node: Any) -> bool:
        self.has_directives = True
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return not (skip and skip["if"]) and not (include and not include["if"])


def _chain(get: Get, then: Get) -> Project:
    def read(tenant: Tenant, row: Any) -> Any:
        value = get(tenant, row)
        return None if value is None else then(tenant, value)

    return read


def _read(tenant: Tenant, part: _All, variables: dict[str, Any]) -> dict[str, Any]:
    arguments = get_argument_values(part.field, part.node, variables)
    given: Mapping[str, Any] = arguments.get("filter") or {}
    filter_type = cast(GraphQLInputObjectType, get_named_type(part.field.args["filter"].type))
    predicates = compile_filter(tenant, filter_type, given)
    offset = _offset(arguments.get("after"))
    cap = tenant.knobs.page_size_cap
    first = arguments.get("first")
    size = cap if first is None else max(0, min(first, cap))
    rows = (row for row in part.root.rows(tenant, given) if all(predicate(row) for predicate in predicates))
    wanted = list(islice(rows, offset, offset + size + 1))
    more, wanted = len(wanted) > size, wanted[:size]
    return {alias: _connection_part(tenant, kind, made, wanted, offset, more=more) for alias, kind, made in part.page}


def _connection_part(tenant: Tenant, kind: str, made: Any, rows: list[Any], offset: int, *, more: bool) -> Any:
    if kind == "__typename":
        return made
    if kind == "pageInfo":
        info = {
            "hasNextPage": more,
            "hasPreviousPage": offset > 0,
            "startCursor": _cursor(offset + 1) if rows else None,
            "endCursor": _cursor(offset + len(rows)) if rows else None,
            "__typename": "PageInfo",
        }
        return {alias: info[name] for alias, name in made}
    return [
        {alias: part(tenant, row) if callable(part) else part or _cursor(position) for alias, part in made}
        for position, row in enumerate(rows, start=offset + 1)
    ]


def _cursor(position: int) -> str:
    return base64.b64encode(str(position).encode()).decode().rstrip("=")


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return max(0, int(base64.b64decode(cursor + "=" * (-len(cursor) % 4), validate=True)))
    except (binascii.Error, ValueError):
        raise GraphQLError(f"not a cursor: {cursor}") from None
