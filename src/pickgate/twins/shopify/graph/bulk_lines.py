"""A bulk query turned into lines: every connection to its end, each object of a nested one naming its parent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
    is_list_type,
    parse,
    validate,
)

from pickgate.twins.shopify.graph.documents import schema
from pickgate.twins.shopify.graph.paging import Listing
from pickgate.twins.shopify.graph.plan import Compiler, Reader, Request
from pickgate.twins.shopify.model import Refused

MOST_CONNECTIONS = 5
DEEPEST = 2
_PAGING = ("pageInfo", "cursor")


class BulkPlan(Compiler):
    """One bulk query, checked and compiled. Raises Refused with a sentence about what a bulk query may not have."""

    def __init__(self, text: str, readers: dict[str, Reader]) -> None:
        try:
            document = parse(text)
        except GraphQLError as error:
            raise Refused(f"Invalid bulk query: {error.message}", code="INVALID", field=["query"]) from error
        wrong = validate(schema(), document)
        if wrong:
            raise Refused(f"Invalid bulk query: {wrong[0].message}", code="INVALID", field=["query"])
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        if len(operations) != 1 or operations[0].operation.value != "query" or operations[0].variable_definitions:
            raise _refused("A bulk query is one query without variables.")
        fragments = {n.name.value: n for n in document.definitions if isinstance(n, FragmentDefinitionNode)}
        super().__init__(schema(), fragments, readers, {})
        root = schema().query_type
        assert isinstance(root, GraphQLObjectType)
        fields = list(self.fields_of(root.name, [operations[0].selection_set]).values())
        if len(fields) != 1 or fields[0][0].name.value in ("node", "nodes"):
            raise _refused("A bulk query has one root field, and that is neither node nor nodes.")
        self._root, self._first = root, fields[0]
        if not self._is_connection(root, self._first[0]):
            raise _refused("Bulk queries must contain at least one connection.")
        count, depth = self._measure(root, self._first, in_list=False)
        if count > MOST_CONNECTIONS:
            raise _refused(f"Bulk queries cannot contain more than {MOST_CONNECTIONS} connections.")
        if depth > DEEPEST:
            raise _refused("Bulk queries cannot contain connections with a nesting depth greater than 2.")

    def lines(self, request: Request) -> Iterator[tuple[bool, str]]:
        """Yield (whether it is an object of the root connection, the line)."""
        for line, is_root in self._objects(self._root, self._first, None, request, None):
            yield is_root, json.dumps(line, separators=(",", ":"))

    def _objects(
        self, parent: GraphQLObjectType, nodes: list[FieldNode], value: Any, request: Request, owner: str | None
    ) -> Iterator[tuple[dict[str, Any], bool]]:
        name = nodes[0].name.value
        field = parent.fields[name]
        node_type = self._node_type(parent, nodes[0])
        found = self._getter(parent, name, field, nodes[0])(value, request)
        items = found.items if isinstance(found, Listing) else found
        plain, nested = self._parts(node_type, self._selections(parent, nodes))
        steps = [(key, self.step(node_type, below)) for key, below in plain.items()]
        for item in items or ():
            line = {key: step(item, request) for key, step in steps}
            if owner is not None:
                line["__parentId"] = owner
            yield line, owner is None
            for below in nested.values():
                yield from self._objects(node_type, below, item, request, item.id)

    def _parts(
        self, node_type: GraphQLObjectType, selections: list[SelectionSetNode]
    ) -> tuple[dict[str, list[FieldNode]], dict[str, list[FieldNode]]]:
        fields = self.fields_of(node_type.name, selections)
        nested = {key: nodes for key, nodes in fields.items() if self._is_connection(node_type, nodes[0])}
        return {key: nodes for key, nodes in fields.items() if key not in nested}, nested

    def _selections(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> list[SelectionSetNode]:
        """What is selected of the objects of a connection, under `nodes` or `edges { node }`."""
        connection = get_named_type(parent.fields[nodes[0].name.value].type)
        inside = self.fields_of(connection.name, [n.selection_set for n in nodes if n.selection_set])
        found: list[SelectionSetNode] = []
        for below in inside.values():
            if below[0].name.value == "nodes":
                found += [n.selection_set for n in below if n.selection_set]
            elif below[0].name.value == "edges":
                for edge in below:
                    assert edge.selection_set is not None
                    found += [
                        n.selection_set
                        for n in edge.selection_set.selections
                        if isinstance(n, FieldNode) and n.name.value == "node" and n.selection_set
                    ]
        return found

    def _node_type(self, parent: GraphQLObjectType, node: FieldNode) -> GraphQLObjectType:
        connection = get_named_type(parent.fields[node.name.value].type)
        assert isinstance(connection, GraphQLObjectType)
        found = get_named_type(connection.fields["nodes"].type)
        if not isinstance(found, GraphQLObjectType) or "Node" not in {each.name for each in found.interfaces}:
            raise _refused(f"Connections must implement the Node interface: {node.name.value} does not.")
        return found

    def _is_connection(self, parent: Any, node: FieldNode) -> bool:
        field = getattr(parent, "fields", {}).get(node.name.value)
        return field is not None and bool(get_named_type(field.type).name.endswith("Connection"))

    def _measure(self, parent: GraphQLObjectType, nodes: list[FieldNode], *, in_list: bool) -> tuple[int, int]:
        """Connections in a field and below, and how deep they are nested in it."""
        if self._is_connection(parent, nodes[0]):
            if in_list:
                raise _refused("Queries that contain a connection field within a list field are not supported.")
            node_type = self._node_type(parent, nodes[0])
            fields = self.fields_of(node_type.name, self._selections(parent, nodes))
            below = [self._measure(node_type, each, in_list=False) for each in fields.values()]
            count = 1 + sum(number for number, _ in below)
            if any(number for number, _ in below) and "id" not in {n[0].name.value for n in fields.values()}:
                raise _refused("The parent 'node' field for a nested connection must select the 'id' field.")
            return count, max((depth + 1 for number, depth in below if number), default=0)
        field = parent.fields.get(nodes[0].name.value)
        named = get_named_type(field.type) if field is not None else None
        if not isinstance(named, GraphQLObjectType) or is_leaf_type(named) or field is None:
            return 0, 0
        listed = in_list or is_list_type(getattr(field.type, "of_type", field.type)) or is_list_type(field.type)
        inner = self.fields_of(named.name, [n.selection_set for n in nodes if n.selection_set])
        found = [self._measure(named, each, in_list=listed) for each in inner.values()]
        return sum(count for count, _ in found), max((depth for _, depth in found), default=0)


def _refused(sentence: str) -> Refused:
    return Refused(sentence, code="INVALID", field=["query"])
